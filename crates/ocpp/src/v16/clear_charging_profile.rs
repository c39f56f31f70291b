//! ClearChargingProfile (OCPP 1.6 §5.5): remove the profiles that match every given field, or all of them.
//!
//! Never clear before setting: between the two the car draws full power.

use super::charging_profile::Purpose;

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// This very profile.
        pub id: Option<i32>,
        /// Those of this connector; 0 is the station.
        pub connector_id: Option<u32>,
        /// Those of this purpose.
        pub charging_profile_purpose: Option<Purpose>,
        /// Those of this level.
        pub stack_level: Option<u32>,
    }
}

crate::choice! {
    /// What became of it.
    pub open enum Status { Accepted, NoneFound = "Unknown" }
}

crate::message! {
    /// The station's answer; `Unknown` when nothing matched.
    pub struct Response {
        /// What became of it.
        pub status: Status,
    }
}
