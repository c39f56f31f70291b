//! An endpoint that receives nothing: who is notified, when the webhook is turned off, and how it goes on.

use std::time::Duration;

use serde_json::json;

use super::{Answer, Endpoint, LOOKED_AT_EVERY, OWN_NETWORK, create, deliveries, place};
use crate::support::{MailServer, TestApp};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn start_with_mail(mail: &MailServer) -> TestApp {
    let mail = mail.options();
    let mail = mail.iter().map(|(name, text)| (*name, text.as_str()));
    let options: Vec<_> = OWN_NETWORK.iter().copied().chain(mail).collect();
    TestApp::start_with(&options).await
}

fn names(endpoint: &Endpoint) -> Vec<String> {
    let got = endpoint.got();
    let names = got.iter().map(|one| one.body["data"]["operatorName"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}

async fn tried(app: &TestApp, path: &str, times: u64) {
    app.eventually(async || {
        let first = deliveries(app, path).await.into_iter().next();
        first.is_some_and(|one| one["attempt_count"] == times)
    })
    .await;
}

#[actix_web::test]
async fn somebody_is_notified_after_an_hour_and_when_it_is_turned_off() {
    let mail = MailServer::start().await;
    let app = start_with_mail(&mail).await;
    let endpoint = Endpoint::start("503 Service Unavailable").await;
    let (path, _) = create(&app, &endpoint, "location.created").await;
    let alert = json!({"alert_email": "Ops@Example.com"});
    let view = app.client.patch(&path, alert).await.ok();
    assert_eq!(view["alert_email"], "ops@example.com");
    assert_eq!(app.client.patch(&path, json!({"alert_email": "nobody"})).await.faulty_fields(), ["alert_email"]);

    app.client.post("/locations", place("A")).await.created();
    tried(&app, &path, 1).await;
    assert!(app.client.get(&path).await.ok()["failing_since"].is_string());
    app.pass(2 * HOUR).await;
    let email = mail.email("ops@example.com", 1).await;
    assert!(email.contains("receives nothing") && email.contains("503"), "{email}");
    app.pass(2 * HOUR).await;
    tried(&app, &path, 3).await;
    assert_eq!(mail.count("ops@example.com"), 1, "once is enough");

    app.pass(4 * DAY).await;
    let email = mail.email("ops@example.com", 2).await;
    assert!(email.contains("turned off"), "{email}");
    let webhook = app.client.get(&path).await.ok();
    assert_eq!(webhook["active"], false);
    assert!(webhook["disabled_reason"].to_string().contains("it answered 503"));
    let recorded = app.event_types().await;
    assert!(recorded.contains(&"webhook.disabled".to_owned()));
}

#[actix_web::test]
async fn one_that_is_turned_on_again_goes_on_where_it_stopped() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start("503 Service Unavailable").await;
    let (path, _) = create(&app, &endpoint, "location.created").await;
    for name in ["A", "B"] {
        app.client.post("/locations", place(name)).await.created();
    }
    tried(&app, &path, 1).await;
    app.pass(4 * DAY).await;
    app.eventually(async || app.client.get(&path).await.ok()["active"] == false).await;
    app.client.post("/locations", place("C")).await.created();
    assert!(names(&endpoint).iter().all(|name| name == "A"));
    let test = app.client.post(&format!("{path}/test"), json!({})).await;
    assert_eq!(test.error(409), "conflict");

    endpoint.will("200 OK");
    let refused = endpoint.got().len();
    let webhook = app.client.patch(&path, json!({"active": true})).await.ok();
    assert_eq!((&webhook["disabled_reason"], &webhook["failing_since"]), (&json!(null), &json!(null)));
    endpoint.receives(refused + 3).await;
    assert_eq!(names(&endpoint)[refused..], ["A", "B", "C"]);
}

#[actix_web::test]
async fn an_event_that_alone_is_refused_is_given_up_after_three_days_and_the_webhook_stays_on() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start(Answer::Unless("poisonous")).await;
    let (path, _) = create(&app, &endpoint, "location.created,organization.updated").await;
    app.client.post("/locations", place("poisonous")).await.created();
    tried(&app, &path, 1).await;
    app.client.post("/locations", place("next")).await.created();
    let name = json!({"name": "Renamed"});
    app.client.patch("/organization", name).await.ok();
    app.pass(LOOKED_AT_EVERY).await; // one that failed is not woken by what happens
    endpoint.receives(2).await;

    app.pass(4 * DAY).await;
    app.eventually(async || deliveries(&app, &path).await[0]["status"] == "failed").await;
    app.eventually(async || deliveries(&app, &path).await[1]["status"] == "delivered").await;
    assert_eq!(app.client.get(&path).await.ok()["active"], true);

    endpoint.will("200 OK");
    let id = deliveries(&app, &path).await[0]["_id"].clone();
    let resend = format!("{path}/deliveries/{}/resend", id.as_str().expect("an id"));
    app.client.post(&resend, json!({})).await.ok();
    app.pass(LOOKED_AT_EVERY).await;
    app.eventually(async || deliveries(&app, &path).await[0]["status"] == "delivered").await;
}
