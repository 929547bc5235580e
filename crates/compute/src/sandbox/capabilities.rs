//! What root of an instance may not do.
//!
//! Root of an instance is root of the machine to the kernel (there is no user name space: hooks run as any user), so
//! every power that is not bound to a name space is given up, above all mounting, making devices, loading modules,
//! setting the clock and rebooting.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
};

use super::{SandboxError, step};

/// The powers that root of an instance keeps: over files it sees, users, its own processes and ports. The set is that
/// of the usual container engines less `MKNOD`, by which the machine's disks could be opened.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::AUDIT_WRITE);

/// Gives the other powers up, for this process and everything it starts.
pub(super) fn drop_those_of_the_machine() -> Result<(), SandboxError> {
    for number in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if KEPT.contains(capability) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            // The kernel knows no more than these.
            Err(Errno::INVAL) => break,
            result => result.map_err(step("give up powers over the machine"))?,
        }
    }
    let sets =
        CapabilitySets { effective: KEPT, permitted: KEPT, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).map_err(step("give up powers over the machine"))
}
