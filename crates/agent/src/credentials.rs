//! Credentials: got from where the identity says, kept, and got anew before they run out.

use std::env;
use std::fs;
use std::sync::Arc;

use camino::Utf8Path;
use serde::Deserialize;
use tokio::sync::Mutex;
use wire::sigv4;

use crate::clock;
use crate::identity::{self, IdentityError, Keys, Metadata};

/// Credentials of a role are got anew this long before they run out.
const RENEW_MILLIS: i64 = 5 * 60 * 1000;
/// A session file is read anew after this long. Source: official agent.
const FILE_MILLIS: i64 = 25 * 60 * 1000;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The instance has no role.
    #[error("the instance has no role: give it an instance profile")]
    NoRole,
    /// Metadata does not give them.
    #[error("the role's credentials cannot be got")]
    Metadata(#[from] IdentityError),
    /// Metadata gives something else.
    #[error("the credentials of role `{role}` cannot be read: {reason}")]
    Unreadable { role: String, reason: String },
    /// The session file has none.
    #[error("Failed to load credentials from path {path}")]
    File { path: camino::Utf8PathBuf },
}

/// A source of credentials that keeps what it got.
#[derive(Debug)]
pub struct Source {
    keys: Keys,
    metadata: Arc<Metadata>,
    kept: Mutex<Option<(sigv4::Credentials, i64)>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleCredentials {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    /// ISO 8601.
    expiration: Option<String>,
}

impl Source {
    /// A source for this host.
    pub fn new(keys: Keys, metadata: Arc<Metadata>) -> Self {
        Self { keys, metadata, kept: Mutex::new(None) }
    }

    /// Credentials that are good for now.
    ///
    /// # Errors
    /// There are none to be had.
    pub async fn get(&self) -> Result<sigv4::Credentials, CredentialsError> {
        let mut kept = self.kept.lock().await;
        let now = clock::now_millis();
        if let Some((credentials, until)) = kept.as_ref()
            && now < *until
        {
            return Ok(credentials.clone());
        }
        let (credentials, until) = match &self.keys {
            Keys::User { access_key, secret, file } => {
                let first = || sigv4::Credentials::new(access_key, &secret.0, None);
                (of_user(file).unwrap_or_else(first), i64::MAX)
            }
            Keys::Own { access_key, secret, session_token } => {
                let token = session_token.as_ref().map(|token| token.0.clone());
                (sigv4::Credentials::new(access_key, &secret.0, token), i64::MAX)
            }
            Keys::SessionFile { path } => (from_file(path)?, now + FILE_MILLIS),
            Keys::InstanceRole => self.role_credentials(now).await?,
        };
        *kept = Some((credentials.clone(), until));
        Ok(credentials)
    }

    /// Forgets what was kept, because the service refused it.
    pub async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn role_credentials(
        &self,
        now: i64,
    ) -> Result<(sigv4::Credentials, i64), CredentialsError> {
        let path = "/latest/meta-data/iam/security-credentials/";
        let roles = match self.metadata.get(path).await {
            Err(IdentityError::Refused { status: 404, .. }) => {
                return Err(CredentialsError::NoRole);
            }
            other => other?,
        };
        let role = roles.lines().next().filter(|role| !role.is_empty());
        let role = role.ok_or(CredentialsError::NoRole)?.to_owned();
        let text = self.metadata.get(&format!("{path}{role}")).await?;
        let unreadable = |reason: serde_json::Error| CredentialsError::Unreadable {
            role: role.clone(),
            reason: reason.to_string(),
        };
        let found: RoleCredentials = serde_json::from_str(&text).map_err(unreadable)?;
        let expiration = found.expiration.and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let expires = expiration.map_or(i64::MAX, jiff::Timestamp::as_millisecond);
        // Short-lived ones must not be got anew on each request.
        let until = (expires.saturating_sub(RENEW_MILLIS)).max(now + 10_000).min(expires.max(now));
        let credentials =
            sigv4::Credentials::new(found.access_key_id, found.secret_access_key, found.token);
        Ok((credentials, until))
    }
}

/// The keys that an on-premises file has now; nothing while it is being edited.
fn of_user(on_premises: &Utf8Path) -> Option<sigv4::Credentials> {
    match identity::on_premises(on_premises).ok()??.keys {
        Keys::User { access_key, secret, .. } => {
            Some(sigv4::Credentials::new(access_key, secret.0, None))
        }
        Keys::InstanceRole | Keys::Own { .. } | Keys::SessionFile { .. } => None,
    }
}

/// The credentials in the environment, as the AWS tools read them.
pub fn from_environment() -> Option<sigv4::Credentials> {
    let get = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let access_key = get("AWS_ACCESS_KEY_ID").or_else(|| get("AWS_ACCESS_KEY"))?;
    let secret = get("AWS_SECRET_ACCESS_KEY").or_else(|| get("AWS_SECRET_KEY"))?;
    Some(sigv4::Credentials::new(access_key, secret, get("AWS_SESSION_TOKEN")))
}

/// The credentials in a file in the format of `~/.aws/credentials`: the profile in `AWS_PROFILE`, else `default`.
///
/// # Errors
/// The file cannot be read or has no such profile.
pub fn from_file(path: &Utf8Path) -> Result<sigv4::Credentials, CredentialsError> {
    let profile = env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
    let missing = || CredentialsError::File { path: path.to_owned() };
    let text = fs::read_to_string(path).map_err(|_| missing())?;
    profile_in(&text, &profile).ok_or_else(missing)
}

fn profile_in(text: &str, profile: &str) -> Option<sigv4::Credentials> {
    let mut inside = false;
    let (mut access_key, mut secret, mut token) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name.trim() == profile;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside) {
            let value = Some(value.trim().to_owned());
            match key.trim() {
                "aws_access_key_id" => access_key = value,
                "aws_secret_access_key" => secret = value,
                "aws_session_token" => token = value,
                _ => {}
            }
        }
    }
    Some(sigv4::Credentials::new(access_key?, secret?, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_from_among_others() {
        let text = "[other]\naws_access_key_id=A\n\n[default]\naws_access_key_id = B\naws_secret_access_key = s=x\n# c\naws_session_token=t\n";
        let found = profile_in(text, "default").unwrap();
        assert_eq!((found.access_key.as_str(), found.secret_key.as_str()), ("B", "s=x"));
        assert_eq!(found.session_token.as_deref(), Some("t"));
        assert!(profile_in(text, "other").is_none());
    }
}
