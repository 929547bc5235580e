//! IPv4 ranges, and the choice of one that the machine does not use yet.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A range of IPv4 addresses in CIDR notation. Bits beyond the prefix are always zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    network: Ipv4Addr,
    prefix: u8,
}

/// A text that is not an IPv4 range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an IPv4 range such as `10.1.2.0/24`")]
pub struct InvalidCidr(pub String);

impl Cidr {
    /// Every address.
    pub const ANYWHERE: Self = Self { network: Ipv4Addr::UNSPECIFIED, prefix: 0 };

    /// The range of `prefix` bits around `address`; a prefix above 32 counts as 32.
    pub fn around(address: Ipv4Addr, prefix: u8) -> Self {
        let prefix = prefix.min(32);
        Self { network: Ipv4Addr::from_bits(address.to_bits() & mask(prefix)), prefix }
    }

    /// The range of one address.
    pub fn host(address: Ipv4Addr) -> Self {
        Self::around(address, 32)
    }

    /// The first address.
    pub fn network(self) -> Ipv4Addr {
        self.network
    }

    /// The number of fixed bits, 0 to 32.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether `address` lies in the range.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.network.to_bits()
    }

    /// Whether any address lies in both ranges.
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.network) || other.contains(self.network)
    }

    /// The address `number` places after the first one.
    pub(crate) fn nth(self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network.to_bits().wrapping_add(number))
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let parse = || {
            let (address, prefix) = text.split_once('/')?;
            let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
            Some(Self::around(address.parse().ok()?, prefix))
        };
        parse().ok_or_else(|| InvalidCidr(text.to_owned()))
    }
}

impl TryFrom<String> for Cidr {
    type Error = InvalidCidr;

    fn try_from(text: String) -> Result<Self, InvalidCidr> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

/// The first `10.x.y.0/24` from `seed` on that overlaps none of `used`; none if the machine uses all of `10.0.0.0/8`.
/// Servers with other seeds begin their search elsewhere, so that two that start together do not choose the same.
pub(crate) fn free_subnet(seed: u32, used: &[Cidr]) -> Option<Cidr> {
    (0..=u32::from(u16::MAX))
        .map(|step| {
            let middle = (seed.wrapping_add(step) & 0xffff) << 8;
            Cidr::around(Ipv4Addr::from_bits(0x0a00_0000 | middle), 24)
        })
        .find(|candidate| !used.iter().any(|range| range.overlaps(*candidate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_is_read_written_and_cut_to_its_prefix() {
        assert_eq!(cidr("10.1.2.3/24").to_string(), "10.1.2.0/24");
        assert_eq!(cidr("0.0.0.0/0"), Cidr::ANYWHERE);
        assert!(cidr("0.0.0.0/0").contains(Ipv4Addr::BROADCAST));
        assert!(cidr("10.1.2.3/32").contains(Ipv4Addr::new(10, 1, 2, 3)));
        assert!(!cidr("10.1.2.3/32").contains(Ipv4Addr::new(10, 1, 2, 2)));
        for wrong in ["", "10.1.2.3", "10.1.2/24", "10.1.2.3/33", "10.1.2.3/-1", "::/0"] {
            assert_eq!(wrong.parse::<Cidr>(), Err(InvalidCidr(wrong.to_owned())));
        }
    }

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        assert!(cidr("10.0.0.0/8").overlaps(cidr("10.1.2.0/24")));
        assert!(cidr("10.1.2.0/24").overlaps(cidr("10.0.0.0/8")));
        assert!(!cidr("10.1.2.0/24").overlaps(cidr("10.1.3.0/24")));
    }

    #[test]
    fn the_chosen_subnet_is_the_first_that_nobody_uses() {
        assert_eq!(free_subnet(0x0102, &[]), Some(cidr("10.1.2.0/24")));
        assert_eq!(
            free_subnet(0x0102, &[cidr("10.1.2.128/25"), cidr("10.1.3.0/24")]),
            Some(cidr("10.1.4.0/24"))
        );
        assert_eq!(free_subnet(0xffff, &[cidr("10.255.255.0/24")]), Some(cidr("10.0.0.0/24")));
        assert_eq!(free_subnet(7, &[cidr("10.0.0.0/8")]), None);
    }
}
