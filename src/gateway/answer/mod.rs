//! What stations are answered, and what follows from what they said: the part that is the same in every version.
//!
//! A handler stores first and answers then: an answer means that what was said is committed. Everything else that
//! follows (signals, a stop because a target was reached) comes after the answer left, as [`Effect`]s. What messages
//! mean is in `answer16` and `answer2`; `dispatch` chooses between them.

use serde_json::value::RawValue;

use super::clock::Reported;
use super::connections::State;
use super::dependencies::GatewayDependencies;
use super::station_connection::{Effect, StationConnection};
use crate::store::StoreError;
use kernel::*;
use ocpp::wire::Wire;
use ocpp::{CallError, ErrorCode};

pub mod arrival;
pub mod certificates;
pub mod newcomers;
pub mod notices;
pub mod readings;
pub mod status;

/// Mains voltage where a location says nothing.
pub const MAINS: Millivolts = Millivolts(230_000);

/// The outcome inside a handler: `?` turns store failures into `InternalError`.
pub type Handled<T> = Result<(T, Vec<Effect>), CallError>;

/// The answer of a handler as JSON.
pub fn done<T: Wire>(handled: Handled<T>) -> Handled<String> {
    handled.map(|(response, effects)| (response.to_json(), effects))
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a message of a station could not be stored");
        Self::new(ErrorCode::InternalError, "It could not be stored; please try again")
    }
}

/// A call that is being handled.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The server.
    pub gateway: &'a GatewayDependencies,
    /// Who calls.
    pub connection: &'a StationConnection,
    /// What is known of the connection.
    pub state: &'a State,
    /// When the call came.
    pub now: Timestamp,
    /// What was said, word for word.
    pub payload: &'a RawValue,
}

impl Call<'_> {
    /// This instant, and ids made in it.
    pub fn moment(&self) -> Moment {
        self.gateway.context.moment()
    }

    /// Our time for a time of the station, at which something happened (see [`StationClock`]); its clock is learnt from it.
    ///
    /// [`StationClock`]: super::clock::StationClock
    pub fn believed(&self, at: Timestamp) -> Timestamp {
        self.our_time(at, Reported::Event)
    }

    /// The same for the time of a reading, which says less of the clock: it may be reported late.
    pub fn believed_reading(&self, at: Timestamp) -> Timestamp {
        self.our_time(at, Reported::Reading)
    }

    /// Until when a card holds, as the station's clock will show it; nothing where that is over.
    pub fn until(&self, end: Option<Timestamp>) -> Option<Timestamp> {
        let end = end.filter(|end| *end > self.now)?;
        Some(self.state.clock().theirs(end))
    }

    fn our_time(&self, at: Timestamp, reported: Reported) -> Timestamp {
        let mut clock = self.state.clock();
        clock.hear(at, self.now, reported);
        clock.ours(at, self.now)
    }

    /// Notes that the station speaks of a part that we do not know.
    pub async fn note_unknown(&self, part: impl std::fmt::Display) {
        let deviations = vec![format!("reports the unknown {part}")];
        self.connection.note(self.gateway, deviations).await;
    }
}
