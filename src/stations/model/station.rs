//! A charge station: what an integrator says of it, and what it says of itself.

use diesel::prelude::*;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::connector::ConnectorView;
use crate::db::Json;
use crate::db::schema::chargestations;
use crate::http::fields::MetaData;
use crate::http::{Faults, Versioned};
use crate::kernel::text::{Code, Line, Name, Note, Text};
use crate::kernel::*;
use crate::locations::Coordinates;
use crate::{input, patch};

crate::spelled! {
    /// What a station speaks.
    pub enum Protocol {
        /// OCPP 1.6, JSON.
        Ocpp16 = "ocpp1.6" | "ocpp1.6j" | "1.6",
        /// OCPP 2.0.1.
        Ocpp201 = "ocpp2.0.1" | "2.0.1" | "ocpp2.0" | "2.0",
        /// OCPP 2.1.
        Ocpp21 = "ocpp2.1" | "2.1",
    }
}

crate::spelled! {
    /// How a station proves who it is.
    pub enum SecurityType {
        /// Not at all: it knows its endpoint.
        None = "none",
        /// HTTP Basic with a password.
        BasicAuth = "basic_auth",
    }
}

crate::spelled! {
    /// Whether a component is in use.
    pub enum OperationalStatus {
        /// Working.
        Operative = "Operative",
        /// Not working for now.
        Inoperative = "Inoperative",
        /// Discarded.
        Closed = "Closed",
    }
}

crate::spelled! {
    /// What a booting station is answered.
    pub enum Registration {
        /// It may work.
        Accepted = "Accepted",
        /// It must wait; it may be asked things.
        Pending = "Pending",
        /// It must go away.
        Rejected = "Rejected",
    }
}

crate::text_column!(spelled Protocol, SecurityType, OperationalStatus, Registration);

input! {
    /// What is done once a station has settled after connecting.
    #[derive(Default, Serialize, Deserialize)]
    pub struct BootConfiguration {
        /// Whether anything is done.
        #[serde(default)]
        pub enabled: Option<bool>,
        /// Ask it to boot again, to learn what it is.
        #[serde(default)]
        pub trigger_boot_notification: Option<bool>,
        /// Ask for the status of its connectors.
        #[serde(default)]
        pub trigger_status_notification: Option<bool>,
        /// Ask for a heartbeat, which sets its clock.
        #[serde(default)]
        pub trigger_heartbeat: Option<bool>,
        /// Clear old charging profiles; configured ones apply afterwards.
        #[serde(default)]
        pub clear_charging_profiles: Option<bool>,
    }
}

input! {
    /// How a station proves who it is.
    pub struct NewSecurity {
        /// none or basic_auth.
        pub kind as "type": SecurityType,
        /// A password of 16 to 40 characters; one is made when absent.
        pub password: Option<Text<16, 40>>,
    }
}

