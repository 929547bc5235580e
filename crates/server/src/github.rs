//! Connections to GitHub: tokens by which hosts may download from private repositories, kept under names.
//!
//! A token is written, and from then on given to nobody but the hosts that a deployment of a linked application goes
//! to. It is sealed before it is stored, so that neither a look into the database nor a copy of that one record shows
//! it. The key is the installation's own and is kept in the same database: whoever has all of that has the tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use rand::Rng;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use store::{Expected, Store, StoreError};

/// Tokens of one account and region. Source: CodeDeploy quotas.
pub const TOKENS_MAX: usize = 25;

/// The documents of the tokens, one per region: there are few, and so their number is held to its limit by
/// compare-and-set.
const KIND: &str = "codedeploy.github_tokens";

/// Bytes of the key.
pub const KEY_BYTES: usize = 32;

/// The stored tokens. Clones share them.
#[derive(Clone)]
pub struct GitHubTokens {
    store: Store,
    key: Arc<LessSafeKey>,
}

/// All tokens of a region, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept(BTreeMap<String, Sealed>);

#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    /// Nonce and ciphertext, in Base64.
    sealed: String,
    /// When it was stored, in milliseconds since the epoch.
    stored_ms: i64,
}

/// What became of storing a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutToken {
    /// It is stored; one of the same name is replaced.
    Stored,
    /// The region has [`TOKENS_MAX`] others.
    TooMany,
}

/// A stored token that cannot be read: it was altered, or sealed by another installation.
#[derive(Debug, thiserror::Error)]
#[error("the stored GitHub token `{name}` of {region} cannot be unsealed")]
pub struct Unreadable {
    name: String,
    region: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitHubError {
    /// The store failed.
    #[error("the GitHub tokens cannot be looked up")]
    Store(#[from] StoreError),
    /// A token is there and cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl GitHubTokens {
    /// The tokens in `store`, sealed with `key`, of which no more than the first [`KEY_BYTES`] bytes count.
    ///
    /// # Panics
    /// The key is shorter.
    pub fn new(store: Store, key: &[u8]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &key[..KEY_BYTES])
            .expect("a key of this algorithm has exactly so many bytes");
        Self { store, key: Arc::new(LessSafeKey::new(key)) }
    }

    /// The names of a region's tokens, sorted.
    ///
    /// # Errors
    /// The store failed.
    pub async fn names(&self, region: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.kept(region).await?.0.0.into_keys().collect())
    }

    /// Whether there is a token of that name.
    ///
    /// # Errors
    /// The store failed.
    pub async fn has(&self, region: &str, name: &str) -> Result<bool, StoreError> {
        Ok(self.kept(region).await?.0.0.contains_key(name))
    }

    /// The token of that name, in the clear.
    ///
    /// # Errors
    /// The store failed, or the token cannot be unsealed.
    pub async fn token(&self, region: &str, name: &str) -> Result<Option<String>, GitHubError> {
        match self.kept(region).await?.0.0.get(name) {
            None => Ok(None),
            Some(sealed) => Ok(Some(self.unsealed(region, name, &sealed.sealed)?)),
        }
    }

    /// Stores a token under a name, in place of one that has it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn put(
        &self,
        region: &str,
        name: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<PutToken, StoreError> {
        loop {
            let (mut kept, expected) = self.kept(region).await?;
            if !kept.0.contains_key(name) && kept.0.len() >= TOKENS_MAX {
                return Ok(PutToken::TooMany);
            }
            let sealed = self.sealed(region, name, token);
            kept.0.insert(name.to_owned(), Sealed { sealed, stored_ms: now.as_millis() });
            if self.store.put_document(KIND, region, expected, &kept).await? {
                return Ok(PutToken::Stored);
            }
        }
    }

