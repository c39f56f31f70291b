//! A node of a cluster: its edge, always, and the server of the store, whenever this node leads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use anyhow::{Result, anyhow};

use super::server::{self, Role};
use super::{Config, Dependencies, Place, Running, bind, migrate, start_at, telemetry, tls, websocket_url};
use crate::cluster::membership::Facts;
use crate::cluster::{Edge, EdgeSettings, JoinError, Membership, Myself, Secret, store};
use crate::store::StoreUrl;
use crate::store::cause::{self, Cause, ServerPart};
use crate::store::lock::Holder;

/// How long a node waits that could not lead before it tries again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How long the other nodes take to notice that nobody leads.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);
/// How long it is tried to join, …
const JOIN_WITHIN: Duration = Duration::from_secs(60);
/// … and how often.
const JOIN_EVERY: Duration = Duration::from_millis(500);

/// Runs a node until `stop` comes, such as a signal. Whenever it leads, `begins` is given its server, and the address of the node.
pub async fn run_node<B>(
    config: &Config,
    dependencies: Dependencies,
    stop: impl Future<Output = Result<()>>,
    begins: impl Fn(SocketAddr, &Running) -> B,
) -> Result<()>
where
    B: Future<Output = Result<()>>,
{
    let mut stop = std::pin::pin!(stop);
    let node = Node::open(config, &dependencies).await?;
    let ended = loop {
        tokio::select! {
            stopped = &mut stop => break stopped,
            () = node.membership.replaced() => break Err(node.replaced()),
            () = node.membership.may_lead() => {}
        }
        let running = match node.lead(&dependencies).await {
            Ok(running) => running,
            Err(error) => {
                tracing::warn!("this node does not lead: {error:#}");
                tokio::select! {
                    stopped = &mut stop => break stopped,
                    () = tokio::time::sleep(AGAIN_AFTER) => continue,
                }
            }
        };
        if let Err(error) = begins(node.address, &running).await {
            tracing::error!("{error:#}");
        }
        let ended = tokio::select! {
            stopped = &mut stop => Some(stopped),
            () = node.membership.replaced() => Some(Err(node.replaced())),
            other = running.lock.lost() => {
                tracing::error!(other, "this node leads no longer");
                None
            }
        };
        node.follow(running, ended.is_some()).await;
        if let Some(ended) = ended {
            break ended;
        }
    };
    node.close().await.and(ended)
}

/// What a node has all the time, whoever leads.
struct Node<'a> {
    config: &'a Config,
    membership: Membership,
    edge: Edge,
    facts: Arc<Facts>,
    /// Where the server is that it has when it leads.
    place: Place,
    /// Where it takes stations and requests.
    address: SocketAddr,
    server: ServerHandle,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    metrics: Option<ServerHandle>,
    /// What goes on until it stops.
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl<'a> Node<'a> {
    async fn open(config: &'a Config, dependencies: &Dependencies) -> Result<Self> {
        tls::expect_hangup(&config.tls)?;
        let settings = config.store_settings().map_err(|error| anyhow!(error))?;
        let Dependencies { clock, ids, .. } = dependencies;
        let holder = Holder::this_process(ids.next_raw(clock.now()), clock.now());
        let reached_at = match config.cluster.address.as_str() {
            "" => format!("http://{}", config.cluster.listen),
            address => address.to_owned(),
        };
        let name = config.cluster.node.clone();
        let secret = Secret::new(config.cluster.secret.clone());
        let myself = Myself { name, address: reached_at, holder: holder.clone(), secret: secret.hash() };
        let listener = bind(config, ("http.listen", &config.http.listen))?;
        let address = listener.local_addr()?;
        let membership = join(config, &settings.url, &myself).await?;
        let facts = membership.facts();
        let sees = (membership.seen(), Arc::clone(&facts));
        let edge = Edge::new(&config.cluster.node, secret.clone(), sees, edge_settings(config))?;
        let metrics = telemetry::serve_apart(&config.http.metrics_listen)?;
        let role = Role::Edge {
            edge: web::Data::new(edge.clone()),
            proxies: web::Data::new(config.trusted_proxies().map_err(|error| anyhow!(error))?),
            shows_metrics: metrics.is_none(),
        };
        let certificates = tls::Certificates::open(&config.tls)?;
        let (server, _) = server::listen(config, listener, certificates.as_ref(), role)?;
        let tasks = tls::keep_fresh(certificates, clock)?.into_iter().collect();
        let handle = server.handle();
        let served = tokio::spawn(server);
        metrics::gauge!("evenwatt_cluster_leads").set(0.0);
        tracing::info!(node = config.cluster.node, %address, "this node takes stations and requests");
        let place = Place {
            listen: config.cluster.listen.clone(),
            websocket_url: Some(websocket_url(&config.http.public_url, address)),
            holder: Some(holder),
            nodes: Some(secret),
        };
        let metrics = metrics.map(|(_, handle)| handle);
        Ok(Self { config, membership, edge, facts, place, address, server: handle, served, metrics, tasks })
    }

    /// Starts the server of the store, and notes in the table of nodes that this one leads.
    async fn lead(&self, dependencies: &Dependencies) -> Result<Running> {
        let running = start_at(self.config, dependencies.clone(), self.place.clone()).await?;
        let (name, now) = (self.config.cluster.node.clone(), running.context.clock.now());
        self.facts.leads.store(true, Ordering::Relaxed);
        let noted = running.context.db.write(move |conn| store::lead(conn, &name, now));
        let term = match cause::with(Cause::Server(ServerPart::Startup), noted).await {
            Ok(term) => term,
            Err(error) => {
                self.facts.leads.store(false, Ordering::Relaxed);
                running.stop().await?;
                return Err(error.into());
            }
        };
        tracing::info!(node = self.config.cluster.node, term, "this node leads");
        metrics::gauge!("evenwatt_cluster_leads").set(1.0);
        metrics::counter!("evenwatt_cluster_led_total").increment(1);
        let trees = running.balancer.current();
        self.facts.count_trees(move || trees.count());
        Ok(running)
    }

    /// Leads no longer: its server ends, and where the node stops nobody looks for it here.
    async fn follow(&self, running: Running, stops: bool) {
        if stops {
            self.facts.draining.store(true, Ordering::Relaxed);
            let token = crate::cluster::membership::token(&running.holder);
            let noted = running.context.db.write(move |conn| store::step_down(conn, token));
            if let Err(error) = cause::with(Cause::Server(ServerPart::Startup), noted).await {
                tracing::warn!(%error, "it could not be noted that this node leads no longer");
            }
            tokio::time::sleep(NOTICED_WITHIN).await; // meanwhile it serves those that have not noticed
        }
        self.facts.leads.store(false, Ordering::Relaxed);
        self.facts.count_trees(|| 0);
        metrics::gauge!("evenwatt_cluster_leads").set(0.0);
        if let Err(error) = running.stop().await {
            tracing::warn!("the server of the store did not end well: {error:#}");
        }
    }

    fn replaced(&self) -> anyhow::Error {
        anyhow!("another process runs as the node {} by now, at the same address", self.config.cluster.node)
    }

    /// Gives the stations to other nodes, and leaves.
    async fn close(self) -> Result<()> {
        tracing::info!("draining: stations go to other nodes");
        self.edge.drain().await;
        let membership = self.membership;
        tokio::task::spawn_blocking(move || drop(membership)).await?;
        if let Some(metrics) = self.metrics {
            metrics.stop(false).await;
        }
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        self.server.stop(true).await;
        Ok(self.served.await??)
    }
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
