//! A tree as balancing sees it: its groups, its connectors with what they can, and the sessions that are open there.

use std::collections::BTreeMap;

use super::meter::Hardware;
use super::prices::Prices;
use super::rows::Rows;
use crate::charging::sessions::{self, Session};
use crate::load::assets::Asset;
use crate::load::groups::{Group, GroupConnector};
use crate::sites::stations::link::StationLink;
use crate::sites::stations::{Connector, ConnectorStatus, ExternalLimit, PhaseRotation, PowerType};
use crate::store::{Conn, StoreResult};
use engine::{CurrentKind, least_power};
use kernel::*;

/// A tree as the stores have it.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its groups, parents before children.
    pub groups: Vec<Group>,
    /// Its connectors.
    pub connectors: Vec<SiteConnector>,
    /// Plan and record, but send nothing.
    pub dry_run: bool,
    /// The time zone of its location, in which schedules are meant.
    pub zone: TimeZone,
    /// Volts between a phase and neutral there.
    pub voltage: Millivolts,
    /// What else draws or gives power below its groups.
    pub assets: Vec<Asset>,
    /// Which groups have a priority charge, and until when at most.
    pub priorities: BTreeMap<GroupId, Timestamp>,
    /// What energy costs groups of home users.
    pub prices: BTreeMap<GroupId, Prices>,
    /// What somebody else limits at its stations, whole stations before their EVSEs.
    pub external_limits: Vec<ExternalLimit>,
    /// The group of each of its stations.
    pub stations: BTreeMap<StationId, GroupId>,
    /// Connectors of its stations that are no members and have no session.
    pub without_group: Vec<SiteConnector>,
}

/// A connector below a group.
#[derive(Debug, Clone)]
pub(super) struct SiteConnector {
    pub connector: ConnectorId,
    pub station: StationId,
    pub evse: EvseId,
    /// Its number at its station.
    pub number: i32,
    /// Whether its station has no other connector.
    pub sole: bool,
    /// The group it hangs below.
    pub group: GroupId,
    pub role: Role,
    /// Whether its station can be reached now.
    pub online: bool,
    /// Whether its station never connected.
    pub unheard: bool,
    /// How many seconds its station's clock is ahead, where that is worth a warning.
    pub clock_off: Option<i64>,
    pub kind: CurrentKind,
    pub voltage: Millivolts,
    /// The phases of the grid that it is wired to.
    pub wired: PhaseSet,
    /// Those that its car uses, as far as that is known.
    pub phases: PhaseSet,
    /// Which phase of the grid each of its own is.
    pub rotation: Option<[usize; 3]>,
    pub rotation_known: bool,
    /// What it could draw if nobody limited it.
    pub rating: Watts,
    pub minimum: Watts,
    pub maximum: Watts,
    /// What it should draw at most when this server is not heard of.
    pub fallback: Watts,
    pub weight: u32,
    pub status: ConnectorStatus,
    /// Since when it says so, by our clock.
    pub status_at: Option<Timestamp>,
    /// Since when, by what its station says.
    pub status_reported_at: Option<Timestamp>,
    /// Whether its group must not charge at this time of day.
    pub excluded: bool,
    /// Whether its group has a priority charge, which goes before that.
    pub prioritized: bool,
    /// The session that runs there.
    pub session: Option<Session>,
    /// Where none runs: the last one, which its station ended unasked while the car is still there.
    pub ended: Option<Session>,
}

/// Whether balancing steers a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It does.
    Member,
    /// It does not: the station is in the group, this connector is not. What it may draw is reserved.
    Bystander,
    /// It would, but its group only plans while the tree above is live. What it may draw is reserved.
    Dry,
    /// It is not set up, and its station says that it charges or draws. That is reserved.
    Stray,
}

impl Site {
    /// Reads the tree below this root; `None` when it is no root (any more).
    pub(super) fn read(conn: &mut Conn, root: GroupId, now: Timestamp) -> StoreResult<Option<Self>> {
        let rows = Rows::read(conn, root, now)?;
        Ok(rows.and_then(|rows| Self::of(&rows, now)))
    }

