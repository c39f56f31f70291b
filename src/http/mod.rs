//! What every endpoint shares: the envelope, the error table, who is calling, bodies and lists.
//!
//! A handler is a short story in these words: `Caller<Permission>` says who may, [`Body`] what was sent,
//! [`list`] how many rows come back, [`Found`]/[`Created`]/[`Changed`]/[`Deleted`] what is answered, [`ApiError`]
//! what went wrong. See `docs/API-DESIGN.md`.

use std::sync::Arc;

use crate::store::{Db, Lane};
use clock::SharedClock;
use kernel::{IdSource, Moment};

pub mod address;
pub mod address_limiter;
pub mod audit;
pub mod body;
pub mod caller;
pub mod client;
pub mod codes;
pub mod cookies;
pub mod csv;
pub mod docs;
pub mod document;
pub mod envelope;
pub mod error;
pub mod fields;
pub mod geo;
pub mod headers;
pub mod idempotency;
pub mod include;
pub mod list;
pub mod login;
pub mod merging;
pub mod middleware;
pub mod money;
pub mod origin;
mod principal;
pub mod quantities;
pub mod query;
mod reach;
pub mod request_id;
pub mod routing;
pub mod routing_client;
pub mod websocket;

pub use body::{Body, PathId, PathIds, Raw};
pub use caller::Caller;
pub use client::{ProxyHeader, TrustedProxies, client_address, neighbourhood, was_encrypted};
pub use codes::Code;
pub use envelope::{Changed, Created, Deleted, Found, IfMatch, Versioned, has};
pub use error::{ApiError, ApiResult, Fault, Faults};
pub use principal::{Actor, Principal};
pub use query::Query;
pub use reach::{Reach, Whereabouts};

#[cfg(test)]
mod resource_tests;

/// What a handler needs of the running server.
#[derive(Clone)]
pub struct Context {
    /// The store.
    pub db: Db,
    /// What time it is.
    pub clock: SharedClock,
    /// Makes identifiers.
    pub ids: Arc<dyn IdSource>,
    /// How the server is reached from outside: the start of every `connection_url`, such as `ws://10.0.0.5:8080`.
    pub websocket_url: String,
    /// How far it is to drive.
    pub routing: routing_client::RoutingClient,
    /// Where things are.
    pub whereabouts: Whereabouts,
}

impl Context {
    /// The same server for work of this lane.
    pub fn in_lane(&self, lane: Lane) -> Self {
        Self { db: self.db.in_lane(lane), ..self.clone() }
    }

    /// How browsers reach the server from outside, such as `http://10.0.0.5:8080`.
    pub fn public_url(&self) -> String {
        self.websocket_url.replacen("ws", "http", 1)
    }

    /// This instant, and ids for what happens in it.
    pub fn moment(&self) -> Moment {
        Moment::new(self.clock.now(), Arc::clone(&self.ids))
    }
}

/// The context as handlers receive it.
pub type Ctx = actix_web::web::Data<Context>;
