//! How often, and after which pauses, a message is sent again: SNS's delivery policies.
//!
//! Source: SNS developer guide, "Message delivery retries" and "Creating an HTTP/S delivery policy".

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::invalid;
use crate::forms::ApiError;

/// The phases of sending again: at once, with the shortest pauses, with growing ones, with the longest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Patience {
    /// Seconds.
    min_delay_target: u64,
    /// Seconds.
    max_delay_target: u64,
    /// All retries, those of the other phases included.
    num_retries: u32,
    num_max_delay_retries: u32,
    num_no_delay_retries: u32,
    num_min_delay_retries: u32,
    backoff_function: Backoff,
}

/// How the pauses grow from the shortest to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Backoff {
    Arithmetic,
    Exponential,
    Geometric,
    Linear,
}

/// Where nothing is said: a receiver may be away for a day. AWS gives up after three retries within a minute, which
/// loses the news of a deployment to a receiver that is being restarted.
impl Default for Patience {
    fn default() -> Self {
        Self {
            min_delay_target: 1,
            max_delay_target: 300,
            num_retries: 300,
            num_max_delay_retries: 290,
            num_no_delay_retries: 0,
            num_min_delay_retries: 1,
            backoff_function: Backoff::Exponential,
        }
    }
}

/// What a policy that is given says nothing of. Source: the guide's table of limits and defaults.
fn given(policy: &Value) -> Result<Patience, serde_json::Error> {
    const DEFAULTS: [(&str, u64); 6] = [
        ("minDelayTarget", 20),
        ("maxDelayTarget", 20),
        ("numRetries", 3),
        ("numMaxDelayRetries", 0),
        ("numNoDelayRetries", 0),
        ("numMinDelayRetries", 0),
    ];
    let mut policy = policy.clone();
    if let Value::Object(members) = &mut policy {
        members.retain(|_, member| !member.is_null());
        for (name, default) in DEFAULTS {
            members.entry(name).or_insert_with(|| default.into());
        }
        members.entry("backoffFunction").or_insert_with(|| "linear".into());
    }
    serde_json::from_value(policy)
}

impl Patience {
    /// What a topic's `DeliveryPolicy` says; a policy that cannot be read was refused when it was set.
    pub(crate) fn of_topic(policy: Option<&str>) -> Self {
        policy
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .and_then(|policy| given(policy.pointer("/http/defaultHealthyRetryPolicy")?).ok())
            .unwrap_or_default()
    }

    /// What a subscription's own `DeliveryPolicy` says, if it says something of retries.
    pub(crate) fn of_subscription(policy: Option<&str>) -> Option<Self> {
        let policy: Value = serde_json::from_str(policy?).ok()?;
        given(policy.get("healthyRetryPolicy")?).ok()
    }

    /// The pause after the `failed`-th attempt (from 1); none: give up.
    pub(crate) fn pause(&self, failed: u32) -> Option<Duration> {
        if failed > self.num_retries {
            return None;
        }
        let (first, last) = (self.min_delay_target as f64, self.max_delay_target as f64);
        let before = self.num_no_delay_retries + self.num_min_delay_retries;
        let growing = self.num_retries.saturating_sub(before + self.num_max_delay_retries);
        let seconds = if failed <= self.num_no_delay_retries {
            0.0
        } else if failed <= before {
            first
        } else if failed <= before + growing {
            let part = f64::from(failed - before) / f64::from(growing);
            self.backoff_function.between(first, last, part)
        } else {
            last
        };
        Some(Duration::from_secs_f64(seconds))
    }

    /// All pauses together.
    fn total(&self) -> Duration {
        (1..=self.num_retries).filter_map(|failed| self.pause(failed)).sum()
    }

    fn check(&self) -> Result<(), String> {
        let phases =
            self.num_no_delay_retries + self.num_min_delay_retries + self.num_max_delay_retries;
        if !(1..=3600).contains(&self.min_delay_target) {
            return Err("minDelayTarget must be between 1 and 3600".to_owned());
        }
        if self.max_delay_target < self.min_delay_target || self.max_delay_target > 3600 {
            return Err("maxDelayTarget must be between minDelayTarget and 3600".to_owned());
        }
        if self.num_retries > 100 || phases > self.num_retries {
            return Err("numRetries must be at most 100 and not less than its parts".to_owned());
        }
        if self.total() > Duration::from_secs(3600 * 24) {
            return Err("the retries must end within a day".to_owned());
        }
        Ok(())
    }
}

