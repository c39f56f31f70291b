//! Forgets what is old: deliveries that are over, and events of the log that no webhook has still to take over. How far that goes
//! moves by at most a day at a time, see [`events::horizon`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::store;
use crate::db::StoreResult;
use crate::events;
use crate::http::Context;

/// How long what is over is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Events of the log.
    pub events: Duration,
    /// Deliveries that were received or given up.
    pub deliveries: Duration,
}

/// Forgets in small steps, so that others can write in between.
pub async fn forget_old(context: &Context, keep: Retention) -> StoreResult<()> {
    let (db, now) = (&context.db, context.clock.now());
    let until = db.write(move |conn| {
        let oldest = store::oldest_over(conn)?;
        let deliveries = events::horizon(conn, "deliveries", (now, keep.deliveries), oldest)?;
        events::keep_horizon(conn, "deliveries", deliveries)?;
        let oldest = events::oldest(conn)?;
        let told = events::horizon(conn, "events", (now, keep.events), oldest)?;
        events::keep_horizon(conn, "events", told)?;
        StoreResult::Ok((deliveries.to, told.to))
    });
    let (deliveries, told) = until.await?;
    while db
        .write(move |conn| store::forget_deliveries(conn, deliveries))
        .await?
    {}
    let forget = move |conn: &mut _| {
        let mut needed = BTreeMap::new();
        for webhook in store::active(conn)? {
            let taken = needed.entry(webhook.organization_id);
            let least = taken.or_insert(webhook.cursor);
            *least = webhook.cursor.min(*least);
        }
        events::forget(conn, told, &needed)
    };
    while db.write(forget).await? {}
    Ok(())
}
