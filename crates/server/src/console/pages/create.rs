//! Making a deployment: a form, then the plan of what it would do, and only there the button.

use askama::Template;
use model::appspec::Hook;
use model::{LifecycleEvent, Revision};
use rollout::HealthClass;
use serde_json::json;
use wire::codedeploy::GitHubLocation;
use wire::codedeploy::{CreateDeploymentInput, Operation, RevisionLocation, S3Location};
use wire::{ErrorCode, ServiceError};

use crate::app::bundle::Inside;
use crate::app::{location, preview::Preview};
use crate::http::body::Response;

use super::super::frame::{self, Frame, Section};
use super::super::problem::Problem;
use super::super::request::Pairs;
use super::super::visit::Visit;
use super::super::{answer, show};
use super::{revisions, words};

#[derive(Template)]
#[template(path = "new_deployment.html")]
struct Form {
    frame: Frame,
    application: Option<String>,
    applications: Vec<Choice>,
    groups: Vec<Choice>,
    revisions: Vec<Choice>,
    configurations: Vec<Choice>,
    given: Given,
}

struct Choice {
    value: String,
    name: String,
    is_chosen: bool,
}

/// What was typed before, for a form that is shown again.
struct Given {
    description: String,
    other: bool,
}

/// Revisions offered; any other can be typed.
const REVISIONS_OFFERED: u32 = 12;

/// The form.
pub async fn form(visit: &Visit<'_>) -> Result<Response, Problem> {
    let query = &visit.request.query;
    visit.may(Operation::ListApplications, json!({})).await?;
    let page = visit.app().application_rows(visit.region(), None, 1000).await?;
    let wanted = query.get("application");
    let applications: Vec<Choice> =
        page.items.iter().map(|one| choice(one.name.as_str(), one.name.as_str(), wanted)).collect();
    let mut form = Form {
        frame: Frame::of(visit, Section::Deployments, "Create a deployment")
            .under("Deployments", "/-/console/deployments"),
        application: wanted.map(str::to_owned),
        applications,
        groups: Vec::new(),
        revisions: Vec::new(),
        configurations: Vec::new(),
        given: Given { description: query.text("description"), other: false },
    };
    if let Some(name) = wanted {
        visit.may(Operation::ListDeploymentGroups, json!({"applicationName": name})).await?;
        let application = visit.app().named_application(visit.call(), name).await?;
        let (group, other_than) = (query.get("group"), query.get("not-group"));
        let groups = visit.app().groups_of(&application.id).await?;
        let first = groups.iter().map(|one| one.name.as_str()).find(|one| Some(*one) != other_than);
        let group = group.or(first);
        form.groups =
            groups.iter().map(|one| choice(one.name.as_str(), one.name.as_str(), group)).collect();
        form.revisions = offered(visit, &application.id, query.get("revision")).await?;
        form.given.other = form.revisions.is_empty();
        let names = visit.app().config_names(visit.call()).await?;
        form.configurations = names.iter().map(|name| choice(name, name, None)).collect();
    }
    answer::page(&form)
}

async fn offered(
    visit: &Visit<'_>,
    application: &model::ApplicationId,
    wanted: Option<&str>,
) -> Result<Vec<Choice>, Problem> {
    let newest = revisions::newest();
    let page = visit.app().revision_rows(application, &newest, None, REVISIONS_OFFERED).await?;
    let mut known: Vec<Revision> = page.items.into_iter().map(|record| record.revision).collect();
    if let Some(wanted) = wanted.and_then(|text| read(text).ok())
        && !known.contains(&wanted)
    {
        known.insert(0, wanted);
    }
    let chosen = wanted.map(str::to_owned).or_else(|| known.first().map(written));
    let choices =
        known.iter().map(|one| choice(&written(one), &show::revision(one), chosen.as_deref()));
    Ok(choices.collect())
}

fn choice(value: &str, name: &str, chosen: Option<&str>) -> Choice {
    Choice { value: value.to_owned(), name: name.to_owned(), is_chosen: chosen == Some(value) }
}

