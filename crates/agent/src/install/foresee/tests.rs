use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use camino::Utf8PathBuf;
use testkit::random::Random;

use super::*;
use crate::gate::Gate;
use crate::install::{Hands, LedgerFiles, plan, switch};

/// Hosts of the property test: every kind of change happens to dozens of their files.
const HOSTS: u64 = 240;

/// A host with a bundle, and a place that it is installed to.
struct Host {
    _dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        for name in ["archive/files", "app", "ledger"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        Self { _dir: dir, root }
    }

    fn ledger(&self) -> LedgerFiles {
        LedgerFiles::new(self.root.join("cleanup"), &self.root.join("ledger"), "g")
    }

    fn appspec(&self) -> AppSpec {
        let text = format!(
            "version: 0.0\nos: linux\nfiles: [{{source: files, destination: '{}/app'}}]\n",
            self.root
        );
        AppSpec::parse(text.as_bytes()).unwrap()
    }

    fn foresee(&self, behavior: &str) -> Foreseen {
        let previous = Previous::read(&self.ledger()).unwrap();
        foresee(&self.appspec(), &self.root.join("archive"), behavior, &previous)
    }

    fn install(&self, behavior: &str) -> Result<(), InstallError> {
        let previous = Previous::read(&self.ledger())?;
        let steps = plan(&self.appspec(), &self.root.join("archive"), behavior, &previous)?;
        let (of, hands) = (("g", self.root.as_path()), Hands { gate: Gate::with(&[]) });
        switch(&steps, &previous, &self.ledger(), of, &hands, &|_| Ok(())).map(drop)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The effects by the names of files in the application's directory.
    fn told(&self, foreseen: &Foreseen) -> BTreeMap<String, Effect> {
        let app = self.root.join("app");
        let name = |path: &Path| path.strip_prefix(&app).unwrap().to_str().unwrap().to_owned();
        foreseen.files.iter().map(|(path, effect)| (name(path), *effect)).collect()
    }
}

/// Every file and link below a directory: its content, or where it leads.
fn contents(root: &Utf8Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut next = vec![root.to_owned()];
    while let Some(directory) = next.pop() {
        for entry in directory.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            let name = path.strip_prefix(root).unwrap().to_string();
            if path.is_symlink() {
                found.insert(name, format!("-> {}", path.read_link_utf8().unwrap()));
            } else if path.is_dir() {
                next.push(path);
            } else {
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn each_kind_of_effect_is_told() {
    let host = Host::new();
    for name in ["same", "changes", "goes", "edited", "edited-and-goes", "dir/inner"] {
        host.write(&format!("archive/files/{name}"), "one");
    }
    symlink("same", host.root.join("archive/files/link")).unwrap();
    host.install("DISALLOW").unwrap();
    host.write("app/edited", "by hand");
    host.write("app/edited-and-goes", "by hand");
    host.write("app/theirs", "theirs");
    let files = host.root.join("archive/files");
    for gone in ["goes", "edited-and-goes", "link"] {
        fs::remove_file(files.join(gone)).unwrap();
    }
    fs::remove_dir_all(files.join("dir")).unwrap();
    host.write("archive/files/changes", "two");
    host.write("archive/files/new/deep", "two");
    host.write("archive/files/dir", "now a file");
    host.write("archive/files/theirs", "two");
    symlink("changes", files.join("link")).unwrap();
    let before = contents(&host.root.join("app"));

    let expected = [
        ("changes", Effect::Change),
        ("dir", Effect::Add),
        ("dir/inner", Effect::Remove),
        ("edited", Effect::Change),
        ("edited-and-goes", Effect::Keep),
        ("goes", Effect::Remove),
        ("link", Effect::Change),
        ("new/deep", Effect::Add),
        ("theirs", Effect::Conflict),
    ];
    let expected = |theirs: Option<Effect>| -> BTreeMap<String, Effect> {
        let all = expected.iter().map(|(name, effect)| (name.to_string(), *effect));
        let mut all: BTreeMap<String, Effect> = all.collect();
        all.remove("theirs");
        all.extend(theirs.map(|effect| ("theirs".to_owned(), effect)));
        all
    };
    let disallowed = host.foresee("DISALLOW");
    assert_eq!(host.told(&disallowed), expected(Some(Effect::Conflict)));
    assert_eq!(disallowed.unchanged, 1);
    let refusal = disallowed.refusal.unwrap().to_string();
    assert_eq!(refusal, host.install("DISALLOW").unwrap_err().to_string());
    let overwriting = host.foresee("OVERWRITE");
    assert_eq!(host.told(&overwriting), expected(Some(Effect::Change)));
    assert!(overwriting.refusal.is_none());
    assert_eq!(host.told(&host.foresee("RETAIN")), expected(None));
    assert_eq!(contents(&host.root.join("app")), before, "it was touched");
}

#[test]
fn what_is_wrong_with_the_revision_is_told_in_the_install_s_words() {
    let host = Host::new();
    symlink(".", host.root.join("archive/files/loop")).unwrap();
    let foreseen = host.foresee("OVERWRITE");
    let refusal = foreseen.refusal.unwrap().to_string();
    assert_eq!(refusal, host.install("OVERWRITE").unwrap_err().to_string());
    assert!(refusal.contains("leads to a directory that holds it"), "{refusal}");
}

#[test]
fn files_of_one_length_are_compared_to_their_ends() {
    let host = Host::new();
    let long = "x".repeat(COMPARED_BYTES + 10);
    host.write("archive/files/long", &format!("{long}a"));
    host.write("app/long", &format!("{long}b"));
    assert_eq!(host.told(&host.foresee("OVERWRITE"))["long"], Effect::Change);
    host.write("app/long", &format!("{long}a"));
    let foreseen = host.foresee("OVERWRITE");
    assert!(foreseen.files.is_empty() && foreseen.unchanged == 1);
}

/// Puts something random at random names of a directory: names are few, so that revisions, and what others put there, meet.
fn scatter(random: &mut Random, at: &Utf8Path) {
    const NAMES: [&str; 8] = ["a", "b", "c", "d/a", "d/b", "d/e/a", "a/b", "c/d"];
    for name in NAMES {
        if random.chance(55) {
            continue;
        }
        let path = at.join(name);
        if fs::create_dir_all(path.parent().unwrap()).is_err() || path.is_dir() {
            continue;
        }
        let _ = fs::remove_file(&path);
        let content = ["one", "two", "three"][random.below(3) as usize];
        if random.chance(15) {
            symlink(content, &path).unwrap();
        } else {
            fs::write(&path, content).unwrap();
        }
    }
}

#[test]
fn what_is_foreseen_is_what_an_install_does() {
    let mut seen: BTreeMap<Effect, u32> = BTreeMap::new();
    let mut refused = 0;
    for seed in 0..HOSTS {
        let random = &mut Random::new(seed);
        let host = Host::new();
        let (files, app) = (host.root.join("archive/files"), host.root.join("app"));
        scatter(random, &files);
        host.install("OVERWRITE").unwrap();
        if random.chance(60) {
            scatter(random, &app);
        }
        fs::remove_dir_all(&files).unwrap();
        fs::create_dir(&files).unwrap();
        scatter(random, &files);
        let behavior = ["DISALLOW", "OVERWRITE", "RETAIN"][random.below(3) as usize];
        let before = contents(&app);
        let foreseen = host.foresee(behavior);
        assert_eq!(contents(&app), before, "host {seed} was touched");
        let told = host.told(&foreseen);
        let outcome = host.install(behavior);
        let reason = outcome.as_ref().err().map(ToString::to_string);
        let conflict = matches!(foreseen.refusal, Some(InstallError::Exists { .. }));
        assert_eq!(foreseen.refusal.is_some(), outcome.is_err(), "host {seed}: {reason:?}");
        for effect in told.values() {
            *seen.entry(*effect).or_default() += 1;
        }
        if outcome.is_err() {
            refused += 1;
            assert_eq!(told.values().any(|effect| *effect == Effect::Conflict), conflict);
            continue;
        }
        let after = contents(&app);
        let happened = |name: &String| match (before.get(name), after.get(name)) {
            (None, Some(_)) => Some(Effect::Add),
            (Some(_), None) => Some(Effect::Remove),
            (Some(one), Some(other)) if one != other => Some(Effect::Change),
            (Some(_), Some(_)) | (None, None) => None,
        };
        let happened: BTreeMap<String, Effect> = before
            .keys()
            .chain(after.keys())
            .filter_map(|name| Some((name.clone(), happened(name)?)))
            .collect();
        let touched = told.into_iter().filter(|(_, effect)| *effect != Effect::Keep);
        assert_eq!(touched.collect::<BTreeMap<_, _>>(), happened, "host {seed}, {behavior}");
    }
    assert!(seen.len() == 5 && seen.values().all(|times| *times > 20), "{seen:?}");
    assert!((20..HOSTS / 2).contains(&refused), "{refused} refused");
}
