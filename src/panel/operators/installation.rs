//! All organizations of this installation, for the persons who administer it: which there are, new ones, and joining one.
//!
//! Who administers the installation sees what an organization shows of itself, and nothing else of it: its data is there for those who
//! work in it. So joining one is a step of its own, which that organization finds among its operators, events and audit. Nobody gets
//! this right over the API; the command line of the server gives and takes it.

use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use serde::Serialize;

use super::accounts::Accounts;
use super::logged_in::who;
use super::model::{Operator, OperatorView};
use super::role::Role;
use super::store;
use crate::events::{Change, EventKind};
use crate::http::address::Address;
use crate::http::audit::{Noted, Who};
use crate::http::caller::InstallationAdmin;
use crate::http::docs::{InstallationErrors, InstallationListErrors, InstallationWriteErrors};
use crate::http::envelope::Reply;
use crate::http::list::{self, ListReply};
use crate::http::merging::Changes;
use crate::http::query::{ListParameters, ListQuery};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Changed, Created, Ctx, Found, IfMatch, PathId, Versioned};
use crate::people::organizations::{
    self, NewOrganization, Organization, OrganizationFilter, OrganizationPatch, OrganizationView, SupportContact,
};
use crate::store::StoreError;
use kernel::text::Name;
use kernel::{OrganizationId, Timestamp};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list_organizations)
        .service(create_organization)
        .service(get_installation_organization)
        .service(update_installation_organization)
        .service(join_organization);
}

/// An organization as those see it who administer the installation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct InstallationOrganizationView {
    /// Its id.
    #[serde(rename = "_id")]
    id: OrganizationId,
    /// What it is called.
    name: String,
    /// Whom drivers and home users ask for help; null where nobody is named.
    support_contact: Option<SupportContact>,
    /// Its postal address; null where none is known.
    address: Option<Address>,
    /// Where its logo is, on this server; null without one.
    #[schema(example = "/v1.1/organizations/650000000000000000000001/logo?v=9f86d081884c7d65")]
    logo: Option<String>,
    /// What the reader is there: Admin, Operator or Viewer; null: the reader does not work there.
    role: Option<Role>,
    /// When it was created.
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    updated_at: Timestamp,
}

impl InstallationOrganizationView {
    fn new(organization: Organization, role: Option<Role>) -> Self {
        Self {
            id: organization.id,
            logo: organization.logo(),
            name: organization.name,
            support_contact: organization.support_contact.map(|contact| contact.0),
            address: organization.address.map(|address| address.0),
            role,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

impl Versioned for InstallationOrganizationView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

crate::patch! {
    /// Changes of what an organization shows of itself (JSON merge patch).
    #[schema(example = json!({"name": "Harbour Charging", "support_contact": {"phone": "+31 20 1234567"}}))]
    pub(crate) struct OrganizationProfilePatch {
        /// What it is called.
        pub name: Name,
        /// Whom drivers and home users ask for help; null: nobody is named.
        pub support_contact: Changes<SupportContact>,
        /// Its postal address; null: none is known.
        pub address: Changes<Address>,
    }
}

impl From<OrganizationProfilePatch> for OrganizationPatch {
    fn from(OrganizationProfilePatch { name, support_contact, address }: OrganizationProfilePatch) -> Self {
        Self { name, support_contact, address, ..Self::default() }
    }
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "organization")
}

/// Lists all organizations of this installation; `search` finds by name.
///
/// For an installation-wide admin who is logged in; no API key may. It shows what they show of themselves, and no more of those in which
/// the reader does not work.
#[utoipa::path(tag = "organizations", security(("cookie" = [])), params(ListParameters, OrganizationFilter),
    responses((status = OK, body = ListReply<InstallationOrganizationView>), InstallationListErrors))]
#[get("/organizations")]
async fn list_organizations(
    caller: InstallationAdmin,
    ctx: Ctx,
    query: ListQuery<OrganizationFilter>,
) -> ApiResult<HttpResponse> {
    list::respond(&ctx, query, move |conn, query| {
        let roles = store::roles_of(conn, caller.account)?;
        let joined: Vec<_> = roles.keys().copied().collect();
        let found = organizations::page_of_organizations(conn, query, &joined)?;
        Ok(found.map(|organization| {
            let role = roles.get(&organization.id).copied();
            InstallationOrganizationView::new(organization, role)
        }))
    })
    .await
}

/// Creates an organization, in which the caller is Admin.
///
/// For an installation-wide admin who is logged in. The login stays where it is: `PUT /v1.1/account/organization` goes to the new one.
#[utoipa::path(tag = "organizations", security(("cookie" = [])), request_body = NewOrganization,
    responses((status = CREATED, body = Reply<InstallationOrganizationView>), InstallationWriteErrors))]
