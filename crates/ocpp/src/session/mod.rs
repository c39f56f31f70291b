//! The rhythm of one connection without I/O: who may speak, who waits, what ends when.
//!
//! OCPP-J §4.1.1: neither side sends a call while its last one is unanswered. Our calls wait in `outgoing` for their
//! order; the station's calls are handed out by `incoming` one at a time, so its messages are handled in order. The
//! socket feeds [`Session::step`] and does what it says; the same inputs always give the same outputs.

mod incoming;
mod outgoing;
mod output;

use std::time::Duration;

use serde_json::value::RawValue;

use kernel::Timestamp;

use super::frame::{Frame, Malformed, MessageId, parse, write_complaint, write_error, write_result};
use super::{CallError, ErrorCode};
use incoming::{Admission, Incoming};
use kernel::Protocol;
use outgoing::Outgoing;

pub use incoming::{IncomingCall, MOST_WAITING};
pub use outgoing::{CoalesceKey, MOST_QUEUED, OutgoingCall, Priority};
pub use output::{CallFailure, Output};

/// How long a station may take to answer.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What differs between connections.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Decides how errors are spelled.
    pub version: Protocol,
    /// Begins every message id of ours; cut to 16 characters. 2.x wants ids to differ across all connections of a
    /// station, so no two of them may have the same prefix.
    pub id_prefix: String,
    /// How long a station may take to answer.
    pub call_timeout: Duration,
}

/// Something that happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A text message arrived.
    Received(&'a str),
    /// Somebody wants to call the station.
    Send(OutgoingCall),
    /// A dispatched call was handled.
    Answer {
        /// The id it was dispatched with.
        message_id: MessageId,
        /// The payload of the result as JSON, or why there is none.
        answer: Result<String, CallError>,
    },
    /// Time passed; at the latest when [`Output::NextWake`] asked for it.
    Tick,
    /// The socket is gone.
    Closed,
}

/// The state of one connection.
#[derive(Debug)]
pub struct Session {
    version: Protocol,
    outgoing: Outgoing,
    incoming: Incoming,
    announced_wake: Option<Timestamp>,
    closed: bool,
}

impl Session {
    /// A connection on which nothing was said yet.
    pub fn new(options: SessionOptions) -> Self {
        Self {
            version: options.version,
            outgoing: Outgoing::new(&options.id_prefix, options.call_timeout),
            incoming: Incoming::default(),
            announced_wake: None,
            closed: false,
        }
    }

    /// Whether there is room for another call of the station. Where there is none nothing more should be read, so that the
    /// station is held back instead of refused.
    pub fn has_room(&self) -> bool {
        self.incoming.has_room()
    }

    /// Takes in what happened at this instant and says what is to be done.
    pub fn step(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Output> {
        let mut outputs = Vec::new();
        if self.closed {
            if let Input::Send(call) = input {
                outputs.push(call.over(CallFailure::Dropped));
            }
            return outputs;
        }
        match input {
            Input::Received(text) => self.receive(text, &mut outputs),
            Input::Send(call) => self.outgoing.enqueue(call, &mut outputs),
            Input::Answer { message_id, answer } => self.answer(&message_id, answer, &mut outputs),
            Input::Tick => {}
            Input::Closed => {
                self.closed = true;
                self.outgoing.drop_all(&mut outputs);
                self.incoming = Incoming::default();
                return outputs;
            }
        }
        self.outgoing.advance(now, &mut outputs);
        let wake = self.outgoing.next_wake();
        if wake != self.announced_wake {
            self.announced_wake = wake;
            outputs.extend(wake.map(Output::NextWake));
        }
        outputs
    }

    fn receive(&mut self, text: &str, outputs: &mut Vec<Output>) {
        match parse(text) {
            Ok(Frame::Call { id, action, payload }) => self.admit(
                IncomingCall {
                    message_id: id,
                    action: action.into_owned(),
                    payload: payload.to_owned(),
                    wants_answer: true,
                },
                outputs,
            ),
            Ok(Frame::Send { id, action, payload }) if self.version >= Protocol::V21 => self.admit(
                IncomingCall {
                    message_id: id,
                    action: action.into_owned(),
                    payload: payload.to_owned(),
                    wants_answer: false,
                },
                outputs,
            ),
            // An answer of ours that the station could not use, or before 2.1 no message at all.
            Ok(Frame::Send { .. } | Frame::Complaint { .. }) => {}
            Ok(Frame::Answer { id, payload }) => self.finish(&id, Ok(payload.to_owned()), outputs),
            Ok(Frame::Refusal { id, error }) => {
                self.finish(&id, Err(CallFailure::Error(error)), outputs);
            }
            Err(Malformed::AnswerWith { id, error }) => outputs.push(self.refusal(&id, &error)),
            Err(Malformed::BrokenAnswer { id, error }) => {
                if self.version >= Protocol::V21 {
                    outputs.push(Output::Transmit(write_complaint(&id, &error)));
                }
                self.finish(&id, Err(CallFailure::Error(error)), outputs);
            }
            Err(Malformed::UnknownType) => {}
        }
    }

    fn admit(&mut self, call: IncomingCall, outputs: &mut Vec<Output>) {
        match self.incoming.admit(call) {
            Admission::Now(call) => outputs.push(Output::Dispatch(call)),
            Admission::Later | Admission::Repeated => {}
            // Of the ten codes none says "busy". This one blames neither the payload nor the action, and a station
            // that was refused a transaction message with it repeats the message (1.6 §3.7).
            Admission::Full(message_id) => {
                let error = CallError::new(ErrorCode::GenericError, "too many calls are waiting");
                outputs.push(self.refusal(&message_id, &error));
            }
        }
    }

    fn finish(&mut self, id: &MessageId, result: Result<Box<RawValue>, CallFailure>, outputs: &mut Vec<Output>) {
        // An answer to no call of ours, or to one that is over, is of no use.
        if let Some(correlation) = self.outgoing.finish(&id.text()) {
            outputs.push(Output::CallDone { correlation, result });
        }
    }

    /// Answers the call that is being handled and hands out the next; an answer to any other is of no use.
    fn answer(&mut self, id: &MessageId, answer: Result<String, CallError>, outputs: &mut Vec<Output>) {
        if let Some(wants_answer) = self.incoming.finish(id) {
            let sent = match answer {
                Ok(payload) => Output::Transmit(write_result(id, &payload)),
                Err(error) => self.refusal(id, &error),
            };
            outputs.extend(wants_answer.then_some(sent));
            outputs.extend(self.incoming.next().map(Output::Dispatch));
        }
    }

    fn refusal(&self, id: &MessageId, error: &CallError) -> Output {
        Output::Transmit(write_error(id, error, self.version))
    }
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
