//! Logs and metrics: how they are set up, once a process.

use std::io::IsTerminal as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::OnceLock;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::{Context as _, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use super::config::Log;
use super::process;
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
            let recorder = builder().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder was installed before ours");
            }
            describe();
            handle
        })
        .clone()
}

/// Seconds by which durations are counted: from what nobody notices to what everybody has given up on (`ocpp.call_seconds` is 30).
const SECONDS: [f64; 12] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Writes that share a commit: up to 256.
const WRITES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Histograms with the same buckets in every server, so that they can be added up, unlike quantiles.
fn builder() -> PrometheusBuilder {
    let builder = PrometheusBuilder::new();
    let with = |builder: PrometheusBuilder, matcher, buckets: &[f64]| {
        builder.set_buckets_for_metric(matcher, buckets).unwrap_or_else(|_| PrometheusBuilder::new())
    };
    let builder = with(builder, Matcher::Suffix("_seconds".to_owned()), &SECONDS);
    with(builder, Matcher::Full("evenwatt_store_group_size".to_owned()), &WRITES)
}

/// Says what each metric is, and has those there from the start that are counted from zero.
fn describe() {
    let counters = [
        ("evenwatt_http_requests_total", "Requests by route, method and status."),
        ("evenwatt_ocpp_messages_total", "Messages of stations by action."),
        ("evenwatt_ocpp_refused_total", "Messages of stations that were answered with an error, by its code."),
        ("evenwatt_ocpp_incidents_total", "Connections of stations that were refused or replaced, by kind."),
        ("evenwatt_readings_moved_total", "Readings of an older program that were moved into chunks."),
        ("evenwatt_balancing_cycles_total", "Cycles of balancing by outcome: done or failed, which is tried again."),
        ("evenwatt_balancing_faulty_plans_total", "Plans that broke a promise and were not sent."),
        (
            "evenwatt_balancing_commands_total",
            "Commands of balancing by what became of them: accepted, refused, silent, not_sent or superseded.",
        ),
        ("evenwatt_webhook_deliveries_total", "Attempts to deliver an event by outcome: received or failed."),
        ("evenwatt_store_refused_total", "Queries that were refused because a queue was full, by queue."),
        ("evenwatt_store_errors_total", "Writes that could not be stored, by kind: busy, not_held or failed."),
        ("evenwatt_cluster_led_total", "How often this node began to lead its cluster."),
        ("evenwatt_cluster_deposed_total", "How often this node ended the hold of a leader that was silent."),
        ("evenwatt_cluster_attached_again_total", "Sockets that were attached to another leader."),
        ("process_cpu_seconds_total", "Total user and system CPU time spent in seconds."),
    ];
    let gauges = [
        ("evenwatt_build_info", "1, with the version of the program."),
        ("evenwatt_ocpp_connections", "Stations that are connected."),
        ("evenwatt_balancing_trees", "Trees of groups that are balanced."),
        ("evenwatt_balancing_groups_over_limit", "Groups in which more may be drawn than they have."),
        ("evenwatt_webhook_deliveries_waiting", "Deliveries that wait for webhooks that are on, counted up to 100000."),
        ("evenwatt_webhook_oldest_waiting_seconds", "How long the oldest of them waits."),
        ("evenwatt_store_queue_length", "Queries that wait, by queue."),
        ("evenwatt_store_lock_held", "1 while this server holds its store, else 0."),
        ("evenwatt_tls_certificate_expires_timestamp_seconds", "When the server's certificate runs out."),
        ("evenwatt_cluster_nodes", "Nodes of the cluster that live, as this one sees it."),
        ("evenwatt_cluster_leads", "1 while this node leads its cluster, else 0."),
        ("evenwatt_cluster_sockets", "WebSockets at this node: stations, and clients that stream events."),
        ("process_resident_memory_bytes", "Resident memory size in bytes."),
        ("process_start_time_seconds", "Start time of the process since unix epoch in seconds."),
        ("process_open_fds", "Number of open file descriptors."),
        ("process_max_fds", "Maximum number of open file descriptors."),
    ];
    let histograms = [
        ("evenwatt_http_request_seconds", "How long requests took, by route."),
        ("evenwatt_ocpp_call_seconds", "How long stations took to answer, by action."),
        ("evenwatt_balancing_cycle_seconds", "How long a cycle of balancing took, with what it read and stored."),
        ("evenwatt_store_group_size", "Writes that shared a commit."),
    ];
    counters.into_iter().for_each(|(name, text)| metrics::describe_counter!(name, text));
    gauges.into_iter().for_each(|(name, text)| metrics::describe_gauge!(name, text));
    histograms.into_iter().for_each(|(name, text)| metrics::describe_histogram!(name, text));

    metrics::gauge!("evenwatt_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let from_zero = [
        ("evenwatt_balancing_cycles_total", "outcome", ["done", "failed"].as_slice()),
        ("evenwatt_balancing_commands_total", "outcome", &["accepted", "refused", "silent", "not_sent", "superseded"]),
        ("evenwatt_webhook_deliveries_total", "outcome", &["received", "failed"]),
        ("evenwatt_store_refused_total", "queue", &["writes", "stations", "balancing", "api"]),
        ("evenwatt_store_errors_total", "kind", &["busy", "not_held", "failed"]),
    ];
    for (name, label, values) in from_zero {
        for value in values {
            metrics::counter!(name, label => *value).absolute(0);
        }
    }
    metrics::counter!("evenwatt_balancing_faulty_plans_total").absolute(0);
}

/// Adds `/metrics`, unless it listens at an address of its own.
pub fn routes(config: &mut ServiceConfig, here: bool) {
    if here {
        config.route("/metrics", web::get().to(scrape));
    }
}

/// Serves `/metrics` at an address of its own, where one is configured: metrics need no key.
pub fn serve_apart(listen: &str) -> Result<Option<(SocketAddr, ServerHandle)>> {
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
    process::observe();
    metrics.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
