//! What happens at a connector: charging sessions with what they are billed for, reservations, and what drivers do without a key.

pub mod driver;
pub mod reservations;
pub mod sessions;
