//! What is drawn from a seed before time begins: hosts, groups, servers, and what people and machines will do when.
//!
//! A scenario is plain data. Each host has a chance of its own, so that leaving one out changes nothing for the others:
//! a failing scenario can be made smaller and still fail for the same reason.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{ErrorCode, MinimumHealthyHosts, QueuePolicy, RollbackEvent, ZonalConfig};

use rollout::Limits;

use super::faults::Fault;
use crate::random::Random;

#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    pub seed: u64,
    pub hosts: Vec<Host>,
    pub groups: Vec<Group>,
    pub servers: Vec<Server>,
    /// What may be under way at once in the account; `None`: anything.
    pub limits: Option<Limits>,
    /// What happens whoever is deployed to, by time.
    pub acts: Vec<(Duration, Act)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Names it: `h7`.
    pub number: u32,
    pub fault: Fault,
    /// Whether its agent takes a command while another one runs.
    pub parallel: bool,
    /// Its availability zone, if it is in one.
    pub zone: Option<char>,
    /// The groups that select it.
    pub groups: Vec<usize>,
    /// What the groups' earlier deployments left on it, by group.
    pub history: Vec<History>,
}

/// What is on record of a host in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    pub installed: Installed,
    /// Whether the last deployment to it went well.
    pub healthy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    Nothing,
    Older,
    LastSuccessful,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub minimum_healthy: MinimumHealthyHosts,
    pub ignore_application_stop_failures: bool,
    /// Its selections overlap: whoever looks up its members finds some of them twice.
    pub finds_hosts_twice: bool,
    /// Ends that a rollback follows.
    pub roll_back_on: BTreeSet<RollbackEvent>,
    /// Whether a deployment to it succeeded before time began.
    pub has_good: bool,
    pub alarms: Option<Alarms>,
    /// One zone after the other.
    pub zonal: Option<ZonalConfig>,
    /// How further deployments wait; `None`: they are refused.
    pub queue: Option<QueuePolicy>,
}

/// The alarms that a group's deployments watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarms {
    pub ignore_poll_failure: bool,
    /// So many milliseconds after a deployment was created they are first read; `None`: nobody ever reads them.
    pub first_read_after: Option<u64>,
}

/// What whoever reads an alarm finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    Calm,
    Red,
    Unreadable,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// How far its clock is from the truth at first, in milliseconds.
    pub clock_skew: i64,
    /// Of 100 passes, so many end in a crash before the commit, and as many after it.
    pub crash_percent: u64,
    /// Of 100 wake-ups, so many get lost.
    pub loss_percent: u64,
}

/// Something that happens to the world at its time.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Somebody creates a deployment, if the group has none or lets it wait; with its number in the history of what is
    /// deployed, or without.
    Deploy { group: usize, sequence: Option<u64> },
    /// An operator asks to stop what the group deploys.
    Stop { group: usize, roll_back: Option<bool> },
    /// The group, or its application, is deleted under what it deploys.
    Delete { group: usize, missing: ErrorCode },
    /// The group's alarm changes; somebody reads it so many milliseconds later.
    TurnAlarm { group: usize, to: AlarmState, read_after: u64 },
    /// A server's clock is set.
    SetClock { server: usize, by_millis: i64 },
    /// A server is killed.
    Kill { server: usize },
    /// A host is terminated or deregistered, whatever it is doing.
    Terminate { host: u32 },
}

impl Scenario {
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let size = draw_size(&mut random);
        let groups = match random.below(20) {
            0 => 3,
            1 | 2 => 2,
            _ => 1,
        };
        let trouble = [0, 10, 40, 90][random.below(4) as usize];
        let hosts = (0..size).map(|number| draw_host(seed, number, groups, trouble)).collect();
        let two_servers = random.chance(15);
        let rough = random.chance(50);
        let servers = (0..if two_servers { 2 } else { 1 })
            .map(|_| Server {
                clock_skew: if two_servers { random.between(0, 4_000) as i64 - 2_000 } else { 0 },
                crash_percent: if rough { random.below(5) } else { 0 },
                loss_percent: if rough { random.below(8) } else { 0 },
            })
            .collect();
        let group = |random: &mut Random| Group {
            minimum_healthy: draw_minimum(random, size),
            ignore_application_stop_failures: random.chance(20),
            finds_hosts_twice: random.chance(5),
            roll_back_on: draw_rollback_events(random),
            has_good: random.chance(70),
            alarms: random.chance(25).then(|| draw_alarms(random)),
            zonal: random.chance(20).then(|| draw_zonal(random)),
            queue: random.chance(20).then(|| QueuePolicy::ALL[random.below(3) as usize]),
        };
        let groups: Vec<Group> = (0..groups).map(|_| group(&mut random)).collect();
        let acts = draw_acts(&mut random, size, &groups, if two_servers { 2 } else { 1 });
        let limits = random.chance(20).then(|| draw_limits(&mut random, size));
        Self { seed, hosts, groups, servers, limits, acts }
    }
}

/// Most fleets are small, since most mistakes show in small ones; a few are as large as a group gets in practice.
fn draw_size(random: &mut Random) -> u32 {
    let size = match random.below(10_000) {
        0..=9_099 => random.between(1, 8),
        9_100..=9_149 => 0,
        9_150..=9_949 => random.between(9, 30),
        9_950..=9_989 => random.between(31, 100),
        _ => random.between(101, 300),
    };
    size as u32
}

