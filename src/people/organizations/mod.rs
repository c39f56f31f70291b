//! Organizations and their API keys: whose data it is, and who may touch it.
//!
//! A key is shown once and stored as a SHA-256 hash: it is long and random, so a slow hash would add nothing. The
//! [`ApiKeyCache`] answers for a few seconds from memory and notes when a key was last used.

mod api;
mod api_key_cache;
mod cards;
mod connectors;
mod model;
mod security;
mod store;

pub use api::routes;
pub use api_key_cache::ApiKeyCache;
pub use cards::{CardPolicy, ConcurrentCards, UnknownCards, card_policy};
pub use connectors::{UnknownConnectors, unknown_connectors};
pub use model::{ApiKey, KeyMode, NewApiKey, Organization, Scopes};
pub use security::{SecurityType, default_security};
pub use store::{
    find_organization, insert_key, insert_organization, list_keys, list_organizations, revoke_key, sole_organization,
};
