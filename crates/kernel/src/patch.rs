//! One field of a JSON merge patch (RFC 7396): absent leaves it, null clears it, a value replaces it.

/// What a patch says about one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The field was not mentioned.
    #[default]
    Absent,
    /// The field was set to null.
    Null,
    /// The field was given a value.
    Value(T),
}

impl<T> Patch<T> {
    /// Applies it to a field that may be empty.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *field = None,
            Self::Value(value) => *field = Some(value),
        }
    }

    /// Applies it to a field that has a default instead of being empty.
    pub fn apply_or(self, field: &mut T, default: T) {
        match self {
            Self::Absent => {}
            Self::Null => *field = default,
            Self::Value(value) => *field = value,
        }
    }

    /// The same patch with its value turned into something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(turn(value)),
        }
    }

    /// The value, where one was given.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Whether the field was not mentioned at all.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keeps_null_clears_value_replaces() {
        let mut field = Some(1);
        Patch::Absent.apply(&mut field);
        assert_eq!(field, Some(1));
        Patch::Value(2).apply(&mut field);
        assert_eq!(field, Some(2));
        Patch::Null.apply(&mut field);
        assert_eq!(field, None);
    }
}
