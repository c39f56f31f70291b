//! Up to where each kind of data was deleted, which moves by at most a day at a time.
//!
//! A clock of the host that is wrong by a hundred days must not delete a hundred days: the horizon is kept in the store, moves once in
//! [`STEP_EVERY`] at most, and by [`STEP`] at most, and only while the clock goes as fast as the server runs, see [`Pace`]. After a
//! long time without the server it catches up, two days a day.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::store::{Conn, StoreResult, counters};
use kernel::{OrganizationId, Timestamp};

/// How far a horizon moves at once.
const STEP: Duration = Duration::from_secs(24 * 3_600);
/// How often a horizon moves; shorter than a step, so that it catches up.
const STEP_EVERY: Duration = Duration::from_secs(12 * 3_600);
/// By how much the clock may go faster or slower than the server runs, altogether, until it is doubted.
const SLACK: Duration = Duration::from_secs(2 * 3_600);

/// Whether the clock of the host can be believed: it goes as fast as the server runs, which is counted by rounds of a loop and
/// nobody can set. After a jump it is believed when it has gone on for `STEP_EVERY`.
#[derive(Debug, Clone)]
pub struct Pace {
    round: Duration,
    running: Duration,
    start: Option<Timestamp>,
    doubted_until: Duration,
}

impl Pace {
    /// The pace of a loop that runs this often.
    pub fn new(round: Duration) -> Self {
        Self { round, running: Duration::ZERO, start: None, doubted_until: Duration::ZERO }
    }

    /// Counts a round at which the clock shows `now`.
    pub fn round(&mut self, now: Timestamp) -> Trust {
        let Some(start) = self.start else {
            self.start = Some(now);
            return Trust::Unknown;
        };
        self.running += self.round;
        let expected = start + self.running;
        if now.since(expected) > SLACK || expected.since(now) > SLACK {
            self.start = Some(now - self.running);
            self.doubted_until = self.running + STEP_EVERY;
        }
        if self.running < self.doubted_until {
            Trust::Doubted
        } else if self.running < STEP_EVERY {
            Trust::Unknown
        } else {
            Trust::Steady
        }
    }
}

/// What is known of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The server has not run for long: a step may be made, as the clock was right before.
    Unknown,
    /// It jumped: no step.
    Doubted,
    /// It has gone on without a jump.
    Steady,
}

/// Where a horizon stands, and where it may move to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// What is older was deleted.
    pub from: Timestamp,
    /// What is older may be deleted now.
    pub to: Timestamp,
    moved: Timestamp,
}

impl Horizon {
    /// Whether there is something new to delete.
    pub fn moves(&self) -> bool {
        self.from < self.to
    }

    fn stands(at: Timestamp, moved: Timestamp) -> Self {
        Self { from: at, to: at, moved }
    }

    fn next(
        known: Option<(Timestamp, Timestamp)>,
        (now, trust): (Timestamp, Trust),
        wanted: Timestamp,
        oldest: Option<Timestamp>,
    ) -> Self {
        let Some((from, moved)) = known else {
            // The first time: nothing is older than this.
            return Self::stands(oldest.map_or(wanted, |oldest| oldest.min(wanted)), now);
        };
        if now < moved {
            // The clock was put back: the next step is counted from here.
            return Self::stands(from, now);
        }
        if trust == Trust::Doubted || now.since(moved) < STEP_EVERY {
            return Self::stands(from, moved);
        }
        if trust == Trust::Steady && wanted + STEP < from {
            // It once went too far ahead, by a clock that was wrong for long: what came since has its full time.
            let back = oldest.map_or(from, |oldest| oldest.max(wanted).min(from));
            return Self::stands(back, now);
        }
        Self { from, to: wanted.min(from + STEP).max(from), moved: now }
    }
}

/// Where to go on with deleting: at a row, and within what belongs to it at a number, such as an instant or a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// The id of the row, or what is next after it.
    pub id: String,
    /// The number; 0 from the beginning.
    pub number: i64,
}

impl Mark {
    /// At what comes next after this id.
    pub fn after(id: impl ToString) -> Self {
        Self { id: format!("{}0", id.to_string()), number: 0 }
    }

