//! The endpoints of the measurement: one that answers at once and notes when it received what, and five that do not behave.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Json};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::Notify;

/// How long the slow one takes.
const SLOW: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Received {
    data: Numbered,
}

#[derive(Deserialize)]
struct Numbered {
    number: usize,
}

/// When each event came first, by its number.
#[derive(Default)]
struct Arrivals {
    first: Mutex<BTreeMap<usize, Instant>>,
    changed: Notify,
}

/// Answers at once.
pub(super) struct Healthy {
    arrivals: Arc<Arrivals>,
    server: Served,
}

/// A server that ends with this value.
struct Served {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.handle.stop(false)); // it is answered at once; nobody waits for it
    }
}

impl Healthy {
    pub(super) fn start() -> Result<Self> {
        let arrivals = Arc::new(Arrivals::default());
        let shared = web::Data::from(Arc::clone(&arrivals));
        let server = serve(move |config| {
            config.app_data(shared.clone()).default_service(web::to(note));
        })?;
        Ok(Self { arrivals, server })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.server.address)
    }

    /// When each event came, by number, once there are so many.
    pub(super) async fn until(&self, count: usize) -> Vec<Instant> {
        loop {
            let changed = self.arrivals.changed.notified();
            {
                let first = self.arrivals.first.lock();
                let first = first.unwrap_or_else(PoisonError::into_inner);
                if first.len() >= count {
                    return first.values().copied().collect();
                }
            }
            changed.await;
        }
    }
}

async fn note(arrivals: web::Data<Arrivals>, Json(event): Json<Received>) -> HttpResponse {
    let now = Instant::now();
    let first = arrivals.first.lock();
    let mut first = first.unwrap_or_else(PoisonError::into_inner);
    first.entry(event.data.number).or_insert(now);
    arrivals.changed.notify_one();
    HttpResponse::Ok().finish()
}

/// Five that do not behave: slow, dead, failing, redirecting, and one whose answer does not end.
pub(super) struct Bad {
    server: Served,
    dead: SocketAddr,
}

impl Bad {
    pub(super) fn start() -> Result<Self> {
        let dead = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let server = serve(|config| {
            config
                .route("/slow", web::post().to(slow))
                .route("/failing", web::post().to(HttpResponse::InternalServerError))
                .route("/redirecting", web::post().to(redirect))
                .route("/endless", web::post().to(endless));
        })?;
        Ok(Self { server, dead })
    }

    pub(super) fn urls(&self) -> Vec<String> {
        let paths = ["slow", "failing", "redirecting", "endless"];
        let address = self.server.address;
        let urls = paths.map(|path| format!("http://{address}/{path}"));
        let dead = format!("http://{}/", self.dead);
        urls.into_iter().chain([dead]).collect()
    }
}

async fn slow() -> HttpResponse {
    tokio::time::sleep(SLOW).await;
    HttpResponse::Ok().finish()
}

async fn redirect() -> HttpResponse {
    HttpResponse::Found().insert_header(("location", "/slow")).finish()
}

async fn endless() -> HttpResponse {
    let piece = Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b'x'; 16_384]));
    HttpResponse::Ok().streaming(stream::repeat(piece))
}

fn serve(configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> Result<Served> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = HttpServer::new(move || App::new().configure(configure.clone()))
        .listen(listener)?
        .workers(1)
        .disable_signals()
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(Served { address, handle })
}
