//! A charge station: its row, what an integrator says of it, and what clients read.

use diesel::prelude::*;
use resource::resource;
use serde_json::Value;
use utoipa::openapi::schema::{Object, Schema, Type};

use super::security::SecurityView;
use super::{BootConfiguration, BootInfo, NewSecurity, OperationalStatus, Registration, SecurityType};
use crate::http::envelope::Reference;
use crate::http::fields::MetaData;
use crate::http::include::reference;
use crate::people::organizations::UnknownConnectors;
use crate::sites::locations::{Coordinates, LocationView};
use crate::sites::stations::model::connector::ConnectorView;
use crate::sites::stations::model::identity::{Identity, SerialNumber};
use crate::store::Json;
use crate::store::schema::chargestations;
use kernel::text::{Code, Line, Name, Note};
use kernel::*;

#[resource(
    new(
        "A new charge station.",
        pub struct,
        function = begin,
        derive(Default),
        example = json!({"name": "North 1", "location": "650000000000000000000001", "protocol": "ocpp1.6"})
    ),
    patch(
        "Changes of a charge station (JSON merge patch).",
        function = merge,
        example = json!({"name": "North 1", "description": "Beside the gate", "coordinates": [4.8952, 52.3702]})
    ),
    view("A charge station as clients see it.")
)]
/// A stored charge station.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = chargestations, treat_none_as_null = true)]
pub struct Station {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: StationId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Where it stands.
    #[field(
        name = "location",
        read,
        shown = Value,
        show = |id| Value::String(id.to_string()),
        view(
            "Where it stands: an id, or with `include_location=true` the whole location.",
            after = code,
            value_type = Option<Reference<LocationId, LocationView>>
        )
    )]
    pub location_id: Option<LocationId>,
    /// The load-management group that it is directly in; a station is in one at most, with all its connectors.
    #[field(
        computed,
        view(
            "The load-management group that it is directly in, where it is in one: an id, or with `include_group=true` the whole group.",
            schema_with = group_reference
        )
    )]
    pub group: Option<Value>,
    /// Display name.
    #[field(read = Name, new(example = "North 1"))]
    pub name: Option<String>,
    /// Description.
    #[field(read = Note)]
    pub description: Option<String>,
    /// A code of your own.
    #[field(read = Code)]
    pub code: Option<String>,
    /// The name by which it connects, for stations that have theirs already: letters, digits and `*-_=:+|@.`; one is drawn by
    /// chance when absent, of 20 letters where it is all that the station has to know. Unique, whatever the case of its letters.
    #[field(
        name = "endpoint",
        request,
        patch("The name by which it connects; the station must know it before it connects again. null draws one by chance; one that is
            chosen needs basic_auth, client_certificate, or security none said in the same request.")
    )]
    pub wanted_endpoint: Option<Identity>,
    /// What it speaks: what was agreed when it last connected.
    #[field(
        read,
        default = Protocol::V16,
        new("What it speaks; ocpp1.6 when absent. Replaced by what is agreed when it connects."),
        patch("What it speaks.")
    )]
    pub protocol: Protocol,
    /// The only version to speak with it, where it is pinned to one.
    #[field(
        read,
        new("The only version to speak with it; the best that it knows when absent."),
        patch("The only version to speak with it.")
    )]
    pub pinned_protocol: Option<Protocol>,
    /// The last part of `connection_url`.
    #[field(initial = String::new(), view(example = "k3m9x7pa2w4c8d6e5f3g"))]
    pub endpoint: String,
    /// Whether its endpoint was drawn by chance, and is long enough to be all that it has to know.
    #[field(hidden, initial = false)]
    pub endpoint_is_secret: bool,
    /// The same; eDRV's second name for it.
    #[field(computed = |station| station.endpoint.clone())]
    pub static_endpoint: String,
    /// What is configured into the station.
    #[field(computed, view(example = "ws://127.0.0.1:8080/ocpp/k3m9x7pa2w4c8d6e5f3g"))]
    pub connection_url: String,
    /// How it proves who it is; when absent what `default_security` of the organization says, but basic_auth instead of none
    /// for an endpoint that is chosen.
    #[field(name = "security", request, merged, patch("How it proves who it is; what is not said stays."))]
    pub wanted_security: Option<NewSecurity>,
    /// How it proves who it is.
    #[field(computed)]
    pub security: SecurityView,
    #[field(hidden, initial = SecurityType::None)]
    pub security_type: SecurityType,
    #[field(hidden, initial = None)]
    pub password_hash: Option<String>,
    /// What is stored of passwords that it was sent, and with which it has not connected yet; the newest last.
    #[field(hidden, initial = Json::default())]
    pub pending_passwords: Json<Vec<String>>,
    /// Whether it may connect with TLS only, whatever proves who it is.
    #[field(hidden, initial = false)]
    pub requires_tls: bool,
    /// Whether its socket is open.
    #[field(initial = false)]
    pub online: bool,
    /// Whether its socket is open and it has said nothing for longer than its heartbeat interval and a minute.
    #[field(computed)]
    pub late: bool,
    /// How many seconds it is to leave between heartbeats, as far as that is known.
    #[field(hidden, initial = None)]
    pub heartbeat_seconds: Option<i64>,
    /// When it is late, unless it is heard before.
    #[field(hidden, initial = None)]
    pub late_at: Option<Timestamp>,
    /// Whether it does what load management asks of it.
    #[field(
        computed,
        view(
            "Whether it keeps the limits of its load-management group: false where a connector draws more than it confirmed, or
            refuses limits; null where nothing is asked of it, or where it has not answered."
        )
    )]
    pub obeying: Option<bool>,
    /// Whether it may connect.
    #[field(read, default = true)]
    pub active: bool,
    /// Whether cards that no token knows may charge, as far as `unknown_cards` of location and organization lets them; if
    /// not, only known ones may.
    #[field(
        read,
        default = true,
        view(
            "Whether cards that no token knows may charge, as far as `unknown_cards` of location and organization lets them."
        )
    )]
    pub public: bool,
    /// What becomes of a connector that it reports and nobody set up, where it has it otherwise than its organization.
    #[field(
        read,
        new(
            "What becomes of a connector that it reports and nobody set up: report or create; what the organization says when absent."
        ),
        patch(
            "What becomes of a connector that it reports and nobody set up: report or create; what the organization says when null."
        )
    )]
    pub unknown_connectors: Option<UnknownConnectors>,
    /// Whether drivers see it in lists and maps.
    #[field(
        read,
        default = true,
        new("Whether all drivers see it in lists and maps; if not, only those of the operator's private group do.")
    )]
    pub visible: bool,
    /// Whether it is a simulator.
    #[field(read, default)]
    pub is_simulator: bool,
    /// As its operator entered it: who made it.
    #[field(
        read = Line,
        hidden,
        new("Who made it; what it says at boot when absent."),
        patch("Who made it; what it says at boot when null.")
    )]
    pub manufacturer: Option<String>,
    /// Who made it: what was entered, else what it said at boot.
    #[field(name = "manufacturer", computed = Station::known_manufacturer)]
    pub known_manufacturer: Option<String>,
    /// As its operator entered it: which model.
    #[field(
        read = Line,
        hidden,
        new("Which model; what it says at boot when absent."),
        patch("Which model; what it says at boot when null.")
    )]
    pub model: Option<String>,
    /// Which model: what was entered, else what it said at boot.
    #[field(name = "model", computed = Station::known_model)]
    pub known_model: Option<String>,
    /// Its serial number as you know it, for a certificate that has it as its name; one that several stations have is no name.
    #[field(
        read = SerialNumber,
        view("Its serial number as you entered it; what it says itself is in `bootInfo`.")
    )]
    pub serial_number: Option<String>, // what it says itself proves nothing
    /// MAC address, for the inventory.
    #[field(read = Line, view("MAC address."))]
    pub physical_address: Option<String>,
    /// Operative, Inoperative or Closed.
    #[field(
        read,
        default = OperationalStatus::Operative,
        patch("Operative, Inoperative or Closed: a station that is closed may not connect, so it is refused (409) while a session
            runs there.")
    )]
    pub operational_status: OperationalStatus,
    #[field(hidden, initial = false)]
    pub closed_by_hours: bool,
    /// What a boot is answered.
    #[field(read, default = Registration::Accepted, new("What a boot is answered; Accepted when absent."))]
    pub registration: Registration,
    /// What is done after it connects.
    #[field(read, default, view(inline))]
    pub boot_configuration: Json<BootConfiguration>,
    /// What it said of itself at boot.
    #[field(name = "bootInfo", initial = Json::default())]
    pub boot_info: Json<BootInfo>,
    /// When it last said that it booted; by our clock.
    #[field(hidden, initial = None)]
    pub last_boot_at: Option<Timestamp>,
    /// Where it is.
    #[field(
        computed = Station::own_coordinates,
        read = Coordinates,
        new("Where it is, when not at its location's coordinates."),
        view(inline)
    )]
    pub coordinates: Option<Coordinates>,
    #[field(hidden, initial = new.coordinates.map(|place| place.longitude))]
    pub longitude: Option<f64>,
    #[field(hidden, initial = new.coordinates.map(|place| place.latitude))]
    pub latitude: Option<f64>,
    /// Its connectors.
    #[field(computed)]
    pub connectors: Vec<ConnectorView>,
    /// Its configuration as it was last read.
    #[field(initial = nothing_read(), view(value_type = Object))]
    pub configuration: Json<Value>,
    /// Its variables as they were last read.
    #[field(initial = nothing_read(), view(value_type = Object))]
    pub variables: Json<Value>,
    #[field(hidden, initial = nothing_read())]
    pub capabilities: Json<Value>,
    #[field(hidden, initial = nothing_read())]
    #[diesel(column_name = limit_forms)]
    pub limit_variants: Json<Value>,
    /// What it does differently from the specification.
    #[field(hidden, initial = Json::default())]
    pub flags: Json<Vec<String>>,
    /// What it does differently from the specification, and what its operator is warned of: `clock_off`, `no_security`.
    #[field(name = "flags", computed = Station::flags_and_warnings)]
    pub flags_and_warnings: Vec<String>,
    /// How far its clock is ahead of ours, in seconds, negative where it is behind; null until its messages showed it. Times
    /// that it reports are shown with this taken off, and times that it is sent have it added.
    #[field(initial = None, view(example = 0))]
    pub clock_offset_seconds: Option<i64>,
    /// When it last connected.
    #[field(name = "lastConnectAt", initial = None)]
    pub last_connect_at: Option<Timestamp>,
    /// When it last disconnected.
    #[field(name = "lastDisconnectAt", initial = None)]
    pub last_disconnect_at: Option<Timestamp>,
    /// When it last said anything, to half a minute.
    #[field(name = "lastMessageAt", initial = None)]
    pub last_message_at: Option<Timestamp>,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

/// An id or a group, whose slice imports this one.
fn group_reference() -> Schema {
    let null = Object::builder().schema_type(Type::Null);
    let description = "The load-management group that it is directly in, where it is in one: an id, or with `include_group=true` the whole group.";
    Schema::OneOf(reference::<GroupId>("GroupView").item(null).description(Some(description)).build())
}

/// A document of which nothing is known yet.
fn nothing_read() -> Json<Value> {
    Json(Value::Object(Default::default()))
}

impl Station {
    fn known_manufacturer(&self) -> Option<String> {
        entered(&self.manufacturer).or_else(|| self.boot_info.0.charge_point_vendor.clone())
    }

    fn known_model(&self) -> Option<String> {
        entered(&self.model).or_else(|| self.boot_info.0.charge_point_model.clone())
    }

    fn flags_and_warnings(&self) -> Vec<String> {
        let warnings = self.clock_off().into_iter().chain(self.no_security());
        self.flags.0.iter().cloned().chain(warnings).collect()
    }

    fn own_coordinates(&self) -> Option<Coordinates> {
        Some(Coordinates { longitude: self.longitude?, latitude: self.latitude? })
    }
}

/// What an operator entered, where it says anything.
fn entered(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}
