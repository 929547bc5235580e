"""CloudWatch's alarms, with the stock CLI, boto3, and the two protocols that neither of them chooses."""

import uuid

import botocore.exceptions
import pytest

import raw

ACCOUNT = "123456789012"


@pytest.fixture
def cloudwatch(session):
    return session.client("cloudwatch")


def name(word="alarm"):
    return f"{word}-{uuid.uuid4().hex[:12]}"


def put(cloudwatch, alarm, **options):
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": alarm, "MetricName": "Errors", "Namespace": "Shop", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 0.5, "ComparisonOperator": "GreaterThanThreshold",
        }
        | options
    )


def the(cloudwatch, alarm):
    (found,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return found


def refusal(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_the_stock_cli_makes_reads_sets_and_deletes_an_alarm(aws):
    alarm = name()
    aws("cloudwatch", "put-metric-alarm", "--alarm-name", alarm, "--metric-name", "Errors", "--namespace", "Shop",
        "--statistic", "Sum", "--period", "60", "--evaluation-periods", "2", "--threshold", "5",
        "--comparison-operator", "GreaterThanThreshold", "--dimensions", "Name=Host,Value=web-1")
    (shown,) = aws.json("cloudwatch", "describe-alarms", "--alarm-names", alarm)["MetricAlarms"]
    assert shown["AlarmArn"] == f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{alarm}"
    assert shown["StateValue"] == "INSUFFICIENT_DATA"
    assert shown["Dimensions"] == [{"Name": "Host", "Value": "web-1"}]
    assert shown["Threshold"] == 5.0 and shown["Period"] == 60 and shown["ActionsEnabled"] is True
    aws("cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", "ALARM", "--state-reason", "drill")
    (shown,) = aws.json("cloudwatch", "describe-alarms", "--alarm-name-prefix", alarm, "--state-value", "ALARM")["MetricAlarms"]
    assert shown["StateReason"] == "drill"
    aws("cloudwatch", "wait", "alarm-exists", "--alarm-names", alarm)
    aws("cloudwatch", "delete-alarms", "--alarm-names", alarm)
    assert aws.json("cloudwatch", "describe-alarms", "--alarm-names", alarm)["MetricAlarms"] == []
    missing = aws("cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", "OK", "--state-reason", "x", check=False)
    assert "(ResourceNotFound) when calling the SetAlarmState operation" in missing.stderr


def test_times_move_with_what_they_tell_of(cloudwatch):
    alarm = name()
    put(cloudwatch, alarm)
    made = the(cloudwatch, alarm)
    assert made["StateReason"] == "Unchecked: Initial alarm creation"
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="one", StateReasonData='{"n": 1}')
    red = the(cloudwatch, alarm)
    assert red["StateReasonData"] == '{"n": 1}'
    assert red["StateTransitionedTimestamp"] > made["StateTransitionedTimestamp"]
    assert red["AlarmConfigurationUpdatedTimestamp"] == made["AlarmConfigurationUpdatedTimestamp"]
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="two")
    again = the(cloudwatch, alarm)
    assert again["StateTransitionedTimestamp"] == red["StateTransitionedTimestamp"]
    assert again["StateUpdatedTimestamp"] > red["StateUpdatedTimestamp"]
    put(cloudwatch, alarm, Threshold=7.0, AlarmDescription="other")
    changed = the(cloudwatch, alarm)
    assert changed["StateValue"] == "ALARM", "settings leave the state alone"
    assert changed["AlarmConfigurationUpdatedTimestamp"] > made["AlarmConfigurationUpdatedTimestamp"]


def test_lists_are_filtered_and_come_in_pages(cloudwatch):
    prefix = name("page")
    names = [f"{prefix}-{n:02}" for n in range(7)]
    for alarm in reversed(names):
        put(cloudwatch, alarm, AlarmActions=[f"arn:aws:sns:us-east-1:{ACCOUNT}:{prefix}"] if alarm == names[3] else [])
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, PaginationConfig={"PageSize": 3})
    found = [[alarm["AlarmName"] for alarm in page["MetricAlarms"]] for page in pages]
    assert [len(page) for page in found] == [3, 3, 1]
    assert sum(found, []) == names
    acting = cloudwatch.describe_alarms(ActionPrefix=f"arn:aws:sns:us-east-1:{ACCOUNT}:{prefix}")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in acting] == [names[3]]
    composite = cloudwatch.describe_alarms(AlarmNamePrefix=prefix, AlarmTypes=["CompositeAlarm"])
    assert composite["MetricAlarms"] == [] and composite["CompositeAlarms"] == []


