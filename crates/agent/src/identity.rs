//! Who this host is: an instance, by its metadata, or a registered on-premises host, by its file.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use http::{Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;
use model::appspec::yaml::{self, Node};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::http::{Answer, Client, HttpError};

/// Where instance metadata is. Source: EC2 user guide.
const METADATA: &str = "http://169.254.169.254";
/// The environment variable that names another place. Source: AWS SDKs and tools reference guide.
const METADATA_VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// How long metadata may take: it is one hop away.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a metadata token is asked for: the longest there is.
const TOKEN_SECONDS: &str = "21600";

/// Who this host is and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What the agent polls with.
    pub host_identifier: String,
    /// The region to sign for.
    pub region: String,
    /// The DNS domain of the region's services.
    pub domain: String,
    /// Where credentials come from.
    pub keys: Keys,
}

impl Identity {
    /// What scripts find about the host in their environment: the region and the name of a registered one, which no metadata
    /// tells them. Source: official agent.
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        match self.keys {
            Keys::InstanceRole | Keys::Own { .. } => Vec::new(),
            _ if self.host_identifier.is_empty() => Vec::new(),
            Keys::User { .. } | Keys::SessionFile { .. } => vec![
                ("AWS_REGION".into(), (&self.region).into()),
                ("AWS_HOST_IDENTIFIER".into(), (&self.host_identifier).into()),
            ],
        }
    }
}

/// Where this host's credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// The instance's role.
    InstanceRole,
    /// A user's keys, and the on-premises file that they are from: it may have others later.
    User { access_key: String, secret: Secret, file: Utf8PathBuf },
    /// The keys of whoever deploys locally, from the environment.
    Own { access_key: String, secret: Secret, session_token: Option<Secret> },
    /// A session's, in a file that somebody renews.
    SessionFile { path: Utf8PathBuf },
}

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("REDACTED")
    }
}

/// Why this host does not know who it is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The metadata service does not answer.
    #[error("no on-premises file at {on_premises}, and no instance metadata")]
    NoMetadata {
        on_premises: Utf8PathBuf,
        #[source]
        source: HttpError,
    },
    /// The metadata service refuses.
    #[error("instance metadata answered HTTP {status} for {path}")]
    Refused { path: String, status: u16 },
    /// The metadata is not what it should be.
    #[error("instance metadata {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    /// The on-premises file is wrong.
    #[error("on-premises configuration file {path}: {reason}")]
    OnPremises { path: Utf8PathBuf, reason: String },
}

/// Finds out who this host is.
///
/// # Errors
/// There is neither a right on-premises file nor instance metadata.
pub async fn resolve(config: &Config, metadata: &Metadata) -> Result<Identity, IdentityError> {
    if let Some(identity) = on_premises(&config.on_premises_config_file)? {
        return Ok(identity);
    }
    let identity = metadata.identity().await.map_err(|error| match error {
        IdentityError::NoMetadata { source, .. } => IdentityError::NoMetadata {
            on_premises: config.on_premises_config_file.clone(),
            source,
        },
        other => other,
    })?;
    Ok(identity)
}

/// The identity in an on-premises file; `None` if there is no file, or neither ARN in it. Source: official agent.
///
/// # Errors
/// The file is not YAML, has both ARNs, or lacks what goes with one.
pub fn on_premises(path: &Utf8Path) -> Result<Option<Identity>, IdentityError> {
    let Ok(text) = fs::read(path) else { return Ok(None) };
    let wrong = |reason: String| IdentityError::OnPremises { path: path.to_owned(), reason };
    let root = yaml::parse(&text).map_err(|error| wrong(error.to_string()))?;
    let value = |key: &str| {
        let symbol = format!(":{key}");
        let found =
            root.get(key).or_else(|| root.get(&symbol)).or_else(|| root.get(&format!("{symbol}:")));
        found.map(Node::text).filter(|text| !text.is_empty())
    };
    let needed = |key: &str, of: &str| {
        value(key).ok_or_else(|| wrong(format!("'{key}' key is required when '{of}' is provided.")))
    };
    let (host_identifier, keys, arn) = match (value("iam_user_arn"), value("iam_session_arn")) {
        (Some(_), Some(_)) => {
            return Err(wrong(
                "On Premises config cannot contain both 'iam_user_arn' and 'iam_session_arn' keys."
                    .to_owned(),
            ));
        }
        (Some(arn), None) => {
            let of = "iam_user_arn";
            let access_key = needed("aws_access_key_id", of)?;
            let secret = Secret(needed("aws_secret_access_key", of)?);
            (arn, Keys::User { access_key, secret, file: path.to_owned() }, of)
        }
        (None, Some(arn)) => {
            let of = "iam_session_arn";
            let path = needed("aws_credentials_file", of)?.into();
            (arn, Keys::SessionFile { path }, of)
        }
        (None, None) => return Ok(None),
    };
    let region = needed("region", arn)?;
    Ok(Some(Identity { host_identifier, domain: domain_of(&region).to_owned(), region, keys }))
}

/// The DNS domain of a region's services where metadata does not say. Source: official agent.
pub fn domain_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else if region == "eusc-de-east-1" {
        "amazonaws.eu"
    } else {
        "amazonaws.com"
    }
}

