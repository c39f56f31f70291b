//! What organizations and keys are.

use std::collections::BTreeSet;

use diesel::prelude::*;
use resource::resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::cards::{ConcurrentCards, UnknownCards};
use super::connectors::UnknownConnectors;
use super::profile::{NewOrganization, SupportContact};
use super::security::SecurityType;
use crate::filters;
use crate::http::Faults;
use crate::http::address::Address;
use crate::http::caller::SCOPES;
use crate::http::fields::{Field, MetaData, Path, wrong};
use crate::json_schema;
use crate::store::Json;
use crate::store::schema::{api_keys, organizations};
use clock::chance;
use kernel::text::Name;
use kernel::*;

#[resource(
    patch("Changes of the organization (JSON merge patch).", pub struct, function = merge, example = json!({
        "name": "Harbour Charging", "support_contact": {"phone": "+31 20 1234567", "email": "help@example.com"}
    })),
    view("The organization as its members see it.")
)]
/// A stored organization.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organizations, treat_none_as_null = true)]
pub struct Organization {
    /// Its id.
    #[field(name = "_id")]
    pub id: OrganizationId,
    /// What it is called.
    #[field(read = Name)]
    pub name: String,
    /// Whom drivers and home users ask for help, on pages and below letters; null where nobody is named.
    #[field(read)]
    pub support_contact: Option<Json<SupportContact>>,
    /// Its postal address; null where none is known.
    #[field(read)]
    pub address: Option<Json<Address>>,
    /// Where its logo is, on this server; null without one.
    #[field(
        computed = Organization::logo,
        view(example = "/v1.1/organizations/650000000000000000000001/logo?v=9f86d081884c7d65")
    )]
    pub logo: Option<String>,
    #[field(hidden)]
    pub logo_hash: Option<String>,
    /// What a card gets that no token knows: refuse, accept or free_vending.
    #[field(
        read,
        default = UnknownCards::Refuse,
        patch("What a card gets that no token knows: refuse (the default), accept, or free_vending: it may charge and its session
            has no price. A location may say otherwise.")
    )]
    pub unknown_cards: UnknownCards,
    /// What a card gets that is in use at another connector: accept or refuse.
    #[field(
        read,
        default = ConcurrentCards::Accept,
        patch("What a card gets that is in use at another connector: accept (the default), or refuse: stations are answered
            ConcurrentTx. A location may say otherwise.")
    )]
    pub concurrent_cards: ConcurrentCards,
    /// What becomes of a connector that a station reports and nobody set up: report or create.
    #[field(
        read,
        default = UnknownConnectors::Report,
        patch("What becomes of a connector that a station reports and nobody set up: report (the default): it is warned of and what
            it draws is reserved; or create: it is created like the largest connector of its station. A station may have it
            otherwise.")
    )]
    pub unknown_connectors: UnknownConnectors,
    /// How a new station proves who it is where its request does not say: none, basic_auth or client_certificate.
    #[field(
        read,
        default = SecurityType::None,
        patch("How a new station proves who it is where its request does not say: none (the default), basic_auth or
            client_certificate. None is for endpoints that are drawn by chance: a station whose endpoint is chosen gets
            basic_auth instead.")
    )]
    pub default_security: SecurityType,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", version)]
    pub updated_at: Timestamp,
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
            support_contact: None,
            address: None,
            logo_hash: None,
        }
    }

    /// The one that was asked for.
    pub fn of(new: NewOrganization, moment: &Moment) -> Self {
        let NewOrganization { name, support_contact, address } = new;
        let mut organization = Self {
            support_contact: support_contact.map(Json),
            address: address.map(Json),
            ..Self::new(name.as_str(), moment)
        };
        organization.leave_out_empty();
        organization
    }

    /// Applies a patch; what must not be empty refuses null.
    pub fn apply(&mut self, patch: OrganizationPatch, moment: &Moment) -> Result<(), Faults> {
        self.merge(patch, moment)?;
        self.leave_out_empty();
        Ok(())
    }

    /// A contact and an address of which nothing is left are none.
    fn leave_out_empty(&mut self) {
        self.support_contact = self.support_contact.take().filter(|contact| contact.0 != SupportContact::default());
        self.address = self.address.take().filter(|address| address.0 != Address::default());
    }

    /// Where its logo is: another one has another address, so that no cache shows the one before.
    pub fn logo(&self) -> Option<String> {
        let version: String = self.logo_hash.as_ref()?.chars().take(16).collect();
        Some(format!("/v1.1/organizations/{}/logo?v={version}", self.id))
    }
}

