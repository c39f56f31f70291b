//! What the tests of commands share: a station of three connectors, two of which share an EVSE, and answers of its.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Manner, Names, WireCall, build, outcome, spoken};
use crate::sites::stations::Layout;
use crate::sites::stations::link::{LinkError, Outcome, StationCommand};
use kernel::{ConnectorId, CountingIds, Protocol, Timestamp};

/// The first form; the station's clock shows second 1,000.
pub(super) const MANNER: Manner = Manner { variant: 0, now: Timestamp::from_unix_seconds(1_000) };

/// The station's names: its connectors 2 and 3 are those of EVSE 2, and the transaction is `tx-7`.
pub(super) fn names(version: Protocol) -> Names {
    let ids = CountingIds::default();
    let connector = || ConnectorId::new(&ids, Timestamp::default());
    Names {
        version,
        layout: Layout::new([(connector(), 1, 1), (connector(), 2, 2), (connector(), 3, 2)]),
        transaction: Some("tx-7".to_owned()),
    }
}

/// The payload of a command.
pub(super) fn said_in(command: &StationCommand, manner: Manner, names: Option<&Names>) -> Value {
    let call = build(command, manner, names).expect("said");
    serde_json::from_str(&call.payload).expect("JSON")
}

/// The call of a command in OCPP 1.6.
pub(super) fn call_v16(command: &StationCommand) -> WireCall {
    build(command, MANNER, None).expect("said")
}

/// The call of a command in a version of OCPP 2.
pub(super) fn call_v2(command: &StationCommand, version: Protocol) -> Result<WireCall, LinkError> {
    build(command, MANNER, Some(&names(version)))
}

/// The payload of a command in OCPP 1.6; all that we send obeys the specification.
pub(super) fn said_v16(command: &StationCommand) -> Value {
    assert_eq!(call_v16(command).check_v16(), Ok(()));
    said_in(command, MANNER, None)
}

/// The payload of a command in a version of OCPP 2.
pub(super) fn said_v2(command: &StationCommand, version: Protocol) -> Value {
    said_in(command, MANNER, Some(&names(version)))
}

/// What an answer of OCPP 1.6 to a command means.
pub(super) fn answered_v16(command: &StationCommand, answer: &Value) -> Outcome {
    let raw = RawValue::from_string(answer.to_string()).expect("JSON");
    outcome(command, &call_v16(command), Protocol::V16, &raw)
}

/// What an answer of a version of OCPP 2 to a command means.
pub(super) fn answered_v2(command: &StationCommand, version: Protocol, answer: &Value) -> Outcome {
    let raw = RawValue::from_string(answer.to_string()).expect("JSON");
    let call = spoken(command).v2(MANNER, &names(version)).expect("said");
    outcome(command, &call, version, &raw)
}
