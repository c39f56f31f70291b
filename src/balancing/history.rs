//! What groups and assets did over time, as means of minutes and of quarters of an hour, so that a month can be shown without the
//! readings of all its stations. Gathered in memory from cycle to cycle, and written when a span is over: a server that is killed
//! forgets the quarter that goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;

use crate::each;
use crate::store::schema::load_spans;
use crate::store::{Conn, StoreResult};
use kernel::{GroupId, RawId, Timestamp, Watts};

/// Seconds of the shorter spans, which are kept for [`MINUTES_KEPT`].
pub(super) const MINUTE: i64 = 60;
/// Seconds of the longer ones.
pub(super) const QUARTER: i64 = 900;
/// How long minutes are kept.
pub(super) const MINUTES_KEPT: Duration = Duration::from_secs(2 * 24 * 3_600);
/// A level holds until the next cycle, but no longer: then nobody looked.
const LONGEST_HELD: Duration = Duration::from_secs(60);

/// What a group or an asset does at one instant; of an asset only its load is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Level {
    pub drawn: Option<Watts>,
    pub granted: Option<Watts>,
    pub capacity: Option<Watts>,
    pub usable: Option<Watts>,
    pub load: Option<Watts>,
}

/// Watts over a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mean {
    watt_milliseconds: i128,
    milliseconds: i64,
}

impl Mean {
    fn add(&mut self, power: Option<Watts>, milliseconds: i64) {
        if let Some(power) = power {
            self.watt_milliseconds += i128::from(power.get()) * i128::from(milliseconds);
            self.milliseconds += milliseconds;
        }
    }

    /// With what is known of more of the same span.
    pub(super) fn and(&mut self, other: Self) {
        self.watt_milliseconds += other.watt_milliseconds;
        self.milliseconds += other.milliseconds;
    }

    /// The mean of so many watts over so many milliseconds.
    fn of(power: Option<Watts>, milliseconds: i64) -> Self {
        let mut mean = Self::default();
        mean.add(power, milliseconds);
        mean
    }

    /// In watts; none where nothing is known.
    pub(super) fn watts(self) -> Option<Watts> {
        let milliseconds = i128::from(self.milliseconds);
        if milliseconds == 0 {
            return None;
        }
        let half = milliseconds / 2 * self.watt_milliseconds.signum();
        i64::try_from((self.watt_milliseconds + half) / milliseconds).ok().map(Watts)
    }
}

/// The means of one span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Means {
    pub drawn: Mean,
    pub granted: Mean,
    pub capacity: Mean,
    pub usable: Mean,
    pub load: Mean,
}

impl Means {
    fn add(&mut self, level: Level, milliseconds: i64) {
        self.drawn.add(level.drawn, milliseconds);
        self.granted.add(level.granted, milliseconds);
        self.capacity.add(level.capacity, milliseconds);
        self.usable.add(level.usable, milliseconds);
        self.load.add(level.load, milliseconds);
    }

    /// With what is known of more of the same span.
    pub(super) fn and(&mut self, other: Self) {
        self.drawn.and(other.drawn);
        self.granted.and(other.granted);
        self.capacity.and(other.capacity);
        self.usable.and(other.usable);
        self.load.and(other.load);
    }
}

/// A span of a group or an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SpanKey {
    pub subject: RawId,
    /// Its length in seconds.
    pub length: i64,
    /// When it begins, in seconds.
    pub begin: i64,
}

/// What one tree gathers.
#[derive(Debug, Default)]
pub(super) struct History {
    last: Option<(Timestamp, BTreeMap<RawId, Level>)>,
    open: BTreeMap<SpanKey, Means>,
}

impl History {
    /// Notes how it is now; how it was holds until now.
    pub(super) fn note(&mut self, levels: BTreeMap<RawId, Level>, now: Timestamp) {
        if let Some((since, before)) = self.last.take() {
            let until = now.min(since + LONGEST_HELD);
            for length in [MINUTE, QUARTER] {
                for (begin, milliseconds) in parts(since, until, length) {
                    for (subject, level) in &before {
                        let key = SpanKey { subject: *subject, length, begin };
                        self.open.entry(key).or_default().add(*level, milliseconds);
                    }
                }
            }
        }
        self.last = Some((now, levels));
    }

    /// The spans that are over.
    pub(super) fn take_finished(&mut self, now: Timestamp) -> Vec<(SpanKey, Means)> {
        let is_over = |key: &SpanKey| key.begin + key.length <= now.unix_seconds();
        let open = std::mem::take(&mut self.open).into_iter();
        let (over, open): (Vec<_>, Vec<_>) = open.partition(|(key, _)| is_over(key));
        self.open = open.into_iter().collect();
        over
    }
}

/// The spans of this length that a stretch of time lies in, and how many milliseconds of it each has.
fn parts(from: Timestamp, until: Timestamp, length: i64) -> impl Iterator<Item = (i64, i64)> {
    let first = from.unix_seconds().div_euclid(length) * length;
    let step = usize::try_from(length).unwrap_or(1);
    (first..).step_by(step).map_while(move |begin| {
        let (start, end) = (begin * 1_000_000, (begin + length) * 1_000_000);
        let micros = until.micros().min(end) - from.micros().max(start);
        (start < until.micros()).then_some((begin, micros.max(0) / 1_000))
    })
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = load_spans, treat_none_as_null = true)]
struct Row {
    subject_id: String,
    seconds: i32,
    at: Timestamp,
    root_id: GroupId,
    milliseconds: i64,
    drawn: Option<Watts>,
    granted: Option<Watts>,
    capacity: Option<Watts>,
    usable: Option<Watts>,
    load_milliseconds: i64,
    load: Option<Watts>,
}

