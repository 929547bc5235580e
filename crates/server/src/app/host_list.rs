//! Which hosts there are, when their agents were heard, and what is installed on them: for whoever asks through the API,
//! and for the console.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use model::selection::{TagSelection, Tags};
use model::{ApplicationName, DeploymentGroupId, InstanceId, Revision, Timestamp};
use store::{Document, Group, Host, StoreError};
use wire::longshore::{InstalledRevision, ListHostsInput, ListHostsOutput, ListedHost};

use super::on_premises::{self, OnPremisesInstance};
use super::page::PAGE;
use super::target_info::time;
use super::{Answer, App, Call, location};
use crate::ec2::{InstanceRecord, State};
use crate::forms::records::Record;

/// A host that is heard less often than this is silent: agents poll about once a minute, and a sign of life is written
/// down within ten seconds.
pub const SILENT_AFTER: Duration = Duration::from_secs(180);

/// How many hosts are read at once in search of those that are asked for.
const READ: u32 = 500;

/// What a group has installed on a host.
#[derive(Debug, Clone)]
pub struct GroupsRevision {
    /// Whose group it is.
    pub application: ApplicationName,
    /// The group.
    pub group: Group,
    /// Absent: it is not known.
    pub revision: Option<Revision>,
    /// The group's last deployment to the host succeeded on it.
    pub healthy: bool,
    /// When that was decided.
    pub updated: Timestamp,
}

impl GroupsRevision {
    /// Whether the host has what the group last deployed successfully.
    pub fn is_current(&self) -> bool {
        self.revision == self.group.last_successful_revision
    }
}

/// The part of an agent's name for itself that tells its version.
pub fn agent_version(name: &str) -> &str {
    name.rsplit(['/', '_']).next().unwrap_or(name)
}

/// A host, whichever kind it is of.
struct Found {
    /// Where the listing goes on after it.
    place: String,
    id: String,
    arn: String,
    identifier: String,
    kind: &'static str,
    state: &'static str,
    is_expected: bool,
    tags: Tags,
}

/// Which hosts are wanted.
struct Wanted {
    /// Absent: all of the region.
    group: Option<Group>,
    instances: Option<TagSelection>,
    registered: Option<TagSelection>,
    silent: Option<Duration>,
}

impl App {
    /// The hosts of the region, or of a group, page by page. Each page reads a fixed number of statements for each
    /// five hundred hosts that it looks through.
    pub async fn list_hosts(&self, call: &Call, input: ListHostsInput) -> Answer<ListHostsOutput> {
        let list = format!(
            "ListHosts {} {:?} {:?} {:?}",
            call.scope.region,
            input.application_name,
            input.deployment_group_name,
            input.silent_seconds
        );
        let mut place = self.tokens.open(&list, input.next_token.as_deref())?;
        let wanted = self.wanted_hosts(call, input).await?;
        let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let mut hosts = Vec::new();
        loop {
            let (found, next) = self.hosts_after(call, place.as_deref()).await?;
            let (mut chosen, cut) = self.chosen(call, &wanted, found, most - hosts.len()).await?;
            hosts.append(&mut chosen);
            place = cut.or(next);
            if hosts.len() == most || place.is_none() {
                break;
            }
        }
        self.tell_installed(call, &wanted, &mut hosts).await?;
        Ok(ListHostsOutput { hosts: Some(hosts), next_token: self.tokens.next(&list, place) })
    }

    async fn wanted_hosts(&self, call: &Call, input: ListHostsInput) -> Answer<Wanted> {
        let seconds = input.silent_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let silent = seconds.map(Duration::from_secs);
        let names = (input.application_name, input.deployment_group_name);
        let (None, None) = &names else {
            let (_, group) = self.group(call, names.0, names.1).await?;
            let settings = super::group_settings(&group)?;
            let instances = Some(settings.ec2_selection());
            let registered = Some(settings.on_premises_selection());
            return Ok(Wanted { group: Some(group), instances, registered, silent });
        };
        Ok(Wanted { group: None, instances: None, registered: None, silent })
    }

