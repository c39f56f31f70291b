//! Groups of home users: exclusion times by the wall clock, and charges that go before them.

use std::time::Duration;

use kernel::Timestamp;
use serde_json::{Value, json};

use super::depot::Depot;
use crate::support::TestApp;

/// A home with one port of 7 kW.
async fn home() -> Depot {
    Depot::new(1, json!({"maximum_capacity": 7, "algorithm": "consumer_tou"})).await
}

fn now(depot: &Depot) -> Timestamp {
    depot.app.running.context.clock.now()
}

/// A window from so many minutes from now to so many, by the clocks of the location (UTC).
fn window(depot: &Depot, from: u64, to: u64) -> Value {
    let clock = |minutes: u64| {
        let at = now(depot) + Duration::from_secs(minutes * 60);
        at.to_chrono().format("%H:%M").to_string()
    };
    json!({"windows": [{"from": clock(from), "to": clock(to)}]})
}

async fn exclude(depot: &Depot, times: Value) -> Value {
    let path = depot.path("/exclusion_times");
    depot.app.client.put(&path, times).await.ok()
}

#[actix_web::test]
async fn charging_pauses_in_a_window_and_goes_on_by_itself() {
    let mut depot = home().await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0]).await;
    let (begins, ends) = (now(&depot) + Duration::from_secs(60), 4 * 60);
    let group = exclude(&depot, window(&depot, 2, 4)).await;
    let kept = &group["exclusion_times"]["windows"][0];
    let days = kept["weekdays"].as_array().map(Vec::len);
    assert_eq!((days, &kept["enabled"]), (Some(7), &json!(true)));

    depot.until_limits(&[0.0]).await;
    assert!(now(&depot) >= begins);
    let member = depot.member(0).await;
    assert_eq!(member["rule"], "exclusion-window");
    assert_eq!(member["reason"], "0 kW: it must not charge at this time of day (rule exclusion-window).");
    let session = member["session"].as_str().expect("a session").to_owned();

    depot.until_limits(&[7.0]).await;
    let passed = now(&depot).since(begins).as_secs();
    assert!(passed < ends, "it stayed off after the window: {passed} s");
    assert_eq!(depot.member(0).await["session"], session);
    let events = depot.app.event_types().await;
    let started = events.iter().filter(|kind| *kind == "session.started");
    assert_eq!(started.count(), 1);
}

#[actix_web::test]
async fn a_car_that_comes_in_a_window_waits_for_its_end() {
    let mut depot = home().await;
    let times = window(&depot, 0, 3);
    exclude(&depot, times.clone()).await;
    depot.plug_in(0).await;
    depot.pass(Duration::from_secs(1)).await;
    depot.until(async || depot.member(0).await["rule"] == "exclusion-window").await;
    assert_eq!(depot.limits(), [0.0]);

    let mut disabled = times;
    disabled["windows"][0]["enabled"] = json!(false);
    exclude(&depot, disabled).await;
    depot.until_limits(&[7.0]).await;
}

#[actix_web::test]
async fn a_window_over_the_night_in_which_clocks_go_back_ends_by_the_wall_clock() {
    let mut depot = home().await;
    // 2026-10-25 02:00 in Amsterdam, for the first time; an hour later it is 02:00 again.
    let first_two: Timestamp = "2026-10-25T00:00:00Z".parse().expect("an instant");
    depot.app.pass(first_two.since(now(&depot))).await;
    let night = json!({"timezone": "Europe/Amsterdam", "windows": [{"from": "01:00", "to": "03:00"}]});
    exclude(&depot, night).await;
    depot.plug_in(0).await;
    depot.until_limits(&[0.0]).await;
    for _ in 0..12 {
        depot.pass(Duration::from_secs(590)).await;
        depot.until_limits(&[0.0]).await;
    }
    depot.until_limits(&[7.0]).await;
    let end: Timestamp = "2026-10-25T02:00:00Z".parse().expect("an instant");
    assert!(now(&depot) >= end && now(&depot) < end + Duration::from_secs(60));
}

#[actix_web::test]
async fn a_priority_charge_goes_before_the_window_until_the_session_ends() {
    let mut depot = home().await;
    exclude(&depot, window(&depot, 0, 30)).await;
    depot.plug_in(0).await;
    depot.until_limits(&[0.0]).await;

    let path = depot.path("/priority_charge");
    let first = depot.app.client.post(&path, json!({})).await.created();
    assert_eq!((&first["answer"], &first["status"]), (&json!("approved"), &json!("active")));
    assert_eq!(first["session"], depot.member(0).await["session"]);
    depot.until_limits(&[7.0]).await;
    let again = depot.app.client.post(&path, json!({"minutes": 5})).await.ok();
    assert_eq!(again, first, "asking twice is asking once");

    depot.unplug(0).await;
    let charges = depot.app.client.get(&depot.path("/priority_charges")).await;
    let ended = &charges.json()["result"][0];
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("ended"), &json!("The session ended")));
    depot.plug_in(0).await;
    depot.pass(Duration::from_secs(1)).await;
    depot.until(async || depot.member(0).await["rule"] == "exclusion-window").await;
    assert_eq!(depot.limits(), [0.0], "another session is not meant");
    let events = depot.app.event_types().await;
    for what in ["started", "ended"] {
        let kind = format!("load_management.priority_charge.{what}");
        assert_eq!(events.iter().filter(|event| **event == kind).count(), 1);
    }
}

