//! What the stores have of a tree, kept from cycle to cycle: what happens to one of thousands of stations costs the reading of
//! that one.

use std::collections::{BTreeMap, BTreeSet};

use super::prices::Prices;
use crate::charging::sessions::{self, Session, SessionStatus};
use crate::control::profiles;
use crate::home::priority_charges;
use crate::load::assets::{self, Asset};
use crate::load::groups::{self, Group, GroupConnector, GroupStation};
use crate::sites::locations::{self, Location};
use crate::sites::stations::{self, Connector, ExternalLimit};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::*;

/// The rows of a tree.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// When all of them were read.
    pub read_at: Timestamp,
    pub top: Top,
    pub stations: Vec<GroupStation>,
    pub members: Vec<GroupConnector>,
    /// By station and number.
    pub connectors: BTreeMap<(StationId, i32), Connector>,
    /// The session that runs on each connector.
    pub sessions: BTreeMap<ConnectorId, Session>,
    /// Where none runs: the last one of a car that is still there, which its station ended unasked.
    pub ended: BTreeMap<ConnectorId, Session>,
    /// What charging profiles allow now.
    pub scheduled: BTreeMap<ConnectorId, Watts>,
    /// Stations that never connected.
    pub unheard: BTreeSet<StationId>,
    /// Stations whose clocks are off, by how many seconds.
    pub clocks: BTreeMap<StationId, i64>,
    /// What somebody else limits, by station.
    pub external_limits: BTreeMap<StationId, Vec<ExternalLimit>>,
}

/// What concerns whole groups: little, and read whenever more happened than readings of stations.
#[derive(Debug, Clone)]
pub(super) struct Top {
    /// Parents before children.
    pub groups: Vec<Group>,
    pub location: Location,
    pub assets: Vec<Asset>,
    /// Which groups have a priority charge, and until when at most.
    pub priorities: BTreeMap<GroupId, Timestamp>,
    /// What energy costs groups of home users.
    pub prices: BTreeMap<GroupId, Prices>,
}

/// What the stores have of some stations, of any trees.
struct OfStations {
    connectors: Vec<Connector>,
    sessions: BTreeMap<ConnectorId, Session>,
    ended: BTreeMap<ConnectorId, Session>,
    scheduled: BTreeMap<ConnectorId, Watts>,
    unheard: Vec<StationId>,
    clocks: Vec<(StationId, i64)>,
    external_limits: Vec<ExternalLimit>,
}

/// Stations of one query: SQLite takes so many parameters and more.
const AT_ONCE: usize = 1_000;

impl Rows {
    /// Reads the tree below this root; `None` when it is no root (any more).
    pub(super) fn read(conn: &mut Conn, root: GroupId, now: Timestamp) -> StoreResult<Option<Self>> {
        Ok(Self::read_all(conn, &[root], now)?.remove(&root))
    }

    /// Reads the trees below these roots, with as many queries as one takes; those that are no roots (any more) are left out.
    pub(super) fn read_all(conn: &mut Conn, roots: &[GroupId], now: Timestamp) -> StoreResult<BTreeMap<GroupId, Self>> {
        let tops = Top::read_all(conn, roots, now)?;
        let root_of: BTreeMap<GroupId, GroupId> =
            tops.iter().flat_map(|(root, top)| top.groups.iter().map(|group| (group.id, *root))).collect();
        let ids: Vec<GroupId> = root_of.keys().copied().collect();
        let mut trees: BTreeMap<GroupId, Self> =
            tops.into_iter().map(|(root, top)| (root, Self::without_stations(top, now))).collect();
        let mut stations = BTreeMap::new();
        for station in groups::stations_of(conn, &ids)? {
            let root = root_of.get(&station.group_id);
            if let Some((root, tree)) = root.and_then(|root| Some((*root, trees.get_mut(root)?))) {
                stations.insert(station.chargestation_id, root);
                tree.stations.push(station);
            }
        }
        for member in groups::members_of(conn, &ids)? {
            if let Some(tree) = root_of.get(&member.group_id).and_then(|root| trees.get_mut(root)) {
                tree.members.push(member);
            }
        }
        Self::read_stations(conn, &mut trees, &stations, now)?;
        Ok(trees)
    }

