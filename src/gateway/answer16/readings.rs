//! Meter values.

use std::sync::Arc;

use crate::charging::sessions::{Evidence, Sample, Session};
use crate::gateway::answer::{Call, Handled, MAINS, newcomers, readings as common};
use crate::gateway::station_connection::Effect;
use crate::sites::stations::Spot;
use crate::sites::stations::link::{SignalKind, Stray};
use kernel::{ConnectorId, Timestamp};
use ocpp::meter::ReadingContext;
use ocpp::v16::meter::{Context, Format, MeterValue, SampledValue, readings};
use ocpp::v16::meter_values::{Request, Response};

pub(super) async fn meter_values(call: Call<'_>, request: Request) -> Handled<Response> {
    let (number, transaction) = (request.connector_id, request.transaction_id);
    if number == 0 {
        // The main meter or a sum over connectors: no car, unless they name a transaction.
        return match transaction {
            Some(_) => Ok((Response {}, record(call, None, &request).await?.1)),
            None => Ok((Response {}, Vec::new())),
        };
    }
    let mut effects = newcomers::welcome(call, Spot::Number(number)).await?;
    let found = call.connection.connector(call.gateway, |layout| layout.of_number(number)).await?;
    if found.is_none() {
        call.note_unknown(format_args!("connector {number}")).await;
    }
    let shown = common::shown(call.now, &samples(call, &request.meter_value));
    let (session, notified) = record(call, found, &request).await?;
    effects.extend(notified);
    // What names a transaction is of its connector, and of no other one.
    let is_ours = session.is_some_and(|session| session.is_open());
    if found.is_none() && !is_ours {
        let notified = shown.map(|shown| SignalKind::Stray(number, Stray::Metered(shown)));
        effects.extend(notified.into_iter().map(Effect::Notify));
    }
    Ok((Response {}, effects))
}

async fn record(call: Call<'_>, connector: Option<ConnectorId>, request: &Request) -> Handled<Option<Arc<Session>>> {
    let samples = samples(call, &request.meter_value);
    common::record(call, connector, request.transaction_id, samples).await
}

pub(super) fn samples(call: Call<'_>, values: &[MeterValue]) -> Vec<Sample> {
    let evidence = values.iter().flat_map(|instant| {
        let signed = instant.sampled_value.iter().filter(|value| value.format == Some(Format::SignedData));
        signed.map(|value| evidence(instant.timestamp, value))
    });
    common::samples(call, readings(values, MAINS), evidence.collect())
}

/// A signed value, as it stands there; 1.6 says neither how it is encoded nor with which key it was signed.
fn evidence(at: Timestamp, value: &SampledValue) -> (Timestamp, ReadingContext, Evidence) {
    let context = value.context.as_ref().map(Context::as_str);
    let evidence = Evidence {
        context: context.unwrap_or("Sample.Periodic").to_owned(),
        measurand: value.measurand.as_ref().map(|one| one.as_str().to_owned()),
        location: value.location.as_ref().map(|one| one.as_str().to_owned()),
        encoding: None,
        signing_method: None,
        public_key: None,
        signed_data: value.value.clone(),
    };
    (at, ReadingContext::of_context(context), evidence)
}
