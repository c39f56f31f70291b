//! Recording readings, each judged by itself and by what hardware can give, and joining them into spans.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::model::asset::{Asset, AssetType, AssetView};
use super::model::new_reading::NewReading;
use super::model::plausible::{self, Bound};
use super::model::reading::{Reading, ReadingView, RefusedReading};
use super::model::signs::Signs;
use super::model::view::{ReadingWarning, Receipt, Rejection};
use super::power::contribution;
use super::store::{self, Stretch};
use crate::events::{Change, EventKind};
use crate::http::fields::{Field, Path};
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::load::groups;
use crate::sites::locations::Location;
use crate::store::{Conn, StoreResult};
use kernel::page::Total;
use kernel::*;

/// How often `asset.reading.created` is reported at most.
const RECORDED_EVERY: Duration = Duration::from_secs(30);
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

/// A reading that can be read.
struct Judged {
    /// Its place in the request.
    index: usize,
    reading: Reading,
    signs: Signs,
}

/// Stores those readings that are good and new, and lets the asset follow them.
pub(super) fn record(conn: &mut Conn, moment: &Moment, mut asset: Asset, values: &[Value]) -> ApiResult<Recorded> {
    let location = store::location_of(conn, &asset)?;
    let (mut good, mut rejected) = judge(values, &asset, &location, moment.now);
    let impossible = refuse_impossible(conn, &asset, values, &mut good, &mut rejected)?;
    let times: Vec<Timestamp> = good.iter().map(|one| one.reading.at).collect();
    let mut known = store::readings_at(conn, asset.id, &times)?;
    let (mut stored, mut duplicates) = (Vec::new(), 0);
    for one in good {
        match known.get(&one.reading.at) {
            Some(known) if *known == one.reading => duplicates += 1,
            Some(_) => rejected.push(Rejection {
                index: one.index,
                field: "at".to_owned(),
                code: "conflict".to_owned(),
                message: "another reading has this time already".to_owned(),
            }),
            None => {
                known.insert(one.reading.at, one.reading.clone());
                stored.push(one);
            }
        }
    }
    rejected.sort_by_key(|rejection| rejection.index);
    let warnings = warn_of(conn, &asset, &stored, moment.now)?;
    let mut stored: Vec<Reading> = stored.into_iter().map(|one| one.reading).collect();
    stored.sort_by_key(|reading| reading.at);
    store::insert_readings(conn, asset.id, &stored, moment.now)?;
    let last = stored.last();
    let learnt = last.is_some_and(|last| asset.measured.hear(last.at, moment.now));
    let mut newer = false;
    for reading in &stored {
        newer |= asset.measured.follow(reading, moment.now);
    }
    let refused = impossible.is_some_and(|refused| asset.measured.refuse(refused));
    if newer {
        save(conn, moment, &mut asset, &location)?;
    } else if learnt || refused {
        store::save_measured(conn, &asset)?;
    }
    let receipt = Receipt { accepted: stored.len(), duplicates, rejected, warnings };
    Ok(Recorded { receipt, asset, newer })
}

