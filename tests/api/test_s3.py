"""S3, judged by boto3 and the stock CLI."""

import base64
import hashlib
import json
import socket
import urllib.parse
import zlib

import botocore.exceptions
import pytest

import conftest
import raw
from longshore import wait_until
from names import unique

MIB = 1024 * 1024


@pytest.fixture
def s3(session):
    return session.client("s3")


@pytest.fixture
def bucket(s3):
    name = unique("bucket")
    s3.create_bucket(Bucket=name)
    return name


def refused(call, **arguments):
    """(code, status) of the error that a call must end with."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def body_of(answer):
    return answer["Body"].read()


class TestBuckets:
    def test_a_bucket_is_made_seen_and_removed(self, s3):
        name = unique("bucket")
        assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
        assert s3.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"
        assert name in [found["Name"] for found in s3.list_buckets()["Buckets"]]
        assert s3.get_bucket_location(Bucket=name).get("LocationConstraint") is None
        s3.delete_bucket(Bucket=name)
        assert refused(s3.head_bucket, Bucket=name) == ("404", 404)
        assert refused(s3.delete_bucket, Bucket=name) == ("NoSuchBucket", 404)

    def test_ones_own_bucket_again(self, s3, bucket):
        s3.create_bucket(Bucket=bucket)
        elsewhere = {"LocationConstraint": "eu-west-1"}
        name = unique("bucket")
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=elsewhere)
        assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
        again = refused(s3.create_bucket, Bucket=name, CreateBucketConfiguration=elsewhere)
        assert again == ("BucketAlreadyOwnedByYou", 409)

    def test_a_bucket_that_is_not_empty_stays(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"v")
        assert refused(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)

    @pytest.mark.parametrize("name", ["ab", "UpperCase", "under_score", "two..dots", "192.168.5.4", "-dash", "x" * 64])
    def test_names_have_rules(self, session, name):
        answer = raw.signed(session, "s3", "PUT", f"/{name}")
        assert (answer.status, b"<Code>InvalidBucketName</Code>" in answer.body) == (400, True), answer.body

    def test_a_policy_is_kept(self, s3, bucket):
        assert refused(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
        s3.delete_bucket_policy(Bucket=bucket)
        assert refused(s3.get_bucket_policy, Bucket=bucket) == ("NoSuchBucketPolicy", 404)
        assert refused(s3.put_bucket_policy, Bucket=bucket, Policy="{") == ("MalformedPolicy", 400)

    def test_tags_are_kept(self, s3, bucket):
        assert refused(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)
        tags = [{"Key": "team", "Value": "web"}]
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
        s3.delete_bucket_tagging(Bucket=bucket)
        assert refused(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)

    @pytest.mark.parametrize("operation, code", [
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
        ("get_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
        ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    ])
    def test_what_nobody_configured(self, s3, bucket, operation, code):
        assert refused(getattr(s3, operation), Bucket=bucket) == (code, 404)
        assert refused(getattr(s3, operation), Bucket=unique("nowhere")) == ("NoSuchBucket", 404)

    def test_what_has_a_default(self, s3, bucket):
        assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
        assert [grant["Permission"] for grant in s3.get_bucket_acl(Bucket=bucket)["Grants"]] == ["FULL_CONTROL"]
        assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
        assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
        assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)


class TestObjects:
    def test_what_was_put_is_got(self, s3, bucket):
        put = s3.put_object(
            Bucket=bucket, Key="dir/ä b+c&d.txt", Body=b"hello", ContentType="text/plain", CacheControl="no-store",
            ContentDisposition="attachment", ContentEncoding="identity", ContentLanguage="en",
            Metadata={"release": "v001"},
        )
        assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
        assert "VersionId" not in put
        got = s3.get_object(Bucket=bucket, Key="dir/ä b+c&d.txt")
        assert body_of(got) == b"hello"
        assert (got["ETag"], got["ContentLength"], got["AcceptRanges"]) == (put["ETag"], 5, "bytes")
        assert (got["ContentType"], got["CacheControl"], got["ContentDisposition"]) == (
            "text/plain", "no-store", "attachment")
        assert (got["ContentEncoding"], got["ContentLanguage"]) == ("identity", "en")
        assert got["Metadata"] == {"release": "v001"}
        assert "VersionId" not in got
        head = s3.head_object(Bucket=bucket, Key="dir/ä b+c&d.txt")
        assert (head["ETag"], head["ContentLength"], head["LastModified"]) == (put["ETag"], 5, got["LastModified"])

    def test_an_empty_object(self, s3, bucket):
        assert s3.put_object(Bucket=bucket, Key="empty")["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
        got = s3.get_object(Bucket=bucket, Key="empty")
        assert (body_of(got), got["ContentType"]) == (b"", "binary/octet-stream")
        assert refused(s3.get_object, Bucket=bucket, Key="empty", Range="bytes=0-") == ("InvalidRange", 416)

    def test_overwriting_replaces(self, s3, bucket):
        for body in (b"first", b"second"):
            s3.put_object(Bucket=bucket, Key="k", Body=body)
        assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"second"

    def test_a_reader_keeps_what_it_opened(self, s3, bucket):
        old = bytes(8 * MIB)
        s3.put_object(Bucket=bucket, Key="k", Body=old)
        reading = s3.get_object(Bucket=bucket, Key="k")["Body"]
        begin = reading.read(1)
        s3.put_object(Bucket=bucket, Key="k", Body=b"new")
        assert begin + reading.read() == old
        assert body_of(s3.get_object(Bucket=bucket, Key="k")) == b"new"

    def test_what_is_not_there(self, s3, bucket):
        assert refused(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)
        assert refused(s3.head_object, Bucket=bucket, Key="k") == ("404", 404)
        assert refused(s3.get_object, Bucket=unique("nowhere"), Key="k") == ("NoSuchBucket", 404)
        assert refused(s3.put_object, Bucket=unique("nowhere"), Key="k", Body=b"v") == ("NoSuchBucket", 404)

    def test_deleting_succeeds_even_for_nothing(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"v")
        for _ in range(2):
            assert s3.delete_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert refused(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)

    def test_deleting_many(self, s3, bucket):
        for key in ("a", "b", "c"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"v")
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}, {"Key": "none"}]})
        assert sorted(deleted["Key"] for deleted in answer["Deleted"]) == ["a", "b", "none"]
        quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "c"}], "Quiet": True})
        assert "Deleted" not in quiet
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_keys_have_a_longest_length(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k" * 1024, Body=b"v")
        assert refused(s3.put_object, Bucket=bucket, Key="k" * 1025, Body=b"v") == ("KeyTooLongError", 400)

    def test_a_key_is_a_name_and_no_path(self, s3, bucket, endpoint, session):
        for key in ("../../etc/passwd", "a//b", "./c", "d/"):
            path = f"/{bucket}/" + urllib.parse.quote(key)
            assert raw.signed(session, "s3", "PUT", path, body=key.encode()).status == 200
            assert raw.signed(session, "s3", "GET", path).body == key.encode()
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        assert keys == ["../../etc/passwd", "./c", "a//b", "d/"]

    @pytest.mark.parametrize("wanted, status, body, content_range", [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=5-100", 206, b"56789", "bytes 5-9/10"),
    ])
    def test_ranges(self, s3, bucket, wanted, status, body, content_range):
        s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
        got = s3.get_object(Bucket=bucket, Key="digits", Range=wanted)
        assert (got["ResponseMetadata"]["HTTPStatusCode"], body_of(got), got["ContentRange"]) == (
            status, body, content_range)
        head = s3.head_object(Bucket=bucket, Key="digits", Range=wanted)
        assert (head["ContentLength"], head["ContentRange"]) == (len(body), content_range)

    def test_a_range_beyond_the_end(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
        assert refused(s3.get_object, Bucket=bucket, Key="digits", Range="bytes=10-") == ("InvalidRange", 416)

    def test_headers_of_an_answer_can_be_chosen(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"v", ContentType="text/plain")
        got = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="application/zip",
                            ResponseContentDisposition='attachment; filename="k.zip"')
        assert (got["ContentType"], got["ContentDisposition"]) == ("application/zip", 'attachment; filename="k.zip"')

    def test_tags(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"v", Tagging="UseWithCodeDeploy=true")
        tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
        assert tags == [{"Key": "UseWithCodeDeploy", "Value": "true"}]
        assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 1
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "b"}]
        s3.delete_object_tagging(Bucket=bucket, Key="k")
        assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []

    def test_attributes(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm="CRC32")
        found = s3.get_object_attributes(
            Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
        assert (found["ETag"].strip('"'), found["ObjectSize"], found["StorageClass"]) == (
            "25f9e794323b453885f5181f1b624d0b", 9, "STANDARD")
        assert found["Checksum"]["ChecksumCRC32"] == "y/Q5Jg=="


class TestConditions:
    @pytest.fixture(autouse=True)
    def stored(self, s3, bucket):
        self.s3, self.bucket = s3, bucket
        self.etag = s3.put_object(Bucket=bucket, Key="k", Body=b"v")["ETag"]
        self.modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]

    def read(self, **conditions):
        return self.s3.get_object(Bucket=self.bucket, Key="k", **conditions)

    def test_reading_if_it_is_the_same(self):
        assert body_of(self.read(IfMatch=self.etag)) == b"v"
        assert refused(self.read, IfMatch='"0"') == ("PreconditionFailed", 412)
        assert body_of(self.read(IfUnmodifiedSince=self.modified)) == b"v"
        assert refused(self.read, IfUnmodifiedSince="2001-01-01") == ("PreconditionFailed", 412)

    def test_reading_if_it_is_another(self):
        assert body_of(self.read(IfNoneMatch='"0"')) == b"v"
        assert refused(self.read, IfNoneMatch=self.etag)[1] == 304
        assert body_of(self.read(IfModifiedSince="2001-01-01")) == b"v"
        assert refused(self.read, IfModifiedSince=self.modified)[1] == 304

    def test_writing_only_what_is_not_there(self):
        put = self.s3.put_object
        assert refused(put, Bucket=self.bucket, Key="k", Body=b"w", IfNoneMatch="*") == ("PreconditionFailed", 412)
        assert body_of(self.read()) == b"v"
        put(Bucket=self.bucket, Key="new", Body=b"w", IfNoneMatch="*")

    def test_writing_only_over_what_one_knows(self):
        put = self.s3.put_object
        assert refused(put, Bucket=self.bucket, Key="k", Body=b"w", IfMatch='"0"') == ("PreconditionFailed", 412)
        assert refused(put, Bucket=self.bucket, Key="no", Body=b"w", IfMatch='"0"') == ("NoSuchKey", 404)
        put(Bucket=self.bucket, Key="k", Body=b"w", IfMatch=self.etag)
        assert body_of(self.read()) == b"w"


class TestListing:
    KEYS = ["a", "b/1", "b/2", "b/c/3", "d e+f", "z"]

    @pytest.fixture(autouse=True)
    def stored(self, s3, bucket):
        self.s3, self.bucket = s3, bucket
        for key in self.KEYS:
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode())

    def pages(self, operation, **arguments):
        """(keys, common prefixes) over all pages."""
        keys, prefixes = [], []
        for page in self.s3.get_paginator(operation).paginate(Bucket=self.bucket, **arguments):
            keys += [found["Key"] for found in page.get("Contents", [])]
            prefixes += [found["Prefix"] for found in page.get("CommonPrefixes", [])]
        return keys, prefixes

    @pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
    @pytest.mark.parametrize("size", [1, 2, 1000])
    def test_pages_hold_everything_once(self, operation, size):
        paging = {"PaginationConfig": {"PageSize": size}}
        assert self.pages(operation, **paging) == (self.KEYS, [])
        assert self.pages(operation, Prefix="b/", **paging) == (["b/1", "b/2", "b/c/3"], [])
        assert self.pages(operation, Delimiter="/", **paging) == (["a", "d e+f", "z"], ["b/"])
        assert self.pages(operation, Prefix="b/", Delimiter="/", **paging) == (["b/1", "b/2"], ["b/c/"])

    def test_starting_later(self):
        assert self.pages("list_objects_v2", StartAfter="b/2")[0] == ["b/c/3", "d e+f", "z"]
        assert [found["Key"] for found in self.s3.list_objects(Bucket=self.bucket, Marker="d e+f")["Contents"]] == ["z"]

    def test_an_entry_tells_of_its_object(self):
        entry = self.s3.list_objects_v2(Bucket=self.bucket, MaxKeys=1)["Contents"][0]
        assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("a", 1, "STANDARD")
        assert entry["ETag"] == f'"{hashlib.md5(b"a").hexdigest()}"'

    def test_bad_parameters(self):
        assert refused(self.s3.list_objects_v2, Bucket=self.bucket, MaxKeys=-1) == ("InvalidArgument", 400)
        bad = refused(self.s3.list_objects_v2, Bucket=self.bucket, ContinuationToken="!!")
        assert bad == ("InvalidArgument", 400)


class TestVersions:
    @pytest.fixture(autouse=True)
    def versioned(self, s3, bucket):
        self.s3, self.bucket = s3, bucket
        s3.put_object(Bucket=bucket, Key="k", Body=b"before")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"

    def put(self, body):
        return self.s3.put_object(Bucket=self.bucket, Key="k", Body=body)["VersionId"]

    def read(self, **version):
        return body_of(self.s3.get_object(Bucket=self.bucket, Key="k", **version))

    def test_each_version_is_kept(self):
        first, second = self.put(b"first"), self.put(b"second")
        assert self.read() == b"second"
        assert self.read(VersionId=first) == b"first"
        assert self.read(VersionId="null") == b"before"
        listed = self.s3.list_object_versions(Bucket=self.bucket)["Versions"]
        assert [(found["VersionId"], found["IsLatest"]) for found in listed] == [
            (second, True), (first, False), ("null", False)]
        assert refused(self.s3.get_object, Bucket=self.bucket, Key="k", VersionId="none") == ("NoSuchVersion", 404)

    def test_versions_come_in_pages(self):
        ids = [self.put(str(number).encode()) for number in range(5)][::-1] + ["null"]
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, PaginationConfig={"PageSize": 2})
        assert [found["VersionId"] for page in pages for found in page["Versions"]] == ids

    def test_a_delete_marker_hides_and_can_go(self):
        first = self.put(b"first")
        marker = self.s3.delete_object(Bucket=self.bucket, Key="k")
        assert marker["DeleteMarker"] is True
        assert refused(self.s3.get_object, Bucket=self.bucket, Key="k") == ("NoSuchKey", 404)
        assert self.s3.list_objects_v2(Bucket=self.bucket)["KeyCount"] == 0
        assert self.read(VersionId=first) == b"first"
        by_version = refused(self.s3.get_object, Bucket=self.bucket, Key="k", VersionId=marker["VersionId"])
        assert by_version == ("MethodNotAllowed", 405)
        listed = self.s3.list_object_versions(Bucket=self.bucket)
        assert [found["VersionId"] for found in listed["DeleteMarkers"]] == [marker["VersionId"]]
        gone = self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=marker["VersionId"])
        assert gone["DeleteMarker"] is True
        assert self.read() == b"first"

    def test_removing_the_latest_version_uncovers_the_one_before(self):
        first, second = self.put(b"first"), self.put(b"second")
        self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=second)
        assert self.read() == b"first"
        assert self.s3.head_object(Bucket=self.bucket, Key="k")["VersionId"] == first

    def test_suspended_versioning_overwrites_null(self):
        first = self.put(b"first")
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Suspended"})
        for body in (b"x", b"y"):
            self.s3.put_object(Bucket=self.bucket, Key="k", Body=body)
        assert (self.read(), self.read(VersionId="null"), self.read(VersionId=first)) == (b"y", b"y", b"first")


class TestCopies:
    def test_a_copy_is_the_same(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="ä/source", Body=b"hello", ContentType="text/plain", Metadata={"a": "1"})
        copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "ä/source"})
        assert copied["CopyObjectResult"]["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
        got = s3.get_object(Bucket=bucket, Key="copy")
        assert (body_of(got), got["ContentType"], got["Metadata"]) == (b"hello", "text/plain", {"a": "1"})

    def test_a_copy_may_be_described_anew(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"hello", Metadata={"a": "1"})
        itself = {"Bucket": bucket, "Key": "k", "CopySource": f"{bucket}/k"}
        assert refused(s3.copy_object, **itself) == ("InvalidRequest", 400)
        s3.copy_object(**itself, MetadataDirective="REPLACE", Metadata={"b": "2"})
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"b": "2"}

    def test_a_copy_may_have_conditions(self, s3, bucket):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"hello")["ETag"]
        copy = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/k"}
        assert refused(s3.copy_object, **copy, CopySourceIfMatch='"0"') == ("PreconditionFailed", 412)
        assert refused(s3.copy_object, **copy, CopySourceIfNoneMatch=etag) == ("PreconditionFailed", 412)
        s3.copy_object(**copy, CopySourceIfMatch=etag)

    def test_what_is_not_there_cannot_be_copied(self, s3, bucket):
        assert refused(s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/no") == ("NoSuchKey", 404)


class TestMultipart:
    PARTS = [bytes([number]) * (5 * MIB) for number in (1, 2)] + [b"the end" * MIB * 2][:1]

    def begin(self, s3, bucket, key="large", **options):
        return s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]

    def send(self, s3, bucket, upload, key="large", **options):
        sent = []
        for number, body in enumerate(self.PARTS, 1):
            answer = s3.upload_part(
                Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, **options)
            checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
            sent.append({"PartNumber": number, "ETag": answer["ETag"]} | checksums)
        return sent

    def test_parts_become_an_object(self, s3, bucket):
        upload = self.begin(s3, bucket, ContentType="application/zip", Metadata={"a": "1"})
        parts = self.send(s3, bucket, upload)
        whole = b"".join(self.PARTS)
        md5s = b"".join(hashlib.md5(part).digest() for part in self.PARTS)
        done = s3.complete_multipart_upload(
            Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
        assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-{len(parts)}"'
        got = s3.get_object(Bucket=bucket, Key="large")
        assert body_of(got) == whole
        assert (got["ContentType"], got["Metadata"]) == ("application/zip", {"a": "1"})
        across = s3.get_object(Bucket=bucket, Key="large", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
        assert body_of(across) == b"\x01\x01\x02\x02"
        second = s3.get_object(Bucket=bucket, Key="large", PartNumber=2)
        assert (body_of(second), second["PartsCount"]) == (self.PARTS[1], len(parts))
        again = s3.complete_multipart_upload(
            Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
        assert again["ETag"] == done["ETag"]

    def test_a_part_may_be_sent_again(self, s3, bucket):
        upload = self.begin(s3, bucket)
        for body in (b"wrong", b"right"):
            etag = s3.upload_part(Bucket=bucket, Key="large", UploadId=upload, PartNumber=1, Body=body)["ETag"]
        s3.complete_multipart_upload(Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": etag}]})
        assert body_of(s3.get_object(Bucket=bucket, Key="large")) == b"right"

    def test_uploads_and_parts_are_listed(self, s3, bucket):
        upload = self.begin(s3, bucket)
        self.send(s3, bucket, upload)
        listed = s3.list_parts(Bucket=bucket, Key="large", UploadId=upload, MaxParts=2)
        assert [part["PartNumber"] for part in listed["Parts"]] == [1, 2]
        assert (listed["IsTruncated"], listed["NextPartNumberMarker"]) == (True, 2)
        rest = s3.list_parts(Bucket=bucket, Key="large", UploadId=upload, PartNumberMarker=2)
        assert [part["Size"] for part in rest["Parts"]] == [len(self.PARTS[2])]
        assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
        s3.abort_multipart_upload(Bucket=bucket, Key="large", UploadId=upload)
        assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
        gone = refused(s3.list_parts, Bucket=bucket, Key="large", UploadId=upload)
        assert gone == ("NoSuchUpload", 404)

    def test_what_cannot_be_completed(self, s3, bucket):
        upload = self.begin(s3, bucket)
        etags = [
            s3.upload_part(Bucket=bucket, Key="large", UploadId=upload, PartNumber=number, Body=b"small")["ETag"]
            for number in (1, 2)
        ]

        def complete(*parts, upload=upload):
            return refused(
                s3.complete_multipart_upload, Bucket=bucket, Key="large", UploadId=upload,
                MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]})

        assert complete((1, etags[0]), (2, etags[1])) == ("EntityTooSmall", 400)
        assert complete((2, etags[1]), (1, etags[0])) == ("InvalidPartOrder", 400)
        assert complete((1, '"0"')) == ("InvalidPart", 400)
        assert complete((7, etags[0])) == ("InvalidPart", 400)
        assert complete((1, etags[0]), upload="none") == ("NoSuchUpload", 404)

    @pytest.mark.parametrize("number", [0, 10001])
    def test_part_numbers_have_limits(self, s3, bucket, number):
        upload = self.begin(s3, bucket)
        bad = refused(s3.upload_part, Bucket=bucket, Key="large", UploadId=upload, PartNumber=number, Body=b"v")
        assert bad == ("InvalidArgument", 400)

    def test_a_part_may_be_copied(self, s3, bucket):
        s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
        upload = self.begin(s3, bucket)
        part = s3.upload_part_copy(
            Bucket=bucket, Key="large", UploadId=upload, PartNumber=1, CopySource=f"{bucket}/source",
            CopySourceRange="bytes=2-5")["CopyPartResult"]
        s3.complete_multipart_upload(Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        assert body_of(s3.get_object(Bucket=bucket, Key="large")) == b"2345"

    def test_a_checksum_of_the_parts(self, s3, bucket):
        upload = self.begin(s3, bucket, ChecksumAlgorithm="SHA256")
        parts = self.send(s3, bucket, upload, ChecksumAlgorithm="SHA256")
        done = s3.complete_multipart_upload(
            Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
        sums = b"".join(hashlib.sha256(part).digest() for part in self.PARTS)
        expected = base64.b64encode(hashlib.sha256(sums).digest()).decode() + f"-{len(parts)}"
        assert done["ChecksumSHA256"] == expected

    def test_a_checksum_of_the_whole(self, s3, bucket):
        upload = self.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
        parts = self.send(s3, bucket, upload, ChecksumAlgorithm="CRC32")
        crc = base64.b64encode(zlib.crc32(b"".join(self.PARTS)).to_bytes(4, "big")).decode()
        wrong = refused(
            s3.complete_multipart_upload, Bucket=bucket, Key="large", UploadId=upload,
            MultipartUpload={"Parts": parts}, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")
        assert wrong == ("BadDigest", 400)
        done = s3.complete_multipart_upload(
            Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={"Parts": parts},
            ChecksumCRC32=crc, ChecksumType="FULL_OBJECT")
        assert (done["ChecksumCRC32"], done["ChecksumType"]) == (crc, "FULL_OBJECT")


class TestChecksums:
    @pytest.mark.parametrize("algorithm, value", [
        ("CRC32", "y/Q5Jg=="),
        ("SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ])
    def test_a_checksum_is_kept_and_told(self, s3, bucket, algorithm, value):
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm=algorithm)
        assert put[f"Checksum{algorithm}"] == value
        got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (body_of(got), got[f"Checksum{algorithm}"]) == (b"123456789", value)

    @pytest.mark.parametrize("name, value, code", [
        ("ChecksumCRC32", "AAAAAA==", "BadDigest"),
        ("ChecksumCRC64NVME", "AAAAAAAAAAA=", "BadDigest"),
        ("ChecksumCRC32C", "AAAAAA==", "BadDigest"),
        ("ChecksumSHA256", "short", "InvalidRequest"),
        ("ContentMD5", "1B2M2Y8AsgTpgAmY7PhCfg==", "BadDigest"),
        ("ContentMD5", "short", "InvalidDigest"),
    ])
    def test_a_wrong_one_is_refused_and_nothing_kept(self, s3, bucket, name, value, code):
        assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"123456789", **{name: value}) == (code, 400)
        assert refused(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)

    def test_the_signed_hash_must_be_that_of_the_body(self, session, s3, bucket):
        def swap(request):
            request.data = b"other"

        answer = raw.signed(session, "s3", "PUT", f"/{bucket}/k", body=b"bytes", bend=swap)
        assert (answer.status, b"<Code>XAmzContentSHA256Mismatch</Code>" in answer.body) == (400, True), answer.body
        assert refused(s3.get_object, Bucket=bucket, Key="k") == ("NoSuchKey", 404)


class TestSignatures:
    def send(self, session, method="GET", path="/", **options):
        answer = raw.signed(session, "s3", method, path, **options)
        code = answer.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
        return answer.status, code

    def test_headers_that_matter_must_be_signed(self, session, s3, bucket):
        s3.put_object(Bucket=bucket, Key="secret", Body=b"v")

        def turn_into_a_copy(request):
            request.headers["x-amz-copy-source"] = f"{bucket}/secret"

        bent = self.send(session, "PUT", f"/{bucket}/k", body=b"", bend=turn_into_a_copy)
        assert bent == (403, "AccessDenied")

    def test_another_services_signature(self, session):
        answer = raw.signed(session, "ec2", "GET", "/bucket/key", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
        assert b"AuthorizationHeaderMalformed" in answer.body

    def test_clocks_may_differ_by_fifteen_minutes(self, session):
        assert self.send(session, path="/?max-buckets=1", shift_seconds=-14 * 60)[0] == 200
        assert self.send(session, path="/?max-buckets=1", shift_seconds=16 * 60) == (403, "RequestTimeTooSkewed")

    def test_a_token_that_was_never_given(self, session):
        odd = conftest.Clients(session.endpoint, session.access_key, session.secret_key, token="made-up")
        assert self.send(odd) == (400, "InvalidToken")

    def test_strangers_see_nothing(self, session, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"v", ACL="public-read")
        for method, path in (("GET", f"/{bucket}/k"), ("PUT", f"/{bucket}/k"), ("GET", f"/{bucket}")):
            answer = raw.send(session.endpoint, method, path, {}, None)
            assert (answer.status, b"<Code>AccessDenied</Code>" in answer.body) == (403, True)

    def test_an_error_has_all_its_parts(self, session, s3, bucket):
        answer = raw.signed(session, "s3", "GET", f"/{bucket}/none")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        for part in (b"<Code>NoSuchKey</Code>", b"<Message>The specified key does not exist.</Message>",
                     f"<Resource>/{bucket}/none</Resource>".encode(),
                     f"<RequestId>{headers['x-amz-request-id']}</RequestId>".encode()):
            assert part in answer.body
        assert headers["content-type"] == "application/xml"

    @pytest.mark.parametrize("version", ["s3", "s3v4"])
    def test_presigned_addresses(self, session, bucket, version):
        client = session.client("s3", signature_version=version)
        names = {"Bucket": bucket, "Key": "ä b"}

        def send(method, operation, body=None):
            url = client.generate_presigned_url(operation, Params=names, ExpiresIn=60)
            return raw.send(session.endpoint, method, url[len(session.endpoint):], {}, body)

        assert send("PUT", "put_object", b"hello").status == 200
        got = send("GET", "get_object")
        assert (got.status, got.body) == (200, b"hello")

    def test_a_bucket_in_the_host_name(self, session, s3, bucket):
        s3.put_object(Bucket=bucket, Key="k", Body=b"v")
        port = urllib.parse.urlsplit(session.endpoint).port
        host = f"{bucket}.localhost:{port}"
        named = conftest.Clients(f"http://{host}", session.access_key, session.secret_key)
        request = {}

        def keep(signed):
            request.update(signed.headers.items())

        # Such names resolve only where the resolver knows `localhost`'s; so the request is sent to the address.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(raw, "send", lambda endpoint, *rest, **options: None)
            raw.signed(named, "s3", "GET", "/k", bend=keep)
        answer = raw.send(session.endpoint, "GET", "/k", request | {"Host": host}, None)
        assert (answer.status, answer.body) == (200, b"v")


class TestReserved:
    """`aws-codedeploy-REGION` holds what longshore itself publishes."""

    BUCKET = "aws-codedeploy-us-east-1"

    def test_the_installer_is_there(self, s3):
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=self.BUCKET, Prefix="latest/")["Contents"]]
        assert "latest/install" in keys
        body = body_of(s3.get_object(Bucket=self.BUCKET, Key="latest/install"))
        assert body.startswith(b"#!")
        assert s3.head_object(Bucket=self.BUCKET, Key="latest/install")["ContentLength"] == len(body)
        rest = s3.get_object(Bucket=self.BUCKET, Key="latest/install", Range="bytes=2-")
        assert body_of(rest) == body[2:]

    def test_nobody_writes_there(self, s3):
        denied = ("AccessDenied", 403)
        assert refused(s3.put_object, Bucket=self.BUCKET, Key="latest/install", Body=b"v") == denied
        assert refused(s3.delete_object, Bucket=self.BUCKET, Key="latest/install") == denied
        assert refused(s3.create_bucket, Bucket=self.BUCKET) == denied
        assert refused(s3.delete_bucket, Bucket=self.BUCKET) == denied

    def test_what_is_not_published(self, s3):
        assert refused(s3.get_object, Bucket=self.BUCKET, Key="latest/none") == ("NoSuchKey", 404)


class TestCommandLine:
    def test_files_go_and_come_back(self, aws, tmp_path):
        bucket = unique("bucket")
        small, large = tmp_path / "small", tmp_path / "large"
        small.write_bytes(b"hello")
        # Above 8 MiB the CLI sends parts, and reads ranges.
        large.write_bytes(bytes(range(256)) * (12 * MIB // 256))
        aws("s3", "mb", f"s3://{bucket}")
        for path in (small, large):
            aws("s3", "cp", path, f"s3://{bucket}/dir/")
        assert {line.split()[-1] for line in aws("s3", "ls", f"s3://{bucket}/dir/").stdout.splitlines()} == {
            "small", "large"}
        aws("s3", "cp", f"s3://{bucket}/dir/large", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == large.read_bytes()
        aws("s3", "cp", f"s3://{bucket}/dir/large", f"s3://{bucket}/copy")
        aws("s3", "sync", f"s3://{bucket}/dir", tmp_path / "synced")
        assert (tmp_path / "synced/small").read_bytes() == b"hello"
        missing = aws("s3", "cp", f"s3://{bucket}/none", tmp_path / "none", check=False)
        assert (missing.returncode, "404" in missing.stderr) == (1, True)
        aws("s3", "rb", "--force", f"s3://{bucket}")

    def test_an_address_for_others(self, aws, session, tmp_path):
        bucket = unique("bucket")
        aws("s3api", "create-bucket", "--bucket", bucket)
        (tmp_path / "k").write_bytes(b"hello")
        aws("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", tmp_path / "k")
        url = aws("s3", "presign", f"s3://{bucket}/k").stdout.strip()
        answer = raw.send(session.endpoint, "GET", url[len(session.endpoint):], {}, None)
        assert (answer.status, answer.body) == (200, b"hello")


class TestDurability:
    def test_a_killed_server_kept_what_it_acknowledged(self, start_longshore):
        running = start_longshore()
        s3 = conftest.Clients(running.endpoint, *running.root_credentials()).client("s3")
        bucket = unique("bucket")
        s3.create_bucket(Bucket=bucket)
        bodies = {f"k{number}": f"body {number}".encode() * 1000 for number in range(5)}
        for key, body in bodies.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        upload = s3.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
        etag = s3.upload_part(Bucket=bucket, Key="large", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
        address = urllib.parse.urlsplit(s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "half"}))
        with socket.create_connection((address.hostname, address.port)) as stream:
            head = f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 9\r\n\r\n"
            stream.sendall(head.encode() + b"half")
            written = running.data_dir / "objects"
            wait_until(lambda: len(files_in(written)) == len(bodies) + 2, "the half of an upload is on the disk")
            running.kill()
        running.start()
        for key, body in bodies.items():
            assert body_of(s3.get_object(Bucket=bucket, Key=key)) == body
        s3.complete_multipart_upload(Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": etag}]})
        assert body_of(s3.get_object(Bucket=bucket, Key="large")) == b"part"
        assert refused(s3.get_object, Bucket=bucket, Key="half") == ("NoSuchKey", 404)
        wait_until(lambda: len(files_in(written)) == len(bodies) + 1, "the half upload's file is swept away")


def files_in(directory):
    return [path for path in directory.rglob("*") if path.is_file()]
