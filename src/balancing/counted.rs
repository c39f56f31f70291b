//! What each asset is in the load of a group: where a meter sees everything, it counts in place of all that is below it, so that
//! what is shown adds up.

use std::collections::BTreeMap;

use super::gather::Site;
use super::loads::Loads;
use crate::load::assets::{Asset, AssetType, MeterScope};
use kernel::*;

/// What an asset is in the load of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// What of it is in the load; none where nobody knows how much.
    pub load: Option<Watts>,
    /// The meter that counts in its place.
    pub replaced_by: Option<AssetId>,
}

/// What each asset of a group, and of those below it, is in the load of the group. They add up to it.
pub(super) fn counted(site: &Site, loads: &Loads, top: GroupId) -> BTreeMap<AssetId, Counted> {
    let mut all = BTreeMap::new();
    let mut waiting: Vec<(GroupId, Option<AssetId>)> = vec![(top, None)];
    while let Some((group, above)) = waiting.pop() {
        let own: Vec<&Asset> = site.assets.iter().filter(|asset| asset.group_id == Some(group)).collect();
        let meter = above.or_else(|| meter_of(&own, loads));
        for asset in own {
            all.insert(asset.id, of_asset(asset, group, meter, loads));
        }
        let below = site.groups.iter();
        let below = below.filter(|child| child.parent_id == Some(group));
        waiting.extend(below.map(|child| (child.id, meter)));
    }
    all
}

fn of_asset(asset: &Asset, group: GroupId, meter: Option<AssetId>, loads: &Loads) -> Counted {
    let own = || loads.by_asset.get(&asset.id).and_then(|one| one.load);
    let (load, replaced_by) = match meter {
        _ if !asset.active => (Some(Watts::ZERO), None),
        Some(meter) if meter == asset.id => {
            let whole = loads.by_group.get(&group);
            (whole.and_then(|load| load.power), None)
        }
        Some(meter) => (Some(Watts::ZERO), Some(meter)),
        None => (own(), None),
    };
    Counted { load, replaced_by }
}

/// The meter of a group's own that counts: the one that shows most, and before all one of which nobody knows what it shows.
fn meter_of(own: &[&Asset], loads: &Loads) -> Option<AssetId> {
    let meters = own.iter().filter(|asset| {
        asset.active && asset.kind == AssetType::SmartMeter && asset.meter_scope != Some(MeterScope::Production)
    });
    let shows = |meter: &&&Asset| {
        let read = loads.by_asset.get(&meter.id).and_then(|one| one.load);
        let behind = loads.by_meter.get(&meter.id).copied().or(read);
        behind.unwrap_or(Watts(i64::MAX))
    };
    meters.max_by_key(shows).map(|meter| meter.id)
}
