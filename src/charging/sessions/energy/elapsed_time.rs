//! How much time passed in a session, by two clocks of which neither is trusted alone: that of the station, and the
//! receipt of its messages.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MICROS;
use kernel::Timestamp;

/// How far back a station's time may lie; queues of messages are shorter, and clocks that were never set lie years back.
const FARTHEST_BACK: Duration = Duration::from_secs(30 * 86_400);
/// How much older than its receipt a message is that waited, at the station or on the way.
const WAITED_MICROS: i64 = 300 * MICROS;
/// By how much the two clocks may differ before the longer span is taken: whole seconds, slow links; and how far two
/// offsets of one clock may be apart.
const SPREAD_MICROS: i64 = 60 * MICROS;
/// By how much a time may be off before it is said that it is not believed.
const CLOCK_IS_FINE: i64 = 300 * MICROS;

/// A station's own time, or the receipt where it lies ahead of it or more than thirty days back.
pub fn believed(station_time: Timestamp, received: Timestamp) -> Timestamp {
    if station_time > received || station_time < received - FARTHEST_BACK { received } else { station_time }
}

/// An instant as both clocks show it, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    #[serde(rename = "r")]
    received: i64,
    /// The station's time, put into our clock as far as it is believed.
    #[serde(rename = "t")]
    station_time: i64,
    /// How far the time that the station sent is ahead of that.
    #[serde(rename = "o", skip_serializing_if = "is_zero", default)]
    offset: i64,
}

/// Most clocks are right; that is not worth storing.
const fn is_zero(offset: &i64) -> bool {
    *offset == 0
}

impl Mark {
    /// What a station reported at a time of its own, put right by what is known of its clock, when it was received.
    pub fn new(put_right: Timestamp, station_time: Timestamp, received: Timestamp) -> Self {
        let ours = believed(put_right, received).micros();
        Self { received: received.micros(), station_time: ours, offset: station_time.micros().saturating_sub(ours) }
    }

    /// When it was received.
    pub const fn received(self) -> Timestamp {
        Timestamp::from_micros(self.received)
    }

    /// Whether the station's time, as it stood there, is off by so much that it must be said.
    pub fn is_off(self) -> bool {
        let raw = self.raw();
        let believed = believed(Timestamp::from_micros(raw), self.received()).micros();
        believed.saturating_sub(raw).saturating_abs() > CLOCK_IS_FINE
    }

    /// The same, reported at this instant of our clock at the latest.
    pub fn no_later_than(self, at: Timestamp) -> Self {
        Self { station_time: self.station_time.min(at.micros()), ..self }
    }

    const fn raw(self) -> i64 {
        self.station_time.saturating_add(self.offset)
    }

    const fn is_same_clock(self, other: Self) -> bool {
        self.offset.abs_diff(other.offset) <= SPREAD_MICROS.unsigned_abs()
    }

    /// Whether the station's clock can have stood so: one that was never set, or is broken, says nothing.
    fn is_credible(self) -> bool {
        let farthest = (self.received() - FARTHEST_BACK).micros();
        self.raw() >= farthest
    }

    /// Microseconds from `earlier` to here by the station's clock. Where its offset changed, it was set or only became
    /// known: the shorter of the spans counts, by that clock as it stood and as it was put right. A clock that was set back
    /// says nothing as it stood; then the receipts do.
    fn own_since(self, earlier: Self) -> i64 {
        let put_right = self.station_time.saturating_sub(earlier.station_time);
        let as_it_stood = self.raw().saturating_sub(earlier.raw());
        if self.is_same_clock(earlier) || as_it_stood < 0 && !self.is_credible() {
            return put_right;
        }
        let received = self.received.saturating_sub(earlier.received);
        put_right.min(if as_it_stood < 0 { received } else { as_it_stood })
    }

    /// Microseconds from `earlier` to here: the longer of the spans by both clocks, never negative.
    pub(super) fn since(self, earlier: Self) -> i64 {
        let received = self.received.saturating_sub(earlier.received);
        received.max(self.own_since(earlier)).max(0)
    }

    /// Whether the station's own time of it is before another's.
    pub(super) const fn is_earlier_than(self, other: Self) -> bool {
        self.station_time < other.station_time
    }

    /// The station's own time, as far as it is believed, in microseconds.
    pub(super) const fn station_micros(self) -> i64 {
        self.station_time
    }

    /// Whether it is minutes older than its receipt.
    const fn is_old(self) -> bool {
        self.station_time.saturating_add(WAITED_MICROS) < self.received
    }
}

