//! A group on one axis of time: what it drew and was given, what it might have, what else drew, and what is planned.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::cheap_hours::ChargingPlanView;
use super::history::{self, MINUTE, MINUTES_KEPT, Means, QUARTER, SpanKey};
use super::status;
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::load::assets::{self, Asset, AssetType};
use crate::load::groups::{self, Group};
use crate::sites::locations;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Spans that one answer has when nobody says how long they are, …
const USUAL_SPANS: i64 = 500;
/// … and at most.
const MOST_SPANS: i64 = 2_000;
/// The lengths of spans that are chosen from, in seconds.
const LENGTHS: [i64; 9] = [60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];

/// A group over time. Each list has one entry a span; null where nothing is known.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TimelineView {
    /// The group.
    pub group: GroupId,
    /// When the first span begins.
    pub from: Timestamp,
    /// When the last one is over.
    pub to: Timestamp,
    /// Seconds of one span.
    pub resolution: i64,
    /// What everything below the group drew by its meters, in kW.
    pub drawn: Vec<Option<f64>>,
    /// What it was given, in kW.
    pub granted: Vec<Option<f64>>,
    /// The group's `maximum_capacity`, or what a schedule or a cap said instead, in kW; of the future what is known by now.
    pub capacity: Vec<Option<f64>>,
    /// What of that could be given: without the buffer and what else drew, in kW.
    pub usable: Vec<Option<f64>>,
    /// What else drew by the assets, in kW; negative where more was produced than used.
    pub uncontrolled_load: Vec<Option<f64>>,
    /// What cars are planned to draw, in kW, from now on; null before, and where nothing is planned ahead.
    pub planned: Vec<Option<f64>>,
    /// The assets of the group and of those below.
    pub assets: Vec<AssetTimelineView>,
}

/// An asset over time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssetTimelineView {
    /// The asset.
    pub asset: AssetId,
    /// Display name.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    #[schema(inline)]
    pub kind: AssetType,
    /// What it added to the load, in kW; negative took off.
    pub load: Vec<Option<f64>>,
}

/// Spans of one length, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// When the first one begins, in seconds.
    from: i64,
    /// When the last one is over.
    to: i64,
    /// Seconds of one.
    length: i64,
}

impl Axis {
    /// The spans of a stretch: at least as long as asked for, in steps in which the past is kept.
    pub(super) fn new(
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        resolution: Option<u32>,
        now: Timestamp,
    ) -> ApiResult<Self> {
        let to = to.unwrap_or(now);
        let from = from.unwrap_or(to - Duration::from_secs(24 * 3_600));
        let mut faults = Faults::default();
        if from >= to {
            faults.add("from", "out_of_range", "must be before `to`");
        }
        let seconds = to.seconds_since(from).max(1);
        let finest = if from < now - MINUTES_KEPT { QUARTER } else { MINUTE };
        let length = match resolution.map(i64::from) {
            Some(asked) => {
                let step = if asked >= QUARTER { QUARTER } else { MINUTE };
                (asked.max(1) + step - 1) / step * step
            }
            None => {
                let mut fitting = LENGTHS.into_iter().filter(|length| *length >= finest);
                fitting.find(|length| seconds / length <= USUAL_SPANS).unwrap_or(86_400)
            }
        };
        if seconds / length >= MOST_SPANS {
            let message = format!("must leave fewer than {MOST_SPANS} spans between `from` and `to`");
            faults.add("resolution", "out_of_range", message);
        }
        if !faults.is_empty() {
            return Err(ApiError::faulty(Code::InvalidQuery, faults));
        }
        let begin = from.unix_seconds().div_euclid(length) * length;
        let spans = (to.micros() - begin * 1_000_000 + length * 1_000_000 - 1).div_euclid(length * 1_000_000);
        Ok(Self { from: begin, to: begin + spans.max(1) * length, length })
    }

    fn count(self) -> usize {
        usize::try_from((self.to - self.from) / self.length).unwrap_or(0)
    }

    /// The span of an instant.
    fn index(self, second: i64) -> Option<usize> {
        usize::try_from((second - self.from).div_euclid(self.length)).ok().filter(|index| *index < self.count())
    }

    fn begins(self) -> impl Iterator<Item = i64> {
        let count = i64::try_from(self.count()).unwrap_or(0);
        (0..count).map(move |index| self.from + index * self.length)
    }
}

