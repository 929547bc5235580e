//! Where hosts come from: local instances, sandboxed by the kernel of the machine that longshore runs on.
//!
//! A local instance is a tree of processes in name spaces of its own, with an overlay of the machine's `/` as its
//! root and an address on a private bridge. This crate owns how one is made, entered, watched, filtered, ended and
//! found again after the server died; it takes every decision from its caller: it draws no ids, knows no security
//! groups (only addresses and ports) and serves no metadata (it hands out the socket to serve it on).
//!
//! Start reading at [`LocalHosts`]. The processes of an instance are this same executable started again under
//! another first argument; therefore every program that uses this crate calls [`run_if_sandbox_process`] first in
//! its `main`.

mod error;
mod spec;
mod subnet;

mod local;
mod missing;

mod instances;
mod launch;
mod live;

mod cgroup;
mod disk;
mod filter;
mod network;
mod nft;
mod process;

mod namespaces;
mod sandbox;

pub use error::ComputeError;
pub use local::LocalHosts;
pub use missing::Missing;
pub use sandbox::{enter, run_if_sandbox_process};
pub use spec::{
    Adopted, FileSource, Ingress, InstanceSpec, Limits, LocalConfig, Protocol, ProvisionedFile,
    Running,
};
pub use subnet::{Cidr, InvalidCidr};
