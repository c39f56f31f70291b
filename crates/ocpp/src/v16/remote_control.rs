//! Remote control (OCPP 1.6 Core profile, §5.11, §5.12 and §5.18) and remote trigger (Remote Trigger profile, §5.17).

use super::charging_profile::*;
use super::common::*;

crate::choice! {
    /// What became of the lock (§7.46).
    pub open enum UnlockStatus { Unlocked, UnlockFailed, NotSupported }
}

crate::choice! {
    /// What a station can be asked to say (§7.32).
    pub enum MessageTrigger {
        BootNotification, DiagnosticsStatusNotification, FirmwareStatusNotification, Heartbeat, MeterValues,
        StatusNotification,
    }
}

crate::choice! {
    /// Whether a station will say it (§7.44).
    pub open enum TriggerMessageStatus { Accepted, Rejected, NotImplemented }
}

crate::exchange! {
    /// RemoteStartTransaction (§5.11): begin to charge.
    ///
    /// `Accepted` is a promise to try, StartTransaction is the outcome.
    remote_start_transaction
    asks {
        /// The connector; the station chooses when absent.
        connector_id: Option<u32>,
        /// The card to charge as; real stations overflow above 16 characters.
        id_tag: IdTag,
        /// The limit to begin with, of purpose `TxProfile`.
        charging_profile: Option<ChargingProfile>,
    }
    answers {
        /// Whether it will.
        status: Acceptance,
    }
}

crate::exchange! {
    /// RemoteStopTransaction (§5.12): stop charging.
    ///
    /// `Accepted` is a promise to try, StopTransaction is the outcome.
    remote_stop_transaction
    asks {
        /// The number of the transaction.
        transaction_id: i64,
    }
    answers {
        /// Whether it will.
        status: Acceptance,
    }
}

crate::exchange! {
    /// UnlockConnector (§5.18): let go of a stuck cable.
    unlock_connector
    asks {
        /// The connector, counted from 1.
        connector_id: u32,
    }
    answers {
        /// What became of it.
        status: UnlockStatus,
    }
}

crate::exchange! {
    /// TriggerMessage (§5.17): say that again, now.
    trigger_message
    asks {
        /// What to say.
        requested_message: MessageTrigger,
        /// About which connector.
        connector_id: Option<u32>,
    }
    answers {
        /// What became of it.
        status: TriggerMessageStatus,
    }
}
