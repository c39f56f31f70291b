//! Invitations, passwords, cookies, and the proof that a page of ours sent a change.

use std::time::Duration;

use evenwatt::panel::operators::let_in;
use evenwatt::people::organizations::list_organizations;
use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::json;

use super::browser::{Browser, GRACE, PASSWORD, cookie};
use crate::support::{FakeStation, MailServer, TestApp, secret_of};

const HOUR: Duration = Duration::from_secs(3_600);

#[actix_web::test]
async fn an_operator_is_invited_chooses_a_password_and_is_logged_in() {
    let app = TestApp::start().await;
    let body = json!({"email": "Grace@Example.com", "name": "Grace", "role": "Operator"});
    let operator = app.client.post("/operators", body).await.created();
    assert_eq!((&operator["email"], &operator["state"]), (&json!(GRACE), &json!("invited")));
    let link = operator["invitation_url"].as_str().expect("a link, as there is no mail server");
    assert!(link.starts_with(&format!("{}/panel/invitations/", app.client.base)), "{link}");
    let path = format!("/account/invitations/{}", secret_of(link));

    let browser = Browser::new(&app);
    let expected = json!({"email": GRACE, "name": "Grace", "organization": "Test organization"});
    assert_eq!(browser.get(&path).await.ok(), expected);
    let accept = format!("{path}/accept");
    let weak = browser.post(&accept, json!({"name": "Grace", "password": "password12"})).await;
    assert_eq!(weak.faulty_fields(), ["password"]);
    let accepted = browser.post(&accept, json!({"name": "Grace Hopper", "password": PASSWORD})).await;
    let set = cookie(&accepted);
    for part in ["evenwatt_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "it came without TLS: {set}");
    assert_eq!(accepted.headers["cache-control"], "no-store");

    let browser = browser.after(&accepted);
    let account = browser.get("/account").await.ok();
    assert_eq!(account["operator"]["name"], "Grace Hopper");
    assert_eq!(account["operator"]["role"], "Operator");
    assert_eq!(account["csrf_token"], browser.csrf);
    assert_eq!(account["organizations"].as_array().map(Vec::len), Some(1));
    assert_eq!(browser.get("/locations").await.status, 200, "as with a key");
    assert_eq!(browser.post(&accept, json!({"name": "X", "password": PASSWORD})).await.error(404), "not_found", "once");
    let known = app.client.get(&format!("/operators/{}", operator["_id"].as_str().expect("an id"))).await.ok();
    assert_eq!((&known["state"], &known["invitation_url"]), (&json!("active"), &json!(null)));
    let events = app.client.get("/events?type=operator.*").await.json();
    let types: Vec<_> = events["result"].as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["operator.created", "operator.accepted"]);
    assert!(!events.to_string().contains(&secret_of(link)), "no event shows the link");
}

#[actix_web::test]
async fn a_cookie_changes_nothing_without_the_token_of_its_page() {
    let app = TestApp::start().await;
    let grace = Browser::invited(&app, &app.client, GRACE, "Admin").await;
    let other = Browser::new(&app).after(&Browser::new(&app).log_in(GRACE, PASSWORD).await);
    assert_ne!(grace.csrf, other.csrf, "each login has its own");
    let place = json!({"operatorName": "P", "address": {}, "coordinates": [4.9, 52.4]});
    for token in ["", "wrong", &other.csrf] {
        let request = grace.bare(Method::POST, "/locations").header("x-csrf-token", token).json(&place);
        assert_eq!(grace.client.send(request).await.error(403), "csrf", "{token}");
        let request = grace.bare(Method::PATCH, "/account").header("x-csrf-token", token).json(&json!({"name": "X"}));
        assert_eq!(grace.client.send(request).await.error(403), "csrf", "{token}");
        let request = grace.bare(Method::POST, "/account/logout").header("x-csrf-token", token);
        assert_eq!(grace.client.send(request).await.error(403), "csrf", "{token}");
    }
    grace.post("/locations", place).await.created();
    assert_eq!(app.client.get("/locations").await.json()["totalDocs"], 1);
    // eDRV stops sessions by GET: a page of others could ask for a picture there.
    let stop = "/sessions/650000000000000000000001/stop";
    assert_eq!(grace.get(stop).await.error(403), "csrf");
    let request = grace.bare(Method::GET, stop).header("x-csrf-token", &grace.csrf);
    assert_eq!(grace.client.send(request).await.error(404), "not_found");
    assert_eq!(app.client.get(stop).await.error(404), "not_found", "a key is no cookie");
    // A form of another site could log somebody in as somebody else.
    let login = json!({"email": GRACE, "password": PASSWORD});
    let foreign = Browser::new(&app).bare(Method::POST, "/account/login").header("origin", "https://evil.example.com");
    assert_eq!(grace.client.send(foreign.json(&login)).await.error(403), "foreign_origin");
    let own = Browser::new(&app).bare(Method::POST, "/account/login").header("origin", &app.client.base);
    assert_eq!(grace.client.send(own.json(&login)).await.status, 200);
}

