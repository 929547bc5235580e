"""Alarms whose states come from Prometheus, HTTP checks and Alertmanager, as boto3 and the stock CLI see them, and
deployments that they stop."""

import json
import urllib.error
import urllib.request

import pytest

import conftest
import longshore
from names import unique
from test_official_agents import Place
from test_rollbacks import ROLLBACKS, assert_rolled_back, deploy, go_on, succeed

NOWHERE = "http://127.0.0.1:1"


def alarm(session, name):
    found = session.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found[0] if found else None


def becomes(session, name, state, reason=""):
    def so():
        found = alarm(session, name)
        return found if found["StateValue"] == state and reason in found["StateReason"] else None

    return longshore.wait_until(so, f"{name} is {state}")


def vector(*values):
    """What Prometheus answers to a query with such samples."""
    result = [{"metric": {}, "value": [1, value]} for value in values]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def prometheus(hook, **changes):
    return {"url": f"http://127.0.0.1:{hook.port}", "query": "error_ratio > 0",
            "comparisonOperator": "GreaterThanThreshold", "threshold": 0.5} | changes


def test_an_alarm_follows_prometheus(session, own, hook, aws):
    name = unique("prometheus")
    hook.answer = vector("0.2")
    own.put_alarm_source(alarmName=name, intervalSeconds=1, prometheus=prometheus(hook))
    becomes(session, name, "OK", "No sample is GreaterThanThreshold 0.5")
    assert hook.received[0].path == "/api/v1/query?query=error%5Fratio%20%3E%200"
    hook.answer = vector("0.2", "0.9")
    becomes(session, name, "ALARM", "0.9 is GreaterThanThreshold 0.5")
    hook.answer = vector()
    becomes(session, name, "INSUFFICIENT_DATA", "The query has no sample")
    hook.answer = b"<html>"
    becomes(session, name, "INSUFFICIENT_DATA", "Unreadable: Prometheus answered HTTP 200, and the answer is no JSON")
    hook.status, hook.answer = 400, json.dumps({"status": "error", "error": "parse error at char 3"}).encode()
    own.put_alarm_source(alarmName=name, intervalSeconds=1, prometheus=prometheus(hook, query="error_ratio >"))
    becomes(session, name, "INSUFFICIENT_DATA", "Unreadable: Prometheus answered HTTP 400, and an error: parse error")
    # Its history is told like any other alarm's.
    items = aws.json("cloudwatch", "describe-alarm-history", "--alarm-name", name, "--history-item-type", "StateUpdate")
    told = [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in items["AlarmHistoryItems"]]
    assert told[::-1][:3] == ["OK", "ALARM", "INSUFFICIENT_DATA"]
    (listed,) = [one for one in own.list_alarm_sources()["alarmSources"] if one["alarmName"] == name]
    assert listed["prometheus"]["threshold"] == 0.5 and listed["intervalSeconds"] == 1
    own.delete_alarm_source(alarmName=name)
    assert alarm(session, name) is None
    assert conftest.refusal(own.delete_alarm_source, alarmName=name) == "AlarmSourceDoesNotExistException"


def test_without_a_threshold_any_sample_is_an_alarm(session, own, hook):
    name = unique("rule")
    hook.answer = vector()
    rule = {"url": f"http://127.0.0.1:{hook.port}", "query": "up == 0"}
    own.put_alarm_source(alarmName=name, intervalSeconds=1, prometheus=rule)
    becomes(session, name, "OK")
    hook.answer = vector("0")
    becomes(session, name, "ALARM")
    own.delete_alarm_source(alarmName=name)


def test_an_alarm_follows_an_http_check(session, own, hook):
    name = unique("check")
    own.put_alarm_source(alarmName=name, intervalSeconds=1, httpCheck={"url": hook.url, "failures": 2})
    becomes(session, name, "OK")
    hook.status = 503
    before = len(hook.received)
    becomes(session, name, "ALARM", "2 checks in a row failed: it answered HTTP 503, not 200")
    assert len(hook.received) >= before + 2, "one failure is not enough"
    hook.status = 200
    becomes(session, name, "OK")
    # A redirect is an answer like any other.
    hook.status = 302
    becomes(session, name, "ALARM", "HTTP 302")
    # Whoever deletes the alarm deletes its source.
    session.client("cloudwatch").delete_alarms(AlarmNames=[name])
    assert name not in [one["alarmName"] for one in own.list_alarm_sources()["alarmSources"]]


