//! Enumerations with one spelling out and many in.
//!
//! eDRV's pages spell the same value several ways (`AC Single Phase`, `AC_SINGLE_PHASE`, `AC_1_PHASE`); letter case,
//! spaces, hyphens and underscores never matter, and a variant may list further spellings.

/// An enumeration made by [`spelled!`](crate::spelled!).
pub trait Spelled: Sized + Copy + 'static {
    /// Every value in the order of its declaration.
    const ALL: &'static [Self];
    /// The one spelling that is written.
    fn as_str(self) -> &'static str;
    /// Reads any accepted spelling.
    fn from_spelling(text: &str) -> Option<Self>;
    /// The written spellings, for an error message.
    fn choices() -> String {
        Self::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What counts of a spelling: its letters and digits, without case and separators.
pub fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether two spellings are the same but for case and separators.
pub fn same_spelling(left: &str, right: &str) -> bool {
    letters(left) == letters(right)
}

/// Declares an enumeration: `pub enum Format { Cable = "CABLE", Socket = "SOCKET" | "OUTLET" }`.
#[macro_export]
macro_rules! spelled {
    ($(#[doc = $doc:literal])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal $(| $other:literal)*),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$variant_meta])* $variant),* }
        $crate::spelled_schema!($name $($doc)*);

        impl $crate::spelled::Spelled for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
            fn from_spelling(text: &str) -> Option<Self> {
                let accepted = [$((Self::$variant, $text)$(, (Self::$variant, $other))*),*];
                accepted.into_iter()
                    .find(|(_, spelling)| $crate::spelled::same_spelling(spelling, text))
                    .map(|(value, _)| value)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::spelled::Spelled::as_str(*self))
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str($crate::spelled::Spelled::as_str(*self))
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                $crate::spelled::Spelled::from_spelling(&text).ok_or_else(|| serde::de::Error::custom(
                    format!("one of {}", <Self as $crate::spelled::Spelled>::choices())))
            }
        }
    };
}

/// The schema of such an enumeration, with the lines of its documentation.
#[cfg(feature = "schemas")]
pub fn schema<T: Spelled>(lines: &[&str]) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    use utoipa::openapi::ObjectBuilder;
    use utoipa::openapi::schema::Type;

    let description = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n");
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description((!description.is_empty()).then_some(description))
        .enum_values(Some(T::ALL.iter().map(|one| one.as_str())))
        .into()
}

/// Describes such an enumeration in the OpenAPI document, where that is wanted.
#[cfg(feature = "schemas")]
#[macro_export]
macro_rules! spelled_schema {
    ($name:ident $($doc:literal)*) => { $crate::text_schema!($name, $crate::spelled::schema::<$name>(&[$($doc),*])); };
}

/// There is no OpenAPI document here.
#[cfg(not(feature = "schemas"))]
#[macro_export]
macro_rules! spelled_schema {
    ($name:ident $($doc:literal)*) => {};
}

#[cfg(test)]
mod tests {
    use super::Spelled;

    crate::spelled! {
        /// How much power a connector has.
        enum PowerType {
            /// One phase.
            SinglePhase = "AC Single Phase" | "AC_1_PHASE",
            /// Direct current.
            Dc = "DC",
        }
    }

    #[test]
    fn every_spelling_in_one_spelling_out() {
        for text in ["AC Single Phase", "AC_SINGLE_PHASE", "ac-single-phase", "AC_1_PHASE"] {
            assert_eq!(PowerType::from_spelling(text), Some(PowerType::SinglePhase));
        }
        assert_eq!(PowerType::SinglePhase.to_string(), "AC Single Phase");
        assert_eq!(PowerType::from_spelling("AC"), None);
        assert_eq!(PowerType::choices(), "AC Single Phase, DC");
    }
}
