//! The errors that JSON services answer with.

#[path = "error/generated.rs"]
mod generated;

use std::fmt;

pub use generated::ErrorCode;

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ErrorCode {
    /// The error of that name, if it is one of ours.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// A refusal in the service's own words: what the caller reads, and what it branches on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The documented name.
    pub code: ErrorCode,
    /// One or more sentences for the caller.
    pub message: String,
}

impl ServiceError {
    /// A refusal with that name and text.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_reference_and_faults_are_ours() {
        assert_eq!(ErrorCode::ApplicationDoesNotExist.name(), "ApplicationDoesNotExistException");
        assert_eq!(ErrorCode::InternalFailure.name(), "InternalFailure");
        assert_eq!(ErrorCode::ApplicationDoesNotExist.status(), 400);
        assert_eq!(ErrorCode::Server.status(), 500);
        assert_eq!(ErrorCode::InternalFailure.status(), 500);
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_name(code.name()), Some(*code));
        }
    }
}