    /// Some hosts after a place, which names the kind and the key of the last one before; and where the next ones are.
    async fn hosts_after(
        &self,
        call: &Call,
        place: Option<&str>,
    ) -> Result<(Vec<Found>, Option<String>), StoreError> {
        let prefix = format!("{}/", call.scope.region);
        let (kind, after) = place.and_then(|place| place.split_once(' ')).unwrap_or((EC2, ""));
        let after = Some(after).filter(|after| !after.is_empty());
        let store = &self.store;
        if kind == EC2 {
            let page =
                store.documents::<InstanceRecord>(InstanceRecord::KIND, &prefix, after, READ);
            let page = page.await?;
            let next =
                page.next.map_or_else(|| format!("{REGISTERED} "), |key| format!("{EC2} {key}"));
            let found = page.items.into_iter().filter_map(|kept| instance(call, kept));
            return Ok((found.collect(), Some(next)));
        }
        let page = store.documents::<OnPremisesInstance>(on_premises::KIND, &prefix, after, READ);
        let page = page.await?;
        let next = page.next.map(|key| format!("{REGISTERED} {key}"));
        Ok((page.items.into_iter().filter_map(registered).collect(), next))
    }

    /// Those of the hosts that are wanted, at most `most`; and the place of the last, if there were more.
    async fn chosen(
        &self,
        call: &Call,
        wanted: &Wanted,
        mut found: Vec<Found>,
        most: usize,
    ) -> Answer<(Vec<ListedHost>, Option<String>)> {
        found.retain(|host| wanted.selects(host));
        let identifiers: Vec<String> = found.iter().map(|host| host.identifier.clone()).collect();
        let heard = self.store.hosts(&identifiers).await?;
        found.retain(|host| wanted.is_silent_enough(host, heard.get(&host.identifier), call.now));
        let cut = found.len() > most;
        found.truncate(most);
        let place = found.last().filter(|_| cut).map(|host| host.place.clone());
        let tell = |host: Found| tell(call, heard.get(&host.identifier), host);
        Ok((found.into_iter().map(tell).collect(), place))
    }

    async fn tell_installed(
        &self,
        call: &Call,
        wanted: &Wanted,
        hosts: &mut [ListedHost],
    ) -> Answer<()> {
        let names: Vec<String> = hosts.iter().filter_map(|host| host.target_id.clone()).collect();
        let mut installed = self.revisions_on(&call.scope.region, &names).await?;
        let only = wanted.group.as_ref().map(|group| &group.id);
        for host in hosts {
            let id = host.target_id.clone().unwrap_or_default();
            let mut on_it = installed.remove(&id).unwrap_or_default();
            on_it.retain(|one| only.is_none_or(|only| one.group.id == *only));
            host.installed = Some(on_it.iter().map(tell_revision).collect());
        }
        Ok(())
    }

    /// What the groups of a region have installed on these hosts, by host, and by application and group within it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn revisions_on(
        &self,
        region: &str,
        hosts: &[String],
    ) -> Result<HashMap<String, Vec<GroupsRevision>>, StoreError> {
        if hosts.is_empty() {
            return Ok(HashMap::new());
        }
        let installed = self.store.installed_on(hosts).await?;
        let needed: HashSet<&DeploymentGroupId> = installed.iter().map(|one| &one.group).collect();
        let groups = self.region_groups(region).await?;
        let groups: HashMap<_, _> = groups
            .into_iter()
            .filter(|group| needed.contains(&group.id))
            .map(|group| (group.id.clone(), group))
            .collect();
        let applications = self.application_names(region).await?;
        let mut found: HashMap<String, Vec<GroupsRevision>> = HashMap::new();
        for one in installed {
            let Some(group) = groups.get(&one.group) else { continue };
            let Some(application) = applications.get(&group.application_id) else { continue };
            found.entry(one.target.to_string()).or_default().push(GroupsRevision {
                application: application.clone(),
                group: group.clone(),
                revision: one.revision,
                healthy: one.healthy,
                updated: one.updated,
            });
        }
        for on_it in found.values_mut() {
            let names =
                |one: &GroupsRevision| (one.application.to_string(), one.group.name.to_string());
            on_it.sort_by_key(names);
        }
        Ok(found)
    }
}

