"""SNS topics and their subscriptions, with the stock CLI, boto3 and receivers that verify."""

import json
import urllib.error
import urllib.request

import botocore.exceptions
import pytest

import longshore
import receiver
from names import unique

ACCOUNT = "123456789012"


@pytest.fixture
def sns(session):
    return session.client("sns")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name=unique("topic"))["TopicArn"]


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def subscribed(sns, hook, topic, **options):
    arn = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url, ReturnSubscriptionArn=True, **options)["SubscriptionArn"]
    hook.confirm()
    return arn


def test_the_stock_cli_makes_a_topic_and_a_receiver_confirms_and_verifies(aws, hook):
    name = unique("deployments")
    topic = aws.json("sns", "create-topic", "--name", name)["TopicArn"]
    assert topic == f"arn:aws:sns:us-east-1:{ACCOUNT}:{name}"
    assert aws.json("sns", "create-topic", "--name", name)["TopicArn"] == topic
    answer = aws.json("sns", "subscribe", "--topic-arn", topic, "--protocol", "http", "--notification-endpoint", hook.url)
    assert answer["SubscriptionArn"] == "pending confirmation"
    (asked,) = hook.wait(1, "SubscriptionConfirmation")
    assert "x-amz-sns-subscription-arn" not in asked.headers
    assert asked.headers["content-type"] == "text/plain; charset=UTF-8"
    assert receiver.is_signed_by_its_certificate(asked.json)
    token = asked.json["Token"]
    arn = aws.json("sns", "confirm-subscription", "--topic-arn", topic, "--token", token)["SubscriptionArn"]
    assert arn.startswith(f"{topic}:") and arn.count(":") == 6
    message = aws.json("sns", "publish", "--topic-arn", topic, "--subject", "hello", "--message", "world\nand more")
    (got,) = hook.wait(1)
    assert got.headers["x-amz-sns-subscription-arn"] == arn and got.headers["x-amz-sns-topic-arn"] == topic
    sent = got.json
    assert (sent["MessageId"], sent["Subject"], sent["Message"]) == (message["MessageId"], "hello", "world\nand more")
    assert sent["SignatureVersion"] == "1" and receiver.is_signed_by_its_certificate(sent)
    (listed,) = aws.json("sns", "list-subscriptions-by-topic", "--topic-arn", topic)["Subscriptions"]
    assert listed == {"SubscriptionArn": arn, "Owner": ACCOUNT, "Protocol": "http", "Endpoint": hook.url, "TopicArn": topic}
    aws("sns", "unsubscribe", "--subscription-arn", arn)
    aws("sns", "delete-topic", "--topic-arn", topic)
    assert topic not in [found["TopicArn"] for found in aws.json("sns", "list-topics")["Topics"]]


def test_a_receiver_confirms_and_leaves_by_visiting_links(sns, hook, topic):
    arn = subscribed(sns, hook, topic)
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "false"
    sns.publish(TopicArn=topic, Message="x")
    (got,) = hook.wait(1)
    with urllib.request.urlopen(got.json["UnsubscribeURL"], timeout=10) as answer:
        assert answer.status == 200
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsDeleted"] == "1"


def test_a_link_does_not_end_a_subscription_that_wants_signed_requests(sns, hook, topic):
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url)
    token = hook.wait(1, "SubscriptionConfirmation")[0].json["Token"]
    sns.confirm_subscription(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")
    sns.publish(TopicArn=topic, Message="x")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(hook.wait(1)[0].json["UnsubscribeURL"], timeout=10)
    assert caught.value.code == 403
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1


def test_nothing_is_sent_to_who_has_not_confirmed(sns, hook, topic):
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=hook.url)
    hook.wait(1, "SubscriptionConfirmation")
    sns.publish(TopicArn=topic, Message="before")
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    assert refusal(sns.confirm_subscription, TopicArn=topic, Token="0" * 64) == ("InvalidParameter", 400)
    hook.confirm()
    sns.publish(TopicArn=topic, Message="after")
    assert [got.json["Message"] for got in hook.wait(1)] == ["after"]


def test_raw_delivery_and_the_newer_signature(sns, hook, topic):
    arn = subscribed(sns, hook, topic)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="2")
    attribute = {"team": {"DataType": "String", "StringValue": "shop"}}
    sns.publish(TopicArn=topic, Message='{"default": "d", "http": "h"}', MessageStructure="json", MessageAttributes=attribute)
    sent = hook.wait(1)[0].json
    assert (sent["Message"], sent["MessageAttributes"]) == ("h", {"team": {"Type": "String", "Value": "shop"}})
    assert sent["SignatureVersion"] == "2" and receiver.is_signed_by_its_certificate(sent)
    assert not receiver.is_signed_by_its_certificate(sent | {"Message": "x"})
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    sns.publish(TopicArn=topic, Message="as it is")
    raw = hook.wait(2)[1]
    assert raw.body == b"as it is" and raw.headers["x-amz-sns-rawdelivery"] == "true"


