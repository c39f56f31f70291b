//! MeterValues (OCPP 1.6 §4.7): what the meter of a connector shows, during a transaction or without one.

use super::meter::MeterValue;

crate::message! {
    /// What the meter showed, at one or several instants.
    pub struct Request {
        /// The connector, or 0 for the main meter of the station.
        pub connector_id: u32,
        /// The transaction; 0 or absent in spite of a running one from some stations.
        pub transaction_id: Option<i64>,
        /// One item an instant.
        pub meter_value: Vec<MeterValue>,
    }
}

crate::message! {
    /// Nothing to add.
    pub struct Response {}
}
