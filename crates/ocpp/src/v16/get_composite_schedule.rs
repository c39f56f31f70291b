//! GetCompositeSchedule (OCPP 1.6 §5.7): what limit do your profiles add up to?

use kernel::Timestamp;

use super::charging_profile::{ChargingSchedule, RateUnit};

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// The connector, or 0 for the whole station.
        pub connector_id: u32,
        /// Seconds the schedule should cover.
        pub duration: u32,
        /// The unit we would like.
        pub charging_rate_unit: Option<RateUnit>,
    }
}

crate::choice! {
    /// Whether there is a schedule.
    pub open enum Status { Accepted, Rejected }
}

crate::message! {
    /// The limits that apply from now on.
    pub struct Response {
        /// Whether there is a schedule.
        pub status: Status,
        /// The connector it is for.
        pub connector_id: Option<u32>,
        /// When it begins.
        pub schedule_start: Option<Timestamp>,
        /// The limits.
        pub charging_schedule: Option<ChargingSchedule>,
    }
}
