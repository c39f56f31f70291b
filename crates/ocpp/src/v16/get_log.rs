//! GetLog (OCPP 1.6 security whitepaper, use case N01): upload a log.

use kernel::Timestamp;

use crate::text::{Exact, Label};

crate::choice! {
    /// Which log.
    pub enum LogKind { Diagnostics = "DiagnosticsLog", Security = "SecurityLog" }
}

crate::message! {
    /// Which part of the log, and where to.
    pub struct LogOrder {
        /// The URL to upload to.
        pub remote_location: Exact<512>,
        /// Nothing older than this.
        pub oldest_timestamp: Option<Timestamp>,
        /// Nothing younger than this.
        pub latest_timestamp: Option<Timestamp>,
    }
}

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// Which part of it, and where to.
        pub log: LogOrder,
        /// Which log.
        pub log_type: LogKind,
        /// Our number, repeated in every LogStatusNotification.
        pub request_id: i64,
        /// How often to try.
        pub retries: Option<u32>,
        /// Seconds between two tries.
        pub retry_interval: Option<u32>,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Rejected, AcceptedCanceled }
}

crate::message! {
    /// What will be uploaded.
    pub struct Response {
        /// What became of it; `AcceptedCanceled` gives up an upload that was running.
        pub status: Status,
        /// The name of the file.
        pub filename: Option<Label<255>>,
    }
}
