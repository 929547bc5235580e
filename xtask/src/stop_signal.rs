//! Ctrl-C and its relatives, as something that one can wait for.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// From its making on, SIGINT, SIGTERM and SIGHUP no longer end this process; they are told here.
pub struct StopSignal {
    told: Receiver<()>,
}

impl StopSignal {
    /// Takes the three signals over.
    pub fn listen() -> anyhow::Result<Self> {
        let (tell, told) = channel();
        let (ready, listening) = channel();
        std::thread::spawn(move || {
            let result =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map(|runtime| {
                    runtime.block_on(async {
                        let mut signals = [
                            signal(SignalKind::interrupt())?,
                            signal(SignalKind::terminate())?,
                            signal(SignalKind::hangup())?,
                        ];
                        let _ = ready.send(());
                        let [interrupt, terminate, hangup] = &mut signals;
                        loop {
                            tokio::select! {
                                _ = interrupt.recv() => {}
                                _ = terminate.recv() => {}
                                _ = hangup.recv() => {}
                            }
                            if tell.send(()).is_err() {
                                return std::io::Result::Ok(());
                            }
                        }
                    })
                });
            drop(result);
        });
        listening.recv().context("signals cannot be listened to")?;
        Ok(Self { told })
    }

    /// Waits for a signal for at most this long. True when one came.
    pub fn within(&self, time: Duration) -> bool {
        !matches!(self.told.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}
