//! What a browser is given: headers on every answer, the pages of `web/` and their files, Swagger UI and what it links to.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestApp};

/// Any path of the server, without a key.
async fn open(app: &TestApp, path: &str) -> Answer {
    let url = format!("http://{}{path}", app.running.address);
    let client = &app.client;
    client.send(client.http.request(Method::GET, url)).await
}

/// The same with headers, as a browser sends them.
async fn open_with(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = app.client.http.get(format!("http://{}{path}", app.running.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.client.send(request).await
}

/// Whether the program has the pages within. Where it was built without npm it says so, and there is nothing more to see.
async fn has_pages(app: &TestApp) -> bool {
    let panel = open(app, "/panel/").await;
    if panel.status == 503 {
        assert!(panel.text.contains("npm") && header(&panel, "cache-control") == "no-store", "{}", panel.text);
    }
    panel.status.is_success()
}

/// The files that a shell loads.
fn assets(shell: &str) -> Vec<String> {
    let names = shell.split("\"/assets/").skip(1);
    names.filter_map(|rest| rest.split('"').next()).map(|name| format!("/assets/{name}")).collect()
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
        "/panel/",
        "/map",
        "/assets/nothing.js",
        "/docs/ERRORS.md",
        "/v1.1/groups",
        "/v1.1/portal/groups",
        "/ocpp/nobody",
        "/nothing",
    ] {
        let answer = open(&app, path).await;
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&answer, "x-frame-options"), "DENY", "{path}");
        let referrer = header(&answer, "referrer-policy");
        match path {
            "/" | "/portal/" | "/panel/" | "/map" if answer.status.is_success() => {
                assert_eq!(referrer, "strict-origin-when-cross-origin", "servers of map tiles ask for it");
            }
            _ => assert_eq!(referrer, "no-referrer", "{path}"),
        }
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
    let page = open(&app, "/swagger-ui").await;
    assert!(page.status.is_success() && page.text.contains("swagger-ui"), "{}", page.text);
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
async fn each_page_is_the_shell_of_its_app_and_is_asked_for_again_each_time() {
    let app = TestApp::start().await;
    if !has_pages(&app).await {
        return;
    }
    for (path, title) in [
        ("/", "Evenwatt"),
        ("/panel", "Evenwatt"),
        ("/panel/stations/65f0", "Evenwatt"),
        ("/portal", "Home charging"),
        ("/portal/invitations/a-secret?organization=65f0", "Home charging"),
        ("/e/LP1-CP5", "Charging"),
        ("/map", "Charging"),
    ] {
        let page = open(&app, path).await;
        assert!(page.status.is_success(), "{path}: {}", page.status);
        assert!(page.text.contains(&format!("<title>{title}</title>")), "{path}: {}", page.text);
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(header(&page, "cache-control"), "no-cache", "{path}");
        assert!(header(&page, "vary").starts_with("accept-encoding"), "{path}");
        let tag = header(&page, "etag");
        let again = open_with(&app, path, &[("if-none-match", tag)]).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}");
        assert_eq!(header(&again, "etag"), tag, "{path}");
        let policy = header(&again, "content-security-policy");
        assert_eq!(policy, header(&page, "content-security-policy"), "a page that is not sent again obeys the newest");
    }
    for path in ["/panelling", "/portal.js", "/mapped", "/panel.html"] {
        assert_eq!(open(&app, path).await.error(404), "not_found", "{path}");
    }
}

