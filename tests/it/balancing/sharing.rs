//! Who gets what, and what is shown of it.

use std::time::Duration;

use evenwatt::sites::stations::link::{LimitPurpose, StationCommand};
use kernel::{Milliamps, Watts};
use serde_json::json;

use super::depot::Depot;
use super::link::Manner;

#[actix_web::test]
async fn eight_ports_of_seven_kilowatts_share_thirty() {
    let fields = json!({"maximum_capacity": 30, "minimum_connector_capacity": 5});
    let mut depot = Depot::new(8, fields).await;
    depot.until_limits(&[0.0; 8]).await;
    depot.link.watch();

    for cars in 1..=8 {
        depot.plug_in(cars - 1).await;
        let each = [0.0, 7.0, 7.0, 7.0, 7.0, 6.0, 5.0, 5.0, 5.0][cars];
        let mut expected = [0.0; 8];
        expected[..cars.min(6)].fill(each);
        depot.until_limits(&expected).await;
        assert!(depot.link.most() <= Watts(30_000), "{:?}", depot.link.most());
    }
    // The limits are the same as before the last cars came, so their plan may still be on its way.
    depot.app.eventually(async || depot.member(6).await["rule"] == "minimum-or-nothing").await;
    let waiting = depot.member(6).await;
    assert!(
        waiting["reason"].as_str().is_some_and(|reason| reason.contains("waits as number 1 in the queue")),
        "{waiting}"
    );
    let scarce = json!({"of": "group_power", "group": depot.group, "power": 30.0});
    assert_eq!(waiting["because"], json!({"code": "queued", "scarce": scarce, "position": 1, "minimum": 5.0}));

    depot.unplug(0).await;
    depot.until_limits(&[0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 0.0]).await;
    assert!(depot.link.most() <= Watts(30_000));
}

#[actix_web::test]
async fn a_group_shows_its_status_and_explains_its_plans() {
    let fields = json!({"maximum_capacity": 10, "minimum_connector_capacity": 2});
    let mut depot = Depot::new(2, fields).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0, 0.0]).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    depot.meter(0, Watts(4_900)).await;

    let status = depot.status().await;
    assert_eq!((&status["capacity"], &status["granted"], &status["drawn"]), (&json!(10.0), &json!(10.0), &json!(4.9)));
    assert_eq!(status["worst_case_kw"], 10.0);
    assert_eq!(status["worst_case_if_server_dies_kw"], 4.0, "the minimum is the fallback");
    assert_eq!(status["stage"], "settled");
    let member = depot.member(0).await;
    assert_eq!((&member["chargestation_name"], &member["number"]), (&json!("Port 0"), &json!(1)));

    let explained = depot.app.client.get(&depot.path("/explain")).await.ok();
    assert_eq!(explained["reproduced"], true);
    assert_eq!(explained["members"][0]["rule"], "max-min-share");
    assert_eq!(explained["members"][0]["binding_group"], depot.group);

    let plans = depot.app.client.get(&depot.path("/plans")).await.ok();
    let plans = plans.as_array().expect("plans");
    assert!(plans.len() >= 2, "{plans:?}");
    for plan in plans {
        let at = plan["at"].as_str().expect("a time");
        let path = depot.path(&format!("/explain?at={at}"));
        assert_eq!(depot.app.client.get(&path).await.ok()["reproduced"], true);
    }
    let scarce = json!({"of": "group_power", "group": depot.group, "power": 10.0});
    let shared = json!({"code": "shared", "scarce": scarce, "sharing": 2});
    assert_eq!((&explained["members"][0]["because"], &status["members"][1]["because"]), (&shared, &shared));
    let now = depot.app.running.context.clock.now();
    let later = depot.path(&format!("/explain?at={}", now + Duration::from_secs(3_600)));
    assert_eq!(depot.app.client.get(&later).await.faulty_fields(), ["at"]);
    let early = depot.path("/explain?at=2001-01-01T00:00:00Z");
    assert_eq!(depot.app.client.get(&early).await.error(404), "not_found");

    let power = depot.path("/power?resolution=1");
    depot.pass(std::time::Duration::from_secs(1)).await;
    let power = depot.app.client.get(&power).await.ok();
    assert_eq!((&power[0]["power"], &power[0]["members"]), (&json!(4.9), &json!(1)));

    let stranger = depot.app.stranger().await;
    for rest in ["/status", "/explain", "/plans", "/power"] {
        assert_eq!(stranger.get(&depot.path(rest)).await.error(404), "not_found");
    }
    let events = depot.app.event_types().await;
    assert!(events.contains(&"load_management.group.plan_settled".to_owned()));
    assert!(!events.contains(&"load_management.group.limit_exceeded".to_owned()));
}

