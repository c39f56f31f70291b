//! The oddities of real chargers, by the numbers of `docs/OCPP-STATUS.md`: each is shown by a test, or it says why not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{FakeStation, TestApp};

enum Shown {
    /// By the test of this name.
    By(&'static str),
    /// Not at all, for this reason.
    Not(&'static str),
}
use Shown::{By, Not};

/// Connection and boot, identity and transactions, time and metering.
const ODDITIES: [Shown; 41] = [
    By("odd_urls_and_a_missing_sub_protocol_are_tolerated_but_other_protocols_are_not"),
    Not("the HTTP library refuses a handshake without `Connection: Upgrade` before it reaches us"),
    By("the_last_segment_names_the_station"),
    By("odd_urls_and_a_missing_sub_protocol_are_tolerated_but_other_protocols_are_not"),
    By("the_last_segment_names_the_station"),
    By("the_newest_socket_wins_and_the_old_ones_end_changes_nothing"),
    Not("only OCPP 1.6 is spoken, so no version can be mistaken for another"),
    By("passwords_may_be_any_bytes_but_the_user_is_the_endpoint"),
    By("a_client_certificate_that_names_the_station_is_needed_where_it_is_asked_for"),
    Not("nothing is decided by how fast a station comes back: its power stays reserved meanwhile"),
    Not("one rhythm of pings for all stations, configurable, and any frame counts as life"),
    By("a_silent_socket_is_given_up_and_any_frame_is_a_sign_of_life"),
    By("a_station_may_go_on_without_a_new_boot"),
    By("what_comes_before_the_boot_is_answered"),
    By("section_4_1_1_one_call_is_outstanding_at_a_time"),
    By("each_fault_of_a_station_is_repaired_and_noted"),
    By("a_settled_station_gets_its_boot_configuration_templates_and_a_probe_in_order"),
    By("test_every_command_is_sent_by_the_book"),
    By("stations_are_out_of_use_while_their_location_is_closed"),
    By("kinds_that_bear_no_triggers_get_none"),
    By("odd_spellings_are_read_and_distinguished"),
    By("cards_are_judged_by_status_expiry_and_group"),
    Not("which part of a card is the serial number differs by station, and no rule is configurable yet"),
    By("a_session_by_api_starts_runs_and_stops"),
    By("unknown_stops_are_accepted_and_kept_once"),
    By("readings_without_a_transaction_belong_to_the_session_of_their_connector"),
    By("a_repeated_start_gets_the_same_number_and_a_repeated_stop_is_accepted"),
    By("unknown_stops_are_accepted_and_kept_once"),
    By("a_remote_start_that_nothing_follows_is_cancelled"),
    Not("a session ends only after five minutes of Available; how often it is looked at is not turned by tests"),
    Not("pauses are limits of 0 A, never a stop, so no restart is needed"),
    By("what_connector_0_says_is_never_a_car"),
    Not("an oddity of OCPP 2.0.1"),
    By("a_live_limit_rounds_down_to_tenths_of_an_amp_and_lives_from_a_minute_ago"),
    By("a_time_without_a_zone_is_taken_as_utc"),
    By("statuses_reach_the_connector_with_any_timestamp"),
    By("transactions_of_the_past_are_accepted_late_and_a_new_start_ends_the_old"),
    By("odd_spellings_are_read_and_distinguished"),
    By("an_energy_register_that_starts_anew_counts_from_zero"),
    Not("the interval of readings is not learnt; a limit is judged by the readings there are"),
    By("power_is_derived_from_current_and_voltage"),
];

fn texts(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        let is_source = path.extension().is_some_and(|kind| kind == "rs" || kind == "py");
        if path.is_dir() {
            texts(&path, found);
        } else if is_source {
            found.push(fs::read_to_string(&path).expect("a text"));
        }
    }
}

#[test]
fn every_oddity_has_its_test_or_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["src", "crates", "tests"] {
        texts(&root.join(folder), &mut sources);
    }
    let page = fs::read_to_string(root.join("docs/OCPP-STATUS.md")).expect("the page");
    for (index, shown) in ODDITIES.iter().enumerate() {
        let number = index + 1;
        assert!(page.contains(&format!("\n| {number} | ")), "{number} is not on the page");
        match shown {
            By(name) => {
                let there =
                    |text: &String| text.contains(&format!("fn {name}(")) || text.contains(&format!("def {name}("));
                assert!(sources.iter().any(there), "{number}: there is no test {name}");
            }
            Not(reason) => assert!(!reason.is_empty(), "{number}"),
        }
    }
}

