//! From the section `[retention]` to what is deleted: each kind of data by its own horizon, in small steps, and reported.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::json;

use super::config;
use crate::charging::sessions::retention as sessions;
use crate::events::{self, Change, EventKind, Forgotten, Horizon, Mark, Pace, Trust};
use crate::http::Context;
use crate::notify::webhooks::retention as webhooks;
use crate::store::cause::{self, Cause, ServerPart};
use crate::store::{Conn, StoreResult};
use crate::{
    balancing, charging::reservations, control::actions, home::priority_charges, load::assets, sites::stations,
};
use kernel::{OrganizationId, Timestamp};

/// Webhooks are tried for so long.
const FEWEST_DAYS_OF_EVENTS: u32 = 3;

/// When the oldest rows of a kind are from.
type Oldest = fn(&mut Conn) -> StoreResult<Option<Timestamp>>;
/// Deletes some rows of a kind, going on after a mark.
type Forget = fn(&mut Conn, Horizon, Option<Mark>) -> StoreResult<Forgotten>;

/// A kind of data that is deleted when it is old.
#[derive(Clone, Copy)]
struct Kind {
    what: &'static str,
    keep: Duration,
    oldest: Oldest,
    forget: Forget,
    /// Whether it changes what the owner of the store's memory does.
    in_memory: bool,
}

/// All kinds of data that are deleted when they are old, in the order in which they are: readings before their sessions.
fn kinds(days: &config::Retention) -> Vec<Kind> {
    let kind = |what, days: NonZeroU32, oldest: Oldest, forget: Forget| Kind {
        what,
        keep: Duration::from_secs(u64::from(days.get()) * 24 * 3_600),
        oldest,
        forget,
        in_memory: false,
    };
    let of_memory = |what, days, oldest, forget| Kind { in_memory: true, ..kind(what, days, oldest, forget) };
    let full = NonZeroU32::new(days.readings_full_days);
    let thinned = full.map(|days| of_memory(sessions::FULL_READINGS, days, sessions::oldest, sessions::thin_readings));
    let mut kinds = vec![
        of_memory(sessions::READINGS, days.readings_days, sessions::oldest, sessions::forget_readings),
        of_memory("loose_readings", days.readings_days, stations::oldest_connector, sessions::forget_loose_readings),
        kind("transaction_events", days.transaction_events_days, sessions::oldest, sessions::forget_events),
        kind("evidence", days.evidence_days, sessions::oldest, sessions::forget_evidence),
        of_memory("orphans", days.orphans_days, sessions::oldest, sessions::forget_orphans),
        of_memory("sessions", days.sessions_days, sessions::oldest, sessions::forget_sessions),
        kind("actions", days.actions_days, actions::retention::oldest, actions::retention::forget),
        kind("reservations", days.reservations_days, reservations::retention::oldest, reservations::retention::forget),
        kind(
            "priority_charges",
            days.priority_charges_days,
            priority_charges::retention::oldest,
            priority_charges::retention::forget,
        ),
        kind("statuses", days.statuses_days, stations::retention::oldest, stations::retention::forget),
        kind("plans", days.plans_days, balancing::retention::oldest, balancing::retention::forget),
        kind(
            "load_history",
            days.load_history_days,
            balancing::retention::oldest_span,
            balancing::retention::forget_spans,
        ),
        kind("asset_readings", days.asset_readings_days, assets::retention::oldest, assets::retention::thin),
        kind("asset_quarters", days.asset_quarters_days, assets::retention::oldest, assets::retention::forget),
        kind("deliveries", days.deliveries_days, webhooks::oldest_over, webhooks::forget_deliveries),
        kind("audit", days.audit_days, events::audit::oldest, events::audit::forget),
        kind("events", days.events_days, events::oldest, webhooks::forget_events),
    ];
    kinds.extend(thinned);
    kinds
}

/// Deletes what is older than it is kept, round by round.
pub struct Retention {
    kinds: Vec<Kind>,
    pace: Pace,
}

impl Retention {
    /// What one round does, once in `period`.
    pub fn new(days: &config::Retention, round: Duration) -> Result<Self> {
        let kept = days.events_days;
        if kept.get() < FEWEST_DAYS_OF_EVENTS {
            bail!(
                "retention.events_days is {kept}, but must be at least {FEWEST_DAYS_OF_EVENTS}: webhooks are tried for so long"
            );
        }
        Ok(Self { kinds: kinds(days), pace: Pace::new(round) })
    }

    /// The names of what is deleted, as events have them.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().map(|kind| kind.what)
    }

    /// Deletes what is older than it is kept, each kind at most a day further than before. One that fails stops no other.
    pub async fn apply(&mut self, context: &Context) -> StoreResult<()> {
        let now = context.clock.now();
        let trust = self.pace.round(now);
        let mut applied = Ok(());
        for kind in &self.kinds {
            let one = cause::with(Cause::Server(ServerPart::Retention), apply_to(context, *kind, (now, trust))).await;
            applied = applied.and(one);
        }
        applied
    }
}

async fn apply_to(context: &Context, kind: Kind, clock: (Timestamp, Trust)) -> StoreResult<()> {
    let db = &context.db;
    let Kind { what, keep, .. } = kind;
    let moved = db.read(move |conn| events::horizon(conn, what, clock, clock.0 - keep, kind.oldest)).await?;
    let Some(horizon) = moved else {
        return Ok(());
    };
    let mut rows: BTreeMap<OrganizationId, usize> = BTreeMap::new();
    let mut after = None;
    while horizon.moves() {
        let step = move |conn: &mut Conn| (kind.forget)(conn, horizon, after.clone());
        let some = match kind.in_memory {
            true => db.write_to_memory(step).await?,
            false => db.write(step).await?,
        };
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
            let data = json!({"what": what, "before": horizon.to, "rows": rows});
            Change::new(conn, *organization, &moment).record(EventKind::RetentionApplied, &data)?;
        }
        StoreResult::Ok(())
    })
    .await
}
