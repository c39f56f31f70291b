//! How much time passed in a session, by two clocks of which neither is trusted alone: that of the station, and the
//! receipt of its messages.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MICROS;
use crate::kernel::Timestamp;

/// How far back a station's time may lie; queues of messages are shorter, and clocks that were never set lie years back.
const FARTHEST_BACK: Duration = Duration::from_secs(30 * 86_400);
/// How much older than its receipt a message is that waited, at the station or on the way.
const WAITED_MICROS: i64 = 300 * MICROS;
/// By how much the two clocks may differ before the longer span is taken: whole seconds, slow links.
const SPREAD_MICROS: i64 = 60 * MICROS;

/// A station's own time, or the receipt where it lies ahead of it or more than thirty days back.
pub fn believed(told: Timestamp, received: Timestamp) -> Timestamp {
    if told > received || told < received - FARTHEST_BACK {
        received
    } else {
        told
    }
}

/// An instant as both clocks tell it, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    #[serde(rename = "r")]
    received: i64,
    #[serde(rename = "t")]
    told: i64,
}

impl Mark {
    /// What a station told at a time of its own, when it was received.
    pub fn new(told: Timestamp, received: Timestamp) -> Self {
        Self {
            received: received.micros(),
            told: believed(told, received).micros(),
        }
    }

    /// When it was received.
    pub const fn received(self) -> Timestamp {
        Timestamp::from_micros(self.received)
    }

    /// Microseconds from `earlier` to here: the longer of both spans, never negative.
    pub(super) fn since(self, earlier: Self) -> i64 {
        let received = self.received.saturating_sub(earlier.received);
        let told = self.told.saturating_sub(earlier.told);
        received.max(told).max(0)
    }

    /// Whether the station's own time of it is before another's.
    pub(super) const fn is_told_before(self, other: Self) -> bool {
        self.told < other.told
    }

    /// The station's own time, as far as it is believed, in microseconds.
    pub(super) const fn told_micros(self) -> i64 {
        self.told
    }
}

/// The marks of what one message tells at these times. They keep their spacing by the station's clock, also where that
/// clock is not believed: then the latest is that of the receipt.
pub fn marks_of_one_message(told: &[Timestamp], received: Timestamp) -> Vec<Mark> {
    let Some(latest) = told.iter().max() else {
        return Vec::new();
    };
    let moved = believed(*latest, received)
        .micros()
        .saturating_sub(latest.micros());
    let farthest = (received - FARTHEST_BACK).micros();
    let mark = |at: &Timestamp| Mark {
        received: received.micros(),
        told: at.micros().saturating_add(moved).max(farthest),
    };
    told.iter().map(mark).collect()
}

/// How far a session got in time.
///
/// The station's own times count from its start. Where receipts show that more time passed they count, except for what
/// waited: a message that is minutes older than its receipt, and not older than what was told before, tells by its
/// receipt only how late it came. No time passes twice: a clock that jumps to and fro adds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    start: Mark,
    last: Mark,
    /// Microseconds since the start.
    elapsed: i64,
    /// The most by which what passed was ahead of the receipts: what passed by receipt is this and the receipt.
    ahead: i64,
}

impl Course {
    /// One that begins here.
    pub const fn from(start: Mark) -> Self {
        Self {
            start,
            last: start,
            elapsed: 0,
            ahead: start.received.saturating_neg(),
        }
    }

    fn own(&self, mark: Mark) -> i64 {
        mark.told.saturating_sub(self.start.told)
    }

    /// Microseconds that passed until `mark`, which comes after all before.
    pub fn reach(&mut self, mark: Mark) -> i64 {
        let (own, by_receipt) = (self.own(mark), self.ahead.saturating_add(mark.received));
        let waited = mark.told.saturating_add(WAITED_MICROS) < mark.received
            && !mark.is_told_before(self.last);
        let passed = if by_receipt.saturating_sub(own) <= SPREAD_MICROS {
            own
        } else if waited {
            let step = mark.told.saturating_sub(self.last.told);
            own.max(by_receipt.min(self.elapsed.saturating_add(step)))
        } else {
            by_receipt
        };
        self.elapsed = self.elapsed.max(passed);
        self.ahead = self.ahead.max(self.elapsed.saturating_sub(mark.received));
        self.last = mark;
        self.elapsed
    }

