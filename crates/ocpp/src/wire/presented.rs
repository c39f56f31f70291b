//! What was presented to a reader, in messages that are answered whatever they say of it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{LenientReader, Repair, Wire};

/// A card that may be sent. One that cannot be read is no reason to refuse its message, and yet a card that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresentedCard<T> {
    /// None was sent.
    Nothing,
    /// One was sent that cannot be read, which was noted as a deviation.
    Unreadable,
    /// This one.
    Card(T),
}

impl<T> PresentedCard<T> {
    /// The card that can be read.
    pub fn card(self) -> Option<T> {
        match self {
            Self::Card(card) => Some(card),
            Self::Nothing | Self::Unreadable => None,
        }
    }

    /// Whether one was sent that cannot be read.
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

impl<T> From<Option<T>> for PresentedCard<T> {
    fn from(card: Option<T>) -> Self {
        card.map_or(Self::Nothing, Self::Card)
    }
}

impl<T: Serialize> Serialize for PresentedCard<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Card(card) => card.serialize(to),
            Self::Nothing | Self::Unreadable => to.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PresentedCard<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Option::deserialize(from).map(Self::from)
    }
}

impl<T: Wire> Wire for PresentedCard<T> {
    fn read_leniently(value: Value, reader: &mut LenientReader) -> Option<Self> {
        if value.is_null() {
            reader.note_deviation(Repair::Null, &value);
            return Some(Self::Nothing);
        }
        Some(reader.spare(value).map_or(Self::Unreadable, Self::Card))
    }

    fn missing(_: &mut LenientReader) -> Option<Self> {
        Some(Self::Nothing)
    }

    fn is_absent(&self) -> bool {
        !matches!(self, Self::Card(_))
    }
}
