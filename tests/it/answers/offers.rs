//! What partners know of EVSEs stays as they know it.

use serde_json::{Value, json};

use super::text;
use crate::support::{Answer, TestApp, TestStation, WEEK};

/// A network with one group, and stations with an EVSE each in it.
struct Scene {
    app: TestApp,
    network: String,
    group: String,
    location: String,
    stations: Vec<TestStation>,
    evses: Vec<String>,
}

impl Scene {
    async fn new(count: usize) -> Self {
        let app = TestApp::start().await; // 2026-04-24T03:06:40Z
        let site = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
        let location = text(&app.client.post("/locations", site).await.created(), "_id");
        let network = json!({"name": "City"});
        let network = text(&app.client.post("/evse_networks", network).await.created(), "_id");
        let groups = format!("/evse_networks/{network}/groups");
        let group = app.client.post(&groups, json!({"name": "All"})).await.created();
        let mut scene =
            Self { app, network, group: text(&group, "_id"), location, stations: Vec::new(), evses: Vec::new() };
        for number in 0..count {
            scene.add(number).await;
        }
        scene
    }

    async fn add(&mut self, number: usize) {
        let station = self.app.station(&format!("S{number}")).await;
        let place = json!({"location": self.location});
        self.app.client.patch(&station.path, place).await.ok();
        let connector = format!("/connectors/{}", station.connector);
        let evse = text(&self.app.client.get(&connector).await.ok(), "evse");
        let known = json!({"evse_id": format!("NL*EWT*E{number}"), "roaming": true});
        self.app.client.patch(&format!("/evses/{evse}"), known).await.ok();
        self.assign(json!({"group": self.group, "evses": [evse]})).await.ok();
        self.stations.push(station);
        self.evses.push(evse);
    }

    async fn assign(&self, body: Value) -> Answer {
        let path = format!("/evse_networks/{}/assignments", self.network);
        self.app.client.post(&path, body).await
    }

    /// A draft to these partners, or to all, for May or for June.
    async fn draft(&self, partners: &[&str], month: u8) -> String {
        let energy = json!({"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": 0.5});
        let slots = [json!({"start_time": "00:00:00", "end_time": "23:59:59", "tariff": "T"})];
        let offer = json!({
            "name": format!("{partners:?} in {month}"), "network": self.network,
            "tariffs": [{"name": "T", "currency": "EUR", "components": [energy]}],
            "products": [{"group": self.group, "currency": "EUR",
                "time_plans": [{"days_of_week": WEEK, "slots": slots}]}],
            "offer_to_all": partners.is_empty(), "partners": partners,
            "valid_from": format!("2026-{month:02}-01T00:00:00Z"), "unlimited": false,
            "valid_to": format!("2026-{:02}-20T00:00:00Z", if partners.is_empty() { month + 2 } else { month }),
            "minimum_term": 10, "cancellation_period": 10,
        });
        text(&self.app.client.post("/service_offers", offer).await.created(), "_id")
    }

    async fn publish(&self, offer: &str) -> Answer {
        let path = format!("/service_offers/{offer}/publish");
        self.app.client.post(&path, json!({})).await
    }

    async fn evse(&self, index: usize, patch: Value) -> Answer {
        let path = format!("/evses/{}", self.evses[index]);
        self.app.client.patch(&path, patch).await
    }
}

#[actix_web::test]
async fn an_evse_id_belongs_to_one_evse() {
    let scene = Scene::new(2).await;
    for taken in ["NL*EWT*E0", "nl*ewt*e0", "NLEWTE0"] {
        let refused = scene.evse(1, json!({"evse_id": taken})).await;
        assert_eq!(refused.faulty_fields(), ["evse_id"], "{taken}");
        assert_eq!(refused.json()["errors"][0]["code"], "already_exists");
        let path = format!("{}/evses", scene.stations[1].path);
        let refused = scene.app.client.post(&path, json!({"evse_id": taken})).await;
        assert_eq!(refused.faulty_fields(), ["evse_id"], "{taken}");
    }
    scene.evse(1, json!({"evse_id": "NL*EWT*E1", "name": "as before"})).await.ok();
    scene.evse(1, json!({"evse_id": "NL*EWT*E01"})).await.ok();
    // Another organization has its own.
    let stranger = scene.app.stranger().await;
    let station = stranger.post("/chargestations", json!({})).await.created();
    let path = format!("/chargestations/{}/evses", text(&station, "_id"));
    stranger.post(&path, json!({"evse_id": "NL*EWT*E0"})).await.created();
}

