//! Charging in the cheapest hours: prices, a departure and a need become limits, and are shown with what they save.

use std::time::Duration;

use kernel::Timestamp;
use serde_json::{Value, json};

use super::depot::Depot;

/// The start of the hour in which these tests begin.
const THREE: &str = "2026-04-24T03:00:00Z";

fn hour(after: u64) -> Timestamp {
    let three: Timestamp = THREE.parse().expect("an instant");
    three + Duration::from_secs(after * 3_600)
}

/// Prices from three o'clock on, an hour each.
fn prices(all: &[f64]) -> Value {
    let hours = (0..).zip(all);
    let hours = hours.map(|(after, price)| json!({"from": hour(after), "to": hour(after + 1), "price": price}));
    json!({"currency": "EUR", "prices": hours.collect::<Vec<_>>()})
}

/// A home with a car that needs this much in so many hours after three.
async fn home(energy: f64, departure: u64) -> Depot {
    let mut depot = Depot::new(1, json!({"maximum_capacity": 7, "algorithm": "consumer_tou"})).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0]).await;
    let session = depot.member(0).await["session"].as_str().expect("a session").to_owned();
    let wish = json!({"departure_time": hour(departure), "energy_need": energy});
    depot.app.client.patch(&format!("/sessions/{session}"), wish).await.ok();
    depot
}

async fn set_prices(depot: &Depot, prices: Value) -> Value {
    depot.app.client.put(&depot.path("/energy_prices"), prices).await.ok()
}

async fn plan(depot: &Depot) -> Value {
    depot.app.client.get(&depot.path("/charging_plan")).await.ok()[0].clone()
}

#[actix_web::test]
async fn a_car_that_has_time_charges_when_energy_costs_least() {
    let mut depot = home(10.5, 5).await;
    set_prices(&depot, prices(&[0.30, 0.10, 0.25, -0.02, 0.40])).await;
    let plan = plan(&depot).await;
    assert_eq!((&plan["feasible"], &plan["waits_until"]), (&json!(true), &json!(hour(1))));
    let hours: Vec<_> = plan["hours"]
        .as_array()
        .expect("hours")
        .iter()
        .map(|one| (one["from"].clone(), one["power"].clone(), one["price"].clone()))
        .collect();
    assert_eq!(hours, [(json!(hour(1)), json!(7.0), json!(0.1)), (json!(hour(3)), json!(7.0), json!(-0.02)),]);
    // 7 kWh at -0.02 and 3.5 at 0.10; at once it would be 0.30 until four, and 0.10 for the rest.
    assert_eq!((&plan["cost"], &plan["currency"]), (&json!(0.21), &json!("EUR")));
    let at_once = plan["cost_at_once"].as_f64().expect("a cost");
    assert!((2.2..2.4).contains(&at_once), "{at_once}");

    depot.until_limits(&[0.0]).await;
    let member = depot.member(0).await;
    assert_eq!(member["rule"], "cheaper-hours");
    assert!(
        member["reason"].as_str().is_some_and(|why| why.contains("waits for cheaper hours until 2026-04-24T04:00")),
        "{member}"
    );
    let explained = depot.app.client.get(&depot.path("/explain")).await.ok();
    assert_eq!(explained["reproduced"], true);

    let priority = depot.path("/priority_charge");
    depot.app.client.post(&priority, json!({})).await.created();
    depot.until_limits(&[7.0]).await;
    depot.app.client.delete(&priority).await.ok();
    depot.until_limits(&[0.0]).await;

    depot.pass(hour(1).since(depot.app.running.context.clock.now()) - Duration::from_secs(30)).await;
    depot.until_limits(&[7.0]).await;
    let now = depot.app.running.context.clock.now();
    assert!(now >= hour(1) && now < hour(1) + Duration::from_secs(60), "{now}");
    depot.app.client.delete(&depot.path("/energy_prices")).await.ok();
    assert_eq!(depot.app.client.get(&depot.path("/charging_plan")).await.ok(), json!([]));
    depot.unplug(0).await;
}