/// The marks of what one message reports at these times, each put right and as it was sent. They keep their spacing by the
/// station's clock, also where that clock is not believed: then the latest is that of the receipt.
pub fn marks_of_one_message(times: &[(Timestamp, Timestamp)], received: Timestamp) -> Vec<Mark> {
    let Some((put_right, latest)) = times.iter().max_by_key(|(_, station_time)| *station_time) else {
        return Vec::new();
    };
    let moved = believed(*put_right, received).micros().saturating_sub(latest.micros());
    let farthest = (received - FARTHEST_BACK).micros();
    let mark = |(_, station_time): &(Timestamp, Timestamp)| {
        let ours = station_time.micros().saturating_add(moved).max(farthest);
        Mark { received: received.micros(), station_time: ours, offset: station_time.micros().saturating_sub(ours) }
    };
    times.iter().map(mark).collect()
}

/// Messages that are minutes old and came one soon after the other: out of a queue, which shows more time than it takes, or
/// from a clock that is behind and does not keep up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    from: Mark,
    /// What had passed in the session then, in microseconds.
    elapsed: i64,
}

impl Run {
    /// What passed until `mark` where the receipts show that the clock does not keep up with them.
    fn crawled(&self, mark: Mark) -> Option<i64> {
        let received = mark.received.saturating_sub(self.from.received);
        let station_time = mark.station_time.saturating_sub(self.from.station_time).max(0);
        let crawls = received.saturating_sub(station_time) > SPREAD_MICROS;
        crawls.then_some(self.elapsed.saturating_add(received))
    }
}

/// How far a session got in time.
///
/// The station's own times count from its start, or from where its clock was set anew. Where receipts show that more time
/// passed they count, except for what waited: a message that is minutes older than its receipt, and not older than what was
/// reported before, shows by its receipt only how late it came. No time passes twice: a clock that jumps to and fro adds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ElapsedTime {
    start: Mark,
    last: Mark,
    /// Microseconds since the start.
    elapsed: i64,
    /// The most by which what passed was ahead of the receipts: what passed by receipt is this and the receipt.
    ahead: i64,
    /// Where the clock of the station was set otherwise than at the start, and what had passed then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    set: Option<(Mark, i64)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    run: Option<Run>,
}

impl ElapsedTime {
    /// One that begins here.
    pub(super) fn from(start: Mark) -> Self {
        let mut elapsed_time =
            Self { start, last: start, elapsed: 0, ahead: start.received.saturating_neg(), set: None, run: None };
        elapsed_time.follow(start);
        elapsed_time
    }

    /// From where the station's clock counts as it stands now, and what had passed then.
    fn base(&self) -> (Mark, i64) {
        self.set.unwrap_or((self.start, 0))
    }

    /// Microseconds since the start by the station's clock, never beyond the receipt.
    fn own(&self, mark: Mark) -> i64 {
        let (base, passed) = self.base();
        let (from, passed) = match mark.is_same_clock(base) {
            true => (base, passed),
            false => (self.last, self.elapsed),
        };
        let most = mark.received.saturating_sub(self.start.station_time);
        passed.saturating_add(mark.own_since(from)).min(most)
    }

    /// Microseconds that passed until `mark`, which comes after all before.
    pub(super) fn reach(&mut self, mark: Mark) -> i64 {
        let (own, by_receipt) = (self.own(mark), self.ahead.saturating_add(mark.received));
        let waited = mark.is_old() && !mark.is_earlier_than(self.last);
        let passed = if by_receipt.saturating_sub(own) <= SPREAD_MICROS {
            own
        } else if waited {
            let step = mark.own_since(self.last);
            let crawled = self.goes_on(mark).and_then(|run| run.crawled(mark));
            let passed = self.elapsed.saturating_add(step).max(crawled.unwrap_or(0));
            own.max(by_receipt.min(passed))
        } else {
            by_receipt
        };
        self.elapsed = self.elapsed.max(passed);
        self.ahead = self.ahead.max(self.elapsed.saturating_sub(mark.received));
        if !mark.is_same_clock(self.base().0) {
            self.set = Some((mark, self.elapsed));
        }
        self.follow(mark);
        self.last = mark;
        self.elapsed
    }

    /// The run that `mark` goes on, if it does.
    fn goes_on(&self, mark: Mark) -> Option<&Run> {
        let soon = mark.received.saturating_sub(self.last.received) <= WAITED_MICROS;
        let run = self.run.as_ref()?;
        (mark.is_old() && soon && !mark.is_earlier_than(self.last)).then_some(run)
    }

    /// The run that the latest mark goes on, or begins.
    fn follow(&mut self, mark: Mark) {
        if self.goes_on(mark).is_none() {
            self.run = mark.is_old().then_some(Run { from: mark, elapsed: self.elapsed });
        }
    }

    /// Microseconds from the start to what is reported late, after something later.
    pub(super) fn place(&self, late: Mark) -> i64 {
        self.own(late).clamp(0, self.elapsed)
    }