#[actix_web::test]
async fn an_offer_is_not_published_for_evses_that_nobody_can_distinguish() {
    let scene = Scene::new(3).await;
    let offer = scene.draft(&[], 5).await;
    // Ids from before they had to be unique.
    let (second, third) = (scene.evses[1].clone(), scene.evses[2].clone());
    let stored = scene.app.running.context.db.write(move |conn| {
        use diesel::prelude::*;
        use evenwatt::store::schema::evses;
        for (id, known) in [(&second, Some("NLEWTE0")), (&third, None)] {
            let id: kernel::EvseId = id.parse().expect("an id");
            diesel::update(evses::table.find(id)).set(evses::evse_id.eq(known)).execute(conn)?;
        }
        Ok::<_, evenwatt::store::StoreError>(())
    });
    stored.await.expect("stored");
    let refused = scene.publish(&offer).await;
    assert_eq!(refused.faulty_fields(), ["network", "network"]);
    let shown = refused.text.clone();
    assert!(scene.evses.iter().all(|evse| shown.contains(evse)), "{shown}");
    scene.evse(1, json!({"evse_id": "NL*EWT*E1"})).await.ok();
    scene.evse(2, json!({"evse_id": "NL*EWT*E2"})).await.ok();
    scene.publish(&offer).await.ok();
}

#[actix_web::test]
async fn an_offered_evse_keeps_its_id_its_connectors_and_its_place() {
    let scene = Scene::new(1).await;
    let offer = scene.draft(&["DE-ABC"], 5).await;
    let (station, connector) = (&scene.stations[0].path, &scene.stations[0].connector);
    let connector = format!("/connectors/{connector}");
    scene.publish(&offer).await.ok();

    let refusals = [
        scene.evse(0, json!({"evse_id": null})).await,
        scene.evse(0, json!({"evse_id": "NL*EWT*E99"})).await,
        scene.app.client.delete(&connector).await,
        scene.app.client.patch(station, json!({"location": null})).await,
    ];
    for refused in refusals {
        assert_eq!(refused.error(409), "conflict");
        let message = text(&refused.json(), "message");
        let help = format!("POST /v1.1/service_offers/{offer}/cancel");
        assert!(message.contains(&help), "{message}");
    }
    // What partners do not know may change, and a connector that is not the last one may go.
    scene.evse(0, json!({"name": "Left", "evse_id": "NL*EWT*E0"})).await.ok();
    let further = format!("{station}/connectors");
    let body = json!({"type": "CCS2", "power": 50, "evse": scene.evses[0]});
    scene.app.client.post(&further, body).await.created();
    scene.app.client.delete(&connector).await.ok();

    // The advice helps: an offer that is not valid yet ends at once.
    let cancel = format!("/service_offers/{offer}/cancel");
    scene.app.client.post(&cancel, json!({})).await.ok();
    scene.evse(0, json!({"evse_id": null})).await.ok();
    scene.app.client.patch(station, json!({"location": null})).await.ok();
}

#[actix_web::test]
async fn a_partner_has_one_offer_at_a_time() {
    let scene = Scene::new(1).await;
    let first = scene.draft(&["DE-ABC", "NL-XYZ"], 5).await;
    scene.publish(&first).await.ok();
    let same = scene.draft(&["FR-QQQ", "nlxyz"], 5).await;
    assert_eq!(scene.publish(&same).await.faulty_fields(), ["partners[1]"]);
    let others = scene.draft(&["FR-QQQ"], 5).await;
    scene.publish(&others).await.ok();
    let later = scene.draft(&["NL-XYZ"], 6).await;
    scene.publish(&later).await.ok();
    let to_all = scene.draft(&[], 5).await;
    scene.publish(&to_all).await.ok();
    // When those in its way are cancelled, their place is free.
    for cancelled in [first, others] {
        let cancel = format!("/service_offers/{cancelled}/cancel");
        scene.app.client.post(&cancel, json!({})).await.ok();
    }
    scene.publish(&same).await.ok();
}

#[actix_web::test]
async fn what_is_closed_to_roaming_is_shown_to_nobody() {
    let scene = Scene::new(2).await;
    scene.evse(1, json!({"roaming": false})).await.ok();
    let offer = scene.draft(&["DE-ABC"], 5).await;
    let published = scene.publish(&offer).await.ok();
    let warning = &published["warnings"][0];
    assert_eq!(warning["code"], "not_exported");
    assert_eq!(warning["evses"][0]["_id"], json!(scene.evses[1]));
    for form in ["oicp", "ocpi"] {
        let path = format!("/service_offers/{offer}/export/{form}");
        let export = scene.app.client.get(&path).await;
        export.ok();
        assert!(export.text.contains("NL*EWT*E0"), "{form}: {}", export.text);
        assert!(!export.text.contains("NL*EWT*E1"), "{form}: {}", export.text);
    }
}

#[actix_web::test]
async fn an_assignment_without_a_group_is_no_assignment() {
    let scene = Scene::new(1).await;
    let forgotten = scene.assign(json!({"evses": scene.evses})).await;
    assert_eq!(forgotten.faulty_fields(), ["group"]);
    assert_eq!(forgotten.json()["errors"][0]["code"], "required");
    let assigned = format!("/evse_networks/{}/assigned_evses", scene.network);
    let total = scene.app.client.get(&assigned).await.json()["totalDocs"].clone();
    assert_eq!(total, 1);
    let out = scene.assign(json!({"group": null, "evses": scene.evses})).await;
    assert_eq!(out.ok()["groups"][0]["evse_count"], 0);
}
