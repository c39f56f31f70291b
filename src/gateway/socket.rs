//! The pump around a session: the only file here that awaits a socket.
//!
//! One task a connection. It turns frames into inputs of the [`Session`], carries out its outputs, pings a socket that
//! has been silent, and runs one handler at a time; commands of others arrive as [`Order`]s.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout, timeout_at};

use super::access::endpoint_of;
use super::auth_guard;
use super::connections::{CloseReason, Known, Order, State};
use super::dependencies::GatewayDependencies;
use super::dispatch::{Answered, answer};
use super::recorder::Direction;
use super::refusal_events;
use super::refusals::{Incident, Seen};
use super::station_connection::StationConnection;
use super::throttle::must_arrive;
use crate::http::headers::AttachedAgain;
use crate::http::websocket::{self, Fault, Message, Receiver, Sender, Terms, close};
use crate::http::{ApiError, Code, client_address};
use crate::store::cause::{self, Cause};
use actix_web::ResponseError;
use clock::Timer;
use kernel::Protocol;
use ocpp::frame::MessageId;
use ocpp::legible::legible;
use ocpp::session::{CallFailure, Input, Output, Session, SessionOptions};
use ocpp::{CallError, ErrorCode};

/// How long a message may take to leave; a station that does not read for so long is gone.
const SEND_WITHIN: Duration = Duration::from_secs(20);
/// How long the last frame may take to leave.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// How long a handler may take before its call is answered with an error.
const ANSWER_WITHIN: Duration = Duration::from_secs(25);
/// The slowest link on which a message is waited for, in bytes a second: GPRS has more.
const SLOWEST_LINK: u64 = 500;
/// How long a station may stay silent about who it is before it is asked to boot.
const BOOT_WITHIN: Duration = Duration::from_secs(10);

/// The handshake at `/ocpp/<endpoint>`.
pub async fn connect(
    request: HttpRequest,
    gateway: web::Data<GatewayDependencies>,
) -> Result<HttpResponse, actix_web::Error> {
    let Some(endpoint) = endpoint_of(request.path()) else {
        let missing = ApiError::new(Code::NotFound, "The URL ends in no endpoint");
        return Ok(missing.error_response());
    };
    let address = client_address(&request);
    let station = match auth_guard::authenticate(&gateway, &request, (address, &endpoint)).await {
        Ok(station) => station,
        Err(refusal) => return Ok(refusal),
    };
    let (turn, throttled) = gateway.throttle.connect(station.id, Instant::now());
    if let Some(throttled) = throttled {
        let owner = (station.organization_id, station.id);
        let recorded = super::station_connection::record_throttled(&gateway, owner, throttled);
        cause::with(Cause::Station(station.id), recorded).await;
    }
    match turn {
        Ok(wait) => sleep(wait).await,
        Err(wait) => {
            let text = "The charge station connects too often";
            let error = ApiError::new(Code::TooManyRequests, text).retry_after(wait.as_secs() + 1);
            return Ok(error.error_response());
        }
    }
    let offered = offered(&request);
    let settings = &gateway.settings;
    let (pinned, silent) = (station.pinned_protocol, settings.without_header);
    let agreed = Protocol::agreed(offered.as_deref(), pinned, silent);
    let terms = Terms {
        protocol: agreed.and_then(|(_, name)| name),
        largest: settings.message_bytes,
        compresses: settings.compresses,
    };
    let (response, sender, mut receiver) = websocket::open(&request, terms)?;
    let Some((version, _)) = agreed else {
        // OCPP-J §3.1.2: complete the handshake without the header and close at once.
        let spoken = match station.pinned_protocol {
            Some(only) => only.to_string(),
            None => Protocol::BEST_FIRST.map(Protocol::subprotocol).join(", "),
        };
        actix_web::rt::spawn(async move {
            let why = format!("offer one of {spoken}");
            let closing = sender.close(close::PROTOCOL, &why);
            if matches!(timeout(SEND_WITHIN, closing).await, Ok(Ok(()))) {
                receiver.linger().await;
            }
        });
        return Ok(response);
    };
    let gateway = gateway.into_inner();
    let (cause, known) = (Cause::Station(station.id), Known::of(&station));
    let again = request.extensions().contains::<AttachedAgain>();
    let connection = StationConnection::new(station, version, (address, again));
    // A task has its largest state's size for as long as the station is connected, and a future keeps what moves through it several times.
    let receiver = Box::new(receiver);
    let opening = Box::pin(Connection::open(gateway, (connection, known), sender));
    actix_web::rt::spawn(cause::with(cause, async move { opening.await.run(receiver).await }));
    Ok(response)
}

