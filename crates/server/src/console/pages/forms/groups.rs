//! Making, changing and deleting deployment groups.

use serde_json::json;
use wire::codedeploy::{
    Alarm, AlarmConfiguration, AutoRollbackConfiguration, CreateDeploymentGroupInput,
    DeleteDeploymentGroupInput, EC2TagFilter, Operation, TagFilter, UpdateDeploymentGroupInput,
};

use crate::app::{Settings, group_settings};
use crate::http::body::Response;

use super::super::super::frame::{Frame, Section, application_place, group_place};
use super::super::super::problem::Problem;
use super::super::super::request::Pairs;
use super::super::super::visit::Visit;
use super::{Field, Filled, Form, ask_to_remove, lines, some};

/// What a deployment is rolled back after, by the names of their fields.
const ROLLBACKS: [(&str, &str, &str); 3] = [
    ("on-failure", "DEPLOYMENT_FAILURE", "Roll back when a deployment fails"),
    ("on-alarm", "DEPLOYMENT_STOP_ON_ALARM", "Roll back when an alarm stops a deployment"),
    ("on-request", "DEPLOYMENT_STOP_ON_REQUEST", "Roll back when somebody stops a deployment"),
];

const FILTERS_HINT: &str = "One a line; a host with any of them belongs to the group: key=value, key for any value, =value for any \
                            key.";

pub async fn made(visit: &Visit<'_>) -> Result<Form, Problem> {
    let application = visit.request.query.text("application");
    visit.may(Operation::GetApplication, json!({"applicationName": application})).await?;
    let found = visit.app().named_application(visit.call(), &application).await?;
    let default = model::DeploymentConfigName::default_for_servers().to_string();
    let filled = Filled::of(visit, vec![("configuration", default)]);
    let place = application_place(&found.name);
    let frame = Frame::of(visit, Section::Applications, "Create a deployment group")
        .under("Applications", "/-/console/applications")
        .under(found.name.as_str(), place.clone());
    let fields = fields(visit, &filled, Tags::Filters).await?;
    Ok(Form::new(frame, fields, "Create group", place))
}

/// How a group selects its hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tags {
    Filters,
    /// By sets of filters, which no field here can hold: they are left as they are.
    Sets,
}

impl Tags {
    fn of(settings: &Settings) -> Self {
        match settings.ec2_tag_set.is_empty() && settings.on_premises_tag_set.is_empty() {
            true => Self::Filters,
            false => Self::Sets,
        }
    }
}

async fn fields(visit: &Visit<'_>, filled: &Filled<'_>, tags: Tags) -> Result<Vec<Field>, Problem> {
    let names = visit.app().config_names(visit.call()).await?;
    let configurations = names.into_iter().map(|name| (name.clone(), name)).collect();
    let mut fields = vec![
        filled.text("name", "Name", "1 to 100 characters."),
        filled.choice("configuration", "Deployment configuration", configurations),
        filled.text("role", "ARN of the service role", "As in AWS: arn:aws:iam::…:role/…"),
    ];
    if tags == Tags::Filters {
        fields.push(filled.lines("instances", "Tags of instances", FILTERS_HINT));
        fields.push(filled.lines("registered", "Tags of registered instances", FILTERS_HINT));
    }
    fields.extend(ROLLBACKS.map(|(name, _, label)| filled.tick(name, label)));
    fields.push(filled.lines(
        "alarms",
        "Alarms",
        "The names of those that stop a deployment, one a line.",
    ));
    fields.push(filled.tick("heeds-alarms", "These alarms are heeded"));
    Ok(fields)
}

pub async fn make(visit: &Visit<'_>) -> Result<String, Problem> {
    let form = &visit.request.form;
    let application = visit.request.query.text("application");
    let name = form.text("name");
    let input = CreateDeploymentGroupInput {
        application_name: some(&application),
        deployment_group_name: some(&name),
        deployment_config_name: form.get("configuration").map(str::to_owned),
        service_role_arn: some(&form.text("role")),
        ec2_tag_filters: Some(instance_filters(form)),
        on_premises_instance_tag_filters: Some(registered_filters(form)),
        auto_rollback_configuration: Some(rollback(form)),
        alarm_configuration: Some(alarms(form, None)),
        ..CreateDeploymentGroupInput::default()
    };
    visit.ask(&input).await?;
    Ok(group_place(application, name))
}

/// A group and what it is set to, if the visitor may see it.
async fn found(
    visit: &Visit<'_>,
    application: &str,
    group: &str,
) -> Result<(store::Group, Settings), Problem> {
    let named = json!({"applicationName": application, "deploymentGroupName": group});
    visit.may(Operation::GetDeploymentGroup, named).await?;
    let (_, group) = visit.app().named_group(visit.call(), application, group).await?;
    let settings = group_settings(&group)?;
    Ok((group, settings))
}

pub async fn changed(visit: &Visit<'_>, application: &str, name: &str) -> Result<Form, Problem> {
    let (group, settings) = found(visit, application, name).await?;
    let filled = Filled::of(visit, current(&group, &settings));
    let place = group_place(application, name);
    let frame = Frame::of(visit, Section::Applications, format!("Edit {name}"))
        .under("Applications", "/-/console/applications")
        .under(application, application_place(application))
        .under(name, place.clone());
    let tags = Tags::of(&settings);
    let form = Form::new(frame, fields(visit, &filled, tags).await?, "Save group", place);
    let lead = match tags {
        Tags::Filters => "Running deployments go on as they began.",
        Tags::Sets => {
            "Running deployments go on as they began. The group selects its hosts by sets of tags, which are changed by the \
             API or the command line."
        }
    };
    Ok(Form { lead, ..form })
}

