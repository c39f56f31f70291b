//! The gateway over real sockets, word for word.

mod access;
mod commands;
mod commissioning;
mod core_profile;
mod device;
mod elsewhere;
mod ladder;
mod messages;
mod quirks;
mod tls;
mod transactions;
mod version_2;
