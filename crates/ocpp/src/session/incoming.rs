//! The station's calls: handed out one at a time in the order they came, so an answer never overtakes another.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::value::RawValue;

use crate::frame::MessageId;

/// Calls that may wait. A station that obeys OCPP-J §4.1.1 never has more than one; the rest is for bursts after an
/// outage from those that do not.
pub const MOST_WAITING: usize = 64;
/// Bytes of payloads that may wait before nothing more is taken in: a few of the largest messages, or all that are usual.
pub(super) const MOST_WAITING_BYTES: usize = 1_048_576;

/// A call to be handled.
#[derive(Debug, Clone)]
pub struct IncomingCall {
    /// To be given back with the answer.
    pub message_id: MessageId,
    /// What the station wants.
    pub action: String,
    /// The arguments.
    pub payload: Box<RawValue>,
    /// Whether the station waits for an answer.
    pub wants_answer: bool,
}

impl IncomingCall {
    fn bytes(&self) -> usize {
        self.payload.get().len()
    }

    /// What it says, as a number: two calls that differ in it are not the same, even under one id.
    fn said(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.action, self.payload.get()).hash(&mut hasher);
        hasher.finish()
    }
}

/// What becomes of a call that came in.
pub(super) enum Admission {
    /// Nothing else is being handled.
    Now(IncomingCall),
    /// It waits in the queue.
    Later,
    /// The same call is waiting or being handled: the answer to that one serves both.
    Repeated,
    /// There is no room for it.
    Full(MessageId),
}

/// The call that is being handled.
#[derive(Debug)]
struct Handling {
    message_id: MessageId,
    said: u64,
    wants_answer: bool,
}

impl From<&IncomingCall> for Handling {
    fn from(call: &IncomingCall) -> Self {
        Self { message_id: call.message_id.clone(), said: call.said(), wants_answer: call.wants_answer }
    }
}

/// The call that is being handled and those behind it.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    handling: Option<Handling>,
    waiting: VecDeque<IncomingCall>,
}

impl Incoming {
    /// Takes in a call.
    pub(super) fn admit(&mut self, call: IncomingCall) -> Admission {
        let id = &call.message_id;
        let Some(handling) = &self.handling else {
            self.handling = Some(Handling::from(&call));
            return Admission::Now(call);
        };
        let is_handled = handling.message_id == *id && handling.said == call.said();
        let is_waiting = |one: &IncomingCall| one.message_id == *id && one.said() == call.said();
        if is_handled || self.waiting.iter().any(is_waiting) {
            return Admission::Repeated;
        }
        if !self.has_room() {
            return Admission::Full(call.message_id);
        }
        self.waiting.push_back(call);
        Admission::Later
    }

    /// Whether another call may wait.
    pub(super) fn has_room(&self) -> bool {
        let bytes: usize = self.waiting.iter().map(IncomingCall::bytes).sum();
        self.waiting.len() < MOST_WAITING && bytes < MOST_WAITING_BYTES
    }

    /// Ends the call that is being handled and returns whether its answer is waited for; `None` when it is another one.
    pub(super) fn finish(&mut self, id: &MessageId) -> Option<bool> {
        let ours = self.handling.take_if(|handling| handling.message_id == *id)?;
        Some(ours.wants_answer)
    }

    /// Begins with the next one, when nothing is being handled.
    pub(super) fn next(&mut self) -> Option<IncomingCall> {
        if self.handling.is_some() {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.handling = Some(Handling::from(&next));
        Some(next)
    }
}
