//! What a caller says about local instances, and what it gets back.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

use camino::Utf8PathBuf;
use model::InstanceId;
use serde::{Deserialize, Serialize};

use crate::ComputeError;
use crate::subnet::Cidr;

/// The places in the subnet that instances may have. As in a subnet of EC2, the first four and the last are not given
/// to instances. Source: VPC user guide, "Subnet sizing for IPv4".
pub(crate) const INSTANCE_NUMBERS: RangeInclusive<u32> = 4..=254;

/// How one server keeps its local instances.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// The directory of everything kept about instances. Two servers on one machine need two of them; each gets a
    /// bridge, a subnet and filter tables of its own.
    pub state_dir: Utf8PathBuf,
    /// The program that is started again as an instance's supervisor and init: the running one, usually. Its `main`
    /// calls [`crate::run_if_sandbox_process`] first.
    pub executable: Utf8PathBuf,
    /// The private subnet, of 24 bits; a free `10.x.y.0/24` is chosen when absent. What was used first stays: it is
    /// written down in the state directory.
    pub subnet: Option<Cidr>,
    /// TCP ports of the machine that instances may connect to; every other port is out of their reach.
    pub allowed_ports: Vec<u16>,
    /// More directories of the machine that instances must not see, the server's data directory above all; those
    /// that do not exist when the server starts are left out. The state directory is hidden in any case.
    pub hidden: Vec<Utf8PathBuf>,
    /// What one instance may use.
    pub limits: Limits,
}

/// What one instance may use of the machine; enforced where the machine's control groups can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most processes and threads at one time.
    pub processes: Option<u32>,
    /// The most memory, in bytes.
    pub memory_bytes: Option<u64>,
}

/// Enough processes for any deployment, few enough that a fork bomb stays inside.
impl Default for Limits {
    fn default() -> Self {
        Self { processes: Some(4096), memory_bytes: None }
    }
}

/// An instance to start.
#[derive(Debug, Clone)]
pub struct InstanceSpec {
    /// Its id; the caller draws it.
    pub id: InstanceId,
    /// Its address: one that [`crate::LocalHosts::free_address`] gave.
    pub address: Ipv4Addr,
    /// Its host name, `ip-10-1-2-3` or `ip-10-1-2-3.ec2.internal`.
    pub hostname: String,
    /// Files put into its root at every start, before anything of it runs; directories missing above them are made.
    pub files: Vec<ProvisionedFile>,
    /// Run as root at the first start only, if it begins with `#!`; the output goes to
    /// `/var/log/cloud-init-output.log`. Source: EC2 user guide, "Run commands at launch".
    pub user_data: Option<Vec<u8>>,
    /// The environment of its boot services and of every process that enters it.
    pub environment: Vec<(String, String)>,
}

impl InstanceSpec {
    /// Whether an instance in `subnet` can be started from it.
    pub(crate) fn check(&self, subnet: Cidr) -> Result<(), ComputeError> {
        let number = self.address.to_bits().wrapping_sub(subnet.network().to_bits());
        if !subnet.contains(self.address) || !INSTANCE_NUMBERS.contains(&number) {
            return Err(ComputeError::AddressUnfit { address: self.address, subnet });
        }
        if !is_hostname(&self.hostname) {
            return Err(ComputeError::HostnameUnfit(self.hostname.clone()));
        }
        let unfit = |path: &&Utf8PathBuf| {
            !path.is_absolute() || path.components().any(|part| part.as_str() == "..")
        };
        match self.files.iter().map(|file| &file.path).find(unfit) {
            Some(path) => Err(ComputeError::FilePathUnfit(path.clone())),
            None => Ok(()),
        }
    }
}

/// 1 to 64 letters, digits, hyphens and dots: what the kernel and `/etc/hosts` take.
fn is_hostname(text: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(fit) && !text.starts_with(['-', '.'])
}

/// A file put into an instance.
#[derive(Debug, Clone)]
pub struct ProvisionedFile {
    /// Where it goes: an absolute path inside the instance.
    pub path: Utf8PathBuf,
    /// Its permission bits, such as `0o755`. The owner is root.
    pub mode: u32,
    /// What is in it.
    pub source: FileSource,
}

/// Where a provisioned file's contents come from.
#[derive(Debug, Clone)]
pub enum FileSource {
    /// These bytes.
    Contents(Vec<u8>),
    /// A copy of a file of the machine.
    Machine(Utf8PathBuf),
}

/// A running instance.
#[derive(Debug)]
pub struct Running {
    /// The process id, on the machine, of the instance's first process.
    pub pid: u32,
    /// Answers 169.254.169.254:80 *inside* the instance's network: whoever connects is this instance, and neither the
    /// machine's own addresses nor the instance's port 80 are touched. Its own address shows another port. Not yet in
    /// non-blocking mode. Drop it when the instance ends.
    pub metadata: TcpListener,
}

/// An instance of an earlier run of the server that still runs.
#[derive(Debug)]
pub struct Adopted {
    /// Its id.
    pub id: InstanceId,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its host name.
    pub hostname: String,
    /// Its process, and a new metadata socket.
    pub running: Running,
}

/// A protocol that a security group rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// Everything (`-1`); ports are not looked at.
    All,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP; the "from port" is the type and the "to port" the code. Source: EC2 API reference, `IpPermission`.
    Icmp,
    /// Another one by its IANA number; ports are not looked at.
    Number(u8),
}

/// Connections that an instance accepts: one line of a security group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ingress {
    /// The protocol.
    pub protocol: Protocol,
    /// First port, or ICMP type; absent for all of them.
    pub from_port: Option<u16>,
    /// Last port, or ICMP code; absent for all of them.
    pub to_port: Option<u16>,
    /// Who may connect. The machine itself comes from the bridge's gateway address.
    pub source: Cidr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_one_word_for_the_kernel_and_for_etc_hosts() {
        for good in ["web", "ip-10-1-2-3.ec2.internal", &"a".repeat(64)] {
            assert!(is_hostname(good), "{good}");
        }
        for bad in ["", "a b", "a\nb", "-a", ".a", "ü", &"a".repeat(65)] {
            assert!(!is_hostname(bad), "{bad}");
        }
    }
}
