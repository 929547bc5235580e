//! What EC2 remembers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use model::arn::Scope;
use serde::{Deserialize, Serialize};

use crate::forms::records::Record;

/// Tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// An instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// `i-` and 17 hexadecimal digits.
    pub id: String,
    /// Where it is.
    pub region: String,
    /// Which of the region's zones.
    pub zone: String,
    /// The call of `RunInstances` that made it.
    pub reservation: String,
    /// Its place in the reservation, from 0.
    pub launch_index: u32,
    /// The call's idempotency token.
    pub client_token: Option<String>,
    /// The image that it was made of.
    pub image: String,
    /// Any that the caller chose; it changes nothing.
    pub instance_type: String,
    /// Its key pair.
    pub key_name: Option<String>,
    /// The instance profile that hands it a role.
    pub profile: Option<ProfileLink>,
    /// Ids of its security groups.
    pub groups: Vec<String>,
    /// What runs at its first start, base64 as it was given.
    pub user_data: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// When it was made or last started, in milliseconds since 1970.
    pub launched_ms: i64,
    /// Its address on the private bridge; kept while it is stopped.
    pub address: Ipv4Addr,
    /// What its owner wants it to be.
    pub desired: Desired,
    /// What it is, as far as is known.
    pub state: State,
    /// Counts the starts and reboots that were asked for.
    pub boots: u32,
    /// Why it is as it is, if not by its owner's wish alone.
    pub reason: Option<StateReason>,
    /// When it was terminated, in milliseconds since 1970.
    pub terminated_ms: Option<i64>,
}

/// The instance profile of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileLink {
    /// `iip-assoc-…`.
    pub association: String,
    /// The profile's name.
    pub name: String,
    /// The profile's ARN when it was given.
    pub arn: String,
    /// The profile's unique id, `AIPA…`.
    pub id: String,
}

/// What an instance's owner wants it to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desired {
    /// To run; after a restart of the machine it is started again.
    Running,
    /// To be off, with its disk.
    Stopped,
    /// To be gone.
    Terminated,
}

/// The states of an instance. Source: EC2 API reference, `InstanceState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being started.
    Pending,
    /// Up.
    Running,
    /// Being stopped.
    Stopping,
    /// Off, with its disk.
    Stopped,
    /// Being terminated.
    ShuttingDown,
    /// Gone; shown for an hour.
    Terminated,
}

/// Why an instance is in its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateReason {
    /// For example `Client.UserInitiatedShutdown`.
    pub code: String,
    /// In words.
    pub message: String,
}

impl State {
    /// The name that clients see.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    /// The number that clients see.
    pub fn code(self) -> u32 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }
}

impl InstanceRecord {
    /// The host name as it is known in its region.
    pub fn private_dns_name(&self) -> String {
        let [a, b, c, d] = self.address.octets();
        let domain = match self.region.as_str() {
            "us-east-1" => "ec2.internal".to_owned(),
            region => format!("{region}.compute.internal"),
        };
        format!("ip-{a}-{b}-{c}-{d}.{domain}")
    }

    /// Whether its owner has given it up.
    pub fn is_given_up(&self) -> bool {
        self.desired == Desired::Terminated
    }
}

/// The key of a resource: region and id.
pub(crate) fn key(region: &str, id: &str) -> String {
    format!("{region}/{id}")
}

/// The prefix of the keys of a region's resources.
pub(crate) fn region_prefix(region: &str) -> String {
    format!("{region}/")
}

/// The term under which an instance is found whatever its region.
pub(crate) fn id_term(id: &str) -> String {
    format!("id:{id}")
}

/// The term under which the instances of a security group are found.
pub(crate) fn group_term(group: &str) -> String {
    format!("group:{group}")
}

impl Record for InstanceRecord {
    const KIND: &'static str = "ec2.instance";

    fn key(&self) -> String {
        key(&self.region, &self.id)
    }

    fn terms(&self) -> Vec<String> {
        let mut terms = vec![id_term(&self.id)];
        if !self.is_given_up() {
            terms.extend(self.groups.iter().map(|group| group_term(group)));
        }
        terms
    }
}

/// Remembers a call of `RunInstances` by its idempotency token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClientTokenRecord {
    pub(crate) region: String,
    pub(crate) token: String,
    /// Of everything that the call asked for.
    pub(crate) digest: String,
    pub(crate) reservation: String,
    pub(crate) created_ms: i64,
}

impl Record for ClientTokenRecord {
    const KIND: &'static str = "ec2.client_token";

    fn key(&self) -> String {
        key(&self.region, &self.token)
    }
}

/// A key pair. The private key is shown once and not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeyPairRecord {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) id: String,
    /// `rsa` or `ed25519`.
    pub(crate) key_type: String,
    pub(crate) fingerprint: String,
    /// One line as `authorized_keys` takes it.
    pub(crate) public_key: String,
    pub(crate) created_ms: i64,
    pub(crate) tags: Tags,
}

impl Record for KeyPairRecord {
    const KIND: &'static str = "ec2.key_pair";

    fn key(&self) -> String {
        key(&self.region, &self.name)
    }
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SecurityGroupRecord {
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) tags: Tags,
    pub(crate) ingress: Vec<Rule>,
    pub(crate) egress: Vec<Rule>,
}

/// Claims a security group's name in its region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GroupNameRecord {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) id: String,
}

/// One rule of a security group: one protocol, one range of ports, one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub(crate) protocol: String,
    pub(crate) from_port: Option<i32>,
    pub(crate) to_port: Option<i32>,
    pub(crate) peer: Peer,
    pub(crate) description: Option<String>,
}

/// Who may connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Peer {
    /// `10.0.0.0/8`.
    Ipv4(String),
    /// `::/0`. Instances have no such addresses.
    Ipv6(String),
    /// The instances of the security group with this id.
    Group(String),
}

impl Rule {
    /// Whether both allow the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && self.from_port == other.from_port
            && self.to_port == other.to_port
            && self.peer == other.peer
    }
}

impl SecurityGroupRecord {
    pub(crate) fn arn(&self, scope: &Scope) -> String {
        format!("arn:aws:ec2:{}:{}:security-group/{}", self.region, scope.account, self.id)
    }

    /// Whether another group is named in a rule.
    pub(crate) fn refers_to(&self, group: &str) -> bool {
        let names = |rule: &Rule| matches!(&rule.peer, Peer::Group(id) if id == group);
        self.id != group && (self.ingress.iter().any(names) || self.egress.iter().any(names))
    }
}

impl Record for SecurityGroupRecord {
    const KIND: &'static str = "ec2.security_group";

    fn key(&self) -> String {
        key(&self.region, &self.id)
    }
}

impl Record for GroupNameRecord {
    const KIND: &'static str = "ec2.security_group_name";

    fn key(&self) -> String {
        key(&self.region, &self.name)
    }
}
