//! The names of variables of stations that have a device model, as one text.
//!
//! `Component.Variable`, with `/instance` behind either and `@evse` or `@evse:connector` behind the component where there
//! are several: `OCPPCommCtrlr.MessageAttempts/TransactionEvent`, `EVSE@1.Power`.

use std::fmt;
use std::str::FromStr;

/// The name of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableName {
    /// The component it belongs to.
    pub component: String,
    /// Which of several such components.
    pub component_instance: Option<String>,
    /// The EVSE and the connector within it that the component belongs to.
    pub evse: Option<(u32, Option<u32>)>,
    /// The variable itself.
    pub variable: String,
    /// Which of several such variables.
    pub variable_instance: Option<String>,
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.component)?;
        if let Some(instance) = &self.component_instance {
            write!(f, "/{instance}")?;
        }
        match self.evse {
            Some((evse, Some(connector))) => write!(f, "@{evse}:{connector}")?,
            Some((evse, None)) => write!(f, "@{evse}")?,
            None => {}
        }
        write!(f, ".{}", self.variable)?;
        match &self.variable_instance {
            Some(instance) => write!(f, "/{instance}"),
            None => Ok(()),
        }
    }
}

/// A text that names no variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} must be like Component.Variable")]
pub struct NoVariable(String);

impl FromStr for VariableName {
    type Err = NoVariable;

    fn from_str(text: &str) -> Result<Self, NoVariable> {
        let unreadable = || NoVariable(text.to_owned());
        let (component, variable) = text.split_once('.').ok_or_else(unreadable)?;
        let (component, evse) = match component.split_once('@') {
            Some((component, place)) => (component, Some(place_of(place).ok_or_else(unreadable)?)),
            None => (component, None),
        };
        let (component, component_instance) = with_instance(component);
        let (variable, variable_instance) = with_instance(variable);
        if component.is_empty() || variable.is_empty() {
            return Err(unreadable());
        }
        Ok(Self { component, component_instance, evse, variable, variable_instance })
    }
}

fn with_instance(text: &str) -> (String, Option<String>) {
    match text.split_once('/') {
        Some((name, instance)) => (name.to_owned(), Some(instance.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn place_of(text: &str) -> Option<(u32, Option<u32>)> {
    match text.split_once(':') {
        Some((evse, connector)) => Some((evse.parse().ok()?, Some(connector.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in [
            "SmartChargingCtrlr.Enabled",
            "OCPPCommCtrlr.MessageAttempts/TransactionEvent",
            "EVSE@1.Power",
            "Connector@2:1.AvailabilityState",
            "CustomizationCtrlr/acme.CustomImplementationEnabled/x",
        ] {
            let name: VariableName = text.parse().expect(text);
            assert_eq!(name.to_string(), text);
        }
        for text in ["HeartbeatInterval", ".x", "x.", "EVSE@one.Power"] {
            assert!(text.parse::<VariableName>().is_err(), "{text}");
        }
    }
}
