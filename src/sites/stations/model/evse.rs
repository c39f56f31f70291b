//! An EVSE (Tridens: charger): the part of a station that serves one car at a time.

use diesel::prelude::*;
use resource::resource;
use serde_json::Value;

use super::condition::{Condition, DetailedStatus, StationState};
use super::connector::CurrentType;
use super::number::Number;
use super::secrets;
use super::station::OperationalStatus;
use crate::filters;
use crate::http::Faults;
use crate::http::fields::{CustomFields, Field, MetaData, Path, wrong};
use crate::json_schema;
use crate::sites::locations::Coordinates;
use crate::store::Json;
use crate::store::schema::evses;
use kernel::text::{Code, Line, Name};
use kernel::*;

/// An EVSE id of ISO 15118 (`NL*ABC*E123`) or DIN SPEC 91286 (`+49*123*456`), in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractEvseId(pub String);

json_schema!(ContractEvseId, {
    "type": "string", "example": "NL*EWT*E000123",
    "pattern": r"^([A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?[Ee][A-Za-z0-9*]{1,30}|\+?[0-9]{1,3}\*[0-9]{3,6}\*[0-9*]{1,32})$"
});

impl From<ContractEvseId> for String {
    fn from(id: ContractEvseId) -> Self {
        id.0
    }
}

impl Field for ContractEvseId {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.as_str().map(str::to_ascii_uppercase);
        text.filter(|text| is_iso15118(text) || is_din91286(text))
            .map(Self)
            .or_else(|| wrong(at, faults, "an EVSE id such as NL*EWT*E000123 or +49*123*456"))
    }
}

/// What two ids have in common that mean the same EVSE: in ISO 15118 separators are optional, in DIN SPEC 91286 the plus is.
pub fn folded_contract_id(id: &str) -> String {
    let id = id.to_ascii_uppercase();
    if id.starts_with(|first: char| first == '+' || first.is_ascii_digit()) {
        id.trim_start_matches('+').to_owned()
    } else {
        id.replace('*', "")
    }
}

fn is_iso15118(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| *c != '*').collect();
    let mut letters = plain.chars();
    let country = letters.by_ref().take(2).all(|c| c.is_ascii_alphabetic());
    let operator = letters.by_ref().take(3).filter(char::is_ascii_alphanumeric).count() == 3;
    let kind = letters.next() == Some('E');
    let rest: Vec<char> = letters.collect();
    country && operator && kind && (1..=30).contains(&rest.len()) && rest.iter().all(char::is_ascii_alphanumeric)
}

fn is_din91286(text: &str) -> bool {
    let digits = |part: &str, range: std::ops::RangeInclusive<usize>| {
        range.contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit() || c == '*')
    };
    let mut parts = text.trim_start_matches('+').splitn(3, '*');
    matches!((parts.next(), parts.next(), parts.next()), (Some(country), Some(operator), Some(outlet))
        if digits(country, 1..=3) && digits(operator, 3..=6) && digits(outlet, 1..=32))
}

#[resource(
    new(
        "A new EVSE.",
        pub(in crate::sites::stations),
        derive(Default),
        example = json!({"name": "Left side", "evse_id": "NL*EWT*E000123", "reservable": true})
    ),
    patch(
        "Changes of an EVSE (JSON merge patch).",
        pub(in crate::sites::stations),
        example = json!({"name": "Right side", "custom_fields": {"bay": "12"}})
    ),
    view("An EVSE as clients see it.")
)]
/// A stored EVSE.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evses, treat_none_as_null = true)]
pub struct Evse {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: EvseId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Its station.
    #[field(name = "chargestation", argument)]
    pub chargestation_id: StationId,
    /// Where its station stands.
    #[field(computed)]
    pub location: Option<LocationId>,
    /// Where it is: at its station's coordinates, else at the location's.
    #[field(computed, view(inline))]
    pub coordinates: Option<Coordinates>,
    /// The station's own number of it.
    #[field(argument)]
    pub number: i32,
    /// What drivers call it.
    #[field(read = Name, new(example = "Left side"))]
    pub name: Option<String>,
    /// Its code: its QR code leads to `/e/<code>`, where drivers charge.
    #[field(
        read = Code,
        default = secrets::evse_code(),
        new("Its code, unique on the server; drawn by chance when absent."),
        patch("Its code, unique on the server; null draws another one by chance, and its QR code is another one then.")
    )]
    pub code: String,
    /// The station's own number of it; the next free one when absent.
    #[field(name = "number", request, fixed)]
    pub wanted_number: Option<Number>,
    /// Its id for roaming.
    #[field(read = ContractEvseId)]
    pub evse_id: Option<String>,
    /// MAC address, for the inventory.
    #[field(read = Line, view("MAC address."))]
    pub physical_address: Option<String>,
    /// Whether it can be reserved.
    #[field(read, default)]
    pub reservable: bool,
    /// Whether roaming partners may use it.
    #[field(read, default)]
    pub roaming: bool,
    /// DC, AC_single_phase or AC_three_phase.
    #[field(read, default = CurrentType::AcThreePhase)]
    pub electric_current_type: CurrentType,
    /// Whether its connectors can be used at the same time.
    #[field(read, default)]
    pub simultaneous: bool,
    /// Operative, Inoperative or Closed, from its connectors.
    #[field(computed)]
    pub operational_status: OperationalStatus,
    /// How it is doing, from its connectors: what keeps it busy, else the best of them.
    #[field(computed, view(inline))]
    pub detailed_status: DetailedStatus,
    /// Since when nothing is known of that, because its station is offline; null while the station is connected.
    #[field(computed)]
    pub status_unknown_since: Option<Timestamp>,
    /// Texts of your own.
    #[field(read, default)]
    pub custom_fields: Json<CustomFields>,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

