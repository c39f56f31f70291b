//! The table of nodes.

use diesel::prelude::*;

use super::model::Node;
use crate::each;
use crate::store::schema::nodes;
use crate::store::{Conn, StoreResult, counters};
use kernel::Timestamp;

/// The counter of leaderships.
const TERM: &str = "leader_term";

/// What time the database has: the one clock that all nodes share.
pub fn database_now(conn: &mut Conn, otherwise: Timestamp) -> StoreResult<Timestamp> {
    match conn {
        Conn::Sqlite(_) => Ok(otherwise),
        Conn::Pg(conn) => {
            let micros = diesel::dsl::sql::<diesel::sql_types::BigInt>(
                "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            );
            Ok(Timestamp::from_micros(diesel::select(micros).get_result(conn)?))
        }
    }
}

/// All nodes, by name.
pub fn list(conn: &mut Conn) -> StoreResult<Vec<Node>> {
    Ok(nodes::table.order(nodes::name).select(Node::as_select()).load(conn)?)
}

/// Writes what a node says of itself; its leadership stays.
pub fn beat(conn: &mut Conn, node: &Node) -> StoreResult<()> {
    let said = (
        nodes::token.eq(node.token),
        nodes::address.eq(&node.address),
        nodes::version.eq(&node.version),
        nodes::started_at.eq(node.started_at),
        nodes::seen_at.eq(node.seen_at),
        nodes::draining.eq(node.draining),
        nodes::sockets.eq(node.sockets),
        nodes::trees.eq(node.trees),
        nodes::secret.eq(&node.secret),
    );
    each!(conn, |conn| diesel::insert_into(nodes::table)
        .values(node)
        .on_conflict(nodes::name)
        .do_update()
        .set(said)
        .execute(conn))?;
    Ok(())
}

/// Notes that a node leads from now on; answers its term. Only who holds the store's lock may write this.
pub fn lead(conn: &mut Conn, name: &str, now: Timestamp) -> StoreResult<i64> {
    let now = database_now(conn, now)?;
    let term = counters::find(conn, TERM)?.unwrap_or(0) + 1;
    counters::keep(conn, TERM, term)?;
    let leads = (nodes::term.eq(term), nodes::leads_since.eq(now));
    let none = (nodes::term.eq(None::<i64>), nodes::leads_since.eq(None::<Timestamp>));
    diesel::update(nodes::table.filter(nodes::name.ne(name))).set(none).execute(conn)?;
    diesel::update(nodes::table.find(name)).set(leads).execute(conn)?;
    Ok(term)
}

/// Notes that a run of a node leads no longer.
pub fn step_down(conn: &mut Conn, token: i64) -> StoreResult<()> {
    let none = (nodes::term.eq(None::<i64>), nodes::leads_since.eq(None::<Timestamp>));
    let led = nodes::table.filter(nodes::token.eq(token)).filter(nodes::term.is_not_null());
    diesel::update(led).set(none).execute(conn)?;
    Ok(())
}

/// Forgets a run of a node that left.
pub fn remove(conn: &mut Conn, token: i64) -> StoreResult<()> {
    diesel::delete(nodes::table.filter(nodes::token.eq(token))).execute(conn)?;
    Ok(())
}

/// Forgets nodes that were not heard of since.
pub fn forget(conn: &mut Conn, since: Timestamp) -> StoreResult<()> {
    diesel::delete(nodes::table.filter(nodes::seen_at.lt(since))).execute(conn)?;
    Ok(())
}
