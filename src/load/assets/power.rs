//! What an asset adds to the load at one instant, also when its data is stale: the rules by which nothing that is missing
//! ever frees power.
//!
//! Pure: an asset and a time in, a [`Contribution`] out, in integers. What to make of it is up to balancing.

use std::time::Duration;

use serde::Serialize;

use super::model::asset::{Asset, AssetType, MeterScope};
use super::model::reading::Reading;
use crate::sites::stations::CurrentType;
use kernel::*;

/// How long a smart meter's last reading still counts once it is stale.
const METER_HELD: Duration = Duration::from_secs(30);

/// What an asset adds to the load, or takes off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Contribution {
    /// What it adds to the load; negative takes off. None: it adds something, and nobody knows how much, so that there is
    /// nothing to hand out.
    pub load: Option<Watts>,
    /// The same for each phase, where known; where it is not, the whole load may be on that phase. A single-phase asset
    /// does not say on which phase it is: what it draws counts on each, what it gives on none.
    pub currents: [Option<Milliamps>; 3],
    /// Whether the chargers' draw is in `load`: a meter of scope site. It is to be taken off as it was at `measured_at`,
    /// never as it is now.
    pub includes_chargers: bool,
    /// When that was measured, where it rests on a reading.
    pub measured_at: Option<Timestamp>,
    /// What it rests on.
    pub basis: Basis,
    /// When the answer changes by itself, if no reading comes.
    pub changes_at: Option<Timestamp>,
}

/// What a contribution rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A fresh reading.
    Fresh,
    /// The stale reading of a smart meter, for a while yet.
    Held,
    /// The last reading, as what is drawn at least.
    LastReading,
    /// The static value of a consumer.
    Static,
    /// The fallback of a smart meter.
    Fallback,
    /// The highest load of the last seven days of a smart meter that is silent.
    Highest,
    /// Stale, so that what it gives counts no more; or there never was a reading.
    Stale,
    /// A battery that is off.
    Off,
    /// An asset that does not count.
    Inactive,
}

impl Basis {
    /// In words, as they end a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Fresh => "as it reads",
            Self::Held => "its last reading, for a while yet",
            Self::LastReading => "its last reading",
            Self::Static => "its static_power",
            Self::Fallback => "its fallback_power",
            Self::Highest => "the highest of its last seven days",
            Self::Stale => "nothing that it gives counts",
            Self::Off => "it is off",
            Self::Inactive => "it is not active",
        }
    }
}

impl Contribution {
    fn of(load: Watts, basis: Basis) -> Self {
        Self {
            load: Some(load),
            currents: [None; 3],
            includes_chargers: false,
            measured_at: None,
            basis,
            changes_at: None,
        }
    }

    fn nothing(basis: Basis) -> Self {
        Self { currents: [Some(Milliamps::ZERO); 3], ..Self::of(Watts::ZERO, basis) }
    }

    fn unknown() -> Self {
        Self { load: None, ..Self::of(Watts::ZERO, Basis::Stale) }
    }
}

/// What `asset` adds to the load at `now`.
pub fn contribution(asset: &Asset, now: Timestamp) -> Contribution {
    if !asset.active {
        return Contribution::nothing(Basis::Inactive);
    }
    match (asset.kind, asset.meter_scope) {
        (AssetType::SmartMeter, Some(MeterScope::Site)) => meter(asset, true, now),
        (AssetType::SmartMeter, Some(MeterScope::Building) | None) => meter(asset, false, now),
        (AssetType::SmartMeter, Some(MeterScope::Production)) | (AssetType::Producer | AssetType::Battery, _) => {
            source(asset, now)
        }
        (AssetType::Consumer | AssetType::Other, _) => consumer(asset, now),
    }
}

/// Everything behind a meter: its reading, kept for a while beyond staleness, then the fallback. Without a fallback the highest
/// load of its last days: the last reading may have been that of a quiet minute. Where none is known yet, the last
/// reading, as far as it draws.
fn meter(asset: &Asset, includes_chargers: bool, now: Timestamp) -> Contribution {
    let held_until = asset.measured.fresh_until.map(|until| until + METER_HELD);
    let last = Last::of(asset);
    let measured = |contribution| Contribution { includes_chargers, ..contribution };
    match (last, held_until) {
        (Some(last), Some(until)) if now < until => {
            let basis = if asset.is_stale(now) { Basis::Held } else { Basis::Fresh };
            measured(last.as_read(basis, Some(until)))
        }
        (last, _) => {
            let peaks = asset.measured.peaks.as_ref();
            let highest = peaks.and_then(|peaks| peaks.0.highest());
            match (asset.fallback_power, highest, last) {
                (Some(fallback), ..) => Contribution::of(fallback, Basis::Fallback),
                (None, Some(highest), _) => Contribution::of(highest.at_least_zero(), Basis::Highest),
                (None, None, Some(last)) => measured(last.drawing(Basis::LastReading, None)),
                (None, None, None) => Contribution::unknown(),
            }
        }
    }
}

