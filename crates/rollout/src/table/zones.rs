//! One zone after the other.

use super::*;
use model::{StatusMessage, ZonalConfig};

const MINUTE: Duration = Duration::from_secs(60);

/// Hosts `a1`, `a2`, … in zone `a`, and so on; `-` is no zone.
fn zonal(minimum: MinimumHealthyHosts, zones: &[(&str, u32)], config: ZonalConfig) -> Snapshot {
    let mut seen = created(minimum, 0);
    seen.deployment.zonal = Some(config);
    let host = |zone: &str, n: u32| Candidate {
        zone: (zone != "-").then(|| zone.to_owned()),
        ..candidate(&format!("{zone}{n}"), HealthClass::RevisionCurrent)
    };
    let hosts = zones.iter().flat_map(|(zone, count)| (1..=*count).map(move |n| host(zone, n)));
    seen.members = Members::Known(hosts.collect());
    seen
}

fn config(per_zone: MinimumHealthyHosts, first: u64, other: u64) -> ZonalConfig {
    ZonalConfig {
        first_zone_monitor: Some(MINUTE * first as u32),
        monitor: Some(MINUTE * other as u32),
        minimum_healthy_per_zone: Some(per_zone),
    }
}

/// Plays batch by batch, each to its end, until the deployment is over; what was at once in flight, by zone, with `|`
/// for each pause.
fn batches(mut seen: Snapshot, fails: fn(&str) -> bool) -> (String, Snapshot) {
    let (mut now, mut story) = (START, Vec::new());
    step(&mut seen, now);
    while !seen.deployment.status.is_over() {
        if seen.deployment.status == DeploymentStatus::Baking {
            let wake_at = plan(&seen, now).wake_at.unwrap();
            story.push(format!("|{}", wake_at.since(now).as_secs() / 60));
            now = wake_at;
            step(&mut seen, now);
            continue;
        }
        let batch: Vec<TargetId> = running(&seen).into_iter().map(|(id, _)| id).collect();
        story.push(format!("{}{}", &batch[0].as_str()[..1], batch.len()));
        loop {
            let commands = running(&seen).into_iter().filter(|(id, _)| batch.contains(id));
            let commands: Vec<_> = commands.collect();
            if commands.is_empty() {
                break;
            }
            for (id, command) in commands {
                report(&mut seen, &command, now, !fails(id.as_str()));
            }
            // One pass for all reports, so that a batch ends together.
            step(&mut seen, now);
        }
    }
    (story.join(" "), seen)
}

