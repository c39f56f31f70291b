//! How drivers log in: by a link in an e-mail that shows nobody who is known, and what ends a login.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::driver::Driver;
use super::portal::text;
use crate::support::{Answer, Client, MailServer, TestApp};

pub const ADA: &str = "ada@example.com";
pub const NOBODY: &str = "nobody@example.com";

/// A server that sends e-mails.
pub struct Mailing {
    pub app: TestApp,
    pub mail: MailServer,
}

impl Mailing {
    pub async fn start() -> Self {
        let mail = MailServer::start().await;
        let options = mail.options();
        let mut options: Vec<_> = options.iter().map(|(name, text)| (*name, text.as_str())).collect();
        options.push(("EVENWATT_PANEL_RATE_BURST", "100000"));
        Self { app: TestApp::start_with(&options).await, mail }
    }

    /// Asks for a link, as anybody may.
    pub async fn ask(&self, email: &str) -> Answer {
        let mut driver = Driver::of(&self.app);
        driver.post("/login", Some(json!({"email": email}))).await
    }

    /// A browser that logged in by the link of the e-mail with this number.
    pub async fn logged_in(&self, email: &str, number: usize) -> Driver {
        assert_eq!(self.ask(email).await.status, 202);
        let secret = self.mail.secret(email, number).await;
        let mut driver = Driver::of(&self.app);
        driver.post(&format!("/login/{secret}"), None).await.ok();
        driver
    }
}

/// Creates a user of this organization, with the address of Ada where nothing else is said.
pub async fn user(client: &Client, fields: Value) -> String {
    let mut user = json!({"firstname": "Ada", "lastname": "Lovelace", "email": ADA});
    let fields = fields.as_object().cloned().expect("an object");
    user.as_object_mut().expect("an object").extend(fields);
    text(&client.post("/users", user).await.created()["_id"])
}

async fn is_in(driver: &Driver) -> bool {
    let answer = driver.get("/account").await;
    let listed = driver.get("/sessions").await.status;
    match answer.status.as_u16() {
        200 => assert_eq!(listed, 200),
        204 => assert_eq!(listed, 401),
        other => panic!("{other}: {}", answer.text),
    }
    answer.status == 200
}

