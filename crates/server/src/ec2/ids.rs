//! Ids of EC2's resources.

use model::arn::Scope;
use sha2::{Digest, Sha256};

use super::refuse;
use crate::forms::ApiError;

/// A new id: the prefix and 17 drawn hexadecimal digits.
pub(super) fn drawn(prefix: &str) -> String {
    let number: u128 = rand::random();
    numbered(prefix, number)
}

/// The id of something that every region has from the start, such as the default VPC: always the same one.
pub(super) fn fixed(prefix: &str, scope: &Scope, what: &str) -> String {
    let digest = Sha256::digest(format!("{}/{}/{what}", scope.account, scope.region));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    numbered(prefix, u128::from_be_bytes(bytes))
}

fn numbered(prefix: &str, number: u128) -> String {
    format!("{prefix}-{:017x}", number & ((1 << 68) - 1))
}

/// Refuses what cannot be an instance's id.
pub(super) fn check_instance(id: &str) -> Result<(), ApiError> {
    match id.parse::<model::InstanceId>() {
        Ok(_) => Ok(()),
        Err(_) => Err(refuse::malformed_instance(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_seventeen_digits_and_the_fixed_ones_stay() {
        let scope = |region: &str| Scope { account: "123456789012".into(), region: region.into() };
        assert_eq!(drawn("sg").len(), 20);
        assert_ne!(drawn("sg"), drawn("sg"));
        assert_eq!(fixed("vpc", &scope("a"), "v"), fixed("vpc", &scope("a"), "v"));
        assert_ne!(fixed("vpc", &scope("a"), "v"), fixed("vpc", &scope("b"), "v"));
        assert!(check_instance("i-043938ee").is_ok());
        assert!(check_instance("043938ee").is_err());
    }
}
