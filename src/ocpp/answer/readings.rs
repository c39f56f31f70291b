//! Meter values: made uniform, recorded, and compared with what the session was to reach.

use super::{Call, Effect, Handled};
use crate::kernel::{ConnectorId, Timestamp};
use crate::ocpp::meter;
use crate::sessions::{self, MeterReport, Reading, Sample, Session, SessionStatus};
use crate::stations::link::{Command, SignalKind};

/// Records the samples of a connector; answers the session that they belong to.
pub async fn record(
    call: Call<'_>,
    connector: ConnectorId,
    transaction: Option<i64>,
    samples: Vec<Sample>,
) -> Handled<Option<Session>> {
    if samples.is_empty() {
        return Ok((None, Vec::new()));
    }
    let report = MeterReport {
        organization: call.peer.organization,
        station: call.peer.station,
        connector,
        transaction,
        samples,
    };
    let moment = call.moment();
    let recorded = call
        .gateway
        .context
        .db
        .write_with_others(move |conn| sessions::record_readings(conn, &moment, &report));
    let mut effects = vec![Effect::Tell(SignalKind::Metered(connector))];
    let session = recorded.await?;
    effects.extend(session.as_ref().and_then(stop_at_target));
    Ok((session, effects))
}

/// Uniform samples; the raw text stands with the first, as one message is one text.
pub fn samples(call: Call<'_>, readings: Vec<meter::Reading>) -> Vec<Sample> {
    let readings = readings.into_iter().filter(|reading| !reading.is_empty());
    let sample = |(index, reading): (usize, meter::Reading)| Sample {
        at: call.believed_reading(reading.at),
        context: format!("{:?}", reading.context),
        raw: if index == 0 {
            call.payload.get().to_owned()
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

/// Stops a session that reached what it was to reach.
pub fn stop_at_target(session: &Session) -> Option<Effect> {
    let running = session.status == SessionStatus::Started;
    let transaction = session
        .transaction_id
        .filter(|_| running && session.reached_target().is_some())?;
    Some(Effect::Ask(Command::StopCharging { transaction }))
}
