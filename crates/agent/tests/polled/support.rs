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
    /// Batches of output: command, number and text.
    output: Vec<(String, i64, String)>,
    /// Plans that the next polls bring.
    plans: VecDeque<Value>,
    /// Plan and what was answered.
    plan_answers: Vec<(String, Value)>,
    /// Output is taken; otherwise it is not known, as to AWS.
    takes_output: bool,
    /// How often output was refused.
    refused: usize,
    /// Completions are answered with an error while this holds.
    deaf: bool,
    bundle: Vec<u8>,
    downloads: usize,
    format: String,
    /// The specification as it was signed, and itself.
    envelope: String,
    specification: String,
    polls: usize,
    /// The operation that is answered badly, how, and when it was.
    spoiled: Option<(&'static str, Manner)>,
    spoils: Vec<Instant>,
    /// How far this service's clock is ahead, in seconds; signatures of another time are refused.
    ahead: i64,
    /// The times that signatures carried, by this service's clock, in seconds.
    signed: Vec<i64>,
    /// The one access key that is known, where not all are.
    known_key: Option<String>,
    /// How often another was refused.
    unknown_keys: usize,
    /// Who polled last.
    poller: String,
    /// What acknowledgements are answered with, if not that the command goes on.
    acknowledgement: Option<&'static str>,
    /// The session token that came with the latest request, if one did.
    session_token: Option<String>,
}

/// How an operation is answered badly.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// With an error of the service's own.
    Error,
    /// By sending the client elsewhere, as a proxy does that wants a login.
    Redirect,
    /// With another server's page.
    Page,
    /// With bytes that are no HTTP.
    Noise,
    /// With a whole answer that is no JSON.
    NoJson,
    /// With less than was announced.
    Half,
    /// A byte at a time, without an end.
    Drip,
    /// Never.
    Silence,
    /// With more than anybody would read.
    Flood,
    /// With headers without an end.
    Headers,
}

impl Manner {
    pub const ALL: [Self; 10] = [
        Self::Error,
        Self::Redirect,
        Self::Page,
        Self::Noise,
        Self::NoJson,
        Self::Half,
        Self::Drip,
        Self::Silence,
        Self::Flood,
        Self::Headers,
    ];

