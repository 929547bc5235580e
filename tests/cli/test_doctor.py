"""`longshore doctor`, `completions` and `man`."""

import http.server
import json
import subprocess
import threading
import time
import email.utils

import longshore
from names import unique
from operator_cli import FAILED, USAGE, cli, shop  # noqa: F401 (fixtures)


def states(cli, *arguments, **options):
    checks = cli.json("doctor", *arguments, **options)["checks"]
    return {check["name"]: check["state"] for check in checks}


def test_all_is_well(cli):
    told = cli("doctor", "--silent-after", "200h").stdout
    assert "wrong" not in told and ":root" in told
    # Other tests leave hosts whose agents are gone.
    found = states(cli, "--silent-after", "200h")
    assert {state for name, state in found.items() if name != "Agents"} == {"ok"}
    assert cli("doctor", "--silent-after", "200h", "--query", "checks[?state=='wrong']", "--output", "json").stdout.strip() == "[]"


def test_silent_agents_are_told_with_what_to_do(cli, shop):
    shop.succeeded()
    longshore.wait_until(
        lambda: shop.host() in cli("hosts", "--silent-after", "1s", "--output", "text").stdout, "the agent is silent", every=0.2)
    told = cli("doctor", "--silent-after", "1s", expect=FAILED).stdout
    (line,) = [line for line in told.splitlines() if "Agents" in line]
    assert line.startswith("wrong") and "silent for more than 1.0 s" in line and "never heard" in line
    assert "systemctl status codedeploy-agent" in told and "longshore hosts --silent-after" in told


def test_what_is_not_permitted_is_told_with_its_action(cli, session):
    iam, name = session.client("iam"), unique("reader")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "codedeploy:ListDeployments", "Resource": "*"}],
    }))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    found = states(cli, expect=FAILED, environment=keys)
    assert (found["Deployments"], found["List"], found["Deploy"]) == ("ok", "wrong", "note")
    told = cli("doctor", expect=FAILED, environment=keys).stdout
    assert f"user/{name}" in told and "allow codedeploy:ListApplications" in told


def test_a_bucket_that_is_missing_is_told(cli, session):
    bucket = unique("bundles")
    assert f"aws s3 mb s3://{bucket}" in cli("doctor", "--bucket", bucket, expect=FAILED).stdout
    session.client("s3").create_bucket(Bucket=bucket)
    assert states(cli, "--bucket", bucket, "--silent-after", "200h")["Bucket"] == "ok"


def test_wrong_keys_and_a_server_that_is_away_are_told(cli):
    told = cli("doctor", expect=FAILED, environment={"AWS_SECRET_ACCESS_KEY": "x" * 40}).stdout
    assert "wrong  Credentials" in told
    told = cli("doctor", "--endpoint-url", "http://127.0.0.1:9", expect=FAILED).stdout
    assert "wrong  Server" in told and "cannot be reached" in told


def test_a_clock_that_is_wrong_is_told(cli):
    """The server's clock, as far as a client can see: a front that answers with a date of an hour ago."""

    class Front(http.server.BaseHTTPRequestHandler):
        def date_time_string(self, timestamp=None):
            return email.utils.formatdate(time.time() - 3600, usegmt=True)

        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def do_POST(self):
            self.send_error(403)

        def log_message(self, *_):
            pass

    front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=front.serve_forever, daemon=True).start()
    try:
        told = cli("doctor", "--endpoint-url", f"http://127.0.0.1:{front.server_port}", expect=FAILED).stdout
    finally:
        front.shutdown()
    assert "s ahead of the server's" in told and "NTP" in told


def test_completions_are_what_the_shells_read(cli, tmp_path):
    script = tmp_path / "longshore.bash"
    script.write_text(cli("completions", "bash").stdout)
    complete = 'COMP_WORDS=(longshore depl); COMP_CWORD=1; _longshore longshore depl longshore; echo "${COMPREPLY[@]}"'
    told = subprocess.run(["bash", "-c", f"source {script}; {complete}"], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["deploy", "deployment"]
    assert "#compdef longshore" in cli("completions", "zsh").stdout
    assert "complete -c longshore" in cli("completions", "fish").stdout
    cli("completions", "tcsh", expect=USAGE)


def test_the_manual_has_a_page_for_each_command(cli, tmp_path):
    assert ".TH longshore 1" in cli("man").stdout
    cli("man", tmp_path / "man1")
    pages = {page.name for page in (tmp_path / "man1").iterdir()}
    assert {"longshore.1", "longshore-deploy.1", "longshore-deployment-watch.1", "longshore-server.1"} <= pages
    assert "Examples" in (tmp_path / "man1/longshore-deployment-watch.1").read_text()
    (tmp_path / "file").write_text("")
    assert "cannot make" in cli("man", tmp_path / "file", expect=FAILED).stderr
