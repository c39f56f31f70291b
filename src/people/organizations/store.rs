//! Organizations and keys in the database.

use diesel::prelude::*;

use super::model::{ApiKey, ApiKeyFilter, Organization, OrganizationFilter, hash};
use super::picture::PictureType;
use crate::fetch_page;
use crate::http::ApiResult;
use crate::http::query::ListQuery;
use crate::store::query::{contains, lower};
use crate::store::schema::{api_keys, organization_logos as logos, organizations};
use crate::store::{Conn, StoreResult};
use kernel::{ApiKeyId, OrganizationId, Page, Timestamp};

/// Stores an organization.
pub fn insert_organization(conn: &mut Conn, organization: &Organization) -> StoreResult<()> {
    diesel::insert_into(organizations::table).values(organization).execute(conn)?;
    Ok(())
}

/// The organization with this id.
pub fn find_organization(conn: &mut Conn, id: OrganizationId) -> StoreResult<Organization> {
    Ok(organizations::table.find(id).select(Organization::as_select()).first(conn)?)
}

/// Whether there is an organization: a store without one has no data.
pub fn is_any_organization(conn: &mut Conn) -> StoreResult<bool> {
    let first: Option<OrganizationId> = organizations::table.select(organizations::id).first(conn).optional()?;
    Ok(first.is_some())
}

/// Every organization, oldest first; for the command line only.
pub fn list_organizations(conn: &mut Conn) -> StoreResult<Vec<Organization>> {
    Ok(organizations::table.order(organizations::created_at).select(Organization::as_select()).load(conn)?)
}

/// The organization of a server that has no other.
pub fn sole_organization(conn: &mut Conn) -> StoreResult<Option<OrganizationId>> {
    let first: Vec<OrganizationId> = organizations::table.select(organizations::id).limit(2).load(conn)?;
    Ok(match first.as_slice() {
        [sole] => Some(*sole),
        _ => None,
    })
}

/// A page of all organizations; `joined` are those that the filter of this name means.
pub fn page_of_organizations(
    conn: &mut Conn,
    query: &ListQuery<OrganizationFilter>,
    joined: &[OrganizationId],
) -> ApiResult<Page<Organization>> {
    let filtered = || {
        let mut rows = organizations::table.into_boxed();
        match query.filter.joined {
            Some(true) => rows = rows.filter(organizations::id.eq_any(joined.to_vec())),
            Some(false) => rows = rows.filter(organizations::id.ne_all(joined.to_vec())),
            None => {}
        }
        if let Some(text) = &query.search {
            rows = rows.filter(lower(organizations::name.nullable()).like(contains(text)).escape('\\'));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, organizations, filtered(), { "name" => organizations::name });
    Ok(Page { rows: rows.select(Organization::as_select()).load(conn)?, total, request: query.page })
}

/// Stores what an organization is now.
pub fn update_organization(conn: &mut Conn, organization: &Organization) -> StoreResult<()> {
    diesel::update(organizations::table.find(organization.id)).set(organization).execute(conn)?;
    Ok(())
}

/// A stored logo.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = logos)]
pub(super) struct Logo {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// What kind of picture it is.
    pub media_type: PictureType,
    /// SHA-256 of its bytes.
    pub hash: String,
    /// The picture.
    pub bytes: Vec<u8>,
    /// When it was stored.
    pub updated_at: Timestamp,
}

/// Stores a logo in place of the one before.
pub(super) fn replace_logo(conn: &mut Conn, logo: &Logo) -> StoreResult<()> {
    delete_logo(conn, logo.organization_id)?;
    diesel::insert_into(logos::table).values(logo).execute(conn)?;
    Ok(())
}

pub(super) fn delete_logo(conn: &mut Conn, id: OrganizationId) -> StoreResult<()> {
    diesel::delete(logos::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn find_logo(conn: &mut Conn, id: OrganizationId) -> StoreResult<Logo> {
    Ok(logos::table.find(id).select(Logo::as_select()).first(conn)?)
}

/// Stores a key.
pub fn insert_key(conn: &mut Conn, key: &ApiKey) -> StoreResult<()> {
    diesel::insert_into(api_keys::table).values(key).execute(conn)?;
    Ok(())
}

pub(super) fn find_key(conn: &mut Conn, organization: OrganizationId, id: ApiKeyId) -> StoreResult<ApiKey> {
    Ok(api_keys::table
        .filter(api_keys::organization_id.eq(organization).and(api_keys::id.eq(id)))
        .select(ApiKey::as_select())
        .first(conn)?)
}

pub(super) fn find_by_secret(conn: &mut Conn, secret: &str) -> StoreResult<Option<ApiKey>> {
    let found = api_keys::table.filter(api_keys::secret_hash.eq(hash(secret))).select(ApiKey::as_select()).first(conn);
    Ok(found.optional()?)
}

/// Every key of every organization; for the command line only.
pub fn list_keys(conn: &mut Conn) -> StoreResult<Vec<ApiKey>> {
    Ok(api_keys::table.order(api_keys::created_at).select(ApiKey::as_select()).load(conn)?)
}

/// Makes a key stop working; false when there is none.
pub fn revoke_key(conn: &mut Conn, id: ApiKeyId, now: Timestamp) -> StoreResult<bool> {
    let revoked = diesel::update(api_keys::table.find(id))
        .set((api_keys::active.eq(false), api_keys::updated_at.eq(now)))
        .execute(conn)?;
    Ok(revoked > 0)
}

pub(super) fn update_key(conn: &mut Conn, key: &ApiKey) -> StoreResult<()> {
    diesel::update(api_keys::table.find(key.id)).set(key).execute(conn)?;
    Ok(())
}

pub(super) fn touch_key(conn: &mut Conn, id: ApiKeyId, now: Timestamp) -> StoreResult<()> {
    diesel::update(api_keys::table.find(id)).set(api_keys::last_used_at.eq(now)).execute(conn)?;
    Ok(())
}

pub(super) fn delete_key(conn: &mut Conn, id: ApiKeyId) -> StoreResult<()> {
    diesel::delete(api_keys::table.find(id)).execute(conn)?;
    Ok(())
}

pub(super) fn page_of_keys(
    conn: &mut Conn,
    organization: OrganizationId,
    query: &ListQuery<ApiKeyFilter>,
) -> ApiResult<Page<ApiKey>> {
    let filtered = || {
        let mut rows = api_keys::table.filter(api_keys::organization_id.eq(organization)).into_boxed();
        if let Some(active) = query.filter.active {
            rows = rows.filter(api_keys::active.eq(active));
        }
        if let Some(text) = &query.search {
            rows = rows.filter(lower(api_keys::name.nullable()).like(contains(text)).escape('\\'));
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, api_keys, filtered(), { "name" => api_keys::name });
    Ok(Page { rows: rows.select(ApiKey::as_select()).load(conn)?, total, request: query.page })
}
