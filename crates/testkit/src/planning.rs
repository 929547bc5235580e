//! How long the planner thinks, for the benchmarks.

use std::time::{Duration, Instant};

use model::{Diagnostics, EventState, HostCommandId, MinimumHealthyHosts, TargetId, Timestamp};
use rollout::{Candidate, Completion, Deployment, HealthClass, Members, Report, Snapshot};

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);
/// Plans that are timed.
const SAMPLES: usize = 201;

/// The median time of a plan for so many targets of which a tenth is in flight, when one host has reported.
pub fn time_of_a_plan(targets: u32) -> Duration {
    let mut seen = created(targets);
    seen.apply(&rollout::plan(&seen, NOW).actions);
    let command = seen.targets.iter().find_map(|target| running(&target.events));
    let completion = Completion { at: NOW, succeeded: true, diagnostics: Diagnostics::success() };
    let report = Report { acknowledged: Some(NOW), completion: Some(completion) };
    seen.reports.extend(command.map(|command| (command, report)));
    let mut times: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            let begun = Instant::now();
            let plan = rollout::plan(std::hint::black_box(&seen), NOW);
            let took = begun.elapsed();
            drop(std::hint::black_box(plan));
            took
        })
        .collect();
    times.sort_unstable();
    times[SAMPLES / 2]
}

fn running(events: &[model::Event]) -> Option<HostCommandId> {
    events.iter().find_map(|event| match &event.state {
        EventState::InProgress { command, .. } => Some(command.clone()),
        EventState::Pending
        | EventState::Succeeded { .. }
        | EventState::Failed { .. }
        | EventState::Skipped { .. } => None,
    })
}

fn created(targets: u32) -> Snapshot {
    let candidate = |number: u32| {
        let id = TargetId::new(format!("i-{number:017x}"));
        Candidate {
            arn: format!("arn:aws:ec2:us-east-1:123456789012:instance/{id}"),
            host_identifier: format!("arn:aws:ec2:us-east-1:123456789012:instance/{id}"),
            zone: None,
            health: HealthClass::RevisionOld,
            id,
        }
    };
    let id = model::DeploymentId::from_random([7; 9]);
    let deployment = Deployment::new(id, MinimumHealthyHosts::FleetPercent(90), NOW);
    Snapshot {
        members: Members::Known((0..targets).map(candidate).collect()),
        ..Snapshot::of(deployment)
    }
}
