//! The lines of the audit in the database.

use diesel::prelude::*;

use crate::events::actor::{Actor, ActorView};
use crate::events::{Change, Forgotten, Horizon, Mark};
use crate::http::ApiResult;
use crate::http::audit::Made;
use crate::http::query::ListQuery;
use crate::store::cause::{ActorKind, First};
use crate::store::query::{contains, lower};
use crate::store::schema::audit;
use crate::store::{Conn, StoreResult};
use crate::{each, fetch_page, filters, forget_found};
use kernel::{AuditId, OrganizationId, Page, RawId, StationId, Timestamp};

/// So many are deleted in one go, so that others can write in between.
const AT_ONCE: i64 = 500;

/// A line.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit)]
pub(super) struct Line {
    /// Its id.
    pub id: AuditId,
    /// Whose data was changed.
    pub organization_id: OrganizationId,
    /// What kind of caller it was.
    pub actor_type: ActorKind,
    /// Who it was.
    pub actor_id: Option<String>,
    /// What they were called.
    pub actor_name: Option<String>,
    /// The method of the request.
    pub method: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// The type of its first event.
    pub event: Option<String>,
    /// The id of what was changed.
    pub object: Option<String>,
    /// The station that the event is about.
    pub chargestation_id: Option<StationId>,
    /// When it was made.
    pub created_at: Timestamp,
    updated_at: Timestamp,
}

/// Writes the line of a request; the same once.
pub fn record(conn: &mut Conn, made: &Made) -> StoreResult<()> {
    let Made { id, who, method, path, at, first } = made;
    let line = Line {
        id: *id,
        organization_id: who.organization,
        actor_type: who.kind,
        actor_id: Some(who.id.to_string()),
        actor_name: Some(who.name(conn)?),
        method: Some(method.to_string()),
        path: Some(path.clone()),
        event: first.as_ref().map(|first| first.event.to_string()),
        object: made.object().map(|id| id.to_string()),
        chargestation_id: first.as_ref().and_then(|first| first.station),
        created_at: *at,
        updated_at: *at,
    };
    each!(conn, |conn| diesel::insert_into(audit::table).values(&line).on_conflict_do_nothing().execute(conn))?;
    Ok(())
}

/// Writes the line of a change without a request.
pub(in crate::events) fn record_event(change: &mut Change<'_>, first: &First, actor: &Actor) -> StoreResult<()> {
    let now = change.moment.now;
    let view = ActorView::new(actor.number, actor.id.clone(), actor.name.clone());
    let itself = (view.kind == ActorKind::Station).then_some(first.station).flatten();
    let line = Line {
        id: change.moment.id(),
        organization_id: change.organization,
        actor_type: view.kind,
        actor_id: view.id.or_else(|| itself.map(|id| id.to_string())),
        actor_name: view.name,
        method: None,
        path: None,
        event: Some(first.event.to_string()),
        object: first.object.map(|id| id.to_string()),
        chargestation_id: first.station,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(audit::table).values(&line).execute(change.conn)?;
    Ok(())
}

filters! {
    /// Filters of the audit.
    pub(crate) struct AuditFilter {
        /// Only what such actors changed.
        #[param(inline)]
        pub actor_type: ActorKind,
        /// Only what this key, operator, home user or charge station changed, by their id.
        #[param(value_type = String)]
        pub actor: RawId,
        /// Only changes of this object, or of what belongs to this charge station, by its id.
        #[param(value_type = String, example = "650000000000000000000001")]
        pub object: RawId,
        /// Only requests with this method, such as PATCH.
        pub method: String,
    }
}

/// The lines of an organization; `search` finds by name and path.
pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<AuditFilter>,
) -> ApiResult<Page<Line>> {
    let filtered = || {
        let own = || audit::organization_id.eq(organization);
        let mut rows = match query.filter.object.map(|object| object.to_string()) {
            None => audit::table.filter(own()).into_boxed(),
            // Each half by an index of its own; SQLite finds them only so.
            Some(object) => {
                let itself = own().and(audit::object.eq(object.clone()));
                audit::table.filter(itself.or(own().and(audit::chargestation_id.eq(object)))).into_boxed()
            }
        };
        if let Some(kind) = query.filter.actor_type {
            rows = rows.filter(audit::actor_type.eq(kind));
        }
        if let Some(actor) = &query.filter.actor {
            rows = rows.filter(audit::actor_id.eq(actor.to_string()));
        }
        if let Some(method) = &query.filter.method {
            rows = rows.filter(audit::method.eq(method.to_ascii_uppercase()));
        }
        if let Some(text) = &query.search {
            let name = lower(audit::actor_name).like(contains(text)).escape('\\');
            rows = rows.filter(name.or(lower(audit::path).like(contains(text)).escape('\\')));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, audit, filtered(), {});
    Ok(Page { rows: rows.select(Line::as_select()).load(conn)?, total, request: query.page })
}

/// When the oldest line was written.
pub fn oldest(conn: &mut Conn) -> StoreResult<Option<Timestamp>> {
    Ok(audit::table.order(audit::id).select(audit::created_at).first(conn).optional()?)
}

/// Deletes some old lines.
pub fn forget(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    let old =
        audit::table.filter(audit::id.lt(RawId::first_of(horizon.to).to_string())).order(audit::id).limit(AT_ONCE);
    forget_found!(conn, audit, AuditId, old)
}
