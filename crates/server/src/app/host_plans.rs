//! What a deployment would do to the files of its hosts, asked of the hosts themselves.

use std::time::Duration;

use model::{Target, TargetId};
use serde::{Deserialize, Serialize};
use store::{AnswerState, AskedHost, Host, HostPlan, HostPlanAnswer, NewHostPlan};
use wire::codedeploy::{CreateDeploymentInput, RevisionLocation};
use wire::longshore::{
    GetHostPlanInput, GetHostPlanOutput, HostPlanAnswer as Shown, HostPlanFile, StartHostPlanOutput,
};
use wire::{ErrorCode, ServiceError};

use super::page::PAGE;
use super::preview::Preview;
use super::target_info::time;
use super::{Answer, App, Call, Failure, Options, group_settings, location};
use crate::forms::Context;

/// How long hosts are waited for: they fetch the bundle before they can answer.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// Plans of a region whose hosts may still answer, at most: each makes all hosts of a group fetch a bundle.
const PLANS_MAX: u64 = 20;
/// Files of one answer.
const FILES: usize = 200;
/// What the name of an agent begins with that can tell.
const AGENT: &str = "longshore";

/// What hosts are told of a deployment that may be made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Question {
    pub application_id: String,
    pub application_name: String,
    pub group_id: String,
    pub group_name: String,
    pub file_exists_behavior: String,
    pub revision: RevisionLocation,
}

/// What a host answers, but for single files.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Summary {
    pub outcome: Outcome,
    pub message: Option<String>,
    pub conflict: i64,
    pub remove: i64,
    pub change: i64,
    pub add: i64,
    pub keep: i64,
    pub unchanged: i64,
}

/// What a host says of its Install.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Succeeds,
    Fails,
    /// It could not find out.
    #[default]
    Unknown,
}

/// A file of a host, and what would become of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FileEffect {
    pub effect: Effect,
    pub path: String,
}

/// What would become of a file; what matters most comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Effect {
    Conflict,
    Remove,
    Change,
    Add,
    Keep,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Succeeds, Self::Fails, Self::Unknown];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeds => "Succeeds",
            Self::Fails => "Fails",
            Self::Unknown => "Unknown",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl Effect {
    const ALL: [Self; 5] = [Self::Conflict, Self::Remove, Self::Change, Self::Add, Self::Keep];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Conflict => "Conflict",
            Self::Remove => "Remove",
            Self::Change => "Change",
            Self::Add => "Add",
            Self::Keep => "Keep",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.name() == name)
    }
}

impl App {
    /// Asks the hosts of the deployment that `input` asks for, or only some of them, what its Install would do to their files.
    pub async fn start_host_plan(
        &self,
        context: &Context,
        call: &Call,
        input: CreateDeploymentInput,
        only: Option<&[String]>,
    ) -> Answer<StartHostPlanOutput> {
        let preview = self.preview_deployment(context, call, &input).await?;
        let names = (input.application_name.clone(), input.deployment_group_name.clone());
        let (application, group) = self.group(call, names.0, names.1).await?;
        let options = Options::of(&input, &group_settings(&group)?);
        let question = Question {
            application_id: application.id.to_string(),
            application_name: application.name.to_string(),
            group_id: group.id.to_string(),
            group_name: group.name.to_string(),
            file_exists_behavior: options.file_exists_behavior().to_owned(),
            revision: location::show(&preview.revision),
        };
        let number: u64 = rand::random();
        let plan = NewHostPlan {
            id: format!("hp-{number:016x}"),
            region: call.scope.region.clone(),
            application: application.name.to_string(),
            group: group.name.to_string(),
            created: call.now,
            expires: call.now + PATIENCE,
            question: write(&question)?,
            hosts: self.asked_hosts(&preview, only).await?,
        };
        if !self.store.add_host_plan(&plan, PLANS_MAX).await? {
            let message = format!(
                "{PLANS_MAX} plans of this region still wait for answers of hosts: try again when those have come"
            );
            return Err(ServiceError::new(ErrorCode::Throttling, message).into());
        }
        Ok(StartHostPlanOutput {
            host_plan_id: Some(plan.id),
            expire_time: Some(time(plan.expires)),
        })
    }

