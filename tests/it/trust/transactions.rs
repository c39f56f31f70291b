//! Starts and stops that come late, twice, out of order, without an id or never.

use serde_json::{Value, json};

use super::test_site::{TestSite, assert_settled, minute, reason, settled};

/// A stop of the card at 9 kWh, five minutes past, with these fields changed; null leaves one out.
pub fn stop(changes: Value) -> Value {
    let mut stop = json!({"transactionId": 0, "meterStop": 9_000, "timestamp": minute(5), "idTag": "CARD"});
    let fields = stop.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(fields.remove(name)),
            _ => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    stop
}

mod stops_without_a_number_of_ours {
    use super::*;

    /// Stops of a session of 1 to 9 kWh, each of which ends it.
    fn that_end_it() -> [(&'static str, Value); 12] {
        [
            ("zero, of its card", json!({})),
            ("minus one", json!({"transactionId": -1})),
            ("none", json!({"transactionId": null})),
            ("a text", json!({"transactionId": "tx-77"})),
            ("a text without letters", json!({"transactionId": ""})),
            ("2^64 - 1", json!({"transactionId": 18_446_744_073_709_551_615_u64})),
            ("an object", json!({"transactionId": {"id": 3}})),
            ("one that we never gave, of its card", json!({"transactionId": 812_345})),
            ("one that we never gave, without a card", json!({"transactionId": 812_345, "idTag": null})),
            ("zero, without a card", json!({"idTag": null})),
            ("zero, of its card in small letters", json!({"idTag": "card"})),
            ("zero, by a clock that went back", json!({"timestamp": "2026-04-24T02:00:00Z"})),
        ]
    }

    #[actix_web::test]
    async fn twelve_of_them_end_the_one_session_that_they_can_be_about() {
        let mut site = TestSite::open().await;
        for (number, changes) in that_end_it() {
            site.renew().await;
            site.start().await;
            site.stop(stop(changes)).await;
            let session = site.session().await;
            assert_eq!(settled(&session), ("ended".to_owned(), 8_000, Some(3.2)), "{number}");
        }
    }

    #[actix_web::test]
    async fn a_number_of_an_earlier_server_with_another_card_ends_nobodys_session() {
        let mut site = TestSite::open().await;
        site.start().await;
        site.stop(stop(json!({"transactionId": 812_345, "idTag": "OTHER"}))).await;
        assert_eq!(site.sessions().await[0]["status"], "started");
        assert_eq!(site.orphans().await, 1);
    }

    #[actix_web::test]
    async fn another_card_of_the_group_may_end_it() {
        let mut site = TestSite::open().await;
        for card in ["CARD", "SPOUSE"] {
            site.app.db_token(card, "active", None, Some("FAMILY")).await;
        }
        site.start().await;
        site.stop(stop(json!({"transactionId": 812_345, "idTag": "SPOUSE"}))).await;
        assert_settled(&site.session().await, "ended", 8_000, 3.2);
    }

    #[actix_web::test]
    async fn of_two_sessions_the_one_of_the_card_ends() {
        let mut site = TestSite::open().await;
        site.second_connector().await;
        site.start().await;
        site.socket.start(2, "OTHER", 500, &minute(1)).await;
        site.stop(stop(json!({}))).await;
        let sessions = site.sessions().await;
        assert_settled(&sessions[0], "ended", 8_000, 3.2);
        assert_eq!(sessions[1]["status"], "started");
    }

    #[actix_web::test]
    async fn of_two_sessions_none_ends_where_no_card_shows_which() {
        let mut site = TestSite::open().await;
        site.second_connector().await;
        site.start().await;
        site.socket.start(2, "OTHER", 500, &minute(1)).await;
        site.stop(stop(json!({"idTag": null}))).await;
        let sessions = site.sessions().await;
        let open = sessions.iter().filter(|one| one["status"] == "started");
        assert_eq!((open.count(), site.orphans().await), (2, 1));
    }

    #[actix_web::test]
    async fn reported_twice_it_ends_once_and_leaves_no_orphan() {
        let mut site = TestSite::open().await;
        site.start().await;
        for _ in 0..3 {
            site.stop(stop(json!({}))).await;
        }
        assert_settled(&site.session().await, "ended", 8_000, 3.2);
        assert_eq!(site.recorded().await, ["session.started", "session.ended"]);
    }

    #[actix_web::test]
    async fn repeated_it_does_not_end_the_next_session_of_the_card() {
        let mut site = TestSite::open().await;
        site.start().await;
        site.stop(stop(json!({}))).await;
        site.socket.start(1, "CARD", 9_000, &minute(5)).await;
        site.stop(stop(json!({}))).await;
        let sessions = site.sessions().await;
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions[1]["status"], "started");
    }

