//! A station as clients see it.

use super::declaration::{StationComputed, StationView};
use super::security::SecurityView;
use super::{SecurityType, Station};
use crate::sites::stations::model::connector::ConnectorView;

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
