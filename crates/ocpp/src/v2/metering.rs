//! Metering (functional block J).

use super::common::*;

crate::exchange! {
    /// What an EVSE measured outside of a transaction (J01).
    meter_values
    asks { evse_id: u32, meter_value: Vec<MeterValue> }
    answers {}
}
