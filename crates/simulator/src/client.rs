//! The socket of one station: connects, pumps, comes back with more and more patience when it cannot.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use std::sync::Arc;

use clock::{SharedClock, chance};
use kernel::Protocol;
use ocpp::v16::common::IdTag;

use super::car::Car;
use super::driver::Driver;
use super::station::{Effect, Station, StationView};
use super::statistics::Statistics;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// The first wait before another attempt.
const FIRST_PATIENCE: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes a socket reads at once; messages of OCPP are small and stations many.
const READ_BUFFER: usize = 4_096;
/// Wishes that may wait.
const MOST_WISHES: usize = 16;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Where a station connects to, and how it proves who it is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The whole address, `ws://host:port/ocpp/<endpoint>`.
    pub url: String,
    /// The password of HTTP Basic; the user is the last part of the address.
    pub password: Option<String>,
    /// What is spoken there.
    pub version: Protocol,
}

/// What somebody at the station does.
#[derive(Debug, Clone)]
pub enum Wish {
    /// Plugs a car in and shows a card.
    PlugIn(u32, Car, IdTag),
    /// Takes a car away.
    Unplug(u32),
    /// Switches the station off.
    SwitchOff,
}

/// A running station, seen from outside.
#[derive(Debug, Clone)]
pub struct Handle {
    wishes: mpsc::Sender<Wish>,
    view: watch::Receiver<StationView>,
}

impl Handle {
    /// Does something at the station; `false` when it is switched off.
    pub async fn wish(&self, wish: Wish) -> bool {
        self.wishes.send(wish).await.is_ok()
    }

    /// What can be seen of it now.
    pub fn view(&self) -> StationView {
        self.view.borrow().clone()
    }

    /// Waits until what can be seen satisfies a test; `false` when the station was switched off before.
    pub async fn until(&self, test: impl FnMut(&StationView) -> bool) -> bool {
        self.view.clone().wait_for(test).await.is_ok()
    }
}

/// Why a connection is over.
enum End {
    SwitchedOff,
    Lost,
}

/// A station and everything that drives it.
pub struct Client {
    station: Station,
    driver: Option<Driver>,
    endpoint: Endpoint,
    clock: SharedClock,
    statistics: Arc<Statistics>,
    wishes: mpsc::Receiver<Wish>,
    view: watch::Sender<StationView>,
}

impl Client {
    /// A station that is not connected yet, and its handle; [`run`](Self::run) brings it to life.
    pub fn new(
        station: Station,
        driver: Option<Driver>,
        endpoint: Endpoint,
        clock: SharedClock,
        statistics: Arc<Statistics>,
    ) -> (Self, Handle) {
        let (sender, wishes) = mpsc::channel(MOST_WISHES);
        let (view, seen) = watch::channel(station.view());
        let client = Self { station, driver, endpoint, clock, statistics, wishes, view };
        let handle = Handle { wishes: sender, view: seen };
        (client, handle)
    }

    /// Works until it is switched off or its last handle is gone.
    pub async fn run(mut self) {
        let mut patience = FIRST_PATIENCE;
        loop {
            let asked_at = self.clock.now();
            match connect(&self.endpoint).await {
                Ok(mut socket) => {
                    patience = FIRST_PATIENCE;
                    self.statistics.connected(self.clock.now().since(asked_at));
                    self.station.connected(self.clock.now());
                    let end = self.pump(&mut socket).await;
                    self.station.disconnected(self.clock.now());
                    self.statistics.disconnected();
                    if matches!(end, End::SwitchedOff) {
                        // The server notices a dropped connection, too.
                        drop(timeout(Duration::from_secs(1), socket.close(None)).await);
                        return;
                    }
                }
                Err(why) => {
                    self.statistics.connect_failed(why);
                    patience = (patience * 2).min(LONGEST_PATIENCE);
                }
            }
            if matches!(self.pause(patience).await, End::SwitchedOff) {
                return;
            }
        }
    }

