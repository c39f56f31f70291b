//! Waits until a station has settled after connecting, then runs the steps once.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::steps;
use super::uses::Uses;
use crate::control::actions::Performer;
use crate::control::profiles;
use crate::sites::stations::link::{Signal, SignalKind, Signals};
use crate::sites::stations::{find_station, quirks_of};
use crate::store::cause::{self, Cause, ServerPart};
use kernel::{OrganizationId, StationId};

/// When a station has settled.
#[derive(Debug, Clone, Copy)]
pub struct Settling {
    /// How long it is left alone after its boot.
    pub quiet: Duration,
    /// What is asked of sessions first.
    pub uses: Uses,
}

/// A station that does not boot after connecting is taken to have booted earlier.
const BOOT_WITHIN: Duration = Duration::from_secs(15);

/// How often stations are sent the coming day of their charging profiles again.
const REFRESH_EVERY: Duration = Duration::from_secs(6 * 3600);

/// A station that is being waited for.
struct Visit {
    task: AbortHandle,
    booted: watch::Sender<bool>,
}

/// Listens until the handle is aborted.
pub fn start(performer: Performer, signals: &Signals, settling: Settling) -> JoinHandle<()> {
    let mut signals = signals.listen();
    tokio::spawn(cause::with(Cause::Server(ServerPart::Provisioning), async move {
        let mut visits: HashMap<StationId, Visit> = HashMap::new();
        let mut tasks = JoinSet::new(); // dropped with the listener, which ends its tasks
        let mut refresh = performer.context().clock.ticks(REFRESH_EVERY);
        refresh.tick().await; // the first one comes at once
        loop {
            let received = tokio::select! {
                received = signals.recv() => received,
                () = refresh.tick() => {
                    if let Err(error) = profiles::refresh(&performer).await {
                        tracing::error!(%error, "charging profiles were not sent again");
                    }
                    continue;
                }
            };
            let signal = match received {
                Ok(signal) => signal,
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            };
            while tasks.try_join_next().is_some() {}
            let Signal { organization, station, kind } = signal;
            match kind {
                SignalKind::Connected => {
                    let (booted, seen) = watch::channel(false);
                    let work = visit(performer.clone(), (organization, station), seen, settling);
                    let task = tasks.spawn(cause::along(work));
                    if let Some(old) = visits.insert(station, Visit { task, booted }) {
                        old.task.abort();
                    }
                }
                SignalKind::Booted => {
                    if let Some(visit) = visits.get(&station) {
                        let _ = visit.booted.send(true);
                    }
                }
                SignalKind::Reconfigured => {
                    tasks.spawn(cause::along(follow(performer.clone(), (organization, station))));
                }
                SignalKind::Disconnected => {
                    if let Some(visit) = visits.remove(&station) {
                        visit.task.abort();
                    }
                }
                _ => {}
            }
        }
    }))
}

async fn visit(
    performer: Performer,
    (organization, station): (OrganizationId, StationId),
    mut booted: watch::Receiver<bool>,
    settling: Settling,
) {
    let clock = &performer.context().clock;
    tokio::select! {
        _ = booted.wait_for(|booted| *booted) => {}
        () = clock.sleep(BOOT_WITHIN) => {}
    }
    let read = performer.db().read(move |conn| find_station(conn, organization, station));
    let Ok(row) = read.await else { return };
    let asked = quirks_of(&row).and_then(|quirks| quirks.settle_seconds);
    let quiet = asked.map_or(settling.quiet, |seconds| settling.quiet.max(Duration::from_secs(u64::from(seconds))));
    clock.sleep(quiet).await;
    // In a box: thousands of stations wait here at once after a restart, and need none of its state meanwhile.
    let steps = Box::pin(steps::run(&performer, settling.uses, (organization, station)));
    if let Err(error) = steps.await {
        tracing::info!(%error, %station, "provisioning of a station stopped early");
    }
}

/// A station that joined or left a group, or whose profiles changed, is sent the change.
async fn follow(performer: Performer, (organization, station): (OrganizationId, StationId)) {
    let read = performer.db().read(move |conn| find_station(conn, organization, station));
    let Ok(row) = read.await else { return };
    if row.online
        && let Err(error) = profiles::push(&performer, &row).await
    {
        tracing::info!(%error, %station, "charging profiles were not sent to a station");
    }
}
