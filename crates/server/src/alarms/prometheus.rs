//! Instant queries: what Prometheus answers, and what that means.
//!
//! Source: Prometheus HTTP API, `/api/v1/query`.

use serde_json::Value;

use super::check::Finding;
use super::source::Rule;
use crate::cloudwatch::alarms::AlarmState;

/// What an answer with that status says of the alarm.
pub(super) fn judge(status: u16, body: &[u8], rule: &Rule) -> Finding {
    match samples(body) {
        Ok(samples) => {
            let (state, reason) = judge_samples(&samples, rule);
            Finding::State(state, reason)
        }
        Err(why) => Finding::Unreadable(format!("Prometheus answered HTTP {status}, and {why}")),
    }
}

fn judge_samples(samples: &[f64], rule: &Rule) -> (AlarmState, String) {
    match rule {
        Rule::AnySample => match samples.first() {
            Some(first) => (
                AlarmState::Alarm,
                format!("The query has {} samples, the first {first}", samples.len()),
            ),
            None => (AlarmState::Ok, "The query has no sample".to_owned()),
        },
        Rule::Threshold { comparison, value } => {
            let rule = format!("{} {value}", comparison.name());
            match samples.iter().find(|sample| comparison.holds(**sample, *value)) {
                Some(sample) => (AlarmState::Alarm, format!("{sample} is {rule}")),
                None if samples.is_empty() => {
                    (AlarmState::InsufficientData, "The query has no sample".to_owned())
                }
                None => (AlarmState::Ok, format!("No sample is {rule}")),
            }
        }
    }
}

/// The numbers of a scalar or of a vector.
fn samples(body: &[u8]) -> Result<Vec<f64>, String> {
    let answer: Value =
        serde_json::from_slice(body).map_err(|_| "the answer is no JSON".to_owned())?;
    // An error comes as JSON too, with a status of its own.
    if answer["status"] != "success" {
        let told = answer["error"].as_str().unwrap_or("does not say why");
        return Err(format!("an error: {}", told.chars().take(200).collect::<String>()));
    }
    let number = |pair: &Value| pair[1].as_str().and_then(|text| text.parse::<f64>().ok());
    let result = &answer["data"]["result"];
    let samples: Option<Vec<f64>> = match answer["data"]["resultType"].as_str() {
        Some("scalar") => number(result).map(|sample| vec![sample]),
        Some("vector") => result
            .as_array()
            .and_then(|samples| samples.iter().map(|sample| number(&sample["value"])).collect()),
        _ => return Err("the result is neither a vector nor a scalar".to_owned()),
    };
    samples.ok_or_else(|| "a sample is no number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::source::Comparison;
    use super::*;

    fn check(result: &str, rule: &Rule, state: AlarmState, reason: &str) {
        let body = format!(r#"{{"status":"success","data":{result}}}"#);
        let found = judge(200, body.as_bytes(), rule);
        assert_eq!(found, Finding::State(state, reason.to_owned()), "{result}");
    }

    const TWO: &str = r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"0.5"]},{"metric":{},"value":[1,"7"]}]}"#;
    const NONE: &str = r#"{"resultType":"vector","result":[]}"#;

    #[test]
    fn any_sample_is_an_alarm_and_none_is_fine() {
        check(TWO, &Rule::AnySample, AlarmState::Alarm, "The query has 2 samples, the first 0.5");
        check(NONE, &Rule::AnySample, AlarmState::Ok, "The query has no sample");
    }

    #[test]
    fn a_threshold_needs_a_sample() {
        let above = |value| Rule::Threshold { comparison: Comparison::GreaterThan, value };
        check(TWO, &above(5.0), AlarmState::Alarm, "7 is GreaterThanThreshold 5");
        check(TWO, &above(7.0), AlarmState::Ok, "No sample is GreaterThanThreshold 7");
        check(NONE, &above(5.0), AlarmState::InsufficientData, "The query has no sample");
        let scalar = r#"{"resultType":"scalar","result":[1,"9"]}"#;
        check(scalar, &above(5.0), AlarmState::Alarm, "9 is GreaterThanThreshold 5");
        let nan = r#"{"resultType":"scalar","result":[1,"NaN"]}"#;
        check(nan, &above(5.0), AlarmState::Ok, "No sample is GreaterThanThreshold 5");
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        for (body, why) in [
            ("<html>", "no JSON"),
            (r#"{"status":"error","error":"parse error at char 1"}"#, "parse error at char 1"),
            (
                r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
                "neither a vector",
            ),
            (
                r#"{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}"#,
                "no number",
            ),
        ] {
            let found = judge(400, body.as_bytes(), &Rule::AnySample);
            let Finding::Unreadable(reason) = found else { panic!("{found:?}") };
            assert!(reason.contains(why) && reason.contains("HTTP 400"), "{reason}");
        }
    }
}
