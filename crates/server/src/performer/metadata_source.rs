//! What the metadata service tells one instance, from the records.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{InstanceId, Timestamp};
use tokio::sync::Mutex;

use super::Performer;
use crate::driver::chain;
use crate::ec2::{InstanceRecord, KeyPairRecord, ProfileLink, SecurityGroupRecord, key};
use crate::forms::records::RecordError;
use crate::iam::policy::{Facts as Conditions, Verdict};
use crate::iam::{AccessKey, Principal, ProfileRecord, RoleRecord, SessionPrincipal, trusts};
use crate::metadata::Source;
use crate::metadata::tree::{Credentials, Facts, Profile, PublicKey};

/// How long an instance's credentials are good. Source: EC2 user guide, "Retrieve security credentials".
const GOOD_FOR: Duration = Duration::from_secs(6 * 3600);

/// New credentials are given this long before the old ones end; clients renew theirs some minutes before.
const RENEWED_BEFORE: Duration = Duration::from_secs(3600);

/// Looks up what one instance may ask.
pub(super) struct MetadataSource {
    performer: Arc<Performer>,
    id: String,
    region: String,
    /// The credentials last given, and of which role.
    given: Mutex<Option<Given>>,
}

struct Given {
    role_id: String,
    key: AccessKey,
    expires: Timestamp,
}

impl MetadataSource {
    pub(super) fn new(performer: Arc<Performer>, record: &InstanceRecord) -> Self {
        let (id, region) = (record.id.clone(), record.region.clone());
        Self { performer, id, region, given: Mutex::default() }
    }

    async fn instance(&self) -> Result<Option<InstanceRecord>, RecordError> {
        let found = self.performer.records.get(&key(&self.region, &self.id)).await?;
        Ok(found.map(|kept| kept.record))
    }

    async fn look_up(&self) -> Result<Option<Facts>, RecordError> {
        let Some(instance) = self.instance().await? else { return Ok(None) };
        let records = &self.performer.records;
        let mut groups = Vec::new();
        for id in &instance.groups {
            let found = records.get::<SecurityGroupRecord>(&key(&self.region, id)).await?;
            groups.extend(found.map(|kept| kept.record.name));
        }
        let key_pair = match &instance.key_name {
            None => None,
            Some(name) => records.get::<KeyPairRecord>(&key(&self.region, name)).await?,
        };
        let profile = match &instance.profile {
            None => None,
            Some(link) => Some(self.profile(link).await?),
        };
        Ok(Some(Facts {
            account: self.performer.account.clone(),
            region: instance.region.clone(),
            availability_zone: instance.zone.clone(),
            image_id: instance.image.clone(),
            instance_type: instance.instance_type.clone(),
            address: instance.address,
            hostname: instance.private_dns_name(),
            reservation_id: instance.reservation.clone(),
            launch_index: instance.launch_index,
            launched: Timestamp::from_millis(instance.launched_ms),
            security_groups: groups,
            key: key_pair
                .map(|kept| PublicKey { name: kept.record.name, openssh: kept.record.public_key }),
            user_data: instance.user_data.as_ref().and_then(|text| STANDARD.decode(text).ok()),
            tags: instance.tags,
            instance_id: instance.id,
            profile,
        }))
    }

    async fn profile(&self, link: &ProfileLink) -> Result<Profile, RecordError> {
        let found = self.performer.records.get::<ProfileRecord>(&link.name).await?;
        // Another profile of the same name, made later, is another one.
        let same = found.map(|kept| kept.record).filter(|profile| profile.id == link.id);
        Ok(Profile {
            arn: link.arn.clone(),
            id: link.id.clone(),
            role: same.and_then(|profile| profile.role),
        })
    }

    async fn issue(&self, name: &str) -> Result<Option<AccessKey>, RecordError> {
        let Some(instance) = self.instance().await? else { return Ok(None) };
        let Some(link) = &instance.profile else { return Ok(None) };
        if self.profile(link).await?.role.as_deref() != Some(name) {
            return Ok(None);
        }
        let found = self.performer.records.get::<RoleRecord>(name).await?;
        let Some(role) = found.map(|kept| kept.record).filter(trusts_instances) else {
            return Ok(None);
        };
        let mut given = self.given.lock().await;
        let now = self.performer.clock.now();
        if let Some(known) = given.as_ref()
            && known.role_id == role.id
            && now + RENEWED_BEFORE < known.expires
        {
            return Ok(Some(known.key.clone()));
        }
        let expires = now + GOOD_FOR;
        let principal = Principal::Session(SessionPrincipal {
            role: role.name,
            role_id: role.id.clone(),
            session: self.id.clone(),
            instance: self.id.parse::<InstanceId>().ok(),
            policy: None,
        });
        let key = self.performer.keyring.issue(&principal, now, expires).await?;
        *given = Some(Given { role_id: role.id, key: key.clone(), expires });
        Ok(Some(key))
    }
}

/// Whether the role may be handed to instances.
fn trusts_instances(role: &RoleRecord) -> bool {
    let facts = Conditions::default().with("aws:PrincipalServiceName", "ec2.amazonaws.com");
    trusts(&role.trust, "sts:AssumeRole", &facts) == Verdict::Allow
}

impl Source for MetadataSource {
    async fn facts(&self) -> Option<Facts> {
        match self.look_up().await {
            Ok(facts) => facts,
            Err(error) => {
                tracing::error!(instance = self.id, error = chain(&error), "no metadata");
                None
            }
        }
    }

    async fn credentials(&self, role: &str) -> Option<Credentials> {
        match self.issue(role).await {
            Ok(key) => {
                let key = key?;
                Some(Credentials {
                    access_key_id: key.id,
                    secret_access_key: key.secret,
                    token: key.session_token.unwrap_or_default(),
                    expires: key.expires.unwrap_or_default(),
                })
            }
            Err(error) => {
                tracing::error!(instance = self.id, error = chain(&error), "no credentials");
                None
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.performer.clock.now()
    }
}
