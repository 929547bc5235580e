//! Applications, groups, configurations, revisions, tags and on-premises instances through HTTP.

mod support;

use serde_json::{Value, json};
use support::{Client, ROLE, TestServer, make_shop, revision};

fn names(answer: &Value, member: &str) -> Vec<String> {
    let names = answer[member].as_array().unwrap_or_else(|| panic!("no {member} in {answer}"));
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn shop() -> Value {
    json!({"applicationName": "Shop"})
}

fn prod() -> Value {
    json!({"applicationName": "Shop", "deploymentGroupName": "Prod"})
}

fn with(mut input: Value, member: &str, value: impl Into<Value>) -> Value {
    input[member] = value.into();
    input
}

async fn group(client: &Client) -> Value {
    client.ok("GetDeploymentGroup", prod()).await["deploymentGroupInfo"].clone()
}

#[tokio::test]
async fn applications_are_made_read_renamed_and_deleted() {
    let server = TestServer::start().await;
    let client = server.client();
    client.ok("CreateApplication", shop()).await;
    assert_eq!(client.refused("CreateApplication", shop()).await, "ApplicationAlreadyExists");
    let info = client.ok("GetApplication", shop()).await["application"].clone();
    assert_eq!(info["computePlatform"], "Server");
    assert_eq!(info["linkedToGitHub"], false);
    assert!(info["createTime"].is_number());
    client.ok("UpdateApplication", with(shop(), "newApplicationName", "Store")).await;
    let answer = client.codedeploy("GetApplication", shop()).await;
    assert_eq!(answer.error(), "ApplicationDoesNotExistException");
    assert_eq!(answer.json()["message"], "No application found for name: Shop");
    assert_eq!(names(&client.ok("ListApplications", json!({})).await, "applications"), ["Store"]);
    client.ok("DeleteApplication", json!({"applicationName": "Store"})).await;
    client.ok("DeleteApplication", json!({"applicationName": "Store"})).await;
    assert_eq!(
        client.refused("BatchGetApplications", json!({"applicationNames": ["Store"]})).await,
        "ApplicationDoesNotExist"
    );
    let wrong = json!({"applicationName": "a b"});
    assert_eq!(client.refused("CreateApplication", wrong).await, "InvalidApplicationName");
}

#[tokio::test]
async fn pages_follow_each_other_and_foreign_tokens_are_refused() {
    let server = TestServer::start().await;
    let client = server.client();
    for number in 0..130 {
        let name = format!("app-{number:03}");
        client.ok("CreateApplication", json!({"applicationName": name})).await;
    }
    let first = client.ok("ListApplications", json!({})).await;
    assert_eq!(names(&first, "applications").len(), 100);
    let token = first["nextToken"].as_str().unwrap();
    let second = client.ok("ListApplications", json!({"nextToken": token})).await;
    assert_eq!(names(&second, "applications").len(), 30);
    assert_eq!(second.get("nextToken"), None);
    for (operation, token) in [("ListApplications", "nonsense"), ("ListDeployments", token)] {
        let refused = client.refused(operation, json!({"nextToken": token})).await;
        assert_eq!(refused, "InvalidNextToken", "{operation}");
    }
}

#[tokio::test]
async fn groups_are_made_changed_and_deleted() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, "CodeDeployDefault.HalfAtATime").await;
    let made = group(&client).await;
    assert_eq!(made["deploymentConfigName"], "CodeDeployDefault.HalfAtATime");
    assert_eq!(made["outdatedInstancesStrategy"], "UPDATE");
    assert_eq!(made["deploymentStyle"]["deploymentType"], "IN_PLACE");
    assert_eq!(made.get("loadBalancerInfo"), None);
    assert_eq!(made["serviceRoleArn"], ROLE);

    let change = json!({
        "applicationName": "Shop", "currentDeploymentGroupName": "Prod",
        "ec2TagFilters": [{"Key": "CDG", "Value": "x", "Type": "KEY_AND_VALUE"}],
        "onPremisesInstanceTagFilters": [],
        "autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_FAILURE"]},
    });
    client.ok("UpdateDeploymentGroup", change).await;
    let changed = group(&client).await;
    assert_eq!(changed["deploymentGroupId"], made["deploymentGroupId"]);
    assert_eq!(changed["ec2TagFilters"][0]["Key"], "CDG");
    assert_eq!(changed["onPremisesInstanceTagFilters"], json!([]));
    assert_eq!(changed["autoRollbackConfiguration"]["enabled"], true);
    assert_eq!(changed["deploymentConfigName"], "CodeDeployDefault.HalfAtATime");

    let both = json!({
        "applicationName": "Shop", "deploymentGroupName": "Other", "serviceRoleArn": ROLE,
        "ec2TagFilters": [{"Key": "a"}], "ec2TagSet": {"ec2TagSetList": [[{"Key": "b"}]]},
    });
    assert_eq!(client.refused("CreateDeploymentGroup", both).await, "InvalidEC2TagCombination");
    let no_role = json!({"applicationName": "Shop", "deploymentGroupName": "Other"});
    assert_eq!(client.refused("CreateDeploymentGroup", no_role).await, "RoleRequired");
    let again = with(prod(), "serviceRoleArn", ROLE);
    assert_eq!(
        client.refused("CreateDeploymentGroup", again).await,
        "DeploymentGroupAlreadyExists"
    );
    let config = with(with(prod(), "serviceRoleArn", ROLE), "deploymentConfigName", "Nope");
    assert_eq!(
        client.refused("CreateDeploymentGroup", config).await,
        "DeploymentConfigDoesNotExist"
    );

    let batch = json!({"applicationName": "Shop", "deploymentGroupNames": ["Prod", "Nope"]});
    let batch = client.ok("BatchGetDeploymentGroups", batch).await;
    assert_eq!(batch["deploymentGroupsInfo"].as_array().unwrap().len(), 1);
    assert_eq!(batch["errorMessage"], "No Deployment Group found for name: Nope");
    client.ok("DeleteDeploymentGroup", prod()).await;
    let gone = client.ok("DeleteDeploymentGroup", prod()).await;
    assert_eq!(gone["hooksNotCleanedUp"], json!([]));
    assert_eq!(client.refused("GetDeploymentGroup", prod()).await, "DeploymentGroupDoesNotExist");
}

