//! What the words of meter values mean; they are the same in every version of OCPP.

use kernel::{Millivolts, Timestamp};

use super::{Line, MeterDeviation, Place, Quantity, Reading, ReadingContext, Sample};

impl Quantity {
    /// What a measurand is about; nothing for those that we do not use. The energy register is meant where none is given.
    pub fn of_measurand(measurand: Option<&str>) -> Option<Self> {
        match measurand {
            None | Some("Energy.Active.Import.Register") => Some(Self::Energy),
            Some("Energy.Active.Import.Interval") => Some(Self::EnergyInterval),
            Some("Power.Active.Import") => Some(Self::Power),
            Some("Current.Import") => Some(Self::Current),
            Some("Voltage") => Some(Self::Voltage),
            Some("SoC") => Some(Self::StateOfCharge),
            Some("Current.Offered" | "Current.Import.Offered") => Some(Self::OfferedCurrent),
            Some("Power.Offered" | "Power.Import.Offered") => Some(Self::OfferedPower),
            Some(_) => None,
        }
    }
}

impl Line {
    /// `L1-N` is `L1`: for a voltage it is the same thing, and for a current it is what some stations say.
    pub fn of_phase(phase: Option<&str>) -> Self {
        match phase {
            Some("L1" | "L1-N") => Self::Phase(0),
            Some("L2" | "L2-N") => Self::Phase(1),
            Some("L3" | "L3-N") => Self::Phase(2),
            Some("L1-L2") => Self::ToNextPhase(0),
            Some("L2-L3") => Self::ToNextPhase(1),
            Some("L3-L1") => Self::ToNextPhase(2),
            Some("N") => Self::Neutral,
            _ => Self::Total,
        }
    }
}

impl Place {
    /// Where it was measured; where the cable leaves the station unless something else is given.
    pub fn of_location(location: Option<&str>) -> Self {
        match location {
            Some("Cable") => Self::Cable,
            Some("Inlet" | "Upstream") => Self::Inlet,
            Some("Body") => Self::Body,
            Some("EV") => Self::Car,
            _ => Self::Outlet,
        }
    }
}

impl ReadingContext {
    /// Why it was taken; at an interval unless something else is given.
    pub fn of_context(context: Option<&str>) -> Self {
        match context {
            None | Some("Sample.Periodic") => Self::Periodic,
            Some("Sample.Clock") => Self::Clock,
            Some("Transaction.Begin") => Self::Begin,
            Some("Transaction.End") => Self::End,
            Some("Trigger") => Self::Trigger,
            Some("Interruption.Begin") => Self::Interrupted,
            Some("Interruption.End") => Self::Resumed,
            Some(_) => Self::Other,
        }
    }
}

/// What a context is called where readings are kept.
pub const fn context_name(context: ReadingContext) -> &'static str {
    match context {
        ReadingContext::Periodic => "Periodic",
        ReadingContext::Clock => "Clock",
        ReadingContext::Begin => "Begin",
        ReadingContext::End => "End",
        ReadingContext::Trigger => "Trigger",
        ReadingContext::Interrupted => "Interrupted",
        ReadingContext::Resumed => "Resumed",
        ReadingContext::Other => "Other",
    }
}

/// What values mean: a reading for each instant and context, none for values that we do not use. Elements of a message
/// that name the same instant, one measurand each, make one reading.
///
/// `nominal` is the voltage between phase and neutral to assume where a station does not measure it.
pub fn readings_at<V>(
    values: &[(Timestamp, &V)],
    nominal: Millivolts,
    context_of: impl Fn(&V) -> ReadingContext,
    sample: impl Fn(&V, &mut Vec<MeterDeviation>) -> Option<Sample>,
) -> Vec<Reading> {
    let place = |(at, value): &(Timestamp, &V)| (*at, context_of(value));
    let mut places: Vec<(Timestamp, ReadingContext)> = Vec::with_capacity(1);
    for known in values.iter().map(&place) {
        if !places.contains(&known) {
            places.push(known);
        }
    }
    let reading = |(at, context)| {
        let mut deviations = Vec::new();
        let together = values.iter().filter(|value| place(value) == (at, context));
        let samples: Vec<Sample> = together.filter_map(|(_, value)| sample(value, &mut deviations)).collect();
        let reading = Reading::of(at, context, &samples, nominal, deviations);
        (!reading.is_empty() || !reading.deviations.is_empty()).then_some(reading)
    };
    places.into_iter().filter_map(reading).collect()
}
