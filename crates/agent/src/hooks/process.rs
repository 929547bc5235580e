//! Watching a script: its output, its end and its deadline, with one `poll` and without a bound left open.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::cgroup::ControlGroup;
use super::log::HookLog;
use super::tree;
use crate::output::Stream as Printed;

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With this status; with none, by a signal.
    Status(Option<i32>),
    /// By us, because its time was up.
    TimedOut,
}

/// How long a script that is to end has to do so by itself, between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);
/// How long after KILL we wait; a process in an uninterruptible system call may take for ever, and must not hold the event.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// How often is looked whether all of a script's processes are gone.
const LOOK: Duration = Duration::from_millis(20);
/// A tree that goes on making processes is signalled this often.
const KILL_ROUNDS: u32 = 50;
/// After a script's end its output is read until it has been silent for this long: a background child that keeps the
/// pipe open must not hold the event.
const QUIET: Duration = Duration::from_millis(150);
/// And for no longer than this, if the child goes on talking.
const LINGER: Duration = Duration::from_secs(1);
/// A line longer than this is logged in pieces, so that memory does not grow with it.
const PIECE: usize = 64 * 1024;

/// Watches a script until it is over.
pub(super) fn watch(
    mut child: Child,
    group: Option<&ControlGroup>,
    timeout: Duration,
    log: &mut HookLog,
) -> End {
    let pid = Pid::from_child(&child);
    let streams = [
        stream(Printed::Stdout, child.stdout.take()),
        stream(Printed::Stderr, child.stderr.take()),
    ];
    let mut watch = Watch { streams, exit: pidfd_open(pid, PidfdFlags::empty()).ok() };
    let timed_out = watch.until_exit(&mut child, Instant::now() + timeout, log) == Exit::Deadline;
    if timed_out {
        // A log on a stalled disk must not lengthen the script's time.
        watch.end(&mut child, pid, group, log);
        tracing::warn!(pid = pid.as_raw_nonzero().get(), "the script's time was up: ended it");
    }
    watch.drain(log);
    match child.try_wait() {
        _ if timed_out => End::TimedOut,
        Ok(Some(status)) => End::Status(status.code()),
        // Neither happens after an exit was seen; a script that cannot be waited for has not succeeded.
        Ok(None) | Err(_) => End::Status(None),
    }
}

#[derive(PartialEq, Eq)]
enum Exit {
    Exited,
    Deadline,
}

struct Watch {
    streams: [Option<Stream>; 2],
    exit: Option<OwnedFd>,
}

impl Watch {
    fn until_exit(&mut self, child: &mut Child, deadline: Instant, log: &mut HookLog) -> Exit {
        loop {
            // Kernels before 5.3 have no descriptor for a process: look from time to time.
            let wait = match self.exit {
                Some(_) => deadline.saturating_duration_since(Instant::now()),
                None => deadline
                    .saturating_duration_since(Instant::now())
                    .min(Duration::from_millis(20)),
            };
            let exited = self.step(wait, log);
            if (exited || self.exit.is_none()) && !matches!(child.try_wait(), Ok(None)) {
                return Exit::Exited;
            }
            if Instant::now() >= deadline {
                return Exit::Deadline;
            }
        }
    }

    fn end(
        &mut self,
        child: &mut Child,
        pid: Pid,
        group: Option<&ControlGroup>,
        log: &mut HookLog,
    ) {
        match group {
            Some(group) => self.end_group(child, group, log),
            None => self.end_tree(pid, log),
        }
        self.until_exit(child, Instant::now() + AFTER_KILL, log);
    }

    fn end_group(&mut self, child: &mut Child, group: &ControlGroup, log: &mut HookLog) {
        group.signal(Signal::TERM);
        self.until_exit(child, Instant::now() + GRACE, log);
        // The script may be gone while others of its group ignored the signal.
        group.kill();
    }

