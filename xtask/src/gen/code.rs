//! Writes Rust for a model. The text is formatted afterwards: here only its meaning counts.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::model::{Member, Model, Operation, Shape, Text};
use super::rules::{Check, Rule, rules};

/// The head of every generated file.
pub const HEAD: &str =
    "// Written by `cargo xtask gen` from crates/wire/models: change those, not this.\n\n";

/// The module of one service: operations, structures, permitted values, rules.
pub fn service(model: &Model) -> anyhow::Result<String> {
    let mut out = String::from(HEAD);
    out.push_str("use serde::{Deserialize, Serialize};\n\n");
    out.push_str("use crate::call::{Call, Validate};\n");
    out.push_str("use crate::error::{ErrorCode, ServiceError};\n");
    out.push_str("use crate::rule::{self, Check, Rule};\n\n");
    operations(model, &mut out);
    for operation in &model.operations {
        call(operation, &mut out);
        validation(operation, &rules(model, operation)?, &mut out);
    }
    let shapes = model.reachable()?;
    for name in &shapes {
        if let Shape::Structure(members) = model.shape(name)? {
            structure(model, name, &members, &mut out)?;
        }
    }
    permitted_values(model, &shapes, &mut out)?;
    Ok(out)
}

/// The enum of all errors, each a wire name and a status.
pub fn errors(all: &[(String, u16)]) -> String {
    let mut out = String::from(HEAD);
    out.push_str("/// The name of an error, as it goes over the wire.\n");
    out.push_str("///\n/// Source: CodeDeploy API reference and its common errors; the agent's command model.\n");
    out.push_str("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum ErrorCode {\n");
    for (name, status) in all {
        let _ = writeln!(out, "/// `{name}`, status {status}.\n{},", variant(name));
    }
    out.push_str("}\n\nimpl ErrorCode {\n/// Every error, in the order of their names.\n");
    out.push_str("pub const ALL: &[Self] = &[\n");
    for (name, _) in all {
        let _ = writeln!(out, "Self::{},", variant(name));
    }
    out.push_str("];\n\n/// The name on the wire.\npub const fn name(self) -> &'static str {\nmatch self {\n");
    for (name, _) in all {
        let _ = writeln!(out, "Self::{} => \"{name}\",", variant(name));
    }
    out.push_str("}\n}\n\n/// The HTTP status that carries it.\npub const fn status(self) -> u16 {\nmatch self {\n");
    for (name, status) in all.iter().filter(|(_, status)| *status != 400) {
        let _ = writeln!(out, "Self::{} => {status},", variant(name));
    }
    out.push_str("_ => 400,\n}\n}\n}\n");
    out
}

fn operations(model: &Model, out: &mut String) {
    let _ = writeln!(out, "/// What comes before the dot in `X-Amz-Target`.");
    let _ = writeln!(out, "pub const TARGET_PREFIX: &str = \"{}\";\n", model.target_prefix);
    out.push_str("/// An operation of this service.\n");
    out.push_str("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum Operation {\n");
    for operation in &model.operations {
        let note = if operation.deprecated { " Deprecated by AWS, still served." } else { "" };
        let _ = writeln!(out, "/// `{0}`.{note}\n{0},", operation.name);
    }
    out.push_str("}\n\nimpl Operation {\n/// Every operation, in the order of their names.\n");
    out.push_str("pub const ALL: &[Self] = &[\n");
    for operation in &model.operations {
        let _ = writeln!(out, "Self::{},", operation.name);
    }
    out.push_str("];\n\n/// The name on the wire.\npub const fn name(self) -> &'static str {\nmatch self {\n");
    for operation in &model.operations {
        let _ = writeln!(out, "Self::{0} => \"{0}\",", operation.name);
    }
    out.push_str("}\n}\n\n/// The operation of that name, if there is one.\n");
    out.push_str("pub fn from_name(name: &str) -> Option<Self> {\n");
    out.push_str("Self::ALL.iter().copied().find(|operation| operation.name() == name)\n}\n}\n\n");
}

fn call(operation: &Operation, out: &mut String) {
    let output = operation.output.as_deref().unwrap_or("crate::call::NoOutput");
    let _ = write!(
        out,
        "impl Call for {0} {{\ntype Operation = Operation;\ntype Output = {output};\n\
         const OPERATION: Operation = Operation::{1};\n}}\n\n",
        operation.input, operation.name
    );
}

