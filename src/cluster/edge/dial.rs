//! Opening a socket to the leader for a socket that a client opened here.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::{Edge, Line, UNANSWERED, lines, stays_here};
use crate::cluster::membership::Leader;
use crate::cluster::passed_on::AGAIN;

/// How long the leader may take to take a connection, …
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// … and to answer a handshake.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A socket to the leader.
pub(super) type Upstream = WebSocketStream<TcpStream>;

/// How a client's handshake is said to a leader, the first time and again.
pub(super) struct Dial {
    path: String,
    lines: Vec<Line>,
    largest: usize,
}

/// What a leader makes of a handshake.
pub(super) enum Dialled {
    /// It is open, with this sub-protocol.
    Open(Box<Upstream>, Option<String>),
    /// No sub-protocol could be agreed on.
    NoProtocol,
    /// It was refused.
    Refused(Refused),
    /// Nobody answered.
    Unreachable(String),
}

/// An answer that is no socket.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    lines: Vec<Line>,
    body: Vec<u8>,
}

impl Refused {
    /// The same for the client.
    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in self.lines {
            if let Ok(value) = actix_web::http::header::HeaderValue::from_bytes(&value) {
                response.append_header((name, value));
            }
        }
        response.body(self.body)
    }
}

impl Dial {
    /// How this handshake is passed on.
    pub(super) fn of(edge: &Edge, request: &HttpRequest) -> Self {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Self { path, lines: lines(edge, request), largest: edge.settings.message_bytes }
    }

    /// Opens a socket to a leader; `again` says that the client had one already.
    pub(super) async fn to(&self, leader: &Leader, again: bool) -> Dialled {
        let unreachable = |why: &dyn std::fmt::Display| Dialled::Unreachable(why.to_string());
        let authority = leader.address.split_once("://").map_or(leader.address.as_str(), |(_, authority)| authority);
        let connected = match timeout(CONNECT_WITHIN, TcpStream::connect(authority)).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return unreachable(&error),
            Err(late) => return unreachable(&late),
        };
        if let Err(error) = connected.set_nodelay(true).and_then(|()| notice_silence(&connected)) {
            return unreachable(&error);
        }
        let request = match self.request(authority, again) {
            Ok(request) => request,
            Err(error) => return unreachable(&error),
        };
        // Small buffers: most sockets are silent.
        let config = WebSocketConfig::default()
            .read_buffer_size(2_048)
            .write_buffer_size(0)
            .max_message_size(Some(self.largest.saturating_mul(4)))
            .max_frame_size(Some(self.largest.saturating_mul(4)));
        match timeout(ANSWER_WITHIN, client_async_with_config(request, connected, Some(config))).await {
            Ok(Ok((socket, answer))) => {
                let chosen = answer.headers().get("sec-websocket-protocol");
                let chosen = chosen.and_then(|chosen| chosen.to_str().ok()).map(str::to_owned);
                Dialled::Open(Box::new(socket), chosen)
            }
            Ok(Err(Error::Http(answer))) => refused(*answer),
            Ok(Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)))) => Dialled::NoProtocol,
            Ok(Err(error)) => unreachable(&error),
            Err(late) => unreachable(&late),
        }
    }

    fn request(&self, authority: &str, again: bool) -> tungstenite::Result<tungstenite::handshake::client::Request> {
        let mut request = format!("ws://{authority}{}", self.path).into_client_request()?;
        let headers = request.headers_mut();
        for (name, value) in &self.lines {
            let line = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value));
            if let (Ok(name), Ok(value)) = line {
                match name.as_str() {
                    "host" => drop(headers.insert(name, value)),
                    _ => drop(headers.append(name, value)),
                }
            }
        }
        if again && let Ok(name) = HeaderName::from_bytes(AGAIN.as_str().as_bytes()) {
            headers.insert(name, HeaderValue::from_static("1"));
        }
        Ok(request)
    }
}

/// Ends the connection when the leader's machine has not answered for a while, also where nothing is to be said.
#[cfg(target_os = "linux")]
fn notice_silence(connection: &TcpStream) -> std::io::Result<()> {
    use rustix::net::sockopt;
    let milliseconds = u32::try_from(UNANSWERED.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(connection, milliseconds)?;
    sockopt::set_tcp_keepidle(connection, UNANSWERED / 2)?;
    sockopt::set_tcp_keepintvl(connection, UNANSWERED / 5)?;
    sockopt::set_socket_keepalive(connection, true)?;
    Ok(())
}

/// Elsewhere the system's own times hold.
#[cfg(not(target_os = "linux"))]
fn notice_silence(_: &TcpStream) -> std::io::Result<()> {
    Ok(())
}

fn refused(answer: Response<Option<Vec<u8>>>) -> Dialled {
    let (head, body) = answer.into_parts();
    let kept = head.headers.iter().filter(|(name, _)| {
        let name = actix_web::http::header::HeaderName::from_bytes(name.as_str().as_bytes());
        name.is_ok_and(|name| !stays_here(&name))
    });
    let lines = kept.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let status = StatusCode::from_u16(head.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    Dialled::Refused(Refused { status, lines, body: body.unwrap_or_default() })
}
