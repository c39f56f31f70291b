//! The same words once more: repetitions, and stations whose clock stands still, begins anew at each boot, or whose numbers do.

use serde_json::{Value, json};

use super::test_site::{TestSite, assert_settled, minute, settled};
use super::transactions::stop;

const NEVER_SET: &str = "1970-01-01T00:00:00Z";

async fn energies(site: &TestSite) -> Vec<(String, i64)> {
    let sessions = site.sessions().await;
    let one = |session: &Value| {
        let (status, energy, _) = settled(session);
        (status, energy)
    };
    sessions.iter().map(one).collect()
}

fn ended(energies: &[i64]) -> Vec<(String, i64)> {
    let one = |energy: &i64| ("ended".to_owned(), *energy);
    energies.iter().map(one).collect()
}

async fn reads(site: &mut TestSite, transaction: i64, at: &str, register: i64) {
    let values = json!({"connectorId": 1, "transactionId": transaction, "meterValue": [
        {"timestamp": at, "sampledValue": [{"value": register.to_string()}]}]});
    site.socket.call("MeterValues", values).await;
}

mod a_clock_that_stands_still {
    use super::*;

    #[actix_web::test]
    async fn reports_one_session_after_the_other() {
        let mut site = TestSite::open().await;
        for end in [700, 500] {
            let number = site.socket.start(1, "CARD", 0, NEVER_SET).await;
            assert_eq!(site.socket.start(1, "CARD", 0, NEVER_SET).await, number, "reported again while it runs");
            let end = json!({"transactionId": number, "meterStop": end, "timestamp": NEVER_SET});
            for _ in 0..2 {
                site.stop(stop(end.clone())).await;
            }
        }
        assert_eq!(energies(&site).await, ended(&[700, 500]));
    }

    #[actix_web::test]
    async fn ends_each_session_by_the_same_stop_without_a_number() {
        let mut site = TestSite::open().await;
        for card in ["A", "B", "B"] {
            site.socket.start(1, card, 0, NEVER_SET).await;
            let end = json!({"meterStop": 700, "timestamp": NEVER_SET, "idTag": null});
            site.stop(stop(end)).await;
        }
        assert_eq!(energies(&site).await, ended(&[700, 700, 700]));
    }

    #[actix_web::test]
    async fn reports_the_same_values_of_each_session() {
        let mut site = TestSite::open().await;
        for card in ["A", "B"] {
            let number = site.socket.start(1, card, 0, NEVER_SET).await;
            for register in [100, 200, 200, 300] {
                reads(&mut site, number, NEVER_SET, register).await;
            }
            let running = energies(&site).await.pop();
            assert_eq!(running, Some(("started".to_owned(), 300)));
            let end = json!({"transactionId": number, "meterStop": 400, "timestamp": NEVER_SET});
            site.stop(stop(end)).await;
        }
        assert_eq!(energies(&site).await, ended(&[400, 400]));
    }

    #[actix_web::test]
    async fn reports_transactions_of_one_name_one_after_the_other() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        for end in [700, 500] {
            for (stage, seq, register) in [("Started", 0, 0), ("Updated", 1, 300), ("Ended", 2, end)] {
                let values = json!([{"timestamp": NEVER_SET, "sampledValue": [{"value": register}]}]);
                let event = json!({"at_evse": 1, "timestamp": NEVER_SET, "meterValue": values});
                site.event(stage, ("1", seq, 0), event.clone()).await;
                if seq > 0 {
                    site.event(stage, ("1", seq, 0), event).await;
                }
            }
        }
        assert_eq!(energies(&site).await, ended(&[700, 500]));
    }

    #[actix_web::test]
    async fn and_a_number_that_does_hide_no_readings() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        let report = |register: i64| {
            let values = json!([{"timestamp": NEVER_SET, "sampledValue": [{"value": register}]}]);
            json!({"at_evse": 1, "timestamp": NEVER_SET, "meterValue": values})
        };
        site.event("Started", ("tx", 0, 0), report(1_000)).await;
        for register in [1_100, 1_200, 1_200, 1_300] {
            site.event("Updated", ("tx", 0, 0), report(register)).await;
        }
        assert_settled(&site.session().await, "started", 300, 0.12);
        site.event("Ended", ("tx", 0, 0), report(1_400)).await;
        assert_settled(&site.session().await, "ended", 400, 0.16);
    }
}

mod a_clock_that_begins_anew_at_each_boot {
    use super::*;

    const BEGIN: &str = "2021-01-01T00:01:00Z";

    #[actix_web::test]
    async fn reports_another_session_after_the_boot() {
        let mut site = TestSite::open().await;
        let first = site.socket.start(1, "CARD", 0, BEGIN).await;
        let end = json!({"transactionId": first, "meterStop": 500, "timestamp": "2021-01-01T00:05:00Z"});
        site.stop(stop(end)).await;
        site.pass(60).await;
        assert_eq!(site.socket.start(1, "CARD", 0, BEGIN).await, first, "reported again");
        site.reboot().await;
        let second = site.socket.start(1, "CARD", 0, BEGIN).await;
        assert_ne!(second, first);
        reads(&mut site, second, "2021-01-01T00:02:00Z", 300).await;
        assert_eq!(energies(&site).await[1], ("started".to_owned(), 300));
    }

