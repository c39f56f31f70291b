//! Upgrades of HTTP connections: the app answers the handshake, and from there on the connection is the socket's alone, without the
//! buffers that HTTP needs.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_codec::{Framed, FramedParts};
use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::error::PayloadError;
use actix_http::h1::{Codec, SendResponse};
use actix_http::{ConnectionType, Request, Response};
use actix_web::HttpMessage as _;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::web::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf, ReadHalf, split};
use tokio::sync::{mpsc, oneshot};

/// Bytes of frames that are handed over at once.
const HANDED_OVER: usize = 64 * 1_024;
/// Bytes that are read at once.
const READ_AT_ONCE: usize = 16 * 1_024;

thread_local! {
    /// Where all sockets of a thread read into, one after the other.
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_AT_ONCE].into());
}

/// A connection in both directions, encrypted or not.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// What a handler of a handshake leaves behind, so that it is given the connection.
pub(super) struct Claim {
    pub(super) reader: oneshot::Sender<Incoming>,
    pub(super) frames: mpsc::Receiver<Bytes>,
    /// Is dropped when nothing can be sent any more.
    pub(super) alive: oneshot::Sender<()>,
}

/// What comes from the client.
pub(super) struct Incoming {
    /// What came with the handshake.
    early: Bytes,
    connection: ReadHalf<Box<dyn Duplex>>,
}

impl Incoming {
    /// The next bytes; none when the connection is over. May be given up without losing anything.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        match self.early.is_empty() {
            true => poll_fn(|context| self.poll(context)).await,
            false => Some(take(&mut self.early)),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        ROOM.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(room);
            let read = ready!(Pin::new(&mut self.connection).poll_read(context, &mut room));
            let came = read.is_ok() && !room.filled().is_empty();
            Poll::Ready(came.then(|| Bytes::copy_from_slice(room.filled())))
        })
    }
}

/// Lets the app answer a request that wants to upgrade its connection. Where a handler accepted it ([`super::open`]), frames are written
/// until that lets go of its [`super::Sender`]; else the connection ends with the answer.
pub async fn serve<S, B, T>(app: S, request: Request, connection: Framed<T, Codec>) -> Result<(), actix_http::Error>
where
    S: Service<Request, Response = ServiceResponse<B>>,
    S::Error: Into<actix_web::Error>,
    B: MessageBody + 'static,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let answered = app.call(request).await.map_err(Into::into);
    let (claim, response) = match answered {
        Ok(answer) => {
            let claim = answer.request().extensions_mut().remove::<Claim>();
            (claim, Response::from(answer.map_into_boxed_body()))
        }
        Err(error) => (None, Response::from(error)),
    };
    let mut response = response.map_body(|_, body| Answer(body));
    if claim.is_none() {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    let connection = SendResponse::new(connection, response).await?;
    // Its buffers are dropped here, not when the connection ends.
    let FramedParts { io, read_buf, .. } = connection.into_parts();
    let early = Bytes::copy_from_slice(&read_buf);
    drop(read_buf);
    let (connection, mut sending) = split(Box::new(io) as Box<dyn Duplex>);
    if let Some(Claim { reader, mut frames, alive }) = claim {
        let _ = reader.send(Incoming { early, connection });
        // An error is one of the connection, which ends with `alive`.
        let _ = send(&mut frames, &mut sending).await;
        drop(alive);
    }
    let _ = sending.shutdown().await;
    Ok(())
}

/// Sends frames as they come, several at once, until the last sender is gone.
async fn send(frames: &mut mpsc::Receiver<Bytes>, connection: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    while let Some(first) = frames.recv().await {
        match frames.is_empty() {
            true => connection.write_all(&first).await?,
            false => {
                let mut together = BytesMut::from(first);
                while together.len() < HANDED_OVER
                    && let Ok(next) = frames.try_recv()
                {
                    together.extend_from_slice(&next);
                }
                connection.write_all(&together).await?;
            }
        }
        connection.flush().await?;
    }
    Ok(())
}

/// The body of an answer, with errors as [`SendResponse`] takes them.
struct Answer(BoxBody);

impl MessageBody for Answer {
    type Error = actix_http::Error;

    fn size(&self) -> BodySize {
        self.0.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = ready!(Pin::new(&mut self.0).poll_next(context));
        let failed = |error| PayloadError::Io(io::Error::other(format!("{error}"))).into();
        Poll::Ready(next.map(|next| next.map_err(failed)))
    }
}
