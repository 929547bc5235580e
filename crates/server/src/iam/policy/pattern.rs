//! Patterns: `*` stands for any run of characters, `?` for one, `${…}` for what is known about the request.

use super::evaluate::Facts;

/// One piece of a pattern. What a variable stands for is literal, even where it holds a `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Literal(char),
    AnyOne,
    AnyRun,
}

/// Whether `text` matches `pattern`, ignoring case and without variables: the rule for actions.
pub(super) fn matches_action(pattern: &str, text: &str) -> bool {
    matches(&pieces(&pattern.to_ascii_lowercase()), &text.to_ascii_lowercase())
}

/// Whether `text` matches `pattern`, minding case; variables stand for `facts` if given. A pattern with a variable
/// that has no value matches nothing.
pub(super) fn matches_text(pattern: &str, text: &str, facts: Option<&Facts>) -> bool {
    expand(pattern, facts).is_some_and(|pieces| matches(&pieces, text))
}

/// Whether `text` matches `pattern`, in which only `*` and `?` mean something.
pub(crate) fn matches_wildcards(pattern: &str, text: &str) -> bool {
    matches(&pieces(pattern), text)
}

/// Whether every one of the six parts of the ARN `text` matches that of `pattern`.
pub(super) fn matches_arn(pattern: &str, text: &str, facts: Option<&Facts>) -> bool {
    let Some(pieces) = expand(pattern, facts) else { return false };
    let patterns: Vec<&[Piece]> = pieces.splitn(6, |piece| *piece == Piece::Literal(':')).collect();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    patterns.len() == parts.len()
        && patterns.iter().zip(parts).all(|(pattern, part)| matches(pattern, part))
}

/// The text with its variables replaced, without wildcards; `None` if a variable has no value.
pub(super) fn literal(pattern: &str, facts: Option<&Facts>) -> Option<String> {
    let Some(facts) = facts else { return Some(pattern.to_owned()) };
    let mut out = String::new();
    for part in parts(pattern) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable(name) => out.push_str(&value_of(name, facts)?),
        }
    }
    Some(out)
}

fn expand(pattern: &str, facts: Option<&Facts>) -> Option<Vec<Piece>> {
    let Some(facts) = facts else { return Some(pieces(pattern)) };
    let mut out = Vec::new();
    for part in parts(pattern) {
        match part {
            Part::Text(text) => out.extend(pieces(text)),
            Part::Variable(name) => {
                out.extend(value_of(name, facts)?.chars().map(Piece::Literal));
            }
        }
    }
    Some(out)
}

fn pieces(text: &str) -> Vec<Piece> {
    let piece = |c| match c {
        '*' => Piece::AnyRun,
        '?' => Piece::AnyOne,
        other => Piece::Literal(other),
    };
    text.chars().map(piece).collect()
}

enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

fn parts(pattern: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        parts.push(Part::Text(&rest[..start]));
        parts.push(Part::Variable(&rest[start + 2..start + length]));
        rest = &rest[start + length + 1..];
    }
    parts.push(Part::Text(rest));
    parts
}

/// `*`, `?` and `$` stand for themselves; `key, 'default'` has a value in any case.
fn value_of(variable: &str, facts: &Facts) -> Option<String> {
    if matches!(variable, "*" | "?" | "$") {
        return Some(variable.to_owned());
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\''))),
        None => (variable.trim(), None),
    };
    match facts.get(key) {
        Some([only]) => Some(only.clone()),
        Some(_) | None => default.map(str::to_owned),
    }
}

/// Greedy matching that backs up to the last `*` only: linear in practice, quadratic at worst, never exponential.
fn matches(pattern: &[Piece], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut in_text) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(Piece::AnyRun) => {
                retry = Some((at + 1, in_text));
                at += 1;
            }
            Some(Piece::AnyOne) => {
                at += 1;
                in_text += 1;
            }
            Some(Piece::Literal(c)) if *c == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            Some(Piece::Literal(_)) | None => {
                let Some((after_run, from)) = retry else { return false };
                retry = Some((after_run, from + 1));
                at = after_run;
                in_text = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|piece| *piece == Piece::AnyRun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cross_slashes_and_colons() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/1:2", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "a--b--b-c", true),
            ("a*b*c", "a--c--b", false),
            ("ABC", "abc", false),
        ] {
            assert_eq!(matches_text(pattern, text, None), expected, "{pattern} on {text}");
        }
        assert!(matches_action("codedeploy:get*", "CodeDeploy:GetDeployment"));
        assert!(!matches_action("codedeploy:Get*", "codedeploy:CreateDeployment"));
    }

    #[test]
    fn variables_are_literal_and_must_have_a_value() {
        let facts = Facts::default().with("aws:username", "a*");
        let check = |pattern: &str, text: &str| matches_text(pattern, text, Some(&facts));
        assert!(check("home/${aws:username}/*", "home/a*/x"));
        assert!(!check("home/${aws:username}/*", "home/ab/x"));
        assert!(!check("${aws:userid}*", "x"));
        assert!(check("${aws:userid, 'none'}", "none"));
        assert!(check("${*}${?}${$}", "*?$"));
        assert!(!check("${*}", "x"));
        assert!(check("${unclosed", "${unclosed"));
        assert_eq!(literal("x/${aws:username}", Some(&facts)).as_deref(), Some("x/a*"));
    }

    #[test]
    fn the_parts_of_an_arn_are_matched_one_by_one() {
        let arn = "arn:aws:sns:us-east-1:123456789012:topic:x";
        assert!(matches_arn("arn:aws:sns:*:123456789012:*", arn, None));
        assert!(!matches_arn("arn:*:topic:x", arn, None));
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = "a*".repeat(60);
        assert!(!matches_text(&format!("{pattern}b"), &"a".repeat(2_000), None));
    }
}
