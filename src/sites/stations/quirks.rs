//! What is known of real chargers: data, looked up by what a station says of itself.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::model::station::Station;

const FILE: &str = include_str!("quirks.toml");

/// A kind of charger and what it needs; the fields are documented in `quirks.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuirkProfile {
    /// What it is called.
    pub name: String,
    /// Part of the vendor's name.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    vendor: String,
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    model: String,
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    firmware: String,
    /// Seconds to wait after a boot before anything is asked.
    pub settle_seconds: Option<u32>,
    /// Whether messages can be triggered; unless false.
    pub triggers: Option<bool>,
    /// Configuration keys it answers at once.
    pub keys_per_call: Option<u32>,
    /// The highest stack level of charging profiles.
    pub highest_level: Option<u32>,
    /// W or A: the only unit of limits it takes.
    pub only_unit: Option<String>,
    /// What an operator should know.
    pub hint: String,
}

#[derive(Debug, Default, Deserialize)]
struct File {
    profile: Vec<QuirkProfile>,
}

/// The file is part of the program and a test reads it, so an error here cannot happen.
static PROFILES: LazyLock<Vec<QuirkProfile>> =
    LazyLock::new(|| toml::from_str::<File>(FILE).unwrap_or_default().profile);

/// What is known of this station's kind.
pub fn quirks_of(station: &Station) -> Option<&'static QuirkProfile> {
    let said = &station.boot_info.0;
    let lower = |text: Option<&str>| text.unwrap_or_default().to_lowercase();
    let vendor = lower(station.vendor());
    let model = lower(said.charge_point_model.as_deref().or(station.model.as_deref()));
    let firmware = lower(said.firmware_version.as_deref());
    PROFILES.iter().find(|profile| {
        vendor.contains(&profile.vendor) && model.contains(&profile.model) && firmware.starts_with(&profile.firmware)
    })
}

/// Which units a station takes limits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitUnits {
    /// Takes amps.
    pub amps: bool,
    /// Takes watts.
    pub watts: bool,
}

impl LimitUnits {
    /// Reads `Current,Power`, `A, W`, `Power` and what else is in use; neither unit when nothing is recognised.
    pub fn from_configuration(text: &str) -> Self {
        let mut units = Self::default();
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            match word.to_ascii_lowercase().as_str() {
                "current" | "a" | "amp" | "amps" | "ampere" | "amperes" => units.amps = true,
                "power" | "w" | "watt" | "watts" => units.watts = true,
                _ => {}
            }
        }
        units
    }
}

/// What a station can do with limits, by its kind and its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitCapabilities {
    /// It knows no stack level above 0.
    pub only_level_zero: bool,
    /// The units it takes.
    pub units: LimitUnits,
}

/// What this station can do with limits; what is known of its kind counts more than what it says, which is often
/// wrong.
pub fn limit_capabilities(station: &Station) -> LimitCapabilities {
    let quirks = quirks_of(station);
    let said = |key: &str| station.capabilities.0.get("keys")?.get(key)?.as_str();
    let units = quirks.and_then(|quirks| quirks.only_unit.as_deref());
    let units = units.or_else(|| said("ChargingScheduleAllowedChargingRateUnit"));
    let known = quirks.and_then(|quirks| quirks.highest_level);
    let highest = known.or_else(|| said("ChargeProfileMaxStackLevel")?.trim().parse().ok());
    LimitCapabilities {
        only_level_zero: highest == Some(0),
        units: LimitUnits::from_configuration(units.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::stations::model::station::{BootInfo, NewStation, SecurityType};
    use kernel::{CountingIds, Moment, Timestamp};

    fn station(vendor: &str, model: &str) -> Station {
        let moment = Moment::new(Timestamp::default(), std::sync::Arc::new(CountingIds::default()));
        let (mut station, _) = Station::new(NewStation::default(), (moment.id(), SecurityType::None), &moment);
        station.boot_info.0 = BootInfo {
            charge_point_vendor: Some(vendor.to_owned()),
            charge_point_model: Some(model.to_owned()),
            ..BootInfo::default()
        };
        station
    }

    #[test]
    fn the_file_is_read_and_profiles_fit_by_vendor_and_model() {
        let file: File = toml::from_str(FILE).expect("quirks.toml");
        assert!(file.profile.len() > 10);
        let found = |vendor, model| quirks_of(&station(vendor, model)).map(|one| one.name.as_str());
        assert_eq!(found("Wall Box Chargers (Wallbox)", "PULSAR-MAX"), Some("Wallbox Pulsar and Copper"));
        assert_eq!(found("ABB", "TAC-W22-T-0"), Some("ABB Terra AC"));
        assert_eq!(found("ABB", "Terra 54"), None);
        assert_eq!(found("Acme", "One"), None);
    }

    #[test]
    fn units_are_read_in_every_spelling() {
        for (text, amps, watts) in [
            ("Current", true, false),
            (" power ", false, true),
            ("W", false, true),
            ("?", false, false),
            ("Current,Power", true, true),
            ("A, W", true, true),
            ("W;A", true, true),
        ] {
            let units = LimitUnits { amps, watts };
            assert_eq!(LimitUnits::from_configuration(text), units, "{text}");
        }
    }

    #[test]
    fn the_kind_counts_more_than_what_the_station_says() {
        let mut huawei = station("Huawei", "SCharger-7KS-S0");
        huawei.capabilities.0 = serde_json::json!({"keys": {
            "ChargeProfileMaxStackLevel": " 0 ", "ChargingScheduleAllowedChargingRateUnit": "Current"
        }});
        let capabilities = limit_capabilities(&huawei);
        assert!(capabilities.only_level_zero && capabilities.units.watts && !capabilities.units.amps);
    }
}
