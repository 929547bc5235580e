//! The environment of a hook.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::secrets::Secrets;
use crate::spec::{Revision, Specification};
use crate::users::User;

/// What a script finds in its environment: the agent's own without its credentials, and what describes the deployment.
#[derive(Debug, Clone)]
pub struct Environment {
    event: String,
    variables: BTreeMap<OsString, OsString>,
    secrets: Secrets,
}

/// Variables that hold the agent's own secrets. The official agent hands them to every script; a script that needs
/// credentials has the instance's role, or brings its own.
const SECRETS: [&str; 11] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIALS_FILE",
    "AWS_CREDENTIAL_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];

/// Where programs are looked for if whoever started the agent did not say: init programs often give no environment at all.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The variables of an environment that hold none of the agent's secrets.
pub fn without_credentials(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    variables.filter(|(name, _)| !SECRETS.iter().any(|secret| name == OsStr::new(secret)))
}

impl Environment {
    /// The environment for an event of a deployment. The revision is always the current deployment's, even where the
    /// scripts come from an older one. Source: official agent.
    pub fn new(
        event: &str,
        specification: &Specification,
        inherited: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        let inherited: BTreeMap<_, _> = inherited.collect();
        // Also the agent's own, which scripts are not given: one that runs as root can find them all the same.
        let secrets = Secrets::of(&inherited);
        let mut variables: BTreeMap<_, _> = without_credentials(inherited.into_iter()).collect();
        variables.entry("PATH".into()).or_insert_with(|| PATH.into());
        let mut set = |name: &str, value: &str| {
            variables.insert(name.into(), value.into());
        };
        set("LIFECYCLE_EVENT", event);
        set("DEPLOYMENT_ID", &specification.deployment_id);
        set("APPLICATION_NAME", &specification.application_name);
        set("DEPLOYMENT_GROUP_NAME", &specification.deployment_group_name);
        set("DEPLOYMENT_GROUP_ID", &specification.deployment_group_id);
        match &specification.revision {
            Revision::S3 { bucket, key, version, etag, .. } => {
                set("BUNDLE_BUCKET", bucket);
                set("BUNDLE_KEY", key);
                if let Some(version) = version {
                    set("BUNDLE_VERSION", version);
                }
                if let Some(etag) = etag {
                    set("BUNDLE_ETAG", etag);
                }
            }
            Revision::GitHub { commit, .. } => set("BUNDLE_COMMIT", commit),
            Revision::LocalFile { .. } | Revision::LocalDirectory { .. } => {}
        }
        Self { event: event.to_owned(), variables, secrets }
    }

    /// The event's name.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// What is not to be seen in the output of scripts.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The variables for a script run as `user`: as `su` sets them, home, shell and name are the user's.
    pub fn variables(&self, user: Option<&User>) -> BTreeMap<OsString, OsString> {
        let mut variables = self.variables.clone();
        if let Some(user) = user {
            variables.insert("HOME".into(), (&user.home).into());
            variables.insert("SHELL".into(), (&user.shell).into());
            variables.insert("USER".into(), (&user.name).into());
            variables.insert("LOGNAME".into(), (&user.name).into());
        }
        variables
    }
}