/// How the kinds of hosts are called, in answers and in places of the listing.
const EC2: &str = "EC2";
const REGISTERED: &str = "OnPremises";

impl Wanted {
    fn selects(&self, host: &Found) -> bool {
        let selection = if host.kind == EC2 { &self.instances } else { &self.registered };
        selection.as_ref().is_none_or(|selection| selection.selects(&host.tags))
    }

    fn is_silent_enough(&self, host: &Found, heard: Option<&Host>, now: Timestamp) -> bool {
        let Some(silent) = self.silent else { return true };
        host.is_expected && heard.is_none_or(|heard| now.since(heard.last_seen) >= silent)
    }
}

fn instance(call: &Call, kept: Document<InstanceRecord>) -> Option<Found> {
    let record = kept.value;
    if record.is_given_up() {
        return None;
    }
    let arn = call.scope.instance(&record.id.parse::<InstanceId>().ok()?);
    Some(Found {
        place: format!("{EC2} {}", kept.key),
        id: record.id,
        identifier: arn.clone(),
        arn,
        kind: EC2,
        state: record.state.name(),
        is_expected: record.state == State::Running,
        tags: record.tags,
    })
}

fn registered(kept: Document<OnPremisesInstance>) -> Option<Found> {
    let host = kept.value;
    host.is_registered().then(|| Found {
        place: format!("{REGISTERED} {}", kept.key),
        id: host.name,
        arn: host.arn,
        identifier: host.identity.arn().to_owned(),
        kind: REGISTERED,
        state: "registered",
        is_expected: true,
        tags: host.tags,
    })
}

fn tell(call: &Call, heard: Option<&Host>, host: Found) -> ListedHost {
    let since = heard.map(|heard| call.now.since(heard.last_seen).as_secs());
    let version = heard.and_then(|heard| heard.agent_version.as_deref());
    ListedHost {
        target_id: Some(host.id),
        target_arn: Some(host.arn),
        kind: Some(host.kind.to_owned()),
        state: Some(host.state.to_owned()),
        expected: Some(host.is_expected),
        agent_version: version.map(|name| agent_version(name).to_owned()),
        last_seen_time: heard.map(|heard| time(heard.last_seen)),
        seconds_since_seen: since.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
        installed: None,
    }
}

fn tell_revision(one: &GroupsRevision) -> InstalledRevision {
    InstalledRevision {
        current: Some(one.is_current()),
        application_name: Some(one.application.to_string()),
        deployment_group_name: Some(one.group.name.to_string()),
        revision: one.revision.as_ref().and_then(location::show_own),
        healthy: Some(one.healthy),
        update_time: Some(time(one.updated)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(is_expected: bool) -> Found {
        Found {
            place: String::new(),
            id: "web-01".to_owned(),
            arn: String::new(),
            identifier: String::new(),
            kind: REGISTERED,
            state: "registered",
            is_expected,
            tags: Tags::new(),
        }
    }

    #[test]
    fn a_host_that_was_never_heard_is_silent_and_one_that_is_off_is_not() {
        let heard = |seconds: i64| Host {
            identifier: String::new(),
            last_seen: Timestamp::from_millis(-1000 * seconds),
            agent_version: None,
        };
        let wanted = Wanted {
            group: None,
            instances: None,
            registered: None,
            silent: Some(Duration::from_secs(60)),
        };
        let is_wanted = |host: &Found, heard: Option<&Host>| {
            wanted.is_silent_enough(host, heard, Timestamp::from_millis(0))
        };
        assert!(is_wanted(&host(true), None));
        assert!(is_wanted(&host(true), Some(&heard(60))));
        assert!(!is_wanted(&host(true), Some(&heard(59))));
        assert!(!is_wanted(&host(false), None));
    }

    #[test]
    fn an_agents_name_tells_its_version() {
        assert_eq!(agent_version("agent-longshore/0.1.0"), "0.1.0");
        assert_eq!(agent_version("OFFICIAL_1.8.0"), "1.8.0");
    }
}