    async fn asked_hosts(
        &self,
        preview: &Preview,
        only: Option<&[String]>,
    ) -> Answer<Vec<AskedHost>> {
        let all = || preview.forecast.targets.iter();
        let targets: Vec<&Target> = match only {
            None => all().collect(),
            Some(ids) => {
                let found = |id: &String| all().find(|target| target.id.as_str() == id);
                ids.iter()
                    .map(|id| found(id).ok_or_else(|| no_target(id)))
                    .collect::<Result<_, _>>()?
            }
        };
        let identifiers: Vec<String> =
            targets.iter().map(|target| target.host_identifier.clone()).collect();
        let heard = self.store.hosts(&identifiers).await?;
        let asked = targets.iter().map(|target| AskedHost {
            target: target.id.clone(),
            identifier: target.host_identifier.clone(),
            unasked: why_unasked(heard.get(&target.host_identifier)),
        });
        Ok(asked.collect())
    }

    /// What the hosts of a plan answered; with a target, about its files too.
    pub async fn get_host_plan(
        &self,
        call: &Call,
        input: GetHostPlanInput,
    ) -> Answer<GetHostPlanOutput> {
        let id = input.host_plan_id.unwrap_or_default();
        let plan = self.store.host_plan(&id).await?;
        let plan = plan.filter(|plan| plan.region == call.scope.region);
        let Some(plan) = plan else {
            let shown: String = id.chars().take(64).collect();
            let message = format!("There is no plan '{shown}', or it is forgotten");
            return Err(Failure::refused(ErrorCode::HostPlanDoesNotExist, message));
        };
        let list = format!("GetHostPlan {id} {:?}", input.target_id);
        let place = self.tokens.open(&list, input.next_token.as_deref())?;
        let from = place.and_then(|place| place.parse().ok()).unwrap_or_default();
        let (mut output, next) = match input.target_id {
            Some(target) => self.host_of_plan(call, &plan, &target, from).await?,
            None => self.hosts_of_plan(call, &plan, from).await?,
        };
        output.next_token = self.tokens.next(&list, next.map(|place| place.to_string()));
        Ok(output)
    }

    /// Hosts from a position on, and where the next ones begin.
    async fn hosts_of_plan(
        &self,
        call: &Call,
        plan: &HostPlan,
        from: u64,
    ) -> Answer<(GetHostPlanOutput, Option<u64>)> {
        let (mut answers, missing) = self.store.host_plan_answers(&plan.id, from, PAGE + 1).await?;
        let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let next = answers.get(most).map(|answer| answer.position);
        answers.truncate(most);
        let is_open = call.now < plan.expires;
        let hosts = answers.iter().map(|answer| show(answer, is_open));
        let output = GetHostPlanOutput {
            hosts: Some(hosts.collect::<Answer<_>>()?),
            ended: Some(!is_open || missing == 0),
            ..GetHostPlanOutput::default()
        };
        Ok((output, next))
    }

    /// One host with its files from a position on, and where the next ones begin.
    async fn host_of_plan(
        &self,
        call: &Call,
        plan: &HostPlan,
        target: &str,
        from: u64,
    ) -> Answer<(GetHostPlanOutput, Option<u64>)> {
        let found = self.store.host_plan_answer(&plan.id, &TargetId::new(target)).await?;
        let Some((answer, files)) = found else { return Err(no_target(target)) };
        let is_open = call.now < plan.expires;
        let ended =
            !is_open || matches!(answer.state, AnswerState::Unasked(_) | AnswerState::Answered(_));
        let files: Vec<FileEffect> = files.as_deref().map_or(Ok(Vec::new()), read)?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let next = from.saturating_add(FILES);
        let next = (files.len() > next).then_some(next as u64);
        let files = files.into_iter().skip(from).take(FILES).map(|file| HostPlanFile {
            path: Some(file.path),
            effect: Some(file.effect.name().to_owned()),
        });
        let output = GetHostPlanOutput {
            hosts: Some(vec![show(&answer, is_open)?]),
            files: Some(files.collect()),
            ended: Some(ended),
            next_token: None,
        };
        Ok((output, next))
    }
}

