//! EVSE networks and their groups: names, lists, assignments and their limits.

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

fn id(value: &Value) -> &str {
    value["_id"].as_str().expect("an id")
}

/// Stations with an EVSE each that roaming partners could know.
async fn evses(app: &TestApp, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let station = app.station(&format!("S{number}")).await;
        let connector = format!("/connectors/{}", station.connector);
        let connector = app.client.get(&connector).await.ok();
        let evse = connector["evse"].as_str().expect("an EVSE").to_owned();
        let patch = json!({"evse_id": format!("NL*EWT*E{number:04}")});
        app.client.patch(&format!("/evses/{evse}"), patch).await.ok();
        ids.push(evse);
    }
    ids
}

async fn network(client: &Client, name: &str) -> String {
    let created = client.post("/evse_networks", json!({"name": name})).await;
    format!("/evse_networks/{}", id(&created.created()))
}

async fn group(client: &Client, network: &str, name: &str) -> String {
    let groups = format!("{network}/groups");
    let created = client.post(&groups, json!({"name": name})).await;
    id(&created.created()).to_owned()
}

async fn total(client: &Client, path: &str) -> Value {
    client.get(path).await.json()["totalDocs"].clone()
}

#[actix_web::test]
async fn names_are_free_text_of_1_to_30_characters_and_unique_in_their_network() {
    let app = TestApp::start().await;
    let (first, second) = (network(&app.client, "A").await, network(&app.client, "B").await);
    let again = app.client.post("/evse_networks", json!({"name": "A"})).await;
    assert_eq!(again.faulty_fields(), ["name"]);
    let groups = format!("{first}/groups");
    group(&app.client, &first, &"ü".repeat(30)).await;
    for wrong in ["", &"x".repeat(31), &"ü".repeat(30)] {
        let refused = app.client.post(&groups, json!({"name": wrong})).await;
        assert_eq!(refused.faulty_fields(), ["name"]);
    }
    group(&app.client, &second, &"ü".repeat(30)).await;
    let many = group(&app.client, &first, "More").await;
    let own = format!("{groups}/{many}");
    let taken = app.client.patch(&own, json!({"name": "ü".repeat(30)})).await;
    assert_eq!(taken.faulty_fields(), ["name"]);
    let renamed = app.client.patch(&own, json!({"name": "Most"})).await.ok();
    assert_eq!(app.client.get(&own).await.ok(), renamed);
    let found = app.client.get(&format!("{groups}?search=mos")).await.json();
    assert_eq!(found["result"], json!([renamed]));
    let elsewhere = format!("{second}/groups/{many}");
    assert_eq!(app.client.get(&elsewhere).await.error(404), "not_found");
    app.client.delete(&own).await.ok();
    app.client.delete(&first).await.ok();
    assert_eq!(app.client.get(&first).await.error(404), "not_found");
}

#[actix_web::test]
async fn assigning_is_all_or_nothing_and_a_draft_moves_at_will() {
    let app = TestApp::start().await;
    let evses = evses(&app, 3).await;
    let bare = app.station("bare").await;
    let bare = app.client.get(&format!("/connectors/{}", bare.connector)).await.ok()["evse"].clone();
    let network = network(&app.client, "N").await;
    let (slow, fast) = (group(&app.client, &network, "Slow").await, group(&app.client, &network, "Fast").await);
    let (assign, free, taken) =
        (format!("{network}/assignments"), format!("{network}/unassigned_evses"), format!("{network}/assigned_evses"));
    assert_eq!(total(&app.client, &free).await, 3, "without an evse_id nobody knows it");

    let wrong = json!({"group": slow, "evses": [evses[0], "650000000000000000000001", evses[0], bare]});
    assert_eq!(app.client.post(&assign, wrong).await.faulty_fields(), ["evses[1]", "evses[2]", "evses[3]"]);
    let nowhere = json!({"group": "650000000000000000000001", "evses": []});
    assert_eq!(app.client.post(&assign, nowhere).await.faulty_fields(), ["evses", "group"]);
    assert_eq!(total(&app.client, &taken).await, 0);

    let all = json!({"group": slow, "evses": evses});
    let after = app.client.post(&assign, all).await.ok();
    assert_eq!(after["groups"][0]["evse_count"], 3);
    let moved = json!({"group": fast, "evses": [evses[0]]});
    let after = app.client.post(&assign, moved).await.ok();
    let counts: Vec<_> = (0..2).map(|i| &after["groups"][i]["evse_count"]).collect();
    assert_eq!(counts, [2, 1]);
    let out = json!({"group": null, "evses": [evses[0]]});
    app.client.post(&assign, out).await.ok();
    let left = app.client.get(&free).await.json()["result"].clone();
    assert_eq!(left[0]["_id"], json!(evses[0]));
    assert_eq!(
        (&left[0]["output"], &left[0]["power_type"], &left[0]["group"]),
        (&json!(7.0), &json!("AC Single Phase"), &Value::Null)
    );

    let other = self::network(&app.client, "Other").await;
    let rival = group(&app.client, &other, "Rival").await;
    let stolen = json!({"group": rival, "evses": [evses[0], evses[1]]});
    let refused = app.client.post(&format!("{other}/assignments"), stolen).await;
    assert_eq!(refused.error(409), "conflict");
    let reason = refused.json()["errors"][0].clone();
    assert_eq!(
        (&reason["field"], &reason["message"]),
        (&json!("evses[1]"), &json!("is in group \"Slow\" of the network \"N\" already"))
    );
    assert_eq!(total(&app.client, &free).await, 1);

    let used = format!("{network}/groups/{slow}");
    assert_eq!(app.client.delete(&used).await.error(409), "in_use");
    assert_eq!(app.client.delete(&network).await.error(409), "in_use");
    let evse = app.client.get(&format!("/evses/{}", evses[1])).await.ok();
    let station = format!("/chargestations/{}", evse["chargestation"].as_str().unwrap());
    assert_eq!(app.client.delete(&station).await.error(409), "in_use");
    let recorded = app.event_types().await;
    assert_eq!(recorded.iter().filter(|kind| *kind == "evse_network.assigned").count(), 3);
}