    #[actix_web::test]
    async fn a_stop_of_before_the_session_began_is_another_ones() {
        let mut site = TestSite::open().await;
        site.start().await;
        let earlier = json!({"timestamp": "2026-04-24T02:00:00Z", "meterStop": 990});
        site.stop(stop(earlier)).await;
        assert_eq!(site.sessions().await[0]["status"], "started");
        assert_eq!(site.orphans().await, 1);
    }

    #[actix_web::test]
    async fn a_register_far_below_the_begin_is_another_sessions() {
        let mut site = TestSite::open().await;
        site.socket.start(1, "CARD", 500_000, &minute(0)).await;
        site.stop(stop(json!({}))).await;
        assert_eq!(site.sessions().await[0]["status"], "started");
        assert_eq!(site.orphans().await, 1);
    }

    #[actix_web::test]
    async fn an_orphan_is_kept_once_with_all_that_was_said() {
        let mut site = TestSite::open().await;
        for _ in 0..2 {
            site.stop(stop(json!({"transactionId": 5}))).await;
        }
        let orphan = site.session().await;
        assert_eq!((&orphan["orphan"], &orphan["status"]), (&json!(true), &json!("ended")));
    }
}

mod stops_with_fields_that_are_odd {
    use super::*;

    /// Stops of a session that began with 1 kWh and showed 5 kWh at the fourth minute: Wh and end that they make, and what the
    /// station is caught at.
    fn that_are_repaired() -> [(&'static str, Value, i64, &'static str, &'static str); 10] {
        const NOW: &str = "2026-04-24T03:06:40.000Z";
        const REPORTED: &str = "2026-04-24T03:05:00.000Z";
        [
            ("no time", json!({"timestamp": null}), 8_000, NOW, "timestamp: Missing"),
            ("no time at all", json!({"timestamp": "yesterday"}), 8_000, NOW, "timestamp: UnreadableTime"),
            ("no letters", json!({"timestamp": ""}), 8_000, NOW, "timestamp: UnreadableTime"),
            ("seconds since 1970", json!({"timestamp": 1_776_999_900}), 8_000, REPORTED, "timestamp: OddTime"),
            ("milliseconds", json!({"timestamp": 1_776_999_900_000_i64}), 8_000, REPORTED, "timestamp: OddTime"),
            ("no zone", json!({"timestamp": "2026-04-24T03:05:00"}), 8_000, REPORTED, "timestamp: TimeWithoutZone"),
            ("no register: the last one", json!({"meterStop": null}), 4_000, REPORTED, "meterStop: Missing"),
            (
                "a register that is no number",
                json!({"meterStop": "n/a"}),
                4_000,
                REPORTED,
                "meterStop: LeftOut(WrongType(\"an integer\"))",
            ),
            ("a register in quotes", json!({"meterStop": "9000"}), 8_000, REPORTED, "meterStop: Quoted"),
            ("a reason of its own", json!({"reason": "EV Disconnected"}), 8_000, REPORTED, "reason: OtherSpelling"),
        ]
    }

    #[actix_web::test]
    async fn ten_of_them_are_repaired_and_noted() {
        let mut site = TestSite::open().await;
        for (what, changes, energy, end, flag) in that_are_repaired() {
            site.renew().await;
            let number = site.start().await;
            site.meter(number, 4, 5_000, 7_000).await;
            let mut stop = stop(changes);
            stop["transactionId"] = json!(number);
            site.stop(stop).await;
            let session = site.session().await;
            assert_eq!((settled(&session).1, &session["metrics"]["chargingStop"]), (energy, &json!(end)), "{what}");
            let flags = site.flags().await;
            assert!(flags.contains(&flag.to_owned()), "{what}: {flags:?}");
        }
    }

    #[actix_web::test]
    async fn an_end_is_never_before_the_begin() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        let early = json!({"transactionId": number, "timestamp": "2026-04-24T02:00:00Z"});
        site.stop(stop(early)).await;
        let session = site.session().await;
        assert_eq!(session["metrics"]["chargingStop"], "2026-04-24T03:00:00.000Z");
    }

