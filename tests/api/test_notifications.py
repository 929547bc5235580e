"""Event destinations, triggers' messages and dead letters, as boto3 and receivers that verify see them."""

import base64
import json
import re
import threading

import botocore.exceptions
import pytest

import conftest
import longshore
import receiver
from names import unique
from test_official_agents import EVENTS, Place
from test_rollbacks import deploy, succeed

ACCOUNT = "123456789012"
REGION = "us-east-1"
DEPLOYMENT = "CodeDeploy Deployment State-change Notification"
INSTANCE = "CodeDeploy Instance State-change Notification"


@pytest.fixture
def shop(server, session):
    return Place(server, session.client)


@pytest.fixture
def destination(own, hook, shop):
    """A destination that gets the shop's events; its name."""
    name = unique("events")
    own.put_event_destination(name=name, url=hook.url, filter={"applicationNames": [shop.name]})
    yield name
    own.delete_event_destination(name=name)


def deploy_to_nobody(session, application):
    """A deployment without hosts: it is made, and fails."""
    deploy = session.client("codedeploy")
    deploy.create_application(applicationName=application)
    deploy.create_deployment_group(
        applicationName=application, deploymentGroupName="Prod", serviceRoleArn="arn:aws:iam::EXAMPLE:role/CodeDeploy")
    revision = {"revisionType": "GitHub", "gitHubLocation": {"repository": "acme/shop", "commitId": "0" * 40}}
    return deploy.create_deployment(
        applicationName=application, deploymentGroupName="Prod", revision=revision)["deploymentId"]


def test_a_deployment_is_told_as_eventbridge_does_and_in_order(session, hook, shop, destination):
    deployment = deploy(shop, "1.zip")
    succeed(shop, deployment)
    got = [request.json for request in hook.wait_for(4)]
    group = shop.client("codedeploy").get_deployment_group(applicationName=shop.name, deploymentGroupName="Hosts")
    detail = {
        "instanceGroupId": group["deploymentGroupInfo"]["deploymentGroupId"], "region": REGION, "application": shop.name,
        "deploymentId": deployment, "deploymentGroup": "Hosts",
    }
    arn = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}"
    of_application, of_group = f"{arn}:application:{shop.name}", f"{arn}:deploymentgroup:{shop.name}/Hosts"
    of_host = shop.client("codedeploy").get_deployment_target(
        deploymentId=deployment, targetId=shop.name)["deploymentTarget"]["instanceTarget"]["targetArn"]
    told = [
        (DEPLOYMENT, "START", [of_application, of_group]),
        (INSTANCE, "START", [of_host, of_group, of_application]),
        (INSTANCE, "SUCCESS", [of_host, of_group, of_application]),
        (DEPLOYMENT, "SUCCESS", [of_application, of_group]),
    ]
    for event, (kind, state, resources) in zip(got, told, strict=True):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", event.pop("id"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("time"))
        instance = {"instanceId": shop.name} if kind == INSTANCE else {}
        assert event == {
            "version": "0", "account": ACCOUNT, "region": REGION, "source": "aws.codedeploy", "detail-type": kind,
            "resources": resources, "detail": detail | {"state": state} | instance,
        }


def test_events_are_signed_and_filtered(session, own, hook):
    application, name = unique("app"), unique("events")
    put = {"name": name, "url": hook.url, "filter": {"applicationNames": [application], "detailTypes": [DEPLOYMENT]}}
    secret = own.put_event_destination(**put)["secret"]
    assert "secret" not in own.put_event_destination(**put), "it is told once"
    deploy_to_nobody(session, unique("other"))
    id = deploy_to_nobody(session, application)
    (got,) = hook.wait_for(1)
    assert receiver.is_signed_webhook(got, secret)
    assert not receiver.is_signed_webhook(got, "whsec_" + "A" * 32)
    assert got.headers["webhook-id"] == got.json["id"] and got.json["detail"]["deploymentId"] == id
    assert got.headers["content-type"] == "application/json"
    (listed,) = [one for one in own.list_event_destinations()["eventDestinations"] if one["name"] == name]
    assert listed["format"] == "eventbridge" and "secret" not in listed
    assert listed["filter"] == {"applicationNames": [application], "deploymentGroupNames": [], "detailTypes": [DEPLOYMENT]}
    own.delete_event_destination(name=name)
    assert conftest.refusal(own.delete_event_destination, name=name) == "EventDestinationDoesNotExistException"


