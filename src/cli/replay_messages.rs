//! `evenwatt replay-messages`: plays the recorded messages of a station through a real gateway again, and shows what is
//! answered now beside what was answered then.
//!
//! The server is the real one on an empty store, reached over a real socket. What the station said is said again in its
//! order; calls of the server are answered with what the station answered to such a call then.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::demo::{ANY_PORT, TemporaryFolder, configuration, db_key, url_of};
use crate::app::{Dependencies, start};
use crate::cli::rest::Rest;
use crate::gateway::api::{BUNDLE_FORMAT, Bundle};
use crate::gateway::recorder::{Direction, RecordedMessage};
use kernel::Protocol;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays recorded messages of a station through the gateway again
#[derive(Debug, Clone, Args)]
pub struct ReplayMessagesArgs {
    /// The file from `GET /v1.1/chargestations/{id}/messages/bundle`
    #[arg(value_name = "FILE")]
    pub bundle: PathBuf,
}

/// Plays the file and prints a line for each message of the station; fails when an answer is of another kind than then.
pub async fn run(args: ReplayMessagesArgs) -> Result<()> {
    let shown = args.bundle.display();
    let text = std::fs::read_to_string(&args.bundle).with_context(|| format!("{shown} cannot be read"))?;
    let bundle: Bundle = serde_json::from_str(&text).with_context(|| format!("{shown} is no bundle"))?;
    if bundle.format != BUNDLE_FORMAT {
        bail!("{shown} has the format {}, but must have {BUNDLE_FORMAT}", bundle.format);
    }
    let folder = TemporaryFolder::new()?;
    let config = configuration(ANY_PORT, &url_of(&folder.0.join("replay.db")))?;
    let running = start(&config, Dependencies::default()).await?;
    let key = db_key(&running).await?;
    let rest = Rest::new(&format!("http://{}", running.address), &key);
    let station = rest.post("/chargestations", &json!({"name": "Replayed"})).await?;
    let field = |name: &str| {
        let value = station.get(name).and_then(Value::as_str).map(str::to_owned);
        value.ok_or_else(|| anyhow!("the station has no {name}"))
    };
    for number in &bundle.connectors {
        let path = format!("/chargestations/{}/connectors", field("_id")?);
        rest.post(&path, &json!({"power": 7, "number": number})).await?;
    }
    let mut player = Player::connect(&field("connection_url")?, bundle.protocol, &bundle.messages).await?;
    let outcome = player.play(&bundle.messages).await;
    drop(player);
    running.stop().await?;
    let changed = outcome?;
    if changed > 0 {
        bail!("{changed} answers are of another kind than then");
    }
    Ok(())
}

struct Player {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What the station answered to each kind of call, oldest first.
    answers: HashMap<String, VecDeque<Value>>,
    /// What the server answered then, by message id.
    then: HashMap<String, Value>,
}

fn frame_of(message: &RecordedMessage) -> Option<Value> {
    serde_json::from_str(&message.text).ok()
}

fn text_at(frame: &Value, index: usize) -> Option<&str> {
    frame.get(index).and_then(Value::as_str)
}

fn type_of(frame: &Value) -> Option<u64> {
    frame.get(0).and_then(Value::as_u64)
}

impl Player {
    async fn connect(url: &str, protocol: Protocol, messages: &[RecordedMessage]) -> Result<Self> {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", protocol.to_string().parse()?);
        let (socket, _) = connect_async(request).await?;
        let (mut actions, mut answers, mut then) = (HashMap::new(), HashMap::new(), HashMap::new());
        for message in messages {
            let Some(frame) = frame_of(message) else {
                continue;
            };
            let Some(id) = text_at(&frame, 1).map(str::to_owned) else {
                continue;
            };
            match (message.direction, type_of(&frame)) {
                (Direction::ToStation, Some(2)) => {
                    actions.insert(id, text_at(&frame, 2).unwrap_or_default().to_owned());
                }
                (Direction::ToStation, Some(_)) => {
                    then.insert(id, frame);
                }
                (Direction::FromStation, Some(3 | 4)) => {
                    if let Some(action) = actions.get(&id) {
                        let known: &mut VecDeque<Value> = answers.entry(action.clone()).or_default();
                        known.push_back(frame);
                    }
                }
                _ => {}
            }
        }
        Ok(Self { socket, answers, then })
    }

    /// Says everything again; answers how many answers are of another kind.
    async fn play(&mut self, messages: &[RecordedMessage]) -> Result<usize> {
        let mut changed = 0;
        let said = messages.iter().filter(|one| one.direction == Direction::FromStation);
        for message in said {
            let frame = frame_of(message);
            if frame.as_ref().is_some_and(|frame| matches!(type_of(frame), Some(3 | 4))) {
                continue; // an answer; it is given when it is asked for
            }
            self.socket.send(Message::text(message.text.clone())).await?;
            let id = frame.as_ref().and_then(|frame| text_at(frame, 1));
            let now = self.answer_to(id).await?;
            let id = text_at(&now, 1).unwrap_or_default();
            let same = self.then.get(id).map(|then| type_of(then) == type_of(&now));
            changed += usize::from(same == Some(false));
            let verdict = match same {
                Some(true) => "as then",
                Some(false) => "not as then",
                None => "unanswered then",
            };
            let action = frame.as_ref().and_then(|frame| text_at(frame, 2)).unwrap_or("(unreadable)");
            let _ = writeln!(std::io::stdout(), "{action}: {verdict}: {now}");
        }
        Ok(changed)
    }

    /// The server's answer to the message with this id, or the next one where it has none that can be read; its own
    /// calls in between are answered.
    async fn answer_to(&mut self, id: Option<&str>) -> Result<Value> {
        loop {
            let received = timeout(PATIENCE, self.socket.next()).await.context("no answer")?;
            let Message::Text(text) = received.ok_or_else(|| anyhow!("the server closed the socket"))?? else {
                continue;
            };
            let frame: Value = serde_json::from_str(&text)?;
            if type_of(&frame) == Some(2) {
                self.obey(&frame).await?;
            } else if id.is_none() || text_at(&frame, 1) == id {
                return Ok(frame);
            }
        }
    }

    async fn obey(&mut self, call: &Value) -> Result<()> {
        let action = text_at(call, 2).unwrap_or_default();
        let known = self.answers.get_mut(action).and_then(VecDeque::pop_front);
        let mut answer = known.unwrap_or_else(|| json!([4, "", "NotImplemented", "", {}]));
        if let (Some(slot), Some(id)) = (answer.get_mut(1), call.get(1)) {
            *slot = id.clone();
        }
        self.socket.send(Message::text(answer.to_string())).await?;
        Ok(())
    }
}