#[tokio::test]
async fn configurations_in_use_stay() {
    let server = TestServer::start().await;
    let client = server.client();
    let config = |value: i64| json!({"deploymentConfigName": "Most", "minimumHealthyHosts": {"type": "FLEET_PERCENT", "value": value}});
    assert_eq!(
        client.refused("CreateDeploymentConfig", config(100)).await,
        "InvalidMinimumHealthyHostValue"
    );
    client.ok("CreateDeploymentConfig", config(75)).await;
    assert_eq!(
        client.refused("CreateDeploymentConfig", config(75)).await,
        "DeploymentConfigAlreadyExists"
    );
    make_shop(&client, "Most").await;
    let name = json!({"deploymentConfigName": "Most"});
    assert_eq!(
        client.refused("DeleteDeploymentConfig", name.clone()).await,
        "DeploymentConfigInUse"
    );
    client.ok("DeleteDeploymentGroup", prod()).await;
    client.ok("DeleteDeploymentConfig", name.clone()).await;
    assert_eq!(client.refused("GetDeploymentConfig", name).await, "DeploymentConfigDoesNotExist");
    let predefined = json!({"deploymentConfigName": "CodeDeployDefault.OneAtATime"});
    let info = client.ok("GetDeploymentConfig", predefined.clone()).await;
    let minimum = &info["deploymentConfigInfo"]["minimumHealthyHosts"];
    assert_eq!(*minimum, json!({"type": "MOST_CONCURRENCY", "value": 1}));
    assert_eq!(client.refused("DeleteDeploymentConfig", predefined).await, "InvalidOperation");
    let all = client.ok("ListDeploymentConfigs", json!({})).await;
    assert_eq!(names(&all, "deploymentConfigsList").len(), 17);
}

