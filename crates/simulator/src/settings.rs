//! The configuration keys of a station (OCPP 1.6 §9), as GetConfiguration and ChangeConfiguration see them.

use std::time::Duration;

use ocpp::text::{Exact, Label};
use ocpp::v16::get_configuration::Response;
use ocpp::v16::{ConfigurationStatus, KeyValue};

use super::profiles::MOST_PROFILES;

/// How often a station says it is alive.
pub const HEARTBEAT_INTERVAL: &str = "HeartbeatInterval";
/// How often a transaction is metered.
pub const METER_INTERVAL: &str = "MeterValueSampleInterval";
/// Keys that GetConfiguration answers at once.
const MOST_KEYS: usize = 50;

/// One key.
#[derive(Debug, Clone)]
struct Entry {
    key: &'static str,
    value: String,
    readonly: bool,
}

/// All keys of a station.
#[derive(Debug, Clone)]
pub struct Settings(Vec<Entry>);

impl Settings {
    /// The keys of a station with so many connectors.
    pub fn new(connectors: usize, meter_interval: Duration) -> Self {
        let fixed = |key, value: String| Entry { key, value, readonly: true };
        let open = |key, value: String| Entry { key, value, readonly: false };
        let rotation: Vec<String> = (0..=connectors).map(|number| format!("{number}.RST")).collect();
        let measured = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC";
        Self(vec![
            open("AllowOfflineTxForUnknownId", "true".into()),
            open("AuthorizationCacheEnabled", "false".into()),
            open("AuthorizeRemoteTxRequests", "false".into()),
            fixed("ChargeProfileMaxStackLevel", "9".into()),
            fixed("ChargingScheduleAllowedChargingRateUnit", "Current,Power".into()),
            fixed("ChargingScheduleMaxPeriods", "24".into()),
            open("ClockAlignedDataInterval", "0".into()),
            open("ConnectionTimeOut", "60".into()),
            fixed("ConnectorPhaseRotation", rotation.join(",")),
            fixed("ConnectorSwitch3to1PhaseSupported", "true".into()),
            fixed("GetConfigurationMaxKeys", MOST_KEYS.to_string()),
            open(HEARTBEAT_INTERVAL, "300".into()),
            open("LocalAuthListEnabled", "true".into()),
            fixed("LocalAuthListMaxLength", "1000".into()),
            open("LocalAuthorizeOffline", "true".into()),
            open("LocalPreAuthorize", "false".into()),
            fixed("MaxChargingProfilesInstalled", MOST_PROFILES.to_string()),
            open("MeterValuesSampledData", measured.into()),
            open(METER_INTERVAL, meter_interval.as_secs().to_string()),
            fixed("NumberOfConnectors", connectors.to_string()),
            open("ResetRetries", "1".into()),
            fixed("SendLocalListMaxLength", "1000".into()),
            open("StopTransactionOnEVSideDisconnect", "true".into()),
            open("StopTransactionOnInvalidId", "true".into()),
            fixed("SupportedFeatureProfiles", "Core,SmartCharging,RemoteTrigger,LocalAuthListManagement".into()),
            open("TransactionMessageAttempts", "3".into()),
            open("TransactionMessageRetryInterval", "10".into()),
            open("UnlockConnectorOnEVSideDisconnect", "true".into()),
            open("WebSocketPingInterval", "0".into()),
        ])
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
    }

    /// A key with seconds; `None` when it is 0, which switches off what it controls.
    pub fn seconds(&self, key: &str) -> Option<Duration> {
        let seconds = self.value(key)?.parse().ok().filter(|seconds| *seconds > 0);
        seconds.map(Duration::from_secs)
    }

    /// Changes a key as the server asks; numbers stay numbers.
    pub fn change(&mut self, key: &str, value: &str) -> ConfigurationStatus {
        let Some(entry) = self.0.iter_mut().find(|entry| entry.key == key) else {
            return ConfigurationStatus::NotSupported;
        };
        let was_number = entry.value.parse::<u32>().is_ok();
        if entry.readonly || (was_number && value.parse::<u32>().is_err()) {
            return ConfigurationStatus::Rejected;
        }
        value.clone_into(&mut entry.value);
        ConfigurationStatus::Accepted
    }

    /// The answer to GetConfiguration: all keys when none is named.
    pub fn list(&self, wanted: Option<&[Exact<50>]>) -> Response {
        let wanted = wanted.filter(|keys| !keys.is_empty());
        let asked = |entry: &&Entry| wanted.is_none_or(|keys| keys.iter().any(|key| key.as_str() == entry.key));
        let known = self.0.iter().filter(asked).filter_map(|entry| {
            Some(KeyValue {
                key: Label::new(entry.key).ok()?,
                readonly: Some(entry.readonly),
                value: Some(entry.value.clone()),
            })
        });
        let unknown: Vec<_> = wanted
            .unwrap_or_default()
            .iter()
            .filter(|key| self.value(key.as_str()).is_none())
            .filter_map(|key| Label::new(key.as_str()).ok())
            .collect();
        Response {
            configuration_key: Some(known.collect()),
            unknown_key: Some(unknown).filter(|keys| !keys.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_changed_as_far_as_they_may() {
        let mut settings = Settings::new(2, Duration::from_secs(30));
        assert_eq!(settings.value("ConnectorPhaseRotation"), Some("0.RST,1.RST,2.RST"));
        assert_eq!(settings.change(METER_INTERVAL, "5"), ConfigurationStatus::Accepted);
        assert_eq!(settings.seconds(METER_INTERVAL), Some(Duration::from_secs(5)));
        assert_eq!(settings.change(METER_INTERVAL, "often"), ConfigurationStatus::Rejected);
        assert_eq!(settings.change("NumberOfConnectors", "9"), ConfigurationStatus::Rejected);
        assert_eq!(settings.change("Colour", "red"), ConfigurationStatus::NotSupported);
        let keys = [METER_INTERVAL, "Colour"].map(|key| Exact::new(key).expect("short"));
        let listed = settings.list(Some(&keys));
        assert_eq!(listed.configuration_key.map(|keys| keys.len()), Some(1));
        assert_eq!(listed.unknown_key.map(|keys| keys.len()), Some(1));
    }
}
