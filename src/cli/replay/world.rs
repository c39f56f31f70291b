//! The world that is replayed: cars come and go as they did, and draw what the engine lets them.
//!
//! Time runs in periods. Each one is planned with what is known at its beginning, by the planner that steers real
//! stations, and what one plan leaves to the next is kept as the balancing of real stations keeps it.

use std::time::{Duration, Instant};

use super::sessions::{PERIOD_SECONDS, Recorded};
use engine::{
    Algorithm, Deadline, LEAST_PILOT_CURRENT, Member, MemberState, Node, Plan, QueueState, Session, Settings, Snapshot,
    plan,
};
use kernel::{ConnectorId, GroupId, Milliamps, PhaseSet, RawId, Timestamp, WattHours, Watts};

/// A car that lacks less than this many joules (1 Wh) is full.
const FULL: i64 = 3_600;
/// Joules of a watt hour.
const WATT_HOUR: i64 = 3_600;
/// When the record begins; any instant would do.
const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// How a record is replayed.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// What all cars may draw together.
    pub capacity: Watts,
    /// How they share it.
    pub algorithm: Algorithm,
    /// Whether cars that have time may be paused.
    pub allow_pause: bool,
    /// The planner gets what the drivers said, not what really came.
    pub as_claimed: bool,
    /// The least current worth sending.
    pub minimum: Milliamps,
    /// Limits are multiples of this.
    pub step: Watts,
    /// How long a car that was started keeps its place.
    pub minimum_on_seconds: u32,
}

impl Rules {
    /// Six amps, fifteen minutes, single watts and the truth.
    pub(super) const fn new(capacity: Watts, algorithm: Algorithm) -> Self {
        Self {
            capacity,
            algorithm,
            allow_pause: false,
            as_claimed: false,
            minimum: LEAST_PILOT_CURRENT,
            step: Watts(1),
            minimum_on_seconds: 900,
        }
    }

    /// Departures that are the truth order the queue, those that somebody guessed do not. A stopped car stays off for a third
    /// of the minimum on-time, as by default.
    fn settings(&self) -> Settings {
        Settings {
            minimum_on_seconds: self.minimum_on_seconds,
            off_seconds: self.minimum_on_seconds / 3,
            trusted_departures: !self.as_claimed,
            ..Settings::default()
        }
    }
}

/// What became of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fate {
    /// Joules that it was given.
    pub delivered: i64,
    /// How often its limit changed.
    pub changes: u32,
    /// How often it went from nothing to something.
    pub starts: u32,
}

/// What became of all, in the order of the record.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub fates: Vec<Fate>,
    /// Limits between zero and the minimum.
    pub in_dead_band: u64,
    /// Plans that gave more than there was.
    pub over_capacity: u64,
    /// How long each plan took.
    pub plan_times: Vec<Duration>,
}

/// A car that is there and not full.
struct Car {
    place: usize,
    limit: Watts,
    queue_state: QueueState,
}

/// Lets a record, sorted by arrival, happen again.
pub(super) fn replay(record: &[Recorded], rules: &Rules) -> Outcome {
    replay_watched(record, rules, |_, _| ())
}

/// The same, while somebody looks at every plan and what it was made from.
pub(super) fn replay_watched(record: &[Recorded], rules: &Rules, mut watch: impl FnMut(&Snapshot, &Plan)) -> Outcome {
    let mut outcome = Outcome { fates: vec![Fate::default(); record.len()], ..Outcome::default() };
    let mut snapshot = site(rules);
    let mut coming = record.iter().enumerate().peekable();
    let mut present: Vec<Car> = Vec::new();
    let mut period = 0;
    loop {
        if present.is_empty() {
            let Some((_, next)) = coming.peek() else {
                return outcome;
            };
            period = period.max(next.arrival);
        }
        while let Some((place, _)) = coming.next_if(|(_, next)| next.arrival <= period) {
            present.push(Car { place, limit: Watts::ZERO, queue_state: QueueState::default() });
        }
        let there = |car: &Car| {
            let recorded = record.get(car.place);
            let fate = outcome.fates.get(car.place);
            recorded
                .zip(fate)
                .is_some_and(|(recorded, fate)| recorded.departure > period && recorded.energy - fate.delivered >= FULL)
        };
        present.retain(there);
        if !present.is_empty() {
            let now = at(period * PERIOD_SECONDS);
            snapshot.members.clear();
            snapshot.members.extend(present.iter().filter_map(|car| {
                let (recorded, fate) = (record.get(car.place)?, outcome.fates.get(car.place)?);
                Some(member(car, recorded, fate, rules))
            }));
            let began = Instant::now();
            let plan = plan(&snapshot, now);
            outcome.plan_times.push(began.elapsed());
            outcome.judge(&snapshot, &plan, rules);
            watch(&snapshot, &plan);
            for car in &mut present {
                outcome.charge(car, record, &plan);
            }
        }
        period += 1;
    }
}