    /// Deletes a token; whether there was one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn delete(&self, region: &str, name: &str) -> Result<bool, StoreError> {
        loop {
            let (mut kept, expected) = self.kept(region).await?;
            if kept.0.remove(name).is_none() {
                return Ok(false);
            }
            if self.store.put_document(KIND, region, expected, &kept).await? {
                return Ok(true);
            }
        }
    }

    async fn kept(&self, region: &str) -> Result<(Kept, Expected), StoreError> {
        let found = self.store.document::<Kept>(KIND, region).await?;
        Ok(match found {
            Some(found) => (found.value, Expected::Revision(found.revision)),
            None => (Kept::default(), Expected::Absent),
        })
    }

    fn sealed(&self, region: &str, name: &str, token: &str) -> String {
        let nonce: [u8; NONCE_LEN] = rand::rng().random();
        let mut bytes = token.as_bytes().to_vec();
        let place = Aad::from(place(region, name));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut bytes)
            .expect("a token is far shorter than what this algorithm can seal");
        STANDARD.encode([nonce.as_slice(), &bytes].concat())
    }

    fn unsealed(&self, region: &str, name: &str, sealed: &str) -> Result<String, Unreadable> {
        let unreadable = || Unreadable { name: name.to_owned(), region: region.to_owned() };
        let bytes = STANDARD.decode(sealed).map_err(|_| unreadable())?;
        let (nonce, sealed) = bytes.split_first_chunk().ok_or_else(unreadable)?;
        let mut sealed = sealed.to_vec();
        let place = Aad::from(place(region, name));
        let token = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut sealed)
            .map_err(|_| unreadable())?;
        String::from_utf8(token.to_vec()).map_err(|_| unreadable())
    }
}

/// What a token is bound to, so that it cannot be moved to another name. No region has a slash.
fn place(region: &str, name: &str) -> Vec<u8> {
    format!("{region}/{name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use store::Database;

    use super::*;

    async fn tokens(directory: &tempfile::TempDir) -> GitHubTokens {
        let database = Database::Sqlite(directory.path().join("longshore.db"));
        GitHubTokens::new(Store::open(&database).await.unwrap(), &[7; KEY_BYTES])
    }

    #[tokio::test]
    async fn a_token_is_kept_sealed_and_by_region() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = tokens(&directory).await;
        let now = Timestamp::from_millis(1);
        assert_eq!(tokens.put("eu", "deploys", "ghp_1", now).await.unwrap(), PutToken::Stored);
        assert_eq!(tokens.put("eu", "deploys", "ghp_2", now).await.unwrap(), PutToken::Stored);
        assert_eq!(tokens.token("eu", "deploys").await.unwrap().as_deref(), Some("ghp_2"));
        assert_eq!(tokens.token("us", "deploys").await.unwrap(), None);
        assert_eq!(tokens.names("eu").await.unwrap(), ["deploys"]);
        let stored: Option<store::Document<serde_json::Value>> =
            tokens.store.document(KIND, "eu").await.unwrap();
        assert!(!stored.unwrap().value.to_string().contains("ghp_"));
        assert!(tokens.delete("eu", "deploys").await.unwrap());
        assert!(!tokens.delete("eu", "deploys").await.unwrap());
    }

    #[tokio::test]
    async fn a_region_has_so_many_tokens_at_most() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = tokens(&directory).await;
        let now = Timestamp::from_millis(1);
        for number in 0..TOKENS_MAX {
            let name = format!("t{number}");
            assert_eq!(tokens.put("eu", &name, "x", now).await.unwrap(), PutToken::Stored);
        }
        assert_eq!(tokens.put("eu", "more", "x", now).await.unwrap(), PutToken::TooMany);
        assert_eq!(tokens.put("eu", "t0", "y", now).await.unwrap(), PutToken::Stored);
    }

    #[tokio::test]
    async fn a_token_cannot_be_moved_or_altered() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = tokens(&directory).await;
        let sealed = tokens.sealed("eu", "deploys", "ghp_1");
        assert_eq!(tokens.unsealed("eu", "deploys", &sealed).unwrap(), "ghp_1");
        assert!(tokens.unsealed("eu", "others", &sealed).is_err());
        assert!(tokens.unsealed("eu", "deploys", &sealed.replacen('A', "B", 1)[1..]).is_err());
        assert!(tokens.unsealed("eu", "deploys", "").is_err());
    }
}
