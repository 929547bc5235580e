//! What a deployment group is set to: how it is kept, changed and held to its rules.

use model::selection::{TagFilter as Condition, TagSelection};
use serde::{Deserialize, Serialize};
use wire::codedeploy::{
    AlarmConfiguration, AutoRollbackConfiguration, BlueGreenDeploymentConfiguration,
    CreateDeploymentGroupInput, DeploymentStyle, EC2DeploymentOptions, EC2TagFilter, EC2TagSet,
    ECSService, LoadBalancerInfo, OnPremisesTagSet, TagFilter, TriggerConfig,
    UpdateDeploymentGroupInput,
};
use wire::{ErrorCode, ServiceError};

use super::rules;

/// Everything that a group is set to, beyond its names and its configuration.
///
/// Kept in the wire's shapes: most of it only travels through, and what is acted on is parsed where it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// The ARN of the role that the service would act in.
    pub service_role_arn: String,
    /// Instances are selected by these, unless by [`Settings::ec2_tag_set`].
    pub ec2_tag_filters: Vec<EC2TagFilter>,
    /// Lists of filters that must all match.
    pub ec2_tag_set: Vec<Vec<EC2TagFilter>>,
    /// Registered hosts are selected by these, unless by [`Settings::on_premises_tag_set`].
    pub on_premises_tag_filters: Vec<TagFilter>,
    /// Lists of filters that must all match.
    pub on_premises_tag_set: Vec<Vec<TagFilter>>,
    /// Whom to notify of what.
    pub triggers: Vec<TriggerConfig>,
    /// Alarms that stop a deployment.
    pub alarms: Option<AlarmConfiguration>,
    /// When to roll back.
    pub auto_rollback: Option<AutoRollbackConfiguration>,
    /// `UPDATE` or `IGNORE`; only matters to Auto Scaling groups.
    pub outdated_instances_strategy: Option<String>,
    /// In place or blue/green, with or without traffic control.
    pub style: Option<DeploymentStyle>,
    /// How to replace the fleet.
    pub blue_green: Option<BlueGreenDeploymentConfiguration>,
    /// Where traffic comes from.
    pub load_balancer: Option<LoadBalancerInfo>,
    /// Auto Scaling processes to suspend.
    pub ec2_options: Option<EC2DeploymentOptions>,
    /// Whether Auto Scaling terminations deploy too.
    pub termination_hook_enabled: bool,
}

/// What a caller wants changed: what is absent stays, what is empty is cleared.
#[derive(Debug, Default)]
pub struct Change {
    service_role_arn: Option<String>,
    ec2_tag_filters: Option<Vec<EC2TagFilter>>,
    ec2_tag_set: Option<EC2TagSet>,
    on_premises_tag_filters: Option<Vec<TagFilter>>,
    on_premises_tag_set: Option<OnPremisesTagSet>,
    auto_scaling_groups: Option<Vec<String>>,
    triggers: Option<Vec<TriggerConfig>>,
    alarms: Option<AlarmConfiguration>,
    auto_rollback: Option<AutoRollbackConfiguration>,
    outdated_instances_strategy: Option<String>,
    style: Option<DeploymentStyle>,
    blue_green: Option<BlueGreenDeploymentConfiguration>,
    load_balancer: Option<LoadBalancerInfo>,
    ecs_services: Option<Vec<ECSService>>,
    ec2_options: Option<EC2DeploymentOptions>,
    termination_hook_enabled: Option<bool>,
}

/// Both inputs have the same members under the same names.
macro_rules! change_from {
    ($input:ty) => {
        impl From<$input> for Change {
            fn from(input: $input) -> Self {
                Self {
                    service_role_arn: input.service_role_arn,
                    ec2_tag_filters: input.ec2_tag_filters,
                    ec2_tag_set: input.ec2_tag_set,
                    on_premises_tag_filters: input.on_premises_instance_tag_filters,
                    on_premises_tag_set: input.on_premises_tag_set,
                    auto_scaling_groups: input.auto_scaling_groups,
                    triggers: input.trigger_configurations,
                    alarms: input.alarm_configuration,
                    auto_rollback: input.auto_rollback_configuration,
                    outdated_instances_strategy: input.outdated_instances_strategy,
                    style: input.deployment_style,
                    blue_green: input.blue_green_deployment_configuration,
                    load_balancer: input.load_balancer_info,
                    ecs_services: input.ecs_services,
                    ec2_options: input.ec2_deployment_options,
                    termination_hook_enabled: input.termination_hook_enabled,
                }
            }
        }
    };
}

