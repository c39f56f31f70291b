//! How a limit is said to a station, whatever version it speaks.
//!
//! A limit can be said in several forms, because real chargers refuse some: the ladder tries the next one only after a
//! refusal, and a form that worked is used from then on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::tenths::Ceiling;
use crate::kernel::{PhaseSet, Timestamp, Watts};
use crate::stations::link::*;
use crate::stations::{LimitHabits, LimitUnits};

/// A limit begins a minute ago, or a station whose clock is slow would wait before it obeys.
const STARTED_AGO: Duration = Duration::from_secs(60);
/// Stack levels: the live limit lies above the one set by API, which lies above the fallback; the highest wins.
const LIVE_LEVEL: u32 = 2;
const DEFAULT_LEVEL: u32 = 1;
const FALLBACK_LEVEL: u32 = 0;

/// What a balancing limit is said to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Rung {
    /// The default of every transaction at the connector.
    #[default]
    Default,
    /// A limit of the transaction that runs.
    Transaction,
    /// A limit of the whole station, where it has one connector.
    Station,
}

/// How a balancing limit is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Form {
    /// Some stations take limits for one purpose only.
    rung: Rung,
    /// Some stations know only level 0.
    level: Option<u32>,
    /// Some take only watts, some only amps.
    other_unit: bool,
}

impl Form {
    const fn new(rung: Rung, level: Option<u32>, other_unit: bool) -> Self {
        Self {
            rung,
            level,
            other_unit,
        }
    }
}

/// The ladder, from the form most stations take to those some insist on.
const LADDER: [Form; 8] = [
    Form::new(Rung::Default, None, false),
    Form::new(Rung::Default, Some(0), false),
    Form::new(Rung::Default, None, true),
    Form::new(Rung::Default, Some(0), true),
    Form::new(Rung::Transaction, None, false),
    Form::new(Rung::Transaction, None, true),
    Form::new(Rung::Station, None, false),
    Form::new(Rung::Station, None, true),
];

/// The first form that limits a transaction: to begin with where connectors share an EVSE, whose other limits are one
/// another's.
const OF_TRANSACTION: usize = 4;

/// Forms of the ladder with the other unit stand so much higher than those without.
const OTHER_UNIT: usize = 2;

/// In which form limits are said to one station: what worked before, by purpose, else what is known of it.
#[derive(Debug)]
pub struct Forms {
    worked: BTreeMap<&'static str, usize>,
    habits: LimitHabits,
}

impl Forms {
    fn key(command: &Command) -> &'static str {
        match command {
            Command::SetLimit(limit) => match limit.purpose {
                LimitPurpose::Live => "live",
                LimitPurpose::Fallback => "fallback",
                LimitPurpose::Default => "default",
                LimitPurpose::Transaction(_) => "transaction",
            },
            _ => "",
        }
    }
    /// Those for a station of which this is known.
    pub const fn new(habits: LimitHabits) -> Self {
        Self {
            worked: BTreeMap::new(),
            habits,
        }
    }
    /// The form to try first, at a connector that shares its EVSE with others or does not.
    pub fn first(&self, command: &Command, shared: bool) -> usize {
        if shared && is_possible(command, OF_TRANSACTION) {
            return OF_TRANSACTION;
        }
        if let Some(worked) = self.worked.get(Self::key(command)) {
            return *worked;
        }
        let Command::SetLimit(limit) = command else {
            return 0;
        };
        let LimitUnits { amps, watts } = self.habits.units;
        let other_unit = if limit.in_amps {
            watts && !amps
        } else {
            amps && !watts
        };
        usize::from(self.habits.only_level_zero) + if other_unit { OTHER_UNIT } else { 0 }
    }
    /// Notes that a form worked.
    pub fn remember(&mut self, command: &Command, form: usize) {
        self.worked.insert(Self::key(command), form);
    }
}

/// How many forms a command has, where it has more than one.
pub fn forms(command: &Command) -> Option<usize> {
    matches!(command, Command::SetLimit(_)).then_some(LADDER.len())
}

/// Whether a limit can be said in this form at all.
pub fn is_possible(command: &Command, form: usize) -> bool {
    let Some((limit, form)) = limit_in(command, form) else {
        return true;
    };
    let live = limit.purpose == LimitPurpose::Live;
    match form.rung {
        Rung::Default => true,
        Rung::Transaction => live && limit.transaction.is_some(),
        Rung::Station => limit.sole && (live || limit.purpose == LimitPurpose::Fallback),
    }
}

