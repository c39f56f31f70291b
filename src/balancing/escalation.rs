//! What is done when more may be drawn somewhere than there is, and that does not end by itself: a capacity fell, and
//! stations do not follow.
//!
//! After [`PATIENCE`], stations that did not confirm their cut are not waited for any more: what they may draw is reserved, so
//! that the others are cut to their minimums, and who is last in the queue is paused. After [`SHED_AFTER`], where the group asks
//! for it, sessions whose stations do not keep their limits are stopped.

use std::cmp::Reverse;
use std::time::Duration;

use super::command_batch::{About, CommandBatch};
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
        for site_connector in site.connectors_below(node) {
            let (connector, exposure) = (site_connector.connector, state.exposure(site_connector));
            let silent = state.connectors.get(&connector).is_some_and(|memory| {
                let since = memory.unconfirmed_since;
                exposure > memory.limit && since.is_some_and(|since| now.since(since) >= PATIENCE)
            });
            if silent && state.ledger.uncontrolled(connector).is_none() {
                state.ledger.lose(connector, Uncontrolled::TimedOut, exposure);
                gave_up = true;
            }
        }
    }
    gave_up
}

/// The sessions to stop, the least important and the latest first, until the others fit; where groups ask for it.
pub(super) fn shed_sessions(
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
    let mut too_much = exposure.power - exposure.capacity;
    let mut culprits: Vec<&SiteConnector> = Vec::new();
    for site_connector in site.connectors_below(exposure.node).filter(|site_connector| site_connector.online) {
        let memory = state.connectors.get(&site_connector.connector);
        if site_connector.live_session().is_none() {
            too_much -= state.exposure(site_connector); // it may, but nobody charges there
        } else if memory.is_some_and(|memory| state.exposure(site_connector) > memory.limit) {
            culprits.push(site_connector);
        }
    }
    let reported_at =
        |state: &State, site_connector: &SiteConnector| state.connectors.get(&site_connector.connector)?.stopped_at;
    let is_stopping = |site_connector: &SiteConnector| {
        reported_at(state, site_connector).is_some_and(|at| now.since(at) < SHED_AFTER)
    };
    let (stopping, mut others): (Vec<&SiteConnector>, Vec<&SiteConnector>) =
        culprits.into_iter().partition(|site_connector| is_stopping(site_connector));
    too_much -= stopping.iter().map(|site_connector| state.exposure(site_connector)).sum();
    others.sort_by_key(|site_connector| {
        let started = site_connector.live_session().and_then(|session| session.started_at);
        (site_connector.weight, Reverse(started), site_connector.connector)
    });
    for site_connector in others {
        if too_much <= Watts::ZERO {
            return;
        }
        let exposure = state.exposure(site_connector);
        let memory = state.connectors.get_mut(&site_connector.connector);
        if let (Some(session), Some(memory)) = (site_connector.live_session(), memory)
            && let Some(transaction) = session.transaction_id
        {
            if memory.stopped_at.replace(now).is_none() {
                too_much -= exposure; // one that was asked before and goes on frees nothing
            }
            let batch = CommandBatch {
                station: site_connector.station,
                commands: vec![StationCommand::StopCharging { transaction }],
                about: About::Stop,
            };
            let session = session.id;
            stops.push((batch, site_connector.connector, Remark::Stopped { session, exposure }));
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
    exposures.retain(|one| one.power > one.capacity);
    exposures
}
