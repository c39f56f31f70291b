//! What else draws and gives power at the site: meters, solar panels and consumers, and what follows from their data.

use std::time::Duration;

use kernel::Watts;
use serde_json::{Value, json};

use super::depot::Depot;

/// An asset of a depot.
struct Asset {
    path: String,
}

impl Asset {
    async fn new(depot: &Depot, fields: Value) -> Self {
        let group = depot.app.client.get(&depot.path("")).await.ok();
        let mut new = json!({"name": "Asset", "location": group["location"], "group": group["_id"]});
        for (name, value) in fields.as_object().expect("fields") {
            new[name] = value.clone();
        }
        let asset = depot.app.client.post("/assets", new).await.created();
        let path = format!("/assets/{}", asset["_id"].as_str().expect("an id"));
        Self { path }
    }

    async fn reads(&self, depot: &Depot, power: f64) {
        let path = format!("{}/readings", self.path);
        let client = &depot.app.client;
        client.post(&path, json!({"power": power})).await.created();
    }

    /// Reads this power every few seconds, while time passes.
    async fn keeps_reading(&self, depot: &Depot, power: f64, seconds: u64) {
        for _ in 0..seconds.div_ceil(5) {
            self.reads(depot, power).await;
            depot.pass(Duration::from_secs(5)).await;
        }
    }

    async fn reads_until(&self, depot: &Depot, power: f64, limits: &[f64]) {
        for _ in 0..60 {
            self.keeps_reading(depot, power, 5).await;
            if depot.limits() == limits {
                return;
            }
        }
        panic!("never {limits:?} but {:?}\n{:#}", depot.limits(), depot.status().await);
    }
}

/// How often events of a type were recorded.
async fn recorded(depot: &Depot, kind: &str) -> usize {
    let types = depot.app.event_types().await;
    types.iter().filter(|recorded| *recorded == kind).count()
}

#[actix_web::test]
async fn the_surplus_of_solar_panels_falls_while_cars_charge() {
    let group = json!({"maximum_capacity": 6, "feeder_rating": 20});
    let mut depot = Depot::new(2, group).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[3.0, 3.0]).await;
    let panels = Asset::new(&depot, json!({"type": "producer"})).await;
    depot.link.watch();
    panels.reads_until(&depot, 6.0, &[6.0, 6.0]).await;
    let status = depot.status().await;
    assert_eq!((&status["capacity"], &status["uncontrolled_load"]), (&json!(12.0), &json!(-6.0)));
    assert_eq!(status["assets"][0]["basis"], "fresh");

    panels.reads(&depot, 1.0).await;
    depot.until(async || depot.limits() == [3.5, 3.5]).await;
    let fell_at = depot.app.running.context.clock.now();
    assert_eq!(recorded(&depot, "load_management.group.meter_stale").await, 0);
    depot.until_limits(&[3.0, 3.0]).await;
    let silent = depot.app.running.context.clock.now().since(fell_at);
    assert!(silent >= Duration::from_secs(50), "stale after a minute, not after {silent:?}");
    assert_eq!(recorded(&depot, "load_management.group.meter_stale").await, 1);
    assert_eq!(depot.status().await["assets"][0]["basis"], "stale");
    assert!(depot.link.most() <= Watts(12_000));
}

#[actix_web::test]
async fn sunshine_never_lifts_a_group_above_its_feeder() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 6, "feeder_rating": 8})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.link.watch();
    let panels = Asset::new(&depot, json!({"type": "producer"})).await;
    panels.reads_until(&depot, 50.0, &[4.0, 4.0]).await;
    assert!(depot.link.most() <= Watts(8_000));
}

#[actix_web::test]
async fn the_meter_of_a_building_goes_silent() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 30})).await;
    let fields = json!({"type": "smart_meter", "meter_scope": "building", "fallback_power": 24});
    let meter = Asset::new(&depot, fields).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[3.0, 3.0]).await; // nothing is known of the building: the fallback counts
    meter.reads_until(&depot, 10.0, &[7.0, 7.0]).await;
    meter.reads(&depot, 22.0).await;
    depot.until(async || depot.limits() == [4.0, 4.0]).await;
    let silent_since = depot.app.running.context.clock.now();
    depot.until_limits(&[3.0, 3.0]).await;
    let silent = depot.app.running.context.clock.now().since(silent_since);
    assert!(silent >= Duration::from_secs(80), "held for half a minute: {silent:?}");
    assert_eq!(depot.status().await["assets"][0]["basis"], "fallback");
    meter.reads_until(&depot, 16.0, &[7.0, 7.0]).await;
    assert_eq!(recorded(&depot, "load_management.group.meter_fresh").await, 1);
}

