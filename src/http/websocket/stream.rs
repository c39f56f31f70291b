//! A socket's two directions, for who accepted its handshake.

use std::time::Duration;

use actix_web::web::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::decoder::{Decoder, Message};
use super::encoder::Encoder;
use super::fault::Fault;
use super::upgrade::Incoming;

/// How long a client that we closed may go on sending, so that it reads why before the connection breaks.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes that it may send meanwhile.
const LINGER_BYTES: usize = 4 * 1_024 * 1_024;

/// The socket is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the socket is closed")]
pub struct Closed;

/// Sends; waits while the client does not read.
#[derive(Debug, Clone)]
pub struct Sender {
    frames: mpsc::Sender<Bytes>,
    encoder: Encoder,
}

impl Sender {
    pub(super) const fn new(frames: mpsc::Sender<Bytes>, encoder: Encoder) -> Self {
        Self { frames, encoder }
    }

    /// Sends a text.
    pub async fn text(&self, text: &str) -> Result<(), Closed> {
        self.frame(self.encoder.text(text)).await
    }

    /// Sends a ping.
    pub async fn ping(&self) -> Result<(), Closed> {
        self.frame(self.encoder.ping(b"")).await
    }

    /// Answers a ping.
    pub async fn pong(&self, content: &[u8]) -> Result<(), Closed> {
        self.frame(self.encoder.pong(content)).await
    }

    /// Says why nothing more will be sent. The socket closes when every sender is dropped.
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), Closed> {
        self.frame(self.encoder.close(code, reason)).await
    }

    async fn frame(&self, frame: Bytes) -> Result<(), Closed> {
        self.frames.send(frame).await.map_err(|_| Closed)
    }
}

/// Receives.
pub struct Receiver {
    source: Source,
    decoder: Decoder,
    gone: oneshot::Receiver<()>,
    ended: bool,
    came_at: Instant,
    whole_at: Instant,
}

/// Where bytes come from.
enum Source {
    /// The answer to the handshake is being sent.
    Awaited(oneshot::Receiver<Incoming>),
    Here(Incoming),
}

impl Source {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self {
                Self::Awaited(incoming) => *self = Self::Here(incoming.await.ok()?),
                Self::Here(incoming) => return incoming.next().await,
            }
        }
    }
}

impl Receiver {
    pub(super) fn new(incoming: oneshot::Receiver<Incoming>, decoder: Decoder, gone: oneshot::Receiver<()>) -> Self {
        let now = Instant::now();
        let source = Source::Awaited(incoming);
        Self { source, decoder, gone, ended: false, came_at: now, whole_at: now }
    }

    /// When something came last, of a message that is not whole yet, too.
    pub const fn came_at(&self) -> Instant {
        self.came_at
    }

    /// Since when a message is on its way, if one is.
    pub fn on_its_way_since(&self) -> Option<Instant> {
        (self.decoder.kept() > 0).then_some(self.whole_at)
    }

    /// The next message, or why there is none; after a fault nothing can be read any more. May be given up at any time
    /// without losing anything.
    pub async fn next(&mut self) -> Result<Message, Fault> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                self.whole_at = Instant::now();
                // Behind a close frame there is nothing (RFC 6455 §5.5.1).
                self.ended |= matches!(message, Message::Close(_));
                return Ok(message);
            }
            let bytes = self.bytes().await.ok_or(Fault::Ended)?;
            self.came_at = Instant::now();
            if self.decoder.kept() == 0 {
                self.whole_at = self.came_at;
            }
            self.decoder.take_in(&bytes);
        }
    }

    async fn bytes(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let came = tokio::select! {
            biased;
            came = self.source.next() => came,
            _ = &mut self.gone => None,
        };
        self.ended = came.is_none();
        came
    }

    /// Reads what still comes and forgets it, until the client closes too or has had its time.
    pub async fn linger(&mut self) {
        let until = Instant::now() + LINGER;
        let mut came = 0;
        let mut reads = true;
        while came < LINGER_BYTES
            && let Ok(Some(bytes)) = timeout_at(until, self.bytes()).await
        {
            came += bytes.len();
            if !reads {
                continue; // after a fault nothing can be distinguished
            }
            self.decoder.take_in(&bytes);
            reads = loop {
                match self.decoder.next_message() {
                    Ok(Some(Message::Close(_))) => return,
                    Ok(Some(_)) => {}
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
        }
    }
}
