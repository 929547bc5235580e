//! A deployment as lines of a screen of a given size: a function of what was seen.

use console::{measure_text_width, pad_str, style, truncate_str};
use wire::codedeploy::InstanceTarget;

use super::{Seen, describe};
use crate::words::{self, text};

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub rows: usize,
    pub columns: usize,
}

/// How wide the bar of a host is, and where the terminal is too narrow for one.
const HOST_BAR: usize = 10;
const NARROW: usize = 60;

/// The lines to show: none wider than the screen, and together never more than it has, but one for the cursor.
pub fn lines(seen: &Seen, away: Option<&str>, size: Size) -> Vec<String> {
    let info = &seen.info;
    let status = coloured(text(info.status.as_ref()), text(info.status.as_ref()));
    let took = words::between(info.start_time.or(info.create_time), info.complete_time);
    let mut top = vec![format!("{}  {status}  {took}", style(describe::title(info)).bold())];
    top.push(overall(seen, size.columns));
    let mut bottom = describe::reasons(info);
    bottom.truncate(4);
    bottom.extend(away.map(|reason| style(format!("{reason}; trying again")).yellow().to_string()));
    let room = size.rows.saturating_sub(top.len() + bottom.len() + 2).max(1);
    let mut all = top;
    all.extend(hosts(seen, room, size.columns));
    all.extend(bottom);
    all.iter().map(|line| fitted(line, size.columns)).collect()
}

/// A line that ends before the last column, where terminals differ about what follows.
fn fitted(line: &str, columns: usize) -> String {
    truncate_str(line, columns.saturating_sub(1), "…").into_owned()
}

/// The bar of the whole deployment, and the numbers behind it.
fn overall(seen: &Seen, columns: usize) -> String {
    let of = |wanted: &[&str]| {
        let is = |host: &&InstanceTarget| wanted.contains(&text(host.status.as_ref()));
        seen.hosts.values().filter(is).count()
    };
    let (succeeded, failed, skipped) = (of(&["Succeeded"]), of(&["Failed"]), of(&["Skipped"]));
    let running = of(&["InProgress", "Ready"]);
    let all = seen.hosts.len();
    let mut numbers = format!("{succeeded}/{all} succeeded");
    for (count, word) in [(running, "running"), (failed, "failed"), (skipped, "skipped")] {
        if count > 0 {
            numbers.push_str(&format!(", {count} {word}"));
        }
    }
    let width = columns.saturating_sub(measure_text_width(&numbers) + 5).min(60);
    if width < 8 || all == 0 {
        return numbers;
    }
    format!("[{}] {numbers}", bar(&[(succeeded, '█'), (failed, '✗'), (running, '▒')], all, width))
}

/// Parts of a whole in a width; each part that is there has one character at least.
fn bar(parts: &[(usize, char)], all: usize, width: usize) -> String {
    let mut drawn = String::new();
    let mut used = 0;
    for (count, character) in parts {
        let wanted = if *count == 0 { 0 } else { (count * width / all).max(1) };
        let wanted = wanted.min(width - used);
        drawn.extend(std::iter::repeat_n(*character, wanted));
        used += wanted;
    }
    // A whole that is done is shown whole, whatever was rounded away.
    let fill = match parts {
        [(count, character), ..] if *count == all => *character,
        _ => '·',
    };
    drawn.extend(std::iter::repeat_n(fill, width - used));
    drawn
}

/// The hosts that fit, those first that a person must see: failed ones, then running ones.
fn hosts(seen: &Seen, room: usize, columns: usize) -> Vec<String> {
    let mut hosts: Vec<(&String, &InstanceTarget)> = seen.hosts.iter().collect();
    let hidden = hosts.len().saturating_sub(room);
    if hidden > 0 {
        hosts.sort_by_key(|(_, host)| urgency(host));
        // The last line tells how many are not shown.
        hosts.truncate(room.saturating_sub(1));
        hosts.sort_by_key(|(name, _)| *name);
    }
    let longest = hosts.iter().map(|(name, _)| measure_text_width(name)).max().unwrap_or(0);
    let name_width = longest.min(columns / 3).max(4);
    let mut lines: Vec<String> =
        hosts.iter().map(|(name, host)| self::host(name, host, name_width, columns)).collect();
    if hidden > 0 {
        let not_shown = seen.hosts.len() - lines.len();
        lines.push(style(format!("… and {not_shown} more")).dim().to_string());
    }
    lines
}

