//! UpdateFirmware (OCPP 1.6 §5.19): fetch and install a firmware.

use kernel::Timestamp;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The URL of the firmware.
        pub location: String,
        /// How often to try.
        pub retries: Option<u32>,
        /// When to fetch it.
        pub retrieve_date: Timestamp,
        /// Seconds between two tries.
        pub retry_interval: Option<u32>,
    }
}

crate::message! {
    /// Nothing to add; FirmwareStatusNotification tells the rest.
    pub struct Response {}
}
