//! Ids and secrets that IAM gives.

use rand::Rng;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A unique id: the four letters that tell its kind and 16 drawn ones.
/// Source: IAM user guide, "Understanding unique ID prefixes".
pub(crate) fn unique(prefix: IdPrefix) -> String {
    format!("{}{}", prefix.letters(), drawn(BASE32, 16))
}

/// The kinds of thing that have a unique id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdPrefix {
    AccessKey,
    TemporaryAccessKey,
    InstanceProfile,
    Policy,
    Role,
    User,
}

impl IdPrefix {
    fn letters(self) -> &'static str {
        match self {
            Self::AccessKey => "AKIA",
            Self::TemporaryAccessKey => "ASIA",
            Self::InstanceProfile => "AIPA",
            Self::Policy => "ANPA",
            Self::Role => "AROA",
            Self::User => "AIDA",
        }
    }
}

/// A secret access key: 40 characters, 240 random bits.
pub(crate) fn secret() -> String {
    drawn(BASE64, 40)
}

/// A session token; 384 random bits. The prefix is what AWS's own begin with.
pub(crate) fn session_token() -> String {
    format!("IQoJ{}", drawn(BASE64, 64))
}

fn drawn<const N: usize>(alphabet: &[u8; N], length: usize) -> String {
    // The generator is cryptographic and seeded by the system.
    let mut random = rand::rng();
    (0..length).map(|_| char::from(alphabet[random.random_range(0..N)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_their_kind_and_secrets_differ() {
        let id = unique(IdPrefix::Role);
        assert!(id.starts_with("AROA") && id.len() == 20, "{id}");
        assert_eq!(secret().len(), 40);
        assert_ne!(secret(), secret());
        assert_ne!(session_token(), session_token());
    }
}
