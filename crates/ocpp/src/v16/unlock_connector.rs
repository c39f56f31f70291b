//! UnlockConnector (OCPP 1.6 §5.18): let go of a stuck cable.

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The connector, counted from 1.
        pub connector_id: u32,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Unlocked, UnlockFailed, NotSupported }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
