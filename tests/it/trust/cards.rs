//! Cards that nobody knows, and cards that are used twice.

use serde_json::{Value, json};

use super::test_site::{TestSite, assert_settled, minute};
use crate::support::{FakeStation, TestApp};

impl TestSite {
    /// The organization says this of cards.
    async fn organization_says(&self, policy: Value) {
        self.app.client.patch("/organization", policy).await.ok();
    }

    /// The station stands at a location that says this of cards.
    async fn location_says(&self, policy: Value) {
        let mut location = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
        let fields = location.as_object_mut().expect("an object");
        fields.extend(policy.as_object().expect("an object").clone());
        let location = self.app.client.post("/locations", location).await.created();
        let move_there = json!({"location": location["_id"]});
        self.app.client.patch(&self.station.path, move_there).await.ok();
    }

    /// What Authorize is answered in 1.6.
    async fn authorize(&mut self, card: &str) -> String {
        let answer = self.socket.call("Authorize", json!({"idTag": card})).await;
        answer["idTagInfo"]["status"].as_str().expect("a status").to_owned()
    }

    /// What a start at a connector is answered in 1.6.
    async fn tap(&mut self, connector: u32, card: &str) -> String {
        let start = json!({"connectorId": connector, "idTag": card, "meterStart": 1_000, "timestamp": minute(1)});
        let answer = self.socket.call("StartTransaction", start).await;
        answer["idTagInfo"]["status"].as_str().expect("a status").to_owned()
    }

    /// What Authorize is answered in 2.x for a token of this type.
    async fn authorize_2(&mut self, card: &str, kind: &str, more: Value) -> Value {
        let mut request = json!({"idToken": {"idToken": card, "type": kind}});
        let fields = request.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        self.socket.call("Authorize", request).await
    }

    async fn unknown_cards(&self) -> Vec<Value> {
        let recorded = self.app.client.get("/events?type=token.unknown").await.json();
        let recorded = recorded["result"].as_array().expect("events");
        recorded.iter().map(|event| event["data"].clone()).collect()
    }
}

mod that_no_token_knows {
    use super::*;

    #[actix_web::test]
    async fn are_refused_where_nobody_says_otherwise() {
        let mut site = TestSite::open().await;
        assert_eq!(site.authorize("04A2B3C4D5E680").await, "Invalid");
        assert_eq!(site.tap(1, "04A2B3C4D5E680").await, "Invalid");
    }

    #[actix_web::test]
    async fn charge_where_the_organization_accepts_them() {
        let mut site = TestSite::open().await;
        site.organization_says(json!({"unknown_cards": "accept"})).await;
        assert_eq!(site.authorize("STRANGER").await, "Accepted");
        assert_eq!(site.tap(1, "STRANGER").await, "Accepted");
        let number = site.session().await["transaction_id"].clone();
        let stop = json!({"transactionId": number, "meterStop": 3_000, "timestamp": minute(5)});
        site.stop(stop).await;
        assert_settled(&site.session().await, "ended", 2_000, 0.8);
    }

    #[actix_web::test]
    async fn charge_for_nothing_where_they_vend_freely() {
        let mut site = TestSite::open().await;
        site.organization_says(json!({"unknown_cards": "free_vending"})).await;
        assert_eq!(site.tap(1, "STRANGER").await, "Accepted");
        let session = site.session().await;
        assert_eq!(
            (&session["free_vending"], &session["cost"], &session["rate"]),
            (&json!(true), &json!(null), &json!(null))
        );
    }

    #[actix_web::test]
    async fn known_ones_pay_where_others_vend_freely() {
        let mut site = TestSite::open().await;
        site.app.db_token("CARD", "active", None, None).await;
        site.organization_says(json!({"unknown_cards": "free_vending"})).await;
        site.tap(1, "CARD").await;
        let session = site.session().await;
        assert_eq!((&session["free_vending"], session["cost"].is_null()), (&json!(false), false));
    }

    #[actix_web::test]
    async fn blocked_ones_do_not_vend_freely() {
        let mut site = TestSite::open().await;
        site.app.db_token("LOST", "blocked", None, None).await;
        site.organization_says(json!({"unknown_cards": "free_vending"})).await;
        assert_eq!(site.authorize("LOST").await, "Blocked");
    }

    #[actix_web::test]
    async fn a_location_may_accept_what_its_organization_refuses() {
        let mut site = TestSite::open().await;
        site.location_says(json!({"unknown_cards": "accept"})).await;
        assert_eq!(site.authorize("STRANGER").await, "Accepted");
    }

