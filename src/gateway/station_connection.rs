//! The station at the other end of a connection: what is remembered of it, and what follows from its messages.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::dependencies::GatewayDependencies;
use super::throttle::Throttled;
use crate::charging::sessions;
use crate::events::{Change, EventKind};
use crate::sites::stations::link::{DeviceRequest, Signal, SignalKind, StationCommand, StationLink};
use crate::sites::stations::{self, Arrival, Layout, Station, StationView};
use crate::store::{Conn, StoreError, StoreResult, cause};
use kernel::Protocol;
use kernel::*;

/// The connection to a station.
pub struct StationConnection {
    /// Which station.
    pub station: StationId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What is spoken with it.
    pub version: Protocol,
    /// Where it comes from.
    pub address: IpAddr,
    /// Whether it was connected all the time, and only the leader of the cluster is another one.
    pub again: bool,
    /// When that was recorded, in microseconds.
    connected_at: AtomicI64,
    /// Its deviations when it connected, and what it was caught at since.
    deviations: Mutex<Vec<String>>,
    /// Which connector has which number, and how often that had changed when it was read.
    layout: Mutex<Option<(Arc<Layout>, u64)>>,
}

/// What is done after an answer left.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Notify listeners.
    Notify(SignalKind),
    /// Ask the station to do something.
    Ask(StationCommand),
    /// Ask the station whether a transaction that it names so goes on (E14), and end the session where it does not.
    Verify {
        /// The session.
        session: SessionId,
        /// The station's name of its transaction.
        name: String,
    },
}

impl StationConnection {
    /// The station of an admitted connection.
    pub fn new(station: Station, version: Protocol, (address, again): (IpAddr, bool)) -> Self {
        Self {
            station: station.id,
            organization: station.organization_id,
            version,
            address,
            again,
            connected_at: AtomicI64::default(),
            deviations: Mutex::new(station.flags.0),
            layout: Mutex::default(),
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Option<(Arc<Layout>, u64)>> {
        self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `wanted` finds in the layout of the station, which is remembered until it changes.
    pub(super) async fn connector<T>(
        &self,
        gateway: &GatewayDependencies,
        wanted: impl Fn(&Layout) -> Option<T>,
    ) -> StoreResult<Option<T>> {
        let changes = stations::layout_changes(self.station);
        let known = self.remembered().clone();
        if let Some((layout, read_at)) = known
            && read_at == changes
            && let Some(found) = wanted(&layout)
        {
            return Ok(Some(found));
        }
        let station = self.station;
        let read = gateway.context.db.read(move |conn| stations::layout(conn, station));
        let layout = Arc::new(read.await?);
        *self.remembered() = Some((Arc::clone(&layout), changes));
        Ok(wanted(&layout))
    }

    fn signal(&self, kind: SignalKind) -> Signal {
        Signal { organization: self.organization, station: self.station, kind }
    }

    /// Records that the socket is open.
    pub async fn connected(&self, gateway: &GatewayDependencies) {
        let (organization, station, moment) = (self.organization, self.station, gateway.context.moment());
        self.connected_at.store(moment.now.micros(), Ordering::Relaxed);
        let arrival = Arrival { protocol: self.version, usual_heartbeat_seconds: gateway.settings.heartbeat_seconds };
        let (base, again) = (gateway.context.websocket_url.clone(), self.again);
        let stored = gateway.context.db.write(move |conn| -> StoreResult<()> {
            let is_no_news = again && stations::is_online(conn, station)?;
            stations::set_online(conn, station, arrival, moment.now)?;
            if is_no_news {
                return Ok(());
            }
            record_station_event(conn, &moment, (organization, station), EventKind::StationOnline, &base)
        });
        self.log_stored(stored.await, true);
        gateway.signals.notify(self.signal(SignalKind::Connected));
    }

    /// Records that the socket is gone, unless the station has another one meanwhile.
    pub async fn disconnected(&self, gateway: &GatewayDependencies) {
        let (organization, station, moment) = (self.organization, self.station, gateway.context.moment());
        let connected_at = Timestamp::from_micros(self.connected_at.load(Ordering::Relaxed));
        let (base, connections) = (gateway.context.websocket_url.clone(), gateway.connections.clone());
        let stored = gateway.context.db.write(move |conn| -> StoreResult<bool> {
            let is_gone =
                !connections.is_online(station) && stations::set_offline(conn, station, connected_at, moment.now)?;
            if is_gone {
                record_station_event(conn, &moment, (organization, station), EventKind::StationOffline, &base)?;
            }
            Ok(is_gone)
        });
        let stored = stored.await;
        if !matches!(stored, Ok(false)) {
            self.log_stored(stored.map(drop), false);
            gateway.signals.notify(self.signal(SignalKind::Disconnected));
        }
    }

    fn log_stored(&self, stored: StoreResult<()>, online: bool) {
        match stored {
            Ok(()) => {
                tracing::info!(station = %self.station, online, "a station's connection changed")
            }
            Err(StoreError::NotFound) => {} // deleted while it was connected
            Err(error) => {
                tracing::error!(%error, station = %self.station, "could not record a connection")
            }
        }
    }

    /// Reports that much of what the station sent was throttled.
    pub async fn record_throttled(&self, gateway: &GatewayDependencies, throttled: Throttled) {
        record_throttled(gateway, (self.organization, self.station), throttled).await;
    }

    /// Asks a station that connected without booting to introduce itself.
    pub fn ask_to_boot(connection: &Arc<Self>, gateway: &GatewayDependencies) {
        let message = "BootNotification".to_owned();
        Self::carry_out(
            connection,
            gateway,
            vec![Effect::Ask(StationCommand::TriggerMessage { message, connector: None })],
        );
    }

    /// Carries out what follows from an answer that left.
    pub fn carry_out(connection: &Arc<Self>, gateway: &GatewayDependencies, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Notify(kind) => gateway.signals.notify(connection.signal(kind)),
                Effect::Verify { session, name } => {
                    let (connection, gateway) = (Arc::clone(connection), gateway.clone());
                    tokio::spawn(cause::along(async move { connection.verify(&gateway, session, name).await }));
                }
                Effect::Ask(command) => {
                    let (connections, station) = (gateway.connections.clone(), connection.station);
                    tokio::spawn(async move {
                        if let Err(error) = connections.send(station, command).await {
                            tracing::debug!(%error, %station, "a follow-up was not carried out");
                        }
                    });
                }
            }
        }
    }

    async fn verify(&self, gateway: &GatewayDependencies, session: SessionId, name: String) {
        let command = StationCommand::Device {
            request: DeviceRequest::GetTransactionStatus,
            payload: json!({"transactionId": name}),
        };
        let answer = gateway.connections.send(self.station, command).await;
        let ongoing = answer.ok().and_then(|outcome| outcome.data.get("ongoingIndicator")?.as_bool());
        if ongoing != Some(false) {
            return;
        }
        let (organization, moment) = (self.organization, gateway.context.moment());
        let ended = gateway
            .context
            .db
            .write_to_memory(move |conn| sessions::end_forgotten(conn, &moment, organization, session));
        match ended.await {
            Ok(Some(over)) => {
                let kind = over.connector_id.map(|connector| SignalKind::SessionEnded(connector, over.id));
                kind.into_iter().for_each(|kind| gateway.signals.notify(self.signal(kind)));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, station = %self.station, "a session that is over was not ended")
            }
        }
    }

