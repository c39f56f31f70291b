//! Prices, and when each of them applies.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::wall_clock::wall_clock;
use kernel::calendar::Weekdays;
use kernel::{Currency, TimeZone, Timestamp, WattHours, Watts};

kernel::spelled! {
    /// What a line of a bill is for.
    pub enum Kind {
        /// Once a session.
        Flat = "FLAT",
        /// Energy.
        Energy = "ENERGY",
        /// Time of charging.
        Time = "TIME",
        /// Time parked there.
        ParkingTime = "PARKING_TIME",
        /// Time of blocking the connector.
        BlockingFee = "BLOCKING_FEE",
        /// What is missing to the least that a session costs.
        Minimum = "MINIMUM",
    }
}

kernel::spelled! {
    /// What is counted.
    pub enum Counted {
        /// The session itself.
        Session = "session",
        /// Energy.
        Energy = "energy",
        /// Time in which the car drew energy.
        Charging = "charging",
        /// Time in which it drew none.
        NotCharging = "not_charging",
        /// All the time from plug to plug.
        Connected = "connected",
        /// Time after it drew energy for the last time.
        AfterCharging = "after_charging",
    }
}

kernel::spelled! {
    /// What a price is for one of.
    pub enum Unit {
        /// The session.
        Session = "session",
        /// A kilowatt-hour.
        KilowattHour = "kWh",
        /// An hour.
        Hour = "h",
        /// A minute.
        Minute = "min",
    }
}

kernel::spelled! {
    /// How elements are chosen.
    pub enum Selection {
        /// The first element that applies decides everything: eDRV, service offers.
        WholeElement = "whole_element",
        /// Each kind of component comes from the first element that applies and has one: OCPI.
        EachKind = "each_kind",
    }
}

/// A price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// What it is for.
    pub kind: Kind,
    /// What is counted.
    pub counted: Counted,
    /// What one unit costs, before tax.
    pub price: Decimal,
    /// The unit.
    pub unit: Unit,
    /// Tax on it, in percent.
    pub tax: Decimal,
    /// How long it costs nothing, in seconds of the time that it counts.
    pub grace_seconds: i64,
    /// Whole steps are billed, of this many Wh or seconds; 1 or less means exactly what was used.
    pub step: i64,
}

/// Some hours of some days, by the wall clock. One that ends when or before it begins ends on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The days on which it begins.
    pub weekdays: Weekdays,
    /// The second of the day at which it begins.
    pub from: u32,
    /// The second of the day at which it is over; 86,400 is the end of the day.
    pub to: u32,
}

impl Window {
    /// Whether this second of this day (Sunday is 0) is inside.
    pub fn contains(&self, weekday: u32, second: u32) -> bool {
        if self.from < self.to {
            return self.weekdays.contains(weekday) && (self.from..self.to).contains(&second);
        }
        let yesterday = (weekday + 6) % 7;
        (self.weekdays.contains(weekday) && second >= self.from)
            || (self.weekdays.contains(yesterday) && second < self.to)
    }
}

/// When an element applies; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// In these hours.
    pub window: Option<Window>,
    /// From this much energy of the session.
    pub from_energy: Option<WattHours>,
    /// Below this much energy of the session.
    pub below_energy: Option<WattHours>,
    /// From this many seconds of the session.
    pub from_seconds: Option<i64>,
    /// Below this many seconds of the session.
    pub below_seconds: Option<i64>,
    /// While more power than this is drawn.
    pub above_power: Option<Watts>,
    /// While less power than this is drawn.
    pub below_power: Option<Watts>,
}

/// Prices that apply together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// What it is called on the bill.
    pub name: String,
    /// When it applies.
    #[serde(default)]
    pub when: Conditions,
    /// The prices, at most one of a kind.
    pub components: Vec<Component>,
}

impl Element {
    /// Its component of this kind.
    pub fn component(&self, kind: Kind) -> Option<&Component> {
        self.components.iter().find(|component| component.kind == kind)
    }
}

/// Everything that decides what a session costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tariff {
    /// In what it is paid.
    pub currency: Currency,
    /// The prices; the first that applies counts.
    pub elements: Vec<Element>,
    /// How elements are chosen.
    pub selection: Selection,
    /// Whether the time of day at the start decides for the whole session.
    pub decided_at_start: bool,
    /// The least that a session costs, with tax.
    pub minimum: Option<Decimal>,
}

impl Tariff {
    /// The elements that hold at this instant, by the time of day alone, in their order.
    fn holding_at(&self, at: Timestamp, zone: TimeZone) -> impl Iterator<Item = &Element> {
        let (weekday, second) = wall_clock(at, zone);
        self.elements.iter().filter(move |element| {
            let window = element.when.window;
            window.is_none_or(|window| window.contains(weekday, second))
        })
    }

    /// What a session that begins at this instant is priced by at first: the name on the bill, and a component of each kind.
    pub fn prices_at(&self, at: Timestamp, zone: TimeZone) -> Option<(&str, Vec<&Component>)> {
        let begins = |element: &&Element| {
            let when = &element.when;
            let energy = when.from_energy.is_none_or(|from| from.get() <= 0);
            energy && when.from_seconds.is_none_or(|from| from <= 0) && when.above_power.is_none()
        };
        let mut elements = self.holding_at(at, zone).filter(begins);
        let first = elements.next()?;
        let mut components: Vec<&Component> = first.components.iter().collect();
        if self.selection == Selection::EachKind {
            for component in elements.flat_map(|element| &element.components) {
                if components.iter().all(|known| known.kind != component.kind) {
                    components.push(component);
                }
            }
        }
        Some((&first.name, components))
    }

    /// What a kilowatt-hour costs at this instant with tax, in millionths of the currency, by the time of day alone; `None`
    /// where energy has no price of its own.
    pub fn energy_price_at(&self, at: Timestamp, zone: TimeZone) -> Option<i64> {
        let component = self.holding_at(at, zone).next()?.component(Kind::Energy)?;
        let with_tax = component.price * (Decimal::ONE + component.tax / Decimal::ONE_HUNDRED);
        (with_tax * Decimal::from(1_000_000)).round().to_i64()
    }
}
