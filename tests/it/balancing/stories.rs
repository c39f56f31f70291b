//! Longer stories: stations and servers that are away for a while, and what people are asked to put right.

use std::time::Duration;

use evenwatt::sites::stations::link::Enforced;
use kernel::{Milliamps, Watts};
use serde_json::{Value, json};

use super::depot::Depot;
use super::link::Manner;

fn plain() -> Value {
    json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})
}

#[actix_web::test]
async fn a_station_comes_back_after_an_hour_offline() {
    let mut depot = Depot::new(3, plain()).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0, 0.0]).await;
    depot.goes_offline(0);
    depot.pass(Duration::from_secs(3_600)).await;
    depot.plug_in(2).await;
    depot.until(async || depot.limits()[1..] == [4.0, 4.0]).await;
    assert_eq!(depot.member(0).await["worst"], 2.0, "its fallback");

    depot.link.expire(depot.ports[0].station, Watts(2_000));
    depot.link.watch();
    depot.comes_back(0);
    depot.until_limits(&[3.334, 3.333, 3.333]).await;
    assert!(depot.link.most() <= Watts(10_000), "{}", depot.link.most());
}

#[actix_web::test]
async fn the_server_is_dead_for_ten_minutes() {
    let mut depot = Depot::new(3, plain()).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0, 0.0, 0.0]).await;
    let promised = depot.status().await["worst_case_if_server_dies_kw"].as_f64();
    assert_eq!(promised, Some(6.0), "three fallbacks");
    depot.app.running.balancer.stop();
    depot.app.pass(Duration::from_secs(600)).await;
    for port in &depot.ports {
        depot.link.expire(port.station, Watts(2_000));
    }
    depot.plug_in(1).await;
    depot.plug_in(2).await;
    depot.link.watch();

    let second_life = depot.second_life();
    depot.until_limits(&[3.334, 3.333, 3.333]).await;
    assert!(depot.link.most() <= Watts(10_000), "{}", depot.link.most());
    second_life.stop();
}

/// What should be put right.
async fn codes(depot: &Depot) -> Vec<String> {
    let status = depot.status().await;
    let warnings = status["warnings"].as_array().expect("warnings");
    let code = |warning: &Value| warning["code"].as_str().expect("a code").to_owned();
    warnings.iter().map(code).collect()
}

#[actix_web::test]
async fn what_should_be_put_right_is_warned_of() {
    let mut depot = Depot::new(2, plain()).await;
    depot.until_limits(&[0.0, 0.0]).await;
    depot.until(async || codes(&depot).await.is_empty()).await;

    let too_much = json!({"fallback_capacity": 6});
    depot.app.client.patch(&depot.path(""), too_much).await.ok();
    depot.until(async || codes(&depot).await == ["fallbacks_exceed_capacity"]).await;
    let fair = json!({"fallback_capacity": 2});
    depot.app.client.patch(&depot.path(""), fair).await.ok();
    depot.until(async || codes(&depot).await.is_empty()).await;

    let group = depot.app.client.get(&depot.path("")).await.ok();
    let silent = json!({"name": "Kitchen", "type": "consumer", "location": group["location"], "group": group["_id"]});
    let asset = depot.app.client.post("/assets", silent).await.created();
    assert_eq!(codes(&depot).await, ["asset_without_data"]);
    let path = format!("/assets/{}", asset["_id"].as_str().expect("an id"));
    depot.app.client.delete(&path).await.ok();

    let second = depot.ports[1].station;
    depot.link.enforce(second, Enforced::Current(Milliamps(32_000)));
    depot.comes_back(1);
    depot.until(async || codes(&depot).await == ["composite_schedule_differs"]).await;
    depot.link.enforce(second, Enforced::Power(Watts(0)));
    depot.comes_back(1);
    depot.until(async || codes(&depot).await.is_empty()).await;

    depot.link.behave(depot.ports[0].station, Manner::Refuses);
    depot.plug_in(0).await;
    depot.until(async || codes(&depot).await.contains(&"refuses_limits".to_owned())).await;
}
