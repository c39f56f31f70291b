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
//! A meter of the site is read every few seconds, a charger once a minute, so a charger that may just draw more shows
//! on the one and not yet on the other. What the chargers drew is therefore known from … to …, and the load is taken to be what
//! it was as long as that fits. As soon as the meter shows more than the group's capacity it cannot fit: chargers never
//! count with more than they are allowed. Once it shows clearly more, each counts with what it claimed last, so that nothing is cut
//! that nobody drew; and once that did not help, with nothing: whoever claims too much hides load.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::gather::{Site, SiteConnector};
use super::load::Load;
use super::state::State;
use crate::load::assets::{Asset, AssetType, Basis, Contribution, MeterScope, Peaks, contribution};
use crate::load::groups::Group;
use kernel::*;

/// The load of every group of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loads {
    /// By group; groups without any load are absent.
    pub by_group: BTreeMap<GroupId, Load>,
    /// What each asset adds.
    pub by_asset: BTreeMap<AssetId, Contribution>,
    /// The load behind each meter of a site or building that was read lately.
    pub by_meter: BTreeMap<AssetId, Watts>,
    /// What a fresh meter shows of everything below a group, chargers included, and when it was measured; the highest.
    pub shown: BTreeMap<GroupId, (Watts, Timestamp)>,
    /// Groups whose meter stays clearly above although all were cut, so that no claim counts.
    pub doubted: BTreeSet<GroupId>,
    /// When something changes by itself, if no reading comes.
    pub changes_at: Option<Timestamp>,
}

/// What a meter shows above a capacity is clearly more from one part in so many of it: less may be noise.
const NOISE: i64 = 100;

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
        let own: Vec<&Asset> =
            site.assets.iter().filter(|asset| asset.group_id == Some(group.id) && asset.active).collect();
        let below = site
            .groups
            .iter()
            .filter(|child| child.parent_id == Some(group.id))
            .filter_map(|child| loads.by_group.get(&child.id).copied());
        let metered = meters(&own, &loads, site, state, group, now);
        let fresh = metered.iter().filter(|one| !one.meter.is_stale(now));
        for Metered { meter, load, shown, doubted } in fresh {
            loads.doubted.extend(doubted.then_some(group.id));
            let power = load.power.map(|power| (meter.id, power));
            loads.by_meter.extend(power);
            let most = loads.shown.get(&group.id).copied().max(*shown);
            loads.shown.extend(most.map(|most| (group.id, most)));
        }
        let metered = metered.iter().map(|one| one.load).reduce(Load::or_more);
        let load = match metered {
            Some(metered) => Some(while_above(metered, group, &loads, site, state, now)),
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

/// What a metered load counts as while its meter shows more than the capacity: never less than it did, whatever stations claim to
/// be drawing of it, so that nobody may draw more until it fits; and more, where a cut did not help.
fn while_above(load: Load, group: &Group, loads: &Loads, site: &Site, state: &State, now: Timestamp) -> Load {
    let (capacity, _) = group.capacity_at(now, site.zone);
    let Some((shown, at)) = loads.shown.get(&group.id).copied() else {
        return load;
    };
    if shown <= capacity {
        return load;
    }
    let above_for = state.above.get(&group.id).map(|cut| at.since(*cut));
    let more = insistence(shown - capacity, above_for.unwrap_or_default());
    let before = state.loads.get(&group.id).copied();
    let load = load.raised_by(more);
    before.map_or(load, |before| load.or_more(before))
}

/// What a meter says.
struct Metered<'a> {
    meter: &'a Asset,
    /// The load below it.
    load: Load,
    /// That with the chargers, where it sees both, and when it was measured.
    shown: Option<(Watts, Timestamp)>,
    /// It stays clearly above although all were cut, so that all that it shows is taken for load.
    doubted: bool,
}

