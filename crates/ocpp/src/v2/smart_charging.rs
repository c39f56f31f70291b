//! Smart charging (functional block K).

use super::charging_profile::*;
use super::common::*;
use crate::number::Number;
use crate::text::Exact;
use kernel::Timestamp;

crate::message! {
    /// Which profiles to forget.
    pub struct ClearChargingProfile {
        pub charging_profile_purpose: Option<ChargingProfilePurpose>,
        pub evse_id: Option<u32>,
        pub stack_level: Option<u32>,
    }
}

crate::choice! {
    pub open enum ClearChargingProfileStatus { Accepted, NotKnown = "Unknown" }
}

crate::message! {
    /// Which profiles to report.
    pub struct ChargingProfileCriterion {
        pub charging_limit_source: Option<Vec<ChargingLimitSource>>,
        pub charging_profile_id: Option<Vec<i64>>,
        pub charging_profile_purpose: Option<ChargingProfilePurpose>,
        pub stack_level: Option<u32>,
    }
}

crate::choice! {
    pub open enum GetChargingProfileStatus { Accepted, NoProfiles }
}

crate::choice! {
    pub open enum NotifyAllowedEnergyTransferStatus { Accepted, Rejected }
}

crate::message! {
    /// Who limits, and how much it matters.
    pub struct ChargingLimit {
        pub charging_limit_source: ChargingLimitSource,
        pub is_grid_critical: Option<bool>,
        pub is_local_generation: Option<bool> [V21],
    }
}

crate::choice! {
    pub open enum ControlMode { ScheduledControl, DynamicControl }
}

crate::choice! {
    pub open enum IslandingDetection {
        NoAntiIslandingSupport, RoCoF, UvpOvp = "UVP_OVP", UfpOfp = "UFP_OFP", VoltageVectorShift,
        ZeroCrossingDetection, OtherPassive, ImpedanceMeasurement, ImpedanceAtFrequency, SlipModeFrequencyShift,
        SandiaFrequencyShift, SandiaVoltageShift, FrequencyJump, RCLQFactor, OtherActive,
    }
}

crate::choice! {
    pub open enum MobilityNeedsMode { Evcc = "EVCC", EvccSecc = "EVCC_SECC" }
}

crate::message! {
    /// What a car needs and takes of alternating current.
    pub struct AcChargingParameters {
        pub energy_amount: Number,
        pub ev_max_current: Number,
        pub ev_max_voltage: Number,
        pub ev_min_current: Number,
    }
}

crate::message! {
    /// What a car needs, until when, and how.
    pub struct ChargingNeeds {
        pub ac_charging_parameters: Option<AcChargingParameters>,
        pub available_energy_transfer: Option<Vec<EnergyTransferMode>> [V21],
        pub control_mode: Option<ControlMode> [V21],
        pub dc_charging_parameters: Option<DcChargingParameters>,
        pub departure_time: Option<Timestamp>,
        pub der_charging_parameters: Option<DerChargingParameters> [V21],
        pub ev_energy_offer: Option<EvEnergyOffer> [V21],
        pub mobility_needs_mode: Option<MobilityNeedsMode> [V21],
        pub requested_energy_transfer: EnergyTransferMode,
        pub v2x_charging_parameters: Option<V2xChargingParameters> [V21],
    }
}

crate::message! {
    /// What a car needs and takes of direct current.
    pub struct DcChargingParameters {
        pub bulk_soc as "bulkSoC": Option<u32>,
        pub energy_amount: Option<Number>,
        pub ev_energy_capacity: Option<Number>,
        pub ev_max_current: Number,
        pub ev_max_power: Option<Number>,
        pub ev_max_voltage: Number,
        pub full_soc as "fullSoC": Option<u32>,
        pub state_of_charge: Option<u32>,
    }
}

