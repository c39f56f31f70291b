//! RemoteStopTransaction (OCPP 1.6 §5.12): stop charging.

use super::common::Acceptance;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The number of the transaction.
        pub transaction_id: i64,
    }
}

crate::message! {
    /// The station's answer; StopTransaction is the outcome.
    pub struct Response {
        /// Whether it will.
        pub status: Acceptance,
    }
}
