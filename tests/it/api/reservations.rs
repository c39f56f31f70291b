//! Connectors are kept for somebody: the station is asked, others are kept away, and every way it ends is recorded.

use serde_json::{Value, json};

use crate::support::{Answer, FakeStation, TestApp, TestStation};

/// A station with one reservable EVSE of two connectors.
async fn twin(app: &TestApp, simultaneous: bool) -> (TestStation, String) {
    let station = app.station("Twin").await;
    let evses = app.client.get("/evses").await.json();
    let evse = evses["result"][0]["_id"].as_str().expect("an id").to_owned();
    let change = json!({"reservable": true, "simultaneous": simultaneous});
    app.client.patch(&format!("/evses/{evse}"), change).await.ok();
    let second = json!({"power": 7, "evse": evse});
    let path = format!("{}/connectors", station.path);
    let second = app.client.post(&path, second).await.created();
    (station, second["_id"].as_str().expect("an id").to_owned())
}

fn wish(connector: &str) -> Value {
    json!({"connector": connector, "id_tag": "CARD", "expires_at": "2026-04-24T04:00:00Z"})
}

/// Asks for a reservation while the station answers each ReserveNow with one of these.
async fn reserve(app: &TestApp, socket: &mut FakeStation, body: Value, answers: &[&str]) -> Answer {
    let client = app.client.clone();
    let asked = actix_web::rt::spawn(async move { client.post("/reservations", body).await });
    for status in answers {
        let call = socket.next_call().await;
        let known = ["ReserveNow", "CancelReservation"].map(Value::from);
        assert!(known.contains(&call[2]), "{call}");
        socket.answer(&call, json!({"status": status})).await;
    }
    asked.await.expect("answered")
}

#[actix_web::test]
async fn connectors_that_cannot_work_together_are_kept_together() {
    let app = TestApp::start().await;
    let (station, second) = twin(&app, false).await;
    let offline = app.client.post("/reservations", wish(&second)).await;
    assert_eq!(offline.error(406), "station_offline");
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;

    let both = reserve(&app, &mut socket, wish(&second), &["Accepted", "Accepted"]).await.created();
    assert_eq!((&both["status"], both["kept"].as_array().map(Vec::len)), (&json!("active"), Some(2)));
    let again = app.client.post("/reservations", wish(&station.connector)).await;
    assert_eq!(again.error(409), "conflict");
    let another = json!({"connector": station.connector, "id_tag": "OTHER"});
    assert_eq!(app.client.post("/sessions", another).await.error(409), "conflict");

    let begun = json!({"connectorId": 1, "idTag": "card", "meterStart": 0, "timestamp": "2026-04-24T03:06:40Z",
        "reservationId": both["kept"][0]["reservation_id"]});
    socket.call("StartTransaction", begun).await;
    let freed = socket.next_call().await;
    assert_eq!(freed[2], "CancelReservation");
    assert_eq!(freed[3]["reservationId"], both["kept"][1]["reservation_id"]);
    let path = format!("/reservations/{}", both["_id"].as_str().unwrap());
    let used = app.client.get(&path).await.ok();
    assert_eq!(used["status"], "used");
    assert!(used["session"].is_string());
}

#[actix_web::test]
async fn connectors_that_work_together_are_kept_alone() {
    let app = TestApp::start().await;
    let (station, second) = twin(&app, true).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let first = reserve(&app, &mut socket, wish(&station.connector), &["Accepted"]).await.created();
    assert_eq!(first["kept"].as_array().map(Vec::len), Some(1));
    reserve(&app, &mut socket, wish(&second), &["Accepted"]).await.created();

    app.pass(std::time::Duration::from_secs(2 * 3600)).await;
    let list = app.client.get("/reservations?status=expired").await.json();
    assert_eq!(list["totalDocs"], 2);
}

