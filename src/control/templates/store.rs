//! Configuration templates in the database; every query is bounded by the organization.

use diesel::prelude::*;

use super::model::{Template, TemplateFilter};
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::sites::stations::Station;
use crate::store::query::{contains, lower};
use crate::store::schema::configuration_templates as templates;
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, Page, TemplateId, Timestamp};

pub(super) fn insert(conn: &mut Conn, template: &Template) -> StoreResult<()> {
    diesel::insert_into(templates::table).values(template).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, template: &Template) -> StoreResult<()> {
    diesel::update(templates::table.find(template.id)).set(template).execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut Conn, id: TemplateId) -> StoreResult<()> {
    diesel::delete(templates::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: TemplateId) -> StoreResult<Template> {
    Ok(templates::table
        .filter(templates::organization_id.eq(organization).and(templates::id.eq(id)))
        .select(Template::as_select())
        .first(conn)?)
}

/// The templates that apply to a station at this instant.
pub fn wanted(conn: &mut Conn, station: &Station, now: Timestamp) -> StoreResult<Vec<Template>> {
    let mut rows = templates::table
        .filter(templates::organization_id.eq(station.organization_id))
        .filter(templates::active.eq(true))
        .select(Template::as_select())
        .load(conn)?;
    rows.retain(|template: &Template| {
        let here = template.location_id.is_none() || template.location_id == station.location_id;
        let spoken = template.protocol.is_none_or(|protocol| protocol == station.protocol);
        here && spoken && template.is_valid(now)
    });
    Ok(rows)
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<TemplateFilter>,
) -> ApiResult<Page<Template>> {
    let filter = &query.filter;
    let filtered = || {
        let mut rows = templates::table.filter(templates::organization_id.eq(organization)).into_boxed();
        if let Some(active) = filter.active {
            rows = rows.filter(templates::active.eq(active));
        }
        if let Some(protocol) = filter.protocol {
            rows = rows.filter(templates::protocol.eq(protocol));
        }
        if let Some(location) = filter.location {
            rows = rows.filter(templates::location_id.eq(location));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(templates::name.nullable())
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(templates::code).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, templates, filtered(), {
        "name" => templates::name,
        "priority" => templates::priority,
    });
    Ok(Page { rows: rows.select(Template::as_select()).load(conn)?, total, request: query.page })
}
