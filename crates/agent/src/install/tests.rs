use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use camino::Utf8PathBuf;
use model::appspec::AppSpec;

use rustix::io::Errno;

use super::*;
use crate::gate::faults::{Fault, Lasting};
use crate::gate::{Call, Gate};

struct Bench {
    _dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Bench {
    /// A revision with `files/a.txt`, `files/run.sh` (0755), `files/sub/c.txt` and a destination to install to.
    fn new() -> Self {
        Self::in_directory(tempfile::tempdir().unwrap())
    }

    /// The same in memory, where there is such a place: for tests that install thousands of times.
    fn in_memory() -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self::in_directory(dir.unwrap())
    }

    fn in_directory(dir: tempfile::TempDir) -> Self {
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let bench = Self { _dir: dir, root };
        for (name, mode) in [("a.txt", 0o644), ("run.sh", 0o755), ("sub/c.txt", 0o640)] {
            let path = bench.root.join("archive/files").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(bench.root.join("dest")).unwrap();
        bench
    }

    fn dest(&self, name: &str) -> Utf8PathBuf {
        self.root.join("dest").join(name)
    }

    fn files(&self) -> LedgerFiles {
        let own = self.root.join("ledger");
        fs::create_dir_all(&own).unwrap();
        LedgerFiles::new(self.root.join("g-cleanup"), &own, "g")
    }

    fn plan(&self, sections: &str, behavior: &str) -> Result<Vec<Step>, InstallError> {
        let sections = sections.replace("@DEST@", self.dest("").as_str().trim_end_matches('/'));
        let text = format!("version: 0.0\nos: linux\n{sections}");
        let appspec = AppSpec::parse(text.as_bytes()).unwrap();
        plan(&appspec, &self.root.join("archive"), behavior, &Previous::read(&self.files())?)
    }

    fn install(&self, sections: &str, behavior: &str) -> Result<Switched, InstallError> {
        self.install_with(sections, behavior, &meeting(&[]))
    }

    fn install_with(
        &self,
        sections: &str,
        behavior: &str,
        hands: &Hands,
    ) -> Result<Switched, InstallError> {
        let steps = self.plan(sections, behavior)?;
        let previous = Previous::read(&self.files())?;
        switch(&steps, &previous, &self.files(), ("g", &self.root.join("d-1")), hands, UNMARKED)
    }

    fn fault(&self, sections: &str, behavior: &str) -> String {
        self.plan(sections, behavior).unwrap_err().to_string().replace(self.root.as_str(), "")
    }
}

/// Hands that meet these faults; with none, their calls are only counted.
fn meeting(faults: &[Fault]) -> Hands {
    Hands { gate: Gate::with(faults) }
}

/// Where the mark of the last deployment does not matter.
const UNMARKED: Mark<'_> = &|_| Ok(());

const ALL: &str = "files: [{source: files, destination: '@DEST@/app'}]\n";

#[test]
fn a_directory_s_content_is_installed_with_modes_and_times() {
    let bench = Bench::new();
    bench.install(ALL, "DISALLOW").unwrap();
    let installed = fs::metadata(bench.dest("app/run.sh")).unwrap();
    let original = fs::metadata(bench.root.join("archive/files/run.sh")).unwrap();
    assert_eq!(installed.mode(), original.mode());
    assert_eq!(installed.mtime(), original.mtime());
    assert_eq!(fs::read_to_string(bench.dest("app/sub/c.txt")).unwrap(), "sub/c.txt");
}

#[test]
fn installing_again_takes_the_place_of_the_old_and_leaves_what_others_put_there() {
    let bench = Bench::new();
    bench.install(ALL, "DISALLOW").unwrap();
    fs::write(bench.dest("app/sub/mine.txt"), "mine").unwrap();
    fs::remove_file(bench.root.join("archive/files/a.txt")).unwrap();
    bench.install(ALL, "DISALLOW").unwrap();
    assert!(!bench.dest("app/a.txt").exists());
    assert!(bench.dest("app/sub/c.txt").exists() && bench.dest("app/sub/mine.txt").exists());
    bench.install("files: []\n", "DISALLOW").unwrap();
    assert!(bench.dest("app/sub/mine.txt").exists());
    assert!(!bench.dest("app/run.sh").exists() && !bench.dest("app/sub/c.txt").exists());
}

#[test]
fn a_conflict_is_found_before_anything_is_touched() {
    let bench = Bench::new();
    bench.install(ALL, "DISALLOW").unwrap();
    fs::write(bench.dest("blocked.txt"), "theirs").unwrap();
    fs::write(bench.root.join("archive/files/blocked.txt"), "ours").unwrap();
    let sections = "files: [{source: files, destination: '@DEST@'}]\n";
    let fault = bench.install(sections, "DISALLOW").unwrap_err().to_string();
    assert!(fault.contains("a specified file already exists at this location"), "{fault}");
    assert!(bench.dest("app/a.txt").exists(), "the old revision is gone");
    assert!(!bench.dest("a.txt").exists());
    assert_eq!(
        bench.fault(sections, "REPLACE"),
        "The deployment failed because an invalid option was specified for fileExistsBehavior: REPLACE. Valid options include OVERWRITE, RETAIN, and DISALLOW."
    );
}

#[test]
fn overwrite_replaces_a_link_and_never_writes_through_it() {
    let bench = Bench::new();
    fs::create_dir(bench.dest("app")).unwrap();
    fs::write(bench.root.join("precious"), "precious").unwrap();
    symlink(bench.root.join("precious"), bench.dest("app/a.txt")).unwrap();
    symlink(bench.root.join("nowhere"), bench.dest("app/run.sh")).unwrap();
    assert!(bench.install(ALL, "DISALLOW").is_err());
    bench.install(ALL, "OVERWRITE").unwrap();
    assert_eq!(fs::read_to_string(bench.root.join("precious")).unwrap(), "precious");
    assert!(!bench.root.join("nowhere").exists());
    assert_eq!(fs::read_to_string(bench.dest("app/a.txt")).unwrap(), "a.txt");
    assert_eq!(fs::read_dir(bench.dest("app")).unwrap().count(), 3);
}

#[test]
fn retain_keeps_the_file_and_its_permissions() {
    let bench = Bench::new();
    fs::create_dir(bench.dest("app")).unwrap();
    fs::write(bench.dest("app/a.txt"), "mine").unwrap();
    let sections = format!(
        "{ALL}file_exists_behavior: RETAIN\npermissions: [{{object: '@DEST@/app', mode: 600, type: [file]}}]\n"
    );
    bench.install(&sections, "OVERWRITE").unwrap();
    assert_eq!(fs::read_to_string(bench.dest("app/a.txt")).unwrap(), "mine");
    assert_eq!(fs::metadata(bench.dest("app/a.txt")).unwrap().mode() & 0o777, 0o644);
    assert_eq!(fs::metadata(bench.dest("app/run.sh")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn two_for_one_place_is_an_error() {
    let bench = Bench::new();
    let twice = "files: [{source: files/a.txt, destination: '@DEST@'}, {source: files, destination: '@DEST@'}]\n";
    assert!(bench.fault(twice, "DISALLOW").contains("specifies two source files named"));
    let missing = "files: [{source: none, destination: '@DEST@'}]\n";
    assert_eq!(bench.fault(missing, "DISALLOW"), "No such file or directory - /archive/none");
    let out = "files: [{source: ../archive, destination: '@DEST@'}]\n";
    assert!(bench.fault(out, "DISALLOW").contains("leads out of the revision"));
    fs::write(bench.dest("app"), "a file").unwrap();
    assert!(bench.fault(ALL, "OVERWRITE").contains("in the way of a directory"));
}

#[test]
fn links_to_directories_are_followed_inside_and_kept_outside() {
    let bench = Bench::new();
    symlink("sub", bench.root.join("archive/files/inner")).unwrap();
    symlink("/etc", bench.root.join("archive/files/outer")).unwrap();
    bench.install(ALL, "DISALLOW").unwrap();
    assert!(bench.dest("app/inner").symlink_metadata().unwrap().is_dir());
    assert_eq!(bench.dest("app/outer").read_link_utf8().unwrap(), "/etc");
    assert!(
        bench
            .fault("files: [{source: files/outer, destination: '@DEST@'}]\n", "DISALLOW")
            .contains("leads out")
    );
    symlink(".", bench.root.join("archive/files/sub/loop")).unwrap();
    assert!(bench.fault(ALL, "OVERWRITE").contains("leads to a directory that holds it"));
}

#[test]
fn permissions_reach_what_was_installed_and_overlaps_are_refused() {
    let bench = Bench::new();
    let with = |items: &str| format!("{ALL}permissions: [{items}]\n");
    bench
        .install(&with("{object: '@DEST@/app', mode: 4750, except: [a.txt]}"), "DISALLOW")
        .unwrap();
    let mode = |name: &str| fs::metadata(bench.dest(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("app/a.txt"), mode("app/run.sh"), mode("app/sub")), (0o644, 0o4750, 0o4750));
    assert_eq!(mode("app/sub/c.txt"), 0o4750);
    let twice = with("{object: '@DEST@/app', mode: 700}, {object: '@DEST@/app/a.txt', mode: 755}");
    assert!(
        bench.fault(&twice, "DISALLOW").contains("(/dest/app/a.txt) is specified more than once")
    );
    let pattern = with("{object: '@DEST@/app/a.txt', pattern: '*', mode: 755}");
    assert!(bench.fault(&pattern, "DISALLOW").contains("invalid pattern"));
    let owner = with("{object: '@DEST@/app', owner: no-such-user}");
    assert_eq!(bench.fault(&owner, "DISALLOW"), "can't find user for no-such-user");
    let acl = with("{object: '@DEST@/app', acls: ['d:u:daemon:rw']}");
    assert!(bench.fault(&acl, "DISALLOW").contains("-d parameter"));
}

#[test]
fn set_user_id_survives_a_change_of_owner() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: changing owners needs root");
        return;
    }
    let bench = Bench::new();
    let sections = format!(
        "{ALL}permissions: [{{object: '@DEST@/app/run.sh', owner: daemon, group: daemon, mode: 4755}}]\n"
    );
    bench.install(&sections, "DISALLOW").unwrap();
    let metadata = fs::metadata(bench.dest("app/run.sh")).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (1, 0o4755));
}

/// Everything below a directory: kind, mode, times and content.
fn tree(root: &Utf8Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut next = vec![root.to_owned()];
    while let Some(directory) = next.pop() {
        for entry in directory.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let what = if metadata.is_dir() {
                next.push(path.clone());
                format!("dir {:o}", metadata.mode())
            } else if metadata.is_symlink() {
                format!("link {}", path.read_link_utf8().unwrap())
            } else {
                let text = fs::read_to_string(&path).unwrap();
                format!("{text} {:o} {}", metadata.mode(), metadata.mtime_nsec())
            };
            found.insert(path.strip_prefix(root).unwrap().to_string(), what);
        }
    }
    found
}

