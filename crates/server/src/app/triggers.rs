//! Triggers that a call makes: their topics must exist, and get a message from which people see that it works.
//!
//! Source: CodeDeploy user guide, "Create a trigger for a CodeDeploy event".

use wire::codedeploy::TriggerConfig;
use wire::{ErrorCode, ServiceError};

use super::{Answer, App, Call, Failure};
use crate::driver::chain;
use crate::forms::Records;
use crate::forms::records::RecordError;
use crate::notifications::{TestedTrigger, trigger_test};
use crate::sns::publish;
use crate::sns::subscriptions::of_topic;
use crate::sns::topics::TopicRecord;

/// The group that a call changes, as its trigger's message names it.
pub(super) struct Told<'a> {
    pub(super) application: &'a str,
    pub(super) group: &'a str,
}

impl App {
    /// The triggers of `after` that are not in `before`. A trigger that a group has already may have lost its topic since:
    /// that must not keep the group from being changed.
    ///
    /// # Errors
    /// The topic of a new one does not exist, or the store failed.
    pub(super) async fn new_triggers(
        &self,
        before: &[TriggerConfig],
        after: &[TriggerConfig],
    ) -> Answer<Vec<TriggerConfig>> {
        let same = |one: &TriggerConfig, other: &TriggerConfig| {
            (&one.trigger_name, &one.trigger_target_arn)
                == (&other.trigger_name, &other.trigger_target_arn)
        };
        let new = after.iter().filter(|one| !before.iter().any(|other| same(one, other)));
        let new: Vec<TriggerConfig> = new.cloned().collect();
        let records = Records::new(self.store.clone());
        for trigger in &new {
            let topic = trigger.trigger_target_arn.as_deref().unwrap_or_default();
            let found = records.get::<TopicRecord>(topic).await;
            if found.map_err(unreadable)?.is_none() {
                return Err(no_topic(trigger, topic).into());
            }
        }
        Ok(new)
    }

    /// Sends each trigger's message to who is subscribed now. The group is written down already: what goes wrong here is
    /// told to the log only.
    pub(super) async fn test_triggers(
        &self,
        call: &Call,
        told: &Told<'_>,
        triggers: &[TriggerConfig],
    ) {
        for trigger in triggers {
            if let Err(error) = self.test_trigger(call, told, trigger).await {
                let (group, error) = (told.group, chain(&error));
                tracing::warn!(group, error, "a trigger's test message could not be written");
            }
        }
    }

    async fn test_trigger(
        &self,
        call: &Call,
        told: &Told<'_>,
        trigger: &TriggerConfig,
    ) -> Result<(), RecordError> {
        let topic = trigger.trigger_target_arn.as_deref().unwrap_or_default();
        let subscriptions = of_topic(&Records::new(self.store.clone()), topic).await?;
        let message = trigger_test(&TestedTrigger {
            scope: &call.scope,
            application: told.application,
            group: told.group,
            trigger: trigger.trigger_name.as_deref().unwrap_or_default(),
            at: call.now,
        });
        let deliveries = publish::deliveries(&subscriptions, &message, None)?;
        Ok(self.store.deliver(&deliveries).await?)
    }
}

fn no_topic(trigger: &TriggerConfig, topic: &str) -> ServiceError {
    let name = trigger.trigger_name.as_deref().unwrap_or_default();
    ServiceError::new(
        ErrorCode::InvalidTriggerConfig,
        format!("The topic '{topic}' of the trigger '{name}' does not exist"),
    )
}

fn unreadable(error: RecordError) -> Failure {
    Failure::internal("the topics of triggers cannot be read", error)
}
