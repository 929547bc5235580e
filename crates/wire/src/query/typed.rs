//! Turns a tree of texts into a caller's struct, by way of serde.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{QueryError, Tree};

/// Reads `tree` as a `T`.
pub(super) fn read<T: DeserializeOwned>(tree: &Tree) -> Result<T, QueryError> {
    T::deserialize(Place { tree, name: String::new() })
}

/// A tree together with the dotted name that leads to it, so that an error can say where.
struct Place<'a> {
    tree: &'a Tree,
    name: String,
}

impl<'a> Place<'a> {
    fn text(&self, wanted: &str) -> Result<&'a str, QueryError> {
        match self.tree {
            Tree::Text(text) => Ok(text),
            Tree::List(_) | Tree::Record(_) => Err(self.error(format!("{wanted} is expected"))),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, wanted: &str) -> Result<T, QueryError> {
        let text = self.text(wanted)?;
        text.parse().map_err(|_| {
            let shown: String = text.chars().take(super::ECHO_LONGEST).collect();
            self.error(format!("`{shown}` is not {wanted}"))
        })
    }

    fn error(&self, problem: String) -> QueryError {
        QueryError::Value { name: self.name.clone(), problem }
    }

    fn at(&self, part: impl fmt::Display, tree: &'a Tree) -> Place<'a> {
        let name =
            if self.name.is_empty() { part.to_string() } else { format!("{}.{part}", self.name) };
        Place { tree, name }
    }

    /// Serde knows no places, so what it found wrong gets this one, unless something further down has its own.
    fn placed<T>(&self, result: Result<T, QueryError>) -> Result<T, QueryError> {
        result.map_err(|error| match error {
            QueryError::Value { name, problem } if name.is_empty() => self.error(problem),
            other => other,
        })
    }
}

impl<'a> IntoDeserializer<'a, QueryError> for Place<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl de::Error for QueryError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        QueryError::Value { name: String::new(), problem: message.to_string() }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:ty,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
            let number: $kind = self.parsed("a number")?;
            self.placed(visitor.$visit(number))
        })*
    };
}

impl<'de> de::Deserializer<'de> for Place<'de> {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.tree {
            Tree::Text(text) => self.placed(visitor.visit_borrowed_str(text)),
            Tree::List(elements) => {
                let elements =
                    elements.iter().zip(1..).map(|(element, number)| self.at(number, element));
                self.placed(visitor.visit_seq(SeqDeserializer::new(elements)))
            }
            Tree::Record(members) => {
                let members =
                    members.iter().map(|(name, member)| (name.as_str(), self.at(name, member)));
                self.placed(visitor.visit_map(MapDeserializer::new(members)))
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let value = match self.text("`true` or `false`")? {
            text if text.eq_ignore_ascii_case("true") => true,
            text if text.eq_ignore_ascii_case("false") => false,
            _ => return Err(self.error("`true` or `false` is expected".to_owned())),
        };
        self.placed(visitor.visit_bool(value))
    }

    numbers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_newtype_struct(self)
    }

    /// A lone value is a list of one, an empty text a list of none: clients send `Name=` for that.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.tree {
            Tree::List(_) => self.deserialize_any(visitor),
            Tree::Text(text) if text.is_empty() => {
                visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Place<'de>>()))
            }
            Tree::Text(_) | Tree::Record(_) => {
                visitor.visit_seq(SeqDeserializer::new(std::iter::once(self)))
            }
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.tree {
            Tree::Text(text) if text.is_empty() => {
                let none = std::iter::empty::<(&str, Place<'de>)>();
                visitor.visit_map(MapDeserializer::new(none))
            }
            Tree::Text(_) => Err(self.error("a structure is expected".to_owned())),
            Tree::List(_) | Tree::Record(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        match self.tree {
            Tree::Record(_) => self.deserialize_any(visitor),
            // serde would fill a structure from a list, member by member.
            Tree::Text(_) | Tree::List(_) => Err(self.error("a structure is expected".to_owned())),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        let text = self.text("a text")?;
        self.placed(visitor.visit_enum(StrDeserializer::new(text)))
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::{Flavour, QueryError, parse};

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct RunInstances {
        min_count: Option<u32>,
        dry_run: Option<bool>,
        image_id: Option<String>,
        security_group_id: Vec<String>,
        tag_specification: Vec<TagSpecification>,
        ebs: Option<Ebs>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct TagSpecification {
        resource_type: String,
        tag: Vec<Tag>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tag {
        key: String,
        value: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Ebs {
        volume_size: f64,
    }

    fn read(form: &str) -> Result<RunInstances, QueryError> {
        parse(form.as_bytes(), Flavour::Ec2).and_then(|tree| tree.typed())
    }

    #[test]
    fn texts_take_the_types_of_the_struct() {
        let input = read(
            "Action=RunInstances&MinCount=3&DryRun=true&ImageId=123&SecurityGroupId.1=sg-1&Ebs.VolumeSize=8\
             &TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=1",
        )
        .expect("an input");
        let tag = Tag { key: "a".into(), value: "1".into() };
        let expected = RunInstances {
            min_count: Some(3),
            dry_run: Some(true),
            image_id: Some("123".into()),
            security_group_id: vec!["sg-1".into()],
            tag_specification: vec![TagSpecification {
                resource_type: "instance".into(),
                tag: vec![tag],
            }],
            ebs: Some(Ebs { volume_size: 8.0 }),
        };
        assert_eq!(input, expected);
        assert_eq!(read("SecurityGroupId="), Ok(RunInstances::default()));
    }

    #[test]
    fn an_error_says_where() {
        let error = |form: &str| read(form).expect_err(form).to_string();
        assert_eq!(
            error("MinCount=many"),
            "value of the parameter MinCount: `many` is not a number"
        );
        assert_eq!(
            error("DryRun=1"),
            "value of the parameter DryRun: `true` or `false` is expected"
        );
        assert_eq!(
            error("TagSpecification.1.Tag.2.Key=a"),
            "value of the parameter TagSpecification.1.Tag.1: missing field `Value`"
        );
        assert_eq!(error("Ebs=8"), "value of the parameter Ebs: a structure is expected");
        assert!(error("ImageId.1=a").starts_with("value of the parameter ImageId: invalid type"));
    }
}
