//! REST reads a second, and the server's processor time for each, beside a bare stack in the same run.
//!
//! `cargo bench --bench reads` measures the store that `DATABASE_URL` names, or a SQLite file of its own. Three
//! processes are measured in turn with the same client, over the same rows:
//! `nothing` is actix-web answering a constant; `bare` is actix-web, the same query and serde_json, as any server with
//! these libraries must have them; `evenwatt` is the real server: API key, scope, tenancy, rate limit, request id,
//! metrics, ETag and envelope.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a panic is how a benchmark fails, and it prints what it found"
)]

use std::fs::read_to_string;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use evenwatt::cli::rest::Rest;
use evenwatt::sites::locations::{self, LocationView};
use evenwatt::store::{Db, StoreResult, StoreSettings};
use kernel::{LocationId, OrganizationId};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Rows to read from.
const ROWS: usize = 200;
/// Connections that ask at the same time.
const CLIENTS: usize = 32;
/// How often each server has its turn; the best one counts.
const ROUNDS: usize = 3;
/// How long a turn lasts.
const ROUND: Duration = Duration::from_secs(4);
/// Ticks of the processor clock in a second (`getconf CLK_TCK`, 100 on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut arguments = std::env::args().skip(1).filter(|one| one != "--bench");
    match arguments.next().as_deref() {
        Some("bare") => runtime.block_on(bare()),
        _ => runtime.block_on(measure()),
    }
}

/// The server without Evenwatt: a constant at `/`, a location at `/{organization}/{location}`.
async fn bare() {
    let url = std::env::var("DATABASE_URL").unwrap().parse().unwrap();
    let db = Db::open(StoreSettings::new(url)).unwrap();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(db.clone()))
            .route("/", web::get().to(async || HttpResponse::Ok().json(json!({"ok": true}))))
            .route("/{organization}/{location}", web::get().to(read_location))
    })
    .bind("127.0.0.1:0")
    .unwrap();
    println!("http://{}", server.addrs().first().unwrap());
    server.run().await.unwrap();
}

async fn read_location(db: web::Data<Db>, path: web::Path<(OrganizationId, LocationId)>) -> HttpResponse {
    let (organization, location) = path.into_inner();
    let found: StoreResult<_> = db.read(move |conn| locations::find(conn, organization, location)).await;
    HttpResponse::Ok().json(LocationView::from(found.unwrap()))
}

/// A server process; it ends with this value.
struct Server {
    process: Child,
    base: String,
}

impl Server {
    /// Starts `command`, and waits until it says its address.
    fn start(command: &mut Command, store: &str) -> Self {
        let mut process = command.env("DATABASE_URL", store).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines.next().expect("the server has not started").unwrap();
            let word = line.split_whitespace().find(|word| word.starts_with("http://"));
            if let Some(address) = word {
                break address.trim_end_matches("/v1.1").to_owned();
            }
        };
        Self { process, base }
    }

    fn processor_seconds(&self) -> f64 {
        let stat = read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap(); // proc(5): utime and stime are fields 14 and 15
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks.map(|one| one.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_SECOND
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is asked of whom.
struct Subject<'a> {
    name: &'static str,
    server: &'a Server,
    requests: Vec<String>,
    per_second: f64,
    micros_each: f64,
}

async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        std::env::var("DATABASE_URL").unwrap_or_else(|_| format!("sqlite://{}/bench.db", folder.path().display()));
    let limit = i32::MAX.to_string();
    let real = Server::start(
        Command::new(env!("CARGO_BIN_EXE_evenwatt"))
            .args(["--listen", "127.0.0.1:0"])
            .env("EVENWATT_HTTP_RATE_PER_SECOND", &limit)
            .env("EVENWATT_HTTP_RATE_BURST", &limit),
        &store,
    );
    let key = make_key(&store);
    let rest = Rest::new(&real.base, &key);
    let organization = rest.get("/organization").await.unwrap();
    let organization = organization.get("_id").unwrap().as_str().unwrap().to_owned();
    let mut rows = Vec::new();
    for number in 0..ROWS {
        rows.push(rest.make("/locations", &location(number)).await.unwrap());
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let bare = Server::start(command.arg("bare"), &store);

    let headers = format!("Host: localhost\r\nAuthorization: Bearer {key}\r\n\r\n");
    let each = |path: &dyn Fn(&str) -> String| -> Vec<String> {
        rows.iter().map(|row| format!("GET {} HTTP/1.1\r\n{headers}", path(row))).collect()
    };
    let mut subjects = [
        ("nothing", &bare, each(&|_| "/".to_owned())),
        ("bare", &bare, each(&|row| format!("/{organization}/{row}"))),
        ("evenwatt", &real, each(&|row| format!("/v1.1/locations/{row}"))),
    ]
    .map(|(name, server, requests)| Subject {
        name,
        server,
        requests,
        per_second: 0.0,
        micros_each: f64::INFINITY,
    });
    for _ in 0..ROUNDS {
        for subject in &mut subjects {
            subject.take_round().await;
        }
    }

    println!("reads of a location, {CLIENTS} connections, best of {ROUNDS} turns of {ROUND:?}\n");
    println!("{:<10}{:>12}{:>18}{:>12}", "server", "a second", "µs of processor", "of bare");
    let bare = subjects.iter().find(|one| one.name == "bare").unwrap().per_second;
    for Subject { name, per_second, micros_each, .. } in &subjects {
        println!("{name:<10}{per_second:>12.0}{micros_each:>18.1}{:>11.0}%", per_second / bare * 100.0);
    }
}

impl Subject<'_> {
    async fn take_round(&mut self) {
        let address = self.server.base.trim_start_matches("http://");
        let (before, began) = (self.server.processor_seconds(), Instant::now());
        let clients = (0..CLIENTS).map(|number| {
            let requests = self.requests.iter().cycle().skip(number * 7);
            ask(address, requests, began + ROUND)
        });
        let count: u32 = futures_util::future::join_all(clients).await.iter().sum();
        let (spent, took) = (self.server.processor_seconds() - before, began.elapsed());
        self.per_second = self.per_second.max(f64::from(count) / took.as_secs_f64());
        self.micros_each = self.micros_each.min(spent * 1e6 / f64::from(count));
    }
}

/// Asks one thing after the other over one connection; gives how many were answered.
async fn ask<'a>(address: &str, requests: impl Iterator<Item = &'a String>, until: Instant) -> u32 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 64 << 10];
    let mut count = 0;
    for request in requests {
        if Instant::now() >= until {
            break;
        }
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut length = 0;
        while !is_complete(answer.get(..length).unwrap()) {
            let read = stream.read(answer.get_mut(length..).unwrap()).await.unwrap();
            assert!(read > 0, "the server hung up");
            length += read;
        }
        count += 1;
    }
    count
}

/// Whether the body is as long as its head says. Only a 200 is an answer.
fn is_complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = str::from_utf8(answer.get(..end).unwrap()).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.expect("a length");
    answer.len() >= end + 4 + length
}

fn make_key(store: &str) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_evenwatt"))
        .args(["api-key", "create", "--name", "Benchmark"])
        .env("DATABASE_URL", store)
        .output()
        .unwrap();
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn location(number: usize) -> serde_json::Value {
    json!({
        "operatorName": "Benchmark", "active": true, "timezone": "Europe/Amsterdam",
        "name": format!("Site {number}"), "coordinates": [4.9, 52.37],
        "address": {"streetAndNumber": "Kade 1", "postalCode": "1011AB", "city": "Amsterdam", "country": "NL"},
    })
}
