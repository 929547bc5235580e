//! What is kept about instances in the state directory.
//!
//! ```text
//! STATE/lock                  held by the server that uses the directory
//! STATE/network.json          the subnet
//! STATE/ingress.json          the packet filter's rules
//! STATE/instances/ID/
//!     boot.json               what the sandbox processes need to know
//!     process.json            its supervisor and init, as soon as they run
//!     console.log             what they print
//!     staged/                 contents of provisioned files and user data
//!     disk/upper, disk/work   the writable part of its root, and the overlay's scratch directory
//!     root                    where its own mount name space has its root; always empty outside
//! STATE/instances/ID.removing being removed
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use model::InstanceId;
use rustix::mount::{FsOpenFlags, fsconfig_create, fsconfig_set_string, fsopen};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ComputeError;
use crate::process::ProcessIdentity;
use crate::spec::{FileSource, InstanceSpec, Limits};

/// What the sandbox processes of an instance need to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Boot {
    pub id: String,
    pub address: Ipv4Addr,
    pub hostname: String,
    pub environment: Vec<(String, String)>,
    pub files: Vec<BootFile>,
    /// The staged user data.
    pub user_data: Option<Utf8PathBuf>,
    /// Directories of the machine that the instance must not see.
    pub hidden: Vec<Utf8PathBuf>,
    /// The control group that holds all groups of instances of this state directory.
    pub cgroup_parent: String,
    pub processes_max: Option<u32>,
    pub memory_bytes_max: Option<u64>,
}

/// A file to copy into the instance.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BootFile {
    pub path: Utf8PathBuf,
    pub mode: u32,
    pub from: Utf8PathBuf,
}

/// The processes that hold an instance; written by its supervisor, first without the init.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessRecord {
    pub boot_id: String,
    pub supervisor: ProcessIdentity,
    /// Present once the instance is up: only such a one is adopted.
    pub init: Option<ProcessIdentity>,
}

/// The state directory of one server.
#[derive(Debug, Clone)]
pub(crate) struct StateDir {
    path: Utf8PathBuf,
}

const REMOVING: &str = ".removing";

impl StateDir {
    /// Makes the directory if need be, and resolves links, so that every process means the same by its path.
    pub fn create(path: &Utf8Path) -> Result<Self, ComputeError> {
        make_dir(path)?;
        let state = Self::at(path)?;
        make_dir(&state.instances())?;
        Ok(state)
    }

    /// The existing directory at `path`.
    pub fn at(path: &Utf8Path) -> Result<Self, ComputeError> {
        let path = path.canonicalize_utf8().map_err(ComputeError::file("find", path))?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    fn instances(&self) -> Utf8PathBuf {
        self.path.join("instances")
    }

    /// Takes the directory for this process until the file is dropped.
    pub fn lock(&self) -> Result<File, ComputeError> {
        let path = self.path.join("lock");
        let file = File::create(&path).map_err(ComputeError::file("open", &path))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(ComputeError::InUse(self.path.clone())),
            Err(errno) => Err(ComputeError::file("lock", path)(errno.into())),
        }
    }

    /// Six digits that are the same at every start and differ between directories (but for one chance in 16 million):
    /// the names of bridge, filter table and control group are made from them.
    pub fn tag(&self) -> u32 {
        // FNV-1a: the standard library's hash may change with the compiler, and then nothing would be found again.
        let hash = self.path.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        u32::try_from((hash ^ (hash >> 24)) & 0xff_ffff).expect("24 bits fit")
    }

