//! The endpoints of actions and of the commands that make them.

use utoipa_actix_web::service_config::ServiceConfig;

mod configuration;
mod connectors;
pub(super) mod log;
mod power_limits;
mod stations;
mod target;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(log::routes)
        .configure(stations::routes)
        .configure(configuration::routes)
        .configure(power_limits::routes)
        .configure(connectors::routes);
}