fn no_target(id: &str) -> Failure {
    let shown: String = id.chars().take(100).collect();
    let message = format!("The plan has no target '{shown}'");
    Failure::refused(ErrorCode::DeploymentTargetDoesNotExist, message)
}

/// Why a host cannot be asked, going by when and as what its agent was heard; none: it can.
fn why_unasked(heard: Option<&Host>) -> Option<String> {
    let Some(heard) = heard else { return Some("its agent was never heard".to_owned()) };
    match heard.agent_version.as_deref() {
        Some(name) if name.starts_with(AGENT) => None,
        Some(name) => Some(format!("its agent is {name}; only longshore-agent can tell")),
        None => Some("its agent does not say what it is; only longshore-agent can tell".to_owned()),
    }
}

fn show(answer: &HostPlanAnswer, is_open: bool) -> Answer<Shown> {
    let unknown = |message: &str| ("Unknown", Some(message.to_owned()), None);
    let (status, message, summary) = match &answer.state {
        AnswerState::Answered(text) => {
            let summary: Summary = read(text)?;
            (summary.outcome.name(), summary.message.clone(), Some(summary))
        }
        AnswerState::Unasked(why) => unknown(why),
        AnswerState::Waiting | AnswerState::Asked if is_open => ("Waiting", None, None),
        AnswerState::Waiting => {
            unknown("its agent did not ask for work in time: it is silent, or too old to tell")
        }
        AnswerState::Asked => unknown("its agent was asked and did not answer in time"),
    };
    // Counts of what was not found out would be guesses.
    let summary = summary.filter(|summary| summary.outcome != Outcome::Unknown);
    let count = |of: fn(&Summary) -> i64| summary.as_ref().map(of);
    Ok(Shown {
        target_id: Some(answer.target.to_string()),
        status: Some(status.to_owned()),
        message,
        conflict_count: count(|summary| summary.conflict),
        remove_count: count(|summary| summary.remove),
        change_count: count(|summary| summary.change),
        add_count: count(|summary| summary.add),
        keep_count: count(|summary| summary.keep),
        unchanged_count: count(|summary| summary.unchanged),
    })
}

pub(crate) fn write(what: &impl Serialize) -> Answer<String> {
    serde_json::to_string(what)
        .map_err(|error| Failure::internal("a host's plan cannot be written", error))
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Answer<T> {
    serde_json::from_str(text)
        .map_err(|error| Failure::internal("a host's plan cannot be read", error))
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    #[test]
    fn only_hosts_are_asked_whose_agents_can_tell() {
        let heard = |name: Option<&str>| Host {
            identifier: "h".into(),
            last_seen: Timestamp::from_millis(0),
            agent_version: name.map(str::to_owned),
        };
        let why = |name| why_unasked(Some(&heard(name)));
        assert_eq!(why(Some("longshore_0.1.0")), None);
        let official = why(Some("OFFICIAL_1.8.1-1_deb")).unwrap();
        assert!(official.contains("OFFICIAL_1.8.1-1_deb"), "{official}");
        assert!(why(None).is_some());
        assert_eq!(why_unasked(None).as_deref(), Some("its agent was never heard"));
    }

    #[test]
    fn whoever_does_not_answer_is_not_waited_for_for_ever() {
        let shown = |state: AnswerState, is_open| {
            let answer = HostPlanAnswer { position: 0, target: TargetId::new("h"), state };
            let shown = show(&answer, is_open).unwrap();
            (shown.status.unwrap(), shown.message.unwrap_or_default(), shown.add_count)
        };
        assert_eq!(shown(AnswerState::Asked, true).0, "Waiting");
        let (status, message, _) = shown(AnswerState::Asked, false);
        assert!(status == "Unknown" && message.contains("in time"), "{message}");
        assert!(shown(AnswerState::Waiting, false).1.contains("silent"));
        let answered = |text: &str| shown(AnswerState::Answered(text.to_owned()), true);
        let (status, _, added) = answered(r#"{"outcome":"Succeeds","add":3}"#);
        assert_eq!((status.as_str(), added), ("Succeeds", Some(3)));
        let (status, message, added) = answered(r#"{"outcome":"Unknown","message":"busy"}"#);
        assert_eq!((status.as_str(), message.as_str(), added), ("Unknown", "busy", None));
    }
}
