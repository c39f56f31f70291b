//! What metrics show of deliveries: how many wait, and for how long.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::each;
use crate::store::{Conn, StoreResult};
use kernel::Timestamp;
use kernel::id::RawId;

/// Deliveries that are counted: to know that more wait, all of them need not be read.
const MOST: i64 = 100_000;

/// What waits for webhooks that are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// How many deliveries, as far as they are counted.
    pub waiting: i64,
    /// Since when one of them waits.
    pub since: Option<Timestamp>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = Nullable<Text>)]
    first: Option<String>,
}

/// Counts what waits by the index of it alone: an id begins with the second in which it was made.
pub fn backlog(conn: &mut Conn) -> StoreResult<Backlog> {
    let question = format!(
        "SELECT count(*) AS waiting, min(id) AS first FROM (SELECT d.id FROM webhook_deliveries d \
         WHERE d.status = 'pending' AND d.webhook_id IN (SELECT w.id FROM webhooks w WHERE w.active) LIMIT {MOST}) some"
    );
    let Row { waiting, first }: Row = each!(conn, |conn| sql_query(question).get_result(conn))?;
    let made = first.and_then(|id| id.parse::<RawId>().ok()).map(|id| {
        let [a, b, c, d, ..] = *id.as_bytes();
        Timestamp::from_unix_seconds(u32::from_be_bytes([a, b, c, d]).into())
    });
    Ok(Backlog { waiting, since: made })
}
