//! What no key gets more of than is its own: scopes, answers of others, connections that outlive their right.

mod certificates;
mod endpoints;
mod guesses;
mod idempotency;
mod keys;
mod logins;
mod pages;
mod passwords;
mod revoked;
mod scopes;
mod secrets;