    /// Reads the JSON file `name`; none if it is not there.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ComputeError> {
        read_json(&self.path.join(name))
    }

    /// Writes the JSON file `name` whole.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), ComputeError> {
        write_json(&self.path.join(name), value)
    }

    /// Tries whether an instance's disk can be here, by an overlay that is mounted nowhere.
    pub fn check_fitness(&self) -> Result<(), ComputeError> {
        let unfit = |reason: &str, source: io::Error| ComputeError::StateDirUnfit {
            path: self.path.clone(),
            reason: reason.to_owned(),
            source,
        };
        if self.path.as_str().contains([',', ':', '\\']) {
            let error = io::ErrorKind::InvalidFilename.into();
            return Err(unfit("its name holds a comma, colon or backslash", error));
        }
        let probe = self.path.join("probe");
        remove_tree(&probe)?;
        let (upper, work) = (probe.join("upper"), probe.join("work"));
        make_dir(&upper)?;
        make_dir(&work)?;
        let attribute = rustix::fs::setxattr(
            upper.as_str(),
            "trusted.overlay.longshore",
            b"y",
            rustix::fs::XattrFlags::empty(),
        );
        attribute.map_err(|errno| unfit("no extended attributes", errno.into()))?;
        match try_overlay(&upper, &work) {
            // A kernel before 5.2 can mount an overlay but not try one.
            Ok(()) | Err(rustix::io::Errno::NOSYS) => {}
            Err(errno) => {
                return Err(unfit("no overlay can have its upper part here", errno.into()));
            }
        }
        remove_tree(&probe)
    }

    pub fn instance(&self, id: &InstanceId) -> InstanceDir {
        InstanceDir { path: self.instances().join(id.as_str()) }
    }

    /// The instances that have a disk here.
    pub fn list(&self) -> Result<Vec<InstanceId>, ComputeError> {
        Ok(self.names()?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Goes on with removals that the last run did not finish.
    pub fn finish_removals(&self) -> Result<(), ComputeError> {
        for name in self.names()?.iter().filter(|name| name.ends_with(REMOVING)) {
            remove_tree(&self.instances().join(name))?;
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, ComputeError> {
        let path = self.instances();
        let names = path.read_dir_utf8().and_then(|entries| {
            entries.map(|entry| Ok(entry?.file_name().to_owned())).collect::<io::Result<_>>()
        });
        names.map_err(ComputeError::file("read", path))
    }
}

/// The directory of one instance.
#[derive(Debug, Clone)]
pub(crate) struct InstanceDir {
    path: Utf8PathBuf,
}

impl InstanceDir {
    /// The directory at `path`, as a sandbox process is told it.
    pub fn at(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    pub fn root(&self) -> Utf8PathBuf {
        self.path.join("root")
    }

    pub fn console(&self) -> Utf8PathBuf {
        self.path.join("console.log")
    }

    /// The writable and the scratch directory of the overlay number `index`; 0 is the one over `/`.
    pub fn overlay(&self, index: usize) -> (Utf8PathBuf, Utf8PathBuf) {
        let disk = if index == 0 { "disk".to_owned() } else { format!("disk-{index}") };
        (self.path.join(&disk).join("upper"), self.path.join(&disk).join("work"))
    }

    /// Writes down everything that the instance's processes need; a disk that is there stays.
    pub fn prepare(
        &self,
        spec: &InstanceSpec,
        limits: Limits,
        hidden: &[Utf8PathBuf],
        cgroup_parent: &str,
    ) -> Result<(), ComputeError> {
        make_dir(&self.path)?;
        make_dir(&self.root())?;
        let process = self.path.join("process.json");
        remove_file(&process)?;
        let staged = self.path.join("staged");
        remove_tree(&staged)?;
        make_dir(&staged)?;

        let user_data = match &spec.user_data {
            Some(script) => Some(stage(&staged, "user-data", script)?),
            None => None,
        };
        let mut files = Vec::new();
        for (number, file) in spec.files.iter().enumerate() {
            let from = match &file.source {
                FileSource::Contents(bytes) => stage(&staged, &number.to_string(), bytes)?,
                FileSource::Machine(path) => path.clone(),
            };
            files.push(BootFile { path: file.path.clone(), mode: file.mode, from });
        }
        let boot = Boot {
            id: spec.id.to_string(),
            address: spec.address,
            hostname: spec.hostname.clone(),
            environment: spec.environment.clone(),
            files,
            user_data,
            hidden: hidden.to_vec(),
            cgroup_parent: cgroup_parent.to_owned(),
            processes_max: limits.processes,
            memory_bytes_max: limits.memory_bytes,
        };
        write_json(&self.path.join("boot.json"), &boot)
    }

    pub fn boot(&self) -> Result<Option<Boot>, ComputeError> {
        read_json(&self.path.join("boot.json"))
    }

    pub fn processes(&self) -> Result<Option<ProcessRecord>, ComputeError> {
        read_json(&self.path.join("process.json"))
    }

    pub fn write_processes(&self, record: &ProcessRecord) -> Result<(), ComputeError> {
        write_json(&self.path.join("process.json"), record)
    }

    /// Says that the instance has no processes any more.
    pub fn forget_processes(&self) -> Result<(), ComputeError> {
        remove_file(&self.path.join("process.json"))
    }

    /// Removes the instance's directory with its disk. A removal that is interrupted is finished at the next start.
    pub fn remove(&self) -> Result<(), ComputeError> {
        let removing = Utf8PathBuf::from(format!("{}{REMOVING}", self.path));
        match fs::rename(&self.path, &removing) {
            Ok(()) => remove_tree(&removing),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(ComputeError::file("move", &self.path)(error)),
        }
    }

    /// The last lines that the instance's first processes printed.
    pub fn console_tail(&self) -> String {
        let text = fs::read(self.console()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(2048)..]).into_owned();
        let lines: Vec<_> = text.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }
}

fn try_overlay(upper: &Utf8Path, work: &Utf8Path) -> rustix::io::Result<()> {
    let overlay = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in
        [("lowerdir", "/"), ("upperdir", upper.as_str()), ("workdir", work.as_str())]
    {
        fsconfig_set_string(&overlay, key, value)?;
    }
    fsconfig_create(&overlay)
}

/// Makes a directory that only root may look into, and those above it.
fn make_dir(path: &Utf8Path) -> Result<(), ComputeError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(ComputeError::file("create", path))
}

fn stage(staged: &Utf8Path, name: &str, bytes: &[u8]) -> Result<Utf8PathBuf, ComputeError> {
    let path = staged.join(name);
    fs::write(&path, bytes).map_err(ComputeError::file("write", &path))?;
    Ok(path)
}

fn read_json<T: DeserializeOwned>(path: &Utf8Path) -> Result<Option<T>, ComputeError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ComputeError::file("read", path)(error)),
    };
    // After a power cut a file may be there without its text.
    if bytes.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| ComputeError::file("understand", path)(error.into()))
}

