//! An instance's root: an overlay of the machine's `/` with everything of the kernel's mounted anew.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};
use rustix::process::pivot_root;

use super::{SandboxError, step};
use crate::disk::InstanceDir;

const PLAIN: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// The devices of an instance: those that give nothing away.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Parts of `/proc` through which root changes the machine; readable, not writable.
const READ_ONLY: [&str; 5] =
    ["/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sysrq-trigger"];

/// Parts that tell about the machine; empty.
const COVERED: [&str; 8] = [
    "/proc/kcore",
    "/proc/keys",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/latency_stats",
    "/proc/acpi",
    "/proc/scsi",
    "/sys/firmware",
];

/// Makes the instance's root and makes it the root of this process and its mount name space.
pub(super) fn enter(dir: &InstanceDir, hidden: &[Utf8PathBuf]) -> Result<(), SandboxError> {
    // Nothing mounted from here on may show on the machine.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(step("part from the machine's mounts"))?;
    let root = dir.root();
    mount_overlays(dir, &root, hidden)?;
    mount_own(&root, "proc", "proc", PLAIN, "")?;
    mount_own(&root, "sysfs", "sys", PLAIN | MountFlags::RDONLY, "")?;
    let quiet = MountFlags::NOSUID | MountFlags::NODEV;
    mount_own(&root, "tmpfs", "tmp", quiet, "mode=1777")?;
    mount_own(&root, "tmpfs", "run", quiet, "mode=755")?;
    mount_devices(&root)?;
    for path in hidden {
        hide(&inside(&root, path))?;
    }
    change_root(&root)?;
    shut_kernel_settings()
}

fn inside(root: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The overlay over `/`, and one over each file system that the machine has mounted below it: an overlay shows what
/// is on one file system, not what is mounted on it.
fn mount_overlays(
    dir: &InstanceDir,
    root: &Utf8Path,
    hidden: &[Utf8PathBuf],
) -> Result<(), SandboxError> {
    let mountinfo =
        fs::read_to_string("/proc/self/mountinfo").map_err(step("read the machine's mounts"))?;
    mount_overlay(dir, 0, "/".into(), root)?;
    for (index, path) in file_systems_below_root(&mountinfo).iter().enumerate() {
        let target = inside(root, path);
        let shown = path.is_dir() && !hidden.iter().any(|hidden| path.starts_with(hidden));
        if !shown || !target.is_dir() {
            continue;
        }
        if let Err(error) = mount_overlay(dir, index + 1, path, &target) {
            // Some file systems cannot be below an overlay; what is on them is missing in the instance, no more.
            eprintln!("{error}");
        }
    }
    Ok(())
}

fn mount_overlay(
    dir: &InstanceDir,
    index: usize,
    lower: &Utf8Path,
    target: &Utf8Path,
) -> Result<(), SandboxError> {
    let what = || format!("mount the overlay over `{lower}`");
    let (upper, work) = dir.overlay(index);
    make_upper(lower, &upper).and_then(|()| fs::create_dir_all(&work)).map_err(step(what()))?;
    // Directories of the machine can be renamed inside, as programs expect of a root.
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work},redirect_dir=on");
    let options = CString::new(options).map_err(step(what()))?;
    mount("overlay", target.as_str(), "overlay", MountFlags::NODEV, options.as_c_str())
        .map_err(step(what()))
}

/// The writable directory; its own mode and owner are those that the merged directory shows.
fn make_upper(lower: &Utf8Path, upper: &Utf8Path) -> io::Result<()> {
    if upper.exists() {
        return Ok(());
    }
    let like = lower.metadata()?;
    fs::create_dir_all(upper)?;
    std::os::unix::fs::chown(upper, Some(like.uid()), Some(like.gid()))?;
    fs::set_permissions(upper, Permissions::from_mode(like.mode() & 0o7777))
}

