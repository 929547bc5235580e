//! Registering and deregistering on-premises instances, and their tags.

use std::collections::BTreeMap;

use serde_json::json;
use wire::codedeploy::{
    AddTagsToOnPremisesInstancesInput, DeregisterOnPremisesInstanceInput,
    GetOnPremisesInstanceInput, Operation, RegisterOnPremisesInstanceInput,
    RemoveTagsFromOnPremisesInstancesInput, Tag,
};

use crate::http::body::Response;

use super::super::super::frame::{Frame, Section};
use super::super::super::problem::Problem;
use super::super::super::show;
use super::super::super::visit::Visit;
use super::{Filled, Form, ask_to_remove, read_tags, some};

const ALL: &str = "/-/console/instances";
const TAGS_HINT: &str = "One a line: key=value. At most 10.";

fn place(name: &str) -> String {
    format!("{ALL}?find={}", show::encoded(name))
}

pub fn made(visit: &Visit<'_>) -> Form {
    let filled = Filled::of(visit, Vec::new());
    let frame = Frame::of(visit, Section::Instances, "Register an instance");
    let fields = vec![
        filled.text("name", "Name", "1 to 100 characters: what deployments call the host."),
        filled.text(
            "arn",
            "ARN of its IAM user or session",
            "Its agent signs with the keys of arn:aws:iam::…:user/… or arn:aws:sts::…:assumed-role/…",
        ),
        filled.lines("tags", "Tags", TAGS_HINT),
    ];
    let form =
        Form::new(frame.under("Instances", ALL), fields, "Register instance", ALL.to_owned());
    Form {
        lead: "A host of your own, on which an agent runs. Deployment groups select it by its tags.",
        ..form
    }
}

pub async fn make(visit: &Visit<'_>) -> Result<String, Problem> {
    let form = &visit.request.form;
    let (name, arn) = (form.text("name"), form.text("arn"));
    let is_session = arn.starts_with("arn:aws:sts:");
    let input = RegisterOnPremisesInstanceInput {
        instance_name: some(&name),
        iam_session_arn: Some(arn.clone()).filter(|_| is_session),
        iam_user_arn: Some(arn).filter(|arn| !is_session && !arn.is_empty()),
    };
    visit.ask(&input).await?;
    let tags = read_tags(form.get("tags").unwrap_or_default());
    if !tags.is_empty() {
        let instance_names = Some(vec![name.clone()]);
        let input = AddTagsToOnPremisesInstancesInput { tags: Some(tags), instance_names };
        // It is registered, and only its tags are still to be mended.
        if let Err(Problem::Refused(refused)) = visit.ask(&input).await.map(|_| ()) {
            let message =
                format!("{name} is registered, but without its tags: {}", refused.message);
            return Err(Problem::Refused(wire::ServiceError::new(refused.code, message)));
        }
    }
    Ok(place(&name))
}

/// The tags of a registered instance, if the visitor may see them.
async fn tags_of(visit: &Visit<'_>, name: &str) -> Result<BTreeMap<String, String>, Problem> {
    visit.may(Operation::GetOnPremisesInstance, json!({"instanceName": name})).await?;
    let input = GetOnPremisesInstanceInput { instance_name: some(name) };
    let found = visit.ask(&input).await?.instance_info.unwrap_or_default();
    let tags = found.tags.unwrap_or_default().into_iter();
    Ok(tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect())
}

pub async fn tagged(visit: &Visit<'_>, name: &str) -> Result<Form, Problem> {
    let tags = tags_of(visit, name).await?;
    let written: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let filled = Filled::of(visit, vec![("tags", written.join("\n"))]);
    let frame = Frame::of(visit, Section::Instances, format!("Tags of {name}"));
    let fields = vec![filled.lines("tags", "Tags", TAGS_HINT)];
    let form = Form::new(frame.under("Instances", ALL), fields, "Save tags", place(name));
    Ok(Form {
        lead: "Deployment groups select the host by them. Running deployments keep the hosts that they began with.",
        ..form
    })
}

/// Adds the tags that are new or have another value, and removes those that are gone.
pub async fn tag(visit: &Visit<'_>, name: &str) -> Result<String, Problem> {
    let before = tags_of(visit, name).await?;
    let after = read_tags(visit.request.form.get("tags").unwrap_or_default());
    let (gone, new) = differences(&before, &after);
    // First what goes: there may be no room for what comes.
    if !gone.is_empty() {
        let instance_names = Some(vec![name.to_owned()]);
        let input = RemoveTagsFromOnPremisesInstancesInput { tags: Some(gone), instance_names };
        visit.ask(&input).await?;
    }
    if !new.is_empty() {
        let instance_names = Some(vec![name.to_owned()]);
        visit.ask(&AddTagsToOnPremisesInstancesInput { tags: Some(new), instance_names }).await?;
    }
    Ok(place(name))
}

/// Tags whose keys are gone, and tags that are new or have another value.
fn differences(before: &BTreeMap<String, String>, after: &[Tag]) -> (Vec<Tag>, Vec<Tag>) {
    let kept = |key: &String| after.iter().any(|tag| tag.key.as_ref() == Some(key));
    let gone = before.iter().filter(|(key, _)| !kept(key));
    let gone = gone.map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) });
    let is_new =
        |tag: &&Tag| tag.key.as_ref().and_then(|key| before.get(key)) != tag.value.as_ref();
    (gone.collect(), after.iter().filter(is_new).cloned().collect())
}

pub fn ask(visit: &Visit<'_>, name: &str) -> Result<Response, Problem> {
    ask_to_remove(
        visit,
        Section::Instances,
        format!("Deregister {name}?"),
        "Nothing is deployed to it any more, and its agent is refused. What is installed on it stays there. The name \
         cannot be registered for another host while it is remembered.",
        "Deregister instance",
        place(name),
    )
}

pub async fn deregister(visit: &Visit<'_>, name: &str) -> Result<String, Problem> {
    visit.ask(&DeregisterOnPremisesInstanceInput { instance_name: some(name) }).await?;
    Ok(ALL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tags_that_differ_are_sent() {
        let before = [("role", "web"), ("zone", "a"), ("old", "1")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let after = read_tags("role=web\nzone=b\nnew=2");
        let (gone, new) = differences(&BTreeMap::from(before), &after);
        let keys = |tags: &[Tag]| -> Vec<String> {
            tags.iter().map(|tag| tag.key.clone().unwrap()).collect()
        };
        assert_eq!(
            (keys(&gone), keys(&new)),
            (vec!["old".to_owned()], vec!["zone".into(), "new".into()])
        );
    }
}