/// Replaces the file whole: a reader, or a server that starts after a crash, sees the old text or the new.
fn write_json<T: Serialize>(path: &Utf8Path, value: &T) -> Result<(), ComputeError> {
    let fresh = Utf8PathBuf::from(format!("{path}.new"));
    let write = || {
        let bytes = serde_json::to_vec_pretty(value)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&bytes)?;
        fs::rename(&fresh, path)
    };
    write().map_err(ComputeError::file("write", path))
}

fn remove_file(path: &Utf8Path) -> Result<(), ComputeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ComputeError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn remove_tree(path: &Utf8Path) -> Result<(), ComputeError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ComputeError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_serves_one_server_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let state = StateDir::create(Utf8Path::from_path(temporary.path()).unwrap()).unwrap();
        let held = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(ComputeError::InUse(_))));
        drop(held);
        assert!(state.lock().is_ok());
    }

    #[test]
    fn an_interrupted_removal_is_finished_and_is_no_instance() {
        let temporary = tempfile::tempdir().unwrap();
        let state = StateDir::create(Utf8Path::from_path(temporary.path()).unwrap()).unwrap();
        let id: InstanceId = "i-0123456789abcdef0".parse().unwrap();
        fs::create_dir_all(state.instance(&id).path().join("disk/upper")).unwrap();
        fs::create_dir_all(state.instances().join("i-00000000.removing/disk")).unwrap();

        assert_eq!(state.list().unwrap(), [id]);
        state.finish_removals().unwrap();
        assert!(!state.instances().join("i-00000000.removing").exists());
        assert_eq!(state.list().unwrap().len(), 1);
    }
}
