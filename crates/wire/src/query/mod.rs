//! Form parameters with dotted names, as the query services and EC2 send them.
//!
//! `Filter.1.Name=tag:CDG&Filter.1.Value.1=x` becomes a [`Tree`], which a handler either asks by name or turns into
//! a struct of its own with [`Tree::typed`]. Values stay text in the tree; the struct's types decide what they mean.
//! Input is hostile until proven otherwise: depth and number of parameters are limited, a name that is given twice
//! or used both as a value and as a structure is an error.

mod typed;

use std::collections::BTreeMap;

/// The most parameters of one request. EC2's own largest inputs (1000 ids, each with tags) stay well below.
const PARAMETERS_MOST: usize = 20_000;

/// The most dots in a name. The deepest input that we serve has seven.
const DEPTH_MOST: usize = 12;

/// The longest part of a name that an error repeats, in characters.
const ECHO_LONGEST: usize = 100;

/// How a service spells lists and maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// `Name.1.Field`.
    Ec2,
    /// `Name.member.1.Field`, and maps as `Name.entry.1.key` with `Name.entry.1.value`.
    Query,
}

/// What a dotted name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A parameter's value.
    Text(String),
    /// Values that were numbered, in the order of their numbers; gaps do not matter.
    List(Vec<Tree>),
    /// Values by name. The root always is one.
    Record(BTreeMap<String, Tree>),
}

/// Why parameters do not make an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// More parameters than any operation takes.
    #[error("the request has more than {PARAMETERS_MOST} parameters")]
    TooMany,
    /// More dots in a name than any operation has.
    #[error("the parameter {name} has more than {DEPTH_MOST} levels")]
    TooDeep {
        /// The beginning of the name.
        name: String,
    },
    /// The same name twice, or a name both with a value and with parameters below it.
    #[error("the parameter {name} is given more than once")]
    Duplicate {
        /// The beginning of the name.
        name: String,
    },
    /// A name with an empty part, or none at all.
    #[error("the parameter name `{name}` is malformed")]
    Name {
        /// The beginning of the name.
        name: String,
    },
    /// A value that is not of the type that the operation takes.
    #[error("value of the parameter {name}: {problem}")]
    Value {
        /// The dotted name, as far as it is known.
        name: String,
        /// What was expected, and what was found.
        problem: String,
    },
}

/// Reads a form body or a query string.
pub fn parse(form: &[u8], flavour: Flavour) -> Result<Tree, QueryError> {
    let pairs = form_urlencoded::parse(form);
    from_pairs(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())), flavour)
}

/// Builds the tree from names and values that are decoded already.
pub fn from_pairs(
    pairs: impl IntoIterator<Item = (String, String)>,
    flavour: Flavour,
) -> Result<Tree, QueryError> {
    let mut root = BTreeMap::new();
    for (count, (name, value)) in pairs.into_iter().enumerate() {
        if count == PARAMETERS_MOST {
            return Err(QueryError::TooMany);
        }
        insert(&mut root, &name, value)?;
    }
    match Tree::Record(root).settled(flavour, 0)? {
        // Names such as `1=x` alone look like a list; the root is a record all the same.
        Tree::List(_) | Tree::Text(_) => Err(QueryError::Name { name: "1".to_owned() }),
        record @ Tree::Record(_) => Ok(record),
    }
}

fn insert(root: &mut BTreeMap<String, Tree>, name: &str, value: String) -> Result<(), QueryError> {
    let shown = || name.chars().take(ECHO_LONGEST).collect::<String>();
    let mut parts = name.split('.').peekable();
    let mut record = root;
    let mut depth = 0;
    while let Some(part) = parts.next() {
        depth += 1;
        if part.is_empty() {
            return Err(QueryError::Name { name: shown() });
        }
        if depth > DEPTH_MOST {
            return Err(QueryError::TooDeep { name: shown() });
        }
        if parts.peek().is_none() {
            let before = record.insert(part.to_owned(), Tree::Text(value));
            return match before {
                None => Ok(()),
                Some(_) => Err(QueryError::Duplicate { name: shown() }),
            };
        }
        let below = record.entry(part.to_owned()).or_insert_with(|| Tree::Record(BTreeMap::new()));
        record = match below {
            Tree::Record(below) => below,
            Tree::Text(_) | Tree::List(_) => {
                return Err(QueryError::Duplicate { name: shown() });
            }
        };
    }
    Ok(())
}

