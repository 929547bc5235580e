//! Bundles that are on the host already.
//!
//! A downloaded bundle carries, as an extended attribute, what it is: of which object and eTag, size and time that the file had
//! then, and the SHA-256 of its content. A deployment of the same object takes such a file instead of fetching it again, and the
//! SHA-256 is checked while it is unpacked. What came of a download that broke off has a label too, and is gone on with. On file
//! systems without such attributes everything is fetched.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, XattrFlags};

use super::fetch::{Commit, Object, Remote, bare};

const ATTRIBUTE: &str = "user.longshore.bundle";
/// Bucket, key, version and eTag have at most 63, 1,024, 1,024 and some hundred bytes.
const LABEL_BYTES_MAX: usize = 4096;
/// The bundle in a deployment's directory. Source: official agent.
pub(super) const BUNDLE: &str = "bundle.tar";
/// What is there of a bundle that is on its way.
pub(super) const PART: &str = "bundle.tar.part";
/// Letters of a whole commit id: with fewer, or a branch, it may mean another commit tomorrow.
const COMMIT_LENGTHS: [usize; 2] = [40, 64];

/// A bundle on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its file.
    pub path: Utf8PathBuf,
    /// The eTag it was fetched with; empty if there was none.
    pub etag: String,
    /// The SHA-256 of its content, in hexadecimal, if that is known.
    pub sha256: Option<String>,
}

/// What is there of a bundle whose download broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub path: Utf8PathBuf,
    pub etag: String,
    pub bytes: u64,
}

/// What a remote archive is called in labels.
fn name(remote: &Remote<'_>) -> String {
    match remote {
        Remote::S3(Object { bucket, key, version, .. }) => {
            format!("s3\n{bucket}\n{key}\n{}", version.unwrap_or_default())
        }
        Remote::GitHub(Commit { account, repository, commit, kind, .. }) => {
            format!("github\n{account}/{repository}\n{commit}\n{kind:?}")
        }
    }
}

/// Whether what is meant can never be another content.
fn is_settled(remote: &Remote<'_>) -> bool {
    match remote {
        Remote::S3(object) => object.version.is_some() || object.etag.is_some(),
        Remote::GitHub(Commit { commit, .. }) => {
            COMMIT_LENGTHS.contains(&commit.len()) && commit.bytes().all(|b| b.is_ascii_hexdigit())
        }
    }
}

fn fits(remote: &Remote<'_>, etag: &str) -> bool {
    match remote {
        Remote::S3(Object { etag: Some(wanted), .. }) => bare(wanted) == etag,
        _ => true,
    }
}

/// Says on a file which object it is.
pub(super) fn label(bundle: &Utf8Path, remote: &Remote<'_>, etag: &str, sha256: &str) {
    let text = stamp(bundle).map(|stamp| format!("{}\n{etag}\n{stamp}\n{sha256}", name(remote)));
    if let Err(error) = text.and_then(|text| write(bundle, &text)) {
        tracing::debug!(%error, "the bundle is not labelled: it will be fetched again");
    }
}

/// The label of what came of an object, while more may come.
pub(super) fn part_label(remote: &Remote<'_>, etag: &str) -> String {
    format!("{}\n{etag}", name(remote))
}

/// Says on a file what it is a part of.
pub(super) fn label_part(part: &Utf8Path, label: &str) {
    if let Err(error) = write(part, label) {
        tracing::debug!(%error, "the download is not labelled: if it breaks off for good, it begins anew");
    }
}

/// The bundle of one of a group's deployments that is this archive, if one is there and untouched.
pub fn find(group: &Utf8Path, remote: &Remote<'_>) -> Option<Kept> {
    is_settled(remote).then(|| latest(group, remote)).flatten()
}

/// The bundle that is this archive if that is still what it was: the storage knows by the eTag.
pub fn find_unsettled(group: &Utf8Path, remote: &Remote<'_>) -> Option<Kept> {
    let kept = (!is_settled(remote)).then(|| latest(group, remote)).flatten();
    kept.filter(|kept| !kept.etag.is_empty())
}

