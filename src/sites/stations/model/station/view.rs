//! A station as clients see it.

use serde::Serialize;
use serde_json::Value;

use super::{BootConfiguration, BootInfo, OperationalStatus, Registration, SecurityType, Station};
use crate::http::Versioned;
use crate::http::envelope::Reference;
use crate::http::fields::MetaData;
use crate::people::organizations::UnknownConnectors;
use crate::sites::locations::{Coordinates, LocationView};
use crate::sites::stations::model::connector::ConnectorView;
use kernel::Protocol;
use kernel::*;

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

/// A charge station as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StationView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: StationId,
    /// Display name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// A code of your own.
    pub code: Option<String>,
    /// Where it stands: an id, or with `include_location=true` the whole location.
    #[schema(value_type = Option<Reference<LocationId, LocationView>>)]
    pub location: Value,
    /// What it speaks: what was agreed when it last connected.
    pub protocol: Protocol,
    /// The only version to speak with it, where it is pinned to one.
    pub pinned_protocol: Option<Protocol>,
    /// The last part of `connection_url`.
    #[schema(example = "k3m9x7pa2w4c8d6e5f3g")]
    pub endpoint: String,
    /// The same; eDRV's second name for it.
    pub static_endpoint: String,
    /// What is configured into the station.
    #[schema(example = "ws://127.0.0.1:8080/ocpp/k3m9x7pa2w4c8d6e5f3g")]
    pub connection_url: String,
    /// How it proves who it is.
    pub security: SecurityView,
    /// Whether its socket is open.
    pub online: bool,
    /// Whether it may connect.
    pub active: bool,
    /// Whether cards that no token knows may charge, as far as `unknown_cards` of location and organization lets them.
    pub public: bool,
    /// What becomes of a connector that it reports and nobody set up, where it has it otherwise than its organization.
    pub unknown_connectors: Option<UnknownConnectors>,
    /// Whether drivers see it in lists and maps.
    pub visible: bool,
    /// Whether it is a simulator.
    pub is_simulator: bool,
    /// Who made it: what was entered, else what it said at boot.
    pub manufacturer: Option<String>,
    /// Which model: what was entered, else what it said at boot.
    pub model: Option<String>,
    /// Its serial number as you entered it; what it says itself is in `bootInfo`.
    pub serial_number: Option<String>,
    /// MAC address.
    pub physical_address: Option<String>,
    /// Operative, Inoperative or Closed.
    pub operational_status: OperationalStatus,
    /// What a boot is answered.
    pub registration: Registration,
    /// What is done after it connects.
    #[schema(inline)]
    pub boot_configuration: BootConfiguration,
    /// What it said of itself at boot.
    #[serde(rename = "bootInfo")]
    pub boot_info: BootInfo,
    /// Where it is.
    #[schema(inline)]
    pub coordinates: Option<Coordinates>,
    /// Its connectors.
    pub connectors: Vec<ConnectorView>,
    /// Its configuration as it was last read.
    #[schema(value_type = Object)]
    pub configuration: Value,
    /// Its variables as they were last read.
    #[schema(value_type = Object)]
    pub variables: Value,
    /// What it does differently from the specification, and what its operator is warned of: `clock_off`, `no_security`.
    pub flags: Vec<String>,
    /// How far its clock is ahead of ours, in seconds, negative where it is behind; null until its messages showed it. Times
    /// that it reports are shown with this taken off, and times that it is sent have it added.
    #[schema(example = 0)]
    pub clock_offset_seconds: Option<i64>,
    /// When it last connected.
    #[serde(rename = "lastConnectAt")]
    pub last_connect_at: Option<Timestamp>,
    /// When it last disconnected.
    #[serde(rename = "lastDisconnectAt")]
    pub last_disconnect_at: Option<Timestamp>,
    /// When it last said anything, to half a minute.
    #[serde(rename = "lastMessageAt")]
    pub last_message_at: Option<Timestamp>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl Versioned for StationView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

impl StationView {
    /// The view of a station and its connectors; `base` is how the server is reached.
    pub fn new(station: Station, connectors: Vec<ConnectorView>, base: &str) -> Self {
        let (clock_off, no_security) = (station.clock_off(), station.no_security());
        let tls = station.needs_tls();
        let warnings = clock_off.into_iter().chain(no_security);
        let flags = station.flags.0.into_iter().chain(warnings).collect();
        let coordinates = station.longitude.zip(station.latitude);
        let basic = station.security_type == SecurityType::BasicAuth;
        Self {
            id: station.id,
            name: station.name,
            description: station.description,
            code: station.code,
            location: station.location_id.map_or(Value::Null, |id| id.to_string().into()),
            protocol: station.protocol,
            pinned_protocol: station.pinned_protocol,
            connection_url: format!("{base}/ocpp/{}", station.endpoint),
            security: SecurityView {
                kind: station.security_type,
                username: basic.then(|| station.endpoint.clone()),
                tls,
                password_pending: !station.pending_passwords.0.is_empty(),
                password: None,
            },
            static_endpoint: station.endpoint.clone(),
            endpoint: station.endpoint,
            online: station.online,
            active: station.active,
            public: station.public,
            unknown_connectors: station.unknown_connectors,
            visible: station.visible,
            is_simulator: station.is_simulator,
            manufacturer: entered(station.manufacturer).or_else(|| station.boot_info.0.charge_point_vendor.clone()),
            model: entered(station.model).or_else(|| station.boot_info.0.charge_point_model.clone()),
            serial_number: station.serial_number,
            physical_address: station.physical_address,
            operational_status: station.operational_status,
            registration: station.registration,
            boot_configuration: station.boot_configuration.0,
            boot_info: station.boot_info.0,
            coordinates: coordinates.map(|(longitude, latitude)| Coordinates { longitude, latitude }),
            connectors,
            configuration: station.configuration.0,
            variables: station.variables.0,
            flags,
            clock_offset_seconds: station.clock_offset_seconds,
            last_connect_at: station.last_connect_at,
            last_disconnect_at: station.last_disconnect_at,
            last_message_at: station.last_message_at,
            meta_data: station.meta_data.0,
            created_at: station.created_at,
            updated_at: station.updated_at,
        }
    }
}

/// What an operator entered, where it says anything.
fn entered(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
