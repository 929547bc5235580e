//! Writing many files on every core, in bounded memory.
//!
//! Whoever reads the archive hands files to the threads here, each path always to the same one: two entries of one name stay in
//! their order. Each thread stays below the root by itself, see [`Beneath`].

use std::collections::VecDeque;
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Scope;

use camino::Utf8Path;

use super::BundleError;
use super::beneath::Beneath;
use super::unpack::{Attributes, Setting, fault};

/// The content of a file goes to its thread in pieces of at most this many bytes.
pub(super) const PIECE_BYTES: usize = 64 * 1024;
/// Content that waits for a thread, in bytes: with [`THREADS_MAX`] the bound of the memory taken. As much as the small files of some
/// directories have: archives bring one directory after the other, and the next one's thread shall have begun.
const WAITING_BYTES_MAX: usize = 2 << 20;
/// Jobs that wait for a thread.
const WAITING_MAX: usize = 1024;
/// More threads than this only wait for the file system.
const THREADS_MAX: usize = 4;

/// What a thread is told.
enum Job {
    /// Make a file.
    Begin { path: PathBuf, name: Vec<u8>, with: Attributes, content: Vec<u8>, more: bool },
    /// What comes next in it.
    More { content: Vec<u8>, more: bool },
    /// Say when everything before this is done.
    Settle(SyncSender<()>),
}

impl Job {
    /// How much content waits with it.
    fn bytes(&self) -> usize {
        match self {
            Self::Begin { content, .. } | Self::More { content, .. } => content.len(),
            Self::Settle(_) => 0,
        }
    }
}

/// Room for the content that waits for a thread.
struct Room {
    free: Mutex<usize>,
    changed: Condvar,
}

impl Room {
    fn new() -> Self {
        Self { free: Mutex::new(WAITING_BYTES_MAX), changed: Condvar::new() }
    }

    fn take(&self, bytes: usize) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.changed.wait_while(free, |free| *free < bytes);
        *free.unwrap_or_else(PoisonError::into_inner) -= bytes;
    }

    fn give(&self, bytes: usize) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        self.changed.notify_all();
    }
}

/// Lets nobody wait for room with a thread that has ended.
struct Leaving(Arc<Room>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.give(usize::MAX / 2);
    }
}

/// The threads.
pub(super) struct Pool<'a> {
    threads: Vec<(SyncSender<Job>, Arc<Room>)>,
    first_fault: &'a Mutex<Option<BundleError>>,
    hasher: BuildHasherDefault<DefaultHasher>,
    /// Which threads have been told something since the pool was last settled.
    busy: Vec<bool>,
}

impl<'scope, 'a: 'scope> Pool<'a> {
    /// Starts the threads. What goes wrong in them is put into `first_fault`.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn start(
        scope: &'scope Scope<'scope, '_>,
        into: &'a Utf8Path,
        setting: Setting,
        first_fault: &'a Mutex<Option<BundleError>>,
    ) -> Result<Self, BundleError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut threads = Vec::new();
        for _ in 0..cores.min(THREADS_MAX) {
            let beneath = Beneath::open(into.as_std_path());
            let beneath = beneath.map_err(BundleError::host("open", into))?;
            let (sender, jobs) = sync_channel(WAITING_MAX);
            let room = Arc::new(Room::new());
            let leaving = Leaving(Arc::clone(&room));
            scope.spawn(move || {
                let worker = Worker { beneath, into, setting, open: None };
                if let Err(fault) = worker.run(&jobs, &leaving.0) {
                    let mut first = first_fault.lock().unwrap_or_else(PoisonError::into_inner);
                    first.get_or_insert(fault);
                }
            });
            threads.push((sender, room));
        }
        let busy = vec![false; threads.len()];
        Ok(Self { threads, first_fault, hasher: BuildHasherDefault::default(), busy })
    }

    /// The thread for a path. A directory is one thread's: two that make files in it wait for each other, and burn their time.
    pub fn thread_of(&self, path: &Path) -> usize {
        usize::try_from(self.hasher.hash_one(path.parent()) % self.threads.len() as u64)
            .unwrap_or(0)
    }

    /// Begins a file on its thread.
    ///
    /// # Errors
    /// A thread failed.
    pub fn begin(
        &mut self,
        thread: usize,
        (path, name): (PathBuf, Vec<u8>),
        with: Attributes,
        (content, more): (Vec<u8>, bool),
    ) -> Result<(), BundleError> {
        self.tell(thread, Job::Begin { path, name, with, content, more })
    }

    /// Goes on with the file that the thread has open.
    ///
    /// # Errors
    /// A thread failed.
    pub fn more(&mut self, thread: usize, content: Vec<u8>, more: bool) -> Result<(), BundleError> {
        self.tell(thread, Job::More { content, more })
    }

    fn tell(&mut self, thread: usize, job: Job) -> Result<(), BundleError> {
        self.busy[thread] = true;
        let (sender, room) = &self.threads[thread];
        room.take(job.bytes());
        sender.send(job).map_err(|_| self.failed())
    }

    /// Waits until all files are written that the threads were told of.
    ///
    /// # Errors
    /// A thread failed.
    pub fn settle(&mut self) -> Result<(), BundleError> {
        let mut waiting = VecDeque::new();
        for thread in 0..self.threads.len() {
            if std::mem::take(&mut self.busy[thread]) {
                let (sender, done) = sync_channel(1);
                self.threads[thread].0.send(Job::Settle(sender)).map_err(|_| self.failed())?;
                waiting.push_back(done);
            }
        }
        waiting.into_iter().try_for_each(|done| done.recv().map_err(|_| self.failed()))
    }

    /// Why a thread ended early. It may still be about to say so: it says so before it stops to listen.
    fn failed(&self) -> BundleError {
        let mut first = self.first_fault.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().unwrap_or_else(|| BundleError::Archive {
            kind: "the",
            reason: "a thread that writes files ended".to_owned(),
        })
    }
}

struct Worker<'a> {
    beneath: Beneath,
    into: &'a Utf8Path,
    setting: Setting,
    open: Option<(File, Vec<u8>, Attributes)>,
}

impl Worker<'_> {
    fn run(mut self, jobs: &Receiver<Job>, room: &Room) -> Result<(), BundleError> {
        while let Ok(job) = jobs.recv() {
            let bytes = job.bytes();
            match job {
                Job::Begin { path, name, with, content, more } => {
                    let file = self.beneath.file(&path);
                    let file = file.map_err(|e| fault(self.into, "create", &name, e))?;
                    self.open = Some((file, name, with));
                    self.write(&content, more)?;
                }
                Job::More { content, more } => self.write(&content, more)?,
                Job::Settle(done) => drop(done.send(())),
            }
            room.give(bytes);
        }
        Ok(())
    }

    fn write(&mut self, content: &[u8], more: bool) -> Result<(), BundleError> {
        let Some((file, name, with)) = &mut self.open else { return Ok(()) };
        file.write_all(content).map_err(|error| fault(self.into, "write", name, error))?;
        if !more {
            let set = self.setting.set(file, *with);
            set.map_err(|error| fault(self.into, "set the attributes of", name, error))?;
            self.open = None;
        }
        Ok(())
    }
}