def test_a_message_is_sent_again_until_it_is_taken_in(sns, hook, topic):
    subscribed(sns, hook, topic)
    refused = []

    def twice_no(request):
        refused.append(request)
        return 503 if len(refused) <= 2 else 200

    hook.status = twice_no
    sns.publish(TopicArn=topic, Message="persistent")
    got = hook.wait(3)
    assert {request.json["MessageId"] for request in got} == {got[0].json["MessageId"]}
    assert got[0].json == got[2].json, "the same message, signature and time included"


def test_policies_are_shown_and_held_to_their_limits(sns, hook, topic):
    policy = {"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 2, "numRetries": 5}}}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=json.dumps(policy))
    shown = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["EffectiveDeliveryPolicy"])
    assert shown["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 5
    arn = subscribed(sns, hook, topic)
    effective = json.loads(sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["EffectiveDeliveryPolicy"])
    assert effective["healthyRetryPolicy"]["maxDelayTarget"] == 2
    policy["http"]["defaultHealthyRetryPolicy"]["numRetries"] = 101
    wrong = {"TopicArn": topic, "AttributeName": "DeliveryPolicy", "AttributeValue": json.dumps(policy)}
    assert refusal(sns.set_topic_attributes, **wrong) == ("InvalidParameter", 400)


def test_tags_attributes_and_pages(sns, topic):
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "b", "Value": "2"}]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Shop")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["DisplayName"] == "Shop" and attributes["Owner"] == ACCOUNT and "Statement" in attributes["Policy"]
    many = [sns.create_topic(Name=unique("many"))["TopicArn"] for _ in range(101)]
    listed = [found["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for found in page["Topics"]]
    assert set(many) <= set(listed) and len(listed) == len(set(listed))
    for arn in many:
        sns.delete_topic(TopicArn=arn)


def test_refusals_have_the_services_names(sns, hook, topic):
    nowhere = f"arn:aws:sns:us-east-1:{ACCOUNT}:{unique('nowhere')}"
    assert refusal(sns.publish, TopicArn=nowhere, Message="x") == ("NotFound", 404)
    assert refusal(sns.get_topic_attributes, TopicArn=nowhere) == ("NotFound", 404)
    assert refusal(sns.create_topic, Name="a b") == ("InvalidParameter", 400)
    assert refusal(sns.create_topic, Name="a.fifo", Attributes={"FifoTopic": "true"}) == ("InvalidParameter", 400)
    assert refusal(sns.publish, TopicArn=topic, Message="x", Subject="a\nb") == ("InvalidParameter", 400)
    assert refusal(sns.publish, TopicArn=topic, Message="x" * (256 * 1024 + 1)) == ("InvalidParameter", 400)
    subscribe = {"TopicArn": topic, "Protocol": "http"}
    assert refusal(sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:x") == ("InvalidParameter", 400)
    assert refusal(sns.subscribe, **subscribe, Endpoint="https://example.test/") == ("InvalidParameter", 400)
    assert refusal(sns.subscribe, **subscribe, Endpoint="http://169.254.169.254/latest") == ("InvalidParameter", 400)
    filtered = {"FilterPolicy": '{"a": ["b"]}'}
    assert refusal(sns.subscribe, **subscribe, Endpoint=hook.url, Attributes=filtered) == ("InvalidParameter", 400)
    assert refusal(sns.add_permission, TopicArn=topic, Label="x", AWSAccountId=[ACCOUNT], ActionName=["Publish"]) == ("InvalidAction", 400)
    sns.unsubscribe(SubscriptionArn=f"{topic}:00000000-0000-0000-0000-000000000000")
    sns.delete_topic(TopicArn=nowhere)


def test_a_batch_tells_of_each_message(sns, hook, topic):
    subscribed(sns, hook, topic)
    entries = [{"Id": "1", "Message": "one"}, {"Id": "2", "Message": "two", "Subject": "a\nb"}]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [done["Id"] for done in answer["Successful"]] == ["1"]
    assert [(failed["Id"], failed["Code"]) for failed in answer["Failed"]] == [("2", "InvalidParameter")]
    assert hook.wait(1)[0].json["Message"] == "one"


def test_a_message_outlives_a_killed_server(start_longshore, hook):
    import conftest

    server = start_longshore()
    sns = conftest.Clients(server.endpoint, *server.root_credentials()).client("sns")
    topic = sns.create_topic(Name="lasting")["TopicArn"]
    subscribed(sns, hook, topic)
    port = hook.port
    hook.close()
    sns.publish(TopicArn=topic, Message="still here")
    server.kill()
    server.start()
    again = receiver.Receiver(port)
    try:
        # The killed server's claim may have to end first.
        assert again.wait(1, seconds=90)[0].json["Message"] == "still here"
        metrics = urllib.request.urlopen(f"{server.endpoint}/-/metrics", timeout=5).read().decode()
        assert 'longshore_deliveries_total{outcome="delivered"} 1' in metrics
    finally:
        again.close()