/// The timeline of a group of this organization.
pub(super) fn read(
    conn: &mut Conn,
    organization: OrganizationId,
    group: GroupId,
    axis: Axis,
    now: Timestamp,
) -> StoreResult<TimelineView> {
    let group = groups::find_group(conn, organization, group)?;
    let below: Vec<GroupId> = groups::tree_of(conn, group.id)?.iter().map(|group| group.id).collect();
    let assets = assets::assets_of_groups(conn, &below)?;
    let subjects: Vec<RawId> = [group.id.raw()].into_iter().chain(assets.iter().map(|asset| asset.id.raw())).collect();
    let spans = spans(conn, &subjects, axis, now)?;
    let of = |subject: RawId, part: fn(&Means) -> Option<Watts>| -> Vec<Option<f64>> {
        let series = spans.get(&subject);
        let known = |index| series.and_then(|series| series.get(&index)).and_then(part).map(Watts::kilowatts);
        (0..axis.count()).map(known).collect()
    };
    let own = group.id.raw();
    let mut capacity = of(own, |means| means.capacity.watts());
    let mut planned = vec![None; axis.count()];
    if axis.to > now.unix_seconds() {
        let zone = locations::find(conn, organization, group.location_id)?.time_zone();
        look_ahead(&group, zone, axis, now, &mut capacity);
        let root = groups::root_of(conn, group.id)?;
        let (plans, _) = status::planned_and_priced(conn, root, group.id, now)?;
        plan_ahead(&plans, axis, now, &mut planned);
    }
    Ok(TimelineView {
        group: group.id,
        from: Timestamp::from_unix_seconds(axis.from),
        to: Timestamp::from_unix_seconds(axis.to),
        resolution: axis.length,
        drawn: of(own, |means| means.drawn.watts()),
        granted: of(own, |means| means.granted.watts()),
        capacity,
        usable: of(own, |means| means.usable.watts()),
        uncontrolled_load: of(own, |means| means.load.watts()),
        planned,
        assets: assets
            .into_iter()
            .map(|Asset { id, name, kind, .. }| AssetTimelineView {
                asset: id,
                name,
                kind,
                load: of(id.raw(), |means| means.load.watts()),
            })
            .collect(),
    })
}

/// What is kept of each subject, by spans of the axis.
type Series = BTreeMap<RawId, BTreeMap<usize, Means>>;

/// Quarters of an hour where spans are no shorter, and the minutes of those that are not over.
fn spans(conn: &mut Conn, subjects: &[RawId], axis: Axis, now: Timestamp) -> StoreResult<Series> {
    let (from, to) = (Timestamp::from_unix_seconds(axis.from), Timestamp::from_unix_seconds(axis.to));
    let mut found: BTreeMap<SpanKey, Means> = BTreeMap::new();
    let mut minutes_from = from;
    if axis.length >= QUARTER {
        found.extend(history::read(conn, subjects, QUARTER, (from, to))?);
        let unfinished = now.unix_seconds().div_euclid(QUARTER) * QUARTER - QUARTER;
        minutes_from = minutes_from.max(Timestamp::from_unix_seconds(unfinished));
    }
    let minutes = history::read(conn, subjects, MINUTE, (minutes_from, to))?;
    for (key, means) in minutes {
        let quarter = SpanKey { length: QUARTER, begin: key.begin.div_euclid(QUARTER) * QUARTER, ..key };
        if !found.contains_key(&quarter) {
            found.insert(key, means);
        }
    }
    let mut series = Series::new();
    for (key, means) in found {
        if let Some(index) = axis.index(key.begin) {
            series.entry(key.subject).or_default().entry(index).or_default().and(means);
        }
    }
    Ok(series)
}

/// What the group may draw in spans that begin later than now, as far as its schedule says.
fn look_ahead(group: &Group, zone: TimeZone, axis: Axis, now: Timestamp, capacity: &mut [Option<f64>]) {
    for (begin, known) in axis.begins().zip(capacity) {
        let at = Timestamp::from_unix_seconds(begin);
        if at > now {
            *known = Some(group.capacity_at(at, zone).0.kilowatts());
        }
    }
}

/// What the plans of cars come to in each span that is not over.
fn plan_ahead(plans: &[ChargingPlanView], axis: Axis, now: Timestamp, planned: &mut [Option<f64>]) {
    if plans.is_empty() {
        return;
    }
    for (begin, sum) in axis.begins().zip(planned) {
        let (from, to) = (begin.max(now.unix_seconds()), begin + axis.length);
        if from >= to {
            continue;
        }
        let hours = plans.iter().flat_map(|plan| &plan.hours);
        let kilowatt_seconds: f64 = hours
            .map(|hours| {
                let overlap = hours.to.unix_seconds().min(to) - hours.from.unix_seconds().max(from);
                #[expect(clippy::cast_precision_loss, reason = "a span has far fewer than 2^53 seconds")]
                let seconds = overlap.max(0) as f64;
                hours.power * seconds
            })
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "a span has far fewer than 2^53 seconds")]
        let seconds = (to - from) as f64;
        *sum = Some((kilowatt_seconds / seconds * 1_000.0).round() / 1_000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_777_000_000);

    fn axis(days: u64, resolution: Option<u32>) -> ApiResult<Axis> {
        Axis::new((Some(NOW - Duration::from_secs(days * 24 * 3_600)), None), resolution, NOW)
    }

    #[test]
    fn spans_are_as_long_as_the_stretch_needs_and_lie_on_the_clock() {
        let length = |days, resolution| axis(days, resolution).map(|axis| (axis.length, axis.count())).ok();
        // 1,777,000,000 is 6 min 40 s after a full hour: one span more, as both ends are cut.
        assert_eq!(length(1, None), Some((300, 289)));
        assert_eq!(length(31, None), Some((10_800, 249)));
        assert_eq!(length(31, Some(1_000)), Some((1_800, 1_489)));
        assert_eq!(length(1, Some(61)), Some((120, 721)));
        assert_eq!(length(31, Some(900)), None, "too many");
        assert_eq!(length(0, None), None, "nothing lies between");
        let begins = axis(1, None).expect("an axis").from;
        assert_eq!(begins % 300, 0);
    }
}
