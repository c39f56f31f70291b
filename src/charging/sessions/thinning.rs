//! Old readings of a session that is over: of each quarter of an hour one stays, as it was measured. What a bill is proven by stays
//! whole: the first and the last reading, what marks a beginning, an end or an interruption, what is aligned to the clock, and
//! what is signed. Energy, times and cost are the session's own, and are not computed again.

use std::collections::HashSet;

use super::chunks::{self, Whose};
use super::packed::Stored;
use super::retention::Went;
use super::{evidence, moving};
use crate::store::{Conn, StoreResult};
use kernel::*;

/// What one reading stays of.
const QUARTER_SECONDS: i64 = 900;
/// Contexts of readings that all stay, also as older programs wrote them.
const ALL_STAY: [&str; 8] =
    ["Begin", "End", "Clock", "Interrupted", "Resumed", "Transaction.Begin", "Transaction.End", "Sample.Clock"];

/// Thins the readings of a session. Rows of its own that it still has come into chunks first.
pub(super) fn thin(conn: &mut Conn, session: SessionId) -> StoreResult<Went> {
    if !moving::move_some_of(conn, session)? {
        return Ok(Went { rows: 0, looked_at: 0, is_all: false });
    }
    let chunks = chunks::of_session(conn, session)?;
    let all: usize = chunks.iter().map(|chunk| chunk.readings.len()).sum();
    let went = |rows| Went { rows, looked_at: all, is_all: true };
    let (Some(connector), true) = (chunks.first().map(chunks::Chunk::connector), all > 2) else {
        return Ok(went(0));
    };
    let signed = evidence::times_of(conn, session)?;
    let readings = chunks.iter().flat_map(|chunk| chunk.readings.iter().cloned());
    let kept = thinned(readings.collect(), &signed);
    if kept.len() < all {
        let last_report = chunks.iter().map(|chunk| chunk.last_report).max().unwrap_or_default();
        let whose = Whose { connector, session: Some(session) };
        chunks::replace(conn, &chunks, last_report, (whose, &kept))?;
    }
    Ok(went(all - kept.len()))
}

/// What stays of readings: of each quarter of an hour the last one, and where that has no register or no power, the last one
/// that has.
fn thinned(mut readings: Vec<Stored>, signed: &HashSet<Timestamp>) -> Vec<Stored> {
    readings.sort_by_key(Stored::order);
    let ends = readings.first().zip(readings.last()).map(|(first, last)| (first.order(), last.order()));
    let stays = |one: &Stored| {
        ALL_STAY.contains(&&*one.context)
            || signed.contains(&one.station_time)
            || ends.is_some_and(|(first, last)| one.order() == first || one.order() == last)
    };
    let mut kept: Vec<Stored> = Vec::new();
    let (mut quarter, mut has_register, mut has_power) = (None, false, false);
    for one in readings.into_iter().rev() {
        if stays(&one) {
            kept.push(one);
            continue;
        }
        let own = Some(one.at.unix_seconds().div_euclid(QUARTER_SECONDS));
        let (register, power) = (one.reading.energy.is_some(), one.reading.power.is_some());
        if own != quarter {
            (quarter, has_register, has_power) = (own, register, power);
        } else if (register && !has_register) || (power && !has_power) {
            (has_register, has_power) = (has_register || register, has_power || power);
        } else {
            continue;
        }
        kept.push(one);
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::readings::Reading;
    use super::*;

    fn reading(seconds: i64, context: &str, (register, power): (Option<i64>, Option<i64>)) -> Stored {
        let at = Timestamp::from_unix_seconds(seconds);
        Stored {
            at,
            context: context.to_owned().into(),
            station_time: at,
            received_at: at + Duration::from_secs(1),
            reading: Reading { energy: register.map(WattHours), power: power.map(Watts), ..Reading::default() },
            delivered: None,
            raw: "{}".into(),
        }
    }

    fn seconds(readings: &[Stored]) -> Vec<i64> {
        readings.iter().map(|one| one.at.unix_seconds()).collect()
    }

    #[test]
    fn of_a_quarter_of_an_hour_the_last_reading_stays_and_all_that_proves_something() {
        let (both, power) = ((Some(5), Some(5)), (None, Some(5)));
        let readings = vec![
            reading(0, "Periodic", both), // the first
            reading(10, "Periodic", both),
            reading(20, "Clock", both),
            reading(30, "Periodic", both), // signed
            reading(40, "Interrupted", both),
            reading(700, "Trigger", both),
            reading(899, "Periodic", both), // the last of its quarter
            reading(900, "Periodic", both),
            reading(1_000, "Periodic", both), // the last register of its quarter
            reading(1_100, "Periodic", power),
            reading(1_200, "Periodic", power), // the last of its quarter
            reading(1_900, "Periodic", both),
            reading(2_000, "End", both), // the last
        ];
        let signed = HashSet::from([Timestamp::from_unix_seconds(30)]);
        let kept = thinned(readings, &signed);
        assert_eq!(seconds(&kept), [0, 20, 30, 40, 899, 1_000, 1_200, 1_900, 2_000]);
        assert_eq!(thinned(kept.clone(), &signed), kept);
        assert_eq!(thinned(Vec::new(), &signed), []);
    }

    proptest! {
        #[test]
        fn what_comes_later_is_thinned_as_if_it_had_been_there(
            all in proptest::collection::vec((0_i64..5_000, any::<bool>(), any::<bool>(), 0_usize..4, any::<bool>()), 0..60),
        ) {
            let mut seen = HashSet::new();
            let all = all.into_iter().filter(|(seconds, ..)| seen.insert(*seconds));
            let made = all.map(|(seconds, register, power, context, is_late)| {
                let measured = (register.then_some(1), power.then_some(1));
                (reading(seconds, ["Periodic", "Periodic", "Clock", "Other"][context], measured), is_late)
            });
            let (late, early): (Vec<_>, Vec<_>) = made.partition(|(_, is_late)| *is_late);
            let only = |part: &[(Stored, bool)]| part.iter().map(|(one, _)| one.clone()).collect::<Vec<_>>();
            let signed = HashSet::new();
            let at_once = thinned([only(&early), only(&late)].concat(), &signed);
            let in_parts = thinned([thinned(only(&early), &signed), only(&late)].concat(), &signed);
            prop_assert_eq!(at_once, in_parts);
        }
    }
}
