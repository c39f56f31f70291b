//! What stations say about limits and about what cars need.

use std::time::Duration;

use serde_json::json;

use super::refusals;
use crate::charging::sessions::{self, Session};
use crate::gateway::answer::{Call, Handled, notices};
use crate::gateway::station_connection::Effect;
use crate::load::groups;
use crate::sites::stations::link::{Enforced, SignalKind};
use crate::sites::stations::{self, ExternalLimit, LimitSchedule, LimitStep, Outlet};
use crate::store::{Conn, Json, StoreResult};
use kernel::{Milliamps, Timestamp, WattHours, Watts};
use ocpp::number::Number;
use ocpp::v2::*;

/// Keeps a limit that somebody else set (K12): balancing gives to others what the station cannot draw.
pub(super) async fn notify_charging_limit(
    call: Call<'_>,
    request: notify_charging_limit::Request,
) -> Handled<notify_charging_limit::Response> {
    notices::record(call, "NotifyChargingLimit").await?;
    let evse = request.evse_id.unwrap_or(0);
    let schedules = request.charging_schedule.unwrap_or_default();
    let limit = ExternalLimit {
        chargestation_id: call.connection.station,
        evse_number: i32::try_from(evse).unwrap_or(i32::MAX),
        source: request.charging_limit.charging_limit_source.as_str().to_owned(),
        evse_id: None,
        grid_critical: request.charging_limit.is_grid_critical,
        local_generation: request.charging_limit.is_local_generation.unwrap_or(false),
        schedules: Json(schedules.iter().map(|one| schedule(one, call.now)).collect()),
        reported_at: call.now,
    };
    let db = &call.gateway.context.db;
    let kept = db.write(move |conn| stations::keep_external_limit(conn, limit.clone()));
    if !kept.await? {
        call.note_unknown(format_args!("EVSE {evse}")).await;
    }
    let notified = Effect::Notify(SignalKind::ExternalLimit);
    Ok((notify_charging_limit::Response {}, vec![notified]))
}

/// Forgets it (K13); without an EVSE what the source limited anywhere.
pub(super) async fn cleared_charging_limit(
    call: Call<'_>,
    request: cleared_charging_limit::Request,
) -> Handled<cleared_charging_limit::Response> {
    notices::record(call, "ClearedChargingLimit").await?;
    let (station, source) = (call.connection.station, request.charging_limit_source);
    let evse = request.evse_id.map(|evse| i32::try_from(evse).unwrap_or(i32::MAX));
    let cleared = call
        .gateway
        .context
        .db
        .write(move |conn| stations::clear_external_limits(conn, station, evse, source.as_str()));
    cleared.await?;
    let notified = Effect::Notify(SignalKind::ExternalLimit);
    Ok((cleared_charging_limit::Response {}, vec![notified]))
}

/// A schedule with instants; one without a start begins now.
fn schedule(reported: &ChargingSchedule, now: Timestamp) -> LimitSchedule {
    let start = reported.start_schedule.unwrap_or(now);
    let step = |period: &ChargingSchedulePeriod| LimitStep {
        from: seconds_after(start, period.start_period),
        limit: limit(period, &reported.charging_rate_unit),
        phases: period.number_phases.map(i64::from),
    };
    let mut steps: Vec<LimitStep> = reported.charging_schedule_period.iter().map(step).collect();
    steps.sort_by_key(|step| step.from);
    LimitSchedule { start, end: reported.duration.map(|seconds| seconds_after(start, seconds)), steps }
}

/// The instant so many seconds after another, ten years at most.
fn seconds_after(start: Timestamp, seconds: i64) -> Timestamp {
    const LONGEST: u64 = 10 * 366 * 24 * 3600;
    start + Duration::from_secs(u64::try_from(seconds).unwrap_or(0).min(LONGEST))
}

/// What may be drawn in a period: its limit or its setpoint, whichever is less. Where 2.1 gives each phase, watts add up, and the
/// least current counts for all.
fn limit(period: &ChargingSchedulePeriod, unit: &ChargingRateUnit) -> Option<Enforced> {
    let limit = [&period.limit, &period.limit_l2, &period.limit_l3];
    let setpoint = [&period.setpoint, &period.setpoint_l2, &period.setpoint_l3];
    let over_phases = |phases: [&Option<Number>; 3]| {
        let reported = phases.into_iter().flatten().filter_map(Number::milli);
        match unit {
            ChargingRateUnit::W => reported.reduce(i64::saturating_add),
            ChargingRateUnit::A | ChargingRateUnit::Unknown(_) => reported.min(),
        }
    };
    let both = [over_phases(limit), over_phases(setpoint)];
    let least = both.into_iter().flatten().min()?.max(0);
    Some(match unit {
        ChargingRateUnit::W => Enforced::Power(Watts(least / 1000)),
        ChargingRateUnit::A | ChargingRateUnit::Unknown(_) => Enforced::Current(Milliamps(least)),
    })
}

