//! Clients that take nothing of what is written to them: nobody waits for them, little is kept for them, and they are cut off.

use diesel::RunQueryDsl;
use evenwatt::store::StoreResult;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::lists::db_drivers;
use crate::support::{FakeStation, TestApp, TestStation, eventually};

/// A server that cuts off who takes nothing for a second.
const IMPATIENT: (&str, &str) = ("EVENWATT_HTTP_UNREAD_SECONDS", "1");
/// More than this waits in the kernel for a client that has stopped reading for good.
const STUCK: u64 = 50_000;

/// The server's end of a connection.
#[derive(Debug, PartialEq, Eq)]
struct ServersEnd {
    /// Bytes that the client has not taken.
    waiting: u64,
    /// What the file of the socket is called.
    inode: String,
}

impl ServersEnd {
    /// The end of the connection that comes from this port, as the system reports it.
    fn of(app: &TestApp, port: u16) -> Option<Self> {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's connections");
        let ends = [app.running.address.port(), port].map(|port| format!(":{port:04X}"));
        let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        let mut rows = rows.filter(|row| row.len() > 9 && row[1].ends_with(&ends[0]) && row[2].ends_with(&ends[1]));
        rows.next().map(|row| Self {
            waiting: u64::from_str_radix(&row[4][..8], 16).expect("a number"),
            inode: format!("socket:[{}]", row[9]),
        })
    }

    /// Whether the server still holds it.
    fn is_open(&self) -> bool {
        let files = std::fs::read_dir("/proc/self/fd").expect("the open files");
        let mut names = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        names.any(|name| name.to_str() == Some(&self.inode))
    }
}

/// Waits until a client's connection is full and the server writes nothing more.
async fn stuck(app: &TestApp, port: u16) -> ServersEnd {
    let mut before = None;
    eventually(async || {
        let now = ServersEnd::of(app, port);
        let stands = now == before && now.as_ref().is_some_and(|end| end.waiting > STUCK);
        before = now;
        stands
    })
    .await;
    before.expect("a connection")
}

/// Somebody who asks and never reads.
struct SlowReader(TcpStream);

