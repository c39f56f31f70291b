//! How a limit is written for a station, whatever version it speaks.
//!
//! A limit can be written in several variants, because real chargers refuse some: the strategy has them all. Which of them one
//! station takes is learnt in `capabilities`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sites::stations::link::*;
use kernel::{Milliamps, PhaseSet, Timestamp, Watts};
use ocpp::tenths::Ceiling;

/// A limit begins a minute ago, or a station whose clock is slow would wait before it obeys.
const STARTED_AGO: Duration = Duration::from_secs(60);
/// Stack levels: the live limit lies above the one set by API, which lies above the fallback; the highest wins.
const LIVE_LEVEL: u32 = 2;
const DEFAULT_LEVEL: u32 = 1;
const FALLBACK_LEVEL: u32 = 0;
/// Milliamps of an amp.
const AMP: i64 = 1_000;

/// The purpose of a balancing limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProfilePurpose {
    /// The default of every transaction at the connector.
    #[default]
    Default,
    /// A limit of the transaction that runs.
    Transaction,
    /// A limit of the whole station, where it has one connector.
    Station,
}

/// How a balancing limit is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Variant {
    /// Some stations take limits for one purpose only.
    #[serde(rename = "rung")]
    pub(super) purpose: ProfilePurpose,
    /// Some stations know only level 0.
    pub(super) level: Option<u32>,
    /// Some take only watts, some only amps.
    pub(super) other_unit: bool,
    /// Some take whole amps only.
    pub(super) whole_amps: bool,
    /// Some refuse `numberPhases`.
    pub(super) without_phases: bool,
    /// Some know only schedules that begin with the transaction.
    pub(super) relative: bool,
}

/// Another variant.
const fn variant(purpose: ProfilePurpose, level: Option<u32>, other_unit: bool) -> Variant {
    Variant { purpose, level, other_unit, whole_amps: false, without_phases: false, relative: false }
}

impl Variant {
    const fn whole(self) -> Self {
        Self { whole_amps: true, ..self }
    }
    const fn bare(self) -> Self {
        Self { without_phases: true, ..self }
    }
    const fn relative(self) -> Self {
        Self { relative: true, ..self }
    }
}

const DEFAULT: Variant = variant(ProfilePurpose::Default, None, false);
const LOWEST: Variant = variant(ProfilePurpose::Default, Some(0), false);
const TRANSACTION: Variant = variant(ProfilePurpose::Transaction, None, false);
const STATION: Variant = variant(ProfilePurpose::Station, None, false);

/// Every variant that is tried: first those that most stations take or that some insist on, then what few need, alone and
/// together.
pub(super) const VARIANTS: [Variant; 22] = [
    DEFAULT,
    LOWEST,
    variant(ProfilePurpose::Default, None, true),
    variant(ProfilePurpose::Default, Some(0), true),
    TRANSACTION,
    variant(ProfilePurpose::Transaction, None, true),
    STATION,
    variant(ProfilePurpose::Station, None, true),
    DEFAULT.whole(),
    DEFAULT.bare(),
    DEFAULT.relative(),
    DEFAULT.whole().bare(),
    LOWEST.whole(),
    LOWEST.bare(),
    LOWEST.relative(),
    LOWEST.whole().bare(),
    TRANSACTION.whole(),
    TRANSACTION.bare(),
    TRANSACTION.relative(),
    STATION.whole(),
    STATION.bare(),
    LOWEST.whole().bare().relative(),
];

/// The indexes of the variants in the order in which they are tried: what differs only in how the same is written comes early.
pub(super) const ORDER: [usize; 22] = [0, 8, 9, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];

/// Whether a limit can be written in this variant at all.
pub fn is_possible(command: &StationCommand, variant: usize) -> bool {
    let Some((limit, variant)) = limit_in(command, variant) else {
        return true;
    };
    let live = limit.purpose == LimitPurpose::Live;
    match variant.purpose {
        ProfilePurpose::Default => true,
        ProfilePurpose::Transaction => live && limit.transaction.is_some(),
        ProfilePurpose::Station => limit.sole && (live || limit.purpose == LimitPurpose::Fallback),
    }
}