    #[actix_web::test]
    async fn a_location_may_refuse_what_its_organization_accepts() {
        let mut site = TestSite::open().await;
        site.organization_says(json!({"unknown_cards": "accept"})).await;
        site.location_says(json!({"unknown_cards": "refuse"})).await;
        assert_eq!(site.authorize("STRANGER").await, "Invalid");
    }

    #[actix_web::test]
    async fn a_station_that_is_not_public_refuses_them_whatever_is_said() {
        let mut site = TestSite::open().await;
        site.organization_says(json!({"unknown_cards": "accept"})).await;
        site.app.client.patch(&site.station.path, json!({"public": false})).await.ok();
        assert_eq!(site.authorize("STRANGER").await, "Invalid");
    }

    #[actix_web::test]
    async fn a_policy_that_there_is_not_is_refused_with_those_that_there_are() {
        let site = TestSite::open().await;
        let odd = site.app.client.patch("/organization", json!({"unknown_cards": "maybe"})).await;
        assert_eq!(odd.status, 422, "{}", odd.text);
        assert!(odd.text.contains("free_vending"), "{}", odd.text);
    }

    #[actix_web::test]
    async fn vend_freely_in_2_x_also_when_they_come_before_the_cable() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        site.organization_says(json!({"unknown_cards": "free_vending"})).await;
        let answer = site.event("Started", ("tx", 0, 0), json!({"card": "STRANGER"})).await;
        assert_eq!(answer["idTokenInfo"]["status"], "Accepted");
        site.event("Updated", ("tx", 1, 1), json!({"at_evse": 1})).await;
        let session = site.session().await;
        assert_eq!((&session["free_vending"], &session["cost"]), (&json!(true), &json!(null)));
    }

    #[actix_web::test]
    async fn lose_the_price_of_a_session_that_began_with_the_cable() {
        let mut site = TestSite::speaking("ocpp2.1").await;
        site.organization_says(json!({"unknown_cards": "free_vending"})).await;
        site.event("Started", ("tx", 0, 0), json!({"at_evse": 1})).await;
        assert!(!site.session().await["cost"].is_null());
        site.event("Updated", ("tx", 1, 1), json!({"card": "STRANGER"})).await;
        assert!(site.session().await["cost"].is_null());
    }
}

mod that_are_enrolled_by_tapping {
    use super::*;

    #[actix_web::test]
    async fn an_event_has_the_number_that_was_presented_to_the_reader() {
        let mut site = TestSite::open().await;
        site.authorize("04A2B3C4D5E680").await;
        let recorded = site.unknown_cards().await;
        assert_eq!(
            recorded,
            [json!({"chargestation": site.station.id, "connector": null, "session": null,
                "id_tag": "04A2B3C4D5E680", "accepted": false})]
        );
    }

    #[actix_web::test]
    async fn the_event_of_a_start_names_its_session() {
        let mut site = TestSite::open().await;
        site.tap(1, "STRANGER").await;
        let recorded = site.unknown_cards().await.remove(0);
        assert_eq!(recorded["session"], site.session().await["_id"]);
        assert_eq!(recorded["connector"], json!(site.station.connector));
    }

    #[actix_web::test]
    async fn a_known_card_is_not_reported_as_unknown() {
        let mut site = TestSite::open().await;
        site.app.db_token("CARD", "active", None, None).await;
        site.authorize("CARD").await;
        site.tap(1, "CARD").await;
        assert_eq!(site.unknown_cards().await, [Value::Null; 0]);
    }

    #[actix_web::test]
    async fn a_number_that_was_tapped_is_a_token_that_charges() {
        let mut site = TestSite::open().await;
        site.authorize("04A2B3C4D5E680").await;
        let number = site.unknown_cards().await.remove(0)["id_tag"].clone();
        site.app.client.post("/tokens", json!({"physicalId": number})).await.created();
        assert_eq!(site.authorize("04a2b3c4d5e680").await, "Accepted");
    }

    #[actix_web::test]
    async fn a_session_carries_the_number() {
        let mut site = TestSite::open().await;
        site.tap(1, "04A2B3C4D5E680").await;
        assert_eq!(site.session().await["id_tag"], "04A2B3C4D5E680");
    }

    #[actix_web::test]
    async fn who_may_not_read_tokens_sees_its_end_in_sessions_and_events() {
        let mut site = TestSite::open().await;
        site.tap(1, "04A2B3C4D5E680").await;
        let limited = site.app.client_with(&["read:sessions", "read:events"]).await;
        let listed = limited.get("/sessions").await.json();
        assert_eq!(listed["result"][0]["id_tag"], "****E680");
        let id = listed["result"][0]["_id"].as_str().expect("an id").to_owned();
        let one = limited.get(&format!("/sessions/{id}")).await.ok();
        assert_eq!(one["id_tag"], "****E680");
        let recorded = limited.get("/events?type=session.started,token.unknown").await.json();
        let numbers: Vec<_> = recorded["result"]
            .as_array()
            .expect("events")
            .iter()
            .map(|event| event["data"]["id_tag"].clone())
            .collect();
        assert_eq!(numbers, ["****E680", "****E680"]);
        let whole = site.app.client.get("/events?type=session.started").await.json();
        assert_eq!(whole["result"][0]["data"]["id_tag"], "04A2B3C4D5E680");
    }

