//! How a priority charge goes: asked for, found by a car, over. Each step is written with its event.

use std::collections::BTreeMap;
use std::time::Duration;

use super::model::{PriorityCharge, PriorityChargeView, PriorityStatus};
use super::store;
use super::uses::{LongestRunning, Uses};
use crate::events::{Change, EventKind};
use crate::load::groups::{self, Group};
use crate::store::{Conn, StoreResult};
use kernel::*;

/// What became of a request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The charge; a refused one says why.
    pub charge: PriorityCharge,
    /// The stations that it concerns.
    pub stations: Vec<StationId>,
    /// False when one was already active: nothing changed.
    pub is_new: bool,
}

/// Asks for a priority charge of a group, for a home user or (`None`) for the operator.
pub fn ask(
    conn: &mut Conn,
    moment: &Moment,
    (group, user): (&Group, Option<UserId>),
    lasts: Duration,
    (is_online, uses): (impl Fn(StationId) -> bool, &Uses),
) -> StoreResult<Asked> {
    let stations = stations_of(conn, group.id)?;
    match open_of(conn, group.id)? {
        Some(charge) if charge.expires_at > moment.now => {
            return Ok(Asked { charge, stations, is_new: false });
        }
        Some(over) => drop(conclude(conn, moment, over, EXPIRED)?),
        None => {}
    }
    let mut charge = PriorityCharge {
        id: moment.id(),
        organization_id: group.organization_id,
        group_id: group.id,
        user_id: user,
        status: PriorityStatus::Waiting,
        reason: None,
        session_id: None,
        expires_at: moment.now + lasts,
        started_at: None,
        ended_at: None,
        created_at: moment.now,
        updated_at: moment.now,
    };
    if let Some((status, reason)) = objection(group, &stations, is_online) {
        (charge.status, charge.reason) = (status, Some(reason));
        charge.ended_at = Some(moment.now);
    } else if let Some(session) = (uses.longest_running)(conn, &stations)? {
        begin(&mut charge, session, moment);
    }
    store::insert(conn, &charge)?;
    let kind = match charge.status {
        PriorityStatus::Waiting => EventKind::PriorityChargeWaiting,
        PriorityStatus::Active => EventKind::PriorityChargeStarted,
        PriorityStatus::Ended => EventKind::PriorityChargeEnded,
        PriorityStatus::Denied => EventKind::PriorityChargeDenied,
        PriorityStatus::Error => EventKind::PriorityChargeFailed,
    };
    record_event(conn, moment, &charge, kind)?;
    Ok(Asked { charge, stations, is_new: true })
}

/// Why a group cannot have one now.
fn objection(
    group: &Group,
    stations: &[StationId],
    is_online: impl Fn(StationId) -> bool,
) -> Option<(PriorityStatus, String)> {
    let denied = |why: String| Some((PriorityStatus::Denied, why));
    if !group.is_home() {
        let algorithm = group.algorithm;
        return denied(format!("The algorithm of the group is {algorithm}, so it has no exclusion times to go before"));
    }
    if group.dry_run {
        return denied("The group is a dry run: its stations are sent nothing".to_owned());
    }
    if stations.is_empty() {
        return denied("The group has no charge station".to_owned());
    }
    if !stations.iter().any(|station| is_online(*station)) {
        let why = "The charge station is offline".to_owned();
        return Some((PriorityStatus::Error, why));
    }
    None
}

fn begin(charge: &mut PriorityCharge, session: SessionId, moment: &Moment) {
    charge.status = PriorityStatus::Active;
    charge.session_id = Some(session);
    charge.started_at = Some(moment.now);
}

/// The one that a group has.
pub fn open_of(conn: &mut Conn, group: GroupId) -> StoreResult<Option<PriorityCharge>> {
    store::open_of(conn, group)
}

/// Until when each of these groups goes before its exclusion times.
pub fn untils(conn: &mut Conn, groups: &[GroupId], now: Timestamp) -> StoreResult<BTreeMap<GroupId, Timestamp>> {
    let open = store::open_in(conn, groups)?.into_iter();
    Ok(open.filter(|charge| charge.expires_at > now).map(|charge| (charge.group_id, charge.expires_at)).collect())
}

