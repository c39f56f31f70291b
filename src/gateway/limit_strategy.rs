//! Which variants of a limit one station takes: learnt from what it answers, and remembered across its connections.
//!
//! Variants are tried in the order of the strategy, beginning with the one that worked; a bounded number at once, and the rest
//! when the limit is sent again. A station that refused them all is asked in one variant only for a while. One that takes
//! limits and refuses 0 is not asked for 0 again in that time. One that took a limit and refuses a larger one in the same variant
//! may refuse more than it can give: it is sent less and less, and what it took is the most that it is sent for an hour.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::profile_variants::{self, ORDER, ProfilePurpose, VARIANTS, Variant};
use crate::sites::stations::link::{LimitPurpose, SetLimit, StationCommand};
use crate::sites::stations::{LimitCapabilities, LimitUnits};
use kernel::{Milliamps, Timestamp, Watts};

/// Variants that are tried when a limit is sent once.
const MOST_TRIES: usize = 10;
/// The same for a limit of 0: it may be the number that is refused, and not the variant.
const MOST_TRIES_OF_ZERO: usize = 4;
/// The same at a station that took another limit: most likely it is the number.
const MOST_TRIES_OF_ZERO_ALONE: usize = 2;
/// How long a station is left alone that refused every variant; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// The longest such time: firmware changes, and so do settings.
const LONGEST_PAUSE: Duration = Duration::from_secs(1_800);

/// Currents that plugs and stations are made for, largest first (IEC 60309 and the steps below them).
const RATINGS: [Milliamps; 12] = [
    Milliamps(80_000),
    Milliamps(63_000),
    Milliamps(50_000),
    Milliamps(40_000),
    Milliamps(32_000),
    Milliamps(25_000),
    Milliamps(20_000),
    Milliamps(16_000),
    Milliamps(13_000),
    Milliamps(10_000),
    Milliamps(8_000),
    Milliamps(6_000),
];
/// Smaller limits that are tried at once.
const MOST_TRIES_OF_LESS: usize = 4;
/// How long a station is sent no more than it took once: it may have refused more for another reason.
const MOST_IS_REMEMBERED: Duration = Duration::from_secs(3_600);

/// What a variant is remembered for: a limit while a transaction runs may need another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    Live,
    LiveInTransaction,
    Fallback,
    Default,
    Transaction,
}

impl Wish {
    const fn of(limit: &SetLimit) -> Self {
        match limit.purpose {
            LimitPurpose::Live if limit.transaction.is_some() => Self::LiveInTransaction,
            LimitPurpose::Live => Self::Live,
            LimitPurpose::Fallback => Self::Fallback,
            LimitPurpose::Default => Self::Default,
            LimitPurpose::Transaction(_) => Self::Transaction,
        }
    }
}

/// What is stored with the station.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    /// The variant that worked.
    worked: BTreeMap<Wish, Variant>,
    /// It takes limits, and not 0.
    refuses_zero: bool,
    /// It takes this much on each phase and refused more, at that time.
    most: Option<(Milliamps, Timestamp)>,
}

/// Every variant was refused.
#[derive(Debug, Clone, Copy)]
struct Refused {
    /// Until when one variant only is tried.
    until: Timestamp,
    pause: Duration,
    /// How many variants were tried before, so that the next ones come next.
    tried: usize,
}

/// In which variant limits are sent to one station: what worked before, else what is known of it.
#[derive(Debug)]
pub struct LimitStrategy {
    remembered: Remembered,
    refused: BTreeMap<(Wish, bool), Refused>,
    /// The variants in which it refused 0: where it takes another limit in one of them, it is the number that it refuses.
    zero_refused_in: Vec<usize>,
    capabilities: LimitCapabilities,
}

impl LimitStrategy {
    /// Those for a station of which this is known, and of which this was stored.
    pub fn new(capabilities: LimitCapabilities, stored: &Value) -> Self {
        Self {
            remembered: serde_json::from_value(stored.clone()).unwrap_or_default(),
            refused: BTreeMap::new(),
            zero_refused_in: Vec::new(),
            capabilities,
        }
    }

    /// What is to be stored with the station.
    pub fn stored(&self) -> Value {
        serde_json::to_value(&self.remembered).unwrap_or_default()
    }

    /// Whether the station takes limits and refuses 0.
    pub const fn refuses_zero(&self) -> bool {
        self.remembered.refuses_zero
    }