def test_alarms_of_a_metric_and_their_history(cloudwatch):
    alarm, metric = name(), name("metric")
    put(cloudwatch, alarm, MetricName=metric, Dimensions=[{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}])
    dimensions = [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
    of_metric = cloudwatch.describe_alarms_for_metric(MetricName=metric, Namespace="Shop", Dimensions=dimensions)
    assert [found["AlarmName"] for found in of_metric["MetricAlarms"]] == [alarm]
    assert cloudwatch.describe_alarms_for_metric(MetricName=metric, Namespace="Shop")["MetricAlarms"] == []
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="drill")
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(AlarmName=alarm, PaginationConfig={"PageSize": 2})
    items = [item for page in pages for item in page["AlarmHistoryItems"]]
    assert [item["HistorySummary"] for item in items] == [
        "Alarm updated from ALARM to OK", "Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm created"]
    updates = cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="StateUpdate", ScanBy="TimestampAscending")
    assert [item["HistorySummary"] for item in updates["AlarmHistoryItems"]][0].endswith("to ALARM")


def test_tags_and_actions_are_switched(cloudwatch):
    alarm = name()
    put(cloudwatch, alarm, Tags=[{"Key": "team", "Value": "shop"}])
    arn = the(cloudwatch, alarm)["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "x", "Value": "y"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "x", "Value": "y"}]
    cloudwatch.disable_alarm_actions(AlarmNames=[alarm])
    assert the(cloudwatch, alarm)["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=[alarm])
    assert the(cloudwatch, alarm)["ActionsEnabled"] is True


def test_refusals_have_the_services_names(cloudwatch):
    alarm = name()
    put(cloudwatch, alarm)
    assert refusal(cloudwatch.delete_alarms, AlarmNames=[alarm, name()]) == ("ResourceNotFound", 404)
    assert the(cloudwatch, alarm), "of several names none is deleted if one does not exist"
    state = {"AlarmName": alarm, "StateReason": "x"}
    assert refusal(cloudwatch.set_alarm_state, StateValue="RED", **state) == ("ValidationError", 400)
    assert refusal(cloudwatch.set_alarm_state, StateValue="OK", StateReasonData="{", **state) == ("InvalidFormat", 400)
    assert refusal(cloudwatch.describe_alarms, AlarmNames=["a"], AlarmNamePrefix="a") == ("InvalidParameterCombination", 400)
    assert refusal(cloudwatch.describe_alarms, NextToken="zz") == ("InvalidNextToken", 400)
    assert refusal(cloudwatch.put_metric_data, Namespace="Shop", MetricData=[{"MetricName": "Errors", "Value": 1}]) == ("InvalidAction", 400)


def test_forms_and_cbor_answer_the_same(session, cloudwatch):
    alarm = name()
    form = (
        f"Action=PutMetricAlarm&AlarmName={alarm}&ComparisonOperator=GreaterThanThreshold&EvaluationPeriods=1"
        "&MetricName=Errors&Namespace=Shop&Period=60&Statistic=Sum&Threshold=2.5&AlarmActions.member.1=arn%3Ax&OKActions="
        "&Dimensions.member.1.Name=Host&Dimensions.member.1.Value=1&Version=2010-08-01"
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = raw.signed(session, "monitoring", headers=headers, body=form.encode())
    assert answer.status == 200, answer.body
    assert the(cloudwatch, alarm)["Dimensions"] == [{"Name": "Host", "Value": "1"}]
    form = f"Action=DescribeAlarms&AlarmNames.member.1={alarm}&Version=2010-08-01"
    answer = raw.signed(session, "monitoring", headers=headers, body=form.encode())
    assert f"<AlarmName>{alarm}</AlarmName>".encode() in answer.body and b"<Threshold>2.5</Threshold>" in answer.body

    headers = {"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"}
    path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
    body = b"\xa1\x6aAlarmNames\x81" + bytes([0x60 + len(alarm) if len(alarm) < 24 else 0x78]) + alarm.encode()
    answer = raw.signed(session, "monitoring", path=path, headers=headers, body=body)
    assert (answer.status, answer.headers["smithy-protocol"]) == (200, "rpc-v2-cbor")
    assert answer.headers["content-type"] == "application/cbor" and alarm.encode() in answer.body
    path = path.replace("DescribeAlarms", "SetAlarmState")
    answer = raw.signed(session, "monitoring", path=path, headers=headers, body=b"\xa1\x69AlarmName\x61x")
    assert (answer.status, answer.headers["x-amzn-query-error"]) == (400, "ValidationError;Sender")


def test_policies_decide_who_may_touch_an_alarm(session, cloudwatch):
    import conftest

    iam = session.client("iam")
    user = name("user")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=(
        '{"Statement": {"Effect": "Allow", "Action": "cloudwatch:SetAlarmState", "Resource": "arn:aws:cloudwatch:*:*:alarm:mine-*"}}'))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    limited = conftest.Clients(session.endpoint, key["AccessKeyId"], key["SecretAccessKey"]).client("cloudwatch")
    mine, other = name("mine"), name("other")
    put(cloudwatch, mine)
    put(cloudwatch, other)
    limited.set_alarm_state(AlarmName=mine, StateValue="OK", StateReason="x")
    assert refusal(limited.set_alarm_state, AlarmName=other, StateValue="OK", StateReason="x")[0] == "AccessDenied"
    assert refusal(limited.describe_alarms)[0] == "AccessDenied"
