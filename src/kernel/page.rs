//! Pages of a list, counted from 1 as eDRV counts them.

/// Rows a page may have at most.
pub const LARGEST_PAGE: u32 = 1_000;
/// Rows a page has when nobody says otherwise.
pub const DEFAULT_PAGE: u32 = 20;

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
        Self {
            number: self.number.saturating_add(1),
            size: self.size,
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            number: 1,
            size: DEFAULT_PAGE,
        }
    }
}

/// One page of rows and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// Rows in the whole list.
    pub total: u64,
    /// What was asked for.
    pub request: PageRequest,
}

impl<T> Page<T> {
    /// The same page with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(turn).collect(),
            total: self.total,
            request: self.request,
        }
    }
    /// Pages in the whole list; an empty list has one.
    pub fn total_pages(&self) -> u64 {
        self.total
            .div_ceil(u64::from(self.request.size.max(1)))
            .max(1)
    }
    /// Whether another page follows.
    pub fn has_next(&self) -> bool {
        u64::from(self.request.number) < self.total_pages()
    }
}
