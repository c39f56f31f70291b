//! Connectors that a station reports and nobody set up. Where the operator allows it they are created, like the largest
//! connector that the station has, because nothing that a station says shows what hardware it is.

use super::model::connector::{Connector, ConnectorFormat, ConnectorType, ConnectorView, NewConnector, PowerType};
use super::model::number::HIGHEST;
use super::model::origin::CreatedBy;
use super::model::station::Station;
use super::store::connectors::{self as store, connectors_of_station};
use super::store::evses;
use super::store::layout::{Layout, layout};
use super::store::policies::unknown_connectors;
use super::store::stations::find_station;
use crate::events::{Change, EventKind};
use crate::http::ApiResult;
use crate::http::quantities::RatedKilowatts;
use crate::people::organizations::UnknownConnectors;
use crate::store::Conn;
use kernel::*;

/// Connectors of one station that are created by what it says: more than any station has, so that none fills the store.
const MOST_REPORTED: usize = 32;
/// What a connector can draw of a station of which nothing is known: a socket for 32 A on three phases.
const USUAL_POWER: Watts = Watts(22_080);

/// Where a station says that something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// At the connector of this number.
    Number(u32),
    /// At an EVSE of this number: at the connector of this number within it, or its first.
    Evse(u32, Option<u32>),
}

impl Spot {
    /// Which connector is there.
    pub fn find(self, layout: &Layout) -> Option<ConnectorId> {
        match self {
            Self::Number(number) => layout.of_number(number),
            Self::Evse(evse, within) => layout.of_evse(evse, within),
        }
    }

    /// The number by which connectors are known that are not set up: that of the EVSE, where there is one.
    pub const fn number(self) -> u32 {
        match self {
            Self::Number(number) | Self::Evse(number, _) => number,
        }
    }

    /// The connectors that are missing up to there, each with its number at the station and that of its EVSE; none where so
    /// many cannot be. Connectors are counted within their EVSE, so those before it are there too.
    fn missing(self, layout: &Layout) -> Vec<(i32, i32)> {
        let number = i32::try_from(self.number()).unwrap_or(i32::MAX);
        if !(1..=HIGHEST).contains(&number) {
            return Vec::new();
        }
        let Self::Evse(_, within) = self else {
            let is_there = self.find(layout).is_some();
            return if is_there { Vec::new() } else { vec![(number, number)] };
        };
        let outlets = layout.outlets();
        let known = outlets.iter().filter(|one| one.evse == number).count();
        let wanted = within.map_or(1, |within| usize::try_from(within).unwrap_or(usize::MAX));
        let count = wanted.saturating_sub(known);
        if count > MOST_REPORTED {
            return Vec::new();
        }
        let highest = outlets.iter().map(|one| one.number).max().unwrap_or(0);
        let is_free = known == 0 && outlets.iter().all(|one| one.number != number);
        let own = is_free.then_some(number);
        let others = highest.max(own.unwrap_or(0)) + 1..=HIGHEST;
        let numbers = own.into_iter().chain(others).take(count);
        numbers.map(|one| (one, number)).collect()
    }
}

/// Creates what a station reports at a spot, where that is allowed; none where it is there, where it is not allowed, or where
/// as many as may be were created.
pub fn create_reported(
    conn: &mut Conn,
    moment: &Moment,
    (organization, station): (OrganizationId, StationId),
    spot: Spot,
) -> ApiResult<Vec<ConnectorView>> {
    if unknown_connectors(conn, station)? != UnknownConnectors::Create {
        return Ok(Vec::new());
    }
    let missing = spot.missing(&layout(conn, station)?);
    let known = connectors_of_station(conn, station)?;
    let reported = known.iter().filter(|one| one.created_by == CreatedBy::Station).count();
    if missing.is_empty() || reported + missing.len() > MOST_REPORTED {
        return Ok(Vec::new());
    }
    let station = find_station(conn, organization, station)?;
    let mut made = Vec::new();
    for numbers in missing {
        made.push(create(conn, moment, &station, &known, numbers)?);
    }
    Ok(made)
}