impl Outcome {
    /// Counts what must not be.
    pub(super) fn judge(&mut self, snapshot: &Snapshot, plan: &Plan, rules: &Rules) {
        let granted: Watts = plan.limits.iter().map(|limit| limit.limit).sum();
        self.over_capacity += u64::from(granted > rules.capacity);
        for member in &snapshot.members {
            let limit = plan.limit_of(member.connector).map(|limit| limit.limit);
            let dead = limit.is_some_and(|limit| limit != Watts::ZERO && limit < member.minimum);
            self.in_dead_band += u64::from(dead);
        }
    }

    /// Lets a car draw for one period, and keeps what the plan hands on to the next one.
    fn charge(&mut self, car: &mut Car, record: &[Recorded], plan: &Plan) {
        let limit = plan.limit_of(connector(car.place));
        let fate = self.fates.get_mut(car.place);
        let (Some(limit), Some(fate), Some(recorded)) = (limit, fate, record.get(car.place)) else {
            return;
        };
        fate.changes += u32::from(limit.limit != car.limit);
        fate.starts += u32::from(limit.limit > Watts::ZERO && car.limit == Watts::ZERO);
        car.limit = limit.limit;
        car.queue_state = limit.queue_state.unwrap_or_default();
        let drawn = limit.limit.min(recorded.maximum).get() * PERIOD_SECONDS;
        fate.delivered += drawn.min(recorded.energy - fate.delivered);
    }
}

/// One group without anything else.
fn site(rules: &Rules) -> Snapshot {
    Snapshot {
        nodes: vec![Node {
            algorithm: rules.algorithm,
            allow_pause: rules.allow_pause,
            ..Node::new(group(), rules.capacity)
        }],
        members: Vec::new(),
        settings: rules.settings(),
    }
}

/// A car as the planner sees it.
///
/// A real planner hears within seconds that a car is full, and hands its power on. Here a period has one plan only. So that
/// no power is lost that would not be lost, the planner knows what a car can still take in this one period, as it does in
/// the records' own simulator (ACN-Sim); it knows nothing more of the truth where it gets what drivers said.
fn member(car: &Car, recorded: &Recorded, fate: &Fate, rules: &Rules) -> Member {
    let missing = recorded.energy - fate.delivered;
    let session = Session {
        attained: WattHours(fate.delivered / WATT_HOUR),
        queue_state: car.queue_state,
        deadline: deadline(recorded, rules),
        learned_demand: Some(Watts((missing + PERIOD_SECONDS - 1) / PERIOD_SECONDS)),
        ..Session::new(at(recorded.arrival * PERIOD_SECONDS))
    };
    let minimum = rules.minimum.to_power(recorded.voltage, PhaseSet::L1);
    Member {
        step: rules.step,
        voltage: recorded.voltage,
        phases: PhaseSet::L1,
        current: car.limit,
        state: MemberState::Active(session),
        ..Member::new(connector(car.place), group(), minimum, recorded.maximum)
    }
}

fn deadline(recorded: &Recorded, rules: &Rules) -> Option<Deadline> {
    let (departure, energy) = if rules.as_claimed {
        let claim = recorded.claim?;
        (claim.departure, claim.energy)
    } else {
        (recorded.departure * PERIOD_SECONDS, recorded.energy)
    };
    Some(Deadline { departure: at(departure), energy: WattHours(energy / WATT_HOUR) })
}

fn at(seconds: i64) -> Timestamp {
    START + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

fn group() -> GroupId {
    RawId::from_bytes([1; 12]).into()
}

/// Numbered in the order of arrival, so that ties are broken by who came first.
fn connector(place: usize) -> ConnectorId {
    let mut bytes = [0; 12];
    let number = u64::try_from(place).unwrap_or(u64::MAX).to_be_bytes();
    for (byte, digit) in bytes.iter_mut().skip(4).zip(number) {
        *byte = digit;
    }
    RawId::from_bytes(bytes).into()
}
