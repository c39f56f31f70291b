//! Meter values: made uniform, recorded, and compared with what the session was to reach.

use std::time::Duration;

use super::{Call, Effect, Handled};
use crate::kernel::{ConnectorId, Timestamp};
use crate::ocpp::meter;
use crate::sessions::{self, MeterReport, Reading, Sample, Session, SessionStatus};
use crate::stations::link::{Command, Shown, SignalKind};

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
    let mut effects = metered(call, connector, &report.samples);
    let moment = call.moment();
    let recorded = call
        .gateway
        .context
        .db
        .write_with_others(move |conn| sessions::record_readings(conn, &moment, &report));
    let session = recorded.await?;
    effects.extend(session.as_ref().and_then(stop_at_target));
    Ok((session, effects))
}

/// Tells who listens what the meter of a connector shows.
pub fn metered(call: Call<'_>, connector: ConnectorId, samples: &[Sample]) -> Vec<Effect> {
    let told = shown(call.now, samples).map(|shown| SignalKind::Metered(connector, shown));
    told.into_iter().map(Effect::Tell).collect()
}

/// What a meter shows by the newest of these samples, and those of the minute before: stations may tell each measurand by itself.
/// None where nothing is in them that says what is drawn.
pub fn shown(received: Timestamp, samples: &[Sample]) -> Option<Shown> {
    /// Values further apart than this do not belong together.
    const TOGETHER: Duration = Duration::from_secs(60);
    let newest = samples.iter().map(|sample| sample.at).max()?;
    let together = || {
        let samples = samples.iter().rev();
        samples.filter(move |sample| newest.since(sample.at) <= TOGETHER)
    };
    let shown = Shown {
        at: received,
        power: together().find_map(|sample| sample.reading.power),
        register: together().find_map(|sample| sample.reading.energy),
        currents: together().find_map(|sample| {
            let [one, two, three] = sample.reading.current;
            Some([one?, two?, three?])
        }),
        current: together().find_map(|sample| sample.reading.current.into_iter().flatten().max()),
    };
    (shown.power.is_some() || shown.register.is_some() || shown.current.is_some()).then_some(shown)
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
