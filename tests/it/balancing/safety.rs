//! Stations that refuse, are silent, go away or do not obey, and a server that is restarted.

use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use evenwatt::app::restored;
use evenwatt::store::{Conn, StoreError};
use kernel::Watts;
use serde_json::json;

use super::depot::Depot;
use super::link::Manner;
use crate::support::FakeStation;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn plain() -> serde_json::Value {
    json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})
}

#[actix_web::test]
async fn nothing_is_raised_before_the_cut_it_needs_is_confirmed() {
    let mut depot = Depot::new(2, plain()).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0, 0.0]).await;
    depot.link.watch();
    depot.link.behave(depot.ports[0].station, Manner::Silent);
    depot.plug_in(1).await;
    let (first, second) = (depot.ports[0].station, depot.ports[1].station);
    depot.until(async || depot.limits() == [5.0, 3.0]).await;
    // The cut may not have arrived, so the second car gets only what the first one's old limit leaves.
    assert_eq!(depot.link.live(second), Some(Watts(3_000)));
    depot.link.behave(first, Manner::Accepts);
    depot.comes_back(0);
    depot.until_limits(&[5.0, 5.0]).await;
    assert!(depot.link.most() <= Watts(10_000));
}

#[actix_web::test]
async fn what_a_station_refuses_to_give_back_is_reserved() {
    let mut depot = Depot::new(3, plain()).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0, 0.0, 0.0]).await;
    depot.link.behave(depot.ports[0].station, Manner::Refuses);
    depot.plug_in(1).await;
    depot.until(async || depot.status().await["stage"] == "degraded").await;
    let refusing = depot.member(0).await;
    assert_eq!((&refusing["rule"], &refusing["worst"]), (&json!("reservation"), &json!(7.0)), "{refusing}");
    depot.until(async || depot.limits()[1] == 3.0).await;
    let events = depot.app.event_types().await;
    let degraded = events.iter().filter(|kind| *kind == "load_management.group.degraded");
    assert_eq!(degraded.count(), 1);
    assert!(depot.status().await["worst_case_kw"].as_f64() <= Some(10.0));
}

#[actix_web::test]
async fn an_offline_station_keeps_its_limit_until_that_runs_out_and_then_its_fallback() {
    let mut depot = Depot::new(2, plain()).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    depot.goes_offline(0);
    depot.until(async || depot.member(0).await["rule"] == "reservation").await;
    assert_eq!(depot.member(0).await["worst"], 5.0);
    assert_eq!(depot.limits()[1], 5.0);

    depot.pass(Duration::from_secs(300)).await;
    depot.until(async || depot.member(0).await["worst"] == 2.0).await;
    depot.until(async || depot.limits()[1] == 7.0).await;

    depot.comes_back(0);
    depot.until_limits(&[5.0, 5.0]).await;
}

#[actix_web::test]
async fn a_station_that_was_here_but_proved_no_fallback_is_reserved_at_its_rating() {
    let mut depot = Depot::new(1, plain()).await;
    depot.until_limits(&[0.0]).await;
    let unproven = depot.app.station("Seen once").await;
    let socket = FakeStation::connect(&unproven.url).await;
    socket.drop_link().await;
    depot.join(&unproven.id).await;
    depot.plug_in(0).await;
    depot.until(async || depot.limits()[0] == 3.0).await;
    assert_eq!(depot.status().await["reserved"], 7.0);
}

#[actix_web::test]
async fn a_station_that_never_connected_is_reserved_at_its_rating_and_warned_of() {
    let mut depot = Depot::new(1, plain()).await;
    depot.until_limits(&[0.0]).await;
    let planned = depot.app.station("Not built yet").await;
    depot.join(&planned.id).await;
    depot.plug_in(0).await;
    depot.until(async || depot.limits()[0] == 3.0).await;
    let status = depot.status().await;
    assert_eq!(status["reserved"], 7.0);
    let warnings = status["warnings"].as_array().expect("warnings");
    let of_it = warnings.iter().filter(|one| one["chargestation"] == planned.id);
    let codes: Vec<_> = of_it.map(|one| one["code"].clone()).collect();
    assert!(codes.contains(&json!("never_connected")), "{codes:?}");
}

#[actix_web::test]
async fn after_a_restart_nothing_is_raised_before_it_is_proven() {
    let mut depot = Depot::new(2, plain()).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0, 0.0]).await;
    depot.app.running.balancer.stop();
    depot.link.behave(depot.ports[0].station, Manner::Silent);
    depot.plug_in(1).await;
    depot.link.watch();

    let second_life = depot.second_life();
    depot.until(async || depot.limits() == [5.0, 3.0]).await;
    assert!(depot.link.most() <= Watts(10_000), "7 kW stay assumed");
    second_life.stop();
}

#[actix_web::test]
async fn after_a_restore_a_connector_counts_at_all_that_it_can_draw_until_it_confirms() {
    let mut depot = Depot::new(2, plain()).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    depot.app.running.balancer.stop();
    // The backup says 5 kW. Whether that is true by now nobody knows.
    let now = depot.app.running.context.clock.now();
    let settle = depot.app.running.context.db.write(move |conn| restored::settle(conn, now));
    assert_eq!(settle.await.expect("settled"), 2);
    depot.link.behave(depot.ports[0].station, Manner::Silent);
    depot.link.watch();

    let second_life = depot.second_life();
    // 7 of 10 kW stay assumed.
    depot.until(async || depot.limits()[1] == 3.0).await;
    second_life.stop();
}

#[actix_web::test]
async fn who_does_not_obey_is_not_believed_after_a_restore() {
    let mut depot = Depot::new(2, plain()).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    for _ in 0..3 {
        depot.meter(0, Watts(6_800)).await;
        depot.pass(Duration::from_secs(40)).await;
    }
    depot.until(async || depot.member(0).await["rule"] == "reservation").await;
    depot.until(async || depot.limits()[1] == 3.0).await;
    depot.app.running.balancer.stop();
    let now = depot.app.running.context.clock.now();
    let settle = depot.app.running.context.db.write(move |conn| restored::settle(conn, now));
    assert_eq!(settle.await.expect("settled"), 2);
    // Nothing is left of the other one; of this one, that it does not obey.
    let left = depot.app.running.context.db.read(|conn| {
        let question = "SELECT count(*) AS number FROM balancing_members";
        let row: Number = match conn {
            Conn::Pg(conn) => sql_query(question).get_result(conn)?,
            Conn::Sqlite(conn) => sql_query(question).get_result(conn)?,
        };
        Ok::<_, StoreError>(row.number)
    });
    assert_eq!(left.await.expect("read"), 1);
    depot.link.watch();

    let second_life = depot.second_life();
    // The other one is sent its limit anew.
    let other = depot.ports[1].station;
    depot.until(async || !depot.link.live_limits_of(other).is_empty()).await;
    assert_eq!(depot.limits()[1], 3.0);
    second_life.stop();
}

#[actix_web::test]
async fn a_car_that_draws_too_much_is_noticed_and_reserved() {
    let mut depot = Depot::new(2, plain()).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    for _ in 0..3 {
        depot.meter(0, Watts(6_800)).await;
        depot.pass(Duration::from_secs(40)).await;
    }
    depot.until(async || depot.member(0).await["rule"] == "reservation").await;
    depot.until(async || depot.limits()[1] == 3.0).await;
    let kind = "load_management.group.member_not_obeying".to_owned();
    assert!(depot.app.event_types().await.contains(&kind));

    depot.meter(0, Watts(4_900)).await;
    depot.until_limits(&[5.0, 5.0]).await;
}
