//! How the API's values are said in words.

use wire::Time;
use wire::codedeploy::RevisionLocation;

/// A revision as a person knows it: `s3://bucket/key`, `github:owner/repository@commit`.
pub fn revision(location: Option<&RevisionLocation>) -> String {
    let Some(location) = location else { return String::new() };
    if let Some(s3) = &location.s3_location {
        let version = s3.version.as_ref().map(|version| format!("?versionId={version}"));
        return format!(
            "s3://{}/{}{}",
            text(s3.bucket.as_ref()),
            text(s3.key.as_ref()),
            version.unwrap_or_default()
        );
    }
    if let Some(hub) = &location.git_hub_location {
        let commit = text(hub.commit_id.as_ref());
        return format!("github:{}@{commit}", text(hub.repository.as_ref()));
    }
    location.revision_type.clone().unwrap_or_default()
}

/// A value that may be missing.
pub fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

/// A time by the clock of this machine.
pub fn time(time: Option<Time>) -> String {
    time.and_then(|time| jiff::Timestamp::from_millisecond(time.as_millis()).ok())
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()))
        .map_or_else(String::new, |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// How long something took or takes, in milliseconds.
pub fn duration(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match seconds {
        0..=9 => format!("{}.{} s", seconds, (millis.max(0) % 1000) / 100),
        10..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// From one time to another, or to now.
pub fn between(from: Option<Time>, to: Option<Time>) -> String {
    let Some(from) = from else { return String::new() };
    let to = to.map_or_else(|| jiff::Timestamp::now().as_millisecond(), Time::as_millis);
    duration(to - from.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_the_units_that_matter() {
        let said = [250, 9_990, 61_000, 150_000, 7_260_000].map(duration);
        assert_eq!(said, ["0.2 s", "9.9 s", "61 s", "2 min 30 s", "2 h 01 min"]);
        assert_eq!(duration(-5), "0.0 s");
    }
}
