//! TriggerMessage (OCPP 1.6 §5.17): say that again, now.

crate::choice! {
    /// What can be asked for.
    pub enum Trigger {
        BootNotification, DiagnosticsStatusNotification, FirmwareStatusNotification, Heartbeat, MeterValues,
        StatusNotification,
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
