//! The endpoints about home users: for operators, for those who log in, and for those who have.

mod access;
mod home;
mod operators;
mod stream;

use super::model::{HomeUser, HomeUserView};
use crate::events::{Change, EventKind};
use crate::http::routing::ServiceConfig;
use crate::people::users::User;
use crate::store::{Conn, StoreResult};
use kernel::Moment;

/// Adds the endpoints of operators.
pub fn operator_routes(config: &mut ServiceConfig) {
    operators::routes(config);
}

/// Adds those of the portal; they have an auth guard of their own.
pub fn portal_routes(config: &mut ServiceConfig) {
    config.configure(access::routes).configure(home::routes).service(stream::stream_home_events);
}

/// Writes down what happened to a home user, and answers how that looks.
fn record_event(
    conn: &mut Conn,
    moment: &Moment,
    (home, user): (&HomeUser, &User),
    kind: EventKind,
) -> StoreResult<HomeUserView> {
    let view = HomeUserView::new(home.clone(), user.clone());
    Change::new(conn, home.organization_id, moment).record(kind, &view)?;
    Ok(view)
}
