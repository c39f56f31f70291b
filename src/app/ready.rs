//! `GET /healthz`: whether the process answers, and of which installation. `GET /readyz`: whether the store is held, can be read and can be written.
//!
//! Whoever asks needs no key, and each look writes. So it is looked once a second at most; who asks meanwhile gets the same answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::http::{Context, Ctx};
use crate::store::{Conn, Lane, StoreError, StoreResult, counters, migrate, room, secrets};

/// How long the store may take to be called ready.
const WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is said of a store that is ready.
const READY: &str = "ready";

/// What was seen last, and when.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Option<(Instant, &'static str)>>>);

impl Seen {
    /// What `look` says, or said within the last second.
    async fn or_look(self, now: Instant, look: impl Future<Output = &'static str>) -> &'static str {
        let mut seen = self.0.lock().await;
        if let Some((at, store)) = *seen
            && now.saturating_duration_since(at) < LOOK_EVERY
        {
            return store;
        }
        let store = look.await;
        *seen = Some((now, store));
        store
    }
}

/// How the installation is known from outside, so that somebody who asks its public URL can see whether it answers.
#[derive(Debug, Clone)]
pub(super) struct Installation(pub(super) String);

/// The name of the secret that an installation is known by.
const INSTALLATION: &str = "installation";

impl Installation {
    /// That of this store, made when its first server starts.
    pub(super) async fn of(context: &Context) -> StoreResult<Self> {
        let now = context.clock.now();
        let kept = context.db.write(move |conn| secrets::keep(conn, INSTALLATION, now)).await?;
        Ok(Self(shown(&kept)))
    }
}

/// How the installation of a store is known from outside; none where no server ever ran on it.
pub fn installation(conn: &mut Conn) -> StoreResult<Option<String>> {
    Ok(secrets::find(conn, INSTALLATION)?.as_deref().map(shown))
}

/// What everybody may see of the secret.
fn shown(secret: &str) -> String {
    let digest = hex::encode(Sha256::digest(secret));
    digest.chars().take(16).collect()
}

/// Answers that the process is alive.
pub(super) async fn healthz(installation: web::Data<Installation>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"ok": true, "installation": installation.0}))
}

/// Answers whether the server can do its work now.
pub(super) async fn readyz(context: Ctx, seen: web::Data<Seen>) -> HttpResponse {
    // A task of its own: a client that goes away does not make the next one look again.
    let look = look(context.get_ref().clone());
    let store = seen.get_ref().clone().or_look(Instant::now(), look);
    let store = actix_web::rt::spawn(store).await.unwrap_or("failing");
    if store == READY {
        HttpResponse::Ok().json(json!({"ok": true, "store": store}))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({"ok": false, "store": store}))
    }
}

async fn look(context: Context) -> &'static str {
    if !context.db.is_held() {
        return "not held";
    }
    match tokio::time::timeout(WITHIN, try_out(&context)).await {
        Ok(Ok(())) => READY,
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            "failing"
        }
        Err(_) => "slow",
    }
}

async fn try_out(context: &Context) -> StoreResult<()> {
    let db = context.db.in_lane(Lane::Stations);
    db.read(|conn| match migrate::is_pending(conn)? {
        true => Err(StoreError::Failed("migrations are pending".into())),
        false => Ok(()),
    })
    .await?;
    // Reading goes on where the disk is full.
    let url = db.url().clone();
    let room = tokio::task::spawn_blocking(move || room::check(&url)).await;
    room.map_err(|error| StoreError::Failed(error.to_string()))??;
    let (name, now) = ("ready".to_owned(), context.clock.now().micros());
    db.write(move |conn| counters::keep(conn, &name, now)).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_how_often_it_is_looked_once_a_second() {
        let (seen, looks, begun) = (Seen::default(), AtomicUsize::new(0), Instant::now());
        let ask = |now| {
            seen.clone().or_look(now, async {
                looks.fetch_add(1, Ordering::Relaxed);
                READY
            })
        };
        for second in 0..3 {
            let now = begun + LOOK_EVERY * second;
            let shown = join_all((0..100).map(|_| ask(now))).await;
            assert_eq!(shown, [READY; 100]);
            assert_eq!(looks.load(Ordering::Relaxed), second as usize + 1);
        }
    }
}
