//! What a meter measured, in eDRV's form: of one reading, or the latest value of each measurand.

use serde::{Deserialize, Serialize};

use super::readings::Reading;
use crate::http::quantities::shown;
use kernel::*;

/// One value of each measurand, with the time when it was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Document", from = "Document")]
pub struct EnergyReport {
    at: Timestamp,
    /// The highest phase.
    current: Option<Measured<Milliamps>>,
    /// The highest phase.
    voltage: Option<Measured<Millivolts>>,
    phase_current: Option<Measured<[Milliamps; 3]>>,
    power: Option<Measured<Watts>>,
    energy_meter: Option<Measured<WattHours>>,
    state_of_charge: Option<Measured<u8>>,
}

/// A value, and when it was reported where that was before the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Measured<T> {
    value: T,
    earlier: Option<Timestamp>,
}

impl EnergyReport {
    /// That of a reading; its time is as JSON has it, so that a report that was stored is the same.
    pub(super) fn of(at: Timestamp, reading: &Reading) -> Self {
        let [one, two, three] = reading.current;
        Self {
            at: Timestamp::from_micros(at.millis().saturating_mul(1_000)),
            current: now(reading.current.into_iter().flatten().max()),
            voltage: now(reading.voltage.into_iter().flatten().max()),
            phase_current: now(one.zip(two).zip(three).map(|((one, two), three)| [one, two, three])),
            power: now(reading.power),
            energy_meter: now(reading.energy),
            state_of_charge: now(reading.soc_percent),
        }
    }

    /// With what an older one has besides, each value with its own time where that differs.
    pub(super) fn after(self, older: Option<Self>) -> Self {
        let Some(older) = older else { return self };
        Self {
            at: self.at,
            current: self.latest(self.current, older.current, older.at),
            voltage: self.latest(self.voltage, older.voltage, older.at),
            phase_current: self.latest(self.phase_current, older.phase_current, older.at),
            power: self.latest(self.power, older.power, older.at),
            energy_meter: self.latest(self.energy_meter, older.energy_meter, older.at),
            state_of_charge: self.latest(self.state_of_charge, older.state_of_charge, older.at),
        }
    }

    fn latest<T>(&self, own: Option<Measured<T>>, older: Option<Measured<T>>, at: Timestamp) -> Option<Measured<T>> {
        let of_its_time =
            |one: Measured<T>| Measured { earlier: one.earlier.or((at != self.at).then_some(at)), value: one.value };
        own.or_else(|| older.map(of_its_time))
    }

    /// The current of the highest phase, where the last reading contained it.
    pub(super) fn current(&self) -> Option<Milliamps> {
        self.current.filter(|current| current.earlier.is_none()).map(|current| current.value)
    }

    /// The current of each of the three phases, where the last reading contained them.
    pub(super) fn phase_currents(&self) -> Option<[Milliamps; 3]> {
        self.phase_current.filter(|phases| phases.earlier.is_none()).map(|phases| phases.value)
    }

    /// The energy register, whenever it was reported.
    pub(super) fn register(&self) -> Option<WattHours> {
        self.energy_meter.map(|register| register.value)
    }

    /// The state of charge in percent, whenever it was reported.
    pub(super) fn soc_percent(&self) -> Option<u8> {
        self.state_of_charge.map(|soc| soc.value)
    }
}

fn now<T>(value: Option<T>) -> Option<Measured<T>> {
    value.map(|value| Measured { value, earlier: None })
}

/// What a meter showed at one instant; what it did not measure is missing.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = EnergyReport)]
pub(super) struct Document {
    /// When.
    timestamp: Timestamp,
    /// The current of the highest phase, in A.
    #[schema(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Quantity<f64>>,
    /// The voltage of the highest phase, in V.
    #[schema(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    voltage: Option<Quantity<f64>>,
    /// The current of each of the three phases, in A.
    #[schema(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_current: Option<Quantity<OnPhases>>,
    /// The power, in kW.
    #[schema(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    power: Option<Quantity<f64>>,
    /// The energy register, in Wh.
    #[schema(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    energy_meter: Option<Quantity<i64>>,
    /// The state of charge of the car, in percent.
    #[schema(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    state_of_charge: Option<Quantity<u8>>,
}

/// A value of each of the three phases.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct OnPhases([f64; 3]);

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Quantity<T> {
    value: T,
    /// A, V, kW, Wh or Percent.
    #[serde(skip_deserializing)]
    unit: &'static str,
    /// When it was measured, where that was earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Timestamp>,
}

/// A line of what was reported in a session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum SessionReport {
    /// What its meter showed.
    Measured(Document),
    /// What its meter signed.
    Signed(SignedReport),
}

