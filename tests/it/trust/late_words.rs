//! What is reported after the end of a session, or at another connector: values that waited over a boot, signed data, numbers of
//! connectors that are wrong.

use serde_json::{Value, json};

use super::test_site::{TestSite, assert_settled, minute};
use super::transactions::stop;

/// The part of the only session at this path.
async fn part(site: &TestSite, session: &Value, part: &str) -> Value {
    let id = session["_id"].as_str().expect("an id");
    let answer = site.app.client.get(&format!("/sessions/{id}/{part}")).await;
    answer.ok()
}

/// What was signed in a session.
async fn signed(site: &TestSite, session: &Value) -> Vec<Value> {
    let evidence = part(site, session, "evidence").await;
    let evidence = evidence.as_array().expect("a list").iter();
    evidence.map(|one| one["signed_data"].clone()).collect()
}

fn signing(at: &str, data: &str) -> Value {
    json!([{"timestamp": at, "sampledValue": [
        {"value": data, "format": "SignedData", "context": "Transaction.End"}]}])
}

/// The same with a register that is not signed.
fn beside(register: i64, mut signed: Value) -> Value {
    let values = signed[0]["sampledValue"].as_array_mut().expect("values");
    values.push(json!({"value": register.to_string()}));
    signed
}

/// A station that began a session, showed 5 kWh at the fourth minute, and booted a quarter of an hour later.
async fn that_booted() -> (TestSite, i64) {
    let mut site = TestSite::open().await;
    let number = site.start().await;
    site.meter(number, 4, 5_000, 7_000).await;
    site.pass(900).await;
    site.reboot().await;
    site.status("Preparing").await;
    assert_settled(&site.session().await, "ended", 4_000, 1.6);
    (site, number)
}

#[actix_web::test]
async fn values_that_waited_over_the_boot_correct_what_it_ended_and_do_not_take_it_up_again() {
    let (mut site, number) = that_booted().await;
    for (at, register) in [(8, 6_000), (10, 6_500), (12, 7_000)] {
        site.meter(number, at, register, 7_000).await;
    }
    let session = site.session().await;
    assert_settled(&session, "ended", 6_000, 2.4);
    assert_eq!(session["metrics"]["chargingStop"], "2026-04-24T03:12:00.000Z");
    assert_eq!(session["corrections"][0]["reason"], "The station reported a part of it late");
    let wish = json!({"connector": site.station.connector});
    site.app.client.post("/sessions", wish).await.created();
}

#[actix_web::test]
async fn values_of_now_take_it_up_again_all_the_same() {
    let (mut site, number) = that_booted().await;
    site.meter(number, 12, 7_000, 7_000).await;
    site.meter(number, 22, 8_000, 7_000).await;
    assert_settled(&site.session().await, "started", 7_000, 2.8);
}

#[actix_web::test]
async fn values_that_waited_over_the_boot_are_no_sign_that_it_goes_on() {
    let mut site = TestSite::open().await;
    let number = site.start().await;
    site.meter(number, 4, 5_000, 7_000).await;
    site.pass(900).await;
    site.reboot().await;
    site.meter(number, 12, 7_000, 7_000).await;
    site.status("Preparing").await;
    assert_settled(&site.session().await, "ended", 6_000, 2.4);
}

#[actix_web::test]
async fn events_that_waited_over_the_boot_correct_what_it_ended() {
    let mut site = TestSite::speaking("ocpp2.0.1").await;
    let begin = json!({"at_evse": 1, "register": 1_000, "chargingState": "Charging"});
    site.event("Started", ("tx", 0, 0), begin).await;
    site.pass(900).await;
    site.reboot().await;
    site.status("Available").await;
    let late = json!({"register": 3_000, "chargingState": "Charging", "offline": true});
    site.event("Updated", ("tx", 1, 10), late).await;
    let session = site.session().await;
    assert_settled(&session, "ended", 2_000, 0.8);
    assert_eq!(session["metrics"]["chargingStop"], "2026-04-24T03:10:00.000Z");
}

