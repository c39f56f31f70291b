//! Adds up what a timeline costs under a tariff.

use rust_decimal::Decimal;

use super::pieces::{Piece, State, pieces};
use super::tariff::{Component, Counted, Element, Kind, Selection, Tariff, Unit};
use super::timeline::Timeline;
use super::wall_clock::wall_clock;
use kernel::{Currency, TimeZone, Timestamp};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;
/// Kinds that are looked up for each piece; a flat fee is looked up once.
const METERED: [Kind; 4] = [Kind::Energy, Kind::Time, Kind::ParkingTime, Kind::BlockingFee];

/// A line of a bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is for.
    pub kind: Kind,
    /// The name of the element whose price it is.
    pub name: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// How many units are billed.
    pub quantity: Decimal,
    /// The unit.
    pub unit: Unit,
    /// What a unit costs, before tax.
    pub unit_price: Decimal,
    /// What the units cost, before tax.
    pub before_tax: Decimal,
    /// The tax in percent.
    pub tax: Decimal,
    /// The tax.
    pub total_tax: Decimal,
    /// Both.
    pub total: Decimal,
}

/// What a session costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// In what it is paid.
    pub currency: Currency,
    /// The sum of its lines, before tax.
    pub before_tax: Decimal,
    /// The sum of their taxes.
    pub total_tax: Decimal,
    /// Both: what is to be paid.
    pub total: Decimal,
    /// How it comes about, in the order in which it arose.
    pub lines: Vec<Line>,
}

/// What a session costs whose charger stands in this time zone.
///
/// Steps follow OCPI 2.2.1 (mod_cdrs, "step_size"): the total of a kind is rounded up once, by the step of its last
/// component; where a session has both charging and parking time, only the parking time is.
pub fn cost(tariff: &Tariff, timeline: &Timeline, zone: TimeZone) -> Cost {
    let mut meter =
        Meter { tariff, start: timeline.start, charged_until: timeline.charged_until(), counts: Vec::new() };
    meter.flat_fee(wall_clock(timeline.start, zone));
    for piece in pieces(tariff, timeline, zone) {
        let clock = if tariff.decided_at_start { timeline.start } else { piece.from };
        meter.take(&piece, wall_clock(clock, zone));
    }
    meter.round_up();
    bill(tariff, meter.counts, timeline)
}

/// A line before money: how much of what was used under which component.
struct Count<'a> {
    element: &'a Element,
    component: &'a Component,
    from: Timestamp,
    to: Timestamp,
    /// Wh, microseconds, or sessions; of time, what lies within the grace period too.
    used: i64,
    /// The same, as it is billed.
    billed: i64,
}

struct Meter<'a> {
    tariff: &'a Tariff,
    start: Timestamp,
    charged_until: Timestamp,
    counts: Vec<Count<'a>>,
}

impl<'a> Meter<'a> {
    fn flat_fee(&mut self, wall: (u32, u32)) {
        let state = State { energy: kernel::WattHours::ZERO, seconds: 0, power: kernel::Watts::ZERO, wall };
        if let Some((element, component)) = self.applying(Kind::Flat, &state) {
            self.counts.push(Count { element, component, from: self.start, to: self.start, used: 1, billed: 1 });
        }
    }

    /// The component of this kind that applies, with its element.
    fn applying(&self, kind: Kind, state: &State) -> Option<(&'a Element, &'a Component)> {
        let mut elements = self.tariff.elements.iter().filter(|element| element.when.hold(state));
        let found = match self.tariff.selection {
            Selection::WholeElement => elements.next(),
            Selection::EachKind => elements.find(|element| element.component(kind).is_some()),
        };
        found.and_then(|element| Some((element, element.component(kind)?)))
    }

    fn take(&mut self, piece: &Piece, wall: (u32, u32)) {
        let state = State {
            energy: piece.energy_before,
            seconds: piece.from.seconds_since(self.start),
            power: piece.power,
            wall,
        };
        for kind in METERED {
            let Some((element, component)) = self.applying(kind, &state) else {
                continue;
            };
            let used = self.used(component.counted, piece);
            if used == 0 {
                continue;
            }
            let billed = self.beyond_grace(component, used);
            let last = self.counts.iter_mut().rev().find(|count| count.component.kind == kind);
            match last {
                Some(count) if std::ptr::eq(count.component, component) => {
                    count.used += used;
                    count.billed += billed;
                    count.to = piece.to;
                }
                _ => self.counts.push(Count { element, component, from: piece.from, to: piece.to, used, billed }),
            }
        }
    }

