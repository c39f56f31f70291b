//! Transactions of OCPP 2 whose events come late, twice, without their EVSE, with numbers that are used again, or never.

use serde_json::{Value, json};

use super::test_site::{TestSite, assert_settled, reason};

/// A card comes first and the cable later, as with the start point `Authorized`.
async fn card_before_cable(protocol: &'static str) {
    let mut site = TestSite::speaking(protocol).await;
    site.event("Started", ("tx", 0, 0), json!({"card": "CARD", "register": 900})).await;
    site.event("Updated", ("tx", 1, 1), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Updated", ("tx", 2, 3), json!({"register": 3_000})).await;
    site.event("Ended", ("tx", 3, 5), json!({"register": 4_900})).await;
    let session = site.session().await;
    assert_eq!(session["connector"], json!(site.station.connector));
    assert_settled(&session, "ended", 4_000, 1.6);
    let path = format!("/sessions/{}/energy_reports", session["_id"].as_str().expect("an id"));
    let reports = site.app.client.get(&path).await.ok();
    assert_eq!(reports.as_array().map(Vec::len), Some(4), "{reports:#}");
}

async fn wish(site: &TestSite) -> String {
    let wish = json!({"connector": site.station.connector, "meta_data": {"order": 7}});
    let made = site.app.client.post("/sessions", wish).await.created();
    made["_id"].as_str().expect("an id").to_owned()
}

/// The number and the card of the request to start that the station gets; it agrees.
async fn asked(site: &mut TestSite) -> (Value, Value) {
    let call = site.socket.next_call().await;
    assert_eq!(call[2], "RequestStartTransaction");
    site.socket.answer(&call, json!({"status": "Accepted"})).await;
    (call[3]["remoteStartId"].clone(), call[3]["idToken"]["idToken"].clone())
}

#[actix_web::test]
async fn e01_fr_16_a_session_is_priced_when_its_evse_becomes_known_in_2_0_1() {
    card_before_cable("ocpp2.0.1").await;
}

#[actix_web::test]
async fn e01_fr_16_a_session_is_priced_when_its_evse_becomes_known_in_2_1() {
    card_before_cable("ocpp2.1").await;
}

#[actix_web::test]
async fn the_request_to_start_names_the_connector_before_the_station_does() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let id = wish(&site).await;
    let (number, card) = asked(&mut site).await;
    let begin = json!({"card": card, "remoteStartId": number, "triggerReason": "RemoteStart"});
    let answer = site.event("Started", ("tx", 0, 0), begin).await;
    assert_eq!(answer["idTokenInfo"]["status"], "Accepted");
    let session = site.session().await;
    assert_eq!((&session["_id"], &session["status"]), (&json!(id), &json!("started")));
    assert_eq!(session["connector"], json!(site.station.connector));
}

#[actix_web::test]
async fn a_wish_over_the_api_goes_on_as_the_transaction_whose_evse_comes_late() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("tx", 0, 0), json!({"register": 1_000})).await;
    let id = wish(&site).await;
    let (number, card) = asked(&mut site).await;
    let placed = json!({"card": card, "remoteStartId": number, "at_evse": 1, "register": 1_500});
    assert_eq!(site.event("Updated", ("tx", 1, 1), placed).await["idTokenInfo"]["status"], "Accepted");
    site.event("Ended", ("tx", 2, 5), json!({"register": 3_000})).await;
    let session = site.app.client.get(&format!("/sessions/{id}")).await.ok();
    assert_settled(&session, "ended", 2_000, 0.8);
    assert_eq!(session["meta_data"], json!({"order": 7}));
    assert_eq!(session["transaction_name"], "tx");
    let others = site.app.client.get("/sessions?status=cancelled").await.json();
    let why = reason(&others["result"][0]).to_owned();
    assert_eq!(why, format!("It goes on as session {id}"));
}

