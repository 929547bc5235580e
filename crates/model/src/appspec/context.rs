//! SELinux contexts of a permission.

use super::error::{AppSpecError, Problem};
use super::yaml::{Node, Value, present};

/// An SELinux context to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityContext {
    /// The SELinux user. Both `user`, as the guide has it, and `name`, as the official agent reads it, set it.
    pub user: Option<String>,
    /// The type.
    pub kind: String,
    /// Levels and categories in canonical form, for example `s0-s1:c0.c4,c9`.
    pub range: Option<String>,
}

pub(super) fn parse(node: Option<&Node>) -> Result<Option<SecurityContext>, AppSpecError> {
    let Some(node) = present(node) else { return Ok(None) };
    let Value::Mapping(_) = node.value else {
        return Err(Problem::shape("context", "a mapping", node).at(node.at));
    };
    let kind = present(node.get("type")).map(Node::text);
    let kind = kind.ok_or_else(|| Problem::ContextType { found: node.describe() }.at(node.at))?;
    let user = present(node.get("name")).or_else(|| present(node.get("user"))).map(Node::text);
    Ok(Some(SecurityContext { user, kind, range: range(node.get("range"))? }))
}

fn range(node: Option<&Node>) -> Result<Option<String>, AppSpecError> {
    let Some(node) = present(node) else { return Ok(None) };
    let Value::Text(text) = &node.value else {
        return Err(Problem::shape("the range of a context", "a text", node).at(node.at));
    };
    match canonical(text) {
        Some(range) => Ok(Some(range)),
        None => Err(Problem::ContextRange { found: text.clone() }.at(node.at)),
    }
}

/// `s<n>[-s<m>][:c<a>[.c<b>][,…]]` with `m ≥ n` and ascending categories from 0 to 1023, neighbours joined.
fn canonical(text: &str) -> Option<String> {
    let (levels, categories) = match text.split_once(':') {
        Some((levels, categories)) => (levels, Some(categories)),
        None => (text, None),
    };
    let (low, high) = levels.split_once('-').unwrap_or((levels, levels));
    let (low, high) = (number(low, 's')?, number(high, 's')?);
    let mut result = match low.cmp(&high) {
        std::cmp::Ordering::Less => format!("s{low}-s{high}"),
        std::cmp::Ordering::Equal => format!("s{low}"),
        std::cmp::Ordering::Greater => return None,
    };
    if let Some(categories) = categories {
        let spans: Vec<String> = spans(categories)?.into_iter().map(span_text).collect();
        result = format!("{result}:{}", spans.join(","));
    }
    Some(result)
}

fn number(text: &str, letter: char) -> Option<u32> {
    let digits = text.strip_prefix(letter)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn spans(categories: &str) -> Option<Vec<(u32, u32)>> {
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for part in categories.split(',') {
        let (first, last) = part.split_once('.').unwrap_or((part, part));
        let (first, last) = (number(first, 'c')?, number(last, 'c')?);
        if first > last || last > 1023 {
            return None;
        }
        match spans.last_mut() {
            Some((_, end)) if first <= *end => return None,
            Some((_, end)) if first == *end + 1 => *end = last,
            _ => spans.push((first, last)),
        }
    }
    Some(spans)
}

fn span_text((first, last): (u32, u32)) -> String {
    match last - first {
        0 => format!("c{first}"),
        1 => format!("c{first},c{last}"),
        _ => format!("c{first}.c{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_rewritten_to_one_form() {
        for (text, form) in [
            ("s0", "s0"),
            ("s0-s0", "s0"),
            ("s0-s15:c0.c1023", "s0-s15:c0.c1023"),
            ("s1:c1,c2,c3,c9", "s1:c1.c3,c9"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(form), "{text}");
        }
        for wrong in ["", "s", "s2-s1", "s0:c3,c2", "s0:c1,c1", "s0:c1024", "0", "s0:", "s0:c4.c2"]
        {
            assert_eq!(canonical(wrong), None, "{wrong}");
        }
    }
}