change_from!(CreateDeploymentGroupInput);
change_from!(UpdateDeploymentGroupInput);

/// Filters in a list, and lists in a set. Source: CodeDeploy quotas.
const FILTERS_MAX: usize = 10;
const TAG_LISTS_MAX: usize = 3;
/// Triggers of a group, and load balancers of each kind. Source: CodeDeploy quotas.
const TRIGGERS_MAX: usize = 10;
const BALANCERS_MAX: usize = 10;
/// Alarms of a group. Source: CodeDeploy quotas; the API reference still says 10.
const ALARMS_MAX: usize = 50;
/// The longest wait of a blue/green deployment, in minutes. Source: CodeDeploy API reference, `BlueInstanceTerminationOption`.
const WAIT_MINUTES_MAX: i64 = 2880;

impl Settings {
    /// These settings after `change`, if they hold to the rules.
    pub fn changed(mut self, change: Change) -> Result<Self, ServiceError> {
        change.check()?;
        self.apply(change);
        self.check()?;
        Ok(self)
    }

    fn apply(&mut self, change: Change) {
        fn put<T>(place: &mut T, new: Option<T>) {
            if let Some(new) = new {
                *place = new;
            }
        }
        let ec2_set = change.ec2_tag_set.map(|set| set.ec2_tag_set_list.unwrap_or_default());
        put_selection(
            (&mut self.ec2_tag_filters, change.ec2_tag_filters),
            (&mut self.ec2_tag_set, ec2_set),
        );
        let set = change.on_premises_tag_set;
        let set = set.map(|set| set.on_premises_tag_set_list.unwrap_or_default());
        put_selection(
            (&mut self.on_premises_tag_filters, change.on_premises_tag_filters),
            (&mut self.on_premises_tag_set, set),
        );
        put(&mut self.service_role_arn, change.service_role_arn);
        put(&mut self.triggers, change.triggers);
        put(&mut self.alarms, change.alarms.map(Some));
        put(&mut self.auto_rollback, change.auto_rollback.map(Some));
        put(&mut self.outdated_instances_strategy, change.outdated_instances_strategy.map(Some));
        put(&mut self.style, change.style.map(Some));
        put(&mut self.blue_green, change.blue_green.map(Some));
        put(&mut self.load_balancer, change.load_balancer.map(Some));
        put(&mut self.ec2_options, change.ec2_options.map(Some));
        put(&mut self.termination_hook_enabled, change.termination_hook_enabled);
    }

    /// Which instances are selected.
    pub fn ec2_selection(&self) -> TagSelection {
        selection(&self.ec2_tag_filters, &self.ec2_tag_set)
    }

    /// Which registered hosts are selected.
    pub fn on_premises_selection(&self) -> TagSelection {
        selection(&self.on_premises_tag_filters, &self.on_premises_tag_set)
    }

    /// Whether traffic is shifted from host to host or fleet to fleet, which needs a load balancer.
    pub fn has_traffic_control(&self) -> bool {
        self.option() == Some("WITH_TRAFFIC_CONTROL")
    }

    /// Whether the fleet is replaced.
    pub fn is_blue_green(&self) -> bool {
        self.style.as_ref().and_then(|style| style.deployment_type.as_deref()) == Some("BLUE_GREEN")
    }

    fn option(&self) -> Option<&str> {
        self.style.as_ref().and_then(|style| style.deployment_option.as_deref())
    }

    /// The style with its defaults filled in.
    pub fn style(&self) -> DeploymentStyle {
        let style = self.style.clone().unwrap_or_default();
        DeploymentStyle {
            deployment_type: style.deployment_type.or_else(|| Some("IN_PLACE".to_owned())),
            deployment_option: style
                .deployment_option
                .or_else(|| Some("WITHOUT_TRAFFIC_CONTROL".to_owned())),
        }
    }