#[actix_web::test]
async fn a_reservation_is_taken_up_when_the_evse_becomes_known() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let evses = site.app.client.get("/evses").await.json();
    let evse = evses["result"][0]["_id"].as_str().expect("an id").to_owned();
    let change = json!({"reservable": true});
    site.app.client.patch(&format!("/evses/{evse}"), change).await.ok();
    let kept = json!({"connector": site.station.connector, "id_tag": "CARD", "expires_at": "2026-04-24T05:00:00Z"});
    let app = &site.app;
    let reserving = app.client.post("/reservations", kept);
    let answering = async {
        let call = site.socket.next_call().await;
        site.socket.answer(&call, json!({"status": "Accepted"})).await;
    };
    let (reserved, ()) = tokio::join!(reserving, answering);
    let reserved = reserved.created();
    let path = format!("/reservations/{}", reserved["_id"].as_str().expect("an id"));
    site.app.eventually(async || site.app.client.get(&path).await.ok()["status"] == "active").await;
    site.event("Started", ("tx", 0, 0), json!({"card": "CARD"})).await;
    assert_eq!(site.app.client.get(&path).await.ok()["status"], "active");
    site.event("Updated", ("tx", 1, 1), json!({"at_evse": 1})).await;
    assert_eq!(site.app.client.get(&path).await.ok()["status"], "used");
}

#[actix_web::test]
async fn the_session_before_is_over_when_another_takes_its_connector() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("old", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Updated", ("old", 1, 1), json!({"register": 2_000})).await;
    site.event("Started", ("new", 0, 3), json!({"card": "CARD"})).await;
    assert_eq!(site.sessions().await[0]["status"], "started", "nobody knows where the new one is");
    site.event("Updated", ("new", 1, 4), json!({"at_evse": 1})).await;
    let old = site.sessions().await.remove(0);
    assert_settled(&old, "ended", 1_000, 0.4);
    assert_eq!(reason(&old), "Assumed: another transaction started");
    assert_eq!(old["metrics"]["chargingStop"], "2026-04-24T03:03:00.000Z");
}

#[actix_web::test]
async fn a_transaction_whose_evse_is_reported_late_is_over_where_a_later_one_runs() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("old", 0, 0), json!({"register": 1_000})).await;
    let begin = json!({"at_evse": 1, "register": 3_000});
    site.event("Started", ("new", 0, 3), begin).await;
    let placed = json!({"at_evse": 1, "register": 2_000});
    site.event("Updated", ("old", 1, 2), placed).await;
    let sessions = site.sessions().await;
    assert_settled(&sessions[0], "ended", 1_000, 0.4);
    assert_eq!(reason(&sessions[0]), "Assumed: another transaction started");
    assert_eq!(sessions[0]["metrics"]["chargingStop"], "2026-04-24T03:03:00.000Z");
    assert_eq!(sessions[1]["status"], "started");

    site.event("Ended", ("old", 2, 3), json!({"register": 2_500})).await;
    let old = site.sessions().await.remove(0);
    assert_settled(&old, "ended", 1_500, 0.6);
    assert_eq!(old["corrections"][0]["reason"], "The station reported its end");
}

#[actix_web::test]
async fn a_start_that_is_reported_after_a_later_one_is_over() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let begin = json!({"at_evse": 1, "register": 3_000});
    site.event("Started", ("new", 0, 3), begin).await;
    let late = json!({"at_evse": 1, "register": 1_000, "offline": true});
    site.event("Started", ("old", 0, 0), late).await;
    let sessions = site.sessions().await;
    assert_eq!((&sessions[0]["status"], &sessions[1]["status"]), (&json!("started"), &json!("ended")));
    assert_eq!(reason(&sessions[1]), "Assumed: another transaction started");
    let end = json!({"register": 2_000, "offline": true});
    site.event("Ended", ("old", 1, 2), end).await;
    assert_settled(&site.sessions().await[1], "ended", 1_000, 0.4);
    site.event("Ended", ("new", 1, 5), json!({"register": 3_700})).await;
    assert_settled(&site.sessions().await[0], "ended", 700, 0.28);
}

#[actix_web::test]
async fn its_connector_is_occupied_when_it_becomes_known() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("tx", 0, 0), json!({"card": "CARD", "chargingState": "EVConnected"})).await;
    site.event("Updated", ("tx", 1, 1), json!({"at_evse": 1})).await;
    let station = site.app.client.get(&site.station.path).await.ok();
    assert_eq!(station["connectors"][0]["status"], "Preparing");
}

#[actix_web::test]
async fn an_end_with_a_number_that_was_used_already_ends_it() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("tx", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Updated", ("tx", 1, 2), json!({"register": 2_000})).await;
    site.event("Ended", ("tx", 1, 4), json!({"register": 3_000})).await;
    assert_settled(&site.session().await, "ended", 2_000, 0.8);
}

