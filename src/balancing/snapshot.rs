//! From what is stored and remembered to the input of the engine.

use super::again::wanting;
use super::cheap_hours;
use super::external_limits;
use super::gather::{Role, Site, SiteConnector};
use super::load::Load;
use super::loads::Loads;
use super::state::{Memory, State};
use crate::load::groups::{self, Group};
use engine::{
    self, Algorithm, Deadline, Member, MemberState, Node, Plan, PriorityClass, Session, Settings, Snapshot,
    Uncontrolled,
};
use kernel::{Milliamps, TimeZone, Timestamp, Watts};

/// The most a limit rises at once where capacity follows readings: 2 A on three phases.
const RAISE_STEP: Watts = Watts(1_380);
/// How long there must be room for a session that was stopped, where capacity follows readings.
const RESTART_AFTER_SECONDS: u32 = 60;
/// Smaller raises are not made where capacity follows readings: 1 A.
const DEAD_BAND: Watts = Watts(230);

/// The plan of a site for this moment, with the snapshot it was made from. Cars lend what they do not use only where somebody
/// else can take it: offering less to a car that may change its mind has a price.
pub(super) fn planned(site: &Site, state: &State, loads: &Loads, now: Timestamp) -> (Snapshot, Plan) {
    let mut snapshot = snapshot(site, state, loads, now);
    let plan = engine::plan(&snapshot, now);
    if !plan.is_scarce() || !lend(&mut snapshot, state) {
        return (snapshot, plan);
    }
    let plan = engine::plan(&snapshot, now);
    (snapshot, plan)
}

/// Notes what cars have shown to use; false where nothing is known of any.
fn lend(snapshot: &mut Snapshot, state: &State) -> bool {
    let mut lent = false;
    for member in &mut snapshot.members {
        let memory = state.connectors.get(&member.connector);
        if let (MemberState::Active(session), Some(memory)) = (&mut member.state, memory) {
            session.learned_demand = memory.demand.estimate;
            lent |= session.learned_demand.is_some();
        }
    }
    lent
}

fn snapshot(site: &Site, state: &State, loads: &Loads, now: Timestamp) -> Snapshot {
    let mut snapshot = Snapshot {
        nodes: site.groups.iter().map(|group| node(group, site.zone, loads, now)).collect(),
        members: site.connectors.iter().map(|site_connector| member(site, site_connector, state, now)).collect(),
        settings: settings(site, loads),
    };
    external_limits::insert_nodes(site, &mut snapshot, now);
    snapshot
}

/// How a group shares, in the engine's words.
pub(super) const fn algorithm(algorithm: groups::Algorithm) -> Algorithm {
    match algorithm {
        groups::Algorithm::EqualShare | groups::Algorithm::ConsumerTou => Algorithm::EqualShare,
        groups::Algorithm::Priority => Algorithm::Priority,
        groups::Algorithm::FirstCome => Algorithm::FirstCome,
        groups::Algorithm::Deadline => Algorithm::Deadline,
    }
}

/// How to queue and damp. Capacity that follows readings is handed out slowly and started with care, or it would be taken
/// back at every cloud.
fn settings(site: &Site, loads: &Loads) -> Settings {
    let mut settings = Settings::default();
    if loads.follows_readings() {
        settings.raise_step = Some(RAISE_STEP);
        settings.restart_after_seconds = RESTART_AFTER_SECONDS;
        settings.dead_band = DEAD_BAND;
    }
    let Some(top) = site.groups.first() else {
        return settings;
    };
    settings.raise_step = top.raise_step.or(settings.raise_step);
    settings.trusted_departures = top.trusted_departures;
    if let Some(on_time) = top.hold_minutes.and_then(|held| u32::try_from(held).ok()) {
        (settings.minimum_on_seconds, settings.off_seconds) = (on_time * 60, on_time * 20);
    }
    settings
}

fn node(group: &Group, zone: TimeZone, loads: &Loads, now: Timestamp) -> Node {
    let (capacity, _) = group.capacity_at(now, zone);
    let load = loads.by_group.get(&group.id).copied().unwrap_or(Load::NONE);
    Node {
        parent: group.parent_id,
        name: group.name.clone(),
        buffer_ppm: u32::try_from(group.buffer).unwrap_or(engine::MILLION),
        rating: group.feeder_rating,
        uncontrolled_load: match load.power {
            Some(power) => power,
            None => capacity.max(group.feeder_rating.unwrap_or(capacity)),
        },
        phase_load: load.currents,
        imbalance_limit: group.imbalance_limit,
        phase_limits: group.phase_capacity.map(|limit: Milliamps| [limit; 3]),
        algorithm: algorithm(group.algorithm),
        allow_pause: group.allow_pause,
        ..Node::new(group.id, capacity)
    }
}

fn member(site: &Site, site_connector: &SiteConnector, state: &State, now: Timestamp) -> Member {
    let memory = state.connectors.get(&site_connector.connector);
    Member {
        connector: site_connector.connector,
        node: site_connector.group,
        minimum: site_connector.minimum,
        maximum: site_connector.maximum,
        step: Watts(1),
        voltage: site_connector.voltage,
        phases: site_connector.phases,
        rotation_known: site_connector.rotation_known,
        weight: site_connector.weight,
        class: PriorityClass::Normal,
        current: memory.map_or(Watts::ZERO, |memory| memory.limit),
        state: member_state(site, site_connector, memory, state, now),
    }
}

fn member_state(
    site: &Site,
    site_connector: &SiteConnector,
    memory: Option<&Memory>,
    state: &State,
    now: Timestamp,
) -> MemberState {
    if let Some((why, reserved)) = state.ledger.uncontrolled(site_connector.connector) {
        return MemberState::Uncontrolled { reserved, why };
    }
    if site_connector.role != Role::Member {
        return MemberState::Uncontrolled { reserved: site_connector.rating, why: Uncontrolled::Unproven };
    }
    // An idle connector is steered too, to an explicit zero; until that is proven the ledger keeps raises back.
    let (Some(session), Some(memory)) = (wanting(site_connector, memory, now), memory) else {
        return MemberState::Idle { exposure: Watts::ZERO };
    };
    let wish = session.departure_at.zip(session.energy_need);
    let session = Session {
        attained: session.energy + memory.again.had,
        deadline: wish.map(|(departure, energy)| Deadline { departure, energy }),
        queue_state: memory.queue_state,
        excluded: site_connector.excluded,
        priority_charge: site_connector.prioritized,
        waits_until: cheap_hours::waits_until(site, state, site_connector, now),
        ..Session::new(session.started_at.unwrap_or(session.created_at))
    };
    match memory.suspended_since {
        Some(since) => MemberState::Suspended { since, session },
        None => MemberState::Active(session),
    }
}
