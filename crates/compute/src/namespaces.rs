//! The one module with `unsafe`: leaving and joining name spaces, what must happen between fork and exec, and file
//! descriptors taken by number.
//!
//! Everything here is a thin, safe wrapper; what is done *in* the name spaces lives elsewhere.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{
    LinkNameSpaceType, ThreadNameSpaceType, UnshareFlags, move_into_link_name_space,
    move_into_thread_name_spaces,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Moves this process into new name spaces for its network, host name, IPC and control groups, and its *children*
/// into a new process name space.
pub(crate) fn leave_machine() -> io::Result<()> {
    let flags = UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWCGROUP;
    unshare(flags)
}

/// Gives this process a mount name space of its own.
pub(crate) fn leave_mounts() -> io::Result<()> {
    unshare(UnshareFlags::NEWNS)
}

#[expect(
    unsafe_code,
    reason = "the kernel's call is only dangerous with FILES, which is not passed"
)]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: without `UnshareFlags::FILES` no thread loses file descriptors that it knows.
    unsafe { rustix::thread::unshare_unsafe(flags) }?;
    Ok(())
}

/// Moves this process into all name spaces of the process behind `pidfd`; into its process name space only the
/// children that follow. The process must have a single thread.
pub(crate) fn join_instance(pidfd: impl AsFd) -> io::Result<()> {
    let all = ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::PROCESS_ID
        | ThreadNameSpaceType::NETWORK
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::CONTROL_GROUP;
    Ok(move_into_thread_name_spaces(pidfd.as_fd(), all)?)
}

/// Runs `body` on a thread of its own inside the network name space `network`, and waits for it. The thread ends
/// afterwards: it never comes back into this process's network.
pub(crate) fn in_network<T: Send + 'static>(
    network: File,
    body: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    on_own_thread(move || {
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
        body()
    })
}

/// Runs `body` on a thread of its own inside a new, empty network name space, which ends with it.
pub(crate) fn in_new_network<T: Send + 'static>(
    body: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    on_own_thread(move || {
        unshare(UnshareFlags::NEWNET)?;
        body()
    })
}

fn on_own_thread<T: Send + 'static>(
    body: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let thread = thread::Builder::new().name("instance-network".to_owned()).spawn(body)?;
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Lets the child be killed when the thread that spawns it dies.
#[expect(unsafe_code, reason = "runs between fork and exec")]
pub(crate) fn die_with_parent(command: &mut Command) {
    // SAFETY: the closure makes one system call and neither allocates nor locks.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}

/// Lets the calling task's runtime tell when `descriptor` becomes readable.
#[expect(unsafe_code, reason = "the runtime trusts that the descriptor stays the same")]
pub(crate) fn until_readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open and names the same description for as long as it lives.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}

/// Closes every file descriptor but the three standard streams: what the parent let slip through must not live as
/// long as an instance.
#[expect(unsafe_code, reason = "closes descriptors by number")]
pub(crate) fn close_inherited() -> io::Result<()> {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        if rustix::io::fcntl_getfd(borrow(fd)).is_ok() {
            // SAFETY: called at the start of a program with one thread that has opened nothing of its own yet.
            unsafe { rustix::io::close(fd) };
        }
    }
    Ok(())
}

#[expect(unsafe_code, reason = "names a descriptor that may be closed, to ask whether it is")]
fn borrow<'fd>(fd: i32) -> std::os::fd::BorrowedFd<'fd> {
    // SAFETY: used for one `fcntl` that answers `EBADF` when the descriptor is not open.
    unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) }
}
