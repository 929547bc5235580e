"""Writes a case's bundles: each as a directory and as the archives that its steps ask for.

Everything is deterministic: files have the same modification time, archives are written entry by entry in the case's
order. Owners and set-id bits need root. An entry is `[path, {"t": "file" | "dir" | "link" | "hardlink" | "fifo", ..}]`.
"""

import base64
import gzip
import io
import os
import pathlib
import stat
import tarfile
import zipfile

# Of every file of a bundle, so that one sees whether it was kept.
MODIFIED = 1_000_000_000
TAR_TYPES = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE,
             "fifo": tarfile.FIFOTYPE}
IMPLIED_DIRECTORY = {"t": "dir", "mode": "0o755", "uid": 0, "gid": 0}


def write_bundles(case, folder, destination):
    """Writes all bundles of `case` into `folder`; `@DEST@` in their texts becomes `destination`."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    for name, entries in case["bundles"].items():
        entries = [(path, with_destination(entry, str(destination))) for path, entry in entries]
        if "local" in case["modes"]:
            write_directory(folder / name, entries)
        for kind in kinds(case):
            data = zip_bytes(entries, case.get("zip_system", 3)) if kind == "zip" else tar_bytes(entries, kind, case)
            (folder / f"{name}.{kind}").write_bytes(data)
        for step in case["steps"]:
            if step.get("bundle") == name and step.get("corrupt"):
                kind = step.get("pack") or archive_type(case)
                data = (folder / f"{name}.{kind}").read_bytes()
                broken = b"" if step["corrupt"] == "empty" else data[: len(data) // 2]
                (folder / f"{name}.corrupt.{kind}").write_bytes(broken)


def archive_type(case):
    """The kind of archive in which the control plane has the case's bundles."""
    return "tgz" if case["type"] == "directory" else case["type"]


def kinds(case):
    return {archive_type(case)} | {step["pack"] for step in case["steps"] if step.get("pack")}


def with_destination(entry, destination):
    entry = dict(entry)
    if entry["t"] == "file":
        content = base64.b64decode(entry["base64"]) if "base64" in entry else entry["text"].encode()
        entry["content"] = content.replace(b"@DEST@", destination.encode())
    if entry["t"] == "link":
        entry["target"] = entry["target"].replace("@DEST@", destination)
    return entry


def mode(entry):
    return int(entry["mode"], 8) if "mode" in entry else 0o644


def write_directory(root, entries):
    root.mkdir()
    root.chmod(0o755)
    directories = []
    for name, entry in entries:
        name = name.lstrip("/")
        path = pathlib.Path(os.path.normpath(root / name))
        if name.startswith("../") or path.parent.is_symlink():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_entry(root, path, entry)
        if entry["t"] == "dir":
            directories.append((path, entry))
    for path, entry in directories:
        os.chown(path, entry["uid"], entry["gid"])
        path.chmod(mode(entry))


def write_entry(root, path, entry):
    match entry["t"]:
        case "dir":
            path.mkdir(exist_ok=True)
        case "link":
            path.symlink_to(entry["target"])
        case "hardlink":
            path.hardlink_to(root / entry["target"])
        case "fifo":
            os.mkfifo(path)
        case "file":
            path.write_bytes(entry["content"])
            os.chown(path, entry["uid"], entry["gid"])
            path.chmod(mode(entry))
            os.utime(path, (MODIFIED, MODIFIED))


def with_parents(entries):
    """The entries with the directories that they imply, each before its first member."""
    named = dict(entries)
    seen, result = set(), []
    for name, entry in entries:
        dot = "./" if name.startswith("./") else ""
        parts = name[len(dot):].split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            is_link = named.get(dot + parent, {}).get("t") == "link"
            if parent and parent not in seen and parent != ".." and not is_link:
                seen.add(parent)
                if dot + parent not in named:
                    result.append((dot + parent, IMPLIED_DIRECTORY))
        if entry["t"] == "dir":
            seen.add(name)
        result.append((name, entry))
    return result


def tar_bytes(entries, kind, case):
    buffer = io.BytesIO()
    comment = case.get("pax_comment")
    headers = {"comment": comment} if comment else None
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:
        for name, entry in with_parents(entries):
            info = tarfile.TarInfo(name)
            info.type, info.mtime, info.uname, info.gname = TAR_TYPES[entry["t"]], MODIFIED, "root", "root"
            info.mode, info.linkname = mode(entry), entry.get("target", "")
            if entry["t"] == "link":
                info.mode = 0o777
            info.uid, info.gid = entry.get("uid", 0), entry.get("gid", 0)
            if info.uid:
                info.uname = info.gname = ""
            content = entry.get("content", b"")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=MODIFIED) if kind == "tgz" else buffer.getvalue()


def zip_bytes(entries, system):
    """A zip; `system` 3 is Unix, 0 is DOS, which knows no modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, entry in with_parents(entries):
            kind = entry["t"]
            if kind in ("hardlink", "fifo"):
                continue
            info = zipfile.ZipInfo("x", (2001, 9, 9, 1, 46, 40))
            info.filename = name + ("/" if kind == "dir" else "")
            info.create_system = system
            match kind:
                case "link":
                    info.external_attr, content = (stat.S_IFLNK | 0o777) << 16, entry["target"].encode()
                case "dir":
                    info.external_attr, content = (stat.S_IFDIR | mode(entry)) << 16 | 0x10, b""
                case "file":
                    info.external_attr = (stat.S_IFREG | mode(entry)) << 16 if system else 0x20
                    info.compress_type, content = zipfile.ZIP_DEFLATED, entry["content"]
            archive.writestr(info, content)
    return buffer.getvalue()