/// Where the machine has mounted disks (or what passes for one) below `/`, outermost first. Memory and kernel file
/// systems have no block device, hence device number 0; a few real ones have none either.
fn file_systems_below_root(mountinfo: &str) -> Vec<Utf8PathBuf> {
    const NOT_SHOWN: [&str; 8] =
        ["/proc", "/sys", "/dev", "/run", "/tmp", "/boot", "/mnt", "/media"];
    let place = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(2);
        let (device, path) = (fields.next()?, fields.nth(1)?);
        let path = Utf8PathBuf::from(path.replace("\\040", " "));
        let kind = after.split(' ').next()?;
        let on_disk = !device.starts_with("0:") || matches!(kind, "btrfs" | "zfs" | "nfs" | "nfs4");
        let shown = path != "/" && !NOT_SHOWN.iter().any(|hidden| path.starts_with(hidden));
        (on_disk && shown).then_some(path)
    };
    let mut paths: Vec<_> = mountinfo.lines().filter_map(place).collect();
    paths.sort();
    paths.dedup();
    paths
}

fn mount_own(
    root: &Utf8Path,
    kind: &str,
    place: &str,
    flags: MountFlags,
    options: &str,
) -> Result<(), SandboxError> {
    let what = format!("mount the instance's `/{place}`");
    let target = root.join(place);
    let result = fs::create_dir_all(&target).and_then(|()| {
        let options = CString::new(options)?;
        Ok(mount(kind, target.as_str(), kind, flags, options.as_c_str())?)
    });
    result.map_err(step(what))
}

fn mount_devices(root: &Utf8Path) -> Result<(), SandboxError> {
    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount_own(root, "tmpfs", "dev", quiet, "mode=755,size=64k")?;
    let devices = root.join("dev");
    for name in DEVICES {
        let target = devices.join(name);
        fs::write(&target, "")
            .and_then(|()| Ok(mount_bind(format!("/dev/{name}"), target.as_str())?))
            .map_err(step(format!("give the instance `/dev/{name}`")))?;
    }
    let terminals = "newinstance,ptmxmode=0666,mode=0620,gid=5";
    mount_own(root, "devpts", "dev/pts", quiet, terminals)?;
    mount_own(root, "tmpfs", "dev/shm", quiet | MountFlags::NODEV, "mode=1777")?;
    for (name, target) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, devices.join(name)).map_err(step(format!("make `/dev/{name}`")))?;
    }
    Ok(())
}

/// Covers a directory with an empty one, or a file with nothing; what is not there needs no cover.
fn hide(path: &Utf8Path) -> Result<(), SandboxError> {
    let result = if path.is_dir() {
        let options = c"mode=555,size=4k";
        mount("tmpfs", path.as_str(), "tmpfs", PLAIN | MountFlags::RDONLY, options)
    } else if path.exists() {
        mount_bind("/dev/null", path.as_str())
    } else {
        Ok(())
    };
    result.map_err(step(format!("hide `{path}`")))
}

/// The old root is put onto the new one's own place and let go: nothing of the machine's stays reachable.
fn change_root(root: &Utf8Path) -> Result<(), SandboxError> {
    let what = "enter the instance's root";
    rustix::process::chdir(root.as_str()).map_err(step(what))?;
    pivot_root(".", ".").map_err(step(what))?;
    unmount(".", UnmountFlags::DETACH).map_err(step(what))?;
    rustix::process::chdir("/").map_err(step(what))
}

fn shut_kernel_settings() -> Result<(), SandboxError> {
    for path in READ_ONLY.into_iter().filter(|path| Utf8Path::new(path).exists()) {
        mount_bind(path, path)
            .and_then(|()| mount_remount(path, MountFlags::BIND | MountFlags::RDONLY | PLAIN, ""))
            .map_err(step(format!("shut `{path}`")))?;
    }
    for path in COVERED {
        hide(path.into())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_disks_below_the_root_get_an_overlay_of_their_own() {
        let mountinfo = "\
22 27 0:21 / /proc rw - proc proc rw
27 1 254:0 / / rw - ext4 /dev/vda rw
28 27 254:2 / /var/lib/my\\040data rw shared:2 - xfs /dev/vdb rw
29 27 254:1 / /usr rw shared:1 - ext4 /dev/vdb rw
30 27 0:25 / /opt/memory rw - tmpfs tmpfs rw
31 27 0:26 /@home /home rw - btrfs /dev/vdc rw
42 27 254:0 /run/netns /run/netns rw shared:1 - ext4 /dev/vda rw";
        assert_eq!(file_systems_below_root(mountinfo), ["/home", "/usr", "/var/lib/my data"]);
    }
}
