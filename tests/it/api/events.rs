//! The log of events and its stream.

use std::collections::VecDeque;
use std::time::Duration;

use diesel::RunQueryDsl;
use evenwatt::events::{Change, EventKind};
use evenwatt::http::Context;
use evenwatt::store::{Conn, StoreError};
use kernel::OrganizationId;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// A reader of the stream.
struct Reader {
    response: Response,
    /// What came of a block that is not whole yet.
    read: String,
    blocks: VecDeque<String>,
}

/// Opens the stream, after this event where one is named.
async fn listen(client: &Client, query: &str, last: Option<&str>) -> Reader {
    let mut request = client.request(Method::GET, &format!("/events/stream{query}"));
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last);
    }
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut reader = Reader { response, read: String::new(), blocks: VecDeque::new() };
    assert_eq!(reader.block().await.as_deref(), Some(": welcome"));
    reader
}

impl Reader {
    /// The next block of lines; `None` when the server hung up.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(block) = self.blocks.pop_front() {
                return Some(block);
            }
            if let Some(end) = self.read.rfind("\n\n") {
                let whole: String = self.read.drain(..end + 2).collect();
                self.blocks.extend(whole.split_terminator("\n\n").map(str::to_owned));
                continue;
            }
            let chunk = self.response.chunk().await.expect("a chunk")?;
            self.read.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// The id and the event of the next message.
    async fn next(&mut self) -> Option<(String, Value)> {
        let block = self.block().await?;
        let (id, data) = block.split_once("\ndata: ").expect("a message");
        let id = id.strip_prefix("id: ").expect("an id").to_owned();
        Some((id, serde_json::from_str(data).expect("JSON")))
    }
}

fn place(name: &str) -> Value {
    json!({"operatorName": name, "address": {}, "coordinates": [4.9, 52.4]})
}

async fn create(app: &TestApp, name: &str) -> Value {
    app.client.post("/locations", place(name)).await.created()
}

#[actix_web::test]
async fn a_stream_sends_what_happens_and_goes_on_where_it_was_left() {
    let app = TestApp::start().await;
    create(&app, "before").await;
    let mut reader = listen(&app.client, "", None).await;
    let mut stranger = listen(&app.stranger().await, "?after=0", None).await;
    let sent = create(&app, "A").await;
    let (id, event) = reader.next().await.expect("a message");
    assert_eq!(
        (&event["type"], &event["data"], &event["cursor"].to_string()),
        (&json!("location.created"), &sent, &id)
    );
    drop(reader);

    create(&app, "B").await;
    let mut again = listen(&app.client, "", Some(&id)).await;
    let (_, missed) = again.next().await.expect("a message");
    assert_eq!(missed["data"]["operatorName"], "B");
    create(&app, "C").await;
    let (_, new) = again.next().await.expect("a message");
    assert_eq!(new["data"]["operatorName"], "C");

    let waiting = stranger.next();
    let silence = tokio::time::timeout(Duration::from_millis(50), waiting);
    assert!(silence.await.is_err(), "a stranger heard something");
}

#[actix_web::test]
async fn types_are_filtered_with_wildcards() {
    let app = TestApp::start().await;
    let mut reader = listen(&app.client, "?type=location.*d,user.created&after=0", None).await;
    let id = create(&app, "A").await["_id"].as_str().unwrap().to_owned();
    app.station("S").await;
    app.client.delete(&format!("/locations/{id}")).await.ok();
    for kind in ["location.created", "location.deleted"] {
        let (_, event) = reader.next().await.expect("a message");
        assert_eq!(event["type"], kind);
    }
    let listed = app.client.get("/events?type=*.created").await.json();
    let kinds: Vec<_> = listed["result"].as_array().unwrap().iter().collect();
    assert!(kinds.len() >= 3 && kinds.iter().all(|event| event["type"].as_str().unwrap().ends_with(".created")));
    for path in ["/events", "/events/stream"] {
        let answer = app.client.get(&format!("{path}?type=sesion.*")).await;
        assert_eq!(answer.error(422), "invalid_query");
    }
}

