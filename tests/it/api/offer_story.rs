//! The whole story of a service offer: loose EVSEs, a network with groups, a draft, publishing, prices, and new prices.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::offers::{always, energy, id, site, tariff};
use crate::support::TestApp;

/// Puts stations with an EVSE and a connector each straight into the store: 200 of them over HTTP take a while.
async fn db_evses(app: &TestApp, count: i32) -> Vec<String> {
    use evenwatt::store::schema::{connectors, evses};
    let site = json!({"operatorName": "Mine", "name": "Mall", "address": {}, "coordinates": [4.9, 52.4],
        "timezone": "Europe/Amsterdam"});
    let mall = app.client.post("/locations", site).await.created();
    let mut ids = Vec::new();
    for number in 0..2 {
        let station = json!({"name": format!("S{number}"), "location": mall["_id"]});
        let station = app.client.post("/chargestations", station).await.created();
        let power = if number == 0 { 22 } else { 150 };
        let kind = if number == 0 { "AC Three Phase" } else { "DC" };
        let own = format!("/chargestations/{}", id(&station));
        let connector = json!({"type": "Type2", "power": power, "power_type": kind});
        let connector = app.client.post(&format!("{own}/connectors"), connector).await.created();
        let moment = app.running.context.moment();
        let template: kernel::EvseId = connector["evse"].as_str().expect("an EVSE").parse().expect("an id");
        let socket: kernel::ConnectorId = id(&connector).parse().expect("an id");
        let made = app.running.context.db.write(move |conn| {
            let mut made = Vec::new();
            let mut evse: evenwatt::sites::stations::Evse =
                evses::table.find(template).select(evenwatt::sites::stations::Evse::as_select()).first(conn)?;
            let mut outlet: evenwatt::sites::stations::Connector =
                connectors::table.find(socket).select(evenwatt::sites::stations::Connector::as_select()).first(conn)?;
            for index in 1..=count / 2 {
                let evse_number = number * 1_000 + index;
                evse.id = moment.id();
                evse.number = index + 1;
                evse.code = format!("E{evse_number}");
                evse.evse_id = Some(format!("NL*EWT*E{evse_number:05}"));
                diesel::insert_into(evses::table).values(&evse).execute(conn)?;
                outlet.id = moment.id();
                outlet.number = index + 1;
                outlet.evse_id = evse.id;
                diesel::insert_into(connectors::table).values(&outlet).execute(conn)?;
                made.push(evse.id.to_string());
            }
            Ok::<_, evenwatt::store::StoreError>(made)
        });
        ids.extend(made.await.expect("stored"));
    }
    ids
}

async fn list(app: &TestApp, path: &str) -> Vec<Value> {
    let rows = app.client.get(path).await.json()["result"].clone();
    rows.as_array().expect("rows").clone()
}

fn ids_of(rows: &[Value]) -> Vec<Value> {
    rows.iter().map(|row| row["_id"].clone()).collect()
}

