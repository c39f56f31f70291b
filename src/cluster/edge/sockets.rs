//! Sockets of stations, and of clients that stream events, between who opened them and the leader.
//!
//! A station does not notice that its leader changes: its socket is attached to the next one, which is sent again what nobody answered.
//! What the old leader stored and did not answer is so reported twice, which every report of OCPP survives. A client of `realtime` is
//! closed instead, and resumes by its cursor.

use std::pin::Pin;
use std::time::Duration;

use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::Message as Sent;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;

use super::calls::Calls;
use super::dial::{Dial, Dialled, Upstream};
use super::{BACK_AFTER, Edge, LEADER_WITHIN, drain, followed, leaderless, noticed, wait_for_leader};
use crate::cluster::membership::{Facts, Leader};
use crate::http::websocket::{self, Fault, Message, Receiver, Sender, Terms, close};
use crate::http::{ApiError, ApiResult, Code};
use clock::chance;

/// How long a message may take to leave.
const SEND_WITHIN: Duration = Duration::from_secs(20);
/// How long the last frame may take to leave.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// How long a station is kept without a leader.
const KEPT_FOR: Duration = Duration::from_secs(300);
/// Where stations connect.
const STATIONS: &str = "/ocpp/";

/// Opens a socket: to the leader first, whose answer the client gets.
pub(super) async fn open(edge: &web::Data<Edge>, request: &HttpRequest) -> ApiResult<HttpResponse> {
    let later =
        |sentence| Err(ApiError::new(Code::Busy, sentence).retry_after(BACK_AFTER + u64::from(chance_up_to(10))));
    if edge.is_draining() {
        return later("This node stops; connect to another one");
    }
    if edge.handshakes.check().is_err() {
        return later("Too many connect at once");
    }
    let dial = Dial::of(edge, request);
    let (upstream, leader, protocol) = match first(edge, &dial).await? {
        (Dialled::Open(upstream, protocol), leader) => (Some(upstream), leader, protocol),
        (Dialled::NoProtocol, leader) => (None, leader, None),
        (Dialled::Refused(refused), _) => return Ok(refused.into_response()),
        (Dialled::Unreachable(_), _) => return Err(leaderless()),
    };
    let terms = Terms {
        protocol: protocol.as_deref(),
        largest: edge.settings.message_bytes,
        compresses: edge.settings.compresses,
    };
    let (response, client, receiver) = websocket::open(request, terms)
        .map_err(|error| ApiError::new(Code::BadRequest, format!("The handshake is none of WebSocket: {error}")))?;
    let now = Instant::now();
    let relay = Relay {
        edge: edge.clone(),
        dial,
        client,
        is_station: request.path().starts_with(STATIONS),
        theirs: Calls::default(),
        ours: Calls::default(),
        is_attached_again: false,
        heard: now,
        pinged: false,
        counted: Counted::new(edge),
    };
    actix_web::rt::spawn(Box::new(relay).run(receiver, upstream, leader));
    Ok(response)
}

fn chance_up_to(most: u8) -> u8 {
    let [byte] = chance::bytes::<1>();
    byte % most
}

/// What the leader makes of the handshake; where it is lost meanwhile, the next one.
async fn first(edge: &Edge, dial: &Dial) -> ApiResult<(Dialled, Leader)> {
    let (until, mut seen) = (Instant::now() + LEADER_WITHIN, edge.seen.clone());
    while Instant::now() < until {
        let leader = edge.leader();
        if let Some(leader) = &leader {
            match dial.to(leader, false).await {
                Dialled::Unreachable(why) => tracing::debug!(why, leader = leader.node, "a leader was not reached"),
                dialled => return Ok((dialled, leader.clone())),
            }
        }
        wait_for_leader(&mut seen, leader.as_ref()).await;
    }
    Err(leaderless())
}

/// Counts a socket as long as it is open.
struct Counted(std::sync::Arc<Facts>);

impl Counted {
    fn new(edge: &Edge) -> Self {
        let counted = Self(std::sync::Arc::clone(&edge.facts));
        counted.add(1);
        counted
    }

    fn add(&self, more: i32) {
        let open = self.0.sockets.fetch_add(more, std::sync::atomic::Ordering::Relaxed) + more;
        metrics::gauge!("evenwatt_cluster_sockets").set(f64::from(open));
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.add(-1);
    }
}

struct Relay {
    edge: web::Data<Edge>,
    dial: Dial,
    client: Sender,
    is_station: bool,
    /// What the client asked and was not answered, and what it was asked and did not answer.
    theirs: Calls,
    ours: Calls,
    is_attached_again: bool,
    heard: Instant,
    pinged: bool,
    counted: Counted,
}

/// Waits until the socket is to be closed, because its node stops.
type Turn = Pin<Box<dyn Future<Output = ()>>>;

