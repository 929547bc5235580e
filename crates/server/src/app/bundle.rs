//! What a revision's bundle says of a deployment before any host has it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archive::{Contents, ContentsError, Found, Limits};
use model::appspec::{AppSpec, Hook};
use model::{BundleType, LifecycleEvent, Revision};
use tokio::sync::Semaphore;

use super::{Answer, Failure};
use crate::forms::Context;
use crate::iam::policy::Facts;
use crate::iam::{AuthorizeError, Caller, authorize};
use crate::s3::{HeadError, ObjectReader, S3Service};

/// How far a bundle is looked into: what people deploy has a hundredth of it, and a hostile one ends there.
const LIMITS: Limits = Limits { entries: 100_000, unpacked_bytes: 2 << 30 };
/// The largest tar file that is read, in bytes: all of it must be decompressed to see what is in it. Of a zip file only the
/// list at its end is read.
const TAR_BYTES_MAX: u64 = 512 << 20;
/// Bundles that are read at the same time: it costs a core each.
const AT_ONCE: usize = 2;
/// What was seen in this many bundles is remembered, for people look at a plan more than once.
const REMEMBERED: usize = 64;

/// What was seen of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its size in bytes; absent: it is not in a bucket of this server.
    pub bytes: Option<u64>,
    pub inside: Inside,
}

/// What was seen in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    /// It was read.
    Read {
        /// Of each event that runs scripts of the new revision, in the order of a deployment.
        hooks: Vec<(LifecycleEvent, Vec<Hook>)>,
        /// Why hosts would fail all the same.
        refusals: Vec<String>,
    },
    /// Hosts would not get as far as its hooks, for this reason.
    Refused(String),
    /// It was not read, for this reason.
    Unread(String),
}

/// Looks into bundles. Clones share what it remembers.
#[derive(Clone)]
pub struct Bundles {
    s3: S3Service,
    places: Arc<Semaphore>,
    remembered: Arc<Mutex<VecDeque<(Key, Inside)>>>,
}

/// An object's bytes, which never change, and how they were read.
type Key = (String, BundleType);

impl Bundles {
    /// Looks into what `s3` has.
    pub fn new(s3: S3Service) -> Self {
        Self { s3, places: Arc::new(Semaphore::new(AT_ONCE)), remembered: Arc::default() }
    }

    /// What the bundle of a revision says, as far as it is here and the caller may read it.
    ///
    /// # Errors
    /// The store, the policies or the disk failed.
    pub async fn look(
        &self,
        context: &Context,
        caller: &Caller,
        revision: &Revision,
    ) -> Answer<Seen> {
        let Revision::S3 { bucket, key, bundle_type, version, .. } = revision else {
            let why = "the revision is not in a bucket of this server".to_owned();
            return Ok(Seen { bytes: None, inside: Inside::Unread(why) });
        };
        let (head, reader) = match self.s3.open(bucket, key, version.as_deref()).await {
            Ok(found) => found,
            Err(HeadError::NoSuchBucket(bucket)) => {
                let why = format!("this server has no bucket `{bucket}`");
                return Ok(Seen { bytes: None, inside: Inside::Unread(why) });
            }
            Err(error @ (HeadError::NoSuchKey { .. } | HeadError::NoSuchVersion { .. })) => {
                return Ok(Seen { bytes: None, inside: Inside::Refused(error.to_string()) });
            }
            Err(HeadError::Store(error)) => return Err(error.into()),
            Err(error @ HeadError::Attributes(_)) => {
                return Err(Failure::internal("a bundle cannot be described", error));
            }
        };
        let seen = |inside| Ok(Seen { bytes: Some(head.size), inside });
        if !may_read(context, caller, bucket, key, version.is_some()).await? {
            return seen(Inside::Unread(format!("you may not read s3://{bucket}/{key}")));
        }
        if let Some(wanted) = revision.bare_etag().filter(|wanted| *wanted != head.etag) {
            return seen(Inside::Refused(format!(
                "the bundle has the eTag {}, and {wanted} was asked for",
                head.etag
            )));
        }
        seen(self.inside(reader, *bundle_type, head.size).await?)
    }

    async fn inside(&self, reader: ObjectReader, kind: BundleType, size: u64) -> Answer<Inside> {
        if kind != BundleType::Zip && size > TAR_BYTES_MAX {
            return Ok(Inside::Unread(format!(
                "tar files of more than {TAR_BYTES_MAX} bytes are not read"
            )));
        }
        let key: Key = (reader.name().to_owned(), kind);
        if let Some((_, inside)) = self.remembered().iter().find(|(known, _)| *known == key) {
            return Ok(inside.clone());
        }
        // Never closed.
        let _place = self.places.acquire().await;
        let looking =
            tokio::task::spawn_blocking(move || inside(archive::look(reader, kind, LIMITS)));
        let inside = looking.await;
        let inside =
            inside.map_err(|error| Failure::internal("looking into a bundle failed", error))?;
        let mut remembered = self.remembered();
        remembered.push_front((key, inside.clone()));
        remembered.truncate(REMEMBERED);
        Ok(inside)
    }

