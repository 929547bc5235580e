//! The rules of security groups.

use wire::xml::{Element, ec2_true};

use super::filters::{Filters, page};
use super::groups;
use super::ids;
use super::places;
use super::records::{Peer, Rule, SecurityGroupRecord};
use super::refuse;
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params};

/// Which of a group's two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Who may connect to the group's members.
    Ingress,
    /// Whom they may connect to. It is kept and shown, but not enforced.
    Egress,
}

impl Direction {
    fn of(self, group: &mut SecurityGroupRecord) -> &mut Vec<Rule> {
        match self {
            Self::Ingress => &mut group.ingress,
            Self::Egress => &mut group.egress,
        }
    }
}

/// Source: VPC quotas, "Inbound or outbound rules per security group".
const RULES_MAX: usize = 60;

pub(super) async fn authorize(
    context: &Context,
    params: Params<'_>,
    direction: Direction,
) -> Result<Element, ApiError> {
    let new = read(context, params).await?;
    let group = change(context, params, |group| {
        let rules = direction.of(group);
        for rule in &new {
            if rules.iter().any(|known| known.is_same(rule)) {
                return Err(ApiError::client(
                    "InvalidPermission.Duplicate",
                    format!("the specified rule \"{}\" already exists", in_words(rule)),
                ));
            }
            rules.push(rule.clone());
        }
        if rules.len() > RULES_MAX {
            let message = "The maximum number of rules per security group has been reached.";
            return Err(ApiError::client("RulesPerSecurityGroupLimitExceeded", message));
        }
        Ok(())
    })
    .await?;
    let items = new.iter().map(|rule| rule_element(context, &group, rule, direction));
    Ok(ec2_true().child(Element::list("securityGroupRuleSet", "item", items)))
}

pub(super) async fn revoke(
    context: &Context,
    params: Params<'_>,
    direction: Direction,
) -> Result<Element, ApiError> {
    let named = params.texts("SecurityGroupRuleId");
    let gone = if named.is_empty() { read(context, params).await? } else { Vec::new() };
    change(context, params, |group| {
        let rules = direction.of(group);
        let known = |rule: &Rule| rules.iter().any(|known| known.is_same(rule));
        let known_id = |id: &&str| rules.iter().any(|known| known.id == **id);
        if !gone.iter().all(known) || !named.iter().all(known_id) {
            return Err(ApiError::client(
                "InvalidPermission.NotFound",
                "The specified rule does not exist in this security group.",
            ));
        }
        rules.retain(|rule| {
            !gone.iter().any(|gone| gone.is_same(rule)) && !named.contains(&rule.id.as_str())
        });
        Ok(())
    })
    .await?;
    Ok(ec2_true())
}

