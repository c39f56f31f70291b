//! Passwords and keys: never shown again, not in actions, events or templates; the store is for its owner alone.

use serde_json::{Value, json};

use crate::support::{FakeStation, TestApp, configuration};

const SECRET: &str = "0123456789ABCDEF0123";

async fn events(app: &TestApp) -> String {
    app.client.get("/events?limit=1000").await.text
}

#[actix_web::test]
async fn a_password_that_is_sent_to_a_station_is_written_down_nowhere() {
    for (protocol, action, payload) in [
        ("ocpp1.6", "ChangeConfiguration", json!({"key": "AuthorizationKey", "value": SECRET})),
        (
            "ocpp2.0.1",
            "SetVariables",
            json!({"setVariableData": [{"component": {"name": "SecurityCtrlr"},
                "variable": {"name": "BasicAuthPassword"}, "attributeValue": SECRET}]}),
        ),
    ] {
        let app = TestApp::start().await;
        let station = app.station("S").await;
        let mut socket = FakeStation::speaking(&station.url, protocol).await;
        match protocol {
            "ocpp1.6" => socket.boot().await,
            _ => socket.boot_2().await,
        };
        let body = json!({"action": action, "payload": payload});
        let path = format!("{}/ocpp?wait=true", station.path);
        let client = app.client.clone();
        let asked = actix_web::rt::spawn(async move { client.post(&path, body).await });
        let call = socket.next_call().await;
        assert!(call.to_string().contains(SECRET), "the station needs it: {call}");
        let answer = json!({"status": "Rejected", "note": {"password": SECRET}});
        socket.answer(&call, answer).await;
        let answered = asked.await.expect("answered").text;
        let actions = app.client.get("/actions").await.text;
        for (place, text) in
            [("the answer", answered), ("the list of actions", actions), ("the events", events(&app).await)]
        {
            assert!(text.contains(action), "{place}: {text}");
            assert!(!text.contains(SECRET), "{place}: {text}");
        }
    }
}

#[actix_web::test]
async fn an_upload_is_shown_without_the_password_of_its_server() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let body = json!({"location": format!("ftp://me:{SECRET}@example.com/in")});
    let path = format!("{}/get_diagnostics?wait=true", station.path);
    let client = app.client.clone();
    let asked = actix_web::rt::spawn(async move { client.post(&path, body).await });
    let call = socket.next_call().await;
    assert!(call.to_string().contains(SECRET), "{call}");
    socket.answer(&call, json!({"fileName": "a.zip"})).await;
    assert!(!asked.await.expect("answered").text.contains(SECRET));
    let recorded = events(&app).await;
    assert!(recorded.contains("ftp://example.com/in") && !recorded.contains(SECRET), "{recorded}");
}

#[actix_web::test]
async fn a_key_that_a_station_shows_is_not_kept() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let path = format!("{}/get_variables", station.path);
    let body = json!({"key": ["AuthorizationKey", "HeartbeatInterval"]});
    let client = app.client.clone();
    let asked = actix_web::rt::spawn(async move { client.post(&path, body).await });
    let call = socket.next_call().await;
    let reported = json!({"configurationKey": [
        {"key": "AuthorizationKey", "readonly": false, "value": SECRET},
        {"key": "HeartbeatInterval", "readonly": false, "value": "300"}]});
    socket.answer(&call, reported).await;
    let answered = asked.await.expect("answered").ok();
    assert_eq!(answered["variables"]["AuthorizationKey"]["value"], "(hidden)");
    assert_eq!(answered["variables"]["HeartbeatInterval"]["value"], "300");
    let kept = app.client.get(&format!("{}/configurations", station.path)).await.text;
    let shown = app.client.get(&station.path).await.text;
    assert!(!kept.contains(SECRET) && !shown.contains(SECRET), "{kept} {shown}");
    assert!(!events(&app).await.contains(SECRET));
}

