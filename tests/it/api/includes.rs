//! Objects in place of the ids that rows have.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp};

/// A session at a station with a name, for a user.
async fn site() -> (TestApp, Value, FakeStation) {
    let app = TestApp::start().await;
    let user = app
        .client
        .post("/users", json!({"firstname": "Ada", "lastname": "King", "email": "ada@example.com"}))
        .await
        .created();
    let token = json!({"physicalId": "CARD-1", "user": user["_id"]});
    app.client.post("/tokens", token).await.created();
    let station = app.station("Gate").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    socket.start(1, "CARD-1", 0, "2026-04-24T03:06:40Z").await;
    let shown = app.client.get(&station.path).await.ok();
    (app, shown, socket)
}

#[actix_web::test]
async fn sessions_show_names_beside_their_ids() {
    let (app, station, _socket) = site().await;
    let plain = app.client.get("/sessions").await.json()["result"][0].clone();
    assert_eq!(plain["chargestation"], station["_id"]);
    let all = "include_chargestation=true&include_connector=true&include_user=true";
    let list = app.client.get(&format!("/sessions?{all}")).await.json()["result"][0].clone();
    let one = app.client.get(&format!("/sessions/{}?{all}", plain["_id"].as_str().expect("an id"))).await.ok();
    for shown in [list, one] {
        assert_eq!(
            (&shown["chargestation"]["name"], &shown["chargestation"]["_id"]),
            (&json!("Gate"), &station["_id"])
        );
        assert_eq!(shown["connector"]["_id"], plain["connector"]);
        assert_eq!((&shown["user"]["firstname"], &shown["user"]["_id"]), (&json!("Ada"), &plain["user"]));
        assert_eq!(shown["createdAt"], plain["createdAt"]);
    }
    let narrow = app.client_with(&["read:sessions", "read:connectors"]).await;
    assert_eq!(narrow.get("/sessions?include_connector=true").await.json()["totalDocs"], 1);
    for refused in ["include_user", "include_chargestation"] {
        assert_eq!(narrow.get(&format!("/sessions?{refused}=true")).await.error(403), "forbidden");
    }
}

#[actix_web::test]
async fn reservations_groups_and_assets_show_names_beside_their_ids() {
    let (app, station, mut socket) = site().await;
    let free = app
        .client
        .post(
            &format!("/chargestations/{}/connectors", station["_id"].as_str().expect("an id")),
            json!({"power": 7, "name": "Right"}),
        )
        .await
        .created();
    let evse = format!("/evses/{}", free["evse"].as_str().expect("an id"));
    app.client.patch(&evse, json!({"reservable": true})).await.ok();
    let (client, body) =
        (app.client.clone(), json!({"connector": free["_id"], "id_tag": "CARD-1", "duration_minutes": 30}));
    let kept = actix_web::rt::spawn(async move { client.post("/reservations", body).await });
    let call = socket.next_call().await;
    socket.answer(&call, json!({"status": "Accepted"})).await;
    let kept = kept.await.expect("an answer").created();
    let all = "include_chargestation=true&include_connector=true&include_user=true";
    let list = app.client.get(&format!("/reservations?{all}")).await.json()["result"][0].clone();
    let one = app.client.get(&format!("/reservations/{}?{all}", kept["_id"].as_str().expect("an id"))).await.ok();
    for shown in [list, one] {
        assert_eq!((&shown["chargestation"]["name"], &shown["connector"]["name"]), (&json!("Gate"), &json!("Right")));
        assert_eq!(shown["user"]["lastname"], "King");
    }

    let place = json!({"operatorName": "Depot", "name": "Yard", "address": {}, "coordinates": [4.9, 52.4]});
    let place = app.client.post("/locations", place).await.created();
    let group = json!({"name": "G", "location": place["_id"], "maximum_capacity": 10});
    let group = app.client.post("/groups", group).await.created();
    let asset =
        json!({"name": "A", "type": "consumer", "static_power": 1, "location": place["_id"], "group": group["_id"]});
    let asset = app.client.post("/assets", asset).await.created();
    let groups = app.client.get("/groups?include_location=true&include_user=true").await.json();
    assert_eq!(
        (&groups["result"][0]["location"]["name"], &groups["result"][0]["user"]),
        (&json!("Yard"), &json!(null))
    );
    let path = format!("/groups/{}?include_location=true", group["_id"].as_str().expect("an id"));
    assert_eq!(app.client.get(&path).await.ok()["location"], place);
    let assets = app.client.get("/assets?include_location=true&include_group=true").await.json();
    assert_eq!((&assets["result"][0]["location"], &assets["result"][0]["group"]), (&place, &group));
    let path = format!("/assets/{}?include_group=true", asset["_id"].as_str().expect("an id"));
    assert_eq!(app.client.get(&path).await.ok()["group"]["name"], "G");
    let narrow = app.client_with(&["read:assets", "read:groups"]).await;
    assert_eq!(narrow.get("/assets?include_location=true").await.error(403), "forbidden");
    assert_eq!(narrow.get("/groups?include_user=true").await.error(403), "forbidden");
}

#[actix_web::test]
async fn connectors_are_found_by_the_name_of_their_station() {
    let (app, station, _socket) = site().await;
    let other = app.client.post("/chargestations", json!({"name": "Yard", "code": "Y-77"})).await.created();
    let path = format!("/chargestations/{}/connectors", other["_id"].as_str().expect("an id"));
    let named = app.client.post(&path, json!({"power": 7, "name": "Beside the gate"})).await.created();
    let found = async |text: &str| -> Vec<Value> {
        let list = app.client.get(&format!("/connectors?search={text}&sort_by=number&sort_order=asc")).await.json();
        let rows = list["result"].as_array().unwrap_or_else(|| panic!("{list}"));
        assert_eq!(list["totalDocs"], rows.len());
        rows.iter().map(|row| row["chargestation"].clone()).collect()
    };
    let mut gates = found("gate").await;
    gates.sort_by_key(ToString::to_string);
    let mut both = [station["_id"].clone(), named["chargestation"].clone()];
    both.sort_by_key(ToString::to_string);
    assert_eq!(gates, both, "one by its station's name, one by its own");
    assert_eq!(found("y-77").await, [other["_id"].clone()]);
    assert_eq!(found("GA").await.len(), 2, "two letters are looked for, too");
    assert_eq!(found("nothing").await, Vec::<Value>::new());
}
