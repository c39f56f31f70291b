//! Service offers: the whole story from an empty network to a price update, and its refusals.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, eventually};

const WEEK: [&str; 7] = [
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
];
const DAY: Duration = Duration::from_secs(86_400);

fn id(value: &Value) -> &str {
    value["_id"].as_str().expect("an id")
}

fn energy(price: f64) -> Value {
    json!({"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": price})
}

fn tariff(name: &str, components: Value) -> Value {
    json!({"name": name, "currency": "EUR", "components": components})
}

fn slot(start: &str, end: &str, tariff: &str) -> Value {
    json!({"start_time": start, "end_time": end, "tariff": tariff})
}

/// A product that has one tariff all week.
fn always(group: &Value, tariff: &str) -> Value {
    let slots = [slot("00:00:00", "23:59:59", tariff)];
    json!({"group": group, "currency": "EUR", "time_plans": [{"days_of_week": WEEK, "slots": slots}]})
}

/// A product with a day and a night from Monday to Friday.
fn day_and_night(group: &Value) -> Value {
    let workdays = [
        slot("00:00:00", "07:59:59", "Night"),
        slot("08:00:00", "19:59:59", "Day"),
        slot("20:00:00", "23:59:59", "Night"),
    ];
    let weekend = [slot("00:00:00", "23:59:59", "Night")];
    json!({"group": group, "currency": "EUR", "time_plans": [
        {"days_of_week": &WEEK[..5], "slots": workdays}, {"days_of_week": &WEEK[5..], "slots": weekend}]})
}

struct Site {
    network: String,
    slow: Value,
    fast: Value,
}

/// A network with two groups.
async fn site(app: &TestApp) -> Site {
    let network = app
        .client
        .post("/evse_networks", json!({"name": "City"}))
        .await
        .created();
    let path = format!("/evse_networks/{}", id(&network));
    let groups = format!("{path}/groups");
    let slow = app
        .client
        .post(&groups, json!({"name": "Slow"}))
        .await
        .created();
    let fast = app
        .client
        .post(&groups, json!({"name": "Fast"}))
        .await
        .created();
    Site {
        network: path,
        slow: slow["_id"].clone(),
        fast: fast["_id"].clone(),
    }
}

impl Site {
    fn offer(&self, valid_from: &str) -> Value {
        let parking = json!({"type": "PARKING", "reference_unit": "MINUTE", "price": 0.1, "grace_period": 30});
        json!({
            "name": "City 2026", "network": self.network.trim_start_matches("/evse_networks/"),
            "tariffs": [tariff("Day", json!([energy(0.49), parking])), tariff("Night", json!([energy(0.39)])),
                tariff("Fast", json!([energy(0.69), {"type": "SESSION", "reference_unit": "NONE", "price": 1}]))],
            "products": [day_and_night(&self.slow), always(&self.fast, "Fast")],
            "offer_to_all": true, "valid_from": valid_from, "unlimited": true,
            "minimum_term": 30, "cancellation_period": 42, "lead_time": 15
        })
    }
}