#[actix_web::test]
async fn a_dry_run_plans_and_sends_nothing() {
    let fields = json!({"maximum_capacity": 10, "dry_run": true});
    let mut depot = Depot::new(2, fields).await;
    depot.plug_in(0).await;
    depot.until(async || depot.member(0).await["limit"] == 7.0).await;
    depot.pass(std::time::Duration::from_secs(60)).await;
    assert_eq!(depot.link.sent(), []);
    assert_eq!(depot.status().await["stage"], "planned");
}

#[actix_web::test]
async fn a_station_that_leaves_is_freed_of_its_limits() {
    let fields = json!({"maximum_capacity": 10, "minimum_connector_capacity": 2});
    let mut depot = Depot::new(2, fields).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;

    let gone = depot.ports[0].station;
    let path = format!("/load_management/groups/chargestations/{gone}");
    depot.app.client.delete(&path).await.ok();
    let cleared = async || {
        let sent = depot.link.sent();
        let profiles = sent.iter().filter_map(|(station, command)| match command {
            StationCommand::ClearChargingProfile { id, .. } if *station == gone => *id,
            _ => None,
        });
        profiles.collect::<Vec<_>>() == [10_001, 20_001]
    };
    depot.until(cleared).await;
    depot.until(async || depot.limits()[1] == 7.0).await;
}

#[actix_web::test]
async fn a_smaller_capacity_lowers_first_and_a_larger_one_raises() {
    let fields = json!({"maximum_capacity": 14, "minimum_connector_capacity": 2});
    let mut depot = Depot::new(2, fields).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[7.0, 7.0]).await;
    depot.link.watch();

    let smaller = json!({"maximum_capacity": 8});
    depot.app.client.patch(&depot.path(""), smaller).await.ok();
    depot.until_limits(&[4.0, 4.0]).await;
    assert!(depot.link.live_limits().iter().all(|(_, limit)| limit.lowers));

    let larger = json!({"maximum_capacity": 12});
    depot.app.client.patch(&depot.path(""), larger).await.ok();
    depot.until_limits(&[6.0, 6.0]).await;
    let last = depot.link.live_limits().pop().expect("a limit").1;
    assert_eq!(
        (last.lowers, last.in_amps, last.duration_seconds, last.purpose),
        (false, true, Some(300), LimitPurpose::Live)
    );
}

#[actix_web::test]
async fn a_car_that_uses_less_lends_the_rest_and_gets_it_back() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 10})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    depot.link.watch();

    for _ in 0..8 {
        depot.pass(Duration::from_secs(15)).await;
        depot.meter(0, Watts(2_000)).await;
        depot.meter(1, Watts(5_000)).await;
    }
    depot.until_limits(&[2.23, 7.0]).await;
    let lender = depot.member(0).await;
    assert_eq!(lender["rule"], "learned-demand", "{lender}");

    for _ in 0..60 {
        depot.pass(Duration::from_secs(15)).await;
        let limits = depot.limits();
        for (port, limit) in limits.iter().enumerate() {
            depot.meter(port, Watts((limit * 1_000.0) as i64)).await;
        }
        if limits == [5.0, 5.0] {
            break;
        }
    }
    depot.until_limits(&[5.0, 5.0]).await;
    assert!(depot.link.most() <= Watts(10_000), "{:?}", depot.link.most());
}

#[actix_web::test]
async fn who_leaves_soon_gets_more_and_who_has_time_may_be_paused() {
    let fields = json!({"maximum_capacity": 6, "algorithm": "deadline"});
    let mut depot = Depot::new(2, fields).await;
    for (port, hours) in [(0, 1), (1, 12)] {
        depot.plug_in(port).await;
        let session = depot.member(port).await["session"].clone();
        let now = depot.app.running.context.clock.now();
        let need = json!({"departure_time": now + Duration::from_secs(hours * 3_600), "energy_need": 4.5});
        let path = format!("/sessions/{}", session.as_str().expect("a session"));
        depot.app.client.patch(&path, need).await.ok();
    }
    depot.until_limits(&[4.62, 1.38]).await;

    let pauses = json!({"allow_pause": true, "hold_minutes": 1, "trusted_departures": true});
    depot.app.client.patch(&depot.path(""), pauses).await.ok();
    depot.until_limits(&[6.0, 0.0]).await;
    depot.until(async || depot.member(1).await["rule"] == "deadline-pause").await;

    let wrong = json!({"hold_minutes": 0, "raise_step": 0});
    let answer = depot.app.client.patch(&depot.path(""), wrong).await;
    assert_eq!(answer.faulty_fields(), ["hold_minutes", "raise_step"]);
}

