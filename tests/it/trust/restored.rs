//! A store that was made of a backup: what is done with it before a server uses it.

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use evenwatt::app::restored;
use evenwatt::store::{Conn, StoreError};
use serde_json::{Value, json};

use crate::support::TestApp;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn number(conn: &mut Conn, question: &str) -> Result<i64, StoreError> {
    let row: Number = match conn {
        Conn::Pg(conn) => sql_query(question).get_result(conn)?,
        Conn::Sqlite(conn) => sql_query(question).get_result(conn)?,
    };
    Ok(row.number)
}

#[actix_web::test]
async fn numbers_and_cursors_that_were_given_out_since_do_not_come_again() {
    let app = TestApp::start().await;
    let name = |name: &str| json!({"name": name});
    app.client.post("/chargestations", name("Before")).await.created();
    let before = app.client.get("/events").await;
    let before: Value = serde_json::from_str(&before.text).expect("JSON");
    let now = app.running.context.clock.now();
    let settled = app.running.context.db.write(move |conn| {
        restored::settle(conn, now)?;
        let of = |name: &str| format!("SELECT value AS number FROM counters WHERE name = '{name}'");
        Ok::<_, StoreError>((number(conn, &of("transaction"))?, number(conn, &of("reservation"))?))
    });
    assert_eq!(settled.await.expect("settled"), (1_000_000, 1_000_000), "none was given out before");

    // A client that read on from the store before asks with a cursor that this one has not come to.
    let known = before["next_after"].as_i64().expect("a cursor");
    let unknown = known + 500;
    app.client.post("/chargestations", name("After")).await.created();
    let page = app.client.get(&format!("/events?after={unknown}")).await;
    let page: Value = serde_json::from_str(&page.text).expect("JSON");
    let names: Vec<_> = page["result"].as_array().expect("events").iter().map(|one| &one["data"]["name"]).collect();
    assert_eq!(names, [&json!("After")]);
    assert!(page["result"][0]["cursor"].as_i64().expect("a cursor") > 1_000_000_000, "{page}");
    let all = app.client.get("/events").await;
    let all: Value = serde_json::from_str(&all.text).expect("JSON");
    assert_eq!(all["result"][0], before["result"][0], "what is there keeps its cursor");
}
