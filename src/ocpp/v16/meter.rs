//! Meter values as OCPP 1.6 writes them (§7.31 and §7.43).

use crate::kernel::Timestamp;

crate::choice! {
    /// Why a value was taken (§7.40); absent means `Sample.Periodic`.
    pub open enum Context {
        InterruptionBegin = "Interruption.Begin", InterruptionEnd = "Interruption.End", SampleClock = "Sample.Clock",
        SamplePeriodic = "Sample.Periodic", TransactionBegin = "Transaction.Begin", TransactionEnd = "Transaction.End",
        Trigger, Other,
    }
}

crate::choice! {
    /// How a value is written (§7.41); absent means `Raw`.
    pub open enum Format { Raw, SignedData }
}

crate::choice! {
    /// Where a value was measured (§7.23); absent means `Outlet`.
    pub open enum Location { Cable, Ev = "EV", Inlet, Outlet, Body }
}

crate::choice! {
    /// Which conductors a value is about (§7.34); absent means all of them together.
    pub open enum Phase {
        L1, L2, L3, N, L1N = "L1-N", L2N = "L2-N", L3N = "L3-N", L1L2 = "L1-L2", L2L3 = "L2-L3", L3L1 = "L3-L1",
    }
}

crate::message! {
    /// One value (§7.43).
    pub struct SampledValue {
        /// A decimal number, or signed data.
        pub value: String,
        /// Why it was taken.
        pub context: Option<Context>,
        /// How it is written.
        pub format: Option<Format>,
        /// What was measured; absent means `Energy.Active.Import.Register`.
        pub measurand: Option<String>,
        /// Which conductors it is about.
        pub phase: Option<Phase>,
        /// Where it was measured.
        pub location: Option<Location>,
        /// The unit; absent means Wh for an energy.
        pub unit: Option<String>,
    }
}

crate::message! {
    /// What was measured at one instant (§7.31).
    pub struct MeterValue {
        /// When.
        pub timestamp: Timestamp,
        /// The values.
        pub sampled_value: Vec<SampledValue>,
    }
}
