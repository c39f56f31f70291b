//! An EVSE (Tridens: charger): the part of a station that serves one car at a time.

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::condition::{Condition, DetailedStatus, StationState};
use super::connector::CurrentType;
use super::number::Number;
use super::secrets;
use super::station::OperationalStatus;
use crate::filters;
use crate::http::fields::{CustomFields, Field, MetaData, Path, wrong};
use crate::http::{Faults, Versioned};
use crate::sites::locations::Coordinates;
use crate::store::Json;
use crate::store::schema::evses;
use crate::{input, json_schema, patch};
use kernel::text::{Code, Line, Name};
use kernel::*;

/// An EVSE id of ISO 15118 (`NL*ABC*E123`) or DIN SPEC 91286 (`+49*123*456`), in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractEvseId(pub String);

json_schema!(ContractEvseId, {
    "type": "string", "example": "NL*EWT*E000123",
    "pattern": r"^([A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?[Ee][A-Za-z0-9*]{1,30}|\+?[0-9]{1,3}\*[0-9]{3,6}\*[0-9*]{1,32})$"
});

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

input! {
    /// A new EVSE.
    #[derive(Default)]
    #[schema(example = json!({"name": "Left side", "evse_id": "NL*EWT*E000123", "reservable": true}))]
    pub struct NewEvse {
        /// What drivers call it.
        #[schema(example = "Left side")]
        pub name: Option<Name>,
        /// Its code, unique in your organization; drawn by chance when absent.
        pub code: Option<Code>,
        /// The station's own number of it; the next free one when absent.
        pub number: Option<Number>,
        /// Its id for roaming.
        pub evse_id: Option<ContractEvseId>,
        /// MAC address, for the inventory.
        pub physical_address: Option<Line>,
        /// Whether it can be reserved.
        pub reservable: Option<bool>,
        /// Whether roaming partners may use it.
        pub roaming: Option<bool>,
        /// DC, AC_single_phase or AC_three_phase.
        pub electric_current_type: Option<CurrentType>,
        /// Whether its connectors can be used at the same time.
        pub simultaneous: Option<bool>,
        /// Texts of your own.
        pub custom_fields: Option<CustomFields>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of an EVSE (JSON merge patch).
    #[schema(example = json!({"name": "Right side", "custom_fields": {"bay": "12"}}))]
    pub struct EvsePatch {
        /// What drivers call it.
        pub name: Name,
        /// Its code, unique in your organization; null draws another one by chance, and its QR code is another one then.
        pub code: Code,
        /// Its id for roaming.
        pub evse_id: ContractEvseId,
        /// MAC address, for the inventory.
        pub physical_address: Line,
        /// Whether it can be reserved.
        pub reservable: bool,
        /// Whether roaming partners may use it.
        pub roaming: bool,
        /// DC, AC_single_phase or AC_three_phase.
        pub electric_current_type: CurrentType,
        /// Whether its connectors can be used at the same time.
        pub simultaneous: bool,
        /// Texts of your own.
        pub custom_fields: CustomFields,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

/// A stored EVSE.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evses, treat_none_as_null = true)]
pub struct Evse {
    pub id: EvseId,
    pub organization_id: OrganizationId,
    pub chargestation_id: StationId,
    pub number: i32,
    pub name: Option<String>,
    pub code: String,
    pub evse_id: Option<String>,
    pub physical_address: Option<String>,
    pub reservable: bool,
    pub roaming: bool,
    pub electric_current_type: CurrentType,
    pub simultaneous: bool,
    pub custom_fields: Json<CustomFields>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Evse {
    /// The EVSE that `new` describes, with a code drawn by chance when it brings none.
    pub(in crate::sites::stations) fn new(
        new: NewEvse,
        (organization_id, chargestation_id): (OrganizationId, StationId),
        number: i32,
        moment: &Moment,
    ) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            chargestation_id,
            number,
            name: new.name.map(String::from),
            code: new.code.map_or_else(secrets::evse_code, String::from),
            evse_id: new.evse_id.map(|id| id.0),
            physical_address: new.physical_address.map(String::from),
            reservable: new.reservable.unwrap_or(false),
            roaming: new.roaming.unwrap_or(false),
            electric_current_type: new.electric_current_type.unwrap_or(CurrentType::AcThreePhase),
            simultaneous: new.simultaneous.unwrap_or(false),
            custom_fields: Json(new.custom_fields.unwrap_or_default()),
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    pub(in crate::sites::stations) fn apply(&mut self, patch: EvsePatch, moment: &Moment) {
        patch.name.map(String::from).apply(&mut self.name);
        patch.code.map(String::from).apply_or(&mut self.code, secrets::evse_code());
        patch.evse_id.map(|id| id.0).apply(&mut self.evse_id);
        patch.physical_address.map(String::from).apply(&mut self.physical_address);
        patch.reservable.apply_or(&mut self.reservable, false);
        patch.roaming.apply_or(&mut self.roaming, false);
        patch.electric_current_type.apply_or(&mut self.electric_current_type, CurrentType::AcThreePhase);
        patch.simultaneous.apply_or(&mut self.simultaneous, false);
        patch.custom_fields.map(Json).apply_or(&mut self.custom_fields, Json::default());
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
    }
}

/// Where a station stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct StationPlace {
    /// The location.
    pub location: Option<LocationId>,
    /// Its own coordinates, else the location's.
    pub coordinates: Option<Coordinates>,
    /// How it is doing.
    pub standing: StationState,
}

/// An EVSE as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EvseView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: EvseId,
    /// Its station.
    pub chargestation: StationId,
    /// Where its station stands.
    pub location: Option<LocationId>,
    /// Where it is: at its station's coordinates, else at the location's.
    #[schema(inline)]
    pub coordinates: Option<Coordinates>,
    /// The station's own number of it.
    pub number: i32,
    /// What drivers call it.
    pub name: Option<String>,
    /// Its code: the text of its QR code.
    pub code: String,
    /// Its id for roaming.
    pub evse_id: Option<String>,
    /// MAC address.
    pub physical_address: Option<String>,
    /// Whether it can be reserved.
    pub reservable: bool,
    /// Whether roaming partners may use it.
    pub roaming: bool,
    /// DC, AC_single_phase or AC_three_phase.
    pub electric_current_type: CurrentType,
    /// Whether its connectors can be used at the same time.
    pub simultaneous: bool,
    /// Operative, Inoperative or Closed, from its connectors.
    pub operational_status: OperationalStatus,
    /// How it is doing, from its connectors: what keeps it busy, else the best of them.
    #[schema(inline)]
    pub detailed_status: DetailedStatus,
    /// Since when nothing is known of that, because its station is offline; null while the station is connected.
    pub status_unknown_since: Option<Timestamp>,
    /// Texts of your own.
    pub custom_fields: CustomFields,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl EvseView {
    /// The view of an EVSE that is doing like this, at this place; one without connectors is out of use.
    pub fn new(evse: Evse, condition: Option<Condition>, place: StationPlace) -> Self {
        Self {
            id: evse.id,
            chargestation: evse.chargestation_id,
            location: place.location,
            coordinates: place.coordinates,
            number: evse.number,
            name: evse.name,
            code: evse.code,
            evse_id: evse.evse_id,
            physical_address: evse.physical_address,
            reservable: evse.reservable,
            roaming: evse.roaming,
            electric_current_type: evse.electric_current_type,
            simultaneous: evse.simultaneous,
            operational_status: condition.map_or(OperationalStatus::Inoperative, |condition| condition.operational),
            detailed_status: condition.map_or(DetailedStatus::Unavailable, |condition| condition.detailed),
            status_unknown_since: place.standing.unknown_since(None, evse.created_at),
            custom_fields: evse.custom_fields.0,
            meta_data: evse.meta_data.0,
            created_at: evse.created_at,
            updated_at: evse.updated_at,
        }
    }
}

impl Versioned for EvseView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of EVSEs.
    pub struct EvseFilter [has_places] {
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
