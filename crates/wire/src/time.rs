//! Points in time as AWS JSON 1.1 writes and reads them.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds since 1970-01-01T00:00:00Z, with milliseconds as decimals.
///
/// Written as a JSON number, as the SDKs demand; read from whole numbers, decimals and ISO 8601 text.
/// Source: AWS JSON 1.1 protocol, timestamps in `unixTimestamp` form.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Time(pub f64);

impl Time {
    /// The point `millis` milliseconds after the epoch.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis as f64 / 1000.0)
    }

    /// Milliseconds since the epoch, rounded; times beyond what fits become the nearest that does.
    pub fn as_millis(self) -> i64 {
        (self.0 * 1000.0).round() as i64
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_millis() as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp: seconds since the epoch or ISO 8601 text")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Time, E> {
        Ok(Time(seconds as f64))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Time, E> {
        Ok(Time(seconds as f64))
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Time, E> {
        if seconds.is_finite() {
            Ok(Time(seconds))
        } else {
            Err(E::custom("a timestamp must be finite"))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
        iso8601_millis(text).map(Time::from_millis).ok_or_else(|| {
            E::custom(format_args!(
                "`{}` is not an ISO 8601 time",
                text.chars().take(40).collect::<String>()
            ))
        })
    }
}

/// Days from the epoch to a date of the Gregorian calendar, or nothing if there is no such date.
pub(crate) fn days_from_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if !(1..=length).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last: Hinnant's `days_from_civil`.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The date (year, month, day) that many days after the epoch.
pub(crate) fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A number of exactly the digits in `text`.
pub(crate) fn digits(text: &str) -> Option<i64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Reads `2014-09-03T17:16:16.589Z`; the time of day, its fraction and an offset such as `+02:00` may each be missing.
pub(crate) fn iso8601_millis(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let mut parts = date.splitn(3, '-');
    let mut part = || digits(parts.next()?);
    let days = days_from_epoch(part()?, part()?, part()?)?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let day_millis = if rest.is_empty() { 0 } else { clock_millis(clock)? };
    Some(days * 86_400_000 + day_millis - offset_minutes(zone)? * 60_000)
}

/// Writes a point in time as `2014-09-03T17:16:16.589Z`.
pub(crate) fn iso8601(millis: i64) -> String {
    let (year, month, day) = date_from_days(millis.div_euclid(86_400_000));
    let rest = millis.rem_euclid(86_400_000);
    let (seconds, fraction) = (rest / 1000, rest % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{fraction:03}Z")
}

fn clock_millis(clock: &str) -> Option<i64> {
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = whole.splitn(3, ':');
    let (hours, minutes) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), digits)?;
    digits(fraction)?;
    let millis = digits(&format!("{fraction:0<3}")[..3])?;
    let fits = hours < 24 && minutes < 60 && seconds < 61;
    fits.then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

fn offset_minutes(zone: &str) -> Option<i64> {
    let Some(sign) = zone.chars().next() else { return Some(0) };
    if matches!(sign, 'Z' | 'z') {
        return (zone.len() == 1).then_some(0);
    }
    let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "0"));
    let offset = digits(hours)?.checked_mul(60)?.checked_add(digits(minutes)?)?;
    (offset < 24 * 60).then_some(if sign == '-' { -offset } else { offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<i64> {
        serde_json::from_str::<Time>(json).ok().map(Time::as_millis)
    }

    #[test]
    fn numbers_and_iso_text_are_read() {
        assert_eq!(read("1408406400"), Some(1_408_406_400_000));
        assert_eq!(read("1409764576.589"), Some(1_409_764_576_589));
        assert_eq!(read("1.409764576589E9"), Some(1_409_764_576_589));
        assert_eq!(read("\"2014-09-03T17:16:16.589Z\""), Some(1_409_764_576_589));
        assert_eq!(read("\"2014-09-03T19:16:16+02:00\""), Some(1_409_764_576_000));
        assert_eq!(read("\"2014-08-19\""), Some(1_408_406_400_000));
        for bad in [
            "\"2014-02-29T00:00:00Z\"",
            "\"yesterday\"",
            "\"\"",
            "true",
            "[]",
            "\"2014-09-03T25:00:00Z\"",
            "\"2014-09-03T10:00:00.+9Z\"",
            "\"2014-09-03T10:00:00.€uro\"",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_is_written_as_a_number_with_milliseconds() {
        let written = |millis| serde_json::to_string(&Time::from_millis(millis)).expect("a number");
        assert_eq!(written(1_409_764_576_589), "1409764576.589");
        assert_eq!(written(1_409_764_576_000), "1409764576.0");
    }

    #[test]
    fn dates_and_days_agree() {
        for days in (-10_000..60_000).step_by(13) {
            let (year, month, day) = date_from_days(days);
            assert_eq!(days_from_epoch(year, month, day), Some(days));
        }
        assert_eq!(date_from_days(0), (1970, 1, 1));
        assert_eq!(date_from_days(16_675), (2015, 8, 28));
    }
}
