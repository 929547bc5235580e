//! Makes a failing scenario smaller, as long as the same promise stays broken.

use super::faults::Fault;
use super::promises::Broken;
use super::scenario::{Act, Scenario};

/// Simulations that one failure may cost.
const TRIES_MAX: u32 = 600;

/// The smallest scenario found in which `broken` happens. `run` tells what a scenario breaks.
pub fn shrink(
    scenario: Scenario,
    broken: &Broken,
    run: impl Fn(&Scenario) -> Result<(), Broken>,
) -> Scenario {
    let mut smallest = scenario;
    let mut tries = 0;
    'again: loop {
        for candidate in smaller(&smallest) {
            tries += 1;
            if tries > TRIES_MAX {
                return smallest;
            }
            if run(&candidate).is_err_and(|found| found.promise == broken.promise) {
                smallest = candidate;
                continue 'again;
            }
        }
        return smallest;
    }
}

/// Scenarios with a little less in them, the boldest first.
fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut smaller = scenario.clone();
        change(&mut smaller);
        if smaller != *scenario {
            found.push(smaller);
        }
    };
    let hosts = scenario.hosts.len();
    if hosts > 3 {
        with(&|s| s.hosts.truncate(hosts / 2));
        with(&|s| s.hosts = s.hosts.split_off(hosts / 2));
    }
    if scenario.servers.len() > 1 && !scenario.acts.iter().any(|(_, act)| names_second_server(act))
    {
        with(&|s| s.servers.truncate(1));
    }
    for act in (0..scenario.acts.len()).rev() {
        with(&|s| {
            s.acts.remove(act);
        });
    }
    for host in (0..hosts).rev() {
        with(&|s| {
            s.hosts.remove(host);
        });
    }
    for host in 0..hosts {
        with(&|s| s.hosts[host].fault = Fault::None);
        with(&|s| s.hosts[host].parallel = true);
        with(&|s| s.hosts[host].zone = None);
    }
    for group in 0..scenario.groups.len() {
        with(&|s| s.groups[group].roll_back_on.clear());
        with(&|s| s.groups[group].alarms = None);
        with(&|s| s.groups[group].zonal = None);
        with(&|s| s.groups[group].queue = None);
    }
    with(&|s| s.limits = None);
    for server in 0..scenario.servers.len() {
        with(&|s| s.servers[server].crash_percent = 0);
        with(&|s| s.servers[server].loss_percent = 0);
        with(&|s| s.servers[server].clock_skew = 0);
    }
    found
}

fn names_second_server(act: &Act) -> bool {
    match act {
        Act::SetClock { server, .. } | Act::Kill { server } => *server > 0,
        Act::Deploy { .. }
        | Act::Stop { .. }
        | Act::Delete { .. }
        | Act::TurnAlarm { .. }
        | Act::Terminate { .. } => false,
    }
}
