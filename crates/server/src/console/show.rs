//! How values look: points in time, durations, statuses.

use std::fmt;
use std::time::Duration;

use askama::filters::HtmlSafe;
use model::{DeploymentStatus, EventState, Revision, TargetStatus, Timestamp};

/// A point in time, to the second, in UTC.
#[derive(Debug, Clone, Copy)]
pub struct When(pub Timestamp);

impl When {
    fn utc(self) -> Option<jiff::Zoned> {
        let at = jiff::Timestamp::from_millisecond(self.0.as_millis()).ok()?;
        Some(at.to_zoned(jiff::tz::TimeZone::UTC))
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.utc() {
            Some(at) => write!(
                f,
                "<time datetime=\"{}\">{}</time>",
                at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                at.strftime("%Y-%m-%d %H:%M:%S")
            ),
            None => f.write_str("at no time"),
        }
    }
}

impl HtmlSafe for When {}

/// A duration in the two units that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasted(pub Duration);

impl fmt::Display for Lasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600, seconds / 60);
        if seconds < 10 {
            write!(f, "{:.1} s", self.0.as_secs_f64())
        } else if minutes == 0 {
            write!(f, "{seconds} s")
        } else if hours == 0 {
            write!(f, "{minutes} min {:02} s", seconds % 60)
        } else if days == 0 {
            write!(f, "{hours} h {:02} min", minutes % 60)
        } else {
            write!(f, "{days} d {} h", hours % 24)
        }
    }
}

impl HtmlSafe for Lasted {}

/// How long ago something was.
#[derive(Debug, Clone, Copy)]
pub struct Ago {
    pub at: Timestamp,
    pub now: Timestamp,
}

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.now.since(self.at).as_secs();
        match seconds {
            0..10 => f.write_str("just now"),
            10..120 => write!(f, "{seconds} s ago"),
            120..7200 => write!(f, "{} min ago", seconds / 60),
            7200..172_800 => write!(f, "{} h ago", seconds / 3600),
            _ => write!(f, "{} d ago", seconds / 86_400),
        }
    }
}

impl HtmlSafe for Ago {}

/// A status as it is shown: a shape, a colour and a word, each enough by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    /// The style sheet's name of shape and colour.
    pub look: &'static str,
    pub word: &'static str,
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span class=\"badge {}\">{}</span>", self.look, self.word)
    }
}

impl HtmlSafe for Badge {}

impl Badge {
    /// Of a deployment.
    pub const fn deployment(status: DeploymentStatus) -> Self {
        match status {
            DeploymentStatus::Created => Self { look: "wait", word: "Created" },
            DeploymentStatus::Queued => Self { look: "wait", word: "Queued" },
            DeploymentStatus::InProgress => Self { look: "run", word: "In progress" },
            DeploymentStatus::Baking => Self { look: "run", word: "Baking" },
            DeploymentStatus::Ready => Self { look: "ready", word: "Ready" },
            DeploymentStatus::Succeeded => Self { look: "ok", word: "Succeeded" },
            DeploymentStatus::Failed => Self { look: "bad", word: "Failed" },
            DeploymentStatus::Stopped => Self { look: "stop", word: "Stopped" },
        }
    }

    /// Of a target.
    pub const fn target(status: TargetStatus) -> Self {
        match status {
            TargetStatus::Pending => Self { look: "wait", word: "Pending" },
            TargetStatus::InProgress => Self { look: "run", word: "In progress" },
            TargetStatus::Ready => Self { look: "ready", word: "Ready" },
            TargetStatus::Succeeded => Self { look: "ok", word: "Succeeded" },
            TargetStatus::Failed => Self { look: "bad", word: "Failed" },
            TargetStatus::Skipped => Self { look: "skip", word: "Skipped" },
        }
    }

    /// Of a lifecycle event.
    pub const fn event(state: &EventState) -> Self {
        match state {
            EventState::Pending => Self { look: "wait", word: "Pending" },
            EventState::InProgress { .. } => Self { look: "run", word: "In progress" },
            EventState::Succeeded { .. } => Self { look: "ok", word: "Succeeded" },
            EventState::Failed { .. } => Self { look: "bad", word: "Failed" },
            EventState::Skipped { .. } => Self { look: "skip", word: "Skipped" },
        }
    }
}

/// How long an event has lasted: from when its command was queued to its end, or to now.
pub fn event_lasted(state: &EventState, now: Timestamp) -> Option<Lasted> {
    match state {
        EventState::Pending | EventState::Skipped { .. } => None,
        EventState::InProgress { dispatched, .. } => Some(Lasted(now.since(*dispatched))),
        EventState::Succeeded { started, ended } | EventState::Failed { started, ended, .. } => {
            Some(Lasted(ended.since(*started)))
        }
    }
}

/// For how many seconds an event has been running; nothing of one that does not.
pub fn running_seconds(state: &EventState, now: Timestamp) -> Option<f64> {
    match state {
        EventState::InProgress { dispatched, .. } => Some(now.since(*dispatched).as_secs_f64()),
        EventState::Pending
        | EventState::Succeeded { .. }
        | EventState::Failed { .. }
        | EventState::Skipped { .. } => None,
    }
}

/// A revision in one line, short enough for a table: an object with its version, a repository with the beginning of a
/// commit.
pub fn revision(revision: &Revision) -> String {
    match revision {
        Revision::S3 { bucket, key, version, .. } => match version {
            Some(version) => format!("s3://{bucket}/{key} @{}", beginning(version, 8)),
            None => format!("s3://{bucket}/{key}"),
        },
        Revision::GitHub { repository, commit_id } => {
            format!("{repository}@{}", beginning(commit_id, 7))
        }
    }
}

fn beginning(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// A text as a part of a path or a query.
pub fn encoded(text: impl fmt::Display) -> String {
    percent_encoding::utf8_percent_encode(&text.to_string(), percent_encoding::NON_ALPHANUMERIC)
        .to_string()
}

/// `1 host`, `2 hosts`.
pub fn counted(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_ages_have_the_units_that_matter() {
        for (millis, text) in [
            (0, "0.0 s"),
            (1_240, "1.2 s"),
            (59_999, "59 s"),
            (65_000, "1 min 05 s"),
            (3_600_000, "1 h 00 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(Lasted(Duration::from_millis(millis)).to_string(), text);
        }
        let now = Timestamp::from_millis(1_000_000_000);
        let ago = |seconds| Ago { at: now - Duration::from_secs(seconds), now }.to_string();
        assert_eq!(
            [ago(3), ago(60), ago(300), ago(7200)],
            ["just now", "60 s ago", "5 min ago", "2 h ago"]
        );
    }

    #[test]
    fn a_time_is_shown_to_the_second() {
        let shown = When(Timestamp::from_millis(1_795_381_445_250)).to_string();
        assert_eq!(shown, "<time datetime=\"2026-11-22T21:04:05Z\">2026-11-22 21:04:05</time>");
    }
}
