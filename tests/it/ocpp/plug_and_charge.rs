//! Plug & Charge over OCPP 1.6: what stands in a DataTransfer is answered as in OCPP 2.0.1. Fields and values are those of the OCA's
//! application note "Using ISO 15118 Plug & Charge with OCPP 1.6", chapters 6 to 8.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, TestStation};

const VENDOR: &str = "org.openchargealliance.iso15118pnc";
const CONTRACT: &str = "DE8AA1A2B3C4D5";

async fn connected() -> (TestApp, TestStation, FakeStation) {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    (app, station, socket)
}

/// Sends a text in a DataTransfer; what is answered.
async fn transfer(socket: &mut FakeStation, message: &str, data: &str) -> Value {
    socket.call("DataTransfer", json!({"vendorId": VENDOR, "messageId": message, "data": data})).await
}

/// What is answered to a message that can be read: the text in the DataTransfer, read.
async fn answered(socket: &mut FakeStation, message: &str, data: &Value) -> Value {
    let answer = transfer(socket, message, &data.to_string()).await;
    assert_eq!(answer["status"], "Accepted", "{answer}");
    serde_json::from_str(answer["data"].as_str().expect("a text")).expect("JSON")
}

/// What a responder (OCSP) would have to be asked: every field is required.
fn hashes() -> Value {
    json!({"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "01",
        "responderURL": "http://ocsp.example.com"})
}

#[actix_web::test]
async fn c07_a_contract_is_judged_as_in_2_0_1() {
    let (app, station, mut socket) = connected().await;
    app.db_token(CONTRACT, "active", None, Some("FAMILY")).await;
    app.db_token("DE8AABLOCKED12", "blocked", None, None).await;
    let unverified = json!({"idTokenInfo": {"status": "Invalid"}});
    for token in [json!(CONTRACT), json!({"idToken": CONTRACT}), json!({"idToken": CONTRACT, "type": "eMAID"})] {
        assert_eq!(answered(&mut socket, "Authorize", &json!({"idToken": token})).await, unverified, "{token}");
    }
    let unread = json!({"certificateStatus": "NoCertificateAvailable", "idTokenInfo": {"status": "Invalid"}});
    let hashed = json!({"idToken": CONTRACT, "iso15118CertificateHashData": [hashes()]});
    assert_eq!(answered(&mut socket, "Authorize", &hashed).await, unread);
    let shown = json!({"idToken": CONTRACT, "certificate": "-----BEGIN CERTIFICATE-----"});
    assert_eq!(answered(&mut socket, "Authorize", &shown).await, unread);
    // Here every token is a contract, also one of a kind that needs no answer elsewhere.
    let free = json!({"idToken": {"idToken": "", "type": "NoAuthorization"}});
    assert_eq!(answered(&mut socket, "Authorize", &free).await, unverified);
    let blocked = answered(&mut socket, "Authorize", &json!({"idToken": "DE8AABLOCKED12"})).await;
    assert_eq!(blocked, json!({"idTokenInfo": {"status": "Blocked"}}));

    // Seven messages and a boot, each with its answer.
    let path = format!("{}/messages", station.path);
    app.eventually(async || app.client.get(&path).await.ok().as_array().map(Vec::len) >= Some(16)).await;
    let kept = app.client.get(&path).await.text;
    assert!(!kept.contains(CONTRACT), "a contract is hidden as a card is: {kept}");
}

#[actix_web::test]
async fn c07_an_unknown_contract_is_reported_and_not_accepted() {
    let (app, _station, mut socket) = connected().await;
    app.client.patch("/organization", json!({"unknown_cards": "accept"})).await.ok();
    let answer = answered(&mut socket, "Authorize", &json!({"idToken": CONTRACT})).await;
    assert_eq!(answer, json!({"idTokenInfo": {"status": "Invalid"}}));
    let recorded = app.client.get("/events?type=token.unknown").await.ok();
    assert_eq!(recorded[0]["data"]["id_tag"], CONTRACT);
}

#[actix_web::test]
async fn m06_nobody_here_says_whether_a_certificate_is_revoked() {
    let (app, station, mut socket) = connected().await;
    let mut asked = json!({"ocspRequestData": hashes()});
    assert_eq!(answered(&mut socket, "GetCertificateStatus", &asked).await, json!({"status": "Failed"}));
    let place = "data.ocspRequestData.hashAlgorithm: ";
    let is_flagged = async || app.client.get(&station.path).await.ok()["flags"].to_string().contains(place);
    assert!(!is_flagged().await);
    // What is read leniently in 2.0.1 is so here, and flagged with its place.
    asked["ocspRequestData"]["hashAlgorithm"] = json!("MD5");
    assert_eq!(answered(&mut socket, "GetCertificateStatus", &asked).await, json!({"status": "Failed"}));
    app.eventually(is_flagged).await;
}