    #[actix_web::test]
    async fn ids_of_2_1_may_have_255_characters() {
        let mut site = TestSite::speaking("ocpp2.1").await;
        let long = "A".repeat(255);
        site.app.client.post("/tokens", json!({"physicalId": long, "type": "Central"})).await.created();
        let answer = site.authorize_2(&long, "Central", json!({})).await;
        assert_eq!(answer["idTokenInfo"]["status"], "Accepted");
        let longer = json!({"physicalId": "A".repeat(256)});
        assert_eq!(site.app.client.post("/tokens", longer).await.status, 422);
    }
}

mod that_are_used_twice {
    use super::*;

    /// A card that charges at the first connector of a station with two.
    async fn in_use() -> TestSite {
        let mut site = TestSite::open().await;
        site.second_connector().await;
        site.app.db_token("CARD", "active", None, None).await;
        assert_eq!(site.tap(1, "CARD").await, "Accepted");
        site
    }

    async fn other_station(app: &TestApp) -> FakeStation {
        let other = app.station("Other").await;
        let mut socket = FakeStation::connect(&other.url).await;
        socket.boot().await;
        socket
    }

    #[actix_web::test]
    async fn charge_twice_where_nobody_says_otherwise() {
        let mut site = in_use().await;
        assert_eq!(site.tap(2, "CARD").await, "Accepted");
    }

    #[actix_web::test]
    async fn are_concurrent_at_another_connector_where_that_is_refused() {
        let mut site = in_use().await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        assert_eq!(site.tap(2, "card").await, "ConcurrentTx");
    }

    #[actix_web::test]
    async fn are_concurrent_at_another_station_when_they_are_shown() {
        let site = in_use().await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        let mut other = other_station(&site.app).await;
        let answer = other.call("Authorize", json!({"idTag": "CARD"})).await;
        assert_eq!(answer["idTagInfo"]["status"], "ConcurrentTx");
    }

    #[actix_web::test]
    async fn may_be_shown_at_their_own_station_to_end_the_session() {
        let mut site = in_use().await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        assert_eq!(site.authorize("CARD").await, "Accepted");
    }

    #[actix_web::test]
    async fn may_charge_again_after_the_end() {
        let mut site = in_use().await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        site.stop(json!({"transactionId": 0, "meterStop": 2_000, "timestamp": minute(3), "idTag": "CARD"})).await;
        assert_eq!(site.tap(2, "CARD").await, "Accepted");
    }

    #[actix_web::test]
    async fn may_be_allowed_by_a_location_alone() {
        let mut site = in_use().await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        site.location_says(json!({"concurrent_cards": "accept"})).await;
        assert_eq!(site.tap(2, "CARD").await, "Accepted");
    }

    #[actix_web::test]
    async fn are_concurrent_where_it_is_not_known_at_which_connector_they_begin() {
        let mut site = in_use().await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        assert_eq!(site.tap(7, "CARD").await, "ConcurrentTx");
    }

    #[actix_web::test]
    async fn are_concurrent_in_2_x_before_the_evse_is_known() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        site.app.db_token("CARD", "active", None, None).await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        let status = |answer: &Value| answer["idTokenInfo"]["status"].clone();
        let begin = json!({"card": "CARD", "at_evse": 1});
        let first = site.event("Started", ("one", 0, 0), begin.clone()).await;
        assert_eq!(status(&first), "Accepted");
        let again = site.event("Started", ("one", 0, 0), begin).await;
        assert_eq!(status(&again), "Accepted", "it is the same transaction");
        let shown = json!({"card": "CARD"});
        let later = site.event("Updated", ("one", 1, 1), shown.clone()).await;
        assert_eq!(status(&later), "Accepted", "that of its own transaction");
        let second = site.event("Started", ("two", 0, 2), shown.clone()).await;
        assert_eq!(status(&second), "ConcurrentTx");
        let ended = site.event("Ended", ("one", 2, 3), shown).await;
        assert_eq!(status(&ended), "Accepted");
    }

    #[actix_web::test]
    async fn are_concurrent_in_2_x_as_well() {
        let site = in_use().await;
        site.organization_says(json!({"concurrent_cards": "refuse"})).await;
        let mut second = TestSite::on(site.app, "ocpp2.0.1").await;
        let begin = json!({"card": "CARD", "at_evse": 1});
        let answer = second.event("Started", ("tx", 0, 2), begin).await;
        assert_eq!(answer["idTokenInfo"]["status"], "ConcurrentTx");
        let shown = second.authorize_2("CARD", "ISO14443", json!({})).await;
        assert_eq!(shown["idTokenInfo"]["status"], "ConcurrentTx");
    }
}

