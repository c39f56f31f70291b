//! What would be if something were changed.

use std::time::Duration;

use serde_json::{Value, json};

use super::depot::Depot;

fn limits(situation: &Value) -> Vec<f64> {
    let members = situation["members"].as_array().expect("members");
    let limits = members.iter().map(|member| member["limit"].as_f64());
    limits.map(|limit| limit.expect("a limit")).collect()
}

#[actix_web::test]
async fn a_proposal_is_answered_and_changes_nothing() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 10})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    let before = (depot.link.sent().len(), depot.app.client.get(&depot.path("/plans")).await.ok());

    let path = depot.path("/simulate");
    let more = depot.app.client.post(&path, json!({"maximum_capacity": 13})).await.ok();
    assert_eq!((limits(&more["now"]), limits(&more["then"])), (vec![5.0; 2], vec![6.5; 2]));
    assert_eq!(more["past"], Value::Null);

    let car = json!({"maximum_capacity": 7, "power_type": "AC Single Phase"});
    let crowded = depot.app.client.post(&path, json!({"cars": [car]})).await.ok();
    assert_eq!(limits(&crowded["then"]), [3.334, 3.333, 3.333]);
    let three_phases = json!({"count": 3, "maximum_capacity": 11});
    let full = depot.app.client.post(&path, json!({"cars": [three_phases]})).await.ok();
    assert_eq!((&full["now"]["waiting"], &full["then"]["waiting"]), (&json!(0), &json!(2)));

    let after = (depot.link.sent().len(), depot.app.client.get(&depot.path("/plans")).await.ok());
    assert_eq!(before, after, "nothing was sent or stored");
}

#[actix_web::test]
async fn the_past_is_planned_again() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 10})).await;
    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    let from = depot.app.running.context.clock.now();
    depot.pass(Duration::from_secs(3_600)).await;
    let to = depot.app.running.context.clock.now();

    let change = json!({"maximum_capacity": 4, "from": from, "to": to});
    let past = depot.app.client.post(&depot.path("/simulate"), change).await.ok()["past"].clone();
    assert_eq!((&past["was"]["granted_kwh"], &past["would"]["granted_kwh"]), (&json!(10.0), &json!(4.0)));
    assert_eq!((&past["was"]["peak_kw"], &past["would"]["peak_kw"]), (&json!(10.0), &json!(4.0)));
    assert_eq!(past["would"]["waiting_hours"], json!(0.0));

    let wrong = json!({"from": to, "to": from, "cars": [{"count": 0, "maximum_capacity": 7}]});
    let mut fields = depot.app.client.post(&depot.path("/simulate"), wrong).await.faulty_fields();
    fields.sort();
    assert_eq!(fields, ["cars[0].count", "from"]);
}
