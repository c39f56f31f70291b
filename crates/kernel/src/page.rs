//! Pages of a list, counted from 1 as eDRV counts them, and cursors, which go on where a page ended.

use std::fmt;
use std::str::FromStr;

use super::{RawId, Timestamp};

/// Rows a page may have at most.
pub const LARGEST_PAGE: u32 = 1_000;
/// Rows a page has when nobody says otherwise.
pub const DEFAULT_PAGE: u32 = 20;

/// Rows of a list that are counted; beyond, a list only knows whether it goes on.
pub const MOST_COUNTED: u64 = 10_000;

/// The last row of a page, by what its list is sorted by: a time that the row was made or changed, then its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The time.
    pub at: Timestamp,
    /// The id.
    pub id: RawId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.micros(), self.id)
    }
}

impl FromStr for Cursor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('-').and_then(|(at, id)| {
            let at = Timestamp::from_micros(at.parse().ok()?);
            Some(Self { at, id: id.parse().ok()? })
        });
        parts.ok_or_else(|| "a next_after of the same list".to_owned())
    }
}

/// How many rows there are besides those of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// Rows in the whole list; at least so many where that is not exact.
    pub rows: u64,
    /// Whether all rows were counted.
    pub is_exact: bool,
    /// Whether a row follows this page.
    pub has_next: bool,
    /// Where to go on.
    pub next: Option<Cursor>,
}

impl Total {
    /// All rows were counted, and a page of them was asked for.
    pub fn counted(rows: u64, request: PageRequest) -> Self {
        let end = u64::from(request.number) * u64::from(request.size);
        Self { rows, is_exact: true, has_next: end < rows, next: None }
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Counted from 1.
    pub number: u32,
    /// Rows a page.
    pub size: u32,
}

impl PageRequest {
    /// Rows to pass over.
    pub const fn offset(self) -> i64 {
        (self.number as i64 - 1) * self.size as i64
    }
    /// Rows to return.
    pub const fn limit(self) -> i64 {
        self.size as i64
    }
    /// The page after this one.
    pub const fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), size: self.size }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { number: 1, size: DEFAULT_PAGE }
    }
}

/// One page of rows and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// Rows in the whole list.
    pub total: Total,
    /// What was asked for.
    pub request: PageRequest,
}

impl<T> Page<T> {
    /// The same page with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(turn).collect(), total: self.total, request: self.request }
    }
    /// Whether another page follows.
    pub const fn has_next(&self) -> bool {
        self.total.has_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        let cursor = Cursor { at: Timestamp::from_micros(1_777_000_000_123_456), id: RawId::from_bytes([7; 12]) };
        assert_eq!(cursor.to_string(), "1777000000123456-070707070707070707070707");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "1", "x-070707070707070707070707", "1-07"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }
}
