//! Transactions (OCPP 1.6 Core profile, §4.8 and §4.10): a car begins and ends to charge.

use super::common::*;
use super::meter::MeterValue;
use crate::wire::{Due, PresentedCard};
use kernel::Timestamp;

crate::choice! {
    /// Why charging ended; absent means `Local` (§7.36).
    pub open enum Reason {
        EmergencyStop, EvDisconnected = "EVDisconnected", HardReset, Local, Other, PowerLoss, Reboot, Remote, SoftReset,
        UnlockCommand, DeAuthorized,
    }
}

crate::exchange! {
    /// StartTransaction (§4.8): charging began; the answer gives the transaction its number. Never answered with an
    /// error because of one field, or what was charged is lost.
    start_transaction
    asks {
        /// The connector, counted from 1.
        connector_id: Due<u32>,
        /// The card; empty at stations that charge for free.
        id_tag: Due<IdTag>,
        /// The energy register at the start, in Wh.
        meter_start: Due<i64>,
        /// The reservation that it ends.
        reservation_id: Option<i64>,
        /// When it began, by the clock of the station.
        timestamp: Due<Timestamp>,
    }
    answers {
        /// Whether the card may charge.
        id_tag_info: IdTagInfo,
        /// The number all later messages carry.
        transaction_id: i64,
    }
}

crate::exchange! {
    /// StopTransaction (§4.10): charging ended. Never answered with an error, or the station repeats it for ever.
    stop_transaction
    asks {
        /// The card that ended it.
        id_tag: PresentedCard<IdTag>,
        /// The energy register at the end, in Wh.
        meter_stop: Due<i64, true>,
        /// When it ended, by the clock of the station.
        timestamp: Due<Timestamp, true>,
        /// The number we gave; 0, -1 or one of the station's own where it started without us.
        transaction_id: Due<i64, true>,
        /// Why it ended.
        reason: Option<Reason>,
        /// Readings of the transaction, as far as they were configured.
        transaction_data: Option<Vec<MeterValue>>,
    }
    answers {
        /// Whether it may charge again.
        id_tag_info: Option<IdTagInfo>,
    }
}