fn validation(operation: &Operation, rules: &[Rule], out: &mut String) {
    let input = &operation.input;
    let _ = writeln!(
        out,
        "impl Validate for {input} {{\nfn validate(&self) -> Result<(), ServiceError> {{"
    );
    if rules.is_empty() {
        out.push_str("Ok(())\n}\n}\n\n");
        return;
    }
    let table = format!("{}_RULES", constant(&operation.name));
    let _ = writeln!(out, "rule::check(self, {table})\n}}\n}}\n");
    let _ = writeln!(out, "const {table}: &[Rule] = &[");
    for rule in rules {
        let check = match &rule.check {
            Check::Required => "Check::Required".to_owned(),
            Check::OneOf(shape) => format!("Check::OneOf(enums::{})", constant(shape)),
            Check::Length { shortest, longest } => format!("Check::Length({shortest}, {longest})"),
            Check::Range { least, most } => format!("Check::Range({least}, {most})"),
            Check::Items { longest } => format!("Check::Items({longest})"),
            Check::NameCharacters => "Check::NameCharacters".to_owned(),
            Check::FourSegments => "Check::FourSegments".to_owned(),
        };
        let error = variant(&rule.error);
        let _ = writeln!(out, "Rule::new(\"{}\", {check}, ErrorCode::{error}),", rule.path);
    }
    out.push_str("];\n\n");
}

fn structure(
    model: &Model,
    name: &str,
    members: &[Member],
    out: &mut String,
) -> anyhow::Result<()> {
    let _ = writeln!(out, "/// {}", summary(model, name));
    out.push_str("#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]\n");
    if members.is_empty() {
        let _ = writeln!(out, "pub struct {name} {{}}\n");
        return Ok(());
    }
    let _ = writeln!(out, "pub struct {name} {{");
    let required = model.required(name);
    for member in members {
        if let Some(note) = note(model, member, required.contains(&member.name))? {
            let _ = writeln!(out, "/// {note}");
        }
        let _ = writeln!(
            out,
            "#[serde(rename = \"{}\", skip_serializing_if = \"Option::is_none\")]\npub {}: Option<{}>,",
            member.name,
            field(&member.name),
            rust_type(model, &member.shape)?
        );
    }
    out.push_str("}\n\n");
    Ok(())
}

fn summary(model: &Model, name: &str) -> String {
    for operation in &model.operations {
        if operation.input == name {
            return format!("What [`Operation::{}`] is asked with.", operation.name);
        }
        if operation.output.as_deref() == Some(name) {
            return format!("What [`Operation::{}`] answers.", operation.name);
        }
    }
    format!("The shape `{name}` of the API reference.")
}

fn note(model: &Model, member: &Member, required: bool) -> anyhow::Result<Option<String>> {
    let mut parts = Vec::new();
    if required {
        parts.push("Required.".to_owned());
    }
    match model.shape(&member.shape)? {
        Shape::Text(Text { one_of, .. }) if !one_of.is_empty() => {
            parts.push(format!("One of [`enums::{}`].", constant(&member.shape)));
        }
        Shape::Text(Text { shortest, longest: Some(longest), .. }) => {
            parts.push(format!("{} to {longest} characters.", shortest.unwrap_or(0)));
        }
        Shape::Integer { least: Some(least), most: Some(most) } => {
            parts.push(format!("{least} to {most}."));
        }
        Shape::List { longest: Some(longest), .. } => parts.push(format!("At most {longest}.")),
        _ => {}
    }
    Ok((!parts.is_empty()).then(|| parts.join(" ")))
}

fn permitted_values(
    model: &Model,
    shapes: &BTreeSet<String>,
    out: &mut String,
) -> anyhow::Result<()> {
    out.push_str(
        "/// The values that the string enumerations of the API permit.\npub mod enums {\n",
    );
    for name in shapes {
        if let Shape::Text(Text { one_of, .. }) = model.shape(name)?
            && !one_of.is_empty()
        {
            let _ = writeln!(
                out,
                "/// The values of `{name}`.\npub const {}: &[&str] = &{one_of:?};\n",
                constant(name)
            );
        }
    }
    out.push_str("}\n");
    Ok(())
}

fn rust_type(model: &Model, shape: &str) -> anyhow::Result<String> {
    Ok(match model.shape(shape)? {
        Shape::Structure(_) => shape.to_owned(),
        Shape::List { of, .. } => format!("Vec<{}>", rust_type(model, &of)?),
        Shape::Map { value, .. } => {
            format!("std::collections::BTreeMap<String, {}>", rust_type(model, &value)?)
        }
        Shape::Text(_) => "String".to_owned(),
        Shape::Integer { .. } => "i64".to_owned(),
        Shape::Double => "f64".to_owned(),
        Shape::Boolean => "bool".to_owned(),
        Shape::Time => "crate::Time".to_owned(),
    })
}

fn variant(error: &str) -> &str {
    error.strip_suffix("Exception").unwrap_or(error)
}

fn field(name: &str) -> String {
    let snake = snake(name);
    if snake == "type" { format!("r#{snake}") } else { snake }
}

fn constant(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// `ec2TagFilters` becomes `ec2_tag_filters`, `ECSTaskSet` becomes `ecs_task_set`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let starts_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase)
            });
        if starts_word {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