def test_cloudevents_are_sent_with_a_secret_of_ones_own(session, own, hook):
    application, name = unique("app"), unique("events")
    secret = "whsec_" + base64.b64encode(b"secret of my own, long enough").decode()
    answer = own.put_event_destination(
        name=name, url=hook.url, format="cloudevents", secret=secret, filter={"applicationNames": [application]})
    assert "secret" not in answer
    id = deploy_to_nobody(session, application)
    (got,) = hook.wait_for(1)
    assert got.headers["content-type"].startswith("application/cloudevents+json")
    assert receiver.is_signed_webhook(got, secret)
    event = got.json
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "aws.codedeploy.deployment.state-change", id)
    assert event["source"] == f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:{application}/Prod"
    assert event["data"]["state"] == "FAILURE" and event["id"] == got.headers["webhook-id"]
    own.delete_event_destination(name=name)


def test_a_receiver_that_hangs_or_refuses_holds_up_nobody_and_misses_nothing(hook, shop, destination):
    let_go = threading.Event()
    tries = []

    def hang(request):
        tries.append(request)
        let_go.wait(60)
        return 503 if len(tries) <= 2 else 200

    hook.status = hang
    deployment = deploy(shop, "1.zip")
    succeed(shop, deployment)
    assert not let_go.is_set(), "the deployment ended before the receiver said a word"
    let_go.set()
    got = [request.json for request in hook.wait_for(2 + 4)]
    assert got[0] == got[1] == got[2], "the first event comes until it is taken in"
    states = [(event["detail-type"], event["detail"]["state"]) for event in got[2:]]
    assert states == [(DEPLOYMENT, "START"), (INSTANCE, "START"), (INSTANCE, "SUCCESS"), (DEPLOYMENT, "SUCCESS")]


def test_events_outlive_a_killed_server(start_longshore, hook):
    server = start_longshore()
    clients = conftest.Clients(server.endpoint, *server.root_credentials())
    clients.longshore().put_event_destination(name="lasting", url=hook.url)
    port = hook.port
    hook.close()
    ids = {deploy_to_nobody(clients, unique("app")) for _ in range(3)}
    server.kill()
    server.start()
    again = receiver.Receiver(port)
    try:
        # The killed server's claims may have to end first.
        told = lambda: {request.json["detail"]["deploymentId"] for request in list(again.received)}
        longshore.wait_until(lambda: told() == ids, "each deployment's event", 90)
    finally:
        again.close()


URL = "http://127.0.0.1/"


@pytest.mark.parametrize("wrong", [
    {"name": "a b"},
    {"url": "ftp://127.0.0.1/"},
    {"url": "http://169.254.169.254/"},
    {"url": "http://user:password@127.0.0.1/"},
    {"url": "127.0.0.1"},
    {"filter": {"detailTypes": ["x"]}},
    {"secret": "whsec_" + "?" * 32},
    {"secret": "whsec_" + base64.b64encode(b"too short").decode()},
])
def test_what_is_no_destination_is_refused(own, wrong):
    assert conftest.refusal(own.put_event_destination, **({"name": "a", "url": URL} | wrong)) == "InvalidEventDestinationException"


@pytest.mark.parametrize("wrong", [
    {"name": "n" * 101},
    {"url": URL + "x" * 2048},
    {"format": "xml"},
    {"secret": "s" * 257},
    {"filter": {"applicationNames": ["a"] * 101}},
    {"filter": {"deploymentGroupNames": ["g" * 256]}},
])
def test_members_are_held_to_the_models_limits(own, wrong):
    assert conftest.refusal(own.put_event_destination, **({"name": "a", "url": URL} | wrong)) == "ValidationException"


def test_a_region_has_50_destinations_at_most(session):
    own = session.longshore(region="ap-south-2")
    for n in range(50):
        own.put_event_destination(name=f"n{n}", url=URL)
    assert conftest.refusal(own.put_event_destination, name="more", url=URL) == "EventDestinationLimitExceededException"
    own.put_event_destination(name="n0", url=URL + "another")
    for n in range(50):
        own.delete_event_destination(name=f"n{n}")


def subscribed(session, hook, **attributes):
    """A topic to which the receiver is subscribed, and the subscription."""
    sns = session.client("sns")
    topic = sns.create_topic(Name=unique("told"), Attributes=attributes)["TopicArn"]
    arn = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url, ReturnSubscriptionArn=True)["SubscriptionArn"]
    hook.confirm()
    return topic, arn


