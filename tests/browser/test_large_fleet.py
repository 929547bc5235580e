"""The page of a deployment to many hosts: it follows them by small differences, and leaves alone whoever reads it."""

import re

import pytest

import longshore
import simulated
from conftest import Clients
from visitor import browser, sign_in, violations, waits

HOSTS = 200
AT_ONCE = 10
# Bytes of one message; within a quarter of a second several hosts move.
MESSAGE_MAX = 40_000
# Bytes that are sent of one host, from its first lifecycle event to its last.
HOST_MAX = 4_000

# Notes what comes over the stream, and how far things jump; runs before the page's own script.
WATCH = """
window.received = [];
window.shifts = [];
window.EventSource = class extends EventSource {
  constructor(place) {
    super(place);
    for (const name of ["patch", "reload"]) {
      this.addEventListener(name, (event) => received.push([name, event.data.length]));
    }
  }
};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) shifts.push(entry.value);
}).observe({ type: "layout-shift" });
"""


class Site:
    def __init__(self, running):
        self.longshore, self.endpoint = running, running.endpoint
        self.clients = Clients(running.endpoint, *running.root_credentials())


@pytest.fixture(scope="module")
def site(start_longshore):
    return Site(start_longshore())


@pytest.fixture(scope="module")
def fleet(site):
    made = simulated.Fleet(site.clients, "web", HOSTS)
    made.make_application("Fleet", AT_ONCE)
    yield made
    made.close()


@pytest.fixture
def watching(browser, site):
    """A signed-in browser whose pages note what they receive."""
    sign_in(browser, site, *site.longshore.root_credentials())
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    yield browser
    browser.command("Page.removeScriptToEvaluateOnNewDocument", script)


def shown(browser):
    """How many squares have each look."""
    looks = browser.run("return [...document.querySelectorAll('.sq')].map(e => e.className.replace('sq ', ''))")
    return {look: looks.count(look) for look in set(looks)}


def test_a_page_of_many_hosts_follows_them_by_differences(watching, site, fleet):
    fleet.may_go_on.clear()
    deployment = fleet.deploy("Fleet")
    watching.open(f"{site.endpoint}/-/console/deployments/{deployment}")
    longshore.wait_until(lambda: shown(watching).get("run") == AT_ONCE, f"{AT_ONCE} squares are of running hosts")
    assert watching.text(".grid tbody tr").count("web-") == 100, "a page of the grid"
    longshore.wait_until(lambda: watching.run("return document.querySelector('[data-live]').dataset.connected"), "connected")
    # Somebody is at the eighth host's square with the keyboard, and looks at its row further down.
    watching.run("""
        window.sameDocument = true;
        window.square = document.getElementById('m7');
        window.row = document.querySelectorAll('.grid tbody a')[7];
        row.scrollIntoView({block: 'center'});
        square.focus({preventScroll: true});
        window.top_ = row.getBoundingClientRect().top;
    """)
    fleet.may_go_on.set()
    waits(watching, "#filter-Succeeded", str(HOSTS), seconds=120)
    waits(watching, "#status", f"{HOSTS} hosts have the revision")
    waits(watching, "#actions", "Deploy elsewhere")
    assert watching.run("return window.sameDocument") is True, "the page was never loaded anew"
    assert shown(watching) == {"ok": HOSTS}
    assert len(watching.all(".grid td.ev.ok")) == 7 * 100, "every event of the hosts on this page"
    assert "Ended" in watching.text("#details")
    assert len(watching.all("#history li")) == 30
    # It is still the same square that has the focus, and the row is where it was.
    assert watching.run("return document.activeElement === square && square.isConnected") is True
    assert abs(watching.run("return row.getBoundingClientRect().top - top_")) < 2
    shifts = watching.run("return shifts")
    assert sum(shifts) < 0.1, shifts
    received = watching.run("return received")
    assert {name for name, _ in received} == {"patch"}
    sizes = [size for _, size in received]
    assert max(sizes) <= MESSAGE_MAX and sum(sizes) <= HOST_MAX * HOSTS, sizes
    # The page itself, loaded after the end, shows the same.
    seen = re.sub(r"\s+", " ", watching.text("#status"))
    watching.open(f"{site.endpoint}/-/console/deployments/{deployment}")
    assert re.sub(r"\s+", " ", watching.text("#status")) == seen
    watching.type("#find", "web-01")
    watching.follow("Find")
    assert watching.text(".grid tbody").count("web-01") == 100 and "web-00" not in watching.text(".grid tbody")
    for theme, width in (("light", 1280), ("dark", 400)):
        watching.resize(width, 900)
        watching.run(f"document.documentElement.dataset.theme = '{theme}'")
        assert violations(watching) == []
    watching.resize(1280, 900)


def test_a_page_goes_on_where_it_was_after_the_server_was_away(watching, site):
    fleet = simulated.Fleet(site.clients, "away", 60)
    try:
        fleet.make_application("Away", 60)
        fleet.may_go_on.clear()
        deployment = fleet.deploy("Away")
        watching.open(f"{site.endpoint}/-/console/deployments/{deployment}")
        longshore.wait_until(lambda: shown(watching).get("run") == 60, "all hosts run")
        watching.run("window.sameDocument = true; document.getElementById('do-stop').focus()")
        site.longshore.stop()
        longshore.wait_until(lambda: not watching.run("return document.getElementById('connection').hidden"), "it says so")
        fleet.may_go_on.set()
        site.longshore.start()
        waits(watching, "#status", "60 hosts have the revision")
        assert watching.run("return sameDocument && document.getElementById('connection').hidden") is True
        assert shown(watching) == {"ok": 60} and len(watching.all(".grid td.ev.ok")) == 7 * 60
        assert {name for name, _ in watching.run("return received")} == {"patch"}
        # There is nothing left to stop; the keyboard goes on in the page.
        assert watching.run("return document.activeElement.id") == "main"
    finally:
        fleet.close()
