//! What accounts and operators are, and what is sent to change them.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::role::{Role, Scopes};
use super::second_factor::SixDigits;
use crate::home::portal::{Password, TypedPassword};
use crate::http::fields::{Field, Path, wrong};
use crate::http::{Faults, Reach, Versioned};
use crate::people::users::Email;
use crate::store::Json;
use crate::store::schema::{operator_accounts, operators};
use crate::{filters, input, json_schema};
use kernel::text::{Name, Text};
use kernel::*;

/// A stored account: a person.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = operator_accounts, treat_none_as_null = true)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The address, in lower case; none for the first account until its link was used.
    pub email: Option<String>,
    /// What the person is called.
    pub name: String,
    /// In which language the pages are, where the browser's is not meant.
    pub language: Option<String>,
    /// None until one was chosen.
    pub password_hash: Option<String>,
    /// What the codes of the second factor are made from, sealed.
    pub totp_secret: Option<String>,
    /// Whether the second factor is asked for.
    pub totp_confirmed: bool,
    /// The step of the last code that was used: each works once.
    pub totp_step: i64,
    /// When the person last logged in.
    pub last_login_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether the person administers this installation: may make organizations, and join them.
    pub installation_admin: bool,
}

impl Account {
    /// An account without a password.
    pub fn new(email: Option<Email>, name: Option<Name>, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            email: email.map(String::from),
            name: name.map(String::from).unwrap_or_default(),
            language: None,
            password_hash: None,
            totp_secret: None,
            totp_confirmed: false,
            totp_step: 0,
            last_login_at: None,
            created_at: moment.now,
            updated_at: moment.now,
            installation_admin: false,
        }
    }

    /// Whether the person has come in by the invitation: with a password, or by a login provider, which has an address for each.
    pub fn has_accepted(&self) -> bool {
        self.password_hash.is_some() || (self.email.is_some() && self.last_login_at.is_some())
    }

    /// Whether logging in with the password needs a code of the second factor.
    pub fn has_second_factor(&self) -> bool {
        self.totp_confirmed && self.totp_secret.is_some()
    }

    /// Takes it away.
    pub(super) fn take_second_factor(&mut self) {
        self.totp_secret = None;
        self.totp_confirmed = false;
    }
}

/// A stored operator: what a person is in an organization.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = operators, treat_none_as_null = true)]
pub struct Operator {
    /// Its id.
    pub id: OperatorId,
    /// The person.
    pub account_id: AccountId,
    /// Where the person works.
    pub organization_id: OrganizationId,
    /// What the person may do there.
    pub role: Role,
    /// Whether the person may log in there.
    pub active: bool,
    /// When the last invitation was made.
    pub invited_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Where the person works; everywhere where there is no list.
    pub locations: Option<Json<Vec<LocationId>>>,
}

/// Locations that one operator works at at most; more are worked at everywhere.
const MOST_LOCATIONS: usize = 100;

/// The locations of somebody who does not work everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SomeLocations(pub Vec<LocationId>);

json_schema!(SomeLocations, {
    "type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}
});

impl Field for SomeLocations {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let locations = Vec::<LocationId>::read(value, at, faults)?;
        let mut known = BTreeSet::new();
        for (index, _) in locations.iter().enumerate().filter(|(_, id)| !known.insert(**id)) {
            faults.add(Path::Element(&at, index), "invalid", "is named twice");
        }
        if (1..=MOST_LOCATIONS).contains(&locations.len()) {
            return Some(Self(locations));
        }
        wrong(at, faults, format_args!("an array of 1 to {MOST_LOCATIONS} ids; null for everywhere"))
    }
}

impl Operator {
    /// What the person may do, where that is.
    pub fn scopes(&self) -> Scopes {
        if self.locations.is_none() { self.role.scopes() } else { self.role.scopes_at_locations() }
    }

    /// Where the person may do it.
    pub fn reach(&self) -> Reach {
        Reach::at(self.locations.as_ref().map(|Json(locations)| locations.as_slice()))
    }

    /// An operator with this role.
    pub fn new((account, organization): (AccountId, OrganizationId), role: Role, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            account_id: account,
            organization_id: organization,
            role,
            active: true,
            invited_at: moment.now,
            created_at: moment.now,
            updated_at: moment.now,
            locations: None,
        }
    }
}

crate::spelled! {
    /// How far an operator got.
    pub enum OperatorState {
        /// The invitation is not accepted yet.
        Invited = "invited",
        /// May log in.
        Active = "active",
        /// May not log in any more.
        Disabled = "disabled",
    }
}

