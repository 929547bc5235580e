//! The access keys: who owns which, looked up on every request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{InstanceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{self, IdPrefix};
use super::principal::{AccessKey, Principal, SessionPrincipal, UserPrincipal};
use crate::forms::records::{Record, RecordError, Records};

/// The root's access key, given when the server starts; it is not in the store.
#[derive(Clone)]
pub struct RootCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret; never logged.
    pub secret_access_key: String,
}

/// Finds access keys and makes them.
#[derive(Debug)]
pub struct Keyring {
    records: Records,
    root: AccessKey,
    recent: Mutex<HashMap<String, Remembered>>,
}

#[derive(Debug, Clone)]
struct Remembered {
    key: AccessKey,
    since: Timestamp,
}

/// How long a key found in the store is believed. A key withdrawn through this server is forgotten at once;
/// this bounds how long another server on the same database goes on accepting it.
const MEMORY: Duration = Duration::from_secs(5);

/// Beyond this many remembered keys, those that are no longer believed are dropped.
const REMEMBERED_MAX: usize = 1024;

/// An access key as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AccessKeyRecord {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) owner: Owner,
    pub(crate) active: bool,
    pub(crate) created_ms: i64,
    pub(crate) session: Option<SessionRecord>,
}

/// A text that never appears in debug output.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// What makes credentials temporary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub(crate) token: Secret,
    pub(crate) expires_ms: i64,
}

/// The owner of an access key as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Owner {
    Root,
    User {
        name: String,
        path: String,
        id: String,
    },
    Session {
        role: String,
        role_id: String,
        session: String,
        instance: Option<String>,
        policy: Option<String>,
    },
}

impl Owner {
    /// The term under which an owner's keys are found.
    pub(crate) fn term(&self) -> String {
        match self {
            Self::Root => "root".into(),
            Self::User { name, .. } => Self::user_term(name),
            Self::Session { role, .. } => format!("role:{role}"),
        }
    }

    /// The term under which the keys of the user `name` are found.
    pub(crate) fn user_term(name: &str) -> String {
        format!("user:{name}")
    }

    fn principal(self) -> Principal {
        match self {
            Self::Root => Principal::Root,
            Self::User { name, path, id } => Principal::User(UserPrincipal { name, path, id }),
            Self::Session { role, role_id, session, instance, policy } => {
                let instance = instance.and_then(|id| id.parse().ok());
                Principal::Session(SessionPrincipal { role, role_id, session, instance, policy })
            }
        }
    }
}

impl From<&Principal> for Owner {
    fn from(principal: &Principal) -> Self {
        match principal.clone() {
            Principal::Root => Self::Root,
            Principal::User(UserPrincipal { name, path, id }) => Self::User { name, path, id },
            Principal::Session(session) => Self::Session {
                role: session.role,
                role_id: session.role_id,
                session: session.session,
                instance: session.instance.as_ref().map(InstanceId::to_string),
                policy: session.policy,
            },
        }
    }
}

impl Record for AccessKeyRecord {
    const KIND: &'static str = "iam.access_key";

    fn key(&self) -> String {
        self.id.clone()
    }

    fn terms(&self) -> Vec<String> {
        let kind = if self.session.is_some() { "temporary" } else { "lasting" };
        vec![self.owner.term(), kind.into()]
    }
}

impl AccessKeyRecord {
    /// A lasting key of a user.
    pub(crate) fn lasting(user: &UserPrincipal, now: Timestamp) -> Self {
        Self {
            id: ids::unique(IdPrefix::AccessKey),
            secret: Secret(ids::secret()),
            owner: Owner::from(&Principal::User(user.clone())),
            active: true,
            created_ms: now.as_millis(),
            session: None,
        }
    }

    fn temporary(principal: &Principal, now: Timestamp, expires: Timestamp) -> Self {
        Self {
            id: ids::unique(IdPrefix::TemporaryAccessKey),
            secret: Secret(ids::secret()),
            owner: Owner::from(principal),
            active: true,
            created_ms: now.as_millis(),
            session: Some(SessionRecord {
                token: Secret(ids::session_token()),
                expires_ms: expires.as_millis(),
            }),
        }
    }

    fn into_access_key(self) -> AccessKey {
        let (session_token, expires) = match self.session {
            Some(session) => {
                (Some(session.token.0), Some(Timestamp::from_millis(session.expires_ms)))
            }
            None => (None, None),
        };
        let principal = self.owner.principal();
        AccessKey { id: self.id, secret: self.secret.0, principal, session_token, expires }
    }
}

impl Keyring {
    /// The keys kept in `records`, and the root's.
    pub fn new(records: Records, root: RootCredentials) -> Self {
        let root = AccessKey {
            id: root.access_key_id,
            secret: root.secret_access_key,
            principal: Principal::Root,
            session_token: None,
            expires: None,
        };
        Self { records, root, recent: Mutex::default() }
    }

