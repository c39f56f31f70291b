//! What a meter shows, free of versions and vendors: one [`Reading`] an instant, in integer units.
//!
//! Stations disagree about units, phases and totals. A version converts its values into [`Sample`]s; [`Reading::of`]
//! makes the best of them and notes every assumption as a deviation, so nobody above asks how a station spells its current.

mod combine;
mod words;

pub use words::{context_name, readings_at};

use kernel::{Milliamps, Millivolts, MilliwattHours, Timestamp, WattHours, Watts};

/// Why the values were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadingContext {
    /// At an interval, the usual case.
    Periodic,
    /// At an interval aligned to the clock.
    Clock,
    /// At the start of a transaction.
    Begin,
    /// At the end of a transaction.
    End,
    /// Because we asked.
    Trigger,
    /// Because charging was interrupted.
    Interrupted,
    /// Because charging went on after an interruption.
    Resumed,
    /// For another reason.
    Other,
}

/// What was measured, out of what we use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// The register of energy that went to cars.
    Energy,
    /// The energy that went to cars since the value before.
    EnergyInterval,
    /// Power to the car.
    Power,
    /// Current to the car.
    Current,
    /// Voltage.
    Voltage,
    /// How full the battery is, in percent.
    StateOfCharge,
    /// Current the station offers at most.
    OfferedCurrent,
    /// Power the station offers at most.
    OfferedPower,
}

impl Quantity {
    /// The power of ten that turns a value in this unit into thousandths of W, Wh, A, V or percent; `None` when the
    /// unit does not belong to the quantity.
    pub fn milli_exponent(self, unit: &str) -> Option<i32> {
        let unit = unit.trim().to_ascii_lowercase();
        match (self, unit.as_str()) {
            (Self::Energy | Self::EnergyInterval, "wh") | (Self::Power | Self::OfferedPower, "w") => Some(3),
            (Self::Energy | Self::EnergyInterval, "kwh") | (Self::Power | Self::OfferedPower, "kw") => Some(6),
            (Self::Current | Self::OfferedCurrent, "a" | "amp" | "amps" | "ampere") => Some(3),
            (Self::Current | Self::OfferedCurrent, "ma") | (Self::Voltage, "mv") => Some(0),
            (Self::Voltage, "v" | "volt" | "volts") => Some(3),
            (Self::Voltage, "kv") => Some(6),
            (Self::StateOfCharge, "percent" | "%") => Some(3),
            _ => None,
        }
    }

    /// The same for a value without a unit: plain Wh, W, A, V or percent.
    pub const DEFAULT_MILLI_EXPONENT: i32 = 3;
}

/// Which conductors a value is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// All of them, or it was not said.
    Total,
    /// The phase with this index: 0, 1, 2.
    Phase(usize),
    /// From the phase with this index to the next one.
    ToNextPhase(usize),
    /// The neutral conductor.
    Neutral,
}

/// Where it was measured, the best place for us first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Where the cable leaves the station.
    Outlet,
    /// In the cable.
    Cable,
    /// Where the grid enters the station.
    Inlet,
    /// In the housing.
    Body,
    /// In the car.
    Car,
}

/// One value in thousandths of W, Wh, A, V or percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// What was measured.
    pub quantity: Quantity,
    /// On which conductors.
    pub line: Line,
    /// Where.
    pub place: Place,
    /// The value.
    pub milli: i64,
    /// Whether something signed stands with it: then some stations leave the value itself at 0.
    pub is_signed: bool,
}

/// What had to be assumed or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeterDeviation {
    /// A value was no number, or out of its range, and was left out.
    Unreadable,
    /// A unit does not belong to its measurand; the usual one was assumed.
    OddUnit,
    /// A value is signed; it is kept as evidence.
    SignedData,
    /// Watts were kilowatts, as current and voltage show.
    KilowattsAsWatts,
    /// Watt hours have decimal places, so they may be kilowatt hours.
    FractionalWattHours,
    /// The total and the sum of the phases differ by more than a twentieth; the total was taken.
    TotalDiffersFromPhases,
    /// A current did not say its phase.
    CurrentWithoutPhase,
    /// Only the neutral conductor was measured; it was taken for the first phase.
    NeutralOnly,
    /// The nominal voltage stands in for a measured one.
    NominalVoltage,
    /// The power was derived from current and voltage.
    DerivedPower,
}

impl MeterDeviation {
    /// How the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable_value",
            Self::OddUnit => "odd_unit",
            Self::SignedData => "signed_data",
            Self::KilowattsAsWatts => "kilowatts_as_watts",
            Self::FractionalWattHours => "fractional_watt_hours",
            Self::TotalDiffersFromPhases => "total_differs_from_phases",
            Self::CurrentWithoutPhase => "current_without_phase",
            Self::NeutralOnly => "neutral_only",
            Self::NominalVoltage => "nominal_voltage",
            Self::DerivedPower => "derived_power",
        }
    }
}

/// What a meter showed at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When, by the clock of the station.
    pub at: Timestamp,
    /// Why it was taken.
    pub context: ReadingContext,
    /// The register of energy that went to cars; may restart with each session.
    pub energy: Option<WattHours>,
    /// The energy that went to cars since the value before.
    pub interval: Option<MilliwattHours>,
    /// Power to the car.
    pub power: Option<Watts>,
    /// Current of each phase.
    pub current: [Option<Milliamps>; 3],
    /// Voltage of each phase to neutral.
    pub voltage: [Option<Millivolts>; 3],
    /// How full the battery is.
    pub soc_percent: Option<u8>,
    /// Current of each phase that the station offers at most.
    pub offered_current: Option<Milliamps>,
    /// Power that the station offers at most.
    pub offered_power: Option<Watts>,
    /// What had to be assumed, ascending, each once.
    pub deviations: Vec<MeterDeviation>,
}

impl Reading {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.energy.is_none()
            && self.interval.is_none()
            && self.power.is_none()
            && self.soc_percent.is_none()
            && self.offered_current.is_none()
            && self.offered_power.is_none()
            && self.current.iter().all(Option::is_none)
            && self.voltage.iter().all(Option::is_none)
    }
}