/// What the form's fields hold of a group as it is.
fn current(group: &store::Group, settings: &Settings) -> Vec<(&'static str, String)> {
    let joined = |lines: Vec<String>| lines.join("\n");
    let instances = settings.ec2_tag_filters.iter().map(|it| written(&it.key, &it.value)).collect();
    let registered =
        settings.on_premises_tag_filters.iter().map(|it| written(&it.key, &it.value)).collect();
    let alarms = settings.alarms.as_ref();
    let names = alarms.and_then(|alarms| alarms.alarms.as_ref()).into_iter().flatten();
    let heeded = alarms.and_then(|alarms| alarms.enabled) == Some(true);
    let rollback = settings.auto_rollback.as_ref().filter(|it| it.enabled == Some(true));
    let events = rollback.and_then(|it| it.events.as_ref());
    let ticked = |ticked: bool| if ticked { "yes".to_owned() } else { String::new() };
    let mut current = vec![
        ("name", group.name.to_string()),
        ("configuration", group.config_name.to_string()),
        ("role", settings.service_role_arn.clone()),
        ("instances", joined(instances)),
        ("registered", joined(registered)),
        ("alarms", joined(names.filter_map(|alarm| alarm.name.clone()).collect())),
        ("heeds-alarms", ticked(heeded)),
    ];
    current.extend(ROLLBACKS.map(|(name, event, _)| {
        (name, ticked(events.is_some_and(|events| events.iter().any(|it| it == event))))
    }));
    current
}

pub async fn change(visit: &Visit<'_>, application: &str, name: &str) -> Result<String, Problem> {
    let form = &visit.request.form;
    let (_, settings) = found(visit, application, name).await?;
    let has_filters = Tags::of(&settings) == Tags::Filters;
    let new = form.text("name");
    let input = UpdateDeploymentGroupInput {
        application_name: some(application),
        current_deployment_group_name: some(name),
        new_deployment_group_name: some(&new).filter(|new| new != name),
        deployment_config_name: form.get("configuration").map(str::to_owned),
        service_role_arn: some(&form.text("role")),
        ec2_tag_filters: has_filters.then(|| instance_filters(form)),
        on_premises_instance_tag_filters: has_filters.then(|| registered_filters(form)),
        auto_rollback_configuration: Some(rollback(form)),
        alarm_configuration: Some(alarms(form, settings.alarms.as_ref())),
        ..UpdateDeploymentGroupInput::default()
    };
    visit.ask(&input).await?;
    Ok(group_place(application, new))
}

pub fn ask(visit: &Visit<'_>, application: &str, name: &str) -> Result<Response, Problem> {
    ask_to_remove(
        visit,
        Section::Applications,
        format!("Delete the group {name} of {application}?"),
        "Deployments to it that are under way stop, and what it remembers of its hosts is forgotten. What is installed on \
         them stays there.",
        "Delete group",
        group_place(application, name),
    )
}

pub async fn delete(visit: &Visit<'_>, application: &str, name: &str) -> Result<String, Problem> {
    let input = DeleteDeploymentGroupInput {
        application_name: some(application),
        deployment_group_name: some(name),
    };
    visit.ask(&input).await?;
    Ok(application_place(application))
}

/// A filter as it is typed; [`filter`] reads it.
fn written(key: &Option<String>, value: &Option<String>) -> String {
    match (key, value) {
        (Some(key), None) => key.clone(),
        (key, value) => {
            format!(
                "{}={}",
                key.as_deref().unwrap_or_default(),
                value.as_deref().unwrap_or_default()
            )
        }
    }
}

/// Key, value and type of a filter that was typed.
fn filter(line: &str) -> (Option<String>, Option<String>, Option<String>) {
    match line.split_once('=') {
        None => (some(line), None, some("KEY_ONLY")),
        Some(("", value)) => (None, some(value.trim()), some("VALUE_ONLY")),
        Some((key, value)) => (some(key.trim()), some(value.trim()), some("KEY_AND_VALUE")),
    }
}

fn instance_filters(form: &Pairs) -> Vec<EC2TagFilter> {
    let filters = lines(form.get("instances").unwrap_or_default()).map(filter);
    filters.map(|(key, value, r#type)| EC2TagFilter { key, value, r#type }).collect()
}

fn registered_filters(form: &Pairs) -> Vec<TagFilter> {
    let filters = lines(form.get("registered").unwrap_or_default()).map(filter);
    filters.map(|(key, value, r#type)| TagFilter { key, value, r#type }).collect()
}

fn rollback(form: &Pairs) -> AutoRollbackConfiguration {
    let ticked = ROLLBACKS.iter().filter(|(name, ..)| form.ticked(name));
    let events: Vec<String> = ticked.map(|(_, event, _)| (*event).to_owned()).collect();
    AutoRollbackConfiguration { enabled: Some(!events.is_empty()), events: Some(events) }
}

/// The alarms that were typed; what the form has no field for stays as it was.
fn alarms(form: &Pairs, before: Option<&AlarmConfiguration>) -> AlarmConfiguration {
    let names = lines(form.get("alarms").unwrap_or_default());
    AlarmConfiguration {
        enabled: Some(form.ticked("heeds-alarms")),
        ignore_poll_alarm_failure: before.and_then(|before| before.ignore_poll_alarm_failure),
        alarms: Some(names.map(|name| Alarm { name: some(name) }).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_they_are_written() {
        for (line, kind) in [
            ("role=web", "KEY_AND_VALUE"),
            ("role", "KEY_ONLY"),
            ("=web", "VALUE_ONLY"),
            ("a=b=c", "KEY_AND_VALUE"),
        ] {
            let (key, value, r#type) = filter(line);
            assert_eq!((written(&key, &value).as_str(), r#type.as_deref()), (line, Some(kind)));
        }
    }
}
