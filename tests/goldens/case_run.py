"""One case with one agent: its place on disk, its steps, and what a deployment left behind."""

import json
import os
import re
import shutil
import signal
import time

import make_bundles
import snapshot

LOCAL_GROUP = "default-local-deployment-group"
POLLED_GROUP = "11111111-2222-4333-8444-555555555555"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
STEP_SECONDS_MAX = 60
# What an agent does after its last word, it does within this.
SETTLE_SECONDS = 0.2


class Run:
    """One case with one agent, in a place of its own."""

    def __init__(self, base, case, command, keys):
        self.base, self.case, self.command, self.keys = base, case, command, keys
        self.root, self.destination, self.bundles = self.base / "root", self.base / "dest", self.base / "bundles"
        self.environment = ENVIRONMENT | {
            name: value.replace("@DEST@", str(self.destination)) for name, value in case.get("env", {}).items()
        }
        self.seconds_max = case.get("step_timeout", STEP_SECONDS_MAX)
        self.deployments = []

    def steps(self):
        self.destination.mkdir(parents=True)
        make_bundles.write_bundles(self.case, self.bundles, self.destination)
        done = []
        try:
            self.begin()
            for step in self.case["steps"]:
                if step["do"] == "deploy":
                    done.append(self.deploy(step) | self.state(step))
                else:
                    self.change(step)
        finally:
            self.end()
        shutil.rmtree(self.base)
        return done

    def write_configuration(self, **more):
        """The official agent's configuration file; it does not mind keys that are not its own."""
        settings = {"log_aws_wire": False, "log_dir": self.base / "log", "pid_dir": self.base / "pid",
                    "program_name": "codedeploy-agent", "root_dir": self.root, "verbose": False, "wait_between_runs": 0,
                    "max_revisions": 5, "on_premises_config_file": self.base / "onpremises.yml"}
        settings |= more | self.case.get("conf", {})
        path = self.base / "conf.yml"
        path.write_text("---\n" + "".join(f":{key}: {json.dumps(value, default=str)}\n" for key, value in settings.items()))
        return path

    def normal(self, text):
        """Text without what is different in every run."""
        for number, deployment in enumerate(self.deployments, 1):
            text = text.replace(deployment, f"<DEPLOY{number}>")
        for path, name in ((self.root, "ROOT"), (self.destination, "DEST"), (self.bundles, "BUNDLES"), (self.base, "WORK")):
            text = text.replace(str(path), f"<{name}>")
        text = text.replace(LOCAL_GROUP, "<GROUP>").replace(POLLED_GROUP, "<GROUP>")
        return re.sub(r"\bpid \d+", "pid <PID>", text)

    def change(self, step):
        """A step that only changes something on disk."""
        match step["do"]:
            case "write_at_root_parent":
                kind, path = "write", self.base / step["path"]
            case "remove_in_deployment":
                kind, path = "remove", self.deployment_folder(step["deployment"]) / step["path"]
            case kind:
                path = self.destination / step["path"]
        match kind:
            case "write":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step["content"])
                if "mode" in step:
                    path.chmod(int(step["mode"], 8))
            case "mkdir":
                path.mkdir(parents=True)
            case "chmod":
                path.chmod(int(step["mode"], 8))
            case "chown":
                os.chown(path, step["uid"], step["gid"])
            case "symlink":
                path.symlink_to(step["target"])
            case "remove" | "remove_tree":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            case _:
                raise ValueError(kind)

    def deployment_folder(self, number):
        """The folder of the case's deployment with this number, counted from 1."""
        return next(self.root.glob(f"*/{self.deployments[number - 1]}"), None)

    def bundle(self, step, default):
        """Path of the bundle that a step deploys, and of which type to say it is."""
        kind = step.get("pack") or default
        suffix = "" if kind == "directory" else (".corrupt." if step.get("corrupt") else ".") + kind
        return self.bundles / (step["bundle"] + suffix), step.get("as_type", kind)

    # ------------------------------------------------------------------ what a deployment left

    def state(self, step):
        state = {"tree": snapshot.tree(self.destination, normal=self.normal)}
        folder = self.deployment_folder(len(self.deployments))
        if folder:
            state |= self.deployment_state(folder)
        state |= self.instructions_state(step.get("group", self.group))
        if self.root.is_dir():
            groups = [path for path in sorted(self.root.iterdir()) if is_group(path.name)]
            state["kept_deployments"] = [
                name for group in groups for name in sorted(self.normal(name) for name in os.listdir(group))
            ]
            log = self.root / "deployment-logs/codedeploy-agent-deployments.log"
            if self.case.get("deployments_log") and log.exists():
                entries = [line for line in log.read_bytes().split(b"\n") if not line.startswith(b"# Logfile")]
                state["deployments_log"] = snapshot.lines(b"\n".join(entries), self.normal)
            ongoing = self.root / "ongoing-deployment"
            if ongoing.is_dir():
                state["ongoing_deployment_files"] = sorted(self.normal(name) for name in os.listdir(ongoing))
        if self.case.get("pids"):
            time.sleep(SETTLE_SECONDS)
            state["alive"] = {name: self.alive(self.destination / name) for name in self.case["pids"]}
        return state

    def deployment_state(self, folder):
        archive = snapshot.tree(folder / "deployment-archive", content=False, normal=self.normal)
        beside = snapshot.tree(folder, skip=("deployment-archive", "logs", "bundle.tar"), normal=self.normal)
        log = folder / "logs/scripts.log"
        return {
            "deployment_directory": sorted(os.listdir(folder)),
            "archive": archive if archive is None or len(archive) < 80 else {"entries": len(archive)},
            "scripts_log": snapshot.lines(log.read_bytes(), self.normal) if log.exists() else None,
        } | ({"beside_archive": beside} if beside else {})

    def instructions_state(self, group):
        folder = self.root / "deployment-instructions"
        if not folder.is_dir():
            return {}
        state = {"instruction_files": sorted(self.normal(name) for name in os.listdir(folder))}
        install = folder / f"{group}-install.json"
        if install.exists():
            steps = json.loads(self.normal(install.read_text()))["instructions"]
            state["instructions"] = sorted(steps, key=lambda step: json.dumps(step, sort_keys=True))
        cleanup = folder / f"{group}-cleanup"
        if cleanup.exists():
            text = self.normal(cleanup.read_bytes().decode("utf-8", "backslashreplace"))
            state["cleanup_lines"] = sorted(text.splitlines())
        for marker in ("last_successful_install", "most_recent_install"):
            if (folder / f"{group}_{marker}").exists():
                state[marker] = self.normal((folder / f"{group}_{marker}").read_text())
        return state

    def alive(self, pid_file):
        """Whether the process whose id a hook wrote still runs; it is ended."""
        if not pid_file.exists():
            return None
        text = pid_file.read_text().strip()
        if not text.isdigit() or not snapshot.is_alive(int(text)):
            return False
        os.kill(int(text), signal.SIGKILL)
        return True


def is_group(name):
    """Whether a folder of an agent's root is a deployment group's; those of the cases have names to be told by."""
    return name in (LOCAL_GROUP, POLLED_GROUP) or name.startswith("group-")