ONE_TRY = json.dumps({"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 0}}})


def test_a_message_that_is_given_up_can_be_sent_again(session, own, hook):
    sns = session.client("sns")
    topic, arn = subscribed(session, hook, DeliveryPolicy=ONE_TRY)
    hook.status = 500
    message = sns.publish(TopicArn=topic, Message="lost?")["MessageId"]
    (dead,) = longshore.wait_until(lambda: own.list_dead_letters(destination=arn)["deadLetters"], "a dead letter")
    assert dead["messageId"] == message and dead["attempts"] == 1 and "HTTP 500" in dead["error"]
    assert json.loads(dead["body"]), "what was to be told"
    hook.status = 200
    assert own.redrive_dead_letters(ids=[dead["id"], "nothing"])["ids"] == [dead["id"]]
    longshore.wait_until(lambda: len(hook.of_type("Notification")) == 2, "the message again")
    assert hook.of_type("Notification")[1].json["MessageId"] == message
    assert own.list_dead_letters(destination=arn)["deadLetters"] == []
    assert own.delete_dead_letters(ids=[dead["id"]])["ids"] == []


def test_dead_letters_are_listed_in_pages_and_thrown_away(session, own, hook):
    sns = session.client("sns")
    topic, arn = subscribed(session, hook, DeliveryPolicy=ONE_TRY)
    hook.status = 500
    sent = {sns.publish(TopicArn=topic, Message=str(n))["MessageId"] for n in range(51)}

    def all_pages():
        found, token = [], {}
        while True:
            page = own.list_dead_letters(destination=arn, **token)
            found += page["deadLetters"]
            if "nextToken" not in page:
                return found
            assert len(page["deadLetters"]) == 50
            token = {"nextToken": page["nextToken"]}

    dead = longshore.wait_until(lambda: len(found := all_pages()) == 51 and found, "51 dead letters", 60)
    assert {letter["messageId"] for letter in dead} == sent
    ids = [letter["id"] for letter in dead]
    assert own.delete_dead_letters(ids=ids + ids[:1])["ids"] == ids
    assert all_pages() == []
    assert conftest.refusal(own.list_dead_letters, nextToken="elsewhere") == "InvalidNextTokenException"
    assert conftest.refusal(own.delete_dead_letters, ids=["i"] * 101) == "ValidationException"
    assert conftest.refusal(own.redrive_dead_letters, ids=["i"] * 101) == "ValidationException"


def test_operations_ask_the_callers_policies(session, own):
    iam, name = session.client("iam"), unique("nobody")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    nobody = conftest.Clients(session.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).longshore()
    check = {"alarmName": "a", "httpCheck": {"url": URL}}
    calls = [
        (nobody.put_alarm_source, check), (nobody.delete_alarm_source, {"alarmName": "a"}), (nobody.list_alarm_sources, {}),
        (nobody.put_event_destination, {"name": "a", "url": URL}), (nobody.delete_event_destination, {"name": "a"}),
        (nobody.list_event_destinations, {}), (nobody.list_dead_letters, {}),
        (nobody.redrive_dead_letters, {"ids": ["i"]}), (nobody.delete_dead_letters, {"ids": ["i"]}),
    ]
    for call, arguments in calls:
        assert conftest.refusal(call, **arguments) == "AccessDeniedException"
    allow = {"Effect": "Allow", "Action": "longshore:PutAlarmSource",
             "Resource": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:mine-*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    assert conftest.refusal(nobody.put_alarm_source, **check) == "AccessDeniedException"
    nobody.put_alarm_source(alarmName="mine-1", alertmanager={"alertName": "x"})
    own.delete_alarm_source(alarmName="mine-1")


def tell(shop, topic, *events):
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Hosts",
        triggerConfigurations=[{"triggerName": "told", "triggerTargetArn": topic, "triggerEvents": list(events)}])


def test_a_new_trigger_sends_a_test_message_and_needs_a_topic(session, hook, shop):
    topic, _ = subscribed(session, hook)
    tell(shop, topic, "DeploymentStart")
    (got,) = hook.wait(1)
    assert got.json["Subject"] == f"TEST: AWS CodeDeploy trigger told in {REGION} to {shop.name}"
    assert json.loads(got.json["Message"]) == {
        "region": REGION, "accountId": ACCOUNT, "eventTriggerName": "told", "applicationName": shop.name,
        "deploymentGroupName": "Hosts", "message": "This is a test: the trigger told will send its notifications here.",
    }
    # One that is there already is not tested again, whatever becomes of its topic.
    tell(shop, topic, "DeploymentFailure")
    session.client("sns").publish(TopicArn=topic, Message="in between")
    assert [one.json["Message"] for one in hook.wait(2)[1:]] == ["in between"]
    session.client("sns").delete_topic(TopicArn=topic)
    tell(shop, topic, "DeploymentSuccess")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        tell(shop, topic + "-gone", "DeploymentStart")
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidTriggerConfigException"
    assert error["Message"] == f"The topic '{topic}-gone' of the trigger 'told' does not exist"


def told_of(hook, deployment, count):
    """The subjects and bodies of a deployment's messages."""
    def found():
        messages = [one.json for one in hook.of_type("Notification")]
        messages = [(one["Subject"], json.loads(one["Message"])) for one in messages]
        found = [one for one in messages if one[1].get("deploymentId") == deployment]
        return found if len(found) >= count else None

    return longshore.wait_until(found, f"{count} messages")


DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d\d \d\d:\d\d:\d\d UTC \d{4}"
SECONDS = r"\d{10}\.\d{3}"


def test_triggers_messages_are_those_that_the_service_sends(session, hook, shop):
    topic, _ = subscribed(session, hook)
    tell(shop, topic, "DeploymentStart", "DeploymentSuccess", "InstanceStart", "InstanceSuccess")
    deployment = deploy(shop, "1.zip")
    succeed(shop, deployment)
    created, started, done, succeeded = told_of(hook, deployment, 4)
    subject = f"AWS CodeDeploy {deployment} in {REGION} to {shop.name}"
    assert [one[0] for one in (created, succeeded)] == [f"CREATED: {subject}", f"SUCCEEDED: {subject}"]
    of_deployment = {
        "region": REGION, "accountId": ACCOUNT, "eventTriggerName": "told", "applicationName": shop.name,
        "deploymentId": deployment, "deploymentGroupName": "Hosts",
    }
    assert re.fullmatch(DATE, created[1]["createTime"])
    assert created[1] == of_deployment | {
        "createTime": created[1]["createTime"], "completeTime": None, "status": "CREATED"}
    assert re.fullmatch(DATE, succeeded[1]["completeTime"])
    overview = '{"Succeeded":1,"Failed":0,"Skipped":0,"InProgress":0,"Pending":0}'
    assert json.loads(succeeded[1].pop("deploymentOverview")) == json.loads(overview)
    assert succeeded[1] == of_deployment | {
        "createTime": created[1]["createTime"], "completeTime": succeeded[1]["completeTime"], "status": "SUCCEEDED"}
    of_host = shop.client("codedeploy").get_deployment_target(
        deploymentId=deployment, targetId=shop.name)["deploymentTarget"]["instanceTarget"]["targetArn"]
    for (_, body), status in ((started, "InProgress"), (done, "Succeeded")):
        events = body.pop("lifecycleEvents")
        assert re.fullmatch(SECONDS, body.pop("lastUpdatedAt"))
        assert body == {
            "region": REGION, "accountId": ACCOUNT, "eventTriggerName": "told", "deploymentId": deployment,
            "instanceId": of_host, "instanceStatus": status,
        }
        assert [event["LifecycleEvent"] for event in events] == EVENTS
        for event in events if status == "Succeeded" else []:
            assert event["LifecycleEventStatus"] == "Succeeded"
            assert re.fullmatch(SECONDS, event["StartTime"]) and re.fullmatch(SECONDS, event["EndTime"])
            assert len(event) == 4


def test_a_failure_and_its_rollback_are_told_of(session, hook, shop):
    topic, _ = subscribed(session, hook)
    succeed(shop, deploy(shop, "1.zip"))
    shop.client("codedeploy").update_deployment_group(
        applicationName=shop.name, currentDeploymentGroupName="Hosts",
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    tell(shop, topic, "DeploymentFailure", "DeploymentRollback")
    deployment = deploy(shop, "2.zip")
    agent = shop.agent()
    command = agent.poll()
    agent.acknowledge(command)
    agent.fail(command, 4, "stop.sh", "Script at specified location: stop.sh failed with exit code 3", "")
    failed = shop.ended(deployment)
    ((subject, body),) = told_of(hook, deployment, 1)
    assert subject.startswith("FAILED: ") and body["status"] == "FAILED"
    assert body["rollbackInformation"] == "{}"
    assert json.loads(body["errorInformation"]) == {
        "ErrorCode": failed["errorInformation"]["code"], "ErrorMessage": failed["errorInformation"]["message"]}
    rollback = failed["rollbackInfo"]["rollbackDeploymentId"]
    ((subject, body),) = told_of(hook, rollback, 1)
    assert subject.startswith(f"CREATED: AWS CodeDeploy {rollback}")
    assert json.loads(body["rollbackInformation"]) == {
        "RollbackMessage": f"Deployment {rollback} is triggered to roll back deployment {deployment}.",
        "RollbackTriggeringDeploymentId": deployment}
    succeed(shop, rollback)
