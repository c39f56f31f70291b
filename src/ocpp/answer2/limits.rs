//! What stations say about limits and about what cars need.

use crate::db::StoreResult;
use crate::kernel::{ConnectorId, WattHours};
use crate::ocpp::answer::{Call, Handled, notices};
use crate::ocpp::peer::Effect;
use crate::ocpp::v2::*;
use crate::sessions;
use crate::stations;
use crate::stations::link::SignalKind;

/// When a car leaves and how much energy it needs by then, for the planner.
pub(super) async fn notify_ev_charging_needs(
    call: Call<'_>,
    request: notify_ev_charging_needs::Request,
) -> Handled<notify_ev_charging_needs::Response> {
    notices::record(call, "NotifyEVChargingNeeds").await?;
    let evse = request.evse_id;
    let departure = request.charging_needs.departure_time;
    let need = energy_need(&request.charging_needs);
    let (station, moment) = (call.peer.station, call.moment());
    let stored = call
        .gateway
        .context
        .db
        .write(move |conn| -> StoreResult<Option<ConnectorId>> {
            let layout = stations::layout(conn, station)?;
            let on_evse = layout
                .outlets()
                .iter()
                .filter(|one| u32::try_from(one.evse) == Ok(evse));
            for outlet in on_evse {
                if let Some(session) = sessions::open_session_on(conn, outlet.connector)? {
                    sessions::note_needs(conn, &moment, session, departure, need)?;
                    return Ok(Some(outlet.connector));
                }
            }
            Ok(None)
        });
    let charging = stored.await?;
    let response = notify_ev_charging_needs::Response {
        // K15.FR.04: a limit of ours holds already, and a new one follows where the needs change the plan.
        status: match charging {
            Some(_) => NotifyEvChargingNeedsStatus::Accepted,
            None => NotifyEvChargingNeedsStatus::Rejected,
        },
        status_info: None,
    };
    let told = charging.map(|connector| Effect::Tell(SignalKind::Metered(connector)));
    Ok((response, told.into_iter().collect()))
}

/// The energy that a car still needs, in Wh, as it told it: for AC, DC, or both ways.
fn energy_need(needs: &ChargingNeeds) -> Option<WattHours> {
    let both_ways = needs.v2x_charging_parameters.as_ref();
    let told = both_ways
        .and_then(|both| both.ev_target_energy_request.as_ref())
        .or(needs
            .ac_charging_parameters
            .as_ref()
            .map(|ac| &ac.energy_amount))
        .or(needs
            .dc_charging_parameters
            .as_ref()
            .and_then(|dc| dc.energy_amount.as_ref()));
    told.and_then(|energy| energy.scaled(0))
        .filter(|energy| *energy >= 0)
        .map(WattHours)
}
