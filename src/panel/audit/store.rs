//! The lines of the audit in the database.

use diesel::prelude::*;

use crate::events::{Forgotten, Horizon, Mark};
use crate::http::ApiResult;
use crate::http::audit::{ActorKind, Made};
use crate::http::query::ListQuery;
use crate::people::users;
use crate::store::error::optional;
use crate::store::query::{contains, lower};
use crate::store::schema::audit;
use crate::store::{Conn, StoreResult};
use crate::{each, fetch_page, filters, forget_found};
use kernel::{AuditId, OrganizationId, Page, RawId, Timestamp};

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
    pub actor_id: String,
    /// What they were called.
    pub actor_name: String,
    /// The method of the request.
    pub method: String,
    /// Its path.
    pub path: String,
    /// When it was made.
    pub created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a home user is called.
fn name_of(conn: &mut Conn, organization: OrganizationId, user: RawId) -> StoreResult<String> {
    let found = optional(users::find(conn, organization, user.into()))?;
    Ok(found.map(|user| format!("{} {}", user.firstname, user.lastname)).unwrap_or_default())
}

/// Writes a line; the same once.
pub fn record(conn: &mut Conn, made: &Made) -> StoreResult<()> {
    let Made { id, who, method, path, at } = made.clone();
    let name = match who.name {
        Some(name) => name.to_string(),
        None => name_of(conn, who.organization, who.id)?,
    };
    let line = Line {
        id,
        organization_id: who.organization,
        actor_type: who.kind,
        actor_id: who.id.to_string(),
        actor_name: name,
        method: method.to_string(),
        path,
        created_at: at,
        updated_at: at,
    };
    each!(conn, |conn| diesel::insert_into(audit::table).values(&line).on_conflict_do_nothing().execute(conn))?;
    Ok(())
}

filters! {
    /// Filters of the audit.
    pub(crate) struct AuditFilter {
        /// Only what such callers changed.
        #[param(inline)]
        pub actor_type: ActorKind,
        /// Only what this caller changed, by their id.
        pub actor: String,
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
        let mut rows = audit::table.filter(audit::organization_id.eq(organization)).into_boxed();
        if let Some(kind) = query.filter.actor_type {
            rows = rows.filter(audit::actor_type.eq(kind));
        }
        if let Some(actor) = &query.filter.actor {
            rows = rows.filter(audit::actor_id.eq(actor.clone()));
        }
        if let Some(method) = &query.filter.method {
            rows = rows.filter(audit::method.eq(method.to_ascii_uppercase()));
        }
        if let Some(text) = &query.search {
            let name = lower(audit::actor_name.nullable()).like(contains(text)).escape('\\');
            rows = rows.filter(name.or(lower(audit::path.nullable()).like(contains(text)).escape('\\')));
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
