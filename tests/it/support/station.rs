//! A fake charge station: sends what a test says, word for word, and shows what came back.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a test waits for a message.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct FakeStation {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u32,
    /// The sub-protocol that the server chose.
    pub agreed: Option<String>,
    /// Calls of the server that arrived while an answer was awaited.
    pub calls: Vec<Value>,
}

impl FakeStation {
    /// Connects with the sub-protocol of 1.6.
    pub async fn connect(url: &str) -> Self {
        Self::try_connect(url, &[("sec-websocket-protocol", "ocpp1.6")]).await.expect("the handshake")
    }

    /// Connects with these sub-protocols.
    pub async fn speaking(url: &str, protocols: &str) -> Self {
        Self::try_connect(url, &[("sec-websocket-protocol", protocols)]).await.expect("the handshake")
    }

    pub async fn try_connect(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, Box<Error>> {
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let (socket, response) = connect_async(request).await.map_err(Box::new)?;
        let agreed = response.headers().get("sec-websocket-protocol");
        let agreed = agreed.and_then(|name| name.to_str().ok()).map(str::to_owned);
        Ok(Self { socket, agreed, next_id: 0, calls: Vec::new() })
    }

    pub async fn send_text(&mut self, text: impl Into<String>) {
        let text = text.into();
        println!("station: {text}"); // shown where a test fails
        self.socket.send(Message::text(text)).await.expect("sent");
    }

    /// The next message of the server; `None` when it closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a message in time") {
                Some(Ok(Message::Text(text))) => {
                    println!("server: {text}");
                    return Some(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Calls the server and returns the whole answering frame; calls of the server that come first are kept.
    pub async fn call_frame(&mut self, action: &str, payload: Value) -> Value {
        self.next_id += 1;
        let id = format!("t{}", self.next_id);
        self.send_text(json!([2, id, action, payload]).to_string()).await;
        loop {
            let frame = self.next().await.expect("an answer before the close");
            if frame[0] == 2 {
                self.calls.push(frame);
            } else if frame[1] == id {
                return frame;
            }
        }
    }

    /// Calls the server and returns the payload of its result.
    pub async fn call(&mut self, action: &'static str, payload: Value) -> Value {
        let frame = self.call_frame(action, payload).await;
        assert_eq!(frame[0], 3, "{frame}");
        frame[2].clone()
    }

    /// The next call of the server.
    pub async fn next_call(&mut self) -> Value {
        if !self.calls.is_empty() {
            return self.calls.remove(0);
        }
        loop {
            let frame = self.next().await.expect("a call before the close");
            if frame[0] == 2 {
                return frame;
            }
        }
    }

    /// Answers a call of the server.
    pub async fn answer(&mut self, call: &Value, payload: Value) {
        self.send_text(json!([3, call[1], payload]).to_string()).await;
    }

    pub async fn boot(&mut self) -> Value {
        self.call("BootNotification", json!({"chargePointVendor": "Acme", "chargePointModel": "One"})).await
    }

    /// The same in OCPP 2.
    pub async fn boot_2(&mut self) -> Value {
        let station = json!({"vendorName": "Acme", "model": "Two", "serialNumber": "SN-2"});
        self.call("BootNotification", json!({"reason": "PowerUp", "chargingStation": station})).await
    }

    /// Starts a transaction and returns its number.
    pub async fn start(&mut self, connector: u32, tag: &str, meter: i64, at: &str) -> i64 {
        let payload = json!({"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": at});
        self.call("StartTransaction", payload).await["transactionId"].as_i64().expect("a number")
    }

    /// The port that it comes from.
    pub fn port(&self) -> u16 {
        let MaybeTlsStream::Plain(stream) = self.socket.get_ref() else {
            panic!("no TLS here");
        };
        stream.local_addr().expect("an address").port()
    }

    /// Pings over and over, and reads no answer.
    pub async fn ping_for_ever(&mut self) {
        let content = vec![b'x'; 125];
        loop {
            let ping = Message::Ping(content.clone().into());
            self.socket.send(ping).await.expect("sent");
        }
    }

    pub async fn drop_link(self) {
        drop(self.socket);
    }
}