#[actix_web::test]
async fn a_page_of_others_cannot_listen_with_the_cookie() {
    let app = TestApp::start().await;
    let grace = Browser::invited(&app, &app.client, GRACE, "Viewer").await;
    let url = format!("ws://{}/v1.1/realtime", app.running.address);
    let with = async |origin: &str| {
        let headers = [("cookie", grace.cookie.as_str()), ("origin", origin)];
        FakeStation::try_connect(&url, &headers).await.map(drop)
    };
    assert!(with(&app.client.base).await.is_ok());
    assert!(with("https://evil.example.com").await.is_err());
}

#[actix_web::test]
async fn a_link_of_the_machine_logs_in_once_and_leads_to_a_page_of_the_panel_only() {
    let app = TestApp::start().await;
    let path = {
        let moment = app.running.context.moment();
        let made = app.running.context.db.write(move |conn| {
            let organization = list_organizations(conn)?.remove(0);
            let_in(conn, organization.id, &moment)
        });
        made.await.expect("a link")
    };
    let http = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let open = async |query: &str| {
        let url = format!("{}{path}{query}", app.client.base);
        http.get(url).send().await.expect("an answer")
    };
    for elsewhere in ["https://evil.example.com", "evil", "/..%2Fv1.1", "/%5C%5Cevil.example.com", "/a%0D%0AX:y", ""] {
        assert_eq!(open(&format!("?to={elsewhere}")).await.status(), 422, "{elsewhere}");
    }
    let led = open("?to=/groups/6613f1b2c9d4a8e7f0a1b2c3").await;
    assert_eq!(led.status(), 302);
    assert_eq!(led.headers()["location"], "/panel/groups/6613f1b2c9d4a8e7f0a1b2c3");
    let set = led.headers()["set-cookie"].to_str().expect("a text").to_owned();
    assert_eq!(open("").await.status(), 404, "it works once");
    let cookie = set.split(';').next().expect("a name and a value").to_owned();
    let browser = Browser { cookie, ..Browser::new(&app) };
    assert_eq!(browser.get("/account").await.ok()["operator"]["role"], "Admin");
    let operators = browser.get("/operators").await.json();
    assert_eq!(operators["result"][0]["state"], "active", "nobody waits for an invitation to be accepted");
}

#[actix_web::test]
async fn a_login_gets_a_new_secret_and_fails_in_the_same_words() {
    let app = TestApp::start().await;
    Browser::invited(&app, &app.client, GRACE, "Viewer").await;
    let mut browser = Browser::new(&app);
    browser.cookie = "evenwatt_session=chosen-by-somebody-else".to_owned();
    assert_eq!(browser.get("/account").await.error(401), "unauthenticated");
    browser.cookie = "of another program; broken=%; evenwatt_session=chosen-by-somebody-else".to_owned();
    let answer = browser.log_in(GRACE, PASSWORD).await;
    assert!(!cookie(&answer).contains("chosen"), "no secret from outside is taken over");
    let wrong = browser.log_in(GRACE, "correct horse batterx").await;
    let unknown = browser.log_in("nobody@example.com", PASSWORD).await;
    assert_eq!(wrong.error(401), "login_failed");
    assert_eq!(wrong.json()["message"], unknown.json()["message"]);
    for _ in 0..4 {
        browser.log_in(GRACE, "guess").await.error(401);
    }
    let mut beside = browser.clone().after(&answer);
    beside.cookie = format!("broken; %=%; {}; other=\"x", beside.cookie);
    assert_eq!(beside.get("/account").await.status, 200, "cookies of other programs spoil nothing");
    let locked = browser.log_in(GRACE, PASSWORD).await;
    assert_eq!(locked.error(429), "too_many_requests");
    assert_eq!(locked.headers["retry-after"], "61");
    app.clock.advance(Duration::from_secs(61));
    browser.log_in(GRACE, PASSWORD).await.ok();
}

