//! Battery swapping (functional block S of 2.1).

use super::common::*;
use crate::number::Number;
use crate::text::{Exact, Label};
use kernel::Timestamp;

crate::choice! {
    pub open enum BatterySwapEvent { BatteryIn, BatteryOut, BatteryOutTimeout }
}

crate::message! {
    /// A battery and its state.
    pub struct BatteryData {
        pub evse_id: u32,
        pub production_date: Option<Timestamp>,
        pub serial_number: Label<50>,
        pub soc as "soC": Number,
        pub so_h: Number,
        pub vendor_info: Option<Exact<500>>,
    }
}

crate::exchange! {
    /// Batteries were put in or taken out (2.1).
    battery_swap
    asks {
        battery_data: Vec<BatteryData>,
        event_type: BatterySwapEvent,
        id_token: IdToken,
        request_id: i64,
    }
    answers {}
}

crate::exchange! {
    /// Let somebody swap batteries (2.1).
    request_battery_swap
    asks { id_token: IdToken, request_id: i64 }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}