    /// Whoever panicked while holding it left a whole list.
    fn remembered(&self) -> MutexGuard<'_, VecDeque<(Key, Inside)>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plans are no way around the policies of buckets' objects.
async fn may_read(
    context: &Context,
    caller: &Caller,
    bucket: &str,
    key: &str,
    is_version: bool,
) -> Answer<bool> {
    let action = if is_version { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let resource = format!("arn:aws:s3:::{bucket}/{key}");
    match authorize(context, caller, action, &resource, Facts::default()).await {
        Ok(()) => Ok(true),
        Err(AuthorizeError::Denied(_)) => Ok(false),
        Err(AuthorizeError::Unknown(error)) => {
            Err(Failure::internal("the policies cannot be read", error))
        }
    }
}

/// What hosts would make of it.
fn inside(contents: Result<Contents, ContentsError>) -> Inside {
    let contents = match contents {
        Ok(contents) => contents,
        Err(error) if error.is_about_limits() => return Inside::Unread(error.to_string()),
        Err(error) => return Inside::Refused(format!("the bundle is refused: {error}")),
    };
    let Some((name, text)) = contents.appspec() else {
        let [name, _] = model::appspec::DEFAULT_NAMES;
        return match contents.find(name) {
            Found::Yes => Inside::Unread(format!("its {name} is a link, which is not followed")),
            Found::No | Found::Outside => Inside::Refused(format!("the bundle has no {name}")),
        };
    };
    match AppSpec::parse(text) {
        Ok(appspec) => read(&contents, &appspec),
        Err(error) => {
            let (line, column) = (error.at.line, error.at.column);
            Inside::Refused(format!("{name}, line {line}, column {column}: {error}"))
        }
    }
}

fn read(contents: &Contents, appspec: &AppSpec) -> Inside {
    let events = LifecycleEvent::IN_PLACE.into_iter().filter(|event| runs_new_scripts(*event));
    let hooks: Vec<(LifecycleEvent, Vec<Hook>)> =
        events.map(|event| (event, appspec.hooks.of(event.name()).to_vec())).collect();
    let sources = appspec.files.iter().filter_map(|file| {
        missing(contents, &file.source)
            .map(|why| format!("files: the source `{}` {why}", file.source))
    });
    let scripts = hooks.iter().flat_map(|(event, hooks)| {
        hooks.iter().filter_map(move |hook| {
            let why = missing(contents, &hook.location)?;
            Some(format!("{event}: the script `{}` {why}", hook.location))
        })
    });
    let refusals = sources.chain(scripts).collect();
    Inside::Read { hooks, refusals }
}

fn missing(contents: &Contents, path: &str) -> Option<&'static str> {
    match contents.find(path) {
        Found::Yes => None,
        Found::No => Some("is not in the bundle"),
        Found::Outside => Some("leads out of the bundle"),
    }
}

/// `ApplicationStop` runs the scripts of the revision that a host has now; others that have hooks run the new one's.
/// Source: CodeDeploy user guide, "AppSpec 'hooks' section".
fn runs_new_scripts(event: LifecycleEvent) -> bool {
    event.has_hooks() && event != LifecycleEvent::ApplicationStop
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn looked(files: &[(&str, &str)]) -> Inside {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        let bytes = writer.finish().unwrap();
        inside(archive::look(bytes, BundleType::Zip, LIMITS))
    }

    #[test]
    fn scripts_are_told_in_the_order_of_events_and_those_missing_too() {
        let appspec = "version: 0.0\nos: linux\nfiles: [{source: none, destination: /x}, {source: /, destination: /y}]\n\
                       hooks:\n  ApplicationStart: [{location: b.sh}]\n  AfterInstall: [{location: a.sh}, {location: ../c}]\n  \
                       ApplicationStop: [{location: gone.sh}]\n";
        let Inside::Read { hooks, refusals } = looked(&[("appspec.yml", appspec), ("a.sh", "")])
        else {
            panic!("it is not read")
        };
        let told: Vec<(&str, usize)> =
            hooks.iter().map(|(event, hooks)| (event.name(), hooks.len())).collect();
        assert_eq!(
            told,
            [
                ("BeforeInstall", 0),
                ("AfterInstall", 2),
                ("ApplicationStart", 1),
                ("ValidateService", 0)
            ]
        );
        assert_eq!(
            refusals,
            [
                "files: the source `none` is not in the bundle",
                "AfterInstall: the script `../c` leads out of the bundle",
                "ApplicationStart: the script `b.sh` is not in the bundle",
            ]
        );
    }

    #[test]
    fn what_hosts_would_refuse_is_refused() {
        let told = |files: &[(&str, &str)]| match looked(files) {
            Inside::Refused(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(told(&[("readme", "")]), "the bundle has no appspec.yml");
        let wrong = told(&[("appspec.yml", "version: 0.0\nos: linux\nhooks: 7\n")]);
        assert!(wrong.starts_with("appspec.yml, line 3, column 8: hooks must be"), "{wrong}");
        assert!(told(&[("../x", "")]).contains("has `..` in its name"));
    }
}