    /// The variants to try in this order, at a connector that shares its EVSE with others or does not; none where it is known
    /// that all are refused.
    pub fn plan(&self, limit: &SetLimit, shared: bool, now: Timestamp) -> Vec<usize> {
        let zero = is_zero(limit);
        let refused = self.refused.get(&(Wish::of(limit), zero));
        let waits = refused.is_some_and(|refused| refused.until > now);
        let first = self.first(limit, shared);
        let command = StationCommand::SetLimit(limit.clone());
        let mut others = ORDER.to_vec();
        others.retain(|variant| *variant != first);
        others.sort_by_key(|variant| self.is_unlikely(first, *variant));
        let mut said = Vec::new();
        let possible = std::iter::once(first)
            .chain(others)
            .filter(|variant| profile_variants::is_possible(&command, *variant))
            .filter(|variant| {
                // A variant that says the same as another is no other variant.
                let saying = profile_variants::say_limit(limit, *variant, Timestamp::default());
                let is_new = !said.contains(&saying);
                said.push(saying);
                is_new
            });
        let variants: Vec<usize> = possible.collect();
        if waits && zero && self.refuses_zero() {
            return Vec::new();
        }
        let most = match (waits, zero, self.remembered.worked.is_empty()) {
            (true, _, _) => 1,
            (false, true, false) => MOST_TRIES_OF_ZERO_ALONE,
            (false, true, true) => MOST_TRIES_OF_ZERO,
            (false, false, _) => MOST_TRIES,
        };
        let skipped = refused.map_or(0, |refused| refused.tried);
        let (begun, rest) = variants.split_at(variants.len().min(1));
        let rest = rest.iter().cycle().skip(skipped).take(rest.len());
        begun.iter().chain(rest).take(most).copied().collect()
    }

    /// What speaks against a variant after the first one, of which something worked: a station that needed something for one limit
    /// needs it for all; and where it took its fallback alone, what is said like that comes first, which does not run out.
    fn is_unlikely(&self, first: usize, variant: usize) -> (bool, bool) {
        let worked = &self.remembered.worked;
        let (Some(first), Some(variant)) = (VARIANTS.get(first), VARIANTS.get(variant)) else {
            return (true, true);
        };
        if worked.is_empty() {
            return (false, false);
        }
        let lacks = [
            (first.other_unit, variant.other_unit),
            (first.whole_amps, variant.whole_amps),
            (first.without_phases, variant.without_phases),
            (first.relative, variant.relative),
        ];
        let lacks_something = lacks.iter().any(|(needed, has)| *needed && !has);
        let took_live = [Wish::Live, Wish::LiveInTransaction];
        let took_live = took_live.iter().any(|wish| worked.contains_key(wish));
        (lacks_something, !took_live && variant.level != Some(0))
    }

    /// The limit, or the most that the station takes where balancing allows more.
    fn within(&self, limit: &SetLimit, now: Timestamp) -> SetLimit {
        let most = self.remembered.most.filter(|_| is_of_balancing(limit));
        let most = most.filter(|(_, at)| now.since(*at) < MOST_IS_REMEMBERED);
        let most = most.map(|(most, _)| most.to_power(limit.voltage, limit.phases));
        SetLimit { limit: most.map_or(limit.limit, |most| most.min(limit.limit)), ..limit.clone() }
    }

    /// What to try in this order: the limit, or the most that the station takes, in the variants of the [plan](Self::plan). Where the
    /// first of them was taken for another limit, this one may be more than the station gives, if it is not the fraction of an amp:
    /// smaller ones come before other variants.
    pub fn tries(&self, limit: &SetLimit, shared: bool, now: Timestamp) -> Vec<(SetLimit, usize)> {
        let limit = &self.within(limit, now);
        let plan = self.plan(limit, shared, now);
        let Some(first) = plan.first().copied() else {
            return Vec::new();
        };
        let whole = VARIANTS.get(first).map(|variant| Variant { whole_amps: true, ..*variant });
        let in_whole_amps = |variant: &usize| VARIANTS.get(*variant).copied() == whole;
        let (whole, others): (Vec<_>, Vec<_>) = plan.iter().skip(1).copied().partition(in_whole_amps);
        let full = |variant| (limit.clone(), variant);
        let smaller = self.smaller(limit, first, now);
        std::iter::once(first)
            .chain(whole)
            .map(full)
            .chain(smaller.into_iter().map(|less| (less, first)))
            .chain(others.into_iter().map(full))
            .collect()
    }

