//! Transactions (functional block E).

use super::charging_profile::*;
use super::common::*;
use crate::number::Number;
use crate::text::Exact;
use crate::wire::{Due, PresentedCard};
use kernel::Timestamp;

crate::choice! {
    pub open enum ChargingState { EVConnected, Charging, SuspendedEV, SuspendedEVSE, Idle }
}

crate::choice! {
    pub open enum CostDimensionKind { Energy, MaxCurrent, MinCurrent, MaxPower, MinPower, IdleTIme, ChargingTime }
}

crate::choice! {
    pub open enum PreconditioningStatus { NotKnown = "Unknown", Ready, NotReady, Preconditioning }
}

crate::choice! {
    pub open enum StopReason {
        DeAuthorized, EmergencyStop, EnergyLimitReached, EVDisconnected, GroundFault, ImmediateReset, MasterPass,
        Local, LocalOutOfCredit, Other, OvercurrentFault, PowerLoss, PowerQuality, Reboot, Remote, SOCLimitReached,
        StoppedByEV, TimeLimitReached, Timeout, ReqEnergyTransferRejected [V21],
    }
}

crate::choice! {
    pub open enum TariffCost { NormalCost, MinCost, MaxCost }
}

crate::choice! {
    pub enum EventType { Ended, Started, Updated }
}

crate::choice! {
    pub open enum TriggerReason {
        AbnormalCondition, Authorized, CablePluggedIn, ChargingRateChanged, ChargingStateChanged,
        CostLimitReached [V21], Deauthorized, EnergyLimitReached, EVCommunicationLost, EVConnectTimeout, EVDeparted,
        EVDetected, LimitSet [V21], MeterValueClock, MeterValuePeriodic, OperationModeChanged [V21], RemoteStart,
        RemoteStop, ResetCommand, RunningCost [V21], SignedDataReceived, SoCLimitReached [V21], StopAuthorized,
        TariffChanged [V21], TariffNotAccepted [V21], TimeLimitReached, Trigger, TxResumed [V21], UnlockCommand,
    }
}

crate::message! {
    /// A stretch of a transaction with one tariff.
    pub struct ChargingPeriod {
        pub dimensions: Option<Vec<CostDimension>>,
        pub start_period: Timestamp,
        pub tariff_id: Option<Exact<60>>,
    }
}

crate::message! {
    /// What a transaction costs, computed by the station.
    pub struct CostDetails {
        pub charging_periods: Option<Vec<ChargingPeriod>>,
        pub failure_reason: Option<Exact<500>>,
        pub failure_to_calculate: Option<bool>,
        pub total_cost: TotalCost,
        pub total_usage: TotalUsage,
    }
}

crate::message! {
    /// How much of something was used.
    pub struct CostDimension {
        pub r#type: CostDimensionKind,
        pub volume: Number,
    }
}

crate::message! {
    /// What a transaction costs in all, by what it is for.
    pub struct TotalCost {
        pub charging_time: Option<Price>,
        pub currency: Exact<3>,
        pub energy: Option<Price>,
        pub fixed: Option<Price>,
        pub idle_time: Option<Price>,
        pub reservation_fixed: Option<Price>,
        pub reservation_time: Option<Price>,
        pub total: TotalPrice,
        pub type_of_cost: TariffCost,
    }
}

crate::message! {
    /// An amount with and without tax.
    pub struct TotalPrice {
        pub excl_tax: Option<Number>,
        pub incl_tax: Option<Number>,
    }
}

crate::message! {
    /// How much a transaction used.
    pub struct TotalUsage {
        pub charging_time: i64,
        pub energy: Number,
        pub idle_time: i64,
        pub reservation_time: Option<i64>,
    }
}

crate::message! {
    /// What ends a transaction.
    pub struct TransactionLimit {
        pub max_cost: Option<Number>,
        pub max_energy: Option<Number>,
        pub max_soc as "maxSoC": Option<u32>,
        pub max_time: Option<i64>,
    }
}

crate::message! {
    /// Which transaction, and how it is going.
    pub struct Transaction {
        pub charging_state: Option<ChargingState>,
        pub operation_mode: Option<OperationMode> [V21],
        pub remote_start_id: Option<i64>,
        pub stopped_reason: Option<StopReason>,
        pub tariff_id: Option<Exact<60>> [V21],
        pub time_spent_charging: Option<i64>,
        pub transaction_id: Exact<36>,
        pub transaction_limit: Option<TransactionLimit> [V21],
    }
}

crate::exchange! {
    /// Does a transaction go on, and is anything about it still to be reported (E14)?
    get_transaction_status
    asks { transaction_id: Option<Exact<36>> }
    answers { ongoing_indicator: Option<bool>, messages_in_queue: bool }
}

crate::exchange! {
    /// A transaction begins, changes or ends (E01–E13).
    transaction_event
    asks {
        cost_details: Option<CostDetails> [V21],
        event_type: EventType,
        meter_value: Option<Vec<MeterValue>>,
        timestamp: Due<Timestamp, true>,
        trigger_reason: Due<TriggerReason, true>,
        seq_no: Due<u32, true>,
        offline: Option<bool>,
        number_of_phases_used: Option<u32>,
        cable_max_current: Option<i64>,
        reservation_id: Option<u32>,
        preconditioning_status: Option<PreconditioningStatus> [V21],
        evse_sleep: Option<bool> [V21],
        transaction_info: Transaction,
        evse: Option<Evse>,
        id_token: PresentedCard<IdToken>,
    }
    answers {
        total_cost: Option<Number>,
        charging_priority: Option<i64>,
        id_token_info: Option<IdTokenInfo>,
        transaction_limit: Option<TransactionLimit> [V21],
        updated_personal_message: Option<MessageContent>,
        updated_personal_message_extra: Option<Vec<MessageContent>> [V21],
    }
}
