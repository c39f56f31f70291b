//! The cookie of the portal's pages: which requests are given it, what it opens, and who must not use it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp, secret_of};

const PASSWORD: &str = "correct horse battery";

/// A browser that shows a page, with the cookie that it keeps.
struct Browser {
    client: Client,
    origin: String,
    cookie: Option<String>,
}

impl Browser {
    fn new(app: &TestApp) -> Self {
        let client = Client::new(app.running.address, "");
        Self { origin: client.base.clone(), client, cookie: None }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.client.http.request(method, format!("{}/v1.1/portal{path}", self.client.base));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; evenwatt_portal={cookie}"));
        }
        request
    }

    /// Posts as a page does, and keeps the cookie that comes of it.
    async fn post(&mut self, path: &str, body: Value, access: Option<&str>) -> Answer {
        let mut request = self.request(Method::POST, path).header("origin", &self.origin).json(&body);
        if let Some(access) = access {
            request = request.bearer_auth(access);
        }
        let answer = self.client.send(request).await;
        if let Some(set) = set_cookie(&answer) {
            let value = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair").1;
            self.cookie = Some(value.to_owned()).filter(|value| !value.is_empty());
        }
        answer
    }

    async fn refresh(&mut self) -> Answer {
        self.post("/refresh", json!({}), None).await
    }

    async fn stream(&self) -> StatusCode {
        let opened = self.request(Method::GET, "/events/stream").send().await.expect("an answer");
        opened.status()
    }
}

fn set_cookie(answer: &Answer) -> Option<&str> {
    answer.headers.get("set-cookie").map(|value| value.to_str().expect("text"))
}

fn access(answer: &Answer) -> String {
    answer.ok()["access_token"].as_str().expect("a token").to_owned()
}

/// The secret of an invitation.
async fn invitation(app: &TestApp) -> String {
    let body = json!({"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace"});
    let user = app.client.post("/home_users", body).await.created();
    secret_of(user["invitation_url"].as_str().expect("a link"))
}

/// A browser whose user accepted an invitation, with the access token.
async fn logged_in(app: &TestApp) -> (Browser, String) {
    let mut browser = Browser::new(app);
    let accept = format!("/invitations/{}/accept", invitation(app).await);
    let answer = browser.post(&accept, json!({"password": PASSWORD}), None).await;
    let access = access(&answer);
    (browser, access)
}

#[actix_web::test]
async fn a_page_keeps_its_refresh_token_where_no_script_reads_it() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    let none = browser.refresh().await;
    assert_eq!(
        (none.status.as_u16(), none.text.as_str()),
        (204, ""),
        "nobody is logged in yet, which is nothing wrong"
    );
    let accept = format!("/invitations/{}/accept", invitation(&app).await);
    let accepted = browser.post(&accept, json!({"password": PASSWORD}), None).await;
    assert_eq!(accepted.ok()["refresh_token"], Value::Null);
    let set = set_cookie(&accepted).expect("a cookie");
    let cookie = browser.cookie.clone().expect("kept");
    // A login lasts 30 days.
    let expected = format!("evenwatt_portal={cookie}; HttpOnly; SameSite=Strict; Path=/v1.1/portal; Max-Age=2592000");
    assert_eq!(set, expected);
    assert!(!accepted.text.contains(&cookie), "{}", accepted.text);

    app.pass(Duration::from_secs(86_400)).await;
    let refreshed = browser.refresh().await;
    assert_eq!(refreshed.ok()["refresh_token"], Value::Null);
    assert_ne!(browser.cookie.as_deref(), Some(cookie.as_str()), "each works once");
    let set = set_cookie(&refreshed).expect("the next one");
    assert!(set.ends_with("; Max-Age=2505600"), "29 days are left: {set}");
    let groups = browser.request(Method::GET, "/groups").bearer_auth(access(&refreshed));
    browser.client.send(groups).await.ok();
    let without = browser.client.send(browser.request(Method::GET, "/groups")).await;
    assert_eq!(without.error(401), "unauthenticated", "what a page asks with headers needs its access token");

    let log_in = json!({"email": "ada@example.com", "password": PASSWORD});
    let again = browser.post("/login", log_in.clone(), None).await;
    assert!(again.ok()["refresh_token"].is_null() && set_cookie(&again).is_some());
    let program = browser.client.post("/portal/login", log_in).await;
    assert!(
        program.ok()["refresh_token"].is_string() && set_cookie(&program).is_none(),
        "a program has it in the body"
    );
}

