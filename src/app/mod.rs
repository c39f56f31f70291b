//! Puts everything together: the same start for `serve`, the demo and the tests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use anyhow::{Context as _, Result, anyhow};

use crate::balancing::Balancer;
use crate::charging::driver::{DriverAccess, DriverLinks};
use crate::charging::sessions::OpenSessions;
use crate::cluster::{Alone, Secret};
use crate::control::actions::Performer;
use crate::control::{acceptance, provisioning};
use crate::events::Feed;
use crate::gateway::connections::Connections;
use crate::gateway::dependencies::{GatewayDependencies, GatewaySettings};
use crate::gateway::recorder::Recorder;
use crate::gateway::throttle::{self, Throttle};
use crate::gateway::{refusal_events, station_connection};
use crate::home::portal::Portal;
pub use crate::http::Context;
use crate::http::body::BodyLimit;
use crate::http::middleware::{AuthGuard, RateLimit};
use crate::http::routing_client::RoutingClient;
use crate::http::{Ctx, TrustedProxies};
use crate::load::assets::AssetSignals;
use crate::notify::webhooks::Dispatcher;
use crate::panel::operators::Accounts;
use crate::people::organizations::ApiKeyCache;
use crate::sites::stations::link::{SharedLink, Signals};
use crate::store::cause::{self, Cause, ServerPart};
use crate::store::lock::Holder;
use crate::store::{Conn, Db, Lane, StoreLock, StoreResult, StoreSettings, migrate};
use clock::RandomIds;
use clock::{SharedClock, SystemClock};
use kernel::IdSource;
use kernel::Protocol;
use kernel::id::RawId;

mod cluster;
pub mod config;
mod environment;
mod faults;
pub mod growth;
mod moving;
mod observe;
mod overview;
mod pages;
pub mod panel;
pub mod portal;
mod process;
mod ready;
pub mod restored;
pub mod retention;
pub mod routes;
mod server;
pub mod tasks;
pub mod telemetry;
pub mod tls;
mod unread;
mod uses;
mod webhooks;
mod whereabouts;

pub use cluster::run_node;
pub use config::Config;
pub use ready::installation;

use server::{Role, Workers};

/// What tests replace.
#[derive(Clone)]
pub struct Dependencies {
    /// What time it is.
    pub clock: SharedClock,
    /// Makes identifiers.
    pub ids: Arc<dyn IdSource>,
    /// The way to stations, in place of their sockets.
    pub link: Option<SharedLink>,
}

impl Default for Dependencies {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(RandomIds::new()), link: None }
    }
}

/// A server that is running.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens with TLS.
    pub tls_address: Option<SocketAddr>,
    /// Where its metrics are scraped, when that is an address of their own.
    pub metrics_address: Option<SocketAddr>,
    /// Its store, clock and ids.
    pub context: Context,
    /// The way to its stations.
    pub link: SharedLink,
    /// What its stations do.
    pub signals: Signals,
    /// Signals about its assets.
    pub asset_signals: AssetSignals,
    /// Shares power between its stations.
    pub balancer: Balancer,
    connections: Connections,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    handle: ServerHandle,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    metrics: Option<ServerHandle>,
    /// How long a stop waits for stations that are asked something, and then for running requests.
    patience: Duration,
    /// As the store's lock knows it.
    holder: Holder,
    /// The last thing to go: until then no other server may begin.
    lock: StoreLock,
}

impl Running {
    /// Waits until a signal (Ctrl-C, SIGTERM) asks it to stop, then stops it. It also stops, with an error, when another
    /// server holds its store.
    pub async fn wait(self) -> Result<()> {
        let lost = self.lock.lost();
        tokio::select! {
            signal = stop_signal() => {
                signal?;
                tracing::info!("stopping");
                self.stop().await
            }
            other = lost => {
                let store = self.context.db.url().to_string();
                tracing::error!(other, "stopping: another server holds the store");
                self.stop().await?;
                Err(anyhow!("another server holds the {store} now: {other}"))
            }
        }
    }

