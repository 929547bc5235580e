//! What policies say to a request.

use std::collections::BTreeMap;

use super::document::{Effect, Patterns, Policy, PrincipalPattern, Principals, Statement};
use super::pattern::{matches_action, matches_text};

/// What is known about a request besides its action and resource: the values of the condition keys.
/// Key names are compared without case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Vec<String>>);

impl Facts {
    /// These facts and one more value of `key`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.entry(key.to_ascii_lowercase()).or_default().push(value.into());
        self
    }

    /// These facts without those of `key`.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.0.remove(&key.to_ascii_lowercase());
        self
    }

    /// The values of `key`; `None` if the request has no such key.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

/// A request, as policies see it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// For example `codedeploy:CreateDeployment`.
    pub action: &'a str,
    /// An ARN, or `*` for actions that have no resource.
    pub resource: &'a str,
    /// The values of the condition keys; `aws:PrincipalArn` and `aws:PrincipalAccount` tell who asks.
    pub facts: &'a Facts,
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No statement applies.
    Silent,
    /// A statement allows it, none denies it.
    Allow,
    /// A statement denies it, whatever others allow.
    Deny,
}

/// What several policies say together: a denial wins over an allowance, an allowance over silence.
pub fn verdict_of<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
    request: &Request<'_>,
) -> Verdict {
    policies.into_iter().map(|policy| policy.verdict(request)).max().unwrap_or(Verdict::Silent)
}

impl Policy {
    /// What this policy says to `request`.
    pub fn verdict(&self, request: &Request<'_>) -> Verdict {
        self.statements
            .iter()
            .filter(|statement| statement.applies(request, self.variables))
            .map(|statement| match statement.effect {
                Effect::Allow => Verdict::Allow,
                Effect::Deny => Verdict::Deny,
            })
            .max()
            .unwrap_or(Verdict::Silent)
    }
}

impl Statement {
    fn applies(&self, request: &Request<'_>, variables: bool) -> bool {
        let facts = variables.then_some(request.facts);
        self.actions.cover(|pattern| matches_action(pattern, request.action))
            && self.resources.as_ref().is_none_or(|resources| {
                resources.cover(|pattern| matches_text(pattern, request.resource, facts))
            })
            && self.principals.as_ref().is_none_or(|principals| principals.cover(request.facts))
            && self.conditions.iter().all(|condition| condition.holds(request.facts, variables))
    }
}

impl Patterns {
    fn cover(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| matches(pattern)),
            Self::NoneOf(patterns) => !patterns.iter().any(|pattern| matches(pattern)),
        }
    }
}

impl Principals {
    fn cover(&self, facts: &Facts) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.names(facts)),
            Self::NoneOf(patterns) => !patterns.iter().any(|pattern| pattern.names(facts)),
        }
    }
}

impl PrincipalPattern {
    /// A bare account and its root ARN both mean everyone in the account. A role's ARN means its sessions.
    fn names(&self, facts: &Facts) -> bool {
        let fact = |key: &str| facts.get(key).and_then(<[String]>::first).map(String::as_str);
        match self {
            Self::Anyone => true,
            Self::Other => false,
            Self::Service(name) => fact("aws:PrincipalServiceName") == Some(name),
            Self::Aws(name) => {
                let account = fact("aws:PrincipalAccount");
                let is_account = name.strip_prefix("arn:aws:iam::").map_or_else(
                    || account == Some(name),
                    |rest| rest.strip_suffix(":root").is_some_and(|digits| account == Some(digits)),
                );
                is_account
                    || fact("aws:PrincipalArn") == Some(name)
                    || fact(SESSION_ARN) == Some(name)
            }
        }
    }
}

/// For a session `aws:PrincipalArn` is the role's ARN; policies may name the session's own ARN as well.
pub(crate) const SESSION_ARN: &str = "longshore:SessionArn";

#[cfg(test)]
mod tests {
    use super::super::document::PolicyKind;
    use super::*;

