//! Whether the file of SQLite has room to grow. A row that is written over needs none, and neither does a log that was longer
//! before: both go on for a while where the disk is full.

use super::connection::StoreUrl;
use super::error::{StoreError, StoreResult};

/// Bytes for which there must be room.
const ROOM: usize = 1 << 20;

/// Writes a file beside the store's and removes it again; PostgreSQL minds its own disk.
pub fn check(url: &StoreUrl) -> StoreResult<()> {
    let StoreUrl::Sqlite(path) = url else {
        return Ok(());
    };
    let probe = format!("{path}-room");
    let written = std::fs::write(&probe, vec![0; ROOM]);
    // Another probe may have removed it.
    let _ = std::fs::remove_file(&probe);
    written.map_err(|error| StoreError::Failed(format!("{probe} cannot be written: {error}")))
}
