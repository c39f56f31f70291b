//! What the meter of a connector shows, taken as evidence: by its power and by its energy register, and bounded by what hardware
//! can do.
//!
//! Readings are followed by connector and by time of receipt, whatever the station says of sessions, statuses and the hour. Many
//! stations report the register only, which is the default of OCPP 1.6, so power is derived from it. Its last digit is worth up to
//! a kWh; what it proves therefore lies between a least and a most.
//!
//! What was read until a session ended, or until a connector became free, says nothing of what is drawn since; what is read later
//! counts, whoever charges there.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sites::stations::link::Shown;
use engine::CurrentKind;
use kernel::{SessionId, Timestamp, WattHours, Watts};

/// Registers that are kept: a few minutes of a station that reports every ten seconds.
const KEPT: usize = 24;
/// Registers closer together than this prove nothing: a message may be late by seconds.
const SHORTEST: Duration = Duration::from_secs(20);
/// A register whose last digit leaves more open than this does not show what is drawn, only bounds it.
const LARGEST_DOUBT: Watts = Watts(1_000);
/// What is drawn now follows from registers of so long, or of the last two where they are further apart.
const LATELY: Duration = Duration::from_secs(60);
/// A register of whole kWh needs this long to prove what is drawn.
const LONGEST: Duration = Duration::from_secs(1_200);
/// A reading says nothing of what is drawn this much later.
pub(super) const SAYS_SOMETHING_FOR: Duration = Duration::from_secs(900);
/// How long after a session ended its readings may still come, out of a queue of their own. What comes later counts, whatever time it
/// says: a clock that stands still, or lies, hides no draw.
const COMES_LATE_BY: Duration = Duration::from_secs(60);
/// Less is what electronics draw, not a car.
pub(super) const A_CAR: Watts = Watts(100);
/// What the largest AC socket carries: 63 A on three phases (IEC 62196-2).
const LARGEST_AC: Watts = Watts(43_500);
/// What is usual at most for one car.
const LARGEST_USUAL_DC: Watts = Watts(200_000);
/// How far above its rating a DC connector may be.
const DC_FACTOR: i64 = 2;
/// A power is a slip of the unit only where a thousandth of it is what a car draws at least: 6 A on one phase. The largest
/// connectors of today stay below a thousand times that.
const LEAST_OF_A_SLIP: Watts = Watts(1_380_000);
/// Registers that leap by more than so many times what the hardware gives are two registers.
const LEAP: i64 = 4;

/// What one connector's meter showed lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Meter {
    /// When it was last heard of.
    pub at: Option<Timestamp>,
    /// What it drew by its latest reading.
    pub draw: Option<Watts>,
    /// When that reading was received.
    drawn_at: Option<Timestamp>,
    /// The session that ran when its connector was last looked at.
    session: Option<SessionId>,
    /// Since when nobody draws there, as far as its station says: a session ended, or its connector became free.
    idle_since: Option<Timestamp>,
    /// The last readings of transactions that nobody knows here, one after the other.
    ends: Option<Ends>,
    /// The last value that no hardware can give, and when it was reported.
    pub impossible: Option<(Timestamp, Watts)>,
    /// Registers, oldest first.
    registers: Vec<Point>,
}

/// When the first and the latest of some readings were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Ends {
    since: Timestamp,
    latest: Timestamp,
}

/// A register, when it was received and when it was read by the station's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    at: Timestamp,
    #[serde(rename = "told_at")]
    reported_at: Timestamp,
    register: WattHours,
}

impl Point {
    /// The time since another one: the larger of both, so that registers out of a queue keep theirs.
    fn since(self, before: Self) -> Duration {
        self.at.since(before.at).max(self.reported_at.since(before.reported_at))
    }
}

/// What the registers of a span prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proof {
    /// When the span begins.
    pub since: Timestamp,
    /// The least that was drawn on average.
    pub least: Watts,
    /// The most.
    pub most: Watts,
}

/// What a connector can draw, by its hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hardware {
    pub kind: CurrentKind,
    pub rating: Watts,
}

impl Hardware {
    /// More than this cannot be: a rating may be set up too low, but there is no larger socket.
    fn most(self) -> Watts {
        match self.kind {
            CurrentKind::Ac => self.rating.max(LARGEST_AC),
            CurrentKind::Dc => Watts(self.rating.get().saturating_mul(DC_FACTOR)),
        }
    }

    /// What is not set up: it may be as large as the largest usual DC connector.
    pub(super) const fn unknown(rating: Watts) -> Self {
        Self {
            kind: CurrentKind::Dc,
            rating: if rating.get() > LARGEST_USUAL_DC.get() { rating } else { LARGEST_USUAL_DC },
        }
    }

    /// A reported power, as far as it can be true. What is a thousand times something usual, and more than any connector gives,
    /// is taken for a slip of the unit; a negative one is no draw.
    fn bounded(self, reported: Watts) -> Watts {
        let most = self.most();
        if reported <= most {
            return reported.at_least_zero();
        }
        let of_a_thousand = Watts(reported.get() / 1_000);
        let is_usual = of_a_thousand <= self.rating + Watts(self.rating.get() / 10);
        if is_usual && reported >= LEAST_OF_A_SLIP { of_a_thousand } else { most }
    }

