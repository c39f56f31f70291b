//! Assets over HTTP: what they are, what they measured, and when that is too old.

use serde_json::{Value, json};

use crate::support::TestApp;

mod crud;
mod readings;

/// A location at which assets stand.
async fn depot(app: &TestApp) -> String {
    let body = json!({"operatorName": "Depot", "address": {}, "coordinates": [4.89, 52.37]});
    text(&app.client.post("/locations", body).await.created()["_id"])
}

async fn group(app: &TestApp, location: &str) -> String {
    let body = json!({"name": "G", "maximum_capacity": 50, "location": location});
    text(&app.client.post("/groups", body).await.created()["_id"])
}

/// An asset of a type, with more fields; its path.
async fn asset(app: &TestApp, location: &str, kind: &str, more: Value) -> String {
    let mut body = json!({"name": kind, "type": kind, "location": location});
    for (name, value) in more.as_object().expect("fields") {
        body[name] = value.clone();
    }
    let created = app.client.post("/assets", body).await.created();
    format!("/assets/{}", text(&created["_id"]))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn names(answer: &Value) -> Vec<String> {
    let rows = answer["result"].as_array().expect("rows");
    rows.iter().map(|row| text(&row["name"])).collect()
}

async fn events_of_type(app: &TestApp, kind: &str) -> usize {
    let types = app.event_types().await;
    types.iter().filter(|one| *one == kind).count()
}
