//! Where the output of hooks goes: the deployment's log, the host's log, the tail that a failure reports, and the control
//! plane.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};

use super::secrets::Secrets;
use crate::clock;
use crate::layout;
use crate::output::{Outbox, Stream};

/// Length from which the tail lets old entries go, in characters. Source: official agent.
const TAIL: usize = 2048;
/// Size from which a log is rotated, and how many rotated ones are kept. Source: official agent, deployments log.
const ROTATE_BYTES: u64 = 64 << 20;
const ROTATED_KEPT: usize = 7;
/// Lines are written together up to this size, in bytes, where a script prints many at once.
const WRITE_BYTES: usize = 64 << 10;

/// The files that take hook output.
#[derive(Debug, Clone)]
pub struct LogSinks {
    /// The deployment's `logs/scripts.log`.
    pub scripts: Utf8PathBuf,
    /// The log of all deployments, if wanted.
    pub deployments: Option<Utf8PathBuf>,
    /// The deployment's id, for the log of all.
    pub deployment: String,
}

/// The log of one event's scripts.
#[derive(Debug)]
pub struct HookLog {
    sinks: LogSinks,
    scripts: Option<Rotated>,
    deployments: Option<Rotated>,
    tail: Tail,
    /// The way to the control plane, if it wants to know.
    outbox: Option<Outbox>,
    secrets: Secrets,
    stamps: Stamps,
}

impl HookLog {
    /// A log that opens its files when the first entry comes, so that an event without scripts leaves none.
    pub fn new(sinks: LogSinks) -> Self {
        Self {
            sinks,
            scripts: None,
            deployments: None,
            tail: Tail::default(),
            outbox: None,
            secrets: Secrets::default(),
            stamps: Stamps::now(),
        }
    }

    /// The same, which also goes to the control plane.
    #[must_use]
    pub fn telling(mut self, outbox: Option<Outbox>) -> Self {
        self.outbox = outbox;
        self
    }

    /// Masks these values in the output from now on.
    pub fn keep_secret(&mut self, secrets: Secrets) {
        self.secrets = secrets;
    }

    /// Adds an entry: a line with its prefix and, where it has one, its end.
    ///
    /// A log that cannot be written (a full disk) does not fail the deployment: the entry is still in the tail.
    pub fn entry(&mut self, text: &str) {
        if let Some(outbox) = &self.outbox {
            outbox.add(Stream::Note, text.as_bytes());
        }
        self.add(text.as_bytes());
        self.flush();
    }

    /// The files get the bytes as they are, whatever they mean; the tail goes into JSON, which takes only text.
    fn add(&mut self, entry: &[u8]) {
        self.stamps.renew();
        if self.scripts.is_none() {
            self.scripts = Rotated::open(&self.sinks.scripts, "")
                .inspect_err(
                    |error| tracing::warn!(path = %self.sinks.scripts, %error, "no script log"),
                )
                .ok();
        }
        if let Some(file) = &mut self.scripts {
            file.write(&[self.stamps.scripts.as_bytes(), entry]);
        }
        if self.deployments.is_none()
            && let Some(path) = &self.sinks.deployments
        {
            let now = clock::now();
            let header = format!("# Logfile created on {}\n", now.strftime("%Y-%m-%d %H:%M:%S %z"));
            self.deployments = Rotated::open(path, &header).ok();
        }
        if let Some(file) = &mut self.deployments {
            let (stamp, deployment) = (self.stamps.deployments.as_bytes(), &self.sinks.deployment);
            file.write(&[stamp, b" [", deployment.as_bytes(), b"]", entry.trim_ascii(), b"\n"]);
        }
        self.tail.add(&String::from_utf8_lossy(entry));
    }

    /// Adds a line of output; `ended` says whether the script ended it.
    pub(super) fn output(&mut self, stream: Stream, line: &[u8], ended: bool) {
        let end: &[u8] = if ended { b"\n" } else { b"" };
        let line = [&self.secrets.mask(line), end].concat();
        if let Some(outbox) = &self.outbox {
            outbox.add(stream, &line);
        }
        self.add(&[b"[", stream.name().as_bytes(), b"]", &line].concat());
    }

