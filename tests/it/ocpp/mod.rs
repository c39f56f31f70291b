//! The gateway over real sockets, word for word.

mod access;
mod commands;
mod core_profile;
mod transactions;
