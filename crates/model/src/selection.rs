//! Which hosts a deployment group selects, by their tags.

use std::collections::BTreeMap;

/// A host's tags.
pub type Tags = BTreeMap<String, String>;

/// One condition on a host's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagFilter {
    /// Has the key, with any value.
    Key(String),
    /// Has the value, under any key.
    Value(String),
    /// Has the key with this value.
    KeyAndValue(String, String),
}

impl TagFilter {
    /// Whether a host with these `tags` meets the condition. Values may hold `*` wildcards, keys may not.
    /// Source: CodeDeploy user guide, "Tagging instances for deployment groups".
    pub fn matches(&self, tags: &Tags) -> bool {
        match self {
            Self::Key(key) => tags.contains_key(key),
            Self::Value(pattern) => tags.values().any(|value| wildcard_matches(pattern, value)),
            Self::KeyAndValue(key, pattern) => {
                tags.get(key).is_some_and(|value| wildcard_matches(pattern, value))
            }
        }
    }
}

/// The tag conditions of a deployment group for one kind of host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TagSelection {
    /// Selects nothing.
    #[default]
    Nothing,
    /// Any of the filters must match.
    Filters(Vec<TagFilter>),
    /// In each list any filter, and every list, must match.
    Set(Vec<Vec<TagFilter>>),
}

impl TagSelection {
    /// Whether a host with these `tags` is selected.
    pub fn selects(&self, tags: &Tags) -> bool {
        match self {
            Self::Nothing => false,
            Self::Filters(filters) => filters.iter().any(|filter| filter.matches(tags)),
            Self::Set(lists) => {
                !lists.is_empty()
                    && lists.iter().all(|filters| filters.iter().any(|filter| filter.matches(tags)))
            }
        }
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters, also none.
pub fn wildcard_matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selection: &TagSelection, tags: &str, expected: bool) {
        let tags = tags
            .split_whitespace()
            .filter_map(|tag| tag.split_once('='))
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        assert_eq!(selection.selects(&tags), expected, "{selection:?} on {tags:?}");
    }

    #[test]
    fn filters_are_alternatives_and_lists_of_a_set_are_all_required() {
        let web = || TagFilter::KeyAndValue("role".into(), "web-*a".into());
        let prod = || TagFilter::Value("prod".into());
        let any_zone = || TagFilter::Key("zone".into());
        let filters = TagSelection::Filters(vec![web(), prod()]);
        check(&filters, "role=web-01a", true);
        check(&filters, "x=prod", true);
        check(&filters, "role=web-01b x=Prod", false);
        let set = TagSelection::Set(vec![vec![web(), prod()], vec![any_zone()]]);
        check(&set, "role=web-a zone=1", true);
        check(&set, "role=web-a", false);
        check(&TagSelection::Nothing, "a=b", false);
        check(&TagSelection::Set(vec![]), "a=b", false);
    }

    #[test]
    fn wildcards_stand_for_any_run() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "aXbYc", true),
            ("a*a", "a", false),
            ("abc", "abcd", false),
            ("*x*", "abc", false),
        ] {
            assert_eq!(wildcard_matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
