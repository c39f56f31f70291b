//! What no key gets more of than is its own: scopes, answers of others, connections that last longer than their right.

mod attempts;
mod certificates;
mod endpoints;
mod growth;
mod idempotency;
mod keys;
mod lists;
mod logins;
mod pages;
mod passwords;
mod portal_cookies;
mod renewal;
mod retention;
mod revoked;
mod scopes;
mod searches;
mod secrets;
mod slow_readers;
mod throttling;
