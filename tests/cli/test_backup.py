"""`longshore backup` of a server that is written to, and `longshore restore` into another place."""

import hashlib
import io
import json
import stat
import subprocess
import tarfile
import threading

import pytest

import longshore
from conftest import POSTGRES, Clients, _fresh_database
from names import unique
from operator_cli import FAILED

ENGINES = ["sqlite", "postgres"] if POSTGRES else ["sqlite"]


def database(engine):
    return _fresh_database(POSTGRES) if engine == "postgres" else None


class Writers:
    """Threads that write until they are told to end; they tell what was acknowledged."""

    def __init__(self, clients):
        self.client, self.bucket = clients.client, unique("bucket")
        self.client("s3").create_bucket(Bucket=self.bucket)
        self.applications, self.objects, self.problems = [], {}, []
        self.ending = threading.Event()
        works = [self.applications_come, self.objects_come, self.an_object_changes, self.objects_go, self.uploads_end]
        self.threads = [threading.Thread(target=self._run, args=(work,), daemon=True) for work in works]

    def _run(self, work):
        number = 0
        try:
            while not self.ending.is_set():
                number += 1
                work(number)
        except Exception as problem:
            self.problems.append(problem)

    def applications_come(self, number):
        name = f"{self.bucket}-{number}"
        self.client("codedeploy").create_application(applicationName=name)
        self.applications.append(name)

    def objects_come(self, number):
        self.put(f"kept/{number}", b"kept %d " % number * number)

    def put(self, key, body):
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        self.objects[key] = hashlib.sha256(body).hexdigest()

    def an_object_changes(self, number):
        """Every few milliseconds: its file is gone as soon as the next one is there."""
        self.client("s3").put_object(Bucket=self.bucket, Key="changing", Body=b"%020d" % number * 1000)

    def objects_go(self, number):
        self.client("s3").put_object(Bucket=self.bucket, Key=f"gone/{number}", Body=b"soon gone")
        self.client("s3").delete_object(Bucket=self.bucket, Key=f"gone/{number}")

    def uploads_end(self, number):
        s3, place = self.client("s3"), {"Bucket": self.bucket, "Key": f"parts/{number}"}
        upload = s3.create_multipart_upload(**place)["UploadId"]
        bodies = [b"%d" % number * (5 << 20), b"end"]
        tags = [s3.upload_part(**place, UploadId=upload, PartNumber=part, Body=body)["ETag"]
                for part, body in enumerate(bodies, 1)]
        parts = [{"PartNumber": part, "ETag": tag} for part, tag in enumerate(tags, 1)]
        s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
        if number > 2:
            s3.delete_object(**place)
        else:
            self.objects[place["Key"]] = hashlib.sha256(b"".join(bodies)).hexdigest()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)


def told(command, *arguments, expect=0):
    result = subprocess.run([longshore.binary(), command, *map(str, arguments)], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=120)
    assert result.returncode == expect, f"{result.stdout}\n{result.stderr}"
    return result.stdout + result.stderr


def of(data_dir, url):
    return ["--data-dir", data_dir, *(["--database-url", url] if url else [])]


@pytest.mark.parametrize("source, target", [(one, other) for one in ENGINES for other in ENGINES])
def test_what_was_acknowledged_before_is_in_it_though_the_server_writes(start_longshore, tmp_path, source, target):
    url = database(source)
    server = start_longshore(database_url=url)
    clients = Clients(server.endpoint, *server.root_credentials())
    with Writers(clients) as writers:
        longshore.wait_until(lambda: len(writers.objects) > 20 and "parts/2" in writers.objects or writers.problems, "objects come")
        applications, objects = list(writers.applications), dict(writers.objects)
        archive = tmp_path / "backup.tar"
        assert "Backed up the database" in told("backup", *of(server.data_dir, url), archive)
        assert not (server.data_dir / "backup-in-progress").exists()
    assert not writers.problems, writers.problems
    assert len(writers.applications) > len(applications), "nothing was written meanwhile"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    subprocess.run(["tar", "-xf", archive, "-C", tmp_path, "manifest.json", "manifest.json.sha256"], check=True)
    subprocess.run(["sha256sum", "--check", "--quiet", "manifest.json.sha256"], cwd=tmp_path, check=True)

    url = database(target)
    restored = start_longshore(
        database_url=url, prepare=lambda data_dir: told("restore", *of(data_dir, url), archive)
    )
    assert restored.root_credentials() == server.root_credentials()
    again = Clients(restored.endpoint, *restored.root_credentials())
    deploy, s3 = again.client("codedeploy"), again.client("s3")
    found = [name for page in deploy.get_paginator("list_applications").paginate() for name in page["applications"]]
    assert set(applications) <= set(found)
    for key, digest in objects.items():
        body = s3.get_object(Bucket=writers.bucket, Key=key)["Body"].read()
        assert hashlib.sha256(body).hexdigest() == digest, key
    # Whatever else is listed has its bytes, and they are those that its eTag was made of.
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=writers.bucket):
        for listed in page["Contents"]:
            body = s3.get_object(Bucket=writers.bucket, Key=listed["Key"])["Body"].read()
            if "-" not in listed["ETag"]:
                assert listed["ETag"].strip('"') == hashlib.md5(body).hexdigest(), listed["Key"]


