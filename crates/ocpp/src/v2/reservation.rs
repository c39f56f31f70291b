//! Reservation (functional block H).

use super::common::*;
use kernel::Timestamp;

crate::choice! {
    pub open enum CancelReservationStatus { Accepted, Rejected }
}

crate::choice! {
    pub open enum ReservationUpdateStatus { Expired, Removed, NoTransaction [V21] }
}

crate::choice! {
    pub open enum ReserveNowStatus { Accepted, Faulted, Occupied, Rejected, Unavailable }
}

crate::choice! {
    pub free enum ConnectorKind {
        CCCS1 = "cCCS1", CCCS2 = "cCCS2", CG105 = "cG105", CTesla = "cTesla", CType1 = "cType1", CType2 = "cType2",
        S3091P16a = "s309-1P-16A", S3091P32a = "s309-1P-32A", S3093P16a = "s309-3P-16A", S3093P32a = "s309-3P-32A",
        SBS1361 = "sBS1361", SCEE77 = "sCEE-7-7", SType2 = "sType2", SType3 = "sType3", Other1PhMax16A,
        Other1PhOver16A, Other3Ph, Pan, WInductive = "wInductive", WResonant = "wResonant", Undetermined,
        NotKnown = "Unknown",
    }
}

crate::exchange! {
    /// Keep an EVSE no longer (H02).
    cancel_reservation
    asks { reservation_id: u32 }
    answers { status: CancelReservationStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// A reservation is over (H04).
    reservation_status_update
    asks { reservation_id: u32, reservation_update_status: ReservationUpdateStatus }
    answers {}
}

crate::exchange! {
    /// Keep an EVSE for a token (H01).
    reserve_now
    asks {
        id: u32,
        expiry_date_time: Timestamp,
        connector_type: Option<ConnectorKind>,
        id_token: IdToken,
        evse_id: Option<u32>,
        group_id_token: Option<IdToken>,
    }
    answers { status: ReserveNowStatus, status_info: Option<StatusInfo> }
}