crate::message! {
    /// What a car can do for the grid.
    pub struct DerChargingParameters {
        pub ev_duration_level1_dc_injection as "evDurationLevel1DCInjection": Option<Number>,
        pub ev_duration_level2_dc_injection as "evDurationLevel2DCInjection": Option<Number>,
        pub ev_inverter_hw_version: Option<Exact<50>>,
        pub ev_inverter_manufacturer: Option<Exact<50>>,
        pub ev_inverter_model: Option<Exact<50>>,
        pub ev_inverter_serial_number: Option<Exact<50>>,
        pub ev_inverter_sw_version: Option<Exact<50>>,
        pub ev_islanding_detection_method: Option<Vec<IslandingDetection>>,
        pub ev_islanding_trip_time: Option<Number>,
        pub ev_maximum_level1_dc_injection as "evMaximumLevel1DCInjection": Option<Number>,
        pub ev_maximum_level2_dc_injection as "evMaximumLevel2DCInjection": Option<Number>,
        pub ev_over_excited_max_discharge_power: Option<Number>,
        pub ev_over_excited_power_factor: Option<Number>,
        pub ev_reactive_susceptance: Option<Number>,
        pub ev_session_total_discharge_energy_available: Option<Number>,
        pub ev_supported_der_control as "evSupportedDERControl": Option<Vec<DerControl>>,
        pub ev_under_excited_max_discharge_power: Option<Number>,
        pub ev_under_excited_power_factor: Option<Number>,
        pub max_apparent_power: Option<Number>,
        pub max_charge_apparent_power: Option<Number>,
        pub max_charge_apparent_power_l2 as "maxChargeApparentPower_L2": Option<Number>,
        pub max_charge_apparent_power_l3 as "maxChargeApparentPower_L3": Option<Number>,
        pub max_charge_reactive_power: Option<Number>,
        pub max_charge_reactive_power_l2 as "maxChargeReactivePower_L2": Option<Number>,
        pub max_charge_reactive_power_l3 as "maxChargeReactivePower_L3": Option<Number>,
        pub max_discharge_apparent_power: Option<Number>,
        pub max_discharge_apparent_power_l2 as "maxDischargeApparentPower_L2": Option<Number>,
        pub max_discharge_apparent_power_l3 as "maxDischargeApparentPower_L3": Option<Number>,
        pub max_discharge_reactive_power: Option<Number>,
        pub max_discharge_reactive_power_l2 as "maxDischargeReactivePower_L2": Option<Number>,
        pub max_discharge_reactive_power_l3 as "maxDischargeReactivePower_L3": Option<Number>,
        pub max_nominal_voltage: Option<Number>,
        pub min_charge_reactive_power: Option<Number>,
        pub min_charge_reactive_power_l2 as "minChargeReactivePower_L2": Option<Number>,
        pub min_charge_reactive_power_l3 as "minChargeReactivePower_L3": Option<Number>,
        pub min_discharge_reactive_power: Option<Number>,
        pub min_discharge_reactive_power_l2 as "minDischargeReactivePower_L2": Option<Number>,
        pub min_discharge_reactive_power_l3 as "minDischargeReactivePower_L3": Option<Number>,
        pub min_nominal_voltage: Option<Number>,
        pub nominal_voltage: Option<Number>,
        pub nominal_voltage_offset: Option<Number>,
    }
}

crate::message! {
    /// What a car asks for its energy in a stretch of time.
    pub struct EvAbsolutePriceScheduleEntry {
        pub duration: i64,
        pub ev_price_rule: Vec<EvPriceRule>,
    }
}

crate::message! {
    /// What a car asks for its energy.
    pub struct EvAbsolutePriceSchedule {
        pub currency: Exact<3>,
        pub ev_absolute_price_schedule_entries: Vec<EvAbsolutePriceScheduleEntry>,
        pub price_algorithm: Exact<2000>,
        pub time_anchor: Timestamp,
    }
}

crate::message! {
    /// What a car would feed back, and for how much.
    pub struct EvEnergyOffer {
        pub ev_absolute_price_schedule: Option<EvAbsolutePriceSchedule>,
        pub ev_power_schedule: EvPowerSchedule,
    }
}

crate::message! {
    /// The power a car would feed back for a while.
    pub struct EvPowerScheduleEntry {
        pub duration: i64,
        pub power: Number,
    }
}

crate::message! {
    /// The power a car would feed back.
    pub struct EvPowerSchedule {
        pub ev_power_schedule_entries: Vec<EvPowerScheduleEntry>,
        pub time_anchor: Timestamp,
    }
}

crate::message! {
    /// What a car asks from a power on.
    pub struct EvPriceRule {
        pub energy_fee: Number,
        pub power_range_start: Number,
    }
}

crate::message! {
    /// What a car needs, takes and gives, both ways.
    pub struct V2xChargingParameters {
        pub ev_max_energy_request: Option<Number>,
        pub ev_max_v2_x_energy_request: Option<Number>,
        pub ev_min_energy_request: Option<Number>,
        pub ev_min_v2_x_energy_request: Option<Number>,
        pub ev_target_energy_request: Option<Number>,
        pub max_charge_current: Option<Number>,
        pub max_charge_power: Option<Number>,
        pub max_charge_power_l2 as "maxChargePower_L2": Option<Number>,
        pub max_charge_power_l3 as "maxChargePower_L3": Option<Number>,
        pub max_discharge_current: Option<Number>,
        pub max_discharge_power: Option<Number>,
        pub max_discharge_power_l2 as "maxDischargePower_L2": Option<Number>,
        pub max_discharge_power_l3 as "maxDischargePower_L3": Option<Number>,
        pub max_voltage: Option<Number>,
        pub min_charge_current: Option<Number>,
        pub min_charge_power: Option<Number>,
        pub min_charge_power_l2 as "minChargePower_L2": Option<Number>,
        pub min_charge_power_l3 as "minChargePower_L3": Option<Number>,
        pub min_discharge_current: Option<Number>,
        pub min_discharge_power: Option<Number>,
        pub min_discharge_power_l2 as "minDischargePower_L2": Option<Number>,
        pub min_discharge_power_l3 as "minDischargePower_L3": Option<Number>,
        pub min_voltage: Option<Number>,
        pub target_soc as "targetSoC": Option<u32>,
    }
}