#[actix_web::test]
async fn what_comes_before_the_boot_is_answered() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
    assert_eq!(socket.call("StatusNotification", status).await, json!({}));
    assert!(socket.call("Heartbeat", json!({})).await["currentTime"].is_string());
    assert_eq!(socket.boot().await["status"], "Accepted");
}

#[actix_web::test]
async fn what_connector_0_says_is_never_a_car() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    for (number, status) in [(1, "Available"), (0, "Unavailable")] {
        let status = json!({"connectorId": number, "errorCode": "NoError", "status": status});
        socket.call("StatusNotification", status).await;
    }
    let sums = json!({"connectorId": 0, "meterValue": [{"timestamp": "2026-04-24T03:06:40Z",
        "sampledValue": [{"value": "99999"}]}]});
    assert_eq!(socket.call("MeterValues", sums).await, json!({}));
    let connector = app.client.get(&format!("/connectors/{}", station.connector)).await.ok();
    assert_eq!(connector["status"], "Available");
    assert_eq!(app.client.get("/sessions").await.json()["totalDocs"], 0);
}

#[actix_web::test]
async fn readings_without_a_transaction_belong_to_the_session_of_their_connector() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    socket.start(1, "CARD", 1_000, "2026-04-24T03:00:00Z").await;
    for (transaction, energy) in [(None, "1200"), (Some(0), "1400")] {
        let mut values = json!({"connectorId": 1, "meterValue": [{"timestamp": format!("2026-04-24T03:0{}:00Z",
            3 + transaction.map_or(0, |_| 2)), "sampledValue": [{"value": energy}]}]});
        if let Some(transaction) = transaction {
            values["transactionId"] = json!(transaction);
        }
        socket.call("MeterValues", values).await;
    }
    let sessions = app.client.get("/sessions").await.json();
    assert_eq!(sessions["result"][0]["metrics"]["energyConsumed"], 400, "{sessions}");
}

#[actix_web::test]
async fn an_energy_register_that_starts_anew_counts_from_zero() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let transaction = socket.start(1, "CARD", 50_000, "2026-04-24T03:00:00Z").await;
    let stop = json!({"transactionId": transaction, "meterStop": 700, "timestamp": "2026-04-24T03:06:00Z"});
    socket.call("StopTransaction", stop).await;
    let sessions = app.client.get("/sessions").await.json();
    assert_eq!(sessions["result"][0]["metrics"]["energyConsumed"], 700, "{sessions}");
}

#[actix_web::test]
async fn a_remote_start_that_nothing_follows_is_cancelled() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let wish = json!({"connector": station.connector});
    let session = app.client.post("/sessions", wish).await.created();
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Accepted"})).await;
    app.pass(std::time::Duration::from_secs(130)).await;
    let path = format!("/sessions/{}", session["_id"].as_str().unwrap());
    assert_eq!(app.client.get(&path).await.ok()["status"], "cancelled");
}

#[actix_web::test]
async fn kinds_that_bear_no_triggers_get_none() {
    let app = TestApp::start_with(&[("EVENWATT_OCPP_SETTLE_SECONDS", "0")]).await;
    let station = app.station("S").await;
    let boot = json!({"boot_configuration": {"enabled": true, "trigger_heartbeat": true}});
    app.client.patch(&station.path, boot).await.ok();
    let mut socket = FakeStation::connect(&station.url).await;
    let kind = json!({"chargePointVendor": "SmartEVSE", "chargePointModel": "3"});
    socket.call("BootNotification", kind).await;
    assert_eq!(socket.next_call().await[2], "GetConfiguration", "the probe comes next");
    let log = app.client.get("/actions?type=chargestation.boot_configuration.trigger").await.json();
    assert_eq!(log["result"][0]["status"], "failed");
}
