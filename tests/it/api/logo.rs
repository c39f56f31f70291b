//! An organization's logo: which bytes are one, and how it is served.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Answer, Client, TestApp};

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
/// 2,049 pixels in a row.
const WIDE: &str = "iVBORw0KGgoAAAANSUhEUgAACAEAAAABAQAAAACNrRhhAAAADElEQVR42mNgGOkAAAECAAEW4NUqAAAAAElFTkSuQmCC";
const WEBP: &str = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==";
const SVG: &[u8] = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.cookie)</script></svg>"#;
const HTML: &[u8] = b"<!doctype html><script>alert(document.cookie)</script>";

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("Base64")
}

/// Sends bytes as a logo, and says that they are a PNG, whatever they are.
async fn put(client: &Client, bytes: Vec<u8>) -> Answer {
    let request = client.request(Method::PUT, "/organization/logo").header(CONTENT_TYPE, "image/png");
    client.send(request.body(bytes)).await
}

/// Fetches what a `logo` says, as a browser that is not logged in does.
async fn fetch(app: &TestApp, logo: &Value, known: Option<&str>) -> Response {
    let url = format!("{}{}", app.client.base, logo.as_str().expect("an address"));
    let request = app.client.http.get(url);
    let request = match known {
        Some(tag) => request.header(IF_NONE_MATCH, tag),
        None => request,
    };
    request.send().await.expect("an answer")
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("a text"))
}

#[actix_web::test]
async fn a_logo_is_served_to_everybody_as_what_it_is_and_once() {
    let app = TestApp::start().await;
    let before = app.client.get("/organization").await.ok();
    assert_eq!(before["logo"], Value::Null);
    let set = put(&app.client, bytes(PNG)).await.ok();
    let hash = hex::encode(Sha256::digest(bytes(PNG)));
    let id = set["_id"].as_str().expect("an id");
    assert_eq!(set["logo"], format!("/v1.1/organizations/{id}/logo?v={}", &hash[..16]));
    assert_eq!(app.client.get("/organization").await.ok(), set);

    let served = fetch(&app, &set["logo"], None).await;
    assert_eq!(served.status(), 200);
    let tag = header(&served, ETAG.as_str()).to_owned();
    assert_eq!(tag, format!("\"{hash}\""), "strong");
    for (name, value) in [
        (CONTENT_TYPE.as_str(), "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", "inline; filename=\"logo.png\""),
        (CACHE_CONTROL.as_str(), "public, max-age=300"),
        (
            CONTENT_SECURITY_POLICY.as_str(),
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox",
        ),
    ] {
        assert_eq!(header(&served, name), value, "{name}");
    }
    assert_eq!(served.bytes().await.expect("the picture"), bytes(PNG));
    for known in [tag.as_str(), "*", &format!("\"other\", W/{tag}")] {
        let again = fetch(&app, &set["logo"], Some(known)).await;
        assert_eq!((again.status().as_u16(), header(&again, ETAG.as_str())), (304, tag.as_str()), "{known}");
        assert_eq!(again.bytes().await.expect("nothing").len(), 0);
    }

    // Another one has another address and another tag.
    let other = put(&app.client, bytes(WEBP)).await.ok();
    assert_ne!(other["logo"], set["logo"]);
    let served = fetch(&app, &set["logo"], Some(&tag)).await;
    assert_eq!((served.status().as_u16(), header(&served, CONTENT_TYPE.as_str())), (200, "image/webp"));

    let removed = app.client.delete("/organization/logo").await.ok();
    assert_eq!(removed["logo"], Value::Null);
    assert_eq!(fetch(&app, &set["logo"], None).await.status(), 404);
    assert_eq!(app.client.delete("/organization/logo").await.error(404), "not_found");
}