    /// At this id, from an instant on.
    pub fn at(id: impl ToString, at: Timestamp) -> Self {
        Self { id: id.to_string(), number: at.micros() }
    }

    /// Its number as an instant.
    pub fn instant(&self) -> Timestamp {
        Timestamp::from_micros(self.number)
    }
}

/// What was deleted in one go.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// Rows of each organization.
    pub rows: BTreeMap<OrganizationId, usize>,
    /// Where to go on; none where there is no more.
    pub next: Option<Mark>,
}

impl Forgotten {
    /// Counts rows of an organization.
    pub fn count(&mut self, organization: OrganizationId, rows: usize) {
        if rows > 0 {
            *self.rows.entry(organization).or_default() += rows;
        }
    }
}

/// Deletes the rows of a table that a query finds, and counts them; the query says how many at most.
#[macro_export]
macro_rules! forget_found {
    ($conn:expr, $table:ident, $id:ty, $found:expr) => {{
        let found: Vec<($id, ::kernel::OrganizationId)> =
            $found.select(($table::id, $table::organization_id)).load($conn)?;
        let ids: Vec<$id> = found.iter().map(|(id, _)| *id).collect();
        diesel::delete($table::table.filter($table::id.eq_any(ids))).execute($conn)?;
        let mut forgotten = $crate::events::Forgotten::default();
        for (id, organization) in found {
            forgotten.count(organization, 1);
            forgotten.next = Some($crate::events::Mark::after(id));
        }
        Ok(forgotten)
    }};
}

/// Where the horizon of a kind of data moves to, of which everything older than `wanted` is to go; none where it stays as it is.
/// `oldest` says how old the data is.
pub fn horizon(
    conn: &mut Conn,
    kind: &str,
    clock: (Timestamp, Trust),
    wanted: Timestamp,
    oldest: fn(&mut Conn) -> StoreResult<Option<Timestamp>>,
) -> StoreResult<Option<Horizon>> {
    let from = forgotten_before(conn, kind)?;
    let moved = read(conn, &format!("retention_moved:{kind}"))?;
    let known = from.zip(moved);
    let oldest = match known {
        Some((from, _)) if wanted + STEP >= from => None,
        _ => oldest(conn)?,
    };
    let next = Horizon::next(known, clock, wanted, oldest);
    Ok((known != Some((next.to, next.moved))).then_some(next))
}

/// What is older of a kind of data was deleted.
pub fn forgotten_before(conn: &mut Conn, kind: &str) -> StoreResult<Option<Timestamp>> {
    read(conn, &format!("retention:{kind}"))
}

/// Keeps that what is older than the horizon was deleted.
pub fn keep_horizon(conn: &mut Conn, kind: &str, horizon: Horizon) -> StoreResult<()> {
    write(conn, &format!("retention:{kind}"), horizon.to)?;
    write(conn, &format!("retention_moved:{kind}"), horizon.moved)
}

fn read(conn: &mut Conn, name: &str) -> StoreResult<Option<Timestamp>> {
    Ok(counters::find(conn, name)?.map(Timestamp::from_micros))
}