    /// The load balancers, unless there are none: an empty structure is nothing.
    pub fn load_balancer(&self) -> Option<LoadBalancerInfo> {
        self.load_balancer.clone().filter(|info| balancers(info) > 0)
    }

    fn check(&self) -> Result<(), ServiceError> {
        check_triggers(&self.triggers)?;
        self.alarms.as_ref().map_or(Ok(()), check_alarms)?;
        self.auto_rollback.as_ref().map_or(Ok(()), check_auto_rollback)?;
        self.check_load_balancer()?;
        self.check_style()?;
        if self.is_blue_green() && self.on_premises_selection() != TagSelection::Nothing {
            return Err(refused(
                ErrorCode::InvalidInput,
                "On-premises instances cannot be part of a blue/green deployment group",
            ));
        }
        // The last of all: the service looks at the structures of a group before it tries the role.
        rules::service_role(&self.service_role_arn)
    }

    fn check_load_balancer(&self) -> Result<(), ServiceError> {
        let info = self.load_balancer.clone().unwrap_or_default();
        if info.target_group_pair_info_list.is_some_and(|pairs| !pairs.is_empty()) {
            return Err(refused(
                ErrorCode::InvalidLoadBalancerInfo,
                "targetGroupPairInfoList is for ECS deployment groups; use elbInfoList or targetGroupInfoList",
            ));
        }
        let classic = info.elb_info_list.unwrap_or_default();
        let groups = info.target_group_info_list.unwrap_or_default();
        check_balancers("elbInfoList", classic.iter().map(|balancer| balancer.name.as_deref()))?;
        check_balancers("targetGroupInfoList", groups.iter().map(|group| group.name.as_deref()))?;
        if self.has_traffic_control() && classic.is_empty() && groups.is_empty() {
            return Err(refused(
                ErrorCode::InvalidLoadBalancerInfo,
                "The deploymentOption is WITH_TRAFFIC_CONTROL, but neither elbInfoList nor targetGroupInfoList \
                 names a load balancer",
            ));
        }
        Ok(())
    }

    fn check_style(&self) -> Result<(), ServiceError> {
        if !self.is_blue_green() {
            return Ok(());
        }
        if !self.has_traffic_control() {
            return Err(refused(
                ErrorCode::InvalidDeploymentStyle,
                "The deploymentType BLUE_GREEN needs the deploymentOption WITH_TRAFFIC_CONTROL",
            ));
        }
        match &self.blue_green {
            Some(options) => check_blue_green(options),
            None => Err(refused(
                ErrorCode::InvalidBlueGreenDeploymentConfiguration,
                "The deploymentType BLUE_GREEN needs a blueGreenDeploymentConfiguration",
            )),
        }
    }
}

impl Change {
    /// The rules that hold for what is said in one call.
    fn check(&self) -> Result<(), ServiceError> {
        let ec2_set = self.ec2_tag_set.as_ref().and_then(|set| set.ec2_tag_set_list.as_deref());
        let ec2_set = ec2_set.unwrap_or_default();
        let ec2_filters = self.ec2_tag_filters.as_deref().unwrap_or_default();
        let on_set = self
            .on_premises_tag_set
            .as_ref()
            .and_then(|set| set.on_premises_tag_set_list.as_deref());
        let on_set = on_set.unwrap_or_default();
        let on_filters = self.on_premises_tag_filters.as_deref().unwrap_or_default();

        check_filters(ec2_filters, ErrorCode::InvalidEC2Tag)?;
        ec2_set.iter().try_for_each(|list| check_filters(list, ErrorCode::InvalidEC2Tag))?;
        check_filters(on_filters, ErrorCode::InvalidTag)?;
        on_set.iter().try_for_each(|list| check_filters(list, ErrorCode::InvalidTag))?;
        self.check_groups()?;
        check_combination(ec2_filters, ec2_set, ErrorCode::InvalidEC2TagCombination)?;
        check_combination(on_filters, on_set, ErrorCode::InvalidOnPremisesTagCombination)?;
        for lists in [ec2_set.len(), on_set.len()] {
            if lists > TAG_LISTS_MAX {
                return Err(refused(
                    ErrorCode::TagSetListLimitExceeded,
                    format!(
                        "The tag set has {lists} tag groups; at most {TAG_LISTS_MAX} are allowed"
                    ),
                ));
            }
        }
        if self.ecs_services.as_ref().is_some_and(|services| !services.is_empty()) {
            return Err(refused(
                ErrorCode::InvalidECSService,
                "Should not specify ECS services parameter for Server deployment group",
            ));
        }
        Ok(())
    }

