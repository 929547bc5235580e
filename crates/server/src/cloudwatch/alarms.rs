//! Alarms: making, changing and deleting them, and setting their states.

use std::collections::BTreeMap;

use model::Timestamp;
use model::arn::Scope;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::history::{self, HistoryItem};
use super::input::Input;
use crate::alarms::SOURCE_KIND;
use crate::forms::records::{Record, RecordError, Records};
use crate::forms::{ApiError, Context};

/// The documents' kind; whoever watches alarms is woken by it.
pub(crate) const KIND: &str = "cloudwatch.alarm";

/// The longest name. Source: `AlarmName`.
const NAME_MAX: usize = 255;

/// Alarms named in one call. Source: `DeleteAlarms`, `DescribeAlarms`.
pub(super) const NAMED_MAX: usize = 100;

/// Source: `TagList`.
pub(super) const TAGS_MAX: usize = 50;

/// What an alarm says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmState {
    #[serde(rename = "OK")]
    Ok,
    #[serde(rename = "ALARM")]
    Alarm,
    #[serde(rename = "INSUFFICIENT_DATA")]
    InsufficientData,
}

impl AlarmState {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    pub(super) fn from_name(name: &str) -> Result<Self, ApiError> {
        [Self::Ok, Self::Alarm, Self::InsufficientData]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| not_in(name, "stateValue", "[INSUFFICIENT_DATA, ALARM, OK]"))
    }
}

/// What `PutMetricAlarm` sets, kept as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Settings {
    #[serde(skip_serializing)]
    alarm_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_description: Option<String>,
    actions_enabled: Option<bool>,
    #[serde(rename = "OKActions")]
    pub(crate) ok_actions: Vec<String>,
    pub(crate) alarm_actions: Vec<String>,
    pub(crate) insufficient_data_actions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metric_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) statistic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extended_statistic: Option<String>,
    pub(super) dimensions: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_periods: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datapoints_to_alarm: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison_operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    treat_missing_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluate_low_sample_count_percentile: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricQuery>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_metric_id: Option<String>,
    #[serde(skip_serializing)]
    tags: Vec<Tag>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// A part of a metric math expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricQuery {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_stat: Option<MetricStat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_data: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Metric,
    period: i64,
    stat: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Metric {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_name: Option<String>,
    dimensions: Vec<Dimension>,
}

impl Settings {
    /// Those of an alarm whose state comes from a source of longshore's own.
    pub(crate) fn of_source(alarm: &str, metric: &str) -> Self {
        Self {
            alarm_name: alarm.to_owned(),
            alarm_description: Some("The state comes from an alarm source of longshore".to_owned()),
            metric_name: Some(metric.to_owned()),
            namespace: Some("Longshore/AlarmSource".to_owned()),
            ..Self::default()
        }
    }
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlarmRecord {
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) actions_enabled: bool,
    pub(crate) state: AlarmState,
    /// The alarm's source cannot be read: a failure to whoever polls the alarm. Never so where `SetAlarmState` spoke last.
    #[serde(default)]
    pub(crate) unreadable: bool,
    pub(crate) reason: String,
    pub(crate) reason_data: Option<String>,
    pub(crate) configured_ms: i64,
    /// When the state was last set, and when it was last set to another one.
    pub(crate) state_ms: i64,
    pub(crate) transitioned_ms: i64,
    pub(crate) tags: BTreeMap<String, String>,
    pub(super) history: Vec<HistoryItem>,
}

impl Record for AlarmRecord {
    const KIND: &'static str = KIND;

    fn key(&self) -> String {
        key(&self.region, &self.name)
    }
}

/// The key of an alarm.
pub(crate) fn key(region: &str, name: &str) -> String {
    format!("{region}/{name}")
}

/// The ARN of an alarm.
pub(crate) fn arn(scope: &Scope, name: &str) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", scope.region, scope.account)
}

