//! Why a connection is not read any further, and what it is closed with.

use super::close;

/// Why nothing more is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A message is, or announces to be, larger than allowed.
    #[error("the message is too large")]
    TooLarge,
    /// The rules of WebSockets are broken; says which.
    #[error("{0}")]
    Protocol(&'static str),
    /// A text is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// The connection ended in the middle.
    #[error("the connection ended")]
    Ended,
}

impl Fault {
    /// The code to close with.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::TooLarge => close::SIZE,
            Self::NotUtf8 => close::INVALID,
            Self::Protocol(_) | Self::Ended => close::PROTOCOL,
        }
    }

    /// What to say beside it.
    pub const fn close_reason(self) -> &'static str {
        match self {
            Self::TooLarge => "the message is too large",
            Self::NotUtf8 => "the text is not UTF-8",
            Self::Protocol(why) => why,
            Self::Ended => "the connection ended",
        }
    }
}