impl SlowReader {
    async fn asks(app: &TestApp, path: &str, headers: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let address = app.running.address;
        let mut stream = socket.connect(address).await.expect("a connection");
        let key = &app.client.key;
        let request = format!("GET /v1.1{path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {key}\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self(stream)
    }

    async fn stuck(&self, app: &TestApp) -> ServersEnd {
        stuck(app, self.0.local_addr().expect("an address").port()).await
    }
}

#[actix_web::test]
async fn a_list_that_nobody_reads_occupies_no_reader_of_the_store_and_is_cut_off() {
    let app = TestApp::start_with(&[IMPATIENT, ("EVENWATT_STORE_READERS", "1")]).await;
    db_drivers(&app, 3_000).await;
    let long = format!("UPDATE users SET lastname = '{}'", "x".repeat(2_000));
    let db = &app.running.context.db;
    let lengthen = db.write(move |conn| -> StoreResult<usize> { Ok(diesel::sql_query(&long).execute(conn)?) });
    assert_eq!(lengthen.await.expect("stored"), 3_000, "six megabytes");

    let path = "/users?format=csv&paginate_enabled=false";
    let slow = SlowReader::asks(&app, path, "").await;
    let end = slow.stuck(&app).await;
    assert!(end.waiting < 6_000_000, "the rest of the list is not made");
    eventually(async || db.open_reads() == 0).await;
    let other = app.client.get("/users?paginate_limit=1").await;
    assert!(other.ok().is_array(), "the only reader is free");

    eventually(async || !end.is_open()).await;
}

/// Five megabytes of events.
async fn many_events(app: &TestApp) {
    let created = app.client.post("/users", json!({"firstname": "Talked", "lastname": "about"}));
    let path = format!("/users/{}", created.await.created()["_id"].as_str().expect("an id"));
    for number in 0..400 {
        let change = json!({"meta_data": {"number": number, "text": "x".repeat(12_000)}});
        app.client.patch(&path, change).await.ok();
    }
}

#[actix_web::test]
async fn streams_that_nobody_reads_delay_no_other_listener_and_are_cut_off() {
    let app = TestApp::start_with(&[IMPATIENT]).await;
    many_events(&app).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let stream = SlowReader::asks(&app, "/events/stream?after=0", "").await;
    let socket = SlowReader::asks(&app, "/realtime?after=0", upgrade).await;
    let url = format!("ws://{}/v1.1/realtime", app.running.address);
    let bearer = format!("Bearer {}", app.client.key);
    let listener = FakeStation::try_connect(&url, &[("authorization", &bearer)]).await;
    let mut listener = listener.expect("the handshake");
    let ends = [stream.stuck(&app).await, socket.stuck(&app).await];

    let news = json!({"firstname": "Just", "lastname": "now"});
    app.client.post("/users", news).await.created();
    let received = listener.next().await.expect("an event");
    assert_eq!((&received["type"], &received["data"]["lastname"]), (&json!("user.created"), &json!("now")));

    for end in ends {
        eventually(async || !end.is_open()).await;
    }
}

/// Connects a station that is free.
async fn boots(station: &TestStation) -> FakeStation {
    let mut socket = FakeStation::connect(&station.url).await;
    socket.boot().await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
    socket.call("StatusNotification", status).await;
    socket
}

/// Obeys until this limit comes.
async fn until_limit(socket: &mut FakeStation, watts: f64) {
    loop {
        let call = socket.next_call().await;
        let answer = match call[2].as_str() {
            Some("GetConfiguration") => json!({"configurationKey": [], "unknownKey": []}),
            _ => json!({"status": "Accepted"}),
        };
        socket.answer(&call, answer).await;
        if limit_of(&call).is_some_and(|limit| (limit - watts).abs() < 100.0) {
            return;
        }
    }
}

/// The watts of a call that sets a limit for a time; the fallback is without end. Amperes are of 230 V.
fn limit_of(call: &Value) -> Option<f64> {
    let schedule = &call[3]["csChargingProfiles"]["chargingSchedule"];
    schedule["duration"].as_i64()?;
    let limit = schedule["chargingSchedulePeriod"][0]["limit"].as_f64()?;
    let volts = if schedule["chargingRateUnit"] == "A" { 230.0 } else { 1.0 };
    Some(limit * volts)
}

/// Makes the server answer this station, which reads nothing of it, until it can write no more.
async fn takes_nothing(app: &TestApp, socket: &mut FakeStation) -> ServersEnd {
    let port = socket.port();
    tokio::select! {
        () = socket.ping_for_ever() => unreachable!("for ever"),
        end = stuck(app, port) => end,
    }
}

#[actix_web::test]
async fn a_station_that_reads_nothing_delays_no_raise_of_another() {
    let app = TestApp::start().await;
    let (slow, other) = (app.station("Reads nothing").await, app.station("Obeys").await);
    let group = app.group_of(&slow, json!({"maximum_capacity": 14})).await;
    let member = json!({"chargestation": other.id});
    let members = format!("{group}/chargestations");
    app.client.post(&members, member).await.created();
    let (mut reads_nothing, mut obeys) = (boots(&slow).await, boots(&other).await);
    // A car begins there as well, so that there is a limit to confirm, which never happens.
    let start = json!({"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-04-24T03:06:40Z"});
    let start = json!([2, "start", "StartTransaction", start]);
    reads_nothing.send_text(start.to_string()).await;
    takes_nothing(&app, &mut reads_nothing).await;

    obeys.start(1, "B", 0, "2026-04-24T03:06:40Z").await;
    until_limit(&mut obeys, 7_000.0).await;
    obeys.call("Heartbeat", json!({})).await;
}

#[actix_web::test]
async fn a_station_that_reads_nothing_is_cut_off() {
    let app = TestApp::start_with(&[IMPATIENT]).await;
    let station = app.station("Reads nothing").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let end = takes_nothing(&app, &mut socket).await;
    eventually(async || !end.is_open()).await;
    let offline = "chargestation.offline".to_owned();
    app.eventually(async || app.event_types().await.contains(&offline)).await;
}

#[actix_web::test]
async fn the_document_is_handed_over_in_pieces_and_comes_whole() {
    let app = TestApp::start().await;
    let plain = app.client.http.get(format!("{}/openapi.json", app.client.base));
    let plain = app.client.send(plain.header("accept-encoding", "identity")).await;
    assert!(plain.text == evenwatt::app::routes::COMMITTED);
    let length = plain.headers["content-length"].to_str().expect("a number");
    assert_eq!(length, evenwatt::app::routes::COMMITTED.len().to_string());
}
