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
use crate::store::{Conn, StoreResult, error::optional};
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

/// What concerns whole groups: little, and read every time.
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

impl Rows {
    /// Reads the tree below this root; `None` when it is no root (any more).
    pub(super) fn read(conn: &mut Conn, root: GroupId, now: Timestamp) -> StoreResult<Option<Self>> {
        match Top::read(conn, root, now)? {
            Some(top) => Self::below(conn, top, now).map(Some),
            None => Ok(None),
        }
    }

    fn below(conn: &mut Conn, top: Top, now: Timestamp) -> StoreResult<Self> {
        let ids = top.ids();
        let mut rows = Self {
            read_at: now,
            stations: groups::stations_of(conn, &ids)?,
            members: groups::members_of(conn, &ids)?,
            top,
            connectors: BTreeMap::new(),
            sessions: BTreeMap::new(),
            ended: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            unheard: BTreeSet::new(),
            clocks: BTreeMap::new(),
            external_limits: BTreeMap::new(),
        };
        let stations: Vec<StationId> = rows.station_ids().collect();
        rows.read_stations(conn, &stations, now)?;
        Ok(rows)
    }

    /// The same tree now, where only these stations changed; everything is read again where groups came or went.
    pub(super) fn refresh(
        mut self,
        conn: &mut Conn,
        root: GroupId,
        changed: &BTreeSet<StationId>,
        now: Timestamp,
    ) -> StoreResult<Option<Self>> {
        let Some(top) = Top::read(conn, root, now)? else {
            return Ok(None);
        };
        if top.ids() != self.top.ids() {
            return Self::below(conn, top, now).map(Some);
        }
        self.top = top;
        let ours: Vec<StationId> = self.station_ids().filter(|station| changed.contains(station)).collect();
        self.read_stations(conn, &ours, now)?;
        Ok(Some(self))
    }

    fn station_ids(&self) -> impl Iterator<Item = StationId> {
        self.stations.iter().map(|station| station.chargestation_id)
    }

    /// Puts what the stores have of these stations instead of what was read before.
    fn read_stations(&mut self, conn: &mut Conn, stations: &[StationId], now: Timestamp) -> StoreResult<()> {
        if stations.is_empty() {
            return Ok(());
        }
        for station in stations {
            self.unheard.remove(station);
            self.clocks.remove(station);
            self.external_limits.remove(station);
            let theirs = self.connectors.range((*station, i32::MIN)..=(*station, i32::MAX));
            let theirs: Vec<(i32, ConnectorId)> =
                theirs.map(|((_, number), connector)| (*number, connector.id)).collect();
            for (number, connector) in theirs {
                self.connectors.remove(&(*station, number));
                self.sessions.remove(&connector);
                self.ended.remove(&connector);
                self.scheduled.remove(&connector);
            }
        }
        let connectors = stations::connectors_of_stations(conn, stations)?;
        let ids: Vec<ConnectorId> = connectors.iter().map(|connector| connector.id).collect();
        let site = (self.top.location.time_zone(), self.top.location.voltage);
        let scheduled = profiles::limits_at(conn, &connectors, site, now)?;
        let running = sessions::open_on_connectors(conn, &ids)?
            .into_iter()
            .filter(|session| session.status == SessionStatus::Started)
            .filter_map(|session| Some((session.connector_id?, session)));
        self.sessions.extend(running);
        for connector in &connectors {
            if let Some(ended) = sessions::to_start_again(conn, connector)? {
                self.ended.insert(connector.id, ended);
            }
        }
        self.scheduled.extend(scheduled);
        self.unheard.extend(stations::never_connected(conn, stations)?);
        self.clocks.extend(stations::clocks_off(conn, stations)?);
        for limit in stations::external_limits_of(conn, stations)? {
            let of_station = self.external_limits.entry(limit.chargestation_id).or_default();
            of_station.push(limit);
        }
        let inserted =
            connectors.into_iter().map(|connector| ((connector.chargestation_id, connector.number), connector));
        self.connectors.extend(inserted);
        Ok(())
    }
}

impl Top {
    fn read(conn: &mut Conn, root: GroupId, now: Timestamp) -> StoreResult<Option<Self>> {
        let Some(groups) = optional(groups::tree_of(conn, root))? else {
            return Ok(None);
        };
        let Some(top) = groups.first().filter(|top| top.parent_id.is_none()) else {
            return Ok(None);
        };
        let location = locations::find(conn, top.organization_id, top.location_id)?;
        let ids: Vec<GroupId> = groups.iter().map(|group| group.id).collect();
        let homes = || groups.iter().filter(|group| group.is_home());
        let home_ids: Vec<GroupId> = homes().map(|group| group.id).collect();
        let priorities = match home_ids.is_empty() {
            true => BTreeMap::new(),
            false => priority_charges::untils(conn, &home_ids, now)?,
        };
        Ok(Some(Self {
            location,
            assets: assets::assets_of_groups(conn, &ids)?,
            priorities,
            prices: Prices::of_groups(conn, homes())?,
            groups,
        }))
    }

    fn ids(&self) -> Vec<GroupId> {
        self.groups.iter().map(|group| group.id).collect()
    }
}