impl Row {
    fn new(root: GroupId, key: SpanKey, means: &Means) -> Self {
        Self {
            subject_id: key.subject.to_string(),
            seconds: i32::try_from(key.length).unwrap_or(i32::MAX),
            at: Timestamp::from_unix_seconds(key.begin),
            root_id: root,
            milliseconds: means.drawn.milliseconds,
            drawn: means.drawn.watts(),
            granted: means.granted.watts(),
            capacity: means.capacity.watts(),
            usable: means.usable.watts(),
            load_milliseconds: means.load.milliseconds,
            load: means.load.watts(),
        }
    }

    fn means(&self) -> Means {
        let of = |power| Mean::of(power, self.milliseconds);
        Means {
            drawn: of(self.drawn),
            granted: of(self.granted),
            capacity: of(self.capacity),
            usable: of(self.usable),
            load: Mean::of(self.load, self.load_milliseconds),
        }
    }
}

/// Writes spans that are over; one that an earlier run of the server began is completed. Minutes that are old go.
pub(super) fn write(conn: &mut Conn, root: GroupId, spans: &[(SpanKey, Means)], now: Timestamp) -> StoreResult<()> {
    for (key, means) in spans {
        let row = Row::new(root, *key, means);
        let inserted = each!(conn, |conn| diesel::insert_into(load_spans::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(conn))?;
        if inserted == 0 {
            let place = load_spans::table.find((&row.subject_id, row.seconds, row.at));
            let begun: Row = place.select(Row::as_select()).first(conn)?;
            let mut whole = begun.means();
            whole.and(*means);
            diesel::update(place).set(Row::new(root, *key, &whole)).execute(conn)?;
        }
    }
    if spans.iter().any(|(key, _)| key.length == QUARTER) {
        let old = load_spans::table
            .filter(load_spans::root_id.eq(root))
            .filter(load_spans::seconds.lt(900))
            .filter(load_spans::at.lt(now - MINUTES_KEPT));
        diesel::delete(old).execute(conn)?;
    }
    Ok(())
}

/// Spans of this length of these subjects that begin in a stretch of time.
pub(super) fn read(
    conn: &mut Conn,
    subjects: &[RawId],
    length: i64,
    (from, to): (Timestamp, Timestamp),
) -> StoreResult<Vec<(SpanKey, Means)>> {
    let names: Vec<String> = subjects.iter().map(ToString::to_string).collect();
    let rows: Vec<Row> = load_spans::table
        .filter(load_spans::subject_id.eq_any(names))
        .filter(load_spans::seconds.eq(i32::try_from(length).unwrap_or(i32::MAX)))
        .filter(load_spans::at.ge(from).and(load_spans::at.lt(to)))
        .select(Row::as_select())
        .load(conn)?;
    let span = |row: Row| {
        let subject = row.subject_id.parse().ok()?;
        let key = SpanKey { subject, length, begin: row.at.unix_seconds() };
        Some((key, row.means()))
    };
    Ok(rows.into_iter().filter_map(span).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: RawId = RawId::from_bytes([1; 12]);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn drawing(power: i64) -> BTreeMap<RawId, Level> {
        [(ONE, Level { drawn: Some(Watts(power)), ..Level::default() })].into()
    }

    /// Length, begin and mean of each span that is over.
    fn finished(history: &mut History, second: i64) -> Vec<(i64, i64, Option<i64>)> {
        let spans = history.take_finished(at(second)).into_iter();
        spans.map(|(key, means)| (key.length, key.begin, means.drawn.watts().map(Watts::get))).collect()
    }

    #[test]
    fn means_are_weighted_by_time_and_known_when_their_span_is_over() {
        let mut history = History::default();
        history.note(drawing(1_000), at(900));
        history.note(drawing(4_000), at(940));
        history.note(drawing(2_000), at(970));
        assert_eq!(finished(&mut history, 959), []);
        // 1 kW for 40 s and 4 kW for 20 s.
        assert_eq!(finished(&mut history, 970), [(60, 900, Some(2_000))]);
        history.note(drawing(0), at(1_020));
        // 4 kW for 10 s and 2 kW for 50 s: 2333 W.
        assert_eq!(finished(&mut history, 1_020), [(60, 960, Some(2_333))]);
        // 40 kWs, 120 kWs and 100 kWs in 120 s.
        assert_eq!(finished(&mut history, 1_800), [(900, 900, Some(2_167))]);
    }

    #[test]
    fn what_nobody_looked_at_is_not_known() {
        let mut history = History::default();
        history.note(drawing(6_000), at(0));
        history.note(drawing(1_000), at(3_600));
        assert_eq!(finished(&mut history, 3_600), [(60, 0, Some(6_000)), (900, 0, Some(6_000))]);
        history.note(drawing(1_000), at(3_500));
        assert_eq!(finished(&mut history, 9_000), [], "a clock that goes back makes nothing");
    }
}
