//! The gateway over real sockets, word for word.

mod acceptance;
mod access;
mod commands;
mod core_profile;
mod device;
mod external_limits;
mod lateness;
mod messages;
mod plug_and_charge;
mod profile_variants;
mod provisioning;
mod quirks;
mod tls;
mod transactions;
mod version_2;
