//! What a client sends: from bytes, however they are cut, to whole messages. No I/O.
//!
//! A frame is judged by its header: one that announces too much is a fault before any of it is kept, so a connection never
//! holds more than the largest message twice, once as it came and once put together.

use std::io::Cursor;

use actix_web::web::{Buf, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::deflate::inflate;
use super::fault::Fault;

/// Bytes of the longest frame header.
const LONGEST_HEADER: usize = 14;
/// Bytes that a control frame may carry (RFC 6455 §5.5).
const LARGEST_CONTROL: u64 = 125;
/// So many frames without content may be in one message: they cost work, and no byte bounds their number.
const MOST_EMPTY: u32 = 4_096;

/// A whole message of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Anything else.
    Binary(Vec<u8>),
    /// To be answered with the same content.
    Ping(Vec<u8>),
    /// The answer to a ping.
    Pong(Vec<u8>),
    /// The client closes, with a code where it gives one.
    Close(Option<u16>),
}

/// A message that is not whole yet.
#[derive(Debug)]
struct Partial {
    is_text: bool,
    is_compressed: bool,
    empty: u32,
    content: Vec<u8>,
}

/// A frame whose content is awaited.
#[derive(Debug)]
struct Announced {
    header: FrameHeader,
    length: usize,
}

/// Puts messages together.
#[derive(Debug)]
pub struct Decoder {
    largest: usize,
    may_compress: bool,
    came: BytesMut,
    announced: Option<Announced>,
    partial: Option<Partial>,
    fault: Option<Fault>,
}

impl Decoder {
    /// For messages of at most `largest` bytes, which may be compressed where that was agreed on.
    pub fn new(largest: usize, may_compress: bool) -> Self {
        Self { largest, may_compress, came: BytesMut::new(), announced: None, partial: None, fault: None }
    }

    /// Takes in what came. Ask [`Decoder::next_message`] for messages until there are none before giving it more. After a fault
    /// nothing is kept.
    pub fn take_in(&mut self, bytes: &[u8]) {
        if self.fault.is_none() {
            self.came.extend_from_slice(bytes);
        }
    }

    /// Bytes that are kept at this instant.
    pub fn kept(&self) -> usize {
        self.came.len() + self.partial.as_ref().map_or(0, |one| one.content.len())
    }

    /// The next whole message; a fault stays.
    pub fn next_message(&mut self) -> Result<Option<Message>, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let next = self.read();
        if let Err(fault) = next {
            (self.came, self.partial) = (BytesMut::new(), None);
            self.fault = Some(fault);
        }
        next
    }

    fn read(&mut self) -> Result<Option<Message>, Fault> {
        loop {
            let announced = match self.announced.take() {
                Some(announced) => announced,
                None => match self.header()? {
                    Some(announced) => announced,
                    None => return Ok(None),
                },
            };
            if self.came.len() < announced.length {
                self.announced = Some(announced);
                return Ok(None);
            }
            let mut content = self.came.split_to(announced.length).to_vec();
            if self.came.is_empty() {
                self.came = BytesMut::new(); // what is idle costs nothing
            }
            unmask(&mut content, announced.header.mask.unwrap_or_default());
            if let Some(message) = self.frame(&announced.header, content)? {
                return Ok(Some(message));
            }
        }
    }

    /// Reads the next header and judges it.
    fn header(&mut self) -> Result<Option<Announced>, Fault> {
        let head = self.came.get(..LONGEST_HEADER).unwrap_or(&self.came);
        let mut cursor = Cursor::new(head);
        let parsed =
            FrameHeader::parse(&mut cursor).map_err(|_| Fault::Protocol("a frame of a kind that does not exist"))?;
        let Some((header, length)) = parsed else {
            return Ok(None);
        };
        let read = usize::try_from(cursor.position()).unwrap_or(LONGEST_HEADER);
        self.came.advance(read);
        if header.mask.is_none() {
            return Err(Fault::Protocol("a client masks its frames"));
        }
        let begins = matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary));
        if header.rsv2 || header.rsv3 || (header.rsv1 && !(begins && self.may_compress)) {
            return Err(Fault::Protocol("a reserved bit is set"));
        }
        if matches!(header.opcode, OpCode::Control(_)) && (length > LARGEST_CONTROL || !header.is_final) {
            return Err(Fault::Protocol("a control frame is short and whole"));
        }
        if matches!(header.opcode, OpCode::Data(_)) {
            match (&self.partial, begins) {
                (Some(_), true) => return Err(Fault::Protocol("a message began inside another")),
                (None, false) => return Err(Fault::Protocol("a message goes on that never began")),
                _ => {}
            }
            let before = self.partial.as_ref().map_or(0, |one| one.content.len());
            let room = u64::try_from(self.largest.saturating_sub(before)).unwrap_or(u64::MAX);
            if length > room {
                return Err(Fault::TooLarge);
            }
            let empty = self.partial.as_ref().map_or(0, |one| one.empty);
            if length == 0 && empty >= MOST_EMPTY {
                return Err(Fault::Protocol("too many frames have no content"));
            }
        }
        let length = usize::try_from(length).map_err(|_| Fault::TooLarge)?;
        Ok(Some(Announced { header, length }))
    }

    /// Takes in a whole frame; the message, when it is the last one.
    fn frame(&mut self, header: &FrameHeader, content: Vec<u8>) -> Result<Option<Message>, Fault> {
        match header.opcode {
            OpCode::Control(Control::Ping) => return Ok(Some(Message::Ping(content))),
            OpCode::Control(Control::Pong) => return Ok(Some(Message::Pong(content))),
            OpCode::Control(_) => return closing(&content).map(Some),
            OpCode::Data(_) => {}
        }
        let partial = match self.partial.take() {
            None => Partial {
                is_text: matches!(header.opcode, OpCode::Data(Data::Text)),
                is_compressed: header.rsv1,
                empty: u32::from(content.is_empty()),
                content,
            },
            Some(mut partial) => {
                partial.content.extend_from_slice(&content);
                partial.empty += u32::from(content.is_empty());
                partial
            }
        };
        if !header.is_final {
            self.partial = Some(partial);
            return Ok(None);
        }
        let content = match partial.is_compressed {
            true => inflate(partial.content, self.largest)?,
            false => partial.content,
        };
        Ok(Some(match partial.is_text {
            true => Message::Text(String::from_utf8(content).map_err(|_| Fault::NotUtf8)?),
            false => Message::Binary(content),
        }))
    }
}

/// Reads a close frame: nothing, or a code that may be sent and a reason.
fn closing(content: &[u8]) -> Result<Message, Fault> {
    match content {
        [] => Ok(Message::Close(None)),
        [_] => Err(Fault::Protocol("a close frame has no half a code")),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let may_be_sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !may_be_sent {
                return Err(Fault::Protocol("a close code that nobody may send"));
            }
            if std::str::from_utf8(reason).is_err() {
                return Err(Fault::NotUtf8);
            }
            Ok(Message::Close(Some(code)))
        }
    }
}

/// RFC 6455 §5.3.
fn unmask(content: &mut [u8], mask: [u8; 4]) {
    let mut words = content.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, key) in word.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
