//! Sessions that end without a word: ghosts, stops that are refused, stations that are gone; and what corrects them.

use evenwatt::{charging::sessions, sites::stations};
use serde_json::{Value, json};

use super::test_site::{TestSite, assert_settled, minute, reason};
use super::transactions::stop;
use crate::support::TestApp;

/// A station in the middle of a session that showed 5 kWh.
async fn charging() -> (TestSite, i64) {
    let mut site = TestSite::open().await;
    let number = site.start().await;
    site.status("Charging").await;
    site.meter(number, 4, 5_000, 7_000).await;
    (site, number)
}

/// The same after its connection broke, and the path at which its session is stopped.
async fn cut_off() -> (TestApp, String) {
    let (site, _) = charging().await;
    let session = site.session().await;
    let path = format!("/sessions/{}/stop", session["_id"].as_str().expect("an id"));
    site.socket.drop_link().await;
    let (app, station) = (site.app, site.station.path);
    app.eventually(async || app.client.get(&station).await.ok()["online"] == false).await;
    (app, path)
}

async fn stop_over_api(site: &TestSite, body: Value) -> crate::support::Answer {
    let id = site.session().await["_id"].as_str().expect("an id").to_owned();
    site.app.client.post(&format!("/sessions/{id}/stop"), body).await
}

#[actix_web::test]
async fn the_true_stop_corrects_an_end_by_assumption() {
    let (mut site, number) = charging().await;
    site.socket.start(1, "NEXT", 5_500, &minute(6)).await;
    assert_settled(&site.sessions().await[0], "ended", 4_000, 1.6);
    site.stop(stop(json!({"transactionId": number, "meterStop": 5_500, "reason": "PowerLoss"}))).await;
    let session = site.sessions().await.remove(0);
    assert_settled(&session, "ended", 4_500, 1.8);
    let correction = &session["corrections"][0];
    assert_eq!(
        (&correction["before"]["energyConsumed"], &correction["before"]["amount"]),
        (&json!(4_000), &json!(1.6))
    );
    assert_eq!((&correction["after"]["energyConsumed"], &correction["after"]["amount"]), (&json!(4_500), &json!(1.8)));
    assert_eq!(correction["after"]["chargingStopReason"], "PowerLoss");
    assert_eq!(session["cost"]["breakdown"][0]["quantity"], 4.5);
    let recorded = site.recorded().await;
    assert_eq!(recorded.iter().filter(|kind| *kind == "session.ended").count(), 1);
    assert_eq!(recorded.last().map(String::as_str), Some("session.corrected"));
}

