//! The ways to declare what a payload contains.
//!
//! One declaration gives the type, how it is written, how it is read strictly and how leniently, so a field
//! cannot be in one and missing in another. What is marked `[V21]` came with OCPP 2.1, and what is marked
//! `[OptionalSinceV21]` must not be missing before.

/// Declares an object of the wire. Fields are `camelCase` there, in this order; an `Option` is left out when `None`.
#[macro_export]
macro_rules! message {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $seen:vis $field:ident $(as $wire:literal)?: $type:ty $([$since:ident])?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[serde(remote = "Self")]
        $vis struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::wire::Wire::is_absent")]
                $(#[serde(rename = $wire)])?
                $seen $field: $type,
            )*
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::wire::from_object(from)
            }
        }

        impl<'de> $crate::wire::Fields<'de> for $name {
            fn of<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::deserialize(from)
            }
        }

        impl $crate::wire::Wire for $name {
            #[allow(unused_mut, reason = "an object without fields takes none out")]
            fn read_leniently(value: serde_json::Value, reader: &mut $crate::wire::LenientReader) -> Option<Self> {
                let mut fields = reader.object(value)?;
                $(let $field = $crate::message!(@take reader, fields, $field $(as $wire)? $([$since])?);)*
                reader.leftovers(fields);
                Some(Self { $($field: $field?),* })
            }
        }
    };
    (@take $reader:ident, $fields:ident, $field:ident $(as $wire:literal)? [V21]) => {
        if $reader.since_21(true, false) {
            $crate::message!(@take $reader, $fields, $field $(as $wire)?)
        } else {
            Some(None)
        }
    };
    (@take $reader:ident, $fields:ident, $field:ident [OptionalSinceV21]) => {
        $reader.optional_since_21(&mut $fields, stringify!($field))
    };
    (@take $reader:ident, $fields:ident, $field:ident as $wire:literal) => {
        $reader.field_named(&mut $fields, $wire)
    };
    (@take $reader:ident, $fields:ident, $field:ident) => {
        $reader.field(&mut $fields, stringify!($field))
    };
}

/// Declares a question and its answer: a module with a `Request` and a `Response`.
#[macro_export]
macro_rules! exchange {
    ($(#[$meta:meta])* $module:ident
        asks { $($(#[$asked_meta:meta])* $asked:ident $(as $asked_wire:literal)?: $asked_type:ty $([$asked_since:ident])?),* $(,)? }
        answers { $($(#[$answered_meta:meta])* $answered:ident $(as $answered_wire:literal)?: $answered_type:ty $([$answered_since:ident])?),* $(,)? }
    ) => {
        $(#[$meta])*
        pub mod $module {
            #[allow(unused_imports, reason = "some ask for nothing that is declared beside them")]
            use super::*;

            $crate::message! {
                /// What is asked.
                pub struct Request {
                    $($(#[$asked_meta])* pub $asked $(as $asked_wire)?: $asked_type $([$asked_since])?),*
                }
            }
            $crate::message! {
                /// What is answered.
                pub struct Response {
                    $($(#[$answered_meta])* pub $answered $(as $answered_wire)?: $answered_type $([$answered_since])?),*
                }
            }
        }
    };
}

/// Declares a value out of a list. `open` lists, those stations fill, keep an unspecified value as `Unknown` text; to
/// `free` ones anybody may add since OCPP 2.1.
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident $(= $text:literal)? $([$since:ident])?),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $(#[doc = concat!("`", $crate::choice!(@text $variant $($text)?), "`")] $variant,)*
        }
        impl $name {
            /// As it is written on the wire.
            $vis const fn as_str(&self) -> &str {
                match self { $(Self::$variant => $crate::choice!(@text $variant $($text)?),)* }
            }
            /// Whether it came with OCPP 2.1.
            const fn is_new(&self) -> bool {
                match self { $(Self::$variant => $crate::choice!(@new $($since)?),)* }
            }
        }
        $crate::choice!(@read $vis $name $($variant = $crate::choice!(@text $variant $($text)?)),*);
        impl $crate::wire::Wire for $name {
            fn read_leniently(value: serde_json::Value, reader: &mut $crate::wire::LenientReader) -> Option<Self> {
                reader.choice(value, Self::ALL, Self::as_str, Self::is_new, |_| None)
            }
        }
    };
    ($(#[$meta:meta])* $vis:vis open enum $name:ident { $($values:tt)* }) => {
        $crate::choice! { @open read choice $(#[$meta])* $vis enum $name { $($values)* } }
    };
    ($(#[$meta:meta])* $vis:vis free enum $name:ident { $($values:tt)* }) => {
        $crate::choice! { @open read_any free_choice $(#[$meta])* $vis enum $name { $($values)* } }
    };
    (@open $read:ident $choose:ident $(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident $(= $text:literal)? $([$since:ident])?),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $(#[doc = concat!("`", $crate::choice!(@text $variant $($text)?), "`")] $variant,)*
            /// A value nobody specified, as it was received.
            Unknown(String),
        }
        impl $name {
            /// As it is written on the wire.
            $vis const fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $crate::choice!(@text $variant $($text)?),)*
                    Self::Unknown(text) => text.as_str(),
                }
            }
            /// Whether it came with OCPP 2.1.
            const fn is_new(&self) -> bool {
                match self {
                    $(Self::$variant => $crate::choice!(@new $($since)?),)*
                    Self::Unknown(_) => false,
                }
            }
        }
        $crate::choice!(@$read $vis $name $($variant = $crate::choice!(@text $variant $($text)?)),*);
        impl $crate::wire::Wire for $name {
            fn read_leniently(value: serde_json::Value, reader: &mut $crate::wire::LenientReader) -> Option<Self> {
                reader.$choose(value, Self::ALL, Self::as_str, Self::is_new, |text| Some(Self::Unknown(text)))
            }
        }
    };
    (@new) => { false };
    (@new V21) => { true };
    (@text $variant:ident) => { stringify!($variant) };
    (@text $variant:ident $text:literal) => { $text };
    (@write $vis:vis $name:ident $($variant:ident = $text:expr),*) => {
        impl $name {
            /// Every specified value.
            $vis const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
    };
    (@read_any $vis:vis $name:ident $($variant:ident = $text:expr),*) => {
        $crate::choice!(@write $vis $name $($variant = $text),*);
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                let known = Self::ALL.iter().find(|one| one.as_str() == text).cloned();
                Ok(known.unwrap_or_else(|| Self::Unknown(text.into_owned())))
            }
        }
    };
    (@read $vis:vis $name:ident $($variant:ident = $text:expr),*) => {
        $crate::choice!(@write $vis $name $($variant = $text),*);
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                Self::ALL.iter().find(|one| one.as_str() == text).cloned()
                    .ok_or_else(|| serde::de::Error::unknown_variant(&text, &[$($text),*]))
            }
        }
    };
}
