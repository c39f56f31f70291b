//! Passwords and keys in JSON, so that they can be hidden: values of configuration keys and variables that are secret, fields
//! that are called so, credentials in addresses, and all of these in texts that are JSON themselves.

use serde_json::{Map, Value};

use super::cards::HIDDEN;
use super::spelled::{letters, same_spelling};

/// Words in the names of configuration keys, and of fields, whose values are secret, by their letters.
const SECRET_KEYS: [&str; 5] = ["authorizationkey", "password", "secret", "psk", "apn"];
/// The fields with the value of a configuration key or variable.
const VALUES: [&str; 4] = ["value", "attributeValue", "actualValue", "variableAttribute"];

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
    let inner: Value = text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok())??;
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
    all.find(|(key, _)| same_spelling(key, name)).map(|(_, value)| value)
}

/// Whether what is called so is secret: `AuthorizationKey`, `BasicAuthPassword`, …
pub fn is_secret(name: &str) -> bool {
    let name = letters(name);
    SECRET_KEYS.iter().any(|word| name.contains(word))
}

/// `ftp://user:password@host` → `ftp://host`, for every address in a text, where there is anything to leave out.
fn without_credentials(text: &str) -> Option<String> {
    let mut addresses = text.split("://");
    let mut shown = addresses.next()?.to_owned();
    for rest in addresses {
        shown.push_str("://");
        shown.push_str(after_credentials(rest));
    }
    (shown != text).then_some(shown)
}

/// What follows on the user and the password of an address. A password may have `/` or `?` in it, though it should be escaped:
/// then a colon comes before them that begins no port.
fn after_credentials(rest: &str) -> &str {
    let until = |ends: &[char]| {
        let end = rest.find(|one: char| one.is_whitespace() || ends.contains(&one));
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    };
    let (authority, address) = (until(&['/', '?', '#', '"']), until(&['"']));
    let is_port = |text: &str| text.chars().all(|one| one.is_ascii_digit());
    let is_ip6 = authority.starts_with('[');
    let is_cut = authority.rsplit_once(':').is_some_and(|(_, port)| !is_port(port));
    let authority_part = if is_cut && !is_ip6 { address } else { authority };
    authority_part.rfind('@').and_then(|at| rest.get(at + 1..)).unwrap_or(rest)
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
    fn addresses_are_shown_without_who_opens_them() {
        for (said, left) in [
            ("ftp://me:geheim@host/in", "ftp://host/in"),
            ("ftp://me@host", "ftp://host"),
            ("ftp://me:ge/he?im@host/in", "ftp://host/in"),
            ("ftp://me:ge@heim@host:21/in", "ftp://host:21/in"),
            ("tried ftp://a:geheim@x, then sftp://b:geheim@y/z", "tried ftp://x, then sftp://y/z"),
            ("https://host/?mail=a@b", "https://host/?mail=a@b"),
            ("https://host?mail=a@b", "https://host?mail=a@b"),
            ("https://host:8443/a@b", "https://host:8443/a@b"),
            ("http://[2001:db8::1]:80/a@b", "http://[2001:db8::1]:80/a@b"),
            ("http://[2001:db8::1]/a@b", "http://[2001:db8::1]/a@b"),
            ("a@b", "a@b"),
            ("://", "://"),
        ] {
            assert_eq!(shown(json!(said)), json!(left), "{said}");
        }
    }

    #[test]
    fn what_opens_something_is_hidden_and_the_rest_is_left() {
        for (said, left) in [
            (
                json!({"key": "AuthorizationKey", "value": "geheim"}),
                json!({"key": "AuthorizationKey", "value": HIDDEN}),
            ),
            (json!({"key": "HeartbeatInterval", "value": "300"}), json!({"key": "HeartbeatInterval", "value": "300"})),
            (
                json!({"location": "ftp://me:geheim@host/in", "retries": 2}),
                json!({"location": "ftp://host/in", "retries": 2}),
            ),
            (json!({"data": "{\"password\":\"geheim\"}"}), json!({"data": "{\"password\":\"(hidden)\"}"})),
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
