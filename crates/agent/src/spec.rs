//! The deployment specification: what the control plane signed about the deployment that a command belongs to.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
pub use model::BundleType as ArchiveType;
use model::appspec::FileExistsBehavior;
use serde_json::Value;

use crate::layout::{UnsafeId, check_id};

/// A specification, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specification {
    /// The deployment's id, without the ARN around it; a plain name.
    pub deployment_id: String,
    /// The deployment group's id, the key of everything on the host; a plain name.
    pub deployment_group_id: String,
    /// For the hooks' environment.
    pub deployment_group_name: String,
    /// For the hooks' environment.
    pub application_name: String,
    /// Whether it is the rollback of a blue/green deployment, which takes its scripts from elsewhere.
    pub blue_green_rollback: bool,
    /// The AppSpec's path in the revision, as the control plane wants it; inside of the revision.
    pub appspec_filename: String,
    /// What to do with files that are there already, upper-cased; checked when a conflict is met.
    pub file_exists_behavior: String,
    /// The events that an AppSpec may name hooks for, if the control plane says so.
    pub possible_events: Option<Vec<String>>,
    /// The deployment of the same group whose bundle is this one's too, if it is still on the host.
    pub reuse_archive_from: Option<String>,
    /// Where the bundle is.
    pub revision: Revision,
}

/// Where a bundle is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    S3 {
        bucket: String,
        key: String,
        version: Option<String>,
        etag: Option<String>,
        bundle_type: ArchiveType,
    },
    GitHub {
        account: String,
        repository: String,
        commit: String,
        bundle_type: ArchiveType,
        token: Option<Token>,
    },
    LocalFile {
        location: Utf8PathBuf,
        bundle_type: ArchiveType,
    },
    LocalDirectory {
        location: Utf8PathBuf,
    },
}

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("REDACTED")
    }
}

/// Who may sign a specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The holder of this certificate (DER), pinned when the agent was installed.
    Pinned(Vec<u8>),
    /// Nobody is pinned: everything is refused.
    Unknown,
    /// Whoever's certificate is embedded, if the signature is right: what the official agent would do if it checked.
    Anybody,
}