    #[actix_web::test]
    async fn a_stop_of_nothing_but_braces_ends_the_only_session() {
        let mut site = TestSite::open().await;
        let number = site.start().await;
        site.meter(number, 4, 5_000, 7_000).await;
        site.stop(json!({})).await;
        assert_settled(&site.session().await, "ended", 4_000, 1.6);
    }

    #[actix_web::test]
    async fn a_stop_of_nothing_is_kept_once_where_nothing_runs() {
        let mut site = TestSite::open().await;
        for _ in 0..2 {
            site.stop(json!({})).await;
        }
        assert_eq!(site.session().await["orphan"], true);
    }

    #[actix_web::test]
    async fn the_same_words_without_a_time_end_one_session_after_the_other() {
        let mut site = TestSite::open().await;
        for begin in [1_000, 2_000] {
            site.socket.start(1, "CARD", begin, &minute(1)).await;
            site.stop(stop(json!({"timestamp": null}))).await;
            site.pass(30).await;
        }
        let energies: Vec<_> = site.sessions().await.iter().map(settled).map(|it| it.1).collect();
        assert_eq!(energies, [8_000, 7_000]);
    }

    #[actix_web::test]
    async fn whatever_else_is_odd_is_answered_with_a_result() {
        let mut site = TestSite::open().await;
        let odd = [
            json!({"idTag": null}),
            json!({"idTag": 17}),
            json!({"reason": "EV Disconnected"}),
            json!({"reason": ""}),
            json!({"transactionData": {}}),
            json!({"transactionData": [{"timestamp": 7}]}),
            json!({"meterStop": {"value": 3}}),
            json!({"meterStop": -1}),
            json!({"meterStop": 1.5}),
            json!({"timestamp": {}}),
            json!({"timestamp": ""}),
            json!({"colour": "red"}),
        ];
        for (index, odd) in odd.into_iter().enumerate() {
            let mut stop = stop(odd);
            stop["transactionId"] = json!(900 + index);
            site.stop(stop).await;
        }
    }
}

mod starts_with_fields_that_are_odd {
    use super::*;

    /// A start of the card at 1 kWh with these fields changed; null leaves one out.
    async fn start(site: &mut TestSite, changes: Value) -> i64 {
        let mut start = json!({"connectorId": 1, "idTag": "CARD", "meterStart": 1_000, "timestamp": minute(0)});
        let fields = start.as_object_mut().expect("an object");
        for (name, value) in changes.as_object().expect("an object") {
            match value {
                Value::Null => drop(fields.remove(name)),
                _ => drop(fields.insert(name.clone(), value.clone())),
            }
        }
        let answer = site.socket.call("StartTransaction", start).await;
        answer["transactionId"].as_i64().expect("a number")
    }

    #[actix_web::test]
    async fn without_a_time_it_began_when_it_was_received() {
        let mut site = TestSite::open().await;
        start(&mut site, json!({"timestamp": null})).await;
        let session = site.session().await;
        assert_eq!(session["metrics"]["chargingStart"], "2026-04-24T03:06:40.000Z");
    }

