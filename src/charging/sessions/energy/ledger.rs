//! The energy ledger of one session: what its registers prove, and what they only claim.

use serde::{Deserialize, Serialize};

use super::chain::{Bound, Chain, Fit, Point};
use super::deviation::EnergyDeviation;
use super::drawing::{Drawing, Shown};
use super::elapsed_time::{ElapsedTime, Mark};
use super::intervals::Intervals;
use super::{MICROS_AN_HOUR, UNKNOWN_RATING, most_in};
use kernel::{MilliwattHours, Timestamp, WattHours, Watts};

/// Power over time that proves so many times what the register counted is another unit, not an error of measurement.
const OTHER_UNIT: i64 = 4;
/// So much must be proven by power before that is said, in Wh.
const SIGNIFICANT_WH: i64 = 1_000;
/// For so long after its latest value the register of the transaction counts alone.
const FRESH: i64 = MICROS_AN_HOUR;

/// Which register a value belongs to: stations may report several of one session, each with a count of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// With the transaction, at its begin, end or in between.
    Transaction,
    /// With the transaction, aligned to the clock.
    TransactionClock,
    /// Without the transaction.
    Connector,
    /// Without the transaction, aligned to the clock.
    ConnectorClock,
}

impl Series {
    /// The series of a value.
    pub const fn of(with_transaction: bool, aligned: bool) -> Self {
        match (with_transaction, aligned) {
            (true, false) => Self::Transaction,
            (true, true) => Self::TransactionClock,
            (false, false) => Self::Connector,
            (false, true) => Self::ConnectorClock,
        }
    }

    /// Whether the register at the start may be another one.
    const fn is_apart(self) -> bool {
        matches!(self, Self::Connector | Self::ConnectorClock)
    }

    const fn is_aligned(self) -> bool {
        matches!(self, Self::TransactionClock | Self::ConnectorClock)
    }
}

/// What a meter showed at one instant, as far as energy is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Observed {
    /// When.
    pub mark: Mark,
    /// Of which register.
    pub series: Series,
    /// Whether the station says that it is the value at the start.
    pub begins: bool,
    /// The register.
    pub register: Option<WattHours>,
    /// The energy since the value before, where it is reported like that.
    pub interval: Option<MilliwattHours>,
    /// The power.
    pub power: Option<Watts>,
}

/// The registers of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Chains {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    transaction: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    transaction_clock: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    connector: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    connector_clock: Option<Chain>,
    /// The start and the stop alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ends: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    intervals: Option<Intervals>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    clock_intervals: Option<Intervals>,
}

impl Chains {
    fn of(&mut self, series: Series) -> &mut Option<Chain> {
        match series {
            Series::Transaction => &mut self.transaction,
            Series::TransactionClock => &mut self.transaction_clock,
            Series::Connector => &mut self.connector,
            Series::ConnectorClock => &mut self.connector_clock,
        }
    }

    /// The series that count until `last`: those of the transaction if it has any, or else of the connector. What is
    /// aligned to the clock may be another register: of the transaction it counts only while no other was read lately.
    fn that_count(&self, last: Mark) -> [Option<Series>; 2] {
        let read_at = self.transaction.as_ref().and_then(Chain::read_at);
        if read_at.is_some_and(|at| last.since(at) <= FRESH) {
            return [Some(Series::Transaction), None];
        }
        let is_reported = read_at.is_some() || self.transaction_clock.is_some();
        let is_reported_by_another = self.connector.is_some() || self.connector_clock.is_some();
        match is_reported || !is_reported_by_another {
            true => [Series::Transaction, Series::TransactionClock].map(Some),
            false => [Series::Connector, Series::ConnectorClock].map(Some),
        }
    }

