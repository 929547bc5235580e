//! What a server does with the instances that an earlier run left.

use std::sync::Arc;

use model::InstanceId;

use super::{Instances, blocking};
use crate::ComputeError;
use crate::cgroup;
use crate::live::{Live, is_of_this_boot};
use crate::network;
use crate::spec::{Adopted, Running};

impl Instances {
    /// Takes over the instances that run, and cleans up after those that do not.
    pub async fn adopt_all(self: &Arc<Self>) -> Result<Vec<Adopted>, ComputeError> {
        let mut adopted = Vec::new();
        for id in self.state.list()? {
            match self.adopt(&id).await {
                Ok(Some(instance)) => adopted.push(instance),
                Ok(None) => self.clean(&id, None).await?,
                Err(error) => {
                    tracing::warn!(instance = %id, %error, "an instance cannot be adopted");
                    self.clean(&id, None).await?;
                }
            }
        }
        let addresses: Vec<_> = adopted.iter().map(|instance| instance.address).collect();
        self.network.detach_all_but(&addresses).await?;
        for group in cgroup::list(&self.names.cgroup) {
            if !adopted.iter().any(|instance| instance.id.as_str() == group) {
                self.groups(&group).kill();
                self.groups(&group).remove().await;
            }
        }
        let state = self.state.clone();
        blocking(move || state.finish_removals()).await?;
        Ok(adopted)
    }

    async fn adopt(self: &Arc<Self>, id: &InstanceId) -> Result<Option<Adopted>, ComputeError> {
        let dir = self.state.instance(id);
        let (Some(record), Some(boot)) = (dir.processes()?, dir.boot()?) else { return Ok(None) };
        if !is_of_this_boot(&record)? {
            return Ok(None);
        }
        let Some(live) = Live::watch(&record, boot.address)? else { return Ok(None) };
        let pid = live.init.pid();
        let metadata = network::metadata_listener(pid).await?;
        self.take_address(id, boot.address)?;
        *self.live(id).lock().await = Some(live.clone());
        self.watch(id.clone(), live);
        let running = Running { pid, metadata };
        let (address, hostname) = (boot.address, boot.hostname);
        Ok(Some(Adopted { id: id.clone(), address, hostname, running }))
    }
}
