//! WebSockets (RFC 6455, RFC 7692) behind the HTTP server's own handshake and streams.
//!
//! [`Decoder`] and [`Encoder`] are without I/O: bytes in, messages out, and the other way round. They are our own, above the
//! frame headers of `tungstenite`, because a frame has to be refused when it is announced and not when it has been
//! buffered, and because stations compress: actix-ws decides the first after the fact and knows no extensions (actix-web
//! issue 1635). [`open`] accepts a handshake; [`serve`] sends the answer and gives the connection to who accepted it.

mod decoder;
mod deflate;
mod encoder;
mod fault;
mod stream;
mod upgrade;

use actix_web::http::header::{SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use tokio::sync::{mpsc, oneshot};

pub use decoder::{Decoder, Message};
pub use deflate::{Agreement, agree};
pub use encoder::Encoder;
pub use fault::Fault;
pub use stream::{Closed, Receiver, Sender};
use upgrade::Claim;
pub use upgrade::serve;

/// Frames that may wait to be sent before the sender waits itself.
const MOST_WAITING: usize = 32;

/// Why a side closes, as a number of RFC 6455 §7.4.
pub mod close {
    /// All is said.
    pub const NORMAL: u16 = 1000;
    /// The server stops.
    pub const AWAY: u16 = 1001;
    /// The other side broke the rules of WebSockets, or no sub-protocol could be agreed on.
    pub const PROTOCOL: u16 = 1002;
    /// A kind of data that is not understood.
    pub const UNSUPPORTED: u16 = 1003;
    /// Data that is not what it should be: text that is not UTF-8.
    pub const INVALID: u16 = 1007;
    /// Something else is against the rules of this server.
    pub const POLICY: u16 = 1008;
    /// A message that is too large.
    pub const SIZE: u16 = 1009;
    /// A fault of the server.
    pub const ERROR: u16 = 1011;
    /// Come back at once.
    pub const RESTART: u16 = 1012;
    /// Come back later.
    pub const AGAIN: u16 = 1013;
}

/// What is agreed on in the handshake.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The sub-protocol, spelled as the client spelled it.
    pub protocol: Option<&'a str>,
    /// Bytes of the largest message, in one frame or many, compressed or not.
    pub largest: usize,
    /// Whether messages are compressed for clients that offer it.
    pub compresses: bool,
}

/// Completes the handshake: the response to be given, and both directions of the socket.
pub fn open(request: &HttpRequest, terms: Terms<'_>) -> Result<(HttpResponse, Sender, Receiver), actix_web::Error> {
    let mut response = actix_http::ws::handshake(request.head())?;
    if let Some(protocol) = terms.protocol {
        response.insert_header((SEC_WEBSOCKET_PROTOCOL, protocol));
    }
    let offers = request.headers().get_all(SEC_WEBSOCKET_EXTENSIONS);
    let offers = offers.filter_map(|offer| offer.to_str().ok());
    let agreement = terms.compresses.then(|| agree(offers)).flatten();
    if let Some(agreement) = agreement {
        response.insert_header((SEC_WEBSOCKET_EXTENSIONS, agreement.to_string()));
    }
    let (frames, waiting) = mpsc::channel(MOST_WAITING);
    let (alive, gone) = oneshot::channel();
    let (reader, incoming) = oneshot::channel();
    request.extensions_mut().insert(Claim { reader, frames: waiting, alive });
    let sender = Sender::new(frames, Encoder::new(agreement));
    let decoder = Decoder::new(terms.largest, agreement.is_some());
    Ok((response.finish().map_into_boxed_body().into(), sender, Receiver::new(incoming, decoder, gone)))
}
