"""What the edge refuses before any operation sees it: signatures, bodies, types. And that it goes on serving."""

import json

import pytest

import conftest
import raw
from names import unique

BODY_BYTES_MAX = 1024 * 1024


@pytest.fixture(autouse=True)
def still_serving(server):
    yield
    assert server.is_serving()
    assert server.process.poll() is None


def alter(header, change):
    def bend(request):
        value = request.headers[header]
        del request.headers[header]
        request.headers[header] = change(value)

    return bend


def drop(header):
    def bend(request):
        del request.headers[header]

    return bend


def wrong_last_digit(authorization):
    return authorization[:-1] + ("0" if authorization[-1] != "0" else "1")


class TestBodies:
    @pytest.mark.parametrize("body", [b"{", b"", b"[]", b"\xff\xfe", b'{"applicationName": 7}', b'"text"',
                                      b"[" * 100_000],
                             ids=["cut", "empty", "list", "no-utf8", "number", "text", "deep"])
    def test_a_body_that_is_not_the_operations_json(self, session, body):
        answer = raw.codedeploy(session, "GetApplication", body)
        assert answer.status == 400
        expected = {"SerializationException"}
        if body == b"":
            expected.add("ApplicationNameRequiredException")
        assert answer.error in expected

    def test_a_body_over_the_limit(self, session):
        big = json.dumps({"applicationName": "x" * (BODY_BYTES_MAX + 1)}).encode()
        answer = raw.codedeploy(session, "GetApplication", big)
        assert answer.status in (400, 413)
        assert answer.error in ("RequestEntityTooLargeException", "SerializationException", "ValidationException")
        assert answer.message

    @pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
    def test_a_wrong_content_type(self, session, content_type):
        answer = raw.codedeploy(session, "ListApplications", {}, content_type=content_type)
        assert 400 <= answer.status < 500
        assert answer.headers.get("x-amzn-requestid") or answer.headers.get("x-amz-request-id") \
            or answer.headers.get("x-amzn-RequestId")

    def test_an_unknown_operation_of_each_form_service(self, session):
        for service, version in (("iam", "2010-05-08"), ("sts", "2011-06-15"), ("ec2", "2016-11-15")):
            answer = raw.signed(
                session, service, headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=f"Action=Teleport&Version={version}".encode(),
            )
            assert 400 <= answer.status < 500, service
            assert b"InvalidAction" in answer.body, service
            assert b"Teleport" in answer.body, service

    def test_malformed_xml(self, session):
        bucket = unique("xml")
        session.client("s3").create_bucket(Bucket=bucket)
        answer = raw.signed(session, "s3", "PUT", f"/{bucket}?versioning", body=b"<VersioningConfiguration><Status>")
        assert answer.status == 400
        assert b"<Code>MalformedXML</Code>" in answer.body

    def test_an_unknown_bucket(self, session):
        s3 = session.client("s3")
        with pytest.raises(s3.exceptions.NoSuchBucket):
            s3.list_objects_v2(Bucket=unique("nowhere"))

    def test_no_http_at_all(self, server):
        import socket

        for words in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"HELO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stream:
                stream.sendall(words)
                stream.recv(1024)


