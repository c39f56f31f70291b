//! Distributed energy resources (functional block R of 2.1): grid support by stations that feed in.

use super::common::*;
use crate::number::Number;
use crate::text::Exact;
use kernel::Timestamp;

crate::choice! {
    pub open enum DerControlStatus { Accepted, Rejected, NotSupported, NotFound }
}

crate::choice! {
    pub open enum GridEventFault {
        CurrentImbalance, LocalEmergency, LowInputPower, OverCurrent, OverFrequency, OverVoltage, PhaseRotation,
        RemoteEmergency, UnderFrequency, UnderVoltage, VoltageImbalance,
    }
}

crate::choice! {
    pub open enum DerUnit {
        NotApplicable = "Not_Applicable", PctMaxW, PctMaxVar, PctWAvail, PctVarAvail, PctEffectiveV,
    }
}

crate::choice! {
    pub open enum PowerDuringCessation { Active, Reactive }
}

crate::message! {
    /// A curve that is set, and whether another took its place.
    pub struct DerCurveGet {
        pub curve: DerCurve,
        pub curve_type: DerControl,
        pub id: Exact<36>,
        pub is_default: bool,
        pub is_superseded: bool,
    }
}

crate::message! {
    /// A point of a curve.
    pub struct DerCurvePoints {
        pub x: Number,
        pub y: Number,
    }
}

crate::message! {
    /// How a station answers the voltage or frequency of the grid.
    pub struct DerCurve {
        pub curve_data: Vec<DerCurvePoints>,
        pub duration: Option<Number>,
        pub hysteresis: Option<Hysteresis>,
        pub priority: u32,
        pub reactive_power_params: Option<ReactivePowerParams>,
        pub response_time: Option<Number>,
        pub start_time: Option<Timestamp>,
        pub voltage_params: Option<VoltageParams>,
        pub y_unit: DerUnit,
    }
}

crate::message! {
    /// When to feed in again, as it is set.
    pub struct EnterServiceGet {
        pub enter_service: EnterService,
        pub id: Exact<36>,
    }
}

crate::message! {
    /// When a station may feed into the grid again.
    pub struct EnterService {
        pub delay: Option<Number>,
        pub high_freq: Number,
        pub high_voltage: Number,
        pub low_freq: Number,
        pub low_voltage: Number,
        pub priority: u32,
        pub ramp_rate: Option<Number>,
        pub random_delay: Option<Number>,
    }
}

crate::message! {
    /// A fixed power factor that is set.
    pub struct FixedPfGet {
        pub fixed_pf as "fixedPF": FixedPf,
        pub id: Exact<36>,
        pub is_default: bool,
        pub is_superseded: bool,
    }
}

crate::message! {
    /// A fixed power factor.
    pub struct FixedPf {
        pub displacement: Number,
        pub duration: Option<Number>,
        pub excitation: bool,
        pub priority: u32,
        pub start_time: Option<Timestamp>,
    }
}

crate::message! {
    /// Fixed reactive power that is set.
    pub struct FixedVarGet {
        pub fixed_var: FixedVar,
        pub id: Exact<36>,
        pub is_default: bool,
        pub is_superseded: bool,
    }
}

crate::message! {
    /// Fixed reactive power.
    pub struct FixedVar {
        pub duration: Option<Number>,
        pub priority: u32,
        pub setpoint: Number,
        pub start_time: Option<Timestamp>,
        pub unit: DerUnit,
    }
}

crate::message! {
    /// An answer to frequency that is set.
    pub struct FreqDroopGet {
        pub freq_droop: FreqDroop,
        pub id: Exact<36>,
        pub is_default: bool,
        pub is_superseded: bool,
    }
}

crate::message! {
    /// How power follows the frequency of the grid.
    pub struct FreqDroop {
        pub duration: Option<Number>,
        pub over_droop: Number,
        pub over_freq: Number,
        pub priority: u32,
        pub response_time: Number,
        pub start_time: Option<Timestamp>,
        pub under_droop: Number,
        pub under_freq: Number,
    }
}

crate::message! {
    /// Rates of change that are set.
    pub struct GradientGet {
        pub gradient: Gradient,
        pub id: Exact<36>,
    }
}