#[actix_web::test]
async fn a_slow_reader_is_dropped_and_misses_nothing_when_it_comes_back() {
    const BURST: usize = 500;
    const BURSTS: usize = 8;
    // The kernel would cut it off, too, where this takes long.
    let app = TestApp::start_with(&[("EVENWATT_HTTP_UNREAD_SECONDS", "600")]).await;
    let mut slow = listen(&app.client, "", None).await;
    let mut quick = listen(&app.client, "", None).await;
    let mut heard = Vec::new();
    for burst in 0..BURSTS {
        record(&app, burst * BURST, BURST).await;
        for _ in 0..BURST {
            let (_, event) = quick.next().await.expect("a quick reader is kept");
            heard.push(event["data"]["number"].as_u64().expect("a number"));
        }
    }
    let all: Vec<u64> = (0..(BURST * BURSTS) as u64).collect();
    assert_eq!(heard, all);

    let (mut late, mut last) = (Vec::new(), None);
    while let Some((id, event)) = slow.next().await {
        late.push(event["data"]["number"].as_u64().expect("a number"));
        last = Some(id);
    }
    assert!(late.len() < all.len(), "it was not dropped");
    let mut back = listen(&app.client, "?after=0", last.as_deref()).await;
    while late.len() < all.len() {
        let (_, event) = back.next().await.expect("the rest");
        late.push(event["data"]["number"].as_u64().expect("a number"));
    }
    assert_eq!(late, all);
}

/// Puts events straight into the log, each larger than a network buffer likes.
async fn record(app: &TestApp, first: usize, count: usize) {
    let (organization, moment) = (app.organization, app.running.context.moment());
    let padding = "x".repeat(10_000);
    let write = app.running.context.db.write(move |conn| {
        for number in first..first + count {
            let data = json!({"number": number, "padding": padding});
            Change::new(conn, organization, &moment).record(EventKind::LocationUpdated, &data)?;
        }
        Ok::<_, StoreError>(())
    });
    write.await.expect("it is written");
}

/// The cursors of a page of the log, and the page.
async fn page(app: &TestApp, query: &str) -> (Vec<i64>, Value) {
    let page = app.client.get(&format!("/events?{query}")).await.json();
    let cursors = page["result"].as_array().expect("events").iter().map(|event| event["cursor"].as_i64());
    (cursors.map(|cursor| cursor.expect("a cursor")).collect(), page)
}

#[actix_web::test]
async fn the_log_is_read_back_from_its_end() {
    let app = TestApp::start().await;
    for name in ["One", "Two", "Three"] {
        let price = json!([{"type": "ENERGY", "price": 0.35}]);
        let rate = json!({"name": name, "currency": "EUR", "price_components": price});
        app.client.post("/rates", rate).await.created();
        let user = json!({"firstname": name, "lastname": "Driver", "email": format!("{name}@example.com")});
        app.client.post("/users", user).await.created();
    }
    let (forward, whole) = page(&app, "after=0").await;
    assert!(forward.len() >= 6);
    assert!(whole.get("next_before").is_none());
    let (mut back, mut before) = (Vec::new(), json!(0));
    loop {
        let (cursors, page) = page(&app, &format!("before={before}&limit=2")).await;
        back.extend(cursors);
        before = page["next_before"].clone();
        if page["hasNextPage"] == false {
            break;
        }
    }
    back.reverse();
    assert_eq!(back, forward);

    let (users, page_of_users) = page(&app, "before=0&type=user.created&limit=2").await;
    let (all, _) = page(&app, "after=0&type=user.created").await;
    assert_eq!((users, &page_of_users["hasNextPage"]), (vec![all[2], all[1]], &json!(true)));
    assert_eq!((&page_of_users["next_after"], &page_of_users["next_before"]), (&json!(all[2]), &json!(all[1])));
    let (later, _) = page(&app, &format!("after={}", page_of_users["next_after"])).await;
    assert!(later.iter().all(|cursor| *cursor > all[2]), "what happens next is after it");

    let both = app.client.get("/events?after=1&before=5").await;
    let wrong = both.json();
    assert_eq!(both.error(422), "invalid_query");
    assert_eq!(wrong["errors"][0]["field"], "before");
}