impl AlarmRecord {
    /// A new alarm, of which nothing is known yet.
    pub(crate) fn new(region: &str, settings: Settings, now: Timestamp) -> Self {
        let now = now.as_millis();
        Self {
            region: region.to_owned(),
            name: settings.alarm_name.clone(),
            actions_enabled: settings.actions_enabled.unwrap_or(true),
            tags: settings.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
            settings,
            state: AlarmState::InsufficientData,
            unreadable: false,
            // The service's own words.
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            configured_ms: now,
            state_ms: now,
            transitioned_ms: now,
            history: vec![history::created(now)],
        }
    }

    /// Sets the state; whether it became another one.
    pub(crate) fn set_state(
        &mut self,
        state: AlarmState,
        reason: &str,
        data: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let now = now.as_millis();
        let changed = self.state != state;
        if changed {
            let item = history::state_update(self, state, reason, now);
            self.remember(item);
            self.transitioned_ms = now;
        }
        self.state = state;
        self.unreadable = false;
        self.reason = reason.to_owned();
        self.reason_data = data.map(str::to_owned);
        self.state_ms = now;
        changed
    }

    /// Nothing is known of the state any more: the alarm's source cannot be read.
    pub(crate) fn lose_sight(&mut self, reason: &str, now: Timestamp) -> bool {
        let changed = self.set_state(AlarmState::InsufficientData, reason, None, now);
        self.unreadable = true;
        changed
    }

    fn remember(&mut self, item: HistoryItem) {
        self.history.push(item);
        let surplus = self.history.len().saturating_sub(history::KEPT_MAX);
        self.history.drain(..surplus);
    }

    /// The alarm as answers show it.
    pub(super) fn show(&self, scope: &Scope) -> Value {
        let seconds = |millis: i64| millis as f64 / 1000.0;
        let mut shown = json!({
            "AlarmName": self.name,
            "AlarmArn": arn(scope, &self.name),
            "AlarmConfigurationUpdatedTimestamp": seconds(self.configured_ms),
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateReasonData": self.reason_data,
            "StateUpdatedTimestamp": seconds(self.state_ms),
            "StateTransitionedTimestamp": seconds(self.transitioned_ms),
        });
        if let (Value::Object(shown), Ok(Value::Object(settings))) =
            (&mut shown, serde_json::to_value(&self.settings))
        {
            shown.extend(settings);
            shown.insert("ActionsEnabled".to_owned(), self.actions_enabled.into());
        }
        shown
    }
}

const NOTHING: Value = Value::Null;

/// Makes an alarm, or gives it other settings; its state stays.
pub(super) async fn put(context: &Context, input: &Input) -> Result<Value, ApiError> {
    let settings: Settings = input.read()?;
    check(&settings)?;
    put_settings(context, settings).await?;
    Ok(NOTHING)
}