#[actix_web::test]
async fn a_refusal_keeps_nothing_and_a_cancelled_one_is_taken_back() {
    let app = TestApp::start().await;
    let (station, _) = twin(&app, false).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let answers = ["Accepted", "Occupied", "Accepted"]; // the last one takes the first back
    let refused = reserve(&app, &mut socket, wish(&station.connector), &answers).await;
    assert_eq!(refused.error(400), "command_failed");
    assert_eq!(app.client.get("/reservations?status=failed").await.json()["totalDocs"], 1);

    let kept = reserve(&app, &mut socket, wish(&station.connector), &["Accepted", "Accepted"]).await.created();
    let path = format!("/reservations/{}", kept["_id"].as_str().unwrap());
    let client = app.client.clone();
    let gone = path.clone();
    let asked = actix_web::rt::spawn(async move { client.delete(&gone).await });
    for index in 0..2 {
        let call = socket.next_call().await;
        assert_eq!(call[3], json!({"reservationId": kept["kept"][index]["reservation_id"]}));
        socket.answer(&call, json!({"status": "Accepted"})).await;
    }
    assert_eq!(asked.await.expect("answered").ok()["status"], "cancelled");
    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
    let types = app.event_types().await;
    for kind in [
        "reservation.created",
        "reservation.requested",
        "reservation.active",
        "reservation.failed",
        "reservation.cancelled",
    ] {
        assert!(types.iter().any(|one| one == kind), "{kind} is missing in {types:?}");
    }
}

#[actix_web::test]
async fn what_cannot_be_reserved_is_refused_with_a_reason() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let not_reservable = app.client.post("/reservations", wish(&station.connector)).await;
    assert_eq!(not_reservable.error(409), "conflict");
    let mut late = wish(&station.connector);
    late["expires_at"] = json!("2026-04-26T03:06:40Z");
    assert_eq!(app.client.post("/reservations", late).await.faulty_fields(), ["expires_at"]);
    let nobody =
        json!({"connector": "650000000000000000000001", "id_tag": "CARD", "expires_at": "2026-04-24T04:00:00Z"});
    assert_eq!(app.client.post("/reservations", nobody).await.faulty_fields(), ["connector"]);
    let endless = json!({"connector": station.connector, "id_tag": "CARD"});
    let faults = app.client.post("/reservations", endless).await.faulty_fields();
    assert_eq!(faults, ["expires_at"]);
    let long = json!({"connector": station.connector, "id_tag": "CARD", "duration_minutes": 2_000});
    let faults = app.client.post("/reservations", long).await.faulty_fields();
    assert_eq!(faults, ["duration_minutes"]);
}

#[actix_web::test]
async fn who_may_not_read_tokens_sees_the_end_of_a_card_only() {
    let app = TestApp::start().await;
    let (station, second) = twin(&app, true).await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let mut body = wish(&second);
    body["id_tag"] = json!("04A2B3C4D5E680");
    let kept = reserve(&app, &mut socket, body, &["Accepted"]).await;
    let kept = kept.created();
    assert_eq!(kept["id_tag"], "04A2B3C4D5E680");
    let path = format!("/reservations/{}", kept["_id"].as_str().expect("an id"));

    let scopes = ["read:reservations", "write:reservations", "read:events"];
    let clerk = app.client_with(&scopes).await;
    let shown = clerk.get(&path).await.ok();
    let changed = clerk.patch(&path, json!({"meta_data": {"a": 1}})).await.ok();
    let listed = clerk.get("/reservations").await.json();
    let recorded = clerk.get("/events?type=reservation.created").await.json();
    for one in
        [&shown["id_tag"], &changed["id_tag"], &listed["result"][0]["id_tag"], &recorded["result"][0]["data"]["id_tag"]]
    {
        assert_eq!(one, "****E680");
    }
    let searched = clerk.get("/reservations?search=04A2").await;
    assert_eq!(searched.error(403), "forbidden");
    let found = app.client.get("/reservations?search=04a2").await.json();
    assert_eq!(found["result"][0]["id_tag"], "04A2B3C4D5E680");
}
