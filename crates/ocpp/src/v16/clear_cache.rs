//! ClearCache (OCPP 1.6 §5.4): forget which cards were accepted before.

use super::common::Acceptance;

crate::message! {
    /// No arguments.
    pub struct Request {}
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// Whether it will.
        pub status: Acceptance,
    }
}
