//! What a user is, and what may be said about one.

use diesel::prelude::*;
use resource::resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filters;
use crate::http::Faults;
use crate::http::address::Address;
use crate::http::fields::{Field, MetaData, Path, wrong};
use crate::store::Json;
use crate::store::schema::users;
use crate::{input, json_schema};
use kernel::text::{Code, Name, Text};
use kernel::*;

/// An e-mail address in lower case: nobody has two that differ by case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

json_schema!(Email, {"type": "string", "format": "email", "maxLength": 254, "example": "ada@example.com"});

impl Email {
    /// Longest address that can be mailed to (RFC 5321).
    const LONGEST: usize = 254;

    /// Reads `local@domain`. Only an e-mail to it could prove that it exists, so this only catches mistakes.
    fn parse(text: &str) -> Option<Self> {
        let address = text.trim();
        let (local, domain) = address.rsplit_once('@')?;
        let is_local = (1..=64).contains(&local.chars().count())
            && !local.chars().any(|c| c.is_whitespace() || c.is_control() || "@<>()[]\\,;:\"".contains(c));
        let is_label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let is_domain = domain.contains('.') && domain.split('.').all(is_label);
        (address.chars().count() <= Self::LONGEST && is_local && is_domain).then(|| Self(address.to_lowercase()))
    }
}

impl Field for Email {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let email = value.as_str().and_then(Self::parse);
        email.or_else(|| wrong(at, faults, "an e-mail address such as ada@example.com"))
    }
}

impl Email {
    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// A telephone number as people write it.
type PhoneNumber = Text<1, 40>;
/// The address of a picture.
type Link = Text<1, 2000>;

input! {
    /// How to call somebody.
    #[derive(Default, Serialize, Deserialize)]
    pub struct Phone {
        /// Carried along.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub mobile: Option<PhoneNumber>,
        /// At home.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub home: Option<PhoneNumber>,
        /// At work.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub work: Option<PhoneNumber>,
    }
}

/// Stations that a driver likes; more than this nobody looks through.
const MOST_FAVORITES: usize = 200;

/// The stations that a driver likes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Favorites(pub Vec<StationId>);

json_schema!(Favorites, {
    "type": "array", "maxItems": 200, "items": {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}
});

impl From<Favorites> for Vec<StationId> {
    fn from(favorites: Favorites) -> Self {
        favorites.0
    }
}

impl Field for Favorites {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let stations = Vec::<StationId>::read(value, at, faults)?;
        if stations.len() > MOST_FAVORITES {
            return wrong(at, faults, format_args!("an array of at most {MOST_FAVORITES} ids"));
        }
        Some(Self(stations))
    }
}

/// What a user is when nobody says otherwise.
const ROLE: &str = "user";

#[resource(
    new("A new user.", pub struct, example = json!({
        "firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com", "phone": {"mobile": "+31 6 12345678"},
        "address": {"city": "Amsterdam", "country": "NL"}, "meta_data": {"customer": "C-17"}
    })),
    patch(
        "Changes of a user (JSON merge patch).",
        example = json!({"phone": {"work": "+31 20 1234567"}, "role": "fleet"})
    ),
    view("A user as clients see it.")
)]
/// A stored user.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
pub struct User {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: UserId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// First name.
    #[field(read = Name)]
    pub firstname: String,
    /// Last name.
    #[field(read = Name)]
    pub lastname: String,
    /// E-mail address.
    #[field(read = Email, new("E-mail address, kept in lower case; no two users share one."))]
    pub email: Option<String>,
    /// Whether the user may charge.
    #[field(read, default = true, patch("Whether the user may charge; the tokens of an inactive user are blocked."))]
    pub active: bool,
    /// What the user is.
    #[field(read = Code, default = ROLE.to_owned(), new("What the user is; `user` when absent."))]
    pub role: String,
    /// Whether the user belongs to the operator's private group.
    #[field(
        read,
        default,
        new(
            "Whether the user belongs to the operator's private group, whose members also see stations that are not visible."
        )
    )]
    pub private_group: bool,
    /// The address of a picture.
    #[field(read = Link)]
    pub picture: Option<String>,
    /// Postal address.
    #[field(read, default)]
    pub address: Json<Address>,
    /// How to call.
    #[field(read, default)]
    pub phone: Json<Phone>,
    /// Charge stations that the user likes.
    #[field(
        read,
        default,
        shown = Vec<StationId>,
        patch("Charge stations that the user likes; replaced as a whole.")
    )]
    pub favorite_chargestations: Json<Favorites>,
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

impl NewUser {
    /// Somebody of whom only the name and the address are known.
    pub fn named(firstname: Name, lastname: Name, email: Email) -> Self {
        Self { email: Some(email), ..Self::only(firstname, lastname) }
    }
}

filters! {
    /// Filters of users.
    pub(crate) struct UserFilter {
        /// Only those who may charge, or only those who may not.
        pub active: bool,
        /// Only those with this role.
        pub role: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_mistakes_caught() {
        let read = |text: &str| Email::parse(text).map(String::from);
        assert_eq!(read(" Ada.Lovelace+ev@Mail.Example.com "), Some("ada.lovelace+ev@mail.example.com".to_owned()));
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@exa mple.com",
            "a da@example.com",
            "ada@-example.com",
            "ada@example..com",
            "Ada <ada@example.com>",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