    /// Up to where a line that goes on may be logged already.
    pub(super) fn printable(&self, line: &[u8]) -> usize {
        self.secrets.printable(line)
    }

    /// Writes to the files what was added.
    pub(super) fn flush(&mut self) {
        for file in [&mut self.scripts, &mut self.deployments].into_iter().flatten() {
            file.flush();
        }
    }

    /// The last of the log, at most about 4,000 characters.
    pub fn tail(&self) -> String {
        self.tail.text()
    }
}

/// The time as the two files have it. To write it anew for each line of a script that prints millions would take longer
/// than all else.
#[derive(Debug)]
struct Stamps {
    scripts: String,
    deployments: String,
    made: Instant,
}

impl Stamps {
    fn now() -> Self {
        let now = clock::now();
        Self {
            scripts: now.strftime("%Y-%m-%d %H:%M:%S ").to_string(),
            deployments: now.strftime("[%Y-%m-%d %H:%M:%S%.3f]").to_string(),
            made: Instant::now(),
        }
    }

    fn renew(&mut self) {
        if self.made.elapsed() >= Duration::from_millis(1) {
            *self = Self::now();
        }
    }
}

/// The newest entries, with their lengths in characters.
#[derive(Debug, Default)]
struct Tail {
    entries: VecDeque<(String, usize)>,
    /// The sum of the lengths.
    length: usize,
}

impl Tail {
    fn add(&mut self, entry: &str) {
        let entry = shortened(entry);
        let length = entry.chars().count();
        self.entries.push_back((entry, length));
        self.length += length;
        // What lies behind as much as the tail may hold is never in it again.
        while let (Some((_, oldest)), Some((_, newest))) =
            (self.entries.front(), self.entries.back())
            && self.entries.len() > 1
            && self.length - oldest - newest >= TAIL
        {
            self.length -= oldest;
            self.entries.pop_front();
        }
    }

    /// The newest entry is free of charge; each older one must fit with itself counted twice. Source: official agent.
    fn text(&self) -> String {
        let newest = self.entries.len().saturating_sub(1);
        let (mut first, mut between) = (newest, 0);
        for (at, (_, length)) in self.entries.iter().enumerate().take(newest).rev() {
            if between + 2 * length >= TAIL {
                break;
            }
            between += length;
            first = at;
        }
        self.entries.iter().skip(first).map(|(entry, _)| entry.as_str()).collect()
    }
}

/// An entry as the tail keeps it: of one that alone would fill the tail, its prefix and its end.
fn shortened(entry: &str) -> String {
    let count = entry.chars().count();
    if count < TAIL {
        return entry.to_owned();
    }
    let prefix = entry.find(']').map_or("", |end| &entry[..=end]);
    let prefix = if prefix.len() <= 8 { prefix } else { "" };
    let kept: String = entry.chars().skip(count - (TAIL - 16)).collect();
    format!("{prefix}…{kept}")
}

/// A log that is put aside when it is long. Events of other groups may write to the same, and other processes too.
#[derive(Debug)]
struct Rotated {
    path: Utf8PathBuf,
    file: File,
    header: String,
    /// Lines that are not written yet.
    waiting: Vec<u8>,
}

impl Rotated {
    fn open(path: &Utf8Path, header: &str) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            layout::private_directory(parent)?;
        }
        let file = append(path)?;
        let is_new = file.metadata()?.len() == 0;
        let (path, header) = (path.to_owned(), header.to_owned());
        let mut log = Self { path, file, header, waiting: Vec::new() };
        if is_new {
            log.waiting.extend_from_slice(log.header.as_bytes());
        }
        Ok(log)
    }

    fn write(&mut self, parts: &[&[u8]]) {
        self.waiting.extend(parts.iter().copied().flatten());
        if self.waiting.len() >= WRITE_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        if self.file.metadata().is_ok_and(|metadata| metadata.len() > ROTATE_BYTES) {
            self.rotate();
        }
        let _ = self.file.write_all(&self.waiting);
        self.waiting.clear();
    }

    fn rotate(&mut self) {
        // Whoever else has the same long file waits, and then sees that it was put aside.
        let _ = flock(&self.file, FlockOperation::LockExclusive);
        if self.is_in_place() {
            for number in (0..ROTATED_KEPT - 1).rev() {
                let from = format!("{}.{number}", self.path);
                let _ = fs::rename(from, format!("{}.{}", self.path, number + 1));
            }
            let _ = fs::rename(&self.path, format!("{}.0", self.path));
        }
        if let Ok(file) = append(&self.path) {
            if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
                self.waiting.splice(..0, self.header.bytes());
            }
            self.file = file;
        } else {
            let _ = flock(&self.file, FlockOperation::Unlock);
        }
    }

    /// Whether the file has its name still.
    fn is_in_place(&self) -> bool {
        let of = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let own = self.file.metadata().map(of);
        own.is_ok_and(|own| fs::metadata(&self.path).is_ok_and(|there| of(there) == own))
    }
}

