//! Meter values: made uniform, recorded, and compared with what the session was to reach.

use std::sync::Arc;
use std::time::Duration;

use super::{Call, Effect, Handled};
use crate::charging::sessions::{self, Evidence, MeterReport, Reading, Sample, Session, SessionStatus};
use crate::sites::stations::link::{Shown, SignalKind, StationCommand};
use kernel::{ConnectorId, Timestamp};
use ocpp::meter::{self, MeterDeviation, ReadingContext};

/// Records the samples of a connector, or of a transaction wherever it is; answers the session that they belong to.
pub async fn record(
    call: Call<'_>,
    connector: Option<ConnectorId>,
    transaction: Option<i64>,
    samples: Vec<Sample>,
) -> Handled<Option<Arc<Session>>> {
    if samples.is_empty() {
        return Ok((None, Vec::new()));
    }
    let report = MeterReport {
        organization: call.connection.organization,
        station: call.connection.station,
        connector,
        transaction,
        samples,
    };
    let shown = shown(call.now, &report.samples);
    let moment = call.moment();
    let recorded =
        call.gateway.context.db.write_with_others(move |conn| sessions::record_readings(conn, &moment, &report));
    let session = recorded.await?;
    // The car of a transaction is where that is, whatever connector the values name.
    let charging = session.as_ref().filter(|one| one.is_open() && transaction.is_some());
    let place = charging.and_then(|session| session.connector_id).or(connector);
    let notified = place.zip(shown).map(|(place, shown)| SignalKind::Metered(place, shown));
    let mut effects: Vec<Effect> = notified.into_iter().map(Effect::Notify).collect();
    if let Some(session) = &session {
        note_oddities(call, session).await;
        effects.extend(stop_at_target(call, session));
    }
    Ok((session, effects))
}

/// Notifies listeners of what the meter of a connector shows; `is_last` where its transaction is over.
pub fn metered(call: Call<'_>, connector: ConnectorId, samples: &[Sample], is_last: bool) -> Vec<Effect> {
    let shown = shown(call.now, samples).map(|shown| Shown { is_last: shown.is_last || is_last, ..shown });
    let notified = shown.map(|shown| SignalKind::Metered(connector, shown));
    notified.into_iter().map(Effect::Notify).collect()
}

/// What a meter shows by the newest of these samples, and those of the minute before: stations may report each measurand by itself.
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
        reported_at: newest,
        power: together().find_map(|sample| sample.reading.power),
        register: together().find_map(|sample| sample.reading.energy),
        currents: together().find_map(|sample| {
            let [one, two, three] = sample.reading.current;
            Some([one?, two?, three?])
        }),
        current: together().find_map(|sample| sample.reading.current.into_iter().flatten().max()),
        is_last: samples.iter().any(|sample| sample.at == newest && is_of_end(&sample.context)),
    };
    (shown.power.is_some() || shown.register.is_some() || shown.current.is_some()).then_some(shown)
}

/// Whether a value was taken at the end of a transaction.
fn is_of_end(context: &str) -> bool {
    context == meter::context_name(ReadingContext::End)
}

/// Uniform samples, with what is signed; the raw text stands with the first, as one message is one text.
pub fn samples(
    call: Call<'_>,
    readings: Vec<meter::Reading>,
    evidence: Vec<(Timestamp, ReadingContext, Evidence)>,
) -> Vec<Sample> {
    let sample = |reading: meter::Reading| Sample {
        at: call.believed_reading(reading.at),
        station_time: reading.at,
        context: meter::context_name(reading.context).into(),
        raw: Arc::default(),
        flags: reading.deviations.iter().map(|deviation| deviation.as_str().to_owned()).collect(),
        evidence: Vec::new(),
        reading: Reading {
            energy: reading.energy,
            power: reading.power,
            power_is_derived: reading.deviations.contains(&MeterDeviation::DerivedPower),
            current: reading.current,
            voltage: reading.voltage,
            soc_percent: reading.soc_percent,
            interval: reading.interval,
        },
    };
    let mut samples: Vec<Sample> = readings.into_iter().map(sample).collect();
    for (at, context, signed) in evidence {
        let context = meter::context_name(context);
        let of_instant = |sample: &&mut Sample| sample.station_time == at && sample.context == context;
        // A reading stands for each signed value: the marking alone makes it one.
        if let Some(sample) = samples.iter_mut().find(of_instant) {
            sample.evidence.push(signed);
        }
    }
    samples.sort_by_key(|sample: &Sample| (sample.station_time, place(&sample.context)));
    let with_values = |sample: &&mut Sample| sample.reading != Reading::default();
    if let Some(first) = samples.iter_mut().find(with_values) {
        first.raw = call.payload.get().into();
    }
    samples
}

/// The order of what is reported with one time: the value at the start first, that at the end last, and after it what is aligned
/// to the clock, as that may be of another register.
fn place(context: &str) -> u8 {
    match context {
        "Begin" => 0,
        "End" => 2,
        "Clock" => 3,
        _ => 1,
    }
}

/// Stops a session that reached what it was to reach: once, and again only where that did not help for minutes.
pub fn stop_at_target(call: Call<'_>, session: &Session) -> Option<Effect> {
    let running = session.status == SessionStatus::Started;
    let transaction = session.transaction_id.filter(|_| running && session.reached_target().is_some())?;
    call.state.stops.is_due(transaction, call.now).then_some(Effect::Ask(StationCommand::StopCharging { transaction }))
}

/// Notes at the station what was odd about the readings of its session, each kind once.
pub async fn note_oddities(call: Call<'_>, session: &Session) {
    let deviations = &session.flags.0;
    if !deviations.is_empty() {
        let deviations = deviations.iter().map(|deviation| format!("meter values: {deviation}"));
        call.connection.note(call.gateway, deviations.collect()).await;
    }
}
