//! Which starts and stops are repetitions: natural keys, by which they are found again, and what the clock of a station
//! that was never set or stands still says about that.

use std::time::Duration;

use super::energy::believed;
use super::model::Session;
use super::stops::StopReport;
use super::store;
use super::transactions::StartReport;
use crate::sites::stations;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// How long after the end of a session its start may be repeated by a clock that was never set.
const AGAIN_WITHIN: Duration = Duration::from_secs(600);
/// Times of one station this close together are one.
pub(super) const OF_ONE_TIME: Duration = Duration::from_millis(1);

/// What the natural key of a start begins and ends with; its time stands between.
pub(super) fn start_key_ends(report: &StartReport) -> (String, String) {
    let connector = report.connector.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let register = report.meter_start.map_or_else(|| "?".to_owned(), |register| register.get().to_string());
    (format!("{}/{connector}/{register}/", report.station), format!("/{}", report.id_tag.to_lowercase()))
}

/// The natural key of a start; one without a time has that of its receipt, marked as such.
pub(super) fn start_key(report: &StartReport, now: Timestamp) -> String {
    let (begin, end) = start_key_ends(report);
    match report.station_time {
        Some(at) => format!("{begin}{}{end}", at.micros()),
        None => format!("{begin}?{}{end}", now.micros()),
    }
}

/// The natural key of a stop.
pub(super) fn stop_key(report: &StopReport) -> String {
    let reported = |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |it| it.to_string());
    format!(
        "{}/{}/{}/{}",
        report.station,
        reported(report.transaction),
        reported(report.meter_stop.map(WattHours::get)),
        reported(report.station_time.map(Timestamp::micros)),
    )
}

/// The station's own time in the key of a start or a stop; none where it sent none.
pub(super) fn own_time(key: Option<&str>) -> Option<Timestamp> {
    let micros = key?.split('/').nth(3)?;
    micros.parse().ok().map(Timestamp::from_micros)
}

/// Whether a start in the very words of that of a session is that one repeated, though the session may be over. Both times
/// are by the clock of the station: when it said that the session began, and that it ended.
///
/// A clock that is set shows no instant twice. One that shows the same at the begin and at the end stands still, and does so
/// for the next session, too; one that was never set may show the same after each boot.
pub(super) fn is_repeated_start(
    conn: &mut Conn,
    now: Timestamp,
    session: &Session,
    (began, ended): (Timestamp, Option<Timestamp>),
) -> StoreResult<bool> {
    if session.is_open() || session.is_over_by_assumption() {
        return Ok(true);
    }
    if ended.is_some_and(|ended| ended < began + OF_ONE_TIME) {
        return Ok(false);
    }
    let was_set = believed(began.min(now), now) == began.min(now);
    if was_set {
        return Ok(true);
    }
    let end = session.heard_at().unwrap_or(session.updated_at);
    let booted = stations::booted_at(conn, session.chargestation_id)?;
    Ok(now.since(end) < AGAIN_WITHIN
        && booted.is_none_or(|booted| booted <= end)
        && !store::began_since(conn, session.chargestation_id, end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_stands_in_a_key_unless_none_was_sent() {
        assert_eq!(
            own_time(Some("s/c/1000/1777000000000000/card/7")),
            Some(Timestamp::from_unix_seconds(1_777_000_000))
        );
        assert_eq!(own_time(Some("s/c/1000/?1777000000000000/card")), None);
        assert_eq!(own_time(Some("s/7/9000/?")), None);
        assert_eq!(own_time(None), None);
    }
}
