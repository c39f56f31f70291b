//! `permessage-deflate` (RFC 7692): what is agreed on, and how a message is packed and unpacked.
//!
//! Neither side keeps its window from one message to the next (`no_context_takeover`), so a connection that is silent
//! holds no memory for it: each worker thread has one packer and one unpacker, and begins anew with each message.

use std::cell::RefCell;
use std::fmt;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::fault::Fault;

/// What ends a flushed block; it is left out on the wire (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Bytes that an unpacked message grows by.
const STEP: usize = 16 * 1_024;
/// Bits of the largest window.
const LARGEST_WINDOW: u8 = 15;
/// Bits of the smallest one.
const SMALLEST_WINDOW: u8 = 8;

/// That messages may be compressed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// The window that the client can unpack with, where it says so.
    server_window: Option<u8>,
}

impl Agreement {
    /// Bytes of the longest message that may be compressed: nothing in it lies further apart than the client remembers.
    pub(super) fn longest(self) -> usize {
        1 << self.server_window.unwrap_or(LARGEST_WINDOW)
    }
}

/// The words of the response.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permessage-deflate; server_no_context_takeover; client_no_context_takeover")?;
        match self.server_window {
            Some(bits) => write!(f, "; server_max_window_bits={bits}"),
            None => Ok(()),
        }
    }
}

/// The first of the client's offers that can be accepted.
pub fn agree<'a>(offers: impl Iterator<Item = &'a str>) -> Option<Agreement> {
    offers.flat_map(|header| header.split(',')).find_map(accepted)
}

/// RFC 7692 §7.1: an offer with a parameter that is unknown, said twice or out of range is declined.
fn accepted(offer: &str) -> Option<Agreement> {
    let mut words = offer.split(';').map(str::trim);
    if !words.next()?.eq_ignore_ascii_case("permessage-deflate") {
        return None;
    }
    let mut agreement = Agreement { server_window: None };
    let mut said = Vec::new();
    for word in words {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (word, None),
        };
        let name = name.to_ascii_lowercase();
        if said.contains(&name) {
            return None;
        }
        match (name.as_str(), value) {
            ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
            // How far back the client reaches is no matter: a whole window is always there to unpack with.
            ("client_max_window_bits", None) => {}
            ("client_max_window_bits", Some(bits)) => {
                window(bits)?;
            }
            ("server_max_window_bits", Some(bits)) => agreement.server_window = Some(window(bits)?),
            _ => return None,
        }
        said.push(name);
    }
    Some(agreement)
}

fn window(text: &str) -> Option<u8> {
    let plain = !text.starts_with(['0', '+']);
    let bits = plain.then(|| text.parse().ok()).flatten()?;
    (SMALLEST_WINDOW..=LARGEST_WINDOW).contains(&bits).then_some(bits)
}

thread_local! {
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static UNPACKER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Unpacks a message; one that turns out larger than `largest` is a fault as soon as it is.
pub(super) fn inflate(mut packed: Vec<u8>, largest: usize) -> Result<Vec<u8>, Fault> {
    const BROKEN: Fault = Fault::Protocol("the compressed message cannot be read");
    packed.extend_from_slice(&TAIL);
    UNPACKER.with_borrow_mut(|unpacker| {
        unpacker.reset(false);
        let mut message = Vec::new();
        let mut rest = packed.as_slice();
        loop {
            let room = largest.saturating_sub(message.len()).saturating_add(1);
            message.reserve_exact(room.min(STEP));
            let (came, made) = (unpacker.total_in(), unpacker.total_out());
            let status = unpacker.decompress_vec(rest, &mut message, FlushDecompress::Sync).map_err(|_| BROKEN)?;
            if message.len() > largest {
                return Err(Fault::TooLarge);
            }
            let read = usize::try_from(unpacker.total_in() - came).map_err(|_| BROKEN)?;
            rest = rest.get(read..).ok_or(BROKEN)?;
            match status {
                // A last block, which nobody has to send, may be followed by another stream (RFC 7692 §7.2.3.5).
                Status::StreamEnd if rest.len() > TAIL.len() => unpacker.reset(false),
                Status::StreamEnd => return Ok(message),
                Status::Ok | Status::BufError => {
                    let stuck = read == 0 && unpacker.total_out() == made;
                    if rest.is_empty() && message.len() < message.capacity() {
                        return Ok(message);
                    }
                    if stuck && message.len() < message.capacity() {
                        return Err(BROKEN);
                    }
                }
            }
        }
    })
}

/// Packs a message; `None` when that does not make it shorter.
pub(super) fn deflate(message: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        // Only what becomes shorter is of use, so there is never more room than the message has.
        let mut packed = Vec::with_capacity(message.len());
        let status = packer.compress_vec(message, &mut packed, FlushCompress::Sync).ok()?;
        let whole = status == Status::Ok
            && packer.total_in() == u64::try_from(message.len()).ok()?
            && packed.ends_with(&TAIL)
            && packed.len() < packed.capacity();
        whole.then(|| {
            packed.truncate(packed.len() - TAIL.len());
            packed
        })
    })
}
