//! A station as clients see it.

use serde::Serialize;

use super::declaration::{StationComputed, StationView};
use super::{SecurityType, Station};
use crate::sites::stations::model::connector::ConnectorView;

/// How a station proves who it is, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SecurityView {
    /// none, basic_auth or client_certificate.
    #[serde(rename = "type")]
    pub kind: SecurityType,
    /// The user name of HTTP Basic: the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether it may connect with TLS only.
    pub tls: bool,
    /// Whether it was sent a new password and has not connected with it yet: until then it may come with the old one, too.
    pub password_pending: bool,
    /// The password: only in the answer to setting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

impl StationView {
    /// The view of a station and its connectors; `base` is how the server is reached.
    pub fn new(station: Station, connectors: Vec<ConnectorView>, base: &str) -> Self {
        let basic = station.security_type == SecurityType::BasicAuth;
        let security = SecurityView {
            kind: station.security_type,
            username: basic.then(|| station.endpoint.clone()),
            tls: station.needs_tls(),
            password_pending: !station.pending_passwords.0.is_empty(),
            password: None,
        };
        let connection_url = format!("{base}/ocpp/{}", station.endpoint);
        Self::of(station, StationComputed { connection_url, security, connectors })
    }
}
