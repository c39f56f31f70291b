//! Service offers: what is refused, how they end, and what sessions cost under them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, WEEK};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn id(value: &Value) -> &str {
    value["_id"].as_str().expect("an id")
}

pub(super) fn energy(price: f64) -> Value {
    json!({"type": "CHARGING_ENERGY", "reference_unit": "KILOWATT_HOUR", "price": price})
}

pub(super) fn tariff(name: &str, components: Value) -> Value {
    json!({"name": name, "currency": "EUR", "components": components})
}

pub(super) fn slot(start: &str, end: &str, tariff: &str) -> Value {
    json!({"start_time": start, "end_time": end, "tariff": tariff})
}

/// A product that has one tariff all week.
pub(super) fn always(group: &Value, tariff: &str) -> Value {
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

pub(super) struct Site {
    pub network: String,
    pub slow: Value,
    pub fast: Value,
}

/// A network with two groups.
pub(super) async fn site(app: &TestApp) -> Site {
    let network = app.client.post("/evse_networks", json!({"name": "City"})).await.created();
    let path = format!("/evse_networks/{}", id(&network));
    let groups = format!("{path}/groups");
    let slow = app.client.post(&groups, json!({"name": "Slow"})).await.created();
    let fast = app.client.post(&groups, json!({"name": "Fast"})).await.created();
    Site { network: path, slow: slow["_id"].clone(), fast: fast["_id"].clone() }
}

impl Site {
    pub fn offer(&self, valid_from: &str) -> Value {
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

#[actix_web::test]
async fn slots_cover_each_day_once_and_every_fault_is_reported() {
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
    let offer = app.client.post("/service_offers", site.offer("2026-05-01T00:00:00Z")).await.created();
    let path = format!("/service_offers/{}", id(&offer));
    app.client.post(&format!("{path}/publish"), json!({})).await.ok();

    // A second offer to all at the same time is refused; a copy is a draft, and bilateral ones are free.
    let copy = app.client.post(&format!("{path}/copy"), json!({})).await.created();
    assert_eq!((&copy["status"], &copy["name"]), (&json!("draft"), &json!("City 2026 (copy)")));
    let own = format!("/service_offers/{}", id(&copy));
    let alone = app.client.post(&format!("{own}/publish"), json!({})).await;
    assert_eq!(alone.faulty_fields(), ["offer_to_all"]);
    let bilateral = json!({"offer_to_all": false, "partners": ["DE-ABC"]});
    app.client.patch(&own, bilateral).await.ok();
    app.client.post(&format!("{own}/publish"), json!({})).await.ok();

    // Who sees what.
    let seen = |path: &str, partner: &str| format!("{path}/partner_view{partner}");
    let view = app.client.get(&seen(&path, "")).await.ok();
    assert_eq!(
        (&view["offer_type"], &view["pricing_details"][0]["days"][1]["day"]),
        (&json!("OFFER_TO_ALL"), &json!("MONDAY"))
    );
    let monday = view["pricing_details"][0]["days"][1]["tariffs"].as_array().unwrap().len();
    assert_eq!(monday, 3);
    assert_eq!(app.client.get(&seen(&own, "")).await.error(404), "not_found");
    assert_eq!(app.client.get(&seen(&own, "?partner=DE-XYZ")).await.error(404), "not_found");
    assert_eq!(app.client.get(&seen(&own, "?partner=de*abc")).await.ok()["offer_type"], "BILATERAL");
    assert_eq!(app.client.get(&seen(&own, "?partner=?")).await.faulty_fields(), ["partner"]);

    // A price update that is not valid yet can be withdrawn: the version before goes on.
    app.pass_until("2026-05-02T00:00:00Z").await;
    let update = json!({"update_date": "2026-06-01T00:00:00Z", "tariffs": [tariff("All", json!([energy(0.55)]))],
        "products": [always(&site.slow, "All"), always(&site.fast, "All")]});
    let next = app.client.post(&format!("{path}/price_updates"), update).await.created();
    assert_eq!(app.client.post(&format!("{path}/cancel"), json!({})).await.error(409), "conflict");
    let withdrawn = app.client.post(&format!("/service_offers/{}/cancel", id(&next)), json!({})).await.ok();
    assert_eq!(withdrawn["status"], "cancelled");
    let before = app.client.get(&path).await.ok();
    assert_eq!(
        (&before["status"], &before["ends_at"], &before["next"]),
        (&json!("active"), &Value::Null, &Value::Null)
    );

    // Cancelling takes 42 days, by its terms.
    let soon = json!({"cancellation_to": "2026-06-12T00:00:00Z"});
    assert_eq!(app.client.post(&format!("{path}/cancel"), soon).await.faulty_fields(), ["cancellation_to"]);
    let ending = app.client.post(&format!("{path}/cancel"), json!({})).await.ok();
    assert_eq!((&ending["status"], &ending["ends_at"]), (&json!("active"), &json!("2026-06-13T00:00:00.000Z")));
    app.pass(42 * DAY).await;
    assert_eq!(app.client.get(&path).await.ok()["status"], "cancelled");
    let recorded = app.event_types().await;
    assert_eq!(recorded.iter().filter(|kind| *kind == "service_offer.cancelled").count(), 2);
}

#[actix_web::test]
async fn where_a_connector_has_no_rate_the_offer_prices_its_sessions() {
    let app = TestApp::start().await;
    let site = site(&app).await;
    let station = app.station_with("S", json!({"type": "Type2", "power": 22})).await;
    let connector = app.client.get(&format!("/connectors/{}", station.connector)).await.ok();
    let evse = format!("/evses/{}", connector["evse"].as_str().unwrap());
    app.client.patch(&evse, json!({"evse_id": "NL*EWT*E1"})).await.ok();
    let put = json!({"group": site.fast, "evses": [connector["evse"]]});
    app.client.post(&format!("{}/assignments", site.network), put).await.ok();
    let offer = app.client.post("/service_offers", site.offer("2026-04-25T00:00:00Z")).await.created();
    let publish = format!("/service_offers/{}/publish", id(&offer));
    app.client.post(&publish, json!({})).await.ok();
    app.pass_until("2026-04-25T12:00:00Z").await;

    let mut socket = FakeStation::connect(&station.url).await;
    let transaction = socket.start(1, "TAG", 0, "2026-04-25T10:00:00Z").await;
    let stop = json!({"transactionId": transaction, "meterStop": 10_000, "timestamp": "2026-04-25T11:00:00Z"});
    socket.call("StopTransaction", stop).await;
    let session = app.client.get("/sessions").await.json()["result"][0].clone();
    // 10 kWh × 0.69 and 1.00 for the session.
    assert_eq!(
        (&session["service_offer"], &session["rate"], &session["cost"]["amount"]),
        (&offer["_id"], &Value::Null, &json!(7.9))
    );
}
