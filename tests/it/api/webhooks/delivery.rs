//! What is sent when: keys do not wait for each other, and each try is kept.

use std::time::Duration;

use evenwatt::events::{Change, EventKind};
use evenwatt::store::StoreError;
use kernel::{RawId, StationId};
use serde_json::{Value, json};

use super::{Answer, Endpoint, OWN_NETWORK, create, deliveries, place};
use crate::support::{TestApp, when};

fn station(number: u8) -> StationId {
    RawId::from_bytes([number; 12]).into()
}

/// Writes events of a station, numbered from 0.
async fn db_events(app: &TestApp, station: StationId, name: &'static str, count: usize) {
    let (organization, moment) = (app.organization, app.running.context.moment());
    let write = app.running.context.db.write(move |conn| {
        for number in 0..count {
            Change::new(conn, organization, &moment).record_at(
                station,
                EventKind::StationUpdated,
                &json!({"name": name, "number": number}),
            )?;
        }
        Ok::<_, StoreError>(())
    });
    write.await.expect("they are written");
}

fn numbers(endpoint: &Endpoint, name: &str) -> Vec<u64> {
    let got = endpoint.got();
    let data = got.iter().map(|one| &one.body["data"]);
    data.filter(|data| data["name"] == name).map(|data| data["number"].as_u64().expect("a number")).collect()
}

#[actix_web::test]
async fn a_station_whose_event_is_refused_delays_its_own_events_only() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start(Answer::Unless("poisonous")).await;
    create(&app, &endpoint, "chargestation.updated").await;
    db_events(&app, station(1), "poisonous", 1_500).await;
    for (number, name) in [(0, "first"), (2, "second"), (3, "third")] {
        db_events(&app, station(number), name, 5).await;
    }
    for name in ["first", "second", "third"] {
        when(&endpoint.came, || numbers(&endpoint, name).len() == 5).await;
        assert_eq!(numbers(&endpoint, name), [0, 1, 2, 3, 4]);
    }
    assert!(numbers(&endpoint, "poisonous").iter().all(|one| *one == 0));
}

#[actix_web::test]
async fn more_stations_than_are_looked_up_at_once_are_all_served() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start("200 OK").await;
    create(&app, &endpoint, "chargestation.updated").await;
    for number in 0..150 {
        db_events(&app, station(number), "any", 2).await;
    }
    endpoint.receives(300).await;
}

#[actix_web::test]
async fn each_try_is_kept_with_what_was_sent_and_answered() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let endpoint = Endpoint::start("500 Internal Server Error").await;
    let (path, webhook) = create(&app, &endpoint, "location.created").await;
    app.client.post("/locations", place("A")).await.created();
    let count = async || match deliveries(&app, &path).await.first() {
        Some(delivery) => delivery["attempt_count"].as_u64().expect("a count"),
        None => 0,
    };
    app.eventually(async || count().await == 1).await;
    endpoint.will("200 OK");
    app.pass(Duration::from_secs(10)).await;
    app.eventually(async || count().await == 2).await;

    let [listed] = &deliveries(&app, &path).await[..] else {
        panic!("one delivery");
    };
    assert!(listed.get("attempts").is_none(), "a list is short");
    let id = listed["_id"].as_str().expect("an id");
    let answer = app.client.get(&format!("{path}/deliveries/{id}")).await;
    assert!(!answer.text.contains(webhook["secret"].as_str().unwrap()));
    let delivery = answer.ok();
    assert_eq!(
        (&delivery["status"], &delivery["response_status"], &delivery["error"]),
        (&json!("delivered"), &json!(200), &Value::Null)
    );
    let [first, second] = &delivery["attempts"].as_array().expect("attempts")[..] else {
        panic!("two attempts");
    };
    assert_eq!(
        (&first["response_status"], &first["response_body"], &first["error"]),
        (&json!(500), &json!("hi"), &json!("it answered 500"))
    );
    assert_eq!(second["error"], Value::Null);
    let sent = &second["request_headers"];
    assert_eq!(sent["edrv-signature"], endpoint.got()[1].signature.as_str());
    assert_eq!(sent["content-type"], "application/json");
    assert_ne!(first["at"], second["at"]);
}

#[actix_web::test]
async fn bad_endpoints_do_not_delay_a_healthy_one() {
    let app = TestApp::start_with(OWN_NETWORK).await;
    let healthy = Endpoint::start("200 OK").await;
    let mut dead = Endpoint::start("200 OK").await;
    let bound = tokio::net::TcpSocket::new_v4().expect("a socket");
    bound.bind("127.0.0.1:0".parse().expect("an address")).expect("a port, where nobody listens");
    dead.url = format!("http://{}/", bound.local_addr().expect("an address"));
    let (silent, slow, failing, redirecting, endless, headers) = (
        Endpoint::start(Answer::Silence).await,
        Endpoint::start(Answer::Slow(Duration::from_secs(1))).await,
        Endpoint::start("500 Internal Server Error").await,
        Endpoint::start("307 Temporary Redirect").await,
        Endpoint::start(Answer::Endless).await,
        Endpoint::start(Answer::HugeHeaders).await,
    );
    let mut paths = Vec::new();
    for bad in [&dead, &silent, &slow, &failing, &redirecting, &endless, &headers] {
        paths.push(create(&app, bad, "chargestation.updated").await.0);
    }
    create(&app, &healthy, "chargestation.updated").await;
    let started = std::time::Instant::now();
    for number in 0..20 {
        db_events(&app, station(number), "any", 5).await;
    }
    healthy.receives(100).await;
    // The silent one alone takes 20 stations × 2 s ÷ 8 at once for its first round.
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    failing.receives(20).await; // one of each station

    for (path, error) in [
        (&paths[0], "Connection refused"),
        (&paths[1], "timed out"),
        (&paths[3], "it answered 500"),
        (&paths[4], "redirects are not followed"),
        (&paths[6], "message head is too large"),
    ] {
        let tried = async || {
            let all = deliveries(&app, path).await;
            let mut errors = all.iter().map(|one| one["error"].to_string());
            errors.any(|one| one.contains(error))
        };
        app.eventually(tried).await;
    }
    let received = async |path: &str| {
        let all = deliveries(&app, path).await;
        all.into_iter().find(|one| one["status"] == "delivered")
    };
    app.eventually(async || received(&paths[2]).await.is_some()).await;
    app.eventually(async || received(&paths[5]).await.is_some()).await;
    let id = received(&paths[5]).await.expect("one")["_id"].clone();
    let path = format!("{}/deliveries/{}", paths[5], id.as_str().expect("an id"));
    let kept = app.client.get(&path).await.ok()["attempts"][0]["response_body"].clone();
    assert_eq!(kept.as_str().map(str::len), Some(1_024));
}
