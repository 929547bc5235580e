//! What agents say about the end of a command.

use model::{Diagnostics, DiagnosticsCode};
use serde_json::Value;
use wire::commands::Envelope;

/// The longest log tail that is kept, in characters. Source: CodeDeploy API reference, `Diagnostics.logTail`.
const LOG_TAIL_MAX: usize = 4096;
/// The longest message and script name that are kept, in characters.
const TEXT_MAX: usize = 4096;

/// Reads an agent's diagnostics. Whatever cannot be understood is shown as it came: the operator learns more from it
/// than from nothing.
pub fn read(succeeded: bool, envelope: Option<&Envelope>) -> Diagnostics {
    if succeeded {
        return Diagnostics::success();
    }
    let Some(payload) = envelope.and_then(|envelope| envelope.payload.as_deref()) else {
        return Diagnostics::unknown_error("The agent reported a failure without diagnostics");
    };
    match serde_json::from_str::<Value>(payload) {
        Ok(Value::Object(report)) => {
            let text = |name: &str| report.get(name).and_then(Value::as_str).unwrap_or_default();
            Diagnostics {
                code: code(report.get("error_code")),
                script_name: head(text("script_name"), TEXT_MAX),
                message: head(text("message"), TEXT_MAX),
                log_tail: tail(text("log"), LOG_TAIL_MAX),
            }
        }
        _ => Diagnostics::unknown_error(head(payload, TEXT_MAX)),
    }
}

/// The public name of an agent's number. Numbers beyond the public ones, and the text `Unknown` that the agent sends
/// when its report was not valid text, have none.
fn code(value: Option<&Value>) -> DiagnosticsCode {
    let index = value.and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let known = index.and_then(|index| DiagnosticsCode::ALL.get(index)).copied();
    // A failure is not a success, whatever its number says.
    known.filter(|code| *code != DiagnosticsCode::Success).unwrap_or(DiagnosticsCode::UnknownError)
}

fn head(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn tail(text: &str, most: usize) -> String {
    let skip = text.chars().count().saturating_sub(most);
    text.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(payload: &str) -> Diagnostics {
        let payload = Some(payload.to_owned());
        read(false, Some(&Envelope { format: Some("JSON".into()), payload }))
    }

    #[test]
    fn an_agents_report_becomes_the_public_one() {
        let report =
            r#"{"error_code":4,"script_name":"stop.sh","message":"exit 3","log":"[stderr]no"}"#;
        let diagnostics = failed(report);
        assert_eq!(diagnostics.code, DiagnosticsCode::ScriptFailed);
        assert_eq!(diagnostics.script_name, "stop.sh");
        assert_eq!(diagnostics.log_tail, "[stderr]no");
        assert_eq!(read(true, None), Diagnostics::success());
    }

    #[test]
    fn odd_reports_are_shown_as_far_as_they_go() {
        assert_eq!(failed(r#"{"error_code":7}"#).code, DiagnosticsCode::UnknownError);
        assert_eq!(failed(r#"{"error_code":0}"#).code, DiagnosticsCode::UnknownError);
        assert_eq!(failed(r#"{"error_code":"Unknown"}"#).code, DiagnosticsCode::UnknownError);
        assert_eq!(failed("boom").message, "boom");
        assert_eq!(read(false, None).code, DiagnosticsCode::UnknownError);
        let long = format!(r#"{{"error_code":4,"log":"{}end"}}"#, "x".repeat(5000));
        let log = failed(&long).log_tail;
        assert!(log.len() == LOG_TAIL_MAX && log.ends_with("end"));
    }
}
