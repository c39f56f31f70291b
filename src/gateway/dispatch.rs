//! From a call of a station to the handler of its version, and to the answer.

use std::cell::RefCell;
use std::collections::HashMap;

use metrics::Counter;
use serde_json::value::RawValue;

use super::answer::Call;
use super::clock::News;
use super::connections::State;
use super::dependencies::GatewayDependencies;
use super::station_connection::{Effect, StationConnection};
use super::{answer2, answer16};
use crate::sites::stations;
use crate::sites::stations::link::SignalKind;
use kernel::Protocol;
use ocpp::wire::Deviation;
use ocpp::{CallError, Decoded, ErrorCode, v2, v16};

/// Characters of an action that are logged, whatever a station calls: all real ones are shorter.
const LONGEST_ACTION: usize = 64;

/// An answer, or why there is none, and what follows.
pub type Answered = (Result<String, CallError>, Vec<Effect>);

/// Handles one call of a station.
pub async fn answer(
    gateway: &GatewayDependencies,
    connection: &StationConnection,
    state: &State,
    action: &str,
    payload: &RawValue,
) -> Answered {
    let now = gateway.context.clock.now();
    if let Some(registration) = state.refuses(action) {
        let why = format!("Your registration is {registration}; send a BootNotification");
        return (Err(CallError::new(ErrorCode::SecurityError, why)), Vec::new());
    }
    let call = Call { gateway, connection, state, now, payload };
    let (handled, deviations) = match connection.version {
        Protocol::V16 => match v16::Incoming::decode(action, payload, now, connection.version) {
            Ok(Decoded { value, deviations }) => (answer16::handle(call, value).await, deviations),
            Err(error) => return refuse(connection, action, error),
        },
        Protocol::V201 | Protocol::V21 => match v2::Incoming::decode(action, payload, now, connection.version) {
            Ok(Decoded { value, deviations }) => (answer2::handle(call, value).await, deviations),
            Err(error) => return refuse(connection, action, error),
        },
    };
    count(action);
    let (answer, effects) = match handled {
        Ok((answer, effects)) => (Ok(answer), effects),
        Err(error) => (Err(error), Vec::new()),
    };
    if !deviations.is_empty() {
        connection.note(gateway, deviations.iter().map(deviation_name).collect()).await;
    }
    let learnt = note_clock(gateway, connection, state).await;
    (answer, effects.into_iter().chain(learnt).collect())
}

thread_local! {
    /// The counters of the actions that were called on this thread: to find one by its name costs as much as a small message.
    static MESSAGES: RefCell<HashMap<String, Counter>> = RefCell::default();
}

/// Counts a call of an action that exists.
fn count(action: &str) {
    MESSAGES.with_borrow_mut(|counters| {
        if let Some(counter) = counters.get(action) {
            return counter.increment(1);
        }
        let counter = metrics::counter!("evenwatt_ocpp_messages_total", "action" => action.to_owned());
        counter.increment(1);
        counters.insert(action.to_owned(), counter);
    });
}

/// Keeps what the message showed of the station's clock; limits are sent again where it stands otherwise than before.
async fn note_clock(gateway: &GatewayDependencies, connection: &StationConnection, state: &State) -> Option<Effect> {
    let news = state.clock().news();
    let News { offset_seconds, moved } = news?;
    let station = connection.station;
    let stored = gateway.context.db.write(move |conn| stations::save_clock(conn, station, offset_seconds));
    if let Err(error) = stored.await {
        tracing::warn!(%error, %station, "could not store how far a station's clock is off");
    }
    if moved {
        tracing::info!(%station, offset_seconds, "a station's clock is not where it was taken to be");
    }
    moved.then_some(Effect::Notify(SignalKind::ClockLearnt))
}

fn refuse(connection: &StationConnection, action: &str, error: CallError) -> Answered {
    let code = error.code.spelling(connection.version);
    metrics::counter!("evenwatt_ocpp_refused_total", "code" => code).increment(1);
    let action: String = action.chars().take(LONGEST_ACTION).collect();
    tracing::info!(station = %connection.station, action, error = error.description, "refused a message");
    (Err(error), Vec::new())
}

/// A repair as an operator reads it: `meterValue[].timestamp: Zoneless`, the same for every index.
pub(super) fn deviation_name(deviation: &Deviation) -> String {
    let path: String = deviation.path.chars().filter(|c| !c.is_ascii_digit()).collect();
    format!("{path}: {:?}", deviation.repair)
}