    fn without_stations(top: Top, now: Timestamp) -> Self {
        Self {
            read_at: now,
            top,
            stations: Vec::new(),
            members: Vec::new(),
            connectors: BTreeMap::new(),
            sessions: BTreeMap::new(),
            ended: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            unheard: BTreeSet::new(),
            clocks: BTreeMap::new(),
            external_limits: BTreeMap::new(),
        }
    }

    /// The same tree now, where only these stations changed; everything is read again where groups came or went.
    pub(super) fn refresh(
        mut self,
        conn: &mut Conn,
        root: GroupId,
        changed: &BTreeSet<StationId>,
        now: Timestamp,
    ) -> StoreResult<Option<Self>> {
        let Some(top) = Top::read_all(conn, &[root], now)?.remove(&root) else {
            return Ok(None);
        };
        if top.ids() != self.top.ids() {
            return Self::read(conn, root, now);
        }
        self.top = top;
        let stations: BTreeMap<StationId, GroupId> =
            self.station_ids().filter(|station| changed.contains(station)).map(|station| (station, root)).collect();
        for station in stations.keys() {
            self.forget(*station);
        }
        let mut trees = BTreeMap::from([(root, self)]);
        Self::read_stations(conn, &mut trees, &stations, now)?;
        Ok(trees.remove(&root))
    }

    /// The same tree now, where nothing happened but that these stations reported readings: of the stores only their sessions are
    /// another. Where a session begins or ends in the same moment, the whole station is read.
    ///
    /// What no signal reports is seen by the look at everything, a tick after the last one at most ([`super::look`]), as
    /// it is where no station reports readings.
    pub(super) fn refresh_sessions(
        mut self,
        conn: &mut Conn,
        root: GroupId,
        metered: &BTreeSet<StationId>,
        now: Timestamp,
    ) -> StoreResult<Option<Self>> {
        let theirs = |station: &StationId| self.connectors.range((*station, i32::MIN)..=(*station, i32::MAX));
        let connectors: Vec<ConnectorId> = metered.iter().flat_map(theirs).map(|(_, connector)| connector.id).collect();
        let sessions = started_sessions(conn, &connectors)?;
        let id = |session: Option<&Session>| session.map(|session| session.id);
        let goes_on = |connector: &ConnectorId| id(sessions.get(connector)) == id(self.sessions.get(connector));
        if !connectors.iter().all(goes_on) {
            return self.refresh(conn, root, metered, now);
        }
        self.sessions.extend(sessions);
        self.top.priorities.retain(|_, until| *until > now);
        Ok(Some(self))
    }

    fn station_ids(&self) -> impl Iterator<Item = StationId> {
        self.stations.iter().map(|station| station.chargestation_id)
    }

    /// Forgets what was read of a station.
    fn forget(&mut self, station: StationId) {
        self.unheard.remove(&station);
        self.clocks.remove(&station);
        self.external_limits.remove(&station);
        let theirs = self.connectors.range((station, i32::MIN)..=(station, i32::MAX));
        let theirs: Vec<(i32, ConnectorId)> = theirs.map(|((_, number), connector)| (*number, connector.id)).collect();
        for (number, connector) in theirs {
            self.connectors.remove(&(station, number));
            self.sessions.remove(&connector);
            self.ended.remove(&connector);
            self.scheduled.remove(&connector);
        }
    }

    /// Puts what the stores have of these stations into the trees of their roots.
    fn read_stations(
        conn: &mut Conn,
        trees: &mut BTreeMap<GroupId, Self>,
        stations: &BTreeMap<StationId, GroupId>,
        now: Timestamp,
    ) -> StoreResult<()> {
        let ids: Vec<StationId> = stations.keys().copied().collect();
        for ids in ids.chunks(AT_ONCE) {
            let place_of = |station: StationId| {
                let location = &trees.get(stations.get(&station)?)?.top.location;
                Some((location.time_zone(), location.voltage))
            };
            let read = OfStations::read(conn, ids, place_of, now)?;
            read.hand_out(trees, stations);
        }
        Ok(())
    }
}

