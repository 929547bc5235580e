"""What Prometheus scrapes, and whether the dashboard and the alert rules ask for what is there."""

import json
import re
import urllib.request

import pytest

import longshore
from test_official_agents import Place
from test_rollbacks import deploy, succeed

DEPLOY = longshore.REPOSITORY / "deploy"


def scrape(endpoint):
    with urllib.request.urlopen(f"{endpoint}/-/metrics", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/plain")
        return answer.read().decode()


def sample(text, series):
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else None


@pytest.fixture
def shop(server, session):
    return Place(server, session.client)


def test_a_deployment_is_counted(endpoint, shop):
    before = scrape(endpoint)
    deployment = deploy(shop, "1.zip")
    agent = shop.agent()
    command = agent.poll()
    assert sample(scrape(endpoint), 'longshore_deployments{status="InProgress"}') >= 1
    succeed(shop, deployment, command)
    ended = 'longshore_deployments_ended_total{status="Succeeded"}'
    event = 'longshore_event_seconds_count{event="Install",status="Succeeded"}'
    for series in (ended, event):
        longshore.wait_until(
            lambda: (sample(scrape(endpoint), series) or 0) > (sample(before, series) or 0), f"{series} rises")


def test_commands_that_are_handed_out_and_calls_of_the_store_are_timed(endpoint, shop):
    series = ["longshore_command_wait_seconds_count", "longshore_poll_answer_seconds_count",
              'longshore_store_seconds_count{call="read"}', 'longshore_store_seconds_count{call="commit"}']
    before = scrape(endpoint)
    deployment = deploy(shop, "1.zip")
    agent = shop.agent()
    command = agent.poll()
    after = scrape(endpoint)
    for one in series:
        assert sample(after, one) > sample(before, one), one
    assert sample(after, "longshore_poll_answer_seconds_sum") <= sample(after, "longshore_command_wait_seconds_sum")
    # The same command again is no new wait.
    agent.poll()
    assert sample(scrape(endpoint), series[0]) == sample(after, series[0])
    succeed(shop, deployment, command)


def test_every_metric_has_a_help_and_a_type_and_every_line_is_well_formed(endpoint):
    text, families = scrape(endpoint), {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in families and f"# HELP {name} " in text
            families[name] = kind
        elif not line.startswith("#"):
            name = re.fullmatch(r'(\w+)(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? [0-9.e+-]+', line).group(1)
            assert name in families or families.get(re.sub("_(bucket|sum|count)$", "", name)) == "histogram", name
    assert sample(text, "longshore_store_up") == 1
    assert 'longshore_build_info{version="' in text


@pytest.mark.parametrize("file", ["grafana-dashboard.json", "prometheus-rules.yml"])
def test_what_is_asked_for_is_there(endpoint, shop, file):
    succeed(shop, deploy(shop, "1.zip"))
    text = (DEPLOY / file).read_text()
    if file.endswith(".json"):
        expressions = [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    else:
        expressions = re.findall(r"^ +expr: (.+)$", text, re.MULTILINE)
    names = {name for expression in expressions for name in re.findall(r"longshore_\w+", expression)}
    assert len(names) >= 5
    for name in names:
        longshore.wait_until(lambda: re.search(rf"^{name}[ {{]", scrape(endpoint), re.MULTILINE), f"{name} of {file}")