    fn get(&self, series: Series) -> Option<&Chain> {
        let chain = match series {
            Series::Transaction => &self.transaction,
            Series::TransactionClock => &self.transaction_clock,
            Series::Connector => &self.connector,
            Series::ConnectorClock => &self.connector_clock,
        };
        chain.as_ref()
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Chain> {
        [&mut self.transaction, &mut self.transaction_clock, &mut self.connector, &mut self.connector_clock]
            .into_iter()
            .flatten()
    }

    fn cap(&mut self, most: i64) {
        self.all_mut().for_each(|chain| chain.cap(most));
        self.ends.iter_mut().for_each(|chain| chain.cap(most));
        let intervals = [&mut self.intervals, &mut self.clock_intervals];
        intervals.into_iter().flatten().for_each(|one| one.cap(most));
    }
}

/// What a session has drawn, by all that its station reported.
///
/// Of several registers the one reported with the transaction counts; intervals count where there is no register. The
/// energy never falls, is never below what readings proved and never above what the plug can have given from the start
/// until now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnergyLedger {
    rating: Watts,
    /// When its station said that it began, put into our clock, in microseconds since 1970.
    started: i64,
    #[serde(rename = "course")]
    elapsed_time: ElapsedTime,
    /// The register at the start, where it was reported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    begin: Option<Point>,
    /// What was counted before this ledger was begun.
    #[serde(default)]
    carried: i64,
    #[serde(default)]
    chains: Chains,
    #[serde(default)]
    drawing: Drawing,
    /// The energy so far.
    #[serde(default)]
    energy: i64,
    /// What is claimed and not billed.
    #[serde(default)]
    unproven: i64,
    /// Whether the session ended.
    #[serde(default)]
    ended: bool,
    #[serde(default)]
    flags: Vec<EnergyDeviation>,
}

impl EnergyLedger {
    /// A session that began here, at a plug of this rating, where it is known. `started` is the start in our clock.
    pub fn open(started: Timestamp, mark: Mark, rating: Option<Watts>) -> Self {
        Self {
            rating: rating.filter(|rating| *rating > Watts::ZERO).unwrap_or(UNKNOWN_RATING),
            started: started.micros(),
            elapsed_time: ElapsedTime::from(mark),
            begin: None,
            carried: 0,
            chains: Chains::default(),
            drawing: Drawing::default(),
            energy: 0,
            unproven: 0,
            ended: false,
            flags: Vec::new(),
        }
    }

    /// One for a session that was counted in another way before: it goes on from there.
    pub fn adopt(&mut self, (energy, drawing_seconds): (WattHours, i64), begin: Option<WattHours>, latest: Mark) {
        self.carried = energy.get().max(0);
        self.energy = self.carried;
        self.drawing.carry(self.elapsed_time.reach(latest), drawing_seconds);
        let reached = begin.map(|begin| begin.get().saturating_add(self.carried));
        self.begin = reached.and_then(|register| Point::checked(register, latest));
    }

    /// Whether it is known what its plug can give.
    pub fn knows_rating(&self) -> bool {
        self.rating != UNKNOWN_RATING
    }

    /// The connector is known now: what it cannot have given until now is not billed after all.
    pub fn rate(&mut self, rating: Watts) {
        if self.rating != UNKNOWN_RATING || rating <= Watts::ZERO {
            return;
        }
        self.rating = rating;
        let most = self.bound(self.elapsed_time.last()).most;
        self.chains.cap(most);
        self.energy = self.energy.min(self.carried.saturating_add(most));
        self.sum_up();
    }

    fn bound(&self, mark: Mark) -> Bound {
        let most = most_in(self.rating, self.elapsed_time.most(mark));
        Bound { rating: self.rating, most: most.saturating_sub(self.carried).max(0) }
    }

    fn flag(&mut self, flags: impl IntoIterator<Item = EnergyDeviation>) {
        self.flags.extend(flags);
        self.flags.sort_unstable();
        self.flags.dedup();
    }

    fn checked(&mut self, register: WattHours, mark: Mark) -> Option<Point> {
        let point = Point::checked(register.get(), mark);
        if point.is_none() {
            self.flag([EnergyDeviation::RegisterRefused]);
        }
        point
    }

    /// The register at the start, when the session began: reported with its start, or later.
    pub fn begin_at(&mut self, started: Timestamp, mark: Mark, register: Option<WattHours>) {
        let before = self.elapsed_time.elapsed();
        self.elapsed_time.begin_at(mark);
        self.drawing.shift(self.elapsed_time.elapsed().saturating_sub(before));
        self.started = started.micros();
        let Some(point) = register.and_then(|register| self.checked(register, mark)) else {
            return;
        };
        if self.begin.is_some() {
            return;
        }
        self.begin = Some(point);
        let (bound, mut flags) = (self.bound(self.elapsed_time.last()), Vec::new());
        for chain in self.chains.all_mut() {
            chain.begin_at(point, bound, &mut flags);
        }
        self.flag(flags);
        self.sum_up();
    }

