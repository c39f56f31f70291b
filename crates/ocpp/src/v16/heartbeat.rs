//! Heartbeat (OCPP 1.6 §4.6): a station says it is alive and asks for the time.

use kernel::Timestamp;

crate::message! {
    /// Nothing but the sign of life.
    pub struct Request {}
}

crate::message! {
    /// What time it is.
    pub struct Response {
        /// Our time, which the station adopts.
        pub current_time: Timestamp,
    }
}