/// Stands between the code of an EVSE and that of its connector.
pub(crate) const CODE_SEPARATOR: char = '*';

impl Evse {
    /// What a QR code at this connector leads to, one of so many of the EVSE: the code of the EVSE, and where several work at the
    /// same time that of the connector.
    pub fn code_at(&self, connector_code: &str, connectors: usize) -> String {
        if self.simultaneous && connectors > 1 {
            format!("{}{CODE_SEPARATOR}{connector_code}", self.code)
        } else {
            self.code.clone()
        }
    }
}

/// Where a station stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StationPlace {
    /// The location.
    pub location: Option<LocationId>,
    /// Its own coordinates, else the location's.
    pub coordinates: Option<Coordinates>,
    /// How it is doing.
    pub station_state: StationState,
}

impl EvseView {
    /// The view of an EVSE that is doing like this, at this place; one without connectors is out of use.
    pub(crate) fn new(evse: Evse, condition: Option<Condition>, place: StationPlace) -> Self {
        let computed = EvseComputed {
            location: place.location,
            coordinates: place.coordinates,
            operational_status: condition.map_or(OperationalStatus::Inoperative, |condition| condition.operational),
            detailed_status: condition.map_or(DetailedStatus::Unavailable, |condition| condition.detailed),
            status_unknown_since: place.station_state.unknown_since(None, evse.created_at),
        };
        Self::of(evse, computed)
    }
}

filters! {
    /// Filters of EVSEs.
    pub(crate) struct EvseFilter [has_places] {
        /// Only those of this station.
        pub chargestation: StationId,
        /// Only those at this location.
        pub location: LocationId,
        /// Only those that are doing so: `detailed_status`.
        #[param(inline)]
        pub status: DetailedStatus,
        /// Only those that can be reserved.
        pub reservable: bool,
        /// Only those open to roaming partners.
        pub roaming: bool,
        /// Only those with this kind of current.
        #[param(inline)]
        pub electric_current_type: CurrentType,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_iso_15118_and_the_plus_of_din_make_no_other_evse() {
        assert_eq!(folded_contract_id("NL*EWT*E1*2"), folded_contract_id("nlewte12"));
        assert_eq!(folded_contract_id("+49*123*456"), folded_contract_id("49*123*456"));
        assert_ne!(folded_contract_id("49*123*4567"), folded_contract_id("49*123*456*7"));
    }

    #[test]
    fn evse_ids_follow_iso_15118_or_din() {
        for right in ["NL*EWT*E000123", "NLEWTE1", "de*abc*e1*2", "+49*123*456*7"] {
            let mut faults = Faults::default();
            assert!(ContractEvseId::read(&right.into(), Path::Root, &mut faults).is_some(), "{right}");
        }
        for wrong in ["", "NL*EWT*X1", "N*EWT*E1", "NL*EW", "49-123-456"] {
            let mut faults = Faults::default();
            assert!(ContractEvseId::read(&wrong.into(), Path::Root, &mut faults).is_none(), "{wrong}");
        }
    }
}
