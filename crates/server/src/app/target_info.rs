//! Targets as answers show them.

use model::{DeploymentId, EventState, Target, Timestamp};
use wire::Time;
use wire::codedeploy::{
    DeploymentTarget, Diagnostics, InstanceSummary, InstanceTarget, LifecycleEvent,
};

/// A point in time as the wire has it.
pub fn time(at: Timestamp) -> Time {
    Time::from_millis(at.as_millis())
}

/// The target in the form of `BatchGetDeploymentTargets`.
pub fn target(deployment: &DeploymentId, target: &Target) -> DeploymentTarget {
    DeploymentTarget {
        deployment_target_type: Some("InstanceTarget".to_owned()),
        instance_target: Some(InstanceTarget {
            deployment_id: Some(deployment.to_string()),
            target_id: Some(target.id.to_string()),
            target_arn: Some(target.arn.clone()),
            status: Some(target.status.name().to_owned()),
            last_updated_at: Some(time(target.last_updated)),
            lifecycle_events: Some(events(target)),
            // Only fleets of a blue/green deployment have labels.
            instance_label: None,
        }),
        ..DeploymentTarget::default()
    }
}

/// The target in the form of the deprecated `GetDeploymentInstance`, which names it by its ARN.
pub fn instance(deployment: &DeploymentId, target: &Target) -> InstanceSummary {
    InstanceSummary {
        deployment_id: Some(deployment.to_string()),
        instance_id: Some(target.arn.clone()),
        status: Some(target.status.name().to_owned()),
        last_updated_at: Some(time(target.last_updated)),
        lifecycle_events: Some(events(target)),
        instance_type: None,
    }
}

fn events(target: &Target) -> Vec<LifecycleEvent> {
    target
        .events
        .iter()
        .map(|event| LifecycleEvent {
            lifecycle_event_name: Some(event.name.name().to_owned()),
            ..state(&event.state)
        })
        .collect()
}

/// Which times and diagnostics an event shows. Source: observed answers of the service.
fn state(state: &EventState) -> LifecycleEvent {
    let (status, start, end, diagnostics) = match state {
        EventState::Pending => ("Pending", None, None, None),
        EventState::InProgress { dispatched, .. } => ("InProgress", Some(dispatched), None, None),
        EventState::Succeeded { started, ended } => {
            ("Succeeded", Some(started), Some(ended), Some(model::Diagnostics::success()))
        }
        EventState::Failed { started, ended, diagnostics } => {
            ("Failed", Some(started), Some(ended), Some(diagnostics.clone()))
        }
        EventState::Skipped { ended } => ("Skipped", None, Some(ended), None),
    };
    LifecycleEvent {
        lifecycle_event_name: None,
        diagnostics: diagnostics.map(|diagnostics| Diagnostics {
            error_code: Some(diagnostics.code.name().to_owned()),
            script_name: Some(diagnostics.script_name),
            message: Some(diagnostics.message),
            log_tail: Some(diagnostics.log_tail),
        }),
        start_time: start.copied().map(time),
        end_time: end.copied().map(time),
        status: Some(status.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use model::{DiagnosticsCode, Event, LifecycleEvent as Name, TargetId, TargetStatus};

    use super::*;

    #[test]
    fn each_state_shows_its_own_times_and_diagnostics() {
        let at = Timestamp::from_millis;
        let failure = model::Diagnostics {
            code: DiagnosticsCode::ScriptFailed,
            script_name: "stop.sh".into(),
            message: "failed".into(),
            log_tail: "tail".into(),
        };
        let (started, ended) = (at(1_000), at(2_500));
        let states = [
            EventState::Pending,
            EventState::Succeeded { started, ended },
            EventState::Failed { started, ended, diagnostics: failure },
            EventState::Skipped { ended },
        ];
        let shown = target(
            &"d-75I7MBT7C".parse().unwrap(),
            &Target {
                id: TargetId::new("web-01"),
                arn: "arn:x".into(),
                host_identifier: "arn:y".into(),
                zone: None,
                position: 0,
                status: TargetStatus::Failed,
                last_updated: ended,
                events: states.map(|state| Event { name: Name::ApplicationStop, state }).to_vec(),
            },
        );
        let shown = serde_json::to_value(shown).unwrap();
        let events = &shown["instanceTarget"]["lifecycleEvents"];
        assert_eq!(shown["deploymentTargetType"], "InstanceTarget");
        assert_eq!(
            events[0],
            serde_json::json!({"lifecycleEventName": "ApplicationStop", "status": "Pending"})
        );
        assert_eq!(events[1]["diagnostics"]["errorCode"], "Success");
        assert_eq!(events[1]["endTime"], 2.5);
        assert_eq!(events[2]["diagnostics"]["logTail"], "tail");
        assert_eq!(events[3]["status"], "Skipped");
        assert_eq!(events[3].get("startTime"), None);
    }
}