#[actix_web::test]
async fn the_whole_story_from_two_hundred_loose_evses_to_a_price_update() {
    let app = TestApp::start().await; // 2026-04-24T03:06:40Z
    let all = db_evses(&app, 200).await;
    let site = site(&app).await;
    let unassigned = format!("{}/unassigned_evses", site.network);
    let assigned = format!("{}/assigned_evses", site.network);
    let assign = format!("{}/assignments", site.network);

    // The lists and their filters.
    let first = app.client.get(&unassigned).await.json();
    assert_eq!((&first["totalDocs"], all.len()), (&json!(200), 200));
    let slow = list(&app, &format!("{unassigned}?paginate_limit=1000&power_type=AC_3_PHASE")).await;
    let fast = list(&app, &format!("{unassigned}?paginate_limit=1000&minimum_output=50")).await;
    assert_eq!((slow.len(), fast.len()), (100, 100));
    assert_eq!(
        (&fast[0]["output"], &fast[0]["power_type"], &fast[0]["location_name"]),
        (&json!(150.0), &json!("DC"), &json!("Mall"))
    );
    let place = slow[0]["location"].as_str().expect("a location");
    let here = app.client.get(&format!("{unassigned}?location={place}&maximum_output=22")).await.json();
    assert_eq!(here["totalDocs"], 100);
    let one = list(&app, &format!("{unassigned}?search=e01042")).await;
    assert_eq!(one[0]["evse_id"], "NL*EWT*E01042");
    let csv = app.client.get(&format!("{unassigned}?format=csv&paginate_enabled=false")).await.text;
    assert_eq!(csv.lines().count(), 201);

    // Everything but three goes into groups at once; one is moved at will.
    let (slow, fast) = (ids_of(&slow), ids_of(&fast));
    let put = json!({"group": site.slow, "evses": &slow[..98]});
    app.client.post(&assign, put).await.ok();
    let put = json!({"group": site.fast, "evses": &fast[..99]});
    app.client.post(&assign, put).await.ok();
    let moved = json!({"group": site.fast, "evses": [slow[0]]});
    app.client.post(&assign, moved).await.ok();
    let back = json!({"group": site.slow, "evses": [slow[0]]});
    let network = app.client.post(&assign, back).await.ok();
    assert_eq!((&network["evse_count"], &network["status"]), (&json!(197), &json!("draft")));
    let in_group = format!("{assigned}?group={}", site.slow.as_str().unwrap());
    assert_eq!(app.client.get(&in_group).await.json()["totalDocs"], 98);

    // A draft that is wrong in many ways reports all of them, and nothing is published.
    let offer = app.client.post("/service_offers", site.offer("2026-05-01T00:00:00Z")).await.created();
    let path = format!("/service_offers/{}", id(&offer));
    let broken = json!({"tariffs": [tariff("Day", json!([energy(0.49)]))], "lead_time": 3, "valid_from": "2020-01-01T00:00:00Z"});
    app.client.patch(&path, broken).await.ok();
    let dry = app.client.post(&format!("{path}/publish?dry_run=true"), json!({})).await.ok();
    let fields: Vec<_> =
        dry["problems"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "products[0].time_plans[0].slots[0].tariff",
            "products[0].time_plans[0].slots[2].tariff",
            "products[0].time_plans[1].slots[0].tariff",
            "products[1].time_plans[0].slots[0].tariff",
            "valid_from",
            "lead_time"
        ]
    );
    assert_eq!((&dry["publishable"], &dry["warnings"][0]["evse_count"]), (&json!(false), &json!(3)));
    let refused = app.client.post(&format!("{path}/publish"), json!({})).await;
    assert_eq!(refused.faulty_fields().len(), 6);

    // Put right, it can be published; the three that are in no group will cost nothing.
    let right = site.offer("2026-05-01T00:00:00Z");
    let right = json!({"tariffs": right["tariffs"], "lead_time": 15, "valid_from": right["valid_from"]});
    app.client.patch(&path, right).await.ok();
    let dry = app.client.post(&format!("{path}/publish?dry_run=true"), json!({})).await.ok();
    assert_eq!((&dry["publishable"], &dry["problems"]), (&json!(true), &json!([])));
    let zero: Vec<_> = dry["warnings"][0]["evses"].as_array().unwrap().iter().map(|evse| evse["_id"].clone()).collect();
    assert_eq!(zero.len(), 3);
    assert_eq!(app.client.get(&path).await.ok()["status"], "draft");
    let published = app.client.post(&format!("{path}/publish"), json!({})).await.ok();
    assert_eq!(
        (&published["offer"]["status"], &published["warnings"][0]["code"]),
        (&json!("pending"), &json!("price_zero"))
    );

    // The network is active: only loose EVSEs may be added, everything else is refused with the reason.
    assert_eq!(app.client.get(&site.network).await.ok()["status"], "active");
    for (evses, group) in [(&slow[0], &site.fast), (&slow[0], &Value::Null)] {
        let refused = app.client.post(&assign, json!({"group": group, "evses": [evses]})).await;
        assert_eq!(refused.error(409), "conflict");
    }
    let mixed = app.client.post(&assign, json!({"group": site.fast, "evses": [fast[99], slow[0]]})).await;
    assert_eq!(mixed.error(409), "conflict");
    assert_eq!(
        mixed.json()["errors"][0]["message"],
        "is in group \"Slow\" already; an active network only takes EVSEs that are in none"
    );
    let groups = format!("{}/groups", site.network);
    assert_eq!(app.client.post(&groups, json!({"name": "New"})).await.error(409), "conflict");
    let own = format!("{groups}/{}", site.slow.as_str().unwrap());
    assert_eq!(app.client.patch(&own, json!({"name": "Old"})).await.error(409), "conflict");
    assert_eq!(app.client.delete(&own).await.error(409), "conflict");
    app.client.post(&assign, json!({"group": site.fast, "evses": [fast[99]]})).await.ok();

    // What every EVSE costs: by its group and by the clock of its location; nothing where it is in no group.
    let prices = format!("{path}/prices?paginate_limit=1000");
    let monday_noon = list(&app, &format!("{prices}&at=2026-05-04T10:00:00Z")).await;
    assert_eq!(monday_noon.len(), 200);
    let count = |tariff: &Value| monday_noon.iter().filter(|row| row["tariff"] == *tariff).count();
    assert_eq!((count(&json!("Day")), count(&json!("Fast")), count(&Value::Null)), (98, 100, 2));
    let free = monday_noon.iter().find(|row| row["tariff"].is_null()).expect("a free one");
    assert_eq!(
        (&free["components"], &free["warning"]),
        (&json!([]), &json!("The EVSE is in no group, so its price is zero"))
    );
    let early = format!("{prices}&group={}&at=2026-05-04T05:59:59Z", site.slow.as_str().unwrap()); // 07:59:59 in Amsterdam
    assert_eq!(list(&app, &early).await[0]["components"], json!([energy(0.39)]));
    let before = app.client.get(&format!("{path}/prices?at=2026-04-30T23:59:59Z")).await;
    assert_eq!(before.faulty_fields(), ["at"]);

    // What was published never changes; time makes it active.
    assert_eq!(app.client.patch(&path, json!({"name": "Other"})).await.error(409), "conflict");
    assert_eq!(app.client.delete(&path).await.error(409), "conflict");
    app.pass_until("2026-05-01T00:00:00Z").await;
    assert_eq!(app.client.get(&path).await.ok()["status"], "active");
    assert!(app.event_types().await.contains(&"service_offer.activated".to_owned()));
    assert_eq!(ids_of(&list(&app, "/service_offers?status=active").await), [offer["_id"].clone()]);

    // New prices need the lead time, and then take over as a version of their own.
    let mut update = json!({"update_date": "2026-05-15T23:59:59Z", "tariffs": [tariff("All", json!([energy(0.55)]))],
        "products": [always(&site.slow, "All"), always(&site.fast, "All")]});
    let updates = format!("{path}/price_updates");
    assert_eq!(app.client.post(&updates, update.clone()).await.faulty_fields(), ["update_date"]);
    update["update_date"] = json!("2026-05-16T00:00:00Z");
    let next = app.client.post(&updates, update.clone()).await.created();
    assert_eq!(
        (&next["version"], &next["previous"], &next["original"], &next["status"]),
        (&json!(2), &offer["_id"], &offer["_id"], &json!("pending"))
    );
    assert_eq!(app.client.post(&updates, update).await.error(409), "conflict");
    let versions = app.client.get(&format!("{path}/versions")).await.ok();
    assert_eq!(
        (&versions[0]["next"], &versions[0]["ends_at"], &versions[1]["_id"]),
        (&next["_id"], &json!("2026-05-16T00:00:00.000Z"), &next["_id"])
    );
    for (at, tariff, version) in [("2026-05-15T23:59:59Z", "Fast", 1), ("2026-05-16T00:00:00Z", "All", 2)] {
        let at = format!("{prices}&group={}&at={at}", site.fast.as_str().unwrap());
        let row = list(&app, &at).await[0].clone();
        assert_eq!((&row["tariff"], &row["version"]), (&json!(tariff), &json!(version)));
    }
    app.pass_until("2026-05-16T00:00:00Z").await;
    let versions = app.client.get(&format!("{path}/versions")).await.ok();
    assert_eq!((&versions[0]["status"], &versions[1]["status"]), (&json!("expired"), &json!("active")));
    assert!(app.event_types().await.contains(&"service_offer.expired".to_owned()));
}