    fn check_groups(&self) -> Result<(), ServiceError> {
        let first = self.auto_scaling_groups.as_deref().unwrap_or_default().first();
        first.map_or(Ok(()), |name| {
            Err(refused(
                ErrorCode::InvalidAutoScalingGroup,
                format!("No Auto Scaling group found for name: {name}"),
            ))
        })
    }
}

fn check_combination<A, B>(filters: &[A], set: &[B], error: ErrorCode) -> Result<(), ServiceError> {
    if filters.is_empty() || set.is_empty() {
        return Ok(());
    }
    Err(refused(error, "Tag filters and a tag set cannot be given together; use one of them"))
}

/// What the two kinds of filter have in common.
trait Filter {
    fn parts(&self) -> (Option<&str>, Option<&str>, Option<&str>);

    /// The condition, or what is wrong with the filter.
    fn condition(&self) -> Result<Condition, String> {
        let (key, value, kind) = self.parts();
        let key = key.filter(|key| !key.is_empty());
        let kind = kind.unwrap_or(match (key, value) {
            (Some(_), None) => "KEY_ONLY",
            (None, Some(_)) => "VALUE_ONLY",
            _ => "KEY_AND_VALUE",
        });
        match (kind, key, value) {
            ("KEY_ONLY", Some(key), _) => Ok(Condition::Key(key.to_owned())),
            ("VALUE_ONLY", _, Some(value)) => Ok(Condition::Value(value.to_owned())),
            ("KEY_AND_VALUE", Some(key), value) => {
                Ok(Condition::KeyAndValue(key.to_owned(), value.unwrap_or_default().to_owned()))
            }
            ("KEY_ONLY" | "KEY_AND_VALUE", None, _) => {
                Err(format!("A tag filter of type {kind} has no Key"))
            }
            ("VALUE_ONLY", _, None) => {
                Err("A tag filter of type VALUE_ONLY has no Value".to_owned())
            }
            (other, ..) => Err(format!("The type '{other}' of a tag filter is unknown")),
        }
    }
}

