//! The `permissions` section.

use super::acl::AclEntry;
use super::context::SecurityContext;
use super::error::{AppSpecError, Problem};
use super::mode::Mode;
use super::yaml::{Node, Position, Value, present};
use super::{Warning, acl, context};

/// A kind of thing that a permission applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectType {
    File,
    Directory,
}

/// One item of `permissions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Path on the host, as written, without white space around it.
    pub object: String,
    /// Which things below the object: `**` is all of them; else a simple glob over its direct children.
    pub pattern: String,
    /// Simple globs over direct children that are left out.
    pub except: Vec<String>,
    /// Kinds of things meant.
    pub types: Vec<ObjectType>,
    /// Name of the owner to set.
    pub owner: Option<String>,
    /// Name of the group to set.
    pub group: Option<String>,
    /// Mode to set.
    pub mode: Option<Mode>,
    /// Access list entries to set.
    pub acls: Vec<AclEntry>,
    /// SELinux context to set.
    pub context: Option<SecurityContext>,
    /// Where the item is in the file.
    pub at: Position,
}

impl Permission {
    /// Whether the item is for things of this kind.
    pub fn is_for(&self, kind: ObjectType) -> bool {
        self.types.contains(&kind)
    }

    /// Whether `relative`, a path below the object, is meant.
    ///
    /// A path with a slash is matched by `**` alone; so both other patterns and exceptions speak of direct children only.
    /// Source: official agent.
    pub fn matches(&self, relative: &str) -> bool {
        (self.pattern == "**" || glob(&self.pattern, relative))
            && !self.except.iter().any(|pattern| glob(pattern, relative))
    }
}

/// Matches a name against a glob in which only `*` is special; a name with a slash matches nothing.
fn glob(pattern: &str, name: &str) -> bool {
    if name.contains('/') {
        return false;
    }
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

pub(super) fn parse(
    node: Option<&Node>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Permission>, AppSpecError> {
    Node::items(node, "permissions")?.iter().map(|item| permission(item, warnings)).collect()
}

fn permission(node: &Node, warnings: &mut Vec<Warning>) -> Result<Permission, AppSpecError> {
    let Value::Mapping(_) = node.value else {
        return Err(Problem::shape("an item of permissions", "a mapping", node).at(node.at));
    };
    let object = present(node.get("object")).map(|node| node.text().trim().to_owned());
    let object = object.filter(|object| !object.is_empty());
    Ok(Permission {
        object: object.ok_or_else(|| Problem::NoObject.at(node.at))?,
        pattern: present(node.get("pattern")).map_or_else(|| "**".to_owned(), Node::text),
        except: Node::items(node.get("except"), "except")?.iter().map(Node::text).collect(),
        types: types(node.get("type"))?,
        owner: name(node, "owner")?,
        group: name(node, "group")?,
        mode: mode(node, warnings)?,
        acls: acl::parse(node.get("acls"))?,
        context: context::parse(node.get("context"))?,
        at: node.at,
    })
}

fn types(node: Option<&Node>) -> Result<Vec<ObjectType>, AppSpecError> {
    if present(node).is_none() {
        return Ok(vec![ObjectType::File, ObjectType::Directory]);
    }
    let kind = |item: &Node| match item.text().trim() {
        "file" => Ok(ObjectType::File),
        "directory" => Ok(ObjectType::Directory),
        other => Err(Problem::ObjectType { found: other.to_owned() }.at(item.at)),
    };
    Node::items(node, "type")?.iter().map(kind).collect()
}

fn name(node: &Node, key: &str) -> Result<Option<String>, AppSpecError> {
    match present(node.get(key)) {
        None => Ok(None),
        Some(Node { value: Value::Text(name), .. }) => Ok(Some(name.clone())),
        // Numeric ids are not accepted: an id means another user on each host.
        Some(other) => {
            Err(Problem::shape(format!("the {key} of a permission"), "a name", other).at(other.at))
        }
    }
}

fn mode(node: &Node, warnings: &mut Vec<Warning>) -> Result<Option<Mode>, AppSpecError> {
    let Some(node) = present(node.get("mode")) else { return Ok(None) };
    let mode = Mode::parse(node)?;
    if node.octal {
        let text = format!(
            "an unquoted mode with a leading zero is an octal number in YAML: this one sets {}; quote it or drop the zero",
            mode.as_str()
        );
        warnings.push(Warning { at: node.at, text });
    }
    Ok(Some(mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appspec::AppSpec;

    fn permissions(item: &str) -> Result<AppSpec, String> {
        let text = format!("version: 0.0\nos: linux\npermissions:\n  - {item}\n");
        AppSpec::parse(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_star_is_special_and_only_below_the_object() {
        for (pattern, name, fits) in [
            ("a*b*c", "abc", true),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "abcd", false),
            ("*", "x", true),
            ("*", "a/b", false),
            ("[ab]", "[ab]", true),
            ("?.txt", "a.txt", false),
            ("a*a", "a", false),
            ("*.sh", ".sh", true),
            ("sub/*.sh", "sub/c.sh", false),
        ] {
            assert_eq!(glob(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn exceptions_name_direct_children() {
        let spec = permissions("{object: /x, except: [sub, '*.sh']}").unwrap();
        let item = &spec.permissions[0];
        assert!(!item.matches("a.sh") && !item.matches("sub"));
        assert!(item.matches("sub/a.sh") && item.matches("b.txt"));
    }

    #[test]
    fn an_object_is_required_and_kinds_are_known() {
        assert!(permissions("{mode: 700}").unwrap_err().contains("has no object value"));
        assert!(permissions("{object: /x, type: [link]}").unwrap_err().contains("(link)"));
        assert!(permissions("{object: /x, type: file}").unwrap_err().contains("must be a list"));
        assert!(permissions("{object: /x, owner: 1}").unwrap_err().contains("must be a name"));
        assert!(permissions("{object: /x, except: a}").is_err());
    }

    #[test]
    fn an_unquoted_octal_mode_is_kept_and_warned_about() {
        let spec = permissions("{object: /x, mode: 0644}").unwrap();
        assert_eq!(spec.permissions[0].mode.as_ref().unwrap().as_str(), "420");
        assert!(spec.warnings[0].text.contains("sets 420"));
        assert!(permissions("{object: /x, mode: '0644'}").unwrap().warnings.is_empty());
    }
}
