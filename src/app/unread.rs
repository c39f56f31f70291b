//! Clients that do not read: their connections are ended by the operating system, whatever is written to them.
//!
//! A task that writes knows only of its own queue. The kernel knows whether a client takes anything, of every kind of answer alike:
//! lists that are streamed, streams of events, WebSockets, documents.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Ends each connection that this listener accepts once its client has taken nothing for so long of what waits for it (RFC 5482).
#[cfg(target_os = "linux")]
pub(super) fn end_after(listener: &TcpListener, unread: Duration) -> Result<()> {
    let milliseconds = u32::try_from(unread.as_millis()).unwrap_or(u32::MAX);
    rustix::net::sockopt::set_tcp_user_timeout(listener, milliseconds).context("http.unread_seconds cannot be kept")
}

/// Other systems have no such option; a WebSocket ends there when its queue stays full or its pings are not answered.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Linux")]
pub fn end_after(_: &TcpListener, _: Duration) -> Result<()> {
    Ok(())
}