#[actix_web::test]
async fn a_car_that_cannot_be_ready_charges_at_once_and_the_plan_says_so() {
    let depot = home(70.0, 5).await;
    set_prices(&depot, prices(&[0.30, 0.10, 0.25, -0.02, 0.40])).await;
    let plan = plan(&depot).await;
    assert_eq!((&plan["feasible"], &plan["waits_until"]), (&json!(false), &json!(null)));
    // There are less than five hours at 7 kW.
    let missing = plan["missing_energy"].as_f64().expect("a number");
    assert!((35.5..36.5).contains(&missing), "{missing}");
    depot.until_limits(&[7.0]).await;
}

#[actix_web::test]
async fn cheap_hours_are_only_used_where_charging_is_allowed() {
    let depot = home(7.0, 5).await;
    set_prices(&depot, prices(&[0.30, 0.10, 0.25])).await;
    let times = json!({"windows": [{"from": "04:00", "to": "05:00"}]}); // Depots stand in UTC
    depot.app.client.put(&depot.path("/exclusion_times"), times).await.ok();
    let plan = plan(&depot).await;
    assert_eq!((&plan["feasible"], &plan["waits_until"]), (&json!(true), &json!(hour(2))));
    assert_eq!(plan["cost"], 1.75);
    let more = json!({"energy_need": 14});
    let session = format!("/sessions/{}", plan["session"].as_str().expect("a session"));
    depot.app.client.patch(&session, more).await.ok();
    let plan = self::plan(&depot).await;
    // Not even an hour is left before four, so some energy has to wait for hours without a price.
    let unpriced = plan["unpriced_energy"].as_f64().expect("a number");
    assert!((0.5..1.2).contains(&unpriced), "{unpriced}");
}

#[actix_web::test]
async fn a_rate_says_what_energy_costs() {
    let depot = home(7.0, 5).await;
    let rate = json!({"name": "Home", "currency": "EUR", "price_components": [
        {"type": "ENERGY", "price": 0.25, "tax": 20}]});
    let rate = depot.app.client.post("/rates", rate).await.created();
    let group = set_prices(&depot, json!({"rate": rate["_id"]})).await;
    assert_eq!(group["energy_prices"]["rate"], rate["_id"]);
    let plan = plan(&depot).await;
    assert_eq!((&plan["hours"][0]["price"], &plan["cost"]), (&json!(0.3), &json!(2.1)));
    assert_eq!(plan["waits_until"], json!(null), "all hours cost the same");
}

#[actix_web::test]
async fn wrong_prices_are_named() {
    let depot = Depot::new(0, json!({"maximum_capacity": 7, "algorithm": "consumer_tou"})).await;
    let path = depot.path("/energy_prices");
    let faults = async |body: Value| depot.app.client.put(&path, body).await.faulty_fields();
    assert_eq!(faults(json!({})).await, ["prices"]);
    assert_eq!(faults(json!({"prices": []})).await, ["currency"]);
    let mut both = prices(&[0.1]);
    both["rate"] = json!("650000000000000000000001");
    assert_eq!(faults(both).await, ["prices"]);
    assert_eq!(faults(json!({"rate": "650000000000000000000001"})).await, ["rate"]);
    let mut overlapping = prices(&[0.1, 0.2]);
    overlapping["prices"][1]["from"] = json!(hour(0));
    assert_eq!(faults(overlapping).await, ["prices[1].from"]);
    let mut wrong = prices(&[0.1]);
    wrong["prices"][0]["price"] = json!("cheap");
    assert_eq!(faults(wrong).await, ["prices[0].price"]);
    let equal = json!({"algorithm": "equal_share"});
    depot.app.client.patch(&depot.path(""), equal).await.ok();
    assert_eq!(depot.app.client.put(&path, prices(&[0.1])).await.error(409), "conflict");
}