    /// Answers; the connection is of no use afterwards, unless this says so.
    fn answer(self, mut out: &TcpStream) -> bool {
        let whole = |status: &str, body: &str| {
            format!(
                "HTTP/1.1 {status}\r\nLocation: /login\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let repeat = |mut out: &TcpStream, head: &str, part: &[u8], pause: Duration| {
            let mut sent = out.write_all(head.as_bytes());
            // Far more than the agent may read, and an end for the test.
            let until = Instant::now() + PATIENCE;
            while sent.is_ok() && Instant::now() < until {
                sent = out.write_all(part);
                thread::sleep(pause);
            }
        };
        const ENDLESS: &str = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
        let drip = Duration::from_millis(50);
        match self {
            Self::Error => {
                out.write_all(whole("500 X", r#"{"__type":"ServerException"}"#).as_bytes()).is_ok()
            }
            Self::Redirect => out.write_all(whole("302 Found", "").as_bytes()).is_ok(),
            Self::Page => {
                out.write_all(whole("404 Not Found", "<html>none</html>").as_bytes()).is_ok()
            }
            Self::NoJson => {
                out.write_all(whole("200 OK", "<html>welcome</html>").as_bytes()).is_ok()
            }
            Self::Noise => {
                let _ = out.write_all(&[0xff, 0, 13, 10].repeat(100));
                false
            }
            Self::Half => {
                let _ = out.write_all(ENDLESS.as_bytes());
                let _ = out.write_all(b"{");
                false
            }
            Self::Drip => {
                repeat(out, ENDLESS, b"x", drip);
                false
            }
            Self::Flood => {
                repeat(out, ENDLESS, &[b' '; 1 << 20], Duration::ZERO);
                false
            }
            Self::Headers => {
                repeat(
                    out,
                    "HTTP/1.1 200 OK\r\n",
                    &[b"X-More: ".repeat(500), b"\r\n".to_vec()].concat(),
                    Duration::ZERO,
                );
                false
            }
            Self::Silence => {
                let _ = out.read(&mut [0]);
                false
            }
        }
    }
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
    signer_until(2099)
}

/// One whose certificate runs out at the end of a year.
pub fn signer_until(year: i32) -> (String, Vec<u8>, Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut certificate = rcgen::CertificateParams::new(vec!["signer".to_owned()]).unwrap();
    certificate.not_after = rcgen::date_time_ymd(year, 12, 31);
    let certificate = certificate.self_signed(&key).unwrap();
    (certificate.pem(), certificate.der().to_vec(), key.serialize_der())
}

impl Plane {
    pub fn start() -> Self {
        let (plane, listener) = Self::bound();
        plane.listen(listener);
        plane
    }

    /// A plane at whose address nobody listens.
    pub fn absent() -> Self {
        Self::bound().0
    }

    fn bound() -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (certificate, der, key) = signer();
        (Self { state: Arc::default(), address, certificate, key, der }, listener)
    }

    /// The absent plane is there now.
    pub fn appear(&self) {
        self.listen(TcpListener::bind(self.address.trim_start_matches("http://")).unwrap());
    }

    fn listen(&self, listener: TcpListener) {
        let state = Arc::clone(&self.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&state);
                thread::spawn(move || serve(&stream, &shared));
            }
        });
    }

    /// Answers an operation badly from now on, or all well again.
    pub fn spoil(&self, spoiled: Option<(&'static str, Manner)>) {
        self.change(|state| state.spoiled = spoiled);
    }

    /// Waits until that many calls were answered badly.
    pub fn spoils(&self, count: usize) {
        self.wait(&format!("{count} bad answers"), |state| {
            (state.spoils.len() >= count).then_some(())
        });
    }

    /// How long it took from the first call that was answered badly to the last.
    pub fn spoils_took(&self) -> Duration {
        let state = self.state.0.lock().unwrap();
        *state.spoils.last().unwrap() - state.spoils[0]
    }

    pub fn set_clock_ahead(&self, seconds: i64) {
        self.change(|state| state.ahead = seconds);
    }

    /// By how much the latest signature's time is wrong here, in seconds.
    pub fn latest_signature_is_off(&self) -> i64 {
        *self.state.0.lock().unwrap().signed.last().unwrap()
    }

    /// From now on only this access key is known.
    pub fn know_only(&self, access_key: &str) {
        self.change(|state| {
            state.known_key = Some(access_key.to_owned());
            state.unknown_keys = 0;
        });
    }

    /// Waits until a request with another access key was refused.
    pub fn refuses_a_key(&self) {
        self.wait("an unknown key", |state| (state.unknown_keys > 0).then_some(()));
    }

    /// The host that polled last.
    pub fn poller(&self) -> String {
        self.state.0.lock().unwrap().poller.clone()
    }

    /// Replaces the envelope of the specification.
    pub fn envelop(&self, format: &str, change: impl FnOnce(String) -> String) {
        self.change(|state| {
            state.format = format.to_owned();
            state.envelope = change(std::mem::take(&mut state.envelope));
        });
    }

    /// Answers acknowledgements with this status from now on.
    pub fn acknowledge_with(&self, status: &'static str) {
        self.change(|state| state.acknowledgement = Some(status));
    }

    /// The session token that came with the latest request, if one did.
    pub fn session_token(&self) -> Option<String> {
        self.state.0.lock().unwrap().session_token.clone()
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
            state.specification = text;
            state.format = "PKCS7/JSON".to_owned();
            state.bundle = bundle;
        });
    }

    /// Asks what the deployment that was signed last would do; the answer.
    pub fn plan(&self, id: &str) -> Value {
        let specification = self.state.0.lock().unwrap().specification.clone();
        let content = format!("{{\"HostPlan\":{specification}}}");
        self.plan_with(id, &self.sign(content.as_bytes()))
    }

    /// The same with an envelope of the test's own.
    pub fn plan_with(&self, id: &str, envelope: &str) -> Value {
        let plan = json!({"HostPlanIdentifier": id, "HostIdentifier": "user/web-01",
            "GenericEnvelope": {"Format": "PKCS7/JSON", "Payload": envelope}});
        self.change(|state| state.plans.push_back(plan));
        self.wait(&format!("an answer to {id}"), |state| {
            let found = state.plan_answers.iter().find(|(plan, _)| plan == id)?;
            Some(found.1.clone())
        })
    }

    /// What the service's own signer signed.
    pub fn sign(&self, content: &[u8]) -> String {
        wire::cms::sign(content, &self.key, &self.der, 1_700_000_000).unwrap()
    }

    /// The envelope of the specification that was signed last.
    pub fn envelope(&self) -> String {
        self.state.0.lock().unwrap().envelope.clone()
    }

    pub fn take_output(&self) {
        self.change(|state| state.takes_output = true);
    }

    /// What came of a command's output, and the numbers of its batches.
    pub fn output(&self, id: &str) -> (String, Vec<i64>) {
        let state = self.state.0.lock().unwrap();
        let batches = state.output.iter().filter(|(command, ..)| command == id);
        batches.map(|(_, number, text)| (text.as_str(), *number)).unzip()
    }

    pub fn refused(&self) -> usize {
        self.state.0.lock().unwrap().refused
    }

    /// How often a bundle was fetched.
    pub fn downloads(&self) -> usize {
        self.state.0.lock().unwrap().downloads
    }

    pub fn send(&self, id: &str, event: &str) {
        self.send_to("user/web-01", id, event);
    }

    pub fn send_to(&self, host: &str, id: &str, event: &str) {
        let command = json!({"HostCommandIdentifier": id, "HostIdentifier": host, "CommandName": event,
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
    while let Some(asked) = request(&mut reader) {
        let Asked { line, target, body, signed, access_key, session_token } = asked;
        state.0.lock().unwrap().session_token = session_token;
        if let Some(manner) = bad_manner(&target, state) {
            if manner.answer(stream) {
                continue;
            }
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
        let (status, answer) = if is_unknown(&access_key, state) {
            (403, br#"{"__type":"UnrecognizedClientException","message":"unknown key"}"#.to_vec())
        } else if !line.starts_with("GET ") && is_of_another_time(signed, state) {
            (
                403,
                br#"{"__type":"InvalidSignatureException","message":"Signature not yet current"}"#
                    .to_vec(),
            )
        } else if line.starts_with("GET ") {
            let mut state = state.0.lock().unwrap();
            state.downloads += 1;
            (200, state.bundle.clone())
        } else {
            let (status, answer) = operation(&target, &body, state);
            (status, answer.to_string().into_bytes())
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nDate: {}\r\nETag: {}\r\nContent-Length: {}\r\n\r\n",
            date(state.0.lock().unwrap().ahead),
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

fn bad_manner(target: &str, (state, changed): &(Mutex<State>, Condvar)) -> Option<Manner> {
    let mut state = state.lock().unwrap();
    let (_, manner) = state.spoiled.filter(|(operation, _)| *operation == target)?;
    state.spoils.push(Instant::now());
    changed.notify_all();
    Some(manner)
}

/// This service's time, as its answers tell it.
fn date(ahead: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap()
}

fn is_of_another_time(signed: Option<i64>, (state, _): &(Mutex<State>, Condvar)) -> bool {
    let mut state = state.lock().unwrap();
    let now = jiff::Timestamp::now().as_second() + state.ahead;
    let Some(signed) = signed else { return false };
    state.signed.push(signed - now);
    (signed - now).abs() > 300
}

fn is_unknown(access_key: &str, (state, changed): &(Mutex<State>, Condvar)) -> bool {
    let mut state = state.lock().unwrap();
    let is_unknown = state.known_key.as_ref().is_some_and(|known| known != access_key);
    if is_unknown {
        state.unknown_keys += 1;
        changed.notify_all();
    }
    is_unknown
}

struct Asked {
    line: String,
    target: String,
    body: Value,
    signed: Option<i64>,
    access_key: String,
    session_token: Option<String>,
}

fn request(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|count| *count > 0)?;
    let (mut length, mut target, mut signed) = (0, String::new(), None);
    let (mut access_key, mut session_token) = (String::new(), None);
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
            "x-amz-date" => {
                let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", value).ok()?;
                signed = Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second());
            }
            "authorization" => {
                let (_, rest) = value.split_once("Credential=")?;
                access_key = rest.split_once('/')?.0.to_owned();
            }
            "x-amz-security-token" => session_token = Some(value.to_owned()),
            "x-amz-target" => target = value.split_once('.')?.1.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Some(Asked { line: first, target, body, signed, access_key, session_token })
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
            state.poller = body["HostIdentifier"].as_str().unwrap_or_default().to_owned();
            changed.notify_all();
            let until = Instant::now() + Duration::from_secs(2);
            let nothing = |state: &State| {
                state.waiting.is_empty() && state.handed.is_empty() && state.plans.is_empty()
            };
            while nothing(&state) && Instant::now() < until {
                state = changed.wait_timeout(state, Duration::from_millis(100)).unwrap().0;
            }
            let next = state.waiting.pop_front().or_else(|| unheard(&mut state));
            let plan = state.plans.pop_front().filter(|_| next.is_none());
            let idle = plan.map_or(json!({}), |plan| json!({"HostPlan": plan}));
            next.map_or(idle, |command| {
                state.handed.push((command.clone(), Instant::now()));
                json!({"HostCommand": command})
            })
        }
        "GetDeploymentSpecification" => {
            json!({"DeploymentSystem": "CodeDeploy", "DeploymentSpecification":
            {"GenericEnvelope": {"Format": state.format, "Payload": state.envelope}}})
        }
        "PutHostCommandAcknowledgement" => {
            state.acknowledged.push((id, payload["IsCommandNoop"] == true));
            json!({"CommandStatus": state.acknowledgement.unwrap_or("InProgress")})
        }
        "PutHostCommandOutput" if !state.takes_output => {
            state.refused += 1;
            return (400, json!({"__type": "UnknownOperationException"}));
        }
        "PutHostCommandComplete" | "PutHostCommandOutput" if state.deaf => {
            return (500, json!({"__type": "ServerException"}));
        }
        "PutHostCommandOutput" => {
            let chunks = body["Chunks"].as_array().unwrap();
            let text = chunks.iter().map(|chunk| chunk["Text"].as_str().unwrap()).collect();
            state.output.push((id, body["Batch"].as_i64().unwrap(), text));
            json!({})
        }
        "PutHostPlan" => {
            let plan = body["HostPlanIdentifier"].as_str().unwrap_or_default().to_owned();
            state.plan_answers.push((plan, body.clone()));
            json!({})
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
    metadata: Option<String>,
    authority: Option<PathBuf>,
}

impl Agent {
    pub fn start(plane: &Plane) -> Self {
        Self::start_with(plane, "")
    }

    /// An agent with further lines in its configuration.
    pub fn start_with(plane: &Plane, lines: &str) -> Self {
        let mut agent = Self::prepare(plane, lines);
        agent.again();
        agent
    }

    /// One that does not run yet.
    pub fn prepare(plane: &Plane, lines: &str) -> Self {
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
             :on_premises_config_file: '{here}/onprem.yml'\n:signer_certificate_file: '{here}/signer.pem'\n{lines}"
        );
        fs::write(path.join("agent.yml"), config).unwrap();
        Self { dir, child: None, metadata: None, authority: None }
    }

    /// From its next start on it asks here who it is, and has no on-premises file.
    pub fn is_an_instance(&mut self, metadata: &str) {
        fs::remove_file(self.file("onprem.yml")).unwrap();
        self.metadata = Some(metadata.to_owned());
    }

    /// From its next start on it trusts certificates that this file has, and no others.
    pub fn trusts(&mut self, name: &str) {
        self.authority = Some(self.file(name));
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
        if let Some(metadata) = &self.metadata {
            command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata);
        }
        if let Some(authority) = &self.authority {
            command.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR");
        }
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
