//! Revision locations: between the wire's form and the model's.

use model::{BundleType, Revision};
use wire::codedeploy::{GitHubLocation, RevisionLocation, S3Location};
use wire::{ErrorCode, ServiceError};

/// Takes a location for a revision that servers can deploy.
///
/// Exactly the member named by `revisionType` must be there, whole, and of a kind that servers have: the other kinds
/// are for Lambda and ECS. Source: CodeDeploy API reference, `RevisionLocation`.
pub fn parse(location: &RevisionLocation) -> Result<Revision, ServiceError> {
    let kind = location.revision_type.as_deref().unwrap_or_default();
    let given = given(location);
    if given != [kind] {
        return Err(invalid(format!(
            "The revision has the revisionType '{kind}' and the locations [{}]; exactly the location that the type \
             names must be given",
            given.join(", ")
        )));
    }
    match (kind, &location.s3_location, &location.git_hub_location) {
        ("S3", Some(s3), _) => parse_s3(s3),
        ("GitHub", _, Some(github)) => parse_github(github),
        _ => Err(invalid(format!(
            "Revisions of the type '{kind}' cannot be deployed to servers; use S3 or GitHub"
        ))),
    }
}

/// The types whose location is there.
fn given(location: &RevisionLocation) -> Vec<&'static str> {
    let all = [
        ("S3", location.s3_location.is_some()),
        ("GitHub", location.git_hub_location.is_some()),
        ("String", location.string.is_some()),
        ("AppSpecContent", location.app_spec_content.is_some()),
    ];
    all.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
}

fn parse_s3(s3: &S3Location) -> Result<Revision, ServiceError> {
    let text = |member: &'static str, value: &Option<String>| {
        let value = value.clone().filter(|value| !value.is_empty());
        value.ok_or_else(|| invalid(format!("The s3Location of the revision has no {member}")))
    };
    let bucket = text("bucket", &s3.bucket)?;
    let key = text("key", &s3.key)?;
    let name = text("bundleType", &s3.bundle_type)?;
    let bundle_type = BundleType::from_name(&name).ok_or_else(|| {
        invalid(format!(
            "The bundleType '{name}' cannot be deployed to servers; use tar, tgz or zip"
        ))
    })?;
    let filled = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    Ok(Revision::S3 {
        bucket,
        key,
        bundle_type,
        version: filled(&s3.version),
        etag: filled(&s3.e_tag),
    })
}

fn parse_github(github: &GitHubLocation) -> Result<Revision, ServiceError> {
    let repository = github.repository.clone().unwrap_or_default();
    let commit_id = github.commit_id.clone().unwrap_or_default();
    let parts: Vec<&str> = repository.split('/').collect();
    if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
        return Err(invalid(format!(
            "The GitHub repository '{repository}' is not of the form account/repository"
        )));
    }
    let is_sha1 = commit_id.len() == 40 && commit_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_sha1 {
        return Err(invalid(format!(
            "The GitHub commitId '{commit_id}' is not a full commit id of 40 hexadecimal digits"
        )));
    }
    Ok(Revision::GitHub { repository, commit_id })
}

fn invalid(message: String) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidRevision, message)
}

/// The location as answers show it, with the eTag as it was given.
pub fn show(revision: &Revision) -> RevisionLocation {
    match revision {
        Revision::S3 { bucket, key, bundle_type, version, etag } => RevisionLocation {
            revision_type: Some("S3".to_owned()),
            s3_location: Some(S3Location {
                bucket: Some(bucket.clone()),
                key: Some(key.clone()),
                bundle_type: Some(bundle_type.name().to_owned()),
                version: version.clone(),
                e_tag: etag.clone(),
            }),
            ..RevisionLocation::default()
        },
        Revision::GitHub { repository, commit_id } => RevisionLocation {
            revision_type: Some("GitHub".to_owned()),
            git_hub_location: Some(GitHubLocation {
                repository: Some(repository.clone()),
                commit_id: Some(commit_id.clone()),
            }),
            ..RevisionLocation::default()
        },
    }
}

/// The same in the shape of longshore's own service, which is that of CodeDeploy.
pub fn show_own(revision: &Revision) -> Option<wire::longshore::RevisionLocation> {
    let shown = serde_json::to_value(show(revision)).ok()?;
    serde_json::from_value(shown).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(location: serde_json::Value, expected: Result<&str, &str>) {
        let location: RevisionLocation = serde_json::from_value(location).unwrap();
        match (parse(&location), expected) {
            (Ok(revision), Ok(text)) => {
                assert_eq!(revision.to_string(), text);
                assert_eq!(show(&revision), location);
            }
            (Err(error), Err(part)) => {
                assert_eq!(error.code, ErrorCode::InvalidRevision);
                assert!(error.message.contains(part), "{error}");
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn exactly_the_named_location_is_taken() {
        let s3 = json!({"bucket": "b", "key": "k", "bundleType": "zip", "eTag": "\"e\""});
        check(json!({"revisionType": "S3", "s3Location": s3}), Ok("s3://b/k"));
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let github = json!({"repository": "a/r", "commitId": sha});
        check(
            json!({"revisionType": "GitHub", "gitHubLocation": github}),
            Ok("github.com/a/r@0123456789abcdef0123456789abcdef01234567"),
        );
        check(json!({"revisionType": "S3", "gitHubLocation": github}), Err("exactly the location"));
        check(
            json!({"revisionType": "S3", "s3Location": s3, "gitHubLocation": github}),
            Err("[S3, GitHub]"),
        );
        check(json!({"s3Location": s3}), Err("exactly the location"));
    }

    #[test]
    fn what_servers_cannot_deploy_is_refused() {
        let s3 = |bundle: &str| json!({"bucket": "b", "key": "k", "bundleType": bundle});
        check(json!({"revisionType": "S3", "s3Location": s3("YAML")}), Err("'YAML'"));
        check(json!({"revisionType": "S3", "s3Location": s3("rar")}), Err("'rar'"));
        check(
            json!({"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k"}}),
            Err("no bundleType"),
        );
        check(json!({"revisionType": "String", "string": {"content": "x"}}), Err("'String'"));
        let short = json!({"repository": "a/r", "commitId": "abc"});
        check(json!({"revisionType": "GitHub", "gitHubLocation": short}), Err("40 hexadecimal"));
        let flat = json!({"repository": "r", "commitId": "abc"});
        check(json!({"revisionType": "GitHub", "gitHubLocation": flat}), Err("account/repository"));
    }
}