#[actix_web::test]
async fn two_tabs_may_send_the_same_cookie_but_nobody_may_later() {
    let app = TestApp::start().await;
    let (mut first, _) = logged_in(&app).await;
    let mut second =
        Browser { client: first.client.clone(), origin: first.origin.clone(), cookie: first.cookie.clone() };
    let mut thief =
        Browser { client: first.client.clone(), origin: first.origin.clone(), cookie: first.cookie.clone() };
    first.refresh().await.ok();
    app.pass(Duration::from_secs(29)).await;
    let late = second.refresh().await;
    assert!(set_cookie(&late).is_none(), "the browser has the next one from the other tab");
    let groups = second.request(Method::GET, "/groups").bearer_auth(access(&late));
    second.client.send(groups).await.ok();
    first.refresh().await.ok();

    app.pass(Duration::from_secs(1)).await;
    let stolen = thief.refresh().await;
    assert_eq!(stolen.error(401), "unauthenticated");
    assert!(set_cookie(&stolen).is_some_and(|set| set.starts_with("evenwatt_portal=;") && set.contains("Max-Age=0")));
    assert_eq!(first.refresh().await.error(401), "unauthenticated", "the whole login is over");
    assert_eq!(first.cookie, None);
    let events = app.event_types().await;
    assert!(events.contains(&"home_user.refresh_reused".to_owned()));
}

#[actix_web::test]
async fn a_refresh_token_in_the_body_has_no_second_chance() {
    let app = TestApp::start().await;
    let (browser, _) = logged_in(&app).await;
    let log_in = json!({"email": "ada@example.com", "password": PASSWORD});
    let program = browser.client.post("/portal/login", log_in).await.ok();
    let body = json!({"refresh_token": program["refresh_token"]});
    let next = browser.client.post("/portal/refresh", body.clone()).await;
    assert!(next.ok()["refresh_token"].is_string() && set_cookie(&next).is_none());
    assert_eq!(browser.client.post("/portal/refresh", body).await.error(401), "unauthenticated");
    assert_eq!(browser.client.post("/portal/refresh", json!({})).await.faulty_fields(), ["refresh_token"]);
}

#[actix_web::test]
async fn logging_out_takes_the_cookie_away_and_needs_nothing_else() {
    let app = TestApp::start().await;
    let (mut browser, access) = logged_in(&app).await;
    assert_eq!(browser.stream().await, 200);
    browser.post("/logout", json!({}), Some(&access)).await.ok();
    assert_eq!((browser.cookie.as_deref(), browser.stream().await), (None, StatusCode::UNAUTHORIZED));
    assert_eq!(browser.refresh().await.status, 204);

    let log_in = json!({"email": "ada@example.com", "password": PASSWORD});
    browser.post("/login", log_in.clone(), None).await.ok();
    let kept = browser.cookie.clone();
    app.pass(Duration::from_secs(3_600)).await; // the access token is over
    browser.post("/logout_everywhere", json!({}), None).await.ok();
    assert_eq!(browser.cookie, None);
    browser.cookie = kept;
    assert_eq!(browser.refresh().await.error(401), "unauthenticated", "not the cookie, the login has ended");
}

#[actix_web::test]
async fn a_page_of_another_server_uses_no_cookie() {
    let app = TestApp::start().await;
    let (browser, _) = logged_in(&app).await;
    for origin in ["https://evil.example.com", "null", &format!("{}.evil.example.com", browser.origin)] {
        for path in ["/refresh", "/logout", "/logout_everywhere"] {
            let request = browser.request(Method::POST, path).header("origin", origin).json(&json!({}));
            assert_eq!(browser.client.send(request).await.error(403), "foreign_origin", "{path} by {origin}");
        }
        let stream = browser.request(Method::GET, "/events/stream").header("origin", origin);
        assert_eq!(browser.client.send(stream).await.error(403), "foreign_origin", "{origin}");
        let log_in = json!({"email": "ada@example.com", "password": PASSWORD});
        let request = browser.client.request(Method::POST, "/portal/login").header("origin", origin).json(&log_in);
        let answer = browser.client.send(request).await;
        assert!(answer.ok()["refresh_token"].is_string() && set_cookie(&answer).is_none(), "{origin}");
    }
    assert_eq!(browser.stream().await, 200, "the login goes on");
}

#[actix_web::test]
async fn the_cookie_is_secure_where_browsers_come_over_tls() {
    let options = [
        ("EVENWATT_HTTP_PUBLIC_URL", "wss://charge.example.com"),
        ("EVENWATT_PORTAL_URL", "https://home.example.com/portal"),
    ];
    let app = TestApp::start_with(&options).await;
    let (mut browser, _) = logged_in(&app).await;
    let log_in = json!({"email": "ada@example.com", "password": PASSWORD});
    for origin in ["https://home.example.com", "https://charge.example.com"] {
        origin.clone_into(&mut browser.origin);
        let answer = browser.post("/login", log_in.clone(), None).await;
        let set = set_cookie(&answer).expect("a page of this server, whatever the proxy calls it");
        assert!(set.contains("; HttpOnly; SameSite=Strict; Secure"), "{set}");
    }
    let proxied = app.restart_with(&[("EVENWATT_HTTP_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let browser = Browser::new(&proxied);
    for (proto, secure) in [("https", true), ("http", false)] {
        let origin = browser.origin.replacen("http", proto, 1);
        let request = browser.request(Method::POST, "/login").header("origin", origin);
        let request = request.header("x-forwarded-proto", proto).json(&log_in);
        let answer = browser.client.send(request).await;
        assert_eq!(set_cookie(&answer).is_some_and(|set| set.contains("; Secure")), secure, "{proto}");
    }
}
