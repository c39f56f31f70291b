//! One open socket: events as they happen, metrics on a timer, and pings to see that somebody is there.

use std::time::Duration;

use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep_until, timeout};

use super::metrics::Watch;
use crate::events::{Gone, Listener};

/// A socket that was silent for so long is pinged.
const PING_EVERY: Duration = Duration::from_secs(20);
/// One that does not answer for so long is given up.
const PONG_WITHIN: Duration = Duration::from_secs(20);
/// How long a message may take to leave; a client that does not read for so long is too slow.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// A socket is closed after so long, and its client comes back: a key that was revoked is not heard for longer.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A client that listens.
pub(super) struct Connection {
    listener: Listener,
    watch: Option<Watch>,
    look_at: Instant,
    socket: Session,
    heard: Instant,
    pinged: bool,
    ends_at: Instant,
}

/// Why a connection ended, and what the client is told.
enum End {
    /// The client closed or vanished.
    Gone,
    /// We close, with this code and word.
    Close(CloseCode, &'static str),
}

impl Connection {
    pub fn new(listener: Listener, watch: Option<Watch>, socket: Session) -> Self {
        let now = Instant::now();
        Self {
            listener,
            watch,
            look_at: now,
            socket,
            heard: now,
            pinged: false,
            ends_at: now + LONGEST,
        }
    }

    pub async fn run(mut self, mut stream: MessageStream) {
        let end = loop {
            let patience = if self.pinged {
                PING_EVERY + PONG_WITHIN
            } else {
                PING_EVERY
            };
            let wake = (self.heard + patience).min(self.ends_at);
            let watches = self.watch.is_some();
            let ended = tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(_)) | None => Some(End::Gone),
                },
                line = self.listener.next() => match line {
                    Ok(line) => {
                        let text = self.listener.text(&line).to_owned();
                        self.send(text).await
                    }
                    Err(gone) => Some(why(gone)),
                },
                () = sleep_until(self.look_at), if watches => self.look().await,
                () = sleep_until(wake) => self.woken().await,
            };
            if let Some(end) = ended {
                break end;
            }
        };
        if let End::Close(code, text) = end {
            let description = Some(text.to_owned());
            let closing = self.socket.close(Some(CloseReason { code, description }));
            let _ = timeout(SEND_WITHIN, closing).await;
        }
    }

    async fn hear(&mut self, message: Message) -> Option<End> {
        self.heard = Instant::now();
        self.pinged = false;
        match message {
            Message::Ping(payload) => {
                let sent = timeout(SEND_WITHIN, self.socket.pong(&payload)).await;
                (!matches!(sent, Ok(Ok(())))).then_some(End::Gone)
            }
            Message::Close(_) => Some(End::Gone),
            Message::Text(_) | Message::Binary(_) | Message::Continuation(_) => Some(End::Close(
                CloseCode::Policy,
                "nothing is to be said here: what to listen to is in the URL",
            )),
            Message::Pong(_) | Message::Nop => None,
        }
    }

    async fn look(&mut self) -> Option<End> {
        let watch = self.watch.as_mut()?;
        self.look_at = Instant::now() + watch.every();
        let messages = match watch.look().await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::error!(%error, "metrics of sessions could not be read for a listener");
                return None; // the next look may work
            }
        };
        for message in messages {
            if let Some(end) = self.send(message).await {
                return Some(end);
            }
        }
        None
    }

    async fn send(&mut self, text: String) -> Option<End> {
        match timeout(SEND_WITHIN, self.socket.text(text)).await {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(End::Gone),
            Err(_) => Some(why(Gone::TooSlow)),
        }
    }

    async fn woken(&mut self) -> Option<End> {
        let now = Instant::now();
        if now >= self.ends_at {
            return Some(End::Close(CloseCode::Restart, "an hour is over: come back"));
        }
        if self.pinged {
            return Some(End::Close(CloseCode::Policy, "no answer to ping"));
        }
        self.pinged = true;
        match timeout(SEND_WITHIN, self.socket.ping(b"")).await {
            Ok(Ok(())) => None,
            _ => Some(End::Gone),
        }
    }
}

fn why(gone: Gone) -> End {
    match gone {
        Gone::TooSlow => End::Close(CloseCode::Again, "too slow: come back with after="),
        Gone::Stopping => End::Close(CloseCode::Away, "the server stops"),
        Gone::Failed => End::Close(CloseCode::Error, "the log could not be read"),
    }
}
