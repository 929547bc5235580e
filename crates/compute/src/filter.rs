//! The packet filter: what reaches an instance, and what an instance reaches.
//!
//! The bridge's ports are isolated from one another, so every packet of an instance goes through the machine's own
//! network stack, and one `inet` table filters machine ↔ instance and instance ↔ instance alike, with the kernel's
//! connection tracking. (The bridge has no connection tracking of its own on kernels without `nf_conntrack_bridge`.)
//! A small `bridge` table keeps an instance from speaking under another's address.
//!
//! The tables are replaced as a whole in one transaction.

use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;

use crate::ComputeError;
use crate::network::Names;
use crate::nft;
use crate::spec::{Ingress, Protocol};
use crate::subnet::Cidr;

/// Everything that the rules are made from.
#[derive(Debug)]
pub(crate) struct Ruleset<'a> {
    pub names: &'a Names,
    pub subnet: Cidr,
    pub allowed_ports: &'a [u16],
    pub ingress: &'a [(Ipv4Addr, Vec<Ingress>)],
}

impl Ruleset<'_> {
    /// Puts the rules in force; the ones before are gone in the same moment.
    pub async fn apply(&self) -> Result<(), ComputeError> {
        apply(self.to_string()).await
    }
}

/// Removes the tables; nothing to do is success.
pub(crate) async fn remove(names: &Names) -> Result<(), ComputeError> {
    let table = &names.table;
    apply(format!("{}{}", replace("inet", table), replace("bridge", table))).await
}

/// Deleting what is not there is an error, adding what is there is none.
fn replace(family: &str, table: &str) -> String {
    format!("table {family} {table}\ndelete table {family} {table}\n")
}

impl fmt::Display for Ruleset<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Names { bridge, table, .. } = self.names;
        f.write_str(&replace("inet", table))?;
        f.write_str(&replace("bridge", table))?;
        writeln!(f, "table inet {table} {{")?;
        for (address, rules) in self.ingress {
            writeln!(f, "  chain {} {{", chain(*address))?;
            for rule in rules {
                writeln!(f, "    {}", RuleText(rule))?;
            }
            writeln!(f, "  }}")?;
        }
        writeln!(f, "  chain instance {{")?;
        writeln!(f, "    ct state established,related accept")?;
        if !self.ingress.is_empty() {
            let jumps: Vec<_> = self
                .ingress
                .iter()
                .map(|(address, _)| format!("{address} : jump {}", chain(*address)))
                .collect();
            writeln!(f, "    ip daddr vmap {{ {} }}", jumps.join(", "))?;
        }
        writeln!(f, "    drop")?;
        writeln!(f, "  }}")?;

        // Redirects: two instances are on one bridge, and yet the way between them is through the machine.
        writeln!(
            f,
            "  chain from_machine {{
    type filter hook output priority filter; policy accept;
    oifname \"{bridge}\" icmp type redirect drop
    oifname \"{bridge}\" jump instance
  }}
  chain through_machine {{
    type filter hook forward priority filter; policy accept;
    oifname \"{bridge}\" jump instance
    iifname \"{bridge}\" ct state established,related accept
    iifname \"{bridge}\" drop
  }}
  chain to_machine {{
    type filter hook input priority filter; policy accept;
    iifname \"{bridge}\" ct state established,related accept"
        )?;
        if !self.allowed_ports.is_empty() {
            let ports: Vec<_> = self.allowed_ports.iter().map(u16::to_string).collect();
            writeln!(f, "    iifname \"{bridge}\" tcp dport {{ {} }} accept", ports.join(", "))?;
        }
        writeln!(
            f,
            "    iifname \"{bridge}\" icmp type echo-request accept
    iifname \"{bridge}\" drop
  }}
}}"
        )?;
        self.write_spoofing_rules(f)
    }
}