    /// Whether it cannot be true.
    fn is_impossible(self, reported: Watts) -> bool {
        reported > self.most() || reported < -self.most()
    }
}

impl Meter {
    /// Takes in what was shown; answers what is drawn by it, where that can be known.
    pub(super) fn take(&mut self, shown: &Shown, hardware: Hardware) -> Option<Watts> {
        self.at = Some(shown.at);
        if let Some(register) = shown.register {
            self.note_register(Point { at: shown.at, reported_at: shown.reported_at, register });
        }
        let reported = shown.power.map(|reported| {
            if hardware.is_impossible(reported) {
                self.impossible = Some((shown.at, reported));
            }
            hardware.bounded(reported)
        });
        if self.is_of_before(shown) {
            return None; // its register counts, as far as that proves something
        }
        let derived = || self.by_register().map(|watts| watts.min(hardware.most()));
        let draw = reported.or_else(derived);
        if draw.is_some() {
            (self.draw, self.drawn_at) = (draw, Some(shown.at));
        }
        draw
    }

    /// Follows which session runs, and since when its station says that nobody draws there: what was read until then says nothing of
    /// what is drawn since.
    pub(super) fn follow(&mut self, session: Option<SessionId>, free_since: Option<Timestamp>, now: Timestamp) {
        let before = std::mem::replace(&mut self.session, session);
        let ended = (before.is_some() && before != session).then_some(now);
        if ended.is_some() {
            self.ends = None;
        }
        if let Some(at) = ended.max(free_since) {
            self.note_idle(at.min(now));
        }
    }

    /// Nobody draws there from this instant on, as far as its station says.
    pub(super) fn note_idle(&mut self, at: Timestamp) {
        self.idle_since = self.idle_since.max(Some(at));
        if self.drawn_at.or(self.at).is_none_or(|drawn| drawn <= at) {
            (self.draw, self.drawn_at) = (None, None);
        }
    }

    /// Whether a reading shows what was drawn before its session ended or its connector became free. By the order of receipt; and where
    /// it came soon after, by what it says itself.
    fn is_of_before(&mut self, shown: &Shown) -> bool {
        if self.is_end(shown) {
            return true;
        }
        self.idle_since.is_some_and(|idle_since| {
            let says_so = shown.is_last || shown.reported_at <= idle_since;
            shown.at <= idle_since || (says_so && shown.at <= idle_since + COMES_LATE_BY)
        })
    }

    /// Whether a reading is the last one of a transaction that nobody knows here: one that is over, out of a queue. A queue is sent within
    /// seconds, so who says it for longer of each reading draws on.
    pub(super) fn is_end(&mut self, shown: &Shown) -> bool {
        if !shown.is_last || self.session.is_some() {
            return false;
        }
        let goes_on = self.ends.filter(|ends| says_something(ends.latest, shown.at));
        let since = goes_on.map_or(shown.at, |ends| ends.since);
        self.ends = Some(Ends { since, latest: shown.at });
        shown.at <= since + COMES_LATE_BY
    }

    /// What it drew by its latest reading, unless that is long ago.
    pub(super) fn draw_at(&self, now: Timestamp) -> Option<Watts> {
        let drawn_at = self.drawn_at.or(self.at);
        self.draw.filter(|_| drawn_at.is_some_and(|at| says_something(at, now)))
    }

