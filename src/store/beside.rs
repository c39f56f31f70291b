//! What goes into the same transaction as each write of a task.
//!
//! A request that must be made once only notes in the very transaction of its effect that it was made: neither can be stored
//! without the other, whenever the server is killed.

use std::sync::Arc;

use super::connection::Conn;
use super::error::StoreResult;

/// What is stored beside a write. It may run several times in a task, and again when a group of writes lost a race.
pub type Beside = Arc<dyn Fn(&mut Conn) -> StoreResult<()> + Send + Sync>;

tokio::task_local! {
    static BESIDE: Beside;
}

/// Runs `work`; each write that it waits for itself, and not a task that it spawns, takes `beside` along, after what the task takes
/// along already.
pub async fn with<F: Future>(beside: Beside, work: F) -> F::Output {
    let both: Beside = match here() {
        None => beside,
        Some(outer) => Arc::new(move |conn| {
            outer(conn)?;
            beside(conn)
        }),
    };
    BESIDE.scope(both, work).await
}

/// What the writes of this task take along.
pub(super) fn here() -> Option<Beside> {
    BESIDE.try_with(Arc::clone).ok()
}