#[tokio::test]
async fn revisions_are_registered_and_found_by_their_whole_location() {
    let server = TestServer::start().await;
    let client = server.client();
    client.ok("CreateApplication", shop()).await;
    let mut exact = revision("v1.zip");
    exact["s3Location"]["eTag"] = json!("\"abc\"");
    let input = with(with(shop(), "revision", exact.clone()), "description", "first");
    client.ok("RegisterApplicationRevision", input).await;
    let found = client.ok("GetApplicationRevision", with(shop(), "revision", exact.clone())).await;
    assert_eq!(found["revision"], exact);
    assert_eq!(found["revisionInfo"]["description"], "first");
    let other = with(shop(), "revision", revision("v2.zip"));
    assert_eq!(client.refused("GetApplicationRevision", other).await, "RevisionDoesNotExist");
    let listed = client.ok("ListApplicationRevisions", shop()).await;
    assert_eq!(listed["revisions"], json!([exact]));
    let filter = with(shop(), "s3KeyPrefix", "v");
    assert_eq!(
        client.refused("ListApplicationRevisions", filter).await,
        "BucketNameFilterRequired"
    );
    let batch = json!({"applicationName": "Shop", "revisions": [exact, revision("v2.zip")]});
    let batch = client.ok("BatchGetApplicationRevisions", batch).await;
    assert_eq!(batch["revisions"].as_array().unwrap().len(), 1);
    assert_eq!(batch["errorMessage"], "No revision found for s3://bundles/v2.zip");
    let mut rar = revision("v1.rar");
    rar["s3Location"]["bundleType"] = json!("rar");
    let input = with(shop(), "revision", rar);
    assert_eq!(client.refused("RegisterApplicationRevision", input).await, "InvalidRevision");
}

#[tokio::test]
async fn a_deployment_is_refused_in_the_documented_order() {
    let server = TestServer::start().await;
    let client = server.client();
    let refused = async |input: Value| client.refused("CreateDeployment", input).await;
    assert_eq!(refused(json!({})).await, "ApplicationNameRequired");
    assert_eq!(refused(shop()).await, "ApplicationDoesNotExist");
    make_shop(&client, "CodeDeployDefault.OneAtATime").await;
    assert_eq!(refused(shop()).await, "DeploymentGroupNameRequired");
    assert_eq!(
        refused(with(shop(), "deploymentGroupName", "X")).await,
        "DeploymentGroupDoesNotExist"
    );
    let mut rar = revision("v1.rar");
    rar["s3Location"]["bundleType"] = json!("rar");
    let unknown = with(with(shop(), "deploymentGroupName", "X"), "revision", rar.clone());
    assert_eq!(refused(unknown).await, "DeploymentGroupDoesNotExist");
    assert_eq!(refused(with(prod(), "revision", rar)).await, "InvalidRevision");
    assert_eq!(refused(prod()).await, "RevisionRequired");
    let input = with(prod(), "revision", revision("v1.zip"));
    assert_eq!(
        refused(with(input.clone(), "deploymentConfigName", "X")).await,
        "DeploymentConfigDoesNotExist"
    );
    assert_eq!(
        refused(with(input.clone(), "description", "x".repeat(257))).await,
        "DescriptionTooLong"
    );
    assert_eq!(
        refused(with(input.clone(), "targetInstances", json!({"tagFilters": []}))).await,
        "InvalidTargetInstances"
    );
    assert_eq!(
        refused(with(input, "autoRollbackConfiguration", json!({"enabled": true}))).await,
        "InvalidAutoRollbackConfig"
    );
    let get = async |id: &str| client.refused("GetDeployment", json!({"deploymentId": id})).await;
    assert_eq!(get("d-x").await, "InvalidDeploymentId");
    assert_eq!(get("d-000000000").await, "DeploymentDoesNotExist");
    assert_eq!(client.refused("ListDeployments", shop()).await, "DeploymentGroupNameRequired");
    let range = json!({"createTimeRange": {"start": 2, "end": 1}});
    assert_eq!(client.refused("ListDeployments", range).await, "InvalidTimeRange");
}