/// A bench with an old revision installed and a new one, of other files, kinds and modes, to come.
fn between_revisions() -> Bench {
    let bench = Bench::in_memory();
    let files = bench.root.join("archive/files");
    for name in ["dir-then-file/x", "file-then-dir", "going/deep/y", "same"] {
        fs::create_dir_all(files.join(name).parent().unwrap()).unwrap();
        fs::write(files.join(name), format!("old {name}")).unwrap();
    }
    symlink("a.txt", files.join("link")).unwrap();
    fs::write(bench.dest("theirs"), "theirs").unwrap();
    bench.install(BOTH, "DISALLOW").unwrap();
    fs::write(bench.dest("app/going/theirs"), "theirs").unwrap();
    fs::remove_dir_all(&files).unwrap();
    for name in ["dir-then-file", "file-then-dir/z", "fresh/deep/w", "same", "theirs", "sub/c.txt"]
    {
        fs::create_dir_all(files.join(name).parent().unwrap()).unwrap();
        fs::write(files.join(name), format!("new {name}")).unwrap();
    }
    symlink("same", files.join("link")).unwrap();
    bench
}

const BOTH: &str = "files: [{source: files, destination: '@DEST@/app'}, {source: files/same, destination: '@DEST@'}]\n";
const NEW: &str = "files: [{source: files, destination: '@DEST@/app'}, {source: files/theirs, destination: '@DEST@'}]\n\
                   permissions: [{object: '@DEST@/app', mode: 750}]\n";

