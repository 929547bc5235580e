//! How a call can fail, and what an operator can do about it.

use std::time::Duration;

use serde_json::Value;

use super::{Answer, SettingsError};

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing says where to ask.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The endpoint is none.
    #[error("`{endpoint}` is not a usable endpoint: {reason}")]
    Url { endpoint: String, reason: String },
    /// Nobody answered.
    #[error("the server at {endpoint} cannot be reached")]
    Unreachable {
        endpoint: String,
        #[source]
        source: anyhow::Error,
    },
    /// No answer came in time.
    #[error("the server at {endpoint} did not answer within {} s", after.as_secs())]
    TimedOut { endpoint: String, after: Duration },
    /// The server said no.
    #[error("{operation} was refused: {message} ({code})")]
    Refused { operation: String, code: String, message: String, status: u16 },
    /// The answer is none of the service's.
    #[error("{operation}: the answer cannot be read: {reason}")]
    Unreadable { operation: String, reason: String },
}

impl CallError {
    /// The name of the server's error.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the same call may well succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Refused { status, .. } => *status >= 500 || self.is_throttled(),
            Self::Settings(_) | Self::Url { .. } | Self::Unreadable { .. } => false,
        }
    }

    /// Whether the server was too busy to begin.
    pub fn is_throttled(&self) -> bool {
        self.code().is_some_and(|code| code.contains("Throttl") || code == "SlowDown")
    }

    /// What to do next, where that is known.
    pub fn advice(&self) -> Option<String> {
        let text = match self {
            Self::Settings(error) => return settings_advice(error),
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                "is the server running there? `longshore doctor` looks closer"
            }
            Self::Url { .. } => "an endpoint looks like http://127.0.0.1:7400",
            Self::Unreadable { .. } => "is it a longshore server that answers there?",
            Self::Refused { operation, code, .. } => match code.as_str() {
                "AccessDeniedException" | "AccessDenied" => {
                    return Some(format!(
                        "the policies of the user or role do not allow {operation}: who you are to the server tells `longshore doctor`"
                    ));
                }
                "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" => {
                    "the server does not know the access key; on its machine: eval \"$(longshore credentials --env)\""
                }
                "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestTimeTooSkewed" => {
                    "the secret key is another, or this machine's clock is wrong: `longshore doctor` tells which"
                }
                "ExpiredTokenException" | "ExpiredToken" => {
                    "the session is over: get new credentials"
                }
                "ApplicationDoesNotExistException" => {
                    "`longshore group list` shows the applications there are, and their groups"
                }
                "DeploymentGroupDoesNotExistException" => {
                    "`longshore group list --application NAME` shows the groups there are"
                }
                "DeploymentDoesNotExistException" | "InvalidDeploymentIdException" => {
                    "`longshore deployment list` shows the deployments there are"
                }
                "DeploymentAlreadyCompletedException" => {
                    "`longshore deployment get ID` tells how it ended; `deployment rollback ID` deploys what was there before"
                }
                "DeploymentLimitExceededException" => {
                    "the group has a running deployment: follow it by `longshore deployment watch ID`, or stop it"
                }
                "RevisionDoesNotExistException" => {
                    "`longshore push` uploads and registers a folder"
                }
                "UnknownOperationException" => {
                    "the server has no such operation: it is an older longshore, or none"
                }
                _ => return None,
            },
        };
        Some(text.to_owned())
    }
}

/// What to set.
pub fn settings_advice(error: &SettingsError) -> Option<String> {
    match error {
        SettingsError::NoEndpoint { .. } | SettingsError::NoCredentials { .. } => Some(
            "on the server's machine: eval \"$(longshore credentials --env)\"\nelsewhere: export AWS_ENDPOINT_URL=http://SERVER:7400 AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…, or a profile as for the aws CLI"
                .to_owned(),
        ),
        SettingsError::NoProfile { .. } | SettingsError::UnknownKind { .. } => None,
    }
}

/// The answer of a JSON operation.
pub fn json(operation: &str, answer: &Answer) -> Result<Value, CallError> {
    let body: Option<Value> = match answer.body.is_empty() {
        true => Some(Value::Object(serde_json::Map::new())),
        false => serde_json::from_slice(&answer.body).ok(),
    };
    let (status, operation) = (answer.status, operation.to_owned());
    let body = body.ok_or_else(|| CallError::Unreadable {
        operation: operation.clone(),
        reason: format!("HTTP {status}, and no JSON"),
    })?;
    if status == 200 {
        return Ok(body);
    }
    let code = body["__type"].as_str().or_else(|| answer.header("x-amzn-errortype"));
    let code = code.unwrap_or("UnknownError");
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code).to_owned();
    let message = body["message"].as_str().or_else(|| body["Message"].as_str());
    let message = message.unwrap_or_default().trim_end_matches('.').to_owned();
    Err(CallError::Refused { operation, code, message, status })
}

/// Fails if the answer of an operation that answers in XML is an error.
pub fn xml(operation: &str, answer: &Answer) -> Result<(), CallError> {
    if answer.status < 300 {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&answer.body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.to_owned())
    };
    let status = answer.status;
    let code = element("Code").unwrap_or_else(|| match status {
        404 => "NotFound".to_owned(),
        403 => "AccessDenied".to_owned(),
        _ => format!("HTTP {status}"),
    });
    let message = element("Message").unwrap_or_default().trim_end_matches('.').to_owned();
    Err(CallError::Refused { operation: operation.to_owned(), code, message, status })
}
