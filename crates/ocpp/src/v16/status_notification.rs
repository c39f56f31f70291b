//! StatusNotification (OCPP 1.6 §4.9): a connector, or with number 0 the station, changed its state.

use kernel::Timestamp;

use crate::text::Label;
use crate::wire::Due;

crate::choice! {
    /// What a connector is doing.
    pub open enum Status {
        Available, Preparing, Charging, SuspendedEvse = "SuspendedEVSE", SuspendedEv = "SuspendedEV", Finishing, Reserved,
        Unavailable, Faulted,
    }
}

crate::choice! {
    /// What is wrong with it.
    pub open enum Trouble {
        ConnectorLockFailure, EvCommunicationError = "EVCommunicationError", GroundFailure, HighTemperature, InternalError,
        LocalListConflict, NoError, OtherError, OverCurrentFailure, PowerMeterFailure, PowerSwitchFailure, ReaderFailure,
        ResetFailure, UnderVoltage, OverVoltage, WeakSignal,
    }
}

crate::message! {
    /// The new state.
    pub struct Request {
        /// The connector, or 0 for the whole station.
        pub connector_id: u32,
        /// What is wrong with it.
        pub error_code: Due<Trouble>,
        /// More about it, in words.
        pub info: Option<Label<50>>,
        /// What it is doing.
        pub status: Status,
        /// When the state changed; the time of receipt counts when absent.
        pub timestamp: Option<Timestamp>,
        /// Whose error code it is.
        pub vendor_id: Option<Label<255>>,
        /// The vendor's own error code.
        pub vendor_error_code: Option<Label<50>>,
    }
}

crate::message! {
    /// Nothing to add.
    pub struct Response {}
}
