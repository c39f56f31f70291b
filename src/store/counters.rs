//! Numbers by name: what is counted without ever going back, and what background work has to know after a restart.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Text};

use super::connection::Conn;
use super::error::StoreResult;
use super::schema::counters;
use crate::each;

/// The next number of a counter that the schema has a row for: from 1, never the same twice.
pub fn next(conn: &mut Conn, name: &'static str) -> StoreResult<i64> {
    Ok(each!(conn, |conn| Next(name).get_result(conn))?)
}

/// Leaves out numbers of a counter that the schema has a row for.
pub fn skip(conn: &mut Conn, name: &str, numbers: i64) -> StoreResult<()> {
    diesel::update(counters::table.find(name)).set(counters::value.eq(counters::value + numbers)).execute(conn)?;
    Ok(())
}

/// Counts on; unlike an `UPDATE` of Diesel's it is prepared once for each connection.
#[derive(Clone, Copy, QueryId)]
struct Next(&'static str);

impl Query for Next {
    type SqlType = BigInt;
}

impl<C> RunQueryDsl<C> for Next {}

impl<DB: Backend> QueryFragment<DB> for Next
where
    str: ToSql<Text, DB>,
    DB: diesel::sql_types::HasSqlType<Text>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE counters SET value = value + 1 WHERE name = ");
        out.push_bind_param::<Text, _>(self.0)?;
        out.push_sql(" RETURNING value");
        Ok(())
    }
}

/// The number that was kept by this name last.
pub fn find(conn: &mut Conn, name: &str) -> StoreResult<Option<i64>> {
    Ok(counters::table.find(name).select(counters::value).first(conn).optional()?)
}

/// Keeps a number by its name, in place of the one before.
pub fn keep(conn: &mut Conn, name: &str, value: i64) -> StoreResult<()> {
    let row = (counters::name.eq(name), counters::value.eq(value));
    each!(conn, |conn| diesel::insert_into(counters::table)
        .values(row)
        .on_conflict(counters::name)
        .do_update()
        .set(counters::value.eq(value))
        .execute(conn))?;
    Ok(())
}
