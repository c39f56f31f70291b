//! What a home user is, and what is sent to log in.

use diesel::prelude::*;
use serde::Serialize;

use super::passwords::{Password, TypedPassword};
use crate::filters;
use crate::http::Versioned;
use crate::input;
use crate::people::users::{Email, User};
use crate::store::schema::home_users;
use kernel::text::{Name, Text};
use kernel::*;

crate::spelled! {
    /// How far a home user got.
    pub enum HomeUserState {
        /// The invitation is not accepted yet.
        Invited = "invited",
        /// May log in.
        Active = "active",
        /// The user was deactivated.
        Disabled = "disabled",
    }
}

/// A stored home user: that a user may log in to the portal.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = home_users, treat_none_as_null = true)]
pub(super) struct HomeUser {
    /// The user's id.
    pub id: UserId,
    pub organization_id: OrganizationId,
    pub password_hash: Option<String>,
    pub invited_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl HomeUser {
    pub(super) fn new(user: &User, moment: &Moment) -> Self {
        Self {
            id: user.id,
            organization_id: user.organization_id,
            password_hash: None,
            invited_at: moment.now,
            accepted_at: None,
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    fn state(&self, user: &User) -> HomeUserState {
        match (user.active, &self.password_hash) {
            (false, _) => HomeUserState::Disabled,
            (true, None) => HomeUserState::Invited,
            (true, Some(_)) => HomeUserState::Active,
        }
    }
}

input! {
    /// Somebody who is invited to the portal.
    #[schema(example = json!({"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace"}))]
    pub(crate) struct NewHomeUser {
        /// The address the invitation is sent to. The user who has it is invited; where nobody has, a user is created.
        pub email: Email,
        /// First name; needed where a user is created.
        pub firstname: Option<Name>,
        /// Last name; needed where a user is created.
        pub lastname: Option<Name>,
    }
}

input! {
    /// The home user of a group.
    #[schema(example = json!({"user": "650000000000000000000001"}))]
    pub(crate) struct GroupUser {
        /// A user who was invited to the portal.
        pub user: UserId,
    }
}

/// A home user as operators see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct HomeUserView {
    /// The user's id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// E-mail address.
    pub email: Option<String>,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// invited, active or disabled.
    pub state: HomeUserState,
    /// When the last invitation was made.
    pub invited_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// The link of the invitation, only in the answer that made it and only where no mail server is configured.
    #[schema(example = "https://charge.example.com/portal/invitations/…")]
    pub invitation_url: Option<String>,
    /// When the first invitation was made.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl HomeUserView {
    pub(super) fn new(home: HomeUser, user: User) -> Self {
        Self {
            state: home.state(&user),
            id: user.id,
            email: user.email,
            firstname: user.firstname,
            lastname: user.lastname,
            invited_at: home.invited_at,
            accepted_at: home.accepted_at,
            invitation_url: None,
            created_at: home.created_at,
            updated_at: home.updated_at,
        }
    }
}

impl Versioned for HomeUserView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of home users.
    pub(crate) struct HomeUserFilter {
        /// Only those who accepted their invitation, or only those who did not.
        pub accepted: bool,
    }
}

input! {
    /// The password that somebody chooses.
    #[schema(example = json!({"password": "correct horse battery"}))]
    pub(crate) struct NewPassword {
        /// The new password.
        pub password: Password,
    }
}

input! {
    /// Who wants in.
    #[schema(example = json!({"email": "ada@example.com", "password": "correct horse battery"}))]
    pub(crate) struct Login {
        /// The address that was invited.
        pub email: Email,
        /// The password.
        pub password: TypedPassword,
        /// Whose portal, where several operators invited the same address; the links in e-mails carry it.
        pub organization: Option<OrganizationId>,
    }
}

input! {
    /// Who forgot the password.
    #[schema(example = json!({"email": "ada@example.com"}))]
    pub(crate) struct ResetRequest {
        /// The address that was invited.
        pub email: Email,
        /// Whose portal, where several operators invited the same address.
        pub organization: Option<OrganizationId>,
    }
}

input! {
    /// What continues a login.
    #[schema(example = json!({"refresh_token": "kq0C…"}))]
    pub(crate) struct Refresh {
        /// The refresh token of the last answer; each works once. A page of the portal leaves it out: it has the cookie.
        pub refresh_token: Option<Text<1, 200>>,
    }
}

/// The credentials of a home user from now on.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct Tokens {
    /// For `Authorization: Bearer …` at the portal.
    pub access_token: String,
    /// Always Bearer.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// How long the access token works, in seconds.
    pub expires_in: u64,
    /// For the next `POST /portal/refresh`; works once. Pages of the portal do not see it: they get the cookie `evenwatt_portal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub refresh_token: Option<String>,
    /// When the login ends, however often it is refreshed.
    pub login_expires_at: Timestamp,
}
