//! Who makes a request: the account's root, a user, or a session of a role.

use std::fmt;

use model::arn::Scope;
use model::{InstanceId, Timestamp};
use subtle::ConstantTimeEq;

/// The owner of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The account itself; may do everything.
    Root,
    /// An IAM user.
    User(UserPrincipal),
    /// A session of an assumed role.
    Session(SessionPrincipal),
}

/// An IAM user as the owner of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPrincipal {
    /// Unique in the account, whatever the path.
    pub name: String,
    /// Begins and ends with a slash.
    pub path: String,
    /// `AIDA…`.
    pub id: String,
}

/// A session of an assumed role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPrincipal {
    /// The role's name.
    pub role: String,
    /// The role's id, `AROA…`.
    pub role_id: String,
    /// The name that the caller of `AssumeRole` chose; an instance's id for an instance's own credentials.
    pub session: String,
    /// The instance to whose metadata service the credentials were handed. Nobody can choose this one,
    /// so it, and not the session's name, tells that a request comes from that instance.
    pub instance: Option<InstanceId>,
    /// A policy given with `AssumeRole`, which narrows what the role allows.
    pub policy: Option<String>,
}

impl Principal {
    /// The ARN by which the principal is shown, logged and compared.
    /// Source: IAM user guide, "IAM identifiers".
    pub fn arn(&self, scope: &Scope) -> String {
        let account = &scope.account;
        match self {
            Self::Root => format!("arn:aws:iam::{account}:root"),
            Self::User(user) => {
                format!("arn:aws:iam::{account}:user{}{}", user.path, user.name)
            }
            Self::Session(session) => {
                format!("arn:aws:sts::{account}:assumed-role/{}/{}", session.role, session.session)
            }
        }
    }

    /// The unique id that `GetCallerIdentity` shows: the account, `AIDA…` or `AROA…:session`.
    pub fn user_id(&self, scope: &Scope) -> String {
        match self {
            Self::Root => scope.account.clone(),
            Self::User(user) => user.id.clone(),
            Self::Session(session) => format!("{}:{}", session.role_id, session.session),
        }
    }

    /// The instance that speaks, if the credentials are those of an instance's own role.
    pub fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::Session(session) => session.instance.as_ref(),
            Self::Root | Self::User(_) => None,
        }
    }
}

/// What verifies a signature, and in whose name a request with a good one acts.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA…`, or `ASIA…` for temporary ones.
    pub id: String,
    /// Never logged, never shown again after creation.
    pub secret: String,
    /// The owner.
    pub principal: Principal,
    /// The token that must come with temporary credentials, and must not with others.
    pub session_token: Option<String>,
    /// When temporary credentials end.
    pub expires: Option<Timestamp>,
}

impl AccessKey {
    /// Whether the token that came with a request (or its absence) fits this key; in constant time.
    pub fn accepts_token(&self, token: Option<&str>) -> bool {
        match (&self.session_token, token) {
            (None, None) => true,
            (Some(expected), Some(found)) => expected.as_bytes().ct_eq(found.as_bytes()).into(),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Whether the credentials have ended at `now`.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| now >= end)
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys find their way into error messages and logs; what they protect must not.
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("principal", &self.principal)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// The maker of a request whose signature has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// In whose name it acts.
    pub principal: Principal,
    /// The access key that signed.
    pub access_key: String,
    /// Where it came from, for `aws:SourceIp`.
    pub source: Option<std::net::IpAddr>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope { account: "123456789012".into(), region: "us-east-1".into() }
    }

    fn session(instance: Option<&str>) -> Principal {
        Principal::Session(SessionPrincipal {
            role: "Web".into(),
            role_id: "AROAX".into(),
            session: "i-0123456789abcdef0".into(),
            instance: instance.map(|id| id.parse().unwrap()),
            policy: None,
        })
    }

    #[test]
    fn each_principal_has_its_arn_and_id() {
        let user = Principal::User(UserPrincipal {
            name: "web-01".into(),
            path: "/AWS/CodeDeploy/".into(),
            id: "AIDAX".into(),
        });
        for (principal, arn, id) in [
            (Principal::Root, "arn:aws:iam::123456789012:root", "123456789012"),
            (user, "arn:aws:iam::123456789012:user/AWS/CodeDeploy/web-01", "AIDAX"),
            (
                session(None),
                "arn:aws:sts::123456789012:assumed-role/Web/i-0123456789abcdef0",
                "AROAX:i-0123456789abcdef0",
            ),
        ] {
            assert_eq!(principal.arn(&scope()), arn);
            assert_eq!(principal.user_id(&scope()), id);
        }
    }

    #[test]
    fn a_session_name_does_not_make_an_instance() {
        assert_eq!(session(None).instance(), None);
        assert!(session(Some("i-0123456789abcdef0")).instance().is_some());
    }

    #[test]
    fn a_token_must_fit_the_key() {
        let key = |token: Option<&str>| AccessKey {
            id: "ASIAX".into(),
            secret: "s3cr3t".into(),
            principal: Principal::Root,
            session_token: token.map(Into::into),
            expires: Some(Timestamp::from_millis(5)),
        };
        assert!(key(None).accepts_token(None));
        assert!(!key(None).accepts_token(Some("t")));
        assert!(key(Some("t")).accepts_token(Some("t")));
        assert!(!key(Some("t")).accepts_token(Some("T")));
        assert!(!key(Some("t")).accepts_token(None));
        assert!(key(None).has_expired(Timestamp::from_millis(5)));
        assert!(!key(None).has_expired(Timestamp::from_millis(4)));
        assert!(!format!("{:?}", key(None)).contains("s3cr3t"));
    }
}
