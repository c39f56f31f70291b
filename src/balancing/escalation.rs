//! What is done when more may be drawn somewhere than there is, and that does not end by itself: a capacity fell, and
//! stations do not follow.
//!
//! After [`PATIENCE`], stations that did not confirm their cut are not waited for any more: what they may draw is reserved, so
//! that the others are cut to their minimums, and who is last in the queue is paused. After [`SHED_AFTER`], where the group asks
//! for it, sessions whose stations do not keep their limits are stopped.

use std::cmp::Reverse;
use std::time::Duration;

use super::apply::{About, CommandBatch};
use super::gather::{Site, SiteConnector};
use super::state::{Remark, State};
use crate::sites::stations::link::StationCommand;
use engine::transition::Exposure;
use engine::{Snapshot, Uncontrolled};
use kernel::{ConnectorId, Timestamp, Watts};

/// How long more may be drawn than there is before stations are not waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long before sessions are stopped, and before one that goes on is asked to stop again.
const SHED_AFTER: Duration = Duration::from_secs(60);

/// Gives up those that did not confirm a cut where more may be drawn than there is; false when there are none.
pub(super) fn give_up_waiting(state: &mut State, site: &Site, snapshot: &Snapshot, now: Timestamp) -> bool {
    if !lasts(state, PATIENCE, now) {
        return false;
    }
    let mut gave_up = false;
    for Exposure { node, .. } in exceeded(state, snapshot) {
        for seat in site.seats_below(node) {
            let (connector, worst) = (seat.connector, state.worst(seat));
            let silent = state.connectors.get(&connector).is_some_and(|memory| {
                let since = memory.unconfirmed_since;
                worst > memory.limit && since.is_some_and(|since| now.since(since) >= PATIENCE)
            });
            if silent && state.ledger.out_of_control(connector).is_none() {
                state.ledger.lose(connector, Uncontrolled::TimedOut, worst);
                gave_up = true;
            }
        }
    }
    gave_up
}

/// The sessions to stop, the least important and the latest first, until the others fit; where groups ask for it.
pub(super) fn last_resort(
    state: &mut State,
    site: &Site,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Vec<(CommandBatch, ConnectorId, Remark)> {
    if !lasts(state, SHED_AFTER, now) {
        return Vec::new();
    }
    let mut stops = Vec::new();
    for exposure in exceeded(state, snapshot) {
        let group = site.group(exposure.node);
        if group.is_some_and(|group| group.stop_when_exceeded) {
            stop_below(&exposure, state, site, now, &mut stops);
        }
    }
    stops
}

fn stop_below(
    exposure: &Exposure,
    state: &mut State,
    site: &Site,
    now: Timestamp,
    stops: &mut Vec<(CommandBatch, ConnectorId, Remark)>,
) {
    let mut too_much = exposure.worst - exposure.capacity;
    let mut culprits: Vec<&SiteConnector> = Vec::new();
    for seat in site.seats_below(exposure.node).filter(|seat| seat.online) {
        let memory = state.connectors.get(&seat.connector);
        if seat.live_session().is_none() {
            too_much -= state.worst(seat); // it may, but nobody charges there
        } else if memory.is_some_and(|memory| state.worst(seat) > memory.limit) {
            culprits.push(seat);
        }
    }
    let told_at = |state: &State, seat: &SiteConnector| state.connectors.get(&seat.connector)?.stopped_at;
    let is_stopping = |seat: &SiteConnector| told_at(state, seat).is_some_and(|at| now.since(at) < SHED_AFTER);
    let (stopping, mut others): (Vec<&SiteConnector>, Vec<&SiteConnector>) =
        culprits.into_iter().partition(|seat| is_stopping(seat));
    too_much -= stopping.iter().map(|seat| state.worst(seat)).sum();
    others.sort_by_key(|seat| {
        let started = seat.live_session().and_then(|session| session.started_at);
        (seat.weight, Reverse(started), seat.connector)
    });
    for seat in others {
        if too_much <= Watts::ZERO {
            return;
        }
        let worst = state.worst(seat);
        let memory = state.connectors.get_mut(&seat.connector);
        if let (Some(session), Some(memory)) = (seat.live_session(), memory)
            && let Some(transaction) = session.transaction_id
        {
            if memory.stopped_at.replace(now).is_none() {
                too_much -= worst; // one that was asked before and goes on frees nothing
            }
            let errand = CommandBatch {
                station: seat.station,
                commands: vec![StationCommand::StopCharging { transaction }],
                about: About::Stop,
            };
            let session = session.id;
            stops.push((errand, seat.connector, Remark::Stopped { session, worst }));
        }
    }
}

/// Whether more may have been drawn than there is for so long.
pub(super) fn lasts(state: &State, span: Duration, now: Timestamp) -> bool {
    let since = state.exceeded_since;
    since.is_some_and(|since| now.since(since) >= span)
}

/// Where more may be drawn than there is.
fn exceeded(state: &State, snapshot: &Snapshot) -> Vec<Exposure> {
    let mut exposures = state.ledger.exposures(snapshot);
    exposures.retain(|one| one.worst > one.capacity);
    exposures
}
