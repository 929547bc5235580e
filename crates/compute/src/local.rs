//! The local instances of one server, as others see them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use model::InstanceId;

use crate::instances::Instances;
use crate::live::Ending;
use crate::spec::{Adopted, Ingress, InstanceSpec, LocalConfig, Running};
use crate::subnet::Cidr;
use crate::{ComputeError, Missing};

/// The local instances of one server: it starts, watches, filters and ends them.
///
/// Cheap to clone. Dropping it ends nothing: the instances run on and are adopted by the next [`Self::open`] on the
/// same state directory; [`Self::close`] ends them all. Every method that changes something runs to its end even if
/// its caller stops waiting.
#[derive(Debug, Clone)]
pub struct LocalHosts {
    instances: Arc<Instances>,
}

impl LocalHosts {
    /// Makes the bridge and the filter, adopts the instances of an earlier run that still run, and removes what those
    /// that died left behind. Their disks stay until [`Self::terminate`]; so do the filter's rules until
    /// [`Self::set_ingress`].
    ///
    /// # Errors
    /// [`ComputeError::Unsupported`] if the machine lacks something, and what else its name says.
    pub async fn open(config: LocalConfig) -> Result<(Self, Vec<Adopted>), ComputeError> {
        let missing = Self::missing();
        if !missing.is_empty() {
            return Err(ComputeError::Unsupported(missing));
        }
        let instances = Instances::open(config).await?;
        let adopted = instances.adopt_all().await?;
        Ok((Self { instances }, adopted))
    }

    /// What this machine lacks to have local instances; nothing, if they can be had. Takes some milliseconds.
    pub fn missing() -> Vec<Missing> {
        crate::missing::missing()
    }

    /// The machine's address on the bridge. The server listens there too, for the instances.
    pub fn gateway(&self) -> Ipv4Addr {
        self.instances.gateway()
    }

    /// The range that instances have their addresses from.
    pub fn subnet(&self) -> Cidr {
        self.instances.subnet()
    }

    /// An address for a new instance: none of `used`, nor of a running one. None when all 251 are taken.
    pub fn free_address(&self, used: &[Ipv4Addr]) -> Option<Ipv4Addr> {
        self.instances.free_address(used)
    }

    /// Starts a new instance, or a stopped one again on the disk that it has. Once this answers, the instance can be
    /// reached at its address, and its boot services have been started.
    ///
    /// # Errors
    /// [`ComputeError::AlreadyRunning`] and [`ComputeError::AddressTaken`]; [`ComputeError::Start`] with what its
    /// first processes said. After an error nothing of it runs; the disk stays.
    pub async fn start(&self, spec: &InstanceSpec) -> Result<Running, ComputeError> {
        spec.check(self.instances.subnet())?;
        let (instances, spec) = (self.instances.clone(), spec.clone());
        to_the_end(async move { instances.start(&spec).await }).await
    }

    /// Ends the instance's processes, after some seconds by force, and takes it off the network; its disk stays.
    /// Nothing to do is success.
    pub async fn stop(&self, id: &InstanceId) -> Result<(), ComputeError> {
        let (instances, id) = (self.instances.clone(), id.clone());
        to_the_end(async move { instances.end(&id, Ending::InOrder).await }).await
    }

    /// Ends the instance at once and removes everything of it. Nothing to do is success.
    pub async fn terminate(&self, id: &InstanceId) -> Result<(), ComputeError> {
        let (instances, id) = (self.instances.clone(), id.clone());
        to_the_end(async move { instances.end(&id, Ending::AtOnceWithDisk).await }).await
    }

    /// Replaces all rules at once: an instance accepts what its address's rules allow and nothing else. Connections
    /// that exist go on. The rules outlive the server.
    pub async fn set_ingress(
        &self,
        rules: &[(Ipv4Addr, Vec<Ingress>)],
    ) -> Result<(), ComputeError> {
        let (instances, rules) = (self.instances.clone(), rules.to_vec());
        to_the_end(async move { instances.set_ingress(&rules).await }).await
    }

    /// The next instance that ended by itself: its init died or was told to end from inside. It is off the network
    /// already; its disk stays.
    pub async fn exited(&self) -> InstanceId {
        self.instances.exited().await
    }

    /// Ends all instances and, with `remove_bridge`, takes the bridge, the filter and the control groups away too.
    /// The disks stay until [`Self::terminate`].
    pub async fn close(self, remove_bridge: bool) -> Result<(), ComputeError> {
        let instances = self.instances;
        to_the_end(async move { instances.close(remove_bridge).await }).await
    }
}

/// Runs `work` to its end even when the caller gives up waiting: half an instance helps nobody.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ComputeError>> + Send + 'static,
) -> Result<T, ComputeError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that shuts down cancels it, and then nobody reads the answer.
            Err(_) => std::future::pending().await,
        },
    }
}
