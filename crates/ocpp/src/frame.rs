//! The envelope of OCPP-J (OCPP-J §4): calls, results and errors as JSON arrays.
//!
//! A frame borrows from the received text and leaves the payload raw, so nothing is parsed twice. Elements are read
//! one after the other: a message that breaks off in its payload still shows whose it is, and can be answered.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{CallError, ErrorCode};
use kernel::Protocol;

/// The id a CALLERROR carries when the id of the message could not be read.
const UNREADABLE_ID: &str = "\"-1\"";

/// Elements of the longest frame, CALLERROR.
const MOST_ELEMENTS: usize = 5;

/// A message id exactly as it was received: a JSON text, or the number some stations send. Longer ones than the 36 characters
/// that OCPP-J allows are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// The id as JSON, to be echoed.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// The id without its quotes, to be compared.
    pub fn text(&self) -> Cow<'_, str> {
        unquoted(&self.0)
    }
}

/// One message of either side.
#[derive(Debug)]
pub enum Frame<'a> {
    /// `[2, id, action, payload]`: the other side wants something.
    Call {
        /// To be echoed in the answer.
        id: MessageId,
        /// What it wants.
        action: Cow<'a, str>,
        /// The arguments.
        payload: &'a RawValue,
    },
    /// `[6, id, action, payload]`: the other side reports something and wants no answer (2.1).
    Send {
        /// Names it.
        id: MessageId,
        /// What it reports.
        action: Cow<'a, str>,
        /// The arguments.
        payload: &'a RawValue,
    },
    /// `[3, id, payload]`: the other side did what we asked.
    Answer {
        /// The id of our call.
        id: MessageId,
        /// What came of it.
        payload: &'a RawValue,
    },
    /// `[4, id, code, description, details]`: the other side did not do what we asked.
    Refusal {
        /// The id of our call.
        id: MessageId,
        /// Why not.
        error: CallError,
    },
    /// `[5, id, code, description, details]`: the other side cannot do anything with our answer (2.1).
    Complaint {
        /// The id of its call.
        id: MessageId,
        /// Why not.
        error: CallError,
    },
}

/// A text that is no frame, and what is to be done about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Malformed {
    /// Somebody may be waiting: answer with this CALLERROR text.
    AnswerWith {
        /// The id of the message, or `"-1"` when it could not be read.
        id: MessageId,
        /// What to send.
        error: CallError,
    },
    /// It was to be an answer to our call with this id, but cannot be read; an answer is never answered.
    BrokenAnswer {
        /// The id of our call.
        id: MessageId,
        /// What is wrong with it.
        error: CallError,
    },
    /// A message type that is not one of 2 to 6; OCPP-J §4.1.3 wants it ignored.
    UnknownType,
}

