//! The edge of a node: where stations and clients connect, whoever leads.
//!
//! Requests go on to the leader and wait for it where there is none ([`requests`]). Sockets of stations stay open while the leader
//! changes: they are attached to the next one, and what was not answered is said again ([`sockets`]).

mod calls;
mod dial;
mod drain;
mod requests;
mod sockets;

use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::json;
use tokio::sync::watch;

use super::membership::{Facts, Leader, Seen};
use super::passed_on::{AGAIN, CERTIFICATE, NODE, Secret};
use crate::http::headers::{OverTls, ShownCertificate};
use crate::http::{ApiError, Code, client_address, was_encrypted};
use drain::Drain;

/// How long a request waits for a leader.
const LEADER_WITHIN: Duration = Duration::from_secs(15);
/// How long to wait before the leader is tried again that was not reached.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// After so long without an answer of its machine, a connection to a leader is lost.
const UNANSWERED: Duration = Duration::from_secs(10);
/// Seconds after which a client that was sent away may come back.
const BACK_AFTER: u64 = 5;

/// How the edge treats sockets; documented in `default.toml`.
#[derive(Debug, Clone, Copy)]
pub struct EdgeSettings {
    /// Bytes of the largest request body.
    pub body_bytes: usize,
    /// Bytes of the largest message of a socket.
    pub message_bytes: usize,
    /// Whether messages are compressed for stations that offer it.
    pub compresses: bool,
    /// How often a silent socket is pinged.
    pub ping_every: Duration,
    /// How long it may stay silent after a ping.
    pub pong_within: Duration,
    /// Handshakes a second that are let through to the leader.
    pub handshakes_per_second: NonZeroU32,
}

/// What the requests of a node's edge share.
#[derive(Clone)]
pub struct Edge {
    name: Arc<str>,
    secret: Secret,
    seen: watch::Receiver<Seen>,
    facts: Arc<Facts>,
    client: reqwest::Client,
    settings: EdgeSettings,
    handshakes: Arc<DefaultDirectRateLimiter>,
    installation: Arc<OnceLock<String>>,
    drain: Drain,
}

impl Edge {
    /// The edge of the node with this name, which sees this of the cluster.
    pub fn new(
        name: &str,
        secret: Secret,
        (seen, facts): (watch::Receiver<Seen>, Arc<Facts>),
        settings: EdgeSettings,
    ) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .pool_idle_timeout(Duration::from_secs(4)) // sooner than the other side ends an idle connection
            .tcp_keepalive(UNANSWERED / 2)
            .tcp_user_timeout(UNANSWERED)
            .build()?;
        let quota = Quota::per_second(settings.handshakes_per_second);
        Ok(Self {
            name: name.into(),
            secret,
            seen,
            facts,
            client,
            settings,
            handshakes: Arc::new(RateLimiter::direct(quota)),
            installation: Arc::default(),
            drain: Drain::default(),
        })
    }

    /// Who leads, as far as this node knows.
    fn leader(&self) -> Option<Leader> {
        self.seen.borrow().leader.clone()
    }

    /// Takes no new stations, and gives those that are here to other nodes, until all are gone.
    pub async fn drain(&self) {
        self.facts.draining.store(true, Ordering::Relaxed);
        self.drain.run(|| u32::try_from(self.facts.sockets.load(Ordering::Relaxed)).unwrap_or(0)).await;
    }

    /// How the installation is known from outside, as this leader says.
    async fn installation_of(&self, leader: &Leader) -> Option<String> {
        let ask = self.client.get(format!("{}/healthz", leader.address)).header(NODE.as_str(), self.secret.text());
        let said: serde_json::Value = ask.timeout(Duration::from_secs(1)).send().await.ok()?.json().await.ok()?;
        said.get("installation")?.as_str().map(str::to_owned)
    }

    fn is_draining(&self) -> bool {
        self.facts.draining.load(Ordering::Relaxed)
    }
}

/// Adds what an edge answers itself, and the rest, which it passes on.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .default_service(web::to(pass_on));
}

async fn pass_on(request: HttpRequest, payload: web::Payload, edge: web::Data<Edge>) -> HttpResponse {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    let passed = match upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        true => sockets::open(&edge, &request).await,
        false => requests::pass_on(&edge, &request, payload).await,
    };
    passed.unwrap_or_else(|error| error.error_response())
}