    /// Lets the station live on its socket until that ends.
    async fn pump(&mut self, socket: &mut Socket) -> End {
        loop {
            // Seen before said: a limit shows no later than the server can know of it.
            self.show();
            for effect in self.station.take_effects() {
                match effect {
                    Effect::Send(text) => {
                        if socket.feed(Message::text(text)).await.is_err() {
                            return End::Lost;
                        }
                    }
                    Effect::Disconnect => {
                        drop(timeout(Duration::from_secs(1), socket.close(None)).await);
                        return End::Lost;
                    }
                    other => self.count(other),
                }
            }
            if socket.flush().await.is_err() {
                return End::Lost;
            }
            let wake = self.until_wake();
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.station.receive(&text, self.clock.now()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Lost,
                    Some(Ok(_)) => {}
                },
                wish = self.wishes.recv() => if !self.grant(wish) {
                    return End::SwitchedOff;
                },
                () = sleep(wake) => self.work(),
            }
        }
    }

    /// Waits before the next attempt; cars charge on, and come and go.
    async fn pause(&mut self, patience: Duration) -> End {
        let spread = chance::factor(0.5..1.0);
        let mut left = std::pin::pin!(sleep(patience.mul_f64(spread)));
        loop {
            for effect in self.station.take_effects() {
                self.count(effect);
            }
            self.show();
            let wake = self.until_wake();
            tokio::select! {
                () = &mut left => return End::Lost,
                wish = self.wishes.recv() => if !self.grant(wish) {
                    return End::SwitchedOff;
                },
                () = sleep(wake) => self.work(),
            }
        }
    }

    fn until_wake(&self) -> Duration {
        let driver = self.driver.as_ref().and_then(Driver::next_at);
        let due = self.station.next_wake();
        let due = driver.map_or(due, |at| at.min(due));
        // A millisecond is what the timer can distinguish, and keeps a due instant from spinning.
        due.since(self.clock.now()).max(Duration::from_millis(1))
    }

    fn work(&mut self) {
        let now = self.clock.now();
        if let Some(driver) = &mut self.driver {
            driver.act(&mut self.station, now);
        }
        self.station.tick(now);
    }

    /// `false` when the station is to be switched off.
    fn grant(&mut self, wish: Option<Wish>) -> bool {
        let now = self.clock.now();
        match wish {
            Some(Wish::PlugIn(connector, car, id_tag)) => {
                self.station.plug_in(connector, car, id_tag, now);
            }
            Some(Wish::Unplug(connector)) => self.station.unplug(connector, now),
            Some(Wish::SwitchOff) | None => return false,
        }
        true
    }

    fn count(&self, effect: Effect) {
        match effect {
            Effect::Called { action, took, fine } => self.statistics.called(action, took, fine),
            Effect::Obeyed { action, .. } => self.statistics.obeyed(action),
            // Without a socket there is nothing to send or to close.
            Effect::Send(_) | Effect::Disconnect => {}
        }
    }

    fn show(&self) {
        let view = self.station.view();
        self.view.send_if_modified(|shown| {
            let changed = *shown != view;
            *shown = view;
            changed
        });
    }
}

/// Opens a socket with the sub-protocol of the version.
pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Socket, String> {
    let url = endpoint.url.as_str();
    let mut request = url.into_client_request().map_err(|error| format!("{url}: {error}"))?;
    let protocol = HeaderValue::from_static(endpoint.version.subprotocol());
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    if let Some(password) = &endpoint.password {
        let user = url.rsplit('/').next().unwrap_or_default();
        let token = BASE64.encode(format!("{user}:{password}"));
        let value =
            HeaderValue::try_from(format!("Basic {token}")).map_err(|error| format!("the password: {error}"))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let settings = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
    let attempt = connect_async_with_config(request, Some(settings), true);
    match timeout(HANDSHAKE_TIMEOUT, attempt).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(format!("{url}: {error}")),
        Err(_) => Err(format!("{url}: no handshake in {HANDSHAKE_TIMEOUT:?}")),
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
