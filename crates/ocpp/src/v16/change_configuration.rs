//! ChangeConfiguration (OCPP 1.6 §5.3): set one configuration key.

use crate::text::Exact;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// Which key.
        pub key: Exact<50>,
        /// Its new value, always as text.
        pub value: Exact<500>,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Rejected, RebootRequired, NotSupported }
}

crate::message! {
    /// The station's answer; `Accepted` does not prove an effect, so read it back.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