    /// How much of what is counted a piece has.
    fn used(&self, counted: Counted, piece: &Piece) -> i64 {
        let micros = |from: Timestamp| (piece.to.micros() - from.micros()).max(0);
        match counted {
            Counted::Session => 0,
            Counted::Energy => piece.energy.get(),
            Counted::Charging if piece.charging => micros(piece.from),
            Counted::NotCharging if !piece.charging => micros(piece.from),
            Counted::Charging | Counted::NotCharging => 0,
            Counted::Connected => micros(piece.from),
            Counted::AfterCharging => micros(piece.from.max(self.charged_until)),
        }
    }

    /// What of this use lies beyond the grace period, after all the use of that kind before.
    fn beyond_grace(&self, component: &Component, used: i64) -> i64 {
        if matches!(component.counted, Counted::Session | Counted::Energy) {
            return used;
        }
        let before: i64 = self.of_kind(component.kind).map(|count| count.used).sum();
        let grace = component.grace_seconds.saturating_mul(1_000_000);
        (before + used - grace).clamp(0, used)
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Count<'a>> {
        self.counts.iter().filter(move |count| count.component.kind == kind)
    }

    fn round_up(&mut self) {
        let parked = self.of_kind(Kind::ParkingTime).any(|count| count.billed > 0);
        for kind in METERED {
            if kind == Kind::Time && parked {
                continue;
            }
            let total: i64 = self.of_kind(kind).map(|count| count.billed).sum();
            let last = self.counts.iter_mut().rev().find(|count| count.component.kind == kind && count.billed > 0);
            if let Some(last) = last {
                let step = match last.component.counted {
                    Counted::Energy => last.component.step,
                    _ => last.component.step.saturating_mul(1_000_000),
                };
                // A step of one second or Wh means: as exactly as it was measured.
                if last.component.step > 1 && total.rem_euclid(step) > 0 {
                    last.billed += step - total.rem_euclid(step);
                }
            }
        }
    }
}

impl Count<'_> {
    fn per_unit(&self) -> i64 {
        match self.component.unit {
            Unit::Session => 1,
            Unit::KilowattHour => 1_000,
            Unit::Hour => HOUR,
            Unit::Minute => HOUR / 60,
        }
    }

    /// What it costs, unrounded, before tax and the tax.
    fn exactly(&self) -> (Decimal, Decimal) {
        let before_tax = self.component.price * Decimal::from(self.billed) / Decimal::from(self.per_unit());
        (before_tax, before_tax * self.component.tax / Decimal::ONE_HUNDRED)
    }
}

/// Rounds a growing sum, and gives each addend what it makes the rounded sum grow by: nothing gets lost between them.
struct RunningSum {
    currency: Currency,
    exact: Decimal,
    rounded: Decimal,
}

impl RunningSum {
    const fn new(currency: Currency) -> Self {
        Self { currency, exact: Decimal::ZERO, rounded: Decimal::ZERO }
    }

    fn add(&mut self, amount: Decimal) -> Decimal {
        self.exact += amount;
        let before = self.rounded;
        self.rounded = self.currency.round(self.exact);
        self.rounded - before
    }
}

fn bill(tariff: &Tariff, counts: Vec<Count<'_>>, timeline: &Timeline) -> Cost {
    /// Digits of a quantity that are shown.
    const SHOWN: u32 = 6;
    let (mut net, mut taxes) = (RunningSum::new(tariff.currency), RunningSum::new(tariff.currency));
    let line = |count: Count<'_>| {
        let (before_tax, tax) = count.exactly();
        let (before_tax, total_tax) = (net.add(before_tax), taxes.add(tax));
        let quantity = Decimal::from(count.billed) / Decimal::from(count.per_unit());
        Line {
            kind: count.component.kind,
            name: count.element.name.clone(),
            from: count.from,
            to: count.to,
            quantity: quantity.round_dp(SHOWN).normalize(),
            unit: count.component.unit,
            unit_price: count.component.price,
            before_tax,
            tax: count.component.tax,
            total_tax,
            total: before_tax + total_tax,
        }
    };
    let mut lines: Vec<Line> = counts.into_iter().map(line).collect();
    let sum = net.rounded + taxes.rounded;
    let least = tariff.minimum.map_or(Decimal::ZERO, |least| tariff.currency.round(least));
    if sum < least {
        let missing = least - sum;
        net.rounded += missing;
        lines.push(Line {
            kind: Kind::Minimum,
            name: "Minimum amount".to_owned(),
            from: timeline.start,
            to: timeline.end(),
            quantity: Decimal::ONE,
            unit: Unit::Session,
            unit_price: missing,
            before_tax: missing,
            tax: Decimal::ZERO,
            total_tax: Decimal::ZERO,
            total: missing,
        });
    }
    Cost {
        currency: tariff.currency,
        before_tax: net.rounded,
        total_tax: taxes.rounded,
        total: net.rounded + taxes.rounded,
        lines,
    }
}
