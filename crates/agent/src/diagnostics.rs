//! What a completion says about how a command went.

use serde::{Deserialize, Serialize};

/// Longest payload that the service takes, in characters. Source: command service model, `Envelope`.
const PAYLOAD_MAX: usize = 8192;

/// The diagnostics of a finished command. The order of members is part of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What kind of end it was; see the constants.
    pub error_code: u8,
    /// The script that failed, as its AppSpec names it; empty if none did.
    pub script_name: String,
    /// One sentence.
    pub message: String,
    /// The last of the scripts' output; empty for a success.
    pub log: String,
}

/// Everything went well.
pub const SUCCESS: u8 = 0;
/// A hook's script is not there.
pub const SCRIPT_MISSING: u8 = 1;
/// A hook's script cannot be made executable.
pub const SCRIPT_NOT_EXECUTABLE: u8 = 2;
/// A hook's script ran longer than its timeout.
pub const SCRIPT_TIMED_OUT: u8 = 3;
/// A hook's script failed or could not be started.
pub const SCRIPT_FAILED: u8 = 4;
/// Anything else.
pub const UNKNOWN: u8 = 5;
/// The agent was ended while the command ran.
pub const FAILED_AFTER_RESTART: u8 = 7;

impl Report {
    /// The report of a success.
    pub fn success() -> Self {
        Self {
            error_code: SUCCESS,
            script_name: String::new(),
            message: "Succeeded".to_owned(),
            log: String::new(),
        }
    }

    /// The report of a command that had nothing to do, to a service that takes it for failed. Source: official agent.
    pub fn completed_noop() -> Self {
        Self { message: "Succeeded: CompletedNoopCommand".to_owned(), ..Self::success() }
    }

    /// The report of a failure that is no script's.
    pub fn failure(message: impl Into<String>) -> Self {
        Self {
            error_code: UNKNOWN,
            script_name: String::new(),
            message: message.into(),
            log: String::new(),
        }
    }

    /// The report of a command during which the agent was ended.
    pub fn interrupted(event: &str) -> Self {
        let message = format!(
            "Failed: Failing in-progress lifecycle event after an agent restart. The event was {event}"
        );
        Self { error_code: FAILED_AFTER_RESTART, ..Self::failure(message) }
    }

    /// Whether the command succeeded.
    pub fn succeeded(&self) -> bool {
        self.error_code == SUCCESS
    }

    /// The payload as the service takes it: JSON of at most 8,192 characters; the oldest of the log gives way.
    pub fn payload(&self) -> String {
        let mut report = self.clone();
        shorten(&mut report.message, 3000);
        loop {
            let text = serde_json::to_string(&report).expect("a report is plain text and a number");
            let excess = text.chars().count().saturating_sub(PAYLOAD_MAX);
            if excess == 0 || report.log.is_empty() {
                return text;
            }
            // A control character takes six in JSON: a sixth of the excess is the least that may have to go.
            let drop = excess.div_ceil(6).max(64);
            let at = report.log.char_indices().nth(drop).map_or(report.log.len(), |(at, _)| at);
            report.log.drain(..at);
        }
    }
}

fn shorten(text: &mut String, characters_max: usize) {
    if let Some((at, _)) = text.char_indices().nth(characters_max) {
        text.truncate(at);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_has_its_members_in_order() {
        assert_eq!(
            Report::success().payload(),
            r#"{"error_code":0,"script_name":"","message":"Succeeded","log":""}"#
        );
    }

    #[test]
    fn a_long_log_loses_its_beginning_and_never_everything() {
        let log = format!("{}the end", "\u{1}".repeat(4000));
        let report = Report { log, error_code: SCRIPT_FAILED, ..Report::failure("x") };
        let payload = report.payload();
        assert!(payload.chars().count() <= PAYLOAD_MAX);
        let read: Report = serde_json::from_str(&payload).unwrap();
        assert!(read.log.ends_with("the end") && read.log.len() > 1000);
    }
}
