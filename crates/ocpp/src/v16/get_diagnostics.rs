//! GetDiagnostics (OCPP 1.6 §5.9): upload your diagnostics.

use kernel::Timestamp;

use crate::text::Label;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The URL of the directory to upload to.
        pub location: String,
        /// How often to try.
        pub retries: Option<u32>,
        /// Seconds between two tries.
        pub retry_interval: Option<u32>,
        /// Nothing older than this.
        pub start_time: Option<Timestamp>,
        /// Nothing younger than this.
        pub stop_time: Option<Timestamp>,
    }
}

crate::message! {
    /// What will be uploaded.
    pub struct Response {
        /// The name of the file; absent when there is nothing to upload.
        pub file_name: Option<Label<255>>,
    }
}
