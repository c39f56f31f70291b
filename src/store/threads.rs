//! What a thread of the store has: a name and a connection of its own.

use diesel::r2d2::{Pool, PooledConnection};

use super::connection::{Conn, Opener};
use super::error::{StoreError, StoreResult};

/// Starts a thread.
pub(super) fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> StoreResult<()> {
    std::thread::Builder::new().name(name).spawn(body).map(drop).map_err(|error| StoreError::Failed(error.to_string()))
}

/// Keeps one connection for its whole life and replaces it only when it broke.
pub(super) struct Held<'a> {
    pool: &'a Pool<Opener>,
    conn: Option<PooledConnection<Opener>>,
}

impl<'a> Held<'a> {
    pub(super) fn new(pool: &'a Pool<Opener>) -> Self {
        Self { pool, conn: None }
    }

    pub(super) fn get(&mut self) -> StoreResult<&mut Conn> {
        self.get_fresh().map(|(conn, _)| conn)
    }

    /// The connection, and whether it was opened just now.
    pub(super) fn get_fresh(&mut self) -> StoreResult<(&mut Conn, bool)> {
        let broken = self.conn.as_mut().is_none_or(|conn| conn.is_broken());
        if broken {
            self.conn = None;
            let fresh = self.pool.get().map_err(|error| StoreError::Failed(error.to_string()))?;
            self.conn = Some(fresh);
        }
        let conn = self.conn.as_deref_mut().ok_or(StoreError::Busy)?;
        Ok((conn, broken))
    }
}
