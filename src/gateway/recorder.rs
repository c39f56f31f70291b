//! The last messages of each station, in memory: what a person looks at first when a charger does odd things.
//!
//! They are bounded a station, and shown without secrets: passwords never, cards under names that a station's cards keep until
//! the server starts anew.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

use clock::chance;
use kernel::cards::{HIDDEN, hide_cards, may_hold_cards};
use kernel::credentials::{hide_credentials, may_hold_credentials};
use kernel::{StationId, Timestamp};

/// Bytes of text that are kept of a station.
const MOST_BYTES: usize = 64 * 1024;
/// Bytes that are kept of one message.
const LONGEST: usize = 8 * 1024;
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
#[derive(Clone)]
pub struct Recorder {
    most: usize,
    /// Cards are named with it. It is as old as the messages, and no older: there are few numbers of cards, so whoever knew it
    /// could try them all.
    key: [u8; 32],
    stations: Arc<Mutex<HashMap<StationId, Kept>>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// A recorder that keeps this many messages of a station; 0 keeps none.
    pub fn new(most: usize) -> Self {
        Self { most, key: chance::bytes(), stations: Arc::default() }
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
        let kept: Vec<_> =
            self.lock().get(&station).map(|kept| kept.messages.iter().cloned().collect()).unwrap_or_default();
        let name = |card: &str| self.card_name(card, station);
        let hidden =
            |message: RecordedMessage| RecordedMessage { text: without_secrets(&message.text, &name), ..message };
        kept.into_iter().map(hidden).collect()
    }

    /// A name that the same card always has at this station, as long as the server runs.
    fn card_name(&self, card: &str, station: StationId) -> String {
        // A key of any length is good for HMAC, so this never fails.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return HIDDEN.to_owned();
        };
        mac.update(station.raw().as_bytes());
        mac.update(card.to_lowercase().as_bytes());
        let digits = hex::encode(mac.finalize().into_bytes());
        format!("card-{}", digits.get(..8).unwrap_or_default())
    }
}

/// The text without secrets, cards under their names. A text that is no JSON is shown as it is, unless it speaks of cards or
/// keys.
fn without_secrets(text: &str, card_name: &dyn Fn(&str) -> String) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut frame) => {
            hide_credentials(&mut frame);
            hide_cards(&mut frame, card_name);
            frame.to_string()
        }
        Err(_) => {
            let is_sensitive = may_hold_cards(text) || may_hold_credentials(text);
            if is_sensitive { HIDDEN } else { text }.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::CountingIds;

    fn station() -> StationId {
        StationId::new(&CountingIds::default(), Timestamp::default())
    }

    #[test]
    fn the_newest_are_kept_and_long_ones_shortened() {
        let (recorder, station) = (Recorder::new(3), station());
        for number in 0..5 {
            recorder.record(station, Direction::FromStation, &number.to_string(), Timestamp::default());
        }
        let texts: Vec<String> = recorder.messages(station).into_iter().map(|one| one.text).collect();
        assert_eq!(texts, ["2", "3", "4"]);
        recorder.record(station, Direction::ToStation, &"ä".repeat(LONGEST), Timestamp::default());
        let last = recorder.messages(station).pop().expect("kept");
        assert!(last.shortened && last.text.len() <= LONGEST);
    }

    #[test]
    fn secrets_are_hidden_and_cards_stay_recognisable() {
        let (recorder, station) = (Recorder::new(1), station());
        let name = |card: &str| recorder.card_name(card, station);
        let shown = |text: &str| without_secrets(text, &name);
        let change = shown(r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"geheim"}]"#);
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
        let token = shown(r#"[2,"1","Authorize",{"idToken":{"idToken":"04A2B3","type":"Central"}}]"#);
        assert!(!token.contains("04A2B3") && token.contains("card-"), "{token}");
        assert_eq!(shown("[2,"), "[2,");
        for cut in ["idTag", "id_tag", "ID_TOKEN"] {
            assert_eq!(shown(&format!(r#"[2,"1","Authorize",{{"{cut}":"04A2B3"#)), HIDDEN);
        }
    }

    #[test]
    fn secrets_are_hidden_however_they_are_said() {
        let (recorder, station) = (Recorder::new(1), station());
        let name = |card: &str| recorder.card_name(card, station);
        for text in [
            r#"[2,"1","Authorize",{"idTag":4711}]"#,
            r#"[2,"1","Authorize",{"id_tag":"4711"}]"#,
            r#"[2,"1","Authorize",{"idTag":["4711"]}]"#,
            r#"[2,"1","Authorize",{"idTag":{"x":"4711"}}]"#,
            r#"[2,"1","DataTransfer",{"vendorId":"V","data":"{\"idTag\":\"4711\"}"}]"#,
            r#"[2,"1","MeterValues",{"value":"OCMF|{\"ID\":\"4711\"}|{}","format":"SignedData"}]"#,
            r#"[2,"1","NotifyCustomerInformation",{"data":"card 4711"}]"#,
            r#"[3,"1",{"configurationKey":[{"Key":"AuthorizationKey","Value":4711}]}]"#,
            r#"[2,"1","SetNetworkProfile",{"basicAuthPassword":["4711"]}]"#,
        ] {
            let shown = without_secrets(text, &name);
            assert!(!shown.contains("4711"), "{shown}");
        }
        let number = without_secrets(r#"{"idTag":4711}"#, &name);
        assert_eq!(number, without_secrets(r#"{"idTag":"4711"}"#, &name));
    }

    #[test]
    fn cards_have_other_names_at_another_station() {
        let (recorder, ids) = (Recorder::new(1), CountingIds::default());
        let [here, there] = [(); 2].map(|()| StationId::new(&ids, Timestamp::default()));
        let name = recorder.card_name("04A2B3", here);
        assert_eq!(name, recorder.card_name("04a2b3", here));
        assert_ne!(name, Recorder::new(1).card_name("04A2B3", here));
        assert_ne!(name, recorder.card_name("04A2B3", there));
    }
}
