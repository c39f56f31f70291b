//! Capacities that change with time: schedules in local time, and caps from outside.

use std::time::Duration;

use kernel::{Timestamp, Watts};
use serde_json::json;

use super::depot::Depot;

fn clock(at: Timestamp) -> String {
    at.to_chrono().format("%H:%M").to_string()
}

#[actix_web::test]
async fn an_external_cap_applies_until_it_ends() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 14})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[7.0, 7.0]).await;

    let now = depot.app.running.context.clock.now();
    let cap = json!({"maximum_capacity": 6, "until": now + Duration::from_secs(120), "reason": "Grid operator"});
    let path = depot.path("/external_cap");
    let group = depot.app.client.put(&path, cap.clone()).await.ok();
    assert_eq!(group["external_cap"]["reason"], "Grid operator");
    depot.until_limits(&[3.0, 3.0]).await;
    assert_eq!(depot.status().await["capacity_source"], "external_cap");
    depot.until_limits(&[7.0, 7.0]).await;
    assert_eq!(depot.status().await["capacity_source"], "maximum_capacity");
    assert!(depot.app.running.context.clock.now() >= now + Duration::from_secs(120));

    let late = depot.app.client.put(&path, cap).await;
    assert_eq!(late.faulty_fields(), ["until"]);
    let long = json!({"maximum_capacity": 6, "until": "2100-01-01T00:00:00Z"});
    depot.app.client.put(&path, long).await.ok();
    depot.until_limits(&[3.0, 3.0]).await;
    let group = depot.app.client.delete(&path).await.ok();
    assert_eq!(group["external_cap"], json!(null));
    depot.until_limits(&[7.0, 7.0]).await;
}

#[actix_web::test]
async fn a_weekly_capacity_begins_and_ends_with_its_minutes() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 14})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[7.0, 7.0]).await;

    let now = depot.app.running.context.clock.now();
    let minute = |after: u64| clock(now + Duration::from_secs(after * 60));
    let schedules = json!({"weekly": [{"from": minute(2), "to": minute(4), "maximum_capacity": 8}]});
    let patch = json!({"capacity_schedules": schedules});
    let group = depot.app.client.patch(&depot.path(""), patch).await.ok();
    assert_eq!(group["capacity_schedules"]["weekly"][0]["maximum_capacity"], 8.0);
    assert_eq!(depot.status().await["worst_case_if_server_dies_kw"], 2.76);
    depot.link.watch();
    depot.until_limits(&[4.0, 4.0]).await;
    assert_eq!(depot.status().await["capacity_source"], "weekly");
    assert_eq!(clock(depot.app.running.context.clock.now()), minute(2));
    depot.until_limits(&[7.0, 7.0]).await;
    assert_eq!(clock(depot.app.running.context.clock.now()), minute(4));
    assert!(depot.link.most() <= Watts(14_000));
}

#[actix_web::test]
async fn wrong_capacities_are_named() {
    let depot = Depot::new(0, json!({"maximum_capacity": 14})).await;
    let weekly = |from: &str, to: &str, days: serde_json::Value| json!({"weekly": [{"weekdays": days, "from": from, "to": to, "maximum_capacity": 8}]});
    let wrong = [
        (json!({"feeder_rating": 10}), "feeder_rating"),
        (json!({"capacity_schedules": weekly("25:00", "26:00", json!(["mon"]))}), "capacity_schedules.weekly[0].from"),
        (
            json!({"capacity_schedules": weekly("10:00", "11:00", json!(["moonday"]))}),
            "capacity_schedules.weekly[0].weekdays",
        ),
        (json!({"capacity_schedules": weekly("10:00", "11:00", json!([]))}), "capacity_schedules.weekly[0].weekdays"),
        (json!({"capacity_schedules": {"monthly": []}}), "capacity_schedules.monthly"),
    ];
    for (patch, field) in wrong {
        let refused = depot.app.client.patch(&depot.path(""), patch.clone()).await;
        assert!(refused.faulty_fields().contains(&field.to_owned()), "{patch}");
    }
    let cap = json!({"maximum_capacity": -1, "until": "soon"});
    let mut fields = depot.app.client.put(&depot.path("/external_cap"), cap).await.faulty_fields();
    fields.sort();
    assert_eq!(fields, ["maximum_capacity", "until"]);
}
