"""Runs a program and does something to it at one of its file-system calls: lets the call fail, kills the program, or
changes the disk below it.

The kernel stops the program at each such call (`seccomp`, with a listener) and asks here. Nothing is built into the
program for it, so what is tested is what users run.
"""

import ctypes
import errno
import fcntl
import os
import platform
import select
import stat
import struct
import subprocess

# Numbers of x86-64. Source: the kernel's `syscall_64.tbl`.
CALLS = {
    1: "write", 2: "open", 4: "stat", 6: "lstat", 18: "pwrite64", 20: "writev", 40: "sendfile", 73: "flock", 74: "fsync",
    75: "fdatasync", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 88: "symlink",
    90: "chmod", 91: "fchmod", 92: "chown", 93: "fchown", 94: "lchown", 188: "setxattr", 189: "lsetxattr",
    190: "fsetxattr", 191: "getxattr", 197: "removexattr", 217: "getdents64", 257: "openat", 258: "mkdirat",
    260: "fchownat", 262: "newfstatat", 263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat",
    268: "fchmodat", 280: "utimensat", 285: "fallocate", 306: "syncfs", 316: "renameat2", 326: "copy_file_range",
    332: "statx", 437: "openat2", 452: "fchmodat2",
}
# Those that are about an open file, and which of their arguments that is. Only files count, not sockets and pipes.
OF_A_FILE = {
    "write": 0, "pwrite64": 0, "writev": 0, "sendfile": 0, "flock": 0, "fsync": 0, "fdatasync": 0, "ftruncate": 0,
    "fchmod": 0, "fchown": 0, "fsetxattr": 0, "getdents64": 0, "fallocate": 0, "syncfs": 0, "copy_file_range": 2,
}
# Those that change nothing: whoever dies at one has left what the next that does would find.
LOOKS = {"stat", "lstat", "statx", "newfstatat", "getxattr", "getdents64", "flock"}
ERRORS = [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES]

_LISTENER = 1000
_RECEIVE, _SEND, _GO_ON = 0xC0502100, 0xC0182101, 1
_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def unavailable():
    """Why this machine cannot do it, or nothing."""
    if platform.machine() != "x86_64":
        return "knows the calls of x86-64 only"
    if os.geteuid() != 0:
        return "needs root"
    return None


def _filter():
    # struct sock_filter; load the number, compare it with each of ours, ask or allow.
    numbers = sorted(CALLS)
    code = struct.pack("HBBI", 0x20, 0, 0, 0)
    for at, number in enumerate(numbers):
        code += struct.pack("HBBI", 0x15, len(numbers) - at, 0, number)
    return code + struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000) + struct.pack("HBBI", 0x06, 0, 0, 0x7FC00000)


_CODE = ctypes.create_string_buffer(_filter())


def _ask_the_listener():
    """In the new process, before it becomes the program."""
    program = _Program(len(CALLS) + 3, ctypes.cast(_CODE, ctypes.c_void_p))
    _libc.prctl(38, 1, 0, 0, 0)
    listener = _libc.syscall(317, 1, 8, ctypes.byref(program))
    os.dup2(listener, _LISTENER)


class Call:
    """A call of the program that waits for an answer."""

    def __init__(self, pid, name, arguments):
        self.pid, self.name, self.arguments = pid, name, arguments

    def counts(self):
        """Whether it is the program's own (not of another that it started), and about a file."""
        if self.name not in OF_A_FILE:
            return True
        try:
            mode = os.stat(f"/proc/{self.pid}/fd/{self.arguments[OF_A_FILE[self.name]]}").st_mode
        except OSError:
            return False
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


class Outcome:
    def __init__(self, status, said, names, hit):
        self.status, self.said, self.names, self.hit = status, said, names, hit
        self.calls = len(names)


def run(arguments, at=None, error=None, lasting=False, kill=False, meddle=None, environment=None):
    """Runs the program. At its call number `at` (from 0) it fails with `error`, that one or all from there on; or the
    program is killed; or `meddle` is called, again with each call until it returns true."""
    process = subprocess.Popen(
        arguments, preexec_fn=_ask_the_listener, close_fds=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
    )
    pidfd = os.pidfd_open(process.pid)
    listener = _libc.syscall(438, pidfd, _LISTENER, 0)
    assert listener >= 0, os.strerror(ctypes.get_errno())
    said, names, hit = b"", [], None
    try:
        poll = select.poll()
        out = process.stdout.fileno()
        for fd in (listener, out, pidfd):
            poll.register(fd, select.POLLIN)
        alive, open_output = True, True
        while alive:
            for fd, event in poll.poll():
                if fd == out:
                    piece = os.read(out, 65536)
                    said += piece
                    if not piece:
                        poll.unregister(out)
                elif fd == pidfd:
                    alive = False
                elif not event & select.POLLIN:
                    poll.unregister(listener)
                elif (request := _received(listener)) is not None:
                    number, call = request
                    answer, flags = 0, _GO_ON
                    if _belongs(call.pid, process.pid) and call.counts():
                        if at is not None and len(names) >= at and (hit is None or lasting):
                            if kill:
                                process.kill()
                            if meddle is None or meddle():
                                hit = hit or call.name
                            if error:
                                answer, flags = -error, 0
                        names.append(call.name)
                    _answer(listener, number, answer, flags)
        said += process.stdout.read()
    finally:
        os.close(listener)
        os.close(pidfd)
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
    return Outcome(process.returncode, said.decode(errors="replace"), names, hit)


def _received(listener):
    request = bytearray(80)
    try:
        fcntl.ioctl(listener, _RECEIVE, request)
    except OSError:
        # Whoever called is dead.
        return None
    number, pid, _, call, _, _, *arguments = struct.unpack_from("=QIIiIQ6Q", request)
    return number, Call(pid, CALLS[call], arguments)


def _answer(listener, number, error, flags):
    try:
        fcntl.ioctl(listener, _SEND, struct.pack("=QqiI", number, 0, error, flags))
    except OSError:
        pass


def _belongs(thread, pid):
    return thread == pid or os.path.exists(f"/proc/{pid}/task/{thread}")