fn draw_host(seed: u64, number: u32, groups: usize, trouble: u64) -> Host {
    let mut random = host_chance(seed, number);
    let fault = match random.chance(trouble) {
        true => Fault::draw(&mut random),
        false if random.chance(80) => Fault::None,
        false => Fault::Slow,
    };
    // Everybody is in the first group, so that a fleet is as large as it was drawn.
    let groups: Vec<usize> = (0..groups).filter(|group| *group == 0 || random.chance(60)).collect();
    let history = |random: &mut Random| History {
        installed: match random.below(4) {
            0 => Installed::Nothing,
            1 => Installed::Older,
            _ => Installed::LastSuccessful,
        },
        healthy: random.chance(70),
    };
    let history = (0..3).map(|_| history(&mut random)).collect();
    let parallel = random.chance(70);
    let zone =
        [None, Some('a'), Some('a'), Some('b'), Some('b'), Some('c')][random.below(6) as usize];
    Host { number, fault, parallel, zone, groups, history }
}

/// The chance that belongs to one host, whoever else is there.
pub fn host_chance(seed: u64, number: u32) -> Random {
    Random::new(seed ^ (u64::from(number) + 1).wrapping_mul(0x5851_f42d_4c95_7f2d))
}

fn draw_minimum(random: &mut Random, hosts: u32) -> MinimumHealthyHosts {
    match random.below(6) {
        0 => MinimumHealthyHosts::FleetPercent(0),
        1 => MinimumHealthyHosts::FleetPercent(50),
        2 => MinimumHealthyHosts::MostConcurrency(1),
        3 => MinimumHealthyHosts::FleetPercent(random.below(100) as u8),
        _ => MinimumHealthyHosts::HostCount(random.below(u64::from(hosts) + 1) as u32),
    }
}

fn draw_rollback_events(random: &mut Random) -> BTreeSet<RollbackEvent> {
    let asks = random.chance(50);
    RollbackEvent::ALL.into_iter().filter(|_| asks && random.chance(60)).collect()
}

fn draw_alarms(random: &mut Random) -> Alarms {
    Alarms {
        ignore_poll_failure: random.chance(30),
        first_read_after: match random.below(10) {
            0 => None,
            1 => Some(random.between(60_000, 180_000)),
            _ => Some(random.between(0, 1_000)),
        },
    }
}

fn draw_zonal(random: &mut Random) -> ZonalConfig {
    let pause = |random: &mut Random| match random.below(3) {
        0 => None,
        1 => Some(Duration::ZERO),
        _ => Some(Duration::from_secs(random.between(1, 3_000))),
    };
    ZonalConfig {
        first_zone_monitor: pause(random),
        monitor: pause(random),
        minimum_healthy_per_zone: match random.below(4) {
            0 => Some(MinimumHealthyHosts::HostCount(random.below(3) as u32)),
            1 => Some(MinimumHealthyHosts::FleetPercent(random.below(100) as u8)),
            _ => None,
        },
    }
}

fn draw_acts(
    random: &mut Random,
    hosts: u32,
    groups: &[Group],
    servers: usize,
) -> Vec<(Duration, Act)> {
    let mut acts = vec![(Duration::ZERO, Act::Deploy { group: 0, sequence: sequence(random) })];
    let mut at = |random: &mut Random, before: u64, act| {
        acts.push((Duration::from_millis(random.below(before)), act));
    };
    for (group, drawn) in groups.iter().enumerate() {
        if group > 0 {
            let sequence = sequence(random);
            at(random, 300_000, Act::Deploy { group, sequence });
        }
        if random.chance(10) {
            let sequence = sequence(random);
            at(random, 4_000_000, Act::Deploy { group, sequence });
        }
        if drawn.queue.is_some() {
            // Some meet a group that is busy, some each other, some nobody.
            for _ in 0..random.below(5) {
                let (before, sequence) =
                    ([1_000, 60_000, 2_000_000][random.below(3) as usize], sequence(random));
                at(random, before, Act::Deploy { group, sequence });
            }
        }
        if random.chance(15) {
            let roll_back = [None, Some(true), Some(false)][random.below(3) as usize];
            at(random, 120_000, Act::Stop { group, roll_back });
            if random.chance(20) {
                at(random, 600_000, Act::Stop { group, roll_back: Some(true) });
            }
        }
        if drawn.alarms.is_some() {
            for _ in 0..random.below(3) {
                let to = [AlarmState::Red, AlarmState::Unreadable, AlarmState::Calm]
                    [random.below(3) as usize];
                let read_after = random.below(30_000);
                at(random, 180_000, Act::TurnAlarm { group, to, read_after });
            }
        }
        if random.chance(4) {
            let missing = [ErrorCode::DeploymentGroupMissing, ErrorCode::ApplicationMissing]
                [random.below(2) as usize];
            at(random, 120_000, Act::Delete { group, missing });
        }
    }
    for server in 0..servers {
        if random.chance(8) {
            let by_millis = random.between(0, 14_400_000) as i64 - 7_200_000;
            at(random, 600_000, Act::SetClock { server, by_millis });
        }
        if random.chance(5) {
            at(random, 600_000, Act::Kill { server });
        }
    }
    if hosts > 0 && random.chance(8) {
        let host = random.below(u64::from(hosts)) as u32;
        at(random, 60_000, Act::Terminate { host });
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

/// So little room that deployments of a few groups meet its end, by their number or by their hosts.
fn draw_limits(random: &mut Random, hosts: u32) -> Limits {
    let hosts = random.between(1, u64::from(hosts) * 2 + 1) as u32;
    Limits { deployments: random.between(1, 3) as u32, hosts }
}

/// A number among few, so that what is installed is often newer.
fn sequence(random: &mut Random) -> Option<u64> {
    random.chance(30).then(|| random.below(6))
}
