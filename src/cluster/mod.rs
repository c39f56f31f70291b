//! Several processes on one PostgreSQL store: every node takes stations and requests, one of them leads.
//!
//! The leader is the one server of the store, as without a cluster: it holds the store's lock, has the sessions in memory, balances,
//! delivers and sends. Every node has an edge ([`edge`]), where stations and clients connect; it passes requests on to the leader and holds
//! the stations' sockets, also while the leader changes. Who leads, and where, is known by the table of nodes ([`membership`]). See
//! `docs/adr/0018-one-node-leads.md`.

pub mod api;
pub mod edge;
pub mod membership;
mod model;
pub mod passed_on;
pub mod store;

pub use api::Alone;
pub use edge::{Edge, EdgeSettings};
pub use membership::{JoinError, Leader, Membership, Myself};
pub use passed_on::Secret;
