//! A copy of the store in a file, and a store made of one: beside a running server the copy, without one the store.
//!
//! A backup is what SQLite or PostgreSQL make of themselves: a database file, or an archive of `pg_dump`. It comes under its name when it
//! is whole, checked and on the disk. A store that is replaced is kept beside the new one.

mod postgres;
mod sqlite;
mod tools;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::connection::{Conn, StoreUrl, private};
use super::error::{StoreError, StoreResult};
use kernel::Timestamp;

/// How a SQLite file begins, …
const SQLITE: &[u8] = b"SQLite format 3\0";
/// … and an archive of `pg_dump`.
const POSTGRES: &[u8] = b"PGDMP";

/// What to do with a store that a backup is restored into.
pub struct Restore<'a> {
    /// Whether a store that has data is replaced.
    pub replace: bool,
    /// Names what is replaced.
    pub now: Timestamp,
    /// Whether a store has data.
    pub has_data: fn(&mut Conn) -> StoreResult<bool>,
    /// What is done with the restored store before anybody uses it, in one transaction.
    pub settle: &'a mut dyn FnMut(&mut Conn) -> StoreResult<()>,
}

impl Restore<'_> {
    /// Refuses to replace data that nobody wants replaced.
    fn admit(&self, url: &StoreUrl, has_data: bool) -> StoreResult<()> {
        if has_data && !self.replace {
            return Err(failed(format!(
                "the {url} has data; --replace keeps it aside and puts the backup in its place"
            )));
        }
        Ok(())
    }

    /// What the name of something replaced ends with: `20261129T120000Z`.
    fn suffix(&self) -> String {
        let shown = self.now.to_string();
        let whole = shown.split('.').next().unwrap_or_default();
        let plain: String = whole.chars().filter(char::is_ascii_alphanumeric).collect();
        if plain.ends_with('Z') { plain } else { format!("{plain}Z") }
    }
}

/// What became of the store that was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// There was none, or it had no data.
    Nothing,
    /// A SQLite file is here now.
    File(PathBuf),
    /// The tables are in this schema now.
    Schema(String),
}

/// Writes a consistent copy of the store into a new file, and answers how many bytes it has. Whoever writes to the store goes on.
pub fn back_up(url: &StoreUrl, file: &Path) -> StoreResult<u64> {
    if file.symlink_metadata().is_ok() {
        return Err(failed(format!("{} exists, and is not written over", file.display())));
    }
    let partial = Partial::begin(file)?;
    match url {
        StoreUrl::Sqlite(path) => sqlite::back_up(path, &partial.path)?,
        StoreUrl::Postgres(url) => postgres::back_up(url, &partial.path)?,
    }
    partial.finish(file)
}

/// Makes the store of a backup's file. The caller holds the store's lock.
pub fn restore(url: &StoreUrl, file: &Path, how: Restore<'_>) -> StoreResult<Replaced> {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|open| open.take(SQLITE.len() as u64).read_to_end(&mut head));
    read.map_err(|error| failed(format!("{} cannot be read: {error}", file.display())))?;
    let (is_sqlite, is_postgres) = (head == SQLITE, head.starts_with(POSTGRES));
    match url {
        StoreUrl::Sqlite(path) if is_sqlite => sqlite::restore((url, Path::new(path)), file, how),
        StoreUrl::Postgres(address) if is_postgres => postgres::restore((url, address), file, how),
        _ if !is_sqlite && !is_postgres => Err(not_ours(file)),
        _ => Err(failed(format!(
            "{} is a backup of {}, and the store is the {url}: data is not moved from one to the other",
            file.display(),
            if is_sqlite { "SQLite" } else { "PostgreSQL" }
        ))),
    }
}

fn not_ours(file: &Path) -> StoreError {
    failed(format!("{} is no backup of Evenwatt", file.display()))
}

fn failed(why: impl Into<String>) -> StoreError {
    StoreError::Failed(why.into())
}

/// A file under another name until it is whole; it goes with this value otherwise.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn begin(file: &Path) -> StoreResult<Self> {
        let name = file.file_name().ok_or_else(|| failed(format!("{} names no file", file.display())))?;
        let name = format!(".{}.{}.partial", name.to_string_lossy(), std::process::id());
        let path = file.with_file_name(name);
        // For its owner alone from the beginning: it has everything that the store has.
        let made = private().create_new(true).open(&path);
        made.map_err(|error| failed(format!("{} cannot be written: {error}", path.display())))?;
        Ok(Self { path })
    }

    /// Puts it under its name, once it is on the disk.
    fn finish(self, file: &Path) -> StoreResult<u64> {
        let complain = |error: std::io::Error| failed(format!("{} cannot be written: {error}", file.display()));
        let bytes = sync(&self.path).map_err(complain)?;
        // A link is not made where there is a file, whoever made that meanwhile. Some file systems have none.
        match std::fs::hard_link(&self.path, file) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(complain(error)),
            Err(_) if file.symlink_metadata().is_ok() => {
                return Err(complain(std::io::ErrorKind::AlreadyExists.into()));
            }
            Err(_) => std::fs::rename(&self.path, file).map_err(complain)?,
        }
        sync_folder(file).map_err(complain)?;
        Ok(bytes)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Waits until a file is on the disk; answers how many bytes it has.
fn sync(path: &Path) -> std::io::Result<u64> {
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// Waits until the names of a file's folder are on the disk.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_under_its_name_when_it_is_whole_and_never_over_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.backup");
        let names = || std::fs::read_dir(folder.path()).expect("a folder").count();
        let partial = Partial::begin(&file).expect("begun");
        std::fs::write(&partial.path, "half").expect("written");
        assert!(!file.exists());
        drop(partial);
        assert_eq!(names(), 0);

        let partial = Partial::begin(&file).expect("begun");
        std::fs::write(&partial.path, "whole").expect("written");
        assert_eq!(partial.finish(&file).expect("finished"), 5);
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().expect("there").permissions());
        assert_eq!((names(), mode & 0o777), (1, 0o600));

        let second = Partial::begin(&file).expect("begun");
        assert!(second.finish(&file).is_err(), "somebody else was faster");
        assert_eq!((names(), std::fs::read(&file).expect("kept")), (1, b"whole".to_vec()));
    }
}
