//! A group on one axis of time.

use std::time::Duration;

use kernel::Watts;
use serde_json::{Value, json};

use super::depot::Depot;

async fn timeline(depot: &Depot, query: &str) -> Value {
    let path = depot.path(&format!("/timeline?{query}"));
    depot.app.client.get(&path).await.ok()
}

#[actix_web::test]
async fn a_timeline_shows_means_of_minutes_and_of_quarters_with_every_asset() {
    let mut depot = Depot::new(1, json!({"maximum_capacity": 10, "buffer": 0.1})).await;
    let group = depot.app.client.get(&depot.path("")).await.ok();
    let asset = json!({"name": "Kitchen", "type": "consumer", "static_power": 2, "location": group["location"],
        "group": depot.group});
    depot.app.client.post("/assets", asset).await.created();
    depot.plug_in(0).await;
    depot.until_limits(&[7.0]).await;
    // It is 03:06:40 and a little; from 03:08 on 3 kW are drawn.
    depot.app.pass_until("2026-04-24T03:08:00Z").await;
    for _ in 0..482 {
        depot.meter(0, Watts(3_000)).await;
        depot.pass(Duration::from_secs(1)).await;
    }
    let minutes = timeline(&depot, "from=2026-04-24T03:09:00Z&to=2026-04-24T03:12:00Z&resolution=60").await;
    assert_eq!((&minutes["resolution"], &minutes["from"]), (&json!(60), &json!("2026-04-24T03:09:00.000Z")));
    for (name, value) in [("drawn", 3.0), ("capacity", 10.0), ("usable", 7.0), ("uncontrolled_load", 2.0)] {
        assert_eq!(minutes[name], json!([value, value, value]), "{name}: {minutes:#}");
    }
    let granted = minutes["granted"].as_array().expect("a list");
    assert!(granted.iter().all(|one| one.as_f64().is_some_and(|one| (3.0..=7.0).contains(&one))), "{granted:?}");
    let asset = &minutes["assets"][0];
    assert_eq!((&asset["name"], &asset["load"]), (&json!("Kitchen"), &json!([2.0, 2.0, 2.0])));
    assert_eq!(minutes["planned"], json!([null, null, null]));

    // The quarter of an hour goes on at 03:16, and its minutes stand for it: 3 kW since 03:15.
    let quarter = timeline(&depot, "from=2026-04-24T03:15:00Z&to=2026-04-24T03:16:00Z&resolution=900").await;
    assert_eq!(quarter["drawn"], json!([3.0]), "{quarter:#}");
    let ahead = timeline(&depot, "from=2026-04-24T03:15:00Z&to=2026-04-24T04:00:00Z&resolution=900").await;
    assert_eq!(ahead["capacity"], json!([10.0, 10.0, 10.0]));
    assert_eq!(ahead["usable"], json!([7.0, null, null]));

    let month = timeline(&depot, "from=2026-04-01T00:00:00Z&to=2026-05-01T00:00:00Z").await;
    assert_eq!((&month["resolution"], month["drawn"].as_array().unwrap().len()), (&json!(10_800), 240));
    let wrong = depot.path("/timeline?from=2026-04-24T03:00:00Z&to=2026-04-20T03:00:00Z");
    assert_eq!(depot.app.client.get(&wrong).await.faulty_fields(), ["from"]);
    let many = depot.path("/timeline?from=2026-01-01T00:00:00Z&resolution=900");
    assert_eq!(depot.app.client.get(&many).await.faulty_fields(), ["resolution"]);
}
