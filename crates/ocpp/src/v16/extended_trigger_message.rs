//! ExtendedTriggerMessage (OCPP 1.6 security whitepaper, use cases A02 and N01): TriggerMessage with the messages of the whitepaper.

crate::choice! {
    /// What can be asked for.
    pub enum Trigger {
        BootNotification, LogStatusNotification, FirmwareStatusNotification, Heartbeat, MeterValues,
        SignChargePointCertificate, StatusNotification,
    }
}

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// What to say.
        pub requested_message: Trigger,
        /// About which connector.
        pub connector_id: Option<u32>,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Rejected, NotImplemented }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
