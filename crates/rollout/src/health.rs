//! Who may go out of service, and was the deployment a success?

use model::{DeploymentStatus, ErrorCode, ErrorInformation, MinimumHealthyHosts, TargetStatus};

use crate::action::WaitingOn;
use crate::decision::Rule;
use crate::draft::Draft;
use crate::events;

/// How many hosts of a `fleet` may be out of service at once: being deployed to, or failed.
/// Source: CodeDeploy user guide, "Minimum healthy instances".
pub fn allowed_out_of_service(minimum: MinimumHealthyHosts, fleet: u32) -> u32 {
    fleet.saturating_sub(minimum.hosts(fleet))
}

/// How many hosts of the deployment may be out of service at once.
pub fn at_once(draft: &Draft) -> u32 {
    allowed_out_of_service(draft.seen.deployment.minimum_healthy, fleet(draft))
}

fn fleet(draft: &Draft) -> u32 {
    u32::try_from(draft.targets.len()).unwrap_or(u32::MAX)
}

/// How many hosts of the deployment must stay healthy.
pub fn minimum(draft: &Draft) -> u32 {
    draft.seen.deployment.minimum_healthy.hosts(fleet(draft))
}

fn out_of_service(draft: &Draft) -> u32 {
    draft.count(TargetStatus::InProgress) + draft.count(TargetStatus::Failed)
}

/// Starts targets, in order, while one more may go out of service. A slot is free again as soon as a target
/// succeeds; a failed target keeps its slot, for its host is out of service for good.
pub fn start_targets(draft: &mut Draft) {
    let allowed = at_once(draft);
    let mut slots = allowed.saturating_sub(out_of_service(draft));
    for index in 0..draft.targets.len() {
        if slots == 0 {
            break;
        }
        if draft.targets[index].status == TargetStatus::Pending {
            let out_of_service = allowed - slots + 1;
            draft.decide_on(index, Rule::Begin { out_of_service, at_once: allowed });
            // In progress or, if it is gone, failed: out of service in either case.
            events::next_event(draft, index);
            slots -= 1;
        }
    }
}

/// Ends the deployment when nothing is in flight any more: either every target is over, or no further one may be
/// taken out of service. Targets in flight always end, even in a deployment that is doomed.
pub fn judge(draft: &mut Draft) {
    let fleet = fleet(draft);
    let minimum = minimum(draft);
    let next = draft
        .targets
        .iter()
        .find(|target| target.status == TargetStatus::Pending)
        .map(|t| t.id.clone());
    if draft.count(TargetStatus::InProgress) > 0 {
        if let Some(target) = next {
            let healthy = fleet.saturating_sub(out_of_service(draft) + 1);
            draft.waiting.push(WaitingOn::MinimumHealthy { target, healthy, minimum });
        }
        return;
    }
    if next.is_some() {
        draft.skip_pending();
        return draft.finish(DeploymentStatus::Failed, Some(too_few_healthy()));
    }
    if draft.count(TargetStatus::Succeeded) >= minimum.max(1) {
        draft.finish(DeploymentStatus::Succeeded, None);
    } else {
        draft.finish(DeploymentStatus::Failed, Some(too_few_healthy()));
    }
}

/// The beginning of the text is what the service says; people match on it.
fn too_few_healthy() -> ErrorInformation {
    ErrorInformation {
        code: ErrorCode::HealthConstraints,
        message: "The overall deployment failed because too many individual instances failed deployment, too few \
                  healthy instances are available for deployment, or some instances in your deployment group are \
                  experiencing problems."
            .to_owned(),
    }
}