/// Why a socket is not attached any more.
enum End {
    /// The leader was lost, or is none any more.
    Detached,
    /// The client went, or is to go with this code.
    Gone,
    Close(u16, String),
}

impl Relay {
    async fn run(mut self: Box<Self>, mut receiver: Receiver, first: Option<Box<Upstream>>, mut leader: Leader) {
        let mut upstream = match first {
            Some(upstream) => upstream,
            None => return self.close(close::PROTOCOL, "no sub-protocol that is spoken here", receiver).await,
        };
        let drain = self.edge.drain.clone();
        let mut turn: Turn = Box::pin(async move { drain.turn().await });
        let end = loop {
            match self.attached((&mut receiver, &mut turn), &mut upstream, &leader).await {
                End::Detached if self.is_station => {}
                End::Detached => break End::Close(close::RESTART, "the leading node changed".to_owned()),
                end => break end,
            }
            drop(upstream);
            let again = tokio::select! {
                again = self.attach_again(&mut receiver, &leader) => again,
                () = &mut turn => break End::Close(close::RESTART, "this node stops".to_owned()),
            };
            match again {
                Ok((next, to)) => (upstream, leader) = (next, to),
                Err(end) => break end,
            }
        };
        match end {
            End::Close(code, why) => self.close(code, &why, receiver).await,
            End::Gone | End::Detached => {}
        }
    }

    /// Passes on in both directions.
    async fn attached(
        &mut self,
        (receiver, turn): (&mut Receiver, &mut Turn),
        upstream: &mut Upstream,
        leader: &Leader,
    ) -> End {
        let mut over = Box::pin(followed(self.edge.seen.clone(), leader.term));
        let mut leaves_by = None;
        loop {
            if leaves_by.is_some_and(|by| (self.theirs.is_empty() && self.ours.is_empty()) || Instant::now() >= by) {
                return End::Close(close::RESTART, "this node stops".to_owned());
            }
            let alarm = self.alarm();
            let end = tokio::select! {
                biased;
                () = &mut over => Some(End::Detached),
                said = upstream.next() => match said {
                    Some(Ok(Sent::Text(text))) => self.pass_to_client(text.as_str()).await,
                    Some(Ok(Sent::Close(frame))) => Some(closed_by_leader(frame)),
                    Some(Ok(_)) => None,
                    Some(Err(_)) | None => Some(End::Detached),
                },
                message = receiver.next() => self.pass_to_leader(message, upstream).await,
                () = &mut *turn, if leaves_by.is_none() => {
                    leaves_by = Some(Instant::now() + drain::PATIENCE);
                    None
                }
                () = sleep_until(leaves_by.map_or(alarm, |by| by.min(alarm))) => self.look_for_life().await,
            };
            if let Some(end) = end {
                if matches!(end, End::Detached) && leaves_by.is_some() {
                    return End::Close(close::RESTART, "this node stops".to_owned());
                }
                if !matches!(end, End::Detached) {
                    let _ = timeout(CLOSE_WITHIN, upstream.close(None)).await;
                }
                return end;
            }
        }
    }

    async fn pass_to_client(&mut self, text: &str) -> Option<End> {
        if self.is_station {
            self.theirs.heard(text);
            self.ours.said(text);
        }
        let sent = timeout(SEND_WITHIN, self.client.text(text)).await;
        (!matches!(sent, Ok(Ok(())))).then_some(End::Gone)
    }

    async fn pass_to_leader(&mut self, message: Result<Message, Fault>, upstream: &mut Upstream) -> Option<End> {
        let sent = match self.take_in(message).await {
            Ok(Some(sent)) => sent,
            Ok(None) => return None,
            Err(end) => return Some(end),
        };
        let passed = timeout(SEND_WITHIN, upstream.send(sent)).await;
        (!matches!(passed, Ok(Ok(())))).then_some(End::Detached)
    }

    /// What of a client's message is passed on.
    async fn take_in(&mut self, message: Result<Message, Fault>) -> Result<Option<Sent>, End> {
        (self.heard, self.pinged) = (Instant::now(), false);
        match message {
            Ok(Message::Text(text)) => {
                if self.is_station {
                    self.theirs.said(&text);
                    if !self.ours.heard(&text) && self.is_attached_again {
                        return Ok(None); // the leader before asked it
                    }
                }
                Ok(Some(Sent::text(text)))
            }
            Ok(Message::Binary(bytes)) => Ok(Some(Sent::binary(bytes))),
            Ok(Message::Ping(content)) => {
                let sent = timeout(SEND_WITHIN, self.client.pong(&content)).await;
                match sent {
                    Ok(Ok(())) => Ok(Some(Sent::Ping(content.into()))), // the leader hears that it lives
                    _ => Err(End::Gone),
                }
            }
            Ok(Message::Pong(_)) => Ok(None),
            Ok(Message::Close(_)) => Err(End::Close(close::NORMAL, String::new())),
            Err(Fault::Ended) => Err(End::Gone),
            Err(fault) => Err(End::Close(fault.close_code(), fault.close_reason().to_owned())),
        }
    }

