//! DiagnosticsStatusNotification (OCPP 1.6 §4.4): how far the upload of diagnostics is.

crate::choice! {
    /// The states of an upload.
    pub open enum Status { Idle, Uploaded, UploadFailed, Uploading }
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
