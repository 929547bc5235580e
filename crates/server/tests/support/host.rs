//! Hosts that pretend: registered on-premises instances whose agents are loops in this process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use wire::sigv4::Credentials;

use super::{Client, TestServer};

/// A host with its own identity.
#[derive(Clone)]
pub struct Host {
    pub name: String,
    pub identifier: String,
    pub client: Client,
}

/// What a host did, in the order in which all hosts did it: `web-1 Install`.
pub type Diary = Arc<Mutex<Vec<String>>>;

/// How a host ends a lifecycle event.
pub enum Outcome {
    Succeed,
    Fail(&'static str),
}

impl Host {
    /// Makes a user with an access key and registers a host under it, tagged `role=web`.
    pub async fn register(server: &TestServer, name: &str) -> Self {
        let root = server.client();
        root.iam(&format!("Action=CreateUser&UserName={name}")).await;
        let key = root.iam(&format!("Action=CreateAccessKey&UserName={name}")).await;
        let credentials =
            Credentials::new(element(&key, "AccessKeyId"), element(&key, "SecretAccessKey"), None);
        let identifier = format!("arn:aws:iam::123456789012:user/{name}");
        let input = json!({"instanceName": name, "iamUserArn": identifier});
        root.ok("RegisterOnPremisesInstance", input).await;
        let tags = json!([{"Key": "role", "Value": "web"}]);
        let input = json!({"instanceNames": [name], "tags": tags});
        root.ok("AddTagsToOnPremisesInstances", input).await;
        let client = Client::new(server.address, credentials);
        Self { name: name.to_owned(), identifier, client }
    }

    /// Polls once; the command, if there is one.
    pub async fn poll(&self) -> Result<Option<Value>, String> {
        let input = json!({"HostIdentifier": self.identifier});
        let answer = self.client.command("PollHostCommand", input).await?;
        if answer.status != 200 {
            return Err(answer.text());
        }
        Ok(answer.json().get("HostCommand").cloned())
    }

    /// Acknowledges a command; what the server says to that.
    pub async fn acknowledge(&self, command: &Value) -> Result<String, String> {
        let input = json!({
            "HostCommandIdentifier": command["HostCommandIdentifier"],
            "Diagnostics": {"Format": "JSON", "Payload": "{\"IsCommandNoop\":false}"},
        });
        let answer = self.client.command("PutHostCommandAcknowledgement", input).await?;
        Ok(answer.json()["CommandStatus"].as_str().unwrap_or_default().to_owned())
    }

    /// Reports how a command ended.
    pub async fn complete(&self, command: &Value, outcome: &Outcome) -> Result<u16, String> {
        let (status, report) = match outcome {
            Outcome::Succeed => (
                "Succeeded",
                json!({"error_code": 0, "script_name": "", "message": "Succeeded: ", "log": ""}),
            ),
            Outcome::Fail(message) => (
                "Failed",
                json!({"error_code": 4, "script_name": "check.sh", "message": message, "log": "[stderr]no"}),
            ),
        };
        let input = json!({
            "HostCommandIdentifier": command["HostCommandIdentifier"],
            "CommandStatus": status,
            "Diagnostics": {"Format": "JSON", "Payload": report.to_string()},
        });
        Ok(self.client.command("PutHostCommandComplete", input).await?.status)
    }

    /// Works until it is aborted: fetches, acknowledges, writes the diary and completes. What the server does not
    /// take, because it is away, is tried again.
    pub fn work(&self, diary: &Diary, outcome: fn(&str) -> Outcome) -> JoinHandle<()> {
        let (host, diary) = (self.clone(), Arc::clone(diary));
        tokio::spawn(async move {
            loop {
                let Ok(Some(command)) = host.poll().await else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let Ok(status) = host.acknowledge(&command).await else { continue };
                if status != "InProgress" {
                    continue;
                }
                let event = command["CommandName"].as_str().unwrap_or_default().to_owned();
                diary.lock().unwrap().push(format!("{} {event}", host.name));
                let outcome = outcome(&event);
                while host.complete(&command, &outcome).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        })
    }
}

/// The text of the first element of this name.
pub fn element(xml: &str, name: &str) -> String {
    let start = xml.find(&format!("<{name}>")).unwrap() + name.len() + 2;
    let end = xml[start..].find(&format!("</{name}>")).unwrap();
    xml[start..start + end].to_owned()
}