    #[actix_web::test]
    async fn without_a_time_it_is_the_same_while_it_is_repeated() {
        let mut site = TestSite::open().await;
        let first = start(&mut site, json!({"timestamp": null})).await;
        site.pass(60).await;
        assert_eq!(start(&mut site, json!({"timestamp": null})).await, first);
        site.stop(stop(json!({"transactionId": first, "timestamp": null}))).await;
        site.pass(60).await;
        assert_ne!(start(&mut site, json!({"timestamp": null})).await, first);
    }

    #[actix_web::test]
    async fn without_a_register_the_first_reading_is_the_begin() {
        let mut site = TestSite::open().await;
        let number = start(&mut site, json!({"meterStart": null})).await;
        site.meter(number, 1, 700_000, 7_000).await;
        site.stop(stop(json!({"transactionId": number, "meterStop": 702_000}))).await;
        assert_settled(&site.session().await, "ended", 2_000, 0.8);
    }

    #[actix_web::test]
    async fn without_a_card_it_is_nobodys_session() {
        let mut site = TestSite::open().await;
        start(&mut site, json!({"idTag": null})).await;
        assert_eq!(site.session().await["status"], "started");
    }

    #[actix_web::test]
    async fn without_a_connector_it_is_at_the_only_one() {
        let mut site = TestSite::open().await;
        start(&mut site, json!({"connectorId": null})).await;
        assert_eq!(site.session().await["connector"], json!(site.station.connector));
    }

    #[actix_web::test]
    async fn without_a_connector_it_is_at_none_of_two() {
        let mut site = TestSite::open().await;
        site.second_connector().await;
        start(&mut site, json!({"connectorId": null})).await;
        assert_eq!(site.session().await["connector"], json!(null));
    }

    #[actix_web::test]
    async fn a_clock_of_another_century_reports_the_same_start_twice() {
        let mut site = TestSite::open().await;
        let wild = json!({"timestamp": "2080-01-01T00:00:00Z"});
        let first = start(&mut site, wild.clone()).await;
        site.pass(120).await;
        assert_eq!(start(&mut site, wild).await, first);
    }

    #[actix_web::test]
    async fn another_start_ends_the_older_session_by_assumption() {
        let mut site = TestSite::open().await;
        let first = start(&mut site, json!({})).await;
        site.meter(first, 2, 3_000, 7_000).await;
        start(&mut site, json!({"timestamp": minute(4), "meterStart": 3_100})).await;
        let sessions = site.sessions().await;
        assert_settled(&sessions[0], "ended", 2_000, 0.8);
        assert_eq!(reason(&sessions[0]), "Assumed: another transaction started");
        assert_eq!(sessions[0]["metrics"]["chargingStop"], "2026-04-24T03:04:00.000Z");
        assert_eq!(sessions[1]["status"], "started");
    }

    #[actix_web::test]
    async fn whatever_else_is_odd_gets_a_number() {
        let mut site = TestSite::open().await;
        for odd in [
            json!({"meterStart": 1_234.6}),
            json!({"meterStart": "1000"}),
            json!({"timestamp": 1_776_999_900}),
            json!({"idTag": 4_711}),
            json!({"reservationId": "none"}),
            json!({"connectorId": "1"}),
            json!({"timestamp": "2026-04-24 03:00:00"}),
        ] {
            assert!(start(&mut site, odd).await > 0);
        }
    }

    #[actix_web::test]
    async fn messages_without_what_nobody_needs_are_answered_too() {
        let mut site = TestSite::open().await;
        for status in [
            json!({"connectorId": 1, "status": "Charging"}),
            json!({"connectorId": 1, "status": "Charging", "errorCode": null}),
            json!({"connectorId": 1, "status": "Charging", "errorCode": ""}),
            json!({"connectorId": 1, "status": "Charging", "errorCode": "Error", "timestamp": ""}),
        ] {
            site.socket.call("StatusNotification", status).await;
        }
        for boot in [
            json!({"chargePointVendor": null, "chargePointModel": "AC"}),
            json!({"chargePointVendor": "", "chargePointModel": "AC"}),
            json!({"chargePointVendor": "Acme"}),
        ] {
            let answer = site.socket.call("BootNotification", boot).await;
            assert_eq!(answer["status"], "Accepted");
        }
    }
}