#[post("/organizations")]
async fn create_organization(
    request: HttpRequest,
    caller: InstallationAdmin,
    ctx: Ctx,
    Body(new): Body<NewOrganization>,
) -> ApiResult<Created<InstallationOrganizationView>> {
    let (moment, noted) = (ctx.moment(), Noted::of(&request));
    let organization = Organization::of(new, &moment);
    let operator = Operator::new((caller.account, organization.id), Role::Admin, &moment);
    ctx.answer(move |conn| {
        let mut change = Change::new(conn, organization.id, &moment);
        organizations::create(&mut change, &organization)?;
        let account = store::find_account(change.conn, operator.account_id)?;
        store::insert(change.conn, &operator)?;
        noted.note(|| who(&operator, &account));
        change.record(EventKind::OperatorCreated, &OperatorView::new(operator.clone(), account))?;
        Ok(Created(InstallationOrganizationView::new(organization.clone(), Some(Role::Admin))))
    })
    .await
}

/// Reads what an organization of this installation shows of itself.
///
/// For an installation-wide admin who is logged in. Its data is there for those who work in it: `POST …/join`.
#[utoipa::path(tag = "organizations", security(("cookie" = [])),
    params(("id" = OrganizationId, Path, description = "The organization")),
    responses((status = OK, body = Reply<InstallationOrganizationView>), InstallationErrors))]
#[get("/organizations/{id}")]
async fn get_installation_organization(
    caller: InstallationAdmin,
    ctx: Ctx,
    PathId(id): PathId<OrganizationId>,
) -> ApiResult<Found<InstallationOrganizationView>> {
    let read = ctx.db.read(move |conn| {
        let role = store::roles_of(conn, caller.account)?.get(&id).copied();
        Ok::<_, StoreError>((organizations::find_organization(conn, id)?, role))
    });
    let (organization, role) = read.await.map_err(missing)?;
    Ok(Found(InstallationOrganizationView::new(organization, role)))
}

/// Changes what an organization of this installation shows of itself (JSON merge patch).
///
/// For an installation-wide admin who is logged in. It is in the audit of that organization.
#[utoipa::path(tag = "organizations", security(("cookie" = [])),
    params(("id" = OrganizationId, Path, description = "The organization")), request_body = OrganizationProfilePatch,
    responses((status = OK, body = Reply<InstallationOrganizationView>), InstallationWriteErrors))]
#[patch("/organizations/{id}")]
async fn update_installation_organization(
    request: HttpRequest,
    caller: InstallationAdmin,
    ctx: Ctx,
    PathId(id): PathId<OrganizationId>,
    if_match: IfMatch,
    Body(patch): Body<OrganizationProfilePatch>,
) -> ApiResult<Changed<InstallationOrganizationView>> {
    Noted::of(&request).note(|| Who { organization: id, ..(&caller.principal).into() });
    ctx.change(id)
        .write(move |change| {
            let mut organization = organizations::find_organization(change.conn, id).map_err(missing)?;
            if_match.check(organization.updated_at)?;
            organization.apply(patch.clone().into(), change.moment)?;
            organizations::update_organization(change.conn, &organization)?;
            change.record(EventKind::OrganizationUpdated, &OrganizationView::from(organization.clone()))?;
            let role = store::roles_of(change.conn, caller.account)?.get(&id).copied();
            Ok(Changed(InstallationOrganizationView::new(organization, role)))
        })
        .await
}

/// Makes the caller Admin of an organization of this installation.
///
/// For an installation-wide admin who is logged in. The organization sees it: among its operators, in its events and in its audit. The
/// login stays where it is: `PUT /v1.1/account/organization` goes there.
#[utoipa::path(tag = "organizations", security(("cookie" = [])),
    params(("id" = OrganizationId, Path, description = "The organization")),
    responses((status = OK, body = Reply<InstallationOrganizationView>), InstallationWriteErrors))]
#[post("/organizations/{id}/join")]
async fn join_organization(
    request: HttpRequest,
    caller: InstallationAdmin,
    ctx: Ctx,
    accounts: web::Data<Accounts>,
    PathId(id): PathId<OrganizationId>,
) -> ApiResult<Changed<InstallationOrganizationView>> {
    let (noted, change) = (Noted::of(&request), ctx.change(id));
    let fresh = Operator::new((caller.account, id), Role::Admin, &change.moment);
    let joined = change
        .answer(move |change| {
            let organization = organizations::find_organization(change.conn, id).map_err(missing)?;
            let operator = join(change, &fresh)?;
            let account = store::find_account(change.conn, operator.account_id)?;
            noted.note(|| who(&operator, &account));
            let kind = if operator.id == fresh.id { EventKind::OperatorCreated } else { EventKind::OperatorUpdated };
            change.record(kind, &OperatorView::new(operator, account))?;
            Ok(Changed(InstallationOrganizationView::new(organization, Some(Role::Admin))))
        })
        .await?;
    accounts.changed();
    Ok(joined)
}

/// Makes somebody Admin who did not work there, was less, or was not let in any more.
fn join(change: &mut Change<'_>, fresh: &Operator) -> ApiResult<Operator> {
    let Some(mut there) = store::find_in(change.conn, fresh.account_id, fresh.organization_id)? else {
        store::insert(change.conn, fresh)?;
        return Ok(fresh.clone());
    };
    if there.role == Role::Admin && there.active {
        let message = "You are Admin there already; go there by PUT /v1.1/account/organization";
        return Err(ApiError::conflict(message));
    }
    (there.role, there.locations) = (Role::Admin, None);
    there.active = true;
    there.updated_at = change.moment.version_after(there.updated_at);
    store::update(change.conn, &there)?;
    Ok(there)
}