async fn change(
    context: &Context,
    params: Params<'_>,
    change: impl Fn(&mut SecurityGroupRecord) -> Result<(), ApiError>,
) -> Result<SecurityGroupRecord, ApiError> {
    for _ in 0..20 {
        let mut group = groups::named(context, params).await?;
        change(&mut group.record)?;
        match context.records.write(vec![Records::replace(&group)?]).await {
            Ok(()) => {
                put_in_force(context).await?;
                return Ok(group.record);
            }
            Err(RecordError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(refuse::concurrent())
}

/// A caller who was told that a port is open, or closed, may rely on it.
async fn put_in_force(context: &Context) -> Result<(), ApiError> {
    match &context.performer {
        None => Ok(()),
        Some(performer) => performer.refresh_filter().await.map_err(ApiError::internal),
    }
}

pub(super) async fn describe(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let filters = Filters::read(params)?;
    let wanted = params.texts("SecurityGroupRuleId");
    let mut items = Vec::new();
    for Kept { record: group, .. } in groups::list(context).await? {
        let ingress = group.ingress.iter().map(|rule| (rule, Direction::Ingress));
        let egress = group.egress.iter().map(|rule| (rule, Direction::Egress));
        for (rule, direction) in ingress.chain(egress) {
            let values = |name: &str| {
                Some(vec![match name {
                    "group-id" => group.id.clone(),
                    "security-group-rule-id" => rule.id.clone(),
                    _ => return None,
                }])
            };
            let asked_for = wanted.is_empty() || wanted.contains(&rule.id.as_str());
            if filters.match_all(&super::records::Tags::new(), values)? && asked_for {
                let element = rule_element(context, &group, rule, direction);
                items.push((rule.id.clone(), element));
            }
        }
    }
    page(params, "securityGroupRuleSet", items)
}

/// The rules that a request gives, in the flat form or as `IpPermissions`.
async fn read(context: &Context, params: Params<'_>) -> Result<Vec<Rule>, ApiError> {
    let mut rules = Vec::new();
    for permission in params.list("IpPermissions") {
        let range = Range::read(permission)?;
        for cidr in permission.list("IpRanges") {
            let text = cidr.filled("CidrIp").ok_or_else(|| refuse::missing("CidrIp"))?;
            rules.push(range.with(Peer::Ipv4(ipv4(text)?), cidr.filled("Description")));
        }
        for cidr in permission.list("Ipv6Ranges") {
            let text = cidr.filled("CidrIpv6").ok_or_else(|| refuse::missing("CidrIpv6"))?;
            rules.push(range.with(Peer::Ipv6(ipv6(text)?), cidr.filled("Description")));
        }
        for group in permission.list("Groups") {
            let found = groups::named(context, group).await?.record;
            rules.push(range.with(Peer::Group(found.id), group.filled("Description")));
        }
    }
    if params.filled("IpProtocol").is_some() {
        let range = Range::read(params)?;
        if let Some(cidr) = params.filled("CidrIp") {
            rules.push(range.with(Peer::Ipv4(ipv4(cidr)?), None));
        }
        if let Some(name) = params.filled("SourceSecurityGroupName") {
            let found = groups::find_by_name(context, name).await?.record;
            rules.push(range.with(Peer::Group(found.id), None));
        }
    } else if let Some(name) = params.filled("SourceSecurityGroupName") {
        let found = groups::find_by_name(context, name).await?.record;
        let all = Range { protocol: "-1".to_owned(), from_port: None, to_port: None };
        rules.push(all.with(Peer::Group(found.id), None));
    }
    if rules.is_empty() {
        return Err(ApiError::client(
            "MissingParameter",
            "Source group or IP range must be specified, with a protocol",
        ));
    }
    Ok(rules)
}

struct Range {
    protocol: String,
    from_port: Option<i32>,
    to_port: Option<i32>,
}

impl Range {
    fn read(params: Params<'_>) -> Result<Self, ApiError> {
        let text = params.filled("IpProtocol").ok_or_else(|| refuse::missing("IpProtocol"))?;
        let protocol = protocol(text)?;
        let port = |name: &str| params.number::<i32>(name).map_err(refuse::bad);
        let (from_port, to_port) = (port("FromPort")?, port("ToPort")?);
        match protocol.as_str() {
            "tcp" | "udp" => check_ports(from_port, to_port)?,
            "icmp" | "icmpv6" => {}
            // Other protocols have no ports.
            _ => return Ok(Self { protocol, from_port: None, to_port: None }),
        }
        Ok(Self { protocol, from_port, to_port })
    }

    fn with(&self, peer: Peer, description: Option<&str>) -> Rule {
        Rule {
            id: ids::drawn("sgr"),
            protocol: self.protocol.clone(),
            from_port: self.from_port,
            to_port: self.to_port,
            peer,
            description: description.map(str::to_owned),
        }
    }
}

fn check_ports(from: Option<i32>, to: Option<i32>) -> Result<(), ApiError> {
    let (Some(from), Some(to)) = (from, to) else {
        return Err(refuse::invalid_value(
            "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.",
        ));
    };
    // -1 to -1 is how some clients spell all ports.
    let all = from == -1 && to == -1;
    if !all && (!(0..=65_535).contains(&from) || !(0..=65_535).contains(&to)) {
        let wrong = if (0..=65_535).contains(&from) { to } else { from };
        return Err(refuse::invalid_value(format!("Invalid TCP/UDP port: {wrong}")));
    }
    if from > to {
        return Err(refuse::invalid_value(format!(
            "Invalid TCP/UDP port range: {from} is above {to}"
        )));
    }
    Ok(())
}

/// Names for the three numbers that have one. Source: EC2 API reference, `IpPermission`.
fn protocol(text: &str) -> Result<String, ApiError> {
    let known = match text.to_ascii_lowercase().as_str() {
        "tcp" | "6" => "tcp",
        "udp" | "17" => "udp",
        "icmp" | "1" => "icmp",
        "icmpv6" | "58" => "icmpv6",
        "-1" | "all" => "-1",
        other => {
            return match other.parse::<u8>() {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err(refuse::invalid_value(format!(
                    "Invalid value '{text}' for IP protocol. Unknown protocol."
                ))),
            };
        }
    };
    Ok(known.to_owned())
}

/// The network, without what lies beyond its length. Source: EC2 API reference, `AuthorizeSecurityGroupIngress`.
fn ipv4(text: &str) -> Result<String, ApiError> {
    match text.parse::<compute::Cidr>() {
        Ok(cidr) => Ok(cidr.to_string()),
        Err(_) => Err(refuse::invalid_value(format!("CIDR block {text} is malformed"))),
    }
}

fn ipv6(text: &str) -> Result<String, ApiError> {
    let valid = text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<std::net::Ipv6Addr>().is_ok()
            && length.parse::<u8>().is_ok_and(|length| length <= 128)
    });
    if valid {
        return Ok(text.to_ascii_lowercase());
    }
    Err(refuse::invalid_value(format!("CIDR block {text} is malformed")))
}

fn in_words(rule: &Rule) -> String {
    let peer = match &rule.peer {
        Peer::Ipv4(peer) | Peer::Ipv6(peer) | Peer::Group(peer) => peer,
    };
    let ports = match (rule.from_port, rule.to_port) {
        (Some(from), Some(to)) => format!(", from port: {from}, to port: {to}"),
        (None, _) | (_, None) => String::new(),
    };
    let protocol = match rule.protocol.as_str() {
        "-1" => "ALL".to_owned(),
        other => other.to_ascii_uppercase(),
    };
    format!("peer: {peer}, {protocol}{ports}, ALLOW")
}

fn rule_element(
    context: &Context,
    group: &SecurityGroupRecord,
    rule: &Rule,
    direction: Direction,
) -> Element {
    let element = Element::new("item")
        .field("securityGroupRuleId", &rule.id)
        .field("groupId", &group.id)
        .field("groupOwnerId", &context.scope.account)
        .field("isEgress", direction == Direction::Egress)
        .field("ipProtocol", &rule.protocol)
        .field("fromPort", rule.from_port.unwrap_or(-1))
        .field("toPort", rule.to_port.unwrap_or(-1))
        .optional("description", rule.description.as_ref());
    let element = match &rule.peer {
        Peer::Ipv4(cidr) => element.field("cidrIpv4", cidr),
        Peer::Ipv6(cidr) => element.field("cidrIpv6", cidr),
        Peer::Group(id) => element.child(
            Element::new("referencedGroupInfo")
                .field("groupId", id)
                .field("userId", &context.scope.account)
                .field("vpcId", places::vpc_id(&context.scope)),
        ),
    };
    element.child(Element::new("tagSet"))
}

/// Rules in an answer, those of one protocol and range of ports together.
pub(super) fn permissions_element(
    context: &Context,
    name: &'static str,
    rules: &[Rule],
) -> Element {
    let mut seen: Vec<(&str, Option<i32>, Option<i32>)> = Vec::new();
    for rule in rules {
        let range = (rule.protocol.as_str(), rule.from_port, rule.to_port);
        if !seen.contains(&range) {
            seen.push(range);
        }
    }
    let items = seen.into_iter().map(|(protocol, from, to)| {
        let same = rules.iter().filter(move |rule| {
            rule.protocol == protocol && rule.from_port == from && rule.to_port == to
        });
        permission_element(context, protocol, from, to, &same.collect::<Vec<_>>())
    });
    Element::list(name, "item", items)
}

fn permission_element(
    context: &Context,
    protocol: &str,
    from: Option<i32>,
    to: Option<i32>,
    rules: &[&Rule],
) -> Element {
    let (mut ranges, mut ranges_v6, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for rule in rules {
        let item = Element::new("item");
        let (list, item) = match &rule.peer {
            Peer::Ipv4(cidr) => (&mut ranges, item.field("cidrIp", cidr)),
            Peer::Ipv6(cidr) => (&mut ranges_v6, item.field("cidrIpv6", cidr)),
            Peer::Group(id) => {
                let item = item.field("groupId", id).field("userId", &context.scope.account);
                (&mut groups, item)
            }
        };
        list.push(item.optional("description", rule.description.as_ref()));
    }
    Element::new("item")
        .field("ipProtocol", protocol)
        .optional("fromPort", from)
        .optional("toPort", to)
        .child(Element::list("groups", "item", groups))
        .child(Element::list("ipRanges", "item", ranges))
        .child(Element::list("ipv6Ranges", "item", ranges_v6))
        .child(Element::new("prefixListIds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_have_one_name() {
        for (given, expected) in
            [("6", "tcp"), ("TCP", "tcp"), ("all", "-1"), ("47", "47"), ("1", "icmp")]
        {
            assert_eq!(protocol(given).unwrap(), expected);
        }
        assert!(protocol("nonsense").is_err());
        assert!(protocol("256").is_err());
    }

    #[test]
    fn ports_are_checked() {
        assert!(check_ports(Some(22), Some(22)).is_ok());
        assert!(check_ports(Some(-1), Some(-1)).is_ok());
        assert!(check_ports(Some(22), None).is_err());
        assert!(check_ports(Some(23), Some(22)).is_err());
        assert!(check_ports(Some(0), Some(65_536)).is_err());
    }

    #[test]
    fn networks_lose_what_lies_beyond_their_length() {
        assert_eq!(ipv4("10.1.2.3/8").unwrap(), "10.0.0.0/8");
        assert!(ipv4("10.1.2.3/33").is_err());
        assert!(ipv4("nonsense").is_err());
        assert_eq!(ipv6("::/0").unwrap(), "::/0");
        assert!(ipv6("::/129").is_err());
    }
}
