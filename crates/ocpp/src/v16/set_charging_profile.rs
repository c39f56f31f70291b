//! SetChargingProfile (OCPP 1.6 §5.16): the limit of a connector or of the whole station.

use super::charging_profile::ChargingProfile;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The connector, or 0 for the whole station.
        pub connector_id: u32,
        /// The limit.
        pub cs_charging_profiles: ChargingProfile,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, Rejected, NotSupported }
}

crate::message! {
    /// The station's answer; `Accepted` does not prove that it obeys.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
