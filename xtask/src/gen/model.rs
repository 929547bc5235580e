//! Reads a condensed service model: operations, shapes and their limits.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

/// One service, as its model file tells it.
pub struct Model {
    /// What comes before the dot in `X-Amz-Target`.
    pub target_prefix: String,
    /// In the model's order.
    pub operations: Vec<Operation>,
    shapes: Map<String, Value>,
}

/// One operation of a service.
pub struct Operation {
    pub name: String,
    pub input: String,
    /// Absent for operations that answer with nothing.
    pub output: Option<String>,
    /// Names with their `Exception` suffix, in the model's order.
    pub errors: Vec<String>,
    pub deprecated: bool,
}

/// What a shape is, with lists and maps named by the shapes they hold.
pub enum Shape {
    Structure(Vec<Member>),
    List { of: String, longest: Option<u64> },
    Map { key: String, value: String },
    Text(Text),
    Integer { least: Option<i64>, most: Option<i64> },
    Double,
    Boolean,
    Time,
}

/// One member of a structure, with its wire name.
pub struct Member {
    pub name: String,
    pub shape: String,
}

/// The limits of a string; lengths count characters.
#[derive(Default)]
pub struct Text {
    pub one_of: Vec<String>,
    pub shortest: Option<u64>,
    pub longest: Option<u64>,
    pub pattern: Option<String>,
}

impl Model {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let root = read_json(path)?;
        let operations = object(&root["operations"], "operations")?;
        Ok(Self {
            target_prefix: string(&root["metadata"]["targetPrefix"])?,
            operations: operations.values().map(Operation::read).collect::<Result<_, _>>()?,
            shapes: object(&root["shapes"], "shapes")?.clone(),
        })
    }

    /// Adds the operations and shapes of a model file that has nothing else: what is ours beside another's.
    pub fn extend(&mut self, path: &Path) -> anyhow::Result<()> {
        let root = read_json(path)?;
        for operation in object(&root["operations"], "operations")?.values() {
            self.operations.push(Operation::read(operation)?);
        }
        self.operations.sort_by(|a, b| a.name.cmp(&b.name));
        self.shapes.extend(object(&root["shapes"], "shapes")?.clone());
        Ok(())
    }

    pub fn shape(&self, name: &str) -> anyhow::Result<Shape> {
        let raw = self.shapes.get(name).with_context(|| format!("no shape {name}"))?;
        Ok(match raw["type"].as_str() {
            Some("structure") => Shape::Structure(members(raw)?),
            Some("list") => {
                Shape::List { of: string(&raw["member"]["shape"])?, longest: raw["max"].as_u64() }
            }
            Some("map") => Shape::Map {
                key: string(&raw["key"]["shape"])?,
                value: string(&raw["value"]["shape"])?,
            },
            Some("string") => Shape::Text(Text {
                one_of: strings(&raw["enum"]),
                shortest: raw["min"].as_u64(),
                longest: raw["max"].as_u64(),
                pattern: raw["pattern"].as_str().map(str::to_owned),
            }),
            Some("integer" | "long") => {
                Shape::Integer { least: raw["min"].as_i64(), most: raw["max"].as_i64() }
            }
            Some("double") => Shape::Double,
            Some("boolean") => Shape::Boolean,
            Some("timestamp") => Shape::Time,
            other => bail!("shape {name} has the unknown type {other:?}"),
        })
    }

    /// The members that the model itself demands of a structure.
    pub fn required(&self, structure: &str) -> Vec<String> {
        strings(&self.shapes[structure]["required"])
    }

    /// Names of all exceptions, with the status each answers with.
    pub fn errors(&self) -> Vec<(String, u16)> {
        let exceptions = self.shapes.iter().filter(|(_, shape)| shape["exception"] == true);
        exceptions
            .map(|(name, shape)| (name.clone(), if shape["fault"] == true { 500 } else { 400 }))
            .collect()
    }

    /// Every shape that an operation's input or output leads to, by name.
    pub fn reachable(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut seen = BTreeSet::new();
        for operation in &self.operations {
            self.reach(&operation.input, &mut seen)?;
            if let Some(output) = &operation.output {
                self.reach(output, &mut seen)?;
            }
        }
        Ok(seen)
    }

    fn reach(&self, name: &str, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        if !seen.insert(name.to_owned()) {
            return Ok(());
        }
        match self.shape(name)? {
            Shape::Structure(members) => {
                members.iter().try_for_each(|member| self.reach(&member.shape, seen))
            }
            Shape::List { of, .. } => self.reach(&of, seen),
            Shape::Map { key, value } => {
                self.reach(&key, seen)?;
                self.reach(&value, seen)
            }
            _ => Ok(()),
        }
    }
}

impl Operation {
    fn read(raw: &Value) -> anyhow::Result<Self> {
        Ok(Self {
            name: string(&raw["name"])?,
            input: string(&raw["input"])?,
            output: raw["output"].as_str().map(str::to_owned),
            errors: strings(&raw["errors"]),
            deprecated: raw["deprecated"] == true,
        })
    }
}

/// A model file as it is.
pub fn read_json(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the model {} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("the model {} is not JSON", path.display()))
}

fn members(raw: &Value) -> anyhow::Result<Vec<Member>> {
    let members = object(&raw["members"], "members")?;
    members
        .iter()
        .map(|(name, member)| Ok(Member { name: name.clone(), shape: string(&member["shape"])? }))
        .collect()
}

fn object<'a>(value: &'a Value, what: &str) -> anyhow::Result<&'a Map<String, Value>> {
    value.as_object().with_context(|| format!("`{what}` is not an object"))
}

fn string(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().with_context(|| format!("`{value}` is not a string"))?.to_owned())
}

fn strings(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}
