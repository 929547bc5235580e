//! What a host must know of a deployment, in the form that agents read.

use model::arn::Scope;
use model::{Creator, DeploymentId, Revision};
use serde_json::{Value, json};
use store::DeploymentRecord;

use crate::app::host_plans::Question;
use crate::app::{Answer, Options, preview};

/// The content of a specification, to be signed; with the token for a private repository, if there is one.
pub fn write(
    record: &DeploymentRecord,
    account: &str,
    git_hub_token: Option<&str>,
) -> Answer<Vec<u8>> {
    let options = Options::read(record)?;
    let scope = Scope { account: account.to_owned(), region: record.region.clone() };
    let mut specification = content(&Subject {
        deployment: &record.state.id,
        creator: record.state.creator,
        group_id: record.group_id.as_str(),
        group_name: record.group_name.as_str(),
        application_name: record.application_name.as_str(),
        file_exists_behavior: options.file_exists_behavior(),
        revision: &record.revision,
        scope: &scope,
        git_hub_token,
    });
    // An agent that does not know this member downloads the bundle as usual.
    if let Some(deployment) = options.restart_of.or(options.reuses_bundle_of) {
        specification["ReuseArchiveFromDeploymentId"] = json!(deployment);
    }
    Ok(specification.to_string().into_bytes())
}

/// The same of a deployment that may be made.
pub fn of_plan(
    question: &Question,
    revision: &Revision,
    scope: &Scope,
    git_hub_token: Option<&str>,
) -> Value {
    content(&Subject {
        deployment: &preview::planned_id(),
        creator: Creator::User,
        group_id: &question.group_id,
        group_name: &question.group_name,
        application_name: &question.application_name,
        file_exists_behavior: &question.file_exists_behavior,
        revision,
        scope,
        git_hub_token,
    })
}

/// A deployment as far as hosts are told of it.
struct Subject<'a> {
    deployment: &'a DeploymentId,
    creator: Creator,
    group_id: &'a str,
    group_name: &'a str,
    application_name: &'a str,
    file_exists_behavior: &'a str,
    revision: &'a Revision,
    scope: &'a Scope,
    git_hub_token: Option<&'a str>,
}

/// `AllPossibleLifecycleEvents` is left out on purpose: with it, the official agent fails every Install of a bundle
/// that has hooks it does not list. Source: the official agent's behaviour.
fn content(subject: &Subject<'_>) -> Value {
    let mut specification = json!({
        "DeploymentId": subject.scope.deployment(subject.deployment),
        "DeploymentGroupId": subject.group_id,
        "DeploymentGroupName": subject.group_name,
        "ApplicationName": subject.application_name,
        "DeploymentCreator": subject.creator.name(),
        "DeploymentType": "IN_PLACE",
        "AppSpecFilename": "appspec.yml",
        "AgentActionOverrides": {
            "AgentOverrides": { "FileExistsBehavior": subject.file_exists_behavior }
        },
        "Revision": revision(subject.revision),
    });
    if let Some(token) = subject.git_hub_token {
        specification["GitHubAccessToken"] = json!(token);
    }
    specification
}

fn revision(revision: &Revision) -> Value {
    match revision {
        Revision::S3 { bucket, key, bundle_type, version, .. } => {
            let mut location =
                json!({ "Bucket": bucket, "Key": key, "BundleType": bundle_type.name() });
            if let Some(version) = version {
                location["Version"] = json!(version);
            }
            if let Some(etag) = revision.bare_etag() {
                location["ETag"] = json!(etag);
            }
            json!({ "RevisionType": "S3", "S3Revision": location })
        }
        Revision::GitHub { repository, commit_id } => {
            let (account, name) = repository.split_once('/').unwrap_or((repository, ""));
            let location = json!({ "Account": account, "Repository": name, "CommitId": commit_id });
            json!({ "RevisionType": "GitHub", "GitHubRevision": location })
        }
    }
}

#[cfg(test)]
mod tests {
    use model::BundleType;

    use super::*;

    #[test]
    fn revisions_have_the_members_that_agents_read() {
        let s3 = Revision::S3 {
            bucket: "b".into(),
            key: "k".into(),
            bundle_type: BundleType::Zip,
            version: None,
            etag: Some("\"e\"".into()),
        };
        assert_eq!(
            revision(&s3),
            json!({"RevisionType": "S3", "S3Revision": {"Bucket": "b", "Key": "k", "BundleType": "zip", "ETag": "e"}})
        );
        let github = Revision::GitHub { repository: "acme/shop".into(), commit_id: "0".repeat(40) };
        assert_eq!(revision(&github)["GitHubRevision"]["Account"], "acme");
        assert_eq!(revision(&github)["GitHubRevision"]["Repository"], "shop");
    }
}
