//! Configuration keys as variables of the device model.
//!
//! A key is a [`VariableName`]. The keys of OCPP 1.6 that live on under another name are known, too, so that a
//! configuration fits stations of all versions.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::wire::{exact, invalid};
use crate::sites::stations::link::LinkError;
use crate::sites::stations::{NoVariable, VariableName};
use ocpp::keys::successor;
use ocpp::v2::{Component, Evse, GetVariableData, GetVariableStatus, SetVariableData, Variable, get_variables};

/// The variable that a key names.
fn variable(key: &str) -> Result<(Component, Variable), LinkError> {
    let name = successor(key).unwrap_or(key);
    let name: VariableName = name.parse().map_err(|error: NoVariable| invalid(error.to_string()))?;
    let instance = |text: Option<String>| text.map(|text| exact(&text, "instance")).transpose();
    Ok((
        Component {
            evse: name.evse.map(|(id, connector_id)| Evse { connector_id, id }),
            instance: instance(name.component_instance)?,
            name: exact(&name.component, "component")?,
        },
        Variable { instance: instance(name.variable_instance)?, name: exact(&name.variable, "variable")? },
    ))
}

/// The key that names a variable.
pub fn key(component: &Component, variable: &Variable) -> String {
    let name = VariableName {
        component: component.name.as_str().to_owned(),
        component_instance: component.instance.clone().map(String::from),
        evse: component.evse.as_ref().map(|evse| (evse.id, evse.connector_id)),
        variable: variable.name.as_str().to_owned(),
        variable_instance: variable.instance.clone().map(String::from),
    };
    name.to_string()
}

/// Asks for the variables that keys name; those that name none are unknown to every station.
pub(super) fn wanted(keys: &[String]) -> Result<Vec<GetVariableData>, LinkError> {
    let named = keys.iter().map(|key| variable(key));
    let (known, unknown): (Vec<_>, Vec<_>) = named.partition(Result::is_ok);
    let data = |(component, variable)| GetVariableData { attribute_type: None, component, variable };
    let wanted: Vec<_> = known.into_iter().flatten().map(data).collect();
    match unknown.into_iter().find_map(Result::err) {
        Some(error) if wanted.is_empty() => Err(error),
        _ => Ok(wanted),
    }
}

/// Sets the variable that a key names.
pub(super) fn setting(key: &str, value: &str) -> Result<SetVariableData, LinkError> {
    let (component, variable) = variable(key)?;
    Ok(SetVariableData { attribute_type: None, attribute_value: exact(value, "value")?, component, variable })
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
        let found = results.iter().position(|one| key(&one.component, &one.variable).eq_ignore_ascii_case(&name));
        let result = found.map(|index| results.swap_remove(index));
        let accepted = result.filter(|result| result.attribute_status == GetVariableStatus::Accepted);
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
    fn keys_of_1_6_name_their_successors() {
        let (component, variable) = variable("HeartbeatInterval").expect("a successor");
        assert_eq!(key(&component, &variable), "OCPPCommCtrlr.HeartbeatInterval");
        assert!(super::variable("NumberOfConnectors").is_err());
        for (old, _) in ocpp::keys::SUCCESSORS {
            assert!(super::variable(old).is_ok(), "{old}");
        }
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
