//! How the API's values are said in words.

use wire::Time;
use wire::codedeploy::{GitHubLocation, RevisionLocation, S3Location};

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

/// The revision that [`revision`] writes like this. The type of a bundle in S3 is that of its key's ending, else
/// `bundle_type`.
pub fn read_revision(text: &str, bundle_type: &str) -> Option<RevisionLocation> {
    if let Some(rest) = text.strip_prefix("github:") {
        let (repository, commit) = rest.split_once('@')?;
        let is_whole = repository.split_once('/').is_some() && !commit.is_empty();
        return is_whole.then(|| RevisionLocation {
            revision_type: Some("GitHub".to_owned()),
            git_hub_location: Some(GitHubLocation {
                repository: Some(repository.to_owned()),
                commit_id: Some(commit.to_owned()),
            }),
            ..Default::default()
        });
    }
    let (bucket, rest) = text.strip_prefix("s3://")?.split_once('/')?;
    let (key, version) = match rest.rsplit_once("?versionId=") {
        Some((key, version)) => (key, Some(version.to_owned())),
        None => (rest, None),
    };
    if bucket.is_empty() || key.is_empty() {
        return None;
    }
    let endings = [(".zip", "zip"), (".tgz", "tgz"), (".tar.gz", "tgz"), (".tar", "tar")];
    let by_name = endings.into_iter().find(|(ending, _)| key.ends_with(ending));
    Some(RevisionLocation {
        revision_type: Some("S3".to_owned()),
        s3_location: Some(S3Location {
            bucket: Some(bucket.to_owned()),
            key: Some(key.to_owned()),
            bundle_type: Some(by_name.map_or(bundle_type, |(_, kind)| kind).to_owned()),
            version,
            ..Default::default()
        }),
        ..Default::default()
    })
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

/// So many of something.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A size, in the unit that matters.
pub fn bytes(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
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

    #[test]
    fn sizes_are_said_in_the_units_that_matter() {
        let said = [0, 1023, 1024, 1_572_864, 5 << 40].map(bytes);
        assert_eq!(said, ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "5.0 TiB"]);
    }

    #[test]
    fn a_revision_is_read_as_it_is_written() {
        for text in [
            "s3://releases/shop/1.4.tar.gz",
            "s3://releases/1?versionId=v7",
            "github:acme/shop@0a1b",
        ] {
            let read = read_revision(text, "zip").unwrap();
            assert_eq!(revision(Some(&read)), text);
        }
        let kind =
            |text: &str| read_revision(text, "tar").unwrap().s3_location.unwrap().bundle_type;
        assert_eq!(kind("s3://releases/1.tar.gz").as_deref(), Some("tgz"));
        assert_eq!(kind("s3://releases/1").as_deref(), Some("tar"));
        for wrong in
            ["releases/1.zip", "s3://releases", "s3:///1", "s3://b/", "github:acme@1", "github:a/b"]
        {
            assert!(read_revision(wrong, "zip").is_none(), "{wrong}");
        }
    }
}