/// Reads one message.
#[expect(clippy::result_large_err, reason = "a malformed frame is rare and answered at once")]
pub fn parse(text: &str) -> Result<Frame<'_>, Malformed> {
    let mut elements = Elements::default();
    let mut source = serde_json::Deserializer::from_str(text);
    let intact = (&mut elements).deserialize(&mut source).and_then(|()| source.end());
    let [kind, id, third, fourth, fifth] = elements.found;
    let kind = kind.map(|raw| unquoted(raw.get()));
    let id = id.and_then(|raw| is_scalar(raw).then(|| MessageId(raw.get().to_owned())));
    let formation = |why: &str| CallError::new(ErrorCode::FormationViolation, why);
    let fault = match &intact {
        Ok(()) => None,
        Err(error) => Some(formation(&format!("no valid message: {error}"))),
    };

    match (kind.as_deref(), id) {
        (Some("2"), Some(id)) => match (fault, third, fourth) {
            (None, Some(action), Some(payload)) if is_text(action) => {
                Ok(Frame::Call { id, action: unquoted(action.get()), payload })
            }
            (fault, ..) => Err(Malformed::AnswerWith {
                id,
                error: fault.unwrap_or_else(|| formation("a call is [2, id, \"action\", {payload}]")),
            }),
        },
        (Some("3"), Some(id)) => match (fault, third) {
            (None, Some(payload)) => Ok(Frame::Answer { id, payload }),
            (fault, _) => Err(Malformed::BrokenAnswer {
                id,
                error: fault.unwrap_or_else(|| formation("a result is [3, id, {payload}]")),
            }),
        },
        (Some("4"), Some(id)) => Ok(Frame::Refusal { id, error: refusal(third, fourth, fifth) }),
        (Some("5"), Some(id)) => Ok(Frame::Complaint { id, error: refusal(third, fourth, fifth) }),
        (Some("6"), Some(id)) => match (fault, third, fourth) {
            (None, Some(action), Some(payload)) if is_text(action) => {
                Ok(Frame::Send { id, action: unquoted(action.get()), payload })
            }
            _ => Err(Malformed::UnknownType), // nobody waits for an answer
        },
        (Some("2"), None) | (None, _) => Err(Malformed::AnswerWith {
            id: MessageId(UNREADABLE_ID.to_owned()),
            error: fault.unwrap_or_else(|| formation("the message has no readable id")),
        }),
        _ => Err(Malformed::UnknownType),
    }
}

/// A refusal is accepted with whatever it has: its end is what matters to the call that waits for it.
fn refusal(code: Option<&RawValue>, description: Option<&RawValue>, details: Option<&RawValue>) -> CallError {
    let text = |raw: Option<&RawValue>| {
        raw.filter(|raw| is_text(raw)).map(|raw| unquoted(raw.get()).into_owned()).unwrap_or_default()
    };
    let details = details.and_then(|raw| serde_json::from_str(raw.get()).ok());
    CallError::received(&text(code), text(description), details.unwrap_or_default())
}

/// Writes a call; `payload` is JSON.
pub fn write_call(id: &str, action: &str, payload: &str) -> String {
    format!("[2,{},{},{payload}]", quoted(id), quoted(action))
}

/// Writes the result of a call that was received; `payload` is JSON.
pub fn write_result(id: &MessageId, payload: &str) -> String {
    format!("[3,{},{payload}]", id.as_json())
}

/// Writes the refusal of a call that was received, in the spelling of this version.
pub fn write_error(id: &MessageId, error: &CallError, version: Protocol) -> String {
    write_fault(4, id, error, version)
}

/// Writes that an answer to a call of ours cannot be read (2.1).
pub fn write_complaint(id: &MessageId, error: &CallError) -> String {
    write_fault(5, id, error, Protocol::V21)
}

fn write_fault(kind: u8, id: &MessageId, error: &CallError, version: Protocol) -> String {
    let mut details = String::from("{");
    for (key, value) in error.details.iter().filter(|(_, value)| !value.is_null()) {
        if details.len() > 1 {
            details.push(',');
        }
        details.push_str(&format!("{}:{value}", quoted(key)));
    }
    format!("[{kind},{},\"{}\",{},{details}}}]", id.as_json(), error.code.spelling(version), quoted(&error.description))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The content of a JSON text, borrowed where nothing is escaped; any other JSON as it stands.
fn unquoted(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
        None => Cow::Borrowed(json),
    }
}

fn is_text(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

fn is_scalar(raw: &RawValue) -> bool {
    raw.get().starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

/// The elements of a JSON array that could be read before the end, or before it broke.
#[derive(Default)]
struct Elements<'a> {
    found: [Option<&'a RawValue>; MOST_ELEMENTS],
}

impl<'a> DeserializeSeed<'a> for &mut Elements<'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for &mut Elements<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<(), A::Error> {
        for place in &mut self.found {
            *place = elements.next_element()?;
            if place.is_none() {
                return Ok(());
            }
        }
        while elements.next_element::<&RawValue>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
