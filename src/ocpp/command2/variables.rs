//! Configuration keys as variables of the device model.
//!
//! A key names a variable as `Component.Variable`, with `/instance` behind either and `@evse` or `@evse:connector` behind
//! the component where there are several: `OCPPCommCtrlr.MessageAttempts/TransactionEvent`, `EVSE@1.Power`. The keys of
//! OCPP 1.6 that live on under another name are known, too, so that a configuration fits stations of all versions.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::ocpp::command::exact;
use crate::ocpp::v2::{
    Component, Evse, GetVariableData, GetVariableStatus, SetVariableData, Variable, get_variables,
};
use crate::stations::link::LinkError;

/// Keys of OCPP 1.6, and the variables that took their place.
const SUCCESSORS: [(&str, &str); 35] = [
    (
        "AllowOfflineTxForUnknownId",
        "AuthCtrlr.OfflineTxForUnknownIdEnabled",
    ),
    ("AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled"),
    ("AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"),
    (
        "AuthorizeRemoteTxRequests",
        "AuthCtrlr.AuthorizeRemoteStart",
    ),
    (
        "ChargeProfileMaxStackLevel",
        "SmartChargingCtrlr.ProfileStackLevel",
    ),
    (
        "ChargingScheduleAllowedChargingRateUnit",
        "SmartChargingCtrlr.RateUnit",
    ),
    (
        "ChargingScheduleMaxPeriods",
        "SmartChargingCtrlr.PeriodsPerSchedule",
    ),
    ("ClockAlignedDataInterval", "AlignedDataCtrlr.Interval"),
    ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut"),
    (
        "ConnectorSwitch3to1PhaseSupported",
        "SmartChargingCtrlr.Phases3to1",
    ),
    ("CpoName", "SecurityCtrlr.OrganizationName"),
    (
        "GetConfigurationMaxKeys",
        "DeviceDataCtrlr.ItemsPerMessage/GetVariables",
    ),
    ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"),
    ("LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled"),
    ("LocalAuthListMaxLength", "LocalAuthListCtrlr.Storage"),
    ("LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline"),
    ("LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize"),
    (
        "MaxChargingProfilesInstalled",
        "SmartChargingCtrlr.Entries/ChargingProfiles",
    ),
    ("MaxEnergyOnInvalidId", "TxCtrlr.MaxEnergyOnInvalidId"),
    (
        "MeterValueSampleInterval",
        "SampledDataCtrlr.TxUpdatedInterval",
    ),
    ("MeterValuesAlignedData", "AlignedDataCtrlr.Measurands"),
    (
        "MeterValuesSampledData",
        "SampledDataCtrlr.TxUpdatedMeasurands",
    ),
    (
        "ReserveConnectorZeroSupported",
        "ReservationCtrlr.NonEvseSpecific",
    ),
    ("ResetRetries", "OCPPCommCtrlr.ResetRetries"),
    ("SecurityProfile", "SecurityCtrlr.SecurityProfile"),
    (
        "SendLocalListMaxLength",
        "LocalAuthListCtrlr.ItemsPerMessage",
    ),
    (
        "StopTransactionOnEVSideDisconnect",
        "TxCtrlr.StopTxOnEVSideDisconnect",
    ),
    ("StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId"),
    ("StopTxnAlignedData", "AlignedDataCtrlr.TxEndedMeasurands"),
    ("StopTxnSampledData", "SampledDataCtrlr.TxEndedMeasurands"),
    (
        "TransactionMessageAttempts",
        "OCPPCommCtrlr.MessageAttempts/TransactionEvent",
    ),
    (
        "TransactionMessageRetryInterval",
        "OCPPCommCtrlr.MessageAttemptInterval/TransactionEvent",
    ),
    (
        "UnlockConnectorOnEVSideDisconnect",
        "OCPPCommCtrlr.UnlockOnEVSideDisconnect",
    ),
    (
        "WebSocketPingInterval",
        "OCPPCommCtrlr.WebSocketPingInterval",
    ),
    (
        "AdditionalRootCertificateCheck",
        "SecurityCtrlr.AdditionalRootCertificateCheck",
    ),
];

/// The variable that a key names.
fn variable(key: &str) -> Result<(Component, Variable), LinkError> {
    let successor = SUCCESSORS.iter().find(|(old, _)| *old == key);
    let key = successor.map_or(key, |(_, new)| new);
    let unreadable = || LinkError::Invalid(vec![format!("{key} must be like Component.Variable")]);
    let (component, variable) = key.split_once('.').ok_or_else(unreadable)?;
    let (component, evse) = match component.split_once('@') {
        Some((component, place)) => (component, Some(evse(place).ok_or_else(unreadable)?)),
        None => (component, None),
    };
    let (component, component_instance) = instance(component);
    let (variable, variable_instance) = instance(variable);
    Ok((
        Component {
            evse,
            instance: component_instance
                .map(|text| exact(text, "instance"))
                .transpose()?,
            name: exact(component, "component")?,
        },
        Variable {
            instance: variable_instance
                .map(|text| exact(text, "instance"))
                .transpose()?,
            name: exact(variable, "variable")?,
        },
    ))
}

