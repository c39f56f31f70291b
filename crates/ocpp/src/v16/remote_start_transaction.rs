//! RemoteStartTransaction (OCPP 1.6 §5.11): begin to charge.

use super::charging_profile::ChargingProfile;
use super::common::{Acceptance, IdTag};

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The connector; the station chooses when absent.
        pub connector_id: Option<u32>,
        /// The card to charge as; real stations overflow above 16 characters.
        pub id_tag: IdTag,
        /// The limit to begin with, of purpose `TxProfile`.
        pub charging_profile: Option<ChargingProfile>,
    }
}

crate::message! {
    /// The station's answer; `Accepted` is a promise to try, StartTransaction is the outcome.
    pub struct Response {
        /// Whether it will.
        pub status: Acceptance,
    }
}
