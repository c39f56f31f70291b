//! A node: its row, and what the API shows of it.

use diesel::prelude::*;
use serde::Serialize;

use crate::store::schema::nodes;
use kernel::Timestamp;

/// A process of the cluster, as it said of itself last.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = nodes)]
pub struct Node {
    /// Its name, unique in the cluster.
    pub name: String,
    /// Of this run of it.
    pub token: i64,
    /// Where other nodes reach it.
    pub address: String,
    /// What it runs.
    pub version: String,
    /// When it started, and when it was heard of last, by the database's clock.
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    /// Whether it gives its stations away and takes no new ones.
    pub draining: bool,
    /// Stations and event streams that are connected to it.
    pub sockets: i32,
    /// Trees of groups that it balances.
    pub trees: i32,
    /// The term of its leadership, where it led.
    pub term: Option<i64>,
    pub leads_since: Option<Timestamp>,
}

/// A node of the cluster; the only one where there is no cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NodeView {
    /// Its name, unique in the cluster.
    #[schema(example = "berlin-1")]
    pub name: String,
    /// The version of Evenwatt that it runs.
    #[schema(example = "0.2.0")]
    pub version: String,
    /// Whether it does the work: balancing, sessions, webhooks, e-mails. The others pass on to it.
    pub leads: bool,
    /// The number of its leadership; each leader has a higher one than the one before.
    pub term: Option<i64>,
    /// Since when it leads.
    pub leads_since: Option<Timestamp>,
    /// Whether it gives its stations to other nodes, because it stops.
    pub draining: bool,
    /// Whether it was heard of within the last 8 seconds.
    pub alive: bool,
    /// Milliseconds since it was heard of.
    pub lag_ms: i64,
    /// WebSockets that are open at it: stations, and clients that stream events.
    pub sockets: i32,
    /// Trees of load-management groups that it balances.
    pub trees: i32,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was heard of last.
    pub seen_at: Timestamp,
}

impl NodeView {
    /// What is shown of a node at this instant, where this term is the highest.
    pub fn of(node: Node, now: Timestamp, leading: Option<i64>) -> Self {
        let Node { name, version, started_at, seen_at, draining, sockets, trees, term, leads_since, .. } = node;
        let leads = term.is_some() && term == leading;
        let lag = now.since(seen_at);
        Self {
            name,
            version,
            leads,
            term: term.filter(|_| leads),
            leads_since: leads_since.filter(|_| leads),
            draining,
            alive: lag < super::membership::DEAD_AFTER,
            lag_ms: i64::try_from(lag.as_millis()).unwrap_or(i64::MAX),
            sockets,
            trees,
            started_at,
            seen_at,
        }
    }
}
