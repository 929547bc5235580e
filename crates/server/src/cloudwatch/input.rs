//! Inputs, in whichever protocol they came.

use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::query::Tree;

use crate::forms::ApiError;

/// The input of one call.
#[derive(Debug, Clone)]
pub enum Input {
    /// From JSON or CBOR.
    Json(Value),
    /// From a form.
    Form(Tree),
}

impl Input {
    /// The input as the operation's type.
    ///
    /// # Errors
    /// It does not fit: a member is missing or of another type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let unfit = |error: String| ApiError::client("ValidationError", error);
        match self {
            Self::Json(value) => {
                serde_json::from_value(value.clone()).map_err(|error| unfit(error.to_string()))
            }
            Self::Form(tree) => tree.typed().map_err(|error| unfit(error.to_string())),
        }
    }

    /// The texts of a member that is a text or a list of texts; what is neither has none.
    pub fn texts(&self, member: &str) -> Vec<String> {
        match self {
            Self::Json(value) => match value.get(member) {
                Some(Value::String(text)) => vec![text.clone()],
                Some(Value::Array(items)) => {
                    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            },
            Self::Form(tree) => tree.texts(member).into_iter().map(str::to_owned).collect(),
        }
    }
}
