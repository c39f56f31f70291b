//! A change of the store together with the events about it: both are committed, or neither.

use std::borrow::Cow;

use serde::Serialize;

use super::EventKind;
use crate::cached_insert;
use crate::http::idempotency::Keepable;
use crate::http::{ApiResult, Context};
use crate::store::schema::events;
use crate::store::{Conn, StoreError, StoreFailure, StoreResult};
use kernel::{EventId, Moment, OrganizationId, StationId, Timestamp};

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
        let event = NewEvent {
            id: self.moment.id::<EventId>(),
            organization_id: self.organization,
            type_: kind.name(),
            object: kind.object(),
            chargestation_id: station.into(),
            data: serde_json::to_string(object).map_err(|error| StoreError::Failed(error.to_string()))?,
            created_at: self.moment.now,
        };
        InsertEvent(&event).save(self.conn)
    }
}

struct NewEvent {
    id: EventId,
    organization_id: OrganizationId,
    type_: Cow<'static, str>,
    object: &'static str,
    chargestation_id: Option<StationId>,
    data: String,
    created_at: Timestamp,
}

cached_insert! {
    /// Stores an event behind all others.
    InsertEvent of NewEvent in events by id: [organization_id, type_, object, chargestation_id, data, created_at]
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