    /// Stops it: stations finish what they are asked, sockets close, no new requests, running ones finish; then the store is free for
    /// another server.
    pub async fn stop(self) -> Result<()> {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        self.balancer.stop();
        if self.lock.gate().is_open() {
            self.connections.until_answered(self.patience).await;
        }
        self.connections.close_all();
        if let Some(metrics) = self.metrics {
            metrics.stop(false).await;
        }
        self.handle.stop(true).await;
        let served = self.served.await;
        tokio::task::spawn_blocking(move || drop(self.lock)).await?;
        Ok(served??)
    }
}

/// Brings the store's schema up to date, for commands beside a server. Where something is to be changed no server may run:
/// one that was built for the old schema would go on with the new one.
pub fn migrate(config: &Config) -> Result<usize> {
    let settings = config.store_settings().map_err(|error| anyhow!(error))?;
    let mut conn = open(&settings)?;
    if !migrate::is_pending(&mut conn)? {
        return Ok(migrate::run(&mut conn)?);
    }
    let Dependencies { clock, ids, .. } = Dependencies::default();
    let holder = Holder::this_process(ids.next_raw(clock.now()), clock.now());
    let lock = StoreLock::take(&settings.url, &holder)?;
    let done = migrate::run(&mut conn)?;
    drop(lock);
    Ok(done)
}

fn open(settings: &StoreSettings) -> Result<Conn> {
    Conn::open(&settings.url, settings.synchronous).with_context(|| format!("cannot open the {}", settings.url))
}

/// Locks the store for a server, applies migrations, and starts the threads that own its connections. `run` is an id that no other run
/// of a server has.
fn lock_store(config: &Config, holder: &Holder, run: RawId) -> Result<(StoreLock, Db)> {
    let settings = config.store_settings().map_err(|error| anyhow!(error))?;
    let lock = StoreLock::take(&settings.url, holder)?;
    migrate::run(&mut open(&settings)?)?;
    let memory = Arc::new(OpenSessions::new(run));
    let db = Db::open_with(settings, Some(lock.gate()), Some(memory))?;
    Ok((lock, db))
}

/// Where a server is in its installation.
#[derive(Clone)]
pub(crate) struct Place {
    /// Where it listens.
    listen: String,
    /// How it is reached from outside; none: where it listens.
    websocket_url: Option<String>,
    /// As the store's lock knows it; none: as a process of its own.
    holder: Option<Holder>,
    /// What nodes prove themselves by, where they alone reach it.
    nodes: Option<Secret>,
}

/// Starts a server: the only one on its store, whose schema it brings up to date first.
pub async fn start(config: &Config, dependencies: Dependencies) -> Result<Running> {
    let place = Place { listen: config.http.listen.clone(), websocket_url: None, holder: None, nodes: None };
    start_at(config, dependencies, place).await
}

/// Listens at an address; what is written there has to be read.
fn bind(config: &Config, (option, address): (&str, &str)) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {option} = \"{address}\""))?;
    let unread = Duration::from_secs(u64::from(config.http.unread_seconds.get()));
    unread::end_after(&listener, unread)?;
    Ok(listener)
}

