//! Security profiles 2 and 3, with certificates that are made here.

use rcgen::KeyPair;
use serde_json::json;

use crate::support::{FakeStation, Pki, certificate_request};

#[actix_web::test]
async fn a_client_certificate_that_names_the_station_is_needed_where_it_is_asked_for() {
    for protocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        needs_a_client_certificate(protocol).await;
    }
}

async fn needs_a_client_certificate(protocol: &str) {
    let pki = Pki::new();
    let app = pki.server().await;
    let address = app.running.tls_address.expect("a second address");
    let place = (address, protocol);
    let open = app.station("Profile 2").await;
    let answer = pki.boot(place, &open.endpoint, None).await.expect("TLS alone");
    assert_eq!(answer["status"], "Accepted");

    let strict = json!({"name": "Profile 3", "security": {"type": "client_certificate"}});
    let strict = app.client.post("/chargestations", strict).await.created();
    let endpoint = strict["endpoint"].as_str().expect("an endpoint");
    let own = pki.client(endpoint);
    let answer = pki.boot(place, endpoint, Some(&own)).await.expect("its own certificate");
    assert_eq!(answer["status"], "Accepted");
    let other = pki.client("somebody-else");
    assert!(pki.boot(place, endpoint, Some(&other)).await.is_err());
    assert!(pki.boot(place, endpoint, None).await.is_err());
    let forged = Pki::new().client(endpoint);
    assert!(pki.boot(place, endpoint, Some(&forged)).await.is_err(), "another authority");
    let spoken = [("sec-websocket-protocol", protocol)];
    let plain = FakeStation::try_connect(&app.station_url(endpoint), &spoken).await;
    assert!(plain.is_err(), "no TLS, no certificate");
}

#[actix_web::test]
async fn a_station_gets_a_certificate_for_its_own_name_and_connects_with_it() {
    for protocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        gets_its_certificate(protocol).await;
    }
}

async fn gets_its_certificate(protocol: &str) {
    let pki = Pki::new();
    let app = pki.server().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::speaking(&station.url, protocol).await;
    match protocol {
        "ocpp1.6" => socket.boot().await,
        _ => socket.boot_2().await,
    };
    let request = certificate_request;
    let key = KeyPair::generate().expect("a key");
    let refused = socket.call("SignCertificate", json!({"csr": request("stranger", &key)})).await;
    assert_eq!(refused["status"], "Rejected");
    let mut asked = json!({"csr": request(&station.endpoint, &key)});
    if protocol == "ocpp2.1" {
        asked["requestId"] = json!(7);
    }
    let accepted = socket.call("SignCertificate", asked.clone()).await;
    assert_eq!(accepted["status"], "Accepted");
    let call = socket.next_call().await;
    assert_eq!(call[2], "CertificateSigned");
    assert_eq!(call[3].get("requestId"), asked.get("requestId"));
    socket.answer(&call, json!({"status": "Accepted"})).await;
    let change = json!({"security": {"type": "client_certificate"}});
    app.client.patch(&station.path, change).await.ok();

    let chain = call[3]["certificateChain"].as_str().expect("a chain").to_owned();
    let address = app.running.tls_address.expect("a second address");
    let identity = (chain, key.serialize_pem());
    let answer = pki.boot((address, protocol), &station.endpoint, Some(&identity)).await.expect("its certificate");
    assert_eq!(answer["status"], "Accepted");
    let types = app.event_types().await;
    for kind in ["chargestation.certificate.signed", "chargestation.certificate.refused"] {
        assert!(types.iter().any(|one| one == kind), "{kind}");
    }
}
