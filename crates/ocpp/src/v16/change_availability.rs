//! ChangeAvailability (OCPP 1.6 §5.2): take a connector, or with number 0 the station, in or out of service.

crate::choice! {
    /// In or out of service.
    pub enum Availability { Inoperative, Operative }
}

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The connector, or 0 for the whole station.
        pub connector_id: u32,
        /// In or out of service.
        pub r#type: Availability,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Rejected, Scheduled }
}

crate::message! {
    /// The station's answer; `Scheduled` means after the running transaction.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
