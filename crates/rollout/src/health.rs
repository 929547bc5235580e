//! Who may go out of service, and was the deployment a success?

use model::{DeploymentStatus, ErrorCode, ErrorInformation, MinimumHealthyHosts, TargetStatus};

use crate::action::WaitingOn;
use crate::decision::Rule;
use crate::draft::Draft;
use crate::events;
use crate::zones::{self, Zone};

/// How many hosts of a `fleet` may be out of service at once: being deployed to, or failed.
/// Source: CodeDeploy user guide, "Minimum healthy instances".
pub fn allowed_out_of_service(minimum: MinimumHealthyHosts, fleet: u32) -> u32 {
    fleet.saturating_sub(minimum.hosts(fleet))
}

/// How many hosts of the deployment may be out of service at once.
pub fn at_once(draft: &Draft) -> u32 {
    allowed_out_of_service(draft.seen.deployment.minimum_healthy, fleet(draft))
}

/// How many hosts of the deployment must stay healthy.
pub fn minimum(draft: &Draft) -> u32 {
    draft.seen.deployment.minimum_healthy.hosts(fleet(draft))
}

fn fleet(draft: &Draft) -> u32 {
    u32::try_from(draft.targets.len()).unwrap_or(u32::MAX)
}

fn out_of_service(draft: &Draft) -> u32 {
    draft.count(TargetStatus::InProgress) + draft.count(TargetStatus::Failed)
}

/// Begins with as many targets as may go out of service, zone by zone; ends the deployment when nothing is in flight
/// any more and either every target is over or no further one may be begun. Targets in flight always end, even in a
/// deployment that is doomed.
pub fn proceed(draft: &mut Draft) {
    loop {
        let Some(zone) = zones::current(draft) else { return judge(draft) };
        if draft.count(TargetStatus::InProgress) == 0 && out_of_service(draft) >= at_once(draft) {
            return fail(draft);
        }
        if zones::pause_or_enter(draft, &zone) {
            return;
        }
        start_targets(draft, &zone);
        if draft.count(TargetStatus::InProgress) > 0 {
            return note_held_back(draft, &zone);
        }
        if zone.count(draft, TargetStatus::Pending) > 0 {
            return fail(draft);
        }
        // All of the zone's hosts are gone: on to the next one.
    }
}

/// Starts targets of the zone, in order, while one more may go out of service, of the fleet and of the zone. A slot is
/// free again as soon as a target succeeds; a failed target keeps its slot, for its host is out of service for good.
fn start_targets(draft: &mut Draft, zone: &Zone) {
    let allowed = at_once(draft);
    let mut slots = allowed.saturating_sub(out_of_service(draft));
    let mut zone_slots = zone.at_once().saturating_sub(zone.out_of_service(draft));
    for index in zone.targets.clone() {
        if slots == 0 || zone_slots == 0 {
            break;
        }
        if draft.targets[index].status == TargetStatus::Pending {
            let out_of_service = allowed - slots + 1;
            draft.decide_on(index, Rule::Begin { out_of_service, at_once: allowed });
            // In progress or, if it is gone, failed: out of service in either case.
            events::next_event(draft, index);
            slots -= 1;
            zone_slots -= 1;
        }
    }
}

/// Says why the next target is not begun yet.
fn note_held_back(draft: &mut Draft, zone: &Zone) {
    let pending = |target: &model::Target| target.status == TargetStatus::Pending;
    let Some(next) = draft.targets.iter().find(|target| pending(target)) else { return };
    let target = next.id.clone();
    let in_this_zone = draft.targets[zone.targets.clone()].iter().any(|target| pending(target));
    let (healthy, minimum) =
        (fleet(draft).saturating_sub(out_of_service(draft) + 1), minimum(draft));
    let reason = if !in_this_zone {
        WaitingOn::EarlierZone { target, zone: zone.name.clone() }
    } else if healthy < minimum {
        WaitingOn::MinimumHealthy { target, healthy, minimum }
    } else {
        let healthy = zone.hosts().saturating_sub(zone.out_of_service(draft) + 1);
        let (zone, minimum) = (zone.name.clone(), zone.minimum);
        WaitingOn::ZoneMinimumHealthy { target, zone, healthy, minimum }
    };
    draft.waiting.push(reason);
}

fn judge(draft: &mut Draft) {
    if draft.count(TargetStatus::Succeeded) >= minimum(draft).max(1) {
        draft.finish(DeploymentStatus::Succeeded, None);
    } else {
        fail(draft);
    }
}

fn fail(draft: &mut Draft) {
    draft.skip_pending();
    draft.finish(DeploymentStatus::Failed, Some(too_few_healthy()));
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