def test_a_check_that_nobody_answers_has_failed(session, own):
    name = unique("nobody")
    own.put_alarm_source(alarmName=name, intervalSeconds=1, httpCheck={"url": NOWHERE, "failures": 1, "timeoutSeconds": 1})
    becomes(session, name, "ALARM", f"cannot connect to {NOWHERE}")
    own.delete_alarm_source(alarmName=name)


def send(url, status, service, **more):
    alert = {"status": status, "labels": {"alertname": "HighErrors", "service": service} | more, "fingerprint": service}
    return post(url, json.dumps({"version": "4", "status": status, "alerts": [alert]}).encode())


def post(url, body):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_an_alarm_follows_alertmanager(session, own):
    name = unique("alerts")
    source = {"alarmName": name, "alertmanager": {"alertName": "HighErrors", "labels": {"service": "shop"}}}
    url = own.put_alarm_source(**source)["webhookUrl"]
    state = lambda: alarm(session, name)["StateValue"]
    assert state() == "INSUFFICIENT_DATA"
    assert send(url, "firing", "other") == 200
    assert state() == "INSUFFICIENT_DATA"
    send(url, "firing", "shop", host="a")
    send(url, "firing", "shop", host="b")
    assert state() == "ALARM"
    # Whoever puts the source again gets another address, and the alert still fires.
    renewed = own.put_alarm_source(**source)["webhookUrl"]
    assert renewed != url and send(url, "resolved", "shop", host="a") == 404
    send(renewed, "resolved", "shop", host="a")
    assert state() == "ALARM", "one alert still fires"
    send(renewed, "resolved", "shop", host="b")
    assert state() == "OK"
    # Of other alerts nothing is known yet.
    own.put_alarm_source(alarmName=name, alertmanager={"alertName": "Slow"})
    assert state() == "INSUFFICIENT_DATA"
    (listed,) = [one for one in own.list_alarm_sources()["alarmSources"] if one["alarmName"] == name]
    assert listed == {"alarmName": name, "alertmanager": {"alertName": "Slow", "labels": {}}}
    own.delete_alarm_source(alarmName=name)


def test_alertmanagers_address_is_a_secret_and_what_comes_is_held_to_limits(session, own):
    name = unique("secret")
    url = own.put_alarm_source(alarmName=name, alertmanager={"alertName": "HighErrors"})["webhookUrl"]
    assert send(url[:-4] + ("0000" if url[-4:] != "0000" else "1111"), "firing", "shop") == 404
    assert send(url.rpartition("/")[0] + "/", "firing", "shop") == 404
    assert post(url, b"no json") == 400
    assert post(url, b'{"alerts": "none"}') == 400
    assert post(url, b" " * (1024 * 1024 + 1)) == 413
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, timeout=10)
    assert caught.value.code == 404, "there is nothing to be read"
    many = [{"status": "firing", "labels": {"alertname": "HighErrors", "n": str(n)}} for n in range(1001)]
    assert post(url, json.dumps({"alerts": many}).encode()) == 400
    assert alarm(session, name)["StateValue"] == "INSUFFICIENT_DATA", "nothing of that was taken in"
    own.delete_alarm_source(alarmName=name)


PROMETHEUS = {"url": NOWHERE, "query": "up"}


@pytest.mark.parametrize("wrong", [
    {},
    {"httpCheck": {"url": NOWHERE}, "alertmanager": {"alertName": "x"}},
    {"httpCheck": {"url": "http://169.254.169.254/"}},
    {"httpCheck": {"url": "file:///etc/passwd"}},
    {"httpCheck": {"url": "http://user:password@127.0.0.1/"}},
    {"prometheus": PROMETHEUS | {"url": "prometheus:9090"}},
    {"prometheus": PROMETHEUS | {"url": NOWHERE + "/?a=b"}},
    {"prometheus": PROMETHEUS | {"threshold": 1.0}},
    {"prometheus": PROMETHEUS | {"comparisonOperator": "LessThanThreshold"}},
    {"alertmanager": {"alertName": ""}},
    {"alertmanager": {"alertName": "x", "labels": {f"l{n}": "x" for n in range(21)}}},
])
def test_what_is_no_source_is_refused(own, wrong):
    assert conftest.refusal(own.put_alarm_source, alarmName="never", **wrong) == "InvalidAlarmSourceException"


