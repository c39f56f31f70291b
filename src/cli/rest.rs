//! The few calls of the REST API that make stations and groups, as any client of the API would make them.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use kernel::Protocol;
use simulator::Endpoint;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait when the server says that this was too much at once.
const BREATHER: Duration = Duration::from_millis(500);
/// How often a call is tried that was too much at once.
const ATTEMPTS: u32 = 120;

/// Why a call failed, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// Nothing came back.
    #[error("{0}: {1}")]
    Unreachable(String, reqwest::Error),
    /// The server refused.
    #[error("{0} was answered {1}: {2}")]
    Refused(String, StatusCode, String),
    /// The answer lacks something.
    #[error("the answer has no {0}")]
    Incomplete(&'static str),
}

/// A client with an address and a key.
#[derive(Debug, Clone)]
pub struct Rest {
    http: reqwest::Client,
    /// The address without `/v1.1`.
    pub base: String,
    /// The API key.
    pub key: String,
}

/// A station that was made.
#[derive(Debug, Clone)]
pub struct MadeStation {
    /// Its id.
    pub id: String,
    /// Where it connects to.
    pub endpoint: Endpoint,
    /// The ids of its connectors, in their order.
    pub connectors: Vec<String>,
}

impl Rest {
    /// A client for the server at `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str, key: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.trim_end_matches('/').trim_end_matches("/v1.1").to_owned(),
            key: key.to_owned(),
        }
    }

    /// Reads something: the `result` of the answer.
    pub async fn get(&self, path: &str) -> Result<Value, RestError> {
        self.call(Method::GET, path, None).await
    }

    /// Makes something: the `result` of the answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Makes something and gives its id.
    pub async fn make(&self, path: &str, body: &Value) -> Result<String, RestError> {
        text(&self.post(path, body).await?, "_id")
    }

    /// Makes a station with so many connectors of `kilowatts` each.
    pub async fn make_station(
        &self,
        mut station: Value,
        connector: &Value,
        connectors: usize,
    ) -> Result<MadeStation, RestError> {
        if let Some(fields) = station.as_object_mut() {
            fields.insert("is_simulator".to_owned(), json!(true));
            fields.insert("security".to_owned(), json!({"type": "none"}));
        }
        let made = self.post("/chargestations", &station).await?;
        let (id, url) = (text(&made, "_id")?, text(&made, "connection_url")?);
        let mut ids = Vec::new();
        for _ in 0..connectors {
            let path = format!("/chargestations/{id}/connectors");
            ids.push(self.make(&path, connector).await?);
        }
        Ok(MadeStation { id, endpoint: Endpoint { url, password: None, version: Protocol::V16 }, connectors: ids })
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, RestError> {
        let named = format!("{method} {path}");
        let unreachable = |error| RestError::Unreachable(named.clone(), error);
        let mut attempt = 1;
        loop {
            let url = format!("{}/v1.1{path}", self.base);
            let mut request = self.http.request(method.clone(), url).timeout(TIMEOUT).bearer_auth(&self.key);
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = request.send().await.map_err(unreachable)?;
            let status = response.status();
            if status == StatusCode::TOO_MANY_REQUESTS && attempt < ATTEMPTS {
                attempt += 1;
                tokio::time::sleep(BREATHER).await;
                continue;
            }
            let text = response.text().await.map_err(unreachable)?;
            if !status.is_success() {
                return Err(RestError::Refused(named, status, text));
            }
            let answer: Value = serde_json::from_str(&text).unwrap_or_default();
            return match answer.get("result") {
                Some(result) => Ok(result.clone()),
                None => Err(RestError::Incomplete("result")),
            };
        }
    }
}

fn text(value: &Value, field: &'static str) -> Result<String, RestError> {
    let text = value.get(field).and_then(Value::as_str);
    text.map(str::to_owned).ok_or(RestError::Incomplete(field))
}
