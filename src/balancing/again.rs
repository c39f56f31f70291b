//! Cars whose transaction ended because their limit was 0, as some stations end it: they wait in the queue like those whose
//! transaction goes on, and are started again when it comes.
//!
//! Only a car that is still plugged in waits, whose station ended its session unasked ([`sessions::to_start_again`]) while
//! the limit was 0. It is asked for a few times. One that declined power before its limit fell, or draws nothing when it is
//! started, is left alone.

use super::command_batch::{About, CommandBatch};
use super::gather::SiteConnector;
use super::restart::Restart;
use super::state::{Memory, State};
use crate::charging::sessions::{self, Session};
use crate::http::Context;
use crate::sites::stations::link::{LinkError, Outcome, SharedLink};
use kernel::*;

/// Follows whether a car waits to be started again; before the memory takes up the session that runs now. Whether the car goes on
/// in a session that begins now.
pub(super) fn follow_again(memory: &mut Memory, site_connector: &SiteConnector) -> bool {
    let live = site_connector.live_session();
    let is_zero = memory.limit == Watts::ZERO && memory.sent_at.is_some();
    let declined = memory.suspended_since.is_some_and(|at| at < memory.since);
    let again = &mut memory.again;
    if let Some(session) = live {
        if memory.session == Some(session.id) {
            return false;
        }
        let goes_on = again.waits.take();
        again.ended = None;
        again.had = goes_on.map_or(WattHours::ZERO, |(_, had)| again.had + had);
        return goes_on.is_some();
    }
    if let Some(over) = memory.session {
        again.ended = (is_zero && !declined).then_some((over, memory.since));
    }
    match &site_connector.ended {
        Some(session) => {
            // It may begin and end between two looks, while the limit is 0 all along.
            let begun = session.begun_at.filter(|_| is_zero && again.ended.is_none());
            if begun.is_some_and(|begun| begun >= memory.since) {
                again.ended = Some((session.id, memory.since));
            }
            again.wait_for(session);
        }
        None if !site_connector.may_have_car() => *again = Restart::default(),
        None => {}
    }
    false
}

/// The session that runs at a connector or, where its car waits to be started again, the one that is to go on.
pub(super) fn wanting<'a>(
    site_connector: &'a SiteConnector,
    memory: Option<&Memory>,
    now: Timestamp,
) -> Option<&'a Session> {
    let waits = |session: &&Session| memory.is_some_and(|one| one.again.waits_for(session.id, now));
    let ended = site_connector.ended.as_ref().filter(waits);
    site_connector.live_session().or(ended)
}

/// Asks to start a car again that is next in the queue: its connector confirmed a limit above 0.
pub(super) fn start(state: &mut State, site_connector: &SiteConnector, now: Timestamp) -> Option<CommandBatch> {
    let known = state.ledger.known(site_connector.connector);
    let memory = state.connectors.get_mut(&site_connector.connector)?;
    let ended = site_connector.ended.as_ref()?.id;
    let is_next = memory.limit > Watts::ZERO && known == Some(memory.limit);
    let is_due = memory.again.waits_for(ended, now) && memory.again.is_over(now);
    if !site_connector.online || !is_next || !is_due || site_connector.session.is_some() {
        return None;
    }
    memory.again.note_try(now);
    Some(CommandBatch {
        station: site_connector.station,
        commands: Vec::new(),
        about: About::Again(site_connector.connector, ended),
    })
}

/// Starts a car again: a session waits for it, and its station is asked. A refusal gives that session up.
pub(super) async fn carry_out(
    context: &Context,
    link: &SharedLink,
    organization: OrganizationId,
    ended: SessionId,
) -> Result<Outcome, LinkError> {
    let moment = context.moment();
    let db = &context.db;
    let made = db.write_to_memory(move |conn| sessions::start_again(conn, &moment, (organization, ended)));
    let (session, command) = match made.await {
        Ok(Some(made)) => made,
        Ok(None) => return Err(LinkError::Superseded),
        Err(error) => {
            tracing::warn!(%error, session = %ended, "a car could not be started again");
            return Err(LinkError::Superseded);
        }
    };
    tracing::info!(session = %session.id, before = %ended, "a car is started again that is next in the queue");
    let answer = link.send(session.chargestation_id, command).await;
    let why = match &answer {
        Ok(outcome) if outcome.accepted => return answer,
        Ok(outcome) => outcome.refusal(),
        Err(error) => error.to_string(),
    };
    let moment = context.moment();
    let given_up =
        db.write_to_memory(move |conn| sessions::give_up_start(conn, &moment, (organization, session.id), &why));
    if let Err(error) = given_up.await {
        tracing::warn!(%error, session = %ended, "a session that does not start was not cancelled");
    }
    answer
}
