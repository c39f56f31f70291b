//! Which nodes there are and who leads: a thread that says that this node lives, and looks who else does.
//!
//! The table of nodes is the whole of it, by the clock of the database alone. The leader is who holds the store's lock and wrote the
//! highest term. A node that could lead waits until nobody holds the lock. Where the holder was not heard of for eight seconds while the
//! database answered, its session is ended: what it writes from there on is refused ([`crate::store::lock`]), and what it sends of its own
//! accord it does not send ([`crate::store::Db::may_command`]).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::PgConnection;
use tokio::sync::watch;

use super::model::Node;
use super::store;
use crate::store::lock::{self, Holder};
use crate::store::{Conn, StoreError, StoreResult, StoreUrl};
use kernel::Timestamp;

/// How often the table is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often a node says that it lives.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// After so long without a word a node is dead.
pub const DEAD_AFTER: Duration = Duration::from_secs(8);
/// Nodes that were not heard of for so long are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);
/// A look that takes so long says nothing of others: nobody could say that it lives.
const SLOW: Duration = Duration::from_secs(2);
/// Looks at which the lock must be free before a node takes it that did not lead before.
const FREE_LOOKS: u32 = 2;
/// How the connection notices that the database is away, in the words of libpq.
const IMPATIENT: &str =
    "connect_timeout=4&keepalives_idle=4&keepalives_interval=2&keepalives_count=2&tcp_user_timeout=6000";

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The name of its node.
    pub node: String,
    /// Where it is reached.
    pub address: String,
    /// Which leadership it is.
    pub term: i64,
}

/// What this node saw of the cluster last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Who leads, also where it does not live any more and nobody followed yet.
    pub leader: Option<Leader>,
    /// Nobody holds the store, and this node may.
    pub may_lead: bool,
    /// Another process has the name of this one, and lives.
    pub replaced: bool,
}

/// What this node says of itself.
#[derive(Default)]
pub struct Facts {
    /// WebSockets at its edge.
    pub sockets: AtomicI32,
    /// Counts the trees that it balances.
    trees: Mutex<Option<Count>>,
    /// Whether it stops.
    pub draining: AtomicBool,
    /// Whether it leads.
    pub leads: AtomicBool,
}

/// Why a node cannot join a cluster.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Another one has its name.
    #[error("cluster.node is \"{0}\", and a node of this name lives at {1}: each node needs a name of its own")]
    Named(String, String),
    /// Another one has another secret.
    #[error("cluster.secret is not that of the node {0}: all nodes of a cluster have the same")]
    Secret(String),
    /// The table of nodes cannot be used.
    #[error("the cluster cannot be joined: {0}")]
    Store(#[from] StoreError),
}

type Count = Box<dyn Fn() -> i32 + Send>;

impl Facts {
    /// Counts the trees that this node balances in this way from now on.
    pub fn count_trees(&self, count: impl Fn() -> i32 + Send + 'static) {
        *self.trees.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(count));
    }

    fn trees(&self) -> i32 {
        let count = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        count.as_ref().map_or(0, |count| count())
    }
}

/// Who this node is.
#[derive(Debug, Clone)]
pub struct Myself {
    /// Its name.
    pub name: String,
    /// Where other nodes reach it.
    pub address: String,
    /// As the store's lock knows this run of it.
    pub holder: Holder,
    /// Stands for the secret of the cluster.
    pub secret: String,
}

