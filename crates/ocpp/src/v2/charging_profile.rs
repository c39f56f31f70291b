//! Charging profiles (functional block K): limits and setpoints over time.

use crate::number::Number;
use crate::text::Exact;
use kernel::Timestamp;

crate::choice! {
    pub open enum ChargingProfilePurpose {
        ChargingStationExternalConstraints, ChargingStationMaxProfile, TxDefaultProfile, TxProfile,
        PriorityCharging [V21], LocalGeneration [V21],
    }
}

crate::choice! {
    pub open enum ChargingRateUnit { W, A }
}

crate::choice! {
    pub open enum OperationMode {
        Idle, ChargingOnly, CentralSetpoint, ExternalSetpoint, ExternalLimits, CentralFrequency, LocalFrequency,
        LocalLoadBalancing,
    }
}

crate::message! {
    /// What may be drawn, or fed back, from one instant of a schedule until the next period.
    pub struct ChargingSchedulePeriod {
        pub discharge_limit: Option<Number> [V21],
        pub discharge_limit_l2 as "dischargeLimit_L2": Option<Number> [V21],
        pub discharge_limit_l3 as "dischargeLimit_L3": Option<Number> [V21],
        pub evse_sleep: Option<bool> [V21],
        pub limit: Option<Number> [OptionalSinceV21],
        pub limit_l2 as "limit_L2": Option<Number> [V21],
        pub limit_l3 as "limit_L3": Option<Number> [V21],
        pub number_phases: Option<u32>,
        pub operation_mode: Option<OperationMode> [V21],
        pub phase_to_use: Option<u32>,
        pub preconditioning_request: Option<bool> [V21],
        pub setpoint: Option<Number> [V21],
        pub setpoint_reactive: Option<Number> [V21],
        pub setpoint_reactive_l2 as "setpointReactive_L2": Option<Number> [V21],
        pub setpoint_reactive_l3 as "setpointReactive_L3": Option<Number> [V21],
        pub setpoint_l2 as "setpoint_L2": Option<Number> [V21],
        pub setpoint_l3 as "setpoint_L3": Option<Number> [V21],
        pub start_period: i64,
        pub v2x_baseline: Option<Number> [V21],
        pub v2x_freq_watt_curve: Option<Vec<V2xFreqWattPoint>> [V21],
        pub v2x_signal_watt_curve: Option<Vec<V2xSignalWattPoint>> [V21],
    }
}

crate::message! {
    /// What all profiles together allow over a stretch of time.
    pub struct CompositeSchedule {
        pub charging_rate_unit: ChargingRateUnit,
        pub charging_schedule_period: Vec<ChargingSchedulePeriod>,
        pub duration: i64,
        pub evse_id: u32,
        pub schedule_start: Timestamp,
    }
}

crate::message! {
    /// A point of a curve from grid frequency to power.
    pub struct V2xFreqWattPoint {
        pub frequency: Number,
        pub power: Number,
    }
}

crate::message! {
    /// A point of a curve from the grid's signal to power.
    pub struct V2xSignalWattPoint {
        pub power: Number,
        pub signal: i64,
    }
}

crate::choice! {
    pub open enum CostKind { CarbonDioxideEmission, RelativePricePercentage, RenewableGenerationPercentage }
}

crate::message! {
    /// Prices of ISO 15118-20, for the car to choose when to charge.
    pub struct AbsolutePriceSchedule {
        pub additional_selected_services: Option<Vec<AdditionalSelectedServices>>,
        pub currency: Exact<3>,
        pub language: Exact<8>,
        pub maximum_cost: Option<RationalNumber>,
        pub minimum_cost: Option<RationalNumber>,
        pub overstay_rule_list: Option<OverstayRuleList>,
        pub price_algorithm: Exact<2000>,
        pub price_rule_stacks: Vec<PriceRuleStack>,
        pub price_schedule_description: Option<Exact<160>>,
        pub price_schedule_id as "priceScheduleID": u32,
        pub tax_rules: Option<Vec<TaxRule>>,
        pub time_anchor: Timestamp,
    }
}

crate::message! {
    /// A service beside charging, and its fee.
    pub struct AdditionalSelectedServices {
        pub service_fee: RationalNumber,
        pub service_name: Exact<80>,
    }
}