fn latest(group: &Utf8Path, remote: &Remote<'_>) -> Option<Kept> {
    let named = format!("{}\n", name(remote));
    let found = files(group, BUNDLE).filter_map(|path| {
        let label = read(&path)?;
        let (etag, rest) = label.strip_prefix(&named)?.split_once('\n')?;
        let (found, sha256) = rest.rsplit_once('\n')?;
        let untouched = stamp(&path).is_ok_and(|stamp| stamp == found);
        (untouched && fits(remote, etag)).then_some(())?;
        let time = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
        let (etag, sha256) = (etag.to_owned(), Some(sha256.to_owned()));
        Some((time, Kept { path, etag, sha256 }))
    });
    found.max_by_key(|(time, _)| *time).map(|(_, kept)| kept)
}

/// What is there of this archive from a download that broke off, and that nobody goes on with now.
pub fn find_part(group: &Utf8Path, remote: &Remote<'_>) -> Option<Part> {
    let named = format!("{}\n", name(remote));
    files(group, PART).find_map(|path| {
        let label = read(&path)?;
        let etag = label.strip_prefix(&named).filter(|etag| fits(remote, etag))?.to_owned();
        let file = File::open(&path).ok()?;
        claim(&file).ok()?;
        let bytes = file.metadata().ok()?.len();
        (bytes > 0).then_some(Part { path, etag, bytes })
    })
}

