//! A state directory of its own for each test, and a look at what is left on the machine afterwards.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use longshore_compute::{
    Adopted, ComputeError, Ingress, InstanceSpec, Limits, LocalConfig, LocalHosts, Running,
};
use model::InstanceId;
use tokio::runtime::Runtime;

/// The port of the machine that instances may connect to.
pub const ALLOWED_PORT: u16 = 7400;

/// The most processes that one instance of these tests may have.
pub const PROCESSES_MAX: u32 = 200;

const OWNER: &str = "__owner";
const SHELL: &str = "__shell";

/// Waits for `condition`, and fails if it does not come.
pub fn eventually<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Kills a process that this test started.
pub fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

pub struct Fixture {
    runtime: Runtime,
    directory: tempfile::TempDir,
    hosts: RefCell<Option<LocalHosts>>,
}

impl Fixture {
    /// A state directory that no server uses yet. Not below `/tmp`, which instances do not see anyhow.
    pub fn new() -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
            directory: tempfile::Builder::new()
                .prefix("longshore-test-")
                .tempdir_in("/var/tmp")
                .unwrap(),
            hosts: RefCell::default(),
        }
    }

    /// The same, used by this process.
    pub fn open() -> Self {
        let fixture = Self::new();
        assert!(fixture.reopen().is_empty());
        fixture
    }

    pub fn state(&self) -> &Utf8Path {
        Utf8Path::from_path(self.directory.path()).unwrap()
    }

    pub fn hosts(&self) -> LocalHosts {
        self.hosts.borrow().clone().unwrap()
    }

    pub fn try_open(&self) -> Result<(LocalHosts, Vec<Adopted>), ComputeError> {
        self.block_on(LocalHosts::open(config(self.state())))
    }

    pub fn reopen(&self) -> Vec<Adopted> {
        let (hosts, adopted) = self.try_open().unwrap();
        *self.hosts.borrow_mut() = Some(hosts);
        adopted
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn id(&self, number: u8) -> InstanceId {
        id(number)
    }

    pub fn spec(&self, number: u8) -> InstanceSpec {
        spec(&self.hosts(), number)
    }

    pub fn start(&self, spec: &InstanceSpec) -> Running {
        self.block_on(self.hosts().start(spec)).unwrap()
    }

    /// The next instance that ends by itself.
    pub fn next_exit(&self) -> InstanceId {
        let hosts = self.hosts();
        self.block_on(async {
            tokio::time::timeout(Duration::from_secs(10), hosts.exited()).await.unwrap()
        })
    }

    pub fn ingress(&self, rules: &[(std::net::Ipv4Addr, Vec<Ingress>)]) {
        self.block_on(self.hosts().set_ingress(rules)).unwrap();
    }

    pub fn enter(&self, id: &InstanceId, argv: &[String]) -> Result<i32, ComputeError> {
        longshore_compute::enter(self.state(), id, argv, &[])
    }

    /// A command that runs a shell script in the instance, as a process of its own so that its output can be taken.
    pub fn shell(&self, id: &InstanceId, script: &str) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.args([SHELL, self.state().as_str(), id.as_str(), script]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    /// Runs a shell script in the instance and answers what it printed.
    pub fn run(&self, id: &InstanceId, script: &str) -> String {
        let output = self.shell(id, script).output().unwrap();
        assert!(output.status.success(), "`{script}`: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a shell script in the instance and answers its exit code.
    pub fn code(&self, id: &InstanceId, script: &str) -> i32 {
        self.shell(id, script).stderr(Stdio::null()).output().unwrap().status.code().unwrap()
    }

    /// Another process that opens the state directory and starts instances.
    pub fn owner(&self, instances: u8) -> Owner {
        let mut child = Command::new("/proc/self/exe")
            .args([OWNER, self.state().as_str(), &instances.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Owner { child, output, instances }
    }

    /// Fails if any process, link or control group of an instance is there.
    pub fn assert_nothing_runs(&self) {
        let left = eventually_empty(|| self.processes());
        assert!(left.is_empty(), "processes left: {left:?}");
        let port = format!("{}-", self.port());
        let left = eventually_empty(|| links(|name| name.starts_with(&port)));
        assert!(left.is_empty(), "links left: {left:?}");
        let left = eventually_empty(|| cgroups(&format!("longshore-{}/", self.tag())));
        assert!(left.is_empty(), "control groups left: {left:?}");
    }

    /// Ends everything and fails if any trace is left on the machine.
    pub fn close(self) {
        self.close_but_keep();
    }

    pub fn close_but_keep(&self) {
        let tag = self.tag();
        let hosts = self.hosts.borrow_mut().take().unwrap();
        self.block_on(hosts.close(true)).unwrap();
        self.assert_none_left(&tag);
    }

    fn assert_none_left(&self, tag: &str) {
        assert!(self.processes().is_empty(), "processes left: {:?}", self.processes());
        let left = links(|name| name.contains(tag));
        assert!(left.is_empty(), "links left: {left:?}");
        let left = cgroups(&format!("longshore-{tag}"));
        assert!(left.is_empty(), "control groups left: {left:?}");
        let tables = output(Command::new("/usr/sbin/nft").args(["list", "tables"]));
        assert!(!tables.contains(tag), "filter tables left: {tables}");
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(self.state().as_str()), "mounts left: {mounts}");
    }

    /// The digits in the names of everything that belongs to the state directory.
    fn tag(&self) -> String {
        let routes = std::fs::read_to_string("/proc/net/route").unwrap();
        let gateway = self.hosts().gateway().to_bits() & 0xffff_ff00;
        let network = format!("{:08X}", gateway.swap_bytes());
        let line = routes.lines().find(|line| line.split('\t').nth(1) == Some(&network)).unwrap();
        line.split('\t').next().unwrap().strip_prefix("lsb-").unwrap().to_owned()
    }

    fn port(&self) -> String {
        format!("ls{}", self.tag())
    }

    /// Sandbox processes of this state directory, other than those that are just being waited for.
    fn processes(&self) -> Vec<String> {
        let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        entries
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .map(|text| String::from_utf8_lossy(&text).replace('\0', " "))
            .filter(|text| text.contains("__sandbox") && text.contains(self.state().as_str()))
            .collect()
    }
}

impl Drop for Fixture {
    /// A test that fails half-way leaves nothing either.
    fn drop(&mut self) {
        if let Some(hosts) = self.hosts.borrow_mut().take() {
            let _ = self.runtime.block_on(hosts.close(true));
        }
    }
}

/// A server process that can be killed.
pub struct Owner {
    child: Child,
    output: BufReader<ChildStdout>,
    instances: u8,
}

impl Owner {
    /// Waits until it begins to start instances.
    pub fn begun(&mut self) {
        assert_eq!(self.line(), "begun");
    }

    /// Waits until all run, and answers their process ids.
    pub fn started(&mut self) -> Vec<String> {
        self.begun();
        (0..self.instances).map(|_| self.line()).collect()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Becomes what [`Fixture::owner`] or [`Fixture::shell`] started.
pub fn run_if_owner_process() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [OWNER, state, instances] => own((*state).into(), instances.parse().unwrap()),
        [SHELL, state, id, script] => {
            let argv = ["sh", "-c", script].map(str::to_owned);
            let environment = [("EXTRA".to_owned(), "extra".to_owned())];
            let code =
                longshore_compute::enter(state.as_ref(), &id.parse().unwrap(), &argv, &environment);
            std::process::exit(code.unwrap());
        }
        _ => {}
    }
}

fn own(state: &Utf8Path, instances: u8) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (hosts, _) = LocalHosts::open(config(state)).await.unwrap();
        println!("begun");
        let specs: Vec<_> = (1..=instances).map(|number| spec(&hosts, number)).collect();
        let running = futures::future::join_all(specs.iter().map(|spec| hosts.start(spec))).await;
        for running in &running {
            println!("{}", running.as_ref().unwrap().pid);
        }
        std::future::pending::<()>().await;
    });
}

fn config(state: &Utf8Path) -> LocalConfig {
    LocalConfig {
        state_dir: state.to_owned(),
        executable: Utf8PathBuf::from_path_buf(std::env::current_exe().unwrap()).unwrap(),
        subnet: None,
        allowed_ports: vec![ALLOWED_PORT],
        hidden: Vec::new(),
        limits: Limits { processes: Some(PROCESSES_MAX), memory_bytes: None },
    }
}

fn id(number: u8) -> InstanceId {
    InstanceId::from_random(u128::from(number))
}

fn spec(hosts: &LocalHosts, number: u8) -> InstanceSpec {
    let [a, b, c, _] = hosts.gateway().octets();
    InstanceSpec {
        id: id(number),
        address: [a, b, c, 10 + number].into(),
        hostname: format!("test-{number}.internal"),
        files: Vec::new(),
        user_data: None,
        environment: Vec::new(),
    }
}

fn links(ours: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = std::fs::read_dir("/sys/class/net").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| ours(name)).collect()
}

fn cgroups(part: &str) -> Vec<String> {
    let found = output(Command::new("find").args(["/sys/fs/cgroup", "-type", "d"]));
    found.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
}

fn eventually_empty(mut look: impl FnMut() -> Vec<String>) -> Vec<String> {
    let begin = Instant::now();
    loop {
        let left = look();
        if left.is_empty() || begin.elapsed() > Duration::from_secs(2) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the rule against foreign addresses has dropped so far.
pub fn dropped_by_spoofing_rule(fixture: &Fixture) -> String {
    let table = format!("longshore_{}", fixture.tag());
    let text = output(Command::new("/usr/sbin/nft").args([
        "list",
        "chain",
        "bridge",
        &table,
        "from_instance",
    ]));
    assert!(text.contains("counter"), "{text}");
    text
}

fn output(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Whether the machine can bound the number of processes.
pub fn counts_processes() -> bool {
    let version_two = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers");
    version_two.is_ok_and(|controllers| controllers.contains("pids"))
        || std::path::Path::new("/sys/fs/cgroup/pids").is_dir()
}