/// The names below a directory, with what is there but for times, which differ from bench to bench.
fn timeless(tree: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let plain = |text: &String| text.rsplit_once(' ').map_or("", |(text, _)| text).to_owned();
    tree.iter().map(|(name, text)| (name.clone(), plain(text))).collect()
}

/// What an install leaves that meets no fault, and the calls that it makes.
fn undisturbed() -> (BTreeMap<String, String>, Vec<Call>) {
    let bench = between_revisions();
    let hands = meeting(&[]);
    bench.install_with(NEW, "OVERWRITE", &hands).unwrap();
    let new = tree(&bench.root.join("dest"));
    assert_eq!(new["app/dir-then-file"].split(' ').next(), Some("new"));
    assert!(new.contains_key("app/going/theirs") && !new.contains_key("app/going/deep"));
    assert_eq!(new["theirs"].split(' ').next(), Some("new"));
    (timeless(&new), hands.gate.calls())
}

/// An install that met faults.
struct Disturbed {
    bench: Bench,
    before: BTreeMap<String, String>,
    hands: Hands,
    outcome: Result<Switched, InstallError>,
}

impl Disturbed {
    fn by(faults: &[Fault]) -> Self {
        let bench = between_revisions();
        let before = tree(&bench.root.join("dest"));
        let hands = meeting(faults);
        let outcome = bench.install_with(NEW, "OVERWRITE", &hands);
        Self { bench, before, hands, outcome }
    }