    /// Takes in what a meter showed; the instant it belongs to, or nothing where it is late and shows nothing new.
    pub fn observe(&mut self, observed: &Observed) -> Option<Timestamp> {
        let Observed { mark, series, .. } = *observed;
        // What is reported as the value at the start is that, however late its element says it was.
        let shown_at = if observed.begins { self.elapsed_time.start() } else { mark };
        let point = observed.register.and_then(|register| self.checked(register, shown_at));
        let (begin, bound) = (self.begin, self.bound(mark));
        if let (Some(point), Some(chain)) = (point, self.chains.of(series))
            && chain.is_late(point, bound)
        {
            return None;
        }
        let before = self.energy;
        let elapsed = self.elapsed_time.reach(mark);
        let (bound, mut flags) = (self.bound(mark), Vec::new());
        if let Some(point) = point {
            self.chains.of(series).get_or_insert_with(|| Chain::from(begin, series.is_apart())).observe(
                point,
                observed.begins,
                bound,
                &mut flags,
            );
        }
        if let Some(energy) = observed.interval {
            let start = self.elapsed_time.start();
            let slot = if series.is_aligned() { &mut self.chains.clock_intervals } else { &mut self.chains.intervals };
            slot.get_or_insert_with(Intervals::default).observe(energy.get(), mark, start, bound, &mut flags);
        }
        self.flag(flags);
        self.sum_up();
        let register = point.filter(|_| self.counts(series));
        let shows = register.is_some() || observed.interval.is_some();
        let shown = Shown {
            elapsed,
            power: observed.power.map(Watts::get),
            rise: shows.then_some(self.energy.saturating_sub(before)),
        };
        self.drawing.note(shown, self.rating);
        if let Some(point) = register {
            self.drawing.learn_step(point.value);
        }
        self.compare_with_power();
        Some(self.at(elapsed))
    }

    /// Where a late value lies in the session.
    pub fn place(&self, mark: Mark) -> Timestamp {
        self.at(self.elapsed_time.place(mark))
    }

    /// The instant so many microseconds after the start, in our clock: nothing was reported before it happened.
    fn at(&self, elapsed: i64) -> Timestamp {
        let at = Timestamp::from_micros(self.started.saturating_add(elapsed));
        at.min(self.elapsed_time.last().received())
    }

    fn counts(&self, series: Series) -> bool {
        let counting = self.chains.that_count(self.elapsed_time.last());
        counting.contains(&Some(series))
    }

    /// The registers that count.
    fn counting(&self) -> impl Iterator<Item = &Chain> {
        let counting = self.chains.that_count(self.elapsed_time.last());
        let chain = |series| self.chains.get(series);
        counting.into_iter().flatten().filter_map(chain)
    }

    /// The session ended, with this register where one was reported; the instant in our clock. A real stop may come after
    /// an end that was assumed.
    pub fn end_at(&mut self, mark: Mark, register: Option<WattHours>) -> Timestamp {
        let before = self.energy;
        let elapsed = self.elapsed_time.reach(mark);
        let point = register.and_then(|register| self.checked(register, mark));
        if let Some(point) = point {
            self.stop(point);
        }
        self.ended = true;
        self.sum_up();
        let shown = Shown { elapsed, power: Some(0), rise: point.map(|_| self.energy.saturating_sub(before)) };
        self.drawing.note(shown, self.rating);
        self.compare_with_power();
        self.at(elapsed)
    }

