//! What tests left behind that did not come to their end: the server was stopped, or the station went away.

use serde_json::json;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::limits::SOURCE;
use super::model::{StepName, StepOutcome, TestStatus};
use super::store;
use crate::control::actions::{NewAction, Performer};
use crate::events::{ActionKind, EventKind};
use crate::load::groups;
use crate::sites::stations;
use crate::sites::stations::link::{SignalKind, Signals, StationCommand};
use crate::store::StoreResult;
use crate::store::cause::{self, Cause, ServerPart};
use kernel::StationId;

/// Ends the tests of the run before, and listens, until the handle is aborted, for stations on which a limit was left.
pub async fn start(performer: Performer, signals: &Signals) -> StoreResult<JoinHandle<()>> {
    let mut signals = signals.listen();
    let cause = Cause::Server(ServerPart::AcceptanceTests);
    cause::with(cause.clone(), abort_running(&performer)).await?;
    Ok(tokio::spawn(cause::with(cause, async move {
        loop {
            let signal = match signals.recv().await {
                Ok(signal) => signal,
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            };
            if matches!(signal.kind, SignalKind::Connected | SignalKind::Booted)
                && let Err(error) = remove(&performer, signal.station).await
            {
                tracing::error!(%error, station = %signal.station, "what an acceptance test left was not removed");
            }
        }
    })))
}

async fn abort_running(performer: &Performer) -> StoreResult<()> {
    let moment = performer.context().moment();
    let aborted = performer.db().write(move |conn| -> StoreResult<()> {
        for mut test in store::running(conn)? {
            let message = match test.left_profile {
                Some(_) => "The server was stopped during the test; the limit is removed when the station connects",
                None => "The server was stopped during the test",
            };
            test.note(StepName::Removed, StepOutcome::Skipped, message, moment.now);
            test.status = TestStatus::Aborted;
            test.ended_at = Some(moment.now);
            test.updated_at = moment.version_after(test.updated_at);
            stations::clear_external_limits(conn, test.chargestation_id, None, SOURCE)?;
            store::update(conn, &test)?;
            store::record(conn, &moment, &test, EventKind::AcceptanceTestEnded)?;
        }
        Ok(())
    });
    aborted.await
}

/// Removes the limits that tests left on a station. Where balancing steers it meanwhile, its live limit has taken their place.
async fn remove(performer: &Performer, station: StationId) -> StoreResult<()> {
    let read = performer.db().read(move |conn| store::with_remains(conn, station));
    for mut test in read.await? {
        let Some(id) = test.left_profile else { continue };
        let balanced = performer.db().read(move |conn| groups::is_member(conn, station)).await?;
        if !balanced {
            let action = NewAction {
                organization: test.organization_id,
                station,
                connector: test.connector_id,
                session: None,
                kind: ActionKind::ConnectorClearPowerLimit,
                data: json!({"acceptance_test": test.id}),
            };
            let command = StationCommand::ClearChargingProfile {
                id: Some(id),
                connector: None,
                purpose: None,
                stack_level: None,
            };
            match performer.perform(action, command).await {
                Ok((_, outcome)) if outcome.accepted => {}
                Ok(_) | Err(_) => continue, // when it connects or boots next
            }
        }
        let moment = performer.context().moment();
        test.left_profile = None;
        test.updated_at = moment.version_after(test.updated_at);
        performer.db().write(move |conn| store::update(conn, &test)).await?;
    }
    Ok(())
}