/// The instance metadata service, version 2 and, where allowed, 1.
#[derive(Debug)]
pub struct Metadata {
    client: Client,
    base: String,
    insist_on_token: bool,
    token: Mutex<Option<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    region: String,
    account_id: String,
    instance_id: String,
}

impl Metadata {
    /// The service at its usual address, or where the environment says it is.
    pub fn new(insist_on_token: bool) -> Self {
        let elsewhere = env::var(METADATA_VARIABLE).ok().filter(|base| !base.is_empty());
        let base = elsewhere.as_deref().unwrap_or(METADATA).trim_end_matches('/').to_owned();
        let token = Mutex::new(None);
        Self { client: Client::default(), base, insist_on_token, token }
    }

    /// Who this instance is.
    ///
    /// # Errors
    /// The service does not answer, refuses or answers something else.
    pub async fn identity(&self) -> Result<Identity, IdentityError> {
        let path = "/latest/dynamic/instance-identity/document";
        let text = self.get(path).await?;
        let document: Document = serde_json::from_str(&text).map_err(|error| {
            IdentityError::Unreadable { path: path.to_owned(), reason: error.to_string() }
        })?;
        let partition = self.get("/latest/meta-data/services/partition").await;
        let partition = partition.unwrap_or_else(|_| "aws".to_owned());
        let domain = self.get("/latest/meta-data/services/domain").await;
        let domain = domain.unwrap_or_else(|_| domain_of(&document.region).to_owned());
        let Document { region, account_id, instance_id } = document;
        let own = format!("arn:{partition}:ec2:{region}:{account_id}:instance/{instance_id}");
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let host_identifier = set("AWS_HOST_IDENTIFIER").unwrap_or(own);
        let region = set("AWS_REGION").unwrap_or(region);
        Ok(Identity { host_identifier, region, domain, keys: Keys::InstanceRole })
    }

    /// A text of the metadata.
    ///
    /// # Errors
    /// The service does not answer or refuses.
    pub async fn get(&self, path: &str) -> Result<String, IdentityError> {
        let mut answer = self.ask(path).await?;
        if answer.status == 401 {
            // The token has run out, or the service was started anew.
            *self.token.lock().await = None;
            answer = self.ask(path).await?;
        }
        if answer.status != 200 {
            return Err(IdentityError::Refused { path: path.to_owned(), status: answer.status });
        }
        let text = String::from_utf8(answer.body.to_vec()).map_err(|error| {
            IdentityError::Unreadable { path: path.to_owned(), reason: error.to_string() }
        })?;
        Ok(text.trim().to_owned())
    }

    async fn ask(&self, path: &str) -> Result<Answer, IdentityError> {
        let token = self.token().await?;
        let mut request =
            Request::builder().method(Method::GET).uri(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("X-aws-ec2-metadata-token", token);
        }
        self.send(request).await
    }

    async fn send(&self, request: http::request::Builder) -> Result<Answer, IdentityError> {
        let request = request.body(Full::new(Bytes::new())).map_err(|error| {
            IdentityError::Unreadable { path: self.base.clone(), reason: error.to_string() }
        })?;
        self.client
            .call(request, PATIENCE)
            .await
            .map_err(|source| IdentityError::NoMetadata { on_premises: Utf8PathBuf::new(), source })
    }

    /// A token, asked for once; `None` where the service has none and none is insisted on.
    async fn token(&self) -> Result<Option<String>, IdentityError> {
        let mut kept = self.token.lock().await;
        if kept.is_some() {
            return Ok(kept.clone());
        }
        let path = "/latest/api/token";
        let request = Request::builder()
            .method(Method::PUT)
            .uri(format!("{}{path}", self.base))
            .header("X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS);
        let answer = self.send(request).await?;
        match (answer.status, String::from_utf8(answer.body.to_vec())) {
            (200, Ok(token)) => {
                *kept = Some(token.trim().to_owned());
                Ok(kept.clone())
            }
            (status, _) if self.insist_on_token => {
                Err(IdentityError::Refused { path: path.to_owned(), status })
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Identity>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        on_premises(Utf8Path::from_path(file.path()).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_of_the_on_premises_file_are_read() {
        let user = "---\nregion: us-east-1\niam_user_arn: arn:aws:iam::1:user/web-01\naws_access_key_id: AKIA1\naws_secret_access_key: s3cr3t\n";
        let identity = read(user).unwrap().unwrap();
        assert_eq!(identity.host_identifier, "arn:aws:iam::1:user/web-01");
        assert!(!format!("{identity:?}").contains("s3cr3t"));
        let session = ":region: cn-north-1\n:iam_session_arn: arn:x\n:aws_credentials_file: /c\n";
        let identity = read(session).unwrap().unwrap();
        assert_eq!(identity.domain, "amazonaws.com.cn");
        assert_eq!(identity.keys, Keys::SessionFile { path: "/c".into() });
    }

    #[test]
    fn a_wrong_on_premises_file_says_what_is_wrong() {
        assert_eq!(read("region: x\n"), Ok(None));
        assert!(
            read("iam_user_arn: a\niam_session_arn: b\n")
                .unwrap_err()
                .contains("cannot contain both")
        );
        assert!(
            read("iam_user_arn: a\n").unwrap_err().contains("'aws_access_key_id' key is required")
        );
    }
}
