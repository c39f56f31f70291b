//! Bounded texts: a value of these types was already checked, so nobody behind the door checks again.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text of `MIN` to `MAX` characters without control characters, trimmed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// What a person calls something: 1 to 100 characters.
pub type Name = Text<1, 100>;
/// A code people type or print: 1 to 50 characters.
pub type Code = Text<1, 50>;
/// Free text: up to 2,000 characters.
pub type Note = Text<0, 2000>;
/// A short line: up to 255 characters.
pub type Line = Text<0, 255>;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Fewer characters than allowed.
    #[error("must have at least {0} character(s)")]
    TooShort(usize),
    /// More characters than allowed.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control character other than a line break or tab.
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> utoipa::PartialSchema for Text<MIN, MAX> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(MIN))
            .max_length(Some(MAX))
            .into()
    }
}

impl<const MIN: usize, const MAX: usize> utoipa::ToSchema for Text<MIN, MAX> {}

impl<const MIN: usize, const MAX: usize> TryFrom<String> for Text<MIN, MAX> {
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
        if trimmed
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            return Err(InvalidText::ControlCharacter);
        }
        Ok(if trimmed.len() == text.len() {
            Self(text)
        } else {
            Self(trimmed.to_owned())
        })
    }
}

impl<const MIN: usize, const MAX: usize> FromStr for Text<MIN, MAX> {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        text.to_owned().try_into()
    }
}

impl<const MIN: usize, const MAX: usize> From<Text<MIN, MAX>> for String {
    fn from(text: Text<MIN, MAX>) -> Self {
        text.0
    }
}

impl<const MIN: usize, const MAX: usize> Deref for Text<MIN, MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_count_characters_after_trimming() {
        assert_eq!(
            "  Depot ".parse::<Name>().map(String::from),
            Ok("Depot".into())
        );
        assert_eq!("   ".parse::<Name>(), Err(InvalidText::TooShort(1)));
        assert_eq!(
            "é".repeat(101).parse::<Name>(),
            Err(InvalidText::TooLong(100))
        );
        assert!("é".repeat(100).parse::<Name>().is_ok());
        assert_eq!(
            "a\u{0}b".parse::<Name>(),
            Err(InvalidText::ControlCharacter)
        );
    }
}
