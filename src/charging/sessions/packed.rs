//! Readings as they are packed: fields without names, compressed together.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::readings::Reading;
use crate::store::StoreResult;
use crate::store::packing::{Effort, compressed, decoded, decompressed, encoded};
use kernel::*;

/// A reading that was stored, with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Where it lies in its session, by our clock.
    pub(super) at: Timestamp,
    pub(super) context: Cow<'static, str>,
    /// The time that the station sent.
    pub(super) station_time: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) reading: Reading,
    /// The energy of its session by then, where it says how things were.
    pub(super) delivered: Option<WattHours>,
    /// What the station sent, where this is the first of its message.
    pub(super) raw: Arc<str>,
}

impl Stored {
    /// By which readings are sorted: several may be of one instant.
    pub(super) const fn order(&self) -> (Timestamp, Timestamp) {
        (self.at, self.received_at)
    }
}

/// The fields of a reading in the order in which they are packed.
pub(super) type PackedReading =
    (Option<i64>, Option<i64>, bool, [Option<i64>; 3], [Option<i64>; 3], Option<u8>, Option<i64>);

impl Reading {
    pub(super) fn packed(&self) -> PackedReading {
        let milliamps = |one: Option<Milliamps>| one.map(Milliamps::get);
        let millivolts = |one: Option<Millivolts>| one.map(Millivolts::get);
        (
            self.energy.map(WattHours::get),
            self.power.map(Watts::get),
            self.power_is_derived,
            self.current.map(milliamps),
            self.voltage.map(millivolts),
            self.soc_percent,
            self.interval.map(MilliwattHours::get),
        )
    }

    pub(super) fn unpacked(packed: PackedReading) -> Self {
        let (energy, power, power_is_derived, current, voltage, soc_percent, interval) = packed;
        Self {
            energy: energy.map(WattHours),
            power: power.map(Watts),
            power_is_derived,
            current: current.map(|one| one.map(Milliamps)),
            voltage: voltage.map(|one| one.map(Millivolts)),
            soc_percent,
            interval: interval.map(MilliwattHours),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct PackedStored {
    at: i64,
    context: Cow<'static, str>,
    station_time: i64,
    received_at: i64,
    reading: PackedReading,
    delivered: Option<i64>,
    raw: Arc<str>,
}

/// Readings of one chunk.
pub(super) fn pack_readings(readings: &[Stored]) -> StoreResult<Vec<u8>> {
    let packed = readings.iter().map(|one| PackedStored {
        at: one.at.micros(),
        context: one.context.clone(),
        station_time: one.station_time.micros(),
        received_at: one.received_at.micros(),
        reading: one.reading.packed(),
        delivered: one.delivered.map(WattHours::get),
        raw: Arc::clone(&one.raw),
    });
    let packed: Vec<PackedStored> = packed.collect();
    compressed(&encoded(&packed)?, Effort::More)
}

/// The readings of a chunk.
pub(super) fn unpack_readings(body: &[u8]) -> StoreResult<Vec<Stored>> {
    let packed: Vec<PackedStored> = decoded(&decompressed(body)?)?;
    let stored = packed.into_iter().map(|one| Stored {
        at: Timestamp::from_micros(one.at),
        context: one.context,
        station_time: Timestamp::from_micros(one.station_time),
        received_at: Timestamp::from_micros(one.received_at),
        reading: Reading::unpacked(one.reading),
        delivered: one.delivered.map(WattHours),
        raw: one.raw,
    });
    Ok(stored.collect())
}