/// What taking a limit in this form means.
pub fn note(outcome: &mut Outcome, command: &Command, form: usize) {
    let Some((limit, form)) = limit_in(command, form) else {
        return;
    };
    outcome.outlives = holds_for_ever(limit, form);
    outcome.ends_with_transaction =
        limit.purpose == LimitPurpose::Live && form.rung == Rung::Transaction;
    outcome.in_watts = limit.in_amps == form.other_unit;
}

fn limit_in(command: &Command, form: usize) -> Option<(&SetLimit, Form)> {
    match command {
        Command::SetLimit(limit) => Some((limit, LADDER.get(form).copied()?)),
        _ => None,
    }
}

/// A live limit must not run out where nothing is below it: on level 0 it takes the fallback's place, and a limit of a
/// transaction is said to stations that take no fallback.
fn holds_for_ever(limit: &SetLimit, form: Form) -> bool {
    let alone = form.level == Some(FALLBACK_LEVEL) || form.rung == Rung::Transaction;
    limit.purpose == LimitPurpose::Live && alone
}

/// What a limit is said to limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The whole station.
    Station,
    /// Every transaction at a connector.
    Default,
    /// One transaction.
    Transaction,
}

/// A limit as it is said: what its profile contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// The number of the profile.
    pub profile: i32,
    /// Its stack level.
    pub level: u32,
    /// What it limits.
    pub purpose: Purpose,
    /// The connector it is installed at; 0 is the whole station.
    pub connector: i32,
    /// The transaction it limits, where it is for one.
    pub transaction: Option<i64>,
    /// When it begins.
    pub start: Timestamp,
    /// After how many seconds it runs out, where it does.
    pub seconds: Option<u32>,
    /// Limits from so many seconds after its start.
    pub steps: Vec<(u32, Ceiling)>,
    /// Phases it is meant for.
    pub phases: PhaseSet,
}

/// The limit in the form of this number.
pub fn say_limit(limit: &SetLimit, form: usize, now: Timestamp) -> Saying {
    let form = LADDER.get(form).copied().unwrap_or_default();
    let (id, level, purpose) = match limit.purpose {
        LimitPurpose::Live => (LIVE_LIMIT_PROFILE, LIVE_LEVEL, Purpose::Default),
        LimitPurpose::Fallback => (FALLBACK_PROFILE, FALLBACK_LEVEL, Purpose::Default),
        LimitPurpose::Default if limit.connector == 0 => {
            (DEFAULT_LIMIT_PROFILE, DEFAULT_LEVEL, Purpose::Station)
        }
        LimitPurpose::Default => (DEFAULT_LIMIT_PROFILE, DEFAULT_LEVEL, Purpose::Default),
        LimitPurpose::Transaction(_) => (
            TRANSACTION_LIMIT_PROFILE,
            DEFAULT_LEVEL,
            Purpose::Transaction,
        ),
    };
    let ceiling = if limit.in_amps == form.other_unit {
        Ceiling::Power(limit.limit)
    } else {
        Ceiling::Current(limit.limit.to_current(limit.voltage, limit.phases))
    };
    let ago = u32::try_from(STARTED_AGO.as_secs()).unwrap_or(0);
    let runs_out = limit
        .duration_seconds
        .filter(|_| !holds_for_ever(limit, form));
    Saying {
        profile: id + limit.connector,
        level: form.level.unwrap_or(level),
        purpose: match form.rung {
            Rung::Default => purpose,
            Rung::Transaction => Purpose::Transaction,
            Rung::Station => Purpose::Station,
        },
        connector: match form.rung {
            Rung::Station => 0,
            Rung::Default | Rung::Transaction => limit.connector,
        },
        transaction: match limit.purpose {
            LimitPurpose::Transaction(id) => Some(id),
            _ => limit.transaction.filter(|_| form.rung == Rung::Transaction),
        },
        start: now - STARTED_AGO,
        seconds: runs_out.map(|seconds| seconds + ago),
        steps: vec![(0, ceiling)],
        phases: limit.offered,
    }
}

/// A schedule stands on the level of the fallback, which replaces it where balancing steers, and below live limits.
pub fn say_schedule(schedule: &SetSchedule) -> Saying {
    let ceiling = |limit: Watts| {
        if schedule.in_amps {
            Ceiling::Current(limit.to_current(schedule.voltage, schedule.phases))
        } else {
            Ceiling::Power(limit)
        }
    };
    let steps = schedule.steps.iter();
    Saying {
        profile: SCHEDULE_PROFILE + schedule.connector,
        level: FALLBACK_LEVEL,
        purpose: Purpose::Default,
        connector: schedule.connector,
        transaction: None,
        start: schedule.start,
        seconds: None,
        steps: steps
            .map(|(seconds, limit)| (*seconds, ceiling(*limit)))
            .collect(),
        phases: schedule.phases,
    }
}