fn instance(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((name, instance)) => (name, Some(instance)),
        None => (text, None),
    }
}

fn evse(place: &str) -> Option<Evse> {
    let (id, connector) = match place.split_once(':') {
        Some((id, connector)) => (id, Some(connector.parse().ok()?)),
        None => (place, None),
    };
    Some(Evse {
        id: id.parse().ok()?,
        connector_id: connector,
    })
}

/// The key that names a variable.
pub fn key(component: &Component, variable: &Variable) -> String {
    let mut key = component.name.as_str().to_owned();
    if let Some(instance) = &component.instance {
        key.push('/');
        key.push_str(instance.as_str());
    }
    if let Some(evse) = &component.evse {
        key.push_str(&format!("@{}", evse.id));
        if let Some(connector) = evse.connector_id {
            key.push_str(&format!(":{connector}"));
        }
    }
    key.push('.');
    key.push_str(variable.name.as_str());
    if let Some(instance) = &variable.instance {
        key.push('/');
        key.push_str(instance.as_str());
    }
    key
}

/// Asks for the variables that keys name; those that name none are unknown to every station.
pub(super) fn wanted(keys: &[String]) -> Result<Vec<GetVariableData>, LinkError> {
    let named = keys.iter().map(|key| variable(key));
    let (known, unknown): (Vec<_>, Vec<_>) = named.partition(Result::is_ok);
    let data = |(component, variable)| GetVariableData {
        attribute_type: None,
        component,
        variable,
    };
    let wanted: Vec<_> = known.into_iter().flatten().map(data).collect();
    match unknown.into_iter().find_map(Result::err) {
        Some(error) if wanted.is_empty() => Err(error),
        _ => Ok(wanted),
    }
}

/// Sets the variable that a key names.
pub(super) fn setting(key: &str, value: &str) -> Result<SetVariableData, LinkError> {
    let (component, variable) = variable(key)?;
    Ok(SetVariableData {
        attribute_type: None,
        attribute_value: exact(value, "value")?,
        component,
        variable,
    })
}

/// `{variables: {key: {value, readonly}}, unknown: […]}` of a GetVariables answer, under the keys that were asked for.
pub(super) fn read(raw: &RawValue, keys: &[String]) -> Value {
    let answer = serde_json::from_str::<get_variables::Response>(raw.get());
    let results = answer.map(|answer| answer.get_variable_result);
    let (mut variables, mut unknown) = (Map::new(), Vec::new());
    let mut results = results.unwrap_or_default();
    for asked in keys {
        let Ok((component, variable)) = variable(asked) else {
            unknown.push(asked.clone());
            continue;
        };
        let name = key(&component, &variable);
        let found = results
            .iter()
            .position(|one| key(&one.component, &one.variable).eq_ignore_ascii_case(&name));
        let result = found.map(|index| results.swap_remove(index));
        let accepted =
            result.filter(|result| result.attribute_status == GetVariableStatus::Accepted);
        match accepted {
            Some(result) => {
                let value = result.attribute_value.map(String::from);
                variables.insert(asked.clone(), json!({"value": value, "readonly": false}));
            }
            None => unknown.push(asked.clone()),
        }
    }
    json!({"variables": variables, "unknown": unknown})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_variables_and_variables_keys() {
        for text in [
            "SmartChargingCtrlr.Enabled",
            "OCPPCommCtrlr.MessageAttempts/TransactionEvent",
            "EVSE@1.Power",
            "Connector@2:1.AvailabilityState",
            "CustomizationCtrlr/acme.CustomImplementationEnabled/x",
        ] {
            let (component, variable) = variable(text).expect(text);
            assert_eq!(key(&component, &variable), text);
        }
        let (component, variable) = variable("HeartbeatInterval").expect("a successor");
        assert_eq!(
            key(&component, &variable),
            "OCPPCommCtrlr.HeartbeatInterval"
        );
        assert!(super::variable("NumberOfConnectors").is_err());
    }

    #[test]
    fn values_come_under_the_keys_that_were_asked_for() {
        let raw = RawValue::from_string(
            json!({"getVariableResult": [
                {"attributeStatus": "UnknownVariable", "component": {"name": "A"}, "variable": {"name": "B"}},
                {"attributeStatus": "Accepted", "attributeValue": "60",
                    "component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}},
            ]})
            .to_string(),
        )
        .expect("JSON");
        let keys = ["HeartbeatInterval".to_owned(), "A.B".to_owned()];
        let read = read(&raw, &keys);
        assert_eq!(read["variables"]["HeartbeatInterval"]["value"], "60");
        assert_eq!(read["unknown"], json!(["A.B"]));
    }
}
