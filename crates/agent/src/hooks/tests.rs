use std::time::Instant;

use camino::Utf8PathBuf;
use model::appspec::AppSpec;

use super::*;
use crate::spec::Specification;

struct Bench {
    _dir: tempfile::TempDir,
    archive: Utf8PathBuf,
    log: HookLog,
}

impl Bench {
    fn new(scripts: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let archive = root.join("archive");
        fs::create_dir(&archive).unwrap();
        for (name, text) in scripts {
            fs::create_dir_all(archive.join(name).parent().unwrap()).unwrap();
            fs::write(archive.join(name), text).unwrap();
            fs::set_permissions(archive.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let sinks = LogSinks {
            scripts: root.join("scripts.log"),
            deployments: None,
            deployment: "d-1".into(),
        };
        Self { _dir: dir, archive, log: HookLog::new(sinks) }
    }

    fn run(&mut self, hook: &str) -> Result<(), HookError> {
        self.run_within(hook, cgroup::ControlGroup::new)
    }

    fn run_within(
        &mut self,
        hook: &str,
        make_group: fn() -> Option<cgroup::ControlGroup>,
    ) -> Result<(), HookError> {
        let text = format!("version: 0.0\nos: linux\nhooks: {{AfterInstall: [{hook}]}}\n");
        let spec = AppSpec::parse(text.as_bytes()).unwrap();
        let mine = [
            ("PATH", "/usr/bin:/bin"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("DB_PASSWORD", "hunter22-pass"),
            ("X", "y"),
        ];
        let mine = mine.into_iter().map(|(name, value)| (name.into(), value.into()));
        let environment = Environment::new("AfterInstall", &Specification::example(), mine);
        let hooks = spec.hooks.of("AfterInstall");
        super::run_within(&self.archive, hooks, &environment, &mut self.log, make_group)
    }
}

#[test]
fn a_script_gets_its_environment_and_its_output_is_kept() {
    let script = "#!/bin/sh\necho $LIFECYCLE_EVENT $DEPLOYMENT_ID $APPLICATION_NAME $BUNDLE_KEY $X[$AWS_SECRET_ACCESS_KEY]\necho oops >&2\nprintf end\n";
    let mut bench = Bench::new(&[("s/a.sh", script)]);
    bench.run("{location: s/a.sh}").unwrap();
    let tail = bench.log.tail();
    assert!(tail.starts_with("LifecycleEvent - AfterInstall\nScript - s/a.sh\n"), "{tail}");
    assert!(tail.contains("[stdout]AfterInstall d-ABCDEF123 Shop shop/42.zip y[]\n"), "{tail}");
    assert!(tail.contains("[stderr]oops\n") && tail.contains("[stdout]end"), "{tail}");
}

#[test]
fn scripts_need_neither_shebang_nor_plain_names_nor_the_execute_bit() {
    let mut bench = Bench::new(&[("my dir/a;b.sh", "echo fine\n")]);
    let path = bench.archive.join("my dir/a;b.sh");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    bench.run("{location: 'my dir/a;b.sh'}").unwrap();
    assert!(bench.log.tail().contains("[stdout]fine"));
}

#[test]
fn failures_are_told_apart() {
    let mut bench = Bench::new(&[
        ("fail.sh", "#!/bin/sh\nexit 7\n"),
        ("die.sh", "#!/bin/sh\nkill -9 $$\n"),
        ("crlf.sh", "#!/bin/sh\r\necho\r\n"),
    ]);
    let mut fault = |hook: &str| {
        let error = bench.run(hook).unwrap_err();
        (error.code(), error.to_string())
    };
    assert_eq!(
        fault("{location: fail.sh}"),
        (4, "Script at specified location: fail.sh failed with exit code 7".into())
    );
    assert_eq!(
        fault("{location: die.sh}").1,
        "Script at specified location: die.sh failed with exit code "
    );
    let (code, text) = fault("{location: crlf.sh}");
    assert!(
        code == 4 && text.contains("Errno::ENOENT") && text.contains("carriage return"),
        "{text}"
    );
    assert_eq!(fault("{location: none.sh}").0, 1);
    assert_eq!(fault("{location: ../../bin/true}").0, 1);
    assert!(fault("{location: fail.sh, runas: no-such-user}").1.contains("can't find user"));
}

#[test]
fn a_link_out_of_the_revision_is_no_script() {
    let mut bench = Bench::new(&[]);
    std::os::unix::fs::symlink("/bin/true", bench.archive.join("link")).unwrap();
    assert!(matches!(bench.run("{location: link}"), Err(HookError::Outside { .. })));
}

fn alive(pid_file: &Utf8Path) -> bool {
    let pid = fs::read_to_string(pid_file).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn a_timeout_ends_all(make_group: fn() -> Option<cgroup::ControlGroup>) {
    let script = "#!/bin/sh\ntrap '' TERM\n(trap '' TERM; sleep 600) &\necho $! > group.pid\nsetsid sleep 600 &\necho $! > session.pid\nwhile :; do sleep 1; done\n";
    let script = script
        .replace("group.pid", "\"$OUT/group.pid\"")
        .replace("session.pid", "\"$OUT/session.pid\"");
    let mut bench = Bench::new(&[("slow.sh", "")]);
    let text = script.replace("$OUT", bench.archive.as_str());
    fs::write(bench.archive.join("slow.sh"), text).unwrap();
    let started = Instant::now();
    let error = bench.run_within("{location: slow.sh, timeout: 1}", make_group).unwrap_err();
    assert!(matches!(error, HookError::TimedOut { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(9));
    let archive = bench.archive.clone();
    wait_for("the group is gone", || !alive(&archive.join("group.pid")));
    wait_for("the session is gone", || !alive(&archive.join("session.pid")));
}

#[test]
fn a_timeout_ends_the_whole_tree_even_one_that_ignores_it() {
    a_timeout_ends_all(cgroup::ControlGroup::new);
}

#[test]
fn so_it_does_without_control_groups() {
    a_timeout_ends_all(|| None);
}

#[test]
fn without_control_groups_failures_are_the_same() {
    let mut bench = Bench::new(&[
        ("fail.sh", "#!/bin/sh\nexit 7\n"),
        ("die.sh", "#!/bin/sh\nkill -9 $$\n"),
        ("crlf.sh", "#!/bin/sh\r\necho\r\n"),
        ("plain.sh", "read -r a b c d pgid rest < /proc/$$/stat\necho group $pgid of $$\n"),
    ]);
    let mut fault = |hook: &str| bench.run_within(hook, || None).unwrap_err().to_string();
    assert!(fault("{location: fail.sh}").ends_with("failed with exit code 7"));
    assert!(fault("{location: die.sh}").ends_with("failed with exit code "));
    assert!(fault("{location: crlf.sh}").contains("Errno::ENOENT"));
    bench.run_within("{location: plain.sh}", || None).unwrap();
    let tail = bench.log.tail();
    let words: Vec<&str> = tail.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(words[1], words[3], "the script leads no group of its own: {tail}");
}

#[test]
fn a_background_child_with_the_pipe_neither_holds_the_event_nor_dies() {
    let mut bench = Bench::new(&[("daemon.sh", "")]);
    let pid = bench.archive.join("pid");
    let text = format!(
        "#!/bin/sh\n(while :; do echo tick; sleep 0.05; done) &\necho $! > {pid}\necho started\n"
    );
    fs::write(bench.archive.join("daemon.sh"), text).unwrap();
    let started = Instant::now();
    bench.run("{location: daemon.sh, timeout: 60}").unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(bench.log.tail().contains("[stdout]started"));
    std::thread::sleep(Duration::from_millis(300));
    let survives = alive(&pid);
    let number: i32 = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let _ = rustix::process::kill_process(
        rustix::process::Pid::from_raw(number).unwrap(),
        rustix::process::Signal::KILL,
    );
    assert!(survives, "the daemon was ended");
}

#[test]
fn a_flood_and_invalid_utf_8_are_survived() {
    let script = "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x\nprintf '\\377\\n'\nexit 1\n";
    let mut bench = Bench::new(&[("flood.sh", script)]);
    let error = bench.run("{location: flood.sh}").unwrap_err();
    let report = error.report(bench.log.tail());
    assert!(report.log.ends_with("\u{fffd}\n"), "{:?}", &report.log[report.log.len() - 20..]);
    assert!(report.payload().chars().count() <= 8192);
}

#[test]
fn runas_switches_user_groups_and_home() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: switching user needs root");
        return;
    }
    let mut bench = Bench::new(&[("who.sh", "#!/bin/sh\necho $(id -un) $(id -Gn) $HOME $USER\n")]);
    bench.run("{location: who.sh, runas: daemon}").unwrap();
    let tail = bench.log.tail();
    assert!(tail.contains("[stdout]daemon daemon /usr/sbin daemon"), "{tail}");
}

/// A script that leaves a process in another session, without parents, and then ends or not.
fn with_daemon(then: &str) -> (Bench, camino::Utf8PathBuf) {
    let bench = Bench::new(&[("daemon.sh", "")]);
    let pid = bench.archive.join("pid");
    let inner = format!("echo $$ > {pid}; exec sleep 600 >/dev/null 2>&1");
    let text = format!("#!/bin/sh\n(setsid sh -c '{inner}' &)\nsleep 0.3\n{then}\n");
    fs::write(bench.archive.join("daemon.sh"), text).unwrap();
    (bench, pid)
}

#[test]
fn a_timeout_ends_even_a_daemon_and_a_normal_end_does_not() {
    daemons_end_by_timeout_only(|| None);
    if cgroup::ControlGroup::new().is_none() {
        println!("skipped: there are no control groups that we may make some in");
        return;
    }
    let pid = daemons_end_by_timeout_only(cgroup::ControlGroup::new);
    assert!(pid.contains("longshore-hook-"), "the daemon was in no group of ours: {pid}");
}

/// The control group of the daemon that was left.
fn daemons_end_by_timeout_only(make_group: fn() -> Option<cgroup::ControlGroup>) -> String {
    let (mut bench, pid) = with_daemon("sleep 600");
    bench.run_within("{location: daemon.sh, timeout: 1}", make_group).unwrap_err();
    wait_for("the daemon is gone", || !alive(&pid));
    let (mut bench, pid) = with_daemon("exit 0");
    bench.run_within("{location: daemon.sh, timeout: 60}", make_group).unwrap();
    assert!(alive(&pid), "the daemon was ended");
    let number = fs::read_to_string(&pid).unwrap().trim().to_owned();
    let group = fs::read_to_string(format!("/proc/{number}/cgroup")).unwrap();
    let number = rustix::process::Pid::from_raw(number.parse().unwrap()).unwrap();
    let _ = rustix::process::kill_process(number, rustix::process::Signal::KILL);
    group
}

#[test]
fn secrets_and_pieces_of_long_lines() {
    let script =
        "#!/bin/sh\nprintf '%65533s' x; echo \"$DB_PASSWORD\"\nprintf '%65534s\\303\\274\\n' x\n";
    let mut bench = Bench::new(&[("long.sh", script)]);
    bench.run("{location: long.sh}").unwrap();
    let log = fs::read_to_string(bench.archive.join("../scripts.log")).unwrap();
    assert!(log.contains("***") && !log.contains("hunter22-pass"), "the secret is in the log");
    assert!(log.contains("\u{fc}"), "a character was cut");
}
