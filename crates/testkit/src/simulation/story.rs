//! The story of a simulation in words: who did what when, what servers decided and why.

use std::time::Duration;

use rollout::{Action, Plan};

use super::scenario::Scenario;
use super::world::World;

/// Lines, if they are wanted: telling costs more than simulating.
#[derive(Debug, Default)]
pub struct Story(Option<Vec<String>>);

impl Story {
    pub fn untold() -> Self {
        Self(None)
    }

    /// A story that begins with who is in it.
    pub fn of(scenario: &Scenario) -> Self {
        let mut lines = Vec::new();
        for (number, group) in scenario.groups.iter().enumerate() {
            let forgives = if group.ignore_application_stop_failures {
                ", forgives ApplicationStop"
            } else {
                ""
            };
            let alarms = match group.alarms {
                None => String::new(),
                Some(alarms) => format!(", {alarms:?}"),
            };
            let zonal = group.zonal.map_or(String::new(), |zonal| format!(", {zonal:?}"));
            let queue =
                group.queue.map_or(String::new(), |queue| format!(", queue {}", queue.name()));
            lines.push(format!(
                "group {number}: minimum healthy {:?}{forgives}, rolls back {:?}{alarms}{zonal}{queue}",
                group.minimum_healthy, group.roll_back_on
            ));
        }
        if let Some(limits) = scenario.limits {
            lines.push(format!(
                "the account has room for {} deployments and {} hosts",
                limits.deployments, limits.hosts
            ));
        }
        for host in &scenario.hosts {
            let parallel = if host.parallel { "" } else { ", one command at a time" };
            let zone = host.zone.map_or(String::new(), |zone| format!(", zone {zone}"));
            lines.push(format!(
                "h{} {}{parallel}{zone}; groups {:?}",
                host.number, host.fault, host.groups
            ));
        }
        for (number, server) in scenario.servers.iter().enumerate() {
            lines.push(format!(
                "server {number}: clock {} ms off, crashes in {} % of its passes, loses {} % of its wake-ups",
                server.clock_skew, server.crash_percent, server.loss_percent
            ));
        }
        Self(Some(lines))
    }

    pub fn is_told(&self) -> bool {
        self.0.is_some()
    }

    pub fn add(&mut self, at: Duration, line: &str) {
        if let Some(lines) = &mut self.0 {
            let seconds = at.as_secs();
            let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            lines.push(format!(
                "{hours:02}:{minutes:02}:{seconds:02}.{:03} {line}",
                at.subsec_millis()
            ));
        }
    }

    pub fn into_lines(self) -> Vec<String> {
        self.0.unwrap_or_default()
    }
}

/// A server's thoughts about a deployment.
pub fn of_a_plan(world: &World, server: usize, deployment: usize, plan: &Plan) -> String {
    let id = &world.deployments[deployment].seen.deployment.id;
    let skew = world.clock_of(server).as_millis() - world.now.as_millis();
    let clock = if skew == 0 { String::new() } else { format!(" (its clock is {skew} ms off)") };
    let mut line = format!("server {server}{clock} looks at {id}");
    for action in &plan.actions {
        line += "\n      decides: ";
        line += &of_an_action(action);
    }
    for reason in &plan.waiting {
        line += &format!("\n      waits:   {reason}");
    }
    line
}

fn of_an_action(action: &Action) -> String {
    match action {
        Action::Start { targets, .. } => {
            let names: Vec<_> = targets.iter().map(|target| target.id.as_str()).collect();
            format!("begin with {}", names.join(", "))
        }
        Action::Refuse { verdict, .. } => {
            format!("refuse: {:?} {:?}", verdict.status, verdict.error)
        }
        Action::Dispatch(command) => format!("{} is to run {}", command.target, command.event),
        Action::UpdateTarget(target) => {
            let states: Vec<_> = target.events.iter().map(|event| state(&event.state)).collect();
            format!("{} is {:?} [{}]", target.id, target.status, states.join(" "))
        }
        Action::Note(message) => format!("note: {message}"),
        Action::Queue => "wait for the group's place".to_owned(),
        Action::TakePlace => "take the group's place".to_owned(),
        Action::Bake => "pause before the next zone".to_owned(),
        Action::Resume => "go on with the next zone".to_owned(),
        Action::Finish(verdict) => match &verdict.error {
            Some(error) => format!(
                "end: {:?} {:?} ({}), rollback: {:?}",
                verdict.status, error.code, error.message, verdict.rollback
            ),
            None => format!("end: {:?}", verdict.status),
        },
    }
}

fn state(state: &model::EventState) -> &'static str {
    match state {
        model::EventState::Pending => ".",
        model::EventState::InProgress { .. } => "runs",
        model::EventState::Succeeded { .. } => "ok",
        model::EventState::Failed { .. } => "FAILED",
        model::EventState::Skipped { .. } => "skipped",
    }
}

/// Which version a commit makes.
pub fn version(world: &World, deployment: usize) -> String {
    let deployment = &world.deployments[deployment].seen.deployment;
    format!("version {} of {}", deployment.version + 1, deployment.id)
}
