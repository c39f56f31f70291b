//! What one cycle decides, from what is known: pure, so that a simulation rehearses it.

use super::escalation::give_up_waiting;
use super::follow::{follow, follow_phases, note_phases};
use super::gather::Site;
use super::loads::{Freshness, Loads, loads};
use super::replan::Notes;
use super::settings::Settings;
use super::snapshot::planned;
use super::state::{Remark, State};
use super::strays::follow_strays;
use engine::check::{Violation, violations};
use engine::{Plan, Snapshot};
use kernel::{ConnectorId, Timestamp};

/// The result of a cycle.
pub(super) struct Decided {
    pub snapshot: Snapshot,
    pub plan: Plan,
    pub loads: Loads,
    /// What members did that people should hear of.
    pub remarks: Vec<(ConnectorId, Remark)>,
    /// Assets whose data went stale, or is fresh again.
    pub freshness: Vec<Freshness>,
    /// Promises that the plan breaks; it must not be sent then.
    pub faults: Vec<Violation>,
}

/// Brings the state up to date with the site and with what was heard, and plans; `fresh` when the state was just loaded.
pub(super) fn decide(
    state: &mut State,
    site: &mut Site,
    notes: &Notes,
    fresh: bool,
    settings: &Settings,
    now: Timestamp,
) -> Decided {
    state.sends = !site.dry_run;
    follow_strays(state, site, notes, now);
    site.add_strays(state);
    follow_phases(state, site, notes);
    note_phases(site, state);
    let remarks = follow(state, site, notes, fresh, settings, now);
    let loads = loads(site, state, now);
    let freshness = state.follow_loads(site, &loads, now);
    let (mut snapshot, mut plan) = planned(site, state, &loads, now);
    if give_up_waiting(state, site, &snapshot, now) {
        (snapshot, plan) = planned(site, state, &loads, now);
    }
    let faults = violations(&snapshot, &plan);
    state.remember(&plan, now);
    state.spare_doubted(site, &loads, now);
    Decided { snapshot, plan, loads, remarks, freshness, faults }
}
