//! How our types become columns of either store: the same Rust type in both.
//!
//! Instants are `timestamptz` on PostgreSQL and microseconds on SQLite, ids and spelled enumerations are text, quantities
//! are 64-bit integers. The pair of both stores is the server's own type; it adds itself.

use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::BigInt;
use diesel::sqlite::{Sqlite, SqliteValue};

use crate::{Currency, Milliamps, Millivolts, Timestamp, WattHours, Watts};

pub use diesel; // for the macros below, in crates that do not name it

/// SQL type of a [`Timestamp`].
#[derive(Debug, Clone, Copy, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Instant;

impl diesel::sql_types::SqlOrd for Instant {}

/// Microseconds from 1970 to PostgreSQL's own epoch, 2000-01-01.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;

#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive)]
#[diesel(sql_type = Instant)]
#[expect(dead_code, reason = "only the derived implementations are wanted")]
struct TimestampProxy(Timestamp);

impl ToSql<Instant, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&(self.micros() - PG_EPOCH_MICROS).to_be_bytes())?;
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        Ok(Self::from_micros(micros + PG_EPOCH_MICROS))
    }
}
impl ToSql<Instant, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, Sqlite> for Timestamp {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value).map(Self::from_micros)
    }
}
/// Stores types by their `Display` and `FromStr`, or, `spelled`, by the spellings of an enumeration, as text.
#[macro_export]
macro_rules! text_column {
    ($($name:ty),* $(,)?) => { $($crate::text_column!(@one $name, |value: &$name| value.to_string(),
        |text: String| text.parse::<$name>().map_err(|error| error.to_string()));)* };
    (spelled $($name:ty),* $(,)?) => { $($crate::text_column!(@one $name, |value: &$name| value.to_string(),
        |text: String| <$name as $crate::spelled::Spelled>::from_spelling(&text)
            .ok_or_else(|| format!("unknown {}: {text}", stringify!($name))));)* };
    (@one $name:ty, $show:expr, $read:expr) => { const _: () = {
        use diesel::serialize::{IsNull, Output, Result as Written, ToSql};
        use diesel::sql_types::Text;

        #[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(foreign_derive)]
        #[diesel(sql_type = Text)]
        #[allow(dead_code)]
        struct Proxy($name);

        impl ToSql<Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::pg::Pg>) -> Written {
                let show = $show;
                std::io::Write::write_all(out, show(self).as_bytes())?;
                Ok(IsNull::No)
            }
        }
        impl ToSql<Text, diesel::sqlite::Sqlite> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::sqlite::Sqlite>) -> Written {
                let show = $show;
                out.set_value(show(self));
                Ok(IsNull::No)
            }
        }
        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<Text, DB> for $name
        where
            String: diesel::deserialize::FromSql<Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let read = $read;
                let text = <String as diesel::deserialize::FromSql<Text, DB>>::from_sql(value)?;
                Ok(read(text)?)
            }
        }
    }; };
}

macro_rules! quantity_column {
    ($($name:ident),*) => {$( const _: () = {
        #[derive(AsExpression, FromSqlRow)]
        #[diesel(foreign_derive)]
        #[diesel(sql_type = BigInt)]
        #[expect(dead_code, reason = "only the derived implementations are wanted")]
        struct Proxy($name);

        impl<DB: Backend> ToSql<BigInt, DB> for $name
        where
            i64: ToSql<BigInt, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }
        impl<DB: Backend> FromSql<BigInt, DB> for $name
        where
            i64: FromSql<BigInt, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                <i64 as FromSql<BigInt, DB>>::from_sql(value).map(Self)
            }
        }
    };)*};
}

quantity_column!(Watts, Milliamps, Millivolts, WattHours);

text_column!(Currency);
