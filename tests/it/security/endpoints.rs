//! A station without security is not anybody's: what is printed on it says nothing of how it connects, a name that others
//! know needs a proof beside it, and one that must use TLS does not come without.

use serde_json::{Value, json};

use crate::support::{FakeStation, Pki, TestApp};

async fn comes_in(url: &str, headers: &[(&'static str, &str)]) -> bool {
    let mut all = vec![("sec-websocket-protocol", "ocpp1.6")];
    all.extend(headers);
    FakeStation::try_connect(url, &all).await.is_ok()
}

fn flags(station: &Value) -> Vec<&str> {
    let flags = station["flags"].as_array().expect("flags");
    let words = flags.iter().filter_map(Value::as_str);
    words.map(|flag| flag.split(':').next().unwrap_or(flag)).collect()
}

fn path(station: &Value) -> String {
    format!("/chargestations/{}", station["_id"].as_str().expect("an id"))
}

#[actix_web::test]
async fn the_code_of_an_evse_says_nothing_of_its_station() {
    let app = TestApp::start().await;
    let station = app.station("S").await; // its connector made an EVSE
    let evses = format!("{}/evses", station.path);
    let second = app.client.post(&evses, json!({})).await.created();
    let all = app.client.get("/evses").await.json();
    let codes: Vec<&str> =
        all["result"].as_array().expect("EVSEs").iter().map(|evse| evse["code"].as_str().expect("a code")).collect();
    assert_eq!(codes.len(), 2);
    assert_ne!(codes[0], codes[1]);
    for code in &codes {
        assert_eq!(code.len(), 8, "{code}");
        assert!(!code.to_lowercase().contains(&station.endpoint[..4]));
        assert!(!comes_in(&app.station_url(code), &[]).await);
    }
    // A code that was printed where it should not have been is replaced by another one.
    let evse = format!("/evses/{}", second["_id"].as_str().expect("an id"));
    let own = app.client.patch(&evse, json!({"code": "BAY-2"})).await.ok();
    assert_eq!(own["code"], "BAY-2");
    let drawn = app.client.patch(&evse, json!({"code": null})).await.ok();
    assert_eq!(drawn["code"].as_str().map(str::len), Some(8));
    assert_ne!(drawn["code"], second["code"]);
}

#[actix_web::test]
async fn without_security_the_endpoint_is_a_secret_of_twenty_letters() {
    let app = TestApp::start().await;
    let open = app.client.post("/chargestations", json!({})).await.created();
    assert_eq!(open["security"]["type"], "none");
    let endpoint = open["endpoint"].as_str().expect("an endpoint");
    assert_eq!(endpoint.len(), 20);
    let letters = "23456789abcdefghjkmnpqrstuvwxyz";
    assert!(endpoint.chars().all(|letter| letters.contains(letter)));
    assert_eq!(flags(&open), [""; 0]);
    assert!(comes_in(open["connection_url"].as_str().expect("a URL"), &[]).await);

    // One that a password stands behind is short; without that password it is warned of.
    let secured = json!({"security": {"type": "basic_auth"}});
    let secured = app.client.post("/chargestations", secured).await.created();
    assert_eq!(secured["endpoint"].as_str().map(str::len), Some(8));
    let opened = json!({"security": {"type": "none"}});
    let opened = app.client.patch(&path(&secured), opened).await.ok();
    assert_eq!(flags(&opened), ["no_security"]);
    let drawn = json!({"endpoint": null});
    let drawn = app.client.patch(&path(&secured), drawn).await.ok();
    assert_eq!(drawn["endpoint"].as_str().map(str::len), Some(20));
    assert_eq!(flags(&drawn), [""; 0]);
}

#[actix_web::test]
async fn a_name_that_is_chosen_needs_a_proof_unless_none_is_said() {
    let app = TestApp::start().await;
    let chosen = json!({"endpoint": "CP-0001"});
    let chosen = app.client.post("/chargestations", chosen).await.created();
    assert_eq!(chosen["security"]["type"], "basic_auth");
    assert_eq!(chosen["security"]["username"], "CP-0001");
    let password = chosen["security"]["password"].as_str();
    assert_eq!(password.map(str::len), Some(16), "shown this once");
    let again = app.client.get(&path(&chosen)).await.ok();
    assert_eq!(again["security"].get("password"), None);
    assert!(!comes_in(&app.station_url("CP-0001"), &[]).await);

    let open = json!({"endpoint": "CP-0002", "security": {"type": "none"}});
    let open = app.client.post("/chargestations", open).await.created();
    assert_eq!(flags(&open), ["no_security"]);
    assert!(comes_in(&app.station_url("CP-0002"), &[]).await);

    // The same for a name that is chosen later.
    let drawn = app.client.post("/chargestations", json!({})).await.created();
    let change = json!({"endpoint": "CP-0003"});
    let refused = app.client.patch(&path(&drawn), change.clone()).await;
    assert_eq!(refused.faulty_fields(), ["endpoint"]);
    let respelled = drawn["endpoint"].as_str().expect("an endpoint").to_uppercase();
    let respelled = json!({"endpoint": respelled});
    let respelled = app.client.patch(&path(&drawn), respelled).await.ok();
    assert_eq!(flags(&respelled), [""; 0], "the same name");
    let mut said = change;
    said["security"] = json!({"type": "none"});
    let renamed = app.client.patch(&path(&drawn), said).await.ok();
    assert_eq!(flags(&renamed), ["no_security"]);
}

#[actix_web::test]
async fn an_organization_says_what_its_new_stations_prove() {
    let app = TestApp::start().await;
    let own = app.client.get("/organization").await.ok();
    assert_eq!(own["default_security"], "none");
    for (usual, endpoint, kind, length) in [
        ("basic_auth", None, "basic_auth", 8),
        ("client_certificate", None, "client_certificate", 8),
        ("client_certificate", Some("CP-1"), "client_certificate", 4),
        ("none", Some("CP-22"), "basic_auth", 5),
    ] {
        let policy = json!({"default_security": usual});
        app.client.patch("/organization", policy).await.ok();
        let new = match endpoint {
            Some(endpoint) => json!({"endpoint": endpoint}),
            None => json!({}),
        };
        let made = app.client.post("/chargestations", new).await.created();
        assert_eq!(made["security"]["type"], kind, "{usual}");
        assert_eq!(made["endpoint"].as_str().map(str::len), Some(length));
        let shown = made["security"].get("password").is_some();
        assert_eq!(shown, kind == "basic_auth");
    }
    let open = json!({"security": {"type": "none"}});
    let open = app.client.post("/chargestations", open).await.created();
    assert_eq!(open["endpoint"].as_str().map(str::len), Some(20));
}

#[actix_web::test]
async fn a_station_that_must_use_tls_does_not_come_without_it() {
    let pki = Pki::new();
    let app = pki.server().await;
    let body = json!({"security": {"type": "none", "tls": true}});
    let station = app.client.post("/chargestations", body).await.created();
    assert_eq!(station["security"]["tls"], true);
    let endpoint = station["endpoint"].as_str().expect("an endpoint");
    let place = (app.running.tls_address.expect("TLS"), "ocpp1.6");
    assert!(pki.boot(place, endpoint, None).await.is_ok());
    let plain = app.station_url(endpoint);
    assert!(!comes_in(&plain, &[]).await);
    assert!(!comes_in(&plain, &[("x-forwarded-proto", "https")]).await, "anybody says so");

    // With the right password either, until its operator allows it.
    let basic = json!({"security": {"type": "basic_auth", "password": "0123456789abcdef"}});
    let still = app.client.patch(&path(&station), basic).await.ok();
    assert_eq!(still["security"]["tls"], true);
    let login =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{endpoint}:0123456789abcdef"));
    let right = [("authorization", &*format!("Basic {login}"))];
    assert!(!comes_in(&plain, &right).await);
    let allowed = json!({"security": {"type": "basic_auth", "tls": false}});
    app.client.patch(&path(&station), allowed).await.ok();
    assert!(comes_in(&plain, &right).await);
}

#[actix_web::test]
async fn a_trusted_proxy_may_end_the_tls_of_a_station() {
    let trusted = [("EVENWATT_HTTP_TRUSTED_PROXIES", "127.0.0.1")];
    let app = TestApp::start_with(&trusted).await;
    let body = json!({"security": {"type": "none", "tls": true}});
    let station = app.client.post("/chargestations", body).await.created();
    let url = station["connection_url"].as_str().expect("a URL");
    assert!(!comes_in(url, &[("x-forwarded-proto", "http")]).await);
    assert!(comes_in(url, &[("x-forwarded-proto", "https")]).await);
    let of_the_client = [("x-forwarded-proto", "http"), ("forwarded", "for=192.0.2.1;proto=https")];
    assert!(!comes_in(url, &of_the_client).await, "such a proxy passes on what a client writes as `Forwarded`");
}
