//! Authorize (OCPP 1.6 §4.1): may this card charge?

use super::common::{IdTag, IdTagInfo};

crate::message! {
    /// Somebody held a card to the reader.
    pub struct Request {
        /// The card.
        pub id_tag: IdTag,
    }
}

crate::message! {
    /// What we know of the card.
    pub struct Response {
        /// Whether it may charge.
        pub id_tag_info: IdTagInfo,
    }
}
