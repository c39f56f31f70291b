//! DataTransfer (OCPP 1.6 §4.3 and §5.6): whatever a vendor thought was missing, in both directions.

use crate::text::Exact;

crate::message! {
    /// Something only this vendor understands.
    pub struct Request {
        /// The vendor whose dialect it is.
        pub vendor_id: Exact<255>,
        /// Which message of that dialect.
        pub message_id: Option<Exact<50>>,
        /// Its content; an object some stations send here instead of a text is kept as JSON text.
        pub data: Option<String>,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Rejected, UnknownMessageId, UnknownVendorId }
}

crate::message! {
    /// The answer in the same dialect.
    pub struct Response {
        /// What became of it.
        pub status: Status,
        /// Whatever the dialect answers.
        pub data: Option<String>,
    }
}
