//! A station as clients see it.

use super::declaration::{StationComputed, StationView};
use super::security::SecurityView;
use super::{SecurityType, Station};
use crate::sites::stations::model::connector::ConnectorView;
use kernel::{GroupId, Timestamp};

/// What load management says of a station.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Membership {
    /// The group that it is directly in.
    pub group: Option<GroupId>,
    /// Whether it keeps its limits; none where nothing is asked of it, or where that is not known.
    pub obeying: Option<bool>,
}

impl StationView {
    /// The view of a station and its connectors at `now`; `base` is how the server is reached.
    pub fn new(
        station: Station,
        (connectors, membership): (Vec<ConnectorView>, Membership),
        (base, now): (&str, Timestamp),
    ) -> Self {
        let basic = station.security_type == SecurityType::BasicAuth;
        let security = SecurityView {
            kind: station.security_type,
            username: basic.then(|| station.endpoint.clone()),
            tls: station.needs_tls(),
            password_pending: !station.pending_passwords.0.is_empty(),
            password: None,
        };
        let connection_url = format!("{base}/ocpp/{}", station.endpoint);
        let computed = StationComputed {
            connection_url,
            security,
            connectors,
            group: membership.group.map(|id| id.to_string().into()),
            late: station.is_late(now),
            obeying: membership.obeying,
        };
        Self::of(station, computed)
    }
}
