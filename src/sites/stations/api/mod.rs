//! The endpoints of stations, EVSEs and connectors.

use crate::http::routing::ServiceConfig;

pub mod connectors;
pub mod evses;
pub mod external_limits;
pub mod qr;
pub mod stations;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(stations::routes)
        .configure(evses::routes)
        .configure(external_limits::routes)
        .configure(qr::routes)
        .configure(connectors::routes);
}
