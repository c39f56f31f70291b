//! SecurityEventNotification (OCPP 1.6 security whitepaper, use case A04): something suspicious happened.

use kernel::Timestamp;

use crate::text::Label;

crate::message! {
    /// What happened.
    pub struct Request {
        /// The kind of event, such as `InvalidMessages`; vendors have their own.
        pub r#type: Label<50>,
        /// When it happened.
        pub timestamp: Timestamp,
        /// What a technician should know.
        pub tech_info: Option<Label<255>>,
    }
}

crate::message! {
    /// Nothing to add.
    pub struct Response {}
}
