//! What no key gets more of than is its own: scopes, answers of others, connections that outlive their right.

mod floods;
mod idempotency;
mod keys;
mod lists;
mod retention;
mod revoked;
mod scopes;