crate::choice! {
    pub enum NotifyEvChargingNeedsStatus { Accepted, Rejected, Processing, NoChargingProfile [V21] }
}

crate::choice! {
    pub open enum ChargingProfileStatus { Accepted, Rejected }
}

crate::choice! {
    pub open enum PriorityChargingStatus { Accepted, Rejected, NoProfile }
}

crate::choice! {
    pub free enum ChargingLimitSource { EMS, Other, SO, CSO }
}

crate::exchange! {
    /// A signal to balance the grid (2.1).
    afrr_signal
    asks { timestamp: Timestamp, signal: i64 }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Forget profiles (K10).
    clear_charging_profile
    asks { charging_profile_id: Option<i64>, charging_profile_criteria: Option<ClearChargingProfile> }
    answers { status: ClearChargingProfileStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// An external limit is over (K13).
    cleared_charging_limit
    asks { charging_limit_source: ChargingLimitSource, evse_id: Option<u32> }
    answers {}
}

crate::exchange! {
    /// Report the profiles (K09).
    get_charging_profiles
    asks {
        request_id: i64,
        evse_id: Option<u32>,
        charging_profile: ChargingProfileCriterion,
    }
    answers { status: GetChargingProfileStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Return the limits that will apply (K08).
    get_composite_schedule
    asks {
        duration: i64,
        charging_rate_unit: Option<ChargingRateUnit>,
        evse_id: u32,
    }
    answers {
        status: GenericStatus,
        status_info: Option<StatusInfo>,
        schedule: Option<CompositeSchedule>,
    }
}

crate::exchange! {
    /// Which ways of transferring energy a car may use (2.1).
    notify_allowed_energy_transfer
    asks { transaction_id: Exact<36>, allowed_energy_transfer: Vec<EnergyTransferMode> }
    answers { status: NotifyAllowedEnergyTransferStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// An external limit was set (K12).
    notify_charging_limit
    asks {
        charging_schedule: Option<Vec<ChargingSchedule>>,
        evse_id: Option<u32>,
        charging_limit: ChargingLimit,
    }
    answers {}
}

crate::exchange! {
    /// What a car needs (K15).
    notify_ev_charging_needs
    asks {
        evse_id: u32,
        max_schedule_tuples: Option<u32>,
        charging_needs: ChargingNeeds,
        timestamp: Option<Timestamp> [V21],
    }
    answers { status: NotifyEvChargingNeedsStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// What a car means to draw (K15).
    notify_ev_charging_schedule
    asks {
        time_base: Timestamp,
        charging_schedule: ChargingSchedule,
        evse_id: u32,
        selected_charging_schedule_id: Option<u32> [V21],
        power_tolerance_acceptance: Option<bool> [V21],
    }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// A driver wants to charge with priority, or no longer (2.1).
    notify_priority_charging
    asks { transaction_id: Exact<36>, activated: bool }
    answers {}
}

crate::exchange! {
    /// Which limit holds now, where a profile is dynamic (2.1)?
    pull_dynamic_schedule_update
    asks { charging_profile_id: i64 }
    answers {
        schedule_update: Option<ChargingScheduleUpdate>,
        status: ChargingProfileStatus,
        status_info: Option<StatusInfo>,
    }
}

crate::exchange! {
    /// A part of the report of the profiles (K09).
    report_charging_profiles
    asks {
        request_id: i64,
        charging_limit_source: ChargingLimitSource,
        charging_profile: Vec<ChargingProfile>,
        tbc: Option<bool>,
        evse_id: u32,
    }
    answers {}
}

crate::exchange! {
    /// Obey a profile (K01).
    set_charging_profile
    asks { evse_id: u32, charging_profile: ChargingProfile }
    answers { status: ChargingProfileStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// The limit that holds now, where a profile is dynamic (2.1).
    update_dynamic_schedule
    asks { charging_profile_id: i64, schedule_update: ChargingScheduleUpdate }
    answers { status: ChargingProfileStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Charge with priority, or no longer (2.1).
    use_priority_charging
    asks { transaction_id: Exact<36>, activate: bool }
    answers { status: PriorityChargingStatus, status_info: Option<StatusInfo> }
}