#[actix_web::test]
async fn a_priority_charge_ends_on_request_and_when_its_time_is_over() {
    let mut depot = home().await;
    exclude(&depot, window(&depot, 0, 120)).await;
    let path = depot.path("/priority_charge");
    assert_eq!(depot.app.client.delete(&path).await.ok(), json!(null));
    let waiting = depot.app.client.post(&path, json!({})).await.created();
    assert_eq!((&waiting["status"], &waiting["session"]), (&json!("waiting"), &json!(null)));
    depot.plug_in(0).await;
    depot.until_limits(&[7.0]).await;
    let charges = depot.app.client.get(&depot.path("/priority_charges?status=active")).await;
    assert_eq!(charges.json()["result"][0]["_id"], waiting["_id"]);

    let ended = depot.app.client.delete(&path).await.ok();
    assert_eq!(ended["reason"], "It was ended on request");
    assert_eq!(depot.app.client.delete(&path).await.ok(), ended);
    depot.until_limits(&[0.0]).await;

    let asked = now(&depot);
    depot.app.client.post(&path, json!({"minutes": 5})).await.created();
    depot.until_limits(&[7.0]).await;
    depot.until_limits(&[0.0]).await;
    let lasted = now(&depot).since(asked).as_secs();
    assert!((300..330).contains(&lasted), "{lasted}");
    let expired = async || {
        let charges = depot.app.client.get(&depot.path("/priority_charges")).await.json();
        charges["result"][0]["reason"] == "Its time is over"
    };
    depot.app.eventually(expired).await;
}

#[actix_web::test]
async fn a_priority_charge_is_refused_with_a_reason_and_never_lifts_a_limit() {
    let mut depot = home().await;
    let path = depot.path("/priority_charge");
    depot.goes_offline(0);
    assert_eq!(depot.app.client.post(&path, json!({})).await.error(406), "station_offline");
    depot.comes_back(0);
    for (patch, why) in [
        (json!({"algorithm": "equal_share"}), "algorithm"),
        (json!({"algorithm": "consumer_tou", "dry_run": true}), "dry run"),
    ] {
        depot.app.client.patch(&depot.path(""), patch).await.ok();
        let refused = depot.app.client.post(&path, json!({})).await;
        assert_eq!(refused.error(409), "priority_charge_denied");
        assert!(refused.text.contains(why), "{}", refused.text);
    }
    for minutes in [json!(0), json!(1441), json!(-1), json!("long")] {
        let wrong = json!({"minutes": minutes});
        assert_eq!(depot.app.client.post(&path, wrong).await.faulty_fields(), ["minutes"]);
    }
    let all = depot.app.client.get(&depot.path("/priority_charges?sort_order=asc")).await.json();
    let answers: Vec<&Value> = all["result"].as_array().unwrap().iter().map(|one| &one["answer"]).collect();
    assert_eq!(answers, ["error", "denied", "denied"]);

    let small = json!({"dry_run": false, "maximum_capacity": 4});
    depot.app.client.patch(&depot.path(""), small).await.ok();
    depot.app.client.post(&path, json!({})).await.created();
    depot.plug_in(0).await;
    depot.until_limits(&[4.0]).await;
}

#[actix_web::test]
async fn only_groups_of_home_users_have_exclusion_times() {
    let depot = Depot::new(0, json!({"maximum_capacity": 7})).await;
    let path = depot.path("/exclusion_times");
    let put = async |body: Value| depot.app.client.put(&path, body).await;
    let times = json!({"windows": [{"from": "17:00", "to": "20:00"}]});
    assert_eq!(put(times.clone()).await.error(409), "conflict");
    let algorithm = json!({"algorithm": "Consumer-configured ToU"});
    let group = depot.app.client.patch(&depot.path(""), algorithm).await.ok();
    assert_eq!(group["algorithm"], "consumer_tou");

    put(times.clone()).await.ok();
    let wrong = json!({"timezone": "Mars/Crater", "windows": [
        {"from": "25:00", "to": "01:00"}, {"from": "01:00", "to": "02:00", "weekdays": []}]});
    assert_eq!(put(wrong).await.faulty_fields(), ["timezone", "windows[0].from"]);
    let no_day = json!({"windows": [{"from": "01:00", "to": "02:00", "weekdays": []}]});
    assert_eq!(put(no_day).await.faulty_fields(), ["windows[0].weekdays"]);
    assert_eq!(put(json!({})).await.faulty_fields(), ["windows"]);
    stale_edits_are_refused(&depot.app, &path, &times).await;
}

async fn stale_edits_are_refused(app: &TestApp, path: &str, times: &Value) {
    let edit = |tag: &str| {
        let request = app.client.request(reqwest::Method::PUT, path).json(times);
        app.client.send(request.header("if-match", tag))
    };
    let changed = app.client.put(path, times.clone()).await;
    let tag = changed.headers["etag"].to_str().expect("a tag").to_owned();
    edit(&tag).await.ok();
    assert_eq!(edit(&tag).await.error(412), "version_mismatch");
}
