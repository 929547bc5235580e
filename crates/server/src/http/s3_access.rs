//! What S3 asks the edge: access keys, and whether their owners may.

use std::error::Error;
use std::sync::Arc;

use model::arn::Scope;

use crate::clock::Clock;
use crate::forms::{Context, Records};
use crate::iam::policy::Facts;
use crate::iam::{AuthorizeError, Caller, Keyring, authorize};
use crate::notifications::Outside;
use crate::s3::{Credentials, Key};

type Fault = Box<dyn Error + Send + Sync>;

/// Answers S3's questions by the keyring and the policies.
pub struct S3Access {
    /// The access keys.
    pub keyring: Arc<Keyring>,
    /// Where the policies are.
    pub records: Records,
    /// Tells the time.
    pub clock: Clock,
    /// The account, and a region to name: S3's permissions know none.
    pub scope: Scope,
    /// How others are reached.
    pub outside: Arc<Outside>,
}

#[async_trait::async_trait]
impl Credentials for S3Access {
    async fn find(&self, access_key: &str) -> Result<Option<Key>, Fault> {
        let found = self.keyring.find(access_key, self.clock.now()).await?;
        Ok(found.map(|key| Key {
            secret: key.secret,
            session_token: key.session_token,
            expires: key.expires,
        }))
    }

    async fn allows(&self, access_key: &str, action: &str, resource: &str) -> Result<bool, Fault> {
        let now = self.clock.now();
        let Some(key) = self.keyring.find(access_key, now).await? else { return Ok(false) };
        let caller = Caller { principal: key.principal, access_key: key.id, source: None };
        let context = Context {
            records: self.records.clone(),
            keyring: Arc::clone(&self.keyring),
            performer: None,
            outside: Arc::clone(&self.outside),
            scope: self.scope.clone(),
            now,
        };
        match authorize(&context, &caller, action, resource, Facts::default()).await {
            Ok(()) => Ok(true),
            Err(AuthorizeError::Denied(_)) => Ok(false),
            Err(AuthorizeError::Unknown(error)) => Err(error.into()),
        }
    }
}
