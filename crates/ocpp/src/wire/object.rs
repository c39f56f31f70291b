//! Objects are read from objects only: serde's derived readers take a list as well, for the fields in their order.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};

/// A type whose fields serde can read.
pub trait Fields<'de>: Sized {
    /// Reads them as the derived reader does.
    fn of<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;
}

/// Reads a type from an object.
pub fn from_object<'de, T: Fields<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Fields<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::of(MapAccessDeserializer::new(map))
        }
    }
    from.deserialize_map(Object(PhantomData))
}