impl Tree {
    /// The value below `name`, one level down.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        match self {
            Self::Record(record) => record.get(name),
            Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The text below `name`. Nothing if it is absent or a structure.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::as_text)
    }

    /// The text that this is, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Record(_) => None,
        }
    }

    /// The elements below `name`: none if it is absent or empty, one if it is a lone text or structure.
    pub fn list(&self, name: &str) -> &[Tree] {
        match self.get(name) {
            None => &[],
            Some(Self::Text(text)) if text.is_empty() => &[],
            Some(Self::List(elements)) => elements,
            Some(one) => std::slice::from_ref(one),
        }
    }

    /// The texts among the elements below `name`.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).iter().filter_map(Self::as_text).collect()
    }

    /// The whole as a type of the caller's: numbers and booleans are read from their text, an empty text is an empty
    /// list, members that the type does not have are ignored.
    pub fn typed<T: serde::de::DeserializeOwned>(&self) -> Result<T, QueryError> {
        typed::read(self)
    }

    /// With numbered records turned into lists, and the flavour's words for lists and maps taken out.
    fn settled(self, flavour: Flavour, depth: usize) -> Result<Self, QueryError> {
        let Self::Record(record) = self else { return Ok(self) };
        let mut settled = BTreeMap::new();
        for (name, below) in record {
            settled.insert(name, below.settled(flavour, depth + 1)?);
        }
        if depth == 0 {
            return Ok(Self::Record(settled));
        }
        if settled.keys().all(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
            return numbered(settled);
        }
        Ok(if flavour == Flavour::Query { without_words(settled) } else { Self::Record(settled) })
    }
}

fn numbered(record: BTreeMap<String, Tree>) -> Result<Tree, QueryError> {
    let mut elements = BTreeMap::new();
    for (name, element) in record {
        let number: u32 = name
            .parse()
            .map_err(|_| QueryError::Name { name: name.chars().take(ECHO_LONGEST).collect() })?;
        // `1` and `01` are the same place.
        if elements.insert(number, element).is_some() {
            return Err(QueryError::Duplicate { name });
        }
    }
    Ok(Tree::List(elements.into_values().collect()))
}

/// `{member: […]}` is the list itself, `{entry: [{key, value}, …]}` the map itself.
fn without_words(mut record: BTreeMap<String, Tree>) -> Tree {
    if record.len() == 1 {
        if let Some(Tree::List(_)) = record.get("member") {
            return record.remove("member").expect("it is there");
        }
        if let Some(Tree::List(entries)) = record.get("entry")
            && let Some(map) = map_of(entries)
        {
            return Tree::Record(map);
        }
    }
    Tree::Record(record)
}

fn map_of(entries: &[Tree]) -> Option<BTreeMap<String, Tree>> {
    let entries = entries.iter().map(|entry| {
        let key = entry.text("key").or_else(|| entry.text("Name"))?;
        let value = entry.get("value").or_else(|| entry.get("Value"))?;
        Some((key.to_owned(), value.clone()))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ec2(form: &str) -> Result<Tree, QueryError> {
        parse(form.as_bytes(), Flavour::Ec2)
    }

    #[test]
    fn numbers_make_lists_in_the_order_of_their_numbers() {
        let tree = ec2("Filter.1.Name=tag%3ACDG&Filter.1.Value.10=j&Filter.1.Value.2=b&Filter.1.Value.1=a+b&Action=X")
            .expect("a tree");
        assert_eq!(tree.text("Action"), Some("X"));
        let filter = &tree.list("Filter")[0];
        assert_eq!(filter.text("Name"), Some("tag:CDG"));
        assert_eq!(filter.texts("Value"), ["a b", "b", "j"]);
        assert_eq!(tree.texts("InstanceId"), Vec::<&str>::new());
    }

    #[test]
    fn the_query_flavour_drops_member_and_entry() {
        let form = b"Names.member.2=b&Names.member.1=a&Empty=&Attributes.entry.1.key=K&Attributes.entry.1.value=V";
        let tree = parse(form, Flavour::Query).expect("a tree");
        assert_eq!(tree.texts("Names"), ["a", "b"]);
        assert!(tree.list("Empty").is_empty());
        assert_eq!(tree.get("Attributes").and_then(|map| map.text("K")), Some("V"));
        let plain = parse(b"Names.member.1=a", Flavour::Ec2).expect("a tree");
        assert!(plain.get("Names").and_then(|names| names.get("member")).is_some());
    }

    #[test]
    fn hostile_names_are_refused() {
        let deep = format!("{}=x", vec!["a"; 13].join("."));
        assert!(matches!(ec2(&deep), Err(QueryError::TooDeep { .. })));
        let many: String = (0..20_001).map(|n| format!("a{n}=&")).collect();
        assert_eq!(ec2(&many), Err(QueryError::TooMany));
        for twice in ["a=1&a=2", "a=1&a.b=2", "a.b=2&a=1", "a.1=x&a.01=y"] {
            assert!(matches!(ec2(twice), Err(QueryError::Duplicate { .. })), "{twice}");
        }
        for bad in ["a..b=1", ".a=1", "a.=1", "=1", "a.99999999999=1"] {
            assert!(matches!(ec2(bad), Err(QueryError::Name { .. })), "{bad}");
        }
        // A huge number is a place, not a length.
        assert_eq!(ec2("a.4000000000=x").expect("a tree").texts("a"), ["x"]);
        assert_eq!(ec2("1=x").expect("a tree").text("1"), Some("x"));
    }
}