fn create(
    conn: &mut Conn,
    moment: &Moment,
    station: &Station,
    known: &[Connector],
    (number, evse): (i32, i32),
) -> ApiResult<ConnectorView> {
    let largest = known.iter().max_by_key(|one| one.power);
    let kind = largest.map_or(PowerType::AcThreePhase, |like| like.power_type);
    let evse = evses::find_or_insert(conn, station, evse, kind.into(), moment)?;
    let mut connector = Connector::new(usual(), station.organization_id, station.id, evse, number, moment);
    connector.created_by = CreatedBy::Station;
    if let Some(like) = largest {
        connector.take_hardware_of(like);
    }
    connector.rate = common_rate(known);
    store::insert(conn, &connector)?;
    let view = store::view_of(conn, connector)?;
    Change::new(conn, station.organization_id, moment).record_at(station.id, EventKind::ConnectorCreated, &view)?;
    Ok(view)
}

/// What costs the same at every connector of a station costs it at a further one too.
fn common_rate(known: &[Connector]) -> Option<RateId> {
    let rate = known.first()?.rate;
    rate.filter(|_| known.iter().all(|one| one.rate == rate))
}

/// A connector of a station of which nothing is known.
fn usual() -> NewConnector {
    NewConnector {
        kind: Some(ConnectorType::Type2),
        format: Some(ConnectorFormat::Socket),
        power_type: Some(PowerType::AcThreePhase),
        ..NewConnector::only(RatedKilowatts(USUAL_POWER))
    }
}

impl Connector {
    /// The plug and the limits of another one; to which phases of the grid it is wired is another matter.
    fn take_hardware_of(&mut self, like: &Self) {
        self.kind = like.kind;
        self.format = like.format;
        self.power_type = like.power_type;
        self.power = like.power;
        self.voltage_limit = like.voltage_limit;
        self.amperage_limit = like.amperage_limit;
        self.wattage_limit = like.wattage_limit;
        self.power_factor = like.power_factor;
        self.phases = like.phases;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(outlets: &[(i32, i32)]) -> Layout {
        let ids = CountingIds::default();
        let rows = outlets.iter().map(|(number, evse)| {
            let id = ConnectorId::new(&ids, Timestamp::default());
            (id, *number, *evse)
        });
        Layout::new(rows)
    }

    #[test]
    fn a_number_is_taken_as_it_is_reported() {
        let layout = with(&[(1, 1), (3, 3)]);
        assert_eq!(Spot::Number(2).missing(&layout), [(2, 2)]);
        assert_eq!(Spot::Number(3).missing(&layout), []);
        assert_eq!(Spot::Number(0).missing(&layout), []);
        assert_eq!(Spot::Number(9_999).missing(&layout), [(9_999, 9_999)]);
        assert_eq!(Spot::Number(10_000).missing(&layout), []);
        assert_eq!(Spot::Number(u32::MAX).missing(&layout), []);
    }

    #[test]
    fn a_connector_of_an_evse_has_the_number_of_the_evse_or_the_next_one() {
        let layout = with(&[(1, 1), (2, 5)]);
        assert_eq!(Spot::Evse(3, Some(1)).missing(&layout), [(3, 3)]);
        assert_eq!(Spot::Evse(2, None).missing(&layout), [(3, 2)], "2 is taken");
        assert_eq!(Spot::Evse(1, Some(1)).missing(&layout), []);
        assert_eq!(Spot::Evse(1, Some(2)).missing(&layout), [(3, 1)]);
        let all = [(3, 3), (4, 3), (5, 3)];
        assert_eq!(Spot::Evse(3, Some(3)).missing(&layout), all);
        assert_eq!(Spot::Evse(0, Some(1)).missing(&layout), []);
        assert_eq!(Spot::Evse(3, Some(1_000_000)).missing(&layout), []);
    }
}