    /// Smaller limits to try, largest first, at a station that took others in this variant.
    fn smaller(&self, limit: &SetLimit, variant: usize, now: Timestamp) -> Vec<SetLimit> {
        let variant = VARIANTS.get(variant);
        let took = self.remembered.worked.values().any(|one| Some(one) == variant);
        let refused = self.refused.get(&(Wish::of(limit), is_zero(limit)));
        let waits = refused.is_some_and(|refused| refused.until > now);
        if !took || waits || !is_of_balancing(limit) {
            return Vec::new();
        }
        let powers = RATINGS.map(|most| most.to_power(limit.voltage, limit.phases));
        let smaller = powers.into_iter().filter(|power| *power < limit.limit);
        let less = |power| SetLimit { limit: power, ..limit.clone() };
        smaller.map(less).take(MOST_TRIES_OF_LESS).collect()
    }

    /// The variant to try first.
    fn first(&self, limit: &SetLimit, shared: bool) -> usize {
        let worked = &self.remembered.worked;
        let wish = Wish::of(limit);
        // What worked for something else is the best guess.
        let alike = [wish, Wish::Live, Wish::Fallback, Wish::Default];
        let like = alike.iter().find_map(|wish| worked.get(wish));
        let mut variant = like.copied().unwrap_or_else(|| self.of_capabilities(limit));
        // Limits of a transaction: where connectors share an EVSE, whose other limits are one another's; and where the meter
        // shows that a default limit is not obeyed, as by stations that look at it when a transaction begins.
        let of_transaction = limit.transaction.is_some() && limit.purpose == LimitPurpose::Live;
        if of_transaction && (shared || limit.escalate) && variant.purpose == ProfilePurpose::Default {
            (variant.purpose, variant.level) = (ProfilePurpose::Transaction, None);
        }
        let place = VARIANTS.iter().position(|one| *one == variant);
        let plain =
            VARIANTS.iter().position(|one| (one.purpose, one.other_unit) == (variant.purpose, variant.other_unit));
        place.or(plain).unwrap_or(0)
    }

    /// The variant that is known of its kind, or by what its configuration says.
    fn of_capabilities(&self, limit: &SetLimit) -> Variant {
        let LimitUnits { amps, watts } = self.capabilities.units;
        let other_unit = if limit.in_amps { watts && !amps } else { amps && !watts };
        Variant { level: self.capabilities.only_level_zero.then_some(0), other_unit, ..Variant::default() }
    }

    /// Notes that the station took this limit in this variant, though another may have been wished: then it refused that one.
    pub fn accepted(&mut self, wished: &SetLimit, (limit, variant): (&SetLimit, usize), now: Timestamp) {
        if limit.limit < self.within(wished, now).limit {
            let most = limit.limit.to_current(limit.voltage, limit.phases);
            self.remembered.most = Some((most, now));
        }
        let (wish, zero) = (Wish::of(limit), is_zero(limit));
        if let Some(variant) = VARIANTS.get(variant) {
            self.remembered.worked.insert(wish, *variant);
        }
        self.refused.remove(&(wish, zero));
        if zero {
            self.zero_refused_in.clear();
            self.remembered.refuses_zero = false;
        } else if self.zero_refused_in.contains(&variant) {
            self.remembered.refuses_zero = true;
        }
    }

    /// Notes that the station refused a limit in every variant that was tried.
    pub fn refused(&mut self, limit: &SetLimit, tried_now: &[usize], now: Timestamp) {
        let (wish, zero) = (Wish::of(limit), is_zero(limit));
        let before = self.refused.get(&(wish, zero)).copied();
        let pause = match before {
            Some(before) if before.until > now => before.pause,
            Some(before) => (before.pause * 2).min(LONGEST_PAUSE),
            None => FIRST_PAUSE,
        };
        let until = match before {
            Some(before) if before.until > now => before.until,
            _ => now + pause,
        };
        let others: BTreeSet<&usize> = tried_now.iter().skip(1).collect();
        let tried = before.map_or(0, |before| before.tried) + others.len();
        let refused = Refused { until, pause, tried };
        self.refused.insert((wish, zero), refused);
        if zero {
            self.zero_refused_in.extend(tried_now);
            self.zero_refused_in.sort_unstable();
            self.zero_refused_in.dedup();
            let worked = self.remembered.worked.values();
            let takes_others = worked.filter_map(|variant| VARIANTS.iter().position(|one| one == variant));
            self.remembered.refuses_zero |= takes_others.into_iter().any(|variant| tried_now.contains(&variant));
        }
    }
}

/// What an operator asks for is done as it was asked, or refused.
const fn is_of_balancing(limit: &SetLimit) -> bool {
    matches!(limit.purpose, LimitPurpose::Live | LimitPurpose::Fallback)
}

fn is_zero(limit: &SetLimit) -> bool {
    limit.limit <= Watts::ZERO
}

#[cfg(test)]
#[path = "limit_strategy_tests.rs"]
mod tests;
