//! The edge: who is let in, and what bad requests get.

mod support;

use http::Method;
use serde_json::json;
use support::{Answer, Call, Client, TestServer, json_call, root};
use wire::sigv4::Credentials;

async fn list_applications(client: &Client) -> Answer {
    client.codedeploy("ListApplications", json!({})).await
}

fn check_json(answer: &Answer, name: &str, text: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (400, name), "{}", answer.text());
    assert!(answer.text().contains(text), "{}", answer.text());
    assert!(answer.headers.contains_key("x-amzn-requestid"));
}

#[tokio::test]
async fn a_request_must_be_signed_just_now_by_a_known_key() {
    let server = TestServer::start().await;
    let good = server.client();
    assert_eq!(list_applications(&good).await.status, 200);

    let unknown = Client::new(server.address, Credentials::new("AKIANOBODY", "x", None));
    check_json(
        &list_applications(&unknown).await,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    );
    let wrong = Client::new(server.address, Credentials::new("AKIAROOT", "guess", None));
    check_json(
        &list_applications(&wrong).await,
        "InvalidSignatureException",
        "The request signature we calculated does not match",
    );
    let with_token =
        Client::new(server.address, Credentials::new("AKIAROOT", "root-secret", Some("t".into())));
    check_json(&list_applications(&with_token).await, "UnrecognizedClientException", "invalid");
    for (offset, text) in [(-600, "Signature expired"), (600, "Signature not yet current")] {
        let mut skewed = good.clone();
        skewed.clock_offset = offset;
        check_json(&list_applications(&skewed).await, "InvalidSignatureException", text);
    }
    let elsewhere = json_call("s4", "CodeDeploy_20141006.ListApplications".into(), json!({}));
    check_json(
        &good.send(elsewhere).await.unwrap(),
        "InvalidSignatureException",
        "Credential should be scoped to correct service: 'codedeploy'.",
    );
    let call = json_call("codedeploy", "CodeDeploy_20141006.ListApplications".into(), json!({}));
    let unsigned = good.send_as_is(Method::POST, "/", &call.headers, call.body).await.unwrap();
    check_json(&unsigned, "MissingAuthenticationTokenException", "Missing Authentication Token");
}

#[tokio::test]
async fn form_services_refuse_in_their_own_words() {
    let server = TestServer::start().await;
    let wrong = Client::new(server.address, Credentials::new("AKIAROOT", "guess", None));
    let iam = wrong.form("iam", "Action=ListUsers&Version=2010-05-08").await;
    assert_eq!(iam.status, 403);
    assert!(iam.text().contains("<Code>SignatureDoesNotMatch</Code>"), "{}", iam.text());
    let ec2 = wrong.form("ec2", "Action=DescribeInstances&Version=2016-11-15").await;
    assert_eq!(ec2.status, 401);
    assert!(ec2.text().contains("<Code>AuthFailure</Code>"), "{}", ec2.text());

    let good = server.client();
    let unknown = good.form("sts", "Action=Teleport&Version=2011-06-15").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.text().contains("InvalidAction") && unknown.text().contains("Teleport"));
    let unserved =
        good.form("autoscaling", "Action=DescribeLifecycleHooks&Version=2011-01-01").await;
    assert!(unserved.text().contains("InvalidAction"), "{}", unserved.text());
    let identity = good.form("sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(identity.text().contains("<Arn>arn:aws:iam::123456789012:root</Arn>"));
    // The same by GET.
    let call = Call {
        service: "sts",
        method: Method::GET,
        target: "/?Action=GetCallerIdentity&Version=2011-06-15",
        headers: vec![],
        body: vec![],
    };
    assert_eq!(good.send(call).await.unwrap().status, 200);
}