#[actix_web::test]
async fn a_meter_of_the_site_shows_the_chargers_too() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 20})).await;
    let meter = Asset::new(&depot, json!({"type": "smart_meter"})).await;
    depot.plug_in(0).await;
    depot.until(async || depot.status().await["uncontrolled_load"].is_null()).await;
    depot.until_limits(&[0.0, 0.0]).await; // nobody knows what the building may draw
    meter.reads_until(&depot, 8.0, &[6.9, 0.0]).await;

    // The car draws, the meter shows it at once, its own meter only later: nothing is cut for what it was allowed.
    depot.link.watch();
    meter.keeps_reading(&depot, 15.0, 30).await;
    assert_eq!(depot.limits(), [6.9, 0.0]);
    depot.meter(0, Watts(7_000)).await;
    meter.keeps_reading(&depot, 15.0, 30).await;
    assert_eq!(depot.limits(), [6.9, 0.0]);
    // It claims 0.1 kW more than it may draw, which does not count.
    assert_eq!(depot.status().await["uncontrolled_load"], 8.1);
    assert!(depot.link.live_limits().iter().all(|(_, limit)| !limit.lowers));

    // The building draws more than is left: whatever the chargers report, the total is kept.
    meter.reads(&depot, 22.0).await;
    depot.until(async || depot.limits() == [4.9, 0.0]).await; // 6.9 less the excess of 2
}

#[actix_web::test]
async fn a_panel_is_full_while_the_site_is_not() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 30})).await;
    let (client, site) = (&depot.app.client, depot.group.clone());
    let panel = json!({"name": "Panel", "location": client.get(&depot.path("")).await.ok()["location"],
        "parent": site, "maximum_capacity": 9});
    let panel = client.post("/load_management/groups", panel).await.created();
    let panel_id = panel["_id"].as_str().expect("an id");
    let workshop = json!({"name": "Workshop", "type": "consumer", "static_power": 5, "group": panel_id,
        "location": panel["location"]});
    client.post("/assets", workshop).await.created();
    let station = depot.ports[1].station;
    let path = format!("/load_management/groups/chargestations/{station}");
    client.delete(&path).await.ok();
    let path = format!("/load_management/groups/{panel_id}/chargestations");
    client.post(&path, json!({"chargestation": station})).await.created();
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[7.0, 4.0]).await;
    assert_eq!(depot.status().await["uncontrolled_load"], 5.0);
    let member = depot.member(1).await;
    assert!(member["reason"].as_str().is_some_and(|reason| reason.contains(panel_id)), "{member}");
}

#[actix_web::test]
async fn what_assets_count_with_adds_up_to_the_load_also_where_a_meter_replaces_them() {
    let depot = Depot::new(1, json!({"maximum_capacity": 50})).await;
    let fields = json!({"type": "smart_meter", "meter_scope": "building", "name": "Building"});
    let meter = Asset::new(&depot, fields).await;
    let sun = Asset::new(&depot, json!({"type": "producer", "name": "Sun"})).await;
    let lift = Asset::new(&depot, json!({"type": "consumer", "name": "Lift"})).await;
    meter.reads(&depot, 12.0).await;
    sun.reads(&depot, 5.0).await;
    lift.reads(&depot, 3.0).await;
    let counted = async || {
        let status = depot.status().await;
        let assets = status["assets"].as_array().expect("assets").clone();
        let of = |asset: &Value| asset["counted"].as_f64().expect("a number");
        let sum: f64 = assets.iter().map(of).sum();
        assert_eq!(status["uncontrolled_load"], sum, "{status:#}");
        let of = |name: &str| {
            let asset = assets.iter().find(|asset| asset["name"] == name);
            let asset = asset.expect("an asset");
            (asset["counted"].clone(), asset["replaced_by"].clone())
        };
        ["Building", "Sun", "Lift"].map(of)
    };
    // The meter sees the sun and the lift, so it counts in their place.
    let by = json!(meter.path.trim_start_matches("/assets/"));
    let replaced = (json!(0.0), by);
    let alone = |power: f64| (json!(power), Value::Null);
    assert_eq!(counted().await, [alone(12.0), replaced.clone(), replaced]);

    let off = json!({"active": false});
    depot.app.client.patch(&meter.path, off).await.ok();
    assert_eq!(counted().await, [alone(0.0), alone(-5.0), alone(3.0)]);
}
