//! Times as stations write them: with any number of fractional digits, with odd offsets, or without a zone.

use chrono::{NaiveDateTime, TimeDelta};

use kernel::Timestamp;

/// A time that could be read, and how far it was from RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadTime {
    /// As the specification wants it.
    Exact(Timestamp),
    /// All there, but oddly written, such as `+0100` instead of `+01:00`.
    Odd(Timestamp),
    /// Without a zone; taken as UTC.
    WithoutZone(Timestamp),
}

/// Hours a zone may be away from UTC (Kiribati is 14 ahead).
const LARGEST_OFFSET_HOURS: i64 = 14;

/// Reads a time; `None` when no date and time of day can be found in it.
pub fn read_time(text: &str) -> Option<ReadTime> {
    if let Ok(exact) = text.parse() {
        return Some(ReadTime::Exact(exact));
    }
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"');
    let (date, rest) = text.split_at_checked("2026-05-01".len())?;
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    let zone_start = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ',')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_start)?;
    let clock = clock.replace(',', ".");
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&format!("{date}T{clock}"), format).ok())?;
    let utc = |offset: TimeDelta| local.checked_sub_signed(offset).map(|time| Timestamp::from(time.and_utc()));
    match zone.trim() {
        "" => utc(TimeDelta::zero()).map(ReadTime::WithoutZone),
        zone => utc(offset(zone)?).map(ReadTime::Odd),
    }
}

/// Reads seconds or milliseconds since 1970, as some stations write a time; nothing where it can be neither.
pub fn since_1970(number: i64) -> Option<Timestamp> {
    /// The year 2100, in seconds: in milliseconds as many are in January 1970.
    const LATEST_SECONDS: i64 = 4_102_444_800;
    match number {
        0..=LATEST_SECONDS => Some(Timestamp::from_unix_seconds(number)),
        _ if (0..=LATEST_SECONDS).contains(&(number / 1_000)) => {
            let whole = Timestamp::from_unix_seconds(number / 1_000);
            let rest = u64::try_from(number % 1_000).ok()?;
            Some(whole + std::time::Duration::from_millis(rest))
        }
        _ => None,
    }
}

/// Reads `Z`, `+0100`, `+01:00`, `+1:00`, `-01`.
fn offset(zone: &str) -> Option<TimeDelta> {
    if zone.eq_ignore_ascii_case("Z") || zone.eq_ignore_ascii_case("UTC") {
        return Some(TimeDelta::zero());
    }
    let (sign, digits) = match zone.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None => digits
            .split_at_checked(digits.len().saturating_sub(2))
            .filter(|_| digits.len() > 2)
            .unwrap_or((digits, "0")),
    };
    let hours: i64 = hours.parse().ok()?;
    let minutes: i64 = minutes.parse().ok()?;
    let sane = (0..=LARGEST_OFFSET_HOURS).contains(&hours) && (0..60).contains(&minutes);
    sane.then(|| TimeDelta::minutes(sign * (hours * 60 + minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(&'static str, String)> {
        read_time(text).map(|time| match time {
            ReadTime::Exact(at) => ("exact", at.to_string()),
            ReadTime::Odd(at) => ("odd", at.to_string()),
            ReadTime::WithoutZone(at) => ("no zone", at.to_string()),
        })
    }

    #[test]
    fn rfc_3339_is_exact_with_any_number_of_digits() {
        for text in [
            "2026-05-01T08:30:00Z",
            "2026-05-01T08:30:00z",
            "2026-05-01T08:30:00.000Z",
            "2026-05-01T08:30:00.000000000Z",
            "2026-05-01T10:30:00+02:00",
        ] {
            assert_eq!(read(text), Some(("exact", "2026-05-01T08:30:00.000Z".into())), "{text}");
        }
    }

    #[test]
    fn odd_spellings_are_read_and_distinguished() {
        for text in [
            "2026-05-01T10:30:00+0200",
            "2026-05-01T10:30:00+02",
            "2026-05-01T10:30:00+2:00",
            " 2026-05-01T08:30:00Z ",
            "2026-05-01T08:30:00,000Z",
            "2026-05-01T08:30Z",
            "2026-05-01  08:30:00 UTC",
            "2026-05-01T06:00:00-0230",
        ] {
            assert_eq!(read(text), Some(("odd", "2026-05-01T08:30:00.000Z".into())), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_taken_as_utc() {
        for text in ["2026-05-01T08:30:00", "2026-05-01 08:30:00.000", "2026-05-01T08:30"] {
            assert_eq!(read(text), Some(("no zone", "2026-05-01T08:30:00.000Z".into())), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in [
            "",
            "yesterday",
            "2026-05-01",
            "0000-00-00T00:00:00Z",
            "2026-02-30T08:30:00Z",
            "2026-05-01T08:30:00+99",
            "2026-05-01T08:30:00 noon",
            "é".repeat(12).as_str(),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
