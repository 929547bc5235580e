//! Having the disk write what was made, while more is made.
//!
//! An Install ends by waiting until the disk has everything. The kernel leaves what is written in memory for seconds, so that all
//! of it would be waited for at the end, with idle cores; begun early, most of it is on the disk by then.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long work goes on before the disk is asked, and between two times: what is done sooner has little to wait for.
const PAUSE: Duration = Duration::from_millis(25);

/// As long as this is kept, the disk writes what is made. Nobody waits for it: when it is dropped, some may not be written yet.
#[derive(Debug)]
pub struct WriteBehind {
    /// Nothing is sent: that it is gone says that the work is done.
    _working: Option<Sender<()>>,
}

impl WriteBehind {
    /// For the file system that this directory is on. Where that cannot be opened, there is none: it only saves time.
    pub fn at(directory: &Path) -> Self {
        let Ok(directory) = File::open(directory) else { return Self { _working: None } };
        let (working, done) = channel();
        std::thread::spawn(move || write_until(&done, &directory));
        Self { _working: Some(working) }
    }
}

fn write_until(done: &Receiver<()>, directory: &File) {
    while done.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
        // Whoever needs to know whether the disk has it asks again.
        let _ = rustix::fs::syncfs(directory.as_fd());
    }
}
