//! Transactions: how they begin, how they are metered, how they end.

use kernel::Timestamp;
use ocpp::v16::common::IdTag;
use ocpp::v16::meter::Context;
use ocpp::v16::{Reason, meter_values, start_transaction, stop_transaction};

use super::Station;
use super::connector::{Promise, Transaction};
use super::outbox::Message;

impl Station {
    /// Begins a transaction with this card.
    pub(super) fn start_as(&mut self, connector: u32, id_tag: IdTag, now: Timestamp) {
        let promise = Promise { id_tag, profile: None };
        self.start(connector, promise, now);
    }

    /// Begins a transaction where a car waits for one.
    pub(super) fn start(&mut self, connector: u32, promise: Promise, now: Timestamp) {
        let local = self.transactions + 1;
        let meter_at = self.meter_interval.map(|every| now + every);
        let Some(place) = self.connector_mut(connector) else {
            return;
        };
        if place.car.is_none() || place.transaction.is_some() || place.finished {
            return;
        }
        place.transaction = Some(Transaction { local, id: None, started_at: now, meter_at });
        let request = start_transaction::Request {
            connector_id: connector.into(),
            id_tag: promise.id_tag.into(),
            meter_start: place.register().into(),
            reservation_id: None,
            timestamp: now.into(),
        };
        self.transactions = local;
        self.outbox.push(Message::Start { local, request });
        if let Some(profile) = promise.profile {
            self.profiles.install(connector, profile, now);
        }
        self.apply_limits(now);
    }

    /// Ends the transaction of a connector, if there is one; the car stays until it is unplugged.
    pub(super) fn stop(&mut self, connector: u32, reason: Reason, now: Timestamp) {
        let Some(place) = self.connector_mut(connector) else {
            return;
        };
        let last = place.measure(Context::TransactionEnd, now);
        let Some(transaction) = place.transaction.take() else {
            return;
        };
        place.finished = true;
        let request = stop_transaction::Request {
            id_tag: None.into(),
            meter_stop: place.register().into(),
            timestamp: now.into(),
            transaction_id: transaction.id.unwrap_or_default().into(),
            reason: Some(reason),
            transaction_data: Some(vec![last]),
        };
        let local = transaction.local;
        self.outbox.push(Message::Stop { local, request });
        self.profiles.end_transaction(connector);
        self.apply_limits(now);
        self.report_changes(now);
    }

    /// Takes the readings that are due.
    pub(super) fn meter(&mut self, now: Timestamp) {
        for connector in &mut self.connectors {
            let Some(transaction) = &mut connector.transaction else {
                continue;
            };
            if transaction.meter_at.is_none_or(|at| at > now) {
                continue;
            }
            transaction.meter_at = self.meter_interval.map(|every| now + every);
            let request = meter_values::Request {
                connector_id: connector.number,
                transaction_id: transaction.id,
                meter_value: vec![connector.measure(Context::SamplePeriodic, now)],
            };
            let local = connector.transaction.as_ref().map(|one| one.local);
            self.outbox.push(Message::Meter { local, request });
        }
    }

    /// Takes a reading because somebody asked for it.
    pub(super) fn meter_now(&mut self, wanted: Option<u32>, now: Timestamp) {
        for connector in &self.connectors {
            if wanted.is_none_or(|number| number == connector.number) {
                let transaction = connector.transaction.as_ref();
                let request = meter_values::Request {
                    connector_id: connector.number,
                    transaction_id: transaction.and_then(|one| one.id),
                    meter_value: vec![connector.measure(Context::Trigger, now)],
                };
                let local = transaction.map(|one| one.local);
                self.outbox.push(Message::Meter { local, request });
            }
        }
    }
}
