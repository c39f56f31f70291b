//! An integrator's client: sends requests, and lets a test say what it expects of the answer.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

/// How long a test waits for an answer to its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with a base URL and a key.
#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub base: String,
    pub key: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Client {
    pub fn new(address: SocketAddr, key: &str) -> Self {
        // It speaks plain HTTP: reading all the authorities that this machine trusts would take longer than most tests.
        let http = reqwest::Client::builder().tls_certs_only([]).timeout(PATIENCE).build().expect("a client");
        Self { http, base: format!("http://{address}"), key: key.to_owned() }
    }

    /// A request under `/v1.1`, still to be given a body or headers.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/v1.1{path}", self.base)).bearer_auth(&self.key)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("a text") }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Any address of the server, without a key.
    pub async fn get_bare(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text))
    }

    /// The result of a 200.
    #[track_caller]
    pub fn ok(&self) -> Value {
        self.result(StatusCode::OK)
    }
    /// The result of a 201.
    #[track_caller]
    pub fn created(&self) -> Value {
        self.result(StatusCode::CREATED)
    }

    #[track_caller]
    fn result(&self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        let json = self.json();
        assert_eq!(json["ok"], true);
        json["result"].clone()
    }

    /// The `code` of an error with this status, after its envelope was checked.
    #[track_caller]
    pub fn error(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let json = self.json();
        assert_eq!((&json["ok"], &json["result"]), (&Value::Bool(false), &Value::Null), "{json}");
        assert!(json["message"].as_str().is_some_and(|text| !text.is_empty()), "{json}");
        assert!(json["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{json}");
        json["code"].as_str().expect("a code").to_owned()
    }

    /// The fields that a 422 names, sorted.
    #[track_caller]
    pub fn faulty_fields(&self) -> Vec<String> {
        self.error(422);
        let json = self.json();
        let faults = json["errors"].as_array().expect("errors");
        let mut fields: Vec<_> =
            faults.iter().map(|fault| fault["field"].as_str().expect("a field").to_owned()).collect();
        fields.sort();
        fields
    }
}
