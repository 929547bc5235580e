"""A case with an agent's command for deployments without a control plane: a process each."""

import os
import re
import signal
import subprocess
import time

from case_run import LOCAL_GROUP, Run

OPTIONS = {"file_exists_behavior": "--file-exists-behavior", "group": "--deployment-group",
           "appspec_filename": "--appspec-filename", "group_name": "--deployment-group-name",
           "application_name": "--application-name"}


class Local(Run):
    """Deployments by `codedeploy-local` or its like."""

    group = LOCAL_GROUP

    def begin(self):
        self.configuration = self.write_configuration()

    def end(self):
        pass

    def deploy(self, step):
        path, kind = self.bundle(step, self.case["type"])
        command = [*self.command, "--bundle-location", str(path), "--type", kind,
                   "--agent-configuration-file", str(self.configuration)]
        for key, option in OPTIONS.items():
            if step.get(key):
                command += [option, step[key]]
        if step.get("events"):
            command += ["--events", ",".join(step["events"])]
        before, began = self.known(step), time.monotonic()
        code, output = self.finish(command)
        result = {"exit": code}
        if self.case.get("elapsed"):
            result["elapsed_s"] = round(time.monotonic() - began)
        self.deployments.append(max(self.known(step) - before, default="<no deployment directory>"))
        error = re.search(r"^ERROR: (.*)", self.normal(output), re.MULTILINE | re.DOTALL)
        if error and code not in (0, "hung"):
            result["error"] = {"message": error[1].strip()}
        return result

    def known(self, step):
        folder = self.root / step.get("group", LOCAL_GROUP)
        return set(os.listdir(folder)) if folder.is_dir() else set()

    def finish(self, command):
        process = subprocess.Popen(command, cwd=self.destination, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, umask=0o022)
        try:
            output, _ = process.communicate(timeout=self.seconds_max)
            return process.returncode, output.decode("utf-8", "backslashreplace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "hung", ""