#[tokio::test]
async fn tags_belong_to_the_thing_and_not_to_its_name() {
    let server = TestServer::start().await;
    let client = server.client();
    make_shop(&client, "CodeDeployDefault.OneAtATime").await;
    let arn = |name: &str| format!("arn:aws:codedeploy:us-east-1:123456789012:application:{name}");
    let tags = json!([{"Key": "team", "Value": "web"}, {"Key": "empty"}]);
    client.ok("TagResource", json!({"ResourceArn": arn("Shop"), "Tags": tags})).await;
    client.ok("UpdateApplication", with(shop(), "newApplicationName", "Store")).await;
    let listed = client.ok("ListTagsForResource", json!({"ResourceArn": arn("Store")})).await;
    assert_eq!(
        listed["Tags"],
        json!([{"Key": "empty", "Value": ""}, {"Key": "team", "Value": "web"}])
    );
    client
        .ok("UntagResource", json!({"ResourceArn": arn("Store"), "TagKeys": ["empty", "x"]}))
        .await;
    let listed = client.ok("ListTagsForResource", json!({"ResourceArn": arn("Store")})).await;
    assert_eq!(listed["Tags"].as_array().unwrap().len(), 1);
    let nothing = client.ok("ListTagsForResource", json!({"ResourceArn": arn("Nope")})).await;
    assert_eq!(nothing["Tags"], json!([]));
    let refused = client.refused("ListTagsForResource", json!({"ResourceArn": "nonsense"})).await;
    assert_eq!(refused, "InvalidArn");
}

#[tokio::test]
async fn on_premises_instances_are_bound_to_one_identity() {
    let server = TestServer::start().await;
    let client = server.client();
    let arn = "arn:aws:iam::123456789012:user/web-1";
    let register = |name: &str| json!({"instanceName": name, "iamUserArn": arn});
    client.ok("RegisterOnPremisesInstance", register("web-1")).await;
    let refused = async |input: Value| client.refused("RegisterOnPremisesInstance", input).await;
    assert_eq!(refused(register("web-1")).await, "InstanceNameAlreadyRegistered");
    assert_eq!(refused(register("web-2")).await, "IamUserArnAlreadyRegistered");
    assert_eq!(refused(json!({"instanceName": "web-2"})).await, "IamArnRequired");
    assert_eq!(
        refused(json!({"instanceName": "i-2", "iamUserArn": arn})).await,
        "InvalidInstanceName"
    );
    let name = json!({"instanceName": "web-1"});
    let info = client.ok("GetOnPremisesInstance", name.clone()).await["instanceInfo"].clone();
    assert_eq!((&info["iamUserArn"], &info["tags"]), (&json!(arn), &json!([])));

    let tags = json!([{"Key": "role", "Value": "web"}]);
    let tagged = json!({"instanceNames": ["web-1"], "tags": tags});
    client.ok("AddTagsToOnPremisesInstances", tagged.clone()).await;
    let unknown = json!({"instanceNames": ["web-1", "web-9"], "tags": tags});
    assert_eq!(
        client.refused("AddTagsToOnPremisesInstances", unknown).await,
        "InstanceNotRegistered"
    );
    let filter = json!({"tagFilters": [{"Key": "role", "Value": "w*", "Type": "KEY_AND_VALUE"}]});
    let listed = client.ok("ListOnPremisesInstances", filter.clone()).await;
    assert_eq!(names(&listed, "instanceNames"), ["web-1"]);
    client.ok("RemoveTagsFromOnPremisesInstances", tagged).await;
    assert!(names(&client.ok("ListOnPremisesInstances", filter).await, "instanceNames").is_empty());

    client.ok("DeregisterOnPremisesInstance", name.clone()).await;
    client.ok("DeregisterOnPremisesInstance", name.clone()).await;
    let listed =
        client.ok("ListOnPremisesInstances", json!({"registrationStatus": "Deregistered"})).await;
    assert_eq!(names(&listed, "instanceNames"), ["web-1"]);
    client.ok("RegisterOnPremisesInstance", register("web-1")).await;
    let anew = client.ok("GetOnPremisesInstance", name).await["instanceInfo"].clone();
    assert_ne!(anew["instanceArn"], info["instanceArn"]);
}
