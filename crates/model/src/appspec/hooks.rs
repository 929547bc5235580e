//! The `hooks` section.

use std::time::Duration;

use super::error::{AppSpecError, Problem};
use super::yaml::{Node, Value, present};

/// How long a script may run where its AppSpec does not say. Source: official agent; the guide's 30 minutes on one page
/// are not what it does.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3600);

/// A script bound to a lifecycle event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Path in the revision, as written, without white space around it.
    pub location: String,
    /// The user to run it as; the agent's own where absent. An empty text counts as set.
    pub runas: Option<String>,
    /// Whether to run it through `sudo`.
    pub sudo: bool,
    /// How long it may run; at least a second.
    pub timeout: Duration,
}

/// Scripts by the name of their lifecycle event, in file order. Names are not checked: a deployment may know its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookTable(Vec<(String, Vec<Hook>)>);

impl HookTable {
    /// The scripts of an event, in the order in which they run.
    pub fn of(&self, event: &str) -> &[Hook] {
        self.0.iter().find(|(name, _)| name == event).map_or(&[], |(_, hooks)| hooks)
    }

    /// The events that the AppSpec names, with their scripts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Hook])> {
        self.0.iter().map(|(name, hooks)| (name.as_str(), hooks.as_slice()))
    }
}

pub(super) fn parse(node: Option<&Node>) -> Result<HookTable, AppSpecError> {
    let Some(node) = present(node) else { return Ok(HookTable::default()) };
    let Value::Mapping(pairs) = &node.value else {
        return Err(Problem::shape("hooks", "a mapping", node).at(node.at));
    };
    let mut table = Vec::new();
    for (event, scripts) in pairs {
        if present(Some(scripts)).is_none() {
            continue;
        }
        let name = event.text();
        let items = Node::items(Some(scripts), &format!("the hook list of {name}"))?;
        table.push((name, items.iter().map(hook).collect::<Result<_, _>>()?));
    }
    Ok(HookTable(table))
}

fn hook(node: &Node) -> Result<Hook, AppSpecError> {
    let Value::Mapping(_) = node.value else {
        return Err(Problem::shape("a script of hooks", "a mapping", node).at(node.at));
    };
    let location = trimmed(node.get("location")).unwrap_or_default();
    if location.is_empty() {
        return Err(Problem::NoLocation.at(node.at));
    }
    Ok(Hook {
        location,
        runas: trimmed(present(node.get("runas"))),
        sudo: present(node.get("sudo")).is_some_and(|node| node.value != Value::Bool(false)),
        timeout: timeout(node.get("timeout"))?,
    })
}

fn trimmed(node: Option<&Node>) -> Option<String> {
    node.map(|node| {
        node.text().trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0').to_owned()
    })
}

fn timeout(node: Option<&Node>) -> Result<Duration, AppSpecError> {
    let Some(node) = present(node).filter(|node| node.value != Value::Bool(false)) else {
        return Ok(TIMEOUT_DEFAULT);
    };
    let seconds = match &node.value {
        Value::Integer(number) => *number,
        // Truncating is meant: half a second is none, and none is an error.
        Value::Float(number) => number.trunc() as i64,
        Value::Text(text) => leading_integer(text),
        _ => 0,
    };
    match u64::try_from(seconds) {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::Timeout { found: node.text() }.at(node.at)),
    }
}

/// The number that a text begins with, as Ruby's `to_i` reads it; 0 if it begins with none.
fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    match &digits[..end] {
        "" => 0,
        number => sign * number.parse::<i64>().unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appspec::AppSpec;

    fn hooks(script: &str) -> Result<Hook, String> {
        let text =
            format!("version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - {script}\n  Empty:\n");
        AppSpec::parse(text.as_bytes())
            .map(|spec| spec.hooks.of("AfterInstall")[0].clone())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn timeouts_are_read_as_ruby_reads_numbers() {
        let seconds = |t: &str| {
            hooks(&format!("{{location: a, timeout: {t}}}")).map(|hook| hook.timeout.as_secs())
        };
        assert_eq!(seconds("300"), Ok(300));
        assert_eq!(seconds("300s"), Ok(300));
        assert_eq!(seconds("1.9"), Ok(1));
        assert_eq!(seconds("~"), Ok(3600));
        assert_eq!(seconds("1:30"), Ok(5400));
        assert_eq!(seconds("99999"), Ok(99999));
        for wrong in ["0", "0.5", "-3", "soon", "[1]", "{a: 1}"] {
            assert!(seconds(wrong).unwrap_err().contains("invalid timeout value"), "{wrong}");
        }
    }

    #[test]
    fn a_location_is_required_and_trimmed() {
        assert_eq!(hooks("location: ' s/a.sh '").unwrap().location, "s/a.sh");
        for wrong in ["timeout: 3", "location: ~", "location: '  '"] {
            assert!(hooks(wrong).unwrap_err().contains("no location value"), "{wrong}");
        }
        assert!(hooks("s/a.sh").unwrap_err().contains("must be a mapping"));
    }

    #[test]
    fn users_and_sudo() {
        assert_eq!(hooks("{location: a, runas: ' web '}").unwrap().runas.as_deref(), Some("web"));
        assert_eq!(hooks("{location: a, runas: ''}").unwrap().runas.as_deref(), Some(""));
        assert_eq!(hooks("{location: a, runas: ~}").unwrap().runas, None);
        assert!(hooks("{location: a, sudo: 'false'}").unwrap().sudo);
        assert!(!hooks("{location: a, sudo: false}").unwrap().sudo);
    }

    #[test]
    fn an_event_without_scripts_is_left_out() {
        let spec = AppSpec::parse(b"version: 0.0\nos: linux\nhooks: {A: ~, B: []}\n").unwrap();
        assert_eq!(spec.hooks.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["B"]);
    }
}
