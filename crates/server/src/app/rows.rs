//! What the console's pages read: the records themselves, many at a time.
//!
//! Whoever calls has asked the visitor's policies for the operations of the API that would tell the same.

use std::collections::BTreeMap;

use model::{ApplicationId, ApplicationName, DeploymentGroupId, DeploymentId, Target, TargetId};
use store::{
    Application, AuditRecord, Config, DeploymentRecord, DeploymentView, DeploymentsOf, Group,
    HealthRecord, Host, Installed, Page, RevisionFilter, RevisionRecord, StoreError,
};
use wire::codedeploy::ListDeploymentConfigsInput;

use super::{Answer, App, Call};

type Read<T> = Result<T, StoreError>;

impl App {
    /// An application by its name.
    pub async fn named_application(&self, call: &Call, name: &str) -> Answer<Application> {
        self.application(call, Some(name.to_owned())).await
    }

    /// A group by its names.
    pub async fn named_group(
        &self,
        call: &Call,
        application: &str,
        group: &str,
    ) -> Answer<(Application, Group)> {
        self.group(call, Some(application.to_owned()), Some(group.to_owned())).await
    }

    /// A deployment by its id.
    pub async fn named_deployment(&self, id: &str) -> Answer<DeploymentRecord> {
        self.deployment(Some(id.to_owned())).await
    }

    /// Applications of a region, by name.
    pub async fn application_rows(
        &self,
        region: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Read<Page<Application>> {
        self.store.applications(region, after, limit).await
    }

    /// The same of those whose names hold a text.
    pub async fn applications_called(
        &self,
        region: &str,
        part: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Read<Page<Application>> {
        let (mut found, mut after) = (Vec::new(), after.map(str::to_owned));
        // A region has a thousand applications at most: more than a few looks are never needed.
        loop {
            let page = self.store.applications(region, after.as_deref(), limit).await?;
            let called = |one: &Application| one.name.as_str().contains(part);
            found.extend(page.items.into_iter().filter(called));
            if page.next.is_none() || found.len() >= limit as usize {
                return Ok(Page { items: found, next: page.next });
            }
            after = page.next;
        }
    }

    /// The names of a region's applications.
    pub async fn application_names(
        &self,
        region: &str,
    ) -> Read<BTreeMap<ApplicationId, ApplicationName>> {
        let (mut names, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.store.applications(region, after.as_deref(), 1000).await?;
            names.extend(page.items.into_iter().map(|one| (one.id, one.name)));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(names),
            }
        }
    }

    /// The groups of an application.
    pub async fn groups_of(&self, application: &ApplicationId) -> Answer<Vec<Group>> {
        self.all_groups(application).await
    }

    /// The groups of a region.
    pub async fn region_groups(&self, region: &str) -> Read<Vec<Group>> {
        self.store.groups_of_region(region).await
    }

    /// Deployments, newest first.
    pub async fn deployment_rows(
        &self,
        of: &DeploymentsOf,
        after: Option<&str>,
        limit: u32,
    ) -> Read<Page<DeploymentRecord>> {
        self.store.deployment_rows(of, after, limit).await
    }

    /// Deployments that are not over, newest first.
    pub async fn running_rows(&self, region: &str, limit: u32) -> Read<Vec<DeploymentRecord>> {
        self.store.running_rows(region, limit).await
    }

    /// One deployment whole.
    pub async fn deployment_view(
        &self,
        id: &DeploymentId,
        timeline: u32,
    ) -> Read<Option<DeploymentView>> {
        self.store.deployment_view(id, timeline).await
    }

    /// The same with those targets only that changed after a version.
    pub async fn deployment_since(
        &self,
        id: &DeploymentId,
        version: u64,
        timeline: u32,
    ) -> Read<Option<DeploymentView>> {
        self.store.deployment_since(id, version, timeline).await
    }

    /// One target.
    pub async fn target(&self, id: &DeploymentId, target: &TargetId) -> Read<Option<Target>> {
        self.store.target(id, target).await
    }

    /// Revisions of an application.
    pub async fn revision_rows(
        &self,
        application: &ApplicationId,
        filter: &RevisionFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Read<Page<RevisionRecord>> {
        self.store.revisions(application, filter, after, limit).await
    }

    /// The configurations that users made.
    pub async fn custom_configs(&self, region: &str) -> Read<Vec<Config>> {
        Ok(self.store.configs(region, None, 1000).await?.items)
    }

    /// The names of the configurations for servers.
    pub async fn config_names(&self, call: &Call) -> Answer<Vec<String>> {
        let listed = self.list_deployment_configs(call, ListDeploymentConfigsInput::default());
        let names = listed.await?.deployment_configs_list.unwrap_or_default();
        let others = model::deployment_config::PREDEFINED_FOR_OTHER_PLATFORMS;
        Ok(names.into_iter().filter(|name| !others.contains(&name.as_str())).collect())
    }

    /// What a group remembers of its hosts.
    pub async fn health(
        &self,
        group: &DeploymentGroupId,
    ) -> Read<BTreeMap<TargetId, HealthRecord>> {
        self.store.health(group).await
    }

    /// What the groups of a region remember of their hosts.
    pub async fn installed(&self, region: &str) -> Read<Vec<Installed>> {
        self.store.installed(region).await
    }

    /// Those of the hosts whose agents were heard, by identifier.
    pub async fn hosts(&self, identifiers: &[String]) -> Read<BTreeMap<String, Host>> {
        self.store.hosts(identifiers).await
    }

    /// The calls that changed something, newest first.
    pub async fn audit(
        &self,
        region: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Read<Page<AuditRecord>> {
        self.store.audit(region, after, limit).await
    }
}
