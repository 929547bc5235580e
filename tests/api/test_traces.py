"""Spans as an OpenTelemetry collector gets them: a small receiver that reads their protobuf by field numbers.

Source of the numbers: opentelemetry-proto, `collector/trace/v1/trace_service.proto` and what it imports.
"""

import http.server
import threading
import time

import pytest

import conftest
import longshore
from test_official_agents import Place
from test_rollbacks import deploy, succeed


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field of a message; bytes where it has a length, else a number."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            size = {1: 8, 5: 4}[kind]
            value, at = int.from_bytes(data[at:at + size], "little"), at + size
        yield number, value


def all_of(data, number):
    return [value for found, value in fields(data) if found == number]


def attributes(entries):
    found = {}
    for entry in entries:
        parts = dict(fields(entry))
        kind, value = next(fields(parts[2]))
        found[parts[1].decode()] = value.decode() if kind == 1 else value
    return found


def spans_of(request):
    for of_resource in all_of(request, 1):
        resource = attributes(all_of(all_of(of_resource, 1)[0], 1))
        for of_scope in all_of(of_resource, 2):
            for span in all_of(of_scope, 2):
                one = dict(fields(span))
                yield {
                    "service": resource["service.name"], "name": one[5].decode(), "kind": one.get(6),
                    "attributes": attributes(all_of(span, 9)),
                    "events": [dict(fields(event))[2].decode() for event in all_of(span, 11)],
                }


class Collector:
    """Takes spans until it is told to hang."""

    def __init__(self):
        collector = self
        self.spans, self.types, self.paths, self.hangs = [], set(), set(), threading.Event()

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.paths.add(self.path)
                collector.types.add(self.headers["Content-Type"])
                collector.spans += spans_of(body)
                if collector.hangs.is_set():
                    time.sleep(3600)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def named(self, name):
        return [span for span in self.spans if span["name"] == name]


@pytest.fixture
def collector():
    made = Collector()
    yield made
    made.server.shutdown()


def place_on(server):
    return Place(server, conftest.Clients(server.endpoint, *server.root_credentials()).client)


def test_requests_and_passes_are_spans_and_the_last_come_when_the_server_ends(start_longshore, collector):
    server = start_longshore(arguments=("--otlp-endpoint", collector.endpoint))
    place = place_on(server)
    answer = place.client("codedeploy").list_applications()
    deployment = deploy(place, "1.zip")
    succeed(place, deployment)
    server.stop()
    assert (collector.paths, collector.types) == ({"/v1/traces"}, {"application/x-protobuf"})
    assert {span["service"] for span in collector.spans} == {"longshore"}
    (listed,) = collector.named("ListApplications")
    assert listed["kind"] == 2, "a server's"
    assert listed["attributes"].items() >= {
        "http.request.method": "POST", "http.response.status_code": 200, "rpc.service": "codedeploy",
        "rpc.method": "ListApplications", "aws.request_id": answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"],
    }.items()
    passes = [span for span in collector.named("pass") if span["attributes"]["longshore.deployment"] == deployment]
    assert "finished" in {event for span in passes for event in span["events"]}
    assert len(collector.named("CreateDeployment")) == 1 and collector.named("PutHostCommandComplete")


def test_a_collector_that_is_away_or_hangs_costs_no_request_anything(start_longshore, collector):
    collector.hangs.set()
    for endpoint in (collector.endpoint, f"http://127.0.0.1:{longshore.free_port()}"):
        server = start_longshore(arguments=("--otlp-endpoint", endpoint))
        place = place_on(server)
        client = place.client("codedeploy")
        # More than the queue and one batch hold.
        began = time.monotonic()
        for _ in range(300):
            client.list_applications()
        assert time.monotonic() - began < 20
        succeed(place, deploy(place, "1.zip"))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 15
        assert "not exported" in server.log.read_text(), endpoint


def test_the_standard_variables_name_a_collector(monkeypatch, start_longshore, collector):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=deployments,deployment.environment=test")
    server = start_longshore()
    place_on(server)
    server.stop()
    assert {span["service"] for span in collector.spans} == {"deployments"} and collector.named("CreateUser")
