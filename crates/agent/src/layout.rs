//! Where everything lies below `root_dir`. Source: the official agent; tools and people look there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

/// Paths below the agent's root directory.
#[derive(Debug, Clone)]
pub struct Layout {
    root: Utf8PathBuf,
    program: String,
    tracking: String,
}

/// Directories of the agent's below its root besides that of the trackers and those of the groups.
pub(crate) const OTHERS: [&str; 5] = [INSTRUCTIONS, LOGS, LEDGER, JOURNAL, PLANS];
const INSTRUCTIONS: &str = "deployment-instructions";
const LOGS: &str = "deployment-logs";
const LEDGER: &str = "install-ledger";
const JOURNAL: &str = "command-journal";
const PLANS: &str = "deployment-plans";

/// A tracker file older than this says nothing: no lifecycle event lasts a day.
const TRACKER_LIFE: Duration = Duration::from_secs(24 * 3600);

/// An id from the control plane that is no plain name and so must not become part of a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} `{id}` cannot be a directory's name")]
pub struct UnsafeId {
    /// Which id.
    pub what: &'static str,
    /// The id.
    pub id: String,
}

/// Refuses an id that is not one plain path component.
///
/// # Errors
/// The id is empty, `.`, `..`, longer than a file name may be, or has a slash or a control character.
pub fn check_id<'a>(what: &'static str, id: &'a str) -> Result<&'a str, UnsafeId> {
    let plain = !id.is_empty()
        && id.len() <= 200
        && id != "."
        && id != ".."
        && !id.chars().any(|c| c == '/' || c.is_control());
    if plain { Ok(id) } else { Err(UnsafeId { what, id: id.to_owned() }) }
}

impl Layout {
    /// The layout below `root`; `program` names the deployments log, `tracking` the directory of trackers.
    pub fn new(root: impl Into<Utf8PathBuf>, program: &str, tracking: &str) -> Self {
        Self { root: root.into(), program: program.to_owned(), tracking: tracking.to_owned() }
    }

    /// The root directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Everything of one deployment.
    pub fn deployment(&self, group: &str, deployment: &str) -> Utf8PathBuf {
        self.root.join(group).join(deployment)
    }

    /// The deployments of a group.
    pub fn group(&self, group: &str) -> Utf8PathBuf {
        self.root.join(group)
    }

    /// Where a group's bundle is looked at before there is a deployment of it.
    pub fn visit(&self, group: &str) -> Utf8PathBuf {
        self.visits().join(group)
    }

    /// All such places.
    pub fn visits(&self) -> Utf8PathBuf {
        self.root.join(PLANS)
    }

    /// The directory of instruction files and markers.
    pub fn instructions(&self) -> Utf8PathBuf {
        self.root.join(INSTRUCTIONS)
    }

    /// What the latest Install was to do, for people to read.
    pub fn install_instructions(&self, group: &str) -> Utf8PathBuf {
        self.instructions().join(format!("{group}-install.json"))
    }

    /// What the latest Install made, to be undone by the next.
    pub fn cleanup(&self, group: &str) -> Utf8PathBuf {
        self.instructions().join(format!("{group}-cleanup"))
    }

    /// The agent's own files about installs.
    pub fn ledger(&self) -> Utf8PathBuf {
        self.root.join(LEDGER)
    }

    fn last_successful_file(&self, group: &str) -> Utf8PathBuf {
        self.instructions().join(format!("{group}_last_successful_install"))
    }

    fn most_recent_file(&self, group: &str) -> Utf8PathBuf {
        self.instructions().join(format!("{group}_most_recent_install"))
    }

    /// The directory of the deployment whose Install last succeeded here.
    pub fn last_successful(&self, group: &str) -> Option<Utf8PathBuf> {
        marker(&self.last_successful_file(group))
    }

    /// The directory of the deployment whose bundle was last downloaded here.
    pub fn most_recent(&self, group: &str) -> Option<Utf8PathBuf> {
        marker(&self.most_recent_file(group))
    }

