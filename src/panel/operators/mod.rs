//! Operators: the people who work at the panel, how they prove who they are, and what they may do.
//!
//! An account is a person, with a password and perhaps a second factor. An operator is what that person is in an organization: a role,
//! which is a set of the scopes that keys have. A login is a secret in a cookie, of which the store has a hash only; it is for one
//! organization at a time, and is looked up at every request, so that what was taken away is gone at once. A login begins with a password,
//! or with the word of a login provider ([`oidc`]).

mod account;
mod accounts;
mod api;
mod come_in;
mod installation;
mod invitations;
mod links;
mod logged_in;
mod logins;
mod model;
mod oidc;
mod role;
mod second_factor;
mod store;

pub use accounts::{AccountSettings, Accounts, PanelLinks};
pub use api::routes;
pub use come_in::{account_routes, guard};
pub use invitations::{invite, invite_first, let_in, make_installation_admin, reset};
pub use links::tidy;
pub use model::NewOperator;
pub use oidc::{ProviderSettings, Providers};
pub use role::Role;