#[actix_web::test]
async fn the_true_stop_reported_twice_corrects_once() {
    let (mut site, number) = charging().await;
    site.socket.start(1, "NEXT", 5_500, &minute(6)).await;
    for _ in 0..2 {
        site.stop(stop(json!({"transactionId": number, "meterStop": 5_500}))).await;
    }
    let session = site.sessions().await.remove(0);
    assert_eq!(session["corrections"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn a_boot_into_preparing_ends_what_the_station_forgot() {
    let (mut site, _) = charging().await;
    site.reboot().await;
    site.status("Preparing").await;
    let session = site.session().await;
    assert_settled(&session, "ended", 4_000, 1.6);
    assert_eq!(reason(&session), "Assumed: the station booted and the connector is idle");
    assert_eq!(session["metrics"]["chargingStop"], "2026-04-24T03:04:00.000Z");
}

#[actix_web::test]
async fn then_a_new_session_may_be_asked_for() {
    let (mut site, _) = charging().await;
    site.reboot().await;
    site.status("Preparing").await;
    let wish = json!({"connector": site.station.connector});
    let session = site.app.client.post("/sessions", wish).await.created();
    assert_eq!(session["status"], "created");
}

#[actix_web::test]
async fn a_boot_into_available_ends_it_too() {
    let (mut site, _) = charging().await;
    site.reboot().await;
    site.status("Available").await;
    assert_settled(&site.session().await, "ended", 4_000, 1.6);
}

#[actix_web::test]
async fn a_boot_into_charging_does_not_end_it() {
    let (mut site, number) = charging().await;
    site.reboot().await;
    site.status("Charging").await;
    site.stop(stop(json!({"transactionId": number}))).await;
    let session = site.session().await;
    assert_settled(&session, "ended", 8_000, 3.2);
    assert_eq!(session["corrections"], json!([]));
}

#[actix_web::test]
async fn a_draw_since_the_boot_says_more_than_preparing() {
    let (mut site, number) = charging().await;
    site.reboot().await;
    site.meter(number, 6, 5_600, 7_000).await;
    site.status("Preparing").await;
    assert_eq!(site.session().await["status"], "started");
}

#[actix_web::test]
async fn a_broken_socket_is_no_boot() {
    let (mut site, _) = charging().await;
    site.reconnect().await;
    site.status("Preparing").await;
    assert_eq!(site.session().await["status"], "started");
}

#[actix_web::test]
async fn a_start_that_was_queued_over_the_boot_is_no_ghost() {
    let mut site = TestSite::open().await;
    site.reboot().await;
    site.start().await;
    site.status("Preparing").await;
    assert_eq!(site.session().await["status"], "started");
}

#[actix_web::test]
async fn readings_after_the_assumed_end_take_it_up_again() {
    let (mut site, number) = charging().await;
    site.reboot().await;
    site.status("Preparing").await;
    site.meter(number, 6, 6_000, 7_000).await;
    let session = site.session().await;
    assert_eq!(session["status"], "started");
    assert_eq!(session["corrections"][0]["reason"], "It goes on");
    site.stop(stop(json!({"transactionId": number, "timestamp": minute(7)}))).await;
    assert_settled(&site.session().await, "ended", 8_000, 3.2);
}

#[actix_web::test]
async fn readings_of_before_the_assumed_end_do_not() {
    let (mut site, number) = charging().await;
    site.reboot().await;
    site.status("Preparing").await;
    site.meter(number, 3, 4_000, 7_000).await;
    assert_settled(&site.session().await, "ended", 4_000, 1.6);
}

#[actix_web::test]
async fn a_stop_that_the_station_refuses_ends_what_nothing_else_shows() {
    let (mut site, _) = charging().await;
    site.reboot().await;
    site.pass(600).await;
    assert_eq!(stop_over_api(&site, json!({})).await.status, 200);
    let call = site.socket.next_call().await;
    site.socket.answer(&call, json!({"status": "Rejected"})).await;
    site.app.eventually(async || site.session().await["status"] == "ended").await;
    assert_eq!(reason(&site.session().await), "Assumed: the station knows no such transaction");
}

#[actix_web::test]
async fn a_stop_that_the_station_refuses_while_the_car_draws_fails() {
    let (mut site, _) = charging().await;
    assert_eq!(stop_over_api(&site, json!({})).await.status, 200);
    let call = site.socket.next_call().await;
    site.socket.answer(&call, json!({"status": "Rejected"})).await;
    site.app.eventually(async || site.recorded().await.contains(&"session.stop_failure".to_owned())).await;
    assert_eq!(site.session().await["status"], "started");
}

#[actix_web::test]
async fn force_ends_it_at_once_and_the_station_is_asked_to_stop() {
    let (mut site, number) = charging().await;
    let ended = stop_over_api(&site, json!({"force": true})).await.ok();
    assert_settled(&ended, "ended", 4_000, 1.6);
    assert_eq!(reason(&ended), "Assumed: ended by force over the API");
    let call = site.socket.next_call().await;
    assert_eq!(call[2], "RemoteStopTransaction");
    site.socket.answer(&call, json!({"status": "Accepted"})).await;
    site.stop(stop(json!({"transactionId": number, "meterStop": 5_100}))).await;
    let session = site.session().await;
    assert_settled(&session, "ended", 4_100, 1.64);
    assert_eq!(session["corrections"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn force_ends_it_at_a_station_that_is_offline() {
    let (app, path) = cut_off().await;
    let refused = app.client.post(&path, json!({})).await;
    assert_eq!(refused.error(406), "station_offline");
    let ended = app.client.post(&path, json!({"force": true})).await.ok();
    assert_settled(&ended, "ended", 4_000, 1.6);
}

#[actix_web::test]
async fn a_station_that_is_offline_for_long_need_not_be_asked() {
    let (app, path) = cut_off().await;
    app.pass(std::time::Duration::from_secs(16 * 60)).await;
    let ended = app.client.post(&path, json!({})).await.ok();
    assert_settled(&ended, "ended", 4_000, 1.6);
    assert_eq!(reason(&ended), "Assumed: the station is offline for long");
}

#[actix_web::test]
async fn the_session_of_a_station_that_is_offline_for_a_day_is_over() {
    let (mut site, _) = charging().await;
    let other = TestApp::station(&site.app, "T").await;
    let parked = crate::support::FakeStation::connect(&other.url).await;
    std::mem::replace(&mut site.socket, parked).drop_link().await;
    site.app.eventually(async || site.app.client.get(&site.station.path).await.ok()["online"] == false).await;
    site.pass(23 * 3_600).await;
    site.tidy().await;
    assert_eq!(site.session().await["status"], "started");
    site.pass(3_601).await;
    site.tidy().await;
    assert_settled(&site.session().await, "ended", 4_000, 1.6);
}

#[actix_web::test]
async fn a_connector_that_is_free_for_long_ends_what_ran_there() {
    let (mut site, _) = charging().await;
    site.pass(1).await;
    site.status("Available").await;
    site.pass(400).await;
    site.tidy().await;
    let session = site.session().await;
    assert_settled(&session, "ended", 4_000, 1.6);
    assert_eq!(session["metrics"]["chargingStop"], "2026-04-24T03:06:41.000Z");
}

#[actix_web::test]
async fn a_connector_called_free_whose_meter_rises_is_not() {
    let (mut site, number) = charging().await;
    site.pass(1).await;
    site.status("Available").await;
    site.pass(200).await;
    site.meter(number, 12, 5_900, 0).await;
    site.pass(200).await;
    site.tidy().await;
    assert_eq!(site.session().await["status"], "started");
}

#[actix_web::test]
async fn a_connector_called_free_before_the_session_began_says_nothing() {
    let mut site = TestSite::open().await;
    site.status("Available").await;
    site.pass(900).await;
    site.start().await;
    site.pass(900).await;
    site.tidy().await;
    assert_eq!(site.session().await["status"], "started");
}

#[actix_web::test]
async fn a_station_with_a_session_is_not_closed_before_that_ends() {
    let (site, _) = charging().await;
    for change in [json!({"operational_status": "Closed"}), json!({"active": false})] {
        let refused = site.app.client.patch(&site.station.path, change.clone()).await;
        assert_eq!(refused.status, 409, "{}", refused.text);
    }
    stop_over_api(&site, json!({"force": true})).await.ok();
    let closed = json!({"operational_status": "Closed"});
    site.app.client.patch(&site.station.path, closed).await.ok();
}

/// What is known of the first connector's car that may be started again.
async fn to_start_again(site: &TestSite) -> Option<String> {
    let organization = site.app.organization;
    let id = site.station.connector.parse().expect("an id");
    let db = &site.app.running.context.db;
    let found = db.read(move |conn| {
        let connector = stations::find_connector(conn, organization, id)?;
        sessions::to_start_again(conn, &connector)
    });
    found.await.expect("read").and_then(|session| session.id_tag)
}

#[actix_web::test]
async fn a_car_whose_station_ended_its_transaction_may_be_started_again_while_it_is_plugged_in() {
    let (mut site, number) = charging().await;
    assert_eq!(to_start_again(&site).await, None, "it charges");
    site.stop(stop(json!({"transactionId": number, "reason": "Other"}))).await;
    site.status("Finishing").await;
    assert_eq!(to_start_again(&site).await.as_deref(), Some("CARD"));
    site.status("Available").await;
    assert_eq!(to_start_again(&site).await, None, "it left");
}

#[actix_web::test]
async fn a_car_that_somebody_stopped_is_not_started_again() {
    let (mut site, number) = charging().await;
    site.stop(stop(json!({"transactionId": number, "reason": "Remote"}))).await;
    site.status("Finishing").await;
    assert_eq!(to_start_again(&site).await, None);
}