fn write(conn: &mut Conn, name: &str, at: Timestamp) -> StoreResult<()> {
    counters::keep(conn, name, at.micros())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn day(number: u32) -> Timestamp {
        Timestamp::default() + DAY * number
    }

    fn next(known: (Timestamp, Timestamp), now: Timestamp, trust: Trust, wanted: Timestamp) -> Horizon {
        Horizon::next(Some(known), (now, trust), wanted, None)
    }

    #[test]
    fn a_clock_that_is_wrong_for_long_moves_it_by_a_day() {
        let first = Horizon::next(None, (day(100), Trust::Unknown), day(10), Some(day(10)));
        assert_eq!((first.from, first.to), (day(10), day(10)));
        let known = (first.to, first.moved);

        let doubted = next(known, day(200), Trust::Doubted, day(110));
        assert_eq!((doubted.to, doubted.moved), (day(10), day(100)));
        let jumped = next(known, day(200), Trust::Steady, day(110));
        assert_eq!((jumped.from, jumped.to), (day(10), day(11)));
        let known = (jumped.to, jumped.moved);
        assert!(!next(known, day(200) + HOUR * 11, Trust::Steady, day(110)).moves());

        let back = next(known, day(100), Trust::Steady, day(10));
        assert_eq!((back.moves(), back.to, back.moved), (false, day(11), day(100)));
    }

    #[test]
    fn day_by_day_it_keeps_up_and_after_a_pause_it_catches_up() {
        let mut known = (day(10), day(100));
        for half in 1..=20 {
            let now = day(100) + HOUR * 12 * half;
            let next = next(known, now, Trust::Steady, now - DAY * 90);
            assert_eq!(next.to, now - DAY * 90);
            known = (next.to, next.moved);
        }
        let paused = next((day(10), day(100)), day(120), Trust::Unknown, day(30));
        assert_eq!(paused.to, day(11));
    }

    #[test]
    fn years_of_old_rows_go_from_the_oldest_on() {
        let known = None;
        let first = Horizon::next(known, (day(2_000), Trust::Unknown), day(1_600), Some(day(5)));
        assert_eq!((first.moves(), first.to), (false, day(5)));
        let known = (first.to, first.moved);
        let second = next(known, day(2_000) + HOUR * 12, Trust::Steady, day(1_600));
        assert_eq!((second.from, second.to), (day(5), day(6)));
    }

    #[test]
    fn what_went_too_far_ahead_comes_back_to_the_oldest_row() {
        let (known, now) = (Some((day(50), day(100))), (day(101), Trust::Steady));
        let oldest = |oldest| Horizon::next(known, now, day(11), oldest).to;
        assert_eq!(oldest(Some(day(30))), day(30));
        assert_eq!(oldest(Some(day(3))), day(11));
        assert_eq!(oldest(None), day(50));
    }

    #[test]
    fn a_jump_is_believed_after_twelve_hours() {
        let mut pace = Pace::new(HOUR);
        let mut now = day(100);
        assert_eq!(pace.round(now), Trust::Unknown);
        for hour in 1..=12 {
            now = now + HOUR;
            let known = if hour < 12 { Trust::Unknown } else { Trust::Steady };
            assert_eq!(pace.round(now), known);
        }
        now = now + DAY * 100;
        for _ in 0..12 {
            now = now + HOUR;
            assert_eq!(pace.round(now), Trust::Doubted);
        }
        assert_eq!(pace.round(now + HOUR), Trust::Steady);
    }

    /// A clock of the host: how far off it is, in hours, and for how many hours.
    fn errors() -> impl Strategy<Value = Vec<(i64, u32)>> {
        let off = prop_oneof![3 => Just(0), 1 => -5_000_i64..5_000];
        proptest::collection::vec((off, 1_u32..60), 1..40)
    }

    proptest! {
        /// While a server runs, no horizon moves by more than a day in twelve hours, wherever the clock walks; and of what is
        /// younger than its time by the true clock no more goes than a day for each twelve hours in which the clock was ahead.
        #[test]
        fn however_the_clock_walks(errors in errors()) {
            let keep = DAY * 90;
            let start = Timestamp::from_unix_seconds(1_777_000_000);
            let (mut truth, mut pace) = (start, Pace::new(HOUR));
            let mut known: Option<(Timestamp, Timestamp)> = Some((start - keep, start));
            let (mut steps, mut ahead): (Vec<Timestamp>, u32) = (Vec::new(), 0);
            for (off, hours) in errors {
                for _ in 0..hours {
                    truth = truth + HOUR;
                    ahead += u32::from(off > 0);
                    let now = Timestamp::from_micros(truth.micros() + off * 3_600_000_000);
                    let trust = pace.round(now);
                    let next = Horizon::next(known, (now, trust), now - keep, Some(start - keep));
                    if next.moves() {
                        prop_assert!(next.to.since(next.from) <= STEP);
                        if let Some(last) = steps.last() {
                            prop_assert!(truth.since(*last) >= STEP_EVERY - SLACK * 2);
                        }
                        steps.push(truth);
                        let early = next.to.since(truth - keep);
                        prop_assert!(early <= SLACK + DAY * (ahead / 12 + 1), "{early:?} after {ahead} hours ahead");
                        prop_assert!(ahead > 0 || early.is_zero());
                    }
                    known = Some((next.to, next.moved));
                }
            }
        }
    }
}
