"""What can be seen of a host: trees of files in one line each, and logs without what differs from run to run."""

import grp
import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess

from make_bundles import MODIFIED

# Longer logs are cut to their ends.
LINES_MAX = 150
LINE_MAX = 6000
TIME = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\] |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


def tree(root, content=True, skip=(), normal=lambda text: text):
    """`{relative path: line}` of everything below `root`; None if that is not there."""
    if not os.path.isdir(root):
        return None
    found = {}

    def walk(folder, prefix):
        for name in sorted(os.listdir(folder)):
            path, relative = os.path.join(folder, name), prefix + name
            if relative in skip:
                continue
            key = relative.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            status = os.lstat(path)
            found[key] = _line(path, name, status, content, normal)
            if stat.S_ISDIR(status.st_mode):
                walk(path, relative + "/")

    walk(root, "")
    return found


def _line(path, name, status, content, normal):
    mode, owner = f"{stat.S_IMODE(status.st_mode):04o}", _owner(status)
    if stat.S_ISLNK(status.st_mode):
        return f"link {owner} -> {normal(os.readlink(path))}"
    if stat.S_ISDIR(status.st_mode):
        return f"dir {mode} {owner}{_acl(path)}"
    if not stat.S_ISREG(status.st_mode):
        return f"other {mode} {owner}"
    line = f"file {mode} {owner}"
    if not content:
        return line
    modified = "kept" if int(status.st_mtime) == MODIFIED else "now"
    links = f" nlink={status.st_nlink}" if status.st_nlink > 1 else ""
    return f"{line} sha256={_digest(path, name)} mtime={modified}{_acl(path)}{links}"


def _digest(path, name):
    if name.endswith(".pid"):
        return "<pid>"
    if name == "bundle.tar" or name.lower().startswith("appspec."):
        return "<depends on the destination path>"
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _owner(status):
    try:
        user = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        user = status.st_uid
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = status.st_gid
    return f"{user}:{group}"


def _acl(path):
    """The access list, where there is more than the mode says."""
    if not shutil.which("getfacl"):
        return ""
    answer = subprocess.run(["getfacl", "-cpE", "--", path], capture_output=True, text=True).stdout.split()
    return " acl=" + ",".join(answer) if len(answer) > 3 else ""


def lines(data, normal):
    """A log's lines; of a long log its ends."""
    text = normal(data.decode("utf-8", "backslashreplace"))
    found = text.split("\n")
    if found[-1]:
        found.append("<no newline at the end>")
    else:
        found.pop()
    # The environment of polled hooks has this one more.
    found = [TIME.sub("<TIME> ", line)[:LINE_MAX] for line in found if "SSL_CERT_FILE=" not in line]
    if len(found) > LINES_MAX:
        return {"lines": len(found), "head": found[:4], "tail": found[-4:]}
    return found


def is_alive(pid):
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