/// When a car leaves and how much energy it needs by then, for the planner.
pub(super) async fn notify_ev_charging_needs(
    call: Call<'_>,
    request: notify_ev_charging_needs::Request,
) -> Handled<notify_ev_charging_needs::Response> {
    notices::record(call, "NotifyEVChargingNeeds").await?;
    let departure = request.charging_needs.departure_time;
    let need = energy_need(&request.charging_needs);
    let (moment, station) = (call.moment(), call.connection.station);
    let charging = with_session(call, request.evse_id, move |conn, session| {
        sessions::note_needs(conn, &moment, session, departure, need)?;
        groups::is_member(conn, station)
    });
    let charging = charging.await?;
    let (status, status_info) = match &charging {
        // K15.FR.03: what the plan makes of the needs is sent as a limit, soon and not at once.
        Some((_, true)) => (NotifyEvChargingNeedsStatus::Processing, None),
        Some((_, false)) => (
            NotifyEvChargingNeedsStatus::Rejected,
            refusals::why("NoSchedule", "Nothing steers this EVSE; the needs were noted"),
        ),
        None => {
            (NotifyEvChargingNeedsStatus::Rejected, refusals::why("NoTransaction", "No transaction runs at this EVSE"))
        }
    };
    let response = notify_ev_charging_needs::Response { status, status_info };
    let charging = charging.map(|(outlet, _)| outlet.connector);
    let notified = charging.map(|connector| Effect::Notify(SignalKind::Wished(connector)));
    Ok((response, notified.into_iter().collect()))
}

/// What applies in a dynamic profile that the station accepted (K28); of any other profile there is nothing to answer.
pub(super) async fn pull_dynamic_schedule_update(
    call: Call<'_>,
    request: pull_dynamic_schedule_update::Request,
) -> Handled<pull_dynamic_schedule_update::Response> {
    let place = (call.connection.station, request.charging_profile_id);
    let db = &call.gateway.context.db;
    let found = db.read(move |conn| stations::dynamic_profile(conn, place));
    let holding = found.await?;
    let schedule_update = holding.and_then(|holding| serde_json::from_value(holding).ok());
    let response = match schedule_update {
        Some(update) => pull_dynamic_schedule_update::Response {
            schedule_update: Some(update),
            status: ChargingProfileStatus::Accepted,
            status_info: None,
        },
        None => pull_dynamic_schedule_update::Response {
            schedule_update: None,
            status: ChargingProfileStatus::Rejected,
            status_info: refusals::why("InvalidProfile", "No dynamic profile has this id"),
        },
    };
    Ok((response, Vec::new()))
}

/// What a car means to draw, kept with its session.
pub(super) async fn notify_ev_charging_schedule(
    call: Call<'_>,
    request: notify_ev_charging_schedule::Request,
) -> Handled<notify_ev_charging_schedule::Response> {
    notices::record(call, "NotifyEVChargingSchedule").await?;
    let (evse, moment) = (request.evse_id, call.moment());
    let schedule = json!(request);
    let charging = with_session(call, evse, move |conn, session| {
        sessions::note_car_schedule(conn, &moment, session, schedule.clone())
    });
    let outlet = charging.await?.map(|(outlet, ())| outlet);
    let in_force = &call.gateway.connections.in_force;
    let unit = &request.charging_schedule.charging_rate_unit;
    let exceeds = |outlet: &Outlet| {
        let mut periods = request.charging_schedule.charging_schedule_period.iter();
        periods.any(|period| {
            limit(period, unit)
                .is_some_and(|draw| in_force.is_exceeded_by(call.connection.station, outlet.number, draw))
        })
    };
    let exceeding = outlet.filter(exceeds);
    let (status, status_info) = match exceeding {
        // K15.FR.12.
        Some(_) => {
            (GenericStatus::Rejected, refusals::why("ValueTooHigh", "The schedule exceeds the limit of this EVSE"))
        }
        None => (GenericStatus::Accepted, None),
    };
    let response = notify_ev_charging_schedule::Response { status, status_info };
    // K15.FR.13: the plan is looked at again.
    let notified = exceeding.map(|outlet| Effect::Notify(SignalKind::Wished(outlet.connector)));
    Ok((response, notified.into_iter().collect()))
}

/// Does something with the session that runs at an EVSE; answers where that is, and what came of it.
async fn with_session<T: Send + 'static>(
    call: Call<'_>,
    evse: u32,
    act: impl Fn(&mut Conn, Session) -> StoreResult<T> + Send + 'static,
) -> StoreResult<Option<(Outlet, T)>> {
    let station = call.connection.station;
    let done = call.gateway.context.db.write(move |conn| -> StoreResult<Option<(Outlet, T)>> {
        let layout = stations::layout(conn, station)?;
        let on_evse = layout.outlets().iter().filter(|one| u32::try_from(one.evse) == Ok(evse));
        for outlet in on_evse {
            if let Some(session) = sessions::open_session_on(conn, outlet.connector)? {
                return Ok(Some((*outlet, act(conn, session)?)));
            }
        }
        Ok(None)
    });
    done.await
}

/// The energy that a car still needs, in Wh, as it reported it: for AC, DC, or both ways.
fn energy_need(needs: &ChargingNeeds) -> Option<WattHours> {
    let both_ways = needs.v2x_charging_parameters.as_ref();
    let reported = both_ways
        .and_then(|both| both.ev_target_energy_request.as_ref())
        .or(needs.ac_charging_parameters.as_ref().map(|ac| &ac.energy_amount))
        .or(needs.dc_charging_parameters.as_ref().and_then(|dc| dc.energy_amount.as_ref()));
    reported.and_then(|energy| energy.scaled(0)).filter(|energy| *energy >= 0).map(WattHours)
}
