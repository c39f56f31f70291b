//! FirmwareStatusNotification (OCPP 1.6 §4.5): how far an update of the firmware is.

crate::choice! {
    /// The states of an update.
    pub open enum Status { Downloaded, DownloadFailed, Downloading, Idle, InstallationFailed, Installing, Installed }
}

crate::message! {
    /// How far it is.
    pub struct Request {
        /// How far it is.
        pub status: Status,
    }
}

crate::message! {
    /// Nothing to add.
    pub struct Response {}
}
