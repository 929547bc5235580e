//! Ids that the service gives.

use std::fmt;
use std::str::FromStr;

use crate::lifecycle::LifecycleEvent;

/// A text that has not the form of the id it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct InvalidId {
    /// The text found.
    pub text: String,
    /// The form expected, in words.
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// An application's id, a UUID; it outlives renaming.
    ApplicationId
}
id! {
    /// A deployment group's id, a UUID. Agents key everything they keep on a host by it, so it outlives renaming.
    DeploymentGroupId
}
id! {
    /// A deployment's id: `d-` and nine upper-case letters or digits.
    DeploymentId
}
id! {
    /// An instance's id: `i-` and 8 or 17 lower-case hexadecimal digits.
    InstanceId
}
id! {
    /// A host as a member of one deployment: an instance id or the name of a registered host.
    TargetId
}
id! {
    /// One order to one host, derived from what it orders, so that ordering the same again creates nothing new.
    HostCommandId
}

impl ApplicationId {
    /// Takes the id given; the caller drew it.
    pub fn new(uuid: impl Into<String>) -> Self {
        Self(uuid.into())
    }
}

impl DeploymentGroupId {
    /// Takes the id given; the caller drew it.
    pub fn new(uuid: impl Into<String>) -> Self {
        Self(uuid.into())
    }
}

impl TargetId {
    /// Takes an instance id or a registered host's name.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl From<&InstanceId> for TargetId {
    fn from(id: &InstanceId) -> Self {
        Self(id.0.clone())
    }
}

const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

impl DeploymentId {
    /// The id made from nine random bytes.
    pub fn from_random(bytes: [u8; 9]) -> Self {
        let tail = bytes.map(|b| ALPHABET[usize::from(b) % ALPHABET.len()]);
        Self(format!("d-{}", tail.map(char::from).iter().collect::<String>()))
    }
}

impl DeploymentId {
    /// The id of the deployment that follows from this one by the commit that makes its `version`. Derived, so that
    /// planning the same twice makes one deployment; the version, so that a clash with a drawn id is not for good.
    pub fn successor(&self, version: u64) -> Self {
        let seed = self.0.bytes().chain(version.to_be_bytes()).fold(0, |hash: u64, byte| {
            (hash ^ u64::from(byte))
                .wrapping_mul(0x0100_0000_01b3)
                .wrapping_add(0x9e37_79b9_7f4a_7c15)
        });
        // Source: SplitMix64, one number for each character.
        let mixed = |n: u64| {
            let mixed = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed >> 56) as u8
        };
        Self::from_random(std::array::from_fn(|n| mixed(n as u64 + 1)))
    }
}

impl FromStr for DeploymentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = text.strip_prefix("d-").is_some_and(|tail| {
            tail.len() == 9 && tail.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId {
                text: text.to_owned(),
                expected: "a deployment id (`d-` and nine letters or digits)",
            })
        }
    }
}

impl InstanceId {
    /// The id made from a random number; 17 hexadecimal digits as new instances have.
    pub fn from_random(number: u128) -> Self {
        Self(format!("i-{:017x}", number & ((1 << 68) - 1)))
    }
}

impl FromStr for InstanceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = text.strip_prefix("i-").is_some_and(|tail| {
            matches!(tail.len(), 8 | 17)
                && tail.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId {
                text: text.to_owned(),
                expected: "an instance id (`i-` and 8 or 17 hexadecimal digits)",
            })
        }
    }
}

impl HostCommandId {
    /// The id of the order to run `event` of `deployment` on `target`, for the `attempt`-th time (from 1).
    pub fn derive(
        deployment: &DeploymentId,
        target: &TargetId,
        event: LifecycleEvent,
        attempt: u32,
    ) -> Self {
        Self(format!("{deployment}/{event}/{attempt}/{target}"))
    }

    /// The parts that the id was derived from.
    pub fn parts(&self) -> (DeploymentId, TargetId, LifecycleEvent, u32) {
        self.0.parse_parts().expect("an id is only made by `derive` or checked by `from_str`")
    }
}

trait ParseParts {
    fn parse_parts(&self) -> Option<(DeploymentId, TargetId, LifecycleEvent, u32)>;
}

impl ParseParts for str {
    fn parse_parts(&self) -> Option<(DeploymentId, TargetId, LifecycleEvent, u32)> {
        let mut parts = self.splitn(4, '/');
        let deployment = parts.next()?.parse().ok()?;
        let event = parts.next()?.parse().ok()?;
        let attempt = parts.next()?.parse().ok()?;
        let target = parts.next().filter(|name| !name.is_empty())?;
        Some((deployment, TargetId::new(target), event, attempt))
    }
}

impl FromStr for HostCommandId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse_parts() {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(InvalidId { text: text.to_owned(), expected: "a host command id" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deployment_ids_have_one_form() {
        assert!("d-75I7MBT7C".parse::<DeploymentId>().is_ok());
        for wrong in ["d-75i7MBT7C", "d-75I7MBT7", "75I7MBT7C", "d-75I7MBT7CX", ""] {
            assert!(wrong.parse::<DeploymentId>().is_err(), "{wrong}");
        }
        let drawn = DeploymentId::from_random([0, 255, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(drawn.as_str().parse(), Ok(drawn));
    }

    #[test]
    fn successors_are_the_same_each_time_and_differ_from_each_other() {
        let id: DeploymentId = "d-75I7MBT7C".parse().unwrap();
        let ids: std::collections::BTreeSet<_> = (1..1000).map(|n| id.successor(n)).collect();
        assert_eq!(ids.len(), 999);
        assert!(!ids.contains(&id));
        assert_eq!(id.successor(7), id.successor(7));
    }

    #[test]
    fn instance_ids_have_eight_or_seventeen_digits() {
        assert!("i-043938ee".parse::<InstanceId>().is_ok());
        assert_eq!(InstanceId::from_random(7).as_str(), "i-00000000000000007");
        assert!("i-043938e".parse::<InstanceId>().is_err());
        assert!("i-043938EE".parse::<InstanceId>().is_err());
    }

    #[test]
    fn a_command_id_tells_what_it_orders() {
        let deployment: DeploymentId = "d-75I7MBT7C".parse().unwrap();
        let target = TargetId::new("web/01");
        let id = HostCommandId::derive(&deployment, &target, LifecycleEvent::Install, 1);
        assert_eq!(id.parts(), (deployment, target, LifecycleEvent::Install, 1));
        assert_eq!(id.as_str().parse(), Ok(id));
        assert!("d-75I7MBT7C/Install/1/".parse::<HostCommandId>().is_err());
    }
}