@pytest.fixture(scope="module")
def backed_up(start_longshore, tmp_path_factory):
    """An archive of a server with an object."""
    server = start_longshore()
    s3 = Clients(server.endpoint, *server.root_credentials()).client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="key", Body=b"the object's bytes")
    archive = tmp_path_factory.mktemp("backup") / "backup.tar"
    told("backup", *of(server.data_dir, None), archive)
    return server, archive


def test_a_damaged_archive_is_refused_and_nothing_is_written(backed_up, tmp_path):
    _, archive = backed_up
    whole = archive.read_bytes()
    at = whole.index(b"the object's bytes")
    damaged = tmp_path / "damaged.tar"
    for what, content in {
        "a changed byte": whole[:at] + b"T" + whole[at + 1:],
        "cut off": whole[: len(whole) // 2],
        "something else": b"hello",
    }.items():
        damaged.write_bytes(content)
        said = told("restore", "--data-dir", tmp_path / "data", damaged, expect=FAILED)
        assert "is damaged, or no backup" in said and "nothing was written" in said, what
        assert not (tmp_path / "data").exists()


def test_what_is_there_is_not_overwritten_unless_that_is_said(backed_up, start_longshore, tmp_path):
    server, archive = backed_up
    assert "exists" in told("backup", "--data-dir", server.data_dir, archive, expect=FAILED)
    assert "is not empty" in told("restore", "--data-dir", server.data_dir, archive, expect=FAILED)
    said = told("restore", "--replace", "--data-dir", server.data_dir, archive, expect=FAILED)
    assert "another longshore serves" in said
    told("restore", "--data-dir", tmp_path / "data", archive)
    assert "is not empty" in told("restore", "--data-dir", tmp_path / "data", archive, expect=FAILED)
    told("restore", "--replace", "--data-dir", tmp_path / "data", archive)
    assert "there is no database" in told("backup", "--data-dir", tmp_path, tmp_path / "none.tar", expect=FAILED)


@pytest.mark.skipif(not POSTGRES, reason="LONGSHORE_TEST_POSTGRES_URL names no PostgreSQL")
def test_a_database_in_use_is_not_filled(backed_up, start_longshore, tmp_path):
    _, archive = backed_up
    url = database("postgres")
    server = start_longshore(database_url=url)
    said = told("restore", *of(tmp_path / "data", url), archive, expect=FAILED)
    assert "holds something of longshore's already" in said
    assert list((tmp_path / "data").iterdir()) == [tmp_path / "data/lock"]
    assert server.is_serving()


def test_a_newer_archive_is_refused_by_name(backed_up, tmp_path):
    _, archive = backed_up
    newer = tmp_path / "newer.tar"
    with tarfile.open(archive) as old, tarfile.open(newer, "w") as new:
        for member in old.getmembers():
            content = old.extractfile(member).read()
            if member.name == "manifest.json":
                content = json.dumps(json.loads(content) | {"schema": 1000, "program": "9.9.9"}).encode()
                digest = hashlib.sha256(content).hexdigest()
            elif member.name == "manifest.json.sha256":
                content = f"{digest}  manifest.json\n".encode()
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    said = told("restore", "--data-dir", tmp_path / "data", newer, expect=FAILED)
    assert "was made by longshore 9.9.9, with schema 1000" in said and "schemas up to" in said
    assert not (tmp_path / "data").exists()
