//! The HTTP server: what its workers share, which routes they have, and where it listens.

use std::cell::OnceCell;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_http::HttpService;
use actix_service::IntoServiceFactory as _;
use actix_web::dev::{AppConfig, Extensions, Server, Service, ServiceFactory as _, fn_factory, fn_service};
use actix_web::middleware::{Compress, Condition, NormalizePath, TrailingSlash, from_fn};
use actix_web::{App, web};
use anyhow::{Context as _, Result};

use super::routes::{self, RouteTable};
use super::{Config, pages, ready, telemetry, tls, unread, uses};
use crate::balancing::CurrentTrees;
use crate::charging::driver::{self, DriverAccess};
use crate::charging::sessions::Patience;
use crate::cluster::passed_on::only_nodes;
use crate::cluster::{self, Alone, Edge, Secret};
use crate::control::actions::Performer;
use crate::events::Feed;
use crate::gateway::dependencies::GatewayDependencies;
use crate::gateway::socket;
use crate::home::portal::{self, Portal};
use crate::http::body::BodyLimit;
use crate::http::headers::protect;
use crate::http::middleware::{AuthGuard, guard, head_as_get, observe, rename_path};
use crate::http::routing::ServiceConfig;
use crate::http::{Ctx, TrustedProxies, websocket};
use crate::load::assets::AssetSignals;
use crate::notify::webhooks::Dispatcher;
use crate::panel::operators::{self, Accounts, account_routes};
use crate::people::organizations::{self, ApiKeyCache};
use crate::sites::stations::link::{SharedLink, Signals};
use crate::store;

/// What a server is.
#[derive(Clone)]
pub(super) enum Role {
    /// The server of a store, which does the work; of a cluster, where it leads.
    Core(Box<Workers>),
    /// The edge of a node, which passes on to whoever leads.
    Edge { edge: web::Data<Edge>, proxies: web::Data<TrustedProxies>, shows_metrics: bool },
}

impl Role {
    fn add(self, config: &mut web::ServiceConfig) {
        match self {
            Self::Core(workers) => workers.data(config),
            Self::Edge { edge, proxies, .. } => {
                config.app_data(edge).app_data(proxies);
            }
        }
    }

    fn services(&self, config: &mut web::ServiceConfig) {
        match self {
            Self::Core(workers) => services(config, workers.shows_metrics),
            Self::Edge { shows_metrics, .. } => {
                telemetry::routes(config, *shows_metrics);
                cluster::edge::routes(config);
            }
        }
    }
}

/// What the workers share. Their handlers ask for it by its type.
#[derive(Clone)]
pub(super) struct Workers {
    pub(super) ctx: Ctx,
    pub(super) api_key_cache: web::Data<ApiKeyCache>,
    pub(super) auth_guard: web::Data<AuthGuard>,
    pub(super) accounts: web::Data<Accounts>,
    pub(super) pages: web::Data<pages::settings::Settings>,
    pub(super) portal: web::Data<Portal>,
    pub(super) driver: web::Data<DriverAccess>,
    pub(super) gateway: web::Data<GatewayDependencies>,
    pub(super) feed: web::Data<Feed>,
    pub(super) dispatcher: web::Data<Dispatcher>,
    pub(super) performer: web::Data<Performer>,
    pub(super) patience: web::Data<Patience>,
    pub(super) link: web::Data<SharedLink>,
    pub(super) trees: web::Data<CurrentTrees>,
    pub(super) signals: web::Data<Signals>,
    pub(super) asset_signals: web::Data<AssetSignals>,
    pub(super) routes: web::Data<RouteTable>,
    pub(super) proxies: web::Data<TrustedProxies>,
    pub(super) seen: web::Data<ready::Seen>,
    pub(super) alone: web::Data<Option<Alone>>,
    /// What nodes prove themselves by, where this address is for nodes.
    pub(super) nodes: Option<web::Data<Secret>>,
    pub(super) installation: web::Data<ready::Installation>,
    pub(super) body_limit: BodyLimit,
    /// Whether `/metrics` is here, and not at an address of its own.
    pub(super) shows_metrics: bool,
}

impl Workers {
    fn data(self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.ctx)
            .app_data(self.api_key_cache)
            .app_data(self.auth_guard)
            .app_data(self.accounts)
            .app_data(self.pages)
            .app_data(self.portal)
            .app_data(self.driver)
            .app_data(self.gateway)
            .app_data(self.feed)
            .app_data(self.dispatcher)
            .app_data(self.performer)
            .app_data(self.patience)
            .app_data(self.link)
            .app_data(self.trees)
            .app_data(self.signals)
            .app_data(self.asset_signals)
            .app_data(self.routes)
            .app_data(self.proxies)
            .app_data(self.seen)
            .app_data(self.alone)
            .app_data(self.installation)
            .app_data(self.body_limit);
        if let Some(secret) = self.nodes {
            config.app_data(secret);
        }
        uses::add(config);
    }
}

