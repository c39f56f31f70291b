//! Organizations and their API keys: whose data it is, and who may touch it.
//!
//! What an organization shows of itself (`profile`, `logo`) everybody may see who has its id.
//!
//! A key is shown once and stored as a SHA-256 hash: it is long and random, so a slow hash would add nothing. The
//! [`ApiKeyCache`] answers for a few seconds from memory and notes when a key was last used.

mod api;
mod api_key_cache;
mod cards;
mod connectors;
mod creation;
mod logo;
mod model;
mod picture;
mod profile;
mod security;
mod store;

pub use api::routes;
pub use api_key_cache::ApiKeyCache;
pub use cards::{CardPolicy, ConcurrentCards, UnknownCards, card_policy};
pub use connectors::{UnknownConnectors, unknown_connectors};
pub use creation::create;
pub use logo::open_routes;
pub use model::{
    ApiKey, ApiKeyView, KeyMode, NewApiKey, Organization, OrganizationFilter, OrganizationPatch, OrganizationView,
    Scopes,
};
pub use profile::{NewOrganization, PublicOrganization, SupportContact};
pub use security::{SecurityType, default_security};
pub use store::{
    find_organization, insert_key, insert_organization, is_any_organization, list_keys, list_organizations,
    page_of_organizations, revoke_key, sole_organization, update_organization,
};
