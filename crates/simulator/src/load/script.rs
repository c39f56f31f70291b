//! Which message of a workload comes next, and what its answer means. Without I/O: the connection feeds it.

use std::fmt::Write as _;

use kernel::Timestamp;

use super::messages::{self, ID};
use super::meter::{Meter, mixed};
use super::workload::{Step, Workload};

/// The part of one station in a workload.
#[derive(Debug)]
pub(super) struct Script {
    workload: Workload,
    card: String,
    /// Whether MeterValues name their transaction; not all stations do.
    names_transaction: bool,
    meter: Meter,
    /// Makes names of transactions that no other station and no other run made.
    names: u64,
    /// How many steps are done, of the preparation and after it.
    prepared: usize,
    done: usize,
    /// The number of the last call.
    number: u64,
    /// The server's number of the transaction (1.6).
    transaction: i64,
    /// Our name of the transaction (2.x), and what was said about it.
    name: String,
    events: u32,
}

impl Script {
    /// Of the station with this number, which shows this card.
    pub(super) fn new(workload: Workload, station: u64, card: &str, names_transaction: bool, now: Timestamp) -> Self {
        let begun = u64::try_from(now.micros()).unwrap_or_default();
        Self {
            workload,
            card: card.to_owned(),
            names_transaction,
            meter: Meter::new(station, now),
            names: mixed(begun ^ station.rotate_left(40)),
            prepared: 0,
            done: 0,
            number: 0,
            transaction: 0,
            name: String::new(),
            events: 0,
        }
    }

    /// Whether only what is measured is left.
    pub(super) const fn is_prepared(&self) -> bool {
        self.prepared >= self.workload.preparation().len()
    }

    fn step(&self) -> Option<Step> {
        if let Some(step) = self.workload.preparation().get(self.prepared) {
            return Some(*step);
        }
        let steps = self.workload.steps();
        let place = if self.workload.is_single() { self.done } else { self.done % steps.len().max(1) };
        steps.get(place).copied()
    }

    /// Writes the next call, in place of what was in the text; `None` where everything was said.
    pub(super) fn say(&mut self, text: &mut String, now: Timestamp) -> Option<Step> {
        let step = self.step()?;
        self.number += 1;
        if step == Step::Started {
            self.name_transaction();
        } else {
            self.events += 1;
        }
        let reading = self.meter.read(now);
        let (card, transaction, name, events) = (&self.card, self.transaction, &self.name, self.events);
        let named = self.names_transaction.then_some(transaction);
        let action = match step {
            Step::Started | Step::Updated | Step::Ended => "TransactionEvent",
            other => other.name(),
        };
        let written = messages::call(text, self.number, action, |text| match step {
            Step::Heartbeat => messages::heartbeat(text),
            Step::Start => messages::start_transaction(text, card, &reading),
            Step::Charging => messages::charging(text, reading.at),
            Step::Values => messages::meter_values(text, named, &reading),
            Step::Stop => messages::stop_transaction(text, transaction, &reading),
            Step::Started => messages::started(text, name, card, &reading),
            Step::Updated => messages::updated(text, name, events, &reading),
            Step::Ended => messages::ended(text, name, events, &reading),
        });
        debug_assert!(written.is_ok(), "writing to a text does not fail");
        Some(step)
    }

    /// Whether a frame answers the last call, and if so, whether with what was wanted; then the next step is on.
    pub(super) fn hear(&mut self, step: Step, frame: &str) -> Option<bool> {
        let (is_result, rest) = match frame.strip_prefix("[3,\"") {
            Some(rest) => (true, rest),
            None => (false, frame.strip_prefix("[4,\"")?),
        };
        let (number, payload) = rest.strip_prefix(ID)?.split_once('"')?;
        if u64::from_str_radix(number, 16) != Ok(self.number) {
            return None;
        }
        let fine = is_result
            && match step {
                Step::Start => self.number_transaction(payload),
                Step::Started => payload.contains(r#""status":"Accepted""#),
                _ => true,
            };
        if fine || !step.begins() {
            if self.is_prepared() {
                self.done += 1;
            } else {
                self.prepared += 1;
            }
        }
        Some(fine)
    }

    fn number_transaction(&mut self, payload: &str) -> bool {
        let number = payload.split_once(r#""transactionId":"#).map(|(_, rest)| {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            rest.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
        });
        self.transaction = number.unwrap_or(0);
        self.transaction > 0 && payload.contains(r#""status":"Accepted""#)
    }

    /// A name that looks like a UUID of version 4, and was never there before.
    fn name_transaction(&mut self) {
        self.names = mixed(self.names);
        let (first, second) = (self.names, mixed(self.names ^ u64::MAX));
        self.name.clear();
        let _ = write!(
            self.name,
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            first >> 32,
            (first >> 16) & 0xffff,
            first & 0xfff,
            second >> 52,
            second & 0xffff_ffff_ffff
        );
        self.events = 0;
    }
}
