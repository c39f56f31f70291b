//! Statements that are written and prepared once for each connection.
//!
//! Diesel writes an `INSERT` or `UPDATE` anew each time it is run, as its text may depend on its values, and has the database parse the
//! `UPDATE`. That of a row whose columns are all named is always the same. For rows that are written with the messages of stations.

/// `cached_update!(SaveX of X in x by id: [a, b])`: a statement `SaveX(&row)` that writes these columns of the row with its id.
#[macro_export]
macro_rules! cached_update {
    ($(#[$meta:meta])* $name:ident of $row:ident in $table:ident by $key:ident: [$($column:ident),* $(,)?]) => {
        $(#[$meta])*
        struct $name<'r>(&'r $row);

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $crate::cached_update!(@on diesel::sqlite::Sqlite, diesel::SqliteConnection, $name, $table, $key, [$($column),*]);
        $crate::cached_update!(@on diesel::pg::Pg, diesel::PgConnection, $name, $table, $key, [$($column),*]);

        impl $name<'_> {
            fn save(&self, conn: &mut $crate::store::Conn) -> $crate::store::StoreResult<()> {
                $crate::each!(conn, |conn| diesel::RunQueryDsl::execute(self, conn))?;
                Ok(())
            }
        }
    };
    (@on $backend:ty, $connection:ty, $name:ident, $table:ident, $key:ident, [$($column:ident),*]) => {
        impl diesel::query_builder::QueryFragment<$backend> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::QueryResult<()> {
                use diesel::{Column, Expression};
                out.push_sql(concat!("UPDATE ", stringify!($table), " SET "));
                let mut is_first = true;
                $(
                    out.push_sql(if std::mem::take(&mut is_first) { "" } else { ", " });
                    out.push_identifier(<$table::$column as Column>::NAME)?;
                    out.push_sql(" = ");
                    out.push_bind_param::<<$table::$column as Expression>::SqlType, _>(&self.0.$column)?;
                )*
                let _ = is_first;
                out.push_sql(concat!(" WHERE ", stringify!($key), " = "));
                out.push_bind_param::<<$table::$key as Expression>::SqlType, _>(&self.0.$key)
            }
        }

        impl diesel::RunQueryDsl<$connection> for $name<'_> {}
        impl diesel::RunQueryDsl<$connection> for &$name<'_> {}
    };
}

/// `cached_insert!(InsertX of X in x by id: [a, b])`: a statement `InsertX(&row)` that stores a row with its id and these columns.
/// With `, n on SQLite: "an expression"` its column `n` gets that there, and its default on PostgreSQL.
#[macro_export]
macro_rules! cached_insert {
    (
        $(#[$meta:meta])* $name:ident of $row:ident in $table:ident by $key:ident: [$($column:ident),* $(,)?]
        $(, $own:ident on SQLite: $value:literal)?
    ) => {
        $(#[$meta])*
        struct $name<'r>(&'r $row);

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $crate::cached_insert!(
            @on diesel::sqlite::Sqlite, diesel::SqliteConnection, $name, $table, [$key, $($column),*], [$($own = $value)?]
        );
        $crate::cached_insert!(@on diesel::pg::Pg, diesel::PgConnection, $name, $table, [$key, $($column),*], []);

        impl $name<'_> {
            fn save(&self, conn: &mut $crate::store::Conn) -> $crate::store::StoreResult<()> {
                $crate::each!(conn, |conn| diesel::RunQueryDsl::execute(self, conn))?;
                Ok(())
            }
        }
    };
    (@on $backend:ty, $connection:ty, $name:ident, $table:ident, [$($column:ident),*], [$($own:ident = $value:literal)?]) => {
        impl diesel::query_builder::QueryFragment<$backend> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::QueryResult<()> {
                use diesel::{Column, Expression};
                let mut before = concat!("INSERT INTO ", stringify!($table), " (" $(, stringify!($own), ", ")?);
                $(
                    out.push_sql(std::mem::replace(&mut before, ", "));
                    out.push_identifier(<$table::$column as Column>::NAME)?;
                )*
                before = concat!(") VALUES (" $(, "(", $value, "), ")?);
                $(
                    out.push_sql(std::mem::replace(&mut before, ", "));
                    out.push_bind_param::<<$table::$column as Expression>::SqlType, _>(&self.0.$column)?;
                )*
                out.push_sql(")");
                Ok(())
            }
        }

        impl diesel::RunQueryDsl<$connection> for $name<'_> {}
        impl diesel::RunQueryDsl<$connection> for &$name<'_> {}
    };
}
