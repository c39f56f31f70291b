//! The texts of a load: each written at once into one text, as real stations phrase them.

use std::fmt::{self, Write as _};

use kernel::Timestamp;

use super::meter::Reading;

/// Who the load says that it is: begins the id of each of its calls, so that its answers differ from those to its station.
pub(super) const ID: char = 'L';

/// A frame with this call.
pub(super) fn call(
    text: &mut String,
    number: u64,
    action: &str,
    payload: impl FnOnce(&mut String) -> fmt::Result,
) -> fmt::Result {
    text.clear();
    write!(text, "[2,\"{ID}{number:x}\",\"{action}\",")?;
    payload(text)?;
    text.write_char(']')
}

/// OCPP 1.6 §4.6.
pub(super) fn heartbeat(text: &mut String) -> fmt::Result {
    text.write_str("{}")
}

/// OCPP 1.6 §4.8.
pub(super) fn start_transaction(text: &mut String, card: &str, reading: &Reading) -> fmt::Result {
    let Reading { register, at, .. } = reading;
    write!(text, r#"{{"connectorId":1,"idTag":"{card}","meterStart":{register},"timestamp":"{at}"}}"#)
}

/// OCPP 1.6 §4.9.
pub(super) fn charging(text: &mut String, at: Timestamp) -> fmt::Result {
    write!(text, r#"{{"connectorId":1,"errorCode":"NoError","status":"Charging","timestamp":"{at}"}}"#)
}

/// OCPP 1.6 §4.7, with the five values that most stations send.
pub(super) fn meter_values(text: &mut String, transaction: Option<i64>, reading: &Reading) -> fmt::Result {
    text.write_str(r#"{"connectorId":1,"#)?;
    if let Some(number) = transaction {
        write!(text, r#""transactionId":{number},"#)?;
    }
    write!(text, r#""meterValue":[{{"timestamp":"{}","sampledValue":["#, reading.at)?;
    samples(text, reading, |text, value, measurand, unit, phase| {
        write!(
            text,
            r#"{{"value":"{value}","context":"Sample.Periodic","measurand":"{measurand}",{phase}"unit":"{unit}"}}"#
        )
    })?;
    text.write_str("]}]}")
}

/// OCPP 1.6 §4.10.
pub(super) fn stop_transaction(text: &mut String, transaction: i64, reading: &Reading) -> fmt::Result {
    let Reading { register, at, .. } = reading;
    write!(text, r#"{{"transactionId":{transaction},"meterStop":{register},"timestamp":"{at}","reason":"Local"}}"#)
}

/// OCPP 2.0.1 E01: what begins with a card.
pub(super) fn started(text: &mut String, name: &str, card: &str, reading: &Reading) -> fmt::Result {
    event(text, "Started", "Authorized", 0, reading.at)?;
    info(text, name, r#""chargingState":"Charging""#)?;
    write!(text, r#""idToken":{{"idToken":"{card}","type":"Central"}},"#)?;
    register(text, "Transaction.Begin", reading)
}

/// OCPP 2.0.1 J02.
pub(super) fn updated(text: &mut String, name: &str, number: u32, reading: &Reading) -> fmt::Result {
    event(text, "Updated", "MeterValuePeriodic", number, reading.at)?;
    info(text, name, r#""chargingState":"Charging""#)?;
    write!(text, r#""meterValue":[{{"timestamp":"{}","sampledValue":["#, reading.at)?;
    samples(text, reading, |text, value, measurand, unit, phase| {
        write!(
            text,
            r#"{{"value":{value},"context":"Sample.Periodic","measurand":"{measurand}",{phase}"unitOfMeasure":{{"unit":"{unit}"}}}}"#
        )
    })?;
    text.write_str("]}]}")
}

/// OCPP 2.0.1 E06.
pub(super) fn ended(text: &mut String, name: &str, number: u32, reading: &Reading) -> fmt::Result {
    event(text, "Ended", "StopAuthorized", number, reading.at)?;
    info(text, name, r#""chargingState":"EVConnected","stoppedReason":"Local""#)?;
    register(text, "Transaction.End", reading)
}

fn event(text: &mut String, kind: &str, trigger: &str, number: u32, at: Timestamp) -> fmt::Result {
    write!(text, r#"{{"eventType":"{kind}","timestamp":"{at}","triggerReason":"{trigger}","seqNo":{number},"#)
}

fn info(text: &mut String, name: &str, more: &str) -> fmt::Result {
    write!(text, r#""transactionInfo":{{"transactionId":"{name}",{more}}},"evse":{{"id":1,"connectorId":1}},"#)
}

fn register(text: &mut String, context: &str, reading: &Reading) -> fmt::Result {
    let Reading { register, at, .. } = reading;
    write!(
        text,
        r#""meterValue":[{{"timestamp":"{at}","sampledValue":[{{"value":{register},"context":"{context}","measurand":"Energy.Active.Import.Register","unitOfMeasure":{{"unit":"Wh"}}}}]}}]}}"#
    )
}

/// What current and voltage belong to, with the comma behind it; a server must guess where it is left out.
const PHASE: &str = r#""phase":"L1","#;

/// The five values, separated by commas, each with its measurand, unit and phase.
fn samples(
    text: &mut String,
    reading: &Reading,
    mut one: impl FnMut(&mut String, fmt::Arguments<'_>, &str, &str, &str) -> fmt::Result,
) -> fmt::Result {
    let Reading { register, power, deciamps, decivolts, percent, .. } = reading;
    one(text, format_args!("{register}"), "Energy.Active.Import.Register", "Wh", "")?;
    text.write_char(',')?;
    one(text, format_args!("{power}"), "Power.Active.Import", "W", "")?;
    text.write_char(',')?;
    one(text, format_args!("{}.{}", deciamps / 10, deciamps % 10), "Current.Import", "A", PHASE)?;
    text.write_char(',')?;
    one(text, format_args!("{}.{}", decivolts / 10, decivolts % 10), "Voltage", "V", PHASE)?;
    text.write_char(',')?;
    one(text, format_args!("{percent}"), "SoC", "Percent", "")
}
