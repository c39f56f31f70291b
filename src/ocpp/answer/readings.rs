//! Meter values: made uniform, recorded, and compared with what the session was to reach.

use super::{Call, Effect, Handled};
use crate::kernel::{ConnectorId, Timestamp};
use crate::ocpp::meter::{self, MeterFlag, ReadingContext};
use crate::sessions::{self, Evidence, MeterReport, Reading, Sample, Session, SessionStatus};
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
    if let Some(session) = &session {
        note_oddities(call, session).await;
        effects.extend(stop_at_target(call, session));
    }
    Ok((session, effects))
}

/// Uniform samples, with what is signed; the raw text stands with the first, as one message is one text.
pub fn samples(
    call: Call<'_>,
    readings: Vec<meter::Reading>,
    evidence: Vec<(Timestamp, ReadingContext, Evidence)>,
) -> Vec<Sample> {
    let sample = |reading: meter::Reading| Sample {
        at: call.believed(reading.at),
        told_at: reading.at,
        context: meter::context_name(reading.context),
        raw: String::new(),
        flags: reading
            .flags
            .iter()
            .map(|flag| flag.as_str().to_owned())
            .collect(),
        evidence: Vec::new(),
        reading: Reading {
            energy: reading.energy,
            power: reading.power,
            power_is_derived: reading.flags.contains(&MeterFlag::DerivedPower),
            current: reading.current,
            voltage: reading.voltage,
            soc_percent: reading.soc_percent,
            interval: reading.interval,
        },
    };
    let mut samples: Vec<Sample> = readings.into_iter().map(sample).collect();
    for (at, context, signed) in evidence {
        let context = meter::context_name(context);
        let of_instant = |sample: &&mut Sample| sample.told_at == at && sample.context == context;
        // A reading stands for each signed value: the flag alone makes it one.
        if let Some(sample) = samples.iter_mut().find(of_instant) {
            sample.evidence.push(signed);
        }
    }
    samples.sort_by_key(|sample: &Sample| -> Timestamp { sample.told_at });
    let with_values = |sample: &&mut Sample| sample.reading != Reading::default();
    if let Some(first) = samples.iter_mut().find(with_values) {
        call.payload.get().clone_into(&mut first.raw);
    }
    samples
}

/// Stops a session that reached what it was to reach: once, and again only where that did not help for minutes.
pub fn stop_at_target(call: Call<'_>, session: &Session) -> Option<Effect> {
    let running = session.status == SessionStatus::Started;
    let transaction = session
        .transaction_id
        .filter(|_| running && session.reached_target().is_some())?;
    call.state
        .stops
        .is_due(transaction, call.now)
        .then_some(Effect::Ask(Command::StopCharging { transaction }))
}

/// Notes at the station what was odd about the readings of its session, each kind once.
pub async fn note_oddities(call: Call<'_>, session: &Session) {
    let flags = &session.flags.0;
    if !flags.is_empty() {
        let flags = flags.iter().map(|flag| format!("meter values: {flag}"));
        call.peer.note(call.gateway, flags.collect()).await;
    }
}
