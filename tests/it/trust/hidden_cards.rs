//! Numbers of cards are shown to API keys with the scope `read:tokens`, and to nobody else, wherever they appear.

use serde_json::{Value, json};

use super::test_site::{TestSite, minute};
use crate::support::{Client, FakeStation, TestApp};

const CARD: &str = "04A2B3C4D5E680";
const MASKED: &str = "****E680";

/// What the events of this type show this client of a card, as text.
async fn recorded(client: &Client, kind: &str) -> String {
    let listed = client.get(&format!("/events?limit=1000&type={kind}")).await;
    let rows = listed.json()["result"].clone();
    assert_ne!(rows, json!([]), "{kind} was recorded");
    rows.to_string()
}

fn assert_masked(text: &str) {
    assert!(!text.contains(CARD) && text.contains(MASKED), "{text}");
}

#[actix_web::test]
async fn events_of_tokens_are_sent_to_who_may_read_tokens() {
    let app = TestApp::start().await;
    let token = json!({"physicalId": CARD, "parent_group": "GROUP-4711-0815"});
    let token = app.client.post("/tokens", token).await.created();
    let path = format!("/tokens/{}", token["_id"].as_str().expect("an id"));
    app.client.patch(&path, json!({"status": "blocked"})).await.ok();
    app.client.delete(&path).await.ok();
    let clerk = app.client_with(&["read:events"]).await;
    let keeper = app.client_with(&["read:events", "read:tokens"]).await;
    for kind in ["token.created", "token.updated", "token.deleted"] {
        let listed = clerk.get(&format!("/events?type={kind}")).await.json();
        assert_eq!(listed["result"], json!([]), "{kind}");
        assert!(recorded(&keeper, kind).await.contains(CARD), "{kind}");
    }
}

/// A station of this protocol that is asked by hand to do something with a card, and agrees.
async fn ask(app: &TestApp, protocol: &str, path: &str, body: Value) -> (Client, Value) {
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, protocol).await;
    match protocol {
        "ocpp1.6" => socket.boot().await,
        _ => socket.boot_2().await,
    };
    let clerk = app.client_with(&["write:ocpp", "write:chargestations", "read:actions", "read:events"]).await;
    let (asking, path) = (clerk.clone(), format!("{}{path}?wait=true", station.path));
    let asked = actix_web::rt::spawn(async move { asking.post(&path, body).await });
    let call = socket.next_call().await;
    assert!(call.to_string().contains(CARD), "the station is sent the number: {call}");
    socket.answer(&call, json!({"status": "Accepted"})).await;
    (clerk, asked.await.expect("answered").ok())
}

#[actix_web::test]
async fn actions_show_the_end_of_a_number_and_the_payload_as_json() {
    let app = TestApp::start().await;
    let payload = json!({"connectorId": 1, "idTag": CARD});
    let body = json!({"action": "RemoteStartTransaction", "payload": payload});
    let (clerk, action) = ask(&app, "ocpp1.6", "/ocpp", body).await;
    let data = json!({"command": "Raw", "action": "RemoteStartTransaction",
        "payload": {"connectorId": 1, "idTag": MASKED}});
    assert_eq!(action["data"], data);
    let path = format!("/actions/{}", action["_id"].as_str().expect("an id"));
    assert_eq!(clerk.get(&path).await.ok()["data"], data);
    assert_masked(&clerk.get("/actions").await.text);
    assert_masked(&clerk.get("/actions?format=csv").await.text);
    for kind in ["chargestation.ocpp.requested", "chargestation.ocpp.accepted"] {
        assert_masked(&recorded(&clerk, kind).await);
    }
    assert_eq!(app.client.get(&path).await.ok()["data"]["payload"], payload);
}

#[actix_web::test]
async fn actions_show_the_end_of_a_number_in_an_id_token() {
    let app = TestApp::start().await;
    let token = json!({"idToken": CARD, "type": "ISO14443"});
    let customer = json!({"report": false, "clear": true, "idToken": token});
    let (clerk, action) = ask(&app, "ocpp2.0.1", "/customer_information", customer).await;
    let masked = json!({"idToken": MASKED, "type": "ISO14443"});
    assert_eq!(action["data"]["idToken"], masked);
    assert_masked(&recorded(&clerk, "chargestation.customer_information.requested").await);
    let swap = json!({"idToken": token});
    let (_, action) = ask(&app, "ocpp2.1", "/request_battery_swap", swap).await;
    assert_eq!(action["data"]["idToken"], masked);
}

#[actix_web::test]
async fn recorded_messages_show_no_number_however_it_is_said() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let ocmf = json!({"FV": "1.0", "IT": "ISO14443", "ID": CARD});
    let signed = json!({"value": format!("OCMF|{ocmf}|{{}}"), "format": "SignedData"});
    for (action, payload) in [
        ("Authorize", json!({"idTag": 471_100_815})),
        ("Authorize", json!({"id_tag": CARD})),
        ("Authorize", json!({"idTag": [CARD]})),
        ("Authorize", json!({"IdTag": {"x": CARD}})),
        ("DataTransfer", json!({"vendorId": "V", "data": json!({"idTag": CARD}).to_string()})),
        ("MeterValues", json!({"connectorId": 1, "meterValue": [{"timestamp": minute(1), "sampledValue": [signed]}]})),
        ("NotifyCustomerInformation", json!({"data": CARD})),
    ] {
        socket.call_frame(action, payload).await;
    }
    socket.send_text(format!("[2,\"x\",\"Authorize\",{{\"id_tag\":\"{CARD}\"")).await;
    socket.next().await;
    let path = format!("{}/messages", station.path);
    app.eventually(async || app.client.get(&path).await.ok().as_array().map(Vec::len) == Some(18)).await;
    for path in [path.clone(), format!("{path}/bundle")] {
        let shown = app.client.get(&path).await.text;
        assert!(!shown.contains(CARD) && !shown.contains("471100815"), "{shown}");
    }
}

#[actix_web::test]
async fn what_meters_signed_needs_the_scope_that_shows_cards() {
    let mut site = TestSite::open().await;
    let transaction = site.start().await;
    let signed = format!("OCMF|{}|{{}}", json!({"ID": CARD}));
    let values = json!([{"timestamp": minute(2), "sampledValue": [{"value": signed, "format": "SignedData"}]}]);
    let message = json!({"connectorId": 1, "transactionId": transaction, "meterValue": values});
    site.socket.call("MeterValues", message).await;
    let session = site.session().await;
    let path = format!("/sessions/{}", session["_id"].as_str().expect("an id"));
    let (evidence, reports) = (format!("{path}/evidence"), format!("{path}/energy_reports"));

    let clerk = site.app.client_with(&["read:sessions"]).await;
    let refused = clerk.get(&evidence).await;
    assert_eq!(refused.error(403), "forbidden");
    assert!(refused.text.contains("read:tokens"), "{}", refused.text);
    assert!(!clerk.get(&reports).await.text.contains(CARD));
    let keeper = site.app.client_with(&["read:sessions", "read:tokens"]).await;
    assert_eq!(keeper.get(&evidence).await.ok()[0]["signed_data"], signed);
    assert!(keeper.get(&reports).await.text.contains(CARD));
}
