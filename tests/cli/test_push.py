"""`longshore push` and `deploy`: what is in a bundle, where it goes, and that an upload goes on."""

import io
import os
import stat
import subprocess
import tarfile
import zipfile

import longshore
from names import unique
from operator_cli import FAILED, USAGE, Meanwhile, cli, folder, shop  # noqa: F401 (fixtures)

PART = 8 << 20


def content(shop, revision):
    location = revision["s3Location"]
    return shop.client("s3").get_object(Bucket=location["bucket"], Key=location["key"])["Body"].read()


def test_a_zip_has_links_and_modes_and_lacks_what_is_ignored(cli, shop, folder):
    revision = cli.json("push", folder, "--application", shop.name)["revision"]
    location = revision["s3Location"]
    assert location["bundleType"] == "zip" and location["key"].startswith(f"{shop.name}/")
    with zipfile.ZipFile(io.BytesIO(content(shop, revision))) as archive:
        assert archive.namelist() == ["appspec.yml", "run.sh", "start"]
        mode = {name: archive.getinfo(name).external_attr >> 16 for name in archive.namelist()}
        assert stat.S_ISLNK(mode["start"]) and archive.read("start") == b"run.sh"
        assert mode["run.sh"] & 0o777 == 0o755
    known = shop.client("codedeploy").list_application_revisions(applicationName=shop.name)["revisions"]
    assert [one["s3Location"]["key"] for one in known] == [location["key"]]


def test_the_same_content_is_not_uploaded_again(cli, shop, folder):
    first = cli("push", folder, "--application", shop.name)
    os.utime(folder / "run.sh", (1, 1))
    again = cli("push", folder, "--application", shop.name)
    assert "has this content already" in again.stderr and again.stdout == first.stdout
    (folder / "run.sh").write_text("#!/bin/bash\n")
    assert cli("push", folder, "--application", shop.name).stdout != first.stdout


def test_a_tarball_goes_where_it_is_told_to(cli, shop, folder):
    bucket = unique("bundles")
    to = ["push", folder, "-a", shop.name, "--bundle-type", "tgz", "--s3-location"]
    told = cli(*to, f"s3://{bucket}/a b/shop.tgz", expect=USAGE).stderr
    assert f"there is no bucket {bucket}" in told and f"aws s3 mb s3://{bucket}" in told
    shop.client("s3").create_bucket(Bucket=bucket)
    revision = cli.json(*to, f"s3://{bucket}/a b/shop.tgz", "--description", "ours")["revision"]
    with tarfile.open(fileobj=io.BytesIO(content(shop, revision))) as archive:
        assert archive.getnames() == ["appspec.yml", "run.sh", "start"]
        assert archive.getmember("start").linkname == "run.sh"


def test_what_cannot_be_pushed_is_told(cli, shop, folder, tmp_path):
    assert "is no folder" in cli("push", tmp_path / "nope", "-a", shop.name, expect=USAGE).stderr
    assert "has no appspec.yml" in cli("push", tmp_path, "-a", shop.name, expect=USAGE).stderr
    assert "no place for a bundle" in cli("push", folder, "-a", shop.name, "--s3-location", "x", expect=USAGE).stderr
    os.mkfifo(folder / "pipe")
    assert "neither file, folder nor link" in cli("push", folder, "-a", shop.name, expect=FAILED).stderr
    (folder / "pipe").unlink()
    told = cli("push", folder, "-a", unique("none"), expect=FAILED).stderr
    assert "was uploaded, and not registered" in told and "ApplicationDoesNotExist" in told


def test_an_upload_that_was_interrupted_goes_on(cli, shop, folder, session):
    """The first parts are there as a push left them that was killed: only the rest is sent."""
    (folder / "large").write_bytes(os.urandom(2 * PART + 1000))
    s3, key, bucket = shop.client("s3"), "large.tar", unique("bundles")
    s3.create_bucket(Bucket=bucket)
    push = ["push", folder, "-a", shop.name, "--bundle-type", "tar", "--s3-location", f"s3://{bucket}/{key}"]
    # What the bundle is: pushed whole under another name.
    whole = cli.json(*push[:-1], f"s3://{bucket}/whole.tar")["revision"]
    body = content(shop, whole)
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=body[:PART])
    s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=2, Body=b"other" * PART)
    told = cli(*push)
    assert "1 of 3 parts are there" in told.stderr
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_a_push_that_is_killed_goes_on(cli, shop, folder):
    """Killed as soon as a part has arrived, and repeated."""
    (folder / "large").write_bytes(os.urandom(6 * PART))
    s3, bucket = shop.client("s3"), unique("bundles")
    s3.create_bucket(Bucket=bucket)
    push = ["push", folder, "-a", shop.name, "--bundle-type", "tar", "--s3-location", f"s3://{bucket}/large.tar"]
    running = subprocess.Popen([longshore.binary(), *push], env=cli.environment, stderr=subprocess.DEVNULL)

    def part():
        for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            return s3.list_parts(Bucket=bucket, Key="large.tar", UploadId=upload["UploadId"]).get("Parts")

    longshore.wait_until(part, "a part arrives", every=0)
    running.kill()
    running.wait()
    assert "Going on with an interrupted upload" in cli(*push).stderr


def test_a_folder_is_deployed_and_followed(cli, shop, folder):
    to = ["deploy", folder, "--application", shop.name, "--group"]
    told = cli(*to, "Nope", expect=FAILED).stderr
    assert f"nothing was deployed to {shop.name}/Nope" in told and "longshore group list" in told
    with Meanwhile(shop.carry_out):
        told = cli(*to, "Production").stdout
    assert f"{shop.name}/Production  Succeeded" in told
    with Meanwhile(shop.fail):
        cli(*to, "Production", expect=FAILED)
    deployment = cli(*to, "Production", "--detach", "--output", "text").stdout.strip()
    shop.carry_out()
    assert shop.ended(deployment)["status"] == "Succeeded"