    /// The site that these rows make.
    pub(super) fn of(rows: &Rows, now: Timestamp) -> Option<Self> {
        let top = &rows.top;
        let first = top.groups.first()?;
        let mut site = Self {
            organization: first.organization_id,
            dry_run: first.dry_run,
            zone: top.location.time_zone(),
            voltage: top.location.voltage,
            assets: top.assets.clone(),
            priorities: top.priorities.clone(),
            prices: top.prices.clone(),
            external_limits: rows.external_limits.values().flatten().cloned().collect(),
            groups: top.groups.clone(),
            connectors: Vec::with_capacity(rows.connectors.len()),
            stations: BTreeMap::new(),
            without_group: Vec::new(),
        };
        site.add_connectors(rows);
        site.note_hours(now);
        site.limit_fallbacks(now);
        Some(site)
    }

    /// Notes which stations can be reached.
    pub(super) fn note_online(&mut self, link: &dyn StationLink) {
        for site_connector in &mut self.connectors {
            site_connector.online = link.is_online(site_connector.station);
        }
    }

    /// When some group or station may get more or less by itself: by its schedules, its exclusion times, its priority charge
    /// or an external limit.
    pub(super) fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let capacities = self.groups.iter().filter_map(|group| group.capacity_changes_at(now));
        let exclusions = self.groups.iter().filter_map(|group| group.exclusion_changes_at(now));
        let priorities = self.priorities.values().copied();
        let priorities = priorities.filter(|until| *until > now);
        let external_limits = self.external_limits.iter().filter_map(|limit| limit.changes_at(now));
        capacities.chain(exclusions).chain(priorities).chain(external_limits).min()
    }

    /// The group with this id.
    pub(super) fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// Whether a group is another one, or below it.
    pub(super) fn is_below(&self, group: GroupId, top: GroupId) -> bool {
        self.upwards(group).any(|above| above.id == top)
    }

    /// The connectors below a group.
    pub(super) fn connectors_below(&self, top: GroupId) -> impl Iterator<Item = &SiteConnector> {
        self.connectors.iter().filter(move |site_connector| self.is_below(site_connector.group, top))
    }

    /// The view of a connector.
    pub(super) fn connector_of(&self, connector: ConnectorId) -> Option<&SiteConnector> {
        self.connectors.iter().find(|site_connector| site_connector.connector == connector)
    }

    /// A group and those above it.
    fn upwards(&self, id: GroupId) -> impl Iterator<Item = &Group> {
        std::iter::successors(self.group(id), |group| group.parent_id.and_then(|parent| self.group(parent)))
            .take(self.groups.len())
    }

    fn add_connectors(&mut self, rows: &Rows) {
        let groups: BTreeMap<StationId, GroupId> =
            rows.stations.iter().map(|station| (station.chargestation_id, station.group_id)).collect();
        let members: BTreeMap<ConnectorId, &GroupConnector> =
            rows.members.iter().map(|member| (member.connector_id, member)).collect();
        let mut connectors_of: BTreeMap<StationId, usize> = BTreeMap::new();
        for connector in rows.connectors.values() {
            *connectors_of.entry(connector.chargestation_id).or_default() += 1;
        }
        for connector in rows.connectors.values() {
            let Some(group) = groups.get(&connector.chargestation_id).and_then(|id| self.group(*id)) else {
                continue;
            };
            let member = members.get(&connector.id).copied();
            let session = rows.sessions.get(&connector.id);
            let is_connector_of_site = member.is_some() || session.is_some();
            let limit = rows.scheduled.get(&connector.id).copied();
            let session = (session.cloned(), limit);
            let mut site_connector = SiteConnector::new(connector, group, member, session, self.voltage);
            site_connector.ended = rows.ended.get(&connector.id).cloned();
            site_connector.unheard = rows.unheard.contains(&site_connector.station);
            site_connector.clock_off = rows.clocks.get(&site_connector.station).copied();
            let dry_below = !self.dry_run && self.upwards(site_connector.group).any(|group| group.dry_run);
            site_connector.sole = connectors_of.get(&site_connector.station) == Some(&1);
            site_connector.role = match member {
                None => Role::Bystander,
                Some(_) if dry_below => Role::Dry,
                Some(_) => Role::Member,
            };
            if is_connector_of_site {
                self.connectors.push(site_connector);
            } else {
                self.without_group.push(site_connector);
            }
        }
        self.stations = groups;
    }

    /// Notes whose group must not charge at this time of day, and whose goes before that.
    fn note_hours(&mut self, now: Timestamp) {
        let excluded = |group: &&Group| group.excludes(now, self.zone);
        let excluded: Vec<GroupId> = self.groups.iter().filter(excluded).map(|group| group.id).collect();
        for site_connector in &mut self.connectors {
            site_connector.excluded = excluded.contains(&site_connector.group);
            site_connector.prioritized = self.priorities.contains_key(&site_connector.group);
        }
    }

    /// Where nobody configured a fallback, all of them together stay within every group: a dead server breaks no limit.
    fn limit_fallbacks(&mut self, now: Timestamp) {
        let below: BTreeMap<GroupId, i64> =
            self.connectors.iter().fold(BTreeMap::new(), |mut below, site_connector| {
                for group in self.upwards(site_connector.group) {
                    *below.entry(group.id).or_default() += 1;
                }
                below
            });
        let share = |site_connector: &SiteConnector| {
            let explicit = self.group(site_connector.group)?.fallback_capacity;
            let shares = self.upwards(site_connector.group).map(|group| {
                let lowest = group.without_buffer(group.lowest_capacity(now));
                Watts(lowest.get() / below.get(&group.id).map_or(1, |count| *count))
            });
            let fair = shares.fold(site_connector.minimum, Watts::min);
            let pilot = least_power(site_connector.kind, site_connector.voltage, site_connector.phases, &[]);
            let safe = if fair < pilot { Watts::ZERO } else { fair };
            Some(explicit.unwrap_or(safe).min(site_connector.maximum))
        };
        let fallbacks: Vec<Watts> =
            self.connectors.iter().map(|site_connector| share(site_connector).unwrap_or(Watts::ZERO)).collect();
        for (site_connector, fallback) in self.connectors.iter_mut().zip(fallbacks) {
            site_connector.fallback = fallback;
        }
    }
}

