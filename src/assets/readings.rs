//! Recording readings, each judged by itself, and joining them into spans.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::model::asset::Asset;
use super::model::new_reading::NewReading;
use super::model::reading::Reading;
use super::model::view::{AssetView, ReadingView, Receipt, Rejection};
use super::store::{self, Stretch};
use crate::db::Conn;
use crate::events::{self, Event, EventKind};
use crate::http::fields::{Field, Path};
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::kernel::*;
use crate::locations::Location;

/// How often `asset.reading.created` is told at most.
const TOLD_EVERY: Duration = Duration::from_secs(30);
/// Readings that are joined into spans at most: a week at one every three seconds.
const MOST_JOINED: i64 = 200_000;

/// What came of readings.
#[derive(Debug)]
pub(super) struct Recorded {
    /// Which were stored, and which not.
    pub receipt: Receipt,
    /// The asset as it is now.
    pub asset: Asset,
    /// Whether one of them is its latest now.
    pub newer: bool,
}

/// Stores those readings that are good and new, and lets the asset follow them.
pub(super) fn record(
    conn: &mut Conn,
    moment: &Moment,
    mut asset: Asset,
    values: &[Value],
) -> ApiResult<Recorded> {
    let location = store::location_of(conn, &asset)?;
    let (good, mut rejected) = judge(values, &asset, &location, moment.now);
    let times: Vec<Timestamp> = good.iter().map(|(_, reading)| reading.at).collect();
    let mut known = store::readings_at(conn, asset.id, &times)?;
    let (mut stored, mut duplicates) = (Vec::new(), 0);
    for (index, reading) in good {
        match known.get(&reading.at) {
            Some(known) if *known == reading => duplicates += 1,
            Some(_) => rejected.push(Rejection {
                index,
                field: "at".to_owned(),
                code: "conflict".to_owned(),
                message: "another reading has this time already".to_owned(),
            }),
            None => {
                known.insert(reading.at, reading.clone());
                stored.push(reading);
            }
        }
    }
    rejected.sort_by_key(|rejection| rejection.index);
    stored.sort_by_key(|reading| reading.at);
    store::insert_readings(conn, asset.id, &stored, moment.now)?;
    let mut newer = false;
    for reading in &stored {
        newer |= asset.measured.follow(reading, moment.now);
    }
    if newer {
        save(conn, moment, &mut asset, &location)?;
    }
    let receipt = Receipt {
        accepted: stored.len(),
        duplicates,
        rejected,
    };
    Ok(Recorded {
        receipt,
        asset,
        newer,
    })
}

/// Those that can be read and believed, with their places; and what is wrong with the others.
fn judge(
    values: &[Value],
    asset: &Asset,
    location: &Location,
    now: Timestamp,
) -> (Vec<(usize, Reading)>, Vec<Rejection>) {
    let (mut good, mut rejected) = (Vec::new(), Vec::new());
    for (index, value) in values.iter().enumerate() {
        let mut faults = Faults::default();
        let read = NewReading::read(value, Path::Root, &mut faults).filter(|_| faults.is_empty());
        let made = match read {
            Some(new) => new.reading_of(asset, location, now),
            None => Err(faults),
        };
        match made {
            Ok(reading) => good.push((index, reading)),
            Err(Faults(faults)) => rejected.extend(faults.into_iter().map(|fault| Rejection {
                index,
                field: fault.field,
                code: fault.code,
                message: fault.message,
            })),
        }
    }
    (good, rejected)
}

/// Keeps what was learnt with the asset, and tells of it now and then.
fn save(conn: &mut Conn, moment: &Moment, asset: &mut Asset, location: &Location) -> ApiResult<()> {
    let tell = asset
        .measured
        .reported_at
        .is_none_or(|last| moment.now.since(last) >= TOLD_EVERY);
    if tell {
        asset.measured.reported_at = Some(moment.now);
    }
    store::save_measured(conn, asset)?;
    if tell {
        let event = Event::new(asset.organization_id, EventKind::AssetReadingCreated);
        let view = AssetView::new(asset.clone(), location, moment.now);
        events::record(conn, moment, event, &view)?;
    }
    Ok(())
}

/// The length of what is joined into one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// At least 1.
    pub seconds: i64,
}

/// One page of a stretch's spans that have readings, oldest first.
pub(super) fn spans(
    conn: &mut Conn,
    asset: AssetId,
    stretch: Stretch,
    span: Span,
    page: PageRequest,
) -> ApiResult<Page<ReadingView>> {
    let powers = store::powers(conn, asset, stretch, MOST_JOINED + 1)?;
    if i64::try_from(powers.len()).unwrap_or(i64::MAX) > MOST_JOINED {
        let message = format!("there are more than {MOST_JOINED} readings; ask for a shorter time");
        let mut faults = Faults::default();
        faults.add("from", "out_of_range", message);
        return Err(ApiError::faulty(Code::InvalidQuery, faults));
    }
    let all = join(&powers, stretch.from, span);
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let size = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    Ok(Page {
        rows: all.into_iter().skip(skipped).take(size).collect(),
        total,
        request: page,
    })
}

fn join(powers: &[(Timestamp, Watts)], from: Timestamp, span: Span) -> Vec<ReadingView> {
    let mut spans: BTreeMap<i64, Vec<Watts>> = BTreeMap::new();
    for (at, power) in powers {
        let number = at.seconds_since(from).div_euclid(span.seconds.max(1));
        spans.entry(number).or_default().push(*power);
    }
    let row = |(number, powers): (i64, Vec<Watts>)| {
        let count = i64::try_from(powers.len()).unwrap_or(i64::MAX);
        let sum: Watts = powers.iter().copied().sum();
        ReadingView {
            at: Timestamp::from_micros(from.micros() + number * span.seconds * 1_000_000),
            power: Watts(sum.get().div_euclid(count.max(1))).kilowatts(),
            minimum_power: powers.iter().min().map(|power| power.kilowatts()),
            maximum_power: powers.iter().max().map(|power| power.kilowatts()),
            readings: Some(count),
            phase_power: None,
            current: None,
            voltage: None,
            energy: None,
        }
    };
    spans.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_of_a_span_are_joined_into_mean_minimum_and_maximum() {
        let at = Timestamp::from_unix_seconds;
        let powers = [
            (at(100), Watts(1_000)),
            (at(159), Watts(-2_000)),
            (at(160), Watts(7_000)),
        ];
        let rows: Vec<_> = join(&powers, at(100), Span { seconds: 60 })
            .into_iter()
            .map(|row| {
                (
                    row.at,
                    row.power,
                    row.minimum_power,
                    row.maximum_power,
                    row.readings,
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                (at(100), -0.5, Some(-2.0), Some(1.0), Some(2)),
                (at(160), 7.0, Some(7.0), Some(7.0), Some(1)),
            ]
        );
    }
}