/// What is wrong with a specification. The sentences are the official agent's.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The control plane answered for another system.
    #[error("Deployment System mismatch: CodeDeploy != {found}")]
    System { found: String },
    /// The answer holds no specification.
    #[error("Deployment Specification missing")]
    Missing,
    /// The specification holds no envelope.
    #[error("Provided deployment spec was nil")]
    NoEnvelope,
    /// The envelope is of a kind that is not accepted.
    #[error("Unsupported DeploymentSpecification format: {format}")]
    Format { format: String },
    /// The envelope's signature is not that of the control plane.
    #[error("the deployment specification is refused: {reason}")]
    Signature { reason: String },
    /// No signer is pinned.
    #[error(
        "the deployment specification is refused: no signer is pinned; set `signer_certificate_file` in codedeployagent.yml to the \
         control plane's certificate, or install the agent anew"
    )]
    NoSigner,
    /// The content is not JSON.
    #[error("the deployment specification cannot be parsed: {0}")]
    Json(serde_json::Error),
    /// A field that must be there is not.
    #[error("Deployment Spec has no {field}")]
    NoField { field: &'static str },
    /// There is no revision.
    #[error("Must specify a revison")]
    NoRevision,
    /// The revision has no type.
    #[error("Must specify a revision source")]
    NoRevisionType,
    /// The revision has an unknown type or lacks its members.
    #[error("Exactly one of S3Revision, GitHubRevision, or LocalRevision must be specified")]
    RevisionType,
    /// A revision lacks members.
    #[error("{what} in Deployment Spec must specify {members}")]
    RevisionMembers { what: &'static str, members: &'static str },
    /// A bundle is of a kind that is not known.
    #[error("BundleType in {what} must be {kinds}")]
    BundleType { what: &'static str, kinds: &'static str },
    /// An id cannot be a directory's name.
    #[error(transparent)]
    UnsafeId(#[from] UnsafeId),
    /// The AppSpec's name leads out of the revision.
    #[error("the AppSpec file name `{name}` leads out of the revision")]
    AppSpecName { name: String },
}

/// The specification in an answer of the service.
///
/// # Errors
/// The signature is not the pinned signer's, or a field is missing or wrong; see [`SpecError`].
pub fn open(
    answer: &wire::commands::GetDeploymentSpecificationOutput,
    signer: &Signer,
) -> Result<Specification, SpecError> {
    let system = answer.deployment_system.as_deref().unwrap_or_default();
    if system != "CodeDeploy" {
        return Err(SpecError::System { found: system.to_owned() });
    }
    let specification = answer.deployment_specification.as_ref().ok_or(SpecError::Missing)?;
    let envelope = specification.generic_envelope.as_ref().ok_or(SpecError::NoEnvelope)?;
    parse(&opened(envelope, signer)?)
}

/// The specification of a deployment that may be made. It is signed in a wrapper: neither can be taken for the other.
///
/// # Errors
/// As [`open`].
pub fn open_plan(
    plan: &wire::commands::HostPlanInstance,
    signer: &Signer,
) -> Result<Specification, SpecError> {
    let envelope = plan.generic_envelope.as_ref().ok_or(SpecError::NoEnvelope)?;
    let content: Value =
        serde_json::from_slice(&opened(envelope, signer)?).map_err(SpecError::Json)?;
    let inner = content.get("HostPlan").ok_or(SpecError::NoField { field: "HostPlan" })?;
    parse(inner.to_string().as_bytes())
}

/// What is in an envelope that the signer signed.
fn opened(envelope: &wire::commands::Envelope, signer: &Signer) -> Result<Vec<u8>, SpecError> {
    let format = envelope.format.as_deref().unwrap_or_default();
    if format != wire::commands::FORMAT_PKCS7_JSON {
        return Err(SpecError::Format { format: format.to_owned() });
    }
    verified(envelope.payload.as_deref().unwrap_or_default(), signer)
}

fn verified(payload: &str, signer: &Signer) -> Result<Vec<u8>, SpecError> {
    let refuse = |error: wire::cms::CmsError| SpecError::Signature { reason: chain(&error) };
    match signer {
        Signer::Pinned(certificate) => {
            let content = wire::cms::verify(payload, certificate).map_err(refuse)?;
            // By the service's clock where this host's is wrong.
            let now = crate::clock::service_seconds();
            wire::cms::check_validity(certificate, now).map_err(refuse)?;
            Ok(content)
        }
        Signer::Anybody => wire::cms::verify_embedded(payload).map_err(refuse),
        Signer::Unknown => Err(SpecError::NoSigner),
    }
}

/// An error with all its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors show their cause themselves.
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// Reads the JSON of a specification.
///
/// # Errors
/// A field is missing or wrong; see [`SpecError`].
pub fn parse(json: &[u8]) -> Result<Specification, SpecError> {
    let value: Value = serde_json::from_slice(json).map_err(SpecError::Json)?;
    let field = |name: &'static str| {
        text(&value, name).ok_or(SpecError::NoField { field: name }).map(str::to_owned)
    };
    let or = |name: &str, default: &str| text(&value, name).unwrap_or(default).to_owned();
    let deployment_id = bare_id(&field("DeploymentId")?).to_owned();
    let deployment_group_id = field("DeploymentGroupId")?;
    check_id("deployment id", &deployment_id)?;
    check_id("deployment group id", &deployment_group_id)?;
    let behavior = value["AgentActionOverrides"]["AgentOverrides"]["FileExistsBehavior"].as_str();
    let appspec_filename = or("AppSpecFilename", model::appspec::DEFAULT_NAMES[0]);
    let reuse_archive_from = text(&value, "ReuseArchiveFromDeploymentId").map(bare_id);
    if let Some(id) = reuse_archive_from {
        check_id("deployment id to reuse", id)?;
    }
    if !is_inside(&appspec_filename) {
        return Err(SpecError::AppSpecName { name: appspec_filename });
    }
    Ok(Specification {
        deployment_id,
        deployment_group_id,
        deployment_group_name: field("DeploymentGroupName")?,
        application_name: field("ApplicationName")?,
        blue_green_rollback: or("DeploymentCreator", "user") == "codeDeployRollback"
            && or("DeploymentType", "IN_PLACE") == "BLUE_GREEN",
        appspec_filename,
        file_exists_behavior: behavior
            .unwrap_or(FileExistsBehavior::default().name())
            .to_uppercase(),
        possible_events: value["AllPossibleLifecycleEvents"]
            .as_array()
            .map(|events| events.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        reuse_archive_from: reuse_archive_from.map(str::to_owned),
        revision: revision(&value)?,
    })
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str().filter(|text| !text.is_empty())
}

/// The id in an ARN: what follows the first slash of its resource.
fn bare_id(id: &str) -> &str {
    if !id.starts_with("arn:") {
        return id;
    }
    id.splitn(6, ':').nth(5).and_then(|resource| resource.split_once('/')).map_or(id, |(_, id)| id)
}

fn is_inside(path: &str) -> bool {
    let path = Utf8Path::new(path);
    !path.as_str().is_empty()
        && path
            .components()
            .all(|part| matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir))
}

