//! Who makes a request: signatures verified, keys found.
//!
//! Every service but S3 comes through here; S3's library verifies by itself, with the same keyring.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use model::Timestamp;
use wire::sigv4::{self, AuthError, Claim, SigningKey};

use crate::forms::records::RecordError;
use crate::iam::{AccessKey, Caller, Keyring};

/// Signing keys that are remembered. A key serves one caller, day, region and service.
const DERIVED_MAX: usize = 2048;

/// Verifies signatures.
pub struct Authenticator {
    keyring: Arc<Keyring>,
    derived: Mutex<HashMap<[String; 4], SigningKey>>,
}

/// A request whose signature holds.
#[derive(Debug)]
pub struct Verified {
    /// Whoever signed it.
    pub caller: Caller,
    /// The region it was signed for.
    pub region: String,
}

/// Why a request is nobody's.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// The caller is told, in its dialect.
    #[error(transparent)]
    Refused(#[from] AuthError),
    /// The keys could not be looked at.
    #[error("the access keys cannot be read")]
    Unknown(#[from] RecordError),
}

impl Authenticator {
    /// An authenticator by the keys of `keyring`.
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self { keyring, derived: Mutex::default() }
    }

    /// Verifies that the request with this head and body was signed for `service`, just now, by a known key.
    pub async fn verify(
        &self,
        head: &Parts,
        body: &[u8],
        service: &str,
        source: IpAddr,
        now: Timestamp,
    ) -> Result<Verified, Unverified> {
        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let request = sigv4::Request { method: head.method.as_str(), target, headers: &headers };
        let claim = Claim::parse(&request)?;
        claim.check_service(service)?;
        let key = self.key(&claim, now).await?;
        let signing_key = self.signing_key(&claim, &key);
        let hash = sigv4::payload_hash(body);
        let seconds = now.as_millis().div_euclid(1000);
        claim.verify(&signing_key, &request, seconds, sigv4::SKEW_SECONDS, &hash)?;
        let caller = Caller { principal: key.principal, access_key: key.id, source: Some(source) };
        Ok(Verified { caller, region: claim.region })
    }

    async fn key(&self, claim: &Claim, now: Timestamp) -> Result<AccessKey, Unverified> {
        let found = self.keyring.find(&claim.access_key, now).await?;
        let key = found.ok_or(AuthError::UnknownAccessKey)?;
        if !key.accepts_token(claim.token.as_deref()) {
            return Err(AuthError::InvalidToken.into());
        }
        if key.has_expired(now) {
            return Err(AuthError::ExpiredToken.into());
        }
        Ok(key)
    }

    /// The key that signs that day's requests. An access key's secret never changes, so it needs no part in this.
    fn signing_key(&self, claim: &Claim, key: &AccessKey) -> SigningKey {
        let name = [&key.id, &claim.date, &claim.region, &claim.service].map(Clone::clone);
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = derived.get(&name) {
            return known.clone();
        }
        // Region and day are the caller's to choose, so there must be an end.
        if derived.len() >= DERIVED_MAX {
            derived.clear();
        }
        let made = sigv4::derive_key(&key.secret, &claim.date, &claim.region, &claim.service);
        derived.insert(name, made.clone());
        made
    }
}