filters! {
    /// Filters of organizations.
    pub struct OrganizationFilter {
        /// Only those in which the reader works, or only those in which not.
        pub joined: bool,
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

#[resource(
    new(
        "A new API key.",
        pub struct,
        function = begin,
        example = json!({"name": "Billing service", "scopes": ["read:sessions", "read:locations"]})
    ),
    patch(
        "Changes of an API key (JSON merge patch).",
        example = json!({"name": "Billing service (old)", "expires_at": "2099-01-01T00:00:00Z"})
    ),
    view("A key as clients see it.")
)]
/// A stored key; the secret itself is nowhere.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = api_keys, treat_none_as_null = true)]
pub struct ApiKey {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: ApiKeyId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// What it is for.
    #[field(read = Name, new(example = "Billing service"))]
    pub name: String,
    /// live or test.
    #[field(read, default = KeyMode::Live, fixed, new("live (the default) or test."))]
    pub mode: KeyMode,
    /// The first characters, to recognise it by.
    #[field(initial = String::new(), view(example = "ew_live_3hTq"))]
    pub hint: String,
    #[field(hidden, initial = String::new())]
    pub secret_hash: String,
    /// The key itself: only in the answer to creating or rotating it.
    #[field(computed = |_| None, view(serde(skip_serializing_if = "Option::is_none")))]
    pub key: Option<String>,
    /// What it may do.
    #[field(
        read,
        default = Json(Scopes::all()),
        not_null,
        whole,
        new("What it may do; everything when absent."),
        view(inline)
    )]
    pub scopes: Json<Scopes>,
    /// Whether it works.
    #[field(read, initial = true)]
    pub active: bool,
    /// When it stops working.
    #[field(read, new("When it stops working; never when absent."), patch("When it stops working; null means never."))]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[field(initial = None)]
    pub last_used_at: Option<Timestamp>,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

/// Characters of the random part: 32 of 62 letters are 190 bits.
const SECRET_LENGTH: usize = 32;
/// What the random part consists of.
const SECRET_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl ApiKey {
    /// A new key and, this once, its secret.
    pub fn new(new: NewApiKey, organization_id: OrganizationId, moment: &Moment) -> (Self, String) {
        let mut key = Self::begin(new, organization_id, moment);
        let secret = key.draw_secret();
        (key, secret)
    }

    /// Gives it a secret.
    fn draw_secret(&mut self) -> String {
        let secret = draw(self.mode);
        self.hint = hint(&secret);
        self.secret_hash = hash(&secret);
        secret
    }

    /// Replaces the secret; the old one stops working.
    pub(super) fn rotate(&mut self, moment: &Moment) -> String {
        let secret = self.draw_secret();
        self.updated_at = moment.version_after(self.updated_at);
        secret
    }

    /// Whether it works at this instant.
    pub fn works_at(&self, now: Timestamp) -> bool {
        self.active && self.expires_at.is_none_or(|end| now < end)
    }
}

fn draw(mode: KeyMode) -> String {
    format!("ew_{mode}_{}", chance::text(SECRET_LETTERS, SECRET_LENGTH))
}

fn hint(secret: &str) -> String {
    secret.chars().take(12).collect()
}

/// What is stored of a secret.
pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl ApiKeyView {
    /// The view with the secret, shown once.
    pub(super) fn with_secret(key: ApiKey, secret: String) -> Self {
        Self { key: Some(secret), ..key.into() }
    }
}

filters! {
    /// Filters of API keys.
    pub(crate) struct ApiKeyFilter {
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
