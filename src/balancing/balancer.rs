//! Listens to what stations do and requests replanning of the tree it concerns; every tree has one task.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::JoinHandle;

use super::current::CurrentTrees;
use super::look;
use super::replan::{Notes, ReplanRequests};
use super::settings::Settings;
use super::tree::Tree;
use crate::http::Context;
use crate::load::assets::{AssetChange, AssetSignal, AssetSignals};
use crate::load::groups;
use crate::sites::stations::link::{SharedLink, Signal, SignalKind, Signals};
use crate::store::{StoreError, StoreResult};
use kernel::{GroupId, StationId};

/// Balances every tree until it is stopped; cheap to clone.
#[derive(Clone)]
pub struct Balancer(Arc<Shared>);

struct Shared {
    context: Context,
    link: SharedLink,
    settings: Settings,
    trees: Mutex<BTreeMap<GroupId, Running>>,
    /// How they are doing.
    current: CurrentTrees,
    /// What listens, and what looks at everything.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Running {
    requests: Arc<ReplanRequests>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Starts to balance every tree there is and every tree there will be.
    pub fn start(
        context: Context,
        link: SharedLink,
        (signals, assets): (&Signals, &AssetSignals),
        settings: Settings,
    ) -> Self {
        let (trees, current, tasks) = (Mutex::default(), CurrentTrees::default(), Mutex::default());
        let balancer = Self(Arc::new(Shared { context, link, settings, trees, current, tasks }));
        let listener = Listener { balancer: balancer.clone(), roots: HashMap::new() };
        let listener = tokio::spawn(listener.run(signals.listen(), assets.listen()));
        let looker = tokio::spawn(look::run(balancer.clone(), balancer.0.context.clone(), settings.tick));
        *lock(&balancer.0.tasks) = vec![listener, looker];
        balancer
    }

    /// Stops at once; what was sent is remembered, and the next start assumes the full exposure.
    pub fn stop(&self) {
        for task in std::mem::take(&mut *lock(&self.0.tasks)) {
            task.abort();
        }
        for running in std::mem::take(&mut *lock(&self.0.trees)).into_values() {
            running.task.abort();
        }
    }

    /// How the trees are doing that are balanced.
    pub fn current(&self) -> CurrentTrees {
        self.0.current.clone()
    }

    /// The trees that are balanced, by their roots.
    pub(super) fn trees(&self) -> Vec<(GroupId, Arc<ReplanRequests>)> {
        let trees = lock(&self.0.trees);
        let running = trees.iter().filter(|(_, running)| !running.task.is_finished());
        running.map(|(root, running)| (*root, Arc::clone(&running.requests))).collect()
    }

    fn request(&self, root: GroupId, trigger: &'static str, note: impl FnOnce(&mut Notes)) {
        let mut trees = lock(&self.0.trees);
        trees.retain(|_, running| !running.task.is_finished());
        let running = trees.entry(root).or_insert_with(|| self.spawn(root));
        running.requests.request(trigger, note);
    }

    fn spawn(&self, root: GroupId) -> Running {
        let shared = &self.0;
        let requests = Arc::new(ReplanRequests::default());
        let (context, link) = (shared.context.clone(), Arc::clone(&shared.link));
        let current = shared.current.clone();
        let tree = Tree::new(root, (context, link), shared.settings, Arc::clone(&requests), current);
        Running { requests, task: tokio::spawn(tree.run()) }
    }
}

/// Turns signals into replanning requests.
struct Listener {
    balancer: Balancer,
    /// In which tree a station is, as far as it was asked; forgotten when it is reconfigured.
    roots: HashMap<StationId, Option<GroupId>>,
}

impl Listener {
    async fn run(mut self, mut signals: Receiver<Signal>, mut assets: Receiver<AssetSignal>) {
        self.request_all("start").await;
        loop {
            let missed = tokio::select! {
                signal = signals.recv() => match signal {
                    Ok(signal) => {
                        self.pass_on(signal).await;
                        continue;
                    }
                    Err(missed) => missed,
                },
                signal = assets.recv() => match signal {
                    Ok(signal) => {
                        self.pass_on_asset(signal).await;
                        continue;
                    }
                    Err(missed) => missed,
                },
            };
            match missed {
                RecvError::Lagged(missed) => {
                    tracing::warn!(missed, "signals were missed; every tree is planned anew");
                    self.roots.clear();
                    self.request_all("missed signals").await;
                }
                RecvError::Closed => return,
            }
        }
    }

    async fn request_all(&self, trigger: &'static str) {
        let db = &self.balancer.0.context.db;
        match db.read(groups::all_roots).await {
            Ok(roots) => roots.into_iter().for_each(|root| {
                self.balancer.request(root, trigger, |notes| notes.everything = true);
            }),
            Err(error) => tracing::error!(%error, "the groups could not be read"),
        }
    }

    async fn pass_on(&mut self, Signal { station, kind, .. }: Signal) {
        let (trigger, doubted) = match kind {
            SignalKind::Connected => ("connected", true),
            SignalKind::Booted => ("booted", true),
            SignalKind::ClockLearnt => ("clock learnt", true),
            SignalKind::Disconnected => ("disconnected", false),
            SignalKind::Status(_) => ("status", false),
            SignalKind::SessionStarted(..) => ("session started", false),
            SignalKind::SessionEnded(..) => ("session ended", false),
            SignalKind::Metered(..) => ("metered", false),
            SignalKind::Wished(_) => ("car's needs", false),
            SignalKind::Stray(..) => ("unknown connector", false),
            SignalKind::ExternalLimit => ("external limit", false),
            SignalKind::Reconfigured => ("reconfigured", false),
        };
        let mut roots = Vec::new();
        if kind == SignalKind::Reconfigured {
            roots.extend(self.roots.remove(&station).flatten()); // the tree it may have left
        }
        roots.extend(self.root_of(station).await);
        roots.dedup();
        for root in roots {
            self.balancer.request(root, trigger, |notes| {
                if doubted {
                    notes.doubted.insert(station);
                }
                match kind {
                    SignalKind::Metered(..) => notes.metered.insert(station),
                    _ => notes.changed.insert(station),
                };
                notes.hear(station, kind);
                notes.whole |= kind == SignalKind::Reconfigured;
            });
        }
    }

    async fn pass_on_asset(&self, AssetSignal { group, change, .. }: AssetSignal) {
        let (trigger, urgent) = match change {
            AssetChange::Reconfigured => ("asset changed", false),
            AssetChange::Read => ("asset read", true), // it may show that too much is drawn
            AssetChange::Switched => ("battery switched", true),
        };
        let db = &self.balancer.0.context.db;
        match db.read(move |conn| groups::root_of(conn, group)).await {
            Ok(root) => self.balancer.request(root, trigger, |notes| {
                notes.top = true;
                notes.urgent |= urgent;
            }),
            Err(StoreError::NotFound) => {} // the group was deleted meanwhile
            Err(error) => tracing::error!(%error, %group, "a group could not be read"),
        }
    }

    async fn root_of(&mut self, station: StationId) -> Option<GroupId> {
        if let Some(known) = self.roots.get(&station) {
            return *known;
        }
        let db = &self.balancer.0.context.db;
        let asked: StoreResult<_> = db.read(move |conn| groups::root_of_station(conn, station)).await;
        match asked {
            Ok(root) => {
                self.roots.insert(station, root);
                root
            }
            Err(error) => {
                tracing::error!(%error, %station, "the group of a station could not be read");
                None
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