#[actix_web::test]
async fn pages_load_from_their_own_server_alone_and_nothing_that_is_inline() {
    let app = TestApp::start().await;
    if !has_pages(&app).await {
        return;
    }
    let page = open(&app, "/panel/").await;
    assert_eq!(
        header(&page, "content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
         font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    assert!(!page.text.contains("style=") && !page.text.contains("<script>"), "{}", page.text);
    let tiles = [("EVENWATT_PAGES_TILES_URL", "https://{s}.tile.example.org/{z}/{x}/{y}.png")];
    let with_tiles = app.restart_with(&tiles).await;
    let page = open(&with_tiles, "/map").await;
    let policy = header(&page, "content-security-policy");
    assert!(policy.contains("img-src 'self' data: blob: https://*.tile.example.org; connect-src 'self'"), "{policy}");
}

#[actix_web::test]
async fn files_of_pages_are_kept_for_ever_and_sent_in_the_form_that_the_browser_reads() {
    let app = TestApp::start().await;
    if !has_pages(&app).await {
        return;
    }
    let shell = open(&app, "/panel/").await.text;
    let files = assets(&shell);
    let (scripts, styles): (Vec<_>, Vec<_>) = files.iter().partition(|name| name.ends_with(".js"));
    assert!(!scripts.is_empty() && styles.iter().any(|name| name.ends_with(".css")), "{shell}");
    for name in &files {
        let plain = open(&app, name).await;
        let of_script = name.ends_with(".js").then_some("text/javascript; charset=utf-8");
        assert!(of_script.is_none_or(|kind| kind == header(&plain, "content-type")), "{name}");
        let kept = if name.contains("icon.svg") { "max-age=3600" } else { "max-age=31536000, immutable" };
        assert_eq!((plain.status.as_u16(), header(&plain, "cache-control")), (200, kept), "{name}");
        assert_eq!(header(&plain, "content-encoding"), "", "{name}");
        for (accepted, encoding) in [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")] {
            let url = format!("http://{}{name}", app.running.address);
            let sent = app.client.http.get(url).header("accept-encoding", accepted).send().await.expect("an answer");
            let vary = sent.headers()["vary"].to_str().expect("text");
            assert!(vary.starts_with("accept-encoding"), "{name}: {vary}");
            let sent_as = sent.headers().get("content-encoding").map(|value| value.to_str().expect("text").to_owned());
            let length = sent.bytes().await.expect("bytes").len();
            match sent_as {
                Some(sent_as) => {
                    assert!(sent_as == encoding && length < plain.text.len(), "{name} as {encoding}: {length}")
                }
                None => assert!(length == plain.text.len() && length < 500, "{name}: smaller as {encoding}"),
            }
        }
    }
    for unknown in ["/assets/", "/assets/App-00000000.js", "/assets/..%2Fpanel/index.html"] {
        let answer = open(&app, unknown).await;
        assert_eq!(answer.error(404), "not_found", "{unknown}");
    }
}

#[actix_web::test]
async fn pages_are_given_a_name_and_tiles_without_a_key() {
    let app = TestApp::start().await;
    let config = app.client.get_bare("/v1.1/pages/config").await.ok();
    let login = json!({"password": true, "oidc": []});
    let nothing = json!({"name": "Test organization", "tiles": null, "login": login, "driver_login": false, "logo": null, "support_contact": null});
    assert_eq!(config, nothing);
    assert_eq!(app.client.get_bare("/v1.1/pages/other").await.error(404), "not_found");
    app.stranger().await;
    let config = app.client.get_bare("/v1.1/pages/config").await.ok();
    assert_eq!(config["name"], "Evenwatt", "one organization is not named to those of another");
    let options = [
        ("EVENWATT_PAGES_NAME", "Harbour Charging"),
        ("EVENWATT_PAGES_TILES_URL", "https://tile.example.org/{z}/{x}/{y}.png"),
        ("EVENWATT_PAGES_TILES_ATTRIBUTION", "© Example"),
        ("EVENWATT_PORTAL_RATE_BURST", "2"),
        ("EVENWATT_PORTAL_RATE_PER_SECOND", "1"),
    ];
    let app = app.restart_with(&options).await;
    let config = app.client.get_bare("/v1.1/pages/config").await.ok();
    let tiles = json!({"url": "https://tile.example.org/{z}/{x}/{y}.png", "attribution": "© Example"});
    let shown = json!({"name": "Harbour Charging", "tiles": tiles, "login": login, "driver_login": false, "logo": null, "support_contact": null});
    assert_eq!(config, shown);
    let mut refused = false;
    for _ in 0..20 {
        refused |= app.client.get_bare("/v1.1/pages/config").await.status == 429;
    }
    assert!(refused, "an address that asks too often waits");
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
