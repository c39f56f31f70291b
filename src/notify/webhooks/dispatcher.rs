//! The dispatcher: takes events over into deliveries and has them sent, each endpoint for itself, until they were received.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::alerts::Alerts;
use super::delivery::Head;
use super::guard::Guard;
use super::model::Webhook;
use super::sender::Sender;
use super::settle::settle;
use super::{secrets, store};
use crate::home::portal::Notices;
use crate::http::Context;
use crate::store::cause::{self, Cause, ServerPart};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::WebhookId;

/// How often it is looked whether a pause is over.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
/// Requests to one endpoint at the same time.
const PARALLEL: usize = 8;
/// Keys that are looked up at once.
const KEYS_AT_ONCE: usize = 64;

/// After a look that took longer and found nothing there is a pause, so many times as long.
const LONG_LOOK: Duration = Duration::from_millis(10);
const PAUSE_FACTOR: u32 = 10;

/// How webhooks are called.
#[derive(Clone)]
pub struct WebhookSettings {
    /// What seals their secrets; empty: made once and kept in the store.
    pub secret_key: String,
    /// Whether endpoints may be in private networks and on this machine.
    pub allow_private: bool,
    /// Whether endpoints may do without TLS.
    pub allow_http: bool,
    /// How long an endpoint may take.
    pub patience: Duration,
}