    /// Whether it was heard of lately.
    pub(super) fn is_heard(&self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| now.since(at) <= SAYS_SOMETHING_FOR)
    }

    /// Since when nobody draws there, as far as its station says.
    pub(super) const fn idle_since(&self) -> Option<Timestamp> {
        self.idle_since
    }

    /// Whether more is drawn than electronics need.
    pub(super) fn shows_a_car(&self) -> bool {
        self.draw.is_some_and(|draw| draw > A_CAR)
    }

    /// It is known to draw nothing.
    pub(super) fn forget_power(&mut self) {
        (self.draw, self.drawn_at, self.registers) = (None, None, Vec::new());
    }

    /// A register that falls began anew, and one that leaps is another one: neither says what was drawn.
    fn note_register(&mut self, point: Point) {
        if let Some(last) = self.registers.last().copied() {
            if point.register < last.register || point.at < last.at {
                self.registers.clear();
            } else if point.at == last.at && point.reported_at == last.reported_at {
                self.registers.pop();
            }
        }
        if self.registers.len() >= KEPT {
            self.registers.remove(self.least_needed());
        }
        self.registers.push(point);
    }

    /// The first register without which those around it are not further apart than a minute; else the oldest.
    fn least_needed(&self) -> usize {
        let close = |three: &[Point]| matches!(three, [one, _, three] if three.at.since(one.at) <= LATELY);
        let middle = self.registers.windows(3).position(close);
        middle.map_or(0, |before| before + 1)
    }

    /// The average power of the last minute, by the register; of nothing before a session ended.
    fn by_register(&self) -> Option<Watts> {
        let is_of_before = |one: &Point| self.idle_since.is_some_and(|idle| one.at <= idle);
        let registers = self.registers.get(self.registers.partition_point(is_of_before)..)?;
        let latest = *registers.last()?;
        let lately = |one: &Point| latest.at.since(one.at) <= LATELY;
        let first = registers.iter().position(lately)?;
        let long_enough = |index: usize| {
            let begin = registers.get(index)?;
            (latest.since(*begin) >= SHORTEST).then_some(index)
        };
        let first = long_enough(first).or_else(|| long_enough(first.checked_sub(1)?))?;
        let points = registers.get(first..)?;
        let Proof { least, most, .. } = proof(points)?;
        let mean = Watts(least.get() + (most - least).get() / 2);
        (most - least <= LARGEST_DOUBT).then_some(mean)
    }

    /// What the register proves of the last two minutes, or of its last two readings where these are further apart, or of as long
    /// as its last digit needs; of nothing before this instant.
    pub(super) fn proves(&self, since: Option<Timestamp>, hardware: Hardware) -> Option<Proof> {
        let mut span = LATELY + LATELY;
        let mut proof = self.proves_of(span, since)?;
        while proof.most - proof.least > LARGEST_DOUBT && span < LONGEST {
            span += span;
            let longer = self.proves_of(span, since)?;
            if longer.least > proof.least {
                (proof.since, proof.least) = (longer.since, longer.least);
            }
            proof.most = proof.most.min(longer.most);
        }
        let most = hardware.most();
        let is_one_register = proof.least <= Watts(most.get().saturating_mul(LEAP));
        is_one_register.then_some(Proof { least: proof.least.min(most), ..proof })
    }

    fn proves_of(&self, span: Duration, since: Option<Timestamp>) -> Option<Proof> {
        let latest = self.registers.last()?.at;
        let counts = |at: Timestamp| since.is_none_or(|since| at >= since);
        let recent = self.registers.partition_point(|one| one.at + span < latest);
        let first = recent.min(self.registers.len().saturating_sub(2));
        let points = self.registers.get(first..)?;
        proof(points.get(points.partition_point(|one| !counts(one.at))..)?)
    }
}

/// Whether a reading of an instant says something of what is drawn now.
pub(super) fn says_something(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) <= SAYS_SOMETHING_FOR
}

/// What the first and the last of some registers prove. The station's own times may accuse nobody, and pardon nobody either: a
/// clock that is set to and fro would.
fn proof(points: &[Point]) -> Option<Proof> {
    let (first, last) = (*points.first()?, *points.last()?);
    let (least, _) = bounds(points, last.since(first))?;
    let by_receipt = bounds(points, last.at.since(first.at));
    Some(Proof { since: first.at, least, most: by_receipt.map_or(Watts(i64::MAX), |(_, most)| most) })
}

/// The least and the most that was drawn on average where so much time passed from the first register to the last.
fn bounds(points: &[Point], span: Duration) -> Option<(Watts, Watts)> {
    if span < SHORTEST {
        return None;
    }
    let (first, last) = (points.first()?.register, points.last()?.register);
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX).max(1);
    let moved = last.get().saturating_sub(first.get());
    let digit = last_digit(points);
    let average = |energy: i64| Watts(energy.max(0).saturating_mul(3_600_000) / millis);
    Some((average(moved - digit), average(moved.saturating_add(digit))))
}

/// What the last digit of a register is worth that showed these: 1 kWh, 100 Wh, 10 Wh or 1 Wh.
fn last_digit(points: &[Point]) -> i64 {
    let all_have = |digit: &i64| points.iter().all(|one| one.register.get() % digit == 0);
    [1_000, 100, 10].into_iter().find(all_have).unwrap_or(1)
}

/// What a connector may have been drawing, by what its station was sent: the exposure that the ledger knew at an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Allowed(Vec<(Timestamp, Watts)>);

impl Allowed {
    /// Changes that are kept.
    const KEPT: usize = 16;

    /// Notes the exposure from now on.
    pub(super) fn note(&mut self, now: Timestamp, exposure: Watts) {
        if self.0.last().is_some_and(|(_, last)| *last == exposure) {
            return;
        }
        if self.0.len() >= Self::KEPT {
            self.0.remove(0);
        }
        self.0.push((now, exposure));
    }

    /// The exposure at an instant; the oldest that is known for those before.
    pub(super) fn at(&self, instant: Timestamp) -> Option<Watts> {
        let after = self.0.partition_point(|(since, _)| *since <= instant);
        let held = self.0.get(after.saturating_sub(1))?;
        Some(held.1)
    }

    /// Since when it is no more than now.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let (mut since, now) = self.0.last().copied()?;
        for (at, exposure) in self.0.iter().rev() {
            if *exposure > now {
                break;
            }
            since = *at;
        }
        Some(since)
    }
}

/// A range within another.
pub(super) fn within(range: RangeInclusive<Watts>, most: Watts) -> RangeInclusive<Watts> {
    let inside = |power: &Watts| (*power).clamp(Watts::ZERO, most.at_least_zero());
    inside(range.start())..=inside(range.end())
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