@pytest.mark.parametrize("wrong", [
    {"intervalSeconds": 3601, "httpCheck": {"url": NOWHERE}},
    {"httpCheck": {"url": NOWHERE, "timeoutSeconds": 31}},
    {"httpCheck": {"url": NOWHERE, "failures": 101}},
    {"httpCheck": {"url": NOWHERE, "expectedStatus": 600}},
    {"httpCheck": {"url": NOWHERE + "/" + "x" * 2048}},
    {"prometheus": PROMETHEUS | {"query": "x" * 4097}},
    {"prometheus": PROMETHEUS | {"comparisonOperator": "About", "threshold": 1.0}},
    {"alertmanager": {"alertName": "x", "labels": {"l": "x" * 1025}}},
])
def test_members_are_held_to_the_models_limits(own, wrong):
    assert conftest.refusal(own.put_alarm_source, alarmName="never", **wrong) == "ValidationException"


def test_a_region_has_200_sources_at_most(session):
    own = session.longshore(region="ap-south-2")
    name = "n{}".format
    for n in range(200):
        own.put_alarm_source(alarmName=name(n), alertmanager={"alertName": "x"})
    more = {"alarmName": name(200), "alertmanager": {"alertName": "x"}}
    assert conftest.refusal(own.put_alarm_source, **more) == "AlarmSourceLimitExceededException"
    own.put_alarm_source(alarmName=name(0), alertmanager={"alertName": "y"})
    own.delete_alarm_source(alarmName=name(0))
    own.put_alarm_source(**more)
    for n in range(1, 201):
        own.delete_alarm_source(alarmName=name(n))


@pytest.fixture(scope="module")
def hasty(start_longshore):
    """A server that reads alarms every second, and clients of it."""
    server = start_longshore(arguments=["--alarm-interval", "1"])
    return server, conftest.Clients(server.endpoint, *server.root_credentials())


@pytest.fixture
def shop(hasty):
    """A place whose group rolls back, and whose last successful revision is `1.zip`."""
    server, clients = hasty
    shop = Place(server, clients.client)
    shop.clients = clients
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Hosts", autoRollbackConfiguration=ROLLBACKS)
    succeed(shop, deploy(shop, "1.zip"))
    return shop


def watch(shop, alarm, **options):
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Hosts",
        alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]} | options)


def test_a_deployment_is_stopped_and_rolled_back_by_a_query(shop, hook):
    name = unique("errors")
    hook.answer = vector("0.01")
    shop.clients.longshore().put_alarm_source(alarmName=name, intervalSeconds=1, prometheus=prometheus(hook))
    becomes(shop.clients, name, "OK")
    watch(shop, name)
    deployment = deploy(shop, "2.zip")
    agent = shop.agent()
    command = agent.poll()
    hook.answer = vector("0.75")
    becomes(shop.clients, name, "ALARM")
    # The deployment hears of it a little later: its next event may be under way by then.
    command = go_on(agent, command, deployment)
    stopped = shop.ended(deployment)
    assert stopped["status"] == "Stopped"
    assert stopped["errorInformation"]["code"] == "ALARM_ACTIVE" and name in stopped["errorInformation"]["message"]
    # The alarm is still red: it does not keep its remedy from running.
    assert_rolled_back(shop, stopped, command)


def test_a_source_that_cannot_be_read_stops_a_deployment_unless_that_is_ignored(shop):
    name = unique("dark")
    source = {"url": NOWHERE, "query": "up"}
    shop.clients.longshore().put_alarm_source(alarmName=name, intervalSeconds=1, prometheus=source)
    becomes(shop.clients, name, "INSUFFICIENT_DATA", f"Unreadable: cannot connect to {NOWHERE}")
    watch(shop, name, ignorePollAlarmFailure=True)
    succeed(shop, deploy(shop, "2.zip"))
    watch(shop, name)
    stopped = shop.ended(deploy(shop, "3.zip"))
    assert (stopped["status"], stopped["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    # Whoever sets the state by hand is believed until the source is read.
    shop.clients.longshore().put_alarm_source(alarmName=name, alertmanager={"alertName": "x"})
    succeed(shop, deploy(shop, "4.zip"))