fn urgency(host: &InstanceTarget) -> u8 {
    match host.status.as_deref() {
        Some("Failed") => 0,
        Some("InProgress" | "Ready" | "Unknown") => 1,
        Some("Pending") => 2,
        _ => 3,
    }
}

/// One host: how far it is, and what it is at.
fn host(name: &str, host: &InstanceTarget, name_width: usize, columns: usize) -> String {
    let status = text(host.status.as_ref());
    let events = host.lifecycle_events.as_deref().unwrap_or_default();
    let over = events
        .iter()
        .filter(|event| matches!(event.status.as_deref(), Some("Succeeded" | "Skipped")))
        .count();
    let event = describe::current_event(host);
    let doing = match (status, event) {
        ("InProgress", Some(event)) => {
            let took = words::between(event.start_time, event.end_time);
            format!("{} {took}", text(event.lifecycle_event_name.as_ref()))
        }
        ("Failed", event) => {
            let at = event.map_or("", |event| text(event.lifecycle_event_name.as_ref()));
            format!("failed in {at}: {}", describe::problem(host).unwrap_or_default())
        }
        (status, _) => status.to_lowercase(),
    };
    let name = truncate_str(name, name_width, "…");
    let name = pad_str(&name, name_width, console::Alignment::Left, None);
    let doing = coloured(status, &doing);
    if columns < NARROW || events.is_empty() {
        return format!("{name}  {doing}");
    }
    format!("{name}  {}  {doing}", bar(&[(over, '█')], events.len(), HOST_BAR))
}

/// Text in the colour of a status.
fn coloured(status: &str, words: &str) -> String {
    let words = style(words);
    match status {
        "Succeeded" => words.green(),
        "Failed" => words.red(),
        "Stopped" | "Unknown" => words.yellow(),
        "InProgress" | "Ready" => words.cyan(),
        _ => words.dim(),
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(hosts: usize) -> Seen {
        let mut seen = Seen::default();
        seen.info.status = Some("InProgress".to_owned());
        for at in 0..hosts {
            let status = match at {
                7 => "Failed",
                0..5 => "Succeeded",
                _ => "Pending",
            };
            let host = InstanceTarget { status: Some(status.to_owned()), ..Default::default() };
            seen.hosts.insert(format!("host-with-a-long-name-{at:02}"), host);
        }
        seen
    }

    #[test]
    fn nothing_is_wider_or_higher_than_the_screen() {
        for (rows, columns) in [(24, 80), (10, 30), (5, 12), (50, 200), (3, 1)] {
            let lines = lines(&seen(40), Some("the server is away"), Size { rows, columns });
            assert!(lines.len() < rows.max(6), "{rows} rows: {}", lines.len());
            for line in lines {
                assert!(measure_text_width(&line) < columns.max(2), "{columns}: {line}");
            }
        }
    }

    #[test]
    fn a_failed_host_is_shown_where_not_all_fit() {
        let lines = lines(&seen(40), None, Size { rows: 10, columns: 80 });
        assert!(lines.iter().any(|line| line.contains("long-name-07")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("more")), "{lines:?}");
    }

    #[test]
    fn a_bar_shows_each_part_and_is_full_at_the_end() {
        assert_eq!(bar(&[(1, '#'), (1, '!')], 100, 10), "#!········");
        assert_eq!(bar(&[(3, '#'), (0, '!')], 3, 10), "##########");
        assert_eq!(bar(&[(0, '#')], 3, 4), "····");
    }
}
