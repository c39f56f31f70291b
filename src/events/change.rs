//! A change of the store together with the events about it: both are committed, or neither.

use std::borrow::Cow;

use serde::Serialize;

use super::actor::{Actor, STATION};
use super::{EventKind, audit, frequent};
use crate::cached_insert;
use crate::http::idempotency::Keepable;
use crate::http::{ApiResult, Context};
use crate::store::cause::{Cause, First};
use crate::store::schema::events;
use crate::store::{Conn, StoreError, StoreFailure, StoreResult, cause};
use kernel::{EventId, Moment, OrganizationId, RawId, StationId, Timestamp};

/// What one organization changes in an open transaction.
pub struct Change<'c> {
    /// The transaction.
    pub conn: &'c mut Conn,
    /// Whose data changes, and who hears of it.
    pub organization: OrganizationId,
    /// When, with the ids of what is made.
    pub moment: &'c Moment,
}

impl<'c> Change<'c> {
    /// A change by whoever holds a transaction already.
    pub const fn new(conn: &'c mut Conn, organization: OrganizationId, moment: &'c Moment) -> Self {
        Self { conn, organization, moment }
    }

    /// Records an event with the whole object that it is about.
    pub fn record(&mut self, kind: EventKind, object: &impl Serialize) -> StoreResult<()> {
        self.record_at(None, kind, object)
    }

    /// The same for what happened at a station: events of one station are sent in order.
    pub fn record_at(
        &mut self,
        station: impl Into<Option<StationId>>,
        kind: EventKind,
        object: &impl Serialize,
    ) -> StoreResult<()> {
        self.record_with((kind, station.into()), object, kind.changes_setup())
    }

    /// The same with a line in the audit, whoever caused it.
    pub fn record_in_audit(
        &mut self,
        station: impl Into<Option<StationId>>,
        kind: EventKind,
        object: &impl Serialize,
    ) -> StoreResult<()> {
        self.record_with((kind, station.into()), object, true)
    }

    /// A line in the audit only where no caller causes it: a caller's request has one itself.
    fn record_with(
        &mut self,
        (kind, station): (EventKind, Option<StationId>),
        object: &impl Serialize,
        is_audited: bool,
    ) -> StoreResult<()> {
        let cause = cause::here();
        let actor = Actor::here(self.conn, cause.as_ref(), station)?;
        let data = serde_json::to_string(object).map_err(|error| StoreError::Failed(error.to_string()))?;
        let event = kind.name();
        let first = |event| First { event, object: id_in(kind, &data), station };
        match cause {
            Some(Cause::Caller(noted)) if noted.who().is_some() => cause::note_first(|| first(event.clone())),
            _ if is_audited => audit::record_event(self, &first(event.clone()), &actor)?,
            _ => {}
        }
        let event = NewEvent {
            id: self.moment.id::<EventId>(),
            organization_id: self.organization,
            type_: event,
            object: kind.object(),
            chargestation_id: station,
            data,
            created_at: self.moment.now,
            actor: actor.number,
            actor_id: actor.id,
            actor_name: actor.name,
        };
        // What stations cause about themselves is most of the log.
        if kind.is_frequent() && station.is_some() && event.actor == STATION && event.actor_id.is_none() {
            return frequent::insert(self.conn, &event);
        }
        InsertEvent(&event).save(self.conn)
    }
}

/// The id of what an event is about.
fn id_in(kind: EventKind, data: &str) -> Option<RawId> {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(data).ok()?;
    let noun = kind.object().rsplit('.').next().unwrap_or_default();
    // An action is about its station, connector or session, and nobody looks for its own id.
    let of_action = ["session", "connector", "chargestation"];
    let names: &[&str] = if noun == "action" { &of_action } else { &["_id", noun] };
    names.iter().find_map(|name| fields.get(*name)?.as_str()?.parse().ok())
}

/// An event as it is stored.
pub(super) struct NewEvent {
    pub id: EventId,
    pub organization_id: OrganizationId,
    pub type_: Cow<'static, str>,
    pub object: &'static str,
    pub chargestation_id: Option<StationId>,
    pub data: String,
    pub created_at: Timestamp,
    actor: i16,
    actor_id: Option<String>,
    actor_name: Option<String>,
}

cached_insert! {
    /// Stores an event behind all others.
    InsertEvent of NewEvent in events by id: [
        organization_id, type_, object, chargestation_id, data, created_at, actor, actor_id, actor_name,
    ], cursor on SQLite: "SELECT cursor + 1 FROM events_newest_taken"
}

/// A change before its transaction.
pub struct Changing<'s> {
    context: &'s Context,
    /// Whose data changes.
    pub organization: OrganizationId,
    /// When, with the ids of what is made.
    pub moment: Moment,
}

impl Context {
    /// Begins a change of an organization's data, at this instant.
    pub fn change(&self, organization: OrganizationId) -> Changing<'_> {
        Changing { context: self, organization, moment: self.moment() }
    }
}

impl Changing<'_> {
    /// Runs it in a transaction; again, where that has to be repeated.
    pub async fn write<T, E>(
        self,
        mut work: impl FnMut(&mut Change<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + StoreFailure + 'static,
    {
        let Self { context, organization, moment } = self;
        context.db.write(move |conn| work(&mut Change::new(conn, organization, &moment))).await
    }

    /// The same where the answer is kept for a request that is repeated with its `Idempotency-Key`.
    pub async fn answer<R: Keepable + Send + 'static>(
        self,
        mut work: impl FnMut(&mut Change<'_>) -> ApiResult<R> + Send + 'static,
    ) -> ApiResult<R> {
        let Self { context, organization, moment } = self;
        context.answer(move |conn| work(&mut Change::new(conn, organization, &moment))).await
    }

    /// The same where the handler needs more of the transaction than its answer.
    pub async fn answer_and<R: Keepable + Send + 'static, X: Send + 'static>(
        self,
        mut work: impl FnMut(&mut Change<'_>) -> ApiResult<(R, X)> + Send + 'static,
    ) -> ApiResult<(R, X)> {
        let Self { context, organization, moment } = self;
        context.answer_and(move |conn| work(&mut Change::new(conn, organization, &moment))).await
    }
}
