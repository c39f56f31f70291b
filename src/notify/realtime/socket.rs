//! One open socket: events as they happen, metrics on a timer, and pings to see that somebody is there.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, sleep_until, timeout};

use super::metrics::Watch;
use crate::events::{Gone, Listener};
use crate::http::caller::KeyValidity;
use crate::http::websocket::{Fault, Message, Receiver, Sender, close};

/// A socket that was silent for so long is pinged.
const PING_EVERY: Duration = Duration::from_secs(20);
/// One that does not answer for so long is given up.
const PONG_WITHIN: Duration = Duration::from_secs(20);
/// How long a message may take to leave; a client that does not read for so long is too slow.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// A socket is closed after so long, and its client comes back: proxies on the way forget no one.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A client that listens.
pub(super) struct Connection {
    listener: Listener,
    lost: LocalBoxFuture<'static, ()>,
    watch: Option<Watch>,
    socket: Sender,
    heard: Instant,
    pinged: bool,
    ends_at: Instant,
}

/// Why a connection ended, and what the client is sent.
enum End {
    /// The client closed or vanished.
    Gone,
    /// We close, with this code and word.
    Close(u16, &'static str),
}

impl Connection {
    pub(super) fn new(listener: Listener, validity: KeyValidity, watch: Option<Watch>, socket: Sender) -> Self {
        let now = Instant::now();
        Self {
            listener,
            lost: Box::pin(validity.lost()),
            watch,
            socket,
            heard: now,
            pinged: false,
            ends_at: now + LONGEST,
        }
    }

    pub(super) async fn run(mut self, mut receiver: Receiver) {
        let end = loop {
            let patience = if self.pinged { PING_EVERY + PONG_WITHIN } else { PING_EVERY };
            let wake = (self.heard + patience).min(self.ends_at);
            let ended = tokio::select! {
                () = &mut self.lost => Some(End::Close(close::POLICY, "the API key is not what it was")),
                message = receiver.next() => self.hear(message).await,
                line = self.listener.next() => match line {
                    Ok(line) => {
                        let text = self.listener.text(&line).to_owned();
                        self.send(text).await
                    }
                    Err(gone) => Some(why(gone)),
                },
                () = due(&mut self.watch) => self.look().await,
                () = sleep_until(wake) => self.woken().await,
            };
            if let Some(end) = ended {
                break end;
            }
        };
        if let End::Close(code, text) = end {
            let closing = self.socket.close(code, text);
            if matches!(timeout(SEND_WITHIN, closing).await, Ok(Ok(()))) {
                receiver.linger().await;
            }
        }
    }

    async fn hear(&mut self, message: Result<Message, Fault>) -> Option<End> {
        self.heard = Instant::now();
        self.pinged = false;
        match message {
            Ok(Message::Ping(content)) => {
                let sent = timeout(SEND_WITHIN, self.socket.pong(&content)).await;
                (!matches!(sent, Ok(Ok(())))).then_some(End::Gone)
            }
            Ok(Message::Close(_)) => Some(End::Close(close::NORMAL, "")),
            Ok(Message::Text(_) | Message::Binary(_)) => {
                Some(End::Close(close::POLICY, "nothing is to be said here: what to listen to is in the URL"))
            }
            Ok(Message::Pong(_)) => None,
            Err(Fault::Ended) => Some(End::Gone),
            Err(fault) => Some(End::Close(fault.close_code(), fault.close_reason())),
        }
    }

    async fn look(&mut self) -> Option<End> {
        let watch = self.watch.as_mut()?;
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
        match timeout(SEND_WITHIN, self.socket.text(&text)).await {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(End::Gone),
            Err(_) => Some(why(Gone::TooSlow)),
        }
    }

    async fn woken(&mut self) -> Option<End> {
        let now = Instant::now();
        if now >= self.ends_at {
            return Some(End::Close(close::RESTART, "an hour is over: come back"));
        }
        if self.pinged {
            return Some(End::Close(close::POLICY, "no answer to ping"));
        }
        self.pinged = true;
        match timeout(SEND_WITHIN, self.socket.ping()).await {
            Ok(Ok(())) => None,
            _ => Some(End::Gone),
        }
    }
}

async fn due(watch: &mut Option<Watch>) {
    match watch {
        Some(watch) => watch.due().await,
        None => std::future::pending().await,
    }
}

fn why(gone: Gone) -> End {
    match gone {
        Gone::TooSlow => End::Close(close::AGAIN, "too slow: come back with after="),
        Gone::Stopping => End::Close(close::AWAY, "the server stops"),
        Gone::Failed => End::Close(close::ERROR, "the log could not be read"),
    }
}
