//! What metrics show that nobody counts where it happens: it is looked at, again and again.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::balancing::CurrentTrees;
use crate::http::Context;
use crate::notify::webhooks;
use crate::store::StoreResult;

/// How often: as often as metrics are scraped, mostly.
const EVERY: Duration = Duration::from_secs(15);

/// Looks until it is stopped; the first time before it returns, so that everything is there from the start.
pub(super) fn start(context: Context, trees: CurrentTrees) -> JoinHandle<()> {
    look(&context, &trees);
    let mut ticks = context.clock.ticks(EVERY);
    tokio::spawn(async move {
        loop {
            ticks.tick().await;
            look(&context, &trees);
            if let Err(error) = look_at_webhooks(&context).await {
                tracing::debug!(%error, "the backlog of webhooks is not known");
            }
        }
    })
}

fn look(context: &Context, trees: &CurrentTrees) {
    for (queue, length) in context.db.queue_lengths() {
        metrics::gauge!("evenwatt_store_queue_length", "queue" => queue).set(number(length));
    }
    metrics::gauge!("evenwatt_store_lock_held").set(f64::from(u8::from(context.db.is_held())));
    let (count, over_limit) = trees.tally();
    metrics::gauge!("evenwatt_balancing_trees").set(number(count));
    metrics::gauge!("evenwatt_balancing_groups_over_limit").set(number(over_limit));
}

async fn look_at_webhooks(context: &Context) -> StoreResult<()> {
    let webhooks::Backlog { waiting, since } = context.db.read(webhooks::backlog).await?;
    let now = context.clock.now();
    let oldest = since.map_or(0.0, |since| now.since(since).as_secs_f64());
    metrics::gauge!("evenwatt_webhook_deliveries_waiting").set(number(usize::try_from(waiting).unwrap_or_default()));
    metrics::gauge!("evenwatt_webhook_oldest_waiting_seconds").set(oldest);
    Ok(())
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
