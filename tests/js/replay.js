// The AWS SDK for JavaScript v3 against a running longshore: every noun made, read, listed and changed, its waiter and
// its paginators. Reads what to use as JSON from standard input, prints one line per passed check, and ends with status
// 1 at the first that fails. Started by conformance/test_javascript.py.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const given = JSON.parse(await text(process.stdin));
const sdk = createRequire(path.join(given.modules, "package.json"))("@aws-sdk/client-codedeploy");
const client = new sdk.CodeDeploy({
  endpoint: given.endpoint,
  region: given.region,
  credentials: { accessKeyId: given.keys[0], secretAccessKey: given.keys[1] },
  maxAttempts: 1,
});

const role = "arn:aws:iam::EXAMPLE:role/CodeDeploy";
const app = "js-app";
const group = "js-group";
const names = { applicationName: app, deploymentGroupName: group };
const revision = { revisionType: "S3", s3Location: { bucket: "b", key: "js", bundleType: "zip", eTag: '"e"' } };

async function text(stream) {
  let all = "";
  for await (const part of stream) all += part;
  return all;
}

async function all(paginator, member) {
  const found = [];
  for await (const page of paginator) found.push(...page[member]);
  return found;
}

async function refused(call, kind) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof sdk[kind], `${error.name} instead of ${kind}: ${error.message}`);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.ok(error.$metadata.requestId);
    assert.ok(error.message);
    return true;
  });
}

