//! A control plane and a bundle store in a few lines: enough for one agent, and as unreliable as a test wants.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Nothing in these tests takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct State {
    waiting: VecDeque<Value>,
    /// Commands given to a poll, and when: maybe to one whose agent was gone.
    handed: Vec<(Value, Instant)>,
    /// Command and whether it would do nothing.
    acknowledged: Vec<(String, bool)>,
    /// Command, status, diagnostics and when.
    completed: Vec<(String, String, Value, Instant)>,
    /// Completions are answered with an error while this holds.
    deaf: bool,
    bundle: Vec<u8>,
    downloads: usize,
    envelope: String,
    polls: usize,
}

pub struct Plane {
    state: Arc<(Mutex<State>, Condvar)>,
    pub address: String,
    pub certificate: String,
    key: Vec<u8>,
    der: Vec<u8>,
}

/// A signer's certificate (PEM and DER) and key.
pub fn signer() -> (String, Vec<u8>, Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["signer".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    (certificate.pem(), certificate.der().to_vec(), key.serialize_der())
}

impl Plane {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &shared));
            }
        });
        let (certificate, der, key) = signer();
        Self { state, address, certificate, key, der }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.0.lock().unwrap());
        self.state.1.notify_all();
    }

    /// Signs the specification of a deployment whose bundle holds these files.
    pub fn deploy(&self, deployment: &str, files: &[(&str, &str)]) {
        self.deploy_signed(deployment, files, &self.key, &self.der);
    }

    pub fn deploy_signed(
        &self,
        deployment: &str,
        files: &[(&str, &str)],
        key: &[u8],
        certificate: &[u8],
    ) {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        let bundle = builder.into_inner().unwrap();
        let specification = json!({
            "DeploymentId": format!("arn:aws:codedeploy:us-east-1:123456789012:deployment/{deployment}"),
            "DeploymentGroupId": "group-1", "DeploymentGroupName": "Prod", "ApplicationName": "Shop",
            "Revision": {"RevisionType": "S3",
                "S3Revision": {"Bucket": "bundles", "Key": "a b.tar", "BundleType": "tar", "ETag": etag(&bundle)}},
        });
        let text = specification.to_string();
        let envelope = wire::cms::sign(text.as_bytes(), key, certificate, 1_700_000_000).unwrap();
        self.change(|state| {
            state.envelope = envelope;
            state.bundle = bundle;
        });
    }

    /// How often a bundle was fetched.
    pub fn downloads(&self) -> usize {
        self.state.0.lock().unwrap().downloads
    }

    pub fn send(&self, id: &str, event: &str) {
        let command = json!({"HostCommandIdentifier": id, "HostIdentifier": "user/web-01", "CommandName": event,
            "DeploymentExecutionId": "CodeDeploy/us-east-1/Prod/arn:x:deployment/d", "Nonce": 1});
        self.change(|state| state.waiting.push_back(command));
    }

    pub fn deafen(&self, deaf: bool) {
        self.change(|state| state.deaf = deaf);
    }

    fn wait<T>(&self, what: &str, look: impl Fn(&State) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state.0.lock().unwrap();
        loop {
            if let Some(found) = look(&state) {
                return found;
            }
            assert!(Instant::now() < until, "never: {what}");
            state = self.state.1.wait_timeout(state, Duration::from_millis(50)).unwrap().0;
        }
    }

    /// Waits until a command is completed; its status and diagnostics.
    pub fn completion(&self, id: &str) -> (String, Value) {
        self.wait(&format!("completion of {id}"), |state| {
            let found = state.completed.iter().find(|(command, ..)| command == id)?;
            Some((found.1.clone(), found.2.clone()))
        })
    }

    pub fn completions(&self, id: &str) -> usize {
        self.state.0.lock().unwrap().completed.iter().filter(|(command, ..)| command == id).count()
    }

    pub fn acknowledged(&self) -> Vec<(String, bool)> {
        self.state.0.lock().unwrap().acknowledged.clone()
    }

    /// Waits until the agent has polled more often than it has by now.
    pub fn another_poll(&self) {
        let before = self.state.0.lock().unwrap().polls;
        self.wait("another poll", |state| (state.polls > before).then_some(()));
    }

    /// Sends a command and waits for its completion, which must be a success.
    pub fn run(&self, id: &str, event: &str) {
        self.send(id, event);
        let (status, diagnostics) = self.completion(id);
        assert_eq!(status, "Succeeded", "{event}: {diagnostics}");
    }
}

/// An eTag, as S3's, of the content.
fn etag(content: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:x}\"", hasher.finish())
}

