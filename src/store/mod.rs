//! The store: SQLite or PostgreSQL behind one connection type, chosen by `DATABASE_URL`.
//!
//! Queries are free functions over `&mut Conn` in each slice's `store`; they run on a few threads that own the
//! connections, off the async workers (see [`pool`]). Migrations exist twice with the same names, see [`migrate`].

pub mod backup;
pub mod beside;
mod cached;
mod cancel;
pub mod cause;
pub mod changes;
pub mod columns;
pub mod connection;
pub mod counters;
pub mod error;
pub mod limit;
pub mod lock;
pub mod mailbox;
pub mod memory;
pub mod migrate;
pub mod packing;
pub mod pool;
pub mod query;
pub mod reads;
pub mod room;
pub mod schema;
pub mod seal;
pub mod search;
pub mod secrets;
mod settings;
mod threads;

pub use columns::{Json, Legible};
pub use connection::{Conn, StoreUrl};
pub use error::{StoreError, StoreResult};
pub use lock::StoreLock;
pub use memory::Memory;
pub use pool::{Db, StoreFailure};
pub use reads::Lane;
pub use search::Searched;
pub use settings::StoreSettings;