/// That this node lives, and of which installation it is, as far as a leader once said so.
async fn healthz(edge: web::Data<Edge>) -> HttpResponse {
    if edge.installation.get().is_none()
        && let Some(leader) = edge.leader()
        && let Some(known) = edge.installation_of(&leader).await
    {
        let _ = edge.installation.set(known);
    }
    HttpResponse::Ok().json(json!({"ok": true, "installation": edge.installation.get()}))
}

/// Whether this node can be given requests: the leader answers, and it does not stop.
async fn readyz(edge: web::Data<Edge>) -> HttpResponse {
    let leader = edge.leader();
    let why_not = match (&leader, edge.is_draining()) {
        (_, true) => Some("draining"),
        (None, false) => Some("no leader"),
        (Some(leader), false) => {
            let ask = edge.client.get(format!("{}/readyz", leader.address)).header(NODE.as_str(), edge.secret.text());
            match ask.timeout(Duration::from_secs(3)).send().await {
                Ok(answer) if answer.status().is_success() => None,
                Ok(_) => Some("the leader is not ready"),
                Err(_) => Some("the leader does not answer"),
            }
        }
    };
    let leader = leader.map(|leader| leader.node);
    let body =
        json!({"ok": why_not.is_none(), "node": &*edge.name, "leader": leader, "store": why_not.unwrap_or("ready")});
    match why_not {
        None => HttpResponse::Ok().json(body),
        Some(_) => HttpResponse::ServiceUnavailable().json(body),
    }
}

/// Headers that concern one connection (RFC 9110 §7.6.1), that only an edge may write, or that the next hop makes itself.
fn stays_here(name: &HeaderName) -> bool {
    const STAY: [&str; 16] = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "expect",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-accept",
    ];
    STAY.contains(&name.as_str()) || [NODE, CERTIFICATE, AGAIN].contains(name)
}

/// A header as both sides write it.
type Line = (String, Vec<u8>);

/// Lines that a client wrote, as far as they are passed on.
fn of_client(headers: &HeaderMap) -> Vec<Line> {
    let named = |header: &HeaderName| header.as_str().to_owned();
    let dropped: Vec<String> = headers
        .get_all(header::CONNECTION)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    headers
        .iter()
        .filter(|(name, _)| !stays_here(name) && !dropped.iter().any(|dropped| dropped == name.as_str()))
        .map(|(name, value)| (named(name), value.as_bytes().to_vec()))
        .collect()
}

/// All lines with which a request is passed on: those of its client, who that is, and that this is a node.
fn lines(edge: &Edge, request: &HttpRequest) -> Vec<Line> {
    let mut lines = of_client(request.headers());
    let over_tls = request.conn_data::<OverTls>().is_some() || was_encrypted(request);
    let scheme = if over_tls { "https" } else { "http" };
    if !request.headers().contains_key(header::HOST) {
        let host = request.uri().authority().map_or("", |authority| authority.as_str()); // HTTP/2 has it in the request line
        lines.push((header::HOST.to_string(), host.as_bytes().to_vec()));
    }
    lines.push((NODE.to_string(), edge.secret.text().as_bytes().to_vec()));
    lines.push(("x-forwarded-for".to_owned(), client_address(request).to_string().into_bytes()));
    lines.push(("x-forwarded-proto".to_owned(), scheme.as_bytes().to_vec()));
    if let Some(ShownCertificate(der)) = request.conn_data::<ShownCertificate>() {
        lines.push((CERTIFICATE.to_string(), STANDARD.encode(der).into_bytes()));
    }
    lines
}

/// That nobody leads.
fn leaderless() -> ApiError {
    ApiError::new(Code::Busy, "No node of the cluster leads at this moment").retry_after(BACK_AFTER)
}

/// Waits until another node leads than the leader of this term.
async fn followed(mut seen: watch::Receiver<Seen>, term: i64) {
    noticed(&mut seen, |seen| seen.leader.as_ref().is_some_and(|leader| leader.term > term)).await;
}

/// Waits until this is seen. What a channel hands out is held by nobody who waits: who writes there would wait, too.
async fn noticed(seen: &mut watch::Receiver<Seen>, wanted: impl FnMut(&Seen) -> bool) {
    if seen.wait_for(wanted).await.map(drop).is_err() {
        std::future::pending::<()>().await; // this node stops
    }
}

/// Waits for another leader than this, or a moment: then this one is tried again.
async fn wait_for_leader(seen: &mut watch::Receiver<Seen>, tried: Option<&Leader>) {
    let other = noticed(seen, |seen| seen.leader.is_some() && seen.leader.as_ref() != tried);
    let _ = tokio::time::timeout(AGAIN_AFTER, other).await;
}
