//! What the form services answer when they refuse.

use std::borrow::Cow;
use std::error::Error;

use store::StoreError;

/// What callers of every service are told when the database's disk is full.
pub const NO_SPACE_LEFT: &str = "There is no space left on the disk that holds the database; nothing of the request was \
                                 stored. Make room, and try again.";

/// A refusal, as each service's own error document shows it.
///
/// The code is the contract; the message is for people. A cause is never shown to the caller: the edge logs it
/// under the request's id.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The documented name, for example `NoSuchEntity`.
    pub code: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What failed, on what, and what to do.
    pub message: String,
    /// What lay behind an unforeseen failure.
    #[source]
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// A refusal with a documented code.
    pub fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), status, message: message.into(), cause: None }
    }

    /// The caller's mistake: status 400.
    pub fn client(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A failure of ours: the caller learns no more than that, and whether it is for want of room; the log learns the
    /// cause.
    pub fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        let message = if StoreError::is_full_behind(&cause) {
            NO_SPACE_LEFT
        } else {
            "The request could not be completed because of an internal error. Try again."
        };
        Self {
            code: "InternalFailure".into(),
            status: 500,
            message: message.into(),
            cause: Some(Box::new(cause)),
        }
    }

    /// An action that the service does not serve.
    pub fn unknown_action(service: &str, action: &str) -> Self {
        Self::client("InvalidAction", format!("The action {action} is not valid for {service}."))
    }
}
