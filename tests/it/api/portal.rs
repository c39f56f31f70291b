//! The portal of home users: invitations by e-mail, passwords, logins, and the one record that operator and user share.

use std::time::Duration;

use kernel::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, MailServer, TestApp, secret_of};

const PASSWORD: &str = "correct horse battery";
const ADA: &str = "ada@example.com";

/// A server with a mail server, and a group of a home charger.
pub struct Home {
    pub app: TestApp,
    pub mail: MailServer,
    pub group: String,
    /// Without any key.
    pub guest: Client,
}

impl Home {
    pub async fn start() -> Self {
        let mail = MailServer::start().await;
        let options = mail.options();
        let options: Vec<_> = options.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let app = TestApp::start_with(&options).await;
        let group = group(&app).await;
        let guest = Client::new(app.running.address, "nothing");
        Self { app, mail, group, guest }
    }

    /// Invites somebody, who accepts; answers the user's id and the tokens.
    pub async fn invited(&self, email: &str) -> (String, Value) {
        let body = json!({"email": email, "firstname": "Ada", "lastname": "Lovelace"});
        let user = self.app.client.post("/home_users", body).await.created();
        let secret = self.mail.secret(email, 1).await;
        let accept = format!("/portal/invitations/{secret}/accept");
        let tokens = self.guest.post(&accept, json!({"password": PASSWORD})).await.ok();
        (text(&user["_id"]), tokens)
    }

    pub async fn give_to(&self, user: &str) {
        let path = format!("/groups/{}/user", self.group);
        self.app.client.put(&path, json!({"user": user})).await.ok();
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.guest.post("/portal/login", body).await
    }

    pub fn with(&self, tokens: &Value) -> Client {
        Client::new(self.app.running.address, &text(&tokens["access_token"]))
    }