#[actix_web::test]
async fn where_a_station_takes_watts_nothing_is_made_of_a_one_phase_car() {
    let mut depot = Depot::three_phase(2, json!({"maximum_capacity": 12})).await;
    depot.link.take_watts();
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[6.0, 6.0]).await;
    let one_phase = [Milliamps(8_690), Milliamps(0), Milliamps(0)];
    for _ in 0..4 {
        depot.pass(Duration::from_secs(30)).await;
        depot.meter_phases(0, Watts(2_000), one_phase).await;
    }
    depot.pass(Duration::from_secs(30)).await;
    assert_eq!(depot.member(0).await["phases"], 3);
}

#[actix_web::test]
async fn a_one_phase_car_on_three_phases_leaves_the_others_two_thirds() {
    let mut depot = Depot::three_phase(2, json!({"maximum_capacity": 12})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[6.0, 6.0]).await;
    depot.link.watch();

    // 6 kW on three phases are 8.7 A, which is 2 kW on one.
    let one_phase = [Milliamps(8_690), Milliamps(0), Milliamps(0)];
    for _ in 0..4 {
        depot.pass(Duration::from_secs(30)).await;
        depot.meter_phases(0, Watts(2_000), one_phase).await;
    }
    depot.until_limits(&[3.666, 8.334]).await;
    assert_eq!(depot.member(0).await["phases"], 1);
    let sent = depot.link.live_limits_of(depot.ports[0].station);
    let limit = sent.last().expect("a limit");
    assert_eq!(limit.phases.count(), 1, "what a phase carries");

    // It uses the others as well now: it may draw more than was thought, until it is sent a limit again.
    let (three_phases, first) = ([Milliamps(16_000); 3], depot.ports[0].station);
    depot.link.behave(first, Manner::Silent);
    depot.pass(Duration::from_secs(30)).await;
    depot.meter_phases(0, Watts(11_000), three_phases).await;
    depot.until(async || depot.member(0).await["worst"] == 11.0 && depot.limits()[1] == 0.0).await;
    depot.link.behave(first, Manner::Accepts);
    depot.comes_back(0);
    depot.pass(Duration::from_secs(600)).await; // who was stopped has its off-time
    depot.until_limits(&[6.0, 6.0]).await;
    assert_eq!(depot.member(0).await["phases"], 3);
}

#[actix_web::test]
async fn a_charging_profile_lowers_a_member_and_never_raises_it() {
    let fields = json!({"maximum_capacity": 10, "minimum_connector_capacity": 2});
    let mut depot = Depot::new(2, fields).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    let client = depot.app.client.clone();
    let station = depot.ports[0].station.to_string();
    let evses = client.get(&format!("/evses?chargestation={station}")).await.json();
    let profile = json!({
        "name": "Quiet", "type": "one_time", "start_schedule": "2026-01-01T00:00:00Z", "unit": "power",
        "periods": [{"start": 0, "limit": 3000}], "evses": [evses["result"][0]["_id"]]
    });
    let profile = client.post("/charging_profiles", profile).await.created();
    depot.until_limits(&[3.0, 7.0]).await;
    let path = format!("/charging_profiles/{}", profile["_id"].as_str().unwrap());
    let more = json!({"periods": [{"start": 0, "limit": 50_000}]});
    client.patch(&path, more).await.ok();
    depot.until_limits(&[5.0, 5.0]).await;
}

#[actix_web::test]
async fn what_a_station_reports_is_heard_without_reading_the_others_again() {
    let mut depot = Depot::new(3, json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0, 0.0, 0.0]).await;
    // From here on nobody requests replanning: only signals lead to cycles.
    depot.plug_in(1).await;
    depot.app.eventually(async || depot.limits() == [5.0, 3.0, 0.0]).await;
    depot.app.pass(Duration::from_secs(1)).await;
    depot.meter(0, Watts(5_000)).await;
    depot.app.eventually(async || depot.limits() == [5.0, 5.0, 0.0]).await;
    depot.plug_in(2).await;
    depot.app.eventually(async || depot.limits()[..2].iter().all(|limit| *limit < 3.4)).await;
    depot.unplug(1).await;
    depot.app.eventually(async || depot.limits()[1] == 0.0).await;
    depot.goes_offline(0);
    depot.app.eventually(async || depot.member(0).await["rule"] == "reservation").await;
}
