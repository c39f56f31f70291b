//! Numbers by name: what is counted without ever going back, and what background work has to know after a restart.

use diesel::prelude::*;

use super::connection::Conn;
use super::error::StoreResult;
use super::schema::counters;
use crate::each;

/// The next number of a counter that the schema has a row for: from 1, never the same twice.
pub fn next(conn: &mut Conn, name: &'static str) -> StoreResult<i64> {
    Ok(diesel::update(counters::table.find(name))
        .set(counters::value.eq(counters::value + 1))
        .returning(counters::value)
        .get_result(conn)?)
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
