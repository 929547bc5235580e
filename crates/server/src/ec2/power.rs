//! Starting, stopping, rebooting and terminating: wishes are written down here and done by the performer.

use wire::xml::{Element, ec2_true};

use super::instances::{named, state_element};
use super::records::{Desired, InstanceRecord, State, StateReason};
use super::refuse;
use crate::forms::records::{Kept, RecordError, Records};
use crate::forms::{ApiError, Context, Params};

pub(super) async fn start(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    let now = context.now.as_millis();
    change(context, params, |instance| match instance.state {
        State::Pending | State::Running => Ok(()),
        State::Stopped => {
            instance.desired = Desired::Running;
            instance.state = State::Pending;
            instance.boots += 1;
            instance.launched_ms = now;
            instance.reason = None;
            Ok(())
        }
        State::Stopping | State::ShuttingDown | State::Terminated => {
            Err(incorrect_state(instance, "started"))
        }
    })
    .await
}

pub(super) async fn stop(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    change(context, params, |instance| match instance.state {
        State::Pending | State::Running => {
            instance.desired = Desired::Stopped;
            instance.state = State::Stopping;
            instance.reason = by_user();
            Ok(())
        }
        State::Stopping | State::Stopped => Ok(()),
        State::ShuttingDown | State::Terminated => Err(incorrect_state(instance, "stopped")),
    })
    .await
}

pub(super) async fn terminate(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    change(context, params, |instance| {
        if !matches!(instance.state, State::ShuttingDown | State::Terminated) {
            instance.desired = Desired::Terminated;
            instance.state = State::ShuttingDown;
            instance.reason = by_user();
        }
        Ok(())
    })
    .await
}

pub(super) async fn reboot(context: &Context, params: Params<'_>) -> Result<Element, ApiError> {
    change(context, params, |instance| match instance.state {
        State::Running => {
            instance.boots += 1;
            Ok(())
        }
        State::Pending => Ok(()),
        State::Stopping | State::Stopped | State::ShuttingDown | State::Terminated => {
            Err(incorrect_state(instance, "rebooted"))
        }
    })
    .await?;
    Ok(ec2_true())
}

fn by_user() -> Option<StateReason> {
    Some(StateReason {
        code: "Client.UserInitiatedShutdown".to_owned(),
        message: "Client.UserInitiatedShutdown: User initiated shutdown".to_owned(),
    })
}

fn incorrect_state(instance: &InstanceRecord, what: &str) -> ApiError {
    ApiError::client(
        "IncorrectInstanceState",
        format!(
            "The instance '{}' is not in a state from which it can be {what}: it is {}",
            instance.id,
            instance.state.name()
        ),
    )
}

/// Changes all named instances, or none.
async fn change(
    context: &Context,
    params: Params<'_>,
    change: impl Fn(&mut InstanceRecord) -> Result<(), ApiError>,
) -> Result<Element, ApiError> {
    // The performer writes instances too: look again a few times before giving up.
    for _ in 0..20 {
        let mut instances = named(context, params).await?;
        let before: Vec<State> = instances.iter().map(|kept| kept.record.state).collect();
        let mut writes = Vec::new();
        for Kept { record, revision } in &mut instances {
            let old = record.clone();
            change(record)?;
            if *record != old {
                let kept = Kept { record: record.clone(), revision: *revision };
                writes.push(Records::replace(&kept)?);
            }
        }
        match context.records.write(writes).await {
            Ok(()) => {
                if let Some(performer) = &context.performer {
                    performer.wake();
                }
                return Ok(changes(&instances, &before));
            }
            Err(RecordError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(refuse::concurrent())
}

fn changes(instances: &[Kept<InstanceRecord>], before: &[State]) -> Element {
    let items = instances.iter().zip(before).map(|(kept, before)| {
        Element::new("item")
            .field("instanceId", &kept.record.id)
            .child(state_element("currentState", kept.record.state))
            .child(state_element("previousState", *before))
    });
    Element::new("answer").child(Element::list("instancesSet", "item", items))
}
