//! Availability (functional block G).

use super::common::*;
use kernel::Timestamp;

crate::choice! {
    pub enum OperationalStatus { Inoperative, Operative }
}

crate::choice! {
    pub open enum ChangeAvailabilityStatus { Accepted, Rejected, Scheduled }
}

crate::choice! {
    pub open enum ConnectorStatus { Available, Occupied, Reserved, Unavailable, Faulted }
}

crate::exchange! {
    /// Put a station, an EVSE or a connector into or out of use (G03, G04).
    change_availability
    asks { evse: Option<Evse>, operational_status: OperationalStatus }
    answers { status: ChangeAvailabilityStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// How a connector is doing (G01).
    status_notification
    asks {
        timestamp: Timestamp,
        connector_status: ConnectorStatus,
        evse_id: u32,
        connector_id: u32,
    }
    answers {}
}