impl Backoff {
    /// The pause at `part` (0 to 1) of the way.
    fn between(self, first: f64, last: f64, part: f64) -> f64 {
        match self {
            Self::Linear => first + (last - first) * part,
            Self::Arithmetic => first + (last - first) * part * part,
            Self::Geometric => first * (last / first).powf(part),
            Self::Exponential => first + (last - first) * (2f64.powf(10.0 * part) - 1.0) / 1023.0,
        }
    }
}

/// Holds a topic's policy to the rules.
pub(super) fn check_topic(text: &str) -> Result<(), ApiError> {
    check(text, "/http/defaultHealthyRetryPolicy")
}

/// Holds a subscription's policy to the rules.
pub(super) fn check_subscription(text: &str) -> Result<(), ApiError> {
    check(text, "/healthyRetryPolicy")
}

fn check(text: &str, place: &str) -> Result<(), ApiError> {
    let wrong = |why: String| invalid(format_args!("DeliveryPolicy: {why}"));
    let policy: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let Some(retries) = policy.pointer(place).filter(|retries| !retries.is_null()) else {
        return if policy.is_object() { Ok(()) } else { Err(wrong("it is no object".to_owned())) };
    };
    let patience = given(retries).map_err(|error| wrong(error.to_string()))?;
    patience.check().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pauses(patience: &Patience) -> Vec<u64> {
        (1..).map_while(|failed| patience.pause(failed)).map(|pause| pause.as_secs()).collect()
    }

    #[test]
    fn without_a_policy_a_receiver_may_be_away_for_a_day() {
        let patience = Patience::default();
        let day = Duration::from_secs(24 * 3600);
        assert!(
            patience.total() > day && patience.total() < day + day / 50,
            "{:?}",
            patience.total()
        );
        assert_eq!(patience.pause(1), Some(Duration::from_secs(1)));
        assert_eq!(pauses(&patience)[20], 300);
    }

    #[test]
    fn a_policy_goes_through_its_phases() {
        let policy = json!({"http": {"defaultHealthyRetryPolicy": {
            "minDelayTarget": 2, "maxDelayTarget": 10, "numRetries": 8, "numNoDelayRetries": 1,
            "numMinDelayRetries": 1, "numMaxDelayRetries": 2, "backoffFunction": "linear",
        }}});
        let patience = Patience::of_topic(Some(&policy.to_string()));
        assert_eq!(pauses(&patience), [0, 2, 4, 6, 8, 10, 10, 10]);
        let three = Patience::of_subscription(Some(r#"{"healthyRetryPolicy": {}}"#)).unwrap();
        assert_eq!(pauses(&three), [20, 20, 20]);
        assert_eq!(Patience::of_subscription(Some("{}")), None);
        assert_eq!(Patience::of_topic(Some("{}")), Patience::default());
    }

    #[test]
    fn policies_have_limits() {
        let check = |policy: Value| {
            let text = json!({"healthyRetryPolicy": policy}).to_string();
            check_subscription(&text).map_or_else(|error| error.message, |()| String::new())
        };
        assert_eq!(check(json!({"numRetries": 5})), "");
        assert!(check(json!({"numRetries": 101})).contains("numRetries"));
        assert!(check(json!({"numRetries": 2, "numNoDelayRetries": 3})).contains("numRetries"));
        assert!(check(json!({"minDelayTarget": 0})).contains("minDelayTarget"));
        assert!(
            check(json!({"minDelayTarget": 30, "maxDelayTarget": 20})).contains("maxDelayTarget")
        );
        assert!(
            check(json!({"maxDelayTarget": 3600, "numRetries": 100, "numMaxDelayRetries": 100}))
                .contains("a day")
        );
        assert!(check(json!({"backoffFunction": "magic"})).contains("DeliveryPolicy"));
        assert!(
            check_topic("[]").is_err() && check_topic("{").is_err() && check_topic("{}").is_ok()
        );
    }
}
