//! Why a page cannot be shown.

use http::StatusCode;

use crate::app::Failure;
use crate::forms::records::RecordError;
use crate::http::permissions::PermissionError;
use crate::iam::AuthorizeError;
use store::StoreError;
use wire::{ErrorCode, ServiceError};

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignIn,
    /// There is nothing at this path.
    #[error("{0}")]
    NotFound(String),
    /// The form was not made for this session, or came from another site.
    #[error("the form is not from a page of this session")]
    ForeignForm,
    /// The service refused, in its own words.
    #[error(transparent)]
    Refused(#[from] ServiceError),
    /// Ours.
    #[error("{what} failed")]
    Internal {
        /// What failed.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Problem {
    /// A failure of ours, with its cause.
    pub fn internal(
        what: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Internal { what, source: Box::new(source) }
    }

    /// The status of the page that says so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::Refused(error) if error.code == ErrorCode::AccessDenied => StatusCode::FORBIDDEN,
            Self::Refused(error) if error.code.name().contains("DoesNotExist") => {
                StatusCode::NOT_FOUND
            }
            Self::Refused(_) => StatusCode::BAD_REQUEST,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => Self::Refused(error),
            Failure::Store(error) => error.into(),
            Failure::Internal { what, source } => Self::Internal { what, source },
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // A visitor's own link, mangled.
            StoreError::Cursor(_) => Self::NotFound("There is no such page of this list.".into()),
            error => Self::internal("the store", error),
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        Self::internal("the store", error)
    }
}

impl From<PermissionError> for Problem {
    fn from(error: PermissionError) -> Self {
        match error {
            PermissionError::Authorize(AuthorizeError::Denied(denied)) => {
                Self::Refused(ServiceError::new(ErrorCode::AccessDenied, denied.to_string()))
            }
            PermissionError::Authorize(AuthorizeError::Unknown(error)) => error.into(),
            PermissionError::Store(error) => error.into(),
        }
    }
}
