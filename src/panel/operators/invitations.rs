//! How somebody becomes an operator, and gets in again: over the API, from the command line, at the first start.

use std::time::Duration;

use super::accounts::PanelLinks;
use super::links::{self, Purpose, make_link};
use super::model::{Account, NewOperator, Operator, OperatorView, SomeLocations};
use super::role::Role;
use super::{logins, oidc, store};
use crate::events::{Change, EventKind};
use crate::http::{ApiError, ApiResult};
use crate::sites::locations;
use crate::store::{Conn, Json, StoreError, StoreResult};
use kernel::*;

/// How long a link works that logs in at once.
const AT_ONCE: Duration = Duration::from_secs(3_600);

/// Makes somebody an operator: the person who has the address, or a new one.
pub(super) fn create(change: &mut Change<'_>, new: &NewOperator) -> ApiResult<(Operator, Account)> {
    let account = match store::find_by_email(change.conn, new.email.as_str())? {
        Some(account) => account,
        None => {
            let account = Account::new(Some(new.email.clone()), new.name.clone(), change.moment);
            store::insert_account(change.conn, &account)?;
            account
        }
    };
    let mut operator = Operator::new((account.id, change.organization), new.role, change.moment);
    operator.locations = new.locations.clone().map(|SomeLocations(locations)| Json(locations));
    require_locations(change.conn, &operator)?;
    store::insert(change.conn, &operator).map_err(|error| match error {
        StoreError::Duplicate(_) => {
            ApiError::conflict("There is an operator with this address; change it, or invite again by …/invitation")
        }
        other => other.into(),
    })?;
    change.record(EventKind::OperatorCreated, &OperatorView::new(operator.clone(), account.clone()))?;
    Ok((operator, account))
}

/// Refuses locations that are not the organization's, and an Admin who would not work everywhere: that role is about all of it.
pub(super) fn require_locations(conn: &mut Conn, operator: &Operator) -> ApiResult<()> {
    let Some(Json(chosen)) = &operator.locations else {
        return Ok(());
    };
    if operator.role == Role::Admin {
        let message = "are not for an Admin, who works everywhere; choose Operator or Viewer, or null";
        return Err(ApiError::field("locations", "invalid", message));
    }
    for (index, id) in chosen.iter().enumerate() {
        locations::require(conn, operator.organization_id, *id, &format!("locations[{index}]"))?;
    }
    Ok(())
}

/// Refuses to show the link to an account that is also another organization's or administers the installation, until its owner has come
/// in: who has the link would get in there, too.
pub(super) fn require_own(conn: &mut Conn, account: &Account, organization: OrganizationId) -> ApiResult<()> {
    let is_waiting = !account.has_accepted();
    if is_waiting && account.installation_admin {
        let message = "This will be an installation-wide admin; run: evenwatt operator reset";
        return Err(ApiError::conflict(message));
    }
    let others = store::of_account(conn, account.id)?.into_iter().any(|(own, _)| own.organization_id != organization);
    if is_waiting && others {
        let message =
            "Another organization invited this address, and that is not accepted yet; invite again when it is";
        return Err(ApiError::conflict(message));
    }
    Ok(())
}

/// The link by which a password is chosen; none where the invitation was accepted.
pub(super) fn link(
    conn: &mut Conn,
    account: &Account,
    (links, moment): (&PanelLinks, &Moment),
) -> StoreResult<Option<String>> {
    if account.has_accepted() {
        return Ok(None);
    }
    let secret = make_link(conn, account.id, Purpose::Invitation, moment.now + links.invitation)?;
    Ok(Some(links.invitation(&secret)))
}

/// Makes somebody an operator and answers the link by which they choose a password; none where they can log in already.
pub fn invite(
    conn: &mut Conn,
    organization: OrganizationId,
    new: &NewOperator,
    (links, moment): (&PanelLinks, &Moment),
) -> ApiResult<Option<String>> {
    let (_, account) = create(&mut Change::new(conn, organization, moment), new)?;
    Ok(link(conn, &account, (links, moment))?)
}

/// For somebody who cannot get in: the second factor is gone, nobody of a login provider is linked any more, all logins end, and by the
/// link they choose another password.
pub fn reset(conn: &mut Conn, email: &str, (panel, moment): (&PanelLinks, &Moment)) -> ApiResult<String> {
    let found = store::find_by_email(conn, email)?;
    let mut account = found.ok_or_else(|| ApiError::not_found("operator"))?;
    account.take_second_factor();
    account.updated_at = moment.version_after(account.updated_at);
    store::update_account(conn, &account)?;
    logins::end_others(conn, account.id, None)?;
    oidc::identities::drop_all(conn, account.id)?;
    links::drop_all(conn, account.id)?;
    let purpose = match account.password_hash {
        Some(_) => Purpose::PasswordReset,
        None => Purpose::Invitation,
    };
    let secret = make_link(conn, account.id, purpose, moment.now + panel.reset)?;
    Ok(match purpose {
        Purpose::PasswordReset => panel.password_reset(&secret),
        Purpose::Invitation | Purpose::Login => panel.invitation(&secret),
    })
}

/// Makes whoever has this address an installation-wide admin, or takes that away; it holds from the next request on.
pub fn make_installation_admin(conn: &mut Conn, email: &str, is_one: bool, moment: &Moment) -> ApiResult<()> {
    let found = store::find_by_email(conn, email)?;
    let mut account = found.ok_or_else(|| ApiError::not_found("operator"))?;
    account.installation_admin = is_one;
    account.updated_at = moment.version_after(account.updated_at);
    Ok(store::update_account(conn, &account)?)
}

/// While nobody can log in to this server: the link by which the first operator, of this organization and with every right, chooses
/// name, address and password. It is new at each start, so that a lost one does no harm. In a new installation that operator
/// administers it, too.
pub fn invite_first(
    conn: &mut Conn,
    organization: OrganizationId,
    is_new: bool,
    (panel, moment): (&PanelLinks, &Moment),
) -> StoreResult<Option<String>> {
    if store::is_anybody_in(conn)? {
        return Ok(None);
    }
    let account = match store::find_unaddressed(conn)? {
        Some(account) => account,
        None if store::is_any(conn)? => return Ok(None), // who was invited by name
        None => first(conn, organization, is_new, moment)?,
    };
    links::drop_all(conn, account.id)?;
    link(conn, &account, (panel, moment))
}

fn first(
    conn: &mut Conn,
    organization: OrganizationId,
    installation_admin: bool,
    moment: &Moment,
) -> StoreResult<Account> {
    let account = Account { installation_admin, ..Account::new(None, None, moment) };
    store::insert_account(conn, &account)?;
    store::insert(conn, &Operator::new((account.id, organization), Role::Admin, moment))?;
    Ok(account)
}

/// The path of a link that logs in at once, as an operator of this organization who may do everything: for the demo.
pub fn let_in(conn: &mut Conn, organization: OrganizationId, moment: &Moment) -> StoreResult<String> {
    let mut account = first(conn, organization, true, moment)?;
    account.name = "Demo operator".to_owned();
    store::update_account(conn, &account)?;
    let secret = make_link(conn, account.id, Purpose::Login, moment.now + AT_ONCE)?;
    Ok(format!("/v1.1/account/login/{secret}"))
}
