//! Doing what is to be done to one instance.

use std::sync::Arc;
use std::time::Duration;

use compute::ComputeError;
use model::InstanceId;
use tokio::task::JoinSet;

use super::provision;
use super::step::{self, Step, Up};
use super::{PerformError, Performer, parsed, record_key, unwrapped};
use crate::driver::chain;
use crate::ec2::{Desired, InstanceRecord, KeyPairRecord, State, StateReason, instances, key};
use crate::forms::records::{RecordError, Records};

/// Pause before an instance whose step failed is looked at again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Performer {
    /// Looks at all instances and begins what is to be done to each; what is being done already is left alone.
    pub(super) async fn look(self: &Arc<Self>, work: &mut JoinSet<()>) -> Result<(), PerformError> {
        let instances = unwrapped(self.records.list::<InstanceRecord>("").await?);
        let mut refreshed = false;
        for record in instances {
            if self.next_step(&record).is_none() {
                continue;
            }
            // An instance must not be seen running before its rules are in force.
            if !refreshed {
                self.refresh_filter().await?;
                refreshed = true;
            }
            if !self.busy().insert(record.id.clone()) {
                continue;
            }
            let performer = Arc::clone(self);
            work.spawn(async move { performer.work_on(record).await });
        }
        if refreshed { Ok(()) } else { self.refresh_filter().await }
    }

    fn next_step(&self, record: &InstanceRecord) -> Option<Step> {
        let up = self.up().get(&record.id).map(|live| live.up);
        step::next(record, up, self.clock.now())
    }

    /// Does what is to be done to an instance that is this task's alone. What that is shows only now: since the records were
    /// listed, whoever had it may have done what was missing, and a start done twice ends what runs.
    async fn work_on(self: Arc<Self>, listed: InstanceRecord) {
        match self.records.get::<InstanceRecord>(&record_key(&listed)).await {
            Ok(Some(kept)) => {
                if let Some(step) = self.next_step(&kept.record) {
                    self.try_step(&kept.record, step).await;
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(instance = listed.id, error = chain(&error), "not looked at");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
        self.busy().remove(&listed.id);
        // The record may have been changed meanwhile.
        self.wake();
    }

    async fn try_step(self: &Arc<Self>, record: &InstanceRecord, step: Step) {
        if let Err(error) = self.perform(record, step).await {
            tracing::error!(instance = record.id, ?step, error = chain(&error), "not done");
            if let PerformError::Compute(error) = &error
                && matches!(step, Step::Start | Step::Restart)
            {
                self.give_up(record, error).await;
            }
            // What fails at once would otherwise be tried again at once, for ever.
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn perform(
        self: &Arc<Self>,
        record: &InstanceRecord,
        step: Step,
    ) -> Result<(), PerformError> {
        let id = parsed(record)?;
        match step {
            Step::Start => self.start(record).await,
            Step::Restart => {
                self.unserve(&record.id);
                self.hosts.stop(&id).await?;
                self.start(record).await
            }
            Step::NoteRunning => self.note_running(record).await,
            Step::Stop => {
                self.unserve(&record.id);
                self.hosts.stop(&id).await?;
                self.note(record, |found| {
                    if found.desired == Desired::Stopped {
                        found.state = State::Stopped;
                    }
                })
                .await
            }
            Step::Terminate => {
                self.unserve(&record.id);
                self.hosts.terminate(&id).await?;
                let now = self.clock.now().as_millis();
                self.note(record, |found| {
                    found.state = State::Terminated;
                    found.terminated_ms = Some(now);
                })
                .await?;
                self.refresh_filter().await
            }
            Step::Forget => self.forget(record).await,
        }
    }

    async fn start(self: &Arc<Self>, record: &InstanceRecord) -> Result<(), PerformError> {
        let _place = self.starting.acquire().await;
        // It was up before the machine or the server ended; now it is not.
        self.note(record, |found| {
            if found.state == State::Running && found.boots == record.boots {
                found.state = State::Pending;
            }
        })
        .await?;
        let key_pair = match &record.key_name {
            None => None,
            Some(name) => self.records.get::<KeyPairRecord>(&key(&record.region, name)).await?,
        };
        let public_key = key_pair.map(|kept| kept.record.public_key);
        let endpoint = self.endpoint();
        let spec = provision::spec(record, &endpoint, public_key, self.agent.as_ref())?;
        let running = match self.hosts.start(&spec).await {
            // An earlier start was reported as failed, but was not.
            Err(ComputeError::AlreadyRunning(id)) => {
                self.hosts.stop(&id).await?;
                self.hosts.start(&spec).await?
            }
            other => other?,
        };
        tracing::info!(instance = record.id, address = %record.address, "started");
        self.serve(record, running);
        self.note_running(record).await
    }

    async fn note_running(&self, record: &InstanceRecord) -> Result<(), PerformError> {
        let up = Up { boots: record.boots };
        self.note(record, |found| {
            if found.desired == Desired::Running && found.boots == up.boots {
                found.state = State::Running;
            }
        })
        .await
    }

    /// An instance that does not start the first time is gone; one that has run before is off, and keeps its disk.
    async fn give_up(&self, record: &InstanceRecord, error: &ComputeError) {
        let reason = StateReason {
            code: "Server.InternalError".to_owned(),
            message: format!("Server.InternalError: {}", chain(error)),
        };
        let given_up = self.note(record, |found| {
            if found.desired != Desired::Running || found.boots != record.boots {
                return;
            }
            found.reason = Some(reason.clone());
            if found.boots == 1 && found.state == State::Pending {
                found.desired = Desired::Terminated;
                found.state = State::ShuttingDown;
            } else {
                found.desired = Desired::Stopped;
                found.state = State::Stopping;
            }
        });
        if let Err(error) = given_up.await {
            tracing::error!(instance = record.id, error = chain(&error), "not noted");
        }
    }

    /// An instance ended by itself: it was switched off from inside, or its first process died.
    /// Source: EC2 user guide, "Change instance initiated shutdown behavior"; the default is to stop.
    pub(super) async fn note_exit(&self, id: &InstanceId) {
        self.unserve(id.as_str());
        let noted = async {
            let found = instances::anywhere(&self.records, id.as_str()).await?;
            let Some(record) = found else { return Ok(()) };
            self.note(&record, |found| {
                if found.desired == Desired::Running && found.boots == record.boots {
                    found.desired = Desired::Stopped;
                    found.state = State::Stopped;
                    found.reason = Some(StateReason {
                        code: "Client.InstanceInitiatedShutdown".to_owned(),
                        message: "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
                            .to_owned(),
                    });
                }
            })
            .await
        };
        match noted.await {
            Ok(()) => tracing::info!(instance = %id, "ended by itself"),
            Err(error) => {
                tracing::error!(instance = %id, error = chain(&error), "its end was not noted");
            }
        }
    }

    async fn forget(&self, record: &InstanceRecord) -> Result<(), PerformError> {
        let Some(kept) = self.records.get::<InstanceRecord>(&record_key(record)).await? else {
            return Ok(());
        };
        match self.records.write(vec![Records::remove(&kept)]).await {
            Ok(()) | Err(RecordError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn note(
        &self,
        record: &InstanceRecord,
        mut change: impl FnMut(&mut InstanceRecord),
    ) -> Result<(), PerformError> {
        let noted = self
            .records
            .update(&record_key(record), |found: &mut InstanceRecord| {
                change(found);
                Ok::<_, RecordError>(())
            })
            .await?;
        if noted.is_none() {
            tracing::warn!(instance = record.id, "its record is gone");
        }
        Ok(())
    }
}