impl OfStations {
    fn read(
        conn: &mut Conn,
        stations: &[StationId],
        place_of: impl Fn(StationId) -> Option<(TimeZone, Millivolts)>,
        now: Timestamp,
    ) -> StoreResult<Self> {
        let connectors = stations::connectors_of_stations(conn, stations)?;
        let ids: Vec<ConnectorId> = connectors.iter().map(|connector| connector.id).collect();
        let scheduled = profiles::limits_at(conn, &connectors, place_of, now)?;
        let sessions = started_sessions(conn, &ids)?;
        let mut ended = BTreeMap::new();
        for connector in &connectors {
            if let Some(session) = sessions::to_start_again(conn, connector)? {
                ended.insert(connector.id, session);
            }
        }
        Ok(Self {
            connectors,
            sessions,
            ended,
            scheduled,
            unheard: stations::never_connected(conn, stations)?,
            clocks: stations::clocks_off(conn, stations)?,
            external_limits: stations::external_limits_of(conn, stations)?,
        })
    }

    fn hand_out(mut self, trees: &mut BTreeMap<GroupId, Rows>, roots: &BTreeMap<StationId, GroupId>) {
        for connector in self.connectors {
            let (station, id) = (connector.chargestation_id, connector.id);
            if let Some(tree) = roots.get(&station).and_then(|root| trees.get_mut(root)) {
                tree.sessions.extend(self.sessions.remove_entry(&id));
                tree.ended.extend(self.ended.remove_entry(&id));
                tree.scheduled.extend(self.scheduled.remove_entry(&id));
                tree.connectors.insert((station, connector.number), connector);
            }
        }
        for station in self.unheard {
            if let Some(tree) = roots.get(&station).and_then(|root| trees.get_mut(root)) {
                tree.unheard.insert(station);
            }
        }
        for (station, seconds) in self.clocks {
            if let Some(tree) = roots.get(&station).and_then(|root| trees.get_mut(root)) {
                tree.clocks.insert(station, seconds);
            }
        }
        for limit in self.external_limits {
            if let Some(tree) = roots.get(&limit.chargestation_id).and_then(|root| trees.get_mut(root)) {
                tree.external_limits.entry(limit.chargestation_id).or_default().push(limit);
            }
        }
    }
}

/// The session that runs on each of these connectors.
fn started_sessions(conn: &mut Conn, connectors: &[ConnectorId]) -> StoreResult<BTreeMap<ConnectorId, Session>> {
    let open = sessions::open_on_connectors(conn, connectors)?.into_iter();
    let started = open.filter(|session| session.status == SessionStatus::Started);
    Ok(started.filter_map(|session| Some((session.connector_id?, session))).collect())
}

impl Top {
    fn read_all(conn: &mut Conn, roots: &[GroupId], now: Timestamp) -> StoreResult<BTreeMap<GroupId, Self>> {
        let mut trees = groups::trees_of(conn, roots)?;
        trees.retain(|_, groups| groups.first().is_some_and(|top| top.parent_id.is_none()));
        let every = || trees.values().flatten();
        let ids: Vec<GroupId> = every().map(|group| group.id).collect();
        let tops = trees.values().filter_map(|groups| groups.first());
        let locations: BTreeSet<LocationId> = tops.map(|top| top.location_id).collect();
        let locations = locations::find_many(conn, &locations.into_iter().collect::<Vec<_>>())?;
        let homes = || every().filter(|group| group.is_home());
        let home_ids: Vec<GroupId> = homes().map(|group| group.id).collect();
        let mut priorities = match home_ids.is_empty() {
            true => BTreeMap::new(),
            false => priority_charges::untils(conn, &home_ids, now)?,
        };
        let mut prices = Prices::of_groups(conn, homes())?;
        let mut assets_of: BTreeMap<GroupId, Vec<Asset>> = BTreeMap::new();
        for asset in assets::assets_of_groups(conn, &ids)? {
            if let Some(group) = asset.group_id {
                assets_of.entry(group).or_default().push(asset);
            }
        }
        let mut found = BTreeMap::new();
        for (root, groups) in trees {
            let top = groups.first();
            let location = top.and_then(|top| locations.get(&top.location_id)).ok_or(StoreError::NotFound)?;
            let ids = || groups.iter().map(|group| group.id);
            let mut assets: Vec<Asset> = ids().filter_map(|id| assets_of.remove(&id)).flatten().collect();
            assets.sort_by_key(|asset| asset.id);
            let top = Self {
                location: location.clone(),
                assets,
                priorities: ids().filter_map(|id| priorities.remove_entry(&id)).collect(),
                prices: ids().filter_map(|id| prices.remove_entry(&id)).collect(),
                groups,
            };
            found.insert(root, top);
        }
        Ok(found)
    }

    fn ids(&self) -> Vec<GroupId> {
        self.groups.iter().map(|group| group.id).collect()
    }
}
