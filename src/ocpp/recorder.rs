//! The last messages of each station, in memory: what a person looks at first when a charger does odd things.
//!
//! They are bounded a station, and shown without secrets: passwords never, cards under names that stay the same within
//! one station.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::kernel::{StationId, Timestamp};

/// Bytes of text that are kept of a station.
const MOST_BYTES: usize = 64 * 1024;
/// Bytes that are kept of one message.
const LONGEST: usize = 8 * 1024;
/// What stands in place of a secret.
const HIDDEN: &str = "(hidden)";
/// Words in the names of configuration keys whose values are secret.
const SECRET_KEYS: [&str; 5] = ["authorizationkey", "password", "secret", "psk", "apn"];

crate::spelled! {
    /// Who said something.
    pub enum Direction {
        /// The station.
        FromStation = "from_station",
        /// This server.
        ToStation = "to_station",
    }
}

/// A message as it went over the socket, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordedMessage {
    /// When.
    pub at: Timestamp,
    /// Who said it.
    #[schema(inline)]
    pub direction: Direction,
    /// What was said, word for word but for secrets.
    #[schema(example = "[2,\"17\",\"Heartbeat\",{}]")]
    pub text: String,
    /// Whether its end is missing: it was too long to be kept.
    pub shortened: bool,
}

/// The messages that are kept of a station, oldest first.
#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<RecordedMessage>,
    /// Of all their texts.
    bytes: usize,
}

impl Kept {
    /// Keeps a message, and forgets the oldest ones where there are too many.
    fn add(&mut self, message: RecordedMessage, most: usize) {
        self.bytes += message.text.len();
        self.messages.push_back(message);
        while self.messages.len() > most || self.bytes > MOST_BYTES {
            let oldest = self.messages.pop_front();
            self.bytes -= oldest.map_or(self.bytes, |oldest| oldest.text.len());
        }
    }
}

/// Keeps the last messages of every station; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    most: usize,
    stations: Arc<Mutex<HashMap<StationId, Kept>>>,
}

impl Recorder {
    /// A recorder that keeps this many messages of a station; 0 keeps none.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            stations: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StationId, Kept>> {
        self.stations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message, and forgets the oldest ones where there are too many.
    pub fn record(&self, station: StationId, direction: Direction, text: &str, at: Timestamp) {
        if self.most == 0 {
            return;
        }
        let end = text.floor_char_boundary(LONGEST);
        let message = RecordedMessage {
            at,
            direction,
            text: text.get(..end).unwrap_or_default().to_owned(),
            shortened: end < text.len(),
        };
        let mut stations = self.lock();
        stations.entry(station).or_default().add(message, self.most);
    }

    /// The last messages of a station, oldest first, without secrets.
    pub fn messages(&self, station: StationId) -> Vec<RecordedMessage> {
        let kept: Vec<_> = self
            .lock()
            .get(&station)
            .map(|kept| kept.messages.iter().cloned().collect())
            .unwrap_or_default();
        let hidden = |message: RecordedMessage| RecordedMessage {
            text: without_secrets(&message.text, station),
            ..message
        };
        kept.into_iter().map(hidden).collect()
    }
}

/// The text without secrets. A text that is no JSON is shown as it is, unless it speaks of cards or keys.
fn without_secrets(text: &str, station: StationId) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut frame) => {
            hide(&mut frame, station);
            frame.to_string()
        }
        Err(_) => {
            let lower = text.to_lowercase();
            let telling = ["idtag", "idtoken", "//"]
                .iter()
                .chain(&SECRET_KEYS)
                .any(|word| lower.contains(word));
            if telling {
                HIDDEN.to_owned()
            } else {
                text.to_owned()
            }
        }
    }
}

fn hide(value: &mut Value, station: StationId) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, station)),
        Value::Object(fields) => {
            let named = fields.get("key").or(fields
                .get("variable")
                .and_then(|variable| variable.get("name")));
            let secret = is_secret(named.and_then(Value::as_str).unwrap_or_default());
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &*field) {
                    ("value" | "attributeValue" | "actualValue", Value::String(_)) if secret => {
                        *field = HIDDEN.into();
                    }
                    ("variableAttribute", _) if secret => *field = HIDDEN.into(),
                    (name, Value::String(_)) if is_secret(name) => *field = HIDDEN.into(),
                    (
                        "idTag" | "parentIdTag" | "idToken" | "additionalIdToken",
                        Value::String(card),
                    ) => {
                        *field = card_name(card, station).into();
                    }
                    _ => hide(field, station),
                }
            }
        }
        Value::String(text) => {
            if let Some(shown) = without_credentials(text) {
                *text = shown;
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_KEYS.iter().any(|word| name.contains(word))
}

/// A name that the same card always has at this station, and that nobody can turn back.
fn card_name(card: &str, station: StationId) -> String {
    if card.is_empty() {
        return String::new();
    }
    let digest = Sha256::new()
        .chain_update(station.raw().as_bytes())
        .chain_update(card.to_lowercase());
    let digits: String = hex::encode(digest.finalize()).chars().take(8).collect();
    format!("card-{digits}")
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
    use crate::kernel::CountingIds;

    fn station() -> StationId {
        StationId::new(&CountingIds::default(), Timestamp::default())
    }

    #[test]
    fn the_newest_are_kept_and_long_ones_shortened() {
        let (recorder, station) = (Recorder::new(3), station());
        for number in 0..5 {
            recorder.record(
                station,
                Direction::FromStation,
                &number.to_string(),
                Timestamp::default(),
            );
        }
        let texts: Vec<String> = recorder
            .messages(station)
            .into_iter()
            .map(|one| one.text)
            .collect();
        assert_eq!(texts, ["2", "3", "4"]);
        recorder.record(
            station,
            Direction::ToStation,
            &"ä".repeat(LONGEST),
            Timestamp::default(),
        );
        let last = recorder.messages(station).pop().expect("kept");
        assert!(last.shortened && last.text.len() <= LONGEST);
    }

    #[test]
    fn secrets_are_hidden_and_cards_stay_recognisable() {
        let station = station();
        let shown = |text: &str| without_secrets(text, station);
        let change =
            shown(r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"geheim"}]"#);
        assert!(!change.contains("geheim"), "{change}");
        let upload = shown(r#"[2,"1","GetDiagnostics",{"location":"ftp://me:geheim@host/in"}]"#);
        assert!(upload.contains("ftp://host/in"), "{upload}");
        let first = shown(r#"[2,"1","Authorize",{"idTag":"04A2B3"}]"#);
        assert_eq!(first, shown(r#"[2,"1","Authorize",{"idTag":"04a2b3"}]"#));
        assert!(!first.contains("04A2B3"), "{first}");
        let change = shown(
            r#"[2,"1","SetVariables",{"setVariableData":[{"attributeValue":"geheim","component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}]"#,
        );
        assert!(!change.contains("geheim"), "{change}");
        let network = shown(r#"[2,"1","SetNetworkProfile",{"apn":{"apnPassword":"geheim"}}]"#);
        assert!(!network.contains("geheim"), "{network}");
        let token =
            shown(r#"[2,"1","Authorize",{"idToken":{"idToken":"04A2B3","type":"Central"}}]"#);
        assert!(
            !token.contains("04A2B3") && token.contains("card-"),
            "{token}"
        );
        assert_eq!(shown("[2,"), "[2,");
        assert_eq!(shown(r#"[2,"1","Authorize",{"idTag":"04A2B3""#), HIDDEN);
    }
}
