//! Drivers who come and go by a seeded dice: the same seed gives the same day.

use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use kernel::{Timestamp, WattHours};
use ocpp::v16::common::IdTag;

use super::car::{Car, CarModel, Scale};
use super::station::Station;

/// How busy a place is; both spans are of real life, and [`Scale`] shortens them.
#[derive(Debug, Clone)]
pub struct Rhythm {
    /// How long a connector stays empty.
    pub gap: Range<Duration>,
    /// How long a car stays.
    pub stay: Range<Duration>,
}

/// What a driver does next at a connector.
#[derive(Debug, Clone, Copy)]
struct Visit {
    connector: u32,
    at: Timestamp,
    leaves: bool,
}

/// The drivers of one station.
#[derive(Debug)]
pub struct Driver {
    dice: StdRng,
    rhythm: Rhythm,
    scale: Scale,
    id_tag: IdTag,
    visits: Vec<Visit>,
}

impl Driver {
    /// Drivers for connectors 1 to `connectors`, who use this card.
    pub fn new(seed: u64, rhythm: Rhythm, scale: Scale, id_tag: IdTag, connectors: u32, now: Timestamp) -> Self {
        let mut driver = Self { dice: StdRng::seed_from_u64(seed), rhythm, scale, id_tag, visits: Vec::new() };
        for connector in 1..=connectors {
            let wait = driver.some(&driver.rhythm.gap.clone());
            driver.visits.push(Visit { connector, at: now + wait, leaves: false });
        }
        driver
    }

    /// When somebody does something next.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.visits.iter().map(|visit| visit.at).min()
    }

    /// Does what is due.
    pub fn act(&mut self, station: &mut Station, now: Timestamp) {
        for index in 0..self.visits.len() {
            let Some(&visit) = self.visits.get(index) else {
                return;
            };
            if visit.at > now {
                continue;
            }
            let span = if visit.leaves {
                station.unplug(visit.connector, now);
                self.rhythm.gap.clone()
            } else {
                let car = some_car(&mut self.dice);
                station.plug_in(visit.connector, car, self.id_tag.clone(), now);
                self.rhythm.stay.clone()
            };
            let at = now + self.some(&span);
            if let Some(place) = self.visits.get_mut(index) {
                *place = Visit { at, leaves: !visit.leaves, ..visit };
            }
        }
    }

    fn some(&mut self, span: &Range<Duration>) -> Duration {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let (least, most) = (millis(span.start), millis(span.end));
        let drawn = self.dice.random_range(least..=most.max(least));
        self.scale.shorten(Duration::from_millis(drawn))
    }
}

/// A car as they come: 40 to 80 kWh, 20 to 70 percent charged.
pub fn some_car(dice: &mut StdRng) -> Car {
    let battery = WattHours(dice.random_range(40..=80) * 1_000);
    Car::arriving(CarModel::single_phase(battery), dice.random_range(20..=70))
}
