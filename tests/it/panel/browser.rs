//! A browser of an operator: it keeps the cookie, and sends what a page of ours would send.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, secret_of};

pub const PASSWORD: &str = "correct horse battery";
pub const GRACE: &str = "grace@example.com";

/// A browser, logged in or not.
#[derive(Clone)]
pub struct Browser {
    pub client: Client,
    pub cookie: String,
    pub csrf: String,
}

impl Browser {
    pub fn new(app: &TestApp) -> Self {
        Self { client: Client::new(app.running.address, ""), cookie: String::new(), csrf: String::new() }
    }

    /// The same browser after an answer: with its cookie, and the token in it.
    pub fn after(mut self, answer: &Answer) -> Self {
        self.cookie = cookie(answer).split(';').next().expect("a name and a value").to_owned();
        self.csrf = answer.ok()["csrf_token"].as_str().expect("a token").to_owned();
        self
    }

    /// A request with the cookie, without the token.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.http.request(method, format!("{}/v1.1{path}", self.client.base));
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.client.send(self.bare(Method::GET, path)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        self.client.send(self.bare(method, path).header("x-csrf-token", &self.csrf).json(&body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, body).await
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/account/login", json!({"email": email, "password": password})).await
    }

    /// Invites somebody with a client's key, and accepts as them.
    pub async fn invited(app: &TestApp, client: &Client, email: &str, role: &str) -> Self {
        let operator = client.post("/operators", json!({"email": email, "role": role})).await.created();
        Self::accepted(app, &operator).await
    }

    /// Accepts the invitation of an operator.
    pub async fn accepted(app: &TestApp, operator: &Value) -> Self {
        let secret = secret_of(operator["invitation_url"].as_str().expect("a link"));
        let browser = Self::new(app);
        let body = json!({"name": "Grace Hopper", "password": PASSWORD});
        let answer = browser.post(&format!("/account/invitations/{secret}/accept"), body).await;
        browser.after(&answer)
    }
}

/// The header that sets the cookie of a login.
pub fn cookie(answer: &Answer) -> String {
    let header = answer.headers.get("set-cookie").expect("a cookie");
    header.to_str().expect("a text").to_owned()
}