/// Ends the one that a group has, and answers it; `None` where it has none.
pub fn end(conn: &mut Conn, moment: &Moment, group: GroupId, reason: &str) -> StoreResult<Option<PriorityCharge>> {
    let Some(charge) = open_of(conn, group)? else {
        return Ok(None);
    };
    conclude(conn, moment, charge, reason).map(Some)
}

/// Ends the one that a group has because somebody wants that; answers it, or the last one it had, and the group's stations.
pub fn end_on_request(
    conn: &mut Conn,
    moment: &Moment,
    group: GroupId,
) -> StoreResult<(Option<PriorityChargeView>, Vec<StationId>)> {
    let stations = stations_of(conn, group)?;
    let charge = match end(conn, moment, group, "It was ended on request")? {
        Some(ended) => Some(ended),
        None => store::latest(conn, group)?,
    };
    Ok((charge.map(PriorityChargeView::from), stations))
}

fn stations_of(conn: &mut Conn, group: GroupId) -> StoreResult<Vec<StationId>> {
    let members = groups::stations_of(conn, &[group])?.into_iter();
    Ok(members.map(|member| member.chargestation_id).collect())
}

fn conclude(conn: &mut Conn, moment: &Moment, mut charge: PriorityCharge, reason: &str) -> StoreResult<PriorityCharge> {
    charge.status = PriorityStatus::Ended;
    charge.reason = Some(reason.to_owned());
    charge.ended_at = Some(moment.now);
    charge.updated_at = moment.version_after(charge.updated_at);
    store::update(conn, &charge)?;
    record_event(conn, moment, &charge, EventKind::PriorityChargeEnded)?;
    Ok(charge)
}

/// Why one ended whose time was over.
const EXPIRED: &str = "Its time is over";

/// Ends all whose time is over.
pub fn expire(conn: &mut Conn, moment: &Moment) -> StoreResult<()> {
    for charge in store::overdue(conn, moment.now)? {
        conclude(conn, moment, charge, EXPIRED)?;
    }
    Ok(())
}

/// A session began at a station: the charge of its group that waited for one has found its car.
pub fn session_started(conn: &mut Conn, moment: &Moment, station: StationId, session: SessionId) -> StoreResult<()> {
    let Some(group) = groups::group_of_station(conn, station)? else {
        return Ok(());
    };
    let waiting = |charge: &PriorityCharge| charge.status == PriorityStatus::Waiting && charge.expires_at > moment.now;
    if let Some(mut charge) = open_of(conn, group)?.filter(waiting) {
        begin(&mut charge, session, moment);
        charge.updated_at = moment.version_after(charge.updated_at);
        store::update(conn, &charge)?;
        record_event(conn, moment, &charge, EventKind::PriorityChargeStarted)?;
    }
    Ok(())
}

/// A session ended at a station: with the last one of its group its charge is over too.
pub fn session_ended(
    conn: &mut Conn,
    moment: &Moment,
    station: StationId,
    longest_running: LongestRunning,
) -> StoreResult<()> {
    let Some(group) = groups::group_of_station(conn, station)? else {
        return Ok(());
    };
    let active = |charge: &PriorityCharge| charge.status == PriorityStatus::Active;
    let Some(charge) = open_of(conn, group)?.filter(active) else {
        return Ok(());
    };
    let stations = stations_of(conn, group)?;
    if longest_running(conn, &stations)?.is_none() {
        conclude(conn, moment, charge, "The session ended")?;
    }
    Ok(())
}

fn record_event(conn: &mut Conn, moment: &Moment, charge: &PriorityCharge, kind: EventKind) -> StoreResult<()> {
    tracing::info!(
        group = %charge.group_id,
        reason = charge.reason.as_deref(),
        "a priority charge is {}",
        charge.status
    );
    Change::new(conn, charge.organization_id, moment).record(kind, &PriorityChargeView::from(charge.clone()))
}