class TestSignatures:
    """Each fault gets the documented error of the service's protocol."""

    def check(self, session, code, **options):
        answer = raw.codedeploy(session, "ListApplications", {}, **options)
        assert (answer.status, answer.error) == (400, code)
        return answer.message

    def test_a_good_signature_passes(self, session):
        assert raw.codedeploy(session, "ListApplications", {}).status == 200

    def test_no_signature(self, session):
        self.check(session, "MissingAuthenticationTokenException", bend=drop("Authorization"))

    def test_an_unknown_key(self, session):
        stranger = conftest.Clients(session.endpoint, "AKIASTRANGER00000000", session.secret_key)
        message = self.check(stranger, "UnrecognizedClientException")
        assert message == "The security token included in the request is invalid."

    def test_a_wrong_secret(self, session):
        liar = conftest.Clients(session.endpoint, session.access_key, "not-the-secret")
        message = self.check(liar, "InvalidSignatureException")
        assert message.startswith("The request signature we calculated does not match the signature you provided.")

    def test_a_wrong_signature(self, session):
        self.check(session, "InvalidSignatureException", bend=alter("Authorization", wrong_last_digit))

    def test_another_body_than_the_signed_one(self, session):
        def bend(request):
            request.data = b'{"nextToken": "x"}'

        self.check(session, "InvalidSignatureException", bend=bend)

    def test_a_malformed_header(self, session):
        self.check(
            session, "IncompleteSignatureException",
            bend=alter("Authorization", lambda value: "AWS4-HMAC-SHA256 Credential=nonsense"),
        )

    def test_another_services_scope(self, session):
        headers = {"X-Amz-Target": "CodeDeploy_20141006.ListApplications", "Content-Type": "application/x-amz-json-1.1"}
        answer = raw.signed(session, "iam", headers=headers, body=b"{}")
        assert (answer.status, answer.error) == (400, "InvalidSignatureException")
        assert answer.message == "Credential should be scoped to correct service: 'codedeploy'."

    def test_a_clock_that_is_late(self, session):
        message = self.check(session, "InvalidSignatureException", shift_seconds=-6 * 60)
        assert message.startswith("Signature expired: ") and message.endswith(" - 5 min.)")

    def test_a_clock_that_is_early(self, session):
        message = self.check(session, "InvalidSignatureException", shift_seconds=6 * 60)
        assert message.startswith("Signature not yet current: ") and message.endswith(" + 5 min.)")

    def test_a_clock_that_is_off_by_less_passes(self, session):
        assert raw.codedeploy(session, "ListApplications", {}, shift_seconds=-4 * 60).status == 200

    def test_a_session_token_for_a_key_that_has_none(self, session):
        odd = conftest.Clients(session.endpoint, session.access_key, session.secret_key, token="made-up")
        self.check(odd, "UnrecognizedClientException")

    @pytest.mark.parametrize("service, version, action, fault, status, code", [
        ("iam", "2010-05-08", "ListRoles", "none", 403, "MissingAuthenticationToken"),
        ("iam", "2010-05-08", "ListRoles", "key", 403, "InvalidClientTokenId"),
        ("iam", "2010-05-08", "ListRoles", "secret", 403, "SignatureDoesNotMatch"),
        ("sts", "2011-06-15", "GetCallerIdentity", "secret", 403, "SignatureDoesNotMatch"),
        ("iam", "2010-05-08", "ListRoles", "clock", 403, "SignatureDoesNotMatch"),
        ("ec2", "2016-11-15", "DescribeInstances", "none", 401, "AuthFailure"),
        ("ec2", "2016-11-15", "DescribeInstances", "key", 401, "AuthFailure"),
        ("ec2", "2016-11-15", "DescribeInstances", "secret", 401, "AuthFailure"),
        ("ec2", "2016-11-15", "DescribeInstances", "clock", 400, "RequestExpired"),
    ])
    def test_the_form_services(self, session, service, version, action, fault, status, code):
        answer = raw.signed(
            *bent(session, fault), service, headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=f"Action={action}&Version={version}".encode(), **options(fault),
        )
        assert (answer.status, code.encode() in answer.body) == (status, True), answer.body

    @pytest.mark.parametrize("fault, status, code", [
        ("none", 403, "AccessDenied"),
        ("key", 403, "InvalidAccessKeyId"),
        ("secret", 403, "SignatureDoesNotMatch"),
        ("late", 403, "RequestTimeTooSkewed"),
    ])
    def test_s3(self, session, fault, status, code):
        # Not `/`: what comes there without a signature is a browser.
        answer = raw.signed(*bent(session, fault), "s3", "GET", "/bucket/key", **options(fault))
        assert (answer.status, f"<Code>{code}</Code>".encode() in answer.body) == (status, True), answer.body


class TestPresigned:
    @pytest.fixture
    def url(self, session):
        bucket = unique("presigned")
        s3 = session.client("s3", signature_version="s3v4")
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="greeting", Body=b"hello")

        def make(expires=60, shift_seconds=0):
            with raw.shifted_clock(shift_seconds):
                return s3.generate_presigned_url(
                    "get_object", Params={"Bucket": bucket, "Key": "greeting"}, ExpiresIn=expires
                )

        return make

    def get(self, session, url):
        return raw.send(session.endpoint, "GET", url[len(session.endpoint):], {}, None)

    def test_a_presigned_url_works(self, session, url):
        answer = self.get(session, url())
        assert (answer.status, answer.body) == (200, b"hello")

    def test_an_expired_one_says_so(self, session, url):
        answer = self.get(session, url(expires=60, shift_seconds=-120))
        assert answer.status == 403
        assert b"<Code>AccessDenied</Code>" in answer.body
        assert b"Request has expired" in answer.body

    def test_an_altered_one_is_refused(self, session, url):
        answer = self.get(session, url().replace("/greeting", "/other"))
        assert answer.status == 403
        assert b"<Code>SignatureDoesNotMatch</Code>" in answer.body

    def test_a_stolen_key_id_is_not_enough(self, session, url):
        answer = self.get(session, url().replace(session.access_key, "AKIASTRANGER00000000"))
        assert answer.status == 403
        assert b"<Code>InvalidAccessKeyId</Code>" in answer.body


def bent(session, fault):
    """The clients to sign with for a fault."""
    if fault == "key":
        return (conftest.Clients(session.endpoint, "AKIASTRANGER00000000", session.secret_key),)
    if fault == "secret":
        return (conftest.Clients(session.endpoint, session.access_key, "not-the-secret"),)
    return (session,)


def options(fault):
    return {
        "none": {"bend": drop("Authorization")},
        "clock": {"shift_seconds": -6 * 60},
        "late": {"shift_seconds": -20 * 60},
    }.get(fault, {})