#[derive(Template)]
#[template(path = "plan.html")]
struct Plan {
    frame: Frame,
    application: String,
    group: String,
    revision: String,
    configuration: String,
    minimum: String,
    hosts: Vec<PlannedHost>,
    more_hosts: usize,
    all: usize,
    summary: String,
    waits: Option<String>,
    notes: Vec<String>,
    refusals: Vec<String>,
    host_refusals: Vec<String>,
    hooks: Vec<PlannedHook>,
    unread: Option<String>,
    fields: Vec<(String, String)>,
    change_place: String,
}

/// A host that would be deployed to.
struct PlannedHost {
    number: usize,
    name: String,
    why: &'static str,
}

/// A script that each host would run.
struct PlannedHook {
    event: &'static str,
    script: String,
    user: String,
    timeout: String,
}

/// Hosts listed one by one.
const HOSTS_SHOWN: usize = 100;

/// What a deployment would do.
pub async fn plan(visit: &Visit<'_>) -> Result<Response, Problem> {
    let query = &visit.request.query;
    let input = input(query)?;
    let named = json!({
        "applicationName": input.application_name,
        "deploymentGroupName": input.deployment_group_name,
    });
    visit.may(Operation::GetDeploymentGroup, named).await?;
    let preview = visit.app().preview_deployment(&visit.context(), visit.call(), &input).await?;
    let hosts = preview.forecast.targets.iter().take(HOSTS_SHOWN).zip(1..);
    let hosts = hosts.map(|(host, number)| PlannedHost {
        number,
        name: host.id.to_string(),
        why: preview.host(&host.id).map_or("", |known| reason(known.health)),
    });
    let hosts: Vec<PlannedHost> = hosts.collect();
    let all = preview.forecast.targets.len();
    let fields: Vec<(String, String)> =
        query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let change: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", show::encoded(value))).collect();
    let page = Plan {
        frame: Frame::of(visit, Section::Deployments, "Plan of a deployment")
            .under("Deployments", "/-/console/deployments"),
        application: preview.application.to_string(),
        group: preview.group.to_string(),
        revision: preview.revision.to_string(),
        configuration: preview.configuration.to_string(),
        minimum: words::minimum(preview.minimum_healthy),
        hosts,
        more_hosts: all.saturating_sub(HOSTS_SHOWN),
        all,
        summary: summary(&preview),
        waits: preview.forecast.waits.as_ref().map(ToString::to_string),
        notes: preview.forecast.messages.iter().map(ToString::to_string).collect(),
        host_refusals: preview.host_refusals().to_vec(),
        hooks: hooks(&preview.bundle.inside),
        unread: unread(&preview.bundle.inside),
        refusals: preview.refusals,
        fields,
        change_place: format!("/-/console/deployments/new?{}", change.join("&")),
    };
    answer::page(&page)
}

fn hooks(inside: &Inside) -> Vec<PlannedHook> {
    let Inside::Read { hooks, .. } = inside else { return Vec::new() };
    let of = |event: &LifecycleEvent, hook: &Hook| PlannedHook {
        event: event.name(),
        script: hook.location.clone(),
        user: hook.runas.clone().unwrap_or_else(|| "the agent's user".to_owned()),
        timeout: show::Lasted(hook.timeout).to_string(),
    };
    hooks.iter().flat_map(|(event, hooks)| hooks.iter().map(move |hook| of(event, hook))).collect()
}

fn unread(inside: &Inside) -> Option<String> {
    match inside {
        Inside::Unread(why) => Some(why.clone()),
        Inside::Read { .. } | Inside::Refused(_) => None,
    }
}

fn summary(preview: &Preview) -> String {
    let all = preview.forecast.targets.len();
    let at_once = (preview.forecast.at_once as usize).min(all);
    let staying = match all - at_once {
        0 => "none stays".to_owned(),
        1 => "1 stays".to_owned(),
        number => format!("{number} stay"),
    };
    let hosts = show::counted(all, "host", "hosts");
    format!(
        "{hosts} would be deployed to, at most {at_once} at a time; {staying} in service throughout."
    )
}