/// Opens for appending. Scripts print secrets now and then, so the log is for its owner alone.
fn append(path: &Utf8Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(dir: &Utf8Path) -> HookLog {
        HookLog::new(LogSinks {
            scripts: dir.join("logs/scripts.log"),
            deployments: Some(dir.join("all.log")),
            deployment: "d-1".to_owned(),
        })
    }

    #[test]
    fn the_tail_stays_below_its_bound_and_keeps_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = log(Utf8Path::from_path(dir.path()).unwrap());
        for number in 0..1000 {
            log.entry(&format!("[stdout]line {number}\n"));
        }
        let tail = log.tail();
        assert!(tail.ends_with("[stdout]line 999\n"));
        assert!((1900..4095).contains(&tail.len()), "{}", tail.len());
    }

    #[test]
    fn one_long_line_does_not_empty_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = log(Utf8Path::from_path(dir.path()).unwrap());
        log.entry("[stdout]before\n");
        log.entry(&format!("[stdout]{}end\n", "x".repeat(10_000)));
        assert!(log.tail().starts_with("[stdout]before\n[stdout]…x"));
        assert!(log.tail().ends_with("xend\n"));
        assert!(log.tail().chars().count() < 4095);
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_in_the_files_and_marked_in_the_tail() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let mut log = log(root);
        log.output(Stream::Stdout, b"bad \xff\xfe bytes", true);
        log.flush();
        let scripts = fs::read(root.join("logs/scripts.log")).unwrap();
        assert_eq!(&scripts[19..], b" [stdout]bad \xff\xfe bytes\n");
        assert!(fs::read(root.join("all.log")).unwrap().ends_with(b"bad \xff\xfe bytes\n"));
        assert_eq!(log.tail(), "[stdout]bad \u{fffd}\u{fffd} bytes\n");
    }

    #[test]
    fn long_logs_are_put_aside_once_and_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let (mut one, mut other) = (log(root), log(root));
        one.entry("first\n");
        other.entry("second\n");
        let paths = [root.join("all.log"), root.join("logs/scripts.log")];
        for path in &paths {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(ROTATE_BYTES + 1).unwrap();
            for number in 0..ROTATED_KEPT {
                fs::write(format!("{path}.{number}"), number.to_string()).unwrap();
            }
        }
        one.entry("third\n");
        other.entry("fourth\n");
        for path in &paths {
            let text = fs::read_to_string(path).unwrap();
            assert!(text.contains("third\n") && text.ends_with("fourth\n"), "{text}");
            assert_eq!(text.starts_with("# Logfile created on "), path.ends_with("all.log"));
            let aside = fs::metadata(format!("{path}.0")).unwrap();
            assert_eq!(aside.len(), ROTATE_BYTES + 1);
            // As many files as the official agent has of its log of all deployments: eight.
            assert_eq!(fs::read_to_string(format!("{path}.6")).unwrap(), "5");
            assert!(!Utf8PathBuf::from(format!("{path}.7")).exists());
        }
    }

    #[test]
    fn entries_go_to_both_files_with_their_stamps() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let mut log = log(root);
        log.entry("LifecycleEvent - AfterInstall\n");
        let scripts = fs::read_to_string(root.join("logs/scripts.log")).unwrap();
        assert_eq!(&scripts[19..], " LifecycleEvent - AfterInstall\n");
        let all = fs::read_to_string(root.join("all.log")).unwrap();
        assert!(
            all.starts_with("# Logfile created on ")
                && all.ends_with("] [d-1]LifecycleEvent - AfterInstall\n")
        );
    }
}
