//! Why something about a local instance could not be done.

use std::io;
use std::net::Ipv4Addr;

use camino::Utf8PathBuf;
use model::InstanceId;

use crate::missing::Missing;
use crate::subnet::Cidr;

/// Why something about a local instance could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// The machine cannot have local instances; each lack says what to do about it.
    #[error("this machine cannot have local instances: {}", sentence(.0))]
    Unsupported(Vec<Missing>),
    /// Another server keeps its instances in the same state directory.
    #[error("another server uses the state directory `{0}`")]
    InUse(Utf8PathBuf),
    /// The state directory cannot hold instances' disks.
    #[error(
        "`{path}` cannot hold instances' disks ({reason}): choose a directory on an ordinary file system such as ext4 or xfs"
    )]
    StateDirUnfit {
        /// The directory.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What the kernel answered.
        #[source]
        source: io::Error,
    },
    /// Something of the machine's has taken the subnet that this state directory's instances have.
    #[error(
        "the instances' subnet {0} is now used by another network of this machine: give that one up, or remove the state directory"
    )]
    SubnetTaken(Cidr),
    /// Every `10.x.y.0/24` is used on this machine.
    #[error("no 10.x.y.0/24 is free on this machine for the instances")]
    NoFreeSubnet,
    /// The subnet asked for is not of 24 bits.
    #[error("the instances' subnet must have 24 bits, not {0}")]
    SubnetSize(Cidr),
    /// The address is outside of the subnet, or not one that an instance may have.
    #[error("{address} is no address for an instance in {subnet}")]
    AddressUnfit {
        /// The address.
        address: Ipv4Addr,
        /// The subnet that instances have their addresses from.
        subnet: Cidr,
    },
    /// Another instance has the address.
    #[error("{address} is the address of {holder}")]
    AddressTaken {
        /// The address.
        address: Ipv4Addr,
        /// Who has it.
        holder: InstanceId,
    },
    /// A host name that would not fit into `/etc/hosts`.
    #[error("`{0}` is not a host name")]
    HostnameUnfit(String),
    /// A provisioned file's path does not say where it goes.
    #[error("a provisioned file needs an absolute path without `..`, not `{0}`")]
    FilePathUnfit(Utf8PathBuf),
    /// The instance runs already.
    #[error("{0} runs already")]
    AlreadyRunning(InstanceId),
    /// The instance does not run.
    #[error("{0} does not run")]
    NotRunning(InstanceId),
    /// The instance's first processes gave up or said nothing in time.
    #[error("{id} did not start: {reason}")]
    Start {
        /// The instance.
        id: InstanceId,
        /// The last that it said.
        reason: String,
    },
    /// The instance was told to end, killed, and is still there.
    #[error("{0} does not end")]
    DoesNotEnd(InstanceId),
    /// A file or directory of the state directory or of the system.
    #[error("cannot {verb} `{path}`")]
    File {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The kernel refused a change of the network.
    #[error("cannot {0}")]
    Network(String, #[source] io::Error),
    /// `nft` did not take the rules.
    #[error("nft did not take the packet filter: {0}")]
    Filter(String),
    /// A program could not be started.
    #[error("cannot start `{program}`")]
    Program {
        /// The program.
        program: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Watching or signalling a process failed.
    #[error("cannot {verb} process {pid}")]
    Process {
        /// What was tried.
        verb: &'static str,
        /// On which process.
        pid: u32,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

fn sentence(missing: &[Missing]) -> String {
    let parts: Vec<_> = missing.iter().map(ToString::to_string).collect();
    parts.join("; ")
}

impl ComputeError {
    /// For `map_err` on a file operation: `.map_err(ComputeError::file("read", path))`.
    pub(crate) fn file(
        verb: &'static str,
        path: impl Into<Utf8PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }
}