    /// Ends all that is in a keeper's care. Stopped, the keeper does not end with the script, so that what is left stays
    /// in its care until that is gone too.
    fn end_tree(&mut self, keeper: Pid, log: &mut HookLog) {
        let _ = kill_process(keeper, Signal::STOP);
        signal_all(&tree::descendants(keeper), Signal::TERM);
        let until = Instant::now() + GRACE;
        while !tree::descendants(keeper).is_empty() && Instant::now() < until {
            self.step(LOOK, log);
        }
        for _ in 0..KILL_ROUNDS {
            let left = tree::descendants(keeper);
            if left.is_empty() {
                break;
            }
            signal_all(&left, Signal::KILL);
            self.step(LOOK, log);
        }
        let _ = kill_process(keeper, Signal::CONT);
    }

    /// Waits for output or the exit; says whether the script has exited.
    fn step(&mut self, wait: Duration, log: &mut HookLog) -> bool {
        let ready = self.ready(wait);
        for (stream, _) in
            self.streams.iter_mut().zip(ready).filter(|(stream, ready)| *ready && stream.is_some())
        {
            if !stream.as_mut().is_some_and(|open| open.read(log)) {
                *stream = None;
            }
        }
        log.flush();
        ready[2]
    }

    fn ready(&self, wait: Duration) -> [bool; 3] {
        let fds: [Option<BorrowedFd<'_>>; 3] = [
            self.streams[0].as_ref().map(|stream| stream.source.as_fd()),
            self.streams[1].as_ref().map(|stream| stream.source.as_fd()),
            self.exit.as_ref().map(AsFd::as_fd),
        ];
        let mut polled: Vec<PollFd<'_>> =
            fds.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let wait = Timespec {
            tv_sec: wait.as_secs().min(86_400 * 365) as i64,
            tv_nsec: wait.subsec_nanos().into(),
        };
        // An interrupted wait is a short one.
        if poll(&mut polled, Some(&wait)).is_err() {
            return [false; 3];
        }
        let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
        fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false))
    }

    fn drain(&mut self, log: &mut HookLog) {
        self.exit = None;
        let until = Instant::now() + LINGER;
        while self.streams.iter().any(Option::is_some) && Instant::now() < until {
            if !self.ready(QUIET).contains(&true) {
                break;
            }
            self.step(Duration::ZERO, log);
        }
        for stream in self.streams.iter_mut().filter_map(Option::take) {
            stream.leave(log);
        }
        log.flush();
    }
}

fn signal_all(processes: &[Pid], signal: Signal) {
    for process in processes {
        // Whoever is gone already cannot be signalled, and need not be.
        let _ = kill_process(*process, signal);
    }
}

struct Stream {
    printed: Printed,
    source: Box<dyn Source>,
    /// What came since the last end of line.
    line: Vec<u8>,
}

trait Source: Read + AsFd + Send {}
impl<T: Read + AsFd + Send> Source for T {}

fn stream(printed: Printed, source: Option<impl Source + 'static>) -> Option<Stream> {
    source.map(|source| Stream { printed, source: Box::new(source), line: Vec::new() })
}

impl Stream {
    /// Reads what is there; `false` at the end.
    fn read(&mut self, log: &mut HookLog) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.source.read(&mut buffer) {
            Ok(0) => {
                self.flush(log);
                false
            }
            Ok(count) => {
                self.take(&buffer[..count], log);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }

    fn take(&mut self, bytes: &[u8], log: &mut HookLog) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.line.pop();
                log.output(self.printed, &std::mem::take(&mut self.line), true);
            } else if self.line.len() >= PIECE {
                let rest = self.line.split_off(log.printable(&self.line));
                log.output(self.printed, &std::mem::replace(&mut self.line, rest), true);
            }
        }
    }

    /// Logs a last line that has no end.
    fn flush(&mut self, log: &mut HookLog) {
        if !self.line.is_empty() {
            log.output(self.printed, &std::mem::take(&mut self.line), false);
        }
    }

    /// Goes on reading, without keeping, what a background child still writes: closing the pipe would end that child by
    /// a signal at its next word.
    fn leave(mut self, log: &mut HookLog) {
        self.flush(log);
        tracing::info!("a background process keeps the script's {} open", self.printed.name());
        let reader = std::thread::Builder::new().name("leftover-output".to_owned());
        let spawned = reader.stack_size(64 * 1024).spawn(move || {
            let _ = io::copy(&mut self.source, &mut io::sink());
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "nobody reads the background process's output");
        }
    }
}