/// What each meter of a group says of the load below it; and what it shows together with the chargers, where that is known.
fn meters<'a>(
    own: &[&'a Asset],
    loads: &Loads,
    site: &Site,
    state: &State,
    group: &Group,
    now: Timestamp,
) -> Vec<Metered<'a>> {
    let least_load = -given_below(site, loads, group.id);
    let (capacity, _) = group.capacity_at(now, site.zone);
    let is_above = |power: Watts| power > capacity + Watts(capacity.get() / NOISE);
    let cut_at = state.above.get(&group.id).copied();
    let is_too_late = |at: Timestamp| cut_at.is_some_and(|cut| at >= cut + FOLLOWED_WITHIN);
    let meters = own
        .iter()
        .filter(|asset| asset.kind == AssetType::SmartMeter && asset.meter_scope != Some(MeterScope::Production));
    let of = |meter: &&'a Asset| {
        let reading = loads.by_asset.get(&meter.id)?;
        let all = reading.as_load(site.voltage);
        let Some(measured_at) = reading.measured_at.filter(|_| reading.includes_chargers) else {
            return Some(Metered { meter, load: all, shown: None, doubted: false });
        };
        let chargers = chargers_at(site, state, group.id, measured_at);
        let above = all.power.is_some_and(is_above);
        let doubted = above && is_too_late(measured_at);
        let load = match above {
            true if doubted => all,
            true => all.without(chargers.claimed),
            false => {
                let before = state.loads.get(&group.id).copied();
                let most = all.without(chargers.least);
                most.kept_from(before, all.without(chargers.most))
            }
        };
        Some(Metered { meter, load, shown: all.power.zip(Some(measured_at)), doubted })
    };
    let bounded = |one: Metered<'a>| Metered { load: one.load.at_least(least_load, site.voltage), ..one };
    meters.filter_map(of).map(bounded).collect()
}

/// What the sources below a group are known to give: by fresh readings, else as much as they are rated for. Nothing else can
/// make a load negative, whatever a meter shows.
pub(super) fn given_below(site: &Site, loads: &Loads, group: GroupId) -> Watts {
    let below = site.assets.iter().filter(|asset| {
        let own = asset.group_id;
        own.is_some_and(|own| site.is_below(own, group))
    });
    below.map(|asset| asset.explains(loads.by_asset.get(&asset.id).and_then(|one| one.load))).sum()
}

/// What the chargers below a group drew when its meter was read.
struct Chargers {
    /// As little as can be.
    least: Load,
    /// What they claimed last; all that they were allowed where they say nothing.
    claimed: Load,
    /// As much as can be.
    most: Load,
}

/// Each claim counts as far as its station was allowed to draw then. Where no car is known to be, what is drawn all the same is
/// load: so that whatever anybody claims, a reading above the capacity cuts those that charge by the excess.
fn chargers_at(site: &Site, state: &State, group: GroupId, measured_at: Timestamp) -> Chargers {
    let none = Chargers { least: Load::NONE, claimed: Load::NONE, most: Load::NONE };
    let below = site.connectors.iter().filter(|site_connector| site.is_below(site_connector.group, group));
    below.fold(none, |sum, site_connector| {
        let exposure = state.exposure(site_connector);
        let (draw, claimed) = match state.connectors.get(&site_connector.connector) {
            Some(memory) if site_connector.may_have_car() || memory.meter.shows_a_car() => {
                let allowed = memory.allowed.at(measured_at).unwrap_or(exposure);
                let draw = memory.draws.around(measured_at, memory.sent_at, allowed);
                let claimed = memory.draws.claimed(measured_at);
                (draw, claimed.map_or(allowed, |claimed| claimed.min(allowed)))
            }
            Some(_) => (Watts::ZERO..=Watts::ZERO, Watts::ZERO),
            None => (Watts::ZERO..=exposure, exposure),
        };
        let on_each = draw.end().to_current(site_connector.voltage, site_connector.phases);
        Chargers {
            least: sum.least.and(site_connector.load_of(*draw.start(), Milliamps::ZERO)),
            claimed: sum.claimed.and(site_connector.load_of(claimed, Milliamps::ZERO)),
            most: sum.most.and(site_connector.load_of(*draw.end(), on_each)),
        }
    })
}