    fn is_new(&self, new: &BTreeMap<String, String>, faults: &[Fault]) -> bool {
        let after = tree(&self.bench.root.join("dest"));
        if after == self.before {
            return false;
        }
        assert_eq!(&timeless(&after), new, "a mix after {faults:?}");
        true
    }

    /// Whether the new set is there when all is well again; the old one is otherwise.
    fn ends_new(&self, new: &BTreeMap<String, String>, faults: &[Fault]) -> bool {
        let recovered = recover(&self.bench.files(), &meeting(&[]), UNMARKED);
        recovered.unwrap_or_else(|error| panic!("{error} after {faults:?}"));
        let is_new = self.is_new(new, faults);
        assert!(is_new || self.outcome.is_err(), "nothing was installed after {faults:?}");
        assert_eq!(
            recover(&self.bench.files(), &meeting(&[]), UNMARKED).unwrap(),
            Recovered::Nothing
        );
        assert_eq!(fs::read_dir(self.bench.root.join("ledger")).unwrap().count(), 1);
        is_new
    }
}

/// Each call that may fail with each error that it can give.
fn each_error(calls: &[Call]) -> impl Iterator<Item = (usize, Errno)> {
    let errors = calls.iter().enumerate();
    errors.flat_map(|(after, call)| call.errors().iter().map(move |error| (after, *error)))
}

