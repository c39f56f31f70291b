//! x
use utoipa_actix_web::service_config::ServiceConfig;
/// Adds
pub fn routes(_config: &mut ServiceConfig) {}