impl SiteConnector {
    fn new(
        connector: &Connector,
        group: &Group,
        member: Option<&GroupConnector>,
        (session, scheduled): (Option<Session>, Option<Watts>),
        voltage: Millivolts,
    ) -> Self {
        let voltage = connector.voltage_limit.unwrap_or(voltage);
        let kind = match connector.power_type {
            PowerType::Dc => CurrentKind::Dc,
            PowerType::AcSinglePhase | PowerType::AcThreePhase => CurrentKind::Ac,
        };
        let phases = connector.phase_set();
        let rating = connector.rating(voltage);
        let own = member.and_then(|member| member.maximum_capacity);
        let most = own.map_or(rating, |own| own.min(rating));
        let asked = session.as_ref().and_then(|session| session.power_limit);
        let maximum = [asked, scheduled].into_iter().flatten().fold(most, Watts::min);
        let least = member.and_then(|member| member.minimum_capacity).unwrap_or(group.minimum_connector_capacity);
        Self {
            connector: connector.id,
            station: connector.chargestation_id,
            evse: connector.evse_id,
            number: connector.number,
            sole: false,
            group: group.id,
            role: Role::Member,
            online: false,
            unheard: false,
            clock_off: None,
            kind,
            voltage,
            wired: phases,
            phases,
            rotation: connector.phase_rotation.map(PhaseRotation::grid_phases),
            rotation_known: connector.phase_rotation.is_some() || phases == PhaseSet::ALL,
            rating,
            minimum: least_power(kind, voltage, phases, &[least.min(maximum)]).min(most),
            maximum,
            fallback: Watts::ZERO,
            weight: member.map_or(1, |member| u32::try_from(member.priority).unwrap_or(1)),
            status: connector.status,
            status_at: connector.status_changed_at.or(connector.status_at),
            status_reported_at: connector.status_at,
            excluded: false,
            prioritized: false,
            session,
            ended: None,
        }
    }

