//! Whether this server holds its store, and what it may do by that.

use super::Db;

impl Db {
    /// Whether anything can be written at this instant: this server holds its store.
    pub fn is_held(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.is_open())
    }

    /// Whether stations may be asked to do something at this instant (see [`Gate::may_command`](crate::store::lock::Gate::may_command)).
    pub fn may_command(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.may_command())
    }
}
