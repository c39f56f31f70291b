//! What stations that speak OCPP 1.6 are answered, and what follows from what they said.
//!
//! A handler stores first and answers then: an answer means that what was said is committed. Everything else that
//! follows (signals, a stop because a target was reached) comes after the answer left, as [`Effect`]s.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;

use super::connections::State;
use super::gateway::Gateway;
use super::v16::Incoming;
use super::wire::{Flag, Wire};
use super::{CallError, Decoded, ErrorCode, v16};
use crate::db::{Conn, StoreError, StoreResult};
use crate::events::{self, Event, EventKind};
use crate::kernel::*;
use crate::stations::link::{Command, Signal, SignalKind, StationLink};
use crate::stations::{self, Connector, Registration, Station};

mod certificates;
mod identity;
mod notices;
mod readings;
mod status;
mod transactions;

/// Mains voltage where a location says nothing.
const MAINS: Millivolts = Millivolts(230_000);
/// How long it is remembered which connector has which number.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// Clock skew into the future up to which a station's time is believed.
const BELIEVED_SKEW: Duration = Duration::from_secs(300);

/// The station at the other end.
pub struct Peer {
    /// Which station.
    pub station: StationId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What its flags were when it connected, and what it was caught at since.
    flags: Mutex<Vec<String>>,
    connectors: Mutex<BTreeMap<u32, (ConnectorId, Timestamp)>>,
}

/// What is done after an answer left.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell who listens.
    Tell(SignalKind),
    /// Ask the station to do something.
    Ask(Command),
}

/// An answer, or why there is none, and what follows.
pub type Answered = (Result<String, CallError>, Vec<Effect>);

/// The outcome inside a handler: `?` turns store failures into `InternalError`.
type Handled<T> = Result<(T, Vec<Effect>), CallError>;

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a message of a station could not be stored");
        Self::new(
            ErrorCode::InternalError,
            "It could not be stored; please try again",
        )
    }
}

/// Handles one call of a station.
pub async fn answer(
    gateway: &Gateway,
    peer: &Peer,
    state: &State,
    action: &str,
    payload: &RawValue,
) -> Answered {
    let now = gateway.context.clock.now();
    if state.registration() == Some(Registration::Rejected) && action != "BootNotification" {
        let error = CallError::new(
            ErrorCode::SecurityError,
            "Your registration is Rejected; send a BootNotification",
        );
        return (Err(error), Vec::new());
    }
    let decoded = match Incoming::decode(action, payload, now) {
        Ok(decoded) => decoded,
        Err(error) => {
            metrics::counter!("evenwatt_ocpp_refused_total", "code" => error.code.spelling(super::Version::V16)).increment(1);
            tracing::info!(station = %peer.station, action, error = error.description, "refused a message");
            return (Err(error), Vec::new());
        }
    };
    let Decoded { value, flags } = decoded;
    metrics::counter!("evenwatt_ocpp_messages_total", "action" => value.action()).increment(1);
    let call = Call { gateway, peer, now };
    let (answer, effects) = match dispatch(call, state, value, payload).await {
        Ok((answer, effects)) => (Ok(answer), effects),
        Err(error) => (Err(error), Vec::new()),
    };
    peer.note(gateway, flags.iter().map(flag_name).collect())
        .await;
    (answer, effects)
}

/// A call that is being handled.
#[derive(Clone, Copy)]
struct Call<'a> {
    gateway: &'a Gateway,
    peer: &'a Peer,
    now: Timestamp,
}

async fn dispatch(
    call: Call<'_>,
    state: &State,
    incoming: Incoming,
    payload: &RawValue,
) -> Handled<String> {
    fn done<T: Wire>(handled: Handled<T>) -> Handled<String> {
        handled.map(|(response, effects)| (response.to_json(), effects))
    }
    match incoming {
        Incoming::Heartbeat(_) => done(Ok((
            v16::heartbeat::Response {
                current_time: call.now,
            },
            Vec::new(),
        ))),
        Incoming::MeterValues(request) => {
            done(readings::meter_values(call, request, payload).await)
        }
        Incoming::BootNotification(request) => {
            done(identity::boot_notification(call, state, request).await)
        }
        Incoming::Authorize(request) => done(identity::authorize(call, request).await),
        Incoming::StatusNotification(request) => {
            done(status::status_notification(call, request).await)
        }
        Incoming::StartTransaction(request) => {
            done(transactions::start_transaction(call, request).await)
        }
        Incoming::StopTransaction(request) => {
            done(transactions::stop_transaction(call, request, payload).await)
        }
        Incoming::DataTransfer(_) => {
            let status = v16::data_transfer::Status::UnknownVendorId;
            done(Ok((
                v16::data_transfer::Response { status, data: None },
                Vec::new(),
            )))
        }
        Incoming::SignCertificate(request) => {
            done(certificates::sign_certificate(call, request).await)
        }
        Incoming::DiagnosticsStatusNotification(_)
        | Incoming::FirmwareStatusNotification(_)
        | Incoming::SignedFirmwareStatusNotification(_)
        | Incoming::LogStatusNotification(_)
        | Incoming::SecurityEventNotification(_) => notices::notice(call, &incoming, payload).await,
    }
}

/// A repair as an operator reads it: `meterValue[].timestamp: Zoneless`, the same for every index.
fn flag_name(flag: &Flag) -> String {
    let path: String = flag.path.chars().filter(|c| !c.is_ascii_digit()).collect();
    format!("{path}: {:?}", flag.repair)
}

