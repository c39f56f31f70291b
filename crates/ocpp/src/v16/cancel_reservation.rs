//! CancelReservation (OCPP 1.6 §5.1): the connector need not be kept any longer.

use super::common::Acceptance;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The number it was reserved with.
        pub reservation_id: i64,
    }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// Whether it will.
        pub status: Acceptance,
    }
}
