//! What is sent to a client: messages as frames, each whole, and shorter where compression was agreed on. No I/O.

use actix_web::web::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::deflate::{Agreement, deflate};

/// Shorter messages are sent as they are: packing them saves nothing.
const WORTH_PACKING: usize = 128;
/// Bytes that a control frame may carry (RFC 6455 §5.5).
const LARGEST_CONTROL: usize = 125;
/// Bytes of the longest header of a frame that is not masked.
const LONGEST_HEADER: usize = 10;

/// Makes frames.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    agreement: Option<Agreement>,
}

impl Encoder {
    /// For a client with which this was agreed on.
    pub const fn new(agreement: Option<Agreement>) -> Self {
        Self { agreement }
    }

    /// A text.
    pub fn text(&self, text: &str) -> Bytes {
        let fits = |agreement: &Agreement| (WORTH_PACKING..=agreement.longest()).contains(&text.len());
        let packed = self.agreement.as_ref().filter(|agreement| fits(agreement)).and_then(|_| deflate(text.as_bytes()));
        match packed {
            Some(packed) => frame(OpCode::Data(Data::Text), true, &packed),
            None => frame(OpCode::Data(Data::Text), false, text.as_bytes()),
        }
    }

    /// A ping; what is too long for one is cut.
    pub fn ping(&self, content: &[u8]) -> Bytes {
        control(Control::Ping, content)
    }

    /// The answer to a ping.
    pub fn pong(&self, content: &[u8]) -> Bytes {
        control(Control::Pong, content)
    }

    /// The last frame.
    pub fn close(&self, code: u16, reason: &str) -> Bytes {
        let mut end = reason.len().min(LARGEST_CONTROL - 2);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let (reason, _) = reason.split_at(end);
        control(Control::Close, &[&code.to_be_bytes(), reason.as_bytes()].concat())
    }
}

fn control(kind: Control, content: &[u8]) -> Bytes {
    let content = content.get(..LARGEST_CONTROL).unwrap_or(content);
    frame(OpCode::Control(kind), false, content)
}

fn frame(opcode: OpCode, is_packed: bool, content: &[u8]) -> Bytes {
    let header = FrameHeader { is_final: true, rsv1: is_packed, opcode, ..FrameHeader::default() };
    let mut bytes = Vec::with_capacity(LONGEST_HEADER + content.len());
    let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
    // Writing into memory does not fail.
    if let Err(error) = header.format(length, &mut bytes) {
        tracing::error!(%error, "a frame could not be written");
    }
    bytes.extend_from_slice(content);
    bytes.into()
}