crate::message! {
    /// Limits that follow each other.
    pub struct ChargingSchedule {
        pub absolute_price_schedule: Option<AbsolutePriceSchedule> [V21],
        pub charging_rate_unit: ChargingRateUnit,
        pub charging_schedule_period: Vec<ChargingSchedulePeriod>,
        pub digest_value: Option<Exact<88>> [V21],
        pub duration: Option<i64>,
        pub id: i64,
        pub limit_at_soc as "limitAtSoC": Option<LimitAtSoc> [V21],
        pub min_charging_rate: Option<Number>,
        pub power_tolerance: Option<Number> [V21],
        pub price_level_schedule: Option<PriceLevelSchedule> [V21],
        pub randomized_delay: Option<u32> [V21],
        pub sales_tariff: Option<SalesTariff>,
        pub signature_id: Option<u32> [V21],
        pub start_schedule: Option<Timestamp>,
        pub use_local_time: Option<bool> [V21],
    }
}

crate::message! {
    /// What energy costs from an amount on.
    pub struct ConsumptionCost {
        pub cost: Vec<Cost>,
        pub start_value: Number,
    }
}

crate::message! {
    /// A relative price, a share of renewable energy or an emission.
    pub struct Cost {
        pub amount: i64,
        pub amount_multiplier: Option<i64>,
        pub cost_kind: CostKind,
    }
}

crate::message! {
    /// A limit that holds from a state of charge on.
    pub struct LimitAtSoc {
        pub limit: Number,
        pub soc: u32,
    }
}

crate::message! {
    /// What it costs to stay after charging.
    pub struct OverstayRuleList {
        pub overstay_power_threshold: Option<RationalNumber>,
        pub overstay_rule: Vec<OverstayRule>,
        pub overstay_time_threshold: Option<i64>,
    }
}

crate::message! {
    /// A fee for staying from a time on.
    pub struct OverstayRule {
        pub overstay_fee: RationalNumber,
        pub overstay_fee_period: i64,
        pub overstay_rule_description: Option<Exact<32>>,
        pub start_time: i64,
    }
}

crate::message! {
    /// A price level and how long it holds.
    pub struct PriceLevelScheduleEntry {
        pub duration: i64,
        pub price_level: u32,
    }
}

crate::message! {
    /// Price levels that follow each other.
    pub struct PriceLevelSchedule {
        pub number_of_price_levels: u32,
        pub price_level_schedule_entries: Vec<PriceLevelScheduleEntry>,
        pub price_schedule_description: Option<Exact<32>>,
        pub price_schedule_id: u32,
        pub time_anchor: Timestamp,
    }
}

crate::message! {
    /// The prices of a stretch of time, by power.
    pub struct PriceRuleStack {
        pub duration: i64,
        pub price_rule: Vec<PriceRule>,
    }
}

crate::message! {
    /// What energy and parking cost from a power on.
    pub struct PriceRule {
        pub carbon_dioxide_emission: Option<u32>,
        pub energy_fee: RationalNumber,
        pub parking_fee: Option<RationalNumber>,
        pub parking_fee_period: Option<i64>,
        pub power_range_start: RationalNumber,
        pub renewable_generation_percentage: Option<u32>,
    }
}

crate::message! {
    /// A number as a value and a power of ten.
    pub struct RationalNumber {
        pub exponent: i64,
        pub value: i64,
    }
}

crate::message! {
    /// A stretch of time by its distance from the start.
    pub struct RelativeTimeInterval {
        pub duration: Option<i64>,
        pub start: i64,
    }
}

crate::message! {
    /// The price level of a stretch of time.
    pub struct SalesTariffEntry {
        pub consumption_cost: Option<Vec<ConsumptionCost>>,
        pub e_price_level: Option<u32>,
        pub relative_time_interval: RelativeTimeInterval,
    }
}

crate::message! {
    /// Price levels of ISO 15118-2, for the car to choose when to charge.
    pub struct SalesTariff {
        pub id: u32,
        pub num_e_price_levels: Option<u32>,
        pub sales_tariff_description: Option<Exact<32>>,
        pub sales_tariff_entry: Vec<SalesTariffEntry>,
    }
}

crate::message! {
    /// A tax and what it is on.
    pub struct TaxRule {
        pub applies_to_energy_fee: bool,
        pub applies_to_minimum_maximum_cost: bool,
        pub applies_to_overstay_fee: bool,
        pub applies_to_parking_fee: bool,
        pub tax_included_in_price: Option<bool>,
        pub tax_rate: RationalNumber,
        pub tax_rule_id as "taxRuleID": u32,
        pub tax_rule_name: Option<Exact<100>>,
    }
}

