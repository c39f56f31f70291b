//! No list holds up a station, and each list ends: with its time, with its client, or whole.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use evenwatt::db::{Conn, Lane, StoreError, StoreResult};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{FakeStation, TestApp, eventually};

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// A list that would never end.
fn endless(conn: &mut Conn) -> StoreResult<i64> {
    let query = "WITH RECURSIVE numbers (number) AS \
        (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE in_time()) SELECT count(*) AS rows FROM numbers";
    let counted: Counted = diesel::sql_query(query).get_result(conn)?;
    Ok(counted.rows)
}

/// Somebody who asks for an endless list.
fn analyst(app: &TestApp) -> tokio::task::JoinHandle<StoreResult<i64>> {
    let db = app.running.context.db.in_lane(Lane::Api);
    tokio::spawn(async move { db.read(endless).await })
}

#[actix_web::test]
async fn twelve_endless_lists_hold_up_no_station_and_end_with_their_time() {
    let app = TestApp::start_with(&[("EVENWATT_STORE_QUERY_SECONDS", "3")]).await;
    let station = app.station("Beside the analysts").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let analysts: Vec<_> = (0..12).map(|_| analyst(&app)).collect();
    let db = &app.running.context.db;
    eventually(async || db.open_reads() == 12).await;

    let answer = socket.call("Authorize", json!({"idTag": "UNKNOWN"})).await;
    assert_eq!(answer["idTagInfo"]["status"], "Invalid");
    assert_eq!(db.open_reads(), 12, "the analysts are still at it");

    for analyst in analysts {
        let ended = analyst.await.expect("no panic");
        assert!(matches!(ended, Err(StoreError::TooSlow)), "{ended:?}");
    }
    assert!(app.client.get("/users").await.ok().is_array());
}

#[actix_web::test]
async fn a_list_that_waits_too_long_says_so() {
    let app = TestApp::start_with(&[
        ("EVENWATT_STORE_QUERY_SECONDS", "1"),
        ("EVENWATT_STORE_READERS", "1"),
    ])
    .await;
    assert!(app.client.get("/users").await.ok().is_array());
    let (release, held) = std::sync::mpsc::channel::<()>();
    let db = app.running.context.db.in_lane(Lane::Api);
    let before =
        tokio::spawn(async move { db.read(move |_| StoreResult::Ok(held.recv().is_ok())).await });
    eventually(async || app.running.context.db.open_reads() == 1).await;

    assert_eq!(app.client.get("/users").await.error(503), "query_too_long");
    release.send(()).expect("it is still held");
    assert!(before.await.expect("no panic").is_err(), "it took too long");
    assert!(app.client.get("/users").await.ok().is_array());
}

#[actix_web::test]
async fn a_list_ends_with_its_client() {
    let app = TestApp::start_with(&[
        ("EVENWATT_STORE_QUERY_SECONDS", "3600"),
        ("EVENWATT_STORE_READERS", "1"),
    ])
    .await;
    assert!(app.client.get("/users").await.ok().is_array());
    let analyst = analyst(&app);
    let db = &app.running.context.db;
    eventually(async || db.open_reads() == 1).await;

    let mut client = TcpStream::connect(app.running.address)
        .await
        .expect("connects");
    let request = format!(
        "GET /v1.1/users HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\n\r\n",
        app.client.key
    );
    client.write_all(request.as_bytes()).await.expect("sent");
    eventually(async || db.open_reads() == 2).await;
    drop(client);
    eventually(async || db.open_reads() == 1).await;

    analyst.abort();
    assert!(
        app.client.get("/users").await.ok().is_array(),
        "the only reader is free again"
    );
}
