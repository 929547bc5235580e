//! Permission modes.

use super::error::{AppSpecError, Problem};
use super::yaml::Node;

/// A permissions mode: 3 or 4 octal digits, kept as written (`7` is `007`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode(String);

impl Mode {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mode as the kernel takes it: 0 to 0o7777.
    pub fn bits(&self) -> u32 {
        u32::from_str_radix(&self.0, 8).expect("a mode has octal digits only")
    }

    pub(super) fn parse(node: &Node) -> Result<Self, AppSpecError> {
        let found = node.text();
        let padded = format!("{found:0>3}");
        if padded.chars().count() > 4 {
            return Err(Problem::ModeLength { found }.at(node.at));
        }
        if let Some(character) = padded.chars().find(|c| !c.is_digit(8)) {
            return Err(Problem::ModeCharacter { found, character }.at(node.at));
        }
        Ok(Self(padded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(yaml: &str) -> Result<String, String> {
        let node = crate::appspec::yaml::parse(yaml.as_bytes()).unwrap();
        Mode::parse(&node).map(|mode| mode.as_str().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn modes_are_up_to_four_octal_digits() {
        for (yaml, digits) in [
            ("644", "644"),
            ("'0644'", "0644"),
            ("4755", "4755"),
            ("7", "007"),
            ("0644", "420"),
            ("0", "000"),
        ] {
            assert_eq!(mode(yaml).as_deref(), Ok(digits), "{yaml}");
        }
        assert!(mode("'00755'").unwrap_err().contains("length of a permissions mode (00755)"));
        assert!(mode("u+x").unwrap_err().contains("invalid character (u)"));
        assert!(mode("-644").unwrap_err().contains("invalid character (-)"));
        assert!(mode("798").unwrap_err().contains("invalid character (9)"));
    }
}