#[test]
fn whatever_fails_either_the_old_set_is_there_or_the_new() {
    let (new, calls) = undisturbed();
    let (mut undone, mut done) = (0, 0);
    for (after, error) in each_error(&calls) {
        let fault = [Fault { after, error, lasting: Lasting::Once }];
        let disturbed = Disturbed::by(&fault);
        assert_eq!(disturbed.hands.gate.given(), [(calls[after], error)]);
        // One failure is not the host's end: what it prevents is taken back at once, or is done but for what is cleared away.
        if disturbed.outcome.is_ok() || !disturbed.bench.root.join("ledger/g.switch").exists() {
            disturbed.is_new(&new, &fault);
        }
        if let Err(error) = &disturbed.outcome {
            told_what_is_wrong(error);
        }
        if disturbed.ends_new(&new, &fault) {
            done += 1;
        } else {
            undone += 1;
        }
        disturbed.bench.install(NEW, "OVERWRITE").unwrap();
        assert_eq!(timeless(&tree(&disturbed.bench.root.join("dest"))), new);
    }
    assert!(undone > 400 && done > 60, "{undone} undone, {done} done");
}

/// The sentence says what an operator can do something about.
fn told_what_is_wrong(error: &InstallError) {
    let InstallError::Host { source, .. } = error else { return };
    let hint = match Errno::from_io_error(source) {
        Some(Errno::NOSPC | Errno::DQUOT) => "the disk is full",
        Some(Errno::ROFS) => "the file system is read-only",
        _ => return,
    };
    assert!(error.to_string().contains(hint), "{error}");
}

#[test]
fn what_goes_on_failing_leaves_the_old_set_or_the_new_when_somebody_has_seen_to_it() {
    let (new, calls) = undisturbed();
    for (after, error) in each_error(&calls) {
        let fault = [Fault { after, error, lasting: Lasting::Alike }];
        let disturbed = Disturbed::by(&fault);
        // Agents start, with the disk as it is.
        for after in 0..4 {
            let fault = Fault { after, error, lasting: Lasting::Alike };
            let _ = recover(&disturbed.bench.files(), &meeting(&[fault]), UNMARKED);
        }
        disturbed.ends_new(&new, &fault);
    }
}

/// Whether a call changes something: before one that does not, the disk is as before the next that does.
fn changes(call: Call) -> bool {
    !matches!(call, Call::Look | Call::Read | Call::Open)
}

#[test]
fn a_recovery_may_fail_in_any_way_and_the_next_one_ends_it() {
    let (new, calls) = undisturbed();
    // Each way of each kind of call, but not of each call after each death: that would take minutes.
    let mut turns: BTreeMap<Call, usize> = BTreeMap::new();
    for after in (0..calls.len()).filter(|after| changes(calls[*after])) {
        let death = Fault { after, error: Errno::IO, lasting: Lasting::Dead };
        let disturbed = Disturbed::by(&[death]);
        let hands = meeting(&[]);
        recover(&disturbed.bench.files(), &hands, UNMARKED).unwrap();
        for (at, call) in hands.gate.calls().into_iter().enumerate() {
            // Most calls only look, and fail alike.
            if !changes(call) && (after + at) % 2 == 1 {
                continue;
            }
            let ways = call.errors();
            let turn = turns.entry(call).or_default();
            // The rarest call gets all of them each time.
            let count = if call == Call::SetAttribute { ways.len() } else { 1 };
            for error in ways.iter().cycle().skip(*turn % ways.len()).take(count) {
                let lasting = [Lasting::Once, Lasting::Alike, Lasting::Dead][(after + at) % 3];
                let fault = Fault { after: at, error: *error, lasting };
                let disturbed = Disturbed::by(&[death]);
                let hands = meeting(&[fault]);
                let _ = recover(&disturbed.bench.files(), &hands, UNMARKED);
                assert_eq!(hands.gate.given().first(), Some(&(call, *error)));
                disturbed.ends_new(&new, &[death, fault]);
            }
            *turn += count;
        }
    }
    for (call, turns) in turns {
        assert!(turns >= call.errors().len(), "{call:?} failed in {turns} ways only");
    }
}