/// A node's part in the cluster, until it is dropped.
pub struct Membership {
    seen: watch::Receiver<Seen>,
    facts: Arc<Facts>,
    stop: Option<flume::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Membership {
    /// Joins the cluster of a store, or says why not.
    pub fn join(url: &StoreUrl, node: Myself) -> Result<Self, JoinError> {
        let url = impatient(url);
        let mut conn = open(&url)?;
        let facts = Arc::new(Facts::default());
        let now = store::database_now(&mut conn, node.holder.since)?;
        let others = store::list(&mut conn)?;
        let differs = |other: &&Node| other.name != node.name && other.secret != node.secret && !is_dead(other, now);
        if let Some(other) = others.iter().find(differs) {
            return Err(JoinError::Secret(other.name.clone()));
        }
        let named = others.into_iter().find(|other| other.name == node.name);
        // At the same address it is one that ended a moment ago, or finds out that it was replaced.
        if let Some(other) = named.filter(|other| other.address != node.address && !is_dead(other, now)) {
            return Err(JoinError::Named(other.name, other.address));
        }
        let (seen, sees) = watch::channel(Seen::default());
        let (stop, stopped) = flume::bounded(1);
        let mut watcher = Watcher {
            url,
            conn: Some(conn),
            node,
            started_at: now,
            facts: Arc::clone(&facts),
            seen,
            beaten: None,
            unheard: HashMap::new(),
            free: 0,
        };
        watcher.look()?;
        let thread = std::thread::Builder::new()
            .name("cluster".to_owned())
            .spawn(move || watcher.run(&stopped))
            .map_err(|error| JoinError::Store(StoreError::Failed(error.to_string())))?;
        Ok(Self { seen: sees, facts, stop: Some(stop), thread: Some(thread) })
    }

    /// What is seen of the cluster, as it changes.
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.clone()
    }

