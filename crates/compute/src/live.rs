//! The two processes that hold a running instance.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use model::InstanceId;
use rustix::process::Signal;

use crate::ComputeError;
use crate::disk::ProcessRecord;
use crate::process::{WatchedProcess, boot_id};

/// How long an instance has to end by itself when it is stopped: longer than its init waits for its processes.
const STOP_GRACE: Duration = Duration::from_secs(6);

/// How long the kernel may take to end what was killed.
pub(crate) const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// A running instance.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub address: Ipv4Addr,
    pub supervisor: Arc<WatchedProcess>,
    pub init: Arc<WatchedProcess>,
}

/// How an instance ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    InOrder,
    AtOnce,
    AtOnceWithDisk,
}

impl Live {
    /// Both processes of an instance that is up; none if one of them is missing.
    pub fn watch(record: &ProcessRecord, address: Ipv4Addr) -> Result<Option<Self>, ComputeError> {
        let Some(init) = record.init else { return Ok(None) };
        let supervisor = WatchedProcess::watch(record.supervisor)?;
        let live = supervisor.zip(WatchedProcess::watch(init)?).map(|(supervisor, init)| Self {
            address,
            supervisor: Arc::new(supervisor),
            init: Arc::new(init),
        });
        Ok(live)
    }

    /// Ends the instance; comes back when nothing of it runs any more.
    pub async fn end(&self, id: &InstanceId, ending: Ending) -> Result<(), ComputeError> {
        if ending == Ending::InOrder {
            self.init.signal(Signal::TERM)?;
            // Those that do not end by themselves are killed next.
            let _ = tokio::time::timeout(STOP_GRACE, self.init.ended()).await;
        }
        // With the init, the kernel kills everything in its process name space before it lets it go.
        self.init.signal(Signal::KILL)?;
        let ended = tokio::time::timeout(KILL_PATIENCE, self.init.ended()).await;
        ended.map_err(|_| ComputeError::DoesNotEnd(id.clone()))?;
        self.supervisor.signal(Signal::KILL)?;
        let ended = tokio::time::timeout(KILL_PATIENCE, self.supervisor.ended()).await;
        ended.map_err(|_| ComputeError::DoesNotEnd(id.clone()))
    }
}

/// Whether the machine still runs since the record was written; else its processes are others' by now.
pub(crate) fn is_of_this_boot(record: &ProcessRecord) -> Result<bool, ComputeError> {
    let now = boot_id().map_err(ComputeError::file("read", "/proc/sys/kernel/random/boot_id"))?;
    Ok(record.boot_id == now)
}

/// Kills what is left of an instance that is not to be adopted.
pub(crate) async fn kill_recorded(record: &ProcessRecord) -> Result<(), ComputeError> {
    if !is_of_this_boot(record)? {
        return Ok(());
    }
    for identity in [record.init, Some(record.supervisor)].into_iter().flatten() {
        if let Some(process) = WatchedProcess::watch(identity)? {
            process.signal(Signal::KILL)?;
            // The control group is looked at next, and says whether anything is left.
            let _ = tokio::time::timeout(KILL_PATIENCE, process.ended()).await;
        }
    }
    Ok(())
}
