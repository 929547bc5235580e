"""Bundles made in memory: good ones whose hooks leave a trace, and hostile ones."""

import io
import tarfile
import zipfile

EVENTS = ["BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService"]

# Every run of a hook appends one line to this file of the instance.
HOOK_LOG = "/var/log/hooks.log"

RECORD = f"""#!/bin/sh
echo "$DEPLOYMENT_ID $LIFECYCLE_EVENT begun" >> {HOOK_LOG}
sleep SECONDS
echo "$DEPLOYMENT_ID $LIFECYCLE_EVENT done" >> {HOOK_LOG}
"""


def appspec(hooks=(), files=()):
    """The text of an AppSpec: `hooks` are (event, location) pairs, `files` are (source, destination) pairs."""
    text = "version: 0.0\nos: linux\n"
    if files:
        text += "files:\n" + "".join(f"  - source: {source}\n    destination: {to}\n" for source, to in files)
    if hooks:
        text += "hooks:\n" + "".join(
            f"  {event}:\n    - location: {location}\n      timeout: 30\n" for event, location in hooks
        )
    return text


def recording(seconds=0.0, version="1", events=EVENTS, then=""):
    """A zip with one file and hooks that record when they begin and end; `then` is what each of them does last."""
    return zipped({
        "appspec.yml": appspec([(event, "hook.sh") for event in events], [("version", "/opt/recorded")]),
        "hook.sh": RECORD.replace("SECONDS", str(seconds)) + then,
        "version": version,
    })


def zipped(files):
    """A zip archive of these names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def zipped_link(name, target, then=None):
    """A good zip with a symbolic link in it, and a file that is written through the link."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("appspec.yml", appspec())
        link = zipfile.ZipInfo(name)
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, target)
        if then:
            archive.writestr(then, "written through the link")
    return buffer.getvalue()


def tarred(entries, mode="w:gz"):
    """A good tar archive with further entries: (name, kind, content or link target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, kind, content in [("appspec.yml", "file", appspec()), *entries]:
            entry = tarfile.TarInfo(name)
            if kind == "file":
                data = content.encode()
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            else:
                entry.type = {"symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE}[kind]
                entry.linkname = content
                archive.addfile(entry)
    return buffer.getvalue()