fn revision(value: &Value) -> Result<Revision, SpecError> {
    let revision = value["Revision"].as_object().ok_or(SpecError::NoRevision)?;
    let kind =
        revision.get("RevisionType").and_then(Value::as_str).ok_or(SpecError::NoRevisionType)?;
    let part = |name: &str| {
        revision.get(name).filter(|part| part.is_object()).ok_or(SpecError::RevisionType)
    };
    match kind {
        "S3" => s3(part("S3Revision")?),
        "GitHub" => github(part("GitHubRevision")?, text(value, "GitHubAccessToken")),
        "Local File" | "Local Directory" => local(part("LocalRevision")?, kind),
        _ => Err(SpecError::RevisionType),
    }
}

fn s3(part: &Value) -> Result<Revision, SpecError> {
    let missing =
        || SpecError::RevisionMembers { what: "S3Revision", members: "Bucket, Key and BundleType" };
    let member = |name| text(part, name).map(str::to_owned).ok_or_else(missing);
    let bundle_type = ArchiveType::from_name(&member("BundleType")?)
        .ok_or(SpecError::BundleType { what: "S3Revision", kinds: "tar, tgz, tar.zst or zip" })?;
    Ok(Revision::S3 {
        bucket: member("Bucket")?,
        key: member("Key")?,
        version: text(part, "Version").map(str::to_owned),
        etag: text(part, "ETag").map(str::to_owned),
        bundle_type,
    })
}

fn github(part: &Value, token: Option<&str>) -> Result<Revision, SpecError> {
    let missing = || SpecError::RevisionMembers {
        what: "GitHubRevision",
        members: "Account, Repository and CommitId",
    };
    let member = |name| text(part, name).map(str::to_owned).ok_or_else(missing);
    let bundle_type = match text(part, "BundleType") {
        None => ArchiveType::Tar,
        Some(name) => ArchiveType::from_name(name)
            .filter(|kind| matches!(kind, ArchiveType::Tar | ArchiveType::Zip))
            .ok_or(SpecError::BundleType { what: "GitHubRevision", kinds: "tar or zip" })?,
    };
    Ok(Revision::GitHub {
        account: member("Account")?,
        repository: member("Repository")?,
        commit: member("CommitId")?,
        bundle_type,
        token: token.map(|token| Token(token.to_owned())),
    })
}

fn local(part: &Value, kind: &str) -> Result<Revision, SpecError> {
    let missing =
        || SpecError::RevisionMembers { what: "LocalRevision", members: "Location and BundleType" };
    let member = |name| text(part, name).map(str::to_owned).ok_or_else(missing);
    let location = Utf8PathBuf::from(member("Location")?);
    let name = member("BundleType")?;
    let unknown = SpecError::BundleType {
        what: "LocalRevision",
        kinds: "tar, tgz, tar.zst, zip, or directory",
    };
    match (kind, ArchiveType::from_name(&name)) {
        ("Local Directory", None) if name == "directory" => {
            Ok(Revision::LocalDirectory { location })
        }
        (_, Some(bundle_type)) => Ok(Revision::LocalFile { location, bundle_type }),
        _ => Err(unknown),
    }
}

impl Specification {
    /// A specification for tests and examples.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        parse(EXAMPLE.as_bytes()).expect("the example is complete")
    }
}

