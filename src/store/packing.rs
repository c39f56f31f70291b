//! Values that are packed: fields without names, compressed together.
//!
//! The last byte names the form, so that a later program can have another one. A body that cannot be read is an error that says why,
//! never a guess.

use std::cell::RefCell;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::bulk::Compressor;

use super::error::{StoreError, StoreResult};

/// The only form so far: postcard, compressed by Zstandard.
const FORM: u8 = 1;

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// What is read once, after a crash.
    Little,
    /// What is kept for long.
    More,
}

impl Effort {
    const fn level(self) -> i32 {
        match self {
            Self::Little => 1,
            Self::More => 3,
        }
    }
}

thread_local! {
    /// A compressor has a megabyte of tables, which are kept.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("packed values: {error}"))
}

/// A value without the names of its fields.
pub fn encoded(value: &impl Serialize) -> StoreResult<Vec<u8>> {
    postcard::to_stdvec(value).map_err(failed)
}

/// The value of these bytes.
pub fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> StoreResult<T> {
    postcard::from_bytes(bytes).map_err(failed)
}

/// The first of several values that stand one after the other, and the rest.
pub fn first_of<T: DeserializeOwned>(bytes: &[u8]) -> StoreResult<(T, &[u8])> {
    postcard::take_from_bytes(bytes).map_err(failed)
}

/// Bytes as they are stored.
pub fn compressed(bytes: &[u8], effort: Effort) -> StoreResult<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(effort.level()).map_err(failed)?),
        };
        compressor.set_compression_level(effort.level()).map_err(failed)?;
        let mut body = compressor.compress(bytes).map_err(failed)?;
        body.push(FORM); // the last byte: nothing has to be moved for it
        Ok(body)
    })
}

/// What [`compressed`] got.
pub fn decompressed(body: &[u8]) -> StoreResult<Vec<u8>> {
    match body.split_last() {
        Some((&FORM, packed)) => zstd::stream::decode_all(packed).map_err(failed),
        Some((form, _)) => Err(failed(format_args!("form {form} is unknown"))),
        None => Err(failed("nothing is there")),
    }
}