/// Puts stations with an EVSE and a connector each straight into the store: 200 of them over HTTP take a while.
async fn db_evses(app: &TestApp, count: i32) -> Vec<String> {
    use evenwatt::db::schema::{chargestations, connectors, evses};
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
        let connector = app
            .client
            .post(&format!("{own}/connectors"), connector)
            .await
            .created();
        let (organization, moment) = (app.organization, app.running.context.moment());
        let station: evenwatt::kernel::StationId = id(&station).parse().expect("an id");
        let template: evenwatt::kernel::EvseId = connector["evse"]
            .as_str()
            .expect("an EVSE")
            .parse()
            .expect("an id");
        let socket: evenwatt::kernel::ConnectorId = id(&connector).parse().expect("an id");
        let made = app.running.context.db.write(move |conn| {
            let mut made = Vec::new();
            let mut evse: evenwatt::stations::Evse = evses::table
                .find(template)
                .select(evenwatt::stations::Evse::as_select())
                .first(conn)?;
            let mut outlet: evenwatt::stations::Connector = connectors::table
                .find(socket)
                .select(evenwatt::stations::Connector::as_select())
                .first(conn)?;
            for index in 1..=count / 2 {
                let evse_number = number * 1_000 + index;
                evse.id = moment.id();
                evse.number = index + 1;
                evse.code = format!("E{evse_number}");
                evse.evse_id = Some(format!("NL*EWT*E{evse_number:05}"));
                diesel::insert_into(evses::table)
                    .values(&evse)
                    .execute(conn)?;
                outlet.id = moment.id();
                outlet.number = index + 1;
                outlet.evse_id = evse.id;
                diesel::insert_into(connectors::table)
                    .values(&outlet)
                    .execute(conn)?;
                made.push(evse.id.to_string());
            }
            let known: i64 = chargestations::table
                .filter(chargestations::id.eq(station))
                .filter(chargestations::organization_id.eq(organization))
                .count()
                .get_result(conn)?;
            assert_eq!(known, 1);
            Ok::<_, evenwatt::db::StoreError>(made)
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
    let slow = list(
        &app,
        &format!("{unassigned}?paginate_limit=1000&power_type=AC_3_PHASE"),
    )
    .await;
    let fast = list(
        &app,
        &format!("{unassigned}?paginate_limit=1000&minimum_output=50"),
    )
    .await;
    assert_eq!((slow.len(), fast.len()), (100, 100));
    assert_eq!(
        (
            &fast[0]["output"],
            &fast[0]["power_type"],
            &fast[0]["location_name"]
        ),
        (&json!(150.0), &json!("DC"), &json!("Mall"))
    );
    let place = slow[0]["location"].as_str().expect("a location");
    let here = app
        .client
        .get(&format!("{unassigned}?location={place}&maximum_output=22"))
        .await
        .json();
    assert_eq!(here["totalDocs"], 100);
    let one = list(&app, &format!("{unassigned}?search=e01042")).await;
    assert_eq!(one[0]["evse_id"], "NL*EWT*E01042");
    let csv = app
        .client
        .get(&format!("{unassigned}?format=csv&paginate_enabled=false"))
        .await
        .text;
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
    assert_eq!(
        (&network["evse_count"], &network["status"]),
        (&json!(197), &json!("draft"))
    );
    let in_group = format!("{assigned}?group={}", site.slow.as_str().unwrap());
    assert_eq!(app.client.get(&in_group).await.json()["totalDocs"], 98);

    // A draft that is wrong in many ways tells all of them, and nothing is published.
    let offer = app
        .client
        .post("/service_offers", site.offer("2026-05-01T00:00:00Z"))
        .await
        .created();
    let path = format!("/service_offers/{}", id(&offer));
    let broken = json!({"tariffs": [tariff("Day", json!([energy(0.49)]))], "lead_time": 3, "valid_from": "2020-01-01T00:00:00Z"});
    app.client.patch(&path, broken).await.ok();
    let dry = app
        .client
        .post(&format!("{path}/publish?dry_run=true"), json!({}))
        .await
        .ok();
    let fields: Vec<_> = dry["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].as_str().unwrap())
        .collect();
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
    assert_eq!(
        (&dry["publishable"], &dry["warnings"][0]["evse_count"]),
        (&json!(false), &json!(3))
    );
    let refused = app.client.post(&format!("{path}/publish"), json!({})).await;
    assert_eq!(refused.faulty_fields().len(), 6);

    // Put right, it can be published; the three that are in no group will cost nothing.
    let right = site.offer("2026-05-01T00:00:00Z");
    let right =
        json!({"tariffs": right["tariffs"], "lead_time": 15, "valid_from": right["valid_from"]});
    app.client.patch(&path, right).await.ok();
    let dry = app
        .client
        .post(&format!("{path}/publish?dry_run=true"), json!({}))
        .await
        .ok();
    assert_eq!(
        (&dry["publishable"], &dry["problems"]),
        (&json!(true), &json!([]))
    );
    let zero: Vec<_> = dry["warnings"][0]["evses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|evse| evse["_id"].clone())
        .collect();
    assert_eq!(zero.len(), 3);
    assert_eq!(app.client.get(&path).await.ok()["status"], "draft");
    let published = app
        .client
        .post(&format!("{path}/publish"), json!({}))
        .await
        .ok();
    assert_eq!(
        (
            &published["offer"]["status"],
            &published["warnings"][0]["code"]
        ),
        (&json!("pending"), &json!("price_zero"))
    );

    // The network is active: only loose EVSEs may be added, everything else is refused with the reason.
    assert_eq!(app.client.get(&site.network).await.ok()["status"], "active");
    for (evses, group) in [(&slow[0], &site.fast), (&slow[0], &Value::Null)] {
        let refused = app
            .client
            .post(&assign, json!({"group": group, "evses": [evses]}))
            .await;
        assert_eq!(refused.error(409), "conflict");
    }
    let mixed = app
        .client
        .post(
            &assign,
            json!({"group": site.fast, "evses": [fast[99], slow[0]]}),
        )
        .await;
    assert_eq!(mixed.error(409), "conflict");
    assert_eq!(
        mixed.json()["errors"][0]["message"],
        "is in group \"Slow\" already; an active network only takes EVSEs that are in none"
    );
    let groups = format!("{}/groups", site.network);
    assert_eq!(
        app.client
            .post(&groups, json!({"name": "New"}))
            .await
            .error(409),
        "conflict"
    );
    let own = format!("{groups}/{}", site.slow.as_str().unwrap());
    assert_eq!(
        app.client
            .patch(&own, json!({"name": "Old"}))
            .await
            .error(409),
        "conflict"
    );
    assert_eq!(app.client.delete(&own).await.error(409), "conflict");
    app.client
        .post(&assign, json!({"group": site.fast, "evses": [fast[99]]}))
        .await
        .ok();

    // What every EVSE costs: by its group and by the clock of its location; nothing where it is in no group.
    let prices = format!("{path}/prices?paginate_limit=1000");
    let monday_noon = list(&app, &format!("{prices}&at=2026-05-04T10:00:00Z")).await;
    assert_eq!(monday_noon.len(), 200);
    let count = |tariff: &Value| {
        monday_noon
            .iter()
            .filter(|row| row["tariff"] == *tariff)
            .count()
    };
    assert_eq!(
        (
            count(&json!("Day")),
            count(&json!("Fast")),
            count(&Value::Null)
        ),
        (98, 100, 2)
    );
    let free = monday_noon
        .iter()
        .find(|row| row["tariff"].is_null())
        .expect("a free one");
    assert_eq!(
        (&free["components"], &free["warning"]),
        (
            &json!([]),
            &json!("The EVSE is in no group, so its price is zero")
        )
    );
    let early = format!(
        "{prices}&group={}&at=2026-05-04T05:59:59Z",
        site.slow.as_str().unwrap()
    ); // 07:59:59 in Amsterdam
    assert_eq!(
        list(&app, &early).await[0]["components"],
        json!([energy(0.39)])
    );
    let before = app
        .client
        .get(&format!("{path}/prices?at=2026-04-30T23:59:59Z"))
        .await;
    assert_eq!(before.faulty_fields(), ["at"]);

    // What was published never changes; time makes it active.
    assert_eq!(
        app.client
            .patch(&path, json!({"name": "Other"}))
            .await
            .error(409),
        "conflict"
    );
    assert_eq!(app.client.delete(&path).await.error(409), "conflict");
    app.clock.set("2026-05-01T00:00:00Z".parse().unwrap());
    assert_eq!(app.client.get(&path).await.ok()["status"], "active");
    eventually(async || {
        app.event_types()
            .await
            .contains(&"service_offer.activated".to_owned())
    })
    .await;
    assert_eq!(
        ids_of(&list(&app, "/service_offers?status=active").await),
        [offer["_id"].clone()]
    );

    // New prices need the lead time, and then take over as a version of their own.
    let mut update = json!({"update_date": "2026-05-15T23:59:59Z", "tariffs": [tariff("All", json!([energy(0.55)]))],
        "products": [always(&site.slow, "All"), always(&site.fast, "All")]});
    let updates = format!("{path}/price_updates");
    assert_eq!(
        app.client
            .post(&updates, update.clone())
            .await
            .faulty_fields(),
        ["update_date"]
    );
    update["update_date"] = json!("2026-05-16T00:00:00Z");
    let next = app.client.post(&updates, update.clone()).await.created();
    assert_eq!(
        (
            &next["version"],
            &next["previous"],
            &next["original"],
            &next["status"]
        ),
        (&json!(2), &offer["_id"], &offer["_id"], &json!("pending"))
    );
    assert_eq!(
        app.client.post(&updates, update).await.error(409),
        "conflict"
    );
    let versions = app.client.get(&format!("{path}/versions")).await.ok();
    assert_eq!(
        (
            &versions[0]["next"],
            &versions[0]["ends_at"],
            &versions[1]["_id"]
        ),
        (
            &next["_id"],
            &json!("2026-05-16T00:00:00.000Z"),
            &next["_id"]
        )
    );
    for (at, tariff, version) in [
        ("2026-05-15T23:59:59Z", "Fast", 1),
        ("2026-05-16T00:00:00Z", "All", 2),
    ] {
        let at = format!("{prices}&group={}&at={at}", site.fast.as_str().unwrap());
        let row = list(&app, &at).await[0].clone();
        assert_eq!(
            (&row["tariff"], &row["version"]),
            (&json!(tariff), &json!(version))
        );
    }
    app.clock.set("2026-05-16T00:00:00Z".parse().unwrap());
    let versions = app.client.get(&format!("{path}/versions")).await.ok();
    assert_eq!(
        (&versions[0]["status"], &versions[1]["status"]),
        (&json!("expired"), &json!("active"))
    );
    eventually(async || {
        app.event_types()
            .await
            .contains(&"service_offer.expired".to_owned())
    })
    .await;
}

#[actix_web::test]
async fn slots_cover_each_day_once_and_every_fault_is_told() {
    let app = TestApp::start().await;
    let site = site(&app).await;
    let mut offer = site.offer("2026-05-01T00:00:00Z");
    offer["tariffs"] = json!([
        {"name": "Day", "currency": "USD", "components": [
            {"type": "CHARGING_ENERGY", "reference_unit": "MINUTE", "price": 1, "grace_period": 5},
            {"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": 1, "fee_start": "SESSION_START"}]},
        {"name": "Night", "currency": "EUR", "components": []}]);
    offer["products"][0]["time_plans"] = json!([
        {"days_of_week": ["MONDAY", "TUESDAY"], "slots": [
            slot("00:00:00", "08:00:00", "Night"), slot("08:00:00", "12:00:00", "Day"), slot("13:00:00", "22:59:59", "Night")]},
        {"days_of_week": ["TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"],
            "slots": [slot("20:00:00", "06:00:00", "Night")]}]);
    offer["products"][1]["group"] = json!("650000000000000000000001");
    offer["partners"] = json!(["DE-ABC", "deabc"]);
    offer["two_step_fields"] = json!(["taxId"]);
    offer["valid_to"] = json!("2026-06-01T00:00:00Z");
    offer["minimum_term"] = json!(91);
    offer["cancellation_period"] = Value::Null;
    offer["period_of_notice"] = json!(5);
    let draft = app.client.post("/service_offers", offer).await.created();
    let publish = format!("/service_offers/{}/publish", id(&draft));
    let fields = app.client.post(&publish, json!({})).await.faulty_fields();
    assert_eq!(
        fields,
        [
            "cancellation_period",
            "minimum_term",
            "partners",
            "partners[1]",
            "period_of_notice",
            "products",
            "products[0].time_plans",
            "products[0].time_plans[0].slots",
            "products[0].time_plans[0].slots[1].start_time",
            "products[0].time_plans[0].slots[1].tariff",
            "products[0].time_plans[0].slots[2].start_time",
            "products[0].time_plans[1].days_of_week",
            "products[0].time_plans[1].slots",
            "products[0].time_plans[1].slots[0].end_time",
            "products[0].time_plans[1].slots[0].start_time",
            "products[1].group",
            "products[1].time_plans[0].slots[0].tariff",
            "tariffs[0].components[0].grace_period",
            "tariffs[0].components[0].reference_unit",
            "tariffs[0].components[1].fee_start",
            "tariffs[0].components[1].type",
            "tariffs[1].components",
            "two_step_fields",
            "valid_to"
        ]
    );
}

#[actix_web::test]
async fn an_offer_ends_by_its_terms_and_a_price_update_can_be_withdrawn() {
    let app = TestApp::start().await;
    let site = site(&app).await;
    let offer = app
        .client
        .post("/service_offers", site.offer("2026-05-01T00:00:00Z"))
        .await
        .created();
    let path = format!("/service_offers/{}", id(&offer));
    app.client
        .post(&format!("{path}/publish"), json!({}))
        .await
        .ok();

    // A second offer to all at the same time is refused; a copy is a draft, and bilateral ones are free.
    let copy = app
        .client
        .post(&format!("{path}/copy"), json!({}))
        .await
        .created();
    assert_eq!(
        (&copy["status"], &copy["name"]),
        (&json!("draft"), &json!("City 2026 (copy)"))
    );
    let own = format!("/service_offers/{}", id(&copy));
    let alone = app.client.post(&format!("{own}/publish"), json!({})).await;
    assert_eq!(alone.faulty_fields(), ["offer_to_all"]);
    let bilateral = json!({"offer_to_all": false, "partners": ["DE-ABC"]});
    app.client.patch(&own, bilateral).await.ok();
    app.client
        .post(&format!("{own}/publish"), json!({}))
        .await
        .ok();

    // Who sees what.
    let seen = |path: &str, partner: &str| format!("{path}/partner_view{partner}");
    let view = app.client.get(&seen(&path, "")).await.ok();
    assert_eq!(
        (
            &view["offer_type"],
            &view["pricing_details"][0]["days"][1]["day"]
        ),
        (&json!("OFFER_TO_ALL"), &json!("MONDAY"))
    );
    let monday = view["pricing_details"][0]["days"][1]["tariffs"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(monday, 3);
    assert_eq!(
        app.client.get(&seen(&own, "")).await.error(404),
        "not_found"
    );
    assert_eq!(
        app.client
            .get(&seen(&own, "?partner=DE-XYZ"))
            .await
            .error(404),
        "not_found"
    );
    assert_eq!(
        app.client.get(&seen(&own, "?partner=de*abc")).await.ok()["offer_type"],
        "BILATERAL"
    );
    assert_eq!(
        app.client
            .get(&seen(&own, "?partner=?"))
            .await
            .faulty_fields(),
        ["partner"]
    );

    // A price update that is not valid yet can be withdrawn: the version before goes on.
    app.clock.set("2026-05-02T00:00:00Z".parse().unwrap());
    let update = json!({"update_date": "2026-06-01T00:00:00Z", "tariffs": [tariff("All", json!([energy(0.55)]))],
        "products": [always(&site.slow, "All"), always(&site.fast, "All")]});
    let next = app
        .client
        .post(&format!("{path}/price_updates"), update)
        .await
        .created();
    assert_eq!(
        app.client
            .post(&format!("{path}/cancel"), json!({}))
            .await
            .error(409),
        "conflict"
    );
    let withdrawn = app
        .client
        .post(&format!("/service_offers/{}/cancel", id(&next)), json!({}))
        .await
        .ok();
    assert_eq!(withdrawn["status"], "cancelled");
    let before = app.client.get(&path).await.ok();
    assert_eq!(
        (&before["status"], &before["ends_at"], &before["next"]),
        (&json!("active"), &Value::Null, &Value::Null)
    );

    // Cancelling takes 42 days, by its terms.
    let soon = json!({"cancellation_to": "2026-06-12T00:00:00Z"});
    assert_eq!(
        app.client
            .post(&format!("{path}/cancel"), soon)
            .await
            .faulty_fields(),
        ["cancellation_to"]
    );
    let ending = app
        .client
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .ok();
    assert_eq!(
        (&ending["status"], &ending["ends_at"]),
        (&json!("active"), &json!("2026-06-13T00:00:00.000Z"))
    );
    app.clock.advance(42 * DAY);
    assert_eq!(app.client.get(&path).await.ok()["status"], "cancelled");
    eventually(async || {
        let told = app.event_types().await;
        told.iter()
            .filter(|kind| *kind == "service_offer.cancelled")
            .count()
            == 2
    })
    .await;
}

#[actix_web::test]
async fn where_a_connector_has_no_rate_the_offer_prices_its_sessions() {
    let app = TestApp::start().await;
    let site = site(&app).await;
    let station = app.station("S").await;
    let connector = app
        .client
        .get(&format!("/connectors/{}", station.connector))
        .await
        .ok();
    let evse = format!("/evses/{}", connector["evse"].as_str().unwrap());
    app.client
        .patch(&evse, json!({"evse_id": "NL*EWT*E1"}))
        .await
        .ok();
    let put = json!({"group": site.fast, "evses": [connector["evse"]]});
    app.client
        .post(&format!("{}/assignments", site.network), put)
        .await
        .ok();
    let offer = app
        .client
        .post("/service_offers", site.offer("2026-04-25T00:00:00Z"))
        .await
        .created();
    let publish = format!("/service_offers/{}/publish", id(&offer));
    app.client.post(&publish, json!({})).await.ok();
    app.clock.set("2026-04-25T12:00:00Z".parse().unwrap());

    let mut socket = FakeStation::connect(&station.url).await;
    let transaction = socket.start(1, "TAG", 0, "2026-04-25T10:00:00Z").await;
    let stop = json!({"transactionId": transaction, "meterStop": 10_000, "timestamp": "2026-04-25T11:00:00Z"});
    socket.call("StopTransaction", stop).await;
    let session = app.client.get("/sessions").await.json()["result"][0].clone();
    // 10 kWh × 0.69 and 1.00 for the session.
    assert_eq!(
        (
            &session["service_offer"],
            &session["rate"],
            &session["cost"]["amount"]
        ),
        (&offer["_id"], &Value::Null, &json!(7.9))
    );
}
