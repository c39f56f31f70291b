//! The sender: one try to deliver one event, and what can be reported about it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;

use super::delivery::{Attempt, Delivery};
use super::guard::Guard;
use super::model::Webhook;
use super::secret_store::SecretStore;
use super::signature;
use kernel::Timestamp;

/// Bytes of an answer that are kept; no more are read.
const ANSWER_BYTES: usize = 1_024;
/// Bytes of an answer's headers that are read over HTTP/2; HTTP/1 has limits of its own.
const HEADER_BYTES: u32 = 16_384;
const USER_AGENT_NAME: &str = concat!("Evenwatt/", env!("CARGO_PKG_VERSION"));

/// Posts events.
pub(super) struct Sender {
    client: reqwest::Client,
    pub guard: Guard,
    pub secret_store: Arc<SecretStore>,
}

impl Sender {
    pub(super) fn new(
        guard: Guard,
        secret_store: Arc<SecretStore>,
        patience: Duration,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(guard))
            .redirect(Policy::none())
            .no_proxy() // a proxy would resolve names by itself
            .timeout(patience)
            .http2_max_header_list_size(HEADER_BYTES)
            .build()?;
        Ok(Self { client, guard, secret_store })
    }

    /// Tries once.
    pub(super) async fn send(&self, webhook: &Webhook, delivery: &Delivery, now: Timestamp) -> Attempt {
        let started = Instant::now();
        let mut attempt = Attempt {
            at: now,
            request_headers: BTreeMap::new(),
            response_status: None,
            response_body: None,
            error: None,
            milliseconds: 0,
        };
        if let Err(error) = self.exchange(webhook, delivery, &mut attempt).await {
            attempt.error = Some(error);
        }
        attempt.milliseconds = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        attempt
    }

    /// Fills in what was sent and answered; an error says why the event was not received.
    async fn exchange(&self, webhook: &Webhook, delivery: &Delivery, attempt: &mut Attempt) -> Result<(), String> {
        let url = self.guard.check(&webhook.url);
        let url = url.map_err(|refused| refused.to_string())?;
        let secrets = webhook
            .secrets(&self.secret_store, attempt.at)
            .ok_or("its secret was sealed with another key and cannot sign")?;
        let signature = signature::header(&secrets, attempt.at.millis(), &delivery.body);
        let mut request = self.client.post(url).body(delivery.body.clone());
        for (name, value) in [
            (CONTENT_TYPE.as_str(), "application/json"),
            (USER_AGENT.as_str(), USER_AGENT_NAME),
            (signature::HEADER, &signature),
        ] {
            request = request.header(name, value);
            let sent = &mut attempt.request_headers;
            sent.insert(name.to_owned(), value.to_owned());
        }
        let response = request.send().await.map_err(|error| causes(&error))?;
        let status = response.status().as_u16();
        attempt.response_status = Some(status);
        attempt.response_body = Some(beginning(response).await);
        match status {
            200..=299 => Ok(()),
            300..=399 => Err(format!("it answered {status}, and redirects are not followed")),
            _ => Err(format!("it answered {status}")),
        }
    }
}

/// What an endpoint answers is for people who look for a fault; that it ends does not matter.
async fn beginning(mut response: Response) -> String {
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = ANSWER_BYTES - body.len();
        body.extend(chunk.into_iter().take(room));
    }
    String::from_utf8_lossy(&body).replace('\0', "") // PostgreSQL has no NUL in texts
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
