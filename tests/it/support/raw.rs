//! A WebSocket client that sends what a test says, byte for byte, right or wrong.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for bytes.
const PATIENCE: Duration = Duration::from_secs(10);
/// A connection after its handshake.
pub struct RawSocket {
    socket: TcpStream,
    came: Vec<u8>,
    /// The head of the server's answer, in lower case as far as names go.
    pub head: String,
}

/// A frame of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawFrame {
    /// FIN, reserved bits and opcode.
    pub first: u8,
    pub content: Vec<u8>,
}

impl RawFrame {
    /// The code of a close frame.
    pub fn close_code(&self) -> Option<u16> {
        let [high, low, ..] = self.content[..] else {
            return None;
        };
        (self.first == 0x88).then(|| u16::from_be_bytes([high, low]))
    }
}

impl RawSocket {
    /// What the content of its frames is masked with.
    pub const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

    /// Opens `ws://…` with these header lines besides the usual ones.
    pub async fn open(url: &str, headers: &[(&str, &str)]) -> Self {
        Self::open_and_send(url, headers, &[]).await
    }

    /// The same, and sends these bytes with the handshake, without waiting for its answer.
    pub async fn open_and_send(url: &str, headers: &[(&str, &str)], early: &[u8]) -> Self {
        let rest = url.strip_prefix("ws://").expect("a URL of WebSockets");
        let (host, path) = rest.split_once('/').expect("a path");
        let mut socket = TcpStream::connect(host).await.expect("a connection");
        let mut request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        socket.write_all(&[request.as_bytes(), early].concat()).await.expect("sent");
        let mut raw = Self { socket, came: Vec::new(), head: String::new() };
        loop {
            let end = raw.came.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head: Vec<u8> = raw.came.drain(..end + 4).collect();
                raw.head = String::from_utf8(head).expect("text");
                return raw;
            }
            assert!(raw.read().await, "the answer to the handshake");
        }
    }

    /// The value of a header of the answer.
    pub fn header(&self, wanted: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim().to_owned())
    }

    /// Sends bytes; false when the server does not take them any more.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        matches!(timeout(PATIENCE, self.socket.write_all(bytes)).await, Ok(Ok(())))
    }

    /// Sends a masked frame.
    pub async fn frame(&mut self, first: u8, content: &[u8]) -> bool {
        self.send(&Self::masked(first, content)).await
    }

    /// A masked frame.
    pub fn masked(first: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = Self::announcement(first, content.len() as u64);
        let masked = content.iter().zip(Self::MASK.iter().cycle());
        bytes.extend(masked.map(|(byte, key)| byte ^ key));
        bytes
    }

    /// Sends a frame's header alone.
    pub async fn announce(&mut self, first: u8, length: u64) -> bool {
        self.send(&Self::announcement(first, length)).await
    }

    fn announcement(first: u8, length: u64) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..=125 => bytes.push(0x80 | length as u8),
            126..=65_535 => {
                bytes.push(0x80 | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        bytes.extend(Self::MASK);
        bytes
    }

    async fn read(&mut self) -> bool {
        let mut buffer = [0; 4_096];
        let read = timeout(PATIENCE, self.socket.read(&mut buffer)).await;
        let read = read.expect("bytes in time").unwrap_or(0);
        self.came.extend_from_slice(&buffer[..read]);
        read > 0
    }

    /// The next frame of the server; `None` when it closed the connection.
    pub async fn next(&mut self) -> Option<RawFrame> {
        loop {
            if let [first, second, rest @ ..] = &self.came[..] {
                let (length, skipped) = match (*second, rest) {
                    (126, [a, b, ..]) => (usize::from(u16::from_be_bytes([*a, *b])), 4),
                    (126 | 127, _) => (usize::MAX, 0),
                    (short, _) => (usize::from(short), 2),
                };
                if length != usize::MAX && self.came.len() >= skipped + length {
                    let first = *first;
                    let content = self.came[skipped..skipped + length].to_vec();
                    self.came.drain(..skipped + length);
                    return Some(RawFrame { first, content });
                }
            }
            if !self.read().await {
                return None;
            }
        }
    }

    /// All that the server still sends until it closes the connection.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.read().await {}
        std::mem::take(&mut self.came)
    }

    /// The code that the server closes with; what comes before is passed over.
    pub async fn closed(&mut self) -> Option<u16> {
        while let Some(frame) = self.next().await {
            if let Some(code) = frame.close_code() {
                return Some(code);
            }
        }
        None
    }
}