    /// What this node says of itself from now on.
    pub fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.facts)
    }

    /// Waits until another process has taken this node's name.
    pub async fn replaced(&self) {
        let mut seen = self.seen();
        if seen.wait_for(|seen| seen.replaced).await.map(drop).is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until this node may try to lead.
    pub async fn may_lead(&self) {
        let mut seen = self.seen();
        if seen.wait_for(|seen| seen.may_lead).await.map(drop).is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Membership {
    /// Leaves the cluster: the row of this node goes.
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether a node stops, and whether it leads.
type Said = (bool, bool);

struct Watcher {
    url: StoreUrl,
    conn: Option<Conn>,
    node: Myself,
    started_at: Timestamp,
    facts: Arc<Facts>,
    seen: watch::Sender<Seen>,
    beaten: Option<(Instant, Said)>,
    /// Since when each run of a node said nothing new, by our clock, while the database answered.
    unheard: HashMap<i64, (Timestamp, Instant)>,
    /// Looks in a row at which nobody held the lock.
    free: u32,
}

impl Watcher {
    fn run(mut self, stopped: &flume::Receiver<()>) {
        while let Err(flume::RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
            if let Err(error) = self.look() {
                tracing::warn!(%error, "the table of nodes cannot be looked at");
                (self.conn, self.beaten, self.free) = (None, None, 0);
                self.unheard.clear();
                self.seen.send_if_modified(|seen| std::mem::replace(&mut seen.may_lead, false));
            }
        }
        let token = token(&self.node.holder);
        if let Some(conn) = &mut self.conn
            && let Err(error) = store::remove(conn, token)
        {
            tracing::warn!(%error, "this node could not be taken out of the table of nodes");
        }
    }

    fn look(&mut self) -> StoreResult<()> {
        let begun = Instant::now();
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => open(&self.url)?,
        };
        let (draining, leads) = (self.facts.draining.load(Ordering::Relaxed), self.facts.leads.load(Ordering::Relaxed));
        let is_due = |(at, said): (Instant, Said)| at.elapsed() >= BEAT_EVERY || said != (draining, leads);
        let now = store::database_now(&mut conn, self.started_at)?;
        let mut nodes = store::list(&mut conn)?;
        let own = nodes.iter().find(|node| node.name == self.node.name);
        let is_other = own.is_some_and(|own| own.token != token(&self.node.holder) && self.beaten.is_some());
        if is_other {
            self.seen.send_modify(|seen| (seen.replaced, seen.may_lead) = (true, false));
            return Ok(()); // whoever reads this stops the process
        }
        if self.beaten.is_none_or(is_due) {
            store::beat(&mut conn, &self.row(now, draining))?;
            if !leads {
                store::step_down(&mut conn, token(&self.node.holder))?;
            }
            store::forget(&mut conn, now - FORGOTTEN_AFTER)?;
            self.beaten = Some((Instant::now(), (draining, leads)));
        }
        if own.is_none() {
            nodes = store::list(&mut conn)?;
        }
        if begun.elapsed() >= SLOW {
            self.unheard.clear(); // the database was silent, so nothing is known of who else was
        }
        let may_lead = self.may_lead(&mut conn, &nodes)? && !draining;
        let leader = nodes.iter().filter_map(|node| Some((node.term?, node))).max_by_key(|(term, _)| *term);
        let leader = leader.map(|(term, node)| Leader { node: node.name.clone(), address: node.address.clone(), term });
        let alive = nodes.iter().filter(|node| !is_dead(node, now)).count();
        metrics::gauge!("evenwatt_cluster_nodes").set(u32::try_from(alive).map_or(f64::MAX, f64::from));
        let seen = Seen { leader, may_lead, replaced: false };
        self.seen.send_if_modified(|before| {
            let changes = *before != seen;
            *before = seen;
            changes
        });
        self.conn = Some(conn);
        Ok(())
    }

    fn row(&self, now: Timestamp, draining: bool) -> Node {
        Node {
            name: self.node.name.clone(),
            token: token(&self.node.holder),
            address: self.node.address.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            seen_at: now,
            draining,
            sockets: self.facts.sockets.load(Ordering::Relaxed),
            trees: self.facts.trees(),
            term: None,
            leads_since: None,
            secret: self.node.secret.clone(),
        }
    }

    /// Whether nobody holds the store. A holder that is dead is made to let go.
    fn may_lead(&mut self, conn: &mut Conn, nodes: &[Node]) -> StoreResult<bool> {
        self.unheard.retain(|token, _| nodes.iter().any(|node| node.token == *token));
        for node in nodes {
            let heard = self.unheard.entry(node.token).or_insert((node.seen_at, Instant::now()));
            if heard.0 != node.seen_at {
                *heard = (node.seen_at, Instant::now());
            }
        }
        let Conn::Pg(conn) = conn else { return Ok(false) };
        let Some(holding) = lock::holding(conn)? else {
            self.free += 1;
            return Ok(self.free >= FREE_LOOKS);
        };
        self.free = 0;
        let holder = holding.token.map(i64::from);
        if holder == Some(token(&self.node.holder)) {
            return Ok(false);
        }
        let silent = holder.and_then(|holder| self.unheard.get(&holder)).map(|(_, since)| since.elapsed());
        if silent.is_some_and(|silent| silent >= DEAD_AFTER) {
            self.end(conn, holding)?;
        }
        Ok(false)
    }

    fn end(&self, conn: &mut PgConnection, holding: lock::Holding) -> StoreResult<()> {
        tracing::warn!(session = holding.process, "the leading node is silent; its hold of the store is ended");
        metrics::counter!("evenwatt_cluster_deposed_total").increment(1);
        Ok(lock::end(conn, holding.process)?)
    }
}

/// How the table of nodes names a run of a server.
pub fn token(holder: &Holder) -> i64 {
    i64::from(holder.token)
}

fn is_dead(node: &Node, now: Timestamp) -> bool {
    now.since(node.seen_at) >= DEAD_AFTER
}

fn open(url: &StoreUrl) -> StoreResult<Conn> {
    Conn::open(url, crate::store::connection::Synchronous::Full)
}

/// The same database, for a connection that gives up soon.
fn impatient(url: &StoreUrl) -> StoreUrl {
    match url {
        StoreUrl::Postgres(url) => {
            let separator = if url.contains('?') { '&' } else { '?' };
            StoreUrl::Postgres(format!("{url}{separator}{IMPATIENT}"))
        }
        StoreUrl::Sqlite(_) => url.clone(),
    }
}
