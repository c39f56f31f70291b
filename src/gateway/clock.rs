//! How far a station's clock is from ours, learnt from its live messages; pure.
//!
//! A message says when it was written by the station's clock, and arrives now: the difference is the clock's offset less the
//! time that the message took. Nearly all of that time is waiting in the station's queue, so the message that came fastest
//! says most. A time ahead of its receipt cannot come from a queue; one that is behind may, so a clock is taken to be behind
//! only when messages that are seconds apart agree: a queue that is emptied gives back minutes in moments. One that is behind by no
//! more than a message may wait is taken to be right.

use std::collections::VecDeque;
use std::time::Duration;

use crate::sites::stations::link::{
    GetDiagnostics, GetLog, Reserve, SetSchedule, SignedUpdateFirmware, StationCommand, UpdateFirmware,
};
use kernel::Timestamp;

/// Differences that are not distinguished: delays on the way, and clocks that count whole seconds.
const TOLERANCE: Duration = Duration::from_secs(10);
/// Messages that are at least so far apart, by both clocks alike, do not come from one burst out of a queue.
const APART: Duration = Duration::from_secs(5);
/// How alike: closer than [`TOLERANCE`], because a queue may be emptied nearly as slowly as it was filled.
const ALIKE: Duration = Duration::from_secs(3);
/// Readings may be reported a while after they were taken, by some stations always: a clock is not taken to have gone back by
/// less because of readings alone. Limits bear this much.
const OLD_READING: Duration = Duration::from_secs(150);
/// Messages that are remembered: one that comes every minute is compared with a quarter of an hour.
const MOST_HEARD: usize = 16;
/// An offset that changed by no more is not worth saying limits again.
const WORTH_REPORTING: Duration = Duration::from_secs(5);
/// A time further back than that is not believed, whatever the clock says: no queue is that old.
const OLDEST: Duration = Duration::from_secs(30 * 86_400);
/// An offset of this much is shown as a clock that is off.
pub const OFF: Duration = Duration::from_secs(60);

/// What a time was reported with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// Something that happened; reported when it did, unless it had to wait.
    Event,
    /// A reading of a meter, which may be reported later.
    Reading,
}

/// A time of the station and when it came.
#[derive(Debug, Clone, Copy)]
struct Heard {
    at: Timestamp,
    received: Timestamp,
    reported: Reported,
}

impl Heard {
    /// How far the station's time was ahead, in microseconds.
    const fn ahead(&self) -> i64 {
        self.at.micros().saturating_sub(self.received.micros())
    }
}

/// The clock of a station.
#[derive(Debug, Clone, Default)]
pub struct StationClock {
    /// How far it is ahead of ours, in microseconds, as far as it is known.
    offset: Option<i64>,
    heard: VecDeque<Heard>,
    /// The offset that was last reported.
    reported: Option<i64>,
}

impl StationClock {
    /// A clock of which this was known when the station last spoke.
    pub fn remembered(offset_seconds: Option<i64>) -> Self {
        let offset = offset_seconds.map(|seconds| seconds.saturating_mul(1_000_000));
        Self { offset, heard: VecDeque::new(), reported: offset }
    }

    /// Takes in a time of the station.
    pub fn hear(&mut self, at: Timestamp, received: Timestamp, reported: Reported) {
        let heard = Heard { at, received, reported };
        if let Some(offset) = self.follows_from(&heard) {
            // A few seconds behind is what a clock that is right shows of messages that waited: their times are right then.
            let offset = if is_near(offset, 0) { offset.max(0) } else { offset };
            let moved = self.offset.is_none_or(|known| !is_near(known, offset));
            if moved {
                // What came before was reported by a clock that stood otherwise.
                self.heard.retain(|one| is_near(one.ahead(), offset));
            }
            self.offset = Some(offset);
        }
        if self.heard.len() >= MOST_HEARD {
            self.heard.pop_front();
        }
        self.heard.push_back(heard);
    }

    /// The offset that this time, with those before, is a proof of.
    fn follows_from(&self, heard: &Heard) -> Option<i64> {
        let ahead = heard.ahead();
        let known = self.offset.unwrap_or(0);
        if is_near(ahead, known) {
            // The fastest of those that agree; a clock that is right needs no other witness.
            let like = self.heard.iter().filter(|one| is_near(one.ahead(), known));
            return like.map(Heard::ahead).chain([ahead]).max();
        }
        if is_near(ahead, 0) && ahead > known {
            return Some(ahead); // it was behind and was set right
        }
        // Another time, so another message: one says the same time in several places.
        let agreeing = self
            .heard
            .iter()
            .rev()
            .take_while(|one| !is_near(one.ahead(), known))
            .filter(|one| one.at != heard.at && is_near(one.ahead(), ahead));
        let fastest = |offset: i64, one: &Heard| offset.max(one.ahead());
        if ahead > known && ahead > 0 {
            let mut agreeing = agreeing.peekable();
            agreeing.peek()?;
            return Some(agreeing.fold(ahead, fastest));
        }
        // Behind what is known: the clock went back, or a queue is emptied.
        let back = known.saturating_sub(ahead);
        let enough = |one: &Heard| match (heard.reported, one.reported) {
            (Reported::Reading, Reported::Reading) => back > micros(OLD_READING),
            _ => true,
        };
        let alike = |one: &Heard| within(one.ahead(), ahead, ALIKE);
        let live = agreeing.filter(|one| heard.received.since(one.received) >= APART && alike(one) && enough(one));
        let mut live = live.peekable();
        live.peek()?;
        Some(live.fold(ahead, fastest))
    }

