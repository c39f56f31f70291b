//! What a group drew over time: its members' draws, averaged over equal spans and summed. A reading holds until the next one of its
//! connector, but no longer than its session, nor than a reading says something of now.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::meter::SAYS_SOMETHING_FOR;
use crate::charging::sessions::{self, Drawn};
use crate::load::groups;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Readings one answer is made of at most; later ones are left out.
const MOST_READINGS: usize = 200_000;

/// What a group drew in one span.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PowerView {
    /// The beginning of the span.
    pub at: Timestamp,
    /// The sum of its members' draws, in kW, averaged over the span, or over what has passed of it.
    pub power: f64,
    /// Of how many of them a reading held in it.
    pub members: usize,
}

/// The stretch of time that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The length of one span.
    pub seconds: i64,
}

/// What everything below a group drew, as far as it is past.
pub(super) fn series(conn: &mut Conn, group: GroupId, stretch: Stretch, now: Timestamp) -> StoreResult<Vec<PowerView>> {
    let tree: Vec<GroupId> = groups::tree_of(conn, group)?.iter().map(|group| group.id).collect();
    let members: Vec<ConnectorId> = groups::members_of(conn, &tree)?.iter().map(|member| member.connector_id).collect();
    let before = stretch.from - SAYS_SOMETHING_FOR;
    let readings = sessions::powers(conn, &members, (before, stretch.to), MOST_READINGS)?;
    Ok(averages(readings, Stretch { to: stretch.to.min(now), ..stretch }))
}

/// The averages of readings, oldest first; those of before the stretch hold on into it.
fn averages(readings: Vec<Drawn>, stretch: Stretch) -> Vec<PowerView> {
    let mut next = BTreeMap::new();
    let mut spans: BTreeMap<i64, (i128, BTreeSet<ConnectorId>)> = BTreeMap::new();
    for reading in readings.into_iter().rev() {
        let until = [next.insert(reading.connector, reading.at), reading.ended_at];
        let longest = (reading.at + SAYS_SOMETHING_FOR).min(stretch.to);
        let until = until.into_iter().flatten().fold(longest, Timestamp::min);
        for (span, micros) in stretch.parts(reading.at, until) {
            let (energy, members) = spans.entry(span).or_default();
            *energy += i128::from(reading.power.get()) * i128::from(micros);
            members.insert(reading.connector);
        }
    }
    let view = |(span, (energy, members)): (i64, (i128, BTreeSet<ConnectorId>))| {
        let (begin, end) = stretch.span(span);
        let power = energy / i128::from((end.micros() - begin.micros()).max(1));
        let power = Watts(i64::try_from(power).unwrap_or(i64::MAX));
        PowerView { at: begin, power: power.kilowatts(), members: members.len() }
    };
    spans.into_iter().map(view).collect()
}

impl Stretch {
    /// Begin and end of a span, as far as it lies in the stretch.
    fn span(self, number: i64) -> (Timestamp, Timestamp) {
        let length = Duration::from_secs(self.seconds.max(1).unsigned_abs());
        let begin = Timestamp::from_micros(self.from.micros() + number * self.seconds.max(1) * 1_000_000);
        (begin, (begin + length).min(self.to))
    }

    /// The spans that lie in a stretch of time, and how many microseconds of it each has.
    fn parts(self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = (i64, i64)> {
        let from = from.max(self.from);
        let first = from.seconds_since(self.from).div_euclid(self.seconds.max(1));
        (first..).map_while(move |number| {
            let (begin, end) = self.span(number);
            let micros = until.min(end).micros() - from.max(begin).micros();
            (micros > 0).then_some((number, micros))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn drawn(number: u8, second: i64, power: i64, ended: Option<i64>) -> Drawn {
        let connector = RawId::from_bytes([number; 12]).into();
        Drawn { connector, at: at(second), power: Watts(power), ended_at: ended.map(at) }
    }

    /// Begin, kW and members of each span.
    fn averaged(readings: &[Drawn], (from, to, seconds): (i64, i64, i64)) -> Vec<(i64, f64, usize)> {
        let stretch = Stretch { from: at(from), to: at(to), seconds };
        let views = averages(readings.to_vec(), stretch);
        views.iter().map(|one| (one.at.unix_seconds(), one.power, one.members)).collect()
    }

    #[test]
    fn a_draw_counts_as_long_as_it_lasts() {
        let readings = [
            drawn(1, 0, 4_000, Some(90)),
            drawn(1, 30, 6_000, Some(90)),
            drawn(2, 40, 9_000, None),
            drawn(2, 60, 2_000, None),
        ];
        // 4 kW for 30 s, 6 kW for 30 s and 9 kW for 20 s; 6 kW for 30 s and 2 kW; 2 kW.
        assert_eq!(averaged(&readings, (0, 180, 60)), [(0, 8.0, 2), (60, 5.0, 2), (120, 2.0, 1)]);
    }

    #[test]
    fn a_reading_of_before_holds_on_and_none_holds_for_ever() {
        let readings = [drawn(1, 0, 3_000, None)];
        assert_eq!(averaged(&readings, (600, 1_200, 200)), [(600, 3.0, 1), (800, 1.5, 1)]);
    }

    #[test]
    fn of_a_span_that_is_not_over_what_passed_counts() {
        let readings = [drawn(1, 0, 3_000, None), drawn(1, 60, 1_000, None)];
        assert_eq!(averaged(&readings, (0, 90, 3_600)), [(0, 2.333, 1)]);
    }

    #[test]
    fn the_reading_of_an_end_says_nothing_of_later() {
        let readings = [drawn(1, 0, 11_000, Some(20)), drawn(1, 20, 11_000, Some(20))];
        assert_eq!(averaged(&readings, (0, 60, 60)), [(0, 3.666, 1)]);
    }
}
