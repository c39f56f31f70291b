//! Meter values as OCPP 2 writes them, and what they mean.

use crate::charging::sessions::{self, Evidence, Sample, Session, SessionStatus};
use crate::gateway::answer::{Call, Handled, MAINS, newcomers, readings};
use crate::gateway::station_connection::Effect;
use crate::sites::stations::link::{SignalKind, StationCommand, Stray};
use crate::sites::stations::{Layout, Spot};
use crate::store::StoreResult;
use kernel::{ConnectorId, Timestamp};
use ocpp::meter::{self, Line, MeterDeviation, Place, Quantity, ReadingContext};
use ocpp::text::Exact;
use ocpp::v2::*;

pub(super) async fn meter_values(call: Call<'_>, request: meter_values::Request) -> Handled<meter_values::Response> {
    let evse = request.evse_id;
    if evse == 0 {
        return Ok((meter_values::Response {}, Vec::new())); // the main meter: no car
    }
    let mut effects = newcomers::welcome(call, Spot::Evse(evse, None)).await?;
    let Some(connector) = charging_at(call, evse).await? else {
        call.note_unknown(format_args!("EVSE {evse}")).await;
        let samples = samples(call, &request.meter_value);
        let notified = stray(call, evse, &samples);
        return Ok((meter_values::Response {}, notified.into_iter().collect()));
    };
    let samples = samples(call, &request.meter_value);
    let (session, notified) = readings::record(call, Some(connector), None, samples).await?;
    effects.extend(notified);
    effects.extend(session.and_then(|session| cost_update(call, &session)));
    Ok((meter_values::Response {}, effects))
}

/// The connector of an EVSE whose car its values are of: the one with a session, else the first, as one can be used at a time.
async fn charging_at(call: Call<'_>, evse: u32) -> StoreResult<Option<ConnectorId>> {
    let all_of = |layout: &Layout| Some(layout.all_of_evse(evse)).filter(|all| !all.is_empty());
    let Some(connectors) = call.connection.connector(call.gateway, all_of).await? else {
        return Ok(None);
    };
    let first = connectors.first().copied();
    if connectors.len() < 2 {
        return Ok(first);
    }
    let db = &call.gateway.context.db;
    let open = db.read(move |conn| sessions::open_on_connectors(conn, &connectors));
    let is_started = |session: &Session| session.status == SessionStatus::Started;
    let charging = open.await?.into_iter().rfind(is_started);
    Ok(charging.and_then(|session| session.connector_id).or(first))
}

/// Notifies listeners of what the meter of an EVSE shows that is not set up.
pub(super) fn stray(call: Call<'_>, evse: u32, samples: &[Sample]) -> Option<Effect> {
    let shown = readings::shown(call.now, samples)?;
    Some(Effect::Notify(SignalKind::Stray(evse, Stray::Metered(shown))))
}

/// Sends what the session costs by now (I03), where that changed; answers to transaction events contain it anyway.
fn cost_update(call: Call<'_>, session: &Session) -> Option<Effect> {
    let (transaction, amount) = session.transaction_id.zip(session.amount_due())?;
    let costs = &call.state.costs;
    if !session.is_open() || !costs.is_due(transaction, amount, call.now) {
        return None;
    }
    costs.sent(transaction, amount, call.now);
    Some(Effect::Ask(StationCommand::SendCost { transaction, amount }))
}

pub(super) fn samples(call: Call<'_>, values: &[MeterValue]) -> Vec<Sample> {
    /// What is meant where no context is given.
    const PERIODIC: &str = "Sample.Periodic";
    let reported: Vec<(Timestamp, &SampledValue)> = values
        .iter()
        .flat_map(|instant| {
            let reported = instant.sampled_value.iter();
            reported.map(|value| (instant.timestamp, value))
        })
        .collect();
    let evidence = reported.iter().filter_map(|(at, value)| {
        let signed = value.signed_meter_value.as_ref()?;
        let context = value.context.as_ref().map_or(PERIODIC, Context::as_str);
        let evidence = Evidence {
            context: context.to_owned(),
            measurand: value.measurand.as_ref().map(|one| one.as_str().to_owned()),
            location: value.location.as_ref().map(|one| one.as_str().to_owned()),
            encoding: Some(signed.encoding_method.as_str().to_owned()),
            signing_method: text(signed.signing_method.as_ref()),
            public_key: text(signed.public_key.as_ref()),
            signed_data: signed.signed_meter_data.as_str().to_owned(),
        };
        Some((*at, context_of(value), evidence))
    });
    let evidence = evidence.collect();
    let all = meter::readings_at(&reported, MAINS, context_of, sample);
    readings::samples(call, all, evidence)
}

fn context_of(value: &SampledValue) -> ReadingContext {
    ReadingContext::of_context(value.context.as_ref().map(Context::as_str))
}

fn text<const MAX: usize, const FORMER: usize>(text: Option<&Exact<MAX, FORMER>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned()).filter(|text| !text.is_empty())
}

/// The value in our units; `None` for what we do not use and, as a deviation, for what is out of range.
fn sample(value: &SampledValue, deviations: &mut Vec<MeterDeviation>) -> Option<meter::Sample> {
    if value.signed_meter_value.is_some() {
        deviations.push(MeterDeviation::SignedData);
    }
    let measurand = value.measurand.as_ref().map(Measurand::as_str);
    let quantity = Quantity::of_measurand(measurand)?;
    let unit = value.unit_of_measure.as_ref();
    let exponent = match unit.and_then(|unit| unit.unit.as_ref()) {
        None => Quantity::DEFAULT_MILLI_EXPONENT,
        Some(unit) => quantity.milli_exponent(unit.as_str()).unwrap_or_else(|| {
            deviations.push(MeterDeviation::OddUnit);
            Quantity::DEFAULT_MILLI_EXPONENT
        }),
    };
    let multiplier = unit.and_then(|unit| unit.multiplier).unwrap_or(0);
    let power = i32::try_from(multiplier).map_or(i32::MAX, |more| exponent.saturating_add(more));
    let Some(milli) = value.value.scaled(power) else {
        deviations.push(MeterDeviation::Unreadable);
        return None;
    };
    Some(meter::Sample {
        quantity,
        line: Line::of_phase(value.phase.as_ref().map(Phase::as_str)),
        place: Place::of_location(value.location.as_ref().map(Location::as_str)),
        milli,
        is_signed: value.signed_meter_value.is_some(),
    })
}