    #[actix_web::test]
    async fn hides_no_readings_that_have_the_times_of_the_session_before() {
        let mut site = TestSite::open().await;
        for card in ["A", "B"] {
            let number = site.socket.start(1, card, 0, BEGIN).await;
            reads(&mut site, number, "2021-01-01T00:02:00Z", 100).await;
            reads(&mut site, number, "2021-01-01T00:03:00Z", 200).await;
            let running = energies(&site).await.pop();
            assert_eq!(running, Some(("started".to_owned(), 200)));
            let end = json!({"transactionId": number, "meterStop": 300, "timestamp": "2021-01-01T00:04:00Z"});
            site.stop(stop(end)).await;
        }
        assert_eq!(energies(&site).await, ended(&[300, 300]));
    }
}

mod a_start {
    use super::*;

    #[actix_web::test]
    async fn is_the_same_after_its_end_where_the_clock_runs() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        site.stop(stop(json!({"transactionId": number}))).await;
        site.pass(3_600).await;
        assert_eq!(site.start().await, number);
        assert_settled(&site.session().await, "ended", 8_000, 3.2);
    }

    #[actix_web::test]
    async fn repeated_with_a_new_time_is_one_session_where_nothing_else_was_reported() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        site.pass(40).await;
        assert_eq!(site.socket.start(1, "CARD", 1_000, &minute(1)).await, number);
        site.meter(number, 4, 1_000, 0).await;
        let next = site.socket.start(1, "CARD", 1_000, &minute(5)).await;
        assert_ne!(next, number, "something was reported of the first");
    }

    #[actix_web::test]
    async fn reported_for_the_card_and_for_the_cable_is_one_session() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        let at = |trigger: &str| json!({"at_evse": 1, "register": 1_000, "triggerReason": trigger});
        site.event("Started", ("tx", 0, 0), at("Authorized")).await;
        site.event("Started", ("tx", 1, 2), at("CablePluggedIn")).await;
        site.event("Ended", ("tx", 2, 5), json!({"register": 3_000})).await;
        let session = site.session().await;
        assert_settled(&session, "ended", 2_000, 0.8);
        assert_eq!(session["metrics"]["chargingStart"], "2026-04-24T03:00:00.000Z");
    }

    #[actix_web::test]
    async fn after_the_end_is_of_another_session_whatever_its_clock_says() {
        for back in ["2026-04-04T03:00:00Z", "2026-04-24T01:00:00Z"] {
            let mut site = TestSite::speaking("ocpp2.0.1").await;
            let begin = json!({"at_evse": 1, "register": 1_000});
            site.event("Started", ("1", 0, 0), begin).await;
            site.event("Ended", ("1", 1, 2), json!({"register": 3_000})).await;
            let before = site.session().await;
            assert_settled(&before, "ended", 2_000, 0.8);
            let again = json!({"at_evse": 1, "register": 3_000, "timestamp": back});
            site.event("Started", ("1", 0, 3), again).await;
            let sessions = site.sessions().await;
            assert_eq!(sessions[0], before, "a bill stays");
            assert_eq!(sessions[1]["status"], "started");
        }
    }

    #[actix_web::test]
    async fn that_is_reported_does_not_move_when_its_clock_went_back() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        let begin = json!({"at_evse": 1, "register": 1_000});
        site.event("Started", ("1", 0, 0), begin).await;
        site.event("Updated", ("1", 1, 2), json!({"register": 2_000})).await;
        let back = json!({"at_evse": 1, "register": 2_000, "timestamp": "2026-04-23T03:00:00Z"});
        site.event("Started", ("1", 0, 3), back).await;
        let first = site.sessions().await.remove(0);
        assert_settled(&first, "ended", 1_000, 0.4);
        assert_eq!(first["metrics"]["chargingStart"], "2026-04-24T03:00:00.000Z");
    }
}

mod events_after_the_end {
    use super::*;

    async fn over() -> TestSite {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        let begin = json!({"at_evse": 1, "register": 1_000});
        site.event("Started", ("1", 0, 0), begin).await;
        site.event("Ended", ("1", 1, 1), json!({"register": 1_500})).await;
        site.pass(61).await;
        site
    }

    #[actix_web::test]
    async fn are_of_another_session_where_something_was_drawn() {
        let mut site = over().await;
        site.event("Updated", ("1", 3, 4), json!({"at_evse": 1, "register": 2_000})).await;
        site.event("Ended", ("1", 4, 6), json!({"register": 3_000})).await;
        // 2 kWh is the first that was heard of the second.
        assert_eq!(energies(&site).await, ended(&[500, 1_000]));
    }

    #[actix_web::test]
    async fn are_of_the_same_where_nothing_was() {
        let mut site = over().await;
        site.event("Updated", ("1", 2, 4), json!({"register": 1_500})).await;
        assert_settled(&site.session().await, "ended", 500, 0.2);
    }
}

mod stops {
    use super::*;