/// What is drawn besides the chargers; stale, the static value, at least the last reading. It never feeds in.
fn consumer(asset: &Asset, now: Timestamp) -> Contribution {
    let last = Last::of(asset);
    if let Some(last) = last.filter(|_| !asset.is_stale(now)) {
        return last.drawing(Basis::Fresh, asset.measured.fresh_until);
    }
    let fixed = asset.static_power.map(|power| Contribution::of(power, Basis::Static));
    let read = last.map(|last| last.drawing(Basis::LastReading, None));
    match (fixed, read) {
        (Some(fixed), Some(read)) if read.load > fixed.load => read,
        (Some(fixed), _) => fixed,
        (None, Some(read)) => read,
        (None, None) if asset.kind == AssetType::Other => Contribution::nothing(Basis::Stale),
        (None, None) => Contribution::unknown(),
    }
}

/// What gives power: only while its data is fresh and, for a battery, while it is on. What it draws is a load, and stays
/// one until a reading says otherwise or the battery is off.
fn source(asset: &Asset, now: Timestamp) -> Contribution {
    let off = asset.kind == AssetType::Battery && asset.switched_on != Some(true);
    let stale = asset.is_stale(now);
    let basis = match (off, stale) {
        (true, _) => Basis::Off,
        (false, true) => Basis::Stale,
        (false, false) => Basis::Fresh,
    };
    match Last::of(asset) {
        Some(last) if !stale && (!off || last.draws()) => last.as_read(basis, asset.measured.fresh_until),
        Some(last) if !off && last.draws() => last.drawing(Basis::LastReading, None),
        _ => Contribution::nothing(basis),
    }
}

impl Asset {
    /// The most that is believed of what it gives: what it is rated for and a tenth, where that is known.
    pub fn gives_at_most(&self) -> Watts {
        let rated = self.static_power.filter(|rated| *rated > Watts::ZERO);
        rated.map_or(Watts(i64::MAX), |rated| Watts(rated.get() + rated.get() / 10))
    }

    /// What it explains of power that is fed in, of which `read` is its load by a fresh reading, if there is any: that much, else
    /// as much as it is rated for.
    pub fn explains(&self, read: Option<Watts>) -> Watts {
        if !self.active || !self.produces() {
            return Watts::ZERO;
        }
        let given = (-read.unwrap_or_default()).at_least_zero();
        let rated = self.static_power.filter(|_| self.switched_on != Some(false));
        given.max(rated.unwrap_or_default())
    }
}

/// The last reading, turned so that positive draws.
#[derive(Clone, Copy)]
struct Last<'a> {
    asset: &'a Asset,
    reading: &'a Reading,
    load: Watts,
}

impl<'a> Last<'a> {
    fn of(asset: &'a Asset) -> Option<Self> {
        let reading = &asset.measured.latest.as_ref()?.0;
        let load = match asset.produces() {
            true => (-reading.power).max(-asset.gives_at_most()),
            false => reading.power,
        };
        Some(Self { asset, reading, load })
    }

    /// It says that more is given than can be.
    fn is_bounded(self) -> bool {
        self.asset.produces() && self.load != -self.reading.power
    }

    fn draws(self) -> bool {
        self.load > Watts::ZERO
    }

    /// As it was read, with the margin. The margin alone makes no load of what gives.
    fn as_read(self, basis: Basis, changes_at: Option<Timestamp>) -> Contribution {
        let with_margin = self.load + self.asset.fluctuation_margin;
        let gives = self.asset.produces() && !self.draws();
        Contribution {
            currents: self.currents(),
            measured_at: self.asset.measured.latest_at,
            changes_at,
            ..Contribution::of(if gives { with_margin.min(Watts::ZERO) } else { with_margin }, basis)
        }
    }

    /// The same, but what it feeds in is left out.
    fn drawing(self, basis: Basis, changes_at: Option<Timestamp>) -> Contribution {
        let at_least_zero = Self { load: self.load.at_least_zero(), ..self };
        let read = at_least_zero.as_read(basis, changes_at);
        Contribution { currents: read.currents.map(|one| one.map(Milliamps::at_least_zero)), ..read }
    }

    /// The current of each phase with the margin, shared equally by the phases.
    fn currents(self) -> [Option<Milliamps>; 3] {
        let count = match self.asset.electric_current_type {
            CurrentType::Dc => return [None; 3], // behind an inverter; its phases are not known
            _ if self.is_bounded() => return [None; 3],
            CurrentType::AcSinglePhase => 1,
            CurrentType::AcThreePhase => 3,
        };
        let sign = if self.asset.produces() { -1 } else { 1 };
        let of_phase = |phase: usize| {
            let current = sign * (*self.reading.current.get(phase)?)?.get();
            let voltage = (*self.reading.voltage.get(phase)?)?;
            let margin = self.asset.fluctuation_margin.get() * 1_000_000;
            let divisor = (voltage.get() * count).max(1);
            let with_margin = current + margin / divisor + i64::from(margin % divisor > 0);
            let gives = self.asset.produces() && current <= 0;
            Some(Milliamps(if gives { with_margin.min(0) } else { with_margin }))
        };
        if count == 1 { [of_phase(0).map(Milliamps::at_least_zero); 3] } else { [0, 1, 2].map(of_phase) }
    }
}

#[cfg(test)]
#[path = "power_tests.rs"]
mod tests;