    /// Attaches the socket to the leader that follows; meanwhile what the station says is kept, as far as there is room.
    async fn attach_again(&mut self, receiver: &mut Receiver, lost: &Leader) -> Result<(Box<Upstream>, Leader), End> {
        let (until, mut seen) = (Instant::now() + KEPT_FOR, self.edge.seen.clone());
        let mut pause = Duration::from_millis(u64::from(chance_up_to(200)));
        while Instant::now() < until {
            self.wait(receiver, &mut seen, lost, pause).await?;
            pause = Duration::from_millis(500 + u64::from(chance_up_to(250)) * 2);
            let Some(leader) = self.edge.leader() else { continue };
            match self.dial.to(&leader, true).await {
                Dialled::Open(mut upstream, _) => {
                    if self.say_again(&mut upstream).await {
                        metrics::counter!("evenwatt_cluster_attached_again_total").increment(1);
                        return Ok((upstream, leader));
                    }
                }
                Dialled::Refused(refused) if refused.status.is_client_error() && refused.status.as_u16() != 429 => {
                    return Err(End::Close(close::POLICY, "not admitted any more".to_owned()));
                }
                Dialled::NoProtocol => return Err(End::Close(close::PROTOCOL, "no sub-protocol any more".to_owned())),
                Dialled::Refused(_) | Dialled::Unreachable(_) => {}
            }
        }
        Err(End::Close(close::AGAIN, "no node leads".to_owned()))
    }

    /// Waits a while, or less long where somebody leads who did not before.
    async fn wait(
        &mut self,
        receiver: &mut Receiver,
        seen: &mut tokio::sync::watch::Receiver<super::Seen>,
        lost: &Leader,
        pause: Duration,
    ) -> Result<(), End> {
        let over = sleep(pause);
        let mut over = std::pin::pin!(over);
        loop {
            let is_new = |seen: &super::Seen| seen.leader.as_ref().is_some_and(|leader| leader.term > lost.term);
            let waits = !is_new(&seen.borrow());
            let alarm = self.alarm();
            tokio::select! {
                biased;
                () = &mut over => return Ok(()),
                () = noticed(seen, is_new), if waits => {
                    // Not all at once.
                    sleep(Duration::from_millis(u64::from(chance_up_to(250)) * 2)).await;
                    return Ok(());
                }
                // Where there is room for it: then its calls wait here, and what it answers is asked by nobody any more.
                message = receiver.next(), if self.theirs.has_room() => {
                    self.take_in(message).await?;
                }
                () = sleep_until(alarm) => {
                    if let Some(end) = self.look_for_life().await {
                        return Err(end);
                    }
                }
            }
        }
    }

    /// Says to a new leader what nobody answered. What it was asked by the old one, nobody waits for any more.
    async fn say_again(&mut self, upstream: &mut Upstream) -> bool {
        (self.ours, self.is_attached_again) = (Calls::default(), true);
        let calls: Vec<String> = self.theirs.waiting().map(str::to_owned).collect();
        for call in calls {
            if !matches!(timeout(SEND_WITHIN, upstream.send(Sent::text(call))).await, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }

    /// When to look whether the client lives.
    fn alarm(&self) -> Instant {
        let settings = &self.edge.settings;
        self.heard + settings.ping_every + if self.pinged { settings.pong_within } else { Duration::ZERO }
    }

    async fn look_for_life(&mut self) -> Option<End> {
        if Instant::now() < self.alarm() {
            return None;
        }
        if self.pinged {
            return Some(End::Close(close::POLICY, "no answer to ping".to_owned()));
        }
        self.pinged = true;
        let sent = timeout(SEND_WITHIN, self.client.ping()).await;
        (!matches!(sent, Ok(Ok(())))).then_some(End::Gone)
    }

    async fn close(self: Box<Self>, code: u16, why: &str, mut receiver: Receiver) {
        let Self { client, counted, .. } = *self;
        if matches!(timeout(CLOSE_WITHIN, client.close(code, why)).await, Ok(Ok(()))) {
            receiver.linger().await;
        }
        drop((client, counted));
    }
}

/// A leader that stops closes its sockets; whoever follows takes them over.
fn closed_by_leader(frame: Option<CloseFrame>) -> End {
    match frame {
        Some(frame) => match u16::from(frame.code) {
            close::AWAY | close::RESTART => End::Detached,
            // It means the way from here, which was silent; whether the station is, is found out here.
            close::POLICY if frame.reason.as_str() == "no answer to ping" => End::Detached,
            code => End::Close(code, frame.reason.as_str().to_owned()),
        },
        None => End::Close(close::NORMAL, String::new()),
    }
}
