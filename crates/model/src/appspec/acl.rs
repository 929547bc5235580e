//! Access control list entries of a permission.

use std::fmt;

use super::error::{AppSpecError, Problem};
use super::yaml::Node;

/// Whom an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AclTag {
    User,
    Group,
    Mask,
    Other,
}

impl AclTag {
    /// The name in an access list.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Mask => "mask",
            Self::Other => "other",
        }
    }

    fn from_field(field: &str) -> Option<Self> {
        match field {
            "u" | "user" => Some(Self::User),
            "g" | "group" => Some(Self::Group),
            "m" | "mask" => Some(Self::Mask),
            "o" | "other" => Some(Self::Other),
            _ => None,
        }
    }
}

/// One entry, shown in its canonical form `[default:]tag:name:rwx`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclEntry {
    /// Whether it is what new things in a directory inherit.
    pub default: bool,
    /// Whom it is about.
    pub tag: AclTag,
    /// The user or group; empty for the owner, the mask and others.
    pub name: String,
    /// Permissions: 4 read, 2 write, 1 execute.
    pub bits: u8,
}

impl fmt::Display for AclEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bit = |mask: u8, letter: char| if self.bits & mask == 0 { '-' } else { letter };
        let default = if self.default { "default:" } else { "" };
        let (tag, name) = (self.tag.name(), &self.name);
        write!(f, "{default}{tag}:{name}:{}{}{}", bit(4, 'r'), bit(2, 'w'), bit(1, 'x'))
    }
}

pub(super) fn parse(node: Option<&Node>) -> Result<Vec<AclEntry>, AppSpecError> {
    let parse = |item: &Node| entry(&item.text()).map_err(|problem| problem.at(item.at));
    Node::items(node, "acls")?.iter().map(parse).collect()
}

fn entry(text: &str) -> Result<AclEntry, Problem> {
    let invalid = || Problem::AclEntry { entry: text.to_owned() };
    let mut fields: Vec<&str> = text.split(':').collect();
    let permissions =
        fields.pop().filter(|_| (1..=3).contains(&fields.len())).ok_or_else(invalid)?;
    let default = fields.len() > 1 && matches!(fields[0], "d" | "default");
    if default {
        fields.remove(0);
    }
    let (tag, name) = match fields[..] {
        // With one field left it names a user, unless it can only be a mask or others.
        [field] => match AclTag::from_field(field) {
            Some(tag @ (AclTag::Mask | AclTag::Other)) => (tag, ""),
            _ => (AclTag::User, field),
        },
        [tag, name] => (AclTag::from_field(tag).ok_or_else(invalid)?, name),
        _ => return Err(invalid()),
    };
    let named_wrongly = matches!(tag, AclTag::Mask | AclTag::Other) && !name.is_empty();
    if named_wrongly {
        return Err(invalid());
    }
    if !default && name.is_empty() && tag != AclTag::Mask {
        return Err(Problem::AclBaseEntry { entry: text.to_owned() });
    }
    Ok(AclEntry { default, tag, name: name.to_owned(), bits: bits(permissions, text)? })
}

fn bits(permissions: &str, entry: &str) -> Result<u8, Problem> {
    if let [digit @ b'0'..=b'7'] = permissions.as_bytes() {
        return Ok(digit - b'0');
    }
    permissions.chars().try_fold(0, |bits, character| match character {
        'r' => Ok(bits | 4),
        'w' => Ok(bits | 2),
        'x' => Ok(bits | 1),
        '-' => Ok(bits),
        _ => Err(Problem::AclCharacter { entry: entry.to_owned(), character }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_one_canonical_form() {
        for (text, canonical) in [
            ("u:daemon:rw", "user:daemon:rw-"),
            ("daemon:5", "user:daemon:r-x"),
            ("m::rx", "mask::r-x"),
            ("mask:7", "mask::rwx"),
            ("d:u:daemon:rw", "default:user:daemon:rw-"),
            ("default:g::r", "default:group::r--"),
            ("group:web:", "group:web:---"),
        ] {
            assert_eq!(entry(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_entry_is_named() {
        let fault = |text: &str| entry(text).unwrap_err().to_string();
        for wrong in ["daemon", "a:b:c:d:e", "x:daemon:r", "m:daemon:r", "o:web:r", "d:d:u:r"] {
            assert!(fault(wrong).contains(&format!("Invalid acl entry ({wrong})")), "{wrong}");
        }
        assert!(fault("u::rw").contains("Use mode to set the base acl entry (u::rw)"));
        assert!(fault("o::r").contains("Use mode"));
        assert!(fault("u:daemon:rq").contains("named u:daemon:rq"));
        assert!(fault("u:daemon:8").contains("invalid character (8)"));
    }
}
