//! Checks API keys for the auth guard, mostly from memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::model::{ApiKey, hash};
use super::store;
use crate::http::caller::Authenticator;
use crate::http::{Actor, ApiResult, Context, Principal, Reach};
use crate::store::StoreResult;
use kernel::Timestamp;

/// How long an answer is trusted: a key revoked on another node works this much longer at most.
const TRUSTED_FOR: Duration = Duration::from_secs(5);
/// How often the time of the last use is written down.
const TOUCHED_EVERY: Duration = Duration::from_secs(60);
/// Keys that are remembered; more only cost a query each.
const REMEMBERED: usize = 10_000;

/// The keys that were seen lately.
pub struct ApiKeyCache {
    context: Context,
    seen: Mutex<HashMap<String, Seen>>,
    changes: watch::Sender<()>,
}

struct Seen {
    key: ApiKey,
    principal: Principal,
    checked_at: Timestamp,
}

impl ApiKeyCache {
    /// An empty one.
    pub fn new(context: Context) -> Self {
        Self { context, seen: Mutex::default(), changes: watch::Sender::new(()) }
    }

    /// Forgets everything, and wakes whose requests go on: a key was changed.
    pub fn forget(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.changes.send_replace(());
    }

    fn recall(&self, hash: &str, now: Timestamp) -> Option<Option<Principal>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = seen.get(hash).filter(|entry| now.since(entry.checked_at) < TRUSTED_FOR)?;
        Some(entry.key.works_at(now).then(|| entry.principal.clone()))
    }

    fn remember(&self, hash: String, entry: Seen) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(hash, entry);
    }
}

#[async_trait]
impl Authenticator for ApiKeyCache {
    fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    async fn authenticate(&self, bearer: &str) -> ApiResult<Option<Principal>> {
        let (now, hash) = (self.context.clock.now(), hash(bearer));
        if let Some(known) = self.recall(&hash, now) {
            return Ok(known);
        }
        let secret = bearer.to_owned();
        let Some(key) = self.context.db.read(move |conn| store::find_by_secret(conn, &secret)).await? else {
            return Ok(None);
        };
        let principal = Principal {
            reach: Reach::default(),
            organization: key.organization_id,
            actor: Actor::ApiKey(key.id),
            name: key.name.as_str().into(),
            scopes: Arc::new(key.scopes.0.0.clone()),
            installation_admin: None,
        };
        let works = key.works_at(now);
        if works && key.last_used_at.is_none_or(|last| now.since(last) >= TOUCHED_EVERY) {
            let id = key.id;
            self.context.db.write(move |conn| -> StoreResult<()> { store::touch_key(conn, id, now) }).await?;
        }
        self.remember(hash, Seen { key, principal: principal.clone(), checked_at: now });
        Ok(works.then_some(principal))
    }
}