input! {
    /// A new charge station.
    #[derive(Default)]
    pub struct NewStation {
        /// Where it stands.
        pub location: Option<LocationId>,
        /// What people call it.
        #[schema(example = "North 1")]
        pub name: Option<Name>,
        /// What else there is to say.
        pub description: Option<Note>,
        /// A code of your own.
        pub code: Option<Code>,
        /// What it speaks; ocpp1.6 when absent.
        pub protocol: Option<Protocol>,
        /// How it proves who it is; none when absent.
        pub security: Option<NewSecurity>,
        /// Whether it may connect.
        pub active: Option<bool>,
        /// Whether anybody may charge.
        pub public: Option<bool>,
        /// Whether drivers see it in lists and maps.
        pub visible: Option<bool>,
        /// Whether it is a simulator.
        pub is_simulator: Option<bool>,
        /// Who made it; replaced by what it says at boot.
        pub manufacturer: Option<Line>,
        /// Which model; replaced by what it says at boot.
        pub model: Option<Line>,
        /// MAC address, for the inventory.
        pub physical_address: Option<Line>,
        /// Operative, Inoperative or Closed.
        pub operational_status: Option<OperationalStatus>,
        /// What a boot is answered; Accepted when absent.
        pub registration: Option<Registration>,
        /// What is done after it connects.
        pub boot_configuration: Option<BootConfiguration>,
        /// Where it is, when not at its location's coordinates.
        pub coordinates: Option<Coordinates>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a charge station (JSON merge patch).
    pub struct StationPatch {
        /// Where it stands.
        pub location: LocationId,
        /// What people call it.
        pub name: Name,
        /// What else there is to say.
        pub description: Note,
        /// A code of your own.
        pub code: Code,
        /// What it speaks.
        pub protocol: Protocol,
        /// How it proves who it is.
        pub security: NewSecurity,
        /// Whether it may connect.
        pub active: bool,
        /// Whether anybody may charge.
        pub public: bool,
        /// Whether drivers see it in lists and maps.
        pub visible: bool,
        /// Whether it is a simulator.
        pub is_simulator: bool,
        /// Who made it.
        pub manufacturer: Line,
        /// Which model.
        pub model: Line,
        /// MAC address, for the inventory.
        pub physical_address: Line,
        /// Operative, Inoperative or Closed.
        pub operational_status: OperationalStatus,
        /// What a boot is answered.
        pub registration: Registration,
        /// What is done after it connects.
        pub boot_configuration: BootConfiguration,
        /// Where it is.
        pub coordinates: Coordinates,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// What a station said of itself when it booted, in eDRV's field names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BootInfo {
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_point_vendor: Option<String>,
    /// Which model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_point_model: Option<String>,
    /// Its serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_point_serial_number: Option<String>,
    /// Its box's serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_box_serial_number: Option<String>,
    /// Its firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// Its SIM card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iccid: Option<String>,
    /// Its subscriber.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imsi: Option<String>,
    /// Its meter's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter_type: Option<String>,
    /// Its meter's serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter_serial_number: Option<String>,
}

/// A stored charge station.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = chargestations, treat_none_as_null = true)]
pub struct Station {
    pub id: StationId,
    pub organization_id: OrganizationId,
    pub location_id: Option<LocationId>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub code: Option<String>,
    pub protocol: Protocol,
    pub endpoint: String,
    pub security_type: SecurityType,
    pub password_hash: Option<String>,
    pub active: bool,
    pub public: bool,
    pub visible: bool,
    pub is_simulator: bool,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub physical_address: Option<String>,
    pub operational_status: OperationalStatus,
    pub registration: Registration,
    pub boot_configuration: Json<BootConfiguration>,
    pub boot_info: Json<BootInfo>,
    pub longitude: Option<f64>,
    pub latitude: Option<f64>,
    pub online: bool,
    pub last_connect_at: Option<Timestamp>,
    pub last_disconnect_at: Option<Timestamp>,
    pub last_message_at: Option<Timestamp>,
    pub configuration: Json<Value>,
    pub variables: Json<Value>,
    pub capabilities: Json<Value>,
    pub flags: Json<Vec<String>>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Letters of an endpoint: none that is read as another.
const ENDPOINT_LETTERS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// Letters an endpoint has: 31^8 of them cannot be tried out.
const ENDPOINT_LENGTH: usize = 8;
/// Letters of a password that is made here: OCPP 1.6 stations take up to 20 bytes, some only 16.
const PASSWORD_LENGTH: usize = 16;

fn draw(length: usize) -> String {
    let mut rng = rand::rng();
    let letter = |_| {
        let index = rng.random_range(0..ENDPOINT_LETTERS.len());
        ENDPOINT_LETTERS
            .get(index)
            .map_or('x', |byte| char::from(*byte))
    };
    (0..length).map(letter).collect()
}

/// What is stored of a password; the station's id is the salt.
fn password_hash(station: StationId, password: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(station.raw().as_bytes());
    digest.update(password);
    hex::encode(digest.finalize())
}

/// Whether a password is the station's. Some stations decode a password of hexadecimal characters before they send
/// it, so the decoded and the encoded form are tried as well.
pub fn password_matches(station: &Station, given: &[u8]) -> bool {
    let Some(stored) = &station.password_hash else {
        return false;
    };
    let encoded = hex::encode(given);
    let decoded = std::str::from_utf8(given)
        .ok()
        .and_then(|text| hex::decode(text.trim()).ok());
    let forms = [
        Some(given.to_vec()),
        Some(encoded.clone().into_bytes()),
        Some(encoded.to_uppercase().into_bytes()),
        decoded,
    ];
    forms.into_iter().flatten().any(|form| {
        let hash = password_hash(station.id, &form);
        bool::from(subtle::ConstantTimeEq::ct_eq(
            hash.as_bytes(),
            stored.as_bytes(),
        ))
    })
}

impl Station {
    /// The station that `new` describes and, where one was set or made, its password in the clear.
    pub fn new(
        new: NewStation,
        organization_id: OrganizationId,
        moment: &Moment,
    ) -> (Self, Option<String>) {
        let mut station = Self {
            id: moment.id(),
            organization_id,
            location_id: new.location,
            name: new.name.map(String::from),
            description: new.description.map(String::from),
            code: new.code.map(String::from),
            protocol: new.protocol.unwrap_or(Protocol::Ocpp16),
            endpoint: draw(ENDPOINT_LENGTH),
            security_type: SecurityType::None,
            password_hash: None,
            active: new.active.unwrap_or(true),
            public: new.public.unwrap_or(true),
            visible: new.visible.unwrap_or(true),
            is_simulator: new.is_simulator.unwrap_or(false),
            manufacturer: new.manufacturer.map(String::from),
            model: new.model.map(String::from),
            physical_address: new.physical_address.map(String::from),
            operational_status: new
                .operational_status
                .unwrap_or(OperationalStatus::Operative),
            registration: new.registration.unwrap_or(Registration::Accepted),
            boot_configuration: Json(new.boot_configuration.unwrap_or_default()),
            boot_info: Json::default(),
            longitude: new.coordinates.map(|place| place.longitude),
            latitude: new.coordinates.map(|place| place.latitude),
            online: false,
            last_connect_at: None,
            last_disconnect_at: None,
            last_message_at: None,
            configuration: Json(Value::Object(Default::default())),
            variables: Json(Value::Object(Default::default())),
            capabilities: Json(Value::Object(Default::default())),
            flags: Json::default(),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        };
        let password = new.security.and_then(|security| station.secure(security));
        (station, password)
    }

    /// Changes how it proves who it is; answers the password in the clear, where one was set or made.
    fn secure(&mut self, security: NewSecurity) -> Option<String> {
        self.security_type = security.kind;
        match (security.kind, security.password) {
            (SecurityType::None, _) => {
                self.password_hash = None;
                None
            }
            (SecurityType::BasicAuth, None) if self.password_hash.is_some() => None,
            (SecurityType::BasicAuth, password) => Some(
                self.set_password(password.map_or_else(|| draw(PASSWORD_LENGTH), String::from)),
            ),
        }
    }

    fn set_password(&mut self, password: String) -> String {
        self.password_hash = Some(password_hash(self.id, password.as_bytes()));
        password
    }

    /// A fresh password; the station must be told before it connects again.
    pub(in crate::stations) fn reset_password(&mut self, moment: &Moment) -> String {
        self.security_type = SecurityType::BasicAuth;
        self.updated_at = moment.version_after(self.updated_at);
        self.set_password(draw(PASSWORD_LENGTH))
    }

    /// Applies a patch; answers a password in the clear, where one was set or made.
    pub(in crate::stations) fn apply(
        &mut self,
        patch: StationPatch,
        moment: &Moment,
    ) -> Result<Option<String>, Faults> {
        let StationPatch {
            location,
            name,
            description,
            code,
            protocol,
            security,
            active,
            public,
            visible,
            is_simulator,
            manufacturer,
            model,
            physical_address,
            operational_status,
            registration,
            boot_configuration,
            coordinates,
            meta_data,
        } = patch;
        location.apply(&mut self.location_id);
        name.map(String::from).apply(&mut self.name);
        description.map(String::from).apply(&mut self.description);
        code.map(String::from).apply(&mut self.code);
        protocol.apply_or(&mut self.protocol, Protocol::Ocpp16);
        active.apply_or(&mut self.active, true);
        public.apply_or(&mut self.public, true);
        visible.apply_or(&mut self.visible, true);
        is_simulator.apply_or(&mut self.is_simulator, false);
        manufacturer.map(String::from).apply(&mut self.manufacturer);
        model.map(String::from).apply(&mut self.model);
        physical_address
            .map(String::from)
            .apply(&mut self.physical_address);
        operational_status.apply_or(&mut self.operational_status, OperationalStatus::Operative);
        registration.apply_or(&mut self.registration, Registration::Accepted);
        boot_configuration
            .map(Json)
            .apply_or(&mut self.boot_configuration, Json::default());
        coordinates
            .map(|place| place.longitude)
            .apply(&mut self.longitude);
        coordinates
            .map(|place| place.latitude)
            .apply(&mut self.latitude);
        meta_data
            .map(Json)
            .apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        let security = match security {
            Patch::Absent => None,
            Patch::Null => Some(NewSecurity {
                kind: SecurityType::None,
                password: None,
            }),
            Patch::Value(security) => Some(security),
        };
        Ok(security.and_then(|security| self.secure(security)))
    }

    /// Who made it, by its own word or else the operator's.
    pub fn vendor(&self) -> Option<&str> {
        self.boot_info
            .0
            .charge_point_vendor
            .as_deref()
            .or(self.manufacturer.as_deref())
    }
}

/// How a station proves who it is, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SecurityView {
    /// none or basic_auth.
    #[serde(rename = "type")]
    pub kind: SecurityType,
    /// The user name of HTTP Basic: the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
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
    /// What people call it.
    pub name: Option<String>,
    /// What else there is to say.
    pub description: Option<String>,
    /// A code of your own.
    pub code: Option<String>,
    /// Where it stands: an id, or with `include_location=true` the whole location.
    #[schema(value_type = Option<LocationId>)]
    pub location: Value,
    /// What it speaks.
    pub protocol: Protocol,
    /// The last part of `connection_url`.
    #[schema(example = "k3m9x7pa")]
    pub endpoint: String,
    /// The same; eDRV's second name for it.
    pub static_endpoint: String,
    /// What is configured into the station.
    #[schema(example = "ws://127.0.0.1:8080/ocpp/k3m9x7pa")]
    pub connection_url: String,
    /// How it proves who it is.
    pub security: SecurityView,
    /// Whether its socket is open.
    pub online: bool,
    /// Whether it may connect.
    pub active: bool,
    /// Whether anybody may charge.
    pub public: bool,
    /// Whether drivers see it in lists and maps.
    pub visible: bool,
    /// Whether it is a simulator.
    pub is_simulator: bool,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Which model.
    pub model: Option<String>,
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
    /// What it does differently from the specification.
    pub flags: Vec<String>,
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
        let coordinates = station.longitude.zip(station.latitude);
        let basic = station.security_type == SecurityType::BasicAuth;
        Self {
            id: station.id,
            name: station.name,
            description: station.description,
            code: station.code,
            location: station
                .location_id
                .map_or(Value::Null, |id| id.to_string().into()),
            protocol: station.protocol,
            connection_url: format!("{base}/ocpp/{}", station.endpoint),
            security: SecurityView {
                kind: station.security_type,
                username: basic.then(|| station.endpoint.clone()),
                password: None,
            },
            static_endpoint: station.endpoint.clone(),
            endpoint: station.endpoint,
            online: station.online,
            active: station.active,
            public: station.public,
            visible: station.visible,
            is_simulator: station.is_simulator,
            manufacturer: station.manufacturer,
            model: station.model,
            physical_address: station.physical_address,
            operational_status: station.operational_status,
            registration: station.registration,
            boot_configuration: station.boot_configuration.0,
            boot_info: station.boot_info.0,
            coordinates: coordinates.map(|(longitude, latitude)| Coordinates {
                longitude,
                latitude,
            }),
            connectors,
            configuration: station.configuration.0,
            variables: station.variables.0,
            flags: station.flags.0,
            last_connect_at: station.last_connect_at,
            last_disconnect_at: station.last_disconnect_at,
            last_message_at: station.last_message_at,
            meta_data: station.meta_data.0,
            created_at: station.created_at,
            updated_at: station.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_match_as_text_and_as_decoded_hexadecimal() {
        let moment = Moment::new(
            Timestamp::default(),
            std::sync::Arc::new(CountingIds::default()),
        );
        let password: Text<16, 40> = "00112233445566778899aabbccddeeff".parse().expect("valid");
        let new = NewStation {
            security: Some(NewSecurity {
                kind: SecurityType::BasicAuth,
                password: Some(password),
            }),
            ..Default::default()
        };
        let (station, shown) = Station::new(new, moment.id(), &moment);
        let shown = shown.expect("shown once");
        assert!(password_matches(&station, shown.as_bytes()));
        assert!(password_matches(
            &station,
            &hex::decode(&shown).expect("hexadecimal")
        ));
        assert!(!password_matches(&station, b"wrong"));
    }
}
