//! Up to where each kind of data was deleted, which moves by at most a day at a time.
//!
//! A clock of the host that is wrong by a hundred days must not delete a hundred days: the horizon is kept in the store, moves once in
//! [`STEP_EVERY`] at most, and by [`STEP`] at most. After a long time without the server it catches up, two days a day.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;

use crate::db::schema::counters;
use crate::db::{Conn, StoreResult};
use crate::each;
use crate::kernel::{OrganizationId, RawId, Timestamp};

/// How far a horizon moves at once.
const STEP: Duration = Duration::from_secs(24 * 3_600);
/// How often a horizon moves; shorter than a step, so that it catches up.
const STEP_EVERY: Duration = Duration::from_secs(12 * 3_600);

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

    fn next(
        known: Option<(Timestamp, Timestamp)>,
        now: Timestamp,
        wanted: Timestamp,
        oldest: Option<Timestamp>,
    ) -> Self {
        let Some((from, moved)) = known else {
            // The first time: nothing is older than this.
            let from = oldest.map_or(wanted, |oldest| oldest.min(wanted));
            return Self {
                from,
                to: from,
                moved: now,
            };
        };
        if now < moved {
            // The clock was put back: the next step is counted from here.
            return Self {
                from,
                to: from,
                moved: now,
            };
        }
        if now.since(moved) < STEP_EVERY {
            return Self {
                from,
                to: from,
                moved,
            };
        }
        let to = wanted.min(from + STEP).max(from);
        Self {
            from,
            to,
            moved: now,
        }
    }
}

/// What was deleted in one go.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// Rows of each organization.
    pub rows: BTreeMap<OrganizationId, usize>,
    /// Where to go on; none where there is no more.
    pub next: Option<RawId>,
}

impl Forgotten {
    /// Counts rows of an organization.
    pub fn count(&mut self, organization: OrganizationId, rows: usize) {
        if rows > 0 {
            *self.rows.entry(organization).or_default() += rows;
        }
    }
}

/// Where the horizon of a kind of data stands, of which everything older than `keep` is to go; `oldest` is its oldest row.
pub fn horizon(
    conn: &mut Conn,
    kind: &str,
    (now, keep): (Timestamp, Duration),
    oldest: Option<Timestamp>,
) -> StoreResult<Horizon> {
    let from = read(conn, &format!("retention:{kind}"))?;
    let moved = read(conn, &format!("retention_moved:{kind}"))?;
    Ok(Horizon::next(from.zip(moved), now, now - keep, oldest))
}

/// Keeps that what is older than the horizon was deleted.
pub fn keep_horizon(conn: &mut Conn, kind: &str, horizon: Horizon) -> StoreResult<()> {
    write(conn, &format!("retention:{kind}"), horizon.to)?;
    write(conn, &format!("retention_moved:{kind}"), horizon.moved)
}

fn read(conn: &mut Conn, name: &str) -> StoreResult<Option<Timestamp>> {
    let value: Option<i64> = counters::table
        .find(name)
        .select(counters::value)
        .first(conn)
        .optional()?;
    Ok(value.map(Timestamp::from_micros))
}

fn write(conn: &mut Conn, name: &str, at: Timestamp) -> StoreResult<()> {
    keep_counter(conn, name, at.micros())
}

/// Stores a number by its name.
pub fn keep_counter(conn: &mut Conn, name: &str, value: i64) -> StoreResult<()> {
    let row = (counters::name.eq(name), counters::value.eq(value));
    each!(conn, |conn| diesel::insert_into(counters::table)
        .values(row)
        .on_conflict(counters::name)
        .do_update()
        .set(counters::value.eq(value))
        .execute(conn))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn day(number: u32) -> Timestamp {
        Timestamp::default() + DAY * number
    }

    #[test]
    fn a_clock_that_jumps_moves_it_by_a_day() {
        let first = Horizon::next(None, day(100), day(10), Some(day(10)));
        assert_eq!((first.from, first.to), (day(10), day(10)));
        let known = Some((first.to, first.moved));

        let jumped = Horizon::next(known, day(200), day(110), None);
        assert_eq!((jumped.from, jumped.to), (day(10), day(11)));
        let again = Horizon::next(
            Some((jumped.to, jumped.moved)),
            day(200) + HOUR * 11,
            day(110),
            None,
        );
        assert!(!again.moves());

        let back = Horizon::next(Some((jumped.to, jumped.moved)), day(100), day(10), None);
        assert_eq!(
            (back.moves(), back.to, back.moved),
            (false, day(11), day(100))
        );
    }

    #[test]
    fn day_by_day_it_keeps_up_and_after_a_pause_it_catches_up() {
        let mut known = Some((day(10), day(100)));
        for half in 1..=20 {
            let now = day(100) + HOUR * 12 * half;
            let next = Horizon::next(known, now, now - DAY * 90, None);
            assert_eq!(next.to, now - DAY * 90);
            known = Some((next.to, next.moved));
        }
        let paused = Horizon::next(Some((day(10), day(100))), day(120), day(30), None);
        assert_eq!(paused.to, day(11));
    }
}
