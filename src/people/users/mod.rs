//! Users: the drivers whose tokens start sessions (eDRV v1.1 user, v1 driver).
//!
//! An e-mail address belongs to one user of an organization, whatever the case of its letters. A user to whom tokens
//! or sessions belong cannot be deleted, only deactivated; an inactive user's tokens are blocked.

mod api;
mod model;
mod store;
mod uses;

pub use api::{add, routes};
pub use model::{Email, NewUser, User, UserView};
pub use store::{
    active_of_address, find, find_by_email, find_many, inactive_of, is_active, is_in_private_group, require,
};
pub use uses::Uses;