#[actix_web::test]
async fn a_station_whose_events_all_have_number_zero_is_followed() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("tx", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Updated", ("tx", 0, 2), json!({"register": 2_000, "chargingState": "Charging"})).await;
    let session = site.session().await;
    assert_eq!(session["metrics"]["chargingState"], "Charging");
    assert_settled(&session, "started", 1_000, 0.4);
    site.event("Ended", ("tx", 0, 4), json!({"register": 3_000})).await;
    assert_settled(&site.session().await, "ended", 2_000, 0.8);
}

#[actix_web::test]
async fn the_same_event_repeated_counts_once() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    for _ in 0..2 {
        site.event("Started", ("tx", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    }
    for _ in 0..2 {
        site.event("Ended", ("tx", 1, 4), json!({"register": 3_000})).await;
    }
    assert_settled(&site.session().await, "ended", 2_000, 0.8);
    assert_eq!(site.recorded().await, ["session.started", "session.ended"]);
}

#[actix_web::test]
async fn the_same_number_with_another_trigger_is_another_event() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("tx", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Updated", ("tx", 1, 2), json!({"triggerReason": "Authorized", "card": "CARD"})).await;
    let clocked = json!({"triggerReason": "MeterValueClock", "register": 2_500});
    site.event("Updated", ("tx", 1, 2), clocked).await;
    assert_settled(&site.session().await, "started", 1_500, 0.6);
}

#[actix_web::test]
async fn a_name_that_is_used_again_after_the_end_is_another_session() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    for (begin, register) in [(0, 1_000), (4, 5_000)] {
        site.event("Started", ("1", 0, begin), json!({"at_evse": 1, "register": register})).await;
        site.event("Ended", ("1", 1, begin + 2), json!({"register": register + 500})).await;
    }
    let sessions = site.sessions().await;
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        assert_settled(session, "ended", 500, 0.2);
    }
}

#[actix_web::test]
async fn a_name_that_is_used_again_without_an_end_ends_the_older_session() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("1", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Updated", ("1", 1, 1), json!({"register": 1_700})).await;
    site.event("Started", ("1", 0, 4), json!({"at_evse": 1, "register": 1_700})).await;
    let sessions = site.sessions().await;
    assert_settled(&sessions[0], "ended", 700, 0.28);
    assert!(reason(&sessions[0]).starts_with("Assumed"));
    assert_eq!(sessions[1]["status"], "started");
}

#[actix_web::test]
async fn a_start_whose_time_was_put_right_is_the_same_session() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("tx", 0, 0), json!({"at_evse": 1})).await;
    let right = json!({"at_evse": 1, "timestamp": "2026-04-24T03:00:09Z"});
    site.event("Started", ("tx", 0, 0), right).await;
    assert_eq!(site.session().await["status"], "started");
}

#[actix_web::test]
async fn events_of_a_session_counted_anew_without_its_start_are_a_session() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("1", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Ended", ("1", 3, 1), json!({"register": 1_500})).await;
    site.event("Updated", ("1", 1, 4), json!({"at_evse": 1, "register": 1_500})).await;
    site.event("Ended", ("1", 2, 6), json!({"register": 2_500})).await;
    let sessions = site.sessions().await;
    assert_settled(&sessions[0], "ended", 500, 0.2);
    assert_settled(&sessions[1], "ended", 1_000, 0.4);
}

#[actix_web::test]
async fn an_end_of_what_was_never_heard_of_is_kept_and_ends_nothing_else() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Started", ("tx", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    site.event("Ended", ("lost", 7, 2), json!({"at_evse": 1, "register": 900})).await;
    let sessions = site.sessions().await;
    assert_eq!((&sessions[0]["status"], sessions.len()), (&json!("started"), 2));
    assert_eq!((&sessions[1]["orphan"], &sessions[1]["status"]), (&json!(true), &json!("ended")));
}

#[actix_web::test]
async fn a_start_reported_after_its_end_corrects_what_was_known() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    site.event("Ended", ("tx", 3, 5), json!({"at_evse": 1, "register": 3_000})).await;
    assert_eq!(site.session().await["orphan"], true);
    site.event("Started", ("tx", 0, 0), json!({"at_evse": 1, "register": 1_000})).await;
    let session = site.session().await;
    assert_settled(&session, "ended", 2_000, 0.8);
    assert_eq!(session["orphan"], false);
    assert_eq!(session["corrections"][0]["after"]["energyConsumed"], 2_000);
    assert_eq!(site.recorded().await.last().map(String::as_str), Some("session.corrected"));
}

