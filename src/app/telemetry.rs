//! Logs and metrics: how they are set up, once a process.

use std::io::IsTerminal as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::{Context as _, Result};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use super::config::Log;
use crate::http::headers::protect;

/// Starts logging to standard error.
pub fn start_logging(log: &Log) -> std::result::Result<(), String> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| format!("log.filter is wrong: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if log.format == "json" {
        builder.json().flatten_event(true).init();
    } else {
        builder.with_target(false).init();
    }
    Ok(())
}

/// The process's metrics, as Prometheus reads them; several servers in one process (tests) share them.
pub fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder was installed before ours");
            }
            handle
        })
        .clone()
}

/// Adds `/metrics`, unless it listens at an address of its own.
pub fn routes(config: &mut ServiceConfig, here: bool) {
    if here {
        config.route("/metrics", web::get().to(scrape));
    }
}

/// Serves `/metrics` at an address of its own, where one is configured: metrics need no key.
pub fn serve_apart(listen: &str) -> Result<Option<(SocketAddr, ServerHandle)>> {
    metrics(); // what is counted is counted from the start
    if listen.is_empty() {
        return Ok(None);
    }
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on http.metrics_listen = \"{listen}\""))?;
    let address = listener.local_addr()?;
    let app = || App::new().wrap(from_fn(protect)).configure(|config| routes(config, true));
    let server = HttpServer::new(app).listen(listener)?.workers(1).disable_signals().run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(Some((address, handle)))
}

async fn scrape() -> HttpResponse {
    let metrics = metrics();
    metrics.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