async fn start_at(config: &Config, dependencies: Dependencies, place: Place) -> Result<Running> {
    tls::expect_hangup(&config.tls)?;
    telemetry::metrics(); // what is counted is counted from the start
    let Place { listen, websocket_url: reached_at, holder, nodes } = place;
    let option = if nodes.is_some() { "cluster.listen" } else { "http.listen" };
    let listener = bind(config, (option, &listen))?;
    let address = listener.local_addr()?;
    let websocket_url = reached_at.unwrap_or_else(|| websocket_url(&config.http.public_url, address));
    let Dependencies { clock, ids, link } = dependencies;
    let (run, started_at) = (ids.next_raw(clock.now()), clock.now());
    let holder = holder.unwrap_or_else(|| Holder::this_process(run, started_at));
    let (lock, db) = lock_store(config, &holder, run)?;
    let context = Context {
        db,
        clock,
        ids,
        websocket_url: websocket_url.clone(),
        routing: RoutingClient::new(&config.routing.url),
        whereabouts: whereabouts::whereabouts,
    };

    let (signals, connections) = (Signals::default(), Connections::new(Arc::clone(&context.clock), context.db.clone()));
    let attached = match &nodes {
        Some(_) => Some(tokio::spawn(record_lost_later(context.clone(), connections.clone()))),
        None => {
            record_lost(&context, &connections).await?;
            None
        }
    };
    let link = link.unwrap_or_else(|| Arc::new(connections.clone()));
    let gateway = web::Data::new(GatewayDependencies {
        context: context.clone(),
        signals: signals.clone(),
        connections: connections.clone(),
        authority: tls::authority(&config.tls)?,
        throttle: Throttle::new(throttle_limits(&config.ocpp)),
        recorder: Recorder::new(config.ocpp.recorded_messages),
        attempts: Arc::default(),
        refusals: Arc::default(),
        settings: gateway_settings(&config.ocpp)?,
    });
    let performer = web::Data::new(Performer::new(context.clone(), Arc::clone(&link)));
    let (feed, feeding) = Feed::start(context.clone()).await?;
    let feed = web::Data::new(feed);
    let asset_signals = AssetSignals::default();

    let api = context.in_lane(Lane::Api);
    let api_key_cache = web::Data::new(ApiKeyCache::new(api.clone()));
    let limit = RateLimit { per_second: config.http.rate_per_second, burst: config.http.rate_burst };
    let pages = websocket_url.replacen("ws", "http", 1);
    let panel_links = config.panel_links(&pages);
    let driver_links = DriverLinks { url: pages.clone(), name: pages::settings::name_of(config) };
    let settings = config.portal_settings(&pages, panel_links.clone(), driver_links)?;
    let (portal, post) = Portal::open(&api, settings).await?;
    let portal = web::Data::new(portal);
    let account_settings = config.account_settings(&api).await?;
    let accounts = Accounts::new(api.clone(), panel_links, &account_settings, portal.notices())?;
    let accounts = web::Data::new(accounts);
    let auth_guard = AuthGuard::new(api_key_cache.clone().into_inner(), accounts.clone().into_inner(), limit);
    let auth_guard = web::Data::new(auth_guard);
    let limit = RateLimit { per_second: config.driver.rate_per_second, burst: config.driver.rate_burst };
    let driver = web::Data::new(DriverAccess::open(&api, config.driver.enabled, limit, portal.notices()).await?);
    let patience = config.sessions.patience(context.clock.now());
    let mut tasks = tasks::start(
        &context,
        &connections,
        (auth_guard.clone(), accounts.clone(), portal.clone(), driver.clone()),
        (&config.retention, patience),
        &signals,
    )?;
    tasks.extend(post);
    tasks.extend(attached);
    tasks.push(feeding);
    tasks.push(moving::start(&context));
    tasks.push(refusal_events::keep_reporting(gateway.get_ref().clone()));
    let dispatcher = Dispatcher::open(context.clone(), config.webhook_settings()?, portal.notices()).await?;
    tasks.push(dispatcher.start());
    let dispatcher = web::Data::new(dispatcher);
    tasks.push(acceptance::start(performer.get_ref().clone(), &signals).await?);
    tasks.push(provisioning::start(
        performer.get_ref().clone(),
        &signals,
        provisioning::Settling { quiet: Duration::from_secs(config.ocpp.settle_seconds), uses: uses::PROVISIONING },
    ));
    tasks.push(provisioning::hours::keep(
        performer.get_ref().clone(),
        Duration::from_secs(u64::from(config.ocpp.hours_seconds.get())),
    ));
    let balancer = Balancer::start(
        context.in_lane(Lane::Balancing),
        Arc::clone(&link),
        (&signals, &asset_signals),
        config.balancing.settings(),
    );
    tasks.push(observe::start(context.clone(), balancer.current()));
    let is_alone = nodes.is_none();
    let metrics = if is_alone { telemetry::serve_apart(&config.http.metrics_listen)? } else { None };
    let proxies = match is_alone {
        true => config.trusted_proxies().map_err(|error| anyhow!(error))?,
        false => TrustedProxies::everybody(),
    };
    let (trees, sockets) = (balancer.current(), connections.clone());
    let alone = is_alone.then(|| Alone { started_at, counts: Arc::new(move || (sockets.open(), trees.count())) });
    let workers = Workers {
        ctx: Ctx::new(api),
        api_key_cache,
        auth_guard,
        accounts,
        pages: web::Data::new(pages::settings::Settings::read(config)?),
        portal,
        driver,
        gateway,
        feed,
        dispatcher,
        performer,
        patience: web::Data::new(patience),
        link: web::Data::new(Arc::clone(&link)),
        trees: web::Data::new(balancer.current()),
        signals: web::Data::new(signals.clone()),
        asset_signals: web::Data::new(asset_signals.clone()),
        routes: web::Data::from(routes::RouteTable::committed()?),
        proxies: web::Data::new(proxies),
        seen: web::Data::default(),
        alone: web::Data::new(alone),
        nodes: nodes.map(web::Data::new),
        installation: web::Data::new(ready::Installation::of(&context).await?),
        body_limit: BodyLimit(config.http.body_limit),
        shows_metrics: is_alone && metrics.is_none(),
    };
    let certificates = if is_alone { tls::Certificates::open(&config.tls)? } else { None };
    let role = Role::Core(Box::new(workers));
    let (server, tls_address) = server::listen(config, listener, certificates.as_ref(), role)?;
    tasks.extend(tls::keep_fresh(certificates, &context.clock)?);
    let handle = server.handle();
    let served = tokio::spawn(server);
    let (metrics_address, metrics) = metrics.unzip();
    Ok(Running {
        address,
        tls_address,
        metrics_address,
        context,
        link,
        signals,
        asset_signals,
        balancer,
        connections,
        tasks,
        handle,
        served,
        metrics,
        patience: Duration::from_secs(config.http.stop_seconds),
        holder,
        lock,
    })
}