    /// The stop's register ends the registers that readings showed; where it goes with none, it and the start stand alone.
    fn stop(&mut self, point: Point) {
        let (bound, mut flags, mut reported, mut fits) = (self.bound(point.mark), Vec::new(), false, false);
        let counting = self.chains.that_count(self.elapsed_time.last());
        for series in counting.into_iter().flatten() {
            let Some(chain) = self.chains.of(series) else {
                continue;
            };
            reported = true;
            fits |= chain.observe(point, false, bound, &mut flags) == Fit::Follows;
        }
        if reported && !fits {
            flags.push(EnergyDeviation::StopNotRead);
        }
        if let Some(begin) = self.begin.filter(|_| !fits) {
            let mut ends = Chain::from(Some(begin), false);
            ends.sampled = true; // a start of 0 is a value here: nothing says otherwise
            ends.observe(point, false, bound, &mut flags);
            self.chains.ends = Some(ends);
        }
        self.flag(flags);
    }

    /// The session is taken to be over, though nobody reported its end.
    pub fn assume_end(&mut self) {
        self.ended = true;
        self.sum_up();
    }

    /// The session goes on after all.
    pub fn reopen(&mut self) {
        self.ended = false;
    }

    fn sum_up(&mut self) {
        let bound = self.bound(self.elapsed_time.last());
        let ended = self.ended;
        let total = |chain: &Chain| {
            let (counted, cut) = if ended { chain.at_the_end(bound) } else { (0, 0) };
            (chain.counted().saturating_add(counted), chain.cut().saturating_add(cut))
        };
        let by_register = self.counting().map(total).max();
        // The start and the stop alone bound nothing that readings show otherwise: no step of theirs is taken in part.
        let by_ends = self.chains.ends.as_ref().map(|ends| {
            let (counted, cut) = total(ends);
            match by_register {
                None => {
                    let zero = ends.since_zero(bound).unwrap_or(0);
                    (counted.max(zero), cut)
                }
                Some(_) => (ends.counted(), 0),
            }
        });
        let by_intervals = [&self.chains.intervals, &self.chains.clock_intervals]
            .into_iter()
            .flatten()
            .map(|intervals| (intervals.counted(), intervals.cut()))
            .max();
        let by_register = match (by_register, by_intervals) {
            (None, intervals) => intervals,
            (register, _) => register,
        };
        let (counted, cut) = by_register.max(by_ends).unwrap_or_default();
        self.energy = self.energy.max(self.carried.saturating_add(counted));
        self.unproven = cut;
        if cut > 0 {
            self.flag([EnergyDeviation::EnergyBounded]);
        }
    }

    fn compare_with_power(&mut self) {
        let by_power = self.drawing.by_power();
        let counted = self.energy.saturating_sub(self.carried);
        if by_power >= SIGNIFICANT_WH && counted.saturating_mul(OTHER_UNIT) < by_power {
            self.flag([EnergyDeviation::RegisterBelowPower]);
        }
    }

    /// Notes something odd that was seen elsewhere.
    pub fn note(&mut self, flag: EnergyDeviation) {
        self.flag([flag]);
    }

    /// What is billed.
    pub const fn energy(&self) -> WattHours {
        WattHours(self.energy)
    }

    /// What registers claim beyond what is billed.
    pub const fn unproven(&self) -> WattHours {
        WattHours(self.unproven)
    }

    /// What power over time proves; not billed, but a witness of the register.
    pub const fn by_power(&self) -> WattHours {
        WattHours(self.drawing.by_power())
    }

    /// Seconds of drawing energy.
    pub const fn drawing_seconds(&self) -> i64 {
        self.drawing.seconds()
    }

    /// The instant that the session got to, in our clock.
    pub fn reached(&self) -> Timestamp {
        self.at(self.elapsed_time.elapsed())
    }

    /// When it was heard of last.
    pub const fn heard_at(&self) -> Timestamp {
        self.elapsed_time.last().received()
    }

    /// What was odd, each kind once.
    pub fn flags(&self) -> &[EnergyDeviation] {
        &self.flags
    }

    /// The most that its plug can give.
    pub const fn rating(&self) -> Watts {
        self.rating
    }

    /// The two latest values of the register that counts, each with its receipt.
    pub fn register_ends(&self) -> Option<[(Timestamp, WattHours); 2]> {
        let ends = self.counting().filter_map(Chain::ends);
        let (earlier, later) = ends.max_by_key(|(_, later)| later.mark.received())?;
        let point = |point: super::chain::Point| (point.mark.received(), WattHours(point.value));
        Some([point(earlier), point(later)])
    }
}
