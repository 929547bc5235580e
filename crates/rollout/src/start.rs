//! Who are the targets, and may the deployment begin at all?

use model::{
    DeploymentId, DeploymentStatus, ErrorCode, ErrorInformation, Event, EventState, LifecycleEvent,
    StatusMessage, Target, TargetId, TargetStatus, Timestamp,
};

use crate::decision::Rule;
use crate::draft::Draft;
use crate::health;
use crate::room;
use crate::snapshot::{Candidate, Members};
use crate::stop;
use crate::zones;

/// Hosts that one deployment may have. Source: CodeDeploy quotas, "Instances per deployment".
pub const TARGETS_MAX: usize = 1000;

/// Ends a deployment that must end before it began (true).
pub fn refuse_stopped(draft: &mut Draft) -> bool {
    let Some(end) = stop::early_end(&draft.seen.deployment) else { return false };
    draft.refuse(Vec::new(), end.status(), end.error());
    true
}

/// Either ends the deployment before it began, or lets it wait (true), or fixes its targets (false).
pub fn refuse_or_enlist(draft: &mut Draft) -> bool {
    let candidates = match &draft.seen.members {
        Members::Known(candidates) => candidates.clone(),
        Members::UpToDate => {
            draft.start(Vec::new());
            enlisted(draft);
            draft.note(StatusMessage::NothingOutdated);
            draft.finish(DeploymentStatus::Succeeded, None);
            return true;
        }
        Members::Unknown(error) => return refuse(draft, Vec::new(), error.clone()),
        Members::NotNeeded => {
            let error = failure(
                ErrorCode::InternalError,
                "the members of the deployment group were not looked up",
            );
            return refuse(draft, Vec::new(), error);
        }
    };
    let (id, zonal) = (&draft.seen.deployment.id, draft.seen.deployment.zonal);
    let applying = zones::applying(zonal, candidates.iter().map(|host| host.zone.is_some()));
    let targets = enlist(id, candidates, applying.is_some(), draft.now);
    if let Some(error) = refusal(draft, &targets) {
        return refuse(draft, targets, error);
    }
    if room::wait_for_room(draft, u32::try_from(targets.len()).unwrap_or(u32::MAX)) {
        return true;
    }
    draft.start(targets);
    enlisted(draft);
    if zonal.is_some() && applying.is_none() {
        draft.note(StatusMessage::NoZones);
    }
    false
}

fn enlisted(draft: &mut Draft) {
    let rule = Rule::Enlist {
        targets: draft.targets.iter().map(|target| target.id.clone()).collect(),
        events: draft.event_names(),
        minimum: health::minimum(draft),
        at_once: health::at_once(draft),
    };
    draft.decide(rule);
}

fn refuse(draft: &mut Draft, mut targets: Vec<Target>, error: ErrorInformation) -> bool {
    for target in &mut targets {
        target.status = TargetStatus::Skipped;
        for event in &mut target.events {
            event.state = EventState::Skipped { ended: draft.now };
        }
    }
    draft.refuse(targets, DeploymentStatus::Failed, error);
    true
}

/// Why a deployment to these targets cannot begin, if it cannot.
fn refusal(draft: &Draft, targets: &[Target]) -> Option<ErrorInformation> {
    if targets.is_empty() {
        return Some(failure(
            ErrorCode::NoInstances,
            "The deployment failed because no instances were found for your deployment group. Check your deployment \
             group settings to make sure the tags for your instances or Auto Scaling groups correctly identify the \
             instances you want to deploy to, and then try again.",
        ));
    }
    if targets.len() > TARGETS_MAX {
        return Some(failure(
            ErrorCode::OverMaxInstances,
            format!(
                "The deployment targets {} instances; at most {TARGETS_MAX} are allowed.",
                targets.len()
            ),
        ));
    }
    let fleet = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let minimum = draft.seen.deployment.minimum_healthy.hosts(fleet);
    if let Some(zone) = zones::without_room(draft.seen.deployment.zonal, targets) {
        return Some(failure(
            ErrorCode::HealthConstraintsInvalid,
            format!(
                "The deployment can't start because the minimum number of healthy instances is not available: the \
                 deployment configuration requires {} healthy in {}, which has {}.",
                zone.minimum,
                zones::named(zone.name.as_deref()),
                zone.hosts()
            ),
        ));
    }
    (health::allowed_out_of_service(draft.seen.deployment.minimum_healthy, fleet) == 0).then(|| {
        failure(
            ErrorCode::HealthConstraintsInvalid,
            format!(
                "The deployment can't start because the minimum number of healthy instances is not available: the \
                 deployment configuration requires {minimum} healthy, and the deployment group has {fleet}. Reduce \
                 the number of healthy instances required, or add instances to the deployment group."
            ),
        )
    })
}

fn failure(code: ErrorCode, message: impl Into<String>) -> ErrorInformation {
    ErrorInformation { code, message: message.into() }
}

/// Makes targets of the group's hosts: the sickest class first, at random inside a class so that no host is always
/// first. Source: CodeDeploy user guide, "Instance health".
fn enlist(
    deployment: &DeploymentId,
    mut candidates: Vec<Candidate>,
    by_zone: bool,
    now: Timestamp,
) -> Vec<Target> {
    candidates
        .sort_by_cached_key(|host| (host.health, draw(deployment, &host.id), host.id.clone()));
    candidates.dedup_by(|again, host| again.id == host.id);
    if by_zone {
        zones::sort(&mut candidates);
    }
    (0..)
        .zip(candidates)
        .map(|(position, host)| Target {
            id: host.id,
            arn: host.arn,
            host_identifier: host.host_identifier,
            zone: host.zone,
            position,
            status: TargetStatus::Pending,
            last_updated: now,
            events: LifecycleEvent::IN_PLACE
                .map(|name| Event { name, state: EventState::Pending })
                .into(),
        })
        .collect()
}

/// A number that is random between deployments and yet the same whenever this plan is made again (FNV-1a).
fn draw(deployment: &DeploymentId, target: &TargetId) -> u64 {
    let bytes = deployment.as_str().bytes().chain([0]).chain(target.as_str().bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The last bytes of a name hardly reach FNV's high bits; this spreads them.
    (hash ^ (hash >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb)
}
