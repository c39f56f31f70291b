//! The courier: takes events over into deliveries and posts them, each endpoint for itself, until they were received.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::guard::Guard;
use super::model::{Delivery, DeliveryStatus, Webhook, WebhookView};
use super::vault::Vault;
use super::{secrets, signature, store};
use crate::db::error::optional;
use crate::db::{Conn, StoreError, StoreResult};
use crate::events::{self, Event, EventKind};
use crate::http::Context;
use crate::kernel::{Moment, Timestamp, WebhookId};

/// How often it is looked whether a pause is over.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
/// The first repetition comes after this long, each further one after twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// A webhook whose delivery failed for so long is turned off.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);
/// Requests to one endpoint at the same time.
const PARALLEL: usize = 8;
/// Bytes of an answer that are kept; no more are read.
const ANSWER_BYTES: usize = 4_096;

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

/// Why there can be no courier.
#[derive(Debug, thiserror::Error)]
pub enum CourierFault {
    /// The HTTP client cannot be made.
    #[error("webhooks: {0}")]
    Client(#[from] reqwest::Error),
    /// The secrets could not be looked at.
    #[error("the secrets of webhooks: {0}")]
    Store(#[from] StoreError),
}

/// Carries events to webhooks.
#[derive(Clone)]
pub struct Courier {
    context: Context,
    client: reqwest::Client,
    pub(super) guard: Guard,
    pub(super) vault: Arc<Vault>,
    /// The webhooks that are being served.
    busy: Arc<Mutex<BTreeSet<WebhookId>>>,
    rung: Arc<Notify>,
}

/// How a try went.
struct Outcome {
    status: Option<u16>,
    body: Option<String>,
    /// What was wrong; none where the event was received.
    error: Option<String>,
    took: Duration,
}

impl Courier {
    /// A courier that has not started.
    pub async fn open(context: Context, settings: WebhookSettings) -> Result<Self, CourierFault> {
        let guard = Guard {
            allow_private: settings.allow_private,
            allow_http: settings.allow_http,
        };
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(guard))
            .redirect(Policy::none())
            .no_proxy() // a proxy would resolve names by itself
            .timeout(settings.patience)
            .user_agent(concat!("Evenwatt/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let vault = secrets::open(&context, &settings.secret_key).await?;
        Ok(Self {
            context,
            client,
            guard,
            vault,
            busy: Arc::default(),
            rung: Arc::default(),
        })
    }

    /// Delivers until it is stopped.
    pub fn start(&self) -> JoinHandle<()> {
        let courier = self.clone();
        let mut commits = self.context.db.commits();
        tokio::spawn(async move {
            loop {
                commits.mark_unchanged();
                if let Err(error) = courier.serve_all().await {
                    tracing::error!(%error, "webhooks could not be read");
                }
                tokio::select! {
                    _ = commits.changed() => {}
                    () = courier.rung.notified() => {}
                    () = tokio::time::sleep(LOOKED_AT_EVERY) => {}
                }
            }
        })
    }

    /// Begins to serve every webhook that is not being served.
    async fn serve_all(&self) -> StoreResult<()> {
        for webhook in self.context.db.read(store::active).await? {
            let id = webhook.id;
            if !self
                .busy
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id)
            {
                continue;
            }
            let courier = self.clone();
            tokio::spawn(async move {
                let served = courier.serve(webhook).await;
                courier
                    .busy
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&id);
                match served {
                    Ok(true) => courier.rung.notify_one(), // something may have come while it was busy
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, webhook = %id, "a webhook could not be served")
                    }
                }
            });
        }
        Ok(())
    }

    /// Takes over what is new and sends what is due, until there is no more; whether there was anything.
    async fn serve(&self, webhook: Webhook) -> StoreResult<bool> {
        let db = &self.context.db;
        let (organization, id) = (webhook.organization_id, webhook.id);
        let mut after = webhook.cursor;
        let mut worked = false;
        loop {
            let newest = db
                .read(move |conn| events::latest_cursor(conn, organization))
                .await?;
            if newest > after {
                let (moment, taker) = (self.context.moment(), webhook.clone());
                let more = db
                    .write(move |conn| store::take_over(conn, &taker, &moment))
                    .await?;
                after = if more { after } else { newest };
            }
            let now = self.context.clock.now();
            let due = db.read(move |conn| store::due(conn, id, now)).await?;
            if due.is_empty() && newest <= after {
                return Ok(worked);
            }
            worked = true;
            let read = db.read(move |conn| optional(store::find(conn, organization, id)));
            let Some(current) = read.await?.filter(|webhook| webhook.active) else {
                return Ok(worked);
            };
            let sent = stream::iter(due).map(|delivery| self.deliver(&current, delivery));
            let sent: Vec<StoreResult<()>> = sent.buffer_unordered(PARALLEL).collect().await;
            sent.into_iter().collect::<StoreResult<()>>()?;
        }
    }

    async fn deliver(&self, webhook: &Webhook, delivery: Delivery) -> StoreResult<()> {
        let outcome = self.post(webhook, &delivery).await;
        if let Some(error) = &outcome.error {
            tracing::info!(webhook = %webhook.id, delivery = %delivery.id, error, "an event was not received and is sent again");
        }
        let moment = self.context.moment();
        self.context
            .db
            .write(move |conn| settle(conn, &delivery, &outcome, &moment))
            .await
    }

    async fn post(&self, webhook: &Webhook, delivery: &Delivery) -> Outcome {
        let started = Instant::now();
        let answer = self.answer(webhook, delivery).await;
        let took = started.elapsed();
        match answer {
            Ok((status, body)) => {
                let error = match status {
                    200..=299 => None,
                    300..=399 => Some(format!(
                        "it answered {status}, and redirects are not followed"
                    )),
                    _ => Some(format!("it answered {status}")),
                };
                Outcome {
                    status: Some(status),
                    body: Some(body),
                    error,
                    took,
                }
            }
            Err(error) => Outcome {
                status: None,
                body: None,
                error: Some(error),
                took,
            },
        }
    }

    async fn answer(
        &self,
        webhook: &Webhook,
        delivery: &Delivery,
    ) -> Result<(u16, String), String> {
        let url = self
            .guard
            .check(&webhook.url)
            .map_err(|refused| refused.to_string())?;
        let now = self.context.clock.now();
        let secrets = webhook
            .secrets(&self.vault, now)
            .ok_or("its secret was sealed with another key and cannot sign")?;
        let signature = signature::header(&secrets, now.millis(), &delivery.body);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(signature::HEADER, signature)
            .body(delivery.body.clone());
        let mut response = request.send().await.map_err(|error| causes(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        // What an endpoint answers is for people who look for a fault; that it ends does not matter.
        while body.len() < ANSWER_BYTES
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
        body.truncate(ANSWER_BYTES);
        Ok((status, String::from_utf8_lossy(&body).replace('\0', "")))
    }
}

/// An error with all that caused it: reqwest's own words say only that it could not be sent.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Writes down how a try went; after days of failures the webhook is turned off.
fn settle(conn: &mut Conn, sent: &Delivery, outcome: &Outcome, moment: &Moment) -> StoreResult<()> {
    let Some(mut delivery) = optional(store::find_delivery(conn, sent.webhook_id, sent.id))? else {
        return Ok(()); // its webhook was deleted
    };
    delivery.attempts += 1;
    delivery.answer_status = outcome.status.map(i32::from);
    delivery.answer_body.clone_from(&outcome.body);
    delivery.error.clone_from(&outcome.error);
    delivery.milliseconds = i32::try_from(outcome.took.as_millis()).ok();
    delivery.updated_at = moment.version_after(delivery.updated_at);
    if outcome.error.is_none() {
        delivery.status = DeliveryStatus::Delivered;
    } else if moment.now.since(delivery.since) < GIVEN_UP_AFTER {
        delivery.next_at = next_try(delivery.attempts, moment.now);
    } else {
        delivery.status = DeliveryStatus::Failed;
        turn_off(conn, &delivery, moment)?;
    }
    store::update_delivery(conn, &delivery)
}

fn next_try(attempts: i32, now: Timestamp) -> Timestamp {
    let doubled = 2_u32.saturating_pow(u32::try_from(attempts - 1).unwrap_or(0).min(16));
    let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
    now + pause.mul_f64(rand::RngExt::random_range(&mut rand::rng(), 0.8..1.2))
}

fn turn_off(conn: &mut Conn, delivery: &Delivery, moment: &Moment) -> StoreResult<()> {
    let mut webhook = store::find(conn, delivery.organization_id, delivery.webhook_id)?;
    webhook.active = false;
    let why = delivery.error.as_deref().unwrap_or_default();
    webhook.disabled_reason = Some(format!("no event was received for three days: {why}"));
    webhook.updated_at = moment.version_after(webhook.updated_at);
    store::update(conn, &webhook)?;
    tracing::error!(webhook = %webhook.id, "a webhook received nothing for days and was turned off");
    let event = Event::new(webhook.organization_id, EventKind::WebhookDisabled);
    events::record(conn, moment, event, &WebhookView::from(webhook))
}
