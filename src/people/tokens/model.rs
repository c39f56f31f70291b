//! What a token is, and what may be said about one.

use diesel::prelude::*;
use serde::Serialize;

use crate::filters;
use crate::http::envelope::Reference;
use crate::http::fields::{Mandatory, MetaData};
use crate::http::{Faults, Versioned};
use crate::people::users::UserView;
use crate::store::Json;
use crate::store::schema::tokens;
use crate::{input, patch};
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

input! {
    /// A new token.
    #[schema(example = json!({"physicalId": "04A2B3C4D5E680", "type": "ISO14443"}))]
    pub struct NewToken {
        /// What stations read: unique in the organization, whatever the case of its letters.
        pub physical_id as "physicalId": PhysicalId,
        /// What kind of token it is; ISO14443, an RFID card, when absent.
        pub kind as "type": Option<TokenType>,
        /// Whose it is.
        pub user: Option<UserId>,
        /// active (the default) or blocked.
        pub status: Option<TokenStatus>,
        /// Until when it may charge; without end when absent.
        pub expires_at: Option<Timestamp>,
        /// Tokens of the same group may stop each other's sessions.
        pub parent_group: Option<PhysicalId>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a token (JSON merge patch).
    #[schema(example = json!({"status": "blocked", "meta_data": {"reason": "lost"}}))]
    pub struct TokenPatch {
        /// What stations read.
        pub physical_id as "physicalId": PhysicalId,
        /// What kind of token it is.
        pub kind as "type": TokenType,
        /// Whose it is; null means nobody's.
        pub user: UserId,
        /// active or blocked.
        pub status: TokenStatus,
        /// Until when it may charge; null means without end.
        pub expires_at: Timestamp,
        /// Tokens of the same group may stop each other's sessions.
        pub parent_group: PhysicalId,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored token.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tokens, treat_none_as_null = true)]
pub struct Token {
    pub id: TokenId,
    pub organization_id: OrganizationId,
    pub user_id: Option<UserId>,
    pub physical_id: String,
    pub folded_id: String,
    pub type_: TokenType,
    pub status: TokenStatus,
    pub expires_at: Option<Timestamp>,
    pub parent_group: Option<String>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The form in which tokens are compared: OCPP 1.6 ignores the case of a tag's letters.
pub fn fold(physical_id: &str) -> String {
    physical_id.trim().to_lowercase()
}

impl Token {
    /// The token that `new` describes.
    pub(super) fn new(new: NewToken, organization_id: OrganizationId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            user_id: new.user,
            folded_id: fold(&new.physical_id),
            physical_id: new.physical_id.into(),
            type_: new.kind.unwrap_or(TokenType::Iso14443),
            status: new.status.unwrap_or(TokenStatus::Active),
            expires_at: new.expires_at,
            parent_group: new.parent_group.map(String::from),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: TokenPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.physical_id.map(String::from).set(&mut self.physical_id, "physicalId", &mut faults);
        self.folded_id = fold(&self.physical_id);
        patch.kind.apply_or(&mut self.type_, TokenType::Iso14443);
        patch.user.apply(&mut self.user_id);
        patch.status.apply_or(&mut self.status, TokenStatus::Active);
        patch.expires_at.apply(&mut self.expires_at);
        patch.parent_group.map(String::from).apply(&mut self.parent_group);
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// A token as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TokenView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: TokenId,
    /// What stations read.
    #[serde(rename = "physicalId")]
    pub physical_id: String,
    /// What kind of token it is.
    #[serde(rename = "type")]
    pub kind: TokenType,
    /// Whose it is: an id, or with `include_user=true` the whole user.
    pub user: Option<Reference<UserId, UserView>>,
    /// active or blocked.
    pub status: TokenStatus,
    /// Until when it may charge.
    pub expires_at: Option<Timestamp>,
    /// Tokens of the same group may stop each other's sessions.
    pub parent_group: Option<String>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl Versioned for TokenView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let Token {
            id,
            organization_id: _,
            user_id,
            physical_id,
            folded_id: _,
            type_,
            status,
            expires_at,
            parent_group,
            meta_data,
            created_at,
            updated_at,
        } = token;
        Self {
            id,
            physical_id,
            kind: type_,
            user: user_id.map(Reference::Id),
            status,
            expires_at,
            parent_group,
            meta_data: meta_data.0,
            created_at,
            updated_at,
        }
    }
}

filters! {
    /// Filters of tokens.
    pub struct TokenFilter {
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
