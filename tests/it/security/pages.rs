//! What a browser is given: headers on every answer, Swagger UI, the pages it links to, and the page behind the links in e-mails.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestApp};

/// Any path of the server, without a key.
async fn open(app: &TestApp, path: &str) -> Answer {
    let url = format!("http://{}{path}", app.running.address);
    let client = &app.client;
    client.send(client.http.request(Method::GET, url)).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.headers.get(name);
    value.map_or("", |value| value.to_str().expect("text"))
}

#[actix_web::test]
async fn whoever_asks_for_the_head_of_a_page_gets_no_body() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/swagger-ui/", "/portal/", "/docs/ERRORS.md", "/openapi.json"] {
        let url = format!("http://{}{path}", app.running.address);
        let head = app.client.send(app.client.http.request(Method::HEAD, url)).await;
        let page = open(&app, path).await;
        assert_eq!((head.status, head.text.as_str()), (page.status, ""), "{path}");
        assert_eq!(header(&head, "content-type"), header(&page, "content-type"));
        assert_eq!(header(&head, "content-length"), page.text.len().to_string());
    }
}

#[actix_web::test]
async fn every_answer_says_what_a_browser_must_not_do_with_it() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/swagger-ui/",
        "/portal/",
        "/portal.js",
        "/docs/ERRORS.md",
        "/v1.1/groups",
        "/v1.1/portal/groups",
        "/ocpp/nobody",
        "/nothing",
    ] {
        let answer = open(&app, path).await;
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&answer, "x-frame-options"), "DENY", "{path}");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer", "{path}");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'unsafe"), "{path}: {policy}");
        assert_eq!(header(&answer, "strict-transport-security"), "", "{path}");
    }
}

#[actix_web::test]
async fn swagger_ui_is_collapsed_can_be_searched_and_its_links_lead_somewhere() {
    let app = TestApp::start().await;
    for path in ["/", "/swagger-ui"] {
        let page = open(&app, path).await;
        assert!(page.status.is_success(), "{path}: {}", page.status);
        assert!(page.text.contains("swagger-ui"), "{path}: {}", page.text);
    }
    let start = open(&app, "/swagger-ui/swagger-initializer.js").await.text;
    assert!(start.contains("\"docExpansion\": \"none\""), "{start}");
    assert!(start.contains("\"filter\": true"), "{start}");
    let document = open(&app, "/openapi.json").await;
    assert_eq!(header(&document, "content-type"), "application/json");
    let links = document.text.split("](/docs/").skip(1);
    let links: Vec<&str> = links.filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.contains(&"API-DESIGN.md"), "{links:?}");
    for name in links {
        let page = open(&app, &format!("/docs/{name}")).await;
        assert!(page.text.starts_with("# "), "{name}: {}", page.text);
    }
    let missing = open(&app, "/docs/..%2FCargo.toml").await;
    assert_eq!(missing.error(404), "not_found");
}

#[actix_web::test]
async fn metrics_may_have_an_address_of_their_own() {
    let apart = TestApp::start_with(&[("EVENWATT_HTTP_METRICS_LISTEN", "127.0.0.1:0")]).await;
    assert_eq!(open(&apart, "/metrics").await.error(404), "not_found");
    let address = apart.running.metrics_address.expect("an address");
    let url = format!("http://{address}/metrics");
    let scraped = apart.client.send(apart.client.http.get(&url)).await;
    assert!(scraped.status.is_success() && scraped.text.contains("# TYPE"));
    let other = apart.client.http.get(format!("http://{address}/healthz"));
    assert_eq!(apart.client.send(other).await.status, 404);
    apart.client.post("/locations", json!({})).await.error(422);
}
