//! One connector: what is plugged in, what is charged, and which status follows from that.

use std::time::Duration;

use crate::car::{Car, Scale};
use crate::limit::{Limit, Outlet};
use crate::profiles::Running;
use kernel::{Milliamps, Timestamp, Watts};
use ocpp::v16::ChargePointStatus;
use ocpp::v16::charging_profile::ChargingProfile;
use ocpp::v16::common::IdTag;
use ocpp::v16::meter::{Context, Measurand, MeterValue, Phase, SampledValue, Unit};

/// Watts times milliseconds in a watt-hour.
const MILLIJOULES: i64 = 3_600_000;

/// A transaction as the station knows it.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    /// Our own number, until the server gave one.
    pub local: u64,
    /// The server's number.
    pub id: Option<i64>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it is metered next.
    pub meter_at: Option<Timestamp>,
}

impl Transaction {
    /// As the profiles want it.
    pub(super) const fn running(&self) -> Running {
        Running { id: self.id, started_at: self.started_at }
    }
}

/// Somebody who was allowed to charge before a car came.
#[derive(Debug, Clone)]
pub(super) struct Promise {
    /// The card to charge as.
    pub id_tag: IdTag,
    /// The limit to begin with.
    pub profile: Option<ChargingProfile>,
}

/// The state of a connector.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    /// Counted from 1.
    pub number: u32,
    /// Its electrical side.
    pub outlet: Outlet,
    /// What was last reported.
    pub status: ChargePointStatus,
    /// Whether it is in service.
    pub operative: bool,
    /// The car that is plugged in.
    pub car: Option<Car>,
    /// The transaction that runs.
    pub transaction: Option<Transaction>,
    /// Whether the plugged-in car had its transaction.
    pub finished: bool,
    /// Who may charge when a car comes.
    pub promise: Option<Promise>,
    /// What it may draw now.
    pub limit: Limit,
    /// The energy register in watts times milliseconds.
    register_millijoules: i64,
}

impl Connector {
    /// A free connector.
    pub(super) fn new(number: u32, outlet: Outlet) -> Self {
        Self {
            number,
            outlet,
            status: ChargePointStatus::Available,
            operative: true,
            car: None,
            transaction: None,
            finished: false,
            promise: None,
            limit: outlet.unlimited(),
            register_millijoules: 0,
        }
    }

    /// The energy register in Wh.
    pub(super) const fn register(&self) -> i64 {
        self.register_millijoules / MILLIJOULES
    }

    /// What is drawn now.
    pub(super) fn draw(&self) -> Watts {
        self.charging().map_or(Watts::ZERO, |car| car.power(self.outlet.voltage))
    }

    fn charging(&self) -> Option<&Car> {
        self.car.as_ref().filter(|_| self.transaction.is_some())
    }

    /// Lets time pass for the car that is charging.
    pub(super) fn advance(&mut self, span: Duration, scale: Scale) {
        if self.transaction.is_some()
            && let Some(car) = &mut self.car
        {
            self.register_millijoules += car.advance(self.limit, self.outlet.voltage, span, scale);
        }
    }

    /// The status that is true now (OCPP 1.6 §4.9).
    pub(super) fn true_status(&self) -> ChargePointStatus {
        let Some(car) = &self.car else {
            return if self.operative { ChargePointStatus::Available } else { ChargePointStatus::Unavailable };
        };
        match self.transaction {
            None if self.finished => ChargePointStatus::Finishing,
            None if !self.operative => ChargePointStatus::Unavailable,
            None => ChargePointStatus::Preparing,
            Some(_) if car.is_full() => ChargePointStatus::SuspendedEv,
            Some(_) if !self.limit.is_enough() => ChargePointStatus::SuspendedEvse,
            Some(_) => ChargePointStatus::Charging,
        }
    }

    /// What its meter shows.
    pub(super) fn measure(&self, context: Context, now: Timestamp) -> MeterValue {
        let value = |value: String, measurand, unit, phase| SampledValue {
            value,
            context: Some(context.clone()),
            format: None,
            measurand: Some(measurand),
            phase,
            location: None,
            unit: Some(unit),
        };
        let energy = self.register().to_string();
        let power = self.draw().get().to_string();
        let volts = decimal(self.outlet.voltage.get() / 100);
        let mut sampled_value = vec![
            value(energy, Measurand::EnergyActiveImportRegister, Unit::WattHours, None),
            value(power, Measurand::PowerActiveImport, Unit::Watts, None),
        ];
        for index in self.outlet.phases.indices() {
            let phase = [Phase::L1, Phase::L2, Phase::L3].into_iter().nth(index);
            let current =
                self.charging().filter(|car| car.phases().contains(index)).map_or(Milliamps::ZERO, Car::current);
            let amps = decimal(current.get() / 100);
            sampled_value.push(value(amps, Measurand::CurrentImport, Unit::Amperes, phase.clone()));
            sampled_value.push(value(volts.clone(), Measurand::Voltage, Unit::Volts, phase));
        }
        if let Some(car) = &self.car {
            let percent = car.percent().to_string();
            sampled_value.push(value(percent, Measurand::StateOfCharge, Unit::Percent, None));
        }
        MeterValue { timestamp: now, sampled_value }
    }
}

/// Tenths as a decimal number.
fn decimal(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
