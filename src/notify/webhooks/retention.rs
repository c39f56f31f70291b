//! Forgetting what is old: deliveries that are over, and events of the log that no webhook has still to take over.

use std::collections::BTreeMap;

use super::store;
use crate::events::{self, Forgotten, Horizon, Mark};
use crate::store::{Conn, StoreResult};

pub use super::store::oldest_over;

/// Deletes some deliveries that were received or given up.
pub fn forget_deliveries(conn: &mut Conn, horizon: Horizon, _: Option<Mark>) -> StoreResult<Forgotten> {
    store::forget_deliveries(conn, horizon.to)
}

/// Deletes some events that every active webhook has taken over.
pub fn forget_events(conn: &mut Conn, horizon: Horizon, after: Option<Mark>) -> StoreResult<Forgotten> {
    let mut needed = BTreeMap::new();
    for webhook in store::active(conn)? {
        let taken = needed.entry(webhook.organization_id);
        let least = taken.or_insert(webhook.cursor);
        *least = webhook.cursor.min(*least);
    }
    events::forget(conn, horizon.to, &needed, after)
}