/// Why a host has its place in the order.
fn reason(health: HealthClass) -> &'static str {
    match health {
        HealthClass::Unhealthy => "nothing healthy is on it",
        HealthClass::RevisionUnknown => "what it has is not known",
        HealthClass::RevisionOld => "has an earlier revision",
        HealthClass::RevisionCurrent => "has the last successful revision",
    }
}

/// Sends the browser to the plan of deploying a revision to a group.
pub fn plan_of(application: &str, group: &str, revision: &Revision) -> Response {
    answer::see_other(&format!(
        "/-/console/deployments/plan?application={}&group={}&revision={}",
        show::encoded(application),
        show::encoded(group),
        show::encoded(written(revision))
    ))
}

/// Makes the deployment.
pub async fn submit(visit: &Visit<'_>) -> Result<Response, Problem> {
    let made = visit.ask(&input(&visit.request.form)?).await?;
    let id = made.deployment_id.unwrap_or_default();
    Ok(answer::see_other(&frame::deployment_place(id)))
}

/// What the fields of the form ask for.
pub fn input(fields: &Pairs) -> Result<CreateDeploymentInput, Problem> {
    let owned = |name: &str| fields.get(name).map(str::to_owned);
    let ticked = |name: &str| fields.ticked(name).then_some(true);
    Ok(CreateDeploymentInput {
        application_name: owned("application"),
        deployment_group_name: owned("group"),
        revision: Some(revision(fields)?),
        deployment_config_name: owned("configuration"),
        description: owned("description"),
        ignore_application_stop_failures: ticked("ignore-application-stop-failures"),
        update_outdated_instances_only: ticked("outdated-only"),
        file_exists_behavior: owned("file-exists"),
        ..CreateDeploymentInput::default()
    })
}

/// The revision that was chosen, or typed.
fn revision(fields: &Pairs) -> Result<RevisionLocation, Problem> {
    if let Some(text) = fields.get("revision").filter(|text| *text != "other") {
        return Ok(location::show(&read(text)?));
    }
    let owned = |name: &str| fields.get(name).map(str::to_owned);
    if let Some(repository) = owned("repository") {
        let commit_id = owned("commit");
        return Ok(RevisionLocation {
            revision_type: Some("GitHub".to_owned()),
            git_hub_location: Some(GitHubLocation { repository: Some(repository), commit_id }),
            ..RevisionLocation::default()
        });
    }
    Ok(RevisionLocation {
        revision_type: Some("S3".to_owned()),
        s3_location: Some(S3Location {
            bucket: owned("bucket"),
            key: owned("key"),
            bundle_type: owned("bundle-type"),
            version: owned("version"),
            e_tag: owned("etag"),
        }),
        ..RevisionLocation::default()
    })
}

/// A revision as a field of a form: its location in the API's own words.
pub fn written(revision: &Revision) -> String {
    serde_json::to_string(&location::show(revision)).unwrap_or_default()
}

fn read(text: &str) -> Result<Revision, ServiceError> {
    let parsed = serde_json::from_str::<RevisionLocation>(text);
    let parsed =
        parsed.map_err(|error| ServiceError::new(ErrorCode::InvalidRevision, error.to_string()))?;
    location::parse(&parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_chosen_or_typed() {
        let of = |text: &str| revision(&Pairs::parse(text.as_bytes())).unwrap();
        let typed = of("revision=other&bucket=b&key=k&bundle-type=zip");
        let revision = location::parse(&typed).unwrap();
        assert_eq!(revision.to_string(), "s3://b/k");
        assert_eq!(of(&format!("revision={}", show::encoded(written(&revision)))), typed);
        assert_eq!(of("repository=a/b&commit=c").revision_type.as_deref(), Some("GitHub"));
    }
}
