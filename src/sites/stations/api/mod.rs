//! The endpoints of stations, EVSEs and connectors.

use crate::http::routing::ServiceConfig;

pub(super) mod connectors;
pub(super) mod evses;
pub(super) mod external_limits;
pub(super) mod qr;
pub(super) mod stations;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(stations::routes)
        .configure(evses::routes)
        .configure(external_limits::routes)
        .configure(qr::routes)
        .configure(connectors::routes);
}
