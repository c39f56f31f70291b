//! StartTransaction (OCPP 1.6 §4.8): charging began; the answer gives the transaction its number. Never answered with an
//! error because of one field, or what was charged is lost.

use kernel::Timestamp;

use super::common::{IdTag, IdTagInfo};
use crate::wire::Due;

crate::message! {
    /// Charging began.
    pub struct Request {
        /// The connector, counted from 1.
        pub connector_id: Due<u32>,
        /// The card; empty at stations that charge for free.
        pub id_tag: Due<IdTag>,
        /// The energy register at the start, in Wh.
        pub meter_start: Due<i64>,
        /// The reservation that it ends.
        pub reservation_id: Option<i64>,
        /// When it began, by the clock of the station.
        pub timestamp: Due<Timestamp>,
    }
}

crate::message! {
    /// The number of the transaction, and whether the card may charge at all.
    pub struct Response {
        /// Whether the card may charge.
        pub id_tag_info: IdTagInfo,
        /// The number all later messages carry.
        pub transaction_id: i64,
    }
}
