//! Guessing a home user's password: who is locked out, and who is not, by whatever strangers and other operators do.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Client, MailServer, TestApp, secret_of};

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const WRONG: &str = "an incorrect donkey";

/// A server behind a proxy that it trusts, so that requests come from where the test says.
struct Portal {
    app: TestApp,
    mail: MailServer,
}

impl Portal {
    async fn open() -> Self {
        let mail = MailServer::start().await;
        let mut options: Vec<(&str, &str)> = vec![("EVENWATT_HTTP_TRUSTED_PROXIES", "127.0.0.1")];
        let mailing = mail.options();
        options.extend(mailing.iter().map(|(name, text)| (*name, text.as_str())));
        let app = TestApp::start_with(&options).await;
        Self { app, mail }
    }

    async fn ask(&self, from: &str, path: &str, body: Value) -> Answer {
        let client = &self.app.client;
        let request = client.http.post(format!("http://{}/v1.1/portal{path}", self.app.running.address));
        let request = request.header("x-forwarded-for", from).json(&body);
        client.send(request).await
    }

    async fn log_in(&self, from: &str, password: &str) -> Answer {
        let body = json!({"email": ADA, "password": password});
        self.ask(from, "/login", body).await
    }

    /// The same where it is said whose portal is meant.
    async fn log_in_at(&self, organization: &str, from: &str, password: &str) -> Answer {
        let body = json!({"email": ADA, "password": password, "organization": organization});
        self.ask(from, "/login", body).await
    }

    /// Ada is invited by an operator, and accepts from this address; `count` is how many e-mails she then has.
    async fn invite(&self, operator: &Client, from: &str, count: usize) {
        let body = json!({"email": ADA, "firstname": "Ada", "lastname": "L"});
        operator.post("/home_users", body).await.created();
        let text = self.mail.email(ADA, count).await;
        let link = text.split_whitespace().find(|word| word.starts_with("http"));
        let secret = secret_of(link.expect("a link"));
        let path = format!("/invitations/{secret}/accept");
        self.ask(from, &path, json!({"password": PASSWORD})).await.ok();
    }
}

#[actix_web::test]
async fn strangers_lock_out_themselves_and_nobody_else() {
    let portal = Portal::open().await;
    portal.invite(&portal.app.client, "192.0.2.1", 1).await;
    for _ in 0..5 {
        let answer = portal.log_in("198.51.100.7", WRONG).await;
        assert_eq!(answer.error(401), "login_failed");
    }
    let locked = portal.log_in("198.51.100.7", PASSWORD).await;
    assert_eq!(locked.error(429), "too_many_requests");
    portal.log_in("192.0.2.1", PASSWORD).await.ok();
    portal.log_in("203.0.113.5", PASSWORD).await.ok();
    let locked = portal.log_in("198.51.100.7", PASSWORD).await;
    assert_eq!(locked.error(429), "too_many_requests", "her success is not theirs");
}

#[actix_web::test]
async fn guesses_from_many_addresses_are_stopped_and_the_user_comes_in_from_where_she_lives() {
    let portal = Portal::open().await;
    portal.invite(&portal.app.client, "192.0.2.1", 1).await;
    for stranger in 0..50 {
        let from = format!("198.51.100.{stranger}");
        assert_eq!(portal.log_in(&from, WRONG).await.error(401), "login_failed");
    }
    let stopped = portal.log_in("203.0.113.5", PASSWORD).await;
    assert_eq!(stopped.error(429), "too_many_requests", "the 51st, from nowhere known");
    portal.log_in("192.0.2.1", PASSWORD).await.ok();
    portal.app.pass(Duration::from_secs(3_601)).await;
    portal.log_in("203.0.113.5", PASSWORD).await.ok();
}

#[actix_web::test]
async fn a_network_of_ipv6_is_one_stranger() {
    let portal = Portal::open().await;
    portal.invite(&portal.app.client, "192.0.2.1", 1).await;
    for host in 0..5 {
        let from = format!("2001:db8:1:2::{host}");
        assert_eq!(portal.log_in(&from, WRONG).await.error(401), "login_failed");
    }
    let locked = portal.log_in("2001:db8:1:2:ffff::1", WRONG).await;
    assert_eq!(locked.error(429), "too_many_requests");
    portal.log_in("2001:db8:1:3::1", PASSWORD).await.ok();
}

#[actix_web::test]
async fn another_operator_who_invites_the_same_address_frees_no_guesses() {
    let portal = Portal::open().await;
    portal.invite(&portal.app.client, "192.0.2.1", 1).await;
    let organization = portal.app.organization.to_string();
    for _ in 0..5 {
        let answer = portal.log_in_at(&organization, "198.51.100.7", WRONG).await;
        assert_eq!(answer.error(401), "login_failed");
    }
    let thief = portal.app.stranger().await;
    portal.invite(&thief, "198.51.100.7", 2).await;
    let locked = portal.log_in_at(&organization, "198.51.100.7", PASSWORD).await;
    assert_eq!(locked.error(429), "too_many_requests");
}

#[actix_web::test]
async fn who_may_not_speak_for_others_is_counted_under_its_own_address() {
    let app = TestApp::start().await;
    let url = format!("http://{}/v1.1/portal/login", app.running.address);
    let body = json!({"email": ADA, "password": WRONG});
    for liar in 0..6 {
        let request = app.client.http.post(&url).json(&body);
        let request = request.header("x-forwarded-for", format!("192.0.2.{liar}"));
        let answer = app.client.send(request).await;
        let expected = if liar < 5 { 401 } else { 429 };
        assert_eq!(answer.status.as_u16(), expected, "try {liar}");
    }
}
