//! The task that moves readings of a store that an older program wrote into chunks, while the server runs.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::charging::sessions;
use crate::http::Context;
use crate::store::StoreResult;
use clock::Timer;

/// How long stations and the API have the store to themselves between two steps.
const BETWEEN: Duration = Duration::from_millis(100);
/// Rows that are moved in one step: they are taken out of three trees while stations wait for their commit.
const AT_ONCE: usize = 500;
/// How long it waits after a step that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// Readings between two lines of the log.
const LOGGED_EVERY: usize = 1_000_000;

/// Starts it. It ends when nothing is left to move; where there is nothing, after one question.
pub(super) fn start(context: &Context) -> JoinHandle<()> {
    let (context, mut timer) = (context.clone(), context.clock.timer());
    tokio::spawn(async move {
        while let Err(error) = move_all(&context, &mut timer).await {
            tracing::warn!(%error, "readings of an older program cannot be moved at the moment");
            timer.sleep(AFTER_FAILURE).await;
        }
    })
}

async fn move_all(context: &Context, timer: &mut Timer) -> StoreResult<()> {
    if !context.db.read(sessions::has_old_readings).await? {
        return Ok(());
    }
    tracing::info!("readings of an older program are moved into chunks, while everything else goes on");
    let (mut moved, mut left, mut after) = (0_usize, 0_usize, None);
    loop {
        timer.sleep(BETWEEN).await;
        let mark = after.clone();
        let step = context.db.write_to_memory(move |conn| sessions::move_some(conn, mark.clone(), AT_ONCE)).await?;
        metrics::counter!("evenwatt_readings_moved_total").increment(u64::try_from(step.readings).unwrap_or_default());
        if moved / LOGGED_EVERY < (moved + step.readings) / LOGGED_EVERY {
            tracing::info!(moved = moved + step.readings, "readings of an older program are being moved");
        }
        moved += step.readings;
        left += step.damaged;
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    tracing::info!(moved, left, "the readings of an older program are moved; those left cannot be read");
    Ok(())
}