    fn check(kind: PolicyKind, statements: &str, request: &str, expected: Verdict) {
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let policy = Policy::parse(&document, kind).expect(&document);
        let mut words = request.split_whitespace();
        let action = words.next().unwrap();
        let resource = words.next().unwrap();
        let facts = words.fold(Facts::default(), |facts, fact| {
            let (key, value) = fact.split_once('=').unwrap();
            facts.with(key, value)
        });
        let found = policy.verdict(&Request { action, resource, facts: &facts });
        assert_eq!(found, expected, "{statements} on {request}");
    }

    #[test]
    fn a_denial_wins_and_silence_is_not_consent() {
        use Verdict::{Allow, Deny, Silent};
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let read = r#"{"Effect":"Allow","Action":["s3:Get*"],"Resource":"arn:aws:s3:::b/*"}"#;
        let but =
            r#"{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/secret*"}"#;
        let check = |statements: &str, request, expected| {
            check(PolicyKind::Identity, statements, request, expected);
        };
        check(all, "codedeploy:CreateDeployment *", Allow);
        check(read, "s3:GetObject arn:aws:s3:::b/k", Allow);
        check(read, "s3:PutObject arn:aws:s3:::b/k", Silent);
        check(read, "s3:GetObject arn:aws:s3:::c/k", Silent);
        check(&format!("{all},{but}"), "s3:GetObject arn:aws:s3:::b/secret1", Deny);
        check(&format!("{but},{all}"), "s3:GetObject arn:aws:s3:::b/open", Allow);
        let not = r#"{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::x"}"#;
        check(not, "iam:CreateUser *", Silent);
        check(not, "s3:ListBucket arn:aws:s3:::x", Silent);
        check(not, "s3:ListBucket arn:aws:s3:::y", Allow);
        let own =
            r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/*"}"#;
        check(own, "s3:GetObject arn:aws:s3:::b/ann/1 aws:username=ann", Allow);
        check(own, "s3:GetObject arn:aws:s3:::b/bob/1 aws:username=ann", Silent);
        let when = r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["r1","r2"]}}}"#;
        check(when, "a:b * aws:RequestedRegion=r2", Allow);
        check(when, "a:b * aws:RequestedRegion=r3", Silent);
    }

    #[test]
    fn a_trust_policy_names_who_may_assume() {
        use Verdict::{Allow, Silent};
        let trust = |principal: &str| {
            format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}}}"#)
        };
        let check = |principal: &str, who: &str, expected| {
            check(
                PolicyKind::Trust,
                &trust(principal),
                &format!("sts:AssumeRole x {who}"),
                expected,
            );
        };
        let ann = "aws:PrincipalArn=arn:aws:iam::1:user/ann aws:PrincipalAccount=1";
        check(r#""*""#, ann, Allow);
        check(r#"{"AWS":"1"}"#, ann, Allow);
        check(r#"{"AWS":"arn:aws:iam::1:root"}"#, ann, Allow);
        check(r#"{"AWS":["arn:aws:iam::2:root"]}"#, ann, Silent);
        check(r#"{"AWS":"arn:aws:iam::1:user/ann"}"#, ann, Allow);
        check(r#"{"AWS":"arn:aws:iam::1:user/bob"}"#, ann, Silent);
        check(r#"{"Service":"ec2.amazonaws.com"}"#, ann, Silent);
        let ec2 = "aws:PrincipalServiceName=ec2.amazonaws.com";
        check(r#"{"Service":["codedeploy.amazonaws.com","ec2.amazonaws.com"]}"#, ec2, Allow);
        let role = "aws:PrincipalArn=arn:aws:iam::1:role/R longshore:SessionArn=arn:aws:sts::1:assumed-role/R/s";
        check(r#"{"AWS":"arn:aws:iam::1:role/R"}"#, role, Allow);
        check(r#"{"AWS":"arn:aws:sts::1:assumed-role/R/s"}"#, role, Allow);
        check(r#"{"AWS":"arn:aws:sts::1:assumed-role/R/t"}"#, role, Silent);
    }
}