/// The batches that are told before, in the same words.
fn foreseen(seen: &Snapshot) -> String {
    let batches = crate::forecast(seen, START).batches;
    let words = batches.iter().map(|batch| {
        let zone = batch.zone.as_deref().unwrap_or("-");
        match batch.pause.as_secs() / 60 {
            0 => format!("{zone}{}", batch.hosts),
            minutes => format!("{zone}{} |{minutes}", batch.hosts),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Source: CodeDeploy user guide, the examples of zonal configurations.
#[test]
fn zones_follow_each_other_with_a_pause_between_them() {
    let well = |_: &str| false;
    let check = |minimum, zones: &[(&str, u32)], config, expected: &str| {
        assert_eq!(foreseen(&zonal(minimum, zones, config)), expected, "told before");
        let (story, seen) = batches(zonal(minimum, zones, config), well);
        assert_eq!(story, expected);
        assert_eq!(seen.deployment.status, DeploymentStatus::Succeeded);
    };
    let hundreds = [("a", 100), ("b", 100)];
    check(HostCount(160), &hundreds, config(HostCount(50), 5, 1), "a40 a40 a20 |5 b40 b40 b20");
    let threes = [("a", 3), ("b", 3), ("c", 3)];
    check(HostCount(6), &threes, config(FleetPercent(0), 5, 1), "a3 |5 b3 |1 c3");
    check(HostCount(6), &threes, config(HostCount(1), 5, 1), "a2 a1 |5 b2 b1 |1 c2 c1");
    check(HostCount(6), &threes, config(FleetPercent(0), 0, 0), "a3 b3 c3");
}

#[test]
fn a_zone_that_leaves_no_host_to_begin_with_is_refused() {
    let mut seen = zonal(HostCount(2), &[("a", 3), ("b", 1)], config(HostCount(1), 0, 0));
    step(&mut seen, START);
    let error = seen.deployment.error.unwrap();
    assert_eq!(error.code, ErrorCode::HealthConstraintsInvalid);
    assert!(error.message.contains("1 healthy in b, which has 1"), "{}", error.message);
    assert_eq!(seen.targets.len(), 4);
}

#[test]
fn a_zone_that_fails_keeps_later_zones_from_being_touched() {
    let threes = [("a", 3), ("b", 3)];
    let seen = zonal(HostCount(1), &threes, config(HostCount(1), 5, 1));
    let (story, seen) = batches(seen, |host| host == "a1" || host == "a2" || host == "a3");
    assert_eq!((story.as_str(), seen.deployment.status), ("a2", DeploymentStatus::Failed));
    let skipped = seen.targets.iter().filter(|target| target.status == TargetStatus::Skipped);
    assert_eq!(skipped.count(), 4);
}

#[test]
fn the_sickest_zone_comes_first_and_hosts_without_a_zone_last() {
    let mut seen = zonal(
        FleetPercent(0),
        &[("-", 2), ("b", 2), ("c", 2), ("a", 2)],
        config(FleetPercent(0), 0, 0),
    );
    let Members::Known(hosts) = &mut seen.members else { panic!("known") };
    for host in hosts.iter_mut().filter(|host| host.id.as_str() == "c2" || host.id.as_str() == "-1")
    {
        host.health = HealthClass::Unhealthy;
    }
    let (story, _) = batches(seen, |_| false);
    assert_eq!(story, "c2 a2 b2 -2");
}

#[test]
fn a_zone_of_which_every_host_is_gone_is_passed_over_and_watched() {
    let pauses = config(FleetPercent(0), 5, 5);
    let mut seen = zonal(HostCount(1), &[("a", 1), ("b", 1), ("c", 1)], pauses);
    step(&mut seen, START);
    play_one(&mut seen, true, START);
    let gone = HostFacts {
        presence: Presence::Gone("the instance was terminated".to_owned()),
        busy: Busy::FreeSince(START),
    };
    seen.hosts.insert(seen.targets[1].id.clone(), gone);
    for minutes in [5, 10] {
        assert_eq!(seen.deployment.status, DeploymentStatus::Baking);
        let now = START + MINUTE * minutes;
        step(&mut seen, now);
        assert_eq!(plan(&seen, now).actions, [], "after {minutes} minutes");
    }
    assert_eq!(seen.deployment.status, DeploymentStatus::InProgress);
    assert_eq!(seen.targets[1].status, TargetStatus::Failed);
    assert_eq!(seen.targets[2].status, TargetStatus::InProgress);
}

#[test]
fn a_stop_ends_the_pause() {
    let mut seen = zonal(HostCount(1), &[("a", 1), ("b", 1)], config(FleetPercent(0), 5, 5));
    step(&mut seen, START);
    play_one(&mut seen, true, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::Baking);
    let waiting = step(&mut seen, START).waiting;
    assert_eq!(waiting[0].to_string(), "the zones so far are watched before b is begun");
    asked_to_stop(&mut seen);
    step(&mut seen, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::Stopped);
}

#[test]
fn a_pause_is_not_held_against_the_deployment() {
    let days = config(FleetPercent(0), 3 * 24 * 60, 0);
    let (story, seen) = batches(zonal(HostCount(0), &[("a", 1), ("b", 1)], days), |_| false);
    assert_eq!(
        (story.as_str(), seen.deployment.status),
        ("a1 |4320 b1", DeploymentStatus::Succeeded)
    );
}

#[test]
fn zones_mean_nothing_to_hosts_that_are_in_none() {
    let (story, seen) =
        batches(zonal(HostCount(1), &[("-", 4)], config(HostCount(3), 5, 5)), |_| false);
    assert_eq!(story, "-3 -1");
    assert!(seen.deployment.messages.contains(&StatusMessage::NoZones));
}

#[test]
fn where_nothing_is_outdated_the_deployment_succeeds() {
    let mut seen = created(ONE_AT_A_TIME, 0);
    seen.members = Members::UpToDate;
    step(&mut seen, START);
    assert_eq!(seen.deployment.status, DeploymentStatus::Succeeded);
    assert_eq!((seen.deployment.started, seen.targets.len()), (Some(START), 0));
    assert!(seen.deployment.messages.contains(&StatusMessage::NothingOutdated));
}