    /// Marks a deployment as the one whose Install last succeeded.
    ///
    /// # Errors
    /// The marker cannot be written.
    pub fn mark_last_successful(&self, group: &str, deployment: &Utf8Path) -> io::Result<()> {
        write_marker(&self.last_successful_file(group), deployment)
    }

    /// Marks a deployment as the one whose bundle was last downloaded.
    ///
    /// # Errors
    /// The marker cannot be written.
    pub fn mark_most_recent(&self, group: &str, deployment: &Utf8Path) -> io::Result<()> {
        write_marker(&self.most_recent_file(group), deployment)
    }

    /// The log of all hooks of all deployments.
    pub fn deployments_log(&self) -> Utf8PathBuf {
        self.root.join(LOGS).join(format!("{}-deployments.log", self.program))
    }

    /// The agent's journal of host commands.
    pub fn journal(&self) -> Utf8PathBuf {
        self.root.join(JOURNAL)
    }

    fn trackers(&self) -> Utf8PathBuf {
        self.root.join(&self.tracking)
    }

    /// Notes that a command of a deployment runs, for `stop` and for people.
    ///
    /// # Errors
    /// The tracker cannot be written.
    pub fn track(&self, deployment: &str, command: &str) -> io::Result<()> {
        private_directory(&self.trackers())?;
        private_file(&self.trackers().join(deployment), command.as_bytes())
    }

    /// Notes that no command of the deployment runs any more.
    pub fn untrack(&self, deployment: &str) {
        // A tracker left behind only makes `stop` wait for nothing: not worth failing a deployment.
        let _ = fs::remove_file(self.trackers().join(deployment));
    }

    /// The deployments that have a command running, by their trackers.
    pub fn tracked(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.trackers()) else { return Vec::new() };
        let fresh = |entry: &fs::DirEntry| {
            let age = entry.metadata().and_then(|m| m.modified()).ok();
            age.and_then(|at| SystemTime::now().duration_since(at).ok())
                .is_none_or(|age| age < TRACKER_LIFE)
        };
        entries
            .flatten()
            .filter(fresh)
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// Removes every tracker: nothing runs when the agent starts.
    pub fn clear_trackers(&self) {
        let _ = fs::remove_dir_all(self.trackers());
    }
}

/// Makes a directory that only its owner may look into.
///
/// # Errors
/// It cannot be made.
pub fn private_directory(path: &Utf8Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only its owner may read, in the place of an old one.
///
/// # Errors
/// It cannot be written.
pub fn private_file(path: &Utf8Path, text: &[u8]) -> io::Result<()> {
    create_private(path)?.write_all(text)
}

/// Makes an empty file that only its owner may read, in the place of an old one.
///
/// # Errors
/// It cannot be made.
pub fn create_private(path: &Utf8Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // One that an official agent left is open to everybody.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

fn marker(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

fn write_marker(path: &Utf8Path, deployment: &Utf8Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        private_directory(parent)?;
    }
    // Written beside and renamed: a marker cut short by a crash would make the old revision's scripts vanish.
    let draft = Utf8PathBuf::from(format!("{path}.new"));
    private_file(&draft, deployment.as_str().as_bytes())?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_becomes_part_of_a_path() {
        for good in ["d-ABCDEF123", "b1a2189b-dd90", "my group", "..."] {
            assert!(check_id("deployment id", good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "../x", "a\nb"] {
            assert!(check_id("deployment id", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn markers_and_trackers_are_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let layout = Layout::new(&root, "codedeploy-agent", "ongoing-deployment");
        assert_eq!(layout.last_successful("g"), None);
        let deployment = layout.deployment("g", "d-1");
        layout.mark_last_successful("g", &deployment).unwrap();
        assert_eq!(layout.last_successful("g"), Some(deployment));
        layout.track("d-1", "hc").unwrap();
        let mode = |path: Utf8PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(layout.last_successful_file("g")), 0o600);
        assert_eq!(mode(layout.trackers().join("d-1")), 0o600);
        assert_eq!((mode(layout.trackers()), mode(layout.instructions())), (0o700, 0o700));
        assert_eq!(layout.tracked(), ["d-1"]);
        layout.untrack("d-1");
        assert!(layout.tracked().is_empty());
    }
}