const checks = {
  async applications() {
    const made = await client.createApplication({ applicationName: "js-first", tags: [{ Key: "a", Value: "b" }] });
    assert.match(made.applicationId, /^[0-9a-f-]{36}$/);
    await refused(client.createApplication({ applicationName: "js-first" }), "ApplicationAlreadyExistsException");
    await client.updateApplication({ applicationName: "js-first", newApplicationName: app });
    const { application } = await client.getApplication({ applicationName: app });
    assert.ok(application.createTime instanceof Date);
    assert.ok(Math.abs(application.createTime - Date.now()) < 600_000);
    assert.deepEqual([application.computePlatform, application.linkedToGitHub], ["Server", false]);
    const { applicationsInfo } = await client.batchGetApplications({ applicationNames: [app] });
    assert.equal(applicationsInfo[0].applicationId, made.applicationId);
    await refused(client.getApplication({ applicationName: "js-first" }), "ApplicationDoesNotExistException");
  },

  async configurations() {
    const deploymentConfigName = "js-config";
    await client.createDeploymentConfig({ deploymentConfigName, minimumHealthyHosts: { type: "HOST_COUNT", value: 0 } });
    const { deploymentConfigInfo } = await client.getDeploymentConfig({ deploymentConfigName });
    assert.deepEqual(deploymentConfigInfo.minimumHealthyHosts, { type: "HOST_COUNT", value: 0 });
    const found = await all(sdk.paginateListDeploymentConfigs({ client }, {}), "deploymentConfigsList");
    assert.ok(found.includes("js-config") && found.includes("CodeDeployDefault.OneAtATime"));
    await client.deleteDeploymentConfig({ deploymentConfigName });
    await refused(client.getDeploymentConfig({ deploymentConfigName }), "DeploymentConfigDoesNotExistException");
  },

  async groups() {
    await client.createDeploymentGroup({
      ...names,
      serviceRoleArn: role,
      ec2TagSet: { ec2TagSetList: [[{ Key: "a", Value: "b", Type: "KEY_AND_VALUE" }]] },
    });
    await client.updateDeploymentGroup({
      applicationName: app,
      currentDeploymentGroupName: group,
      autoRollbackConfiguration: { enabled: true, events: ["DEPLOYMENT_FAILURE"] },
    });
    const { deploymentGroupInfo } = await client.getDeploymentGroup(names);
    assert.equal(deploymentGroupInfo.ec2TagSet.ec2TagSetList[0][0].Key, "a");
    assert.equal(deploymentGroupInfo.autoRollbackConfiguration.enabled, true);
    const batch = await client.batchGetDeploymentGroups({ applicationName: app, deploymentGroupNames: [group, "none"] });
    assert.equal(batch.deploymentGroupsInfo.length, 1);
    assert.match(batch.errorMessage, /none/);
    const found = await all(sdk.paginateListDeploymentGroups({ client }, { applicationName: app }), "deploymentGroups");
    assert.deepEqual(found, [group]);
  },

  async revisions() {
    await client.registerApplicationRevision({ applicationName: app, revision, description: "by JavaScript" });
    const got = await client.getApplicationRevision({ applicationName: app, revision });
    assert.deepEqual(got.revision, revision);
    assert.ok(got.revisionInfo.registerTime instanceof Date);
    const batch = await client.batchGetApplicationRevisions({ applicationName: app, revisions: [revision] });
    assert.equal(batch.revisions[0].genericRevisionInfo.description, "by JavaScript");
    const found = await all(sdk.paginateListApplicationRevisions({ client }, { applicationName: app }), "revisions");
    assert.deepEqual(found, [revision]);
  },

  async deployments() {
    const { deploymentId } = await client.createDeployment({ ...names, revision, description: "d" });
    await assert.rejects(sdk.waitUntilDeploymentSuccessful({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { deploymentId }));
    const { deploymentInfo } = await client.getDeployment({ deploymentId });
    assert.equal(deploymentInfo.errorInformation.code, "NO_INSTANCES");
    assert.ok(deploymentInfo.completeTime >= deploymentInfo.createTime);
    const window = { start: new Date(Date.now() - 3_600_000), end: new Date(Date.now() + 3_600_000) };
    const found = await all(sdk.paginateListDeployments({ client }, { ...names, createTimeRange: window }), "deployments");
    assert.deepEqual(found, [deploymentId]);
    const { deploymentsInfo } = await client.batchGetDeployments({ deploymentIds: found });
    assert.equal(deploymentsInfo[0].status, "Failed");
    await refused(client.stopDeployment({ deploymentId }), "DeploymentAlreadyCompletedException");
  },

  async waiter() {
    const deploymentId = given.succeeded;
    const result = await sdk.waitUntilDeploymentSuccessful({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { deploymentId });
    assert.equal(result.state, "SUCCESS");
  },

  async targets() {
    const deploymentId = given.succeeded;
    const { targetIds } = await client.listDeploymentTargets({ deploymentId, targetFilters: { TargetStatus: ["Succeeded"] } });
    assert.equal(targetIds.length, 1);
    const { deploymentTargets } = await client.batchGetDeploymentTargets({ deploymentId, targetIds });
    const { deploymentTarget } = await client.getDeploymentTarget({ deploymentId, targetId: targetIds[0] });
    assert.deepEqual(deploymentTargets, [deploymentTarget]);
    const event = deploymentTarget.instanceTarget.lifecycleEvents[0];
    assert.ok(event.startTime instanceof Date && event.endTime >= event.startTime);
    assert.equal(event.diagnostics.errorCode, "Success");
    const found = await all(sdk.paginateListDeploymentInstances({ client }, { deploymentId }), "instancesList");
    assert.deepEqual(found, targetIds);
    const { instanceSummary } = await client.getDeploymentInstance({ deploymentId, instanceId: targetIds[0] });
    assert.equal(instanceSummary.status, "Succeeded");
  },

  async hosts() {
    const instanceName = "js-host";
    const iamUserArn = `arn:aws:iam::123456789012:user/${given.region}-js`;
    await client.registerOnPremisesInstance({ instanceName, iamUserArn });
    await client.addTagsToOnPremisesInstances({ instanceNames: [instanceName], tags: [{ Key: "a", Value: "b" }] });
    const { instanceInfo } = await client.getOnPremisesInstance({ instanceName });
    assert.deepEqual(instanceInfo.tags, [{ Key: "a", Value: "b" }]);
    assert.ok(instanceInfo.registerTime instanceof Date);
    const { instanceInfos } = await client.batchGetOnPremisesInstances({ instanceNames: [instanceName, "none"] });
    assert.equal(instanceInfos.length, 1);
    const tagFilters = [{ Key: "a", Type: "KEY_ONLY" }];
    const { instanceNames } = await client.listOnPremisesInstances({ registrationStatus: "Registered", tagFilters });
    assert.ok(instanceNames.includes(instanceName));
    await client.removeTagsFromOnPremisesInstances({ instanceNames: [instanceName], tags: [{ Key: "a", Value: "b" }] });
    await client.deregisterOnPremisesInstance({ instanceName });
  },

  async tags() {
    const ResourceArn = `arn:aws:codedeploy:${given.region}:123456789012:application:${app}`;
    await client.tagResource({ ResourceArn, Tags: [{ Key: "c", Value: "d" }] });
    await client.untagResource({ ResourceArn, TagKeys: ["a"] });
    assert.deepEqual((await client.listTagsForResource({ ResourceArn })).Tags, [{ Key: "c", Value: "d" }]);
  },

  async pages() {
    await Promise.all(Array.from({ length: 130 }, (_, at) => client.createApplication({ applicationName: `js-page-${at}` })));
    const found = await all(sdk.paginateListApplications({ client }, {}), "applications");
    assert.equal(found.filter((name) => name.startsWith("js-page-")).length, 130);
    assert.equal(new Set(found).size, found.length);
  },

  async deletions() {
    assert.deepEqual((await client.deleteDeploymentGroup(names)).hooksNotCleanedUp, []);
    await client.deleteApplication({ applicationName: app });
    await client.deleteApplication({ applicationName: app });
    await client.deleteResourcesByExternalId({});
    assert.deepEqual((await client.listGitHubAccountTokenNames({})).tokenNameList, []);
  },
};

// Every operation once, with an input that the suite has made for it: parsed by the SDK without a complaint, or refused
// with the error class that the SDK has for it.
checks.operations = async () => {
  const there = new sdk.CodeDeploy({ ...given.there, endpoint: given.endpoint, credentials: client.config.credentials });
  for (const [operation, { input, error }] of Object.entries(given.operations)) {
    const range = input.createTimeRange;
    if (range) input.createTimeRange = { start: new Date(range.start * 1000), end: new Date(range.end * 1000) };
    const call = there[operation[0].toLowerCase() + operation.slice(1)](input);
    if (error) {
      await refused(call, error);
    } else {
      assert.equal((await call).$metadata.httpStatusCode, 200, operation);
    }
  }
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`passed: ${name}`);
}
