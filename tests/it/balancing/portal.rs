//! What a home user's page shows and sets: power and price now, the plan, what the car needs, past sessions, and that something
//! changed.

use std::time::Duration;

use kernel::{Timestamp, Watts};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::depot::Depot;
use crate::support::{Client, FakeStation, secret_of};

/// A home with one charger of 7 kW, and its user's client.
async fn home() -> (Depot, Client) {
    let depot = Depot::new(1, json!({"maximum_capacity": 7, "algorithm": "consumer_tou"})).await;
    let ada = user(&depot, "ada@example.com").await;
    (depot, ada)
}

/// A home user who is given the group, where nobody has it.
async fn user(depot: &Depot, email: &str) -> Client {
    let body = json!({"email": email, "firstname": "Ada", "lastname": "Lovelace"});
    let user = depot.app.client.post("/home_users", body).await.created();
    let secret = secret_of(user["invitation_url"].as_str().expect("a link"));
    let guest = Client::new(depot.app.running.address, "");
    let accept = format!("/portal/invitations/{secret}/accept");
    let tokens = guest.post(&accept, json!({"password": "correct horse battery"})).await.ok();
    depot.app.client.put(&depot.path("/user"), json!({"user": user["_id"]})).await;
    Client::new(depot.app.running.address, tokens["access_token"].as_str().expect("a token"))
}

fn own(depot: &Depot, rest: &str) -> String {
    format!("/portal/groups/{}{rest}", depot.group)
}

fn hour(after: u64) -> Timestamp {
    let three: Timestamp = "2026-04-24T03:00:00Z".parse().expect("an instant");
    three + Duration::from_secs(after * 3_600)
}

/// Prices from three o'clock on, an hour each.
fn prices(all: &[f64]) -> Value {
    let hours = (0..).zip(all);
    let hours = hours.map(|(after, price)| json!({"from": hour(after), "to": hour(after + 1), "price": price}));
    json!({"currency": "EUR", "prices": hours.collect::<Vec<_>>()})
}

#[actix_web::test]
async fn a_home_user_says_what_the_car_needs_and_sees_when_it_charges() {
    let (mut depot, ada) = home().await;
    let idle = json!({"power": 0.0, "energy": null, "reason": null, "because": null, "price": null, "currency": null,
        "ready_by": null});
    assert_eq!(ada.get(&own(&depot, "/now")).await.ok(), idle);
    let nothing = json!({"departure_time": null, "energy_need": null, "is_plugged_in": false, "plans": []});
    assert_eq!(ada.get(&own(&depot, "/charging_plan")).await.ok(), nothing);
    let need = json!({"departure_time": hour(5), "energy_need": 10.5});
    assert_eq!(ada.put(&own(&depot, "/need"), need.clone()).await.error(409), "no_session");

    depot.plug_in(0).await;
    depot.until_limits(&[7.0]).await;
    depot.meter(0, Watts(6_900)).await;
    depot.app.client.put(&depot.path("/energy_prices"), prices(&[0.30, 0.10, 0.25, -0.02, 0.40])).await.ok();
    let now = ada.get(&own(&depot, "/now")).await.ok();
    assert_eq!((&now["power"], &now["energy"]), (&json!(6.9), &json!(0)));
    assert_eq!((&now["price"], &now["currency"], &now["ready_by"]), (&json!(0.3), &json!("EUR"), &Value::Null));
    assert!(now["reason"].as_str().is_some_and(|why| why.starts_with("7 kW")), "{now}");
    assert_eq!(now["because"], json!({"code": "at_maximum"}));

    let set = ada.put(&own(&depot, "/need"), need).await.ok();
    assert_eq!(set["session"], depot.member(0).await["session"]);
    assert_eq!((&set["departure_time"], &set["energy_need"]), (&json!(hour(5)), &json!(10.5)));
    let plan = ada.get(&own(&depot, "/charging_plan")).await.ok();
    assert_eq!((&plan["departure_time"], &plan["energy_need"]), (&json!(hour(5)), &json!(10.5)));
    assert_eq!((&plan["is_plugged_in"], &plan["plans"][0]["waits_until"]), (&json!(true), &json!(hour(1))));
    // 7 kWh at -0.02 and 3.5 at 0.10.
    assert_eq!(plan["plans"][0]["cost"], 0.21);
    assert_eq!(ada.get(&own(&depot, "/now")).await.ok()["ready_by"], json!(hour(5)));
    depot.until_limits(&[0.0]).await;

    assert_eq!(ada.put(&own(&depot, "/need"), json!({"energy_need": -1})).await.faulty_fields(), ["energy_need"]);
    let wrong = json!({"departure_time": "soon", "energy_need": "much"});
    assert_eq!(ada.put(&own(&depot, "/need"), wrong).await.faulty_fields(), ["departure_time", "energy_need"]);
    ada.put(&own(&depot, "/need"), json!({})).await.ok();
    let forgotten = ada.get(&own(&depot, "/charging_plan")).await.ok();
    assert_eq!((&forgotten["departure_time"], &forgotten["plans"]), (&Value::Null, &json!([])));
    depot.until_limits(&[7.0]).await;
}