fn serve(stream: &TcpStream, state: &(Mutex<State>, Condvar)) {
    let mut reader = BufReader::new(stream);
    while let Some((line, target, body)) = request(&mut reader) {
        let (status, answer) = if line.starts_with("GET ") {
            let mut state = state.0.lock().unwrap();
            state.downloads += 1;
            (200, state.bundle.clone())
        } else {
            let (status, answer) = operation(&target, &body, state);
            (status, answer.to_string().into_bytes())
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nETag: {}\r\nContent-Length: {}\r\n\r\n",
            etag(&answer),
            answer.len()
        );
        // In one piece: two would wait for each other's acknowledgement.
        let mut out = stream;
        if out.write_all(&[head.into_bytes(), answer].concat()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, String, Value)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
    let (mut length, mut target) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ")?;
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "x-amz-target" => target = value.split_once('.')?.1.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, target, serde_json::from_slice(&body).unwrap_or_default()))
}

fn operation(name: &str, body: &Value, (state, changed): &(Mutex<State>, Condvar)) -> (u16, Value) {
    let mut state = state.lock().unwrap();
    let id = body["HostCommandIdentifier"].as_str().unwrap_or_default().to_owned();
    let payload: Value = body["Diagnostics"]["Payload"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let answer = match name {
        "PollHostCommand" => {
            state.polls += 1;
            changed.notify_all();
            let until = Instant::now() + Duration::from_secs(2);
            while state.waiting.is_empty() && state.handed.is_empty() && Instant::now() < until {
                state = changed.wait_timeout(state, Duration::from_millis(100)).unwrap().0;
            }
            let next = state.waiting.pop_front().or_else(|| unheard(&mut state));
            next.map_or(json!({}), |command| {
                state.handed.push((command.clone(), Instant::now()));
                json!({"HostCommand": command})
            })
        }
        "GetDeploymentSpecification" => {
            json!({"DeploymentSystem": "CodeDeploy", "DeploymentSpecification":
            {"GenericEnvelope": {"Format": "PKCS7/JSON", "Payload": state.envelope}}})
        }
        "PutHostCommandAcknowledgement" => {
            state.acknowledged.push((id, payload["IsCommandNoop"] == true));
            json!({"CommandStatus": "InProgress"})
        }
        "PutHostCommandComplete" if state.deaf => {
            return (500, json!({"__type": "ServerException"}));
        }
        "PutHostCommandComplete" => {
            let status = body["CommandStatus"].as_str().unwrap_or_default().to_owned();
            state.completed.push((id, status, payload, Instant::now()));
            json!({})
        }
        _ => return (400, json!({"__type": "UnknownOperationException"})),
    };
    changed.notify_all();
    (200, answer)
}

/// A command that was handed out a while ago and never acknowledged: it may have got lost with the connection.
fn unheard(state: &mut State) -> Option<Value> {
    let State { handed, acknowledged, completed, .. } = state;
    let heard = |command: &Value| {
        let id = command["HostCommandIdentifier"].as_str().unwrap_or_default();
        acknowledged.iter().any(|(known, _)| known == id)
            || completed.iter().any(|(known, ..)| known == id)
    };
    handed.retain(|(command, _)| !heard(command));
    let lost = handed.iter().position(|(_, at)| at.elapsed() > Duration::from_millis(500))?;
    Some(handed.remove(lost).0)
}

/// An agent of the real program, with everything it keeps in one directory.
pub struct Agent {
    dir: tempfile::TempDir,
    child: Option<Child>,
}

impl Agent {
    pub fn start(plane: &Plane) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        fs::write(path.join("signer.pem"), &plane.certificate).unwrap();
        let identity = "region: us-east-1\niam_user_arn: arn:aws:iam::123456789012:user/web-01\naws_access_key_id: AKIA\naws_secret_access_key: secret\n";
        fs::write(path.join("onprem.yml"), identity).unwrap();
        let here = path.display();
        let address = &plane.address;
        let config = format!(
            ":root_dir: '{here}/root'\n:log_dir: '{here}/log'\n:pid_dir: '{here}/pid'\n:wait_between_runs: 0\n\
             :deploy_control_endpoint: '{address}'\n:s3_endpoint_override: '{address}'\n\
             :on_premises_config_file: '{here}/onprem.yml'\n:signer_certificate_file: '{here}/signer.pem'\n"
        );
        fs::write(path.join("agent.yml"), config).unwrap();
        let mut agent = Self { dir, child: None };
        agent.again();
        agent
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Whether the file system of its directory has extended attributes.
    pub fn has_attributes(&self) -> bool {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(self.path(), "user.longshore.test", b"", flags).is_ok()
    }

    pub fn command(&self, word: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore-agent"));
        command.arg(word).arg("--config_file").arg(self.file("agent.yml"));
        command.stdin(Stdio::null());
        command
    }

    pub fn again(&mut self) {
        let log = fs::File::create(self.file("stderr")).unwrap();
        self.child = Some(self.command("run").stderr(log).spawn().unwrap());
    }

    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the agent to end, and says how long it took.
    pub fn terminate(&mut self) -> Duration {
        let mut child = self.child.take().unwrap();
        let began = Instant::now();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(child.wait().unwrap().success());
        began.elapsed()
    }

    /// Resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let pid = self.child.as_ref().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.file("stderr")).unwrap_or_default());
        }
    }
}

/// Waits for a condition of the host.
pub fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