async fn put_settings(context: &Context, settings: Settings) -> Result<(), ApiError> {
    let key = key(&context.scope.region, &settings.alarm_name);
    loop {
        let replaced = context.records.update::<AlarmRecord, _, ApiError>(&key, |alarm| {
            alarm.actions_enabled = settings.actions_enabled.unwrap_or(true);
            alarm.settings = settings.clone();
            alarm.configured_ms = context.now.as_millis();
            alarm.remember(history::configured(context.now.as_millis()));
            Ok(())
        });
        if replaced.await?.is_some() {
            return Ok(());
        }
        let alarm = AlarmRecord::new(&context.scope.region, settings.clone(), context.now);
        match context.records.write(vec![Records::create(&alarm)?]).await {
            Ok(()) => return Ok(()),
            // Somebody else made it just now.
            Err(RecordError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn check(settings: &Settings) -> Result<(), ApiError> {
    check_name(&settings.alarm_name, "alarmName")?;
    let by_metric = settings.metric_name.is_some();
    if by_metric == settings.metrics.is_empty() {
        if by_metric {
            check_metric(settings)?;
        }
    } else {
        return Err(ApiError::client(
            "ValidationError",
            "Exactly one of the parameters MetricName and Metrics must be given.",
        ));
    }
    at_least_one(settings.evaluation_periods, "EvaluationPeriods")?;
    at_least_one(Some(settings.period.unwrap_or(1)), "Period")?;
    at_least_one(Some(settings.datapoints_to_alarm.unwrap_or(1)), "DatapointsToAlarm")?;
    const OPERATORS: [&str; 7] = [
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
        "LessThanLowerOrGreaterThanUpperThreshold",
        "LessThanLowerThreshold",
        "GreaterThanUpperThreshold",
    ];
    let operator =
        settings.comparison_operator.as_deref().ok_or_else(|| missing("ComparisonOperator"))?;
    if !OPERATORS.contains(&operator) {
        return Err(not_in(operator, "comparisonOperator", &format!("[{}]", OPERATORS.join(", "))));
    }
    if settings.threshold.is_none() && settings.threshold_metric_id.is_none() {
        return Err(missing("Threshold"));
    }
    if settings.tags.len() > TAGS_MAX {
        return Err(too_many("Tags", TAGS_MAX));
    }
    Ok(())
}

fn check_metric(settings: &Settings) -> Result<(), ApiError> {
    if settings.namespace.is_none() {
        return Err(missing("Namespace"));
    }
    if settings.period.is_none() {
        return Err(missing("Period"));
    }
    match (&settings.statistic, &settings.extended_statistic) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (None, None) => Err(missing("Statistic")),
        (Some(_), Some(_)) => Err(ApiError::client(
            "InvalidParameterCombination",
            "The parameters Statistic and ExtendedStatistic exclude each other.",
        )),
    }
}

fn at_least_one(number: Option<i64>, parameter: &str) -> Result<(), ApiError> {
    match number {
        None => Err(missing(parameter)),
        Some(number) if number < 1 => Err(ApiError::client(
            "ValidationError",
            format!(
                "1 validation error detected: Value '{number}' at '{parameter}' failed to satisfy constraint: Member must have value greater than or equal to 1"
            ),
        )),
        Some(_) => Ok(()),
    }
}

pub(super) fn missing(parameter: &str) -> ApiError {
    ApiError::client("ValidationError", format!("The parameter {parameter} is required."))
}

pub(super) fn too_many(parameter: &str, most: usize) -> ApiError {
    ApiError::client(
        "ValidationError",
        format!("The parameter {parameter} has more than {most} members."),
    )
}

fn not_in(value: &str, parameter: &str, choices: &str) -> ApiError {
    let shown: String = value.chars().take(100).collect();
    ApiError::client(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{shown}' at '{parameter}' failed to satisfy constraint: Member must satisfy enum value set: {choices}"
        ),
    )
}

fn check_name(name: &str, parameter: &str) -> Result<(), ApiError> {
    if (1..=NAME_MAX).contains(&name.chars().count()) {
        return Ok(());
    }
    Err(ApiError::client(
        "ValidationError",
        format!(
            "1 validation error detected: Value at '{parameter}' failed to satisfy constraint: Member must have length between 1 and {NAME_MAX}"
        ),
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct SetAlarmState {
    alarm_name: String,
    state_value: String,
    state_reason: Option<String>,
    state_reason_data: Option<String>,
}

/// Sets an alarm's state by hand. It stays until it is set again.
pub(super) async fn set_state(context: &Context, input: &Input) -> Result<Value, ApiError> {
    let wanted: SetAlarmState = input.read()?;
    check_name(&wanted.alarm_name, "alarmName")?;
    let state = AlarmState::from_name(&wanted.state_value)?;
    let reason = wanted.state_reason.ok_or_else(|| missing("StateReason"))?;
    let data = wanted.state_reason_data;
    if let Some(data) = &data
        && serde_json::from_str::<Value>(data).is_err()
    {
        return Err(ApiError::client("InvalidFormat", "StateReasonData is not valid JSON."));
    }
    let key = key(&context.scope.region, &wanted.alarm_name);
    let set = context.records.update::<AlarmRecord, _, ApiError>(&key, |alarm| {
        alarm.set_state(state, &reason, data.as_deref(), context.now);
        Ok(())
    });
    set.await?.ok_or_else(|| unknown(&wanted.alarm_name))?;
    Ok(NOTHING)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct AlarmNames {
    alarm_names: Vec<String>,
}

fn named(input: &Input) -> Result<Vec<String>, ApiError> {
    let AlarmNames { mut alarm_names } = input.read()?;
    if alarm_names.len() > NAMED_MAX {
        return Err(too_many("AlarmNames", NAMED_MAX));
    }
    alarm_names.sort_unstable();
    alarm_names.dedup();
    Ok(alarm_names)
}

/// Deletes all of the named alarms with their sources, or none if one does not exist.
pub(super) async fn delete(context: &Context, input: &Input) -> Result<Value, ApiError> {
    let mut writes = Vec::new();
    for name in named(input)? {
        let key = key(&context.scope.region, &name);
        if context.records.get::<AlarmRecord>(&key).await?.is_none() {
            return Err(unknown(&name));
        }
        for kind in [KIND, SOURCE_KIND] {
            writes.push(store::DocumentWrite::delete(kind, &key, store::Expected::Any));
        }
    }
    context.records.write(writes).await?;
    Ok(NOTHING)
}

/// Lets the named alarms act on changes of state, or not; unknown ones are passed over, as the service does.
pub(super) async fn switch_actions(
    context: &Context,
    input: &Input,
    enabled: bool,
) -> Result<Value, ApiError> {
    for name in named(input)? {
        let key = key(&context.scope.region, &name);
        let switched = context.records.update::<AlarmRecord, _, ApiError>(&key, |alarm| {
            alarm.actions_enabled = enabled;
            Ok(())
        });
        switched.await?;
    }
    Ok(NOTHING)
}

/// No such alarm.
pub(super) fn unknown(name: &str) -> ApiError {
    let shown: String = name.chars().take(NAME_MAX).collect();
    ApiError::new(404, "ResourceNotFound", format!("The alarm {shown} does not exist."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The refusal of `PutMetricAlarm` with this input, or an empty text.
    fn check(change: Value) -> String {
        let mut input = json!({
            "AlarmName": "errors", "MetricName": "Errors", "Namespace": "Shop", "Statistic": "Sum",
            "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        });
        let Value::Object(change) = change else { panic!("an object") };
        input.as_object_mut().unwrap().extend(change);
        let settings: Settings = Input::Json(input).read().unwrap();
        super::check(&settings).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn an_alarm_needs_a_metric_and_a_rule() {
        assert_eq!(check(json!({})), "");
        let p90 = json!({"Statistic": null, "ExtendedStatistic": "p90"});
        assert_eq!(check(p90), "");
        let math = json!({"MetricName": null, "Metrics": [{"Id": "m1", "Expression": "1"}]});
        assert_eq!(check(math), "");
        for (change, expected) in [
            (json!({"AlarmName": ""}), "'alarmName'"),
            (json!({"AlarmName": "x".repeat(256)}), "'alarmName'"),
            (json!({"MetricName": null}), "MetricName and Metrics"),
            (json!({"Namespace": null}), "Namespace is required"),
            (json!({"Period": null}), "Period is required"),
            (json!({"Period": 0}), "'Period'"),
            (json!({"Statistic": null}), "Statistic is required"),
            (json!({"ExtendedStatistic": "p90"}), "exclude each other"),
            (json!({"EvaluationPeriods": null}), "EvaluationPeriods is required"),
            (json!({"ComparisonOperator": "IsNice"}), "'IsNice' at 'comparisonOperator'"),
            (json!({"Threshold": null}), "Threshold is required"),
        ] {
            let refusal = check(change.clone());
            assert!(refusal.contains(expected), "{change}: {refusal}");
        }
    }

    #[test]
    fn a_state_that_is_set_again_is_no_transition() {
        let at = Timestamp::from_millis;
        let mut alarm = AlarmRecord::new("r", Settings::default(), at(1_000));
        assert!(alarm.set_state(AlarmState::Alarm, "too hot", None, at(2_000)));
        assert!(!alarm.set_state(AlarmState::Alarm, "still", None, at(3_000)));
        assert_eq!((alarm.transitioned_ms, alarm.state_ms), (2_000, 3_000));
        assert_eq!(alarm.reason, "still");
        assert_eq!(alarm.history.len(), 2);
        for n in 0..200 {
            let state = if n % 2 == 0 { AlarmState::Ok } else { AlarmState::Alarm };
            alarm.set_state(state, "", None, at(4_000 + n));
        }
        assert_eq!(alarm.history.len(), history::KEPT_MAX);
    }
}