/// Several writers record events in transactions that stay open for a moment, so that they commit in another order than they
/// began; a reader that goes on from cursor to cursor gets every one.
#[actix_web::test]
async fn a_reader_passes_no_event_that_is_committed_late() {
    const WRITERS: usize = 4;
    const EVENTS: usize = 40;
    let app = TestApp::start().await;
    let writers = (0..WRITERS)
        .map(|writer| tokio::spawn(write_slowly(app.running.context.clone(), app.organization, writer, EVENTS)));
    let writers: Vec<_> = writers.collect();
    let (mut seen, mut after) = (vec![0; WRITERS], json!(0));
    loop {
        let all_written = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let query = format!("/events?type=location.updated&after={after}");
        let page = app.client.get(&query).await.json();
        let events = page["result"].as_array().expect("events");
        for event in events {
            let writer = event["data"]["writer"].as_u64().expect("a writer") as usize;
            assert_eq!(event["data"]["number"], seen[writer], "one was passed");
            seen[writer] += 1;
        }
        after = page["next_after"].clone();
        if all_written && events.is_empty() {
            break;
        }
    }
    assert_eq!(seen, vec![EVENTS; WRITERS]);
}

async fn write_slowly(context: Context, organization: OrganizationId, writer: usize, count: usize) {
    for number in 0..count {
        let moment = context.moment();
        let write = context.db.write(move |conn| {
            let data = json!({"writer": writer, "number": number});
            Change::new(conn, organization, &moment).record(EventKind::LocationUpdated, &data)?;
            std::thread::sleep(Duration::from_millis((number as u64 * 7 + writer as u64 * 3) % 5));
            Ok::<_, StoreError>(())
        });
        write.await.expect("it is written");
    }
}

/// On PostgreSQL a writer announces itself with the newest cursor that it knew of, which may be old by then. Whoever begins to
/// listen in that moment still gets what others got before.
#[actix_web::test]
async fn who_comes_while_a_writer_is_slow_gets_what_others_were_sent() {
    let app = TestApp::start().await;
    let mut early = listen(&app.client, "?type=location.created", None).await;
    create(&app, "A").await;
    let sent = early.next().await.expect("a message");

    let (announced, is_announced) = tokio::sync::oneshot::channel();
    let (may_end, end) = std::sync::mpsc::channel::<()>();
    let mut slow = Some((announced, end));
    let context = app.running.context.clone();
    let write = async move {
        let work = move |conn: &mut Conn| {
            let (announced, end) = slow.take().expect("it is run once");
            if let Conn::Pg(conn) = conn {
                const OLD: &str = "SELECT pg_advisory_xact_lock_shared(x'4556'::BIGINT << 48)";
                diesel::sql_query(OLD).execute(conn)?;
                announced.send(()).expect("somebody waits");
                let _ = end.recv(); // until the test is over
            }
            Ok::<_, StoreError>(())
        };
        context.db.write(work).await
    };
    let writing = actix_web::rt::spawn(write);
    let _ = is_announced.await; // SQLite has one writer, which announces nothing
    let mut late = listen(&app.client, "?type=location.created&after=0", None).await;
    let waited = tokio::time::timeout(Duration::from_secs(10), late.next()).await;
    drop(may_end);
    assert_eq!(waited.expect("a message in time"), Some(sent));
    writing.await.expect("no panic").expect("it is written");
}
