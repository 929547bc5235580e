//! Does a rollback follow? A rollback is an ordinary new deployment of what the group last deployed successfully;
//! nothing is restored. Source: CodeDeploy user guide, "Redeploy and roll back a deployment".

use model::{Creator, DeploymentStatus, RollbackEvent, TargetStatus};

use crate::decision::{NoRollback, Rule};
use crate::draft::Draft;
use crate::snapshot::{Deployment, Rollback};
use crate::stop::{self, EarlyEnd};

/// What follows the end of a deployment that had started.
pub fn after(draft: &mut Draft, status: DeploymentStatus) -> Option<Rollback> {
    if status == DeploymentStatus::Succeeded {
        return None;
    }
    let deployment = &draft.seen.deployment;
    match (refusal(draft, status), &draft.seen.last_successful) {
        (None, Some(last)) => {
            let by = deployment.id.successor(deployment.version);
            draft.decide(Rule::RollBack { by: by.clone(), to: last.clone() });
            Some(Rollback::Made(by))
        }
        (None, None) => {
            draft.decide(Rule::NoRollback { because: NoRollback::NothingToRollBackTo });
            Some(Rollback::Impossible)
        }
        (Some(because), _) => {
            draft.decide(Rule::NoRollback { because });
            None
        }
    }
}

/// Why no rollback is even tried, if none is.
fn refusal(draft: &Draft, status: DeploymentStatus) -> Option<NoRollback> {
    let deployment = &draft.seen.deployment;
    if deployment.orphaned.is_some() {
        // Nobody is left who could want anything of a deleted group.
        Some(NoRollback::GroupGone)
    } else if !may_be_rolled_back(deployment) {
        Some(NoRollback::OwnDeployment)
    } else if !is_asked_for(deployment, status) {
        Some(NoRollback::NotAskedFor)
    } else if is_untouched(draft) {
        Some(NoRollback::Untouched)
    } else {
        None
    }
}

/// Whether whoever stopped it, or else its settings, want a rollback after such an end.
fn is_asked_for(deployment: &Deployment, status: DeploymentStatus) -> bool {
    let on = |event| deployment.roll_back_on.contains(&event);
    let asked = deployment.stop.as_ref().and_then(|stop| stop.roll_back);
    match (status, stop::early_end(deployment)) {
        (DeploymentStatus::Stopped | DeploymentStatus::Failed, _) if asked == Some(true) => true,
        (DeploymentStatus::Stopped, Some(EarlyEnd::Alarm(_))) => on(RollbackEvent::StopOnAlarm),
        (DeploymentStatus::Stopped, _) => asked.unwrap_or(on(RollbackEvent::StopOnRequest)),
        (DeploymentStatus::Failed, _) => asked.unwrap_or(on(RollbackEvent::Failure)),
        (
            DeploymentStatus::Created
            | DeploymentStatus::Queued
            | DeploymentStatus::InProgress
            | DeploymentStatus::Baking
            | DeploymentStatus::Ready
            | DeploymentStatus::Succeeded,
            _,
        ) => false,
    }
}

/// A rollback is never rolled back, nor is what nobody asked for: it would never end.
fn may_be_rolled_back(deployment: &Deployment) -> bool {
    match deployment.creator {
        Creator::User => true,
        Creator::Rollback
        | Creator::AutoScaling
        | Creator::AutoScalingTermination
        | Creator::AutoUpdate => false,
    }
}

/// Whether no host was begun with.
fn is_untouched(draft: &Draft) -> bool {
    draft.targets.iter().all(|target| match target.status {
        TargetStatus::Pending | TargetStatus::Skipped => true,
        TargetStatus::InProgress
        | TargetStatus::Ready
        | TargetStatus::Succeeded
        | TargetStatus::Failed => false,
    })
}
