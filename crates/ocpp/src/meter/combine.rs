//! From samples to a reading: totals out of phases, phases out of totals, power out of current and voltage.

use kernel::{Milliamps, Millivolts, MilliwattHours, Timestamp, WattHours, Watts};

use super::{Line, MeterDeviation, Quantity, Reading, ReadingContext, Sample};

impl Reading {
    /// Makes the best of the samples of one instant; `nominal` is the voltage to assume where none was measured.
    pub fn of(
        at: Timestamp,
        context: ReadingContext,
        samples: &[Sample],
        nominal: Millivolts,
        mut deviations: Vec<MeterDeviation>,
    ) -> Self {
        let samples = Samples(samples);
        let stated = samples.total(Quantity::Power, &mut deviations);
        let measured = samples.any_voltage();
        let usual = measured.unwrap_or(nominal.get());
        let current = samples
            .current(&mut deviations, |lone| stated.is_some_and(|power| is_three_times(power, product(lone, usual))));
        let voltage = samples.voltage(&current);
        let derived = derived_power(&current, &voltage, usual);
        if stated.is_none() && derived.is_some() && measured.is_none() {
            deviations.push(MeterDeviation::NominalVoltage);
        }
        let power = plausible_power(stated, derived, &mut deviations);
        let energy = samples.total(Quantity::Energy, &mut deviations);
        let interval = samples.total(Quantity::EnergyInterval, &mut deviations);
        let offered_power = samples.total(Quantity::OfferedPower, &mut deviations);
        let soc_percent = samples.state_of_charge(&mut deviations);
        deviations.sort_unstable();
        deviations.dedup();

        Self {
            at,
            context,
            energy: energy.map(|milli| WattHours(to_whole(milli))),
            interval: interval.map(MilliwattHours),
            power: power.map(|milli| Watts(to_whole(milli))),
            current: current.map(|one| one.map(Milliamps)),
            voltage: voltage.map(|one| one.map(Millivolts)),
            soc_percent,
            offered_current: samples.largest(Quantity::OfferedCurrent).map(Milliamps),
            offered_power: offered_power.map(|milli| Watts(to_whole(milli))),
            deviations,
        }
    }
}

/// Thousandths of each phase.
type PerPhase = [Option<i64>; 3];

struct Samples<'a>(&'a [Sample]);

