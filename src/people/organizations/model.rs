//! What organizations and keys are.

use std::collections::BTreeSet;

use diesel::prelude::*;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::cards::{ConcurrentCards, UnknownCards};
use super::connectors::UnknownConnectors;
use super::security::SecurityType;
use crate::filters;
use crate::http::caller::SCOPES;
use crate::http::fields::{Field, Mandatory, MetaData, Path, wrong};
use crate::http::{Faults, Versioned};
use crate::store::Json;
use crate::store::schema::{api_keys, organizations};
use crate::{input, json_schema, patch};
use kernel::text::Name;
use kernel::*;

/// A stored organization.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organizations, treat_none_as_null = true)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub unknown_cards: UnknownCards,
    pub concurrent_cards: ConcurrentCards,
    pub unknown_connectors: UnknownConnectors,
    pub default_security: SecurityType,
}

impl Organization {
    /// A new one.
    pub fn new(name: &str, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            name: name.to_owned(),
            meta_data: Json::default(),
            created_at: moment.now,
            updated_at: moment.now,
            unknown_cards: UnknownCards::Refuse,
            concurrent_cards: ConcurrentCards::Accept,
            unknown_connectors: UnknownConnectors::Report,
            default_security: SecurityType::None,
        }
    }
}

patch! {
    /// Changes of the organization (JSON merge patch).
    #[schema(example = json!({"name": "Harbour Charging"}))]
    pub struct OrganizationPatch {
        /// What it is called.
        pub name: Name,
        /// What a card gets that no token knows: refuse (the default), accept, or free_vending: it may charge and its session
        /// has no price. A location may say otherwise.
        pub unknown_cards: UnknownCards,
        /// What a card gets that is in use at another connector: accept (the default), or refuse: stations are answered
        /// ConcurrentTx. A location may say otherwise.
        pub concurrent_cards: ConcurrentCards,
        /// What becomes of a connector that a station reports and nobody set up: report (the default): it is warned of and what
        /// it draws is reserved; or create: it is created like the largest connector of its station. A station may have it
        /// otherwise.
        pub unknown_connectors: UnknownConnectors,
        /// How a new station proves who it is where its request does not say: none (the default), basic_auth or
        /// client_certificate. None is for endpoints that are drawn by chance: a station whose endpoint is chosen gets
        /// basic_auth instead.
        pub default_security: SecurityType,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

impl OrganizationPatch {
    pub(super) fn apply(self, to: &mut Organization, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        self.name.map(String::from).set(&mut to.name, "name", &mut faults);
        self.unknown_cards.apply_or(&mut to.unknown_cards, UnknownCards::Refuse);
        self.concurrent_cards.apply_or(&mut to.concurrent_cards, ConcurrentCards::Accept);
        self.unknown_connectors.apply_or(&mut to.unknown_connectors, UnknownConnectors::Report);
        self.default_security.apply_or(&mut to.default_security, SecurityType::None);
        self.meta_data.map(Json).apply_or(&mut to.meta_data, Json::default());
        to.updated_at = moment.version_after(to.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// The organization as its members see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OrganizationView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: OrganizationId,
    /// What it is called.
    pub name: String,
    /// What a card gets that no token knows: refuse, accept or free_vending.
    pub unknown_cards: UnknownCards,
    /// What a card gets that is in use at another connector: accept or refuse.
    pub concurrent_cards: ConcurrentCards,
    /// What becomes of a connector that a station reports and nobody set up: report or create.
    pub unknown_connectors: UnknownConnectors,
    /// How a new station proves who it is where its request does not say: none, basic_auth or client_certificate.
    pub default_security: SecurityType,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl From<Organization> for OrganizationView {
    fn from(organization: Organization) -> Self {
        let Organization {
            id,
            name,
            meta_data,
            created_at,
            updated_at,
            unknown_cards,
            concurrent_cards,
            unknown_connectors,
            default_security,
        } = organization;
        Self {
            id,
            name,
            unknown_cards,
            concurrent_cards,
            unknown_connectors,
            default_security,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

impl Versioned for OrganizationView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

crate::spelled! {
    /// What a key is for; both reach the same data.
    pub enum KeyMode {
        /// Real use.
        Live = "live",
        /// Trying things out.
        Test = "test",
    }
}
crate::text_column!(spelled KeyMode);

/// What a key may do: `read:groups`, …, or `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(pub BTreeSet<String>);

json_schema!(Scopes, {
    "type": "array", "items": {"type": "string"}, "minItems": 1, "example": ["read:groups", "write:groups"]
});

impl Scopes {
    /// Everything.
    pub fn all() -> Self {
        Self(["*".to_owned()].into())
    }
}

impl Field for Scopes {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let Value::Array(items) = value else {
            return wrong(at, faults, "an array of scopes");
        };
        if items.is_empty() {
            return wrong(at, faults, "an array of at least one scope");
        }
        let mut scopes = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            match item.as_str().filter(|scope| *scope == "*" || SCOPES.contains(scope)) {
                Some(scope) => drop(scopes.insert(scope.to_owned())),
                None => {
                    wrong::<()>(Path::Element(&at, index), faults, format_args!("* or one of {}", SCOPES.join(", ")));
                }
            }
        }
        Some(Self(scopes))
    }
}

input! {
    /// A new API key.
    #[schema(example = json!({"name": "Billing service", "scopes": ["read:sessions", "read:locations"]}))]
    pub struct NewApiKey {
        /// What it is for.
        #[schema(example = "Billing service")]
        pub name: Name,
        /// live (the default) or test.
        pub mode: Option<KeyMode>,
        /// What it may do; everything when absent.
        pub scopes: Option<Scopes>,
        /// When it stops working; never when absent.
        pub expires_at: Option<Timestamp>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of an API key (JSON merge patch).
    #[schema(example = json!({"name": "Billing service (old)", "expires_at": "2099-01-01T00:00:00Z"}))]
    pub struct ApiKeyPatch {
        /// What it is for.
        pub name: Name,
        /// What it may do.
        pub scopes: Scopes,
        /// Whether it works.
        pub active: bool,
        /// When it stops working; null means never.
        pub expires_at: Timestamp,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored key; the secret itself is nowhere.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_keys, treat_none_as_null = true)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub mode: KeyMode,
    pub hint: String,
    pub secret_hash: String,
    pub scopes: Json<Scopes>,
    pub active: bool,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Characters of the random part: 32 of 62 letters are 190 bits.
const SECRET_LENGTH: usize = 32;

impl ApiKey {
    /// A new key and, this once, its secret.
    pub fn new(new: NewApiKey, organization_id: OrganizationId, moment: &Moment) -> (Self, String) {
        let mode = new.mode.unwrap_or(KeyMode::Live);
        let secret = draw(mode);
        let key = Self {
            id: moment.id(),
            organization_id,
            name: new.name.into(),
            mode,
            hint: hint(&secret),
            secret_hash: hash(&secret),
            scopes: Json(new.scopes.unwrap_or_else(Scopes::all)),
            active: true,
            expires_at: new.expires_at,
            last_used_at: None,
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        };
        (key, secret)
    }

    /// Replaces the secret; the old one stops working.
    pub(super) fn rotate(&mut self, moment: &Moment) -> String {
        let secret = draw(self.mode);
        self.hint = hint(&secret);
        self.secret_hash = hash(&secret);
        self.updated_at = moment.version_after(self.updated_at);
        secret
    }

    pub(super) fn apply(&mut self, patch: ApiKeyPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.scopes.map(Json).set(&mut self.scopes, "scopes", &mut faults);
        patch.active.set(&mut self.active, "active", &mut faults);
        patch.expires_at.apply(&mut self.expires_at);
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Whether it works at this instant.
    pub fn works_at(&self, now: Timestamp) -> bool {
        self.active && self.expires_at.is_none_or(|end| now < end)
    }
}

fn draw(mode: KeyMode) -> String {
    let random: String =
        rand::rng().sample_iter(rand::distr::Alphanumeric).take(SECRET_LENGTH).map(char::from).collect();
    format!("ew_{mode}_{random}")
}

fn hint(secret: &str) -> String {
    secret.chars().take(12).collect()
}

/// What is stored of a secret.
pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// A key as clients see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// live or test.
    pub mode: KeyMode,
    /// The first characters, to recognise it by.
    #[schema(example = "ew_live_3hTq")]
    pub hint: String,
    /// The key itself: only in the answer to creating or rotating it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What it may do.
    #[schema(inline)]
    pub scopes: Scopes,
    /// Whether it works.
    pub active: bool,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl ApiKeyView {
    /// The view with the secret, shown once.
    pub(super) fn with_secret(key: ApiKey, secret: String) -> Self {
        Self { key: Some(secret), ..key.into() }
    }
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        let ApiKey {
            id,
            organization_id: _,
            name,
            mode,
            hint,
            secret_hash: _,
            scopes,
            active,
            expires_at,
            last_used_at,
            meta_data,
            created_at,
            updated_at,
        } = key;
        Self {
            id,
            name,
            mode,
            hint,
            key: None,
            scopes: scopes.0,
            active,
            expires_at,
            last_used_at,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

impl Versioned for ApiKeyView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of API keys.
    pub struct ApiKeyFilter {
        /// Only those that work, or only those that do not.
        pub active: bool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_secret_once_and_keeps_only_a_hash() {
        let moment = Moment::new(Timestamp::from_unix_seconds(1), std::sync::Arc::new(CountingIds::default()));
        let organization = moment.id();
        let new = NewApiKey {
            name: "Key".parse().expect("valid"),
            mode: None,
            scopes: None,
            expires_at: Some(Timestamp::from_unix_seconds(5)),
            meta_data: None,
        };
        let (key, secret) = ApiKey::new(new, organization, &moment);
        assert!(secret.starts_with("ew_live_") && secret.len() == 40);
        assert_eq!(key.secret_hash, hash(&secret));
        assert!(!format!("{key:?}").contains(&secret));
        assert!(key.works_at(Timestamp::from_unix_seconds(4)) && !key.works_at(Timestamp::from_unix_seconds(5)));
    }
}
