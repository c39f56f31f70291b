//! What a station can do: what is known of its kind, and what its configuration says.
//!
//! The probe only reads configuration, and never while a car is charging.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::uses::Uses;
use crate::control::actions::{NewAction, Performer};
use crate::events::ActionKind;
use crate::http::ApiResult;
use crate::sites::stations::link::StationCommand;
use crate::sites::stations::{self, LimitUnits, QuirkProfile, Station, quirks_of};
use kernel::{StationId, Timestamp};

/// Keys that one GetConfiguration asks for where nothing else is known: some stations answer ten at most.
const KEYS_PER_CALL: u32 = 10;

/// The keys that say what a station can do.
const CAPABILITY_KEYS: [&str; 14] = [
    "SupportedFeatureProfiles",
    "NumberOfConnectors",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "MaxChargingProfilesInstalled",
    "ConnectorSwitch3to1PhaseSupported",
    "GetConfigurationMaxKeys",
    "LocalAuthListMaxLength",
    "SendLocalListMaxLength",
    "ReserveConnectorZeroSupported",
    "MeterValuesSampledData",
    "MeterValueSampleInterval",
    "SecurityProfile",
];

/// What a probe learnt, as it is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Learnt {
    probed_at: Option<Timestamp>,
    firmware: Option<String>,
    keys: Map<String, Value>,
}

/// What a station can do, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct CapabilitiesView {
    /// The station.
    pub chargestation: StationId,
    /// Who made it.
    pub vendor: Option<String>,
    /// Which model.
    pub model: Option<String>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// What is known of its kind.
    #[schema(inline)]
    pub profile: Option<QuirkProfile>,
    /// The OCPP feature profiles it has; null when it was never probed.
    pub feature_profiles: Option<Vec<String>>,
    /// The units of limits it says it takes: W, A or both.
    pub charging_rate_units: Option<Vec<String>>,
    /// The highest stack level of charging profiles.
    pub max_stack_level: Option<i64>,
    /// Periods that a schedule may have.
    pub max_schedule_periods: Option<i64>,
    /// Charging profiles that may be installed.
    pub max_charging_profiles: Option<i64>,
    /// Cards that one SendLocalList may have.
    pub max_local_list_message: Option<i64>,
    /// Whether it was found to take limits and to refuse 0, which it is then not asked for again.
    pub refuses_zero: bool,
    /// Whether any connector can be reserved as "0".
    pub reserve_any_connector: Option<bool>,
    /// The configuration keys behind this, as they were read.
    #[schema(value_type = Object)]
    pub keys: Value,
    /// What it was caught doing differently from the specification.
    pub flags: Vec<String>,
    /// When it was last asked.
    pub probed_at: Option<Timestamp>,
}

fn learnt_of(station: &Station) -> Learnt {
    serde_json::from_value(station.capabilities.0.clone()).unwrap_or_default()
}

impl From<Station> for CapabilitiesView {
    fn from(station: Station) -> Self {
        let learnt = learnt_of(&station);
        let text = |key: &str| learnt.keys.get(key).and_then(Value::as_str);
        let number = |key: &str| text(key).and_then(|text| text.trim().parse::<i64>().ok());
        let words = |key: &str| {
            let parts = text(key)?.split(',').map(|part| part.trim().to_owned());
            Some(parts.filter(|part| !part.is_empty()).collect::<Vec<_>>())
        };
        Self {
            chargestation: station.id,
            vendor: station.vendor().map(str::to_owned),
            model: (station.boot_info.0.charge_point_model.clone()).or(station.model.clone()),
            firmware: station.boot_info.0.firmware_version.clone(),
            profile: quirks_of(&station).cloned(),
            feature_profiles: words("SupportedFeatureProfiles"),
            charging_rate_units: text("ChargingScheduleAllowedChargingRateUnit").map(rate_units),
            max_stack_level: number("ChargeProfileMaxStackLevel"),
            max_schedule_periods: number("ChargingScheduleMaxPeriods"),
            max_charging_profiles: number("MaxChargingProfilesInstalled"),
            max_local_list_message: number("SendLocalListMaxLength"),
            refuses_zero: station.refuses_zero(),
            reserve_any_connector: text("ReserveConnectorZeroSupported").map(|text| text.eq_ignore_ascii_case("true")),
            keys: Value::Object(learnt.keys),
            flags: station.flags.0,
            probed_at: learnt.probed_at,
        }
    }
}

fn rate_units(text: &str) -> Vec<String> {
    let units = LimitUnits::from_configuration(text);
    let known = [(units.watts, "W"), (units.amps, "A")];
    let taken = known.into_iter().filter(|(taken, _)| *taken);
    taken.map(|(_, unit)| unit.to_owned()).collect()
}

/// Whether a station was never probed with the firmware it has.
pub(super) fn is_unknown(station: &Station) -> bool {
    let learnt = learnt_of(station);
    learnt.probed_at.is_none() || learnt.firmware != station.boot_info.0.firmware_version
}

/// Reads the keys that say what a station can do, unless a car is charging; answers whether it did.
pub(super) async fn probe(performer: &Performer, uses: Uses, station: &Station) -> ApiResult<bool> {
    let id = station.id;
    let charging = performer.db().read(move |conn| {
        let connectors = stations::connectors_of_station(conn, id)?;
        let ids: Vec<_> = connectors.iter().map(|one| one.id).collect();
        (uses.is_charging)(conn, &ids)
    });
    if charging.await? {
        return Ok(false);
    }
    let keys = CAPABILITY_KEYS.map(str::to_owned);
    let read = read_keys(performer, station, &keys).await?;
    let values = read.as_object().into_iter().flatten().filter_map(|(key, entry)| {
        let known = CAPABILITY_KEYS.contains(&key.as_str());
        Some((key.clone(), entry.get("value")?.clone())).filter(|_| known)
    });
    let learnt = json!(Learnt {
        probed_at: Some(performer.context().clock.now()),
        firmware: station.boot_info.0.firmware_version.clone(),
        keys: values.collect(),
    });
    let stored = performer.db().write(move |conn| stations::save_capabilities(conn, id, &learnt));
    stored.await?;
    Ok(true)
}

/// Reads configuration keys, as many at once as the station bears, and keeps them with their age.
pub(super) async fn read_keys(performer: &Performer, station: &Station, keys: &[String]) -> ApiResult<Value> {
    let at_once = quirks_of(station).and_then(|quirks| quirks.keys_per_call);
    let at_once = usize::try_from(at_once.unwrap_or(KEYS_PER_CALL)).unwrap_or(1).max(1);
    let mut all = Map::new();
    for keys in keys.chunks(at_once) {
        let action = NewAction {
            organization: station.organization_id,
            station: station.id,
            connector: None,
            session: None,
            kind: ActionKind::StationGetVariables,
            data: json!({"key": keys}),
        };
        let command = StationCommand::GetConfiguration { keys: keys.to_vec() };
        let (_, outcome) = performer.perform(action, command).await?;
        if let Some(Value::Object(read)) = outcome.data.get("variables") {
            all.extend(read.clone());
        }
    }
    let read = Value::Object(all);
    let (stored, organization, id) = (read.clone(), station.organization_id, station.id);
    let moment = performer.context().moment();
    performer.db().write(move |conn| stations::keep_variables(conn, organization, id, &stored, &moment)).await?;
    Ok(read)
}
