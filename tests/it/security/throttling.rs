//! One station that says too much is throttled and reported, and loses no transaction; the others notice nothing.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

/// A server that gives a station little: twenty messages at once, then five a second, and errors as soon as it has to wait.
const STRICT: &[(&str, &str)] = &[
    ("EVENWATT_OCPP_MESSAGES_BURST", "20"),
    ("EVENWATT_OCPP_MESSAGES_PER_SECOND", "5"),
    ("EVENWATT_OCPP_FLOOD_SECONDS", "0"),
];

/// A station that says the same over and over without waiting for answers.
struct Flooder(FakeStation);

impl Flooder {
    async fn connect(station: &TestStation) -> Self {
        Self(FakeStation::connect(&station.url).await)
    }

    /// What each of these calls was answered, in their order: true for a result.
    async fn pour(&mut self, calls: impl Iterator<Item = (&'static str, Value)>) -> Vec<bool> {
        let mut sent = 0;
        for (action, payload) in calls {
            sent += 1;
            self.0.send_text(json!([2, format!("f{sent}"), action, payload]).to_string()).await;
        }
        let mut answers = Vec::new();
        while answers.len() < sent {
            let frame = self.0.next().await.expect("an answer");
            match frame[0].as_u64() {
                Some(3) => answers.push(true),
                Some(4) => {
                    assert_eq!(frame[2], "GenericError", "{frame}");
                    answers.push(false);
                }
                _ => {}
            }
        }
        answers
    }
}

async fn floods(app: &TestApp) -> Vec<Value> {
    let page = app.client.get("/events?type=chargestation.flooded").await.json();
    page["result"].as_array().expect("events").iter().map(|event| event["data"].clone()).collect()
}

#[actix_web::test]
async fn a_flood_waits_then_is_refused_and_is_recorded_once() {
    let app = TestApp::start_with(STRICT).await;
    let (bad, good) = (app.station("Flooder").await, app.station("Neighbour").await);
    let mut flooder = Flooder::connect(&bad).await;
    let mut neighbour = FakeStation::connect(&good.url).await;

    let statuses = ["Available", "Preparing"].iter().cycle().take(40).map(|status| {
        let payload = json!({"connectorId": 1, "errorCode": "NoError", "status": status});
        ("StatusNotification", payload)
    });
    let answers = flooder.pour(statuses).await;
    assert!(answers[..20].iter().all(|is_result| *is_result), "{answers:?}");
    assert_eq!(answers.last(), Some(&false), "{answers:?}");
    neighbour.call("Heartbeat", json!({})).await;

    let recorded = floods(&app).await;
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    assert_eq!(recorded[0]["chargestation"], bad.id);
    assert_eq!((&recorded[0]["waited"], &recorded[0]["refused"]), (&json!(1), &json!(1)));
}

#[actix_web::test]
async fn a_queue_of_transactions_arrives_whole_however_long_it_is() {
    let app = TestApp::start_with(STRICT).await;
    let station = app.station("Long offline").await;
    let mut queue = Flooder::connect(&station).await;
    let at = |number: i64| format!("2026-04-24T01:{:02}:{:02}Z", number / 60, number % 60);
    let calls = (0..30).map(|number| {
        let sampled = json!([{"value": (1_000 + number).to_string()}]);
        let values = json!([{"timestamp": at(number), "sampledValue": sampled}]);
        ("MeterValues", json!({"connectorId": 1, "meterValue": values}))
    });
    assert_eq!(queue.pour(calls).await, [true; 30]);
}

#[actix_web::test]
async fn a_storm_of_connections_is_turned_away() {
    let app =
        TestApp::start_with(&[("EVENWATT_OCPP_CONNECTS_BURST", "3"), ("EVENWATT_OCPP_CONNECTS_PER_MINUTE", "1")]).await;
    let station = app.station("Restless").await;
    for _ in 0..3 {
        FakeStation::connect(&station.url).await;
    }
    for _ in 0..5 {
        let refused = FakeStation::try_connect(&station.url, &[("sec-websocket-protocol", "ocpp1.6")]).await;
        let error = refused.err().expect("turned away").to_string();
        assert!(error.contains("429"), "{error}");
    }
    let recorded = floods(&app).await;
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    let online = async || {
        let types = app.event_types().await;
        types.iter().filter(|name| *name == "chargestation.online").count()
    };
    app.eventually(async || online().await == 3).await; // and nothing of those that were turned away
}

#[actix_web::test]
async fn stops_without_a_start_are_kept_up_to_a_bound() {
    let app = TestApp::start().await;
    let station = app.station("In a loop").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for number in 0..205 {
        let stop = json!({"transactionId": 900_000 + number, "meterStop": number, "timestamp": "2026-04-24T01:00:00Z"});
        assert_eq!(socket.call("StopTransaction", stop).await, json!({}), "each is accepted");
    }
    let orphans = app.client.get("/sessions?orphan=true&paginate_limit=1").await.json();
    assert_eq!(orphans["totalDocs"], 200);
    let types = app.client.get("/events?type=chargestation.orphans_full").await.ok();
    assert_eq!(types.as_array().map(Vec::len), Some(1), "{types}");
}

#[actix_web::test]
async fn equal_statuses_in_a_row_are_one_row_and_one_event() {
    let app = TestApp::start().await;
    let station = app.station("Says it again").await;
    let mut socket = FakeStation::connect(&station.url).await;
    for _ in 0..20 {
        let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Preparing"});
        socket.call("StatusNotification", status).await;
    }
    let path = format!("/connectors/{}/statuses", station.connector);
    let history = app.client.get(&path).await.ok();
    assert_eq!(history.as_array().map(Vec::len), Some(1), "{history}");
    let path = "/events?type=chargestation.connector_status.updated";
    assert_eq!(app.client.get(path).await.ok().as_array().map(Vec::len), Some(1));
}