#[actix_web::test]
async fn a_template_keeps_its_secrets_to_itself() {
    let app = TestApp::start().await;
    let settings = json!([
        {"key": "AuthorizationKey", "value": SECRET}, {"key": "HeartbeatInterval", "value": "300"}]);
    let body = json!({"name": "T", "settings": settings});
    let made = app.client.post("/configuration_templates", body).await.created();
    let shown = json!([
        {"key": "AuthorizationKey", "value": "(hidden)"}, {"key": "HeartbeatInterval", "value": "300"}]);
    assert_eq!(made["settings"], shown);
    assert!(!events(&app).await.contains(SECRET));
    let path = format!("/configuration_templates/{}", made["_id"].as_str().expect("an id"));

    // Sent back as it was read, with another value of the other key: the secret stays.
    let mut sent = shown.clone();
    sent[1]["value"] = json!("600");
    app.client.patch(&path, json!({"settings": sent})).await.ok();
    assert_eq!(stored(&app).await[0], json!({"key": "AuthorizationKey", "value": SECRET}));

    let unknown = json!({"settings": [{"key": "BasicAuthPassword", "value": "(hidden)"}]});
    let refused = app.client.patch(&path, unknown).await;
    assert_eq!(refused.faulty_fields(), ["settings[0].value"]);
}

/// The settings of the only template as the store has them.
async fn stored(app: &TestApp) -> Value {
    use diesel::prelude::*;
    use evenwatt::store::schema::configuration_templates::dsl::*;
    let read = app.running.context.db.read(|conn| {
        let found: evenwatt::store::Json<Value> = configuration_templates.select(settings).first(conn)?;
        Ok::<_, evenwatt::store::StoreError>(found.0)
    });
    read.await.expect("a template")
}

#[test]
fn the_files_of_a_new_store_are_for_their_owner_alone() {
    use diesel::connection::SimpleConnection as _;
    use evenwatt::app;
    use evenwatt::store::connection::Synchronous;
    use evenwatt::store::{Conn, StoreUrl};
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new.db").display().to_string();
    let config = configuration(&format!("sqlite://{file}"), &[]);
    assert!(app::migrate(&config).expect("a new store") > 0);
    let url = StoreUrl::Sqlite(file.clone());
    let mut conn = Conn::open(&url, Synchronous::Normal).expect("open");
    conn.batch_execute("CREATE TABLE written (a INTEGER)").expect("written"); // there is a WAL while somebody writes
    for end in ["", "-wal", "-shm", ".lock"] {
        let path = format!("{file}{end}");
        let rights = std::fs::metadata(&path).expect(&path).permissions().mode();
        assert_eq!(rights & 0o777, 0o600, "{path}");
    }
}

#[test]
fn any_text_of_the_configuration_can_be_in_a_file() {
    use evenwatt::app::Config;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{SECRET}{SECRET}\n")).expect("written");
    let named = path.display().to_string();
    let variable = ("EVENWATT_PORTAL_SIGNING_KEY_FILE".to_owned(), named.clone());
    let config = Config::load(None, [variable]).expect("read");
    assert_eq!(config.portal.signing_key, format!("{SECRET}{SECRET}"));

    let options = folder.path().join("evenwatt.toml");
    std::fs::write(&options, format!("[webhooks]\nsecret_key_file = \"{named}\"\n")).expect("written");
    let config = Config::load(Some(&options), []).expect("read");
    assert_eq!(config.webhooks.secret_key, format!("{SECRET}{SECRET}"));

    for (name, path, recorded) in [
        ("EVENWATT_PORTAL_SIGNING_KEY_FILE", "/no/such/file", "/no/such/file cannot be read"),
        ("EVENWATT_HTTP_WORKERS_FILE", "/etc/hostname", "names no option"),
    ] {
        let error = Config::load(None, [(name.to_owned(), path.to_owned())]).expect_err(name);
        assert!(error.contains(name) && error.contains(recorded), "{error}");
    }
}
