"""Which server is asked, and as whom: as the stock CLI finds it out."""

import json

import pytest

from operator_cli import FAILED, USAGE, cli  # noqa: F401 (a fixture)

NOTHING = {"AWS_ENDPOINT_URL": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


def test_without_any_setting_it_is_told_what_to_set(cli):
    told = cli("deployment", "list", expect=USAGE, environment=NOTHING).stderr
    assert "no credentials" in told and 'eval "$(longshore credentials --env)"' in told
    told = cli("deployment", "list", expect=USAGE, environment={"AWS_ENDPOINT_URL": ""}).stderr
    assert "no server is named" in told and "--endpoint-url" in told


@pytest.fixture
def files(tmp_path, endpoint, credentials):
    """Configuration files with the profile `ours`."""
    access, secret = credentials
    printed = json.dumps({"Version": 1, "AccessKeyId": access, "SecretAccessKey": secret})
    (tmp_path / "keys.json").write_text(printed)
    (tmp_path / "config").write_text(
        f"[profile ours]\nregion = us-east-1\nservices = local\n[services local]\ncodedeploy =\n  endpoint_url = {endpoint}\n"
        f"[profile printed]\nendpoint_url = {endpoint}\ncredential_process = cat {tmp_path / 'keys.json'}\n"
        f"[profile broken]\nendpoint_url = {endpoint}\ncredential_process = false\n"
        f"[profile assumed]\nendpoint_url = {endpoint}\nrole_arn = arn:aws:iam::123456789012:role/x\n"
    )
    (tmp_path / "credentials").write_text(f"[ours]\naws_access_key_id={access}\naws_secret_access_key={secret}\n")
    return NOTHING | {
        "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }


def test_profiles_are_read_from_the_files(cli, files):
    cli("deployment", "list", environment=files | {"AWS_PROFILE": "ours"})
    cli("deployment", "list", "--profile", "ours", environment=files)
    cli("deployment", "list", "--profile", "printed", environment=files)


def test_profiles_that_are_of_no_use_are_told(cli, files):
    told = cli("group", "list", "--profile", "gone", expect=USAGE, environment=files).stderr
    assert "no profile `gone`" in told
    told = cli("group", "list", "--profile", "assumed", expect=USAGE, environment=files).stderr
    assert "role_arn" in told and "credential_process = aws configure export-credentials" in told
    told = cli("group", "list", "--profile", "broken", expect=FAILED, environment=files).stderr
    assert "credential_process of profile `broken`" in told


def test_the_session_token_of_a_role_is_sent(cli, session):
    keys = session.client("sts").get_session_token()["Credentials"]
    of_session = {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]}
    cli("group", "list", environment=of_session | {"AWS_SESSION_TOKEN": keys["SessionToken"]})
    cli("group", "list", expect=FAILED, environment=of_session)


def test_a_server_that_is_not_there_is_named(cli):
    told = cli("deployment", "list", "--endpoint-url", "http://127.0.0.1:9", expect=FAILED).stderr
    assert "http://127.0.0.1:9 cannot be reached" in told and "longshore doctor" in told


def test_keys_that_are_wrong_are_told(cli):
    told = cli("deployment", "list", expect=FAILED, environment={"AWS_SECRET_ACCESS_KEY": "x" * 40}).stderr
    assert "InvalidSignatureException" in told and "doctor" in told
    told = cli("deployment", "list", expect=FAILED, environment={"AWS_ACCESS_KEY_ID": "AKIA" + "X" * 16}).stderr
    assert "longshore credentials --env" in told


@pytest.mark.parametrize("arguments", [
    ["deployment", "get", "web-01"], ["deployment", "list", "--status", "Nope"], ["deploy"], ["frobnicate"],
    ["deployment", "list", "--group", "G"], ["push", "--application", "A", "--bundle-type", "rar"],
])
def test_what_is_not_understood_ends_with_3(cli, arguments):
    assert "error:" in cli(*arguments, expect=USAGE).stderr


def test_help_and_version_are_no_mistakes(cli):
    assert "Examples:" in cli("deployment", "watch", "--help").stdout
    assert cli("--version").stdout.startswith("longshore ")
