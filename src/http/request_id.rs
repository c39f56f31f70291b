//! The id of the request that is being served, for its answer and for the log.

tokio::task_local! {
    pub(super) static REQUEST_ID: String;
}

/// The id of the request that is being served; empty outside one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}
