use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use camino::Utf8PathBuf;
use model::appspec::AppSpec;

use super::*;

struct Bench {
    _dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Bench {
    /// A revision with `files/a.txt`, `files/run.sh` (0755), `files/sub/c.txt` and a destination to install to.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
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

    fn ledger(&self) -> Utf8PathBuf {
        self.root.join("g-cleanup")
    }

    fn plan(&self, sections: &str, behavior: &str) -> Result<Vec<Step>, InstallError> {
        let sections = sections.replace("@DEST@", self.dest("").as_str().trim_end_matches('/'));
        let text = format!("version: 0.0\nos: linux\n{sections}");
        let appspec = AppSpec::parse(text.as_bytes()).unwrap();
        plan(&appspec, &self.root.join("archive"), behavior, &ledger::recorded(&self.ledger()))
    }

    fn install(&self, sections: &str, behavior: &str) -> Result<(), InstallError> {
        let steps = self.plan(sections, behavior)?;
        ledger::undo(&self.ledger())?;
        run(&steps, &mut Ledger::begin(&self.ledger())?)
    }

    fn fault(&self, sections: &str, behavior: &str) -> String {
        self.plan(sections, behavior).unwrap_err().to_string().replace(self.root.as_str(), "")
    }
}

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

#[test]
fn a_half_done_install_is_undone_and_a_line_cut_off_is_ignored() {
    let bench = Bench::new();
    let steps = bench.plan(ALL, "DISALLOW").unwrap();
    run(&steps[..2], &mut Ledger::begin(&bench.ledger()).unwrap()).unwrap();
    let mut text = fs::read_to_string(bench.ledger()).unwrap();
    text.push_str(bench.root.join("archive").as_str());
    fs::write(bench.ledger(), text).unwrap();
    ledger::undo(&bench.ledger()).unwrap();
    assert!(!bench.dest("app").exists() && !bench.ledger().exists());
    assert!(bench.root.join("archive").exists());
}
