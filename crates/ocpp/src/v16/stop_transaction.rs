//! StopTransaction (OCPP 1.6 §4.10): charging ended. Never answered with an error, or the station repeats it for ever.

use kernel::Timestamp;

use super::common::{IdTag, IdTagInfo};
use super::meter::MeterValue;
use crate::wire::{Due, Held};

crate::choice! {
    /// Why charging ended; absent means `Local`.
    pub open enum Reason {
        EmergencyStop, EvDisconnected = "EVDisconnected", HardReset, Local, Other, PowerLoss, Reboot, Remote, SoftReset,
        UnlockCommand, DeAuthorized,
    }
}

crate::message! {
    /// Charging ended.
    pub struct Request {
        /// The card that ended it.
        pub id_tag: Held<IdTag>,
        /// The energy register at the end, in Wh.
        pub meter_stop: Due<i64, true>,
        /// When it ended, by the clock of the station.
        pub timestamp: Due<Timestamp, true>,
        /// The number we gave; 0, -1 or one of the station's own where it started without us.
        pub transaction_id: Due<i64, true>,
        /// Why it ended.
        pub reason: Option<Reason>,
        /// Readings of the transaction, as far as they were configured.
        pub transaction_data: Option<Vec<MeterValue>>,
    }
}

crate::message! {
    /// What we know of the card that ended it.
    pub struct Response {
        /// Whether it may charge again.
        pub id_tag_info: Option<IdTagInfo>,
    }
}