impl SessionReport {
    /// When, as the station has it where that is kept.
    pub(super) fn at(&self) -> Timestamp {
        match self {
            Self::Measured(report) => report.timestamp,
            Self::Signed(report) => report.timestamp,
        }
    }
}

/// A value that was signed; `GET /sessions/{id}/evidence` has what else is known of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SignedReport {
    /// When, by the station.
    pub timestamp: Timestamp,
    /// Why it was taken, in OCPP's words.
    #[schema(example = "Transaction.End")]
    pub context: String,
    /// The data.
    pub signed_data: SignedData,
}

/// Data that a meter signed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SignedData {
    /// It, byte for byte.
    pub value: String,
    /// How it is encoded, where the station says so.
    #[schema(example = "OCMF")]
    pub unit: Option<String>,
}

fn written<T, V>(one: Option<Measured<T>>, unit: &'static str, form: impl Fn(T) -> V) -> Option<Quantity<V>> {
    one.map(|one| Quantity { value: form(one.value), unit, timestamp: one.earlier })
}

fn read<T, V>(one: Option<Quantity<V>>, form: impl Fn(V) -> T) -> Option<Measured<T>> {
    one.map(|one| Measured { value: form(one.value), earlier: one.timestamp })
}

/// Thousandths of a value that JSON shows in whole units; none is so large that it would not fit.
#[expect(clippy::cast_possible_truncation, reason = "a cast stays within its range")]
fn thousandths(whole: f64) -> i64 {
    (whole * 1000.0).round() as i64
}

impl From<EnergyReport> for Document {
    fn from(report: EnergyReport) -> Self {
        Self {
            timestamp: report.at,
            current: written(report.current, "A", |current| shown(current.get())),
            voltage: written(report.voltage, "V", |voltage| shown(voltage.get())),
            phase_current: written(report.phase_current, "A", |phases| {
                OnPhases(phases.map(|current| shown(current.get())))
            }),
            power: written(report.power, "kW", Watts::kilowatts),
            energy_meter: written(report.energy_meter, "Wh", WattHours::get),
            state_of_charge: written(report.state_of_charge, "Percent", |percent| percent),
        }
    }
}

impl From<Document> for EnergyReport {
    fn from(document: Document) -> Self {
        Self {
            at: document.timestamp,
            current: read(document.current, |amps| Milliamps(thousandths(amps))),
            voltage: read(document.voltage, |volts| Millivolts(thousandths(volts))),
            phase_current: read(document.phase_current, |OnPhases(phases)| {
                phases.map(|amps| Milliamps(thousandths(amps)))
            }),
            power: read(document.power, |kilowatts| Watts(thousandths(kilowatts))),
            energy_meter: read(document.energy_meter, WattHours),
            state_of_charge: read(document.state_of_charge, |percent| percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn a_value_that_was_reported_before_has_its_own_time() {
        let whole = Reading {
            energy: Some(WattHours(12_345)),
            power: Some(Watts(11_040)),
            current: [Some(Milliamps(16_000)), Some(Milliamps(16_100)), Some(Milliamps(15_900))],
            voltage: [Some(Millivolts(230_000)), None, None],
            soc_percent: Some(41),
            ..Reading::default()
        };
        let first = EnergyReport::of(at(0), &whole);
        let all = json!({
            "timestamp": at(0),
            "current": {"value": 16.1, "unit": "A"},
            "voltage": {"value": 230.0, "unit": "V"},
            "phase_current": {"value": [16.0, 16.1, 15.9], "unit": "A"},
            "power": {"value": 11.04, "unit": "kW"},
            "energy_meter": {"value": 12_345, "unit": "Wh"},
            "state_of_charge": {"value": 41, "unit": "Percent"},
        });
        assert_eq!(serde_json::to_value(first).expect("JSON"), all);
        assert_eq!(serde_json::from_value::<EnergyReport>(all).expect("a report"), first);

        let power = Reading { power: Some(Watts(7_000)), ..Reading::default() };
        let second = EnergyReport::of(at(60), &power).after(Some(first));
        assert_eq!((second.current(), second.phase_currents()), (None, None));
        assert_eq!((second.register(), second.soc_percent()), (Some(WattHours(12_345)), Some(41)));
        let soc = Reading { soc_percent: Some(42), ..Reading::default() };
        let third = serde_json::to_value(EnergyReport::of(at(120), &soc).after(Some(second))).expect("JSON");
        assert_eq!(third["power"], json!({"value": 7.0, "unit": "kW", "timestamp": at(60)}));
        assert_eq!(third["current"], json!({"value": 16.1, "unit": "A", "timestamp": at(0)}));
        assert_eq!(third["state_of_charge"], json!({"value": 42, "unit": "Percent"}));
        assert_eq!(
            EnergyReport::of(at(60), &power).after(Some(EnergyReport::of(at(60), &soc))).soc_percent(),
            Some(42)
        );
    }
}