#[tokio::test]
async fn bad_bodies_get_documented_errors() {
    let server = TestServer::start().await;
    let client = server.client();
    let send = async |body: &[u8], content_type: &str| {
        let mut call =
            json_call("codedeploy", "CodeDeploy_20141006.GetApplication".into(), json!({}));
        call.headers[0].1 = content_type.to_owned();
        call.body = body.to_vec();
        client.send(call).await.unwrap()
    };
    let json_type = "application/x-amz-json-1.1";
    for body in [&b"{"[..], b"[]", b"\xff", br#"{"applicationName":7}"#] {
        check_json(&send(body, json_type).await, "SerializationException", "");
    }
    check_json(&send(b"", json_type).await, "ApplicationNameRequiredException", "applicationName");
    check_json(&send(b"{}", "text/plain").await, "SerializationException", "text/plain");
    let large = send(&vec![b' '; 1024 * 1024 + 1], json_type).await;
    assert_eq!((large.status, large.error().as_str()), (413, "RequestEntityTooLargeException"));

    let unknown = client.codedeploy("Teleport", json!({})).await;
    check_json(&unknown, "UnknownOperationException", "Teleport");
    let foreign = json_call("dynamodb", "DynamoDB_20120810.PutItem".into(), json!({}));
    check_json(&client.send(foreign).await.unwrap(), "UnknownOperationException", "PutItem");
}

#[tokio::test]
async fn policies_decide_what_a_user_may() {
    let server = TestServer::start().await;
    let admin = server.client();
    admin.iam("Action=CreateUser&UserName=dev").await;
    let key = admin.iam("Action=CreateAccessKey&UserName=dev").await;
    let element = support::host::element;
    let credentials =
        Credentials::new(element(&key, "AccessKeyId"), element(&key, "SecretAccessKey"), None);
    let dev = Client::new(server.address, credentials);

    let denied = dev.codedeploy("CreateApplication", json!({"applicationName": "Shop"})).await;
    check_json(
        &denied,
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: codedeploy:CreateApplication \
         on resource: arn:aws:codedeploy:us-east-1:123456789012:application:Shop because no identity-based policy",
    );
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "codedeploy:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "codedeploy:Delete*", "Resource": "*"},
    ]});
    let policy: String = percent_encoding::utf8_percent_encode(
        &policy.to_string(),
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    admin
        .iam(&format!("Action=PutUserPolicy&UserName=dev&PolicyName=p&PolicyDocument={policy}"))
        .await;
    dev.ok("CreateApplication", json!({"applicationName": "Shop"})).await;
    let denied = dev.codedeploy("DeleteApplication", json!({"applicationName": "Shop"})).await;
    check_json(&denied, "AccessDeniedException", "with an explicit deny");
    // A group's role must be passed on, which this user may not.
    let group = json!({
        "applicationName": "Shop", "deploymentGroupName": "Prod", "serviceRoleArn": support::ROLE,
    });
    check_json(
        &dev.codedeploy("CreateDeploymentGroup", group).await,
        "AccessDeniedException",
        "iam:PassRole",
    );
}

#[tokio::test]
async fn own_paths_need_no_signature() {
    let server = TestServer::start().await;
    let client = server.client();
    let get = async |path: &str| client.send_as_is(Method::GET, path, &[], vec![]).await.unwrap();
    assert_eq!(get("/-/healthz").await.status, 200);
    assert_eq!(get("/-/nothing").await.status, 404);
    assert!(get("/").await.text().contains("longshore"));
    client.codedeploy("Teleport", json!({})).await;
    let metrics = get("/-/metrics").await.text();
    assert!(
        metrics.contains("operation=\"Teleport\",status=\"400\",served=\"false\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn s3_is_reached_and_verified_by_the_same_keys() {
    let server = TestServer::start().await;
    let send = async |client: Client, method: Method, target: &str, body: &[u8]| {
        let headers = vec![];
        let call = Call { service: "s3", method, target, headers, body: body.to_vec() };
        client.send(call).await.unwrap()
    };
    assert_eq!(send(server.client(), Method::PUT, "/bundles", b"").await.status, 200);
    assert_eq!(send(server.client(), Method::PUT, "/bundles/a", b"hello").await.status, 200);
    assert_eq!(send(server.client(), Method::GET, "/bundles/a", b"").await.body, "hello");
    let wrong = Client::new(server.address, Credentials::new("AKIAROOT", "guess", None));
    let refused = send(wrong, Method::GET, "/bundles/a", b"").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("<Code>SignatureDoesNotMatch</Code>"));
    let anonymous = Client::new(server.address, root());
    let anonymous = anonymous.send_as_is(Method::GET, "/bundles/a", &[], vec![]).await.unwrap();
    assert!(anonymous.text().contains("<Code>AccessDenied</Code>"));
}