#[actix_web::test]
async fn a_home_user_sees_the_sessions_at_the_own_charger_since_the_invitation() {
    let mut depot = Depot::new(1, json!({"maximum_capacity": 7, "algorithm": "consumer_tou"})).await;
    depot.plug_in(0).await;
    depot.unplug(0).await;
    depot.app.pass(Duration::from_secs(60)).await;
    let ada = user(&depot, "ada@example.com").await;
    assert_eq!(ada.get("/portal/sessions").await.ok(), json!([]), "it is of who lived there before");

    let began = depot.app.running.context.clock.now();
    depot.plug_in(0).await;
    depot.app.pass(Duration::from_secs(540)).await;
    let runs = ada.get("/portal/sessions").await.ok();
    assert_eq!((&runs[0]["status"], &runs[0]["chargingStop"]), (&json!("started"), &Value::Null));
    depot.unplug(0).await;
    let ended = depot.app.running.context.clock.now();
    let list = ada.get("/portal/sessions").await.json();
    let id = &list["result"][0]["_id"];
    // Its meter went from 0 to 1 kWh, and its connector has no rate.
    let row = json!({"_id": id, "status": "ended", "chargingStart": began, "chargingStop": ended,
        "energyConsumed": 1_000, "cost": null});
    assert_eq!((&list["result"], &list["totalDocs"]), (&json!([row]), &json!(1)));
    let later = (began + Duration::from_secs(1)).to_string();
    assert_eq!(ada.get(&format!("/portal/sessions?from={later}")).await.ok(), json!([]));
    assert_eq!(ada.get(&format!("/portal/sessions?to={later}")).await.ok()[0]["_id"], *id);
    let csv = ada.get("/portal/sessions?format=csv").await;
    let header = "_id,status,chargingStart,chargingStop,energyConsumed,cost.amount,cost.currency";
    assert_eq!(csv.text.lines().next().map(|line| line.trim_start_matches('\u{feff}')), Some(header));
    assert!(
        csv.text.contains(&format!("{},ended,{began},{ended},1000,,", id.as_str().expect("an id"))),
        "{}",
        csv.text
    );

    let bob = user(&depot, "bob@example.com").await;
    assert_eq!(bob.get("/portal/sessions").await.ok(), json!([]), "another one's charger");

    // What a station stops that never began is for the operator to look into.
    let station = depot.app.client.get("/chargestations").await.json()["result"][0].clone();
    let mut socket = FakeStation::connect(station["connection_url"].as_str().expect("a URL")).await;
    let stop = json!({"transactionId": 77, "meterStop": 9, "timestamp": depot.app.running.context.clock.now()});
    socket.call("StopTransaction", stop).await;
    assert_eq!(depot.app.client.get("/sessions?orphan=true").await.json()["totalDocs"], 1);
    assert_eq!(ada.get("/portal/sessions").await.json()["result"], json!([row]));
    assert_eq!(bob.get(&own(&depot, "/now")).await.error(404), "not_found");
    assert_eq!(bob.put(&own(&depot, "/need"), json!({})).await.error(404), "not_found");
}

/// Opens the stream of a home user, and reads its greeting.
async fn listen(client: &Client) -> Response {
    let request = client.request(Method::GET, "/portal/events/stream");
    let mut response = request.send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"text/event-stream".parse().expect("a value"))
    );
    let hello = response.chunk().await.expect("a chunk").expect("a greeting");
    assert_eq!(hello, ": welcome\n\n");
    response
}

/// What is said until this happened.
async fn said_until(stream: &mut Response, kind: &str) -> Vec<Value> {
    let mut said = Vec::new();
    while !said.iter().any(|event: &Value| event["type"] == kind) {
        let chunk = stream.chunk().await.expect("a chunk").expect("the stream goes on");
        let text = std::str::from_utf8(&chunk).expect("UTF-8");
        let blocks = text.split_terminator("\n\n").filter_map(|block| block.strip_prefix("data: "));
        said.extend(blocks.map(|data| serde_json::from_str::<Value>(data).expect("JSON")));
    }
    said
}

#[actix_web::test]
async fn a_home_user_is_notified_of_the_own_group_and_nothing_else() {
    let (mut depot, ada) = home().await;
    let bob = user(&depot, "bob@example.com").await;
    let (mut hers, mut his) = (listen(&ada).await, listen(&bob).await);
    let other = json!({"name": "Other", "maximum_capacity": 7, "location": depot.app.client.get(&depot.path("")).await.ok()["location"]});
    depot.app.client.post("/groups", other).await.created();
    depot.app.station("Elsewhere").await;
    depot.app.client.patch(&depot.path(""), json!({"name": "Garage"})).await.ok();
    let said = said_until(&mut hers, "load_management.group.updated").await;
    assert_eq!(said, [json!({"type": "load_management.group.updated", "group": depot.group})]);

    depot.plug_in(0).await;
    let said = said_until(&mut hers, "session.started").await;
    assert!(said.iter().all(|event| event["group"] == depot.group.as_str()), "{said:?}");
    assert!(said.iter().all(|event| event.as_object().is_some_and(|fields| fields.len() == 2)), "{said:?}");

    // The group becomes Bob's: he hears of it from then on.
    depot.app.client.delete(&depot.path("/user")).await.ok();
    let user = depot.app.client.get("/home_users?search=bob").await.json()["result"][0]["_id"].clone();
    depot.app.client.put(&depot.path("/user"), json!({"user": user})).await.ok();
    depot.unplug(0).await;
    let said = said_until(&mut his, "session.ended").await;
    assert_eq!(said[0], json!({"type": "load_management.group.updated", "group": depot.group}), "{said:?}");
    let said = said_until(&mut hers, "load_management.group.updated").await;
    assert_eq!(said.last().map(|event| &event["type"]), Some(&json!("load_management.group.updated")));

    ada.post("/portal/logout", json!({})).await.ok();
    bob.post("/portal/logout", json!({})).await.ok();
    depot.app.client.patch(&depot.path(""), json!({"name": "Shed"})).await.ok();
    while let Some(chunk) = his.chunk().await.expect("a chunk") {
        let text = String::from_utf8_lossy(&chunk).into_owned();
        assert!(!text.contains("Shed"), "{text}");
    }
}
