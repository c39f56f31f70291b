//! Metering (OCPP 1.6 Core profile, §4.7, §7.33 and §7.43): meter values as stations send them, and what they mean.

use crate::decimal::Decimal;
use crate::meter::{Line, MeterDeviation, Place, Quantity, Reading, ReadingContext, Sample, readings_at};
use kernel::{Millivolts, Timestamp};

crate::choice! {
    /// Why a value was taken (§7.35); absent means `Sample.Periodic`.
    pub open enum Context {
        InterruptionBegin = "Interruption.Begin", InterruptionEnd = "Interruption.End", SampleClock = "Sample.Clock",
        SamplePeriodic = "Sample.Periodic", TransactionBegin = "Transaction.Begin", TransactionEnd = "Transaction.End",
        Trigger, Other,
    }
}

crate::choice! {
    /// How a value is written (§7.49); absent means `Raw`.
    pub open enum Format { Raw, SignedData }
}

crate::choice! {
    /// What was measured (§7.31); absent means `Energy.Active.Import.Register`.
    pub open enum Measurand {
        EnergyActiveExportRegister = "Energy.Active.Export.Register",
        EnergyActiveImportRegister = "Energy.Active.Import.Register",
        EnergyReactiveExportRegister = "Energy.Reactive.Export.Register",
        EnergyReactiveImportRegister = "Energy.Reactive.Import.Register",
        EnergyActiveExportInterval = "Energy.Active.Export.Interval",
        EnergyActiveImportInterval = "Energy.Active.Import.Interval",
        EnergyReactiveExportInterval = "Energy.Reactive.Export.Interval",
        EnergyReactiveImportInterval = "Energy.Reactive.Import.Interval",
        PowerActiveExport = "Power.Active.Export", PowerActiveImport = "Power.Active.Import",
        PowerOffered = "Power.Offered", PowerReactiveExport = "Power.Reactive.Export",
        PowerReactiveImport = "Power.Reactive.Import", PowerFactor = "Power.Factor", CurrentImport = "Current.Import",
        CurrentExport = "Current.Export", CurrentOffered = "Current.Offered", Voltage, Frequency, Temperature,
        StateOfCharge = "SoC", Rpm = "RPM",
    }
}

crate::choice! {
    /// Where a value was measured (§7.30); absent means `Outlet`.
    pub open enum Location { Cable, Ev = "EV", Inlet, Outlet, Body }
}

crate::choice! {
    /// Which conductors a value is about (§7.34); absent means all of them together.
    pub open enum Phase {
        L1, L2, L3, N, L1N = "L1-N", L2N = "L2-N", L3N = "L3-N", L1L2 = "L1-L2", L2L3 = "L2-L3", L3L1 = "L3-L1",
    }
}

crate::choice! {
    /// The unit of a value (§7.45); the specification misspelled `Celcius` first.
    pub open enum Unit {
        WattHours = "Wh", KilowattHours = "kWh", VarHours = "varh", KilovarHours = "kvarh", Watts = "W", Kilowatts = "kW",
        VoltAmperes = "VA", KilovoltAmperes = "kVA", Vars = "var", Kilovars = "kvar", Amperes = "A", Volts = "V",
        Kelvin = "K", Celcius, Celsius, Fahrenheit, Percent, Hertz,
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
        /// What was measured.
        pub measurand: Option<Measurand>,
        /// Which conductors it is about.
        pub phase: Option<Phase>,
        /// Where it was measured.
        pub location: Option<Location>,
        /// The unit; absent means the usual one, Wh for an energy.
        pub unit: Option<Unit>,
    }
}

crate::message! {
    /// What was measured at one instant (§7.33).
    pub struct MeterValue {
        /// When.
        pub timestamp: Timestamp,
        /// The values.
        pub sampled_value: Vec<SampledValue>,
    }
}

crate::exchange! {
    /// MeterValues (§4.7): what the meter of a connector shows, during a transaction or without one.
    meter_values
    asks {
        /// The connector, or 0 for the main meter of the station.
        connector_id: u32,
        /// The transaction; 0 or absent in spite of a running one from some stations.
        transaction_id: Option<i64>,
        /// One item an instant.
        meter_value: Vec<MeterValue>,
    }
    answers {}
}

/// What the values mean: a reading for each instant and context, none for values we do not use.
///
/// `nominal` is the voltage between phase and neutral to assume where a station does not measure it.
pub fn readings(values: &[MeterValue], nominal: Millivolts) -> Vec<Reading> {
    let context = |value: &SampledValue| ReadingContext::of_context(value.context.as_ref().map(Context::as_str));
    let reported: Vec<(Timestamp, &SampledValue)> = values
        .iter()
        .flat_map(|instant| {
            let reported = instant.sampled_value.iter();
            reported.map(|value| (instant.timestamp, value))
        })
        .collect();
    readings_at(&reported, nominal, context, sample)
}

/// The value in our units; `None` for what we do not use and, as a deviation, for what cannot be read.
fn sample(value: &SampledValue, deviations: &mut Vec<MeterDeviation>) -> Option<Sample> {
    if value.format == Some(Format::SignedData) {
        deviations.push(MeterDeviation::SignedData);
        return None;
    }
    let quantity = Quantity::of_measurand(value.measurand.as_ref().map(Measurand::as_str))?;
    let exponent = match &value.unit {
        None => Quantity::DEFAULT_MILLI_EXPONENT,
        Some(unit) => quantity.milli_exponent(unit.as_str()).unwrap_or_else(|| {
            deviations.push(MeterDeviation::OddUnit);
            Quantity::DEFAULT_MILLI_EXPONENT
        }),
    };
    let number = Decimal::parse(&value.value);
    let Some(milli) = number.and_then(|number| number.nearest(exponent)) else {
        deviations.push(MeterDeviation::Unreadable);
        return None;
    };
    let is_energy = matches!(quantity, Quantity::Energy | Quantity::EnergyInterval);
    if is_energy && exponent == 3 && milli % 1_000 != 0 {
        deviations.push(MeterDeviation::FractionalWattHours);
    }
    Some(Sample {
        quantity,
        line: Line::of_phase(value.phase.as_ref().map(Phase::as_str)),
        place: Place::of_location(value.location.as_ref().map(Location::as_str)),
        milli,
        is_signed: false, // what is signed is no number in 1.6
    })
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
