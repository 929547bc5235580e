//! YAML as the official agent reads it (Psych over libyaml, YAML 1.1 rules), with positions.
//!
//! Deliberately wider than the original where that harms nobody: aliases and merge keys are read, dates and symbols are
//! text, a byte order mark is skipped. Tags that ask for objects of Ruby's are refused, as there.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use libyaml_safer::{Event, EventData, Parser, ScalarStyle};

use super::error::{AppSpecError, Problem};
use super::scalar;

/// A place in the text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it begins.
    pub at: Position,
    /// Whether it is a number that its author wrote in octal (a leading zero).
    pub octal: bool,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// An integer; one beyond 64 bits is held at the nearest bound.
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// Pairs in file order, each key once: of duplicates the last value counts.
    Mapping(Vec<(Node, Node)>),
}

/// Memory in bytes that one document may come to when all its aliases are written out: an AppSpec of any use takes some
/// kilobytes, and a few aliases of aliases, or many of one long text, could fill the host's.
const MEMORY_MAX: usize = 16 << 20;
/// Depth of nesting: no AppSpec needs more than six.
const DEPTH_MAX: usize = 64;

/// Reads the first document of `text`; an empty text is `Null`.
///
/// # Errors
/// [`Problem::Syntax`] with the position and libyaml's wording, as Ruby users know it.
pub fn parse(text: &[u8]) -> Result<Node, AppSpecError> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err(not_utf8(error.valid_up_to(), text));
    }
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    // The scanner gives up on some malformed texts by a panic, where libyaml tells an error: that must not end an agent.
    std::panic::catch_unwind(|| first_document(text)).unwrap_or_else(|_| {
        Err(refuse("the text cannot be read as YAML", Position { line: 1, column: 1 }))
    })
}

fn first_document(text: &[u8]) -> Result<Node, AppSpecError> {
    let ended = with_its_last_line_ended(text);
    let made_up_end = (ended.len() > text.len()).then_some(ended.len() as u64);
    let mut input = &*ended;
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut loader = Loader { parser, made_up_end, anchors: HashMap::new(), memory: 0 };
    loader.document()
}

/// The scanner panics on a block scalar whose last line has no end (libyaml 0.2 takes it as it is), so that it gets one.
fn with_its_last_line_ended(text: &[u8]) -> Cow<'_, [u8]> {
    let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    // Nothing else gets one: places in messages count from the text's real end.
    if !text.iter().any(|byte| b"|>".contains(byte)) || last.iter().all(|byte| *byte == b' ') {
        return Cow::Borrowed(text);
    }
    Cow::Owned([text, b"\n"].concat())
}

/// `node` unless it is absent or null, which mean the same everywhere in an AppSpec.
pub fn present(node: Option<&Node>) -> Option<&Node> {
    node.filter(|node| node.value != Value::Null)
}

impl Node {
    /// The value under `key` of a mapping; `None` for every other value.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Mapping(pairs) => pairs
                .iter()
                .find(|(k, _)| matches!(&k.value, Value::Text(text) if text == key))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value as the text that Ruby's `to_s` gives; lists and mappings as it would print them.
    pub fn text(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::Text(text) => text.clone(),
            _ => self.describe(),
        }
    }

    /// The value as it would be written to show it.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nil".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => scalar::float_text(*number),
            Value::Text(text) => format!("{text:?}"),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(Node::describe).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Mapping(pairs) => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(key, value)| format!("{}=>{}", key.describe(), value.describe()))
                    .collect();
                format!("{{{}}}", pairs.join(", "))
            }
        }
    }

    /// The items of a list; nothing where the value is absent or null.
    pub(super) fn items<'a>(
        node: Option<&'a Node>,
        what: &str,
    ) -> Result<&'a [Node], AppSpecError> {
        match present(node) {
            None => Ok(&[]),
            Some(Node { value: Value::List(items), .. }) => Ok(items),
            Some(other) => Err(Problem::shape(what, "a list", other).at(other.at)),
        }
    }
}

struct Loader<'r, 'b> {
    parser: Parser<&'b mut &'r [u8]>,
    /// The text's length, if its last line ends only because we say so.
    made_up_end: Option<u64>,
    /// Each value with what it takes of the memory.
    anchors: HashMap<String, (Node, usize)>,
    /// What is taken so far, in bytes.
    memory: usize,
}

