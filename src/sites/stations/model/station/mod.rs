//! A charge station: what an integrator says of it, and what it says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::merging::{Changes, merged};
use crate::http::{ApiError, ApiResult, Faults};
pub use crate::people::organizations::SecurityType;
use crate::sites::stations::model::identity::Identity;
use crate::sites::stations::model::secrets;
use kernel::*;

mod declaration;
mod lateness;
mod request;
mod security;
mod view;

pub(crate) use declaration::{NewStation, StationPatch};
pub use declaration::{Station, StationView};
pub(in crate::sites::stations) use lateness::{heartbeat_of, late_at};
pub use request::BootConfiguration;
pub(crate) use request::{NewSecurity, StationFilter};
pub(crate) use view::Membership;

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

crate::text_column!(spelled OperationalStatus, Registration);

/// A number of a card that is too long for what the station speaks is a fault of this field.
pub fn require_card(protocol: Protocol, number: &str, field: &str) -> ApiResult<()> {
    if protocol.takes_card(number) {
        return Ok(());
    }
    let longest = protocol.longest_card();
    let message = format!("must have at most {longest} characters: the charge station speaks {protocol}");
    Err(ApiError::field(field, "invalid", message))
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

/// A clock that is off by so many seconds is worth a warning: limits and prices are kept, but its own records are wrong.
pub(crate) const CLOCK_OFF_SECONDS: u64 = 60;
/// That nothing keeps others from being this station.
const NO_SECURITY: &str = "no_security: whoever knows or guesses its endpoint connects as this station; give it basic_auth or \
    client_certificate, or an endpoint that is drawn by chance";

/// Passwords that a station may have been sent without an answer.
const MOST_PENDING: usize = 5;

/// Why an endpoint is refused.
const CHOSEN_IS_NO_SECRET: &str = "is chosen, so it is no secret: give the station basic_auth or client_certificate, or say security \
    none in the same request";

/// Whether a password is the station's.
pub fn password_matches(station: &Station, given: &[u8]) -> bool {
    let stored = station.password_hash.as_deref();
    stored.is_some_and(|stored| secrets::is_password(station.id, stored, given))
}

impl Station {
    /// The station that `new` describes and, where one was set or made, its password in the clear.
    pub fn new(
        mut new: NewStation,
        (organization_id, usual): (OrganizationId, SecurityType),
        moment: &Moment,
    ) -> (Self, Option<String>) {
        let (endpoint, security) = (new.endpoint.take(), new.security.take());
        let is_chosen = endpoint.is_some();
        let security = security.unwrap_or_else(|| NewSecurity::usual(usual, is_chosen));
        let is_open = security.kind == SecurityType::None;
        let mut station = Self::begin(new, organization_id, moment);
        station.endpoint = endpoint.map_or_else(|| secrets::endpoint(is_open), Identity::into_text);
        station.endpoint_is_secret = is_open && !is_chosen;
        let password = station.secure(security);
        (station, password)
    }

    /// Changes how it proves who it is; answers the password in the clear, where one was set or made.
    fn secure(&mut self, security: NewSecurity) -> Option<String> {
        self.security_type = security.kind;
        self.requires_tls = security.tls.unwrap_or(self.requires_tls);
        self.pending_passwords.0.clear();
        match (security.kind, security.password) {
            (SecurityType::None | SecurityType::ClientCertificate, _) => {
                self.password_hash = None;
                None
            }
            (SecurityType::BasicAuth, None) if self.password_hash.is_some() => None,
            (SecurityType::BasicAuth, password) => {
                Some(self.set_password(password.map_or_else(secrets::password, String::from)))
            }
        }
    }

    fn set_password(&mut self, password: String) -> String {
        self.password_hash = Some(secrets::password_hash(self.id, password.as_bytes()));
        password
    }

    /// Whether it may open a socket, as far as its state says.
    pub fn may_connect(&self) -> bool {
        self.active && self.operational_status != OperationalStatus::Closed
    }

    /// Whether it cannot come without TLS.
    pub fn needs_tls(&self) -> bool {
        self.requires_tls || self.security_type == SecurityType::ClientCertificate
    }

    /// That nothing but a name which others know keeps them out, in a sentence that begins with `no_security`.
    pub fn no_security(&self) -> Option<String> {
        let is_open = self.security_type == SecurityType::None && !self.endpoint_is_secret;
        is_open.then(|| NO_SECURITY.to_owned())
    }

    /// Whether a socket that was opened under the rules of `other` would be opened alike under its own.
    pub(in crate::sites::stations) fn connects_like(&self, other: &Self) -> bool {
        self.security_type == other.security_type
            && self.endpoint.eq_ignore_ascii_case(&other.endpoint)
            && self.pinned_protocol == other.pinned_protocol
            && self.password_hash == other.password_hash
            && self.needs_tls() == other.needs_tls()
    }

    /// A password that it is about to be sent, drawn by chance where none is wanted: in the clear, and what is stored of it. Both
    /// this and the one that it has are right until it connects with this one.
    pub(in crate::sites::stations) fn propose_password(&mut self, wanted: Option<String>) -> (String, String) {
        let password = wanted.unwrap_or_else(secrets::password);
        let hash = secrets::password_hash(self.id, password.as_bytes());
        let pending = &mut self.pending_passwords.0;
        pending.retain(|known| *known != hash);
        if pending.len() >= MOST_PENDING {
            pending.remove(0);
        }
        pending.push(hash.clone());
        (password, hash)
    }

    /// The pending password that this is, as it is stored.
    pub fn pending_password(&self, given: &[u8]) -> Option<&str> {
        let pending = self.pending_passwords.0.iter().rev();
        let mut right = pending.filter(|stored| secrets::is_password(self.id, stored, given));
        right.next().map(String::as_str)
    }

    /// Takes over a pending password: the station has it. Without security before, it has some now.
    pub(in crate::sites::stations) fn take_over_password(&mut self, hash: String, moment: &Moment) {
        if self.security_type == SecurityType::None {
            self.security_type = SecurityType::BasicAuth;
        }
        self.password_hash = Some(hash);
        self.pending_passwords.0.clear();
        self.updated_at = moment.version_after(self.updated_at);
    }

    /// A fresh password; the station must get it before it connects again.
    pub(in crate::sites::stations) fn reset_password(&mut self, moment: &Moment) -> String {
        self.security_type = SecurityType::BasicAuth;
        self.pending_passwords.0.clear();
        self.updated_at = moment.version_after(self.updated_at);
        self.set_password(secrets::password())
    }

    /// Applies a patch; answers a password in the clear, where one was set or made.
    pub(in crate::sites::stations) fn apply(
        &mut self,
        mut patch: StationPatch,
        moment: &Moment,
    ) -> Result<Option<String>, Faults> {
        let (endpoint, security) = (std::mem::take(&mut patch.endpoint), std::mem::take(&mut patch.security));
        patch.coordinates.map(|place| place.longitude).apply(&mut self.longitude);
        patch.coordinates.map(|place| place.latitude).apply(&mut self.latitude);
        let mut faults = self.merge(patch, moment).err().unwrap_or_default();
        let says = |member| security.value().is_some_and(|changes: &Changes<NewSecurity>| changes.says(member));
        let is_said = security == Patch::Null || says("type");
        let is_proof = is_said || says("password");
        let there = json!({"type": self.security_type, "tls": self.requires_tls});
        let security = match merged(security, Some(&there), "security", &mut faults) {
            Patch::Absent => None,
            Patch::Null => Some(NewSecurity::NONE),
            Patch::Value(security) => Some(NewSecurity { tls: Some(security.tls.unwrap_or(false)), ..security }),
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let password = match security {
            Some(security) if is_proof => self.secure(security),
            // What proves who it is stays, with a password that it has not come with yet.
            Some(security) => {
                self.requires_tls = security.tls == Some(true);
                None
            }
            None => None,
        };
        self.rename(endpoint, is_said)?;
        Ok(password)
    }

    /// Changes by which name it connects. A name that is chosen is no secret: where nothing else proves who the station is, the
    /// request must say so.
    fn rename(&mut self, endpoint: Patch<Identity>, security_is_said: bool) -> Result<(), Faults> {
        let is_open = self.security_type == SecurityType::None;
        let name = match endpoint {
            Patch::Absent => return Ok(()),
            Patch::Null => {
                self.endpoint = secrets::endpoint(is_open);
                self.endpoint_is_secret = is_open;
                return Ok(());
            }
            Patch::Value(identity) => identity.into_text(),
        };
        if !name.eq_ignore_ascii_case(&self.endpoint) {
            if is_open && !security_is_said {
                let mut faults = Faults::default();
                faults.add("endpoint", "invalid", CHOSEN_IS_NO_SECRET);
                return Err(faults);
            }
            self.endpoint_is_secret = false;
        }
        self.endpoint = name;
        Ok(())
    }

    /// The names by which its operator knows it; others may have the same serial number.
    pub fn entered_names(&self) -> impl Iterator<Item = &str> {
        let serial = self.serial_number.as_deref();
        [self.endpoint.as_str()].into_iter().chain(serial)
    }

    /// Whether it was found to take limits and to refuse 0.
    pub fn refuses_zero(&self) -> bool {
        let found = self.limit_variants.0.get("refuses_zero");
        found.and_then(Value::as_bool).unwrap_or(false)
    }

    /// That its clock is off, where it is, in a sentence that begins with `clock_off`.
    pub fn clock_off(&self) -> Option<String> {
        let seconds = self.clock_offset_seconds?;
        let off = seconds.unsigned_abs();
        let direction = if seconds > 0 { "ahead" } else { "behind" };
        (off >= CLOCK_OFF_SECONDS).then(|| format!("clock_off: its clock is {off} s {direction}"))
    }

    /// Who made it, by its own word or else the operator's.
    pub fn vendor(&self) -> Option<&str> {
        self.boot_info.0.charge_point_vendor.as_deref().or(self.manufacturer.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::text::Text;

    #[test]
    fn passwords_match_as_text_and_as_decoded_hexadecimal() {
        let moment = Moment::new(Timestamp::default(), std::sync::Arc::new(CountingIds::default()));
        let password: Text<16, 40> = "00112233445566778899aabbccddeeff".parse().expect("valid");
        let new = NewStation {
            security: Some(NewSecurity { kind: SecurityType::BasicAuth, password: Some(password), tls: None }),
            ..Default::default()
        };
        let (station, shown) = Station::new(new, (moment.id(), SecurityType::None), &moment);
        let shown = shown.expect("shown once");
        assert!(password_matches(&station, shown.as_bytes()));
        assert!(password_matches(&station, &hex::decode(&shown).expect("hexadecimal")));
        assert!(!password_matches(&station, b"wrong"));
    }
}
