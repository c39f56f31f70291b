//! Where a station has its connectors: by number over the whole station, or by EVSE and number within it.

use diesel::prelude::*;

use crate::each;
use crate::store::changes::Changes;
use crate::store::schema::{connectors, evses};
use crate::store::{Conn, StoreResult};
use kernel::{ConnectorId, StationId};

/// One connector and its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlet {
    /// Which connector.
    pub connector: ConnectorId,
    /// Its number at the station.
    pub number: i32,
    /// The number of its EVSE.
    pub evse: i32,
    /// Its number within that, from 1 in the order of the numbers at the station.
    pub within: i32,
}

/// The connectors of a station, in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout(Vec<Outlet>);

impl Layout {
    /// The layout with these connectors, each with its number at the station and that of its EVSE, in this order.
    pub fn new(rows: impl IntoIterator<Item = (ConnectorId, i32, i32)>) -> Self {
        let mut outlets: Vec<Outlet> = Vec::new();
        for (connector, number, evse) in rows {
            let before = outlets.iter().filter(|one| one.evse == evse).count();
            outlets.push(Outlet { connector, number, evse, within: i32::try_from(before).unwrap_or(i32::MAX - 1) + 1 });
        }
        Self(outlets)
    }

    /// All of them.
    pub fn outlets(&self) -> &[Outlet] {
        &self.0
    }

    /// The connector of a station that has one only.
    pub fn only(&self) -> Option<Outlet> {
        match self.0.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The connector with this number at the station.
    pub fn of_number(&self, number: u32) -> Option<ConnectorId> {
        let same = |one: &&Outlet| u32::try_from(one.number) == Ok(number);
        self.0.iter().find(same).map(|one| one.connector)
    }

    /// The connector of an EVSE: the one with this number within it, or its first.
    pub fn of_evse(&self, evse: u32, within: Option<u32>) -> Option<ConnectorId> {
        let same = |one: &&Outlet| {
            u32::try_from(one.evse) == Ok(evse) && within.is_none_or(|wanted| u32::try_from(one.within) == Ok(wanted))
        };
        self.0.iter().find(same).map(|one| one.connector)
    }

    /// The connectors of an EVSE.
    pub fn all_of_evse(&self, evse: u32) -> Vec<ConnectorId> {
        let same = |one: &&Outlet| u32::try_from(one.evse) == Ok(evse);
        self.0.iter().filter(same).map(|one| one.connector).collect()
    }

    /// Where the connector with this number is.
    pub fn outlet(&self, number: i32) -> Option<Outlet> {
        self.0.iter().find(|one| one.number == number).copied()
    }

    /// Whether an EVSE has several connectors.
    pub fn is_shared(&self, evse: i32) -> bool {
        self.0.iter().filter(|one| one.evse == evse).count() > 1
    }
}

/// When layouts of stations change.
static CHANGES: Changes = Changes::new();

/// How often the layout of a station changed in this process; to be asked before it is read.
pub fn layout_changes(station: StationId) -> u64 {
    CHANGES.of(station.raw())
}

/// The layout of a station changes.
pub(super) fn note_change(station: StationId) {
    CHANGES.note(station.raw());
}

/// Where a station has its connectors.
pub fn layout(conn: &mut Conn, station: StationId) -> StoreResult<Layout> {
    let rows: Vec<(ConnectorId, i32, i32)> = each!(conn, |conn| connectors::table
        .inner_join(evses::table.on(evses::id.eq(connectors::evse_id)))
        .filter(connectors::chargestation_id.eq(station))
        .order(connectors::number)
        .select((connectors::id, connectors::number, evses::number))
        .load(conn))?;
    Ok(Layout::new(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{CountingIds, Timestamp};

    #[test]
    fn connectors_are_counted_within_their_evse() {
        let ids = CountingIds::default();
        let id = || ConnectorId::new(&ids, Timestamp::default());
        let (left, right, other) = (id(), id(), id());
        let layout = Layout::new([(left, 1, 1), (other, 2, 7), (right, 3, 1)]);
        assert_eq!(layout.of_number(3), Some(right));
        assert_eq!(layout.of_evse(1, Some(2)), Some(right));
        assert_eq!(layout.of_evse(1, None), Some(left));
        assert_eq!(layout.of_evse(7, None), Some(other));
        assert_eq!(layout.of_evse(7, Some(2)), None);
        assert_eq!(layout.outlet(3).map(|one| (one.evse, one.within)), Some((1, 2)));
        assert!(layout.is_shared(1) && !layout.is_shared(7));
    }
}
