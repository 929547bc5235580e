//! How a folder becomes a revision: packed, uploaded, registered.

mod pack;
mod upload;

use anyhow::Context;
use model::appspec::{AppSpec, DEFAULT_NAMES};
use wire::codedeploy::{RegisterApplicationRevisionInput, RevisionLocation, S3Location};

use crate::args::Bundle;
use crate::client::{Client, Object, S3};
use crate::outcome::Usage;

/// Where bundles go that nobody names a bucket for.
pub const BUCKET: &str = "longshore-revisions";

/// Packs, uploads and registers a folder; the revision that it became.
///
/// # Errors
/// The folder is none, has no AppSpec or cannot be read; or the server refused.
pub async fn push(client: &Client, asked: &Bundle) -> anyhow::Result<RevisionLocation> {
    let Ready { packed, bucket, key } = pack(asked)?;
    let s3 = S3(client);
    let place = format!("s3://{bucket}/{key}");
    if !s3.has_bucket(&bucket).await.with_context(|| format!("cannot look for s3://{bucket}"))? {
        if asked.s3_location.is_some() {
            return Err(Usage::new(
                format!("there is no bucket {bucket}"),
                format!("make it: aws s3 mb s3://{bucket}"),
            )
            .into());
        }
        s3.make_bucket(&bucket).await.with_context(|| format!("cannot make s3://{bucket}"))?;
    }
    let object = upload::upload(&s3, &packed, &bucket, &key)
        .await
        .with_context(|| format!("{} was not uploaded to {place}", asked.source))?;
    let revision = revision(asked, bucket, key, Some(object));
    let input = RegisterApplicationRevisionInput {
        application_name: Some(asked.application.clone()),
        description: asked.description.clone(),
        revision: Some(revision.clone()),
    };
    client
        .call(&input)
        .await
        .with_context(|| format!("{place} was uploaded, and not registered as a revision"))?;
    Ok(revision)
}

/// What a push would make of a folder.
pub struct Unpushed {
    /// As it would be called; with the object's own names if its content is there already.
    pub revision: RevisionLocation,
    /// Of the bundle, in bytes.
    pub size: u64,
    /// The folder's AppSpec.
    pub appspec: AppSpec,
}

/// Packs a folder and looks where it would go; nothing is uploaded.
///
/// # Errors
/// The folder is none, has no AppSpec or one that hosts would refuse, or cannot be read; or the server refused.
pub async fn look(client: &Client, asked: &Bundle) -> anyhow::Result<Unpushed> {
    let Ready { packed, bucket, key } = pack(asked)?;
    let appspec = appspec(asked)?;
    let there = upload::there(&S3(client), &packed, &bucket, &key)
        .await
        .with_context(|| format!("cannot look for s3://{bucket}/{key}"))?;
    let revision = revision(asked, bucket, key, there);
    Ok(Unpushed { revision, size: packed.size, appspec })
}

/// A folder that is packed, and where it goes.
struct Ready {
    packed: pack::Packed,
    bucket: String,
    key: String,
}

fn pack(asked: &Bundle) -> anyhow::Result<Ready> {
    check(asked)?;
    let named = asked.s3_location.as_deref().map(parse).transpose()?;
    let packed = pack::pack(&asked.source, asked.bundle_type)?;
    let (bucket, key) = named.unwrap_or_else(|| {
        let hash = &packed.sha256[..16];
        let key = format!("{}/{hash}.{}", asked.application, asked.bundle_type.name());
        (BUCKET.to_owned(), key)
    });
    Ok(Ready { packed, bucket, key })
}

fn revision(
    asked: &Bundle,
    bucket: String,
    key: String,
    object: Option<Object>,
) -> RevisionLocation {
    let (version, e_tag) = object.map_or((None, None), |it| (it.version, Some(it.e_tag)));
    RevisionLocation {
        revision_type: Some("S3".to_owned()),
        s3_location: Some(S3Location {
            bucket: Some(bucket),
            key: Some(key),
            bundle_type: Some(asked.bundle_type.name().to_owned()),
            version,
            e_tag,
        }),
        ..Default::default()
    }
}

fn appspec(asked: &Bundle) -> anyhow::Result<AppSpec> {
    let path =
        DEFAULT_NAMES.map(|name| asked.source.join(name)).into_iter().find(|it| it.is_file());
    let path = path.with_context(|| format!("{} has no appspec.yml", asked.source))?;
    let text = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
    let wrong = |error| {
        Usage::new(
            format!("hosts would refuse {path}: {error}"),
            format!("`longshore-agent validate {}` says more", asked.source),
        )
    };
    Ok(AppSpec::parse(&text).map_err(wrong)?)
}

fn check(asked: &Bundle) -> Result<(), Usage> {
    if !asked.source.is_dir() {
        return Err(Usage::new(
            format!("{} is no folder", asked.source),
            "name the folder with the appspec.yml",
        ));
    }
    let has_appspec = DEFAULT_NAMES.iter().any(|name| asked.source.join(name).is_file());
    if !has_appspec {
        return Err(Usage::new(
            format!("{} has no appspec.yml", asked.source),
            "the AppSpec tells what goes where on the hosts; `longshore-agent validate DIR` checks one",
        ));
    }
    Ok(())
}

/// The bucket and key of an `s3://` URL.
fn parse(location: &str) -> Result<(String, String), Usage> {
    let parts = location.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    match parts {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok((bucket.to_owned(), key.to_owned()))
        }
        _ => Err(Usage::new(
            format!("`{location}` is no place for a bundle"),
            "it looks like s3://releases/shop-1.4.zip",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_has_a_bucket_and_a_key() {
        let parsed = parse("s3://releases/shop/1.zip").unwrap();
        assert_eq!(parsed, ("releases".to_owned(), "shop/1.zip".to_owned()));
        for wrong in ["releases/1.zip", "s3://releases", "s3://releases/", "s3:///1.zip"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