#[actix_web::test]
async fn late_values_of_a_session_that_another_start_ended_correct_it() {
    let mut site = TestSite::open().await;
    let older = site.start().await;
    site.meter(older, 1, 2_000, 7_000).await;
    site.socket.start(1, "OTHER", 5_000, &minute(4)).await;
    site.meter(older, 3, 4_000, 7_000).await;
    let sessions = site.sessions().await;
    assert_settled(&sessions[0], "ended", 3_000, 1.2);
    assert_settled(&sessions[1], "started", 0, 0.0);
}

mod signed_data {
    use super::*;

    #[actix_web::test]
    async fn reported_after_the_end_is_of_its_session() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        site.stop(stop(json!({"transactionId": number}))).await;
        let late = json!({"connectorId": 1, "transactionId": number, "meterValue": signing(&minute(6), "OCMF|late")});
        site.socket.call("MeterValues", late).await;
        let session = site.session().await;
        assert_eq!(signed(&site, &session).await, ["OCMF|late"]);
        assert_settled(&session, "ended", 8_000, 3.2);
    }

    #[actix_web::test]
    async fn of_a_stop_without_a_session_is_kept_with_it() {
        let mut site = TestSite::open().await;
        let data = signing(&minute(5), "OCMF|orphan");
        site.stop(stop(json!({"transactionId": 77_001, "transactionData": data}))).await;
        let orphan = site.session().await;
        assert_eq!(orphan["orphan"], true);
        assert_eq!(signed(&site, &orphan).await, ["OCMF|orphan"]);
    }

    #[actix_web::test]
    async fn of_a_stop_that_is_repeated_is_kept() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        for number in [number, 0] {
            site.stop(stop(json!({"transactionId": number}))).await;
            let data = signing(&minute(5), &format!("OCMF|{number}"));
            site.stop(stop(json!({"transactionId": number, "transactionData": data}))).await;
            let sessions = site.sessions().await;
            let session = sessions.last().expect("a session");
            assert_eq!(signed(&site, session).await, [format!("OCMF|{number}")]);
        }
    }

    #[actix_web::test]
    async fn reported_with_a_transaction_at_connector_zero_is_its_own() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        let values = beside(5_000, signing(&minute(4), "OCMF|zero"));
        let reported = json!({"connectorId": 0, "transactionId": number, "meterValue": values});
        site.socket.call("MeterValues", reported).await;
        let session = site.session().await;
        assert_settled(&session, "started", 4_000, 1.6);
        assert_eq!(signed(&site, &session).await, ["OCMF|zero"]);
    }

    #[actix_web::test]
    async fn reported_with_a_transaction_at_a_connector_that_is_not_set_up_is_its_own() {
        let mut site = TestSite::open().await;
        let number = site.socket.start(2, "CARD", 1_000, &minute(0)).await;
        let values = beside(5_000, signing(&minute(4), "OCMF|two"));
        let reported = json!({"connectorId": 2, "transactionId": number, "meterValue": values});
        site.socket.call("MeterValues", reported).await;
        site.stop(stop(json!({"transactionId": number, "meterStop": 0}))).await;
        let session = site.session().await;
        assert_eq!(session["metrics"]["energyConsumed"], 4_000);
        assert_eq!(signed(&site, &session).await, ["OCMF|two"]);
    }
}

#[actix_web::test]
async fn values_of_a_transaction_are_its_own_at_whatever_connector_they_are_reported() {
    let mut site = TestSite::open().await;
    site.second_connector().await;
    let left = site.start().await;
    let right = site.socket.start(2, "OTHER", 70_000, &minute(0)).await;
    for (connector, number, register) in [(2, left, 3_000), (1, right, 76_000)] {
        let values = json!({"connectorId": connector, "transactionId": number, "meterValue": [
            {"timestamp": minute(4), "sampledValue": [{"value": register.to_string()}]}]});
        for _ in 0..2 {
            site.socket.call("MeterValues", values.clone()).await;
        }
    }
    let sessions = site.sessions().await;
    for (session, (register, energy)) in sessions.iter().zip([(3_000, 2_000), (76_000, 6_000)]) {
        assert_eq!(session["metrics"]["energyConsumed"], energy);
        let reports = part(&site, session, "energy_reports").await;
        assert_eq!(reports.as_array().map(Vec::len), Some(1));
        assert_eq!(reports[0]["energy_meter"]["value"], register);
    }
}
