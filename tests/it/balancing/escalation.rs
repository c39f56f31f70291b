//! A capacity falls, and stations do not follow: what is done after half a minute, and after a minute.

use std::time::Duration;

use evenwatt::sites::stations::link::StationCommand;
use kernel::Timestamp;
use serde_json::{Value, json};

use super::depot::Depot;
use super::link::Manner;

/// Two cars with 7 kW each on 14 kW.
async fn two_cars(more: Value) -> Depot {
    let mut fields = json!({"maximum_capacity": 14, "minimum_connector_capacity": 2});
    for (name, value) in more.as_object().into_iter().flatten() {
        fields[name] = value.clone();
    }
    let mut depot = Depot::new(2, fields).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[7.0, 7.0]).await;
    depot
}

async fn falls_to(depot: &Depot, kilowatts: f64) {
    let body = json!({"maximum_capacity": kilowatts});
    depot.app.client.patch(&depot.path(""), body).await.ok();
}

/// How long ago a moment is, by the test's clock.
fn since(depot: &Depot, before: Timestamp) -> Duration {
    depot.app.running.context.clock.now().since(before)
}

/// The sessions that were asked to stop, by port.
fn stopped(depot: &Depot) -> Vec<usize> {
    let sent = depot.link.sent().into_iter();
    sent.filter(|(_, command)| matches!(command, StationCommand::StopCharging { .. }))
        .filter_map(|(station, _)| depot.ports.iter().position(|port| port.station == station))
        .collect()
}

#[actix_web::test]
async fn a_station_that_does_not_answer_a_cut_is_not_waited_for() {
    let depot = two_cars(json!({})).await;
    depot.link.behave(depot.ports[0].station, Manner::Hangs);
    let fell = depot.app.running.context.clock.now();
    falls_to(&depot, 9.0).await;
    depot.until(async || depot.limits() == [7.0, 4.5]).await;
    depot.pass(Duration::from_secs(20)).await;
    assert_eq!(depot.limits(), [7.0, 4.5], "it may still answer");
    depot.until(async || depot.limits() == [7.0, 2.0]).await;
    assert!(since(&depot, fell) < Duration::from_secs(45));
    assert_eq!(depot.member(0).await["rule"], "reservation");

    falls_to(&depot, 7.5).await;
    depot.until(async || depot.limits() == [7.0, 0.0]).await;
    depot.pass(Duration::from_secs(120)).await;
    assert!(stopped(&depot).is_empty(), "nobody asked for it");
}

#[actix_web::test]
async fn a_session_is_stopped_to_shed_load_where_the_group_says_so() {
    let mut depot = two_cars(json!({"stop_when_exceeded": true})).await;
    depot.link.behave(depot.ports[0].station, Manner::Refuses);
    let fell = depot.app.running.context.clock.now();
    falls_to(&depot, 5.0).await;
    depot.until(async || depot.limits() == [7.0, 0.0]).await;
    depot.pass(Duration::from_secs(20)).await;
    assert!(stopped(&depot).is_empty(), "not yet");
    depot.until(async || stopped(&depot) == [0]).await;
    assert!(since(&depot, fell) < Duration::from_secs(90));
    for _ in 0..5 {
        depot.pass(Duration::from_secs(5)).await;
    }
    assert_eq!(stopped(&depot), [0], "it has a minute to stop");
    let events = depot.app.event_types().await;
    let kind = "load_management.group.session_stopped";
    assert_eq!(events.iter().filter(|event| *event == kind).count(), 1);
    let caused = depot.app.client.get("/events?actor_type=balancing&limit=1000").await.ok();
    let by_balancing: Vec<_> = caused.as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert!(by_balancing.contains(&&json!(kind)), "{by_balancing:?}");
    let ours = |kind: &&Value| kind.as_str().is_some_and(|kind| kind.starts_with("load_management.group."));
    assert!(by_balancing.iter().all(ours), "{by_balancing:?}");
    let station = depot.ports[0].station;
    let audit = depot.app.client.get(&format!("/audit?actor_type=balancing&object={station}")).await.ok();
    let line = (&audit[0]["event"], &audit[0]["object"], &audit[0]["chargestation"], &audit[0]["method"]);
    assert_eq!(line, (&json!(kind), &json!(depot.group), &json!(station), &Value::Null));

    depot.unplug(0).await;
    for _ in 0..10 {
        depot.pass(Duration::from_secs(20)).await;
    }
    assert_eq!(stopped(&depot), [0], "nobody charges above the limit");
}

#[actix_web::test]
async fn a_session_that_goes_on_all_the_same_does_not_keep_the_next_from_being_stopped() {
    let depot = two_cars(json!({"stop_when_exceeded": true})).await;
    for port in &depot.ports {
        depot.link.behave(port.station, Manner::Refuses);
    }
    falls_to(&depot, 8.0).await;
    depot.until(async || !stopped(&depot).is_empty()).await;
    let first = stopped(&depot)[0];
    assert_eq!(stopped(&depot), [first], "one of them is enough");
    depot.until(async || stopped(&depot).len() == 3).await;
    let mut again = stopped(&depot)[1..].to_vec();
    again.sort_unstable();
    assert_eq!(again, [0, 1], "it did not stop within a minute");
}
