//! What roles may, who may give them, and people who work for several organizations.

use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Browser, GRACE, PASSWORD};
use crate::support::{Client, TestApp};

const ADA: &str = "ada@example.com";

fn id(value: &Value) -> &str {
    value["_id"].as_str().expect("an id")
}

#[actix_web::test]
async fn a_role_may_at_every_route_what_a_key_with_its_scopes_may() {
    let app = TestApp::start().await;
    let document = app.client.get_bare("/openapi.json").await.json();
    let admin = Browser::invited(&app, &app.client, "a@example.com", "Admin").await;
    let mut walked = 0;
    for role in ["Operator", "Viewer"] {
        let browser = Browser::invited(&app, &app.client, &format!("{role}@example.com"), role).await;
        let scopes = browser.get("/account").await.ok()["scopes"].clone();
        let key = app.client.post("/api_keys", json!({"name": role, "scopes": scopes})).await.created();
        let key = Client::new(app.running.address, key["key"].as_str().expect("a key"));
        for (path, item) in document["paths"].as_object().expect("paths") {
            let apart = ["/v1.1/account", "/v1.1/portal", "/v1.1/driver", "/v1.1/pages"];
            if apart.iter().any(|start| path.starts_with(start)) || path.ends_with("/stream") {
                continue;
            }
            for method in item.as_object().expect("operations").keys() {
                let method: Method = method.to_uppercase().parse().expect("a method");
                let segments = path.trim_start_matches("/v1.1").split('/');
                let filled = segments.map(|part| if part.starts_with('{') { "650000000000000000000001" } else { part });
                let filled = filled.collect::<Vec<_>>().join("/");
                let by_key = key.send(key.request(method.clone(), &filled).json(&json!({}))).await.status;
                let by_cookie = browser.send(method.clone(), &filled, json!({})).await.status;
                assert_eq!(by_cookie, by_key, "{role}: {method} {path}");
                let is_kept = role == "Viewer" && ["/v1.1/locations", "/v1.1/operators"].contains(&path.as_str());
                assert!(!is_kept || (method == Method::GET) == (by_cookie == 200), "{method} {path}");
                walked += 1;
            }
        }
    }
    assert!(walked > 300, "{walked}");
    assert_eq!(admin.get("/api_keys").await.status, 200);
    assert_eq!(admin.get("/operators?search=VIEWER").await.json()["totalDocs"], 1);
}

#[actix_web::test]
async fn nobody_gives_or_takes_more_than_they_have_and_an_admin_stays() {
    let app = TestApp::start().await;
    let invite = json!({"email": ADA, "role": "Admin"});
    let weak = app.client_with(&["read:operators", "write:operators", "read:locations"]).await;
    assert_eq!(weak.post("/operators", invite.clone()).await.error(403), "forbidden");

    let grace = Browser::invited(&app, &app.client, GRACE, "Admin").await;
    let me = grace.get("/account").await.ok()["operator"]["_id"].as_str().expect("an id").to_owned();
    let own = format!("/operators/{me}");
    for change in [json!({"role": "Viewer"}), json!({"active": false})] {
        assert_eq!(grace.patch(&own, change).await.error(409), "conflict", "the last admin");
    }
    assert_eq!(app.client.delete(&own).await.error(409), "conflict");
    assert_eq!(grace.send(Method::DELETE, &own, json!({})).await.error(409), "conflict", "nobody deletes themselves");
    let faulty = json!({"role": null, "active": null, "totp": true, "email": "x@example.com"});
    assert_eq!(app.client.patch(&own, faulty).await.faulty_fields(), ["email"]);
    let faulty = json!({"role": null, "active": null, "totp": true});
    assert_eq!(app.client.patch(&own, faulty).await.faulty_fields(), ["active", "role", "totp"]);
    assert_eq!(app.client.post("/operators", json!({"email": GRACE, "role": "Viewer"})).await.error(409), "conflict");

    let ada = grace.post("/operators", invite).await.created();
    assert_eq!(weak.patch(&format!("/operators/{}", id(&ada)), json!({"active": false})).await.error(403), "forbidden");
    let browser = Browser::accepted(&app, &ada).await;
    browser.patch(&own, json!({"role": "Viewer"})).await.ok();
    assert_eq!(
        grace.post("/operators", json!({"email": "x@example.com", "role": "Viewer"})).await.error(403),
        "forbidden"
    );
    app.client.patch(&own, json!({"active": false})).await.ok();
    assert_eq!(grace.get("/locations").await.error(401), "unauthenticated", "at once");
    assert_eq!(Browser::new(&app).log_in(GRACE, PASSWORD).await.error(401), "login_failed");
    app.client.patch(&own, json!({"active": true})).await.ok();
    let again = Browser::new(&app).after(&Browser::new(&app).log_in(GRACE, PASSWORD).await);
    app.client.delete(&own).await.ok();
    assert_eq!(again.get("/account").await.error(401), "unauthenticated");
    assert_eq!(Browser::new(&app).log_in(GRACE, PASSWORD).await.error(401), "login_failed");
}

#[actix_web::test]
async fn nobody_gets_into_another_organization_by_inviting_whom_it_invited() {
    let app = TestApp::start().await;
    let stranger = app.stranger().await;
    let invite = json!({"email": GRACE, "role": "Admin"});
    let grace = app.client.post("/operators", invite.clone()).await.created();
    assert_eq!(stranger.post("/operators", invite.clone()).await.error(409), "conflict");
    assert_eq!(stranger.get("/operators").await.json()["totalDocs"], 0, "nothing is half done");
    Browser::accepted(&app, &grace).await;
    assert_eq!(stranger.post("/operators", invite).await.created()["invitation_url"], json!(null));
}

#[actix_web::test]
async fn a_person_works_for_two_organizations_one_at_a_time() {
    let app = TestApp::start().await;
    let stranger = app.stranger().await;
    let place = json!({"operatorName": "Theirs", "address": {}, "coordinates": [4.9, 52.4]});
    stranger.post("/locations", place).await.created();
    let grace = Browser::invited(&app, &app.client, GRACE, "Viewer").await;
    let beside = stranger.post("/operators", json!({"email": GRACE, "role": "Operator"})).await.created();
    assert_eq!((&beside["state"], &beside["invitation_url"]), (&json!("active"), &json!(null)), "there is an account");

    let account = grace.get("/account").await.ok();
    let names: Vec<_> = account["organizations"].as_array().expect("two").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["Test organization", "Another organization"]);
    assert_eq!(grace.get("/locations").await.json()["totalDocs"], 0);
    let theirs = account["organizations"][1]["_id"].clone();
    let moved = grace.send(Method::PUT, "/account/organization", json!({"organization": theirs})).await.ok();
    assert_eq!((&moved["organization"]["_id"], &moved["operator"]["role"]), (&theirs, &json!("Operator")));
    assert_eq!(grace.get("/locations").await.json()["totalDocs"], 1);
    let foreign = json!({"organization": "650000000000000000000001"});
    let answer = grace.send(Method::PUT, "/account/organization", foreign).await;
    assert_eq!(answer.faulty_fields(), ["organization"]);

    // Who is removed there is still here.
    stranger.delete(&format!("/operators/{}", id(&beside))).await.ok();
    assert_eq!(grace.get("/locations").await.error(401), "unauthenticated");
    let again = Browser::new(&app).after(&Browser::new(&app).log_in(GRACE, PASSWORD).await);
    assert_eq!(again.get("/account").await.ok()["organizations"].as_array().map(Vec::len), Some(1));
}
