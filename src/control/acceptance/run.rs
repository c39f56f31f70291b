//! The course of a test: one step after the other, each stored when it is done.

use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::model::{AcceptanceTest, StepName, StepOutcome};
use super::store;
use super::uses::{Running, Uses};
use crate::control::actions::{NewAction, Performer};
use crate::events::{ActionKind, EventKind};
use crate::http::{ApiError, ApiResult};
use crate::load::groups;
use crate::sites::stations::link::{Outcome, Shown, Signal, SignalKind, Signals, StationCommand};
use crate::sites::stations::{self, Connector, Station, quirks_of};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{ConnectorId, Timestamp, Watts};

/// What running tests needs of the server.
#[derive(Clone)]
pub(super) struct Tester {
    pub performer: Performer,
    pub signals: Signals,
    pub uses: Uses,
}

impl Tester {
    pub(super) fn new(performer: Performer, signals: Signals, uses: Uses) -> Self {
        Self { performer, signals, uses }
    }
}

/// A test that goes on.
pub(super) struct Run {
    pub tester: Tester,
    pub test: AcceptanceTest,
    pub station: Station,
    pub connector: Connector,
    /// Whether its station has no other connector.
    pub sole: bool,
    /// Whether balancing steers the connector.
    pub balanced: bool,
    heard: broadcast::Receiver<Signal>,
}

/// Something that was waited for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heard {
    Booted,
    Status,
    Metered(Shown),
}

/// Runs a test to its end.
pub(super) async fn run(tester: Tester, test: AcceptanceTest) {
    let (station, id) = (test.chargestation_id, test.id);
    let work = async {
        let mut run = Run::begin(tester, test).await?;
        let looked = run.look().await;
        let limited = match looked {
            Ok(power) => run.limit(power).await,
            Err(error) => Err(error),
        };
        run.end(limited).await
    };
    if let Err(error) = work.await {
        tracing::error!(%error, %station, test = %id, "an acceptance test could not be stored");
    }
}

type Facts = (Station, Vec<Connector>, bool);

fn facts(conn: &mut Conn, test: &AcceptanceTest) -> StoreResult<Facts> {
    let station = stations::find_station(conn, test.organization_id, test.chargestation_id)?;
    let connectors = stations::connectors_of_station(conn, station.id)?;
    let balanced = match test.connector_id {
        Some(connector) => groups::is_connector_member(conn, connector)?,
        None => false,
    };
    Ok((station, connectors, balanced))
}

impl Run {
    async fn begin(tester: Tester, test: AcceptanceTest) -> ApiResult<Self> {
        let heard = tester.signals.listen();
        let of = test.clone();
        let read = tester.performer.db().read(move |conn| facts(conn, &of));
        let (station, connectors, balanced) = read.await?;
        let sole = connectors.len() == 1;
        let mut connectors = connectors.into_iter();
        let connector = connectors.find(|connector| Some(connector.id) == test.connector_id);
        let connector = connector.ok_or(StoreError::NotFound)?;
        Ok(Self { tester, test, station, connector, sole, balanced, heard })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.tester.performer.context().clock.now()
    }

    /// Notes how a step went, and stores it.
    pub(super) async fn step(
        &mut self,
        name: StepName,
        outcome: StepOutcome,
        message: impl Into<String>,
        at: Timestamp,
    ) -> StoreResult<()> {
        self.test.note(name, outcome, message, at);
        self.save().await
    }

    pub(super) async fn save(&mut self) -> StoreResult<()> {
        let moment = self.tester.performer.context().moment();
        self.test.updated_at = moment.version_after(self.test.updated_at);
        let test = self.test.clone();
        self.tester.performer.db().write(move |conn| store::update(conn, &test)).await
    }

    /// Ends it: a step that could not be stored is the only thing that is an error here.
    async fn end(mut self, limited: StoreResult<()>) -> ApiResult<()> {
        let moment = self.tester.performer.context().moment();
        self.test.end(moment.now);
        self.test.updated_at = moment.version_after(self.test.updated_at);
        let test = self.test;
        let stored = self.tester.performer.db().write(move |conn| -> StoreResult<()> {
            store::update(conn, &test)?;
            store::record(conn, &moment, &test, EventKind::AcceptanceTestEnded)
        });
        stored.await?;
        limited.map_err(ApiError::from)
    }

    /// The session that runs at the connector.
    pub(super) async fn running(&self) -> StoreResult<Option<Running>> {
        let (uses, connector) = (self.tester.uses, self.connector.id);
        self.tester.performer.db().read(move |conn| (uses.running_on)(conn, connector)).await
    }

    /// Asks the station, as an action that names the test. What it did not agree to is the sentence.
    pub(super) async fn ask(
        &self,
        kind: ActionKind,
        mut data: Value,
        command: StationCommand,
    ) -> Result<Outcome, String> {
        if let Some(data) = data.as_object_mut() {
            data.insert("acceptance_test".to_owned(), json!(self.test.id));
        }
        let action = NewAction {
            organization: self.test.organization_id,
            station: self.station.id,
            connector: Some(self.connector.id),
            session: None,
            kind,
            data,
        };
        match self.tester.performer.perform(action, command).await {
            Ok((_, outcome)) if outcome.accepted => Ok(outcome),
            Ok((_, outcome)) => Err(outcome.refusal()),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    /// Asks the station to send a message; a station that does not bear that is not asked.
    pub(super) async fn trigger(&self, message: &str) {
        if quirks_of(&self.station).is_some_and(|quirks| quirks.triggers == Some(false)) {
            return;
        }
        let connector = (message != "BootNotification").then_some(self.connector.number);
        let command = StationCommand::TriggerMessage { message: message.to_owned(), connector };
        let data = json!({"message": message});
        if let Err(why) = self.ask(ActionKind::StationTriggerMessage, data, command).await {
            tracing::debug!(why, message, "a station was to send a message and did not agree");
        }
    }

    /// The next thing that is wanted of what the station does, until an instant.
    pub(super) async fn next<T>(&mut self, until: Timestamp, wanted: impl Fn(Heard) -> Option<T>) -> Option<T> {
        let mut over = self.tester.performer.context().clock.sleep_until(until);
        let (station, connector) = (self.station.id, self.connector.id);
        loop {
            let received = tokio::select! {
                biased;
                received = self.heard.recv() => received,
                () = &mut over => return None,
            };
            let signal = match received {
                Ok(signal) if signal.station == station => signal,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            if let Some(found) = heard(signal.kind, connector).and_then(&wanted) {
                return Some(found);
            }
        }
    }

    /// The power that the meter shows next, until an instant.
    pub(super) async fn next_power(&mut self, until: Timestamp) -> Option<Watts> {
        self.next(until, |heard| match heard {
            Heard::Metered(shown) => shown.power,
            _ => None,
        })
        .await
    }
}

fn heard(kind: SignalKind, own: ConnectorId) -> Option<Heard> {
    match kind {
        SignalKind::Booted => Some(Heard::Booted),
        SignalKind::Status(connector) if connector == own => Some(Heard::Status),
        SignalKind::Metered(connector, shown) if connector == own => Some(Heard::Metered(shown)),
        _ => None,
    }
}