impl Loader<'_, '_> {
    fn document(&mut self) -> Result<Node, AppSpecError> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::StreamEnd | EventData::DocumentEnd { .. } => {
                    return Ok(plain(Value::Null, position(&event)));
                }
                _ => return self.node(event, 0),
            }
        }
    }

    fn next(&mut self) -> Result<Event, AppSpecError> {
        let mut event = self.parser.parse().map_err(|error| syntax(&error))?;
        if let EventData::Scalar {
            value, style: ScalarStyle::Literal | ScalarStyle::Folded, ..
        } = &mut event.data
            && Some(event.end_mark.index) == self.made_up_end
            && value.ends_with('\n')
        {
            value.pop();
        }
        Ok(event)
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node, AppSpecError> {
        let at = position(&event);
        if depth > DEPTH_MAX {
            return Err(refuse("nested too deeply", at));
        }
        no_object(&event.data, at)?;
        let before = self.memory;
        self.take(size_of::<Node>() + text_bytes(&event.data), at)?;
        let (anchor, node) = match event.data {
            EventData::Alias { anchor } => return self.alias(&anchor, at),
            EventData::Scalar { anchor, tag, value, style, plain_implicit, .. } => {
                let text = style != ScalarStyle::Plain || (!plain_implicit && tag.is_some());
                (anchor, scalar_node(value, text, at))
            }
            EventData::SequenceStart { anchor, .. } => (anchor, self.list(at, depth)?),
            EventData::MappingStart { anchor, .. } => (anchor, self.mapping(at, depth)?),
            _ => return Err(refuse("unexpected end of the document", at)),
        };
        if let Some(anchor) = anchor {
            // It is kept twice from now on: a tower of anchors, one within the other, counts each of its floors.
            let taken = self.memory - before;
            self.take(taken, at)?;
            self.anchors.insert(anchor, (node.clone(), taken));
        }
        Ok(node)
    }

    fn take(&mut self, bytes: usize, at: Position) -> Result<(), AppSpecError> {
        self.memory += bytes;
        if self.memory > MEMORY_MAX {
            return Err(refuse("too many values, aliases written out", at));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: &str, at: Position) -> Result<Node, AppSpecError> {
        let Some(&(_, taken)) = self.anchors.get(anchor) else {
            return Err(refuse(&format!("Unknown alias: {anchor}"), at));
        };
        self.take(taken, at)?;
        let (node, _) = &self.anchors[anchor];
        Ok(Node { at, ..node.clone() })
    }

    fn list(&mut self, at: Position, depth: usize) -> Result<Node, AppSpecError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event.data == EventData::SequenceEnd {
                return Ok(plain(Value::List(items), at));
            }
            items.push(self.node(event, depth + 1)?);
        }
    }

    fn mapping(&mut self, at: Position, depth: usize) -> Result<Node, AppSpecError> {
        let mut pairs = Pairs::default();
        let mut merged = Vec::new();
        loop {
            let event = self.next()?;
            if event.data == EventData::MappingEnd {
                break;
            }
            let key = self.node(event, depth + 1)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if matches!(&key.value, Value::Text(text) if text == "<<") {
                merged.push(value);
            } else {
                pairs.set(key, value);
            }
        }
        for source in merged {
            pairs.merge(source);
        }
        Ok(plain(Value::Mapping(pairs.pairs), at))
    }
}

/// Refuses a value that is to become an object of some class. Source: official agent, which loads YAML safely.
fn no_object(data: &EventData, at: Position) -> Result<(), AppSpecError> {
    let (EventData::Scalar { tag, .. }
    | EventData::SequenceStart { tag, .. }
    | EventData::MappingStart { tag, .. }) = data
    else {
        return Ok(());
    };
    match tag.as_deref().and_then(|tag| tag.strip_prefix("!ruby/")) {
        None => Ok(()),
        Some(class) => {
            let class = class.split_once(':').map_or(class, |(_, class)| class);
            Err(refuse(&format!("Tried to load unspecified class: {class}"), at))
        }
    }
}

/// What a scalar's text takes, in bytes.
fn text_bytes(data: &EventData) -> usize {
    match data {
        EventData::Scalar { value, .. } => value.len(),
        _ => 0,
    }
}

/// The pairs of a mapping while it is read.
#[derive(Default)]
struct Pairs {
    pairs: Vec<(Node, Node)>,
    /// Where each key is, by how it is shown: a mapping may have a hundred thousand.
    places: HashMap<String, usize>,
}

impl Pairs {
    /// Sets a key; a duplicate takes the place of the first.
    fn set(&mut self, key: Node, value: Node) {
        match self.places.entry(key.describe()) {
            Entry::Occupied(place) => self.pairs[*place.get()].1 = value,
            Entry::Vacant(place) => {
                place.insert(self.pairs.len());
                self.pairs.push((key, value));
            }
        }
    }

    /// Adds the pairs of a merge key that the mapping does not have itself.
    fn merge(&mut self, source: Node) {
        match source.value {
            Value::Mapping(more) => {
                for (key, value) in more {
                    if !self.places.contains_key(&key.describe()) {
                        self.set(key, value);
                    }
                }
            }
            Value::List(sources) => sources.into_iter().for_each(|source| self.merge(source)),
            _ => {}
        }
    }
}

fn plain(value: Value, at: Position) -> Node {
    Node { value, at, octal: false }
}

