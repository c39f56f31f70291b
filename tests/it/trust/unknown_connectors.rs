//! Connectors that a station reports and nobody set up, where the operator has them created.

use serde_json::{Value, json};

use super::test_site::{TestSite, minute};
use crate::support::FakeStation;

impl TestSite {
    /// A site whose organization has unknown connectors created.
    async fn that_creates(protocol: &'static str) -> Self {
        let site = Self::speaking(protocol).await;
        let policy = json!({"unknown_connectors": "create"});
        let organization = site.app.client.patch("/organization", policy).await.ok();
        assert_eq!(organization["unknown_connectors"], "create");
        site
    }

    /// The station itself has it so.
    async fn station_says(&self, policy: Value) {
        let policy = json!({"unknown_connectors": policy});
        self.app.client.patch(&self.station.path, policy).await.ok();
    }

    /// Its connectors, by their numbers.
    async fn connectors(&self) -> Vec<Value> {
        let station = self.app.client.get(&self.station.path).await.ok();
        station["connectors"].as_array().expect("a list").clone()
    }

    /// Numbers of its connectors and of their EVSEs.
    async fn numbers(&self) -> Vec<(i64, i64)> {
        let number = |one: &Value, name: &str| one[name].as_i64().expect("a number");
        let all = self.connectors().await;
        all.iter().map(|one| (number(one, "number"), number(one, "evseId"))).collect()
    }

    /// The station says how a connector is doing (1.6).
    async fn status_of(&mut self, connector: u64, status: &str) {
        let report = json!({"connectorId": connector, "errorCode": "NoError", "status": status});
        self.socket.call("StatusNotification", report).await;
    }

    /// The same in 2.x.
    async fn status_of_evse(&mut self, (evse, connector): (u64, u64), status: &str) {
        let report =
            json!({"timestamp": minute(6), "connectorStatus": status, "evseId": evse, "connectorId": connector});
        self.socket.call("StatusNotification", report).await;
    }

    /// Puts the station into a group; answers the path of the group.
    async fn join_a_group(&self, more: Value) -> String {
        let location = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
        let location = self.app.client.post("/locations", location).await.created();
        let group = json!({"name": "G", "location": location["_id"], "maximum_capacity": 500});
        let groups = "/load_management/groups";
        let group = self.app.client.post(groups, group).await.created();
        let path = format!("{groups}/{}", group["_id"].as_str().expect("an id"));
        let mut member = json!({"chargestation": self.station.id});
        let fields = member.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        let members = format!("{path}/chargestations");
        self.app.client.post(&members, member).await.created();
        path
    }

    /// The connectors that balancing steers, and the codes of what it warns of.
    async fn steered(&self, group: &str) -> (Vec<Value>, Vec<Value>) {
        let status = self.app.client.get(&format!("{group}/status")).await.ok();
        let members = status["members"].as_array().expect("members").iter();
        let warnings = status["warnings"].as_array().expect("warnings").iter();
        (members.map(|one| one["connector"].clone()).collect(), warnings.map(|one| one["code"].clone()).collect())
    }
}

