//! Limits in the words of OCPP 1.6.
//!
//! A limit can be said in several forms, because real chargers refuse some: the ladder tries the next one only after a
//! refusal, and a form that worked is used from then on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::number;
use crate::kernel::{Timestamp, Watts};
use crate::ocpp::v16::charging_profile::{Ceiling, ChargingProfile, Purpose, Slot};
use crate::ocpp::v16::set_charging_profile;
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
    /// The form to try first.
    pub fn first(&self, command: &Command) -> usize {
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

/// The limit in the form of this number.
pub(super) fn set_limit(
    limit: &SetLimit,
    form: usize,
    now: Timestamp,
) -> Result<set_charging_profile::Request, LinkError> {
    let form = LADDER.get(form).copied().unwrap_or_default();
    let (id, level, purpose) = match limit.purpose {
        LimitPurpose::Live => (LIVE_LIMIT_PROFILE, LIVE_LEVEL, Purpose::TxDefaultProfile),
        LimitPurpose::Fallback => (FALLBACK_PROFILE, FALLBACK_LEVEL, Purpose::TxDefaultProfile),
        LimitPurpose::Default if limit.connector == 0 => (
            DEFAULT_LIMIT_PROFILE,
            DEFAULT_LEVEL,
            Purpose::ChargePointMaxProfile,
        ),
        LimitPurpose::Default => (
            DEFAULT_LIMIT_PROFILE,
            DEFAULT_LEVEL,
            Purpose::TxDefaultProfile,
        ),
        LimitPurpose::Transaction(_) => {
            (TRANSACTION_LIMIT_PROFILE, DEFAULT_LEVEL, Purpose::TxProfile)
        }
    };
    let purpose = match form.rung {
        Rung::Default => purpose,
        Rung::Transaction => Purpose::TxProfile,
        Rung::Station => Purpose::ChargePointMaxProfile,
    };
    let slot = Slot {
        id: id + limit.connector,
        stack_level: form.level.unwrap_or(level),
        purpose,
    };
    let ceiling = if limit.in_amps == form.other_unit {
        Ceiling::Power(limit.limit)
    } else {
        Ceiling::Current(limit.limit.to_current(limit.voltage, limit.phases))
    };
    let mut profile =
        ChargingProfile::constant(slot, ceiling, Some(limit.offered), now - STARTED_AGO);
    if let Some(seconds) = limit
        .duration_seconds
        .filter(|_| !holds_for_ever(limit, form))
    {
        let ago = u32::try_from(STARTED_AGO.as_secs()).unwrap_or(0);
        profile.charging_schedule.duration = Some(seconds + ago);
    }
    let of_transaction = match limit.purpose {
        LimitPurpose::Transaction(id) => Some(id),
        _ => limit.transaction.filter(|_| form.rung == Rung::Transaction),
    };
    if let Some(id) = of_transaction {
        profile = profile.for_transaction(id);
    }
    let connector = match form.rung {
        Rung::Station => 0,
        Rung::Default | Rung::Transaction => limit.connector,
    };
    Ok(set_charging_profile::Request {
        connector_id: number(connector, "connector")?,
        cs_charging_profiles: profile,
    })
}

/// A schedule stands on the level of the fallback, which replaces it where balancing steers, and below live limits.
pub(super) fn set_schedule(
    schedule: &SetSchedule,
) -> Result<set_charging_profile::Request, LinkError> {
    let slot = Slot {
        id: SCHEDULE_PROFILE + schedule.connector,
        stack_level: FALLBACK_LEVEL,
        purpose: Purpose::TxDefaultProfile,
    };
    let ceiling = |limit: Watts| {
        if schedule.in_amps {
            Ceiling::Current(limit.to_current(schedule.voltage, schedule.phases))
        } else {
            Ceiling::Power(limit)
        }
    };
    let constant = |limit| {
        ChargingProfile::constant(slot, ceiling(limit), Some(schedule.phases), schedule.start)
    };
    let mut profile = constant(Watts::ZERO);
    let steps = schedule.steps.iter().flat_map(|(seconds, limit)| {
        let periods = constant(*limit).charging_schedule.charging_schedule_period;
        periods.into_iter().map(|mut period| {
            period.start_period = *seconds;
            period
        })
    });
    profile.charging_schedule.charging_schedule_period = steps.collect();
    Ok(set_charging_profile::Request {
        connector_id: number(schedule.connector, "connector")?,
        cs_charging_profiles: profile,
    })
}
