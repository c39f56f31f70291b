//! How an organization comes to be: by the command line, and by who administers the installation.

use super::model::{Organization, OrganizationView};
use super::store::insert_organization;
use crate::events::{Change, EventKind};
use crate::store::StoreResult;

/// Stores a new organization, which is that of the change; its first event says so.
pub fn create(change: &mut Change<'_>, organization: &Organization) -> StoreResult<()> {
    insert_organization(change.conn, organization)?;
    change.record(EventKind::OrganizationCreated, &OrganizationView::from(organization.clone()))
}
