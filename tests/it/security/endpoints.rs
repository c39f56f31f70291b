//! A station without security is not anybody's: what is printed on it says nothing of how it connects, a name that others
//! know needs a proof beside it, and one that must use TLS does not come without.

use serde_json::json;

use crate::support::{FakeStation, TestApp};

async fn comes_in(url: &str, headers: &[(&'static str, &str)]) -> bool {
    let mut all = vec![("sec-websocket-protocol", "ocpp1.6")];
    all.extend(headers);
    FakeStation::try_connect(url, &all).await.is_ok()
}

#[actix_web::test]
async fn the_code_of_an_evse_says_nothing_of_its_station() {
    let app = TestApp::start().await;
    let station = app.station("S").await; // its connector made an EVSE
    let evses = format!("{}/evses", station.path);
    let second = app.client.post(&evses, json!({})).await.created();
    let all = app.client.get("/evses").await.json();
    let codes: Vec<&str> = all["result"]
        .as_array()
        .expect("EVSEs")
        .iter()
        .map(|evse| evse["code"].as_str().expect("a code"))
        .collect();
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
