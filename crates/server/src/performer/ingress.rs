//! What the packet filter lets through, from the security groups. Pure.

use std::net::Ipv4Addr;

use compute::{Cidr, Ingress, Protocol};

use crate::ec2::{InstanceRecord, Peer, SecurityGroupRecord, State};

/// The rules of every instance that has not been terminated, by its address. A rule that names a group stands for
/// the addresses of the group's instances.
pub(super) fn rules(
    instances: &[InstanceRecord],
    groups: &[SecurityGroupRecord],
) -> Vec<(Ipv4Addr, Vec<Ingress>)> {
    let live: Vec<_> =
        instances.iter().filter(|instance| instance.state != State::Terminated).collect();
    let of_instance = |instance: &InstanceRecord| {
        let mut rules = Vec::new();
        let own = groups.iter().filter(|group| instance.groups.contains(&group.id));
        for rule in own.flat_map(|group| &group.ingress) {
            let Some(protocol) = protocol(&rule.protocol) else { continue };
            let sources = match &rule.peer {
                Peer::Ipv4(cidr) => cidr.parse::<Cidr>().into_iter().collect(),
                // Instances have no such addresses.
                Peer::Ipv6(_) => Vec::new(),
                Peer::Group(id) => live
                    .iter()
                    .filter(|member| member.groups.contains(id))
                    .map(|member| Cidr::host(member.address))
                    .collect(),
            };
            rules.extend(sources.into_iter().map(|source| Ingress {
                protocol,
                from_port: port(rule.from_port),
                to_port: port(rule.to_port),
                source,
            }));
        }
        (instance.address, rules)
    };
    live.iter().map(|instance| of_instance(instance)).collect()
}

fn protocol(name: &str) -> Option<Protocol> {
    match name {
        "-1" => Some(Protocol::All),
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        "icmp" => Some(Protocol::Icmp),
        // It belongs to IP version 6.
        "icmpv6" => None,
        number => number.parse().ok().map(Protocol::Number),
    }
}

/// -1 stands for all ports, types or codes.
fn port(number: Option<i32>) -> Option<u16> {
    number.and_then(|number| u16::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::record;
    use super::*;
    use crate::ec2::Rule;

    fn group(id: &str, rules: &[(&str, Option<i32>, Peer)]) -> SecurityGroupRecord {
        let ingress = rules.iter().map(|(protocol, port, peer)| Rule {
            id: "sgr-1".into(),
            protocol: (*protocol).into(),
            from_port: *port,
            to_port: *port,
            peer: peer.clone(),
            description: None,
        });
        SecurityGroupRecord {
            region: "us-east-1".into(),
            id: id.into(),
            name: id.into(),
            description: String::new(),
            tags: std::collections::BTreeMap::new(),
            ingress: ingress.collect(),
            egress: Vec::new(),
        }
    }

    fn instance(last: u8, groups: &[&str], state: State) -> InstanceRecord {
        InstanceRecord {
            address: Ipv4Addr::new(10, 1, 2, last),
            groups: groups.iter().map(ToString::to_string).collect(),
            state,
            ..record()
        }
    }

    #[test]
    fn groups_become_rules_by_address() {
        let groups = [
            group(
                "sg-1",
                &[
                    ("tcp", Some(8080), Peer::Ipv4("0.0.0.0/0".into())),
                    ("-1", None, Peer::Group("sg-2".into())),
                    ("icmp", Some(-1), Peer::Ipv6("::/0".into())),
                ],
            ),
            group("sg-2", &[]),
        ];
        let instances = [
            instance(5, &["sg-1"], State::Running),
            instance(6, &["sg-2"], State::Pending),
            instance(7, &["sg-2"], State::Terminated),
        ];
        let open = |protocol, port, source: &str| Ingress {
            protocol,
            from_port: port,
            to_port: port,
            source: source.parse().unwrap(),
        };
        assert_eq!(
            rules(&instances, &groups),
            [
                (
                    instances[0].address,
                    vec![
                        open(Protocol::Tcp, Some(8080), "0.0.0.0/0"),
                        open(Protocol::All, None, "10.1.2.6/32"),
                    ]
                ),
                (instances[1].address, vec![]),
            ]
        );
    }
}
