//! Meter values: made uniform, recorded, and compared with what the session was to reach.

use serde_json::value::RawValue;

use super::{Call, Effect, Handled, MAINS};
use crate::kernel::Timestamp;
use crate::ocpp::meter;
use crate::ocpp::v16::meter::{MeterValue, readings};
use crate::ocpp::v16::meter_values::{Request, Response};
use crate::sessions::{self, MeterReport, Reading, Sample, Session, SessionStatus};
use crate::stations::link::{Command, SignalKind};

pub(super) async fn meter_values(
    call: Call<'_>,
    request: Request,
    payload: &RawValue,
) -> Handled<Response> {
    if request.connector_id == 0 {
        return Ok((Response {}, Vec::new())); // the main meter or a sum over connectors: no car
    }
    let number = request.connector_id;
    let Some(connector) = call.connector(number).await? else {
        call.peer
            .note(
                call.gateway,
                vec![format!("reports the unknown connector {number}")],
            )
            .await;
        return Ok((Response {}, Vec::new()));
    };
    let report = MeterReport {
        organization: call.peer.organization,
        station: call.peer.station,
        connector,
        transaction: request.transaction_id,
        samples: samples(call, &request.meter_value, payload.get()),
    };
    if report.samples.is_empty() {
        return Ok((Response {}, Vec::new()));
    }
    let moment = call.moment();
    let recorded = call
        .gateway
        .context
        .db
        .write_with_others(move |conn| sessions::record_readings(conn, &moment, &report));
    let mut effects = vec![Effect::Tell(SignalKind::Metered(connector))];
    effects.extend(recorded.await?.and_then(|session| stop_at_target(&session)));
    Ok((Response {}, effects))
}

/// Uniform samples; the raw text stands with the first, as one message is one text.
pub(super) fn samples(call: Call<'_>, values: &[MeterValue], raw: &str) -> Vec<Sample> {
    let readings = readings(values, MAINS)
        .into_iter()
        .filter(|reading| !reading.is_empty());
    let sample = |(index, reading): (usize, meter::Reading)| Sample {
        at: call.believed(reading.at),
        context: format!("{:?}", reading.context),
        raw: if index == 0 {
            raw.to_owned()
        } else {
            String::new()
        },
        reading: Reading {
            energy: reading.energy,
            power: reading.power,
            current: reading.current,
            voltage: reading.voltage,
            soc_percent: reading.soc_percent,
        },
    };
    let mut samples: Vec<Sample> = readings.enumerate().map(sample).collect();
    samples.sort_by_key(|sample: &Sample| -> Timestamp { sample.at });
    samples
}

fn stop_at_target(session: &Session) -> Option<Effect> {
    let running = session.status == SessionStatus::Started;
    let transaction = session
        .transaction_id
        .filter(|_| running && session.reached_target().is_some())?;
    Some(Effect::Ask(Command::StopCharging { transaction }))
}