    /// How far it is ahead of ours, in seconds, negative where it is behind; nothing where that is not known.
    pub fn offset_seconds(&self) -> Option<i64> {
        let whole = |micros: i64| micros.saturating_add(500_000).div_euclid(1_000_000);
        self.offset.map(whole)
    }

    /// What is new since it was last asked for: the offset became known, or changed by more than a few seconds.
    pub fn news(&mut self) -> Option<News> {
        let offset = self.offset?;
        // A clock of which nothing is known is taken to be right.
        let moved = !within(offset, self.reported.unwrap_or(0), WORTH_REPORTING);
        if !moved && self.reported.is_some() {
            return None;
        }
        self.reported = Some(offset);
        let offset_seconds = self.offset_seconds()?;
        Some(News { offset_seconds, moved })
    }

    /// Our time for a time of the station that came now: with its offset taken off. One that lies ahead of its receipt, or
    /// further back than any queue is, is not believed; its receipt stands in.
    pub fn ours(&self, at: Timestamp, received: Timestamp) -> Timestamp {
        let ours = shifted(at, self.offset.unwrap_or(0).saturating_neg());
        if ours > received || ours < received - OLDEST { received } else { ours }
    }

    /// What the station's clock shows at this instant of ours.
    pub fn theirs(&self, at: Timestamp) -> Timestamp {
        let rounded = self.offset_seconds().unwrap_or(0);
        shifted(at, rounded.saturating_mul(1_000_000))
    }

    /// The command with every time in it as the station's clock shows it.
    pub fn in_its_time(&self, command: StationCommand) -> StationCommand {
        if self.offset_seconds().unwrap_or(0) == 0 {
            return command;
        }
        let there = |at: Timestamp| self.theirs(at);
        match command {
            StationCommand::SetSchedule(schedule) => {
                StationCommand::SetSchedule(SetSchedule { start: there(schedule.start), ..schedule })
            }
            StationCommand::Reserve(one) => StationCommand::Reserve(Reserve { until: there(one.until), ..one }),
            StationCommand::UpdateFirmware(update) => {
                StationCommand::UpdateFirmware(UpdateFirmware { retrieve_at: there(update.retrieve_at), ..update })
            }
            StationCommand::SignedUpdateFirmware(update) => {
                StationCommand::SignedUpdateFirmware(SignedUpdateFirmware {
                    retrieve_at: update.retrieve_at.map(there),
                    install_at: update.install_at.map(there),
                    ..update
                })
            }
            StationCommand::GetDiagnostics(wanted) => StationCommand::GetDiagnostics(GetDiagnostics {
                start_at: wanted.start_at.map(there),
                stop_at: wanted.stop_at.map(there),
                ..wanted
            }),
            StationCommand::GetLog(wanted) => StationCommand::GetLog(GetLog {
                oldest: wanted.oldest.map(there),
                latest: wanted.latest.map(there),
                ..wanted
            }),
            StationCommand::SetChargingProfile { connector, mut profile } => {
                self.shift(&mut profile);
                StationCommand::SetChargingProfile { connector, profile }
            }
            StationCommand::SendLocalList { version, full, mut entries } => {
                entries.iter_mut().for_each(|entry| self.shift(entry));
                StationCommand::SendLocalList { version, full, entries }
            }
            StationCommand::Device { request, mut payload } => {
                self.shift(&mut payload);
                StationCommand::Device { request, payload }
            }
            other => other,
        }
    }

    /// Times of a payload in the protocol's own form, wherever they stand in it.
    fn shift(&self, payload: &mut serde_json::Value) {
        match payload {
            serde_json::Value::Array(items) => {
                items.iter_mut().for_each(|item| self.shift(item));
            }
            serde_json::Value::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    let time =
                        TIMES.contains(&name.as_str()).then(|| field.as_str()?.parse::<Timestamp>().ok()).flatten();
                    match time {
                        Some(at) => *field = self.theirs(at).to_string().into(),
                        None => self.shift(field),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Fields of charging profiles, of messages on displays, of grid support (`timestamp` is that of an aFRR signal) and of local
/// lists that are instants at which a station does something.
const TIMES: [&str; 9] = [
    "startSchedule",
    "validFrom",
    "validTo",
    "startDateTime",
    "endDateTime",
    "startTime",
    "timestamp",
    "expiryDate",
    "cacheExpiryDateTime",
];

/// What was learnt of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// How far it is ahead of ours.
    pub offset_seconds: i64,
    /// Whether it stands otherwise than it was taken to, so that limits have to be said again.
    pub moved: bool,
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn is_near(one: i64, other: i64) -> bool {
    within(one, other, TOLERANCE)
}

fn within(one: i64, other: i64, span: Duration) -> bool {
    one.abs_diff(other) <= micros(span).unsigned_abs()
}

const fn shifted(at: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(by))
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
