//! BootNotification (OCPP 1.6 §4.2): a station introduces itself after it started or reconnected.

use kernel::Timestamp;

use crate::text::Label;
use crate::wire::Due;

crate::message! {
    /// Who the station is; real ones exceed every length here, so all but vendor and model are optional labels.
    pub struct Request {
        /// Who made it.
        pub charge_point_vendor: Due<Label<20>>,
        /// What they call it.
        pub charge_point_model: Due<Label<20>>,
        /// Serial number of the charge point.
        pub charge_point_serial_number: Option<Label<25>>,
        /// Serial number of the charge box inside; deprecated, and sent by many.
        pub charge_box_serial_number: Option<Label<25>>,
        /// Protocol of its firmware.
        pub firmware_version: Option<Label<50>>,
        /// The SIM card.
        pub iccid: Option<Label<20>>,
        /// The subscriber of the SIM card.
        pub imsi: Option<Label<20>>,
        /// The type of the main meter.
        pub meter_type: Option<Label<25>>,
        /// The serial number of the main meter.
        pub meter_serial_number: Option<Label<25>>,
    }
}

crate::choice! {
    /// Whether the station is welcome.
    pub enum Registration { Accepted, Pending, Rejected }
}

crate::message! {
    /// Whether the station is welcome, and what time it is.
    pub struct Response {
        /// Whether it is welcome.
        pub status: Registration,
        /// Our time, which the station adopts.
        pub current_time: Timestamp,
        /// Seconds between heartbeats when accepted, else until the station may try again.
        pub interval: u32,
    }
}
