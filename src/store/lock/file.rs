//! The lock of a SQLite store: a file beside the database, locked by the operating system.
//!
//! A file of its own, because SQLite locks the database's own file, and closing a second handle of that would undo its
//! locks.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Attempt, Holder};
use crate::store::connection::private;

/// Characters that are read of what another server wrote of itself.
const LONGEST_NOTE: u64 = 300;

/// A locked file.
#[derive(Debug)]
pub(super) struct Locked {
    file: File,
    path: PathBuf,
}

/// Locks the file beside the database at this path.
pub(super) fn take(database: &str, holder: &Holder) -> Result<Attempt<Locked>, String> {
    let path = beside(Path::new(database)).map_err(|error| error.to_string())?;
    let complain = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = private().create(true).truncate(false).open(&path).map_err(complain)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Attempt::Held(note_of(file))),
        Err(TryLockError::Error(error)) => return Err(complain(error)),
    }
    let note = format!("{holder}\n");
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes())).map_err(complain)?;
    Ok(Attempt::Taken(Locked { file, path }))
}

/// What a server wrote of itself.
fn note_of(file: File) -> String {
    let mut note = String::new();
    let read = file.take(LONGEST_NOTE).read_to_string(&mut note);
    match (read, note.trim()) {
        (Err(_), _) | (_, "") => "a process that did not say who it is".to_owned(),
        (Ok(_), note) => note.to_owned(),
    }
}

/// Who has the file beside the database at this path.
pub(super) fn held_by(database: &str) -> Result<Option<String>, String> {
    let path = beside(Path::new(database)).map_err(|error| error.to_string())?;
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(note_of(file))),
        Err(TryLockError::Error(error)) => Err(format!("{}: {error}", path.display())),
    }
}

/// Whether the locked file is still the one that others would lock.
pub(super) fn is_held(locked: &mut Locked) -> bool {
    let same = |there: std::fs::Metadata| {
        let ours = locked.file.metadata().ok()?;
        Some((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    };
    std::fs::metadata(&locked.path).ok().and_then(same).unwrap_or(false)
}

/// The same for every way to write the path of one database.
fn beside(database: &Path) -> std::io::Result<PathBuf> {
    let whole = match database.canonicalize() {
        Ok(whole) => whole,
        Err(_) => {
            let folder = match database.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.canonicalize()?,
                _ => std::env::current_dir()?,
            };
            folder.join(database.file_name().unwrap_or_default())
        }
    };
    let mut name = whole.into_os_string();
    name.push(".lock");
    Ok(name.into())
}
