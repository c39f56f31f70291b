//! Reset (OCPP 1.6 §5.14): start again.

use super::common::Acceptance;

crate::choice! {
    /// How.
    pub enum Kind { Hard, Soft }
}

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// `Soft` stops transactions properly first.
        pub r#type: Kind,
    }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// Whether it will.
        pub status: Acceptance,
    }
}