#[actix_web::test]
async fn what_is_no_picture_from_the_first_to_the_last_byte_is_no_logo() {
    let app = TestApp::start().await;
    put(&app.client, bytes(PNG)).await.ok();
    let behind = |tail: &[u8]| [&bytes(PNG)[..], tail].concat();
    let mut flipped = bytes(PNG);
    flipped[45] ^= 1; // in the data, so that its checksum is wrong
    for wrong in [vec![], SVG.to_vec(), HTML.to_vec(), behind(SVG), behind(HTML), [SVG, &bytes(PNG)].concat(), flipped]
    {
        let answer = put(&app.client, wrong).await;
        assert_eq!(answer.faulty_fields(), ["logo"]);
    }
    let wide = put(&app.client, bytes(WIDE)).await;
    assert_eq!(wide.faulty_fields(), ["logo"]);
    assert!(wide.text.contains("2048 × 2048 pixels, and has 2049 × 1"), "{}", wide.text);
    let too_many = vec![0; 256 * 1024 + 1];
    assert_eq!(put(&app.client, too_many).await.error(413), "body_too_large");
    let most = vec![0; 256 * 1024];
    assert_eq!(put(&app.client, most).await.faulty_fields(), ["logo"], "it is not too large");
    assert_ne!(app.client.get("/organization").await.ok()["logo"], Value::Null, "the one before stays");
}

#[actix_web::test]
async fn nobody_changes_the_logo_of_another_organization() {
    let app = TestApp::start().await;
    let set = put(&app.client, bytes(PNG)).await.ok();
    let stranger = app.stranger().await;
    assert_eq!(stranger.delete("/organization/logo").await.error(404), "not_found", "it has none");
    let theirs = put(&stranger, bytes(WEBP)).await.ok();
    assert_ne!(theirs["_id"], set["_id"]);
    let reader = app.client_with(&["read:organization"]).await;
    assert_eq!(put(&reader, bytes(WEBP)).await.error(403), "forbidden");
    assert_eq!(reader.delete("/organization/logo").await.error(403), "forbidden");
    for method in [Method::PUT, Method::DELETE, Method::POST] {
        let path = format!("/organizations/{}/logo", set["_id"].as_str().expect("an id"));
        let sent = app.client.send(stranger.request(method, &path).body(bytes(WEBP))).await;
        assert_eq!(sent.error(405), "method_not_allowed");
    }
    let served = fetch(&app, &set["logo"], None).await;
    assert_eq!(served.bytes().await.expect("the picture"), bytes(PNG));
    assert_eq!(app.client.get_bare("/v1.1/organizations/650000000000000000000001/logo").await.error(404), "not_found");
    assert_eq!(app.client.get_bare("/v1.1/organizations/mine/logo").await.error(422), "invalid_path");
}

#[actix_web::test]
async fn a_logo_keeps_to_the_version_that_was_read_and_is_an_event() {
    let app = TestApp::start().await;
    let read = app.client.get("/organization").await;
    let tag = read.headers[ETAG].to_str().expect("a tag").to_owned();
    let sent = |picture: &str| {
        let request = app.client.request(Method::PUT, "/organization/logo").header(IF_MATCH, &tag);
        app.client.send(request.body(bytes(picture)))
    };
    sent(PNG).await.ok();
    assert_eq!(sent(WEBP).await.error(412), "version_mismatch");
    let events = app.client.get("/events?type=organization.updated").await.json();
    let events = events["result"].as_array().expect("events");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["data"], app.client.get("/organization").await.ok());
}

#[actix_web::test]
async fn pages_show_the_logo_and_whom_to_ask_where_there_is_one_organization() {
    let app = TestApp::start().await;
    let contact = json!({"email": "Help@Example.com", "phone": "+31 20 1234567", "url": "https://example.com/help"});
    app.client.patch("/organization", json!({"support_contact": contact})).await.ok();
    let set = put(&app.client, bytes(PNG)).await.ok();
    let shown = app.client.get_bare("/v1.1/pages/config").await.ok();
    let lower = json!({"email": "help@example.com", "phone": "+31 20 1234567", "url": "https://example.com/help"});
    assert_eq!((&shown["logo"], &shown["support_contact"]), (&set["logo"], &lower));
    assert_eq!(shown["name"], "Test organization");
    app.stranger().await;
    let shown = app.client.get_bare("/v1.1/pages/config").await.ok();
    assert_eq!((&shown["logo"], &shown["support_contact"]), (&Value::Null, &Value::Null), "whose would it be?");
}