/// Keeps a file of a download to whoever has it open.
///
/// # Errors
/// Somebody else has it.
pub(super) fn claim(file: &File) -> io::Result<()> {
    Ok(rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

/// The bundle that a deployment of the group kept.
pub fn of_deployment(group: &Utf8Path, deployment: &str) -> Option<Kept> {
    let path = group.join(deployment).join(BUNDLE);
    // Unpacked, so downloaded whole.
    let unpacked = group.join(deployment).join("deployment-archive").is_dir();
    let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
    (unpacked && is_file).then_some(Kept { path, etag: String::new(), sha256: None })
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

/// The files of this name in the directories of a group's deployments.
fn files(group: &Utf8Path, name: &str) -> impl Iterator<Item = Utf8PathBuf> {
    let deployments = group.read_dir_utf8().ok().into_iter().flatten().flatten();
    deployments.map(move |deployment| deployment.path().join(name))
}

fn write(path: &Utf8Path, label: &str) -> io::Result<()> {
    let flags = XattrFlags::empty();
    Ok(rustix::fs::setxattr(path.as_std_path(), ATTRIBUTE, label.as_bytes(), flags)?)
}

fn read(path: &Utf8Path) -> Option<String> {
    let mut label = vec![0; LABEL_BYTES_MAX];
    let length = rustix::fs::getxattr(path.as_std_path(), ATTRIBUTE, &mut label[..]).ok()?;
    label.truncate(length);
    String::from_utf8(label).ok()
}

/// Size and time, by which a change is known.
fn stamp(path: &Utf8Path) -> io::Result<String> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(format!("{} {}.{:09}", metadata.size(), metadata.mtime(), metadata.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ArchiveType;

    struct Group(tempfile::TempDir);

    impl Group {
        /// Nothing where the file system has no extended attributes.
        fn new() -> Option<Self> {
            let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
            let probe = rustix::fs::setxattr(dir.path(), "user.x", b"y", XattrFlags::empty());
            if probe.is_err() {
                println!("skipped: this file system has no extended attributes");
                return None;
            }
            Some(Self(dir))
        }

        fn path(&self) -> &Utf8Path {
            Utf8Path::from_path(self.0.path()).unwrap()
        }

        fn file(&self, deployment: &str, name: &str, content: &str) -> Utf8PathBuf {
            fs::create_dir_all(self.path().join(deployment)).unwrap();
            let path = self.path().join(deployment).join(name);
            fs::write(&path, content).unwrap();
            path
        }

        fn find(&self, object: Object<'_>) -> Option<Utf8PathBuf> {
            find(self.path(), &Remote::S3(object)).map(|kept| kept.path)
        }
    }

    const OBJECT: Object<'_> = Object { bucket: "b", key: "k", version: None, etag: Some("\"e\"") };

    #[test]
    fn a_bundle_is_known_by_what_it_is_until_somebody_touches_it() {
        let Some(group) = Group::new() else { return };
        let bundle = group.file("d-1", BUNDLE, "content");
        assert_eq!(group.find(OBJECT), None);
        label(&bundle, &Remote::S3(OBJECT), "e", "ab");
        assert_eq!(group.find(Object { etag: Some("e"), ..OBJECT }), Some(bundle.clone()));
        for other in [
            Object { etag: Some("f"), ..OBJECT },
            Object { etag: None, ..OBJECT },
            Object { version: Some("1"), ..OBJECT },
            Object { key: "l", ..OBJECT },
        ] {
            assert_eq!(group.find(other), None, "{other:?}");
        }
        let unsettled = Remote::S3(Object { etag: None, ..OBJECT });
        let kept = find_unsettled(group.path(), &unsettled).unwrap();
        assert_eq!((kept.etag.as_str(), kept.sha256.as_deref()), ("e", Some("ab")));
        take(&bundle, &group.path().join("taken")).unwrap();
        assert_eq!(fs::read_to_string(group.path().join("taken")).unwrap(), "content");
        fs::write(&bundle, "changed").unwrap();
        assert_eq!(group.find(OBJECT), None);
    }

    #[test]
    fn of_github_only_a_whole_commit_id_is_known_for_good() {
        let Some(group) = Group::new() else { return };
        let bundle = group.file("d-1", BUNDLE, "content");
        let commit = |commit, kind| {
            Remote::GitHub(Commit { account: "a", repository: "r", commit, kind, token: None })
        };
        let id = "0123456789abcdef0123456789abcdef01234567";
        for (name, is_known) in [(id, true), ("main", false), (&id[..12], false)] {
            label(&bundle, &commit(name, ArchiveType::Tar), "", "ab");
            let found = |kind| find(group.path(), &commit(name, kind)).is_some();
            assert_eq!((found(ArchiveType::Tar), found(ArchiveType::Zip)), (is_known, false));
        }
    }

    #[test]
    fn a_part_is_gone_on_with_if_it_is_of_the_same_object_and_nobody_has_it() {
        let Some(group) = Group::new() else { return };
        let path = group.file("d-1", PART, "half");
        label_part(&path, &part_label(&Remote::S3(OBJECT), "e"));
        let find = |object| find_part(group.path(), &Remote::S3(object));
        assert_eq!(find(OBJECT), Some(Part { path: path.clone(), etag: "e".into(), bytes: 4 }));
        assert_eq!(find(Object { etag: Some("f"), ..OBJECT }), None);
        let other = File::open(&path).unwrap();
        claim(&other).unwrap();
        assert_eq!(find(OBJECT), None);
    }

    #[test]
    fn a_deployment_s_bundle_is_taken_only_if_it_was_downloaded_whole() {
        let dir = tempfile::tempdir().unwrap();
        let group = Utf8Path::from_path(dir.path()).unwrap();
        fs::create_dir(group.join("d-1")).unwrap();
        fs::write(group.join("d-1/bundle.tar"), "half").unwrap();
        assert_eq!(of_deployment(group, "d-1"), None);
        fs::create_dir(group.join("d-1/deployment-archive")).unwrap();
        let kept = of_deployment(group, "d-1").unwrap();
        assert_eq!(kept.path, group.join("d-1/bundle.tar"));
        assert_eq!(of_deployment(group, "d-2"), None);
    }
}
