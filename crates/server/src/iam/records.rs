//! What IAM remembers.

use std::collections::BTreeMap;

use model::Timestamp;
use model::arn::Scope;
use serde::{Deserialize, Serialize};

use super::ids::{self, IdPrefix};
use super::principal::UserPrincipal;
use crate::forms::records::Record;

/// Tags of an IAM entity.
pub(crate) type Tags = BTreeMap<String, String>;

/// The permissions of a user or a role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Permissions {
    /// Inline policies: documents by name.
    pub(crate) inline: BTreeMap<String, String>,
    /// ARNs of attached policies.
    pub(crate) attached: Vec<String>,
}

impl Permissions {
    pub(crate) fn is_empty(&self) -> bool {
        self.inline.is_empty() && self.attached.is_empty()
    }

    fn terms(&self) -> impl Iterator<Item = String> {
        self.attached.iter().map(|arn| attachment_term(arn))
    }
}

/// The term under which whoever has the policy attached is found.
pub(crate) fn attachment_term(arn: &str) -> String {
    format!("attached:{arn}")
}

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoleRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) trust: String,
    pub(crate) session_seconds_max: u32,
    pub(crate) created_ms: i64,
    pub(crate) tags: Tags,
    pub(crate) permissions: Permissions,
}

impl RoleRecord {
    pub(crate) fn arn(&self, scope: &Scope) -> String {
        format!("arn:aws:iam::{}:role{}{}", scope.account, self.path, self.name)
    }
}

impl Record for RoleRecord {
    const KIND: &'static str = "iam.role";

    fn key(&self) -> String {
        self.name.clone()
    }

    fn terms(&self) -> Vec<String> {
        self.permissions.terms().collect()
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) tags: Tags,
    pub(crate) permissions: Permissions,
}

impl UserRecord {
    pub(crate) fn arn(&self, scope: &Scope) -> String {
        format!("arn:aws:iam::{}:user{}{}", scope.account, self.path, self.name)
    }

    pub(crate) fn principal(&self) -> UserPrincipal {
        UserPrincipal { name: self.name.clone(), path: self.path.clone(), id: self.id.clone() }
    }
}

impl Record for UserRecord {
    const KIND: &'static str = "iam.user";

    /// User names are unique whatever their case. Source: IAM API reference, `CreateUser`.
    fn key(&self) -> String {
        user_key(&self.name)
    }

    fn terms(&self) -> Vec<String> {
        self.permissions.terms().collect()
    }
}

/// The key of the user `name`.
pub(crate) fn user_key(name: &str) -> String {
    name.to_lowercase()
}

/// An instance profile: what hands a role to instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProfileRecord {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) tags: Tags,
    /// The name of its one role.
    pub(crate) role: Option<String>,
}

impl ProfileRecord {
    pub(crate) fn new(name: String, path: String, tags: Tags, now: Timestamp) -> Self {
        let id = ids::unique(IdPrefix::InstanceProfile);
        Self { name, path, id, created_ms: now.as_millis(), tags, role: None }
    }

    pub(crate) fn arn(&self, scope: &Scope) -> String {
        format!("arn:aws:iam::{}:instance-profile{}{}", scope.account, self.path, self.name)
    }
}

impl Record for ProfileRecord {
    const KIND: &'static str = "iam.instance_profile";

    fn key(&self) -> String {
        self.name.clone()
    }

    fn terms(&self) -> Vec<String> {
        self.role.iter().map(|role| role_term(role)).collect()
    }
}

/// The term under which the profiles of a role are found.
pub(crate) fn role_term(role: &str) -> String {
    format!("role:{role}")
}

/// A policy of the account's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PolicyRecord {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) tags: Tags,
    pub(crate) versions: Vec<PolicyVersion>,
    /// The number of the version in force.
    pub(crate) default_version: u32,
    /// The number that the next version gets; numbers are not used again.
    pub(crate) next_version: u32,
}

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) number: u32,
    pub(crate) document: String,
    pub(crate) created_ms: i64,
}

impl PolicyRecord {
    /// The document in force.
    pub(crate) fn document(&self) -> Option<&str> {
        let number = self.default_version;
        self.versions.iter().find(|version| version.number == number).map(|v| v.document.as_str())
    }
}

impl Record for PolicyRecord {
    const KIND: &'static str = "iam.policy";

    fn key(&self) -> String {
        self.arn.clone()
    }
}
