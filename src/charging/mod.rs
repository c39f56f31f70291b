//! What happens at a connector: charging sessions with what they are billed for, and reservations.

pub mod reservations;
pub mod sessions;
