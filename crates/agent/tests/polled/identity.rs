//! Who the agent is and what it signs with: from instance metadata of both versions, and from files that change under it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{Agent, Plane, wait_for};

const INSTANCE: &str = "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0";

/// What there is of a metadata service.
struct State {
    /// The token that is handed out and wanted; with none, this is a service of version 1.
    token: Option<String>,
    /// The access key that the role has now, until when, in ISO 8601.
    access_key: String,
    expiration: String,
    /// The paths that were asked for with a right token, or with none where none is wanted.
    served: Vec<String>,
    /// The tokens that were asked for.
    tokens: usize,
}

struct Metadata {
    state: Arc<Mutex<State>>,
    address: String,
}

impl Metadata {
    fn start(token: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            token: token.map(str::to_owned),
            access_key: "ASIA1".to_owned(),
            expiration: "2099-01-01T00:00:00Z".to_owned(),
            served: Vec::new(),
            tokens: 0,
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { state, address }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn agent(&self, plane: &Plane, lines: &str) -> Agent {
        let mut agent = Agent::prepare(plane, lines);
        agent.is_an_instance(&self.address);
        agent.again();
        agent
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut token) = (String::new(), None);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim_end().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("x-aws-ec2-metadata-token: ") {
                token = Some(value.to_owned());
            }
        }
        let (status, body) = answer(&first, token.as_deref(), &mut state.lock().unwrap());
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut out = stream;
        if out.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(line: &str, token: Option<&str>, state: &mut State) -> (u16, String) {
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    if method == "PUT" {
        state.tokens += 1;
        return match (&state.token, path) {
            (Some(token), "/latest/api/token") => (200, token.clone()),
            _ => (405, String::new()),
        };
    }
    if state.token.as_deref() != token {
        return (401, String::new());
    }
    state.served.push(path.to_owned());
    let body = match path {
        "/latest/dynamic/instance-identity/document" => {
            r#"{"region":"us-east-1","accountId":"123456789012","instanceId":"i-0123456789abcdef0"}"#
                .to_owned()
        }
        "/latest/meta-data/services/partition" => "aws".to_owned(),
        "/latest/meta-data/services/domain" => "amazonaws.com".to_owned(),
        "/latest/meta-data/iam/security-credentials/" => "Hosts".to_owned(),
        "/latest/meta-data/iam/security-credentials/Hosts" => format!(
            r#"{{"AccessKeyId":"{}","SecretAccessKey":"s","Token":"t","Expiration":"{}"}}"#,
            state.access_key, state.expiration
        ),
        _ => return (404, String::new()),
    };
    (200, body)
}

#[test]
fn metadata_of_version_2_says_who_the_instance_is() {
    let (plane, metadata) = (Plane::start(), Metadata::start(Some("token-1")));
    plane.know_only("ASIA1");
    let _agent = metadata.agent(&plane, ":disable_imds_v1: true\n");
    plane.another_poll();
    assert_eq!(plane.poller(), INSTANCE);
    assert_eq!(metadata.state.lock().unwrap().tokens, 1, "a token is asked for once");
}

#[test]
fn metadata_of_version_1_is_taken_unless_that_is_forbidden() {
    let (plane, metadata) = (Plane::start(), Metadata::start(None));
    plane.know_only("ASIA1");
    let mut agent = metadata.agent(&plane, "");
    plane.another_poll();
    assert_eq!(plane.poller(), INSTANCE);
    agent.kill();
    metadata.change(|state| state.served.clear());
    let agent = metadata.agent(&plane, ":disable_imds_v1: true\n");
    let log = || fs::read_to_string(agent.file("stderr")).unwrap();
    wait_for("the refusal is told", || log().contains("HTTP 405 for /latest/api/token"));
    assert_eq!(metadata.state.lock().unwrap().served, Vec::<String>::new());
}

#[test]
fn a_token_that_is_none_any_more_is_asked_for_anew() {
    let (plane, metadata) = (Plane::start(), Metadata::start(Some("token-1")));
    plane.know_only("ASIA1");
    let _agent = metadata.agent(&plane, "");
    plane.another_poll();
    // As after a restart of the service, with other keys for the role.
    metadata.change(|state| {
        state.token = Some("token-2".to_owned());
        state.access_key = "ASIA2".to_owned();
    });
    plane.know_only("ASIA2");
    plane.refuses_a_key();
    plane.another_poll();
    assert_eq!(metadata.state.lock().unwrap().tokens, 2);
}

#[test]
fn a_role_s_keys_are_got_anew_before_they_run_out() {
    let (plane, metadata) = (Plane::start(), Metadata::start(Some("token-1")));
    // Inside of the time before the end in which they are renewed: each is used for ten seconds.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    metadata.change(|state| state.expiration = soon.to_string());
    let _agent = metadata.agent(&plane, "");
    plane.another_poll();
    metadata.change(|state| state.access_key = "ASIA2".to_owned());
    let asked = || {
        let state = metadata.state.lock().unwrap();
        state.served.iter().filter(|path| path.ends_with("/Hosts")).count()
    };
    wait_for("the keys are asked for again", || asked() > 1);
    plane.know_only("ASIA2");
    plane.another_poll();
}

#[test]
fn keys_that_change_in_the_on_premises_file_count_without_a_restart() {
    let plane = Plane::start();
    plane.know_only("AKIA");
    let agent = Agent::start(&plane);
    plane.another_poll();
    plane.know_only("AKIA2");
    plane.refuses_a_key();
    let file = agent.file("onprem.yml");
    let text = fs::read_to_string(&file).unwrap();
    // Half-way an editor leaves a file that is none: the keys of before stay.
    fs::write(&file, "region: [\n").unwrap();
    plane.know_only("AKIA2");
    plane.refuses_a_key();
    fs::write(&file, text.replace("AKIA", "AKIA2")).unwrap();
    plane.another_poll();
}

#[test]
fn a_session_that_somebody_renews_counts_without_a_restart() {
    let plane = Plane::start();
    let mut agent = Agent::prepare(&plane, "");
    let session = agent.file("session");
    let keys = |key: &str| {
        let text = format!(
            "[default]\naws_access_key_id={key}\naws_secret_access_key=s\naws_session_token=t\n"
        );
        fs::write(&session, text).unwrap();
    };
    keys("ASIA1");
    let identity = format!(
        "region: us-east-1\niam_session_arn: arn:aws:sts::123456789012:assumed-role/Host/web-01\naws_credentials_file: {}\n",
        session.display()
    );
    fs::write(agent.file("onprem.yml"), identity).unwrap();
    plane.know_only("ASIA1");
    agent.again();
    plane.another_poll();
    assert_eq!(plane.poller(), "arn:aws:sts::123456789012:assumed-role/Host/web-01");
    plane.know_only("ASIA2");
    plane.refuses_a_key();
    keys("ASIA2");
    plane.another_poll();
}

#[test]
fn scripts_of_a_registered_host_know_its_region_and_name_and_not_its_keys() {
    let plane = Plane::start();
    let agent = Agent::start(&plane);
    let script = format!("env > {}\n", agent.file("environment").display());
    let appspec = "version: 0.0\nos: linux\nhooks:\n  ValidateService:\n    - location: h.sh\n";
    plane.deploy("d-AAAAAAAA1", &[("appspec.yml", appspec), ("h.sh", &script)]);
    plane.run("1", "DownloadBundle");
    plane.run("2", "ValidateService");
    let environment = fs::read_to_string(agent.file("environment")).unwrap();
    let has = |line: &str| environment.lines().any(|found| found == line);
    assert!(has("AWS_REGION=us-east-1"), "{environment}");
    assert!(has("AWS_HOST_IDENTIFIER=arn:aws:iam::123456789012:user/web-01"), "{environment}");
    for secret in ["AWS_ACCESS_KEY", "AWS_SECRET", "AWS_CREDENTIALS_FILE"] {
        assert!(!environment.contains(secret), "{environment}");
    }
}
