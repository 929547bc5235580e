//! Writes our own service model as botocore reads one, so that a stranger's boto3 or `aws` CLI can call it.

use anyhow::Context;
use serde_json::{Value, json};

/// The text of a `service-2.json`: the condensed model with the references that botocore wants as objects.
pub fn service(model: &Value) -> anyhow::Result<String> {
    let mut service = json!({
        "version": "2.0",
        "metadata": model["metadata"],
        "operations": model["operations"],
        "shapes": model["shapes"],
        "documentation": model["documentation"],
    });
    let operations = service["operations"].as_object_mut().context("no operations")?;
    for operation in operations.values_mut() {
        for end in ["input", "output"] {
            if let Some(shape) = operation.get(end).cloned() {
                operation[end] = json!({ "shape": shape });
            }
        }
        let errors = operation["errors"].as_array().cloned().unwrap_or_default();
        operation["errors"] = errors.into_iter().map(|error| json!({ "shape": error })).collect();
    }
    Ok(serde_json::to_string_pretty(&service)? + "\n")
}
