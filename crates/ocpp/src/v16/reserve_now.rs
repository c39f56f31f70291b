//! ReserveNow (OCPP 1.6 §5.13): keep a connector for a card.

use kernel::Timestamp;

use super::common::IdTag;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The connector, or 0 for any.
        pub connector_id: u32,
        /// Until when.
        pub expiry_date: Timestamp,
        /// The card it is kept for.
        pub id_tag: IdTag,
        /// The group of cards it is kept for, too.
        pub parent_id_tag: Option<IdTag>,
        /// Our number; the same number again replaces the reservation.
        pub reservation_id: i64,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Faulted, Occupied, Rejected, Unavailable }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