#[cfg(test)]
pub(crate) const EXAMPLE: &str = r#"{
 "DeploymentId":"arn:aws:codedeploy:us-east-1:123456789012:deployment/d-ABCDEF123",
 "DeploymentGroupId":"b1a2189b-dd90-4ef5-8f40-4c1c5EXAMPLE","DeploymentGroupName":"Prod","ApplicationName":"Shop",
 "DeploymentCreator":"user","DeploymentType":"IN_PLACE","AppSpecFilename":"appspec.yml",
 "AgentActionOverrides":{"AgentOverrides":{"FileExistsBehavior":"overwrite"}},
 "Revision":{"RevisionType":"S3","S3Revision":{"Bucket":"bundles","Key":"shop/42.zip","BundleType":"zip",
   "Version":"3sL4kqtJ","ETag":"b10a8db1"}}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(path: &str, value: Value) -> Result<Specification, SpecError> {
        let mut json: Value = serde_json::from_str(EXAMPLE).unwrap();
        *json.pointer_mut(path).unwrap() = value;
        parse(json.to_string().as_bytes())
    }

    #[test]
    fn the_documented_example_is_read() {
        let spec = Specification::example();
        assert_eq!(spec.deployment_id, "d-ABCDEF123");
        assert_eq!(spec.file_exists_behavior, "OVERWRITE");
        assert!(!spec.blue_green_rollback && spec.possible_events.is_none());
        assert!(matches!(spec.revision, Revision::S3 { bundle_type: ArchiveType::Zip, .. }));
    }

    #[test]
    fn the_deployment_to_reuse_is_a_plain_name() {
        let with = |id: &str| {
            let mut json: Value = serde_json::from_str(EXAMPLE).unwrap();
            json["ReuseArchiveFromDeploymentId"] = id.into();
            parse(json.to_string().as_bytes())
        };
        assert_eq!(with("d-OLD").unwrap().reuse_archive_from.as_deref(), Some("d-OLD"));
        assert_eq!(Specification::example().reuse_archive_from, None);
        assert!(matches!(with("../other-group/d-1"), Err(SpecError::UnsafeId(_))));
    }

    #[test]
    fn ids_and_names_cannot_lead_out() {
        for bad in ["../../etc", "a/b", ".."] {
            assert!(changed("/DeploymentGroupId", bad.into()).is_err(), "{bad}");
            assert!(changed("/DeploymentId", bad.into()).is_err(), "{bad}");
        }
        for bad in ["../x.yml", "/etc/x.yml", "a/../../b"] {
            assert!(changed("/AppSpecFilename", bad.into()).is_err(), "{bad}");
        }
        assert!(changed("/AppSpecFilename", "deploy/appspec.yaml".into()).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let fault = |path: &str| changed(path, Value::Null).unwrap_err().to_string();
        assert_eq!(fault("/ApplicationName"), "Deployment Spec has no ApplicationName");
        assert_eq!(fault("/Revision"), "Must specify a revison");
        assert_eq!(fault("/Revision/RevisionType"), "Must specify a revision source");
        assert_eq!(
            fault("/Revision/S3Revision/BundleType"),
            "S3Revision in Deployment Spec must specify Bucket, Key and BundleType"
        );
        let kind = changed("/Revision/S3Revision/BundleType", "rar".into()).unwrap_err();
        assert_eq!(kind.to_string(), "BundleType in S3Revision must be tar, tgz, tar.zst or zip");
    }

    #[test]
    fn without_a_pinned_signer_nothing_is_taken() {
        let answer = wire::commands::GetDeploymentSpecificationOutput {
            deployment_system: Some("CodeDeploy".into()),
            deployment_specification: Some(wire::commands::DeploymentSpecification {
                generic_envelope: Some(wire::commands::Envelope {
                    format: Some("PKCS7/JSON".into()),
                    payload: Some("x".into()),
                }),
                ..Default::default()
            }),
        };
        assert!(matches!(open(&answer, &Signer::Unknown), Err(SpecError::NoSigner)));
        assert!(matches!(
            open(&answer, &Signer::Pinned(vec![1])),
            Err(SpecError::Signature { .. })
        ));
    }
}