crate::message! {
    /// How fast power may change.
    pub struct Gradient {
        pub gradient: Number,
        pub priority: u32,
        pub soft_gradient: Number,
    }
}

crate::message! {
    /// How far a value must come back before a control ends.
    pub struct Hysteresis {
        pub hysteresis_delay: Option<Number>,
        pub hysteresis_gradient: Option<Number>,
        pub hysteresis_high: Option<Number>,
        pub hysteresis_low: Option<Number>,
    }
}

crate::message! {
    /// A limit of feeding in that is set.
    pub struct LimitMaxDischargeGet {
        pub id: Exact<36>,
        pub is_default: bool,
        pub is_superseded: bool,
        pub limit_max_discharge: LimitMaxDischarge,
    }
}

crate::message! {
    /// How much may be fed in at most.
    pub struct LimitMaxDischarge {
        pub duration: Option<Number>,
        pub pct_max_discharge_power: Option<Number>,
        pub power_monitoring_must_trip: Option<DerCurve>,
        pub priority: u32,
        pub start_time: Option<Timestamp>,
    }
}

crate::message! {
    /// The voltage that a curve of reactive power refers to.
    pub struct ReactivePowerParams {
        pub autonomous_v_ref_enable: Option<bool>,
        pub autonomous_v_ref_time_constant: Option<Number>,
        pub v_ref: Option<Number>,
    }
}

crate::message! {
    /// When too high a voltage trips a station, and what it does meanwhile.
    pub struct VoltageParams {
        pub hv10_min_mean_trip_delay: Option<Number>,
        pub hv10_min_mean_value: Option<Number>,
        pub power_during_cessation: Option<PowerDuringCessation>,
    }
}

crate::exchange! {
    /// Forget grid controls (2.1).
    clear_der_control
    asks {
        is_default: bool,
        control_type: Option<DerControl>,
        control_id: Option<Exact<36>>,
    }
    answers { status: DerControlStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Report grid controls (2.1).
    get_der_control
    asks {
        request_id: i64,
        is_default: Option<bool>,
        control_type: Option<DerControl>,
        control_id: Option<Exact<36>>,
    }
    answers { status: DerControlStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// The grid is out of bounds, or is well again (2.1).
    notify_der_alarm
    asks {
        control_type: DerControl,
        grid_event_fault: Option<GridEventFault>,
        alarm_ended: Option<bool>,
        timestamp: Timestamp,
        extra_info: Option<Exact<200>>,
    }
    answers {}
}

crate::exchange! {
    /// A grid control takes effect, or no longer (2.1).
    notify_der_start_stop
    asks {
        control_id: Exact<36>,
        started: bool,
        timestamp: Timestamp,
        superseded_ids: Option<Vec<Exact<36>>>,
    }
    answers {}
}

crate::exchange! {
    /// A part of the report of grid controls (2.1).
    report_der_control
    asks {
        curve: Option<Vec<DerCurveGet>>,
        enter_service: Option<Vec<EnterServiceGet>>,
        fixed_pf_absorb as "fixedPFAbsorb": Option<Vec<FixedPfGet>>,
        fixed_pf_inject as "fixedPFInject": Option<Vec<FixedPfGet>>,
        fixed_var: Option<Vec<FixedVarGet>>,
        freq_droop: Option<Vec<FreqDroopGet>>,
        gradient: Option<Vec<GradientGet>>,
        limit_max_discharge: Option<Vec<LimitMaxDischargeGet>>,
        request_id: i64,
        tbc: Option<bool>,
    }
    answers {}
}

crate::exchange! {
    /// Obey a grid control (2.1).
    set_der_control
    asks {
        is_default: bool,
        control_id: Exact<36>,
        control_type: DerControl,
        curve: Option<DerCurve>,
        enter_service: Option<EnterService>,
        fixed_pf_absorb as "fixedPFAbsorb": Option<FixedPf>,
        fixed_pf_inject as "fixedPFInject": Option<FixedPf>,
        fixed_var: Option<FixedVar>,
        freq_droop: Option<FreqDroop>,
        gradient: Option<Gradient>,
        limit_max_discharge: Option<LimitMaxDischarge>,
    }
    answers {
        status: DerControlStatus,
        status_info: Option<StatusInfo>,
        superseded_ids: Option<Vec<Exact<36>>>,
    }
}
