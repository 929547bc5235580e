//! The times of signatures: basic ISO 8601, and the `Date` header's form.

use crate::time::{date_from_days, days_from_epoch, digits};

const DAY_SECONDS: i64 = 86_400;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Writes `20150830T123600Z`.
pub(super) fn basic(seconds: i64) -> String {
    let (year, month, day) = date_from_days(seconds.div_euclid(DAY_SECONDS));
    let time = seconds.rem_euclid(DAY_SECONDS);
    let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}{month:02}{day:02}T{hours:02}{minutes:02}{seconds:02}Z")
}

/// Reads `20150830T123600Z`, to seconds since the epoch.
pub(super) fn parse_basic(text: &str) -> Option<i64> {
    let bytes_fit = text.len() == 16 && text.is_ascii();
    if !bytes_fit || &text[8..9] != "T" || &text[15..] != "Z" {
        return None;
    }
    let days = days_from_epoch(digits(&text[..4])?, digits(&text[4..6])?, digits(&text[6..8])?)?;
    clock(digits(&text[9..11])?, digits(&text[11..13])?, digits(&text[13..15])?)
        .map(|time| days * DAY_SECONDS + time)
}

/// Reads a `Date` header: `Fri, 24 May 2013 00:00:00 GMT`, or the basic form, which some clients put there.
pub(super) fn parse_header(text: &str) -> Option<i64> {
    parse_basic(text).or_else(|| parse_rfc1123(text))
}

fn parse_rfc1123(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day = digits(parts.next()?)?;
    let month = parts.next()?;
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month)?.1;
    let year = digits(parts.next()?)?;
    let mut time = parts.next()?.split(':');
    let mut part = || digits(time.next()?);
    let time = clock(part()?, part()?, part()?)?;
    (parts.next() == Some("GMT")).then_some(())?;
    Some(days_from_epoch(year, month, day)? * DAY_SECONDS + time)
}

fn clock(hours: i64, minutes: i64, seconds: i64) -> Option<i64> {
    (hours < 24 && minutes < 60 && seconds < 61).then_some(hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(parse_basic("20150830T123600Z"), Some(1_440_938_160));
        assert_eq!(basic(1_440_938_160), "20150830T123600Z");
        assert_eq!(parse_header("Fri, 24 May 2013 00:00:00 GMT"), parse_basic("20130524T000000Z"));
        for bad in [
            "",
            "20150830T1236Z",
            "20150230T123600Z",
            "20150830T253600Z",
            "2015083éT123600",
            "24 May 2013",
            "Fri, 24 May 2013 00:00:00 CET",
        ] {
            assert_eq!(parse_header(bad), None, "{bad}");
        }
    }
}
