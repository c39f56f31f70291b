//! Limits that somebody else put on a station: it keeps them by itself, and others get what it cannot draw.

use std::time::Duration;

use evenwatt::sites::stations::link::{Enforced, SignalKind};
use evenwatt::sites::stations::{self, ExternalLimit, LimitSchedule, LimitStep};
use evenwatt::store::Json;
use kernel::{StationId, Timestamp, Watts};
use serde_json::json;

use super::depot::Depot;

fn limit(station: StationId, evse: i32, now: Timestamp, steps: &[(u64, i64)]) -> ExternalLimit {
    let step = |(after, watts): &(u64, i64)| LimitStep {
        from: now + Duration::from_secs(*after),
        limit: Some(Enforced::Power(Watts(*watts))),
        phases: None,
    };
    ExternalLimit {
        chargestation_id: station,
        evse_number: evse,
        source: "EMS".to_owned(),
        evse_id: None,
        grid_critical: None,
        local_generation: false,
        schedules: Json(vec![LimitSchedule { start: now, end: None, steps: steps.iter().map(step).collect() }]),
        reported_at: now,
    }
}

async fn keep(depot: &Depot, port: usize, limit: ExternalLimit) {
    let db = &depot.app.running.context.db;
    let write = db.write(move |conn| stations::keep_external_limit(conn, limit.clone()));
    assert!(write.await.expect("stored"));
    depot.signal(port, SignalKind::ExternalLimit);
}

#[actix_web::test]
async fn others_get_what_an_external_limit_leaves_until_it_is_cleared() {
    let mut depot = Depot::new(3, json!({"maximum_capacity": 12})).await;
    for port in 0..3 {
        depot.plug_in(port).await;
    }
    depot.until_limits(&[4.0, 4.0, 4.0]).await;
    let now = depot.app.running.context.clock.now();
    let station = depot.ports[0].station;
    keep(&depot, 0, limit(station, 0, now, &[(0, 2_000), (90, 3_000)])).await;
    depot.until_limits(&[2.0, 5.0, 5.0]).await;

    let explained = depot.app.client.get(&depot.path("/explain")).await.ok();
    assert_eq!(explained["reproduced"], true);
    assert_eq!(explained["groups"].as_array().map(Vec::len), Some(1));
    let member = depot.member(0).await;
    let reason = member["reason"].as_str().expect("a reason");
    assert!(reason.contains("2 kW that an external limit leaves"), "{reason}");
    let scarce = json!({"of": "external_power", "limited": station, "power": 2.0});
    assert_eq!(member["because"], json!({"code": "shared", "scarce": scarce, "sharing": 1}));

    depot.until_limits(&[3.0, 4.5, 4.5]).await;
    assert!(depot.app.running.context.clock.now() >= now + Duration::from_secs(90));

    let db = &depot.app.running.context.db;
    let clear = db.write(move |conn| stations::clear_external_limits(conn, station, None, "EMS"));
    clear.await.expect("stored");
    depot.signal(0, SignalKind::ExternalLimit);
    depot.until_limits(&[4.0, 4.0, 4.0]).await;
}

#[actix_web::test]
async fn less_than_a_car_can_be_given_is_nothing_and_the_group_is_not_exceeded() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 8})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[4.0, 4.0]).await;
    let now = depot.app.running.context.clock.now();
    let station = depot.ports[0].station;
    keep(&depot, 0, limit(station, 1, now, &[(0, 1_000)])).await;
    depot.until_limits(&[0.0, 7.0]).await;
    let events = depot.app.event_types().await;
    let exceeded = "load_management.group.limit_exceeded";
    assert!(!events.iter().any(|kind| kind == exceeded));
}

#[actix_web::test]
async fn connectors_share_what_is_left_to_their_station() {
    let mut depot = Depot::new(1, json!({"maximum_capacity": 20})).await;
    let station = depot.ports[0].station;
    let second = json!({"type": "J1772", "power": 7});
    let path = format!("/chargestations/{station}/connectors");
    let second = depot.app.client.post(&path, second).await.created();
    let members = format!("/load_management/groups/chargestations/{station}");
    let both = json!({"connectors": [{"id": depot.ports[0].connector}, {"id": second["_id"]}]});
    depot.app.client.patch(&members, both).await.ok();
    depot.add_connector(0, second["_id"].as_str().expect("an id"));
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    let given = async |depot: &Depot| {
        let status = depot.status().await;
        let members = status["members"].as_array().expect("members").clone();
        let limits = members.iter().filter_map(|member| member["limit"].as_f64());
        limits.collect::<Vec<_>>()
    };
    depot.until(async || given(&depot).await == [7.0, 7.0]).await;
    let now = depot.app.running.context.clock.now();
    keep(&depot, 0, limit(station, 0, now, &[(0, 8_000)])).await;
    depot.until(async || given(&depot).await == [4.0, 4.0]).await;
    keep(&depot, 0, limit(station, 2, now, &[(0, 3_000)])).await;
    depot.until(async || given(&depot).await == [5.0, 3.0]).await;
}
