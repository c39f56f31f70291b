//! Every route of the document: no key, no scope, another organization.

use reqwest::Method;
use serde_json::json;

use crate::support::{Client, TestApp};

/// Each operation of the document: its method, its path with ids filled in, and the same path as documented.
pub fn operations(document: &serde_json::Value, ids: &[(&str, &str)]) -> Vec<(Method, String, String)> {
    let mut all = Vec::new();
    let paths = document["paths"].as_object().expect("paths").iter();
    // These know no API keys; `portal_matrix.rs` walks the portal, `panel/` the accounts of operators.
    let apart = ["/v1.1/portal/", "/v1.1/account", "/v1.1/driver/", "/v1.1/pages/"];
    // A logo is for everybody: `logo.rs`.
    let is_walked =
        |path: &str| !apart.iter().any(|start| path.starts_with(start)) && path != "/v1.1/organizations/{id}/logo";
    for (path, item) in paths.filter(|(path, _)| is_walked(path)) {
        for method in item.as_object().expect("operations").keys() {
            let resource = ids
                .iter()
                .find(|(prefix, _)| path.starts_with(prefix))
                .map_or("650000000000000000000001", |(_, id)| id);
            let filled: Vec<&str> =
                path.split('/').map(|part| if part.starts_with('{') { resource } else { part }).collect();
            let filled = filled.join("/").trim_start_matches("/v1.1").to_owned();
            all.push((method.to_uppercase().parse().expect("a method"), filled, path.clone()));
        }
    }
    all
}

#[actix_web::test]
async fn no_route_answers_without_a_key_or_without_its_scope() {
    let app = TestApp::start().await;
    let document = app.client.get_bare("/openapi.json").await.json();
    let powerless = app.client_with(&["read:events"]).await;
    let nobody = Client::new(app.running.address, "ew_live_wrong");
    let mut walked = 0;
    for (method, path, documented) in operations(&document, &[]) {
        let bare = nobody.request(method.clone(), &path);
        assert_eq!(nobody.send(bare).await.error(401), "unauthenticated", "{method} {documented}");
        let its_own = ["/v1.1/events", "/v1.1/realtime"];
        if !its_own.iter().any(|scoped| documented.starts_with(scoped)) {
            let answer = powerless.send(powerless.request(method.clone(), &path).json(&json!({}))).await;
            assert_eq!(answer.error(403), "forbidden", "{method} {documented}");
        }
        walked += 1;
    }
    assert!(walked > 60, "only {walked} operations were walked");
}

#[actix_web::test]
async fn no_route_shows_or_changes_another_organizations_objects() {
    let app = TestApp::start().await;
    let document = app.client.get_bare("/openapi.json").await.json();
    let site = json!({"operatorName": "Mine", "address": {}, "coordinates": [0, 0]});
    let location = app.client.post("/locations", site).await.created()["_id"].as_str().unwrap().to_owned();
    let station = app.station("S").await;
    let group = json!({"name": "G", "maximum_capacity": 10, "location": location});
    let group = app.client.post("/groups", group).await.created()["_id"].as_str().unwrap().to_owned();
    let member = json!({"chargestation": station.id});
    app.client.post(&format!("/groups/{group}/chargestations"), member).await.created();
    let keys = app.client.get("/api_keys").await.json();
    let key = keys["result"][0]["_id"].as_str().unwrap().to_owned();
    let evses = app.client.get("/evses").await.json();
    let evse = evses["result"][0]["_id"].as_str().unwrap().to_owned();
    let asset = json!({"name": "A", "type": "battery", "location": location, "group": group});
    let asset = app.client.post("/assets", asset).await.created()["_id"].as_str().unwrap().to_owned();
    let rate = json!({"name": "R", "currency": "EUR", "price_components": [{"type": "FLAT", "price": 1}]});
    let rate = app.client.post("/rates", rate).await.created()["_id"].as_str().unwrap().to_owned();
    let schedule = json!({"name": "S", "currency": "EUR", "default_rate": rate, "layout": []});
    let schedule = app.client.post("/rates/schedule", schedule).await.created()["_id"].as_str().unwrap().to_owned();
    let network = json!({"name": "N"});
    let network = app.client.post("/evse_networks", network).await.created()["_id"].as_str().unwrap().to_owned();
    let offer = json!({"name": "O", "network": network});
    let offer = app.client.post("/service_offers", offer).await.created()["_id"].as_str().unwrap().to_owned();
    let ids = [
        ("/v1.1/service_offers", offer.as_str()),
        ("/v1.1/evse_networks", network.as_str()),
        ("/v1.1/rates/schedule", schedule.as_str()),
        ("/v1.1/rates", rate.as_str()),
        ("/v1.1/load_management/groups/chargestations", station.id.as_str()),
        ("/v1.1/load_management/groups", group.as_str()),
        ("/v1.1/locations", location.as_str()),
        ("/v1.1/chargestations", station.id.as_str()),
        ("/v1.1/connectors", station.connector.as_str()),
        ("/v1.1/evses", evse.as_str()),
        ("/v1.1/api_keys", key.as_str()),
        ("/v1.1/assets", asset.as_str()),
    ];
    let stranger = app.stranger().await;
    for (method, path, documented) in operations(&document, &ids) {
        if !documented.contains('{') {
            let endless = documented.ends_with("/stream");
            if method == Method::GET && documented != "/v1.1/organization" && !endless {
                let list = stranger.get(&path).await.text;
                for (_, id) in &ids {
                    assert!(!list.contains(id), "{documented} shows {id}");
                }
            }
            continue;
        }
        let answer = stranger.send(stranger.request(method.clone(), &path).json(&body_for(&documented))).await;
        if documented.starts_with("/v1.1/organizations/") {
            assert_eq!(answer.error(403), "forbidden", "{method} {documented}: for no key");
            continue;
        }
        assert_eq!(answer.error(404), "not_found", "{method} {documented}");
    }
    assert_eq!(app.client.get(&station.path).await.ok()["name"], "S");
}

