//! The charging profiles a station keeps, and the limit they add up to (OCPP 1.6 §3.13).
//!
//! At any instant a connector obeys the `TxProfile` of the highest stack level that is active then, or without one
//! the `TxDefaultProfile` (its own before the one of connector 0), and never exceeds `ChargePointMaxProfile`.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel::Timestamp;
use ocpp::v16::charging_profile::{ChargingProfile, Kind, Purpose, Recurrence, SchedulePeriod};
use ocpp::v16::clear_charging_profile;

use super::limit::{Limit, Outlet};

/// Profiles a station keeps (`MaxChargingProfilesInstalled`).
pub const MOST_PROFILES: usize = 32;

/// The transaction a limit is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Its number, once the server gave it.
    pub id: Option<i64>,
    /// When it began.
    pub started_at: Timestamp,
}

/// A profile and where it was installed.
#[derive(Debug, Clone)]
struct Installed {
    connector: u32,
    profile: ChargingProfile,
    at: Timestamp,
}

/// All profiles of a station.
#[derive(Debug, Clone, Default)]
pub struct Profiles(Vec<Installed>);

impl Profiles {
    /// How many there are.
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// Keeps a profile in place of the one with its number, or at its connector, purpose and level (§5.16);
    /// `false` when there is no room.
    pub fn install(&mut self, connector: u32, profile: ChargingProfile, now: Timestamp) -> bool {
        self.0.retain(|old| {
            old.profile.charging_profile_id != profile.charging_profile_id
                && (old.connector, old.profile.charging_profile_purpose, old.profile.stack_level)
                    != (connector, profile.charging_profile_purpose, profile.stack_level)
        });
        let room = self.0.len() < MOST_PROFILES;
        if room {
            self.0.push(Installed { connector, profile, at: now });
        }
        room
    }

    /// Forgets those that match every given field (§5.5); `false` when none did.
    pub fn clear(&mut self, which: &clear_charging_profile::Request) -> bool {
        let before = self.0.len();
        self.0.retain(|one| {
            let profile = &one.profile;
            let matches = match which.id {
                // With a number the other fields do not count.
                Some(id) => profile.charging_profile_id == id,
                None => {
                    which.connector_id.is_none_or(|connector| one.connector == connector)
                        && which
                            .charging_profile_purpose
                            .is_none_or(|purpose| profile.charging_profile_purpose == purpose)
                        && which.stack_level.is_none_or(|level| profile.stack_level == level)
                }
            };
            !matches
        });
        self.0.len() < before
    }

    /// Forgets what was meant for the transaction that ended.
    pub fn end_transaction(&mut self, connector: u32) {
        self.0.retain(|one| one.connector != connector || one.profile.charging_profile_purpose != Purpose::TxProfile);
    }

    /// The limit of the whole station, as if `outlet` were its supply.
    pub fn station_limit(&self, outlet: &Outlet, at: Timestamp) -> Option<Limit> {
        self.strongest(Purpose::ChargePointMaxProfile, 0, outlet, None, at)
    }

    /// The limit of a connector, without that of the station.
    pub fn connector_limit(
        &self,
        connector: u32,
        outlet: &Outlet,
        running: Option<Running>,
        at: Timestamp,
    ) -> Option<Limit> {
        let of = |purpose| self.strongest(purpose, connector, outlet, running, at);
        running.and_then(|_| of(Purpose::TxProfile)).or_else(|| of(Purpose::TxDefaultProfile))
    }

    /// What all profiles leave of a connector at an instant.
    pub fn composite(&self, connector: u32, outlet: &Outlet, running: Option<Running>, at: Timestamp) -> Limit {
        [self.station_limit(outlet, at), self.connector_limit(connector, outlet, running, at)]
            .into_iter()
            .flatten()
            .fold(outlet.unlimited(), Limit::and)
    }

    /// The composite limits of a connector from `from` on: seconds after it, and what applies from there.
    pub fn schedule(
        &self,
        connector: u32,
        outlet: &Outlet,
        running: Option<Running>,
        from: Timestamp,
        seconds: u32,
    ) -> Vec<(u32, Limit)> {
        let until = from + Duration::from_secs(u64::from(seconds));
        let mut instants = BTreeSet::from([from]);
        for one in &self.0 {
            one.changes(running, from, until, &mut instants);
        }
        let mut schedule: Vec<(u32, Limit)> = Vec::new();
        for at in instants {
            let limit = self.composite(connector, outlet, running, at);
            if schedule.last().is_none_or(|(_, last)| *last != limit) {
                let offset = u32::try_from(at.since(from).as_secs()).unwrap_or(u32::MAX);
                schedule.push((offset, limit));
            }
        }
        schedule
    }