/// What taking a limit in this variant means.
pub fn note(outcome: &mut Outcome, command: &StationCommand, variant: usize) {
    let Some((limit, variant)) = limit_in(command, variant) else {
        return;
    };
    outcome.never_expires = never_expires(limit, variant);
    outcome.ends_with_transaction =
        limit.purpose == LimitPurpose::Live && variant.purpose == ProfilePurpose::Transaction;
    outcome.in_watts = limit.in_amps == variant.other_unit;
}

fn limit_in(command: &StationCommand, variant: usize) -> Option<(&SetLimit, Variant)> {
    match command {
        StationCommand::SetLimit(limit) => Some((limit, VARIANTS.get(variant).copied()?)),
        _ => None,
    }
}

/// A live limit must not run out where nothing is below it: on level 0 it replaces the fallback, and a limit of a
/// transaction is said to stations that take no fallback.
fn never_expires(limit: &SetLimit, variant: Variant) -> bool {
    let alone = variant.level == Some(FALLBACK_LEVEL) || variant.purpose == ProfilePurpose::Transaction;
    // A schedule that begins with the transaction cannot be refreshed: its end would never move.
    limit.purpose == LimitPurpose::Live && (alone || variant.relative)
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
    /// When it begins; with the transaction where that is not said.
    pub start: Option<Timestamp>,
    /// After how many seconds it runs out, where it does.
    pub seconds: Option<u32>,
    /// Limits from so many seconds after its start.
    pub steps: Vec<(u32, Ceiling)>,
    /// Phases it is meant for, where that is said.
    pub phases: Option<PhaseSet>,
}

/// The limit in the variant of this number.
pub fn say_limit(limit: &SetLimit, variant: usize, now: Timestamp) -> Saying {
    let variant = VARIANTS.get(variant).copied().unwrap_or_default();
    let (id, level, purpose) = match limit.purpose {
        LimitPurpose::Live => (LIVE_LIMIT_PROFILE, LIVE_LEVEL, Purpose::Default),
        LimitPurpose::Fallback => (FALLBACK_PROFILE, FALLBACK_LEVEL, Purpose::Default),
        LimitPurpose::Default if limit.connector == 0 => (DEFAULT_LIMIT_PROFILE, DEFAULT_LEVEL, Purpose::Station),
        LimitPurpose::Default => (DEFAULT_LIMIT_PROFILE, DEFAULT_LEVEL, Purpose::Default),
        LimitPurpose::Transaction(_) => (TRANSACTION_LIMIT_PROFILE, DEFAULT_LEVEL, Purpose::Transaction),
    };
    let ceiling = if limit.in_amps == variant.other_unit {
        Ceiling::Power(limit.limit)
    } else {
        let current = limit.limit.to_current(limit.voltage, limit.phases);
        Ceiling::Current(match variant.whole_amps {
            true => Milliamps(current.get().div_euclid(AMP) * AMP),
            false => current,
        })
    };
    let ago = u32::try_from(STARTED_AGO.as_secs()).unwrap_or(0);
    let runs_out = limit.duration_seconds.filter(|_| !never_expires(limit, variant));
    Saying {
        profile: id + limit.connector,
        level: variant.level.unwrap_or(level),
        purpose: match variant.purpose {
            ProfilePurpose::Default => purpose,
            ProfilePurpose::Transaction => Purpose::Transaction,
            ProfilePurpose::Station => Purpose::Station,
        },
        connector: match variant.purpose {
            ProfilePurpose::Station => 0,
            ProfilePurpose::Default | ProfilePurpose::Transaction => limit.connector,
        },
        transaction: match limit.purpose {
            LimitPurpose::Transaction(id) => Some(id),
            _ => limit.transaction.filter(|_| variant.purpose == ProfilePurpose::Transaction),
        },
        start: (!variant.relative).then(|| now - STARTED_AGO),
        seconds: runs_out.map(|seconds| seconds + ago),
        steps: vec![(0, ceiling)],
        phases: (!variant.without_phases).then_some(limit.offered),
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
        start: Some(schedule.start),
        seconds: None,
        steps: steps.map(|(seconds, limit)| (*seconds, ceiling(*limit))).collect(),
        phases: Some(schedule.phases),
    }
}
