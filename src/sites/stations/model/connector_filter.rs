//! By what lists of connectors are filtered.

use super::condition::ConnectorStatus;
use super::connector::{ConnectorType, PowerType};
use super::origin::CreatedBy;
use super::station::OperationalStatus;
use crate::filters;
use kernel::{EvseId, GroupId, LocationId, RateId, StationId};

filters! {
    /// Filters of connectors.
    pub(crate) struct ConnectorFilter {
        /// Only those of this station.
        pub chargestation: StationId,
        /// Only those of this EVSE.
        pub evse: EvseId,
        /// Only those at this location.
        pub location: LocationId,
        /// Only those of stations in this load-management group or in one below it.
        pub group: GroupId,
        /// Only those that are priced by this rate, or schedule of rates.
        pub rate: RateId,
        /// Only those that may be used.
        pub active: bool,
        /// Only those that were set up so: operator or station.
        #[param(inline)]
        pub created_by: CreatedBy,
        /// Only those that are doing so.
        #[param(inline)]
        pub status: ConnectorStatus,
        /// Only those with this operational status.
        #[param(inline)]
        pub operational_status: OperationalStatus,
        /// Only those of this shape.
        #[param(inline)]
        pub kind as "type": ConnectorType,
        /// Only those with this kind of power.
        #[param(inline)]
        pub power_type: PowerType,
        /// Only those that give at least this many kW.
        #[param(minimum = 0.0)]
        pub minimum_power: f64,
        /// Put the whole charge station in place of its id.
        pub include_chargestation: bool,
    }
}
