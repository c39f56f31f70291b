//! The pair of both stores as a backend: JSON documents as columns, and what the types of the kernel and of the slices need
//! besides their forms for either store alone (`kernel::columns`).
//!
//! JSON documents are `jsonb` on PostgreSQL and text on SQLite.

use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::MultiBackend;
pub use kernel::columns::Instant;
use kernel::*;

/// SQL type of a JSON document.
#[derive(Debug, Clone, Copy, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct JsonDoc;

impl HasSqlType<Instant> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Instant>(lookup)
    }
}

impl HasSqlType<JsonDoc> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<JsonDoc>(lookup)
    }
}

impl ToSql<Instant, MultiBackend> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Instant, self));
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, MultiBackend> for Timestamp {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Instant>()
    }
}

/// A value kept as a JSON document.
#[derive(Debug, Clone, Default, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = JsonDoc)]
pub struct Json<T>(pub T)
where
    T: std::fmt::Debug;

impl<T: Serialize + std::fmt::Debug> ToSql<JsonDoc, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[1])?; // the version byte of jsonb's binary form
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: DeserializeOwned + std::fmt::Debug> FromSql<JsonDoc, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (_, json) = value.as_bytes().split_first().ok_or("an empty jsonb value")?;
        Ok(Self(serde_json::from_slice(json)?))
    }
}
impl<T: Serialize + std::fmt::Debug> ToSql<JsonDoc, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl<T: DeserializeOwned + std::fmt::Debug> FromSql<JsonDoc, Sqlite> for Json<T> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}
impl<T: Serialize + std::fmt::Debug + Send + Sync + 'static> ToSql<JsonDoc, MultiBackend> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((JsonDoc, self));
        Ok(IsNull::No)
    }
}
impl<T: DeserializeOwned + std::fmt::Debug> FromSql<JsonDoc, MultiBackend> for Json<T> {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, JsonDoc>()
    }
}

/// A value that was kept as a JSON document, or why it cannot be read: one such row does not hide the others.
#[derive(Debug, FromSqlRow)]
pub struct Legible<T>(pub Result<T, String>)
where
    T: std::fmt::Debug;

impl<T: std::fmt::Debug, B: Backend> FromSql<JsonDoc, B> for Legible<T>
where
    Json<T>: FromSql<JsonDoc, B>,
{
    fn from_sql(value: B::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Json::from_sql(value).map(|Json(value)| value).map_err(|error| error.to_string())))
    }
}

/// A type of the kernel that is text, as a column of the pair.
macro_rules! pair_columns {
    ($($name:ident),* $(,)?) => {$(
        impl ToSql<Text, MultiBackend> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((Text, self));
                Ok(IsNull::No)
            }
        }
    )*};
}

kernel::every_id!(pair_columns);
pair_columns!(Currency, Protocol);

/// Stores types as text, as [`kernel::text_column!`] does, in the pair of both stores, too.
#[macro_export]
macro_rules! text_column {
    (spelled $($name:ty),* $(,)?) => { kernel::text_column!(spelled $($name),*); $($crate::text_column!(@pair $name);)* };
    (@pair $name:ty) => {
        impl diesel::serialize::ToSql<diesel::sql_types::Text, $crate::store::connection::MultiBackend> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, $crate::store::connection::MultiBackend>,
            ) -> diesel::serialize::Result {
                out.set_value((diesel::sql_types::Text, self));
                Ok(diesel::serialize::IsNull::No)
            }
        }
    };
    ($($name:ty),* $(,)?) => { kernel::text_column!($($name),*); $($crate::text_column!(@pair $name);)* };
}