#[actix_web::test]
async fn a_boot_and_an_available_connector_end_what_the_station_forgot() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let begin = json!({"at_evse": 1, "register": 1_000, "chargingState": "Charging"});
    site.event("Started", ("tx", 0, 0), begin).await;
    site.reboot().await;
    site.status("Occupied").await;
    assert_eq!(site.session().await["status"], "started", "by what is not said");
    site.status("Available").await;
    let session = site.session().await;
    assert_eq!(reason(&session), "Assumed: the station booted and the connector is idle");
}

#[actix_web::test]
async fn events_after_the_assumed_end_take_it_up_again() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let begin = json!({"at_evse": 1, "register": 1_000, "chargingState": "Charging"});
    site.event("Started", ("tx", 0, 0), begin).await;
    site.reboot().await;
    site.status("Available").await;
    site.event("Updated", ("tx", 1, 4), json!({"register": 2_000, "chargingState": "Charging"})).await;
    assert_eq!(site.session().await["status"], "started");
    site.event("Ended", ("tx", 2, 6), json!({"register": 3_000})).await;
    let session = site.session().await;
    assert_settled(&session, "ended", 2_000, 0.8);
    assert_eq!(session["corrections"][0]["reason"], "It goes on");
}

#[actix_web::test]
async fn an_end_reported_after_the_assumed_one_corrects_it() {
    let mut site = TestSite::speaking("ocpp2.1").await;
    let begin = json!({"at_evse": 1, "register": 1_000, "chargingState": "Charging"});
    site.event("Started", ("tx", 0, 0), begin).await;
    site.reboot().await;
    site.status("Available").await;
    let end = json!({"register": 1_800, "stoppedReason": "PowerLoss"});
    site.event("Ended", ("tx", 1, 2), end).await;
    let session = site.session().await;
    assert_settled(&session, "ended", 800, 0.32);
    assert_eq!(session["corrections"][0]["after"]["chargingStopReason"], "PowerLoss");
}

#[actix_web::test]
async fn e14_a_stop_that_is_refused_ends_what_the_station_says_is_over() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let begin = json!({"at_evse": 1, "register": 1_000, "chargingState": "Charging"});
    site.event("Started", ("tx", 0, 0), begin).await;
    for (ongoing, status) in [(true, "started"), (false, "ended")] {
        let id = site.session().await["_id"].as_str().expect("an id").to_owned();
        let stop = format!("/sessions/{id}/stop");
        assert_eq!(site.app.client.post(&stop, json!({})).await.status, 200);
        let call = site.socket.next_call().await;
        assert_eq!(call[2], "RequestStopTransaction");
        site.socket.answer(&call, json!({"status": "Rejected"})).await;
        let call = site.socket.next_call().await;
        assert_eq!((&call[2], &call[3]["transactionId"]), (&json!("GetTransactionStatus"), &json!("tx")));
        let answer = json!({"ongoingIndicator": ongoing, "messagesInQueue": false});
        site.socket.answer(&call, answer).await;
        let event = match ongoing {
            true => "session.stop_failure",
            false => "session.ended",
        };
        site.app.eventually(async || site.recorded().await.contains(&event.to_owned())).await;
        assert_eq!(site.session().await["status"], status);
    }
}

#[actix_web::test]
async fn e14_a_station_that_booted_is_asked_whether_its_transaction_goes_on() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let begin = json!({"at_evse": 1, "register": 1_000, "chargingState": "Charging"});
    site.event("Started", ("tx", 0, 0), begin).await;
    for (ongoing, status) in [(true, "started"), (false, "ended")] {
        site.reboot().await;
        site.status("Occupied").await;
        let call = site.socket.next_call().await;
        assert_eq!((&call[2], &call[3]["transactionId"]), (&json!("GetTransactionStatus"), &json!("tx")));
        let answer = json!({"ongoingIndicator": ongoing, "messagesInQueue": false});
        site.socket.answer(&call, answer).await;
        site.app.eventually(async || site.session().await["status"] == status).await;
    }
    assert_eq!(reason(&site.session().await), "Assumed: the station knows no such transaction");
}
