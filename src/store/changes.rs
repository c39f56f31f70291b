//! Counting committed changes, so that who remembers something knows when to read it again.

use std::cell::RefCell;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::id::RawId;

/// Counters; keys share them, so that one may be read again for the change of another.
const COUNTERS: usize = 1_024;

/// How often what has a key was changed by transactions that were committed, in this process.
pub struct Changes([AtomicU64; COUNTERS]);

impl Changes {
    /// None so far.
    #[expect(clippy::new_without_default, reason = "it is made for statics")]
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; COUNTERS])
    }

    fn counter(&self, key: RawId) -> Option<&AtomicU64> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        self.0.get(usize::try_from(hash).unwrap_or_default() % COUNTERS)
    }

    /// How often it was changed. To be asked before what is remembered is read.
    pub fn of(&self, key: impl Into<RawId>) -> u64 {
        self.counter(key.into()).map_or(0, |counter| counter.load(Ordering::Acquire))
    }

    /// It is changed by the transaction under way: counted once that is committed.
    pub fn note(&'static self, key: impl Into<RawId>) {
        let counter = self.counter(key.into());
        PENDING.with_borrow_mut(|pending| pending.extend(counter));
    }
}

thread_local! {
    static PENDING: RefCell<Vec<&'static AtomicU64>> = const { RefCell::new(Vec::new()) };
}

/// The transaction of this thread ended. What was not committed is counted, too: it costs a look, and no more.
pub(super) fn count() {
    PENDING.with_borrow_mut(|pending| {
        for counter in pending.drain(..) {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    });
}