#[test]
fn what_may_not_be_on_the_disk_is_not_built_upon() {
    let (new, calls) = undisturbed();
    for after in (0..calls.len()).filter(|after| calls[*after] == Call::Sync) {
        let lost = Fault { after, error: Errno::IO, lasting: Lasting::Once };
        for later in after + 1.. {
            let cut = Fault { after: later, error: Errno::IO, lasting: Lasting::Dead };
            let disturbed = Disturbed::by(&[lost, cut]);
            disturbed.hands.gate.cut_power();
            disturbed.ends_new(&new, &[lost, cut]);
            if disturbed.hands.gate.given().len() < 2 {
                break;
            }
        }
    }
}

#[test]
fn that_an_install_is_undone_is_noted_when_the_disk_has_it_so() {
    let (_, calls) = undisturbed();
    let switching = calls.iter().rposition(|call| *call == Call::Place).unwrap();
    let death = Fault { after: switching, error: Errno::IO, lasting: Lasting::Dead };
    let disturbed = Disturbed::by(&[death]);
    let hands = meeting(&[]);
    recover(&disturbed.bench.files(), &hands, UNMARKED).unwrap();
    let calls = hands.gate.calls();
    let noted = calls.iter().position(|call| *call == Call::Write).unwrap();
    let last = calls[..noted].iter().rposition(|call| changes(*call) && *call != Call::Sync);
    assert!(calls[last.unwrap()..noted].contains(&Call::Sync), "{calls:?}");
}

#[test]
fn the_context_of_a_directory_comes_back_when_an_install_is_undone() {
    let bench = Bench::new();
    bench.install(ALL, "DISALLOW").unwrap();
    let app = bench.dest("app");
    let flags = rustix::fs::XattrFlags::empty();
    let set =
        |label: &[u8]| rustix::fs::setxattr(app.as_std_path(), "security.selinux", label, flags);
    if set(b"old_t").is_err() {
        println!("skipped: this file system takes no SELinux contexts");
        return;
    }
    fs::set_permissions(&app, fs::Permissions::from_mode(0o711)).unwrap();
    let label = || {
        let mut buffer = [0; 64];
        let length =
            rustix::fs::getxattr(app.as_std_path(), "security.selinux", &mut buffer[..]).unwrap();
        buffer[..length].to_vec()
    };
    // Whenever the host dies in the middle of the switch, somebody's rule gives the directory another context.
    let mut calls = 0;
    while bench
        .install_with(
            ALL,
            "DISALLOW",
            &meeting(&[Fault { after: calls, error: Errno::IO, lasting: Lasting::Dead }]),
        )
        .is_err()
    {
        let journal = fs::read_to_string(bench.root.join("ledger/g.switch")).unwrap();
        if journal.contains("switching\n") && !journal.contains("committed\n") {
            set(b"new_t").unwrap();
            recover(&bench.files(), &Hands::default(), UNMARKED).unwrap();
            assert_eq!(label(), b"old_t", "after {calls} changes");
            assert_eq!(fs::metadata(&app).unwrap().mode() & 0o777, 0o711);
        } else {
            recover(&bench.files(), &Hands::default(), UNMARKED).unwrap();
        }
        calls += 1;
    }
    // What is made again keeps the context that the host's rules gave it.
    assert_eq!(label(), b"old_t");
    assert!(calls > 10, "{calls}");
}

