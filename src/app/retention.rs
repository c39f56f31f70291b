//! From the section `[retention]` to what is deleted: each kind of data by its own horizon, in small steps, and told.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::json;

use super::config;
use crate::db::{Conn, StoreResult};
use crate::events::{self, Event, EventKind, Forgotten, Horizon};
use crate::http::Context;
use crate::kernel::{OrganizationId, RawId};
use crate::sessions::retention as sessions;
use crate::{actions, assets};

/// How long each kind of data is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    readings: Duration,
    transaction_events: Duration,
    evidence: Duration,
    orphans: Duration,
    actions: Duration,
    asset_readings: Duration,
}

impl From<&config::Retention> for Kept {
    fn from(section: &config::Retention) -> Self {
        let days = |days: NonZeroU32| Duration::from_secs(u64::from(days.get()) * 24 * 3_600);
        Self {
            readings: days(section.readings_days),
            transaction_events: days(section.transaction_events_days),
            evidence: days(section.evidence_days),
            orphans: days(section.orphans_days),
            actions: days(section.actions_days),
            asset_readings: days(section.asset_readings_days),
        }
    }
}

/// Deletes some rows of a kind, going on after an id.
type Forget = fn(&mut Conn, Horizon, Option<RawId>) -> StoreResult<Forgotten>;

/// Deletes what is older than it is kept, each kind at most a day further than before.
pub async fn apply(context: &Context, kept: Kept) -> StoreResult<()> {
    let kinds: [(&'static str, Duration, Forget); 7] = [
        ("readings", kept.readings, sessions::forget_readings),
        (
            "loose_readings",
            kept.readings,
            sessions::forget_loose_readings,
        ),
        (
            "transaction_events",
            kept.transaction_events,
            sessions::forget_events,
        ),
        ("evidence", kept.evidence, sessions::forget_evidence),
        ("orphans", kept.orphans, sessions::forget_orphans),
        ("actions", kept.actions, actions::retention::forget),
        (
            "asset_readings",
            kept.asset_readings,
            assets::retention::thin,
        ),
    ];
    for (what, keep, forget) in kinds {
        apply_to(context, what, keep, forget).await?;
    }
    Ok(())
}

async fn apply_to(
    context: &Context,
    what: &'static str,
    keep: Duration,
    forget: Forget,
) -> StoreResult<()> {
    let (db, now) = (&context.db, context.clock.now());
    let horizon = db
        .read(move |conn| events::horizon(conn, what, (now, keep), None))
        .await?;
    let mut rows: BTreeMap<OrganizationId, usize> = BTreeMap::new();
    let mut after = None;
    while horizon.moves() {
        let some = db.write(move |conn| forget(conn, horizon, after)).await?;
        for (organization, count) in some.rows {
            *rows.entry(organization).or_default() += count;
        }
        after = some.next;
        if after.is_none() {
            break;
        }
    }
    // Where the server is killed before this, the same is looked for again.
    let moment = context.moment();
    db.write(move |conn| {
        events::keep_horizon(conn, what, horizon)?;
        for (organization, rows) in &rows {
            let event = Event::new(*organization, EventKind::RetentionApplied);
            let data = json!({"what": what, "before": horizon.to, "rows": rows});
            events::record(conn, &moment, event, &data)?;
        }
        StoreResult::Ok(())
    })
    .await
}