/// The sub-protocols that a station offers, in one header or several.
fn offered(request: &HttpRequest) -> Option<String> {
    let headers = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let offers: Vec<&str> = headers.filter_map(|offer| offer.to_str().ok()).collect();
    (!offers.is_empty()).then(|| offers.join(","))
}

/// A call that is being handled.
struct Answering {
    message_id: MessageId,
    /// When it is given up.
    by: Instant,
    work: Pin<Box<dyn Future<Output = Answered>>>,
}

type Waiting = HashMap<u64, oneshot::Sender<Result<Box<RawValue>, CallFailure>>>;

struct Connection {
    gateway: Arc<GatewayDependencies>,
    connection: Arc<StationConnection>,
    generation: u64,
    orders: mpsc::Receiver<Order>,
    state: Arc<State>,
    socket: Sender,
    session: Session,
    answering: Option<Answering>,
    waiting: Waiting,
    next_correlation: u64,
    /// The session's; the socket's liveness is a matter of the machine's time.
    timer: Timer,
    /// Rings when the socket, or the call that is being handled, is to be looked at, and sometimes sooner.
    alarm: Pin<Box<Sleep>>,
    heard: Instant,
    pinged: bool,
    opened: Instant,
    asked_to_boot: bool,
}

/// The answer to the call that is being handled, if one is.
async fn answered(answering: &mut Option<Answering>) -> Answered {
    match answering {
        Some(answering) => answering.work.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Why the loop of a connection ended, and what the station is sent.
enum End {
    /// The station closed or vanished.
    Gone,
    /// We close, with this code and word.
    Close(u16, &'static str),
}

impl Connection {
    async fn open(
        gateway: Arc<GatewayDependencies>,
        (connection, known): (StationConnection, Known),
        socket: Sender,
    ) -> Box<Self> {
        let (generation, orders, state, replaced) =
            gateway.connections.enter(connection.station, connection.version, known);
        if replaced {
            let seen = Seen { address: connection.address, endpoint: None };
            let owner = (connection.organization, connection.station);
            refusal_events::note(&gateway, Incident::Replaced(owner), seen);
        }
        let connection = Arc::new(connection);
        state.seen(gateway.context.clock.now());
        connection.connected(&gateway).await;
        let session = Session::new(SessionOptions {
            version: connection.version,
            id_prefix: format!("{generation:x}-"),
            call_timeout: gateway.settings.call_timeout,
        });
        let now = Instant::now();
        Box::new(Self {
            timer: gateway.context.clock.timer(),
            alarm: Box::pin(sleep_until(now + BOOT_WITHIN)),
            asked_to_boot: connection.again,
            gateway,
            connection,
            generation,
            orders,
            state,
            socket,
            session,
            answering: None,
            waiting: HashMap::new(),
            next_correlation: 0,
            heard: now,
            pinged: false,
            opened: now,
        })
    }

    async fn run(mut self: Box<Self>, mut receiver: Box<Receiver>) {
        let end = loop {
            self.hear_bytes(&receiver);
            self.set_alarm(&receiver);
            let ended = tokio::select! {
                biased;
                (answer, effects) = answered(&mut self.answering) => {
                    let ended = self.answer(answer).await;
                    StationConnection::carry_out(&self.connection, &self.gateway, effects);
                    ended
                }
                order = self.orders.recv() => match order {
                    Some(Order::Call { call, reply }) => self.call(*call, reply).await,
                    Some(Order::Close(CloseReason::Replaced)) => Some(End::Close(close::POLICY, "replaced by a newer connection")),
                    Some(Order::Close(CloseReason::Disconnected)) => Some(End::Close(close::NORMAL, "disconnected by the operator")),
                    Some(Order::Close(CloseReason::ServerStops)) | None => Some(End::Close(close::RESTART, "the server stops")),
                },
                message = receiver.next(), if self.session.has_room() => self.receive(message).await,
                () = &mut self.alarm => self.woken(&receiver).await,
                () = self.timer.due() => {
                    self.timer.clear();
                    self.step(Input::Tick).await
                }
            };
            if let Some(end) = ended {
                break end;
            }
        };
        Box::pin(self.finish(end, receiver)).await;
    }

    /// A part of a message is a sign of life, since no pong can come before its end; and nobody is silent whom we do not hear.
    fn hear_bytes(&mut self, receiver: &Receiver) {
        let heard = match self.session.has_room() {
            true => receiver.came_at(),
            false => Instant::now(),
        };
        if heard > self.heard {
            (self.heard, self.pinged) = (heard, false);
        }
    }

    /// When a message must be whole that is on its way.
    fn must_be_whole_at(&self, receiver: &Receiver) -> Option<Instant> {
        let largest = self.gateway.settings.message_bytes;
        let longest = u64::try_from(largest).unwrap_or(u64::MAX) / SLOWEST_LINK;
        let patience = self.gateway.settings.ping_every + Duration::from_secs(longest);
        receiver.on_its_way_since().map(|since| since + patience)
    }

    /// Sets the alarm where it would ring too late, or rang.
    fn set_alarm(&mut self, receiver: &Receiver) {
        let wake = self.wake_at(receiver);
        if wake < self.alarm.deadline() || self.alarm.is_elapsed() {
            self.alarm.as_mut().reset(wake);
        }
    }

    /// When to look again whether the socket is alive and the call that is being handled is answered.
    fn wake_at(&self, receiver: &Receiver) -> Instant {
        let settings = &self.gateway.settings;
        let patience = if self.pinged { settings.ping_every + settings.pong_within } else { settings.ping_every };
        let boot = (!self.asked_to_boot && self.state.registration().is_none()).then(|| self.opened + BOOT_WITHIN);
        let slow = self.must_be_whole_at(receiver);
        let answer = self.answering.as_ref().map(|answering| answering.by);
        let first = [boot, slow, answer].into_iter().flatten().min();
        first.map_or(self.heard + patience, |at| at.min(self.heard + patience))
    }

    async fn woken(&mut self, receiver: &Receiver) -> Option<End> {
        self.hear_bytes(receiver);
        let (now, settings) = (Instant::now(), self.gateway.settings.clone());
        if self.answering.as_ref().is_some_and(|answering| now >= answering.by) {
            tracing::error!(station = %self.connection.station, "a handler took too long");
            let ended = self.answer(Err(CallError::new(ErrorCode::InternalError, "The server is overloaded"))).await;
            if ended.is_some() {
                return ended;
            }
        }
        if self.must_be_whole_at(receiver).is_some_and(|at| now >= at) {
            return Some(End::Close(close::POLICY, "the message takes too long"));
        }
        let silence = now.duration_since(self.heard);
        if self.pinged && silence >= settings.ping_every + settings.pong_within {
            tracing::info!(station = %self.connection.station, "a silent connection was given up");
            return Some(End::Close(close::POLICY, "no answer to ping"));
        }
        if !self.pinged && silence >= settings.ping_every {
            self.pinged = true;
            let sent = timeout(SEND_WITHIN, self.socket.ping()).await;
            if !matches!(sent, Ok(Ok(()))) {
                return Some(End::Gone);
            }
        }
        if !self.asked_to_boot && now >= self.opened + BOOT_WITHIN && self.state.registration().is_none() {
            self.asked_to_boot = true;
            StationConnection::ask_to_boot(&self.connection, &self.gateway);
        }
        None
    }

    async fn receive(&mut self, message: Result<Message, Fault>) -> Option<End> {
        self.heard = Instant::now();
        self.pinged = false;
        self.state.seen(self.gateway.context.clock.now());
        match message {
            Ok(Message::Text(text)) => self.hear(&text).await,
            Ok(Message::Binary(bytes)) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.hear(text).await,
                Err(_) => Some(End::Close(close::UNSUPPORTED, "OCPP-J is text")),
            },
            Ok(Message::Ping(content)) => {
                let sent = timeout(SEND_WITHIN, self.socket.pong(&content)).await;
                (!matches!(sent, Ok(Ok(())))).then_some(End::Gone)
            }
            Ok(Message::Pong(_)) => None,
            Ok(Message::Close(_)) => Some(End::Close(close::NORMAL, "")),
            Err(Fault::Ended) => Some(End::Gone),
            Err(fault) => {
                tracing::warn!(station = %self.connection.station, %fault, "a connection is closed for what it sent");
                if fault == Fault::TooLarge {
                    let most = self.gateway.settings.message_bytes;
                    let deviation = format!("sends messages of more than {most} bytes (message_bytes)");
                    self.connection.note(&self.gateway, vec![deviation]).await;
                }
                Some(End::Close(fault.close_code(), fault.close_reason()))
            }
        }
    }

    async fn hear(&mut self, said: &str) -> Option<End> {
        self.record(Direction::FromStation, said);
        let text = legible(said);
        if let Cow::Owned(_) = text {
            let deviation = "sends JSON that had to be made legible".to_owned();
            self.connection.note(&self.gateway, vec![deviation]).await;
        }
        self.step(Input::Received(&text)).await
    }

    fn record(&self, direction: Direction, text: &str) {
        let (gateway, now) = (&self.gateway, self.gateway.context.clock.now());
        gateway.recorder.record(self.connection.station, direction, text, now);
    }

    async fn call(
        &mut self,
        mut call: ocpp::session::OutgoingCall,
        reply: oneshot::Sender<Result<Box<RawValue>, CallFailure>>,
    ) -> Option<End> {
        self.next_correlation += 1;
        call.correlation = self.next_correlation;
        self.waiting.insert(call.correlation, reply);
        self.step(Input::Send(call)).await
    }

    /// Answers the call that is being handled.
    async fn answer(&mut self, answer: Result<String, CallError>) -> Option<End> {
        let message_id = self.answering.take()?.message_id;
        self.step(Input::Answer { message_id, answer }).await
    }

    async fn step(&mut self, input: Input<'_>) -> Option<End> {
        let now = self.gateway.context.clock.now();
        for output in self.session.step(input, now) {
            match output {
                Output::Transmit(text) if text.starts_with("[2,") && !self.gateway.context.db.may_command() => {
                    // Its time runs out as if the station had not answered.
                    tracing::warn!(station = %self.connection.station, "a command is not sent: the store may not be ours");
                }
                Output::Transmit(text) => {
                    self.record(Direction::ToStation, &text);
                    let sent = timeout(SEND_WITHIN, self.socket.text(&text)).await;
                    if !matches!(sent, Ok(Ok(()))) {
                        return Some(End::Gone);
                    }
                }
                Output::Dispatch(call) => self.answering = Some(self.handle(call)),
                Output::CallDone { correlation, result } => {
                    if let Some(reply) = self.waiting.remove(&correlation) {
                        let _ = reply.send(result);
                    }
                }
                Output::NextWake(at) => self.timer.set(at.since(now)),
            }
        }
        None
    }

    fn handle(&self, call: ocpp::session::IncomingCall) -> Answering {
        let (gateway, connection, state) =
            (Arc::clone(&self.gateway), Arc::clone(&self.connection), Arc::clone(&self.state));
        let now = Instant::now();
        let (verdict, throttled) = gateway.throttle.message(connection.station, must_arrive(&call.action), now);
        let (message_id, by) = (call.message_id, now + verdict.wait + ANSWER_WITHIN);
        let work = Box::pin(async move {
            // One call at a time is handled, so what comes next waits too, at last in the station.
            if !verdict.wait.is_zero() {
                sleep(verdict.wait).await;
            }
            if let Some(throttled) = throttled {
                connection.record_throttled(&gateway, throttled).await;
            }
            if verdict.refused {
                let slower = "Too many messages; nothing was done. Be quiet for a while";
                let error = CallError::new(ErrorCode::GenericError, slower);
                return (Err(error), Vec::new());
            }
            answer(&gateway, &connection, &state, &call.action, &call.payload).await
        });
        Answering { message_id, by, work }
    }

    async fn finish(mut self: Box<Self>, end: End, mut receiver: Box<Receiver>) {
        if let End::Close(code, why) = end {
            let socket = self.socket.clone();
            if matches!(timeout(CLOSE_WITHIN, socket.close(code, why)).await, Ok(Ok(()))) {
                // The socket closes with its last sender: here, once the station had the time to read why.
                actix_web::rt::spawn(async move {
                    receiver.linger().await;
                    drop(socket);
                });
            }
        }
        let now = self.gateway.context.clock.now();
        for output in self.session.step(Input::Closed, now) {
            if let Output::CallDone { correlation, result } = output
                && let Some(reply) = self.waiting.remove(&correlation)
            {
                let _ = reply.send(result);
            }
        }
        if let Some(work) = self.answering.take() {
            // What was received is recorded even when nobody is left to be answered.
            let _ = timeout_at(work.by, work.work).await;
        }
        if self.gateway.connections.leave(self.connection.station, self.generation) {
            self.connection.disconnected(&self.gateway).await;
        }
    }
}