impl SiteConnector {
    /// A draw as a load; where it is not known on which phases it is, each has the current `unknown`.
    fn load_of(&self, draw: Watts, unknown: Milliamps) -> Load {
        let on_each = draw.to_current(self.voltage, self.phases);
        let currents = [0, 1, 2].map(|phase| match self.rotation_known {
            true if self.phases.contains(phase) => on_each,
            true => Milliamps::ZERO,
            false => unknown,
        });
        Load { power: Some(draw), currents }
    }
}

impl Contribution {
    fn as_load(&self, voltage: Millivolts) -> Load {
        let Some(power) = self.load else {
            return Load { power: None, ..Load::NONE };
        };
        // All of it may be on one phase; what is given may be on none.
        let at_most = power.at_least_zero().to_current(voltage, PhaseSet::L1);
        Load { power: Some(power), currents: self.currents.map(|current| current.unwrap_or(at_most)) }
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
    pub(super) fn follow_loads(&mut self, site: &Site, loads: &Loads, now: Timestamp) -> Vec<Freshness> {
        self.loads.clone_from(&loads.by_group);
        self.note_above(site, loads, now);
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

    /// Notes which groups draw more than they may, by a fresh meter, and since when they are cut.
    fn note_above(&mut self, site: &Site, loads: &Loads, now: Timestamp) {
        let above = |group: &Group| {
            let (capacity, _) = group.capacity_at(now, site.zone);
            let (shown, _) = loads.shown.get(&group.id)?;
            let cut = self.above.get(&group.id);
            (*shown > capacity).then_some((group.id, cut.copied().unwrap_or(now)))
        };
        self.above = site.groups.iter().filter_map(above).collect();
    }

    /// Whoever is stopped because nobody is believed needs no off-time: it starts again as soon as the meter shows room.
    pub(super) fn spare_doubted(&mut self, site: &Site, loads: &Loads, now: Timestamp) {
        let doubted = |site_connector: &&SiteConnector| {
            let mut tops = loads.doubted.iter();
            tops.any(|top| site.is_below(site_connector.group, *top))
        };
        for site_connector in site.connectors.iter().filter(doubted) {
            if let Some(memory) = self.connectors.get_mut(&site_connector.connector) {
                memory.queue_state.stopped_at.take_if(|at| *at == now);
            }
        }
    }

    /// Whether a meter shows that more is drawn than there is, here or further up.
    pub(super) fn is_above(&self, site: &Site, group: GroupId) -> bool {
        self.above.keys().any(|top| site.is_below(group, *top))
    }
}

/// How long a cut takes to be followed: the message, and the 5 s that IEC 61851-1 gives a car.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(6);
/// How long it takes to show on a meter besides.
const SHOWS_WITHIN: Duration = Duration::from_secs(10);

/// What is cut beyond the excess where a cut did not help, because somebody does not follow who cannot be distinguished from the others:
/// as much again, and twice as much each time.
fn insistence(excess: Watts, above_for: Duration) -> Watts {
    let times = above_for.as_secs() / SHOWS_WITHIN.as_secs();
    let factor = (1_i64 << times.min(10)) - 1;
    Watts(excess.at_least_zero().get().saturating_mul(factor))
}

impl Loads {
    /// The meters that show a higher load than ever on this day.
    pub(super) fn higher_peaks(&self, site: &Site, now: Timestamp) -> Vec<(AssetId, Peaks)> {
        let higher = |asset: &Asset| {
            // While nobody is believed what chargers draw is taken for load: that says nothing of other days.
            let doubted = asset.group_id.is_some_and(|group| self.doubted.contains(&group));
            let load = *self.by_meter.get(&asset.id).filter(|_| !doubted)?;
            let known = asset.measured.peaks.as_ref();
            let mut peaks = known.map(|peaks| peaks.0.clone()).unwrap_or_default();
            peaks.note(now, load).then_some((asset.id, peaks))
        };
        site.assets.iter().filter_map(higher).collect()
    }

    /// Whether what can be handed out follows readings, so that it should rise slowly.
    pub(super) fn follows_readings(&self) -> bool {
        self.by_asset.values().any(|one| matches!(one.basis, Basis::Fresh | Basis::Held))
    }
}
