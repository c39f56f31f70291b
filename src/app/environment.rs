//! What is special about the environment: variables that Kubernetes makes by itself, and options that are set twice.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use toml::Value;

/// Whether Kubernetes makes this variable for each container beside a service that is called `evenwatt`, or `evenwatt-` and more
/// (`enableServiceLinks`): by the form of its name and of its value, so that no option is taken for one.
pub(super) fn is_of_kubernetes(name: &str, text: &str) -> bool {
    let Some(rest) = name.strip_prefix("EVENWATT_") else {
        return false;
    };
    let is_address = || text.parse::<IpAddr>().is_ok();
    let is_port = || is_number(text);
    // Names of services and ports have no lower case here, and every other sign became a `_`.
    let is_plain = |part: &str| part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !is_plain(rest) {
        return false;
    }
    if is_end(rest, "SERVICE_HOST") {
        return is_address();
    }
    if is_end(rest, "SERVICE_PORT") || after(rest, "SERVICE_PORT_").is_some() {
        return is_port();
    }
    if is_end(rest, "PORT") && is_link(text, None) {
        return true;
    }
    let Some(of_port) = after(rest, "PORT_") else {
        return false;
    };
    let mut parts = of_port.split('_');
    let (Some(port), Some(protocol), kind, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let protocol = protocol.to_lowercase();
    if !is_number(port) || !PROTOCOLS.contains(&protocol.as_str()) {
        return false;
    }
    match kind {
        None => is_link(text, Some((&protocol, port))),
        Some("PROTO") => text == protocol,
        Some("PORT") => text == port,
        Some("ADDR") => is_address(),
        Some(_) => false,
    }
}

/// What services speak.
const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];

fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Whether a name is this, alone or behind the rest of a service's name.
fn is_end(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('_'))
}

/// What comes after this in a name, where that stands at its beginning or behind the rest of a service's name.
fn after<'a>(name: &'a str, part: &str) -> Option<&'a str> {
    let begins = |at: usize| at == 0 || name.get(..at).is_some_and(|before| before.ends_with('_'));
    let (at, _) = name.rmatch_indices(part).find(|(at, _)| begins(*at))?;
    name.get(at + part.len()..).filter(|rest| !rest.is_empty())
}

/// Whether a text is `tcp://10.0.0.1:8080`, perhaps with this protocol and port.
fn is_link(text: &str, expected: Option<(&str, &str)>) -> bool {
    let Some((protocol, address)) = text.split_once("://") else {
        return false;
    };
    let Ok(address) = address.parse::<SocketAddr>() else {
        return false;
    };
    PROTOCOLS.contains(&protocol)
        && expected.is_none_or(|(of, port)| protocol == of && address.port().to_string() == port)
}

/// The options that one source sets, each with the name that set it.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeMap<String, (String, Value)>);

impl Given {
    /// Notes that a name sets an option. Refuses another name with another value: which of both counts is not to be guessed.
    pub(super) fn note(&mut self, option: &str, name: &str, value: &Value) -> Result<(), String> {
        if let Some((before, other)) = self.0.get(option)
            && before != name
            && other != value
        {
            let mut names = [before.as_str(), name];
            names.sort_unstable();
            let [first, second] = names;
            // Not the values, which may be secrets.
            return Err(format!("{first} and {second} set {option} to different values; set one of them"));
        }
        self.0.insert(option.to_owned(), (name.to_owned(), value.clone()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_forms_of_kubernetes_are_its_variables() {
        for (name, text) in [
            ("EVENWATT_SERVICE_HOST", "fd00::1"),
            ("EVENWATT_METRICS_SERVICE_HOST", "10.0.0.3"),
            ("EVENWATT_METRICS_SERVICE_PORT_METRICS", "9464"),
            ("EVENWATT_METRICS_PORT_9464_TCP", "tcp://10.0.0.3:9464"),
            ("EVENWATT_PORT", "tcp://[fd00::1]:80"),
            ("EVENWATT_PORT_53_UDP_PROTO", "udp"),
        ] {
            assert!(is_of_kubernetes(name, text), "{name}={text}");
        }
        for (name, text) in [
            ("EVENWATT_SERVICE_HOST", "somewhere"),
            ("EVENWATT_SERVICE_PORT", "80 80"),
            ("EVENWATT_SERVICE_PORT", "+80"),
            ("EVENWATT_PORT", "8080"),
            ("EVENWATT_PORT", "http://10.0.0.1:8080"),
            ("EVENWATT_PORT_8080_TCP", "tcp://10.0.0.1:8081"),
            ("EVENWATT_PORT_8080_TCP", "udp://10.0.0.1:8080"),
            ("EVENWATT_PORT_8080_TCP_COLOUR", "red"),
            ("EVENWATT_PORT_8080_TCP_PROTO_PROTO", "tcp"),
            ("EVENWATT_PORT_8080_ICMP", "icmp://10.0.0.1:8080"),
            ("EVENWATT_PORT_TCP", "tcp://10.0.0.1:8080"),
            ("EVENWATT_SPORT", "tcp://10.0.0.1:8080"),
            ("EVENWATT_service_host", "10.0.0.1"),
            ("EVENWATT_MAIL_PORT", "25"),
            ("EVENWATT_HTTP_COLOUR", "red"),
            ("PORT", "tcp://10.0.0.1:8080"),
        ] {
            assert!(!is_of_kubernetes(name, text), "{name}={text}");
        }
    }
}
