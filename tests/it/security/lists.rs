//! No list holds up a station, and each list ends: with its time, with its client, or whole.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use evenwatt::store::{Conn, Lane, StoreError, StoreResult};
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
async fn twelve_endless_lists_delay_no_station_and_end_with_their_time() {
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
    let app = TestApp::start_with(&[("EVENWATT_STORE_QUERY_SECONDS", "1"), ("EVENWATT_STORE_READERS", "1")]).await;
    assert!(app.client.get("/users").await.ok().is_array());
    let (release, held) = std::sync::mpsc::channel::<()>();
    let db = app.running.context.db.in_lane(Lane::Api);
    let before = tokio::spawn(async move { db.read(move |_| StoreResult::Ok(held.recv().is_ok())).await });
    eventually(async || app.running.context.db.open_reads() == 1).await;

    assert_eq!(app.client.get("/users").await.error(503), "query_too_long");
    release.send(()).expect("it is still held");
    assert!(before.await.expect("no panic").is_err(), "it took too long");
    assert!(app.client.get("/users").await.ok().is_array());
}

#[actix_web::test]
async fn a_list_ends_with_its_client() {
    let app = TestApp::start_with(&[("EVENWATT_STORE_QUERY_SECONDS", "3600"), ("EVENWATT_STORE_READERS", "1")]).await;
    assert!(app.client.get("/users").await.ok().is_array());
    let analyst = analyst(&app);
    let db = &app.running.context.db;
    eventually(async || db.open_reads() == 1).await;

    let mut client = TcpStream::connect(app.running.address).await.expect("connects");
    let request = format!("GET /v1.1/users HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\n\r\n", app.client.key);
    client.write_all(request.as_bytes()).await.expect("sent");
    eventually(async || db.open_reads() == 2).await;
    drop(client);
    eventually(async || db.open_reads() == 1).await;

    analyst.abort();
    assert!(app.client.get("/users").await.ok().is_array(), "the only reader is free again");
}

/// Puts so many drivers straight into the store, a second apart.
pub(super) async fn db_drivers(app: &TestApp, many: u32) {
    let (organization, now) = (app.organization, app.running.context.clock.now().micros());
    let write = app.running.context.db.write(move |conn| -> StoreResult<()> {
        let numbers: Vec<u32> = (0..many).collect();
        for some in numbers.chunks(500) {
            let rows = some.iter().map(|number| {
                let at = now - i64::from(*number) * 1_000_000;
                let at = match conn {
                    Conn::Sqlite(_) => at.to_string(),
                    Conn::Pg(_) => format!("to_timestamp({at} / 1000000.0)"),
                };
                format!("('{number:024x}', '{organization}', 'Driver', '{number}', TRUE, 'driver', '{{}}', '{{}}', '[]', '{{}}', {at}, {at})")
            });
            let rows: Vec<String> = rows.collect();
            let columns = "id, organization_id, firstname, lastname, active, role, address, phone, \
                favorite_chargestations, meta_data, created_at, updated_at";
            diesel::sql_query(format!("INSERT INTO users ({columns}) VALUES {}", rows.join(", "))).execute(conn)?;
        }
        Ok(())
    });
    write.await.expect("stored");
}

/// Reads a list to its end by cursor; somebody else adds a driver before each page but the first.
async fn by_cursor(app: &TestApp, order: &str) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/users?paginate_limit=4&{order}{after}");
        let page = app.client.get(&path).await;
        for row in page.ok().as_array().expect("rows") {
            seen.push(row["lastname"].as_str().expect("a name").to_owned());
        }
        let Some(next) = page.json()["next_after"].as_str().map(str::to_owned) else {
            assert_eq!(page.json()["hasNextPage"], false);
            return seen;
        };
        after = format!("&after={next}");
        if seen.len() < 16 {
            let late = json!({"firstname": "Late", "lastname": format!("late {}", seen.len())});
            app.client.post("/users", late).await.created();
        }
    }
}

#[actix_web::test]
async fn pages_by_cursor_repeat_and_miss_nothing_while_others_arrive() {
    let app = TestApp::start().await;
    for number in 0..10 {
        let driver = json!({"firstname": "Early", "lastname": format!("{number}")});
        app.client.post("/users", driver).await.created();
    }
    let early: Vec<String> = (0..10).map(|number| number.to_string()).collect();

    let newest_first: Vec<String> = early.iter().rev().cloned().collect();
    assert_eq!(by_cursor(&app, "sort_order=desc").await, newest_first);

    // Oldest first, whoever arrives is met at the end.
    let late = ["late 4", "late 8"].map(str::to_owned);
    let later = ["late 4", "late 8", "late 12"].map(str::to_owned);
    for order in ["sort_order=asc", "sort_by=updatedAt&sort_order=asc"] {
        let seen = by_cursor(&app, order).await;
        assert_eq!(seen[..12], [early.clone(), late.to_vec()].concat());
        assert!(seen.ends_with(&later), "{seen:?}");
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert!(once.len() >= 13, "{seen:?}");
    }
}

#[actix_web::test]
async fn a_cursor_goes_with_an_order_that_has_them_and_without_a_page() {
    let app = TestApp::start().await;
    let cursor = "after=1777000000000000-650000000000000000000001";
    for wrong in ["after=12", &format!("{cursor}&sort_by=email"), &format!("{cursor}&paginate_page=2")] {
        let answer = app.client.get(&format!("/users?{wrong}")).await;
        assert_eq!(answer.faulty_fields(), ["after"], "{wrong}");
    }
    assert_eq!(app.client.get(&format!("/users?{cursor}")).await.ok(), json!([]));
}

#[actix_web::test]
async fn a_long_list_is_counted_so_far_and_streamed_whole() {
    let app = TestApp::start().await;
    db_drivers(&app, 10_005).await;

    let first = app.client.get("/users?paginate_limit=10").await.json();
    assert_eq!((&first["totalDocs"], &first["totalIsExact"]), (&json!(10_000), &json!(false)));
    assert_eq!(first["hasNextPage"], true);
    let last = app.client.get("/users?paginate_limit=10&paginate_page=1001").await.json();
    assert_eq!(last["result"].as_array().map(Vec::len), Some(5));
    assert_eq!((&last["totalDocs"], &last["hasNextPage"]), (&json!(10_005), &json!(false)));
    let few = app.client.get("/users?search=DRIVER%201000").await.json();
    assert_eq!((&few["totalDocs"], &few["totalIsExact"]), (&json!(6), &json!(true)), "1000, 10000 to 10004");

    let csv = app.client.get("/users?format=csv&paginate_enabled=false").await.text;
    let ids: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let expected: Vec<String> = (0..10_005).map(|number| format!("{number:024x}")).collect();
    assert_eq!(ids, expected, "each once, the newest first");
}

#[actix_web::test]
async fn the_header_of_a_csv_is_the_same_with_rows_and_without() {
    let app = TestApp::start().await;
    let empty = app.client.get("/users?format=csv").await.text;
    assert!(empty.starts_with("_id,") && empty.contains(",firstname,"), "{empty}");
    db_drivers(&app, 3).await;
    let some = app.client.get("/users?format=csv").await.text;
    assert_eq!(some.lines().next(), empty.lines().next());
    assert_eq!((empty.lines().count(), some.lines().count()), (1, 4));

    for path in ["/sessions", "/chargestations", "/locations", "/actions", "/tokens", "/load_management/groups"] {
        let empty = app.client.get(&format!("{path}?format=csv")).await.text;
        assert!(empty.starts_with("_id,") && empty.ends_with("\r\n"), "{path}: {empty}");
    }
}
