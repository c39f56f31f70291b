//! Parts of what an integrator says of a station, and by what stations are found.

use serde::{Deserialize, Serialize};

use super::{OperationalStatus, SecurityType};
use crate::sites::stations::model::condition::ConnectorStatus;
use crate::{filters, input};
use kernel::Protocol;
use kernel::text::Text;
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

filters! {
    /// Filters of charge stations.
    pub(crate) struct StationFilter [has_places] {
        /// Only those at this location.
        pub location: LocationId,
        /// Only those in this load-management group or in one below it.
        pub group: GroupId,
        /// Only those that are in a load-management group, or only those that are in none.
        pub in_group: bool,
        /// Only those whose socket is open, or only those whose is not.
        pub online: bool,
        /// Only those that are connected and have been silent for longer than their heartbeat interval and a minute, or only the others.
        pub late: bool,
        /// Only those that never connected to this server, or only those that did.
        pub never_connected: bool,
        /// Only those that keep the limits of their load-management group, or only those that do not; those of which that is not
        /// known are in neither list.
        pub obeying: bool,
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
        /// Put the whole load-management group in place of its id.
        pub include_group: bool,
    }
}