    async fn refresh(&self, tokens: &Value) -> Answer {
        let body = json!({"refresh_token": tokens["refresh_token"]});
        self.guest.post("/portal/refresh", body).await
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

pub async fn group(app: &TestApp) -> String {
    let site = json!({"operatorName": "Home", "address": {}, "coordinates": [4.9, 52.4],
        "timezone": "Europe/Amsterdam"});
    let location = app.client.post("/locations", site).await.created();
    let group = json!({"name": "Garage", "maximum_capacity": 7, "algorithm": "consumer_tou",
        "location": location["_id"]});
    text(&app.client.post("/groups", group).await.created()["_id"])
}

#[actix_web::test]
async fn a_home_user_sees_whose_customer_it_is_and_whom_to_ask() {
    let home = Home::start().await;
    let contact = json!({"phone": "+31 20 1234567", "email": "help@example.com"});
    let (_, tokens) = home.invited(ADA).await;
    assert!(home.mail.email(ADA, 1).await.contains("\n\nTest organization\n"));
    assert!(!home.mail.email(ADA, 1).await.contains("+31"));
    home.app.client.patch("/organization", json!({"support_contact": contact})).await.ok();
    let seen = home.with(&tokens).get("/portal/organization").await.ok();
    assert_eq!((&seen["name"], &seen["support_contact"]), (&json!("Test organization"), &contact));
    assert_eq!(seen["logo"], Value::Null);
    assert_eq!(seen["_id"], home.app.client.get("/organization").await.ok()["_id"]);
    let body = json!({"email": "bob@example.com", "firstname": "Bob", "lastname": "Bobson"});
    home.app.client.post("/home_users", body).await.created();
    let letter = home.mail.email("bob@example.com", 1).await;
    let end = "\n\nTest organization\n+31 20 1234567\nhelp@example.com";
    assert!(letter.contains(end), "{letter}");
    assert_eq!(home.app.stranger().await.get("/portal/organization").await.error(401), "unauthenticated");
}

#[actix_web::test]
async fn a_home_user_is_invited_sees_one_record_with_the_operator_and_is_removed() {
    let home = Home::start().await;
    let (user, tokens) = home.invited(ADA).await;
    let email = home.mail.email(ADA, 1).await;
    assert!(email.contains("Test organization invites you"), "{email}");
    let from = email.lines().find(|line| line.starts_with("From:"));
    let from = from.expect("a sender");
    assert!(from.contains("Test organization") && from.contains("no-reply@localhost"), "{from}");
    // It was 03:06 in Greenwich three days before.
    let until = "27 April 2026, 05:06 (Europe/Amsterdam)";
    assert!(email.contains(until), "{email}");
    let client = home.with(&tokens);
    assert_eq!(client.get("/portal/groups").await.ok(), json!([]));

    home.give_to(&user).await;
    let email = home.mail.email(ADA, 2).await;
    assert!(email.contains("\"Garage\"") && email.contains("not connected yet"), "{email}");
    home.give_to(&user).await; // again: no third e-mail
    let groups = client.get("/portal/groups").await.ok();
    assert_eq!((&groups[0]["name"], &groups[0]["timezone"]), (&json!("Garage"), &json!("Europe/Amsterdam")));

    let own = format!("/portal/groups/{}", home.group);
    let operators = format!("/groups/{}", home.group);
    let times = json!({"windows": [{"from": "17:00", "to": "20:00"}]});
    let tag = client.get(&own).await.headers["etag"].clone();
    let put = |path: String| {
        let request = client.request(Method::PUT, &path).json(&times);
        client.send(request.header("if-match", tag.clone()))
    };
    put(format!("{own}/exclusion_times")).await.ok();
    let seen = home.app.client.get(&operators).await;
    assert_eq!(seen.ok()["exclusion_times"]["windows"][0]["from"], "17:00");
    assert_eq!(put(format!("{own}/exclusion_times")).await.error(412), "version_mismatch");
    let other = json!({"timezone": "Europe/Lisbon", "windows": [{"from": "09:00", "to": "10:00"}]});
    let operators_times = format!("{operators}/exclusion_times");
    home.app.client.put(&operators_times, other).await.ok();
    let seen = client.get(&own).await.ok();
    assert_eq!(
        (&seen["exclusion_times"]["windows"][0]["from"], &seen["timezone"]),
        (&json!("09:00"), &json!("Europe/Lisbon"))
    );

    home.app.client.delete(&format!("{operators}/user")).await.ok();
    assert_eq!(client.get("/portal/groups").await.ok(), json!([]));
    assert_eq!(client.get(&own).await.error(404), "not_found");
    home.app.client.delete(&format!("/home_users/{user}")).await.ok();
    assert_eq!(client.get("/portal/groups").await.error(401), "unauthenticated");
    assert_eq!(home.log_in(ADA, PASSWORD).await.error(401), "login_failed");
    assert_eq!(home.mail.count(ADA), 2);
    let events = home.app.event_types().await;
    for kind in ["invited", "accepted", "deleted"] {
        assert!(events.contains(&format!("home_user.{kind}")), "{kind}");
    }
}

#[actix_web::test]
async fn a_group_has_one_home_user_who_was_invited() {
    let home = Home::start().await;
    let path = format!("/groups/{}/user", home.group);
    let bob = json!({"firstname": "Bob", "lastname": "B", "email": "bob@example.com"});
    let bob = home.app.client.post("/users", bob).await.created();
    let give = async |user: &Value| home.app.client.put(&path, json!({"user": user})).await;
    assert_eq!(give(&bob["_id"]).await.faulty_fields(), ["user"]);
    home.app.client.post("/home_users", json!({"email": "BOB@example.com"})).await.created();
    give(&bob["_id"]).await.ok();
    let (ada, _) = home.invited(ADA).await;
    assert_eq!(give(&json!(ada)).await.error(409), "conflict");
    let found = home.app.client.get("/home_users?search=bob").await.json();
    assert_eq!((&found["totalDocs"], &found["result"][0]["state"]), (&json!(1), &json!("invited")));

    let user = format!("/home_users/{}", text(&bob["_id"]));
    assert_eq!(home.app.client.delete(&user).await.error(409), "in_use");
    assert_eq!(home.app.client.delete(&format!("/groups/{}", home.group)).await.error(409), "in_use");
    let equal = json!({"algorithm": "equal_share"});
    let patched = home.app.client.patch(&format!("/groups/{}", home.group), equal).await;
    assert_eq!(patched.faulty_fields(), ["algorithm"]);
    home.app.client.delete(&path).await.ok();
    assert_eq!(home.app.client.delete(&path).await.error(404), "not_found");
    give(&json!(ada)).await.ok();

    let nobody = json!({"email": "new@example.com"});
    assert_eq!(home.app.client.post("/home_users", nobody).await.faulty_fields(), ["firstname", "lastname"]);
    let again = json!({"email": "bob@example.com"});
    assert_eq!(home.app.client.post("/home_users", again).await.error(409), "conflict");
}

#[actix_web::test]
async fn an_invitation_works_once_and_for_three_days() {
    let home = Home::start().await;
    let body = json!({"email": ADA, "firstname": "Ada", "lastname": "Lovelace"});
    let user = home.app.client.post("/home_users", body).await.created();
    assert_eq!(user["invitation_url"], json!(null), "it is in the e-mail only");
    let accept = async |secret: &str, password: &str| {
        let path = format!("/portal/invitations/{secret}/accept");
        home.guest.post(&path, json!({"password": password})).await
    };
    let first = home.mail.secret(ADA, 1).await;
    let again = format!("/home_users/{}/invitation", text(&user["_id"]));
    home.app.client.post(&again, json!({})).await.ok();
    let second = home.mail.secret(ADA, 2).await;
    assert_eq!(accept(&first, PASSWORD).await.error(404), "not_found", "replaced");
    assert_eq!(accept(&second, "short").await.faulty_fields(), ["password"]);
    home.app.pass(Duration::from_secs(72 * 3_600)).await;
    assert_eq!(accept(&second, PASSWORD).await.error(404), "not_found", "too late");
    home.app.client.post(&again, json!({})).await.ok();
    let third = home.mail.secret(ADA, 3).await;
    let reset = format!("/portal/password_reset/{third}");
    let mistaken = home.guest.post(&reset, json!({"password": PASSWORD})).await;
    assert_eq!(mistaken.error(404), "not_found", "for something else");
    accept(&third, PASSWORD).await.ok();
    assert_eq!(accept(&third, "another password").await.error(404), "not_found", "used");
    home.log_in(ADA, PASSWORD).await.ok();
    assert_eq!(home.app.client.post(&again, json!({})).await.error(409), "conflict");
}

#[actix_web::test]
async fn a_refresh_token_works_once_and_one_that_comes_twice_ends_the_login() {
    let home = Home::start().await;
    let (_, first) = home.invited(ADA).await;
    let elsewhere = home.log_in(ADA, PASSWORD).await.ok();
    let second = home.refresh(&first).await.ok();
    home.with(&second).get("/portal/groups").await.ok();
    home.with(&first).get("/portal/groups").await.ok();

    assert_eq!(home.refresh(&first).await.error(401), "unauthenticated", "stolen");
    assert_eq!(home.refresh(&second).await.error(401), "unauthenticated");
    let client = home.with(&second);
    assert_eq!(client.get("/portal/groups").await.error(401), "unauthenticated");
    home.with(&elsewhere).get("/portal/groups").await.ok();
    let events = home.app.event_types().await;
    assert!(events.contains(&"home_user.refresh_reused".to_owned()));

    home.app.pass(Duration::from_secs(601)).await;
    assert_eq!(home.with(&elsewhere).get("/portal/groups").await.error(401), "unauthenticated");
    let later = home.refresh(&elsewhere).await.ok();
    home.with(&later).get("/portal/groups").await.ok();
    home.app.pass(Duration::from_secs(30 * 24 * 3_600)).await;
    assert_eq!(home.refresh(&later).await.error(401), "unauthenticated", "the login is over");
}

#[actix_web::test]
async fn logging_out_ends_one_login_or_all() {
    let home = Home::start().await;
    let (_, first) = home.invited(ADA).await;
    let second = home.log_in(ADA, PASSWORD).await.ok();
    let third = home.log_in(ADA, PASSWORD).await.ok();
    let works = async |tokens: &Value| {
        let answer = home.with(tokens).get("/portal/groups").await;
        answer.status == 200
    };
    home.with(&first).post("/portal/logout", json!({})).await.ok();
    assert_eq!(home.refresh(&first).await.error(401), "unauthenticated");
    assert!(!works(&first).await && works(&second).await && works(&third).await);
    home.with(&second).post("/portal/logout_everywhere", json!({})).await.ok();
    assert!(!works(&second).await && !works(&third).await);
    assert_eq!(home.refresh(&third).await.error(401), "unauthenticated");
}

#[actix_web::test]
async fn guessing_locks_an_address_whether_it_is_known_or_not() {
    let home = Home::start().await;
    home.invited(ADA).await;
    let mut stories = Vec::new();
    for email in [ADA, "nobody@example.com"] {
        let mut story = Vec::new();
        for _ in 0..6 {
            let answer = home.log_in(email, "a wrong password").await;
            let mut said = answer.json();
            said["request_id"] = Value::Null;
            story.push((answer.status, said));
        }
        assert_eq!((story[4].0.as_u16(), story[5].0.as_u16()), (401, 429));
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1], "the answers show who is known");
    let locked = home.log_in(ADA, PASSWORD).await;
    assert_eq!(locked.error(429), "too_many_requests");
    assert_eq!(locked.headers["retry-after"], "61");
    home.app.pass(Duration::from_secs(61)).await;
    home.log_in(ADA, PASSWORD).await.ok();
    assert_eq!(home.log_in(ADA, "a wrong password").await.error(401), "login_failed", "counted anew");
}

#[actix_web::test]
async fn another_password_is_chosen_by_e_mail_and_ends_all_logins() {
    let home = Home::start().await;
    let (_, tokens) = home.invited(ADA).await;
    let ask = async |email: &str| {
        let answer = home.guest.post("/portal/password_reset", json!({"email": email})).await;
        assert_eq!(answer.status.as_u16(), 202);
        answer.text.replace(email, "")
    };
    assert_eq!(ask(ADA).await, ask("nobody@example.com").await, "the answers show who is known");
    let secret = home.mail.secret(ADA, 2).await;
    let reset = format!("/portal/password_reset/{secret}");
    let another = "another horse battery";
    home.app.pass(Duration::from_secs(60)).await;
    home.guest.post(&reset, json!({"password": another})).await.ok();
    assert_eq!(home.guest.post(&reset, json!({"password": another})).await.error(404), "not_found");
    assert_eq!(home.refresh(&tokens).await.error(401), "unauthenticated");
    assert_eq!(home.with(&tokens).get("/portal/groups").await.error(401), "unauthenticated");
    assert_eq!(home.log_in(ADA, PASSWORD).await.error(401), "login_failed");
    home.log_in(ADA, another).await.ok();

    for _ in 0..5 {
        ask(ADA).await;
    }
    home.mail.email(ADA, 4).await;
    assert_eq!(home.mail.count(ADA), 4, "three e-mails an hour are enough");
    assert_eq!(home.mail.count("nobody@example.com"), 0);
}

#[actix_web::test]
async fn letters_wait_for_a_mail_server_that_is_away() {
    let home = Home::start().await;
    home.mail.close(true);
    let body = json!({"email": ADA, "firstname": "Ada", "lastname": "Lovelace"});
    home.app.client.post("/home_users", body).await.created();
    let attempts = async || {
        use diesel::prelude::*;
        use evenwatt::store::schema::letters;
        let read = home.app.running.context.db.read(|conn| {
            let attempts = letters::table.select(letters::attempts).first(conn);
            attempts.map_err(evenwatt::store::StoreError::from)
        });
        let attempts: i64 = read.await.expect("an e-mail");
        attempts
    };
    home.app.eventually(async || attempts().await == 1).await;
    home.mail.close(false);
    home.app.pass(Duration::from_secs(11)).await;
    let secret = home.mail.secret(ADA, 1).await;
    let accept = format!("/portal/invitations/{secret}/accept");
    home.guest.post(&accept, json!({"password": PASSWORD})).await.ok();
}

#[actix_web::test]
async fn without_a_mail_server_the_link_is_in_the_answer() {
    let app = TestApp::start_with(&[("EVENWATT_PORTAL_URL", "https://home.example.com/")]).await;
    let body = json!({"email": ADA, "firstname": "Ada", "lastname": "Lovelace"});
    let user = app.client.post("/home_users", body).await.created();
    let link = text(&user["invitation_url"]);
    assert!(link.starts_with("https://home.example.com/invitations/"), "{link}");
    let guest = Client::new(app.running.address, "nothing");
    let accept = format!("/portal/invitations/{}/accept", secret_of(&link));
    guest.post(&accept, json!({"password": PASSWORD})).await.ok();
    let path = format!("/home_users/{}", text(&user["_id"]));
    let shown = app.client.get(&path).await.ok();
    assert_eq!((&shown["state"], &shown["invitation_url"]), (&json!("active"), &Value::Null));
    let events = app.client.get("/events?type=home_user.created,home_user.invited").await;
    assert_eq!(events.json()["result"].as_array().map(Vec::len), Some(2));
    assert!(!events.text.contains(&secret_of(&link)), "a link is in the log of events");
}

#[actix_web::test]
async fn nothing_that_opens_an_account_is_kept_in_the_store() {
    let home = Home::start().await;
    let (_, tokens) = home.invited(ADA).await;
    home.guest.post("/portal/password_reset", json!({"email": ADA})).await;
    let reset = home.mail.secret(ADA, 2).await;
    let secrets = [reset, text(&tokens["refresh_token"]), PASSWORD.to_owned()];
    use diesel::prelude::*;
    use evenwatt::store::schema::{home_links, home_refresh_tokens, home_users};
    let read = home.app.running.context.db.read(|conn| {
        let mut kept: Vec<String> = home_links::table.select(home_links::hash).load(conn)?;
        kept.extend(home_refresh_tokens::table.select(home_refresh_tokens::hash).load::<String>(conn)?);
        let hashes = home_users::table.select(home_users::password_hash);
        kept.extend(hashes.load::<Option<String>>(conn)?.into_iter().flatten());
        Ok::<_, evenwatt::store::StoreError>(kept)
    });
    let kept = read.await.expect("rows");
    assert_eq!(kept.len(), 3);
    for secret in secrets {
        assert!(kept.iter().all(|kept| !kept.contains(&secret)));
    }
}

#[actix_web::test]
async fn two_operators_may_know_the_same_address() {
    let home = Home::start().await;
    home.invited(ADA).await;
    let other = home.app.stranger().await;
    let body = json!({"email": ADA, "firstname": "Ada", "lastname": "L"});
    other.post("/home_users", body).await.created();
    home.log_in(ADA, PASSWORD).await.ok(); // the other invitation is not accepted yet
    let email = home.mail.email(ADA, 2).await;
    let link = email.split_whitespace().find(|word| word.starts_with("http")).expect("a link");
    let organization = link.rsplit('=').next().expect("an organization").to_owned();
    let accept = format!("/portal/invitations/{}/accept", secret_of(link));
    home.guest.post(&accept, json!({"password": "a second password"})).await.ok();
    assert_eq!(home.log_in(ADA, PASSWORD).await.error(401), "login_failed", "which one?");
    let named = async |organization: &str, password: &str| {
        let body = json!({"email": ADA, "password": password, "organization": organization});
        home.guest.post("/portal/login", body).await
    };
    named(&organization, "a second password").await.ok();
    named(&home.app.organization.to_string(), PASSWORD).await.ok();
    assert_eq!(named(&organization, PASSWORD).await.error(401), "login_failed");
}

#[actix_web::test]
async fn a_user_who_is_deactivated_is_out_at_once() {
    let home = Home::start().await;
    let (user, tokens) = home.invited(ADA).await;
    let inactive = json!({"active": false});
    home.app.client.patch(&format!("/users/{user}"), inactive).await.ok();
    assert_eq!(home.with(&tokens).get("/portal/groups").await.error(401), "unauthenticated");
    assert_eq!(home.refresh(&tokens).await.error(401), "unauthenticated");
    assert_eq!(home.log_in(ADA, PASSWORD).await.error(401), "login_failed");
    let shown = home.app.client.get(&format!("/home_users/{user}")).await.ok();
    assert_eq!(shown["state"], "disabled");
    let _: Timestamp = text(&shown["accepted_at"]).parse().expect("a time");
}
