//! The parameters of a form request, read from the tree into which the edge has unfolded them.

use std::str::FromStr;

use wire::query::Tree;

/// One level of a form request's parameters.
///
/// Names are the wire's. A list is an array; an empty list arrives as an empty text.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a>(&'a Tree);

/// A parameter that is not what its type demands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value '{value}' for {name}: expected {expected}")]
pub struct BadParameter {
    /// The parameter's wire name.
    pub name: String,
    /// What was sent.
    pub value: String,
    /// What should have been sent, in words.
    pub expected: &'static str,
}

impl<'a> Params<'a> {
    /// Reads from the tree that `wire::query` made.
    pub fn new(tree: &'a Tree) -> Self {
        Self(tree)
    }

    /// The text of a parameter; an empty one counts as given.
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.0.text(name)
    }

    /// The text of a parameter that is given and not empty.
    pub fn filled(self, name: &str) -> Option<&'a str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// The structure under `name`.
    pub fn child(self, name: &str) -> Option<Params<'a>> {
        self.0.get(name).filter(|value| value.as_text().is_none()).map(Params)
    }

    /// The items of a list; none if it is absent or empty.
    pub fn list(self, name: &str) -> impl Iterator<Item = Params<'a>> + use<'a> {
        self.0.list(name).iter().map(Params)
    }

    /// The entries of a map, by key; none if it is absent or empty.
    pub fn map(self, name: &str) -> impl Iterator<Item = (&'a str, Params<'a>)> + use<'a> {
        let entries = match self.0.get(name) {
            Some(Tree::Record(entries)) => Some(entries),
            Some(Tree::Text(_) | Tree::List(_)) | None => None,
        };
        entries.into_iter().flatten().map(|(key, value)| (key.as_str(), Params(value)))
    }

    /// The text that this is, if it is text.
    pub fn as_text(self) -> Option<&'a str> {
        self.0.as_text()
    }

    /// The texts of a list of texts.
    pub fn texts(self, name: &str) -> Vec<&'a str> {
        self.0.texts(name)
    }

    /// All parameters as one text: the same text for the same parameters.
    pub fn canonical(self) -> String {
        // Records are sorted by name.
        format!("{:?}", self.0)
    }

    /// A number.
    pub fn number<T: FromStr>(self, name: &str) -> Result<Option<T>, BadParameter> {
        self.parsed(name, "a whole number", |text| text.parse().ok())
    }

    /// A truth value; absent means false.
    pub fn flag(self, name: &str) -> Result<bool, BadParameter> {
        let flag = self.parsed(name, "true or false", |text| {
            if text.eq_ignore_ascii_case("true") {
                Some(true)
            } else if text.eq_ignore_ascii_case("false") {
                Some(false)
            } else {
                None
            }
        })?;
        Ok(flag.unwrap_or(false))
    }

    fn parsed<T>(
        self,
        name: &str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, BadParameter> {
        let Some(text) = self.filled(name) else { return Ok(None) };
        match parse(text) {
            Some(value) => Ok(Some(value)),
            None => Err(BadParameter { name: name.into(), value: text.into(), expected }),
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::query::{Flavour, parse};

    use super::*;

    #[test]
    fn parameters_are_read_by_their_kind() {
        let form = b"MinCount=3&DryRun=true&MaxCount=x&Tags=&InstanceId.1=i-1&InstanceId.2=i-2&\
            Placement.AvailabilityZone=us-east-1a&One=only";
        let tree = parse(form, Flavour::Ec2).unwrap();
        let params = Params::new(&tree);
        assert_eq!(params.number::<u32>("MinCount"), Ok(Some(3)));
        assert_eq!(params.number::<u32>("Absent"), Ok(None));
        assert_eq!(
            params.number::<u32>("MaxCount").unwrap_err().to_string(),
            "Invalid value 'x' for MaxCount: expected a whole number"
        );
        assert_eq!(params.flag("DryRun"), Ok(true));
        assert_eq!(params.flag("Absent"), Ok(false));
        assert_eq!(params.texts("InstanceId"), ["i-1", "i-2"]);
        assert_eq!(params.texts("One"), ["only"]);
        assert_eq!(params.list("Tags").count(), 0);
        assert_eq!(params.text("Tags"), Some(""));
        assert_eq!(params.filled("Tags"), None);
        let form = b"Attributes.entry.1.key=a&Attributes.entry.1.value=1&Empty=";
        let tree = parse(form, Flavour::Query).unwrap();
        let map: Vec<_> = Params::new(&tree).map("Attributes").collect();
        assert_eq!((map[0].0, map[0].1.as_text()), ("a", Some("1")));
        assert_eq!(Params::new(&tree).map("Empty").count(), 0);
        let placement = params.child("Placement").unwrap();
        assert_eq!(placement.text("AvailabilityZone"), Some("us-east-1a"));
    }
}
