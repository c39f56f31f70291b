//! SignedFirmwareStatusNotification (OCPP 1.6 security whitepaper, use case L01): how far a signed update is.

crate::choice! {
    /// The states of a signed update.
    pub open enum Status {
        Downloaded, DownloadFailed, Downloading, DownloadScheduled, DownloadPaused, Idle, InstallationFailed, Installing,
        Installed, InstallRebooting, InstallScheduled, InstallVerificationFailed, InvalidSignature, SignatureVerified,
    }
}

crate::message! {
    /// How far it is.
    pub struct Request {
        /// How far it is.
        pub status: Status,
        /// The number of the order it belongs to.
        pub request_id: Option<i64>,
    }
}

crate::message! {
    /// Nothing to add.
    pub struct Response {}
}