/// Records for each station that is not connected that it is not.
async fn record_lost(context: &Context, connections: &Connections) -> StoreResult<()> {
    let (moment, base, connections) = (context.moment(), context.websocket_url.clone(), connections.clone());
    let lost = context
        .db
        .write(move |conn| station_connection::record_lost_connections(conn, &moment, &base, &connections.stations()));
    cause::with(Cause::Server(ServerPart::Startup), lost).await
}

/// How long the nodes of a cluster have to attach their stations to a new leader.
const ATTACHED_WITHIN: Duration = Duration::from_secs(20);

/// The same after the edges had time to attach those that they hold.
async fn record_lost_later(context: Context, connections: Connections) {
    context.clock.sleep(ATTACHED_WITHIN).await;
    if let Err(error) = record_lost(&context, &connections).await {
        tracing::error!(%error, "stations that did not come back could not be recorded as offline");
    }
}

/// Waits until the process is asked to end, by SIGTERM or Ctrl-C.
pub async fn stop_signal() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn throttle_limits(ocpp: &config::Ocpp) -> throttle::Limits {
    throttle::Limits {
        messages_per_second: ocpp.messages_per_second,
        messages_burst: ocpp.messages_burst,
        connects_per_minute: ocpp.connects_per_minute,
        connects_burst: ocpp.connects_burst,
        patience: Duration::from_secs(ocpp.flood_seconds),
    }
}

fn gateway_settings(ocpp: &config::Ocpp) -> Result<GatewaySettings> {
    let silent = Some(ocpp.version_without_header.trim()).filter(|name| !name.is_empty());
    let silent = silent.map(Protocol::from_name).transpose();
    let without_header =
        silent.map_err(|must| anyhow::anyhow!("ocpp.version_without_header must be {must}, or empty"))?;
    Ok(GatewaySettings {
        heartbeat_seconds: ocpp.heartbeat_seconds,
        ping_every: Duration::from_secs(u64::from(ocpp.ping_seconds.get())),
        pong_within: Duration::from_secs(u64::from(ocpp.pong_seconds.get())),
        call_timeout: Duration::from_secs(u64::from(ocpp.call_seconds.get())),
        message_bytes: ocpp.message_bytes,
        compresses: ocpp.compress,
        without_header,
    })
}

/// How browsers reach a server of this configuration, whose port is a number.
pub fn base_url(config: &Config) -> String {
    match config.http.public_url.trim_end_matches('/') {
        "" => format!("http://{}", config.http.listen),
        url => url.replacen("ws", "http", 1),
    }
}

fn websocket_url(public_url: &str, address: SocketAddr) -> String {
    match public_url.trim_end_matches('/') {
        "" => format!("ws://{address}"),
        url => url.replacen("http", "ws", 1),
    }
}
