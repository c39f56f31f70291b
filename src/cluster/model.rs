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
    /// Stands for the secret that it was given.
    pub secret: String,
}

/// A node of the cluster; the only one where there is no cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct NodeView {
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
    /// What is shown of the one server that there is, with so many sockets and trees.
    pub(super) fn alone(started_at: Timestamp, now: Timestamp, (sockets, trees): (i32, i32)) -> Self {
        Self {
            name: "evenwatt".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            leads: true,
            term: Some(1),
            leads_since: Some(started_at),
            draining: false,
            alive: true,
            lag_ms: 0,
            sockets,
            trees,
            started_at,
            seen_at: now,
        }
    }

    /// What is shown of a node at this instant, where this term is the highest.
    pub(super) fn of(node: Node, now: Timestamp, leading: Option<i64>) -> Self {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn node(term: Option<i64>) -> Node {
        let at = Timestamp::from_unix_seconds(1_777_000_000);
        Node {
            name: "berlin-1".to_owned(),
            token: 7,
            address: "http://10.0.0.5:9480".to_owned(),
            version: "0.2.0".to_owned(),
            started_at: at,
            seen_at: at,
            draining: false,
            sockets: 3,
            trees: 2,
            term,
            leads_since: term.map(|_| at),
            secret: String::new(),
        }
    }

    #[test]
    fn who_has_the_highest_term_leads_and_who_led_before_does_not() {
        let now = Timestamp::from_unix_seconds(1_777_000_001);
        let leader = NodeView::of(node(Some(4)), now, Some(4));
        assert!(leader.leads && leader.term == Some(4) && leader.leads_since.is_some());
        let before = NodeView::of(node(Some(3)), now, Some(4));
        assert!(!before.leads && before.term.is_none() && before.leads_since.is_none());
        assert!(!NodeView::of(node(None), now, None).leads);
    }

    #[test]
    fn a_node_is_alive_for_eight_seconds_after_it_was_heard_of() {
        let at = Timestamp::from_unix_seconds(1_777_000_000);
        let after = |span| NodeView::of(node(None), at + span, None);
        assert!(after(Duration::from_millis(7_999)).alive);
        assert_eq!((after(Duration::from_secs(8)).alive, after(Duration::from_secs(8)).lag_ms), (false, 8_000));
    }
}