#[test]
fn what_somebody_changed_is_kept_and_told_unless_the_new_revision_has_it_again() {
    let bench = Bench::new();
    bench.install(ALL, "DISALLOW").unwrap();
    fs::write(bench.dest("app/a.txt"), "edited").unwrap();
    fs::write(bench.dest("app/sub/c.txt"), "edited too").unwrap();
    fs::remove_file(bench.root.join("archive/files/a.txt")).unwrap();
    let switched = bench.install(ALL, "DISALLOW").unwrap();
    assert_eq!(switched.kept, [bench.dest("app/a.txt")]);
    assert_eq!(switched.replaced, [bench.dest("app/sub/c.txt")]);
    assert_eq!(fs::read_to_string(bench.dest("app/a.txt")).unwrap(), "edited");
    assert_eq!(fs::read_to_string(bench.dest("app/sub/c.txt")).unwrap(), "sub/c.txt");
    // From now on it is theirs.
    let switched = bench.install("files: []\n", "DISALLOW").unwrap();
    assert_eq!(switched, Switched::default());
    assert!(bench.dest("app/a.txt").exists() && !bench.dest("app/run.sh").exists());
    assert!(!bench.dest("app/sub").exists());
    fs::write(bench.root.join("archive/files/a.txt"), "ours again").unwrap();
    assert!(bench.fault(ALL, "DISALLOW").contains("already exists"));
}

#[test]
fn what_somebody_changed_does_not_become_a_directory() {
    let bench = Bench::new();
    bench.install(ALL, "DISALLOW").unwrap();
    fs::write(bench.dest("app/a.txt"), "edited").unwrap();
    fs::remove_file(bench.root.join("archive/files/a.txt")).unwrap();
    fs::create_dir(bench.root.join("archive/files/a.txt")).unwrap();
    fs::write(bench.root.join("archive/files/a.txt/inner"), "").unwrap();
    assert!(bench.fault(ALL, "OVERWRITE").contains("in the way of a directory"));
}

#[test]
fn a_list_of_the_official_agent_is_taken_away_whole() {
    let bench = Bench::new();
    bench.install(ALL, "DISALLOW").unwrap();
    fs::remove_dir_all(bench.root.join("ledger")).unwrap();
    fs::write(bench.dest("app/a.txt"), "edited").unwrap();
    let mut text = fs::read_to_string(bench.root.join("g-cleanup")).unwrap();
    text.push_str(bench.root.join("archive").as_str());
    fs::write(bench.root.join("g-cleanup"), text).unwrap();
    bench.install("files: []\n", "DISALLOW").unwrap();
    assert!(!bench.dest("app").exists());
    assert!(bench.root.join("archive").exists());
}

#[test]
fn a_directory_that_is_made_again_has_nothing_of_the_old_modes() {
    let bench = Bench::new();
    let sections =
        format!("{ALL}permissions: [{{object: '@DEST@/app', mode: 700, type: [directory]}}]\n");
    bench.install(&sections, "DISALLOW").unwrap();
    let mode = || fs::metadata(bench.dest("app/sub")).unwrap().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    bench.install(ALL, "DISALLOW").unwrap();
    assert_eq!(mode(), fs::metadata(bench.dest("app")).unwrap().mode() & 0o777);
}

#[test]
fn with_real_waiting_for_the_disk_it_is_the_same() {
    let bench = Bench::new();
    bench.install_with(ALL, "DISALLOW", &Hands::default()).unwrap();
    bench.install_with("files: []\n", "DISALLOW", &Hands::default()).unwrap();
    assert_eq!(tree(&bench.root.join("dest")).len(), 0);
    assert_eq!(recover(&bench.files(), &Hands::default(), UNMARKED).unwrap(), Recovered::Nothing);
}

#[test]
fn names_with_line_ends_come_and_go_like_others() {
    let bench = Bench::new();
    fs::create_dir_all(bench.root.join("archive/files/sub\n/etc")).unwrap();
    fs::write(bench.root.join("archive/files/sub\n/etc/x\ny"), "").unwrap();
    bench.install(ALL, "DISALLOW").unwrap();
    assert!(bench.dest("app/sub\n/etc/x\ny").exists());
    bench.install("files: []\n", "DISALLOW").unwrap();
    assert!(!bench.dest("app").exists());
}
