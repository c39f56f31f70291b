//! Limits that somebody else put on stations or EVSEs: nodes between a group and its connectors, so that what these cannot
//! draw is given to others. The stations keep such limits by themselves.

use super::gather::{Site, SiteConnector};
use crate::sites::stations::LimitStep;
use crate::sites::stations::link::Enforced;
use engine::{CurrentKind, Node, Snapshot};
use kernel::{EvseId, GroupId, Milliamps, RawId, StationId, Timestamp, Watts};

/// Puts what holds now between the groups and their connectors.
pub(super) fn insert_nodes(site: &Site, snapshot: &mut Snapshot, now: Timestamp) {
    for limit in &site.external_limits {
        let in_force: Vec<&LimitStep> = limit.holding_at(now).collect();
        if !in_force.is_empty() {
            put(site, snapshot, (limit.chargestation_id, limit.evse_id), &in_force);
        }
    }
}

/// Puts limits on a station, or on one EVSE of it. Limits of whole stations come first, so that EVSEs go below them.
fn put(site: &Site, snapshot: &mut Snapshot, (station, evse): (StationId, Option<EvseId>), in_force: &[&LimitStep]) {
    let concerned = |site_connector: &&SiteConnector| {
        site_connector.station == station && evse.is_none_or(|id| site_connector.evse == id)
    };
    let connectors: Vec<&SiteConnector> = site.connectors.iter().filter(concerned).collect();
    let id = GroupId::from(evse.map_or(station.raw(), EvseId::raw));
    let Some(above) = above(snapshot, &connectors, id, station.raw()) else {
        return;
    };
    let (mut power, mut current) = (above.limit, None::<Milliamps>);
    for step in in_force {
        let (most, on_each_phase) = most(step, &connectors);
        power = power.min(most);
        current = current.into_iter().chain(on_each_phase).min();
    }
    match snapshot.nodes.iter_mut().find(|node| node.id == id) {
        Some(inserted) => {
            inserted.limit = inserted.limit.min(power);
            let before = inserted.phase_limits.map(|[limit, ..]| limit);
            let lowest = before.into_iter().chain(current).min();
            inserted.phase_limits = lowest.map(|limit| [limit; 3]);
        }
        None => snapshot.nodes.push(Node {
            parent: Some(above.id),
            algorithm: above.algorithm,
            allow_pause: above.allow_pause,
            phase_limits: current.map(|limit| [limit; 3]),
            is_external: true,
            ..Node::new(id, power)
        }),
    }
    let members = snapshot.members.iter_mut();
    for member in members.filter(|member| connectors.iter().any(|it| it.connector == member.connector)) {
        member.node = id;
    }
}

/// What the node hangs below: its station, where that is limited too, else the group of its connectors.
fn above(snapshot: &Snapshot, connectors: &[&SiteConnector], own: GroupId, station: RawId) -> Option<Node> {
    let group = connectors.first()?.group;
    let station = GroupId::from(station);
    let find = |id: GroupId| snapshot.nodes.iter().find(|node| node.id == id);
    find(station).filter(|_| station != own).or_else(|| find(group)).cloned()
}

/// What these connectors may draw together, and on each phase where that is what was limited.
fn most(step: &LimitStep, connectors: &[&SiteConnector]) -> (Watts, Option<Milliamps>) {
    match step.limit {
        None => (engine::MOST_POWER, None),
        Some(Enforced::Power(power)) => (power, None),
        Some(Enforced::Current(current)) => {
            let of = |site_connector: &&SiteConnector| {
                let phases = site_connector.wired.count().min(step.phases.unwrap_or(3)).max(1);
                let microwatts = current.get().saturating_mul(site_connector.voltage.get());
                Watts(microwatts.saturating_mul(phases) / 1_000_000)
            };
            let power = connectors.iter().map(of).fold(Watts::ZERO, Watts::max);
            let has_phases = connectors.iter().all(|site_connector| site_connector.kind == CurrentKind::Ac);
            (power, has_phases.then_some(current))
        }
    }
}