    /// What a connector is taken for whose station has none that is set up: a socket for 32 A on three phases.
    pub(super) fn usual(station: StationId, group: GroupId, voltage: Millivolts) -> Self {
        let rating = Milliamps(32_000).to_power(voltage, PhaseSet::ALL);
        Self {
            connector: station.raw().into(),
            station,
            evse: station.raw().into(),
            number: 1,
            sole: true,
            group,
            role: Role::Stray,
            online: false,
            unheard: false,
            clock_off: None,
            kind: CurrentKind::Ac,
            voltage,
            wired: PhaseSet::ALL,
            phases: PhaseSet::ALL,
            rotation: None,
            rotation_known: true,
            rating,
            minimum: Watts::ZERO,
            maximum: rating,
            fallback: Watts::ZERO,
            weight: 1,
            status: ConnectorStatus::Charging,
            status_at: None,
            status_reported_at: None,
            excluded: false,
            prioritized: false,
            session: None,
            ended: None,
        }
    }

    /// What it can draw at all.
    pub(super) const fn hardware(&self) -> Hardware {
        Hardware { kind: self.kind, rating: self.rating }
    }

    /// Takes it that its car uses only these phases of the grid: it needs less for its minimum and can take less.
    pub(super) fn use_phases(&mut self, used: PhaseSet) {
        let of_all = |power: Watts| Watts(power.get() * used.count() / self.wired.count().max(1));
        let pilot = least_power(self.kind, self.voltage, used, &[]);
        self.minimum = pilot.max(of_all(self.minimum));
        self.maximum = of_all(self.maximum);
        self.phases = used;
        self.rotation_known = self.rotation.is_some();
    }

    /// What each phase of the grid carries of these currents of its own phases.
    pub(super) fn on_grid(&self, currents: [Milliamps; 3]) -> [Milliamps; 3] {
        let mut carried = [Milliamps::ZERO; 3];
        for (own, grid) in self.rotation.unwrap_or([0, 1, 2]).into_iter().enumerate() {
            if let (Some(phase), Some(current)) = (carried.get_mut(grid), currents.get(own)) {
                *phase = *current;
            }
        }
        carried
    }

    /// What a car would draw if each phase it is offered drew as much as its highest: a one-phase car needs that offer.
    pub(super) fn as_if_on_all_phases(&self, highest: Option<Milliamps>) -> Watts {
        match (self.kind, highest) {
            (CurrentKind::Ac, Some(current)) => current.to_power(self.voltage, self.phases),
            _ => Watts::ZERO,
        }
    }

    /// Whether its car declines power.
    pub(super) fn is_suspended(&self) -> bool {
        let by_session = self
            .session
            .as_ref()
            .is_some_and(|session| session.charging_state == Some(sessions::ChargingState::SuspendedEv));
        match self.status {
            ConnectorStatus::SuspendedEv => true,
            ConnectorStatus::Preparing => by_session, // OCPP 2 only says that it is occupied
            _ => false,
        }
    }

    /// The session, while it can draw. One that began after its connector said that it is finishing, or broken, is another one,
    /// by our clock or, where the status came late, by the station's: the next status comes with the current.
    pub(super) fn live_session(&self) -> Option<&Session> {
        let over = matches!(self.status, ConnectorStatus::Finishing | ConnectorStatus::Faulted);
        let began_since = |session: &&Session| {
            let began = session.begun_at.unwrap_or(session.created_at);
            let is_before = |said: Option<Timestamp>| said.is_some_and(|said| began > said);
            self.status_at.is_none() || is_before(self.status_at) || is_before(self.status_reported_at)
        };
        self.session.as_ref().filter(|session| !over || began_since(session))
    }

    /// Since when its station says that nobody draws there, by our clock; none where a session runs.
    pub(super) fn free_since(&self) -> Option<Timestamp> {
        let free = matches!(
            self.status,
            ConnectorStatus::Available
                | ConnectorStatus::Finishing
                | ConnectorStatus::Reserved
                | ConnectorStatus::Unavailable
        );
        self.status_at.filter(|_| free && self.session.is_none())
    }

    /// Whether a car may be there: one that is seen, or one that is said to be.
    pub(super) fn may_have_car(&self) -> bool {
        let free = matches!(
            self.status,
            ConnectorStatus::Available | ConnectorStatus::Unavailable | ConnectorStatus::Reserved
        );
        self.session.is_some() || !free
    }
}