    #[actix_web::test]
    async fn with_the_number_of_the_session_before_end_the_one_that_they_fit() {
        let mut site = TestSite::open().await;
        let first = site.start().await;
        let end = json!({"transactionId": first, "meterStop": 6_000, "timestamp": minute(2), "idTag": null});
        site.stop(stop(end.clone())).await;
        site.socket.start(1, "CARD", 6_000, &minute(3)).await;
        site.stop(stop(end)).await;
        assert_eq!(site.sessions().await[1]["status"], "started", "a repetition");
        let end = json!({"transactionId": first, "meterStop": 14_000, "timestamp": minute(6), "idTag": null});
        site.stop(stop(end.clone())).await;
        site.stop(stop(end)).await;
        // 1 to 6 kWh, and 6 to 14.
        assert_eq!(energies(&site).await, ended(&[5_000, 8_000]));
    }

    #[actix_web::test]
    async fn of_another_connector_or_card_end_nothing_by_the_number_of_the_session_before() {
        let mut site = TestSite::open().await;
        site.second_connector().await;
        let first = site.start().await;
        let end = json!({"transactionId": first, "meterStop": 6_000, "timestamp": minute(2)});
        site.stop(stop(end)).await;
        site.socket.start(1, "OTHER", 6_000, &minute(3)).await;
        site.socket.start(2, "CARD", 6_000, &minute(3)).await;
        let end = json!({"transactionId": first, "meterStop": 14_000, "timestamp": minute(6)});
        site.stop(stop(end)).await;
        let sessions = site.sessions().await;
        assert_settled(&sessions[0], "ended", 5_000, 2.0);
        let running = sessions.iter().filter(|one| one["status"] == "started");
        assert_eq!((running.count(), sessions.len()), (2, 3));
    }

    #[actix_web::test]
    async fn without_number_and_card_end_the_one_whose_register_they_go_on_from() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        site.meter(number, 4, 2_000, 7_000).await;
        let back = json!({"meterStop": 3_000, "timestamp": "2026-04-24T02:00:00Z", "idTag": null});
        site.stop(stop(back)).await;
        assert_settled(&site.session().await, "ended", 2_000, 0.8);
    }

    #[actix_web::test]
    async fn end_the_one_of_two_that_can_have_come_to_that_register() {
        let mut site = TestSite::open().await;
        site.second_connector().await;
        let left = site.start().await;
        let right = site.socket.start(2, "OTHER", 200_000, &minute(0)).await;
        site.meter(left, 6, 9_000, 7_000).await;
        let values = json!({"connectorId": 2, "transactionId": right, "meterValue": [
            {"timestamp": minute(6), "sampledValue": [{"value": "218000"}]}]});
        site.socket.call("MeterValues", values).await;
        // 385 kW for three minutes are 19 kWh: the left one cannot be at 220 kWh, not even four times as fast.
        let end = json!({"meterStop": 220_000, "timestamp": minute(6), "idTag": null});
        site.stop(stop(end)).await;
        let [left, right] = [("started", 8_000), ("ended", 20_000)];
        let all = energies(&site).await;
        assert_eq!(all, [left, right].map(|(status, energy)| (status.to_owned(), energy)));
    }

    #[actix_web::test]
    async fn of_an_older_session_bill_nothing_of_the_newer_one() {
        let mut site = TestSite::open().await;
        let older = site.start().await;
        site.meter(older, 2, 4_000, 7_000).await;
        let newer = site.socket.start(1, "OTHER", 5_000, &minute(3)).await;
        site.meter(newer, 5, 9_000, 7_000).await;
        let late = json!({"transactionId": older, "meterStop": 12_000, "timestamp": minute(6)});
        site.stop(stop(late)).await;
        let end = json!({"transactionId": newer, "meterStop": 13_000, "timestamp": minute(6)});
        site.stop(stop(end)).await;
        // 1 to 5 kWh, where the newer one began, and 5 to 13.
        assert_eq!(energies(&site).await, ended(&[4_000, 8_000]));
        let stopped = &site.sessions().await[0]["metrics"]["chargingStop"];
        assert_eq!(stopped, "2026-04-24T03:03:00.000Z");
    }

    #[actix_web::test]
    async fn of_ocpp_2_end_it_whatever_is_odd_about_them() {
        for odd in [
            json!({"timestamp": null}),
            json!({"seqNo": null}),
            json!({"triggerReason": null}),
            json!({"seqNo": -1}),
            json!({"seqNo": 9_223_372_036_854_775_808_u64}),
            json!({"seqNo": null, "timestamp": null, "triggerReason": null}),
        ] {
            let mut site = TestSite::speaking("ocpp2.0.1").await;
            let begin = json!({"at_evse": 1, "register": 1_000});
            site.event("Started", ("tx", 0, 0), begin).await;
            let mut end = odd.clone();
            end["register"] = json!(3_000);
            site.event("Ended", ("tx", 1, 4), end).await;
            let session = site.session().await;
            assert_eq!(settled(&session), ("ended".to_owned(), 2_000, Some(0.8)), "{odd}");
        }
    }
}
