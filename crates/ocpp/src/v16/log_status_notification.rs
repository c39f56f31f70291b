//! LogStatusNotification (OCPP 1.6 security whitepaper, use case N01): how far the upload of a log is.

crate::choice! {
    /// The states of an upload.
    pub open enum Status { BadMessage, Idle, NotSupportedOperation, PermissionDenied, Uploaded, UploadFailure, Uploading }
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