/// Those that can be read and believed; and what is wrong with the others.
fn judge(values: &[Value], asset: &Asset, location: &Location, now: Timestamp) -> (Vec<Judged>, Vec<Rejection>) {
    let (mut good, mut rejected) = (Vec::new(), Vec::new());
    for (index, value) in values.iter().enumerate() {
        let mut faults = Faults::default();
        let read = NewReading::read(value, Path::Root, &mut faults).filter(|_| faults.is_empty());
        let made = match read {
            Some(new) => new.reading_of(asset, location, now),
            None => Err(faults),
        };
        match made {
            Ok((reading, signs)) => good.push(Judged { index, reading, signs }),
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

/// Moves those that no hardware gives to the refused ones; answers the latest of them. What was known
/// before stays in force until it is stale, and then counts as missing data does: nothing is freed.
fn refuse_impossible(
    conn: &mut Conn,
    asset: &Asset,
    values: &[Value],
    good: &mut Vec<Judged>,
    rejected: &mut Vec<Rejection>,
) -> StoreResult<Option<RefusedReading>> {
    if !good.iter().any(|one| Bound::matters_to(&one.reading)) {
        return Ok(None);
    }
    let bound = Bound::of(ratings(conn, asset)?);
    let mut latest: Option<RefusedReading> = None;
    good.retain(|one| {
        let value = values.get(one.index);
        let was_sent = |field: &str| value.is_some_and(|value| !value[field].is_null());
        let Some(beyond) = bound.broken_by(&one.reading, was_sent) else {
            return true;
        };
        let at = one.reading.at;
        if latest.as_ref().is_none_or(|other| at >= other.at) {
            latest = Some(RefusedReading { at, field: beyond.field.to_owned(), message: beyond.message.clone() });
        }
        rejected.push(Rejection {
            index: one.index,
            field: beyond.field.to_owned(),
            code: "out_of_range".to_owned(),
            message: beyond.message,
        });
        false
    });
    Ok(latest)
}

/// The ratings that are known at the place of an asset: its own, and those of its group and of the groups above.
fn ratings(conn: &mut Conn, asset: &Asset) -> StoreResult<Vec<Watts>> {
    let Some(group) = asset.group_id else {
        return Ok(Vec::new()); // what a value without a group is for nobody knows
    };
    let root = groups::root_of(conn, group)?;
    let tree = groups::tree_of(conn, root)?;
    let mut ratings: Vec<Watts> = asset.static_power.into_iter().chain(asset.fallback_power).collect();
    let mut next = Some(group);
    while let Some(group) = next.and_then(|id| tree.iter().find(|group| group.id == id)) {
        ratings.push(group.maximum_capacity);
        ratings.extend(group.feeder_rating);
        next = group.parent_id;
    }
    Ok(ratings)
}

/// What is odd about those that are stored.
fn warn_of(conn: &mut Conn, asset: &Asset, stored: &[Judged], now: Timestamp) -> StoreResult<Vec<ReadingWarning>> {
    let below_zero =
        |one: &Judged, produced| !asset.produces() && plausible::is_below_zero(one.reading.power, produced);
    let produced = match stored.iter().any(|one| below_zero(one, Watts::ZERO)) {
        true => produced_beside(conn, asset, now)?,
        false => Watts::ZERO,
    };
    let mut warnings = Vec::new();
    for one in stored {
        let mut warn = |field: &str, code: &str, message: String| {
            warnings.push(ReadingWarning { index: one.index, field: field.to_owned(), code: code.to_owned(), message });
        };
        if one.signs == Signs::Turned {
            let message = "have no sign while power is fed in: they were taken as negative";
            warn("current", "unsigned", message.to_owned());
        }
        if asset.produces() && one.reading.power > asset.gives_at_most() {
            let message = format!(
                "says more than its static_power of {} kW: only that and a tenth count",
                asset.static_power.unwrap_or_default().kilowatts()
            );
            warn("power", "implausible", message);
        }
        if below_zero(one, produced) {
            let message = plausible::sent_below_zero(one.reading.power, produced);
            warn("power", "below_zero", message);
        }
    }
    Ok(warnings)
}

/// What is known to produce behind an asset that measures what is drawn; a consumer feeds nothing in.
fn produced_beside(conn: &mut Conn, asset: &Asset, now: Timestamp) -> StoreResult<Watts> {
    let Some(group) = asset.group_id.filter(|_| asset.kind == AssetType::SmartMeter) else {
        return Ok(Watts::ZERO);
    };
    let below: Vec<GroupId> = groups::tree_of(conn, group)?.iter().map(|group| group.id).collect();
    let beside = store::assets_of_groups(conn, &below)?;
    let given = |asset: &Asset| asset.explains(contribution(asset, now).load);
    Ok(beside.iter().map(given).sum())
}

/// Keeps what was learnt with the asset, and reports it now and then.
fn save(conn: &mut Conn, moment: &Moment, asset: &mut Asset, location: &Location) -> ApiResult<()> {
    let is_due = asset.measured.reported_at.is_none_or(|last| moment.now.since(last) >= RECORDED_EVERY);
    if is_due {
        asset.measured.reported_at = Some(moment.now);
    }
    store::save_measured(conn, asset)?;
    if is_due {
        let view = AssetView::new(asset.clone(), location, moment.now);
        Change::new(conn, asset.organization_id, moment).record(EventKind::AssetReadingCreated, &view)?;
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
    let total = Total::counted(u64::try_from(all.len()).unwrap_or(u64::MAX), page);
    let skipped = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let size = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    Ok(Page { rows: all.into_iter().skip(skipped).take(size).collect(), total, request: page })
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
        let powers = [(at(100), Watts(1_000)), (at(159), Watts(-2_000)), (at(160), Watts(7_000))];
        let rows: Vec<_> = join(&powers, at(100), Span { seconds: 60 })
            .into_iter()
            .map(|row| (row.at, row.power, row.minimum_power, row.maximum_power, row.readings))
            .collect();
        assert_eq!(
            rows,
            [(at(100), -0.5, Some(-2.0), Some(1.0), Some(2)), (at(160), 7.0, Some(7.0), Some(7.0), Some(1)),]
        );
    }
}