#[actix_web::test]
async fn what_is_not_issued_here_is_answered_with_a_regular_no() {
    let (_app, _station, mut socket) = connected().await;
    let wanted =
        json!({"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJgC"});
    let answer = answered(&mut socket, "Get15118EVCertificate", &wanted).await;
    assert_eq!(answer, json!({"status": "Failed", "exiResponse": ""}));
    let request = "-----BEGIN CERTIFICATE REQUEST-----";
    for wanted in [json!({"csr": request}), json!({"csr": request, "certificateType": "V2GCertificate"})] {
        assert_eq!(answered(&mut socket, "SignCertificate", &wanted).await, json!({"status": "Rejected"}));
    }
}

#[actix_web::test]
async fn what_cannot_be_read_is_rejected_and_the_station_goes_on() {
    let (app, station, mut socket) = connected().await;
    let without = |name: &str| {
        let mut hashes = hashes();
        hashes.as_object_mut().expect("an object").remove(name);
        json!({"ocspRequestData": hashes}).to_string()
    };
    let bad = [
        ("Authorize", String::new()),
        ("Authorize", "no JSON".to_owned()),
        ("Authorize", format!("{{\"idToken\":\"{CONTRACT}\"")),
        ("Authorize", "[]".to_owned()),
        ("Authorize", "null".to_owned()),
        ("Authorize", "{}".to_owned()),
        ("Authorize", json!({"idToken": null}).to_string()),
        ("Authorize", json!({"idToken": {"type": "eMAID"}}).to_string()),
        ("Authorize", "[".repeat(10_000)),
        ("GetCertificateStatus", "{}".to_owned()),
        ("GetCertificateStatus", without("serialNumber")),
        ("GetCertificateStatus", without("responderURL")),
        ("Get15118EVCertificate", json!({"action": "Install"}).to_string()),
        ("SignCertificate", "{}".to_owned()),
    ];
    for (message, data) in &bad {
        assert_eq!(transfer(&mut socket, message, data).await, json!({"status": "Rejected"}), "{message} {data}");
    }
    let nothing = json!({"vendorId": VENDOR, "messageId": "Authorize"});
    assert_eq!(socket.call("DataTransfer", nothing).await, json!({"status": "Rejected"}));
    assert!(socket.call("Heartbeat", json!({})).await["currentTime"].is_string());

    // Nothing is lost: what was rejected stands with the station's messages, without the number of the contract.
    let path = format!("{}/messages", station.path);
    app.eventually(async || app.client.get(&path).await.text.matches("Rejected").count() == bad.len() + 1).await;
    let kept = app.client.get(&path).await.text;
    assert!(kept.contains("no JSON") && !kept.contains(CONTRACT), "{kept}");
}

#[actix_web::test]
async fn a_message_or_a_vendor_that_nobody_knows_is_answered_so() {
    let (_app, _station, mut socket) = connected().await;
    let contract = json!({"idToken": CONTRACT}).to_string();
    for message in ["CertificateSigned", "TransactionEvent", "NotifyEVChargingNeeds", "Heartbeat", ""] {
        let answer = transfer(&mut socket, message, &contract).await;
        assert_eq!(answer, json!({"status": "UnknownMessageId"}), "{message}");
    }
    let unnamed = socket.call("DataTransfer", json!({"vendorId": VENDOR, "data": contract})).await;
    assert_eq!(unnamed, json!({"status": "UnknownMessageId"}));
    for vendor in ["V", "org.openchargealliance", "org.openchargealliance.costmsg"] {
        let asked = json!({"vendorId": vendor, "messageId": "Authorize", "data": contract});
        assert_eq!(socket.call("DataTransfer", asked).await, json!({"status": "UnknownVendorId"}), "{vendor}");
    }
    // OCPP 1.6 compares both without case.
    let loud = json!({"vendorId": VENDOR.to_uppercase(), "messageId": "AUTHORIZE", "data": contract});
    assert_eq!(socket.call("DataTransfer", loud).await["status"], "Accepted");
}