impl Samples<'_> {
    /// The samples of a quantity from the best place that has any.
    fn best(&self, quantity: Quantity) -> impl Iterator<Item = &Sample> {
        let of_quantity = move |sample: &&Sample| sample.quantity == quantity;
        let place = self.0.iter().filter(of_quantity).map(|one| one.place).min();
        self.0.iter().filter(of_quantity).filter(move |sample| Some(sample.place) == place)
    }

    /// The latest of several, but one that is not signed before one that is, and a register that shows something before
    /// one of 0.
    fn on(&self, quantity: Quantity, line: Line) -> Option<i64> {
        let is_shown = |one: &Sample| quantity == Quantity::Energy && one.milli != 0;
        self.best(quantity)
            .filter(|sample| sample.line == line)
            .max_by_key(|sample| (!sample.is_signed, is_shown(sample)))
            .map(|sample| sample.milli)
    }

    fn per_phase(&self, quantity: Quantity, line: impl Fn(usize) -> Line) -> PerPhase {
        [0, 1, 2].map(|index| self.on(quantity, line(index)))
    }

    fn largest(&self, quantity: Quantity) -> Option<i64> {
        self.best(quantity).map(|sample| sample.milli).max()
    }

    /// The total, or the sum of the phases, or what the neutral conductor says.
    fn total(&self, quantity: Quantity, deviations: &mut Vec<MeterDeviation>) -> Option<i64> {
        let phases = self.per_phase(quantity, Line::Phase);
        let sum = phases.into_iter().flatten().reduce(i64::saturating_add);
        let total = self.on(quantity, Line::Total);
        if let (Some(total), Some(sum)) = (total, sum)
            && total.abs_diff(sum) > total.unsigned_abs() / 20 + 1_000
        {
            deviations.push(MeterDeviation::TotalDiffersFromPhases);
        }
        total.or(sum).or_else(|| {
            let neutral = self.on(quantity, Line::Neutral)?;
            deviations.push(MeterDeviation::NeutralOnly);
            Some(neutral)
        })
    }

    /// Whole percent; anything outside 0 to 100 is left out.
    fn state_of_charge(&self, deviations: &mut Vec<MeterDeviation>) -> Option<u8> {
        let percent = self.total(Quantity::StateOfCharge, deviations)?.div_euclid(1_000);
        let sane = u8::try_from(percent).ok().filter(|percent| *percent <= 100);
        if sane.is_none() {
            deviations.push(MeterDeviation::Unreadable);
        }
        sane
    }

    /// The current of each phase; one that did not say its phase is on all three when `is_on_three` finds so.
    fn current(&self, deviations: &mut Vec<MeterDeviation>, is_on_three: impl Fn(i64) -> bool) -> PerPhase {
        let phases = self.per_phase(Quantity::Current, Line::Phase);
        if phases != [None; 3] {
            return phases;
        }
        if let Some(lone) = self.on(Quantity::Current, Line::Total) {
            deviations.push(MeterDeviation::CurrentWithoutPhase);
            return if is_on_three(lone) { [Some(lone); 3] } else { [Some(lone), None, None] };
        }
        let neutral = self.on(Quantity::Current, Line::Neutral);
        deviations.extend(neutral.map(|_| MeterDeviation::NeutralOnly));
        [neutral, None, None]
    }

    /// The voltage of each phase; one that did not say its phase is that of every phase with a current.
    fn voltage(&self, current: &PerPhase) -> PerPhase {
        let phased = self.phased_voltage();
        match self.on(Quantity::Voltage, Line::Total) {
            Some(unphased) if phased == [None; 3] => match current.map(|one| one.and(Some(unphased))) {
                [None, None, None] => [Some(unphased), None, None],
                carrying => carrying,
            },
            _ => phased,
        }
    }

    fn phased_voltage(&self) -> PerPhase {
        let to_neutral = self.per_phase(Quantity::Voltage, Line::Phase);
        if to_neutral != [None; 3] {
            return to_neutral;
        }
        let between = self.per_phase(Quantity::Voltage, Line::ToNextPhase);
        between.map(|one| one.map(line_to_neutral))
    }

    fn any_voltage(&self) -> Option<i64> {
        let phased = self.phased_voltage().into_iter().flatten().next();
        phased.or_else(|| self.on(Quantity::Voltage, Line::Total))
    }
}

/// The stated power, unless current and voltage show that it was meant in kilowatts; without one, theirs.
fn plausible_power(stated: Option<i64>, derived: Option<i64>, deviations: &mut Vec<MeterDeviation>) -> Option<i64> {
    match (stated, derived) {
        (Some(power), Some(expected)) if is_thousandth(power, expected) => {
            deviations.push(MeterDeviation::KilowattsAsWatts);
            power.checked_mul(1_000)
        }
        (None, Some(expected)) => {
            deviations.push(MeterDeviation::DerivedPower);
            Some(expected)
        }
        _ => stated,
    }
}

/// The power of these currents, with `usual` for a voltage that was not measured.
fn derived_power(current: &PerPhase, voltage: &PerPhase, usual: i64) -> Option<i64> {
    let phases = current.iter().zip(voltage);
    phases
        .filter_map(|(current, voltage)| Some(product((*current)?, voltage.unwrap_or(usual))))
        .reduce(i64::saturating_add)
}

/// Milliwatts of milliamperes and millivolts.
const fn product(current: i64, voltage: i64) -> i64 {
    current.saturating_mul(voltage) / 1_000
}

/// Whether a power is a thousandth of the expected one, within 30 % and too large for noise.
fn is_thousandth(power: i64, expected: i64) -> bool {
    let thousandfold = power.saturating_mul(1_000);
    expected > 500_000 && thousandfold.abs_diff(expected) < expected.unsigned_abs() / 10 * 3
}

/// Whether a power is that of three phases rather than one.
fn is_three_times(power: i64, of_one: i64) -> bool {
    of_one > 0 && (of_one / 2 * 5..of_one / 2 * 7).contains(&power)
}

/// Divided by the square root of 3.
const fn line_to_neutral(millivolts: i64) -> i64 {
    millivolts.saturating_mul(1_000) / 1_732
}

/// Thousandths to the nearest whole.
const fn to_whole(milli: i64) -> i64 {
    milli.saturating_add(500).div_euclid(1_000)
}