/// A body that is right in itself, so that the answer is about the object and not about the body.
pub fn body_for(documented: &str) -> serde_json::Value {
    let id = "650000000000000000000001";
    match documented.rsplit('/').next().unwrap_or_default() {
        "connectors" => json!({"power": 7}),
        "groups" if documented.contains("evse_networks") => json!({"name": "G"}),
        "price_updates" => {
            json!({"update_date": "2100-01-01T00:00:00Z", "tariffs": [], "products": []})
        }
        "assignments" => json!({"group": id, "evses": [id]}),
        "chargestations" if documented.contains("groups") => json!({"chargestation": id}),
        "{chargestation}" => json!({"connectors": []}),
        "external_cap" => json!({"maximum_capacity": 5, "until": "2100-01-01T00:00:00Z"}),
        "user" => json!({"user": id}),
        "energy_prices" => json!({"currency": "EUR", "prices": []}),
        "exclusion_times" => json!({"windows": []}),
        "reset" => json!({"type": "Soft"}),
        "trigger_message" => json!({"message": "Heartbeat"}),
        "change_availability" => json!({"type": "Operative"}),
        "get_log" => json!({"logType": "DiagnosticsLog", "remoteLocation": "https://x.example"}),
        "extended_trigger_message" => json!({"message": "Heartbeat"}),
        "install_certificate" => {
            json!({"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"})
        }
        "delete_certificate" => json!({"certificateHashData": {}}),
        "get_installed_certificate_ids" => {
            json!({"certificateType": "CentralSystemRootCertificate"})
        }
        "signed_update_firmware" => json!({
            "location": "https://x.example", "signingCertificate": "PEM", "signature": "AA=="
        }),
        "get_charging_profiles" => json!({"chargingProfile": {}}),
        "customer_information" => json!({"report": true, "clear": false}),
        "set_display_message" => json!({"message": {"id": 1, "priority": "InFront",
            "message": {"format": "UTF8", "content": "x"}}}),
        "clear_display_message" => json!({"id": 1}),
        "set_variable_monitoring" => json!({"setMonitoringData": [{"type": "Delta", "value": 1,
            "severity": 1, "component": {"name": "C"}, "variable": {"name": "V"}}]}),
        "clear_variable_monitoring" => json!({"id": [1]}),
        "set_monitoring_base" => json!({"monitoringBase": "All"}),
        "set_monitoring_level" => json!({"severity": 1}),
        "set_der_control" => {
            json!({"isDefault": true, "controlId": "c", "controlType": "VoltVar"})
        }
        "clear_der_control" => json!({"isDefault": true}),
        "afrr_signal" => json!({"timestamp": "2026-04-24T03:00:00Z", "signal": 1}),
        "request_battery_swap" => json!({"idToken": {"idToken": "A", "type": "Central"}}),
        "set_charging_profile" => json!({"csChargingProfiles": {}}),
        "set_default_power_limit" | "set_power_limit" => json!({"unit": "power", "limit": 1}),
        "send_local_list" => json!({"listVersion": 1}),
        "update_firmware" | "get_diagnostics" => json!({"location": "https://x.example"}),
        "data_transfer" => json!({"vendorId": "V"}),
        "ocpp" => json!({"action": "ClearCache", "payload": {}}),
        "state" => json!({"on": true}),
        "resend" => json!({"from": "2026-01-01T00:00:00Z"}),
        "configurations" => json!({"key": "K", "value": "V"}),
        _ => json!({}),
    }
}
