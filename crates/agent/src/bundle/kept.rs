//! Bundles that are on the host already.
//!
//! A downloaded bundle carries, as an extended attribute, what it is: which object, version and eTag, and the size and time that
//! the file had then. A deployment of the same object takes such a file instead of fetching it again. On file systems without
//! such attributes everything is fetched.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::XattrFlags;

use super::fetch::Object;

const ATTRIBUTE: &str = "user.longshore.bundle";
/// Bucket, key, version and eTag have at most 63, 1,024, 1,024 and some hundred bytes.
const LABEL_BYTES_MAX: usize = 4096;
const BUNDLE: &str = "bundle.tar";

/// Says on a file which object it is. One whose content S3 may change has no label.
pub fn label(bundle: &Utf8Path, object: &Object<'_>) {
    let Some(label) = identity(object).and_then(|name| full(&name, bundle).ok()) else { return };
    if let Err(error) =
        rustix::fs::setxattr(bundle.as_std_path(), ATTRIBUTE, label.as_bytes(), XattrFlags::empty())
    {
        tracing::debug!(%error, "the bundle is not labelled: it will be fetched again");
    }
}

/// The bundle of one of a group's deployments that is this object, if one is there and untouched.
pub fn find(group: &Utf8Path, object: &Object<'_>) -> Option<Utf8PathBuf> {
    let wanted = identity(object)?;
    let deployments = group.read_dir_utf8().ok()?.flatten();
    deployments.map(|deployment| deployment.path().join(BUNDLE)).find(|bundle| {
        let mut label = vec![0; LABEL_BYTES_MAX];
        let found = rustix::fs::getxattr(bundle.as_std_path(), ATTRIBUTE, &mut label[..]);
        found.is_ok_and(|length| {
            full(&wanted, bundle).is_ok_and(|full| full.as_bytes() == &label[..length])
        })
    })
}

/// The bundle that a deployment of the group kept.
pub fn of_deployment(group: &Utf8Path, deployment: &str) -> Option<Utf8PathBuf> {
    let bundle = group.join(deployment).join(BUNDLE);
    // Unpacked, so downloaded whole.
    let unpacked = group.join(deployment).join("deployment-archive").is_dir();
    let is_file = fs::symlink_metadata(&bundle).is_ok_and(|metadata| metadata.is_file());
    (unpacked && is_file).then_some(bundle)
}

/// Takes a kept bundle for another deployment: as a second name, which costs nothing and outlives the first.
///
/// # Errors
/// Neither that nor a copy can be made.
pub fn take(kept: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    if kept == to {
        return Ok(());
    }
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::hard_link(kept, to).or_else(|_| fs::copy(kept, to).map(drop))
}

/// What names an object's content for good; nothing if neither version nor eTag is known.
fn identity(object: &Object<'_>) -> Option<String> {
    if object.version.is_none() && object.etag.is_none() {
        return None;
    }
    let version = object.version.unwrap_or_default();
    let etag = object.etag.unwrap_or_default().replace('"', "");
    Some(format!("{}\n{}\n{version}\n{etag}", object.bucket, object.key))
}

fn full(identity: &str, bundle: &Utf8Path) -> io::Result<String> {
    let metadata = fs::symlink_metadata(bundle)?;
    let changed = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH);
    let changed = changed.map(|time| time.as_nanos()).unwrap_or_default();
    Ok(format!("{identity}\n{} {changed}", metadata.size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_known_by_what_it_is_until_somebody_touches_it() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let group = Utf8Path::from_path(dir.path()).unwrap();
        fs::create_dir(group.join("d-1")).unwrap();
        let bundle = group.join("d-1/bundle.tar");
        fs::write(&bundle, "content").unwrap();
        if rustix::fs::setxattr(bundle.as_std_path(), "user.x", b"y", XattrFlags::empty()).is_err()
        {
            println!("skipped: this file system has no extended attributes");
            return;
        }
        let object = Object { bucket: "b", key: "k", version: None, etag: Some("\"e\"") };
        assert_eq!(find(group, &object), None);
        label(&bundle, &object);
        assert_eq!(find(group, &Object { etag: Some("e"), ..object }), Some(bundle.clone()));
        for other in [
            Object { etag: Some("f"), ..object },
            Object { etag: None, ..object },
            Object { version: Some("1"), ..object },
            Object { key: "l", ..object },
        ] {
            assert_eq!(find(group, &other), None, "{other:?}");
        }
        take(&bundle, &group.join("taken")).unwrap();
        assert_eq!(fs::read_to_string(group.join("taken")).unwrap(), "content");
        fs::write(&bundle, "changed").unwrap();
        assert_eq!(find(group, &object), None);
    }

    #[test]
    fn a_deployment_s_bundle_is_taken_only_if_it_was_downloaded_whole() {
        let dir = tempfile::tempdir().unwrap();
        let group = Utf8Path::from_path(dir.path()).unwrap();
        fs::create_dir(group.join("d-1")).unwrap();
        fs::write(group.join("d-1/bundle.tar"), "half").unwrap();
        assert_eq!(of_deployment(group, "d-1"), None);
        fs::create_dir(group.join("d-1/deployment-archive")).unwrap();
        assert_eq!(of_deployment(group, "d-1"), Some(group.join("d-1/bundle.tar")));
        assert_eq!(of_deployment(group, "d-2"), None);
    }
}
