//! Worked examples as tables, computed by hand in the comments, and what holds for every bill.

mod edrv;
mod hubject;
mod ocpi;
mod properties;

use rust_decimal::Decimal;

use super::*;
use kernel::calendar::Weekdays;
use kernel::{TimeZone, WattHours, Watts};

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

fn zone(name: &str) -> TimeZone {
    name.parse().expect("a zone")
}

fn amsterdam() -> TimeZone {
    zone("Europe/Amsterdam")
}

fn days(names: &[&str]) -> Weekdays {
    Weekdays::from_names(names.iter().copied()).expect("days")
}

/// A price of OCPI's or eDRV's kinds, with tax in percent.
fn price(kind: Kind, price: &str, tax: &str) -> Component {
    let (counted, unit) = match kind {
        Kind::Energy => (Counted::Energy, Unit::KilowattHour),
        Kind::Time => (Counted::Charging, Unit::Hour),
        Kind::ParkingTime => (Counted::NotCharging, Unit::Hour),
        Kind::BlockingFee => (Counted::Connected, Unit::Minute),
        Kind::Flat | Kind::Minimum => (Counted::Session, Unit::Session),
    };
    Component { kind, counted, price: decimal(price), unit, tax: decimal(tax), grace_seconds: 0, step: 1 }
}

fn stepped(step: i64, component: Component) -> Component {
    Component { step, ..component }
}

fn always(components: Vec<Component>) -> Element {
    Element { name: "always".to_owned(), when: Conditions::default(), components }
}

fn when(when: Conditions, components: Vec<Component>) -> Element {
    Element { when, ..always(components) }
}

/// From a full hour to a full hour.
fn hours(weekdays: Weekdays, from: u32, to: u32) -> Conditions {
    let (from, to) = (from * 3_600, to * 3_600);
    Conditions { window: Some(Window { weekdays, from, to }), ..Conditions::default() }
}

fn tariff(selection: Selection, elements: Vec<Element>) -> Tariff {
    Tariff { currency: "EUR".parse().expect("a currency"), elements, selection, decided_at_start: false, minimum: None }
}

fn ocpi_tariff(elements: Vec<Element>) -> Tariff {
    tariff(Selection::EachKind, elements)
}

fn edrv_rate(components: Vec<Component>) -> Tariff {
    tariff(Selection::WholeElement, vec![always(components)])
}

/// Before tax and with it, as texts.
fn sums(tariff: &Tariff, timeline: &Timeline) -> (String, String) {
    let cost = cost(tariff, timeline, amsterdam());
    (format!("{:.2}", cost.before_tax), format!("{:.2}", cost.total))
}

#[track_caller]
fn assert_sums(tariff: &Tariff, timeline: &Timeline, before_tax: &str, total: &str) {
    assert_eq!(sums(tariff, timeline), (before_tax.to_owned(), total.to_owned()));
}

/// Kind, quantity and sum before tax of each line.
fn lines(tariff: &Tariff, timeline: &Timeline) -> Vec<(Kind, String, String)> {
    let cost = cost(tariff, timeline, amsterdam());
    let line = |line: Line| (line.kind, line.quantity.to_string(), format!("{:.2}", line.before_tax));
    cost.lines.into_iter().map(line).collect()
}

fn line(kind: Kind, quantity: &str, before_tax: &str) -> (Kind, String, String) {
    (kind, quantity.to_owned(), before_tax.to_owned())
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