/// An operator as others see them.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct OperatorView {
    /// The operator's id.
    #[serde(rename = "_id")]
    pub id: OperatorId,
    /// E-mail address; null for the first operator until its link was used.
    pub email: Option<String>,
    /// What the person is called.
    pub name: String,
    /// Admin, Operator or Viewer.
    pub role: Role,
    /// The locations that the person works at, and sees what is there; null: everywhere.
    pub locations: Option<Vec<LocationId>>,
    /// Whether the person may log in.
    pub active: bool,
    /// invited, active or disabled.
    pub state: OperatorState,
    /// Whether logging in needs a code of a second factor (TOTP).
    pub totp: bool,
    /// When the person last logged in.
    pub last_login_at: Option<Timestamp>,
    /// When the last invitation was made.
    pub invited_at: Timestamp,
    /// The link of the invitation, only in the answer that made it and only where no mail server is configured.
    #[schema(example = "https://charge.example.com/panel/invitations/…")]
    pub invitation_url: Option<String>,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl OperatorView {
    pub(super) fn new(operator: Operator, account: Account) -> Self {
        Self {
            id: operator.id,
            active: operator.active,
            // The link of the demo lets somebody in without an invitation.
            state: match (operator.active, account.has_accepted() || account.last_login_at.is_some()) {
                (false, _) => OperatorState::Disabled,
                (true, false) => OperatorState::Invited,
                (true, true) => OperatorState::Active,
            },
            totp: account.has_second_factor(),
            email: account.email,
            name: account.name,
            role: operator.role,
            locations: operator.locations.map(|Json(locations)| locations),
            last_login_at: account.last_login_at,
            invited_at: operator.invited_at,
            invitation_url: None,
            created_at: operator.created_at,
            updated_at: operator.updated_at,
        }
    }
}

impl Versioned for OperatorView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of operators.
    pub(crate) struct OperatorFilter {
        /// Only those with this role.
        #[param(inline)]
        pub role: Role,
        /// Only those who may log in, or only those who may not.
        pub active: bool,
    }
}

input! {
    /// Somebody who is invited to the panel.
    #[schema(example = json!({"email": "grace@example.com", "name": "Grace Hopper", "role": "Operator"}))]
    pub struct NewOperator {
        /// The address the invitation is sent to.
        pub email: Email,
        /// What the person is called; chosen with the password when absent.
        pub name: Option<Name>,
        /// Admin, Operator or Viewer.
        pub role: Role,
        /// The only locations that the person is to work at, and to see what is there; everywhere when absent. Not for an Admin.
        pub locations: Option<SomeLocations>,
    }
}

crate::patch! {
    /// Changes of an operator (JSON merge patch).
    #[schema(example = json!({"role": "Viewer"}))]
    pub(crate) struct OperatorPatch {
        /// Admin, Operator or Viewer.
        pub role: Role,
        /// The only locations that the person is to work at, and to see what is there; null: everywhere. Not for an Admin.
        pub locations: SomeLocations,
        /// Whether the person may log in.
        pub active: bool,
        /// `false` takes the second factor away, for somebody who lost it.
        pub totp: bool,
    }
}

input! {
    /// Who logs in.
    #[schema(example = json!({"email": "grace@example.com", "password": "correct horse battery"}))]
    pub(crate) struct Login {
        /// The address.
        pub email: Email,
        /// The password.
        pub password: TypedPassword,
        /// The code of the second factor, where the account has one.
        pub totp: Option<SixDigits>,
    }
}

input! {
    /// The name and the password of somebody who was invited.
    #[schema(example = json!({"name": "Grace Hopper", "password": "correct horse battery"}))]
    pub(crate) struct Acceptance {
        /// What the person is called.
        pub name: Name,
        /// The password.
        pub password: Password,
        /// The address to log in with; needed where the invitation was sent to none, as that of the first start.
        pub email: Option<Email>,
    }
}

input! {
    /// Another password, by a link.
    #[schema(example = json!({"password": "correct horse battery"}))]
    pub(crate) struct ChosenPassword {
        /// The new password.
        pub password: Password,
    }
}

input! {
    /// Another password, by somebody who is logged in.
    #[schema(example = json!({"current_password": "correct horse battery", "new_password": "staple of four words"}))]
    pub(crate) struct PasswordChange {
        /// The password until now.
        pub current_password: TypedPassword,
        /// The new one.
        pub new_password: Password,
    }
}

input! {
    /// Who forgot the password.
    #[schema(example = json!({"email": "grace@example.com"}))]
    pub(crate) struct Forgotten {
        /// The address.
        pub email: Email,
    }
}

input! {
    /// A code of the second factor.
    #[schema(example = json!({"code": "492039"}))]
    pub(crate) struct Confirmation {
        /// The six digits that the app shows.
        pub code: SixDigits,
    }
}

input! {
    /// Which organization to work for.
    #[schema(example = json!({"organization": "650000000000000000000001"}))]
    pub(crate) struct OrganizationChoice {
        /// One of the account's organizations.
        pub organization: OrganizationId,
    }
}

crate::patch! {
    /// Changes of the own account (JSON merge patch).
    #[schema(example = json!({"name": "Grace Hopper", "language": "de"}))]
    pub(crate) struct AccountPatch {
        /// What the person is called.
        pub name: Name,
        /// In which language the pages are, such as en or de; null: the browser's.
        pub language: Text<2, 10>,
    }
}
