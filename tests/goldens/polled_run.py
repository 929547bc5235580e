"""A case with an agent that polls: one agent for the whole case, and a control plane that commands it."""

import json
import os
import pathlib
import signal
import subprocess
import time

import make_bundles
import signing
from case_run import POLLED_GROUP, SETTLE_SECONDS, Run
from control_plane import ControlPlane

HOST = "arn:aws:iam::111122223333:user/golden-host"
ON_PREMISES = f"""region: us-east-1
aws_access_key_id: AKIDGOLDEN
aws_secret_access_key: golden
iam_user_arn: {HOST}
"""
EVENTS = ["ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart",
          "ValidateService"]
START_SECONDS_MAX = 30
# How long to wait for a completion that is not to come.
QUIET_SECONDS = 4


class Polled(Run):
    """Deployments as the control plane commands them."""

    group = POLLED_GROUP
    plane = process = None

    def begin(self):
        self.plane = ControlPlane(HOST, self.keys / "tls.pem", self.keys / "tls.key")
        (self.base / "onpremises.yml").write_text(ON_PREMISES)
        configuration = self.write_configuration(
            deploy_control_endpoint=self.plane.url, s3_endpoint_override=self.plane.url,
            signer_certificate_file=self.keys / "signer.pem",
        )
        with open(self.base / "start.out", "wb") as output:
            self.process = subprocess.Popen(
                [*self.command, f"--config_file={configuration}", "start"], cwd=self.destination,
                env=self.environment | {"SSL_CERT_FILE": str(self.keys / "ca.pem")}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, umask=0o022,
            )
        if not self.plane.polled.wait(START_SECONDS_MAX):
            raise AssertionError(f"no poll within {START_SECONDS_MAX} s: {(self.base / 'start.out').read_text()}")

    def end(self):
        if self.process:
            for pid in [*self.watchers(), *self.processes()]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(START_SECONDS_MAX)
        if self.plane:
            self.plane.close()
            assert not self.plane.errors, self.plane.errors

    def watchers(self):
        """Whoever would start the agent again: what else was started with its settings."""
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and str(self.base).encode() in (entry / "cmdline").read_bytes():
                    yield int(entry.name)
            except OSError:
                pass

    def processes(self):
        """The agent's processes, its main one first."""
        try:
            found = [int((self.base / "pid/codedeploy-agent.pid").read_text())]
        except (OSError, ValueError):
            found = [self.process.pid] if self.process.poll() is None else []
        for pid in found:
            try:
                with open(f"/proc/{pid}/task/{pid}/children") as file:
                    found += [int(child) for child in file.read().split()]
            except OSError:
                pass
        return found

    def state(self, step):
        time.sleep(SETTLE_SECONDS)
        return super().state(step)

    def deploy(self, step):
        default = f"d-GOLDEN{len(self.deployments) + 1:03}"
        specification, etag = self.specification(step, default)
        self.deployments.append((specification.get("DeploymentId") or default).split("/")[-1])
        data = json.dumps(specification, sort_keys=True).encode()
        envelope = signing.envelope(step.get("envelope", "signed"), data, self.keys)
        events, results = step.get("events") or EVENTS, []
        for event in events:
            command = self.plane.submit(event, self.deployments[-1], envelope, step.get("ack_status", "InProgress"))
            quiet = step.get("expect_no_complete")
            command.completed.wait(QUIET_SECONDS if quiet else self.seconds_max)
            result = self.result(command, quiet, etag)
            results.append(result)
            # After a failure the service sends nothing more.
            if result["status"] in ("Failed", "hung"):
                break
        return {"commands": results}

    def specification(self, step, deployment):
        """The deployment specification, with what the case sets and drops; and the bundle's ETag."""
        path, kind = self.bundle(step, make_bundles.archive_type(self.case))
        asked = step.get("s3", {})
        key = f"app/{path.name}"
        etag = self.plane.add_object("golden-bucket", key, path)
        revision = {"Bucket": "golden-bucket", "Key": f"app/{asked['key']}" if "key" in asked else key,
                    "BundleType": asked.get("type", kind)}
        if not asked.get("no_version"):
            revision["Version"] = "golden-version-1"
        if not asked.get("no_etag"):
            revision["ETag"] = asked.get("etag", f'"{etag}"' if asked.get("quote_etag") else etag)
        behavior = step.get("file_exists_behavior", "DISALLOW")
        specification = {
            "ApplicationId": "22222222-3333-4444-8555-666666666666", "ApplicationName": "golden-app",
            "DeploymentCreator": "user", "DeploymentGroupId": step.get("group", POLLED_GROUP),
            "DeploymentGroupName": "golden-group", "DeploymentId": step.get("deployment_id", deployment),
            "DeploymentType": "IN_PLACE",
            "AgentActionOverrides": {"AgentOverrides": {"FileExistsBehavior": behavior}},
            "Revision": {"RevisionType": "S3", "S3Revision": revision},
        }
        if step.get("appspec_filename"):
            specification["AppSpecFilename"] = step["appspec_filename"]
        specification |= step.get("spec_set", {})
        for path in step.get("spec_drop", []):
            *parents, last = path.split(".")
            inner = specification
            for parent in parents:
                inner = inner[parent]
            inner.pop(last, None)
        return specification, etag

    def result(self, command, quiet, etag):
        """What the agent said of a command."""
        result = {"command": command.name, "acknowledged": None, "status": None if quiet else "hung"}
        if command.acknowledgements:
            diagnostics = command.acknowledgements[0].get("Diagnostics")
            result["acknowledged"] = {
                "format": diagnostics["Format"], "payload": json.loads(diagnostics["Payload"]),
            } if diagnostics else {}
        if not command.completed.is_set():
            return result
        diagnostics = command.completions[0].get("Diagnostics") or {}
        payload = json.loads(diagnostics.get("Payload", "{}"))
        result |= {"status": command.completions[0]["CommandStatus"], "format": diagnostics.get("Format"), "diagnostics": {
            key: self.normal(value).replace(etag, "<ETAG>") if isinstance(value, str) else value
            for key, value in payload.items()
        }}
        if self.case.get("elapsed") and command.acknowledged_at:
            result["elapsed_s"] = round(command.completed_at - command.acknowledged_at)
        said = (len(command.acknowledgements), len(command.completions))
        if max(said) > 1:
            result["times"] = {"acknowledged": said[0], "completed": said[1]}
        return result
