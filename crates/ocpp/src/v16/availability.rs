//! Availability (OCPP 1.6 Core profile, §4.9 and §5.2): what connectors do, and whether they are in service.

use crate::text::Label;
use crate::wire::Due;
use kernel::Timestamp;

crate::choice! {
    /// What a connector is doing (§7.7).
    pub open enum ChargePointStatus {
        Available, Preparing, Charging, SuspendedEvse = "SuspendedEVSE", SuspendedEv = "SuspendedEV", Finishing, Reserved,
        Unavailable, Faulted,
    }
}

crate::choice! {
    /// What is wrong with a connector (§7.6).
    pub open enum ChargePointErrorCode {
        ConnectorLockFailure, EvCommunicationError = "EVCommunicationError", GroundFailure, HighTemperature, InternalError,
        LocalListConflict, NoError, OtherError, OverCurrentFailure, PowerMeterFailure, PowerSwitchFailure, ReaderFailure,
        ResetFailure, UnderVoltage, OverVoltage, WeakSignal,
    }
}

crate::choice! {
    /// In or out of service (§7.4).
    pub enum AvailabilityType { Inoperative, Operative }
}

crate::choice! {
    /// What became of a change of availability (§7.3).
    pub open enum AvailabilityStatus { Accepted, Rejected, Scheduled }
}

crate::exchange! {
    /// StatusNotification (§4.9): a connector, or with number 0 the station, changed its state.
    status_notification
    asks {
        /// The connector, or 0 for the whole station.
        connector_id: u32,
        /// What is wrong with it.
        error_code: Due<ChargePointErrorCode>,
        /// More about it, in words.
        info: Option<Label<50>>,
        /// What it is doing.
        status: ChargePointStatus,
        /// When the state changed; the time of receipt counts when absent.
        timestamp: Option<Timestamp>,
        /// Whose error code it is.
        vendor_id: Option<Label<255>>,
        /// The vendor's own error code.
        vendor_error_code: Option<Label<50>>,
    }
    answers {}
}

crate::exchange! {
    /// ChangeAvailability (§5.2): take a connector, or with number 0 the station, in or out of service.
    ///
    /// `Scheduled` means after the running transaction.
    change_availability
    asks {
        /// The connector, or 0 for the whole station.
        connector_id: u32,
        /// In or out of service.
        r#type: AvailabilityType,
    }
    answers {
        /// What became of it.
        status: AvailabilityStatus,
    }
}
