//! Who is signed in: sessions, their cookies, and the marks that forms carry.
//!
//! A session is a record in the store, found by a digest of the token in the visitor's cookie: it ends when the visitor
//! signs out, when its time is over, and when the access key that it was opened with no longer counts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use model::arn::Scope;
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::app::Call;
use crate::forms::Records;
use crate::forms::records::{Kept, Record, RecordError};
use crate::iam::{AccessKey, Caller, Keyring};

use super::request::Request;

/// The cookie that holds the token.
pub const COOKIE: &str = "longshore-session";

/// How long a session lasts, whatever is done with it: a working day.
pub const LASTS: Duration = Duration::from_secs(12 * 3600);

/// Opens sessions and finds them.
pub struct Sessions {
    key: hmac::Key,
    records: Records,
}

/// A session that was found and still counts.
#[derive(Debug, Clone)]
pub struct Session {
    /// In whose name its requests act.
    pub call: Call,
    /// What forms of this session carry.
    pub form_mark: String,
    /// Where its record is.
    id: String,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SessionRecord {
    /// A digest of the token: who reads the store cannot sign in with what is there.
    id: String,
    access_key: String,
    /// A keyed digest of the key's secret: a key whose secret was replaced is another key.
    secret_mark: String,
    region: String,
    expires_ms: i64,
}

impl Record for SessionRecord {
    const KIND: &'static str = "console.session";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// What somebody signs in with.
pub struct Credentials<'a> {
    pub access_key: &'a str,
    pub secret: &'a str,
    pub token: Option<&'a str>,
}

impl Sessions {
    /// Sessions sealed with `secret`, which all servers on one store share.
    pub fn new(records: Records, secret: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), records }
    }

    /// The access key that the credentials prove, if they do.
    ///
    /// # Errors
    /// The keys cannot be read.
    pub async fn prove(
        &self,
        keyring: &Keyring,
        given: &Credentials<'_>,
        now: Timestamp,
    ) -> Result<Option<AccessKey>, RecordError> {
        let found = keyring.find(given.access_key, now).await?;
        // An unknown key takes as long as a wrong secret: keyed digests are compared, of equal length always.
        let expected = self.mark(found.as_ref().map_or("", |key| key.secret.as_str()));
        let same = bool::from(expected.as_bytes().ct_eq(self.mark(given.secret).as_bytes()));
        Ok(found.filter(|key| same && key.accepts_token(given.token) && !key.has_expired(now)))
    }

    /// Opens a session; the token for the cookie.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(
        &self,
        key: &AccessKey,
        region: &str,
        now: Timestamp,
    ) -> Result<String, RecordError> {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let end = now + LASTS;
        let record = SessionRecord {
            id: id_of(&token),
            access_key: key.id.clone(),
            secret_mark: self.mark(&key.secret),
            region: region.to_owned(),
            expires_ms: key.expires.map_or(end, |expires| expires.min(end)).as_millis(),
        };
        self.records.write(vec![Records::create(&record)?]).await?;
        Ok(token)
    }

    /// The session of a request, if it has one that still counts.
    ///
    /// # Errors
    /// The store failed.
    pub async fn find(
        &self,
        request: &Request,
        keyring: &Keyring,
        account: &str,
        now: Timestamp,
    ) -> Result<Option<Session>, RecordError> {
        let Some(token) = request.cookie(COOKIE) else { return Ok(None) };
        let Some(kept) = self.records.get::<SessionRecord>(&id_of(token)).await? else {
            return Ok(None);
        };
        let record = kept.record;
        if now.as_millis() >= record.expires_ms {
            return Ok(None);
        }
        let Some(key) = keyring.find(&record.access_key, now).await? else { return Ok(None) };
        if key.has_expired(now) || record.secret_mark != self.mark(&key.secret) {
            return Ok(None);
        }
        let caller =
            Caller { principal: key.principal, access_key: key.id, source: Some(request.source) };
        let scope = Scope { account: account.to_owned(), region: record.region };
        let form_mark = self.mark(&format!("form {token}"));
        Ok(Some(Session { call: Call { caller, scope, now }, form_mark, id: record.id }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The store failed.
    pub async fn close(&self, session: &Session) -> Result<(), RecordError> {
        match self.records.get::<SessionRecord>(&session.id).await? {
            Some(kept) => self.remove(&kept).await,
            None => Ok(()),
        }
    }

    /// Lets a session work in another region.
    ///
    /// # Errors
    /// The store failed.
    pub async fn move_to(&self, session: &Session, region: &str) -> Result<(), RecordError> {
        let change = |record: &mut SessionRecord| {
            region.clone_into(&mut record.region);
            Ok::<_, RecordError>(())
        };
        self.records.update(&session.id, change).await.map(|_| ())
    }

    /// Removes sessions whose time is over.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), RecordError> {
        for kept in self.records.list::<SessionRecord>("").await? {
            if now.as_millis() >= kept.record.expires_ms {
                self.remove(&kept).await?;
            }
        }
        Ok(())
    }

    /// Gone already is as good.
    async fn remove(&self, kept: &Kept<SessionRecord>) -> Result<(), RecordError> {
        match self.records.write(vec![Records::remove(kept)]).await {
            Ok(()) | Err(RecordError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn mark(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, text.as_bytes()))
    }
}

impl Session {
    /// Whether a submitted form was made for this session; in constant time.
    pub fn made(&self, mark: Option<&str>) -> bool {
        mark.is_some_and(|mark| mark.as_bytes().ct_eq(self.form_mark.as_bytes()).into())
    }
}

fn id_of(token: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use store::{Database, Store};

    use super::*;
    use crate::iam::RootCredentials;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn root(secret: &str) -> RootCredentials {
        RootCredentials { access_key_id: "AKIAROOT".into(), secret_access_key: secret.into() }
    }

    fn request(token: &str) -> Request {
        let cookie = format!("{COOKIE}={token}");
        let builder = http::Request::builder().uri("/-/console").header("cookie", cookie);
        let (head, ()) = builder.body(()).unwrap().into_parts();
        Request::read(&head, b"", "10.0.0.9".parse().unwrap(), &[])
    }

    #[tokio::test]
    async fn a_session_lasts_until_its_end_its_key_or_its_owner_ends_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = Database::Sqlite(directory.path().join("test.db"));
        let records = Records::new(Store::open(&file).await.unwrap());
        let keyring = Keyring::new(records.clone(), root("s3cret"));
        let sessions = Sessions::new(records.clone(), b"seal");
        let given = |secret| Credentials { access_key: "AKIAROOT", secret, token: None };
        assert_eq!(sessions.prove(&keyring, &given("wrong"), NOW).await.unwrap(), None);
        assert_eq!(sessions.prove(&keyring, &given(""), NOW).await.unwrap(), None);
        let nobody = Credentials { access_key: "AKIANOBODY", secret: "", token: None };
        assert_eq!(sessions.prove(&keyring, &nobody, NOW).await.unwrap(), None);
        let key = sessions.prove(&keyring, &given("s3cret"), NOW).await.unwrap().unwrap();

        let token = sessions.open(&key, "us-east-1", NOW).await.unwrap();
        let find = async |keyring: &Keyring, token: &str, now| {
            sessions.find(&request(token), keyring, "1", now).await.unwrap()
        };
        let found = find(&keyring, &token, NOW).await.unwrap();
        assert_eq!(found.call.scope.region, "us-east-1");
        assert!(found.made(Some(&found.form_mark)));
        assert!(!found.made(Some("x")) && !found.made(None));
        assert!(find(&keyring, "invented", NOW).await.is_none());
        assert!(find(&keyring, &token, NOW + LASTS).await.is_none());
        let replaced = Keyring::new(records.clone(), root("another"));
        assert!(find(&replaced, &token, NOW).await.is_none());

        sessions.move_to(&found, "eu-west-1").await.unwrap();
        assert_eq!(find(&keyring, &token, NOW).await.unwrap().call.scope.region, "eu-west-1");
        sessions.close(&found).await.unwrap();
        assert!(find(&keyring, &token, NOW).await.is_none());

        let other = sessions.open(&key, "us-east-1", NOW).await.unwrap();
        sessions.sweep(NOW + LASTS).await.unwrap();
        assert!(find(&keyring, &other, NOW).await.is_none());
    }
}
