-- A database of the first schema (migrations 1 to 3), as a server of that time left it when it was killed in the middle of a
-- deployment: one deployment each that succeeded, failed, was stopped, and goes on. Keys are replaced; nothing else is.

CREATE TABLE applications (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    UNIQUE (region, name)
);
INSERT INTO "applications" VALUES('a58bcce1-8e8b-42ff-bbd5-d1d99e802420','us-east-1','Shop','Server','{}',1795909833551);
INSERT INTO "applications" VALUES('0f89c84d-c6e6-46ff-a4e9-6092bfedf378','us-east-1','Empty','Server','{}',1795909833560);
CREATE TABLE buckets (
    name TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    -- `Off` (never switched on), `Enabled` or `Suspended`.
    versioning TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL
);
INSERT INTO "buckets" VALUES('releases','us-east-1','Enabled','{"policy":null,"tags":null,"public_read":false}',1795909833604);
CREATE TABLE deployment_configs (
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    minimum_healthy TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (region, name)
);
INSERT INTO "deployment_configs" VALUES('us-east-1','HalfAtATime','35427202-0e33-45ac-9d0c-6e3d8f78c6f5','FLEET_PERCENT 50','{}',1795909833562);
INSERT INTO "deployment_configs" VALUES('us-east-1','TwoUp','78fb45cc-b8e9-4640-9e1f-b6b0355485c1','HOST_COUNT 2','{}',1795909833564);
CREATE TABLE deployment_groups (
    id TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id),
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    config_name TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Counts updates by users, so that two of them do not overwrite each other; the pointers below do not count.
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    target_revision TEXT,
    last_successful_revision TEXT,
    last_successful_deployment TEXT,
    last_attempted_deployment TEXT,
    UNIQUE (application_id, name)
);
INSERT INTO "deployment_groups" VALUES('4eeb9f47-a10b-44fc-be71-13bb14b82b2f','a58bcce1-8e8b-42ff-bbd5-d1d99e802420','us-east-1','Production','HalfAtATime','{"serviceRoleArn":"arn:aws:iam::123456789012:role/CodeDeploy","ec2TagFilters":[],"ec2TagSet":[],"onPremisesTagFilters":[{"Key":"Role","Value":"web","Type":"KEY_AND_VALUE"}],"onPremisesTagSet":[],"triggers":[],"alarms":null,"autoRollback":null,"outdatedInstancesStrategy":null,"style":null,"blueGreen":null,"loadBalancer":null,"ec2Options":null,"terminationHookEnabled":false}',1,1795909833597,'{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}','{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}','d-H185J20KX','d-YKBZTUSZQ');
INSERT INTO "deployment_groups" VALUES('84b6e6d1-823b-48da-aa59-663e2ec387e9','a58bcce1-8e8b-42ff-bbd5-d1d99e802420','us-east-1','Staging','CodeDeployDefault.OneAtATime','{"serviceRoleArn":"arn:aws:iam::123456789012:role/CodeDeploy","ec2TagFilters":[],"ec2TagSet":[],"onPremisesTagFilters":[{"Key":"Role","Value":"web","Type":"KEY_AND_VALUE"}],"onPremisesTagSet":[],"triggers":[],"alarms":null,"autoRollback":null,"outdatedInstancesStrategy":null,"style":null,"blueGreen":null,"loadBalancer":null,"ec2Options":null,"terminationHookEnabled":false}',1,1795909833600,'{"s3":{"bucket":"releases","key":"other.zip","bundleType":"zip"}}',NULL,NULL,'d-MXVRWDBGG');
CREATE TABLE deployments (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    application_id TEXT NOT NULL,
    application_name TEXT NOT NULL,
    group_id TEXT NOT NULL,
    group_name TEXT NOT NULL,
    config_name TEXT NOT NULL,
    minimum_healthy TEXT NOT NULL,
    revision TEXT NOT NULL,
    previous_revision TEXT,
    creator TEXT NOT NULL,
    -- Whether it takes the group's single place for an active deployment.
    exclusive BIGINT NOT NULL,
    description TEXT,
    ignore_application_stop_failures BIGINT NOT NULL,
    options TEXT NOT NULL,
    version BIGINT NOT NULL,
    status TEXT NOT NULL,
    created BIGINT NOT NULL,
    started BIGINT,
    completed BIGINT,
    error_code TEXT,
    error_message TEXT,
    stop_requested BIGINT,
    stop_principal TEXT,
    stop_roll_back BIGINT,
    orphaned TEXT
);
INSERT INTO "deployments" VALUES('d-H185J20KX','us-east-1','a58bcce1-8e8b-42ff-bbd5-d1d99e802420','Shop','4eeb9f47-a10b-44fc-be71-13bb14b82b2f','Production','HalfAtATime','FLEET_PERCENT 50','{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}',NULL,'user',1,'it''s the first',0,'{"fileExistsBehavior":null,"updateOutdatedInstancesOnly":false,"autoRollback":null,"overrideAlarms":null,"style":{"deploymentType":"IN_PLACE","deploymentOption":"WITHOUT_TRAFFIC_CONTROL"},"ec2Options":null,"restartOf":null}',16,'Succeeded',1795909833651,1795909833654,1795909834260,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "deployments" VALUES('d-H0VSM1G0N','us-east-1','a58bcce1-8e8b-42ff-bbd5-d1d99e802420','Shop','84b6e6d1-823b-48da-aa59-663e2ec387e9','Staging','CodeDeployDefault.OneAtATime','MOST_CONCURRENCY 1','{"s3":{"bucket":"releases","key":"other.zip","bundleType":"zip"}}',NULL,'user',1,NULL,0,'{"fileExistsBehavior":null,"updateOutdatedInstancesOnly":false,"autoRollback":null,"overrideAlarms":null,"style":{"deploymentType":"IN_PLACE","deploymentOption":"WITHOUT_TRAFFIC_CONTROL"},"ec2Options":null,"restartOf":null}',3,'Failed',1795909834605,1795909834612,1795909834624,'HEALTH_CONSTRAINTS','The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems.',NULL,NULL,NULL,NULL);
INSERT INTO "deployments" VALUES('d-MXVRWDBGG','us-east-1','a58bcce1-8e8b-42ff-bbd5-d1d99e802420','Shop','84b6e6d1-823b-48da-aa59-663e2ec387e9','Staging','CodeDeployDefault.OneAtATime','MOST_CONCURRENCY 1','{"s3":{"bucket":"releases","key":"third.zip","bundleType":"zip"}}',NULL,'user',1,NULL,0,'{"fileExistsBehavior":null,"updateOutdatedInstancesOnly":false,"autoRollback":null,"overrideAlarms":null,"style":{"deploymentType":"IN_PLACE","deploymentOption":"WITHOUT_TRAFFIC_CONTROL"},"ec2Options":null,"restartOf":null}',3,'Stopped',1795909835077,NULL,1795909835092,'MANUAL_STOP','The deployment was stopped by arn:aws:iam::123456789012:root.',1795909835088,'arn:aws:iam::123456789012:root',NULL,NULL);
INSERT INTO "deployments" VALUES('d-YKBZTUSZQ','us-east-1','a58bcce1-8e8b-42ff-bbd5-d1d99e802420','Shop','4eeb9f47-a10b-44fc-be71-13bb14b82b2f','Production','HalfAtATime','FLEET_PERCENT 50','{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}','{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}','user',1,NULL,1,'{"fileExistsBehavior":null,"updateOutdatedInstancesOnly":false,"autoRollback":null,"overrideAlarms":null,"style":{"deploymentType":"IN_PLACE","deploymentOption":"WITHOUT_TRAFFIC_CONTROL"},"ec2Options":null,"restartOf":null}',3,'InProgress',1795909835098,1795909835101,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE document_terms (
    kind TEXT NOT NULL,
    term TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (kind, term, key)
);
INSERT INTO "document_terms" VALUES('iam.access_key','user:web-1','AKIA3543MJ5JCZGKFBUT');
INSERT INTO "document_terms" VALUES('iam.access_key','lasting','AKIA3543MJ5JCZGKFBUT');
INSERT INTO "document_terms" VALUES('iam.access_key','user:web-2','AKIAJUYNUVGRKJVTY4UH');
INSERT INTO "document_terms" VALUES('iam.access_key','lasting','AKIAJUYNUVGRKJVTY4UH');
CREATE TABLE documents (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Counts writes of this document, from 1.
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);
INSERT INTO "documents" VALUES('server.secret','signer',1,'"a secret"');
INSERT INTO "documents" VALUES('server.secret','page-tokens',1,'"a secret"');
INSERT INTO "documents" VALUES('codedeploy.tags','a58bcce1-8e8b-42ff-bbd5-d1d99e802420',1,'{"team":"sale\"s"}');
INSERT INTO "documents" VALUES('iam.user','web-1',2,'{"name":"web-1","path":"/","id":"AIDAX4VTR2YGFF22IR5N","created_ms":1795909833567,"tags":{},"permissions":{"inline":{},"attached":[]}}');
INSERT INTO "documents" VALUES('iam.access_key','AKIA3543MJ5JCZGKFBUT',1,'{"id":"AKIA3543MJ5JCZGKFBUT","secret":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY","owner":{"kind":"user","name":"web-1","path":"/","id":"AIDAX4VTR2YGFF22IR5N"},"active":true,"created_ms":1795909833570,"session":null}');
INSERT INTO "documents" VALUES('codedeploy.on_premises_instance','us-east-1/web-1',2,'{"name":"web-1","region":"us-east-1","identity":{"user":"arn:aws:iam::123456789012:user/web-1"},"arn":"arn:aws:codedeploy:us-east-1:123456789012:instance/web-1_UfEDDEkGta","registered_ms":1795909833573,"deregistered_ms":null,"tags":{"Role":"web"}}');
INSERT INTO "documents" VALUES('codedeploy.on_premises_identity','arn:aws:iam::123456789012:user/web-1',1,'{"region":"us-east-1","name":"web-1"}');
INSERT INTO "documents" VALUES('iam.user','web-2',2,'{"name":"web-2","path":"/","id":"AIDAQH57UUAU7KZKJ4QH","created_ms":1795909833583,"tags":{},"permissions":{"inline":{},"attached":[]}}');
INSERT INTO "documents" VALUES('iam.access_key','AKIAJUYNUVGRKJVTY4UH',1,'{"id":"AKIAJUYNUVGRKJVTY4UH","secret":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY","owner":{"kind":"user","name":"web-2","path":"/","id":"AIDAQH57UUAU7KZKJ4QH"},"active":true,"created_ms":1795909833585,"session":null}');
INSERT INTO "documents" VALUES('codedeploy.on_premises_instance','us-east-1/web-2',2,'{"name":"web-2","region":"us-east-1","identity":{"user":"arn:aws:iam::123456789012:user/web-2"},"arn":"arn:aws:codedeploy:us-east-1:123456789012:instance/web-2_WdOiCmqPrz","registered_ms":1795909833587,"deregistered_ms":null,"tags":{"Role":"web"}}');
INSERT INTO "documents" VALUES('codedeploy.on_premises_identity','arn:aws:iam::123456789012:user/web-2',1,'{"region":"us-east-1","name":"web-2"}');
INSERT INTO "documents" VALUES('iam.role','Web',1,'{"name":"Web","path":"/","id":"AROA76QULXWJCKEMFJJL","description":null,"trust":"{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\", \"Principal\": {\"Service\": \"ec2.amazonaws.com\"}}]}","session_seconds_max":3600,"created_ms":1795909833646,"tags":{},"permissions":{"inline":{},"attached":[]}}');
CREATE TABLE host_commands (
    id TEXT PRIMARY KEY,
    deployment_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    host_identifier TEXT NOT NULL,
    event TEXT NOT NULL,
    dispatched BIGINT NOT NULL,
    acknowledged BIGINT,
    completed BIGINT,
    succeeded BIGINT,
    diagnostics TEXT,
    closed BIGINT,
    -- Completed or closed, whichever came first: since then it does not occupy its host.
    freed BIGINT
);
INSERT INTO "host_commands" VALUES('d-H185J20KX/ApplicationStop/1/web-1','d-H185J20KX','web-1','arn:aws:iam::123456789012:user/web-1','ApplicationStop',1795909833654,1795909833693,1795909833695,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833698,1795909833695);
INSERT INTO "host_commands" VALUES('d-H185J20KX/DownloadBundle/1/web-1','d-H185J20KX','web-1','arn:aws:iam::123456789012:user/web-1','DownloadBundle',1795909833698,1795909833723,1795909833725,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833729,1795909833725);
INSERT INTO "host_commands" VALUES('d-H185J20KX/BeforeInstall/1/web-1','d-H185J20KX','web-1','arn:aws:iam::123456789012:user/web-1','BeforeInstall',1795909833729,1795909833754,1795909833756,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833759,1795909833756);
INSERT INTO "host_commands" VALUES('d-H185J20KX/Install/1/web-1','d-H185J20KX','web-1','arn:aws:iam::123456789012:user/web-1','Install',1795909833759,1795909833793,1795909833800,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833804,1795909833800);
INSERT INTO "host_commands" VALUES('d-H185J20KX/AfterInstall/1/web-1','d-H185J20KX','web-1','arn:aws:iam::123456789012:user/web-1','AfterInstall',1795909833804,1795909833841,1795909833844,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833847,1795909833844);
INSERT INTO "host_commands" VALUES('d-H185J20KX/ApplicationStart/1/web-1','d-H185J20KX','web-1','arn:aws:iam::123456789012:user/web-1','ApplicationStart',1795909833847,1795909833879,1795909833881,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833884,1795909833881);
INSERT INTO "host_commands" VALUES('d-H185J20KX/ValidateService/1/web-1','d-H185J20KX','web-1','arn:aws:iam::123456789012:user/web-1','ValidateService',1795909833884,1795909833910,1795909833913,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833916,1795909833913);
INSERT INTO "host_commands" VALUES('d-H185J20KX/ApplicationStop/1/web-2','d-H185J20KX','web-2','arn:aws:iam::123456789012:user/web-2','ApplicationStop',1795909833916,1795909833943,1795909833945,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833949,1795909833945);
INSERT INTO "host_commands" VALUES('d-H185J20KX/DownloadBundle/1/web-2','d-H185J20KX','web-2','arn:aws:iam::123456789012:user/web-2','DownloadBundle',1795909833949,1795909833977,1795909833982,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909833988,1795909833982);
INSERT INTO "host_commands" VALUES('d-H185J20KX/BeforeInstall/1/web-2','d-H185J20KX','web-2','arn:aws:iam::123456789012:user/web-2','BeforeInstall',1795909833988,1795909834023,1795909834032,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909834039,1795909834032);
INSERT INTO "host_commands" VALUES('d-H185J20KX/Install/1/web-2','d-H185J20KX','web-2','arn:aws:iam::123456789012:user/web-2','Install',1795909834039,1795909834070,1795909834076,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909834080,1795909834076);
INSERT INTO "host_commands" VALUES('d-H185J20KX/AfterInstall/1/web-2','d-H185J20KX','web-2','arn:aws:iam::123456789012:user/web-2','AfterInstall',1795909834080,1795909834133,1795909834136,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909834138,1795909834136);
INSERT INTO "host_commands" VALUES('d-H185J20KX/ApplicationStart/1/web-2','d-H185J20KX','web-2','arn:aws:iam::123456789012:user/web-2','ApplicationStart',1795909834138,1795909834182,1795909834186,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909834188,1795909834186);
INSERT INTO "host_commands" VALUES('d-H185J20KX/ValidateService/1/web-2','d-H185J20KX','web-2','arn:aws:iam::123456789012:user/web-2','ValidateService',1795909834188,1795909834253,1795909834259,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909834260,1795909834259);
INSERT INTO "host_commands" VALUES('d-H0VSM1G0N/ApplicationStop/1/web-1','d-H0VSM1G0N','web-1','arn:aws:iam::123456789012:user/web-1','ApplicationStop',1795909834612,1795909834620,1795909834622,0,'{"code":"ScriptFailed","script":"stop.sh","message":"Script at specified location: stop.sh failed with exit code 3","log":"[stderr]no such service\n"}',1795909834624,1795909834622);
INSERT INTO "host_commands" VALUES('d-YKBZTUSZQ/ApplicationStop/1/web-1','d-YKBZTUSZQ','web-1','arn:aws:iam::123456789012:user/web-1','ApplicationStop',1795909835101,1795909836128,1795909836130,1,'{"code":"Success","script":"","message":"Succeeded","log":""}',1795909836133,1795909836130);
INSERT INTO "host_commands" VALUES('d-YKBZTUSZQ/DownloadBundle/1/web-1','d-YKBZTUSZQ','web-1','arn:aws:iam::123456789012:user/web-1','DownloadBundle',1795909836133,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE host_health (
    group_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    -- The revision installed; absent: unknown.
    revision TEXT,
    healthy BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (group_id, target_id)
);
INSERT INTO "host_health" VALUES('4eeb9f47-a10b-44fc-be71-13bb14b82b2f','web-1','{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}',1,1795909834260);
INSERT INTO "host_health" VALUES('4eeb9f47-a10b-44fc-be71-13bb14b82b2f','web-2','{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}',1,1795909834260);
INSERT INTO "host_health" VALUES('84b6e6d1-823b-48da-aa59-663e2ec387e9','web-1',NULL,0,1795909834624);
CREATE TABLE hosts (
    identifier TEXT PRIMARY KEY,
    last_seen BIGINT NOT NULL,
    agent_version TEXT
);
INSERT INTO "hosts" VALUES('arn:aws:iam::123456789012:user/web-2',1795909836104,'OFFICIAL_1.8.1-1_deb');
INSERT INTO "hosts" VALUES('arn:aws:iam::123456789012:user/web-1',1795909836104,'OFFICIAL_1.8.1-1_deb');
CREATE TABLE objects (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    -- Orders the versions of a key; the newest has the highest.
    seq BIGINT NOT NULL,
    is_latest BIGINT NOT NULL,
    delete_marker BIGINT NOT NULL,
    etag TEXT NOT NULL,
    size BIGINT NOT NULL,
    attributes TEXT NOT NULL,
    -- Absent for delete markers.
    file TEXT,
    created BIGINT NOT NULL,
    PRIMARY KEY (bucket, key, version_id)
);
INSERT INTO "objects" VALUES('releases','shop.zip','2b58ed814ace42738122a78e47714d34',1,0,0,'8c9beddf580236f092081ecc6db7fd7f',9,'{"content_type":null,"cache_control":null,"content_disposition":null,"content_encoding":null,"content_language":null,"expires":null,"user":{"n":"1"},"tags":[],"public_read":false,"sum":{"algorithm":"Crc32","coverage":"FullObject","value":"4+aVhg=="},"segments":[]}','c8efa1041bbf4aafaeee92c8c7e4782e',1795909833623);
INSERT INTO "objects" VALUES('releases','shop.zip','2cbfe96a3aae46029e91cd59a7055876',2,0,0,'ecaed09ef84d6993d566e325cdb26e76',9,'{"content_type":null,"cache_control":null,"content_disposition":null,"content_encoding":null,"content_language":null,"expires":null,"user":{"n":"2"},"tags":[],"public_read":false,"sum":{"algorithm":"Crc32","coverage":"FullObject","value":"eu/EPA=="},"segments":[]}','90603b60172f4766aed84ccfb34c28bf',1795909833628);
INSERT INTO "objects" VALUES('releases','shop.zip','1311fd7a665a48e3af6f0cade6bea27b',3,1,0,'ce9747d3cb21e249a9c8eb954e20854b',9,'{"content_type":null,"cache_control":null,"content_disposition":null,"content_encoding":null,"content_language":null,"expires":null,"user":{"n":"3"},"tags":[],"public_read":false,"sum":{"algorithm":"Crc32","coverage":"FullObject","value":"Dej0qg=="},"segments":[]}','a97cc685c9254dcba6b2c5681900e5cc',1795909833631);
INSERT INTO "objects" VALUES('releases','old.zip','43f6b182b5134a8e891e0767bea34838',1,0,0,'9dd4e461268c8034f5c8564e155c67a6',1,'{"content_type":null,"cache_control":null,"content_disposition":null,"content_encoding":null,"content_language":null,"expires":null,"user":{},"tags":[],"public_read":false,"sum":{"algorithm":"Crc32","coverage":"FullObject","value":"jNwWgw=="},"segments":[]}','59325817b30a47b2ad3d986fb1f6e05a',1795909833635);
INSERT INTO "objects" VALUES('releases','old.zip','0215578c0b144bb8b336e0339d8fb0be',2,1,1,'',0,'{}',NULL,1795909833638);
CREATE TABLE parts (
    upload_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    etag TEXT NOT NULL,
    size BIGINT NOT NULL,
    attributes TEXT NOT NULL,
    file TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (upload_id, number)
);
INSERT INTO "parts" VALUES('2d2cb815d76b41fda807b379afd05b86',1,'f4c9385f1902f7334b00b9b4ecd164de',4,'{"sum":{"algorithm":"Crc32","coverage":"FullObject","value":"SQ9wxg=="}}','2d2cb815d76b41fda807b379afd05b86/08da3d222f6a',1795909833644);
CREATE TABLE revisions (
    application_id TEXT NOT NULL,
    location TEXT NOT NULL,
    -- Of a revision in S3; for filters only.
    bucket TEXT,
    object_key TEXT,
    description TEXT,
    registered BIGINT NOT NULL,
    -- 0: never, so that the order is the same in every engine.
    first_used BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    PRIMARY KEY (application_id, location)
);
INSERT INTO "revisions" VALUES('a58bcce1-8e8b-42ff-bbd5-d1d99e802420','{"s3":{"bucket":"releases","key":"never.zip","bundleType":"zip"}}','releases','never.zip','the first',1795909833649,0,0);
INSERT INTO "revisions" VALUES('a58bcce1-8e8b-42ff-bbd5-d1d99e802420','{"s3":{"bucket":"releases","key":"shop.zip","bundleType":"zip"}}','releases','shop.zip','Application revision registered by Deployment ID: d-H185J20KX',1795909833651,1795909833654,1795909835101);
INSERT INTO "revisions" VALUES('a58bcce1-8e8b-42ff-bbd5-d1d99e802420','{"s3":{"bucket":"releases","key":"other.zip","bundleType":"zip"}}','releases','other.zip','Application revision registered by Deployment ID: d-H0VSM1G0N',1795909834605,1795909834612,1795909834612);
INSERT INTO "revisions" VALUES('a58bcce1-8e8b-42ff-bbd5-d1d99e802420','{"s3":{"bucket":"releases","key":"third.zip","bundleType":"zip"}}','releases','third.zip','Application revision registered by Deployment ID: d-MXVRWDBGG',1795909835077,0,0);
CREATE TABLE schema_migrations (number BIGINT PRIMARY KEY);
INSERT INTO "schema_migrations" VALUES(1);
INSERT INTO "schema_migrations" VALUES(2);
INSERT INTO "schema_migrations" VALUES(3);
CREATE TABLE targets (
    deployment_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    arn TEXT NOT NULL,
    host_identifier TEXT NOT NULL,
    status TEXT NOT NULL,
    last_updated BIGINT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (deployment_id, target_id)
);
INSERT INTO "targets" VALUES('d-H185J20KX','web-1',0,'arn:aws:codedeploy:us-east-1:123456789012:instance/web-1_UfEDDEkGta','arn:aws:iam::123456789012:user/web-1','Succeeded',1795909833916,'[{"name":"ApplicationStop","state":"Succeeded","started":1795909833654,"ended":1795909833695},{"name":"DownloadBundle","state":"Succeeded","started":1795909833698,"ended":1795909833725},{"name":"BeforeInstall","state":"Succeeded","started":1795909833729,"ended":1795909833756},{"name":"Install","state":"Succeeded","started":1795909833759,"ended":1795909833800},{"name":"AfterInstall","state":"Succeeded","started":1795909833804,"ended":1795909833844},{"name":"ApplicationStart","state":"Succeeded","started":1795909833847,"ended":1795909833881},{"name":"ValidateService","state":"Succeeded","started":1795909833884,"ended":1795909833913}]');
INSERT INTO "targets" VALUES('d-H185J20KX','web-2',1,'arn:aws:codedeploy:us-east-1:123456789012:instance/web-2_WdOiCmqPrz','arn:aws:iam::123456789012:user/web-2','Succeeded',1795909834260,'[{"name":"ApplicationStop","state":"Succeeded","started":1795909833916,"ended":1795909833945},{"name":"DownloadBundle","state":"Succeeded","started":1795909833949,"ended":1795909833982},{"name":"BeforeInstall","state":"Succeeded","started":1795909833988,"ended":1795909834032},{"name":"Install","state":"Succeeded","started":1795909834039,"ended":1795909834076},{"name":"AfterInstall","state":"Succeeded","started":1795909834080,"ended":1795909834136},{"name":"ApplicationStart","state":"Succeeded","started":1795909834138,"ended":1795909834186},{"name":"ValidateService","state":"Succeeded","started":1795909834188,"ended":1795909834259}]');
INSERT INTO "targets" VALUES('d-H0VSM1G0N','web-1',0,'arn:aws:codedeploy:us-east-1:123456789012:instance/web-1_UfEDDEkGta','arn:aws:iam::123456789012:user/web-1','Failed',1795909834624,'[{"name":"ApplicationStop","state":"Failed","started":1795909834612,"ended":1795909834622,"diagnostics":{"code":"ScriptFailed","script":"stop.sh","message":"Script at specified location: stop.sh failed with exit code 3","log":"[stderr]no such service\n"}},{"name":"DownloadBundle","state":"Skipped","ended":1795909834624},{"name":"BeforeInstall","state":"Skipped","ended":1795909834624},{"name":"Install","state":"Skipped","ended":1795909834624},{"name":"AfterInstall","state":"Skipped","ended":1795909834624},{"name":"ApplicationStart","state":"Skipped","ended":1795909834624},{"name":"ValidateService","state":"Skipped","ended":1795909834624}]');
INSERT INTO "targets" VALUES('d-H0VSM1G0N','web-2',1,'arn:aws:codedeploy:us-east-1:123456789012:instance/web-2_WdOiCmqPrz','arn:aws:iam::123456789012:user/web-2','Skipped',1795909834624,'[{"name":"ApplicationStop","state":"Skipped","ended":1795909834624},{"name":"DownloadBundle","state":"Skipped","ended":1795909834624},{"name":"BeforeInstall","state":"Skipped","ended":1795909834624},{"name":"Install","state":"Skipped","ended":1795909834624},{"name":"AfterInstall","state":"Skipped","ended":1795909834624},{"name":"ApplicationStart","state":"Skipped","ended":1795909834624},{"name":"ValidateService","state":"Skipped","ended":1795909834624}]');
INSERT INTO "targets" VALUES('d-YKBZTUSZQ','web-1',0,'arn:aws:codedeploy:us-east-1:123456789012:instance/web-1_UfEDDEkGta','arn:aws:iam::123456789012:user/web-1','InProgress',1795909836133,'[{"name":"ApplicationStop","state":"Succeeded","started":1795909835101,"ended":1795909836130},{"name":"DownloadBundle","state":"InProgress","command":"d-YKBZTUSZQ/DownloadBundle/1/web-1","dispatched":1795909836133},{"name":"BeforeInstall","state":"Pending"},{"name":"Install","state":"Pending"},{"name":"AfterInstall","state":"Pending"},{"name":"ApplicationStart","state":"Pending"},{"name":"ValidateService","state":"Pending"}]');
INSERT INTO "targets" VALUES('d-YKBZTUSZQ','web-2',1,'arn:aws:codedeploy:us-east-1:123456789012:instance/web-2_WdOiCmqPrz','arn:aws:iam::123456789012:user/web-2','Pending',1795909835101,'[{"name":"ApplicationStop","state":"Pending"},{"name":"DownloadBundle","state":"Pending"},{"name":"BeforeInstall","state":"Pending"},{"name":"Install","state":"Pending"},{"name":"AfterInstall","state":"Pending"},{"name":"ApplicationStart","state":"Pending"},{"name":"ValidateService","state":"Pending"}]');
CREATE TABLE timeline (
    deployment_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    target_id TEXT,
    what TEXT NOT NULL,
    PRIMARY KEY (deployment_id, version, position)
);
INSERT INTO "timeline" VALUES('d-H185J20KX',1,0,1795909833651,NULL,'created by user to deploy s3://releases/shop.zip');
INSERT INTO "timeline" VALUES('d-H185J20KX',2,0,1795909833654,NULL,'started with 2 targets');
INSERT INTO "timeline" VALUES('d-H185J20KX',2,1,1795909833654,'web-1','ApplicationStop dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',3,1,1795909833698,'web-1','DownloadBundle dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',4,1,1795909833729,'web-1','BeforeInstall dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',5,1,1795909833759,'web-1','Install dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',6,1,1795909833804,'web-1','AfterInstall dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',7,1,1795909833847,'web-1','ApplicationStart dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',8,1,1795909833884,'web-1','ValidateService dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',9,0,1795909833916,'web-1','target succeeded');
INSERT INTO "timeline" VALUES('d-H185J20KX',9,2,1795909833916,'web-2','ApplicationStop dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',10,1,1795909833949,'web-2','DownloadBundle dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',11,1,1795909833988,'web-2','BeforeInstall dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',12,1,1795909834039,'web-2','Install dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',13,1,1795909834080,'web-2','AfterInstall dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',14,1,1795909834138,'web-2','ApplicationStart dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',15,1,1795909834188,'web-2','ValidateService dispatched');
INSERT INTO "timeline" VALUES('d-H185J20KX',16,0,1795909834260,'web-2','target succeeded');
INSERT INTO "timeline" VALUES('d-H185J20KX',16,1,1795909834260,NULL,'ended: Succeeded');
INSERT INTO "timeline" VALUES('d-H0VSM1G0N',1,0,1795909834605,NULL,'created by user to deploy s3://releases/other.zip');
INSERT INTO "timeline" VALUES('d-H0VSM1G0N',2,0,1795909834612,NULL,'started with 2 targets');
INSERT INTO "timeline" VALUES('d-H0VSM1G0N',2,1,1795909834612,'web-1','ApplicationStop dispatched');
INSERT INTO "timeline" VALUES('d-H0VSM1G0N',3,0,1795909834624,'web-1','target failed');
INSERT INTO "timeline" VALUES('d-H0VSM1G0N',3,1,1795909834624,'web-2','target skipped');
INSERT INTO "timeline" VALUES('d-H0VSM1G0N',3,2,1795909834624,NULL,'ended: Failed, HEALTH_CONSTRAINTS: The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems.');
INSERT INTO "timeline" VALUES('d-MXVRWDBGG',1,0,1795909835077,NULL,'created by user to deploy s3://releases/third.zip');
INSERT INTO "timeline" VALUES('d-MXVRWDBGG',2,0,1795909835088,NULL,'stop requested by arn:aws:iam::123456789012:root');
INSERT INTO "timeline" VALUES('d-MXVRWDBGG',3,0,1795909835092,NULL,'ended: Stopped, MANUAL_STOP: The deployment was stopped by arn:aws:iam::123456789012:root.');
INSERT INTO "timeline" VALUES('d-YKBZTUSZQ',1,0,1795909835098,NULL,'created by user to deploy s3://releases/shop.zip');
INSERT INTO "timeline" VALUES('d-YKBZTUSZQ',2,0,1795909835101,NULL,'started with 2 targets');
INSERT INTO "timeline" VALUES('d-YKBZTUSZQ',2,1,1795909835101,'web-1','ApplicationStop dispatched');
INSERT INTO "timeline" VALUES('d-YKBZTUSZQ',3,1,1795909836133,'web-1','DownloadBundle dispatched');
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL
);
INSERT INTO "uploads" VALUES('2d2cb815d76b41fda807b379afd05b86','releases','big.zip','{"attributes":{"content_type":null,"cache_control":null,"content_disposition":null,"content_encoding":null,"content_language":null,"expires":null,"user":{},"tags":[],"public_read":false,"sum":null,"segments":[]},"checksum":null}',1795909833640);
CREATE INDEX deployment_groups_by_config ON deployment_groups (region, config_name);
CREATE INDEX revisions_by_registered ON revisions (application_id, registered, location);
CREATE INDEX revisions_by_first_used ON revisions (application_id, first_used, location);
CREATE INDEX revisions_by_last_used ON revisions (application_id, last_used, location);
CREATE INDEX deployments_by_region ON deployments (region, created, id);
CREATE INDEX deployments_by_group ON deployments (group_id, created, id);
CREATE INDEX deployments_by_application ON deployments (application_id) WHERE completed IS NULL;
CREATE INDEX deployments_unfinished ON deployments (created, id) WHERE completed IS NULL;
CREATE UNIQUE INDEX deployments_active ON deployments (group_id) WHERE completed IS NULL AND exclusive = 1;
CREATE INDEX targets_by_position ON targets (deployment_id, position, target_id);
CREATE INDEX targets_by_status ON targets (deployment_id, status, position, target_id);
CREATE INDEX host_commands_queued ON host_commands (host_identifier, dispatched, id) WHERE closed IS NULL;
CREATE INDEX host_commands_open ON host_commands (deployment_id, target_id) WHERE closed IS NULL;
CREATE INDEX host_commands_freed ON host_commands (host_identifier, freed, deployment_id);
CREATE INDEX document_terms_by_key ON document_terms (kind, key);
CREATE UNIQUE INDEX objects_by_seq ON objects (bucket, key, seq DESC);
CREATE UNIQUE INDEX objects_latest ON objects (bucket, key) WHERE is_latest = 1;
CREATE INDEX objects_by_file ON objects (file);
CREATE INDEX uploads_by_key ON uploads (bucket, key, id);
CREATE INDEX parts_by_file ON parts (file);