    /// The most microseconds that can have passed until `mark`.
    pub(super) fn most(&self, mark: Mark) -> i64 {
        let by_receipt = self.ahead.saturating_add(mark.received);
        self.own(mark).max(by_receipt).max(0)
    }

    /// Microseconds that passed until the latest mark.
    pub(super) const fn elapsed(&self) -> i64 {
        self.elapsed
    }

    /// The mark of its start.
    pub(super) const fn start(&self) -> Mark {
        self.start
    }

    /// The latest mark.
    pub(super) const fn last(&self) -> Mark {
        self.last
    }

    /// The start is reported late: everything since lies as much further from it.
    pub(super) fn begin_at(&mut self, start: Mark) {
        let put_right = self.start.station_time.saturating_sub(start.station_time);
        let earlier = put_right.min(self.start.own_since(start).max(0));
        let later = |passed: i64| passed.saturating_add(earlier);
        self.elapsed = later(self.elapsed).max(0);
        self.ahead = later(self.ahead);
        if let Some((_, passed)) = &mut self.set {
            *passed = later(*passed);
        } else if !self.start.is_same_clock(start) {
            self.set = Some((self.start, earlier));
        }
        if let Some(run) = &mut self.run {
            run.elapsed = later(run.elapsed).max(0);
        }
        self.start = start;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_777_000_000 + second)
    }

    fn at(minute: i64) -> Timestamp {
        second(60 * minute)
    }

    fn mark(station_time: Timestamp, received: Timestamp) -> Mark {
        Mark::new(station_time, station_time, received)
    }

    fn minutes(elapsed_time: &mut ElapsedTime, station_time: i64, received: i64) -> i64 {
        elapsed_time.reach(mark(at(station_time), at(received))) / (60 * MICROS)
    }

    #[test]
    fn live_messages_count_by_the_clock_of_the_station() {
        let mut elapsed_time = ElapsedTime::from(mark(at(-2), at(0)));
        assert_eq!(minutes(&mut elapsed_time, 8, 10), 10);
        assert_eq!(minutes(&mut elapsed_time, 18, 20), 20);
    }

    #[test]
    fn a_burst_keeps_its_hours() {
        let mut elapsed_time = ElapsedTime::from(mark(at(-180), at(0)));
        assert_eq!(minutes(&mut elapsed_time, -90, 0), 90);
        assert_eq!(minutes(&mut elapsed_time, 0, 0), 180);
        assert_eq!(minutes(&mut elapsed_time, 10, 10), 190);
    }

    #[test]
    fn a_stop_that_waited_ends_when_it_happened() {
        let mut elapsed_time = ElapsedTime::from(mark(at(0), at(0)));
        assert_eq!(minutes(&mut elapsed_time, 30, 180), 30);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_stop_time() {
        let mut elapsed_time = ElapsedTime::from(mark(at(0), at(0)));
        assert_eq!(minutes(&mut elapsed_time, 60, 60), 60);
        assert_eq!(minutes(&mut elapsed_time, 10, 70), 70);
        assert_eq!(minutes(&mut elapsed_time, 70, 130), 130);
    }

    #[test]
    fn a_clock_that_was_never_set_leaves_the_receipts() {
        let mut elapsed_time = ElapsedTime::from(mark(Timestamp::from_unix_seconds(0), at(0)));
        assert_eq!(minutes(&mut elapsed_time, 5, 5), 5);
    }

    #[test]
    fn a_clock_that_jumps_to_and_fro_adds_nothing() {
        let mut elapsed_time = ElapsedTime::from(mark(at(0), at(0)));
        for step in 1..=50 {
            minutes(&mut elapsed_time, if step % 2 == 0 { step } else { step - 60 }, step);
        }
        assert_eq!(elapsed_time.elapsed() / (60 * MICROS), 50);
    }

    #[test]
    fn a_clock_that_was_known_to_be_behind_and_is_set_right_adds_nothing() {
        for behind in [2 * 60, 20 * 1_440] {
            let mut elapsed_time = ElapsedTime::from(Mark::new(at(0), at(-behind), at(0)));
            assert_eq!(elapsed_time.reach(mark(second(2), second(2))), 2 * MICROS);
            assert_eq!(minutes(&mut elapsed_time, 10, 10), 10);
        }
    }

    #[test]
    fn a_clock_that_becomes_known_and_is_then_set_right_adds_nothing() {
        let mut elapsed_time = ElapsedTime::from(mark(at(-120), at(0)));
        assert_eq!(minutes(&mut elapsed_time, -110, 10), 10);
        let known = Mark::new(at(20), at(-100), at(20));
        assert_eq!(elapsed_time.reach(known) / (60 * MICROS), 20);
        assert_eq!(minutes(&mut elapsed_time, 30, 30), 30);
        assert_eq!(minutes(&mut elapsed_time, 40, 40), 40);
    }

    #[test]
    fn an_hour_out_of_a_queue_counts_by_a_clock_that_is_known_to_be_off() {
        for ahead in [120, -5 * 365 * 1_440] {
            let reported = |minute: i64| Mark::new(at(minute), at(minute + ahead), at(60));
            let mut elapsed_time = ElapsedTime::from(reported(0));
            assert_eq!(elapsed_time.reach(reported(30)) / (60 * MICROS), 30);
            assert_eq!(elapsed_time.reach(reported(60)) / (60 * MICROS), 60);
        }
    }

    #[test]
    fn a_clock_an_hour_behind_that_stands_still_or_crawls_leaves_the_receipts() {
        for seconds_in_ten in [0, 1] {
            let mut elapsed_time = ElapsedTime::from(mark(second(-3_600), second(0)));
            for step in 1..=15 {
                let station_time = second(-3_600 + seconds_in_ten * step);
                elapsed_time.reach(mark(station_time, second(10 * step)));
            }
            assert_eq!(elapsed_time.elapsed(), 150 * MICROS);
        }
    }

    #[test]
    fn a_queue_that_is_emptied_slowly_and_with_a_break_does_not_crawl() {
        let mut elapsed_time = ElapsedTime::from(mark(at(0), at(0)));
        for minute in 1..=30 {
            // A message a second, of a minute each, twice; after twenty of them the link is lost for four minutes.
            let received = 180 * 60 + minute + if minute > 20 { 240 } else { 0 };
            elapsed_time.reach(mark(at(minute), second(received)));
            elapsed_time.reach(mark(at(minute), second(received)));
        }
        assert_eq!(elapsed_time.elapsed(), 30 * 60 * MICROS);
    }

    #[test]
    fn elements_of_one_message_keep_their_spacing() {
        let times = [at(-500_000), at(-499_998), at(-499_995)];
        let marks = marks_of_one_message(&times.map(|at| (at, at)), at(0));
        let back: Vec<i64> = marks.iter().map(|mark| (at(0).micros() - mark.station_time) / (60 * MICROS)).collect();
        assert_eq!(back, [5, 3, 0]);
    }

    #[test]
    fn marks_from_before_there_were_offsets_still_read() {
        let sent = mark(at(-5), at(0));
        let text = serde_json::to_string(&sent).expect("JSON");
        assert!(!text.contains("\"o\""), "{text}");
        assert_eq!(serde_json::from_str::<Mark>(&text).expect("a mark"), sent);
    }

    proptest! {
        /// Live messages of a clock that is off by anything, known or not, and is set anew on the way: what passed is what
        /// the receipts show, or less by as little as the two clocks may differ.
        #[test]
        fn live_messages_take_as_long_as_their_receipts(
            steps in prop::collection::vec((1_i64..600, prop_oneof![
                6 => Just(None),
                1 => (-40_000_000_i64..40_000_000).prop_map(Some),
            ]), 1..40),
            first in -40_000_000_i64..40_000_000,
        ) {
            // The offset is known as soon as it holds.
            let mut offset = first;
            let reported = |now: i64, offset: i64| Mark::new(second(now), second(now + offset), second(now));
            let mut elapsed_time = ElapsedTime::from(reported(0, offset));
            let mut now = 0;
            for (seconds, set) in steps {
                now += seconds;
                offset = set.unwrap_or(offset);
                elapsed_time.reach(reported(now, offset));
                let missing = now * MICROS - elapsed_time.elapsed();
                prop_assert!((0..=SPREAD_MICROS).contains(&missing), "{missing} of {now} s");
            }
        }

        /// Whatever is reported and known of a clock, time never runs back, nor beyond what was received since the start.
        #[test]
        fn time_never_runs_back_nor_ahead_of_receipts(
            start in (-4_000_000_i64..1_000_000, -40_000_000_i64..40_000_000),
            steps in prop::collection::vec(
                (0_i64..2_000, -4_000_000_i64..1_000_000, prop_oneof![Just(0_i64), -40_000_000_i64..40_000_000]), 1..40),
        ) {
            let reported = |now: i64, ago: i64, offset: i64| {
                let ours = second(now + ago);
                Mark::new(ours, second(now + ago + offset), second(now))
            };
            let start = reported(0, start.0, start.1);
            let mut elapsed_time = ElapsedTime::from(start);
            let (mut now, mut before) = (0, 0);
            for (seconds, ago, offset) in steps {
                now += seconds;
                let mark = reported(now, ago, offset);
                let most = elapsed_time.most(mark);
                let passed = elapsed_time.reach(mark);
                prop_assert!(passed >= before);
                prop_assert!(passed <= most.max(before));
                prop_assert!(start.station_time + passed <= second(now).micros());
                before = passed;
            }
        }
    }
}
