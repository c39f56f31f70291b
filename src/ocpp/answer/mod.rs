//! What stations are answered, and what follows from what they said: the part that is the same in every version.
//!
//! A handler stores first and answers then: an answer means that what was said is committed. Everything else that
//! follows (signals, a stop because a target was reached) comes after the answer left, as [`Effect`]s. What messages
//! mean is in `answer16` and `answer2`.

use std::time::Duration;

use serde_json::value::RawValue;

use super::connections::State;
use super::gateway::Gateway;
use super::peer::{Effect, Peer};
use super::wire::{Flag, Wire};
use super::{CallError, Decoded, ErrorCode, Version, answer2, answer16, v2, v16};
use crate::db::StoreError;
use crate::kernel::*;
use crate::stations::Registration;

pub mod arrival;
pub mod certificates;
pub mod notices;
pub mod readings;
pub mod status;

/// Mains voltage where a location says nothing.
pub const MAINS: Millivolts = Millivolts(230_000);
/// Clock skew into the future up to which a station's time is believed.
const BELIEVED_SKEW: Duration = Duration::from_secs(300);

/// An answer, or why there is none, and what follows.
pub type Answered = (Result<String, CallError>, Vec<Effect>);

/// The outcome inside a handler: `?` turns store failures into `InternalError`.
pub type Handled<T> = Result<(T, Vec<Effect>), CallError>;

/// The answer of a handler as JSON.
pub fn done<T: Wire>(handled: Handled<T>) -> Handled<String> {
    handled.map(|(response, effects)| (response.to_json(), effects))
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a message of a station could not be stored");
        Self::new(
            ErrorCode::InternalError,
            "It could not be stored; please try again",
        )
    }
}

/// A call that is being handled.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The server.
    pub gateway: &'a Gateway,
    /// Who calls.
    pub peer: &'a Peer,
    /// What is known of the connection.
    pub state: &'a State,
    /// When the call came.
    pub now: Timestamp,
    /// What was said, word for word.
    pub payload: &'a RawValue,
}

/// Handles one call of a station.
pub async fn answer(
    gateway: &Gateway,
    peer: &Peer,
    state: &State,
    action: &str,
    payload: &RawValue,
) -> Answered {
    let now = gateway.context.clock.now();
    if state.registration() == Some(Registration::Rejected) && action != "BootNotification" {
        let error = CallError::new(
            ErrorCode::SecurityError,
            "Your registration is Rejected; send a BootNotification",
        );
        return (Err(error), Vec::new());
    }
    let call = Call {
        gateway,
        peer,
        state,
        now,
        payload,
    };
    let (handled, flags) = match peer.version {
        Version::V16 => match v16::Incoming::decode(action, payload, now, peer.version) {
            Ok(Decoded { value, flags }) => (answer16::handle(call, value).await, flags),
            Err(error) => return refuse(peer, action, error),
        },
        Version::V201 | Version::V21 => {
            match v2::Incoming::decode(action, payload, now, peer.version) {
                Ok(Decoded { value, flags }) => (answer2::handle(call, value).await, flags),
                Err(error) => return refuse(peer, action, error),
            }
        }
    };
    metrics::counter!("evenwatt_ocpp_messages_total", "action" => action.to_owned()).increment(1);
    let (answer, effects) = match handled {
        Ok((answer, effects)) => (Ok(answer), effects),
        Err(error) => (Err(error), Vec::new()),
    };
    peer.note(gateway, flags.iter().map(flag_name).collect())
        .await;
    (answer, effects)
}

fn refuse(peer: &Peer, action: &str, error: CallError) -> Answered {
    let code = error.code.spelling(peer.version);
    metrics::counter!("evenwatt_ocpp_refused_total", "code" => code).increment(1);
    tracing::info!(station = %peer.station, action, error = error.description, "refused a message");
    (Err(error), Vec::new())
}

/// A repair as an operator reads it: `meterValue[].timestamp: Zoneless`, the same for every index.
fn flag_name(flag: &Flag) -> String {
    let path: String = flag.path.chars().filter(|c| !c.is_ascii_digit()).collect();
    format!("{path}: {:?}", flag.repair)
}

impl Call<'_> {
    /// This instant, and ids made in it.
    pub fn moment(&self) -> Moment {
        self.gateway.context.moment()
    }

    /// The station's time, or ours when its clock runs far ahead or stands before the year 2000.
    pub fn believed(&self, at: Timestamp) -> Timestamp {
        const YEAR_2000: Timestamp = Timestamp::from_unix_seconds(946_684_800);
        if at > self.now + BELIEVED_SKEW || at < YEAR_2000 {
            self.now
        } else {
            at
        }
    }

    /// Notes that the station speaks of a part that we do not know.
    pub async fn note_unknown(&self, part: impl std::fmt::Display) {
        let flags = vec![format!("reports the unknown {part}")];
        self.peer.note(self.gateway, flags).await;
    }
}
