//! What an integrator may say of a station.

use serde::{Deserialize, Serialize};

use super::{OperationalStatus, Registration, SecurityType};
use crate::filters;
use crate::http::fields::MetaData;
use crate::people::organizations::UnknownConnectors;
use crate::sites::locations::Coordinates;
use crate::sites::stations::model::connector::ConnectorStatus;
use crate::sites::stations::model::identity::{Identity, SerialNumber};
use crate::{input, patch};
use kernel::Protocol;
use kernel::text::{Code, Line, Name, Note, Text};
use kernel::{GroupId, LocationId, UserId};

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
        /// none, basic_auth or client_certificate.
        pub kind as "type": SecurityType,
        /// A password of 16 to 40 characters; one is made when absent.
        pub password: Option<Text<16, 40>>,
        /// Whether it may connect with TLS only; as before when absent. A client certificate needs TLS anyway.
        pub tls: Option<bool>,
    }
}

impl NewSecurity {
    /// No proof at all.
    pub const NONE: Self = Self { kind: SecurityType::None, password: None, tls: None };

    /// What a new station gets where nothing is said: what is usual, except that a name which was chosen is no secret and needs
    /// a password beside it.
    pub fn usual(usual: SecurityType, is_chosen: bool) -> Self {
        let kind = match usual {
            SecurityType::None if is_chosen => SecurityType::BasicAuth,
            other => other,
        };
        Self { kind, ..Self::NONE }
    }
}

input! {
    /// A new charge station.
    #[derive(Default)]
    #[schema(example = json!({"name": "North 1", "location": "650000000000000000000001", "protocol": "ocpp1.6"}))]
    pub struct NewStation {
        /// Where it stands.
        pub location: Option<LocationId>,
        /// Display name.
        #[schema(example = "North 1")]
        pub name: Option<Name>,
        /// Description.
        pub description: Option<Note>,
        /// A code of your own.
        pub code: Option<Code>,
        /// The name by which it connects, for stations that have theirs already: letters, digits and `*-_=:+|@.`; one is drawn by
        /// chance when absent, of 20 letters where it is all that the station has to know. Unique, whatever the case of its letters.
        pub endpoint: Option<Identity>,
        /// What it speaks; ocpp1.6 when absent. Replaced by what is agreed when it connects.
        pub protocol: Option<Protocol>,
        /// The only version to speak with it; the best that it knows when absent.
        pub pinned_protocol: Option<Protocol>,
        /// How it proves who it is; when absent what `default_security` of the organization says, but basic_auth instead of none
        /// for an endpoint that is chosen.
        pub security: Option<NewSecurity>,
        /// Whether it may connect.
        pub active: Option<bool>,
        /// Whether cards that no token knows may charge, as far as `unknown_cards` of location and organization lets them; if
        /// not, only known ones may.
        pub public: Option<bool>,
        /// What becomes of a connector that it reports and nobody set up: report or create; what the organization says when absent.
        pub unknown_connectors: Option<UnknownConnectors>,
        /// Whether all drivers see it in lists and maps; if not, only those of the operator's private group do.
        pub visible: Option<bool>,
        /// Whether it is a simulator.
        pub is_simulator: Option<bool>,
        /// Who made it; what it says at boot when absent.
        pub manufacturer: Option<Line>,
        /// Which model; what it says at boot when absent.
        pub model: Option<Line>,
        /// Its serial number as you know it, for a certificate that has it as its name; one that several stations have is no name.
        pub serial_number: Option<SerialNumber>,
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
    #[schema(example = json!({"name": "North 1", "description": "Beside the gate", "coordinates": [4.8952, 52.3702]}))]
    pub struct StationPatch {
        /// Where it stands.
        pub location: LocationId,
        /// Display name.
        pub name: Name,
        /// Description.
        pub description: Note,
        /// A code of your own.
        pub code: Code,
        /// The name by which it connects; the station must know it before it connects again. null draws one by chance; one that is
        /// chosen needs basic_auth, client_certificate, or security none said in the same request.
        pub endpoint: Identity,
        /// What it speaks.
        pub protocol: Protocol,
        /// The only version to speak with it.
        pub pinned_protocol: Protocol,
        /// How it proves who it is.
        pub security: NewSecurity,
        /// Whether it may connect.
        pub active: bool,
        /// Whether cards that no token knows may charge, as far as `unknown_cards` of location and organization lets them; if
        /// not, only known ones may.
        pub public: bool,
        /// What becomes of a connector that it reports and nobody set up: report or create; what the organization says when null.
        pub unknown_connectors: UnknownConnectors,
        /// Whether drivers see it in lists and maps.
        pub visible: bool,
        /// Whether it is a simulator.
        pub is_simulator: bool,
        /// Who made it; what it says at boot when null.
        pub manufacturer: Line,
        /// Which model; what it says at boot when null.
        pub model: Line,
        /// Its serial number as you know it, for a certificate that has it as its name; one that several stations have is no name.
        pub serial_number: SerialNumber,
        /// MAC address, for the inventory.
        pub physical_address: Line,
        /// Operative, Inoperative or Closed: a station that is closed may not connect, so it is refused (409) while a session
        /// runs there.
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

filters! {
    /// Filters of charge stations.
    pub struct StationFilter [has_places] {
        /// Only those at this location.
        pub location: LocationId,
        /// Only those in this load-management group or in one below it.
        pub group: GroupId,
        /// Only those whose socket is open, or only those whose is not.
        pub online: bool,
        /// Only those that may connect, or only those that may not.
        pub active: bool,
        /// Only those where anybody may charge.
        pub public: bool,
        /// Only those that all drivers see.
        pub visible: bool,
        /// Only those that this user sees: the visible ones, or all for a member of the operator's private group.
        pub seen_by: UserId,
        /// Only those with a connector of this status.
        #[param(inline)]
        pub status: ConnectorStatus,
        /// Only those that speak this.
        #[param(inline)]
        pub protocol: Protocol,
        /// Only those made by this vendor, as the operator or the station itself calls it.
        pub vendor: String,
        /// Only those of this model, as the operator or the station itself calls it.
        pub model: String,
        /// Only those with this operational status.
        #[param(inline)]
        pub operational_status: OperationalStatus,
        /// Put the whole location in place of its id.
        pub include_location: bool,
    }
}