/// The routes of a worker.
fn services(config: &mut web::ServiceConfig, shows_metrics: bool) {
    config
        .route("/healthz", web::get().to(ready::healthz))
        .route("/readyz", web::get().to(ready::readyz))
        .configure(|config| telemetry::routes(config, shows_metrics))
        .route("/ocpp/{path:.*}", web::get().to(socket::connect))
        .configure(pages::routes)
        .service(
            web::scope(routes::PORTAL)
                .wrap(from_fn(portal::guard))
                .configure(|config| routes::portal(&mut ServiceConfig::Worker(config)))
                .default_service(web::to(routes::nowhere)),
        )
        .service(
            web::scope(routes::PAGES)
                .wrap(from_fn(portal::guard))
                .configure(|config| pages::settings::routes(&mut ServiceConfig::Worker(config)))
                .default_service(web::to(routes::nowhere)),
        )
        .service(
            web::scope(routes::ACCOUNT)
                .wrap(from_fn(operators::guard))
                .configure(|config| account_routes(&mut ServiceConfig::Worker(config)))
                .default_service(web::to(routes::nowhere)),
        )
        .service(
            web::scope(routes::DRIVER)
                .wrap(from_fn(driver::guard))
                .wrap(Compress::default())
                .configure(|config| driver::routes(&mut ServiceConfig::Worker(config)))
                .default_service(web::to(routes::nowhere)),
        )
        .service(
            web::scope(routes::LOGO)
                .wrap(from_fn(portal::guard))
                .configure(|config| organizations::open_routes(&mut ServiceConfig::Worker(config)))
                .default_service(web::to(routes::nowhere)),
        )
        .service(
            web::scope(routes::BASE)
                .wrap(from_fn(guard))
                .wrap(Compress::default()) // around the guard, which keeps answers as plain bytes
                .configure(|config| routes::slices(&mut ServiceConfig::Worker(config)))
                .default_service(web::to(routes::nowhere)),
        )
        .default_service(web::to(routes::nowhere));
}

/// How long a client may take over the head of its request, …
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// … and over the end of its connection.
const END_WITHIN: Duration = Duration::from_secs(1);

/// How HTTP is spoken at an address: by the app and, where a connection is upgraded, by [`websocket::serve`]. Both have the app of
/// their worker. A macro, because actix-http has the methods that end it for connections of one type each.
macro_rules! http {
    ($app:ident, $stopping:ident) => {{
        let stopping = $stopping.clone();
        let factory = $app();
        let own = Rc::new(OnceCell::new());
        let of_upgrades = Rc::clone(&own);
        let app = fn_factory(move || {
            let (started, own) = (factory.new_service(AppConfig::default()), Rc::clone(&own));
            async move {
                let app = Rc::new(started.await?);
                let _ = own.set(Rc::clone(&app));
                Ok::<_, ()>(app)
            }
        });
        let upgrades = fn_factory(move || {
            let of_upgrades = Rc::clone(&of_upgrades);
            async move {
                Ok::<_, ()>(fn_service(move |(request, connection)| {
                    let app = of_upgrades.get().cloned();
                    async move {
                        match app {
                            Some(app) => websocket::serve(app, request, connection).await,
                            None => Ok(()), // the worker is starting
                        }
                    }
                }))
            }
        });
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(HEAD_WITHIN)
            .client_disconnect_timeout(END_WITHIN)
            .h1_allow_half_closed(false) // a client that goes away ends what it asked for
            .on_connect_ext(|io: &_, extensions: &mut Extensions| tls::note_certificate(io, extensions))
            .upgrade(upgrades)
            .finish(app)
    }};
}

/// Listens where the configuration says; also the address with TLS, where there is one.
pub(super) fn listen(
    config: &Config,
    listener: TcpListener,
    certificates: Option<&Arc<tls::Certificates>>,
    role: Role,
) -> Result<(Server, Option<SocketAddr>)> {
    let origins = config.http.cors_origins.clone();
    let app = move || {
        store::mailbox::open();
        let is_core = matches!(role, Role::Core(_));
        App::new()
            .configure(|config| role.clone().add(config))
            .wrap(Condition::new(is_core, cors(&origins)))
            .wrap(Condition::new(is_core, NormalizePath::new(TrailingSlash::MergeOnly)))
            .wrap_fn(move |mut request, service| {
                if is_core {
                    rename_path(&mut request, "/v1.1/groups", "/v1.1/load_management/groups");
                    head_as_get(&mut request);
                }
                service.call(request)
            })
            .wrap(Condition::new(is_core, from_fn(observe)))
            .wrap(from_fn(protect))
            .wrap(from_fn(only_nodes))
            .configure(|config| role.services(config))
            .into_factory()
    };
    let mut server = Server::build()
        .backlog(4096) // reconnect storms
        .max_concurrent_connections(100_000)
        .disable_signals()
        .shutdown_timeout(config.http.stop_seconds);
    if config.http.workers > 0 {
        server = server.workers(config.http.workers);
    }
    let stopping = server.graceful_shutdown_signal();
    let (plain, stops) = (app.clone(), stopping.clone());
    server = server.listen("http", listener, move || http!(plain, stops).tcp())?;
    let mut tls_address = None;
    if let Some(certificates) = certificates {
        let listener = TcpListener::bind(&config.tls.listen)
            .with_context(|| format!("cannot listen on tls.listen = \"{}\"", config.tls.listen))?;
        unread::end_after(&listener, Duration::from_secs(u64::from(config.http.unread_seconds.get())))?;
        tls_address = Some(listener.local_addr()?);
        let tls = certificates.server_config()?;
        server = server.listen("https", listener, move || http!(app, stopping).rustls_0_23(tls.clone()))?;
    }
    Ok((server.run(), tls_address))
}

fn cors(origins: &[String]) -> Cors {
    origins.iter().fold(Cors::default().allow_any_method().allow_any_header().max_age(3600), |cors, origin| {
        cors.allowed_origin(origin)
    })
}