fn power(watts: i64) -> Value {
    json!([{"timestamp": minute(5), "sampledValue": [
        {"value": "5000", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": watts.to_string(), "measurand": "Power.Active.Import", "unit": "W"}]}])
}

#[actix_web::test]
async fn are_only_reported_where_nobody_says_otherwise() {
    let mut site = TestSite::open().await;
    site.status_of(2, "Available").await;
    assert_eq!(site.numbers().await, [(1, 1)]);
    assert_eq!(site.flags().await, ["reports the unknown connector 2"]);
}

#[actix_web::test]
async fn are_created_like_the_largest_one_that_is_set_up() {
    let mut site = TestSite::that_creates("ocpp1.6").await;
    site.status_of(2, "Preparing").await;
    let all = site.connectors().await;
    assert_eq!(all.len(), 2, "{all:#?}");
    let made = &all[1];
    assert_eq!((&made["number"], &made["evseId"]), (&json!(2), &json!(2)));
    assert_eq!((&made["type"], &made["power_type"]), (&json!("CCS2"), &json!("DC")));
    assert_eq!(made["power"], 350.0);
    assert_eq!(made["status"], "Preparing");
    assert_eq!(made["rate"], all[0]["rate"], "all others cost the same");
    assert_eq!(made["created_by"], "station");
    assert_eq!(all[0]["created_by"], "operator");
    let flags = site.flags().await;
    assert!(flags[0].contains("connector 2 was created"), "{flags:?}");

    let events = site.app.client.get("/events?type=connector.created").await;
    let events = events.json();
    let recorded = events["result"].as_array().expect("events");
    let recorded = recorded.iter().filter(|one| one["data"]["number"] == 2);
    assert_eq!(recorded.count(), 1);
    let listed = site.app.client.get("/connectors?created_by=station").await;
    assert_eq!(listed.json()["result"][0]["_id"], made["_id"]);

    site.status_of(2, "Charging").await;
    assert_eq!(site.connectors().await.len(), 2, "once only");
}

#[actix_web::test]
async fn are_taken_for_usual_ones_where_nothing_is_set_up() {
    let site = TestSite::that_creates("ocpp1.6").await;
    let bare = json!({"name": "Bare"});
    let bare = site.app.client.post("/chargestations", bare).await.created();
    let url = bare["connection_url"].as_str().expect("a URL");
    let mut socket = FakeStation::connect(url).await;
    let report = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
    socket.call("StatusNotification", report).await;
    let id = bare["_id"].as_str().expect("an id");
    let bare = site.app.client.get(&format!("/chargestations/{id}")).await;
    let made = bare.ok()["connectors"][0].clone();
    assert_eq!(made["power"], 22.08, "32 A on three phases");
    assert_eq!((&made["type"], &made["power_type"]), (&json!("Type2"), &json!("AC Three Phase")));
}

#[actix_web::test]
async fn a_station_may_have_it_otherwise_than_its_organization() {
    let mut site = TestSite::that_creates("ocpp1.6").await;
    site.station_says(json!("report")).await;
    site.status_of(2, "Available").await;
    assert_eq!(site.numbers().await, [(1, 1)]);
    site.station_says(Value::Null).await;
    site.status_of(2, "Available").await;
    assert_eq!(site.numbers().await, [(1, 1), (2, 2)]);

    let mut site = TestSite::open().await;
    site.station_says(json!("create")).await;
    site.status_of(3, "Available").await;
    assert_eq!(site.numbers().await, [(1, 1), (3, 3)]);
}

#[actix_web::test]
async fn no_more_than_32_of_a_station_are_created_and_never_connector_0() {
    let mut site = TestSite::that_creates("ocpp1.6").await;
    for number in [0, 10_000, 4_000_000_000] {
        site.status_of(number, "Available").await;
    }
    for number in 101..=140 {
        site.status_of(number, "Available").await;
    }
    let numbers = site.numbers().await;
    assert_eq!(numbers.len(), 33);
    assert_eq!(numbers.last(), Some(&(132, 132)));
}

#[actix_web::test]
async fn a_transaction_at_one_is_a_session_there() {
    let mut site = TestSite::that_creates("ocpp1.6").await;
    site.socket.start(2, "CARD", 1_000, &minute(0)).await;
    let made = site.connectors().await[1]["_id"].clone();
    let session = site.session().await;
    assert_eq!(session["connector"], made);
    assert_eq!(session["cost"]["amount"], 0.0, "it has a price: {session:#}");
}

#[actix_web::test]
async fn a_session_that_began_before_is_placed_by_its_readings() {
    let mut site = TestSite::open().await;
    let transaction = site.socket.start(2, "CARD", 1_000, &minute(0)).await;
    assert_eq!(site.session().await["connector"], Value::Null);

    site.station_says(json!("create")).await;
    let values = json!({"connectorId": 2, "transactionId": transaction, "meterValue": power(11_000)});
    site.socket.call("MeterValues", values).await;
    let made = site.connectors().await[1]["_id"].clone();
    let session = site.session().await;
    assert_eq!(session["connector"], made);
    assert_eq!(session["metrics"]["energyConsumed"], 4_000);
    assert_eq!(session["cost"]["amount"], 1.6, "4 kWh at 0.40");
}

#[actix_web::test]
async fn ocpp_2_reports_them_by_evse_and_connector() {
    let mut site = TestSite::that_creates("ocpp2.0.1").await;
    site.status_of_evse((0, 0), "Available").await;
    site.status_of_evse((3, 1), "Available").await;
    site.status_of_evse((1, 2), "Occupied").await;
    assert_eq!(site.numbers().await, [(1, 1), (3, 3), (4, 1)]);
    let all = site.connectors().await;
    assert_eq!((&all[2]["status"], &all[2]["evse"]), (&json!("Preparing"), &all[0]["evse"]));
    site.status_of_evse((1, 2), "Available").await;
    site.status_of_evse((2, 1_000_000), "Available").await;
    assert_eq!(site.connectors().await.len(), 3);
}

#[actix_web::test]
async fn ocpp_2_reports_them_by_transactions_and_meters_and_reports() {
    let mut site = TestSite::that_creates("ocpp2.0.1").await;
    site.event("Started", ("T1", 0, 1), json!({"at_evse": 2})).await;
    assert_eq!(site.numbers().await, [(1, 1), (2, 2)]);
    let made = site.connectors().await[1]["_id"].clone();
    assert_eq!(site.session().await["connector"], made);

    let values = json!({"evseId": 3, "meterValue": [{"timestamp": minute(5), "sampledValue": [{"value": 1.0}]}]});
    site.socket.call("MeterValues", values).await;
    let connector = json!({
        "component": {"name": "Connector", "evse": {"id": 4, "connectorId": 1}},
        "variable": {"name": "Available"},
        "variableAttribute": [{"value": "true"}]});
    let evse = json!({
        "component": {"name": "EVSE", "evse": {"id": 9}},
        "variable": {"name": "Power"},
        "variableAttribute": [{"value": "0"}]});
    let report = json!({"requestId": 1, "generatedAt": minute(6), "seqNo": 0, "reportData": [connector, evse]});
    site.socket.call("NotifyReport", report).await;
    assert_eq!(site.numbers().await, [(1, 1), (2, 2), (3, 3), (4, 4)]);
}

#[actix_web::test]
async fn the_group_of_the_whole_station_steers_them_too() {
    let mut site = TestSite::open().await;
    let group = site.join_a_group(json!({})).await;
    let values = json!({"connectorId": 2, "meterValue": power(11_000)});
    site.socket.call("MeterValues", values.clone()).await;
    site.app
        .eventually(async || {
            let (_, warned) = site.steered(&group).await;
            warned.contains(&json!("unknown_connector"))
        })
        .await;

    site.station_says(json!("create")).await;
    site.socket.call("MeterValues", values).await;
    let made = site.connectors().await[1]["_id"].clone();
    site.app
        .eventually(async || {
            let (members, warned) = site.steered(&group).await;
            members.contains(&made) && !warned.contains(&json!("unknown_connector"))
        })
        .await;
}

#[actix_web::test]
async fn a_group_of_chosen_connectors_does_not_take_them() {
    let site = TestSite::open().await;
    site.second_connector().await;
    let chosen = json!({"connectors": [{"id": site.station.connector}]});
    let group = site.join_a_group(chosen).await;
    site.station_says(json!("create")).await;
    let mut site = site;
    site.status_of(3, "Charging").await;
    assert_eq!(site.connectors().await.len(), 3);
    let group = site.app.client.get(&group).await.ok();
    let members = group["chargestations"][0]["connectors"].as_array();
    assert_eq!(members.expect("members").len(), 1);
}
