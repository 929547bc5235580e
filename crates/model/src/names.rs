//! Names that users choose.

use std::fmt;
use std::str::FromStr;

/// Why a text is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Too short or too long.
    #[error("a name has 1 to 100 characters, this one has {0}")]
    Length(usize),
    /// A character outside the allowed set.
    #[error("`{0}` is not allowed in a name: use letters, digits and . _ + = , @ -")]
    Character(char),
    /// A custom configuration that looks like a predefined one.
    #[error("names that begin with `CodeDeployDefault.` are reserved")]
    Reserved,
}

/// 1 to 100 characters of `A-Za-z0-9._+=,@-`.
/// Source: CodeDeploy user guide, "Naming constraints".
fn check_name(name: &str) -> Result<(), InvalidName> {
    let length = name.chars().count();
    if !(1..=100).contains(&length) {
        return Err(InvalidName::Length(length));
    }
    match name.chars().find(|c| !c.is_ascii_alphanumeric() && !"._+=,@-".contains(*c)) {
        Some(wrong) => Err(InvalidName::Character(wrong)),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(name: &str) -> Result<Self, InvalidName> {
                check_name(name)?;
                Ok(Self(name.to_owned()))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of an application, unique per account and region.
    ApplicationName
}
name! {
    /// The name of a deployment group, unique per application.
    DeploymentGroupName
}
name! {
    /// The name of a deployment configuration, predefined or custom.
    DeploymentConfigName
}

impl DeploymentConfigName {
    /// The prefix of the predefined configurations.
    pub const PREDEFINED_PREFIX: &str = "CodeDeployDefault.";

    /// Whether this is one of the names that only the service may define.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(Self::PREDEFINED_PREFIX)
    }

    /// What a deployment uses when neither it nor its group names a configuration.
    pub fn default_for_servers() -> Self {
        Self("CodeDeployDefault.OneAtATime".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_naming_constraints() {
        assert!("Demo.App_1+=,@-".parse::<ApplicationName>().is_ok());
        assert_eq!("".parse::<ApplicationName>(), Err(InvalidName::Length(0)));
        assert_eq!("a".repeat(101).parse::<ApplicationName>(), Err(InvalidName::Length(101)));
        assert_eq!("a b".parse::<DeploymentGroupName>(), Err(InvalidName::Character(' ')));
    }
}