/// Why there can be no dispatcher.
#[derive(Debug, thiserror::Error)]
pub enum DispatcherFault {
    /// The HTTP client cannot be made.
    #[error("webhooks: {0}")]
    Client(#[from] reqwest::Error),
    /// The secrets could not be looked at.
    #[error("the secrets of webhooks: {0}")]
    Store(#[from] StoreError),
}

/// Which webhooks to look after.
type Look = fn(&mut Conn) -> StoreResult<Vec<Webhook>>;

/// Carries events to webhooks.
#[derive(Clone)]
pub struct Dispatcher {
    context: Context,
    pub(super) sender: Arc<Sender>,
    alerts: Alerts,
}

impl Dispatcher {
    /// A dispatcher that has not started; `notices` is the way to the mail server, where there is one.
    pub async fn open(
        context: Context,
        settings: WebhookSettings,
        notices: Option<Notices>,
    ) -> Result<Self, DispatcherFault> {
        let guard = Guard { allow_private: settings.allow_private, allow_http: settings.allow_http };
        let opened = secrets::open(&context, &settings.secret_key);
        let secret_store = cause::with(Cause::Server(ServerPart::Startup), opened).await?;
        Ok(Self {
            context,
            sender: Arc::new(Sender::new(guard, secret_store, settings.patience)?),
            alerts: Alerts(notices),
        })
    }

    /// Delivers until it is stopped.
    pub fn start(&self) -> JoinHandle<()> {
        let dispatcher = self.clone();
        tokio::spawn(async move {
            let mut commits = dispatcher.context.db.commits();
            let mut ticks = dispatcher.context.clock.ticks(LOOKED_AT_EVERY);
            let mut rounds = JoinSet::new();
            let mut busy: BTreeMap<WebhookId, AbortHandle> = BTreeMap::new();
            // While none is active, a commit is worth a look only where it changed one.
            let mut none_active_at = None;
            loop {
                let (look, is_all) = tokio::select! {
                    () = ticks.tick() => (store::active as Look, true),
                    _ = commits.changed() => (store::behind as Look, false),
                    Some(_) = rounds.join_next() => (store::behind as Look, false),
                };
                busy.retain(|_, round| !round.is_finished());
                let changes = store::changes();
                if !is_all && none_active_at == Some(changes) {
                    continue;
                }
                match dispatcher.context.db.read(look).await {
                    Ok(found) => {
                        if is_all {
                            none_active_at = found.is_empty().then_some(changes);
                        }
                        for webhook in found {
                            busy.entry(webhook.id).or_insert_with(|| {
                                let served = dispatcher.clone().serve(webhook);
                                rounds.spawn(cause::with(Cause::Server(ServerPart::Webhooks), served))
                            });
                        }
                    }
                    Err(error) => tracing::error!(%error, "webhooks could not be read"),
                }
            }
        })
    }

    async fn serve(self, webhook: Webhook) {
        if let Err(error) = self.round(&webhook).await {
            tracing::error!(%error, webhook = %webhook.id, "a webhook could not be served");
        }
    }

    /// Takes over what is new and sends what is due, until there is no more.
    async fn round(&self, webhook: &Webhook) -> StoreResult<()> {
        let mut commits = self.context.db.commits();
        let mut queue = Queue::new(webhook.id);
        let mut under_way = FuturesUnordered::new();
        let mut ticks = self.context.clock.ticks(LOOKED_AT_EVERY);
        loop {
            commits.mark_unchanged();
            if self.take_over(webhook).await? {
                queue.look_again();
            }
            while under_way.len() < PARALLEL
                && let Some(head) = queue.next(&self.context).await?
            {
                under_way.push(self.deliver(webhook, head));
            }
            tokio::select! {
                sent = under_way.next() => match sent {
                    Some(sent) => {
                        let (key, receives) = sent?;
                        queue.sent(&key);
                        if !receives {
                            return Ok(());
                        }
                    }
                    None => {
                        queue.pause().await;
                        return Ok(());
                    }
                },
                _ = commits.changed() => {}
                () = ticks.tick() => queue.look_again(),
            }
        }
    }

    /// Makes deliveries of the events that are new; whether there were any.
    async fn take_over(&self, webhook: &Webhook) -> StoreResult<bool> {
        let (db, webhook) = (&self.context.db, webhook.id);
        let mut taken = false;
        while db.read(move |conn| store::is_behind(conn, webhook)).await? {
            let moment = self.context.moment();
            let write = db.write(move |conn| store::take_over(conn, webhook, &moment));
            if !write.await? {
                break;
            }
            taken = true;
        }
        Ok(taken)
    }

    /// Tries once; answers the key, and whether the webhook may still receive.
    async fn deliver(&self, webhook: &Webhook, head: Head) -> StoreResult<(String, bool)> {
        let (id, delivery) = (webhook.id, head.id);
        // Somebody may have changed it since it was found.
        let read = self.context.db.read(move |conn| store::find_to_send(conn, id, delivery));
        let Some((webhook, delivery)) = read.await? else {
            return Ok((head.ordering, false));
        };
        let attempt = self.sender.send(&webhook, &delivery, self.context.clock.now()).await;
        let failed = attempt.error.is_some();
        if let Some(error) = &attempt.error {
            tracing::info!(webhook = %id, delivery = %delivery.id, error, "an event was not received");
        }
        let (moment, alerts) = (self.context.moment(), self.alerts.clone());
        self.context.db.write(move |conn| settle(conn, (id, head.id), &attempt, (&alerts, &moment))).await?;
        let outcome = if failed { "failed" } else { "received" };
        metrics::counter!("evenwatt_webhook_deliveries_total", "outcome" => outcome).increment(1);
        if failed {
            self.alerts.notify();
        }
        Ok((head.ordering, true))
    }
}

/// What is next for a webhook: of each key the first delivery, key after key, and round again.
struct Queue {
    webhook: WebhookId,
    heads: VecDeque<Head>,
    /// The keys whose first delivery is under way.
    under_way: BTreeSet<String>,
    /// The last key that was looked up; empty when all were.
    after: String,
    /// Nothing was found, and nothing has changed since.
    is_empty: bool,
    /// There is no looking before.
    pause_until: Instant,
}

impl Queue {
    fn new(webhook: WebhookId) -> Self {
        Self {
            webhook,
            heads: VecDeque::new(),
            under_way: BTreeSet::new(),
            after: String::new(),
            is_empty: false,
            pause_until: Instant::now(),
        }
    }

    async fn next(&mut self, context: &Context) -> StoreResult<Option<Head>> {
        if self.heads.is_empty() && !self.is_empty {
            let from_the_middle = !self.after.is_empty();
            self.look_up(context).await?;
            if self.heads.is_empty() && from_the_middle {
                self.look_up(context).await?;
            }
            self.is_empty = self.heads.is_empty();
        }
        let next = self.heads.pop_front();
        if let Some(head) = &next {
            self.under_way.insert(head.ordering.clone());
        }
        Ok(next)
    }

    async fn look_up(&mut self, context: &Context) -> StoreResult<()> {
        self.pause().await;
        let (webhook, now, begun) = (self.webhook, context.clock.now(), Instant::now());
        let after = std::mem::take(&mut self.after);
        let read = move |conn: &mut _| store::heads(conn, webhook, now, (&after, KEYS_AT_ONCE));
        let found = context.db.read(read).await?;
        if found.len() == KEYS_AT_ONCE
            && let Some(last) = found.last()
        {
            self.after.clone_from(&last.ordering);
        }
        let free = found.into_iter().filter(|head| !self.under_way.contains(&head.ordering));
        self.heads.extend(free);
        let took = begun.elapsed();
        if self.heads.is_empty() && took > LONG_LOOK {
            self.pause_until = Instant::now() + PAUSE_FACTOR * took;
        }
        Ok(())
    }

    /// Where thousands of stations wait for an endpoint that is down, looking in vain must not take all of the store. This is
    /// about the machine's work, so it is the machine's time.
    async fn pause(&self) {
        sleep_until(self.pause_until).await;
    }

    fn sent(&mut self, key: &str) {
        self.under_way.remove(key);
        self.look_again();
    }

    fn look_again(&mut self) {
        self.is_empty = false;
    }
}
