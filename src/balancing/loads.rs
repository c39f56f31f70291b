//! What else draws below each group, from the readings of its assets: the load that balancing cannot steer.
//!
//! ```text
//! load of a group = its assets, added up, and the loads of the groups below it
//! with a meter of scope building   = that meter: everything but the chargers
//! with a meter of scope site       = that meter without what the chargers drew when it was read
//! ```
//!
//! Where something is not known, it counts as it would cost most: an asset without data that could draw leaves nothing to
//! hand out, and a current of unknown phase is on every phase.
//!
//! A meter of the site is read every few seconds, a charger once a minute, so a charger that was just told to draw more shows
//! on the one and not yet on the other. What the chargers drew is therefore known from … to …, and the load is taken to be what
//! it was as long as that fits. As soon as the meter shows more than the group's capacity it cannot fit: chargers never
//! count with more than they are allowed.

use std::collections::BTreeMap;

use super::gather::{Seat, Site};
use super::load::{Load, each};
use super::state::State;
use crate::assets::{Asset, AssetType, Basis, Contribution, MeterScope, contribution};
use crate::kernel::*;

/// The load of every group of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loads {
    /// By group; groups without any load are absent.
    pub by_group: BTreeMap<GroupId, Load>,
    /// What each asset adds.
    pub by_asset: BTreeMap<AssetId, Contribution>,
    /// When something changes by itself, if no reading comes.
    pub changes_at: Option<Timestamp>,
}

/// The loads of a site at this moment.
pub(super) fn loads(site: &Site, state: &State, now: Timestamp) -> Loads {
    let mut loads = Loads::default();
    for asset in &site.assets {
        let contribution = contribution(asset, now);
        let changes_at = contribution.changes_at.filter(|at| *at > now);
        loads.changes_at = loads.changes_at.into_iter().chain(changes_at).min();
        loads.by_asset.insert(asset.id, contribution);
    }
    // Children come after their parents.
    for group in site.groups.iter().rev() {
        let own: Vec<&Asset> = site
            .assets
            .iter()
            .filter(|asset| asset.group_id == Some(group.id) && asset.active)
            .collect();
        let below = site
            .groups
            .iter()
            .filter(|child| child.parent_id == Some(group.id))
            .filter_map(|child| loads.by_group.get(&child.id).copied());
        let load = match meter(&own, &loads, site, state, group.id) {
            Some(metered) => Some(metered),
            None => own
                .iter()
                .filter_map(|asset| loads.by_asset.get(&asset.id))
                .map(|one| one.as_load(site.voltage))
                .chain(below)
                .reduce(Load::and),
        };
        if let Some(load) = load {
            loads.by_group.insert(group.id, load);
        }
    }
    loads
}

/// What the meters of a group say of everything below it; the largest, where there are several.
fn meter(
    own: &[&Asset],
    loads: &Loads,
    site: &Site,
    state: &State,
    group: GroupId,
) -> Option<Load> {
    let meters = own.iter().filter(|asset| {
        asset.kind == AssetType::SmartMeter && asset.meter_scope != Some(MeterScope::Production)
    });
    let readings = meters.filter_map(|meter| loads.by_asset.get(&meter.id));
    let of = |reading: &Contribution| {
        let all = reading.as_load(site.voltage);
        match reading.measured_at.filter(|_| reading.includes_chargers) {
            Some(measured_at) => {
                let (least, most) = chargers_at(site, state, group, measured_at);
                let before = state.loads.get(&group).copied();
                all.without(least).kept_from(before, all.without(most))
            }
            None => all,
        }
    };
    readings.map(of).reduce(|one, two| Load {
        power: one.power.zip(two.power).map(|(one, two)| one.max(two)),
        currents: each(one.currents, two.currents, Milliamps::max),
    })
}

/// The least and the most that the chargers below a group drew when its meter was read.
fn chargers_at(site: &Site, state: &State, group: GroupId, measured_at: Timestamp) -> (Load, Load) {
    let below = site
        .seats
        .iter()
        .filter(|seat| site.is_below(seat.group, group));
    below.fold((Load::NONE, Load::NONE), |(least, most), seat| {
        let worst = state.ledger.worst(seat.connector);
        let draw = match state.connectors.get(&seat.connector) {
            Some(memory) => memory.draws.around(measured_at, memory.sent_at, worst),
            None => Watts::ZERO..=worst,
        };
        (
            least.and(seat.load_of(*draw.start(), Milliamps::ZERO)),
            most.and(seat.load_of(
                *draw.end(),
                draw.end().to_current(seat.voltage, seat.phases),
            )),
        )
    })
}

impl Seat {
    /// A draw as a load; where it is not known on which phases it is, each has the current `unknown`.
    fn load_of(&self, draw: Watts, unknown: Milliamps) -> Load {
        let on_each = draw.to_current(self.voltage, self.phases);
        let currents = [0, 1, 2].map(|phase| match self.rotation_known {
            true if self.phases.contains(phase) => on_each,
            true => Milliamps::ZERO,
            false => unknown,
        });
        Load {
            power: Some(draw),
            currents,
        }
    }
}

impl Contribution {
    fn as_load(&self, voltage: Millivolts) -> Load {
        let Some(power) = self.load else {
            return Load {
                power: None,
                ..Load::NONE
            };
        };
        // All of it may be on one phase; what is given may be on none.
        let worst = power.at_least_zero().to_current(voltage, PhaseSet::L1);
        Load {
            power: Some(power),
            currents: self.currents.map(|current| current.unwrap_or(worst)),
        }
    }
}

/// An asset whose data went stale, or is fresh again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Freshness {
    pub asset: AssetId,
    pub group: Option<GroupId>,
    pub stale: bool,
    pub latest_at: Option<Timestamp>,
}

impl State {
    /// Keeps the loads for the next time, and says of which assets the data went stale or is fresh again.
    pub fn follow_loads(&mut self, site: &Site, loads: &Loads, now: Timestamp) -> Vec<Freshness> {
        self.loads.clone_from(&loads.by_group);
        let counts = |asset: &&Asset| asset.active && asset.switched_on != Some(false);
        let read = site.assets.iter().filter(counts);
        let read = read.filter(|asset| asset.measured.latest.is_some());
        let before = std::mem::take(&mut self.stale);
        let mut changes = Vec::new();
        for asset in read {
            let stale = asset.is_stale(now);
            if stale {
                self.stale.insert(asset.id);
            }
            if stale != before.contains(&asset.id) {
                changes.push(Freshness {
                    asset: asset.id,
                    group: asset.group_id,
                    stale,
                    latest_at: asset.measured.latest_at,
                });
            }
        }
        changes
    }
}

impl Loads {
    /// Whether what can be handed out follows readings, so that it should rise slowly.
    pub fn follows_readings(&self) -> bool {
        self.by_asset
            .values()
            .any(|one| matches!(one.basis, Basis::Fresh | Basis::Held))
    }
}
