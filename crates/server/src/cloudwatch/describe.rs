//! Reading alarms.

use serde::Deserialize;
use serde_json::{Value, json};

use super::alarms::{AlarmRecord, AlarmState, Dimension, NAMED_MAX, key, missing, too_many};
use super::input::Input;
use crate::forms::{ApiError, Context};

/// Where in a list to go on, and how much of it is wanted: `MaxRecords` and `NextToken`.
pub(super) struct Paging {
    pub(super) most: Option<i64>,
    pub(super) token: Option<String>,
}

/// Source: `MaxRecords`.
const RECORDS_MAX: usize = 100;
const RECORDS_DEFAULT: usize = 50;

impl Paging {
    fn most(&self) -> Result<usize, ApiError> {
        let Some(most) = self.most else { return Ok(RECORDS_DEFAULT) };
        let most = usize::try_from(most).ok();
        most.filter(|most| (1..=RECORDS_MAX).contains(most)).ok_or_else(|| {
            ApiError::client(
                "ValidationError",
                format!("The parameter MaxRecords must be between 1 and {RECORDS_MAX}."),
            )
        })
    }

    /// The place after which the list goes on.
    pub(super) fn place(&self) -> Result<Option<String>, ApiError> {
        let Some(token) = &self.token else { return Ok(None) };
        let place = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        place.map(Some).ok_or_else(invalid_token)
    }
}

/// The token is none of ours.
pub(super) fn invalid_token() -> ApiError {
    ApiError::client("InvalidNextToken", "The NextToken is not valid.")
}

/// The first of `items`, each with the place after it, as many as are wanted.
pub(super) fn page(
    name: &str,
    mut items: Vec<(String, Value)>,
    paging: &Paging,
) -> Result<Value, ApiError> {
    let most = paging.most()?;
    let next = (items.len() > most).then(|| hex::encode(&items[most - 1].0));
    items.truncate(most);
    let shown: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
    Ok(json!({name: shown, "NextToken": next}))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeAlarms {
    alarm_names: Vec<String>,
    alarm_name_prefix: Option<String>,
    alarm_types: Vec<String>,
    children_of_alarm_name: Option<String>,
    parents_of_alarm_name: Option<String>,
    state_value: Option<String>,
    action_prefix: Option<String>,
    max_records: Option<i64>,
    next_token: Option<String>,
}

impl DescribeAlarms {
    fn check(&self) -> Result<Option<AlarmState>, ApiError> {
        if !self.alarm_names.is_empty() && self.alarm_name_prefix.is_some() {
            return Err(ApiError::client(
                "InvalidParameterCombination",
                "The parameters AlarmNames and AlarmNamePrefix exclude each other.",
            ));
        }
        if self.alarm_names.len() > NAMED_MAX {
            return Err(too_many("AlarmNames", NAMED_MAX));
        }
        self.state_value.as_deref().map(AlarmState::from_name).transpose()
    }

    /// Composite alarms cannot be made here: whoever asks only for them gets none.
    fn wants_metric_alarms(&self) -> bool {
        let types = &self.alarm_types;
        self.children_of_alarm_name.is_none()
            && self.parents_of_alarm_name.is_none()
            && (types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm"))
    }

    fn fits(&self, alarm: &AlarmRecord, state: Option<AlarmState>) -> bool {
        let settings = &alarm.settings;
        let mut actions = settings
            .ok_actions
            .iter()
            .chain(&settings.alarm_actions)
            .chain(&settings.insufficient_data_actions);
        (self.alarm_names.is_empty() || self.alarm_names.contains(&alarm.name))
            && state.is_none_or(|state| state == alarm.state)
            && self
                .action_prefix
                .as_ref()
                .is_none_or(|prefix| actions.any(|action| action.starts_with(prefix)))
    }
}

/// Alarms by name, in pages. Names that do not exist are passed over.
pub(super) async fn alarms(context: &Context, input: &Input) -> Result<Value, ApiError> {
    let wanted: DescribeAlarms = input.read()?;
    let state = wanted.check()?;
    let paging = Paging { most: wanted.max_records, token: wanted.next_token.clone() };
    let after = paging.place()?;
    let mut shown = Vec::new();
    if wanted.wants_metric_alarms() {
        let prefix = wanted.alarm_name_prefix.as_deref().unwrap_or_default();
        let prefix = key(&context.scope.region, prefix);
        for kept in context.records.list::<AlarmRecord>(&prefix).await? {
            let alarm = kept.record;
            if wanted.fits(&alarm, state) && after.as_ref().is_none_or(|after| alarm.name > *after)
            {
                shown.push((alarm.name.clone(), alarm.show(&context.scope)));
            }
        }
    }
    let mut answer = page("MetricAlarms", shown, &paging)?;
    answer["CompositeAlarms"] = json!([]);
    Ok(answer)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeAlarmsForMetric {
    metric_name: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    dimensions: Vec<Dimension>,
    period: Option<i64>,
    unit: Option<String>,
}

/// The alarms on one metric: dimensions must be the same, the rest only where it is given.
pub(super) async fn for_metric(context: &Context, input: &Input) -> Result<Value, ApiError> {
    let wanted: DescribeAlarmsForMetric = input.read()?;
    if wanted.metric_name.is_none() {
        return Err(missing("MetricName"));
    }
    if wanted.namespace.is_none() {
        return Err(missing("Namespace"));
    }
    let same =
        |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    let sorted = |dimensions: &[Dimension]| {
        let mut pairs: Vec<_> =
            dimensions.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
        pairs.sort_unstable();
        pairs
    };
    let dimensions = sorted(&wanted.dimensions);
    let alarms = context.records.list::<AlarmRecord>(&key(&context.scope.region, "")).await?;
    let found: Vec<Value> = alarms
        .into_iter()
        .map(|kept| kept.record)
        .filter(|alarm| {
            let settings = &alarm.settings;
            wanted.metric_name == settings.metric_name
                && wanted.namespace == settings.namespace
                && dimensions == sorted(&settings.dimensions)
                && same(&wanted.statistic, &settings.statistic)
                && same(&wanted.extended_statistic, &settings.extended_statistic)
                && same(&wanted.unit, &settings.unit)
                && (wanted.period.is_none() || wanted.period == settings.period)
        })
        .map(|alarm| alarm.show(&context.scope))
        .collect();
    Ok(json!({"MetricAlarms": found}))
}
