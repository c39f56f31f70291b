//! Users over HTTP.

use serde_json::{Value, json};

use crate::support::TestApp;

fn ada() -> Value {
    json!({
        "firstname": "Ada", "lastname": "Lovelace", "email": "Ada@Example.com", "phone": {"mobile": "+31 6 1234"},
        "address": {"city": "London", "country": "gb"}, "meta_data": {"customer": 17}
    })
}

#[actix_web::test]
async fn a_user_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let created = app.client.post("/users", ada()).await.created();
    assert_eq!(
        (&created["email"], &created["role"], &created["active"], &created["address"]["country"]),
        (&json!("ada@example.com"), &json!("user"), &json!(true), &json!("GB"))
    );
    let path = format!("/users/{}", created["_id"].as_str().unwrap());
    assert_eq!(app.client.get(&path).await.ok(), created);

    let station = app.client.post("/chargestations", json!({"name": "North"})).await.created();
    let patch = json!({"favorite_chargestations": [station["_id"]], "phone": null, "role": "fleet", "email": null});
    let changed = app.client.patch(&path, patch).await.ok();
    assert_eq!(
        (&changed["favorite_chargestations"], &changed["phone"], &changed["role"], &changed["email"]),
        (&json!([station["_id"]]), &json!({}), &json!("fleet"), &Value::Null)
    );
    assert_eq!(app.client.patch(&path, json!({"lastname": null})).await.faulty_fields(), ["lastname"]);

    app.client.delete(&path).await.ok();
    assert_eq!(app.client.get(&path).await.error(404), "not_found");
    assert_eq!(app.event_types().await, ["user.created", "chargestation.created", "user.updated", "user.deleted"]);
}

#[actix_web::test]
async fn every_fault_of_a_user_is_named() {
    let app = TestApp::start().await;
    let body = json!({"firstname": "", "email": "ada@", "phone": {"car": "1"}, "wallet": 5, "role": 7,
        "favorite_chargestations": ["x"], "address": {"country": "Utopia"}});
    let expected = [
        "address.country",
        "email",
        "favorite_chargestations[0]",
        "firstname",
        "lastname",
        "phone.car",
        "role",
        "wallet",
    ];
    assert_eq!(app.client.post("/users", body).await.faulty_fields(), expected);

    let mut elsewhere = ada();
    let station = app.stranger().await.post("/chargestations", json!({})).await.created();
    elsewhere["favorite_chargestations"] = json!([station["_id"]]);
    assert_eq!(app.client.post("/users", elsewhere).await.faulty_fields(), ["favorite_chargestations[0]"]);
}

#[actix_web::test]
async fn an_email_address_belongs_to_one_user_of_an_organization() {
    let app = TestApp::start().await;
    app.client.post("/users", ada()).await.created();
    let again = app.client.post("/users", json!({"firstname": "A", "lastname": "L", "email": "ADA@example.COM"})).await;
    assert_eq!(again.error(409), "already_exists");
    let other = app.client.post("/users", json!({"firstname": "A", "lastname": "L"})).await.created();
    let path = format!("/users/{}", other["_id"].as_str().unwrap());
    let taken = app.client.patch(&path, json!({"email": "ada@example.com"})).await;
    assert_eq!(taken.error(409), "already_exists");

    app.stranger().await.post("/users", ada()).await.created();
}

#[actix_web::test]
async fn search_completes_names_and_addresses() {
    let app = TestApp::start().await;
    for (first, last, email) in [
        ("Ada", "Lovelace", "countess@example.com"),
        ("Grace", "Hopper", "grace@navy.example"),
        ("Al", "Ada", "al@x.example"),
    ] {
        app.client.post("/users", json!({"firstname": first, "lastname": last, "email": email})).await.created();
    }
    let found = async |query: &str| -> Vec<String> {
        let answer = app.client.get(&format!("/users?sort_by=lastname&sort_order=asc&{query}")).await.json();
        answer["result"].as_array().unwrap().iter().map(|user| user["firstname"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("search=ada").await, ["Al", "Ada"]);
    assert_eq!(found("search=ADA%20LOVE").await, ["Ada"]);
    assert_eq!(found("search=%40navy").await, ["Grace"]);
    assert_eq!(found("search=%25").await, Vec::<String>::new());
    assert_eq!(found("active=false").await, Vec::<String>::new());
    assert_eq!(found("role=user").await, ["Al", "Grace", "Ada"]);
}

#[actix_web::test]
async fn a_user_with_tokens_cannot_be_deleted() {
    let app = TestApp::start().await;
    let user = app.client.post("/users", ada()).await.created();
    let path = format!("/users/{}", user["_id"].as_str().unwrap());
    let token = app.client.post("/tokens", json!({"physicalId": "A1", "user": user["_id"]})).await.created();
    let refused = app.client.delete(&path).await;
    assert_eq!(refused.error(409), "in_use");
    assert!(refused.text.contains("1 token(s)"), "{}", refused.text);

    app.client.delete(&format!("/tokens/{}", token["_id"].as_str().unwrap())).await.ok();
    app.client.delete(&path).await.ok();
}

#[actix_web::test]
async fn users_of_another_organization_do_not_exist() {
    let app = TestApp::start().await;
    let user = app.client.post("/users", ada()).await.created();
    let path = format!("/users/{}", user["_id"].as_str().unwrap());
    let stranger = app.stranger().await;
    assert_eq!(stranger.get(&path).await.error(404), "not_found");
    assert_eq!(stranger.patch(&path, json!({"role": "x"})).await.error(404), "not_found");
    assert_eq!(stranger.delete(&path).await.error(404), "not_found");
    assert_eq!(stranger.get("/users").await.json()["totalDocs"], 0);
    let token = json!({"physicalId": "A1", "user": user["_id"]});
    assert_eq!(stranger.post("/tokens", token).await.faulty_fields(), ["user"]);
}