    /// The key named `id`, if it exists and is active. Whether temporary credentials have expired, and whether
    /// the token that came with the request fits, the caller asks the key: each has its own documented error.
    pub async fn find(&self, id: &str, now: Timestamp) -> Result<Option<AccessKey>, RecordError> {
        if id == self.root.id {
            return Ok(Some(self.root.clone()));
        }
        if let Some(key) = self.remembered(id, now) {
            return Ok(Some(key));
        }
        let Some(kept) = self.records.get::<AccessKeyRecord>(id).await? else { return Ok(None) };
        if !kept.record.active {
            return Ok(None);
        }
        let key = kept.record.into_access_key();
        self.remember(&key, now);
        Ok(Some(key))
    }

    /// Makes temporary credentials for `principal`, good until `expires`.
    pub async fn issue(
        &self,
        principal: &Principal,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<AccessKey, RecordError> {
        let record = AccessKeyRecord::temporary(principal, now, expires);
        self.records.write(vec![Records::create(&record)?]).await?;
        Ok(record.into_access_key())
    }

    /// Forgets what is remembered of `id`; to be called when it is withdrawn.
    pub fn forget(&self, id: &str) {
        self.memory().remove(id);
    }

    /// Removes temporary credentials that ended an hour ago or earlier: until then a late request is told that
    /// they expired, afterwards that they are unknown. Returns how many went.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, RecordError> {
        let ended = now - Duration::from_secs(3600);
        let mut removed = 0;
        for kept in self.records.with_term::<AccessKeyRecord>("temporary").await? {
            let session = kept.record.session.as_ref();
            if session.is_some_and(|session| session.expires_ms <= ended.as_millis()) {
                self.forget(&kept.record.id);
                match self.records.write(vec![Records::remove(&kept)]).await {
                    Ok(()) => removed += 1,
                    // Another server sweeps too.
                    Err(RecordError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(removed)
    }

    fn remembered(&self, id: &str, now: Timestamp) -> Option<AccessKey> {
        let memory = self.memory();
        let found = memory.get(id).filter(|found| now.since(found.since) < MEMORY)?;
        Some(found.key.clone())
    }

    fn remember(&self, key: &AccessKey, now: Timestamp) {
        let mut memory = self.memory();
        if memory.len() >= REMEMBERED_MAX {
            memory.retain(|_, found| now.since(found.since) < MEMORY);
        }
        memory.insert(key.id.clone(), Remembered { key: key.clone(), since: now });
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, HashMap<String, Remembered>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use store::{Database, Store};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

    async fn keyring() -> (Keyring, Records, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let file = Database::Sqlite(directory.path().join("test.db"));
        let records = Records::new(Store::open(&file).await.unwrap());
        let root = RootCredentials {
            access_key_id: "AKIAROOT".into(),
            secret_access_key: "root-secret".into(),
        };
        (Keyring::new(records.clone(), root), records, directory)
    }

    fn session() -> Principal {
        Principal::Session(SessionPrincipal {
            role: "Web".into(),
            role_id: "AROAX".into(),
            session: "i-0123456789abcdef0".into(),
            instance: Some("i-0123456789abcdef0".parse().unwrap()),
            policy: None,
        })
    }

    #[tokio::test]
    async fn keys_are_found_with_their_owners() {
        let (keyring, _, _directory) = keyring().await;
        let root = keyring.find("AKIAROOT", NOW).await.unwrap().unwrap();
        assert_eq!((root.principal, root.secret.as_str()), (Principal::Root, "root-secret"));
        assert_eq!(keyring.find("AKIANOBODY", NOW).await.unwrap(), None);
        let expires = NOW + Duration::from_secs(3600);
        let issued = keyring.issue(&session(), NOW, expires).await.unwrap();
        let found = keyring.find(&issued.id, NOW).await.unwrap().unwrap();
        assert_eq!(found, issued);
        assert_eq!(found.principal, session());
        assert!(found.has_expired(expires));
    }

    #[tokio::test]
    async fn a_key_that_was_switched_off_is_not_found() {
        let (keyring, records, _directory) = keyring().await;
        let user = UserPrincipal { name: "ann".into(), path: "/".into(), id: "AIDAX".into() };
        let key = AccessKeyRecord::lasting(&user, NOW);
        records.write(vec![Records::create(&key).unwrap()]).await.unwrap();
        assert!(keyring.find(&key.id, NOW).await.unwrap().is_some());
        let off = |record: &mut AccessKeyRecord| {
            record.active = false;
            Ok::<_, RecordError>(())
        };
        records.update(&key.id, off).await.unwrap().unwrap();
        // Switched off by another server: believed no longer than that.
        assert!(keyring.find(&key.id, NOW + MEMORY).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn ended_credentials_are_removed_an_hour_later() {
        let (keyring, _, _directory) = keyring().await;
        let expires = NOW + Duration::from_secs(900);
        let issued = keyring.issue(&session(), NOW, expires).await.unwrap();
        let hour = Duration::from_secs(3600);
        let late = expires + hour - Duration::from_millis(1);
        assert_eq!(keyring.sweep(late).await.unwrap(), 0);
        assert!(keyring.find(&issued.id, late).await.unwrap().unwrap().has_expired(late));
        assert_eq!(keyring.sweep(expires + hour).await.unwrap(), 1);
        assert_eq!(keyring.find(&issued.id, expires + hour).await.unwrap(), None);
    }
}
