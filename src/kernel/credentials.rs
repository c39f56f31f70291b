//! Passwords and keys in JSON, so that they can be hidden: values of configuration keys and variables that are secret, fields
//! that are called so, credentials in addresses, and all of these in texts that are JSON themselves.

use serde_json::{Map, Value};

use super::cards::HIDDEN;
use super::spelled::{letters, same_spelling};

/// Words in the names of configuration keys, and of fields, whose values are secret, by their letters.
const SECRET_KEYS: [&str; 5] = ["authorizationkey", "password", "secret", "psk", "apn"];
/// The fields with the value of a configuration key or variable.
const VALUES: [&str; 4] = [
    "value",
    "attributeValue",
    "actualValue",
    "variableAttribute",
];

/// Hides every password and key.
pub fn hide_credentials(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_credentials),
        Value::Object(fields) => {
            let of_secret = named(fields).is_some_and(is_secret);
            for (name, field) in fields.iter_mut().filter(|(_, field)| !field.is_null()) {
                let is_value = VALUES.iter().any(|value| same_spelling(name, value));
                if is_secret(name) {
                    hide(field);
                } else if of_secret && is_value {
                    *field = HIDDEN.into();
                } else {
                    hide_credentials(field);
                }
            }
        }
        Value::String(text) => {
            if let Some(shown) = nested(text).or_else(|| without_credentials(text)) {
                *text = shown;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What stands under a secret name: a value, or fields of which one is the value.
fn hide(field: &mut Value) {
    let is_value = |name: &str| VALUES.iter().any(|value| same_spelling(name, value));
    let fields = field.as_object_mut();
    match fields.filter(|fields| fields.keys().any(|name| is_value(name))) {
        Some(fields) => {
            for (_, value) in fields.iter_mut().filter(|(name, _)| is_value(name)) {
                *value = HIDDEN.into();
            }
        }
        None => *field = HIDDEN.into(),
    }
}

/// Whether a text that cannot be read, such as the beginning of a message, may have something of this kind in it.
pub fn may_hold_credentials(text: &str) -> bool {
    text.contains("//") || is_secret(text)
}

/// The same for a text that is JSON itself, where there is anything to hide.
fn nested(text: &str) -> Option<String> {
    let inner: Value = text
        .starts_with(['{', '['])
        .then(|| serde_json::from_str(text).ok())??;
    let mut hidden = inner.clone();
    hide_credentials(&mut hidden);
    (hidden != inner).then(|| hidden.to_string())
}

/// The configuration key or the variable that these fields are about.
fn named(fields: &Map<String, Value>) -> Option<&str> {
    let variable = || field(fields, "variable")?.as_object();
    let name = field(fields, "key").or_else(|| field(variable()?, "name"));
    name?.as_str()
}

fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut all = fields.iter();
    all.find(|(key, _)| same_spelling(key, name))
        .map(|(_, value)| value)
}

/// Whether what is called so is secret: `AuthorizationKey`, `BasicAuthPassword`, …
pub fn is_secret(name: &str) -> bool {
    let name = letters(name);
    SECRET_KEYS.iter().any(|word| name.contains(word))
}

/// `ftp://user:password@host` → `ftp://host`, where there is anything to leave out.
fn without_credentials(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end)?;
    let (_, host) = host.rsplit_once('@')?;
    Some(format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(mut value: Value) -> Value {
        hide_credentials(&mut value);
        value
    }

    #[test]
    fn what_opens_something_is_hidden_and_the_rest_is_left() {
        for (said, left) in [
            (
                json!({"key": "AuthorizationKey", "value": "geheim"}),
                json!({"key": "AuthorizationKey", "value": HIDDEN}),
            ),
            (
                json!({"key": "HeartbeatInterval", "value": "300"}),
                json!({"key": "HeartbeatInterval", "value": "300"}),
            ),
            (
                json!({"location": "ftp://me:geheim@host/in", "retries": 2}),
                json!({"location": "ftp://host/in", "retries": 2}),
            ),
            (
                json!({"data": "{\"password\":\"geheim\"}"}),
                json!({"data": "{\"password\":\"(hidden)\"}"}),
            ),
            (json!({"data": "{not JSON"}), json!({"data": "{not JSON"})),
            (
                json!({"AuthorizationKey": {"value": "geheim", "readonly": false}}),
                json!({"AuthorizationKey": {"value": HIDDEN, "readonly": false}}),
            ),
            (json!({"password": null}), json!({"password": null})),
        ] {
            assert_eq!(shown(said), left);
        }
    }
}
