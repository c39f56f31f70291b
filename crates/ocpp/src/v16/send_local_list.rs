//! SendLocalList (OCPP 1.6 §5.15): the cards to accept while we cannot be reached.

use super::common::{IdTag, IdTagInfo};

crate::choice! {
    /// Replace the list, or change the cards in it.
    pub enum Update { Differential, Full }
}

crate::message! {
    /// One card; without what is known of it, a differential update removes it.
    pub struct Card {
        /// The card.
        pub id_tag: IdTag,
        /// Whether it may charge.
        pub id_tag_info: Option<IdTagInfo>,
    }
}

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The version of the list, above 0.
        pub list_version: i64,
        /// The cards.
        pub local_authorization_list: Option<Vec<Card>>,
        /// Whether the list replaces or changes the one the station has.
        pub update_type: Update,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Failed, NotSupported, VersionMismatch }
}

crate::message! {
    /// The station's answer.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