fn scalar_node(value: String, is_text: bool, at: Position) -> Node {
    if is_text {
        return plain(Value::Text(value), at);
    }
    let octal = scalar::is_octal(&value);
    Node { value: scalar::resolve(value), at, octal }
}

fn position(event: &Event) -> Position {
    Position { line: event.start_mark.line + 1, column: event.start_mark.column + 1 }
}

fn refuse(sentence: &str, at: Position) -> AppSpecError {
    Problem::Syntax { sentence: sentence.to_owned(), line: at.line, column: at.column }.at(at)
}

/// Psych's sentence: problem, context, and the context's position where there is one.
fn syntax(error: &libyaml_safer::Error) -> AppSpecError {
    let mark = error.context_mark().or(error.problem_mark()).unwrap_or_default();
    let sentence = match error.context() {
        Some(context) => format!("{} {context}", error.problem()),
        None => error.problem().to_owned(),
    };
    refuse(&sentence, Position { line: mark.line + 1, column: mark.column + 1 })
}

fn not_utf8(valid: usize, text: &[u8]) -> AppSpecError {
    let before = &text[..valid];
    let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() as u64 + 1;
    refuse("invalid trailing UTF-8 octet", Position { line, column })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_last_duplicate_counts_and_only_the_first_document_is_read() {
        let node = read("---\na: 1\nb: 2\na: 3\n---\na: 9\n");
        assert_eq!(node.describe(), r#"{"a"=>3, "b"=>2}"#);
    }

    #[test]
    fn a_block_that_ends_with_the_text_ends_without_a_line_break() {
        for (text, expected) in [
            ("a: |\n  b", "b"),
            ("a: |+\n  b", "b"),
            ("a: >-\n  b\n  c", "b c"),
            ("a: |\r\n  b\r\n  c", "b\nc"),
            ("a: |\n  b\n", "b\n"),
            ("a: |\n  b\n  ", "b\n"),
            ("a: |\n  b\n# not it", "b\n"),
            ("a: '|'", "|"),
        ] {
            assert_eq!(read(text).get("a").unwrap().text(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_the_scanner_panics_on_is_a_syntax_error() {
        let error = parse(b"{a: [!ruby/x,b]}").unwrap_err();
        assert!(error.to_string().contains("cannot be read as YAML"), "{error}");
    }

    #[test]
    fn aliases_and_merge_keys_are_written_out() {
        let node = read("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n");
        assert_eq!(node.get("y").unwrap().describe(), r#"{"b"=>3, "a"=>1}"#);
    }

    #[test]
    fn objects_of_rubys_are_refused_and_other_tags_mean_nothing() {
        for text in ["x: !ruby/object:Object {}\n", "x: !ruby/regexp /a/\n", "!ruby/array:A [1]\n"]
        {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("Tried to load unspecified class: "), "{error}");
        }
        assert_eq!(read("x: !mine {a: 1}\n").describe(), r#"{"x"=>{"a"=>1}}"#);
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", "));
        }
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("too many values"), "{error}");
        let deep = "[".repeat(5000);
        assert!(parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_text_of_a_megabyte_is_read_but_not_a_hundred_aliases_of_it() {
        let long = "x".repeat(1 << 20);
        for text in [format!("a: {long}\n"), format!("a: '{long}'\n"), format!("a: |-\n  {long}\n")]
        {
            let node = read(&text);
            assert_eq!(node.get("a").unwrap().text().len(), 1 << 20);
        }
        let bomb = format!("a: &a {long}\nb: [{}]\n", ["*a"; 100].join(", "));
        let error = parse(bomb.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("too many values"), "{error}");
        let tower = format!(
            "{}{long}",
            (0..60).map(|n| format!("- &a{n}\n{}", " ".repeat(n + 1))).collect::<String>()
        );
        let error = parse(tower.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("too many values"), "{error}");
    }

    #[test]
    fn of_many_keys_each_is_there_once() {
        let text: String = (0..100_000).map(|n| format!("k{}: {n}\n", n % 50_000)).collect();
        let Value::Mapping(pairs) = read(&text).value else { panic!("no mapping") };
        assert_eq!(pairs.len(), 50_000);
        assert_eq!((pairs[7].0.text(), pairs[7].1.text()), ("k7".to_owned(), "50007".to_owned()));
    }

    #[test]
    fn an_unknown_alias_and_latin_1_are_errors() {
        assert!(parse(b"a: *b\n").unwrap_err().to_string().contains("Unknown alias: b"));
        let error = parse(b"a: b\n# caf\xe9\n").unwrap_err();
        assert_eq!((error.at.line, error.at.column), (2, 6));
    }

    #[test]
    fn syntax_errors_read_as_rubys() {
        let error = parse(b"a: b\nc: `x\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "(<unknown>): found character that cannot start any token while scanning for the next token at line 2 column 4"
        );
    }
}
