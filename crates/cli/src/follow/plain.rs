//! A deployment in lines, one for each thing that happens: for pipes and logs.

use std::collections::BTreeMap;

use super::{Ended, Seen, describe};
use crate::output;
use crate::words::{self, text};

/// What was told already.
#[derive(Debug, Default)]
pub struct Lines {
    status: Option<String>,
    reasons: Vec<String>,
    hosts: BTreeMap<String, String>,
    events: BTreeMap<(String, String), String>,
    is_away: bool,
}

impl Lines {
    /// Prints what is new.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn tell(&mut self, seen: &Seen, away: Option<&str>) -> anyhow::Result<()> {
        let now = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
        let lines = self.news(seen, away);
        output::print(&lines.iter().map(|line| format!("{now}  {line}\n")).collect::<String>())
    }

    fn news(&mut self, seen: &Seen, away: Option<&str>) -> Vec<String> {
        let mut lines = Vec::new();
        if away.is_some() != self.is_away {
            self.is_away = away.is_some();
            lines.push(match away {
                Some(reason) => format!("{reason}; trying again"),
                None => "the server answers again".to_owned(),
            });
        }
        if away.is_some() {
            return lines;
        }
        for (name, host) in &seen.hosts {
            lines.extend(self.news_of_host(name, host));
        }
        if self.status != seen.info.status {
            self.status.clone_from(&seen.info.status);
            lines.push(format!(
                "{}  {}",
                describe::title(&seen.info),
                text(seen.info.status.as_ref())
            ));
            if Ended::of(&seen.info).is_some() && !seen.hosts.is_empty() {
                lines.push(counts(seen));
            }
        }
        for reason in describe::reasons(&seen.info) {
            if !self.reasons.contains(&reason) {
                lines.push(reason.clone());
                self.reasons.push(reason);
            }
        }
        lines
    }

    fn news_of_host(&mut self, name: &str, host: &wire::codedeploy::InstanceTarget) -> Vec<String> {
        let mut lines = Vec::new();
        for event in host.lifecycle_events.iter().flatten() {
            let (called, status) =
                (text(event.lifecycle_event_name.as_ref()), text(event.status.as_ref()));
            let told = self.events.entry((name.to_owned(), called.to_owned())).or_default();
            if told == status || !matches!(status, "InProgress" | "Succeeded" | "Failed") {
                continue;
            }
            status.clone_into(told);
            let took = match event.end_time {
                Some(_) => format!("  {}", words::between(event.start_time, event.end_time)),
                None => String::new(),
            };
            lines.push(format!("{name}  {called}  {status}{took}"));
        }
        let status = text(host.status.as_ref());
        let told = self.hosts.entry(name.to_owned()).or_default();
        if told != status {
            status.clone_into(told);
            if describe::is_done(host) {
                lines.push(format!("{name}  {status}"));
                lines.extend(describe::problem(host).map(|problem| format!("{name}  {problem}")));
                let tail = describe::log_tail(host).into_iter();
                lines.extend(tail.map(|line| format!("{name}  | {line}")));
            }
        }
        lines
    }
}

/// How many hosts ended how.
fn counts(seen: &Seen) -> String {
    let of = |status: &str| {
        seen.hosts.values().filter(|host| host.status.as_deref() == Some(status)).count()
    };
    let took = words::between(seen.info.start_time, seen.info.complete_time);
    format!(
        "{} hosts: {} succeeded, {} failed, {} skipped{}",
        seen.hosts.len(),
        of("Succeeded"),
        of("Failed"),
        of("Skipped"),
        if took.is_empty() { took } else { format!("; it took {took}") }
    )
}

#[cfg(test)]
mod tests {
    use wire::codedeploy::{InstanceTarget, LifecycleEvent};

    use super::*;

    fn host(status: &str, event: &str) -> InstanceTarget {
        let event = LifecycleEvent {
            lifecycle_event_name: Some("Install".to_owned()),
            status: Some(event.to_owned()),
            ..Default::default()
        };
        InstanceTarget {
            status: Some(status.to_owned()),
            lifecycle_events: Some(vec![event]),
            ..Default::default()
        }
    }

    #[test]
    fn each_thing_is_told_once() {
        let mut lines = Lines::default();
        let mut seen = Seen::default();
        seen.info.status = Some("InProgress".to_owned());
        seen.hosts.insert("web-01".to_owned(), host("InProgress", "InProgress"));
        assert_eq!(lines.news(&seen, None).len(), 2, "an event and a status");
        assert_eq!(lines.news(&seen, None), Vec::<String>::new());
        assert_eq!(lines.news(&seen, Some("gone")), ["gone; trying again"]);
        assert_eq!(lines.news(&seen, Some("gone")), Vec::<String>::new());
        seen.hosts.insert("web-01".to_owned(), host("Succeeded", "Succeeded"));
        assert_eq!(
            lines.news(&seen, None),
            ["the server answers again", "web-01  Install  Succeeded", "web-01  Succeeded"]
        );
    }
}
