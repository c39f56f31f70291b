//! What a token is, and what may be said about one.

use diesel::prelude::*;
use resource::resource;

use crate::filters;
use crate::http::Faults;
use crate::http::envelope::Reference;
use crate::http::fields::MetaData;
use crate::people::users::UserView;
use crate::store::Json;
use crate::store::schema::tokens;
use kernel::text::Text;
use kernel::*;

crate::spelled! {
    /// What kind of token it is, with the names of eDRV and OCPP 2.0.1.
    pub enum TokenType {
        /// Made by a server: a virtual token.
        Central = "Central",
        /// An RFID card of 13.56 MHz.
        Iso14443 = "ISO14443" | "RFID",
        /// An RFID card that is read from further away.
        Iso15693 = "ISO15693",
        /// A contract identifier of a car (ISO 15118).
        EMaid = "eMAID",
        /// A code that is typed.
        KeyCode = "KeyCode",
        /// Made by a station.
        Local = "Local",
        /// A MAC address, of a car.
        MacAddress = "MacAddress",
        /// None: a button was pressed.
        NoAuthorization = "NoAuthorization",
    }
}

crate::spelled! {
    /// Whether a token is in use.
    pub enum TokenStatus {
        /// It may charge.
        Active = "active",
        /// It may not.
        Blocked = "blocked",
    }
}

crate::text_column!(spelled TokenType, TokenStatus);

/// What is on the card: as long as an idToken of OCPP 2.1 (one of 2.0.1 has 36 characters at most, an idTag of 1.6 has 20).
type PhysicalId = Text<1, 255>;

#[resource(
    new("A new token.", example = json!({"physicalId": "04A2B3C4D5E680", "type": "ISO14443"})),
    patch(
        "Changes of a token (JSON merge patch).",
        function = merge,
        example = json!({"status": "blocked", "meta_data": {"reason": "lost"}})
    ),
    view("A token as clients see it.")
)]
/// A stored token.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tokens, treat_none_as_null = true)]
pub struct Token {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: TokenId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// What stations read.
    #[field(
        name = "physicalId",
        read = PhysicalId,
        new("What stations read: unique in the organization, whatever the case of its letters.")
    )]
    pub physical_id: String,
    /// As [`fold`] makes it of `physical_id`.
    #[field(hidden, initial = fold(&new.physical_id))]
    pub folded_id: String,
    /// What kind of token it is.
    #[field(
        name = "type",
        read,
        default = TokenType::Iso14443,
        new("What kind of token it is; ISO14443, an RFID card, when absent.")
    )]
    #[diesel(column_name = type_)]
    pub kind: TokenType,
    /// Whose it is.
    #[field(
        name = "user",
        read,
        shown = Reference<UserId, UserView>,
        show = Reference::Id,
        patch("Whose it is; null means nobody's."),
        view("Whose it is: an id, or with `include_user=true` the whole user.")
    )]
    pub user_id: Option<UserId>,
    /// active or blocked.
    #[field(read, default = TokenStatus::Active, new("active (the default) or blocked."))]
    pub status: TokenStatus,
    /// Until when it may charge.
    #[field(
        read,
        new("Until when it may charge; without end when absent."),
        patch("Until when it may charge; null means without end.")
    )]
    pub expires_at: Option<Timestamp>,
    /// Tokens of the same group may stop each other's sessions.
    #[field(read = PhysicalId)]
    pub parent_group: Option<String>,
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

/// The form in which tokens are compared: OCPP 1.6 ignores the case of a tag's letters.
pub fn fold(physical_id: &str) -> String {
    physical_id.trim().to_lowercase()
}

/// Whether stations mean the same token by these two: the same as to compare them folded, for where many are compared.
pub fn are_alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim().chars(), other.trim().chars());
    one.flat_map(char::to_lowercase).eq(other.flat_map(char::to_lowercase))
}

impl Token {
    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: TokenPatch, moment: &Moment) -> Result<(), Faults> {
        let merged = self.merge(patch, moment);
        self.folded_id = fold(&self.physical_id);
        merged
    }
}

filters! {
    /// Filters of tokens.
    pub(crate) struct TokenFilter {
        /// Only those of this user.
        pub user: UserId,
        /// Only those with this status.
        #[param(inline)]
        pub status: TokenStatus,
        /// Only those of this type.
        #[param(inline)]
        pub kind as "type": TokenType,
        /// Put the whole user in place of its id.
        pub include_user: bool,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_are_alike_where_they_are_the_same_folded(one in " ?[aAbB]{0,2} ?", other in " ?[aAbB]{0,2} ?") {
            prop_assert_eq!(are_alike(&one, &other), fold(&one) == fold(&other));
        }
    }
}
