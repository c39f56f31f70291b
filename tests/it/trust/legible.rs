//! Texts that no store keeps and JSON that no parser takes, from firmware that builds its messages in C buffers: nothing is refused
//! for them, so that no queue is blocked.

use serde_json::{Value, json};

use super::test_site::{TestSite, assert_settled, minute};
use crate::support::{FakeStation, RawSocket, TestApp};

const TEXT: u8 = 0x81;

/// The answers to calls that are sent as they are, in one go.
async fn answers(url: &str, protocol: &str, calls: &[String]) -> Vec<Value> {
    let mut socket = RawSocket::open(url, &[("Sec-WebSocket-Protocol", protocol)]).await;
    for call in calls {
        assert!(socket.frame(TEXT, call.as_bytes()).await);
    }
    let mut answered = Vec::new();
    while answered.len() < calls.len() {
        let frame = socket.next().await.expect("an answer");
        let text = String::from_utf8(frame.content).expect("UTF-8");
        let message: Value = serde_json::from_str(&text).unwrap_or_default();
        if message[0] == 3 || message[0] == 4 {
            answered.push(message);
        }
    }
    answered
}

#[actix_web::test]
async fn a_text_that_is_padded_with_nul_ends_before_it() {
    let app = TestApp::start().await;
    app.db_token("0411AA22", "active", None, None).await;
    let station = app.station("Padded").await;
    let boot = r#"[2,"b","BootNotification",{"chargePointVendor":"Acme\u0000","chargePointModel":"One","chargeBoxSerialNumber":"123\u0000\u0000"}]"#;
    let card = r#"[2,"c","Authorize",{"idTag":"0411AA22\u0000\u0000x"}]"#;
    let start = r#"[2,"s","StartTransaction",{"connectorId":1,"idTag":"0411AA22\u0000","meterStart":0,"timestamp":"2026-04-24T03:00:00Z"}]"#;
    let calls = [boot, card, start].map(str::to_owned);
    let answered = answers(&station.url, "ocpp1.6", &calls).await;
    assert_eq!(answered[0][2]["status"], "Accepted", "{answered:?}");
    assert_eq!(answered[1][2]["idTagInfo"]["status"], "Accepted", "{answered:?}");
    let number = &answered[2][2]["transactionId"];
    let stop = format!(
        r#"[2,"e","StopTransaction",{{"transactionId":{number},"meterStop":500,"timestamp":"2026-04-24T03:06:00Z","reason":"Lo\u0000cal","idTag":"AB\udc00",
            "transactionData":[{{"timestamp":"2026-04-24T03:06:00Z","sampledValue":[{{"value":1e999}},{{"value":"OCMF|{{}}\u0000|x","format":"SignedData"}}]}}]}}]"#
    );
    let answered = answers(&station.url, "ocpp1.6", &[stop]).await;
    assert_eq!(answered[0][0], 3, "{answered:?}");
    let sessions = app.client.get("/sessions").await.json();
    let session = &sessions["result"][0];
    assert_eq!((&session["id_tag"], &session["status"]), (&json!("0411AA22"), &json!("ended")));
    assert_eq!(session["metrics"]["energyConsumed"], 500);
    let shown = app.client.get(&station.path).await.ok();
    let boot = shown["bootInfo"].to_string();
    assert!(boot.contains(r#":"123""#) && boot.contains(r#":"Acme""#), "{boot}");
    assert!(shown["flags"].to_string().contains("legible"), "{}", shown["flags"]);
}

#[actix_web::test]
async fn in_2_texts_with_nul_are_stored_too() {
    let mut site = TestSite::speaking("ocpp2.1").await;
    let begin = json!({"at_evse": 1, "register": 1_000, "card": "CA\0RD"});
    site.event("Started", ("t\0x", 0, 0), begin).await;
    let signed = json!([{"timestamp": minute(1), "sampledValue": [{"value": 1_500,
        "signedMeterValue": {"signedMeterData": "T0NNRg==\0", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}}]}]);
    site.event("Updated", ("t", 1, 1), json!({"meterValue": signed})).await;
    site.event("Ended", ("t\0", 2, 2), json!({"register": 2_000})).await;
    let session = site.session().await;
    assert_settled(&session, "ended", 1_000, 0.4);
    assert_eq!(session["id_tag"], "CA");
}

#[actix_web::test]
async fn what_a_station_answers_with_nul_is_shown() {
    let app = TestApp::start().await;
    let station = app.station("Answering").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let client = app.client.clone();
    let path = format!("{}/ocpp", station.path);
    let body = json!({"action": "DataTransfer", "payload": {"vendorId": "Acme"}});
    let asked = actix_web::rt::spawn(async move { client.post(&path, body).await });
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Accepted", "data": "a\0b"})).await;
    let answered = asked.await.expect("answered").json();
    assert_eq!(answered["result"]["response_data"]["data"], "a", "{answered}");
}

#[actix_web::test]
async fn the_api_refuses_nul_and_says_where() {
    let app = TestApp::start().await;
    for path in ["/sessions", "/tokens", "/users", "/chargestations"] {
        let refused = app.client.get(&format!("{path}?search=%00")).await;
        assert_eq!(refused.error(422), "invalid_query", "{path}");
    }
    let token = json!({"physicalId": "0411AA22", "meta_data": {"a": ["\0"]}});
    let refused = app.client.post("/tokens", token).await;
    assert_eq!(refused.json()["errors"][0]["field"], "meta_data.a[0]");
    assert_eq!(refused.error(422), "invalid_body");
}

#[actix_web::test]
async fn a_list_is_no_object() {
    let app = TestApp::start().await;
    let station = app.station("Lists").await;
    let calls = [
        r#"[2,"1","Authorize",["0411AA22"]]"#,
        r#"[2,"2","Heartbeat",[]]"#,
        r#"[2,"3","StartTransaction",[1,"X",0,null,"2026-04-24T03:00:00Z"]]"#,
    ];
    let answered = answers(&station.url, "ocpp1.6", &calls.map(str::to_owned)).await;
    for answer in &answered {
        assert_eq!(answer[2], "FormationViolation", "{answer}");
    }
    assert_eq!(app.client.get("/sessions").await.json()["result"], json!([]));

    let mut site = TestSite::on(app, "ocpp2.0.1").await;
    let begin = json!({"at_evse": 1, "idToken": [null, "CARDX", "ISO14443"]});
    let answer = site.event("Started", ("t", 0, 0), begin).await;
    assert_eq!(answer["idTokenInfo"]["status"], "Invalid");
    assert_eq!(site.session().await["id_tag"], Value::Null);
}

#[actix_web::test]
async fn a_burst_is_throttled_and_nothing_of_it_is_refused() {
    let app = TestApp::start().await;
    let station = app.station("Burst").await;
    // 100 charges that ended while the link was down, sent without waiting for answers.
    let start = |number: u32| {
        format!(
            r#"[2,"s{number}","StartTransaction",{{"connectorId":1,"idTag":"C{number}","meterStart":0,"timestamp":"2026-04-24T03:00:00Z"}}]"#
        )
    };
    let calls: Vec<String> = (0..100).map(start).collect();
    let answered = answers(&station.url, "ocpp1.6", &calls).await;
    assert!(answered.iter().all(|answer| answer[0] == 3), "{answered:?}");
    let ids: Vec<&Value> = answered.iter().map(|answer| &answer[1]).collect();
    let wanted: Vec<Value> = (0..100).map(|number| json!(format!("s{number}"))).collect();
    assert_eq!(ids, wanted.iter().collect::<Vec<_>>());
    let listed = app.client.get("/sessions?paginate_limit=1").await.json();
    assert_eq!(listed["totalDocs"], 100, "{listed}");
}
