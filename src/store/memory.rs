//! What the threads of a store keep in memory besides its rows.
//!
//! All threads of one store see it; one writer changes it, in step with its commits: what a transaction changed there is seen by others
//! when it is committed, and undone when it is not. Work that changes it on another writer is handed to the one that may
//! (see [`super::pool`]).

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::connection::Conn;
use super::error::{StoreError, StoreResult};

/// Memory that goes with the commits of one writer, in the order of these methods.
pub trait Memory: Any + Send + Sync {
    /// A transaction began: what is not known yet is read.
    fn begin(&self, conn: &mut Conn) -> StoreResult<()>;
    /// A change begins that may be undone alone.
    fn mark(&self);
    /// Undoes what was changed since the mark.
    fn undo(&self);
    /// All changes of the transaction were made: what must be stored of them is stored.
    fn before_commit(&self, conn: &mut Conn) -> StoreResult<()>;
    /// They are committed: others see them.
    fn committed(&self);
    /// They are not.
    fn rolled_back(&self);
    /// What is known may not be what is stored: it is read again before the next change.
    fn forget(&self);
}

#[derive(Clone)]
struct Here {
    memory: Arc<dyn Memory>,
    owns: bool,
}

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
    static MISPLACED: Cell<bool> = const { Cell::new(false) };
}

/// Gives this thread the memory of its store; `owns` lets it change that.
pub(super) fn settle(memory: Option<Arc<dyn Memory>>, owns: bool) {
    HERE.with_borrow_mut(|here| *here = memory.map(|memory| Here { memory, owns }));
}

/// The memory of the store whose thread this is; none elsewhere, where rows are all there is.
pub fn here<M: Memory>() -> Option<Arc<M>> {
    let here = HERE.with_borrow(Clone::clone)?;
    let memory: Arc<dyn Any + Send + Sync> = here.memory;
    memory.downcast().ok()
}

/// The memory of the store, to change it. An error on a thread that may not: the work is handed to the one that may.
pub fn to_change<M: Memory>() -> StoreResult<Option<Arc<M>>> {
    let owns = HERE.with_borrow(|here| here.as_ref().is_none_or(|here| here.owns));
    if owns {
        return Ok(here());
    }
    MISPLACED.set(true);
    Err(StoreError::Busy)
}

/// Whether this thread is the one that changes the memory of its store.
pub fn is_owned_here() -> bool {
    HERE.with_borrow(|here| here.as_ref().is_some_and(|here| here.owns))
}

/// Whether work asked here for what only the owner may change, since this was asked last.
pub(super) fn was_misplaced() -> bool {
    MISPLACED.take()
}