    /// Keeps what the station does differently from the specification, each kind once.
    pub(super) async fn note(&self, gateway: &GatewayDependencies, deviations: Vec<String>) {
        /// Kinds that are kept of one station.
        const MOST_DEVIATIONS: usize = 50;
        let all = {
            let mut known = self.deviations.lock().unwrap_or_else(PoisonError::into_inner);
            let before = known.len();
            for deviation in deviations {
                if !known.contains(&deviation) && known.len() < MOST_DEVIATIONS {
                    known.push(deviation);
                }
            }
            if known.len() == before {
                return;
            }
            known.clone()
        };
        let station = self.station;
        let stored = gateway.context.db.write(move |conn| stations::save_deviations(conn, station, &all)).await;
        if let Err(error) = stored {
            tracing::warn!(%error, %station, "could not store a station's deviations");
        }
    }
}

/// Reports that much of what a station sent was throttled.
pub(super) async fn record_throttled(
    gateway: &GatewayDependencies,
    (organization, station): (OrganizationId, StationId),
    throttled: Throttled,
) {
    let Throttled { waited, refused } = throttled;
    tracing::warn!(%station, waited, refused, "a station sends too much and is throttled");
    let moment = gateway.context.moment();
    let stored = gateway.context.db.write(move |conn| {
        let data = json!({"chargestation": station, "waited": waited, "refused": refused});
        Change::new(conn, organization, &moment).record_at(station, EventKind::StationFlooded, &data)
    });
    if let Err(error) = stored.await {
        tracing::warn!(%error, %station, "a flood could not be recorded");
    }
}

/// Records an event with the whole station.
pub(super) fn record_station_event(
    conn: &mut Conn,
    moment: &Moment,
    (organization, station): (OrganizationId, StationId),
    kind: EventKind,
    base: &str,
) -> StoreResult<()> {
    let view = view_of(conn, moment, (organization, station), base)?;
    Change::new(conn, organization, moment).record_at(station, kind, &view)
}

/// The same with a line in the audit.
pub(super) fn record_station_change(
    conn: &mut Conn,
    moment: &Moment,
    (organization, station): (OrganizationId, StationId),
    kind: EventKind,
    base: &str,
) -> StoreResult<()> {
    let view = view_of(conn, moment, (organization, station), base)?;
    Change::new(conn, organization, moment).record_in_audit(station, kind, &view)
}

fn view_of(
    conn: &mut Conn,
    moment: &Moment,
    (organization, station): (OrganizationId, StationId),
    base: &str,
) -> StoreResult<StationView> {
    let row = stations::find_station(conn, organization, station)?;
    stations::station_view(conn, row, base, moment.now)
}

/// Notes that no other station than these is connected, and records it for those that were when the server before was killed.
pub fn record_lost_connections(
    conn: &mut Conn,
    moment: &Moment,
    base: &str,
    connected: &HashSet<StationId>,
) -> StoreResult<()> {
    for owner in stations::set_all_offline(conn, connected)? {
        record_station_event(conn, moment, owner, EventKind::StationOffline, base)?;
    }
    Ok(())
}
