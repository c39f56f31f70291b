//! Remote control (functional block F).

use super::charging_profile::*;
use super::common::*;
use crate::text::Exact;

crate::choice! {
    pub open enum RequestStartStopStatus { Accepted, Rejected }
}

crate::choice! {
    pub enum MessageTrigger {
        BootNotification, LogStatusNotification, FirmwareStatusNotification, Heartbeat, MeterValues,
        SignChargingStationCertificate, SignV2GCertificate, SignV2G20Certificate [V21], StatusNotification,
        TransactionEvent, SignCombinedCertificate, PublishFirmwareStatusNotification, CustomTrigger [V21],
    }
}

crate::choice! {
    pub open enum TriggerMessageStatus { Accepted, Rejected, NotImplemented }
}

crate::choice! {
    pub open enum UnlockStatus { Unlocked, UnlockFailed, OngoingAuthorizedTransaction, UnknownConnector }
}

crate::exchange! {
    /// Start charging (F01, F02).
    request_start_transaction
    asks {
        evse_id: Option<u32>,
        group_id_token: Option<IdToken>,
        id_token: IdToken,
        remote_start_id: i64,
        charging_profile: Option<ChargingProfile>,
    }
    answers {
        status: RequestStartStopStatus,
        status_info: Option<StatusInfo>,
        transaction_id: Option<Exact<36>>,
    }
}

crate::exchange! {
    /// Stop charging (F03).
    request_stop_transaction
    asks { transaction_id: Exact<36> }
    answers { status: RequestStartStopStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Send a message now (F06).
    trigger_message
    asks {
        evse: Option<Evse>,
        requested_message: MessageTrigger,
        custom_trigger: Option<Exact<50>> [V21],
    }
    answers { status: TriggerMessageStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Let go of a plug (F05).
    unlock_connector
    asks { evse_id: u32, connector_id: u32 }
    answers { status: UnlockStatus, status_info: Option<StatusInfo> }
}