impl Filter for EC2TagFilter {
    fn parts(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        (self.key.as_deref(), self.value.as_deref(), self.r#type.as_deref())
    }
}

impl Filter for TagFilter {
    fn parts(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        (self.key.as_deref(), self.value.as_deref(), self.r#type.as_deref())
    }
}

fn check_filters<F: Filter>(filters: &[F], error: ErrorCode) -> Result<(), ServiceError> {
    if filters.len() > FILTERS_MAX {
        let found = filters.len();
        return Err(refused(
            error,
            format!("There are {found} tag filters; at most {FILTERS_MAX} are allowed"),
        ));
    }
    conditions(filters).map(|_| ()).map_err(|wrong| refused(error, wrong))
}

fn conditions<F: Filter>(filters: &[F]) -> Result<Vec<Condition>, String> {
    filters.iter().map(Filter::condition).collect()
}

/// The conditions of filters that a caller gave; `InvalidTagFilter` if one makes no sense.
/// Source: CodeDeploy API reference, `ListOnPremisesInstances`.
pub fn on_premises_filter(filters: &[TagFilter]) -> Result<TagSelection, ServiceError> {
    let conditions =
        conditions(filters).map_err(|wrong| refused(ErrorCode::InvalidTagFilter, wrong))?;
    Ok(TagSelection::Filters(conditions))
}

fn selection<F: Filter>(filters: &[F], set: &[Vec<F>]) -> TagSelection {
    // Kept filters were checked when they were taken; one that makes no sense selects nothing.
    let all = |filters: &[F]| filters.iter().filter_map(|filter| filter.condition().ok()).collect();
    if !set.is_empty() {
        TagSelection::Set(set.iter().map(|list| all(list)).collect())
    } else if !filters.is_empty() {
        TagSelection::Filters(all(filters))
    } else {
        TagSelection::Nothing
    }
}

fn check_triggers(triggers: &[TriggerConfig]) -> Result<(), ServiceError> {
    if triggers.len() > TRIGGERS_MAX {
        return Err(refused(
            ErrorCode::TriggerTargetsLimitExceeded,
            format!("There are {} triggers; at most {TRIGGERS_MAX} are allowed", triggers.len()),
        ));
    }
    for trigger in triggers {
        let name = trigger.trigger_name.as_deref().unwrap_or_default();
        let arn = trigger.trigger_target_arn.as_deref().unwrap_or_default();
        if name.is_empty() {
            return Err(refused(ErrorCode::InvalidTriggerConfig, "A trigger has no triggerName"));
        }
        if !arn.starts_with("arn:") {
            return Err(refused(
                ErrorCode::InvalidTriggerConfig,
                format!("The Topic ARN '{arn}' of the trigger '{name}' is not valid"),
            ));
        }
        if trigger.trigger_events.as_ref().is_none_or(Vec::is_empty) {
            return Err(refused(
                ErrorCode::InvalidTriggerConfig,
                format!("The trigger '{name}' names no event"),
            ));
        }
    }
    Ok(())
}

/// The rules of an alarm configuration, of a group or of one deployment.
pub fn check_alarms(alarms: &AlarmConfiguration) -> Result<(), ServiceError> {
    let named: Vec<&str> = alarms
        .alarms
        .iter()
        .flatten()
        .map(|alarm| alarm.name.as_deref().unwrap_or_default())
        .collect();
    if named.len() > ALARMS_MAX {
        return Err(refused(
            ErrorCode::AlarmsLimitExceeded,
            format!("There are {} alarms; at most {ALARMS_MAX} are allowed", named.len()),
        ));
    }
    if let Some(wrong) = named.iter().find(|name| !(1..=255).contains(&name.chars().count())) {
        return Err(refused(
            ErrorCode::InvalidAlarmConfig,
            format!("The alarm name '{wrong}' does not have 1 to 255 characters"),
        ));
    }
    let twice = named.iter().enumerate().find(|(at, name)| named[..*at].contains(name));
    if let Some((_, name)) = twice {
        return Err(refused(
            ErrorCode::InvalidAlarmConfig,
            format!("The alarm '{name}' is named twice"),
        ));
    }
    if alarms.enabled == Some(true) && named.is_empty() {
        return Err(refused(
            ErrorCode::InvalidAlarmConfig,
            "The alarm configuration is enabled but names no alarm",
        ));
    }
    Ok(())
}

/// The rules of an automatic rollback, of a group or of one deployment.
pub fn check_auto_rollback(rollback: &AutoRollbackConfiguration) -> Result<(), ServiceError> {
    let has_events = rollback.events.as_ref().is_some_and(|events| !events.is_empty());
    if rollback.enabled == Some(true) && !has_events {
        return Err(refused(
            ErrorCode::InvalidAutoRollbackConfig,
            "The automatic rollback is enabled but names no event",
        ));
    }
    Ok(())
}

/// How blue/green deployments may wait, and what they may copy. No Auto Scaling group exists here to be copied.
/// Source: CodeDeploy API reference, `BlueGreenDeploymentConfiguration`.
fn check_blue_green(options: &BlueGreenDeploymentConfiguration) -> Result<(), ServiceError> {
    let invalid =
        |message: String| Err(refused(ErrorCode::InvalidBlueGreenDeploymentConfiguration, message));
    let ready = options.deployment_ready_option.as_ref();
    let (action, wait) = ready.map_or((None, 0), |option| {
        (option.action_on_timeout.as_deref(), option.wait_time_in_minutes.unwrap_or(0))
    });
    let end = options.terminate_blue_instances_on_deployment_success.as_ref();
    let (end_action, end_wait) = end.map_or((None, 0), |option| {
        (option.action.as_deref(), option.termination_wait_time_in_minutes.unwrap_or(0))
    });
    for (member, minutes) in
        [("waitTimeInMinutes", wait), ("terminationWaitTimeInMinutes", end_wait)]
    {
        if !(0..=WAIT_MINUTES_MAX).contains(&minutes) {
            return invalid(format!("The {member} of {minutes} is not 0 to {WAIT_MINUTES_MAX}"));
        }
    }
    if action != Some("STOP_DEPLOYMENT") && wait != 0 {
        return invalid(format!(
            "The waitTimeInMinutes of {wait} needs the actionOnTimeout STOP_DEPLOYMENT"
        ));
    }
    if end_action == Some("KEEP_ALIVE") && end_wait != 0 {
        return invalid(format!(
            "The terminationWaitTimeInMinutes of {end_wait} needs the action TERMINATE"
        ));
    }
    let fleet = options.green_fleet_provisioning_option.as_ref();
    if fleet.and_then(|option| option.action.as_deref()) == Some("COPY_AUTO_SCALING_GROUP") {
        // The service's own words, misspelling included: tools look for them.
        return invalid(
            "Exactly one AutoScaling group must be specifed when selecting the COPY_AUTO_SCALING_GROUP green fleet \
             provisioning option."
                .to_owned(),
        );
    }
    Ok(())
}

/// A list of filters replaces a set and the other way round, since only one of the two ever selects. An empty
/// companion says nothing about the other.
fn put_selection<F>(
    (filters, new_filters): (&mut Vec<F>, Option<Vec<F>>),
    (set, new_set): (&mut Vec<Vec<F>>, Option<Vec<Vec<F>>>),
) {
    if new_filters.as_ref().is_some_and(|new| !new.is_empty()) {
        set.clear();
    }
    if new_set.as_ref().is_some_and(|new| !new.is_empty()) {
        filters.clear();
    }
    if let Some(new) = new_filters {
        *filters = new;
    }
    if let Some(new) = new_set {
        *set = new;
    }
}

fn check_balancers<'a>(
    member: &str,
    names: impl ExactSizeIterator<Item = Option<&'a str>>,
) -> Result<(), ServiceError> {
    let found = names.len();
    if found > BALANCERS_MAX {
        return Err(refused(
            ErrorCode::InvalidLoadBalancerInfo,
            format!(
                "The {member} names {found} load balancers; at most {BALANCERS_MAX} are allowed"
            ),
        ));
    }
    if names.into_iter().any(|name| name.is_none_or(str::is_empty)) {
        return Err(refused(
            ErrorCode::InvalidLoadBalancerInfo,
            format!("An entry of the {member} has no name"),
        ));
    }
    Ok(())
}

fn balancers(info: &LoadBalancerInfo) -> usize {
    info.elb_info_list.as_ref().map_or(0, Vec::len)
        + info.target_group_info_list.as_ref().map_or(0, Vec::len)
        + info.target_group_pair_info_list.as_ref().map_or(0, Vec::len)
}

fn refused(code: ErrorCode, message: impl Into<String>) -> ServiceError {
    ServiceError::new(code, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Applies each change in turn to the settings of a new group.
    fn settings(changes: &[serde_json::Value]) -> Result<Settings, ErrorCode> {
        let role = json!({"serviceRoleArn": "arn:aws:iam::EXAMPLE:role/CodeDeploy"});
        let mut settings = Settings::default();
        for change in std::iter::once(&role).chain(changes) {
            let input: UpdateDeploymentGroupInput = serde_json::from_value(change.clone()).unwrap();
            settings = settings.changed(input.into()).map_err(|error| error.code)?;
        }
        Ok(settings)
    }

    #[expect(clippy::needless_pass_by_value, reason = "the tables below read better so")]
    fn check(change: serde_json::Value, expected: ErrorCode) {
        assert_eq!(settings(std::slice::from_ref(&change)).unwrap_err(), expected, "{change}");
    }

    #[test]
    fn absent_keeps_and_empty_clears() {
        let filter = json!([{"Key": "a", "Value": "b", "Type": "KEY_AND_VALUE"}]);
        let kept = settings(&[json!({"ec2TagFilters": filter}), json!({})]).unwrap();
        let expected = TagSelection::Filters(vec![Condition::KeyAndValue("a".into(), "b".into())]);
        assert_eq!(kept.ec2_selection(), expected);
        let cleared =
            settings(&[json!({"ec2TagFilters": filter}), json!({"ec2TagFilters": []})]).unwrap();
        assert_eq!(cleared.ec2_selection(), TagSelection::Nothing);
    }

    #[test]
    fn a_set_replaces_filters_and_the_other_way_round() {
        let filters = json!({"ec2TagFilters": [{"Key": "a", "Type": "KEY_ONLY"}]});
        let set = json!({"ec2TagSet": {"ec2TagSetList": [[{"Key": "b"}], [{"Value": "c"}]]}});
        let now_set = settings(&[filters.clone(), set.clone()]).unwrap();
        let lists = vec![vec![Condition::Key("b".into())], vec![Condition::Value("c".into())]];
        assert_eq!(now_set.ec2_selection(), TagSelection::Set(lists));
        assert!(now_set.ec2_tag_filters.is_empty());
        let now_filters = settings(&[set, filters]).unwrap();
        assert_eq!(
            now_filters.ec2_selection(),
            TagSelection::Filters(vec![Condition::Key("a".into())])
        );
    }

    #[test]
    fn each_broken_rule_has_its_own_error() {
        let list = json!([{"Key": "a", "Value": "b"}]);
        check(json!({"serviceRoleArn": "CodeDeploy"}), ErrorCode::InvalidRole);
        check(json!({"ec2TagFilters": [{"Type": "KEY_ONLY"}]}), ErrorCode::InvalidEC2Tag);
        check(
            json!({"onPremisesInstanceTagFilters": [{"Type": "VALUE_ONLY"}]}),
            ErrorCode::InvalidTag,
        );
        check(
            json!({"ec2TagFilters": list, "ec2TagSet": {"ec2TagSetList": [list]}}),
            ErrorCode::InvalidEC2TagCombination,
        );
        check(
            json!({"ec2TagSet": {"ec2TagSetList": [list, list, list, list]}}),
            ErrorCode::TagSetListLimitExceeded,
        );
        check(json!({"autoScalingGroups": ["web"]}), ErrorCode::InvalidAutoScalingGroup);
        check(json!({"ecsServices": [{"serviceName": "x"}]}), ErrorCode::InvalidECSService);
        check(
            json!({"triggerConfigurations": [{"triggerName": "t", "triggerTargetArn": "x", "triggerEvents": ["DeploymentStart"]}]}),
            ErrorCode::InvalidTriggerConfig,
        );
        check(json!({"alarmConfiguration": {"enabled": true}}), ErrorCode::InvalidAlarmConfig);
        check(
            json!({"alarmConfiguration": {"alarms": [{"name": "a"}, {"name": "a"}]}}),
            ErrorCode::InvalidAlarmConfig,
        );
        check(
            json!({"autoRollbackConfiguration": {"enabled": true}}),
            ErrorCode::InvalidAutoRollbackConfig,
        );
        check(
            json!({"deploymentStyle": {"deploymentOption": "WITH_TRAFFIC_CONTROL"}}),
            ErrorCode::InvalidLoadBalancerInfo,
        );
        check(
            json!({"deploymentStyle": {"deploymentType": "BLUE_GREEN"}}),
            ErrorCode::InvalidDeploymentStyle,
        );
    }

    #[test]
    fn an_empty_companion_does_not_count() {
        let both = json!({"ec2TagFilters": [{"Key": "a"}], "ec2TagSet": {"ec2TagSetList": []}});
        assert_eq!(settings(&[both]).unwrap().ec2_tag_filters.len(), 1);
        let removal = json!({
            "alarmConfiguration": {"alarms": []},
            "autoRollbackConfiguration": {"events": []},
            "loadBalancerInfo": {},
            "triggerConfigurations": [],
            "autoScalingGroups": [],
        });
        assert_eq!(settings(&[removal]).unwrap().load_balancer(), None);
    }
}
