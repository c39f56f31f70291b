//! The connection of one station under load: a [`Station`] boots and obeys on it, a script talks in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use clock::SharedClock;

use super::script::Script;
use super::workload::Step;
use crate::client::{Endpoint, Socket, connect};
use crate::station::{Effect, Station};
use crate::statistics::Statistics;

/// How long a lost connection, or what was refused, is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long without an answer the connection is given up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// What the timer can distinguish, so that a station that is due does not spin.
const TICK: Duration = Duration::from_millis(1);
/// Room for a message.
const MESSAGE_BYTES: usize = 768;

/// What all connections count into.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Calls, their latencies, connections.
    pub(super) statistics: Statistics,
    /// Stations that are ready to be measured.
    pub(super) ready: AtomicUsize,
    /// Calls of the server that were answered.
    pub(super) obeyed: AtomicU64,
}

/// A call under way.
#[derive(Debug)]
struct Said {
    step: Step,
    /// When it was due, which is when it was sent where there is no rhythm.
    since: Instant,
}

/// A station, its script and its connection.
pub(super) struct Connection {
    pub(super) station: Station,
    pub(super) script: Script,
    pub(super) endpoint: Endpoint,
    pub(super) clock: SharedClock,
    pub(super) counted: Arc<Counted>,
    /// When all begin; nothing before.
    pub(super) begin: watch::Receiver<Option<Instant>>,
    /// Time from one message to the next; without it the next follows the answer.
    pub(super) every: Option<Duration>,
    /// The first message of a rhythm comes so much later.
    pub(super) offset: Duration,
}

/// How far a connection is, apart from what its station and its script know.
struct Progress {
    said: Option<Said>,
    is_ready: bool,
    began: bool,
    /// When the next message of a rhythm is due.
    due: Option<Instant>,
    /// Nothing is said before, because something was refused.
    held_until: Option<Instant>,
    /// When the station itself has something to do.
    station_due: Instant,
    /// Answers to the server that do not come from the station.
    replies: Vec<String>,
}

impl Connection {
    /// Comes back whenever the connection is lost; never ends.
    pub(super) async fn run(mut self) {
        let mut progress = Progress {
            said: None,
            is_ready: false,
            began: false,
            due: None,
            held_until: None,
            station_due: Instant::now(),
            replies: Vec::new(),
        };
        loop {
            let asked_at = Instant::now();
            match connect(&self.endpoint).await {
                Ok(socket) => {
                    self.counted.statistics.connected(asked_at.elapsed());
                    self.live(&mut progress, socket).await;
                    self.station.disconnected(self.clock.now());
                    self.counted.statistics.disconnected();
                    if let Some(said) = progress.said.take() {
                        self.counted.statistics.called(said.step.name(), said.since.elapsed(), false);
                    }
                }
                Err(why) => self.counted.statistics.connect_failed(why),
            }
            sleep(PAUSE).await;
        }
    }

    /// Until the connection is lost.
    async fn live(&mut self, progress: &mut Progress, mut socket: Socket) {
        self.station.connected(self.clock.now());
        progress.station_due = Instant::now();
        let mut timer = std::pin::pin!(sleep(TICK));
        loop {
            let now = Instant::now();
            if progress.said.is_none() && now >= progress.station_due {
                self.station.tick(self.clock.now());
                self.look_at_station(progress);
            }
            let mut texts = std::mem::take(&mut progress.replies);
            for effect in self.station.take_effects() {
                match effect {
                    Effect::Send(text) => texts.push(text),
                    Effect::Obeyed { action, .. } => self.obeyed(action),
                    Effect::Disconnect => return,
                    Effect::Called { .. } => {}
                }
            }
            texts.extend(self.speak(progress, now));
            for text in texts {
                if socket.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
            let wanted = self.next_due(progress, now);
            // Far ahead while an answer is awaited: moving the timer for each message costs more than to look too early.
            if timer.is_elapsed() || wanted < timer.deadline() {
                timer.as_mut().reset(wanted);
            }
            tokio::select! {
                biased;
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.receive(progress, &text),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
                _ = self.begin.changed(), if !progress.began => {
                    if let Some(start) = *self.begin.borrow() {
                        progress.began = true;
                        progress.due = self.every.map(|_| start + self.offset);
                    }
                }
                () = timer.as_mut() => {
                    if progress.said.as_ref().is_some_and(|said| said.since.elapsed() > ANSWER_TIMEOUT) {
                        return;
                    }
                }
            }
        }
    }

    /// What the script says now, if it may.
    fn speak(&mut self, progress: &mut Progress, now: Instant) -> Option<String> {
        let is_held = progress.held_until.is_some_and(|until| now < until);
        if progress.said.is_some() || is_held || !self.station.is_quiet() {
            return None;
        }
        let mut since = now;
        if self.script.is_prepared() {
            if !progress.is_ready {
                progress.is_ready = true;
                self.counted.ready.fetch_add(1, Ordering::Relaxed);
            }
            if !progress.began {
                return None;
            }
            if let Some(every) = self.every {
                let due = progress.due.filter(|due| *due <= now)?;
                progress.due = Some(due + every);
                since = due;
            }
        }
        let mut text = String::with_capacity(MESSAGE_BYTES);
        let step = self.script.say(&mut text, self.clock.now())?;
        progress.said = Some(Said { step, since });
        Some(text)
    }

    /// When there is something to do though nothing is heard.
    fn next_due(&self, progress: &Progress, now: Instant) -> Instant {
        if progress.said.is_some() {
            return now + ANSWER_TIMEOUT;
        }
        let station = progress.station_due.max(now + TICK);
        if !self.station.is_quiet() {
            return station;
        }
        let due = progress.due.filter(|_| progress.began && self.script.is_prepared());
        let own = due.max(progress.held_until.filter(|until| *until > now));
        own.map_or(station, |own| own.min(station))
    }

    fn receive(&mut self, progress: &mut Progress, frame: &str) {
        if let Some(said) = &progress.said
            && let Some(fine) = self.script.hear(said.step, frame)
        {
            self.counted.statistics.called(said.step.name(), said.since.elapsed(), fine);
            progress.held_until = (!fine).then(|| Instant::now() + PAUSE);
            progress.said = None;
        } else if let Some(reply) = accepted_profile(frame) {
            progress.replies.push(reply);
            self.obeyed("SetChargingProfile".to_owned());
        } else {
            self.station.receive(frame, self.clock.now());
            self.look_at_station(progress);
        }
    }

    fn look_at_station(&self, progress: &mut Progress) {
        progress.station_due = Instant::now() + self.station.next_wake().since(self.clock.now());
    }

    fn obeyed(&self, action: String) {
        self.counted.obeyed.fetch_add(1, Ordering::Relaxed);
        self.counted.statistics.obeyed(action);
    }
}

/// The answer to a limit of a transaction: the station itself knows none of the script's, and would refuse it.
pub(super) fn accepted_profile(frame: &str) -> Option<String> {
    let (id, rest) = frame.strip_prefix("[2,\"")?.split_once('"')?;
    let is_limit = rest.starts_with(",\"SetChargingProfile\",") && rest.contains("\"TxProfile\"");
    is_limit.then(|| format!("[3,\"{id}\",{{\"status\":\"Accepted\"}}]"))
}
