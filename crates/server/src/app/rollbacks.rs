//! Rollbacks: new deployments of what a group last deployed successfully, with settings of their own.

use model::{Creator, DeploymentId, StatusMessage, Timestamp};
use rollout::Snapshot;
use store::{DeploymentRecord, NewDeployment, Store};

use super::deployment_info::Options;
use super::{Answer, Failure};

/// The deployment `id` that rolls back the one `seen`. Its hosts are the group's, looked up anew; those that still
/// hold the bundle need not fetch it.
///
/// # Errors
/// The store failed, or has no record of what to deploy again.
pub async fn of(
    store: &Store,
    seen: &Snapshot,
    id: &DeploymentId,
    now: Timestamp,
) -> Answer<NewDeployment> {
    let failed = record(store, &seen.deployment.id).await?;
    let Some(last) = &seen.last_successful else {
        return Err(missing("the rollback has nothing to deploy"));
    };
    let good = record(store, last).await?;
    // The group and its application may have been renamed meanwhile; what is made now has their names of now.
    let group = store.group_by_id(&failed.group_id).await?;
    let application = store.application_by_id(&failed.application_id).await?;
    let options = options(&Options::read(&failed)?, &Options::read(&good)?, last);
    Ok(NewDeployment {
        id: id.clone(),
        region: failed.region,
        application_id: failed.application_id,
        application_name: application.map_or(failed.application_name, |found| found.name),
        group_id: failed.group_id,
        group_name: group.map_or(failed.group_name, |found| found.name),
        config_name: failed.config_name,
        minimum_healthy: failed.state.minimum_healthy,
        zonal: None,
        messages: failed
            .state
            .zonal
            .map(|_| StatusMessage::RollbackWithoutZones)
            .into_iter()
            .collect(),
        revision: good.revision,
        queue: None,
        // What is installed is as old as when it was deployed first.
        sequence: good.state.sequence,
        creator: Creator::Rollback,
        description: None,
        ignore_application_stop_failures: failed.state.ignore_application_stop_failures,
        roll_back_on: std::collections::BTreeSet::new(),
        // A red alarm would keep its own remedy from starting.
        alarms: None,
        rolls_back: Some(failed.state.id),
        options: options.write()?,
        created: now,
    })
}

/// What is done with files that are there already is the good deployment's to say, for its revision was installed
/// that way before.
fn options(failed: &Options, good: &Options, last: &DeploymentId) -> Options {
    Options {
        file_exists_behavior: good.file_exists_behavior.clone(),
        style: failed.style.clone(),
        ec2_options: failed.ec2_options.clone(),
        triggers: failed.triggers.clone(),
        reuses_bundle_of: Some(last.to_string()),
        ..Options::default()
    }
}

async fn record(store: &Store, id: &DeploymentId) -> Answer<DeploymentRecord> {
    store.deployment(id).await?.ok_or_else(|| missing("a deployment's record is gone"))
}

fn missing(what: &'static str) -> Failure {
    Failure::internal(what, std::io::Error::from(std::io::ErrorKind::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_files_are_treated_as_when_the_revision_was_first_installed() {
        let of = |behavior: &str| Options {
            file_exists_behavior: Some(behavior.to_owned()),
            update_outdated_instances_only: true,
            override_alarms: Some(wire::codedeploy::AlarmConfiguration::default()),
            restart_of: Some("d-000000009".to_owned()),
            ..Options::default()
        };
        let last = "d-000000001".parse().unwrap();
        let options = options(&of("RETAIN"), &of("OVERWRITE"), &last);
        assert_eq!(options.file_exists_behavior(), "OVERWRITE");
        assert_eq!(options.reuses_bundle_of.as_deref(), Some("d-000000001"));
        assert!(!options.update_outdated_instances_only);
        assert_eq!((options.override_alarms, options.restart_of), (None, None));
    }
}
