//! What a user is, and what may be said about one.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filters;
use crate::http::address::Address;
use crate::http::fields::{Field, Mandatory, MetaData, Path, wrong};
use crate::http::{Faults, Versioned};
use crate::store::Json;
use crate::store::schema::users;
use crate::{input, json_schema, patch};
use kernel::text::{Code, Name, Text};
use kernel::*;

/// An e-mail address in lower case: nobody has two that differ by case.
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl Field for Favorites {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let stations = Vec::<StationId>::read(value, at, faults)?;
        if stations.len() > MOST_FAVORITES {
            return wrong(at, faults, format_args!("an array of at most {MOST_FAVORITES} ids"));
        }
        Some(Self(stations))
    }
}

input! {
    /// A new user.
    #[schema(example = json!({
        "firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com", "phone": {"mobile": "+31 6 12345678"},
        "address": {"city": "Amsterdam", "country": "NL"}, "meta_data": {"customer": "C-17"}
    }))]
    pub struct NewUser {
        /// First name.
        pub firstname: Name,
        /// Last name.
        pub lastname: Name,
        /// E-mail address, kept in lower case; no two users share one.
        pub email: Option<Email>,
        /// Whether the user may charge.
        pub active: Option<bool>,
        /// What the user is; `user` when absent.
        pub role: Option<Code>,
        /// Whether the user belongs to the operator's private group, whose members also see stations that are not visible.
        pub private_group: Option<bool>,
        /// The address of a picture.
        pub picture: Option<Link>,
        /// Postal address.
        pub address: Option<Address>,
        /// How to call.
        pub phone: Option<Phone>,
        /// Charge stations that the user likes.
        pub favorite_chargestations: Option<Favorites>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a user (JSON merge patch).
    #[schema(example = json!({"phone": {"work": "+31 20 1234567"}, "role": "fleet"}))]
    pub struct UserPatch {
        /// First name.
        pub firstname: Name,
        /// Last name.
        pub lastname: Name,
        /// E-mail address.
        pub email: Email,
        /// Whether the user may charge; the tokens of an inactive user are blocked.
        pub active: bool,
        /// What the user is.
        pub role: Code,
        /// Whether the user belongs to the operator's private group.
        pub private_group: bool,
        /// The address of a picture.
        pub picture: Link,
        /// Postal address; replaced as a whole.
        pub address: Address,
        /// How to call; replaced as a whole.
        pub phone: Phone,
        /// Charge stations that the user likes; replaced as a whole.
        pub favorite_chargestations: Favorites,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// What a user is when nobody says otherwise.
const ROLE: &str = "user";

/// A stored user.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
pub struct User {
    pub id: UserId,
    pub organization_id: OrganizationId,
    pub firstname: String,
    pub lastname: String,
    pub email: Option<String>,
    pub active: bool,
    pub role: String,
    pub private_group: bool,
    pub picture: Option<String>,
    pub address: Json<Address>,
    pub phone: Json<Phone>,
    pub favorite_chargestations: Json<Favorites>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl NewUser {
    /// Somebody of whom only the name and the address are known.
    pub fn named(firstname: Name, lastname: Name, email: Email) -> Self {
        Self {
            firstname,
            lastname,
            email: Some(email),
            active: None,
            role: None,
            private_group: None,
            picture: None,
            address: None,
            phone: None,
            favorite_chargestations: None,
            meta_data: None,
        }
    }
}

impl User {
    /// The user that `new` describes.
    pub(super) fn new(new: NewUser, organization_id: OrganizationId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            firstname: new.firstname.into(),
            lastname: new.lastname.into(),
            email: new.email.map(String::from),
            active: new.active.unwrap_or(true),
            role: new.role.map_or_else(|| ROLE.to_owned(), String::from),
            private_group: new.private_group.unwrap_or(false),
            picture: new.picture.map(String::from),
            address: Json(new.address.unwrap_or_default()),
            phone: Json(new.phone.unwrap_or_default()),
            favorite_chargestations: Json(new.favorite_chargestations.unwrap_or_default()),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: UserPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.firstname.map(String::from).set(&mut self.firstname, "firstname", &mut faults);
        patch.lastname.map(String::from).set(&mut self.lastname, "lastname", &mut faults);
        patch.email.map(String::from).apply(&mut self.email);
        patch.active.apply_or(&mut self.active, true);
        patch.role.map(String::from).apply_or(&mut self.role, ROLE.to_owned());
        patch.private_group.apply_or(&mut self.private_group, false);
        patch.picture.map(String::from).apply(&mut self.picture);
        patch.address.map(Json).apply_or(&mut self.address, Json::default());
        patch.phone.map(Json).apply_or(&mut self.phone, Json::default());
        patch.favorite_chargestations.map(Json).apply_or(&mut self.favorite_chargestations, Json::default());
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// A user as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct UserView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the user may charge.
    pub active: bool,
    /// What the user is.
    pub role: String,
    /// Whether the user belongs to the operator's private group.
    pub private_group: bool,
    /// The address of a picture.
    pub picture: Option<String>,
    /// Postal address.
    pub address: Address,
    /// How to call.
    pub phone: Phone,
    /// Charge stations that the user likes.
    pub favorite_chargestations: Vec<StationId>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl Versioned for UserView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User {
            id,
            organization_id: _,
            firstname,
            lastname,
            email,
            active,
            role,
            private_group,
            picture,
            address,
            phone,
            favorite_chargestations,
            meta_data,
            created_at,
            updated_at,
        } = user;
        Self {
            id,
            firstname,
            lastname,
            email,
            active,
            role,
            private_group,
            picture,
            address: address.0,
            phone: phone.0,
            favorite_chargestations: favorite_chargestations.0.0,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

filters! {
    /// Filters of users.
    pub struct UserFilter {
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