mod that_are_none {
    use super::*;

    fn status(answer: &Value) -> &Value {
        &answer["idTokenInfo"]["status"]
    }

    #[actix_web::test]
    async fn c02_a_start_by_button_is_accepted_whatever_unknown_cards_get() {
        for policy in ["refuse", "accept", "free_vending"] {
            let mut site = TestSite::speaking("ocpp2.0.1").await;
            site.organization_says(json!({"unknown_cards": policy})).await;
            let none = json!({"idToken": "", "type": "NoAuthorization"});
            let begin = json!({"at_evse": 1, "idToken": none});
            let answer = site.event("Started", ("tx", 0, 0), begin).await;
            assert_eq!(status(&answer), "Accepted", "{policy}");
            let shown = site.authorize_2("", "NoAuthorization", json!({})).await;
            assert_eq!(status(&shown), "Accepted", "{policy}");
        }
    }

    #[actix_web::test]
    async fn one_that_cannot_be_read_is_invalid_and_its_transaction_is_kept() {
        let odd = [
            json!("CARD"),
            json!({"idToken": {"a": 1}, "type": "ISO14443"}),
            json!({"idToken": "", "type": "ISO14443"}),
            json!({"idToken": "A".repeat(300), "type": "ISO14443"}),
        ];
        for token in odd {
            let mut site = TestSite::speaking("ocpp2.0.1").await;
            site.organization_says(json!({"unknown_cards": "accept"})).await;
            let begin = json!({"at_evse": 1, "idToken": token});
            let answer = site.event("Started", ("tx", 0, 0), begin).await;
            assert_eq!(status(&answer), "Invalid", "{token}");
            assert_eq!(site.session().await["status"], "started");
        }
    }
}

mod of_contracts {
    use super::*;

    #[actix_web::test]
    async fn c07_an_emaid_that_is_known_is_not_accepted_without_its_certificate_verified() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        site.app.db_token("DE8AA1A2B3C4D5", "active", None, None).await;
        let answer = site.authorize_2("DE8AA1A2B3C4D5", "eMAID", json!({})).await;
        assert_eq!(answer, json!({"idTokenInfo": {"status": "Invalid"}}));
        let card = site.authorize_2("DE8AA1A2B3C4D5", "ISO14443", json!({})).await;
        assert_eq!(card["idTokenInfo"]["status"], "Accepted");
    }

    #[actix_web::test]
    async fn c07_a_certificate_that_is_shown_is_answered_as_unverified() {
        let mut site = TestSite::speaking("ocpp2.1").await;
        site.app.db_token("DE8AA1A2B3C4D5", "active", None, None).await;
        let shown = json!({"certificate": "-----BEGIN CERTIFICATE-----"});
        let answer = site.authorize_2("DE8AA1A2B3C4D5", "eMAID", shown).await;
        assert_eq!(answer["certificateStatus"], "NoCertificateAvailable");
        assert_eq!(answer["idTokenInfo"]["status"], "Invalid");
    }

    #[actix_web::test]
    async fn c07_an_unknown_emaid_is_not_accepted_where_unknown_cards_are() {
        let mut site = TestSite::speaking("ocpp2.0.1").await;
        site.organization_says(json!({"unknown_cards": "accept"})).await;
        let answer = site.authorize_2("DE8AA1A2B3C4D5", "eMAID", json!({})).await;
        assert_eq!(answer["idTokenInfo"]["status"], "Invalid");
    }
}

#[actix_web::test]
async fn who_does_not_see_numbers_of_cards_cannot_search_for_them() {
    let mut site = TestSite::open().await;
    site.start().await;
    let clerk = site.app.client_with(&["read:sessions"]).await;
    let listed = clerk.get("/sessions").await.json();
    assert_ne!(listed["result"][0]["id_tag"], "CARD", "it is masked");
    for text in ["CARD", "CA", "no such card"] {
        let answer = clerk.get(&format!("/sessions?search={text}")).await;
        assert_eq!(answer.error(403), "forbidden");
    }
    let keeper = site.app.client_with(&["read:sessions", "read:tokens"]).await;
    let found = keeper.get("/sessions?search=ca").await.json();
    assert_eq!(found["result"][0]["id_tag"], "CARD");
}