crate::message! {
    /// The limits and setpoints that hold now in a dynamic profile.
    pub struct ChargingScheduleUpdate {
        pub discharge_limit: Option<Number>,
        pub discharge_limit_l2 as "dischargeLimit_L2": Option<Number>,
        pub discharge_limit_l3 as "dischargeLimit_L3": Option<Number>,
        pub limit: Option<Number>,
        pub limit_l2 as "limit_L2": Option<Number>,
        pub limit_l3 as "limit_L3": Option<Number>,
        pub setpoint: Option<Number>,
        pub setpoint_reactive: Option<Number>,
        pub setpoint_reactive_l2 as "setpointReactive_L2": Option<Number>,
        pub setpoint_reactive_l3 as "setpointReactive_L3": Option<Number>,
        pub setpoint_l2 as "setpoint_L2": Option<Number>,
        pub setpoint_l3 as "setpoint_L3": Option<Number>,
    }
}

crate::choice! {
    pub open enum ChargingProfileKind { Absolute, Recurring, Relative, Dynamic [V21] }
}

crate::choice! {
    pub open enum RecurrencyKind { Daily, Weekly }
}

crate::message! {
    /// A schedule, what it is for, when it holds and which others it goes before.
    pub struct ChargingProfile {
        pub charging_profile_kind: ChargingProfileKind,
        pub charging_profile_purpose: ChargingProfilePurpose,
        pub charging_schedule: Vec<ChargingSchedule>,
        pub dyn_update_interval: Option<i64> [V21],
        pub dyn_update_time: Option<Timestamp> [V21],
        pub id: i64,
        pub invalid_after_offline_duration: Option<bool> [V21],
        pub max_offline_duration: Option<i64> [V21],
        pub price_schedule_signature: Option<Exact<256>> [V21],
        pub recurrency_kind: Option<RecurrencyKind>,
        pub stack_level: u32,
        pub transaction_id: Option<Exact<36>>,
        pub valid_from: Option<Timestamp>,
        pub valid_to: Option<Timestamp>,
    }
}

impl ChargingSchedulePeriod {
    /// A limit from so many seconds after the start of its schedule.
    pub const fn of(start_period: i64, limit: Number) -> Self {
        Self {
            discharge_limit: None,
            discharge_limit_l2: None,
            discharge_limit_l3: None,
            evse_sleep: None,
            limit: Some(limit),
            limit_l2: None,
            limit_l3: None,
            number_phases: None,
            operation_mode: None,
            phase_to_use: None,
            preconditioning_request: None,
            setpoint: None,
            setpoint_reactive: None,
            setpoint_reactive_l2: None,
            setpoint_reactive_l3: None,
            setpoint_l2: None,
            setpoint_l3: None,
            start_period,
            v2x_baseline: None,
            v2x_freq_watt_curve: None,
            v2x_signal_watt_curve: None,
        }
    }
}

impl ChargingSchedule {
    /// A series of limits without an end.
    pub const fn new(id: i64, charging_rate_unit: ChargingRateUnit, periods: Vec<ChargingSchedulePeriod>) -> Self {
        Self {
            absolute_price_schedule: None,
            charging_rate_unit,
            charging_schedule_period: periods,
            digest_value: None,
            duration: None,
            id,
            limit_at_soc: None,
            min_charging_rate: None,
            power_tolerance: None,
            price_level_schedule: None,
            randomized_delay: None,
            sales_tariff: None,
            signature_id: None,
            start_schedule: None,
            use_local_time: None,
        }
    }
}

impl ChargingProfile {
    /// A profile that counts from an instant.
    pub fn new(id: i64, stack_level: u32, purpose: ChargingProfilePurpose, schedule: ChargingSchedule) -> Self {
        Self {
            charging_profile_kind: ChargingProfileKind::Absolute,
            charging_profile_purpose: purpose,
            charging_schedule: vec![schedule],
            dyn_update_interval: None,
            dyn_update_time: None,
            id,
            invalid_after_offline_duration: None,
            max_offline_duration: None,
            price_schedule_signature: None,
            recurrency_kind: None,
            stack_level,
            transaction_id: None,
            valid_from: None,
            valid_to: None,
        }
    }
}
