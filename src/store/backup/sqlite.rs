//! Backups of SQLite: a database file, written from one read transaction.
//!
//! `VACUUM INTO` reads what was committed when it began; in WAL mode writers go on meanwhile, and the log grows by what they write. The
//! backup API would begin again with each of their commits, unless it copies everything in one step, which is the same for them.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::{Replaced, Restore, failed, not_ours, sync, sync_folder};
use crate::store::connection::{Conn, StoreUrl, Synchronous, private};
use crate::store::error::StoreResult;
use crate::store::migrate;

/// The copy is written without the empty pages, so it is also the smallest.
pub(super) fn back_up(store: &str, partial: &Path) -> StoreResult<()> {
    if std::fs::metadata(store).map_or(0, |found| found.len()) == 0 {
        return Err(failed(format!("there is no store at {store}")));
    }
    let into = text_of(partial)?;
    let mut conn = SqliteConnection::establish(store).map_err(|error| failed(format!("{store}: {error}")))?;
    conn.batch_execute("PRAGMA busy_timeout = 10000")?;
    sql_query("VACUUM INTO ?").bind::<Text, _>(into).execute(&mut conn)?;
    drop(conn);
    let mut copy = SqliteConnection::establish(into).map_err(|error| failed(format!("{into}: {error}")))?;
    require_whole(&mut copy, partial)
}

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Refuses a file in which something is wrong.
fn require_whole(conn: &mut SqliteConnection, path: &Path) -> StoreResult<()> {
    let said: Vec<Said> = sql_query("PRAGMA integrity_check(1)").load(conn)?;
    match said.first() {
        Some(Said { integrity_check }) if integrity_check == "ok" => Ok(()),
        Some(Said { integrity_check }) => Err(failed(format!("{} is damaged: {integrity_check}", path.display()))),
        None => Err(failed(format!("{} cannot be checked", path.display()))),
    }
}

fn text_of(path: &Path) -> StoreResult<&str> {
    path.to_str().ok_or_else(|| failed(format!("{} is no UTF-8", path.display())))
}

/// A path with more behind it.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// What is made beside the store until it is whole; it goes with this value.
struct Making(PathBuf);

impl Drop for Making {
    fn drop(&mut self) {
        for more in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(beside(&self.0, more));
        }
    }
}

pub(super) fn restore((url, store): (&StoreUrl, &Path), file: &Path, how: Restore<'_>) -> StoreResult<Replaced> {
    let complain = |error: std::io::Error| failed(format!("{}: {error}", store.display()));
    // As for the lock: a link leads to the file.
    let store = &store.canonicalize().unwrap_or_else(|_| store.to_owned());
    if file.canonicalize().is_ok_and(|file| file == *store) {
        return Err(failed(format!("{} is the store itself", file.display())));
    }
    if std::fs::metadata(beside(file, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(failed(format!("{} is a database in use: beside it is a log with changes", file.display())));
    }
    let has_data = has_data(url, store, how.has_data)?;
    how.admit(url, has_data)?;

    let making = Making(beside(store, ".restoring"));
    drop(Making(making.0.clone())); // of an attempt that was killed
    let mut copy = private().create_new(true).open(&making.0).map_err(complain)?;
    let mut from = std::fs::File::open(file).map_err(complain)?;
    std::io::copy(&mut from, &mut copy).map_err(complain)?;
    drop(copy);
    let made = StoreUrl::Sqlite(text_of(&making.0)?.to_owned());
    let mut conn = Conn::open(&made, Synchronous::Full).map_err(|_| not_ours(file))?;
    if let Conn::Sqlite(conn) = &mut conn {
        require_whole(conn, file)?;
    }
    if !migrate::has_history(&mut conn)? {
        return Err(not_ours(file));
    }
    migrate::run(&mut conn)?;
    conn.write(|conn| (how.settle)(conn))?;
    if let Conn::Sqlite(conn) = &mut conn {
        conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    drop(conn);
    sync(&making.0).map_err(complain)?;

    let aside = has_data.then(|| beside(store, &format!(".replaced-{}", how.suffix())));
    put_in_place(store, &making.0, aside.as_deref()).map_err(complain)?;
    Ok(aside.map_or(Replaced::Nothing, Replaced::File))
}

/// Whether there is a store with data. One that cannot be read has something that somebody may want.
fn has_data(url: &StoreUrl, store: &Path, ask: fn(&mut Conn) -> StoreResult<bool>) -> StoreResult<bool> {
    if std::fs::metadata(store).map_or(0, |found| found.len()) == 0 {
        return Ok(false);
    }
    let Ok(mut conn) = Conn::open(url, Synchronous::Full) else {
        return Ok(true);
    };
    let has_data = match migrate::has_history(&mut conn) {
        Ok(true) => ask(&mut conn),
        Ok(false) | Err(_) => Ok(true),
    };
    // So that the file alone is the whole store.
    if let Conn::Sqlite(conn) = &mut conn {
        let _ = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    Ok(has_data.unwrap_or(true))
}

/// Puts the new store in the place of the old one. At every step the old one is whole under one of its names: its log must be gone
/// before the new file comes, or it would be taken for that one's.
fn put_in_place(store: &Path, new: &Path, aside: Option<&Path>) -> std::io::Result<()> {
    let log = beside(store, "-wal");
    if let Some(aside) = aside {
        std::fs::hard_link(store, aside).or_else(|_| std::fs::copy(store, aside).map(drop))?;
        if log.exists() {
            std::fs::copy(&log, beside(aside, "-wal"))?;
            sync(&beside(aside, "-wal"))?;
        }
        sync(aside)?;
        sync_folder(store)?;
    }
    for more in ["-wal", "-shm"] {
        match std::fs::remove_file(beside(store, more)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(new, store)?;
    sync_folder(store)
}
