//! Security profile 3 with a thief in it: a certificate proves one station, whatever stations say of themselves.

use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::support::{Client, FakeStation, Pki, TestApp, certificate_request};

/// A station of some organization.
struct Charger {
    client: Client,
    path: String,
    endpoint: String,
}

impl Charger {
    async fn new(client: &Client, body: Value) -> Self {
        let made = client.post("/chargestations", body).await.created();
        Self {
            client: client.clone(),
            path: format!("/chargestations/{}", made["_id"].as_str().expect("an id")),
            endpoint: made["endpoint"].as_str().expect("an endpoint").to_owned(),
        }
    }

    async fn change(&self, change: Value) {
        self.client.patch(&self.path, change).await.ok();
    }

    /// Connects with what proves it until it has a certificate, and says that this is its serial number.
    async fn boots(&self, app: &TestApp, serial: &str) -> FakeStation {
        let mut socket = FakeStation::connect(&app.station_url(&self.endpoint)).await;
        let who = json!({"chargePointVendor": "Acme", "chargePointModel": "One",
            "chargePointSerialNumber": serial, "chargeBoxSerialNumber": serial});
        socket.call("BootNotification", who).await;
        socket
    }
}

/// Asks for a certificate of this name: the chain and the key, where it was signed.
async fn ask(socket: &mut FakeStation, name: &str) -> Option<(String, String)> {
    let key = KeyPair::generate().expect("a key");
    let asked = json!({"csr": certificate_request(name, &key)});
    let answer = socket.call("SignCertificate", asked).await;
    if answer["status"] != "Accepted" {
        return None;
    }
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Accepted"})).await;
    let chain = call[3]["certificateChain"].as_str().expect("a chain");
    Some((chain.to_owned(), key.serialize_pem()))
}

async fn comes_in((pki, app): (&Pki, &TestApp), endpoint: &str, identity: &(String, String)) -> bool {
    let place = (app.running.tls_address.expect("TLS"), "ocpp1.6");
    pki.boot(place, endpoint, Some(identity)).await.is_ok()
}

#[actix_web::test]
async fn a_thief_gets_no_certificate_of_another_station_and_its_own_opens_no_other() {
    let pki = Pki::new();
    let app = pki.server().await;
    let (place, stranger) = ((&pki, &app), app.stranger().await);
    let victim = Charger::new(&app.client, json!({"serial_number": "SN-B"})).await;
    let thief = Charger::new(&stranger, json!({})).await;

    // The victim gets its certificate by the serial number that its operator entered, and needs it from then on.
    let mut socket = victim.boots(&app, "whatever").await;
    let own = ask(&mut socket, "sn-b").await.expect("its own");
    victim.change(json!({"security": {"type": "client_certificate"}})).await;
    assert!(comes_in(place, &victim.endpoint, &own).await);

    // The thief says that it has the victim's serial number, and asks for each of the victim's names.
    let mut socket = thief.boots(&app, "SN-B").await;
    for name in ["SN-B", "sn-b", victim.endpoint.as_str(), "", "*"] {
        assert!(ask(&mut socket, name).await.is_none(), "{name}");
    }
    // Its operator enters the serial number too: now it is nobody's name.
    thief.change(json!({"serial_number": "sn-B"})).await;
    assert!(ask(&mut socket, "SN-B").await.is_none());
    let refusals = stranger.get("/events?type=chargestation.certificate.refused").await;
    let refusals = refusals.json()["result"].as_array().map(Vec::len);
    assert_eq!(refusals, Some(6), "and each is recorded");

    // What it does get opens its own station and no other.
    let taken = ask(&mut socket, &thief.endpoint).await.expect("its own");
    assert!(!comes_in(place, &victim.endpoint, &taken).await);
    thief.change(json!({"security": {"type": "client_certificate"}})).await;
    assert!(comes_in(place, &thief.endpoint, &taken).await);
    assert!(!comes_in(place, &thief.endpoint, &own).await);
    // And the victim is not locked out: its certificate says for which station it was signed.
    assert!(comes_in(place, &victim.endpoint, &own).await);
}

#[actix_web::test]
async fn a_serial_number_that_is_the_endpoint_of_another_station_is_no_name() {
    let pki = Pki::new();
    let app = pki.server().await;
    let open = json!({"endpoint": "CP-0001", "security": {"type": "none"}});
    Charger::new(&app.client, open).await;
    let thief = Charger::new(&app.stranger().await, json!({"serial_number": "cp-0001"})).await;
    let mut socket = thief.boots(&app, "CP-0001").await;
    assert!(ask(&mut socket, "CP-0001").await.is_none());
}

#[actix_web::test]
async fn a_certificate_survives_no_change_of_who_has_its_name() {
    let pki = Pki::new();
    let app = pki.server().await;
    let place = (&pki, &app);
    let open = json!({"endpoint": "CP-0001", "security": {"type": "none"}});
    let before = Charger::new(&app.client, open).await;
    let mut socket = before.boots(&app, "SN").await;
    let old = ask(&mut socket, "CP-0001").await.expect("its own");
    app.client.delete(&before.path).await.ok();

    let next = json!({"endpoint": "CP-0001", "security": {"type": "client_certificate"}});
    let after = Charger::new(&app.stranger().await, next).await;
    assert!(!comes_in(place, &after.endpoint, &old).await);
    // An authority of the operator's own says a name and no more, which is enough where it is of one station.
    assert!(comes_in(place, &after.endpoint, &pki.client("cp-0001")).await);
    after.change(json!({"serial_number": "SN-7"})).await;
    assert!(comes_in(place, &after.endpoint, &pki.client("SN-7")).await);
    Charger::new(&app.client, json!({"serial_number": "SN-7"})).await;
    assert!(!comes_in(place, &after.endpoint, &pki.client("SN-7")).await);
}
