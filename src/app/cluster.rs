//! A node of a cluster: its edge, always, and the server of the store, whenever this node leads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::web;
use anyhow::{Result, anyhow};

use super::server::{self, Role};
use super::{Config, Dependencies, Place, Running, bind, migrate, start_at, stop_signal, telemetry, websocket_url};
use crate::cluster::membership::Facts;
use crate::cluster::{Edge, EdgeSettings, JoinError, Membership, Myself, Secret, store};
use crate::store::StoreUrl;
use crate::store::cause::{self, Cause, ServerPart};
use crate::store::lock::Holder;

/// How long a node waits that could not lead before it tries again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How long it is tried to join, …
const JOIN_WITHIN: Duration = Duration::from_secs(60);
/// … and how often.
const JOIN_EVERY: Duration = Duration::from_millis(500);
/// How often trees are counted.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// Runs a node until a signal asks it to stop. Each time when it leads, `begins` is given its server.
pub async fn run_node<B>(
    config: &Config,
    dependencies: Dependencies,
    begins: impl Fn(SocketAddr, &Running) -> B,
) -> Result<()>
where
    B: Future<Output = Result<()>>,
{
    let settings = config.store_settings().map_err(|error| anyhow!(error))?;
    let Dependencies { clock, ids, .. } = &dependencies;
    let holder = Holder::this_process(ids.next_raw(clock.now()), clock.now());
    let reached_at = match config.cluster.address.as_str() {
        "" => format!("http://{}", config.cluster.listen),
        address => address.to_owned(),
    };
    let myself = Myself { name: config.cluster.node.clone(), address: reached_at, holder: holder.clone() };
    let membership = join(config, &settings.url, &myself).await?;
    let (secret, facts) = (Secret::new(config.cluster.secret.clone()), membership.facts());
    let edge = Edge::new(
        &config.cluster.node,
        secret.clone(),
        (membership.seen(), Arc::clone(&facts)),
        edge_settings(config),
    )?;
    let listener = bind(config, ("http.listen", &config.http.listen))?;
    let address = listener.local_addr()?;
    let metrics = telemetry::serve_apart(&config.http.metrics_listen)?;
    let role = Role::Edge {
        edge: web::Data::new(edge.clone()),
        proxies: web::Data::new(config.trusted_proxies().map_err(|error| anyhow!(error))?),
        shows_metrics: metrics.is_none(),
    };
    let (server, _) = server::listen(config, listener, role)?;
    let handle = server.handle();
    let served = tokio::spawn(server);
    tracing::info!(node = config.cluster.node, %address, "this node takes stations and requests");

    let place = Place {
        listen: config.cluster.listen.clone(),
        websocket_url: Some(websocket_url(&config.http.public_url, address)),
        holder: Some(holder),
        nodes: Some(secret),
    };
    let stopping = stop_signal();
    let mut stopping = std::pin::pin!(stopping);
    loop {
        tokio::select! {
            signal = &mut stopping => {
                signal?;
                break;
            }
            () = membership.replaced() => return Err(replaced(config)),
            () = membership.may_lead() => {}
        }
        let mut running = match start_at(config, dependencies.clone(), place.clone()).await {
            Ok(running) => running,
            Err(error) => {
                tracing::warn!("this node does not lead: {error:#}");
                tokio::select! {
                    signal = &mut stopping => {
                        signal?;
                        break;
                    }
                    () = tokio::time::sleep(AGAIN_AFTER) => continue,
                }
            }
        };
        lead(config, &mut running, &facts).await?;
        begins(address, &running).await?;
        let stops = tokio::select! {
            signal = &mut stopping => {
                signal?;
                true
            }
            () = membership.replaced() => {
                running.stop().await?;
                return Err(replaced(config));
            }
            other = running.lock.lost() => {
                tracing::error!(other, "this node leads no longer");
                false
            }
        };
        if stops {
            facts.draining.store(true, Ordering::Relaxed);
            step_down(&running).await;
        }
        facts.trees.store(0, Ordering::Relaxed);
        metrics::gauge!("evenwatt_cluster_leads").set(0.0);
        running.stop().await?;
        if stops {
            break;
        }
    }
    tracing::info!("draining: stations go to other nodes");
    edge.drain().await;
    tokio::task::spawn_blocking(move || drop(membership)).await?;
    if let Some((_, metrics)) = metrics {
        metrics.stop(false).await;
    }
    handle.stop(true).await;
    Ok(served.await??)
}

/// Joins the cluster. Where nobody leads yet the store is brought up to date first, by whoever comes first.
async fn join(config: &Config, url: &StoreUrl, myself: &Myself) -> Result<Membership> {
    let until = tokio::time::Instant::now() + JOIN_WITHIN;
    loop {
        let (of_store, url, myself) = (config.clone(), url.clone(), myself.clone());
        let joined = tokio::task::spawn_blocking(move || {
            if let Err(error) = migrate(&of_store) {
                // A node that leads has done it, or does it; and a newer schema is no reason not to pass on.
                tracing::info!("the schema is left as it is: {error:#}");
            }
            Membership::join(&url, myself)
        });
        match joined.await? {
            Err(JoinError::Store(error)) if tokio::time::Instant::now() < until => {
                tracing::warn!(%error, "the cluster cannot be joined yet");
                tokio::time::sleep(JOIN_EVERY).await;
            }
            joined => return Ok(joined?),
        }
    }
}

fn replaced(config: &Config) -> anyhow::Error {
    anyhow!("another process runs as the node {} by now, at the same address", config.cluster.node)
}

/// Notes in the table of nodes that this one leads, and counts what it balances from now on.
async fn lead(config: &Config, running: &mut Running, facts: &Arc<Facts>) -> Result<()> {
    let (name, now) = (config.cluster.node.clone(), running.context.clock.now());
    let noted = running.context.db.write(move |conn| store::lead(conn, &name, now));
    let term = cause::with(Cause::Server(ServerPart::Startup), noted).await?;
    tracing::info!(node = config.cluster.node, term, "this node leads");
    metrics::gauge!("evenwatt_cluster_leads").set(1.0);
    metrics::counter!("evenwatt_cluster_led_total").increment(1);
    let (trees, facts) = (running.balancer.current(), Arc::clone(facts));
    running.tasks.push(tokio::spawn(async move {
        loop {
            facts.trees.store(trees.count(), Ordering::Relaxed);
            tokio::time::sleep(COUNT_EVERY).await;
        }
    }));
    Ok(())
}

/// Notes that this node leads no longer, so that nobody looks for it here.
async fn step_down(running: &Running) {
    let token = crate::cluster::membership::token(&running.holder);
    let noted = running.context.db.write(move |conn| store::step_down(conn, token));
    if let Err(error) = cause::with(Cause::Server(ServerPart::Startup), noted).await {
        tracing::warn!(%error, "it could not be noted that this node leads no longer");
    }
}

fn edge_settings(config: &Config) -> EdgeSettings {
    EdgeSettings {
        body_bytes: config.http.body_limit,
        message_bytes: config.ocpp.message_bytes,
        compresses: config.ocpp.compress,
        ping_every: Duration::from_secs(u64::from(config.ocpp.ping_seconds.get())),
        pong_within: Duration::from_secs(u64::from(config.ocpp.pong_seconds.get())),
        handshakes_per_second: config.ocpp.handshakes_per_second,
    }
}
