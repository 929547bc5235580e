"""A throw-away machine that boots Debian's own systemd: name spaces, an overlay of this machine's `/`, a branch of control groups.

What it does stays in it: files lie in an overlay, the network is its own, and what it could change in the kernel is read-only.
Source of what systemd needs in a container: https://systemd.io/CONTAINER_INTERFACE.
"""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess

import longshore

INIT = pathlib.Path("/lib/systemd/systemd")
BOOT_SECONDS_MAX = 60
HALT_SECONDS_MAX = 60
# Source: systemd(1), "Signals".
POWER_OFF = signal.SIGRTMIN + 4
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Clock, modules, log and audit are those of the one kernel.
FOREIGN = "-sys_time,-sys_module,-sys_rawio,-syslog,-audit_control,-audit_read"

# Runs in new name spaces. $1 is the machine's folder.
START = r"""
set -e
root=$1/root
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
if [ ! -e "$1/has-booted" ]; then
    # What this machine starts and mounts is not wanted in there, nor the rule of some images that packages start nothing.
    rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/systemd/system/*.requires "$root/usr/sbin/policy-rc.d"
    rm -rf "$root/var/log/journal"
    : >"$root/etc/fstab"
    : >"$root/etc/machine-id"
    touch "$1/has-booted"
fi
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
ip link set lo up
cd "$root"
pivot_root . mnt
umount -l /mnt
exec env -i container=longshore-test PATH="$2" setpriv --bounding-set "$3" --inh-caps "$3" "$4"
"""


class CannotBoot(Exception):
    """Such a machine cannot be had here; the text says why."""


class Machine:
    """One machine below the folder `home`, which must not lie on an overlay. Its files outlive its halt."""

    def __init__(self, home):
        self.home, self.process, self.init, self.group = pathlib.Path(home), None, None, None
        for name in ("root", "upper", "work"):
            (self.home / name).mkdir()

    def boot(self):
        """Starts it and waits until systemd has started everything.

        Raises CannotBoot if this machine does not let it."""
        if not INIT.exists():
            raise CannotBoot(f"there is no systemd at {INIT}")
        self.group = _make_group(self.home.name)
        command = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "--kill-child", "--",
                   "setsid", "sh", "-c", START, "sh", self.home, PATH, FOREIGN, INIT]
        # Whoever has moved to the group sees it as the root of all groups. If the tests are killed, everything in it ends.
        into_group = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', self.group]
        log = self.home / "outside.log"
        with open(log, "wb") as output:
            words = [*map(str, into_group + command)]
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.init = longshore.wait_until(lambda: self._find_init() or self.process.poll(), "systemd is started")
        if self.process.poll() is not None:
            self._remove_group()
            raise CannotBoot(log.read_text())
        longshore.wait_until(self._has_booted, "systemd has started everything", BOOT_SECONDS_MAX)
        return self

    def _find_init(self):
        """The number of the machine's first process, as this machine counts, once it is systemd."""
        try:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            names = {pathlib.Path(f"/proc/{child}/comm").read_text().strip(): int(child) for child in children}
        except OSError:
            return None
        return names.get("systemd")

    def _has_booted(self):
        state = self.run("systemctl is-system-running", check=False).strip()
        assert state != "degraded", self.run("systemctl --failed --no-legend; journalctl --no-pager -p err", check=False)
        return state == "running"

    def enter(self, *command):
        """The words with which a program is run in it as root."""
        return ["nsenter", "--target", str(self.init), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd",
                "env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", *map(str, command)]

    def run(self, script, check=True, timeout=120):
        """Runs a script of the shell in it; what that printed."""
        done = subprocess.run(self.enter("sh", "-c", script), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode:
            raise AssertionError(f"`{script}` ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def path(self, path):
        """Where this machine sees a file of it."""
        return pathlib.Path(f"/proc/{self.init}/root") / path.lstrip("/")

    @contextlib.contextmanager
    def network(self):
        """Lets this thread, and what it starts, use the machine's network instead of ours."""
        with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{self.init}/ns/net") as theirs:
            _enter_network(theirs)
            try:
                yield
            finally:
                _enter_network(ours)

    def halt(self):
        """Switches it off in order."""
        os.kill(self.init, POWER_OFF)
        try:
            self.process.wait(HALT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            jobs = self.run("systemctl list-jobs", check=False)
            raise AssertionError(f"not halted within {HALT_SECONDS_MAX} s:\n{jobs}") from None
        finally:
            self.cut_off()

    def cut_off(self):
        """What a power cut does; also cleans up behind a halt, and does nothing where nothing was started."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._remove_group()

    def _remove_group(self):
        # There is no such folder after the first time.
        for folder, _, _ in os.walk(self.group, topdown=False):
            longshore.wait_until(lambda: _removed(folder), f"{folder} is removed")


def _enter_network(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    # Source: setns(2). Python has it from 3.12 on.
    if libc.setns(namespace.fileno(), 0x40000000):
        raise OSError(ctypes.get_errno(), "the network cannot be entered")


def _make_group(name):
    """A control group below our own."""
    mounts = [place for place in map(pathlib.Path, ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")) if (place / "cgroup.procs").exists()]
    if not mounts:
        raise CannotBoot("no cgroup v2 is mounted here")
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    own = next(line.removeprefix("0::/") for line in lines if line.startswith("0::/"))
    group = mounts[0] / own / name
    try:
        group.mkdir()
    except OSError as error:
        raise CannotBoot(f"no control group can be made: {error}") from None
    return group


def _removed(folder):
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        # Processes that were killed are on their way.
        return False
    return True
