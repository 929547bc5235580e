//! What every operation's input has in common.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ServiceError;

/// An input that knows its limits.
pub trait Validate {
    /// Holds the input to the model's limits: what is required, lengths, alphabets, permitted values.
    ///
    /// The first that is broken is told, required members first, with the error that the operation declares for
    /// it. Rules that need more than the input itself are not checked here.
    fn validate(&self) -> Result<(), ServiceError>;
}

/// An input that belongs to exactly one operation.
pub trait Call: Validate + Serialize + DeserializeOwned {
    /// The service's enumeration of operations.
    type Operation;
    /// What a success answers.
    type Output: Serialize + DeserializeOwned + Default;
    /// The operation that takes this input.
    const OPERATION: Self::Operation;
}

/// The answer of an operation that answers with nothing: `{}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoOutput {}