    fn strongest(
        &self,
        purpose: Purpose,
        connector: u32,
        outlet: &Outlet,
        running: Option<Running>,
        at: Timestamp,
    ) -> Option<Limit> {
        self.0
            .iter()
            .filter(|one| one.profile.charging_profile_purpose == purpose)
            .filter(|one| one.connector == connector || (one.connector == 0 && purpose != Purpose::TxProfile))
            .filter(|one| one.is_for(running))
            .filter_map(|one| Some((one, one.period(running, at)?)))
            .max_by_key(|(one, _)| (one.profile.stack_level, one.connector))
            .map(|(one, period)| outlet.under(period, one.profile.charging_schedule.charging_rate_unit))
    }
}

impl Installed {
    /// Whether it is for this transaction, or for any.
    fn is_for(&self, running: Option<Running>) -> bool {
        match (self.profile.transaction_id, running.and_then(|one| one.id)) {
            (Some(wanted), Some(actual)) => wanted == actual,
            _ => true,
        }
    }

    /// The period that applies at this instant.
    fn period(&self, running: Option<Running>, at: Timestamp) -> Option<&SchedulePeriod> {
        let profile = &self.profile;
        if profile.valid_from.is_some_and(|from| at < from) || profile.valid_to.is_some_and(|to| at >= to) {
            return None;
        }
        let begin = self.begin(running, at).filter(|begin| *begin <= at)?;
        let schedule = &profile.charging_schedule;
        let elapsed = at.since(begin).as_secs();
        if schedule.duration.is_some_and(|seconds| elapsed >= u64::from(seconds)) {
            return None;
        }
        schedule.charging_schedule_period.iter().rfind(|period| u64::from(period.start_period) <= elapsed)
    }

    /// When the schedule began that covers this instant.
    fn begin(&self, running: Option<Running>, at: Timestamp) -> Option<Timestamp> {
        let profile = &self.profile;
        let situation = match profile.charging_profile_purpose {
            Purpose::ChargePointMaxProfile => self.at,
            Purpose::TxDefaultProfile | Purpose::TxProfile => running.map_or(at, |one| one.started_at),
        };
        let start = profile.charging_schedule.start_schedule;
        match profile.charging_profile_kind {
            Kind::Absolute => Some(start.unwrap_or(situation)),
            Kind::Relative => Some(situation),
            Kind::Recurring => {
                let first = start?;
                let every = recurs_after(profile.recurrency_kind?).as_secs();
                let rounds = at.since(first).as_secs() / every;
                Some(first + Duration::from_secs(rounds * every))
            }
        }
    }

    /// Adds every instant within the span at which it may say something else.
    fn changes(&self, running: Option<Running>, from: Timestamp, until: Timestamp, instants: &mut BTreeSet<Timestamp>) {
        let profile = &self.profile;
        let mut add = |at: Timestamp| {
            if from < at && at < until {
                instants.insert(at);
            }
        };
        profile.valid_from.into_iter().for_each(&mut add);
        profile.valid_to.into_iter().for_each(&mut add);
        let schedule = &profile.charging_schedule;
        let Some(mut begin) = self.begin(running, from) else {
            return;
        };
        loop {
            add(begin);
            for period in &schedule.charging_schedule_period {
                add(begin + Duration::from_secs(u64::from(period.start_period)));
            }
            if let Some(seconds) = schedule.duration {
                add(begin + Duration::from_secs(u64::from(seconds)));
            }
            match profile.recurrency_kind {
                Some(kind) if profile.charging_profile_kind == Kind::Recurring => {
                    begin = begin + recurs_after(kind);
                }
                _ => return,
            }
            if begin >= until {
                return;
            }
        }
    }
}

const fn recurs_after(kind: Recurrence) -> Duration {
    match kind {
        Recurrence::Daily => Duration::from_secs(86_400),
        Recurrence::Weekly => Duration::from_secs(7 * 86_400),
    }
}

#[cfg(test)]
#[path = "profiles_tests.rs"]
mod tests;
