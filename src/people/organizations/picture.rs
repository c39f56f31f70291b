//! Which pictures may be a logo, and of what kind they are, by their bytes from the first to the last. Pure.
//!
//! The whole frame of the format is walked, and must end where the bytes end, so that nothing else travels behind a picture: no page,
//! no archive. SVG is none of them: it may carry scripts.

crate::spelled! {
    /// What kind of picture it is.
    pub enum PictureType {
        /// PNG (ISO/IEC 15948).
        Png = "image/png",
        /// JPEG (ISO/IEC 10918).
        Jpeg = "image/jpeg",
        /// WebP (RFC 9649).
        Webp = "image/webp",
    }
}
crate::text_column!(spelled PictureType);

impl PictureType {
    /// How names of its files end.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
        }
    }
}

/// Longest side in pixels: as pages show a logo, a smaller one would do, and a browser that draws it needs 16 MiB at most.
const LONGEST_SIDE: u32 = 2_048;

/// Why bytes are no logo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PictureFault {
    #[error("must be a PNG, JPEG or WebP picture: its bytes are none of these")]
    Unknown,
    #[error("must be a whole picture, with nothing behind its end")]
    Broken,
    #[error("must have at most {LONGEST_SIDE} × {LONGEST_SIDE} pixels, and has {0} × {1}")]
    Large(u32, u32),
}

/// What the bytes of a picture are.
pub(super) fn judge(bytes: &[u8]) -> Result<PictureType, PictureFault> {
    let (kind, size) = if let Some(rest) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        (PictureType::Png, png(Bytes(rest)))
    } else if let Some(rest) = bytes.strip_prefix(b"\xff\xd8\xff") {
        (PictureType::Jpeg, jpeg(Bytes(rest)))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        (PictureType::Webp, webp(Bytes(bytes)))
    } else {
        return Err(PictureFault::Unknown);
    };
    match size.filter(|(width, height)| *width > 0 && *height > 0) {
        None => Err(PictureFault::Broken),
        Some((width, height)) if width > LONGEST_SIDE || height > LONGEST_SIDE => {
            Err(PictureFault::Large(width, height))
        }
        Some(_) => Ok(kind),
    }
}

/// Width and height in pixels.
type Size = (u32, u32);

/// What is still to be read.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn are_over(&self) -> bool {
        self.0.is_empty()
    }
}

fn length(bytes: u32) -> Option<usize> {
    usize::try_from(bytes).ok()
}

/// Chunks of a length, a name, data and a checksum, from IHDR to IEND.
fn png(mut bytes: Bytes<'_>) -> Option<Size> {
    let (mut size, mut has_data) = (None, false);
    loop {
        let announced = length(u32::from_be_bytes(bytes.array()?))?;
        let checked = bytes.0.get(..announced.checked_add(4)?)?;
        let name: [u8; 4] = bytes.array()?;
        let data = bytes.take(announced)?;
        if u32::from_be_bytes(bytes.array()?) != crc32fast::hash(checked) {
            return None;
        }
        match (&name, size) {
            (b"IHDR", None) => {
                let mut header = Bytes(data);
                size = Some((u32::from_be_bytes(header.array()?), u32::from_be_bytes(header.array()?)));
            }
            (_, None) | (b"IHDR", Some(_)) => return None,
            (b"IDAT", _) => has_data = true,
            (b"IEND", _) => return size.filter(|_| has_data && bytes.are_over()),
            _ => {}
        }
    }
}

/// Segments from SOI, whose two bytes are read with the first of the next marker, to EOI; the data of a scan ends at the next marker.
fn jpeg(mut bytes: Bytes<'_>) -> Option<Size> {
    let (mut size, mut has_scan) = (None, false);
    loop {
        let mut marker = bytes.byte()?;
        while marker == 0xff {
            marker = bytes.byte()?; // any number of them may stand before a marker
        }
        match marker {
            0xd9 => return size.filter(|_| has_scan && bytes.are_over()),
            0x00 | 0xd8 => return None,
            0x01 | 0xd0..=0xd7 => {}
            _ => {
                let announced = usize::from(u16::from_be_bytes(bytes.array()?));
                let mut segment = Bytes(bytes.take(announced.checked_sub(2)?)?);
                match marker {
                    // A start of frame; DHT, JPG and DAC are none.
                    0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                        let [_, high, low, wide, narrow] = segment.array()?;
                        let (height, width) = (u16::from_be_bytes([high, low]), u16::from_be_bytes([wide, narrow]));
                        size = Some((width.into(), height.into()));
                    }
                    0xda => {
                        has_scan = true;
                        skip_scan(&mut bytes)?;
                    }
                    _ => {}
                }
            }
        }
        if bytes.byte()? != 0xff {
            return None;
        }
    }
}

/// Skips the data of a scan: up to a marker that is neither a stuffed zero nor a restart.
fn skip_scan(bytes: &mut Bytes<'_>) -> Option<()> {
    let is_end = |pair: &[u8]| matches!(pair, [0xff, next] if *next != 0 && !matches!(next, 0xd0..=0xd7));
    let end = bytes.0.windows(2).position(is_end)?;
    bytes.take(end).map(drop)
}

/// A RIFF file of chunks, the first of which has the size.
fn webp(mut bytes: Bytes<'_>) -> Option<Size> {
    bytes.take(4)?;
    let announced = length(u32::from_le_bytes(bytes.array()?))?;
    if announced != bytes.0.len() {
        return None;
    }
    bytes.take(4)?;
    let (mut size, mut has_frame) = (None, false);
    while !bytes.are_over() {
        let name: [u8; 4] = bytes.array()?;
        let announced = length(u32::from_le_bytes(bytes.array()?))?;
        let mut chunk = Bytes(bytes.take(announced)?);
        bytes.take(announced % 2)?;
        let said = match &name {
            b"VP8 " => lossy(&mut chunk),
            b"VP8L" => lossless(&mut chunk),
            b"VP8X" if size.is_none() => canvas(&mut chunk),
            _ => {
                has_frame |= &name == b"ANMF";
                size?; // the first says the size
                continue;
            }
        };
        has_frame |= &name != b"VP8X";
        // What is shown is the canvas, where there is one.
        size = size.or(Some(said?));
    }
    size.filter(|_| has_frame)
}

/// The head of a key frame (RFC 6386, section 9.1).
fn lossy(chunk: &mut Bytes<'_>) -> Option<Size> {
    let [first, _, _] = chunk.array()?;
    if first & 1 != 0 || chunk.array()? != [0x9d, 0x01, 0x2a] {
        return None;
    }
    let mut side = || Some(u32::from(u16::from_le_bytes(chunk.array()?) & 0x3fff));
    Some((side()?, side()?))
}

/// Fourteen bits each, less one (RFC 9649, section 3.4).
fn lossless(chunk: &mut Bytes<'_>) -> Option<Size> {
    if chunk.byte()? != 0x2f {
        return None;
    }
    let bits = u32::from_le_bytes(chunk.array()?);
    Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
}

/// Twenty-four bits each, less one (RFC 9649, section 2.7).
fn canvas(chunk: &mut Bytes<'_>) -> Option<Size> {
    chunk.take(4)?;
    let mut side = || {
        let [low, middle, high] = chunk.array()?;
        Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
    };
    Some((side()?, side()?))
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
