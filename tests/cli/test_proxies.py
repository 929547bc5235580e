"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which the operator's command line reads as the stock CLI does."""

import http.client
import http.server
import threading
import urllib.parse

import pytest

from operator_cli import FAILED, Cli, cli, shop  # noqa: F401 (fixtures)


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that notes what it was asked, passes plain requests on, and opens no tunnels."""

    protocol_version = "HTTP/1.1"

    def _pass_on(self):
        self.server.asked.append((self.command, self.path, self.headers.get("Proxy-Authorization")))
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        upstream = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        upstream.request(self.command, url.path + (f"?{url.query}" if url.query else ""), body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_HEAD = _pass_on

    def do_CONNECT(self):
        self.server.asked.append((self.command, self.path, self.headers.get("Proxy-Authorization")))
        self.send_error(403)

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_requests_go_through_the_proxy_and_are_what_was_signed(cli, shop, proxy, endpoint):
    through = {"HTTP_PROXY": f"http://me:s%3Acret@127.0.0.1:{proxy.server_port}"}
    told = cli("group", "list", "--application", shop.name, environment=through).stdout
    assert "Production" in told
    assert {(method, path) for method, path, _ in proxy.asked} == {("POST", f"{endpoint}/")}
    assert {authorization for *_, authorization in proxy.asked} == {"Basic bWU6czpjcmV0"}


def test_the_stock_cli_and_ours_agree_on_what_goes_through_it(aws, cli, shop, proxy, endpoint):
    port = proxy.server_port
    for environment, through in [
        ({"http_proxy": f"http://127.0.0.1:{port}"}, True),
        ({"HTTP_PROXY": f"127.0.0.1:{port}"}, True),
        ({"http_proxy": f"http://127.0.0.1:{port}", "NO_PROXY": "127.0.0.1"}, False),
        ({"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": "*"}, False),
        ({"https_proxy": f"http://127.0.0.1:{port}"}, False),
        ({"all_proxy": f"http://127.0.0.1:{port}"}, False),
    ]:
        proxy.asked.clear()
        cli("group", "list", "--application", shop.name, environment=environment)
        ours = bool(proxy.asked)
        proxy.asked.clear()
        theirs = type(aws)(FakeClients(aws.environment | environment))
        theirs("deploy", "list-applications")
        assert (ours, bool(proxy.asked)) == (through, through), environment


class FakeClients:
    def __init__(self, variables):
        self.variables = variables

    def environment(self):
        return self.variables


def test_tls_goes_through_a_tunnel(cli, proxy):
    through = {"HTTPS_PROXY": f"http://me:secret@127.0.0.1:{proxy.server_port}"}
    told = cli("deployment", "list", "--endpoint-url", "https://deploy.example", environment=through, expect=FAILED).stderr
    assert "cannot be reached" in told and "tunnel" in told and "secret" not in told
    assert proxy.asked[0][:2] == ("CONNECT", "deploy.example:443")
    assert proxy.asked[0][2] == "Basic bWU6c2VjcmV0"
