//! The last messages of a station can be looked at, and played again.

use std::process::Command;

use serde_json::json;

use crate::support::{FakeStation, TestApp};

#[actix_web::test]
async fn messages_are_kept_without_secrets_and_can_be_played_again() {
    let app = TestApp::start().await;
    let station = app.station("S").await;
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    socket.call("Authorize", json!({"idTag": "04A2B3C4D5"})).await;
    socket.send_text("[2,\"x\",").await;
    socket.next().await;
    let secret = json!({"key": "AuthorizationKey", "value": "0011223344"});
    let path = format!("{}/configurations", station.path);
    app.client.patch(&path, secret).await;
    let call = socket.next_call().await;
    assert_eq!(call[3]["value"], "0011223344");
    socket.answer(&call, json!({"status": "Accepted"})).await;
    socket.call("Heartbeat", json!({})).await;

    let path = format!("{}/messages", station.path);
    app.eventually(async || app.client.get(&path).await.json()["result"].as_array().map(Vec::len) == Some(10)).await;
    let shown = app.client.get(&path).await;
    assert!(!shown.text.contains("0011223344") && !shown.text.contains("04A2B3C4D5"), "{}", shown.text);
    let rows = shown.ok();
    assert_eq!((&rows[0]["direction"], &rows[1]["direction"]), (&json!("from_station"), &json!("to_station")));
    assert!(rows[4]["text"] == "[2,\"x\",", "{rows}");

    let bundle = app.client.get(&format!("{path}/bundle")).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("station.json");
    std::fs::write(&file, &bundle.text).expect("written");
    let binary = env!("CARGO_BIN_EXE_evenwatt");
    let run = tokio::task::spawn_blocking(move || Command::new(binary).arg("replay-messages").arg(&file).output());
    let output = run.await.expect("run").expect("started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{wrong}");
    for line in ["BootNotification: as then", "Authorize: as then", "Heartbeat: as then", "(unreadable): as then"] {
        assert!(said.contains(line), "{line} is missing in {said}{wrong}");
    }
    let limited = app.client_with(&["read:chargestations"]).await;
    assert_eq!(limited.get(&path).await.error(403), "forbidden");
}
