//! The least that a message of a station can cost: received, committed, answered, and nothing else done.
//!
//! `cargo bench --package simulator --bench durable` (after `ulimit -n 20000`, as each station is a socket): a server with two threads,
//! sockets and a writer with group commit, whose messages have no protocol and whose store is one SQLite table with `synchronous = full`.
//! It is measured as `scripts/bench stations` measures Evenwatt: its processor time for each message, with 50 stations that do not wait
//! and with 6,000 that send each 31 s, evenly. What the rows of Evenwatt say beyond it is what its work costs; the rest is the machine's.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a panic is how a benchmark fails, and it prints what it found"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ExpressionMethods as _, RunQueryDsl as _, SqliteConnection};
use simulator::load::process::Usage;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use schema::messages;

mod schema {
    diesel::table! {
        messages (id) {
            id -> BigInt,
            body -> Binary,
        }
    }
}

/// Bytes of a MeterValues of one reading in OCPP 1.6.
const MESSAGE: usize = 420;
/// Its answer.
const ANSWER: &[u8] = br#"[3,"1234567890",{}]"#;
/// How long is waited before it is measured, and how long it is.
const WINDOW: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve(&std::env::args().nth(2).unwrap()),
        _ => {
            println!("| stations | messages/s | µs of processor time a message |\n|---|---|---|");
            measure(50, None);
            measure(6_000, Some(Duration::from_secs(31)));
        }
    }
}

/// A row of the table: so many stations, each with a message each so often, or as soon as it is answered.
fn measure(stations: u32, every: Option<Duration>) {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["serve".as_ref(), folder.path().join("bare.db").as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (messages, spent) = runtime.block_on(load(address.trim(), stations, every, server.id()));
    server.kill().unwrap();
    server.wait().unwrap();
    let (count, seconds) = (f64::from(messages), WINDOW.1.as_secs_f64());
    println!("| {stations} | {:.0} | {:.1} |", count / seconds, spent.as_secs_f64() * 1e6 / count);
}

/// Lets stations send; the messages that were answered in the window, and what the server spent for them.
async fn load(address: &str, stations: u32, every: Option<Duration>, server: u32) -> (u32, Duration) {
    let answered = std::rc::Rc::new(std::cell::Cell::new(0_u32));
    let local = tokio::task::LocalSet::new();
    let begun = Instant::now() + Duration::from_secs(1);
    for number in 0..stations {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let answered = std::rc::Rc::clone(&answered);
        local.spawn_local(async move {
            let (message, mut answer) = ([b'x'; MESSAGE], [0; ANSWER.len()]);
            let mut due = begun + every.unwrap_or_default() * number / stations;
            loop {
                sleep_until(due).await;
                socket.write_all(&message).await.unwrap();
                socket.read_exact(&mut answer).await.unwrap();
                answered.set(answered.get() + 1);
                due = every.map_or(due, |every| due + every);
            }
        });
    }
    let window = async {
        tokio::time::sleep(WINDOW.0).await;
        let before = (answered.get(), Usage::of_process(server).unwrap());
        tokio::time::sleep(WINDOW.1).await;
        (answered.get() - before.0, Usage::of_process(server).unwrap().since(&before.1).processor)
    };
    local.run_until(window).await
}

/// A message to be stored, and who waits for it.
type Write = (Vec<u8>, oneshot::Sender<()>);

fn serve(store: &str) {
    let mut conn = SqliteConnection::establish(store).unwrap();
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE messages (id INTEGER PRIMARY KEY, body BLOB);",
    )
    .unwrap();
    let (writes, waiting) = std::sync::mpsc::channel::<Write>();
    std::thread::spawn(move || {
        while let Ok(first) = waiting.recv() {
            let group: Vec<Write> = std::iter::once(first).chain(waiting.try_iter()).collect();
            conn.batch_execute("BEGIN IMMEDIATE").unwrap();
            for (body, _) in &group {
                diesel::insert_into(messages::table).values(messages::body.eq(body)).execute(&mut conn).unwrap();
            }
            conn.batch_execute("COMMIT").unwrap();
            for (_, answer) in group {
                let _ = answer.send(());
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let writes = writes.clone();
            tokio::task::spawn_local(async move {
                let mut message = [0; MESSAGE];
                while socket.read_exact(&mut message).await.is_ok() {
                    let (answer, stored) = oneshot::channel();
                    writes.send((message.to_vec(), answer)).unwrap();
                    stored.await.expect("the writer lives");
                    socket.write_all(ANSWER).await.unwrap();
                }
            });
        }
    });
}
