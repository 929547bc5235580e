//! A server in this process, a client that signs, and hosts that pretend.

#![expect(dead_code, reason = "each test program uses its own part of this")]
#![expect(clippy::needless_pass_by_value, reason = "inputs are written where they are sent")]

pub mod host;
pub mod receiver;

use std::net::SocketAddr;

use bytes::Bytes;
use camino::Utf8PathBuf;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use longshore_server::iam::RootCredentials;
use longshore_server::{Config, RunningServer, Server};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use wire::sigv4::{self, Credentials, Scope};

/// A server on a directory of its own.
pub struct TestServer {
    directory: tempfile::TempDir,
    running: Option<RunningServer>,
    pub address: SocketAddr,
}

/// The root's access key of every test server.
pub fn root() -> Credentials {
    Credentials::new("AKIAROOT", "root-secret", None)
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A server whose configuration is changed first.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(&directory, "127.0.0.1:0".parse().unwrap());
        change(&mut config);
        let running = Server::start(config).await.unwrap();
        let address = running.address();
        Self { directory, running: Some(running), address }
    }

    /// Stops the server; the directory stays.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Starts it again, on the same address and directory.
    pub async fn start_again(&mut self) {
        self.running = Some(Server::start(config(&self.directory, self.address)).await.unwrap());
    }

    /// A client with the root's key.
    pub fn client(&self) -> Client {
        Client::new(self.address, root())
    }
}

fn config(directory: &tempfile::TempDir, listen: SocketAddr) -> Config {
    let data_dir = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
    let root = root();
    let root =
        RootCredentials { access_key_id: root.access_key, secret_access_key: root.secret_key };
    Config::new(data_dir, listen, root)
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The name of a JSON error.
    pub fn error(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }
}

/// A client that signs what it sends.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    credentials: Credentials,
    /// Added to the machine's time when signing, in seconds.
    pub clock_offset: i64,
}

/// A request before it is signed.
pub struct Call<'a> {
    pub service: &'a str,
    pub method: Method,
    pub target: &'a str,
    pub headers: Vec<(&'a str, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn new(address: SocketAddr, credentials: Credentials) -> Self {
        Self { address, credentials, clock_offset: 0 }
    }

    /// Calls CodeDeploy.
    pub async fn codedeploy(&self, operation: &str, input: Value) -> Answer {
        let target = format!("CodeDeploy_20141006.{operation}");
        self.send(json_call("codedeploy", target, input)).await.unwrap()
    }

    /// Calls CodeDeploy and expects success.
    pub async fn ok(&self, operation: &str, input: Value) -> Value {
        let answer = self.codedeploy(operation, input.clone()).await;
        assert_eq!(answer.status, 200, "{operation} {input}: {}", answer.text());
        answer.json()
    }

    /// Calls CodeDeploy and expects a refusal; its name, without `Exception`.
    pub async fn refused(&self, operation: &str, input: Value) -> String {
        let answer = self.codedeploy(operation, input.clone()).await;
        assert!(answer.status >= 400, "{operation} {input}: {}", answer.text());
        answer.error().trim_end_matches("Exception").to_owned()
    }

    /// Calls the agents' command service; fails if the server is away.
    pub async fn command(&self, operation: &str, input: Value) -> Result<Answer, String> {
        let target = format!("CodeDeployCommandService_v20141006.{operation}");
        self.send(json_call("codedeploy-commands", target, input)).await
    }

    /// Calls longshore's own service and expects success.
    pub async fn own(&self, operation: &str, input: Value) -> Value {
        let target = format!("Longshore_20261124.{operation}");
        let answer = self.send(json_call("longshore", target, input.clone())).await.unwrap();
        assert_eq!(answer.status, 200, "{operation} {input}: {}", answer.text());
        answer.json()
    }

    /// Calls a form service.
    pub async fn form(&self, service: &str, form: &str) -> Answer {
        let call = Call {
            service,
            method: Method::POST,
            target: "/",
            headers: vec![("content-type", "application/x-www-form-urlencoded".into())],
            body: form.as_bytes().to_vec(),
        };
        self.send(call).await.unwrap()
    }

    /// Calls IAM and expects success.
    pub async fn iam(&self, form: &str) -> String {
        let answer = self.form("iam", &format!("{form}&Version=2010-05-08")).await;
        assert_eq!(answer.status, 200, "{form}: {}", answer.text());
        answer.text()
    }

    /// Signs and sends.
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, String> {
        let host = self.address.to_string();
        let mut headers = call.headers;
        headers.push(("host", host));
        let signed: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let request =
            sigv4::Request { method: call.method.as_str(), target: call.target, headers: &signed };
        let now = jiff::Timestamp::now().as_second() + self.clock_offset;
        let hash = sigv4::payload_hash(&call.body);
        let scope = Scope { region: "us-east-1", service: call.service };
        let added = sigv4::sign(&request, &self.credentials, scope, now, &hash);
        headers.extend(added);
        self.send_as_is(call.method, call.target, &headers, call.body).await
    }

    /// Sends without signing.
    pub async fn send_as_is(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, String> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
}

/// A call over JSON 1.1.
pub fn json_call(service: &str, target: String, input: Value) -> Call<'_> {
    Call {
        service,
        method: Method::POST,
        target: "/",
        headers: vec![
            ("content-type", "application/x-amz-json-1.1".into()),
            ("x-amz-target", target),
        ],
        body: input.to_string().into_bytes(),
    }
}

/// What every deployment group needs.
pub const ROLE: &str = "arn:aws:iam::EXAMPLE:role/CodeDeploy";

/// A revision in S3 that nobody downloads.
pub fn revision(key: &str) -> Value {
    json!({"revisionType": "S3", "s3Location": {"bucket": "bundles", "key": key, "bundleType": "zip"}})
}

/// Makes the application `Shop` with the group `Prod`, which selects the on-premises hosts tagged `role=web`.
pub async fn make_shop(client: &Client, config: &str) {
    client.ok("CreateApplication", json!({"applicationName": "Shop"})).await;
    client
        .ok(
            "CreateDeploymentGroup",
            json!({
                "applicationName": "Shop",
                "deploymentGroupName": "Prod",
                "deploymentConfigName": config,
                "serviceRoleArn": ROLE,
                "onPremisesInstanceTagFilters":
                    [{"Key": "role", "Value": "web", "Type": "KEY_AND_VALUE"}],
            }),
        )
        .await;
}

/// Deploys `key` to `Shop`/`Prod`; the deployment's id.
pub async fn deploy(client: &Client, key: &str) -> String {
    let input = json!({
        "applicationName": "Shop", "deploymentGroupName": "Prod", "revision": revision(key),
    });
    let created = client.ok("CreateDeployment", input).await;
    created["deploymentId"].as_str().unwrap().to_owned()
}

/// The deployment as it is.
pub async fn deployment(client: &Client, id: &str) -> Value {
    client.ok("GetDeployment", json!({"deploymentId": id})).await["deploymentInfo"].clone()
}

/// Waits until the deployment is over; the deployment as it is then.
pub async fn finished(client: &Client, id: &str) -> Value {
    loop {
        let info = deployment(client, id).await;
        if matches!(info["status"].as_str(), Some("Succeeded" | "Failed" | "Stopped")) {
            return info;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// The target as it is.
pub async fn target(client: &Client, id: &str, target: &str) -> Value {
    let input = json!({"deploymentId": id, "targetId": target});
    let answer = client.ok("GetDeploymentTarget", input).await;
    answer["deploymentTarget"]["instanceTarget"].clone()
}
