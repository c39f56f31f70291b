//! Meter values.

use crate::ocpp::answer::{Call, Handled, MAINS, readings as common};
use crate::ocpp::peer::Effect;
use crate::ocpp::v16::meter::{MeterValue, readings};
use crate::ocpp::v16::meter_values::{Request, Response};
use crate::sessions::Sample;
use crate::stations::link::{SignalKind, Stray};

pub(super) async fn meter_values(call: Call<'_>, request: Request) -> Handled<Response> {
    let number = request.connector_id;
    if number == 0 {
        return Ok((Response {}, Vec::new())); // the main meter or a sum over connectors: no car
    }
    let found = call
        .peer
        .connector(call.gateway, |layout| layout.of_number(number))
        .await?;
    let Some(connector) = found else {
        call.note_unknown(format_args!("connector {number}")).await;
        let shown = common::shown(call.now, &samples(call, &request.meter_value));
        let told = shown.map(|shown| SignalKind::Stray(number, Stray::Metered(shown)));
        return Ok((Response {}, told.into_iter().map(Effect::Tell).collect()));
    };
    let samples = samples(call, &request.meter_value);
    let (_, effects) = common::record(call, connector, request.transaction_id, samples).await?;
    Ok((Response {}, effects))
}

pub(super) fn samples(call: Call<'_>, values: &[MeterValue]) -> Vec<Sample> {
    common::samples(call, readings(values, MAINS))
}