impl Ruleset<'_> {
    /// An instance's port is named after its address, so the whole table is known before any instance is.
    fn write_spoofing_rules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Names { port, table, .. } = self.names;
        let mut own = String::new();
        for number in 2..255 {
            let address = self.subnet.nth(number);
            write!(own, "\"{}\" . {address}, ", self.names.port_of(address))?;
        }
        writeln!(
            f,
            "table bridge {table} {{
  set own_address {{
    type ifname . ipv4_addr
    elements = {{ {own} }}
  }}
  chain from_instance {{
    type filter hook prerouting priority -300; policy accept;
    iifname \"{port}-*\" ether type ip iifname . ip saddr != @own_address counter drop
    iifname \"{port}-*\" ether type arp iifname . arp saddr ip != @own_address counter drop
    iifname \"{port}-*\" ether type != {{ ip, arp }} counter drop
  }}
}}"
        )
    }
}

fn chain(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("to_{a}_{b}_{c}_{d}")
}

/// One line of a security group as a rule of nftables.
struct RuleText<'a>(&'a Ingress);

impl fmt::Display for RuleText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ingress { protocol, from_port, to_port, source } = self.0;
        if *source != Cidr::ANYWHERE {
            write!(f, "ip saddr {source} ")?;
        }
        match protocol {
            Protocol::All => {}
            Protocol::Tcp => write_ports(f, "tcp", *from_port, *to_port)?,
            Protocol::Udp => write_ports(f, "udp", *from_port, *to_port)?,
            Protocol::Icmp => {
                f.write_str("meta l4proto icmp ")?;
                if let Some(kind) = from_port {
                    write!(f, "icmp type {kind} ")?;
                }
                if let Some(code) = to_port {
                    write!(f, "icmp code {code} ")?;
                }
            }
            Protocol::Number(number) => write!(f, "meta l4proto {number} ")?,
        }
        f.write_str("accept")
    }
}

fn write_ports(
    f: &mut fmt::Formatter<'_>,
    protocol: &str,
    from: Option<u16>,
    to: Option<u16>,
) -> fmt::Result {
    match (from, to) {
        (None, None) => write!(f, "meta l4proto {protocol} "),
        (Some(from), Some(to)) if from == to => write!(f, "{protocol} dport {from} "),
        (from, to) => {
            let (from, to) = (from.unwrap_or(0), to.unwrap_or(u16::MAX));
            // nft refuses a range that ends before it begins; such a rule allows nothing.
            if from > to { f.write_str("# ") } else { write!(f, "{protocol} dport {from}-{to} ") }
        }
    }
}

async fn apply(commands: String) -> Result<(), ComputeError> {
    tokio::task::spawn_blocking(move || nft::apply(&commands))
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: Protocol, from: Option<u16>, to: Option<u16>, source: &str) -> String {
        let source = source.parse().unwrap();
        RuleText(&Ingress { protocol, from_port: from, to_port: to, source }).to_string()
    }

    #[test]
    fn a_line_of_a_security_group_becomes_one_rule() {
        let cases = [
            (rule(Protocol::All, None, None, "0.0.0.0/0"), "accept"),
            (rule(Protocol::All, Some(1), Some(2), "10.0.0.0/8"), "ip saddr 10.0.0.0/8 accept"),
            (rule(Protocol::Tcp, Some(8080), Some(8080), "0.0.0.0/0"), "tcp dport 8080 accept"),
            (
                rule(Protocol::Tcp, Some(20), Some(22), "10.1.2.1/32"),
                "ip saddr 10.1.2.1/32 tcp dport 20-22 accept",
            ),
            (rule(Protocol::Tcp, None, None, "0.0.0.0/0"), "meta l4proto tcp accept"),
            (rule(Protocol::Udp, None, Some(9), "0.0.0.0/0"), "udp dport 0-9 accept"),
            (rule(Protocol::Udp, Some(9), Some(8), "0.0.0.0/0"), "# accept"),
            (
                rule(Protocol::Icmp, Some(8), None, "0.0.0.0/0"),
                "meta l4proto icmp icmp type 8 accept",
            ),
            (rule(Protocol::Icmp, None, None, "0.0.0.0/0"), "meta l4proto icmp accept"),
            (rule(Protocol::Number(50), None, None, "0.0.0.0/0"), "meta l4proto 50 accept"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }
}
