//! The endpoints of drivers, which need no key: chargers, sessions, and logins.

mod chargers;
mod login;
mod sessions;

use crate::http::routing::ServiceConfig;

/// Adds these endpoints.
pub fn routes(config: &mut ServiceConfig) {
    config.configure(chargers::routes).configure(sessions::routes).configure(login::routes);
}
