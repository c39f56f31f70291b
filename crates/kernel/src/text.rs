//! Bounded texts: a value of these types was already checked, so nobody checks it again.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text of `MIN` to `MAX` characters without control characters, trimmed; with `LINES` it may have line breaks and tabs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Text<const MIN: usize, const MAX: usize, const LINES: bool = false>(String);

/// What a person calls something: 1 to 100 characters.
pub type Name = Text<1, 100>;
/// A code people type or print: 1 to 50 characters.
pub type Code = Text<1, 50>;
/// Free text: up to 2,000 characters.
pub type Note = Text<0, 2000, true>;
/// A short line: up to 255 characters.
pub type Line = Text<0, 255>;

/// Whether a character controls instead of being read: what moves a cursor, ends a line or turns the direction of what follows, so
/// that a name is not what it looks like. In texts of several lines, line breaks and tabs are read.
pub fn is_unreadable(letter: char, lines: bool) -> bool {
    match letter {
        '\n' | '\r' | '\t' => !lines,
        '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// What was stored before a rule was made is read all the same, with spaces where it would be refused today.
impl<'de, const MIN: usize, const MAX: usize, const LINES: bool> Deserialize<'de> for Text<MIN, MAX, LINES> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let readable = |letter| {
            if is_unreadable(letter, LINES) { ' ' } else { letter }
        };
        let text: String = String::deserialize(from)?.chars().map(readable).collect();
        text.try_into().map_err(serde::de::Error::custom)
    }
}

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Fewer characters than allowed.
    #[error("must have at least {0} character(s)")]
    TooShort(usize),
    /// More characters than allowed.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control character; in texts of several lines, one other than a line break or tab.
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> Text<MIN, MAX, LINES> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> TryFrom<String> for Text<MIN, MAX, LINES> {
    type Error = InvalidText;
    fn try_from(text: String) -> Result<Self, InvalidText> {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        if length < MIN {
            return Err(InvalidText::TooShort(MIN));
        }
        if length > MAX {
            return Err(InvalidText::TooLong(MAX));
        }
        if trimmed.chars().any(|c| is_unreadable(c, LINES)) {
            return Err(InvalidText::ControlCharacter);
        }
        Ok(if trimmed.len() == text.len() { Self(text) } else { Self(trimmed.to_owned()) })
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> FromStr for Text<MIN, MAX, LINES> {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        text.to_owned().try_into()
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> From<Text<MIN, MAX, LINES>> for String {
    fn from(text: Text<MIN, MAX, LINES>) -> Self {
        text.0
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> Deref for Text<MIN, MAX, LINES> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> fmt::Display for Text<MIN, MAX, LINES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MIN: usize, const MAX: usize, const LINES: bool> fmt::Debug for Text<MIN, MAX, LINES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_after_trimming() {
        assert_eq!("  Depot ".parse::<Name>().map(String::from), Ok("Depot".into()));
        assert_eq!("   ".parse::<Name>(), Err(InvalidText::TooShort(1)));
        assert_eq!("é".repeat(101).parse::<Name>(), Err(InvalidText::TooLong(100)));
        assert!("é".repeat(100).parse::<Name>().is_ok());
        assert_eq!("a\u{0}b".parse::<Name>(), Err(InvalidText::ControlCharacter));
    }

    #[test]
    fn names_have_one_line_and_look_like_what_they_are() {
        for name in ["a\nb", "a\tb", "a\rb", "a\u{7f}b", "a\u{202e}b", "a\u{2028}b"] {
            let refused = Err(InvalidText::ControlCharacter);
            assert_eq!(name.parse::<Name>(), refused, "{name:?}");
            let stored: Name = serde_json::from_value(name.into()).expect("an older text");
            assert_eq!(stored.as_str(), "a b");
        }
        assert!("Ladepark Köln 👩\u{200d}🔧".parse::<Name>().is_ok());
        assert!("first\n\tsecond".parse::<Note>().is_ok());
        assert!("a\u{1b}[31mb".parse::<Note>().is_err());
    }
}
