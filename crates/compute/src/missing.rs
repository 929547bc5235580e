//! What a machine lacks to have local instances.

use std::fmt;

use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, fsopen};
use rustix::thread::CapabilitySet;

use crate::{network, nft};

/// Something that local instances need and this machine does not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What is missing, such as "the program nft".
    pub what: String,
    /// What to do about it, such as "install the package nftables".
    pub remedy: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.remedy)
    }
}

/// The powers that making an instance takes. In a container, root may lack them.
const NEEDED: CapabilitySet =
    CapabilitySet::SYS_ADMIN.union(CapabilitySet::NET_ADMIN).union(CapabilitySet::SETPCAP);

/// Everything that is missing. It tries rather than believes: the kernel's answer also covers what a container
/// engine or a security module forbids.
pub(crate) fn missing() -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut lacks = |what: &str, remedy: &str| {
        missing.push(Missing { what: what.to_owned(), remedy: remedy.to_owned() });
    };
    for space in ["mnt", "pid", "net", "uts", "ipc", "cgroup"] {
        if !std::fs::exists(format!("/proc/self/ns/{space}")).unwrap_or(false) {
            let what = format!("the kernel's {space} name spaces");
            lacks(&what, "use a kernel that is built with them, as every distribution's is");
        }
    }
    if nft::program().is_none() {
        lacks("the program nft", "install the package nftables");
    }
    if !rustix::process::geteuid().is_root() {
        // Without root nothing more can be tried.
        lacks("root's permissions", "run it as root");
        return missing;
    }
    let held =
        rustix::thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    if !held.contains(NEEDED) {
        lacks(
            "the capabilities SYS_ADMIN, NET_ADMIN and SETPCAP",
            "run it outside of a container, or in a privileged one",
        );
        return missing;
    }
    if fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).is_err_and(|errno| errno == Errno::NODEV) {
        lacks("the overlay file system", "run `modprobe overlay`, or use a kernel that has it");
    }
    if let Err(error) = network::try_links() {
        let what = format!("bridges and virtual Ethernet links ({error})");
        lacks(&what, "run `modprobe -a bridge veth`, or use a kernel that has them");
    }
    if std::fs::File::options().write(true).open("/proc/sys/net/ipv4/ip_forward").is_err() {
        lacks("a writable /proc/sys", "run it outside of a container, or in a privileged one");
    }
    if nft::program().is_some()
        && let Err(error) = nft::check(RULES)
    {
        let what = format!("the kernel's packet filter ({error})");
        lacks(&what, "use a kernel that has nf_tables with connection tracking, NAT and bridges");
    }
    missing
}

/// A rule of every kind that is used.
const RULES: &str = "\
add table inet longshore_check
add chain inet longshore_check a { type filter hook output priority filter; }
add rule inet longshore_check a oifname \"lo\" ct state established accept
add table bridge longshore_check
add set bridge longshore_check s { type ifname . ipv4_addr; }
add chain bridge longshore_check b { type filter hook prerouting priority -300; }
add rule bridge longshore_check b ether type ip iifname . ip saddr != @s counter drop
add table ip longshore_check
add chain ip longshore_check c { type nat hook output priority -100; }
add rule ip longshore_check c tcp dport 80 dnat to 169.254.169.254:80
";