#[actix_web::test]
async fn a_login_ends_when_it_is_not_used_is_ended_or_the_password_changes() {
    let app = TestApp::start().await;
    let first = Browser::invited(&app, &app.client, GRACE, "Admin").await;
    let second = Browser::new(&app).after(&Browser::new(&app).log_in(GRACE, PASSWORD).await);
    for _ in 0..3 {
        app.clock.advance(11 * HOUR);
        second.get("/account").await.ok();
    }
    assert_eq!(first.get("/account").await.error(401), "unauthenticated", "it was not used for twelve hours");

    let third = Browser::new(&app).after(&Browser::new(&app).log_in(GRACE, PASSWORD).await);
    let wrong = json!({"current_password": "guess", "new_password": "staple of four words"});
    assert_eq!(second.post("/account/password", wrong).await.faulty_fields(), ["current_password"]);
    // Who has the cookie does not guess the password.
    for _ in 0..4 {
        let guess = json!({"current_password": "guess", "new_password": "staple of four words"});
        second.post("/account/password", guess).await.faulty_fields();
    }
    let right = json!({"current_password": PASSWORD, "new_password": "staple of four words"});
    assert_eq!(second.post("/account/password", right.clone()).await.error(429), "too_many_requests");
    app.clock.advance(Duration::from_secs(61));
    second.post("/account/password", right).await.ok();
    assert_eq!(third.get("/account").await.error(401), "unauthenticated", "all others end");
    second.get("/account").await.ok();
    Browser::new(&app).log_in(GRACE, PASSWORD).await.error(401);
    Browser::new(&app).log_in(GRACE, "staple of four words").await.ok();

    let left = second.post("/account/logout", json!({})).await;
    assert!(cookie(&left).contains("Max-Age=0"), "{}", cookie(&left));
    assert_eq!(second.get("/locations").await.error(401), "unauthenticated");
}

#[actix_web::test]
async fn a_forgotten_password_is_replaced_by_a_link_in_an_e_mail() {
    let mail = MailServer::start().await;
    let options = mail.options();
    let options: Vec<_> = options.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let app = TestApp::start_with(&options).await;
    let invited = app.client.post("/operators", json!({"email": GRACE, "role": "Viewer"})).await.created();
    assert_eq!(invited["invitation_url"], json!(null), "it is in the e-mail only");
    let letter = mail.email(GRACE, 1).await;
    assert!(letter.contains("Test organization invites you"), "{letter}");
    let accept = format!("/account/invitations/{}/accept", mail.secret(GRACE, 1).await);
    let browser = Browser::new(&app);
    let accepted = browser.post(&accept, json!({"name": "Grace", "password": PASSWORD})).await;
    let browser = browser.after(&accepted);

    let stranger = Browser::new(&app);
    let ask = async |email: &str| {
        let answer = stranger.post("/account/password_reset", json!({"email": email})).await;
        (answer.status.as_u16(), answer.json()["message"].clone())
    };
    assert_eq!(ask("nobody@example.com").await, ask(GRACE).await);
    let reset = format!("/account/password_reset/{}", mail.secret(GRACE, 2).await);
    stranger.post(&reset, json!({"password": "staple of four words"})).await.ok();
    assert_eq!(browser.get("/account").await.error(401), "unauthenticated", "all logins end");
    assert_eq!(stranger.post(&reset, json!({"password": "staple of four words"})).await.error(404), "not_found");
    stranger.log_in(GRACE, "staple of four words").await.ok();
    assert_eq!(mail.count("nobody@example.com"), 0);
}