    /// Microseconds from the start to what is told late, after something later.
    pub fn place(&self, late: Mark) -> i64 {
        self.own(late).clamp(0, self.elapsed)
    }

    /// The most microseconds that can have passed until `mark`.
    pub(super) fn most(&self, mark: Mark) -> i64 {
        let by_receipt = self.ahead.saturating_add(mark.received);
        self.own(mark).max(by_receipt).max(0)
    }

    /// Microseconds that passed until the latest mark.
    pub const fn elapsed(&self) -> i64 {
        self.elapsed
    }

    /// The mark of its start.
    pub(super) const fn start(&self) -> Mark {
        self.start
    }

    /// The latest mark.
    pub const fn last(&self) -> Mark {
        self.last
    }

    /// The start is told late: everything since lies as much further from it.
    pub(super) fn begin_at(&mut self, start: Mark) {
        let earlier = self.start.told.saturating_sub(start.told);
        self.elapsed = self.elapsed.saturating_add(earlier).max(0);
        self.ahead = self.ahead.saturating_add(earlier);
        self.start = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_777_000_000 + 60 * minute)
    }

    fn minutes(course: &mut Course, told: i64, received: i64) -> i64 {
        course.reach(Mark::new(at(told), at(received))) / (60 * MICROS)
    }

    #[test]
    fn live_messages_count_by_the_clock_of_the_station() {
        let mut course = Course::from(Mark::new(at(-2), at(0)));
        assert_eq!(minutes(&mut course, 8, 10), 10);
        assert_eq!(minutes(&mut course, 18, 20), 20);
    }

    #[test]
    fn a_burst_keeps_its_hours() {
        let mut course = Course::from(Mark::new(at(-180), at(0)));
        assert_eq!(minutes(&mut course, -90, 0), 90);
        assert_eq!(minutes(&mut course, 0, 0), 180);
        assert_eq!(minutes(&mut course, 10, 10), 190);
    }

    #[test]
    fn a_stop_that_waited_ends_when_it_happened() {
        let mut course = Course::from(Mark::new(at(0), at(0)));
        assert_eq!(minutes(&mut course, 30, 180), 30);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_stop_time() {
        let mut course = Course::from(Mark::new(at(0), at(0)));
        assert_eq!(minutes(&mut course, 60, 60), 60);
        assert_eq!(minutes(&mut course, 10, 70), 70);
        assert_eq!(minutes(&mut course, 70, 130), 130);
    }

    #[test]
    fn a_clock_that_was_never_set_leaves_the_receipts() {
        let mut course = Course::from(Mark::new(Timestamp::from_unix_seconds(0), at(0)));
        assert_eq!(minutes(&mut course, 5, 5), 5);
    }

    #[test]
    fn a_clock_that_jumps_to_and_fro_adds_nothing() {
        let mut course = Course::from(Mark::new(at(0), at(0)));
        for step in 1..=50 {
            minutes(
                &mut course,
                if step % 2 == 0 { step } else { step - 60 },
                step,
            );
        }
        assert_eq!(course.elapsed() / (60 * MICROS), 50);
    }

    #[test]
    fn elements_of_one_message_keep_their_spacing() {
        let told = [at(-500_000), at(-499_998), at(-499_995)];
        let marks = marks_of_one_message(&told, at(0));
        let back: Vec<i64> = marks
            .iter()
            .map(|mark| (at(0).micros() - mark.told) / (60 * MICROS))
            .collect();
        assert_eq!(back, [5, 3, 0]);
    }
}