impl Call<'_> {
    fn moment(&self) -> Moment {
        self.gateway.context.moment()
    }

    /// The station's time, or ours when its clock runs far ahead or stands before the year 2000.
    fn believed(&self, at: Timestamp) -> Timestamp {
        const YEAR_2000: Timestamp = Timestamp::from_unix_seconds(946_684_800);
        if at > self.now + BELIEVED_SKEW || at < YEAR_2000 {
            self.now
        } else {
            at
        }
    }

    /// Which of our connectors has this number, remembered for a minute.
    async fn connector(&self, number: u32) -> StoreResult<Option<ConnectorId>> {
        let known = self.peer.remembered().get(&number).copied();
        if let Some((id, read_at)) = known
            && self.now.since(read_at) < REMEMBERED_FOR
        {
            return Ok(Some(id));
        }
        let (station, wanted) = (self.peer.station, i32::try_from(number).unwrap_or(i32::MAX));
        let found = self
            .gateway
            .context
            .db
            .read(move |conn| stations::connector_by_number(conn, station, wanted));
        let Some(connector) = found.await? else {
            return Ok(None);
        };
        self.peer
            .remembered()
            .insert(number, (connector.id, self.now));
        Ok(Some(connector.id))
    }
}

impl Peer {
    /// The station of an admitted connection.
    pub fn new(_gateway: &Gateway, station: Station) -> Self {
        Self {
            station: station.id,
            organization: station.organization_id,
            flags: Mutex::new(station.flags.0),
            connectors: Mutex::default(),
        }
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, (ConnectorId, Timestamp)>> {
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, kind: SignalKind) -> Signal {
        Signal {
            organization: self.organization,
            station: self.station,
            kind,
        }
    }

    /// Records that the socket is open.
    pub async fn connected(&self, gateway: &Gateway) {
        self.record_online(gateway, true).await;
        gateway.signals.tell(self.signal(SignalKind::Connected));
    }

    /// Records that the socket is gone.
    pub async fn disconnected(&self, gateway: &Gateway) {
        self.record_online(gateway, false).await;
        gateway.signals.tell(self.signal(SignalKind::Disconnected));
    }

    async fn record_online(&self, gateway: &Gateway, online: bool) {
        let (organization, station, moment) =
            (self.organization, self.station, gateway.context.moment());
        let base = gateway.context.websocket_url.clone();
        let kind = if online {
            EventKind::StationOnline
        } else {
            EventKind::StationOffline
        };
        let stored = gateway.context.db.write(move |conn| -> StoreResult<()> {
            stations::set_online(conn, station, online, moment.now)?;
            tell_station(conn, &moment, (organization, station), kind, &base)
        });
        match stored.await {
            Ok(()) => {
                tracing::info!(station = %self.station, online, "a station's connection changed")
            }
            Err(StoreError::NotFound) => {} // deleted while it was connected
            Err(error) => {
                tracing::error!(%error, station = %self.station, "could not record a connection")
            }
        }
    }

    /// Asks a station that connected without booting to introduce itself.
    pub fn ask_to_boot(peer: &Arc<Self>, gateway: &Gateway) {
        let message = "BootNotification".to_owned();
        Self::carry_out(
            peer,
            gateway,
            vec![Effect::Ask(Command::TriggerMessage {
                message,
                connector: None,
            })],
        );
    }

    /// Carries out what follows from an answer that left.
    pub fn carry_out(peer: &Arc<Self>, gateway: &Gateway, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Tell(kind) => gateway.signals.tell(peer.signal(kind)),
                Effect::Ask(command) => {
                    let (connections, station) = (gateway.connections.clone(), peer.station);
                    tokio::spawn(async move {
                        if let Err(error) = connections.send(station, command).await {
                            tracing::debug!(%error, %station, "a follow-up was not carried out");
                        }
                    });
                }
            }
        }
    }

    /// Keeps what the station does differently from the specification, each kind once.
    async fn note(&self, gateway: &Gateway, flags: Vec<String>) {
        /// Kinds that are kept of one station.
        const MOST_FLAGS: usize = 50;
        let all = {
            let mut known = self.flags.lock().unwrap_or_else(PoisonError::into_inner);
            let before = known.len();
            for flag in flags {
                if !known.contains(&flag) && known.len() < MOST_FLAGS {
                    known.push(flag);
                }
            }
            if known.len() == before {
                return;
            }
            known.clone()
        };
        let station = self.station;
        let stored = gateway
            .context
            .db
            .write(move |conn| stations::save_flags(conn, station, &all))
            .await;
        if let Err(error) = stored {
            tracing::warn!(%error, %station, "could not store a station's flags");
        }
    }
}

/// Tells an event with the whole station.
fn tell_station(
    conn: &mut Conn,
    moment: &Moment,
    (organization, station): (OrganizationId, StationId),
    kind: EventKind,
    base: &str,
) -> StoreResult<()> {
    let row = stations::find_station(conn, organization, station)?;
    let view = stations::station_view(conn, row, base)?;
    events::record(
        conn,
        moment,
        Event::new(organization, kind).at(station),
        &view,
    )
}

/// The connector with this number, for a handler that needs more than its id.
fn connector_of(
    conn: &mut Conn,
    station: StationId,
    number: u32,
) -> StoreResult<Option<Connector>> {
    stations::connector_by_number(conn, station, i32::try_from(number).unwrap_or(i32::MAX))
}