#[actix_web::test]
async fn a_driver_logs_in_by_a_link_once_and_out_again() {
    let place = Mailing::start().await;
    let id = user(&place.app.client, json!({})).await;
    let mut driver = Driver::of(&place.app);
    assert!(!is_in(&driver).await);
    let asked = driver.post("/login", Some(json!({"email": " Ada@Example.com"}))).await;
    assert_eq!((asked.status.as_u16(), &asked.json()["result"]["email"]), (202, &json!(ADA)));
    let letter = place.mail.email(ADA, 1).await;
    let from = letter.lines().find(|line| line.starts_with("From:")).expect("a sender");
    assert!(from.contains("Test organization"), "{from}");
    let link = letter.split_whitespace().find(|word| word.starts_with("http")).expect("a link");
    let (page, secret) = link.split_once("#login/").expect("a secret that no server is sent");
    assert!(page.ends_with("/map") && secret.len() == 43, "{link}");
    assert!(letter.contains("once, within 15 minutes"), "{letter}");

    // What looks at links, such as a scanner of e-mails, uses none up.
    driver.client.http.get(link).send().await.expect("an answer");
    let path = format!("/login/{secret}");
    assert_eq!(driver.get(&path).await.error(405), "method_not_allowed");
    let welcome = driver.post(&path, None).await;
    let cookie = welcome.headers["set-cookie"].to_str().expect("a text").to_owned();
    for part in ["evenwatt_driver=", "; HttpOnly", "; SameSite=Strict", "; Path=/v1.1/driver;", "; Max-Age=2592000"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(welcome.headers["cache-control"], "no-store");
    let organization = place.app.client.get("/organization").await.ok();
    let expected = json!({"name": "Ada Lovelace", "email": ADA, "organizations": [{
        "organization": {"_id": organization["_id"], "name": "Test organization", "logo": null, "support_contact": null},
        "user": id, "name": "Ada Lovelace", "private_group": false}]});
    assert_eq!(welcome.ok(), expected);
    assert_eq!(driver.get("/account").await.ok(), expected);
    assert!(is_in(&driver).await);
    let mut second = Driver::of(&place.app);
    assert_eq!(second.post(&path, None).await.error(404), "not_found", "it works once");
    assert!(!is_in(&second).await);

    let other = place.logged_in(ADA, 2).await;
    let stolen = driver.cookies.clone();
    assert_eq!(driver.post("/logout", None).await.ok(), json!({"ended": true}));
    assert_eq!(driver.cookies, Vec::<String>::new());
    let thief = Driver { cookies: stolen, ..Driver::of(&place.app) };
    assert!(!is_in(&thief).await, "what was logged out is out");
    assert!(is_in(&other).await, "of this browser alone");
    assert_eq!(driver.post("/logout", None).await.ok(), json!({"ended": false}));

    let audit = place.app.client.get("/audit?actor_type=driver&sort_order=asc").await.json();
    let lines = audit["result"].as_array().expect("lines").iter();
    let lines: Vec<_> = lines.map(|line| (text(&line["actor"]["name"]), text(&line["path"]))).collect();
    let line = |path: &str| ("Ada Lovelace".to_owned(), format!("/v1.1/driver/{path}"));
    assert_eq!(lines, [line("login/…"), line("login/…"), line("logout")]);
}

#[actix_web::test]
async fn nothing_shows_who_is_known() {
    let place = Mailing::start().await;
    user(&place.app.client, json!({})).await;
    user(&place.app.client, json!({"email": "left@example.com", "active": false})).await;
    let mut answers = Vec::new();
    for email in [NOBODY, "left@example.com", ADA] {
        let answer = place.ask(email).await;
        let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        answers.push((answer.status, answer.text.replace(email, ""), headers));
        place.app.advance(Duration::from_secs(1)).await;
    }
    assert_eq!(answers[0], answers[2]);
    assert_eq!(answers[1], answers[2]);
    place.mail.email(ADA, 1).await;
    for _ in 0..5 {
        assert_eq!(place.ask(ADA).await.status, 202, "also where nothing more is sent");
    }
    place.mail.email(ADA, 3).await;
    place.app.pass(Duration::from_secs(3_600)).await;
    assert_eq!(place.ask(ADA).await.status, 202);
    place.mail.email(ADA, 4).await;
    assert_eq!(place.mail.count(ADA), 4, "three an hour are enough");
    assert_eq!(place.mail.count(NOBODY) + place.mail.count("left@example.com"), 0);
    assert_eq!(place.ask("ada").await.faulty_fields(), ["email"]);
}

#[actix_web::test]
async fn a_link_works_for_a_quarter_of_an_hour_and_the_next_one_replaces_it() {
    let place = Mailing::start().await;
    user(&place.app.client, json!({})).await;
    let mut driver = Driver::of(&place.app);
    let secret = async |number: usize| {
        place.ask(ADA).await;
        format!("/login/{}", place.mail.secret(ADA, number).await)
    };
    // A second after what is old is forgotten each minute, so that the link is there when its time is over.
    place.app.pass(Duration::from_secs(1)).await;
    let first = secret(1).await;
    place.app.pass(Duration::from_secs(899)).await;
    place.app.pass(Duration::from_secs(1)).await;
    assert_eq!(driver.post(&first, None).await.error(404), "not_found");
    let second = secret(2).await;
    let third = secret(3).await;
    assert_eq!(driver.post(&second, None).await.error(404), "not_found");
    place.app.pass(Duration::from_secs(899)).await;
    driver.post(&third, None).await.ok();
    assert_eq!(driver.post("/login/unknown", None).await.error(404), "not_found");
}

#[actix_web::test]
async fn a_link_of_somebody_who_left_meanwhile_is_worth_nothing() {
    let place = Mailing::start().await;
    let id = user(&place.app.client, json!({})).await;
    place.ask(ADA).await;
    let path = format!("/login/{}", place.mail.secret(ADA, 1).await);
    place.app.client.patch(&format!("/users/{id}"), json!({"active": false})).await.ok();
    let mut driver = Driver::of(&place.app);
    assert_eq!(driver.post(&path, None).await.error(404), "not_found");
    assert_eq!(driver.cookies, Vec::<String>::new());
}

#[actix_web::test]
async fn a_login_ends_with_its_user_its_address_and_its_thirty_days() {
    let place = Mailing::start().await;
    let id = user(&place.app.client, json!({})).await;
    let path = format!("/users/{id}");
    let driver = place.logged_in(ADA, 1).await;
    assert!(is_in(&driver).await);
    place.app.client.patch(&path, json!({"active": false})).await.ok();
    assert!(!is_in(&driver).await);
    place.app.client.patch(&path, json!({"active": true})).await.ok();
    assert!(is_in(&driver).await);
    place.app.client.patch(&path, json!({"email": "countess@example.com"})).await.ok();
    assert!(!is_in(&driver).await);
    place.app.client.patch(&path, json!({"email": ADA})).await.ok();
    place.app.client.delete(&path).await.ok();
    assert!(!is_in(&driver).await);

    user(&place.app.client, json!({})).await;
    let driver = place.logged_in(ADA, 2).await;
    place.app.pass(Duration::from_secs(30 * 24 * 3_600 - 1)).await;
    assert!(is_in(&driver).await);
    place.app.pass(Duration::from_secs(1)).await;
    assert!(!is_in(&driver).await);
    let over = driver.get("/account").await;
    assert!(over.headers["set-cookie"].to_str().expect("a text").starts_with("evenwatt_driver=;"), "it is forgotten");
}

#[actix_web::test]
async fn an_address_is_logged_in_at_twenty_browsers_at_most() {
    let place = Mailing::start().await;
    user(&place.app.client, json!({})).await;
    let mut all = Vec::new();
    for number in 1..=21 {
        all.push(place.logged_in(ADA, number).await);
        place.app.pass(Duration::from_secs(1_200)).await;
    }
    assert!(!is_in(&all[0]).await, "the oldest one gave way");
    assert!(is_in(&all[1]).await && is_in(&all[20]).await);
    // Who logs in again at the same browser takes no other's place.
    let mut again = all.pop().expect("a browser");
    place.ask(ADA).await;
    let secret = place.mail.secret(ADA, 22).await;
    again.post(&format!("/login/{secret}"), None).await.ok();
    assert!(is_in(&all[1]).await && is_in(&again).await);
}

#[actix_web::test]
async fn other_pages_log_nobody_in_or_out_and_too_many_requests_are_refused() {
    let place = Mailing::start().await;
    user(&place.app.client, json!({})).await;
    let driver = place.logged_in(ADA, 1).await;
    place.ask(ADA).await;
    let secret = place.mail.secret(ADA, 2).await;
    let from = async |path: &str, origin: &str, body: Value| {
        let address = format!("{}/v1.1/driver{path}", driver.client.base);
        let request = driver.client.http.post(address).header("origin", origin).header("cookie", &driver.cookies[0]);
        driver.client.send(request.json(&body)).await
    };
    let (link, email) = (format!("/login/{secret}"), json!({"email": ADA}));
    for (path, body) in [("/login", &email), (link.as_str(), &json!({})), ("/logout", &json!({}))] {
        assert_eq!(from(path, "https://evil.example", body.clone()).await.error(403), "foreign_origin", "{path}");
    }
    assert!(is_in(&driver).await);
    let own = driver.client.base.clone();
    from(&link, &own, json!({})).await.ok();

    // Two of this address were counted above, and the one of another page was not.
    for _ in 2..30 {
        assert_eq!(place.ask(NOBODY).await.status, 202);
    }
    for email in [NOBODY, ADA] {
        let refused = place.ask(email).await;
        assert_eq!(refused.error(429), "too_many_requests");
        assert_eq!(refused.headers["retry-after"], "3601");
    }
    place.app.pass(Duration::from_secs(3_600)).await;
    assert_eq!(place.ask(ADA).await.status, 202);
}

#[actix_web::test]
async fn without_a_mail_server_nobody_logs_in_and_pages_know_it() {
    let app = TestApp::start().await;
    user(&app.client, json!({})).await;
    let mut driver = Driver::of(&app);
    let refused = driver.post("/login", Some(json!({"email": ADA}))).await;
    assert_eq!(refused.error(409), "conflict");
    assert!(refused.text.contains("sends no e-mails"), "{}", refused.text);
    assert_eq!(app.client.get("/pages/config").await.ok()["driver_login"], false);
    let place = Mailing::start().await;
    assert_eq!(place.app.client.get("/pages/config").await.ok()["driver_login"], true);
}

#[actix_web::test]
async fn a_login_of_a_driver_opens_nothing_else_and_nothing_else_is_one() {
    let place = Mailing::start().await;
    let id = user(&place.app.client, json!({})).await;
    let driver = place.logged_in(ADA, 1).await;
    let secret = driver.cookies[0].split_once('=').expect("a pair").1.to_owned();
    let document = place.app.client.get_bare("/openapi.json").await.json();
    let mut walked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let open = |operation: &Value| operation["security"] == json!([{}]) || operation["security"] == json!([]);
        for (method, _) in item.as_object().expect("operations").iter().filter(|(_, one)| !open(one)) {
            let path = path.replace("{id}", &id);
            let method: Method = method.to_uppercase().parse().expect("a method");
            for name in ["evenwatt_driver", "evenwatt_session", "evenwatt_portal"] {
                let address = format!("{}{path}", driver.client.base);
                let request = driver.client.http.request(method.clone(), address).json(&json!({}));
                let answer = driver.client.send(request.header("cookie", format!("{name}={secret}"))).await;
                // What changes something with an operator's cookie has to show the token of its page first, and an account's
                // bodies are read before its cookie.
                let first: &[u16] = if path.starts_with("/v1.1/account") { &[403, 422] } else { &[403] };
                let status = answer.status.as_u16();
                let is_shut = status == 401 || name == "evenwatt_session" && first.contains(&status);
                assert!(is_shut, "{method} {path} by {name}: {} {}", answer.status, answer.text);
            }
            let bearer = Client::new(place.app.running.address, &secret);
            let answer = bearer.request(method.clone(), path.trim_start_matches("/v1.1")).json(&json!({}));
            assert_eq!(bearer.send(answer).await.status, 401, "{method} {path}");
            walked += 1;
        }
    }
    assert!(walked > 150, "{walked}");

    let key = place.app.client.key.clone();
    for cookie in
        [format!("evenwatt_driver={key}"), format!("evenwatt_session={secret}"), "evenwatt_driver=x".to_owned()]
    {
        let forged = Driver { cookies: vec![cookie], ..Driver::of(&place.app) };
        assert!(!is_in(&forged).await);
    }
    assert_eq!(place.app.client.get("/driver/account").await.status, 204, "a key is no driver");
}
