//! Who is connected: the newest socket of a station wins, and every clean-up carries its own generation, so that an
//! old socket's end never takes a new one down.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::commands::{self, Manner, Names, Report, WireCall, spoken};
use super::dynamic;
use super::in_force::InForce;
use super::profile_variants;
pub use super::state::{Known, State};
use crate::charging::sessions;
use crate::sites::stations::link::{LinkError, Outcome, SetLimit, StationCommand, StationLink};
use crate::sites::stations::{self, Registration};
use crate::store::{Conn, Db, StoreResult};
use clock::SharedClock;
use kernel::Protocol;
use kernel::{StationId, Timestamp, Watts};
use ocpp::session::{CallFailure, OutgoingCall};

/// Orders that may wait for a connection's task to take them.
const MOST_ORDERS: usize = 64;
/// How long a station may take to report all that it was asked for.
const REPORTED_WITHIN: Duration = Duration::from_secs(50);
/// How long a command stays worth sending while it waits in the queue.
const WORTH_SENDING_FOR: Duration = Duration::from_secs(60);

/// Messages to a connection's task.
#[derive(Debug)]
pub enum Order {
    /// Call the station.
    Call {
        /// The call; its correlation is set by the task. In a box, as each connection keeps room for many orders.
        call: Box<OutgoingCall>,
        /// Who waits for the answer.
        reply: oneshot::Sender<Result<Box<RawValue>, CallFailure>>,
    },
    /// Close the socket.
    Close(CloseReason),
}

/// Why a socket is closed by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The station opened another one.
    Replaced,
    /// An operator asked for it, or the station was switched off.
    Disconnected,
    /// The server stops.
    ServerStops,
}

/// A connection as others see it.
#[derive(Clone)]
pub struct Handle {
    generation: u64,
    orders: mpsc::Sender<Order>,
    state: Arc<State>,
}

/// All connections of this server.
#[derive(Clone)]
pub struct Connections {
    handles: Arc<Mutex<HashMap<StationId, Handle>>>,
    generations: Arc<AtomicU64>,
    /// Calls that stations have not answered.
    calls: Arc<watch::Sender<usize>>,
    clock: SharedClock,
    db: Db,
    /// The live limits that stations took.
    pub in_force: InForce,
}

/// Counts a call until it is answered, or waited for no more.
struct OpenCall<'a>(&'a watch::Sender<usize>);

impl<'a> OpenCall<'a> {
    fn new(calls: &'a watch::Sender<usize>) -> Self {
        calls.send_modify(|calls| *calls += 1);
        Self(calls)
    }
}

impl Drop for OpenCall<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls = calls.saturating_sub(1));
    }
}

impl Connections {
    /// None yet.
    pub fn new(clock: SharedClock, db: Db) -> Self {
        metrics::gauge!("evenwatt_ocpp_connections").set(0.0); // there from the start
        let calls = Arc::new(watch::Sender::new(0));
        Self { handles: Arc::default(), generations: Arc::default(), calls, clock, db, in_force: InForce::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StationId, Handle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a new connection; answers also whether it replaces an older one of the station.
    pub fn enter(
        &self,
        station: StationId,
        version: Protocol,
        known: Known,
    ) -> (u64, mpsc::Receiver<Order>, Arc<State>, bool) {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let (orders, receiver) = mpsc::channel(MOST_ORDERS);
        let state = Arc::new(State::new(version, known));
        let handle = Handle { generation, orders, state: Arc::clone(&state) };
        let old = self.lock().insert(station, handle);
        let replaced = old.is_some();
        if let Some(old) = old {
            let _ = old.orders.try_send(Order::Close(CloseReason::Replaced));
        }
        metrics::gauge!("evenwatt_ocpp_connections").set(f64::from(self.open()));
        (generation, receiver, state, replaced)
    }

    /// Removes a connection that ended; false when a newer one already replaced it.
    pub fn leave(&self, station: StationId, generation: u64) -> bool {
        let mut handles = self.lock();
        let current = handles.get(&station).is_some_and(|handle| handle.generation == generation);
        if current {
            handles.remove(&station);
        }
        drop(handles);
        metrics::gauge!("evenwatt_ocpp_connections").set(f64::from(self.open()));
        current
    }

    /// The stations that are connected.
    pub fn stations(&self) -> HashSet<StationId> {
        self.lock().keys().copied().collect()
    }

    /// How many there are.
    pub fn open(&self) -> i32 {
        i32::try_from(self.lock().len()).unwrap_or(i32::MAX)
    }

    /// Waits until no station is asked anything, and no longer than so.
    pub async fn until_answered(&self, patience: Duration) {
        let mut calls = self.calls.subscribe();
        let none = calls.wait_for(|calls| *calls == 0);
        let _ = tokio::time::timeout(patience, none).await;
    }

    /// Closes every socket: the server stops.
    pub fn close_all(&self) {
        for handle in self.lock().values() {
            let _ = handle.orders.try_send(Order::Close(CloseReason::ServerStops));
        }
    }

    /// Stations that said something since this was last asked, and when.
    pub fn newly_seen(&self) -> Vec<(StationId, Timestamp)> {
        let seen = |(id, handle): (&StationId, &Handle)| {
            let last = handle.state.last_seen_micros.load(Ordering::Relaxed);
            let sent = handle.state.reported_seen_micros.swap(last, Ordering::Relaxed);
            (last != sent).then_some((*id, Timestamp::from_micros(last)))
        };
        self.lock().iter().filter_map(seen).collect()
    }

    fn handle(&self, station: StationId) -> Result<Handle, LinkError> {
        let handles = self.lock();
        handles.get(&station).cloned().ok_or(LinkError::Offline)
    }

    /// Calls a station and waits for the raw answer.
    async fn call(&self, station: StationId, call: OutgoingCall) -> Result<Box<RawValue>, LinkError> {
        let handle = self.handle(station)?;
        let (reply, answer) = oneshot::channel();
        handle.orders.try_send(Order::Call { call: Box::new(call), reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => LinkError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => LinkError::Offline,
        })?;
        let _open = OpenCall::new(&self.calls);
        answer.await.unwrap_or(Err(CallFailure::Dropped)).map_err(link_error)
    }

    async fn carry_out(
        &self,
        station: StationId,
        command: &StationCommand,
        variant: usize,
        names: Option<&Names>,
    ) -> Result<Outcome, LinkError> {
        let now = self.clock.now();
        let there = self.handle(station)?.state.clock().theirs(now);
        let wire = commands::build(command, Manner { variant, now: there }, names)?;
        self.note_trigger(station, &wire);
        let WireCall { action, payload } = wire.clone();
        let (priority, coalesce_key) = spoken(command).urgency();
        let call = OutgoingCall {
            correlation: 0,
            action,
            payload,
            priority,
            coalesce_key,
            expires_at: now + WORTH_SENDING_FOR,
        };
        let answer = self.call(station, call).await;
        let elapsed = self.clock.now().since(now);
        metrics::histogram!("evenwatt_ocpp_call_seconds", "action" => wire.action.clone()).record(elapsed);
        let raw = answer?;
        let version = names.map_or(Protocol::V16, |names| names.version);
        let outcome = commands::outcome(command, &wire, version, &raw);
        if outcome.accepted {
            self.in_force.agreed(station, command);
        }
        if version >= Protocol::V21 && outcome.accepted {
            self.follow_dynamic(station, &wire).await;
        }
        Ok(outcome)
    }

    /// Notes which message a station is asked for.
    fn note_trigger(&self, station: StationId, wire: &WireCall) {
        if wire.action != "TriggerMessage" {
            return;
        }
        let payload: Value = serde_json::from_str(&wire.payload).unwrap_or_default();
        let asked = payload.get("requestedMessage").and_then(Value::as_str);
        let message = match asked.unwrap_or_default() {
            certificate if certificate.starts_with("Sign") => "SignCertificate",
            message => message,
        };
        if let Some(handle) = self.lock().get(&station) {
            handle.state.triggered().insert(message.to_owned());
        }
    }

    /// Keeps what a station accepted of a dynamic profile.
    async fn follow_dynamic(&self, station: StationId, wire: &WireCall) {
        let Some(change) = dynamic::Change::of(wire) else {
            return;
        };
        let now = self.clock.now();
        let write = self.db.write(move |conn| change.store(conn, station, now));
        if let Err(error) = write.await {
            tracing::error!(%error, %station, "a dynamic profile could not be stored");
        }
    }

    /// Asks for what a report contains, and waits until that is whole.
    async fn with_report(
        &self,
        station: StationId,
        state: &State,
        names: &Names,
        (command, report): (&StationCommand, Report),
    ) -> Result<Outcome, LinkError> {
        let (number, waiting) = state.reports.expect(self.clock.now());
        let asked = (report.numbered)(command, number);
        let mut outcome = self.carry_out(station, &asked, 0, Some(names)).await?;
        let mut parts = Vec::new();
        if outcome.accepted && !reports_nothing(outcome.status.as_deref()) {
            let whole = tokio::time::timeout(REPORTED_WITHIN, waiting).await;
            parts = whole.map_err(|_| LinkError::Silent)?.map_err(|_| LinkError::Dropped)?;
        }
        outcome.data = (report.combined)(outcome.data, report.kind.join(parts));
        Ok(outcome)
    }

    /// A station that refuses one variant of a limit may take the next; what it took is remembered.
    async fn send_limit(
        &self,
        station: StationId,
        state: &State,
        limit: &SetLimit,
        names: Option<&Names>,
    ) -> Result<Outcome, LinkError> {
        let now = self.clock.now();
        let shared = names.is_some_and(|names| names.shares_its_evse(limit));
        let before = state.limit_strategy().stored();
        let (mut last, mut tried) = (Ok(refuses_zero(None)), Vec::new());
        // Asked for anew each time: another limit of the station may be answered meanwhile, which says more of it.
        let next = |tried: &[(Watts, usize)]| {
            let tries = state.limit_strategy().tries(limit, shared, now);
            let mut new = tries.into_iter();
            new.find(|(sent, variant)| !tried.contains(&(sent.limit, *variant)))
        };
        while let Some((sent, variant)) = next(&tried) {
            tried.push((sent.limit, variant));
            let command = StationCommand::SetLimit(sent.clone());
            last = self.carry_out(station, &command, variant, names).await;
            match &mut last {
                Ok(outcome) if outcome.accepted => {
                    state.limit_strategy().accepted(limit, (&sent, variant), now);
                    profile_variants::note(outcome, &command, variant);
                    break;
                }
                Ok(_) | Err(LinkError::Refused { .. }) => {}
                Err(_) => break,
            }
        }
        if tried.is_empty() {
            return last;
        }
        let refused = match &last {
            Ok(outcome) => !outcome.accepted,
            Err(error) => matches!(error, LinkError::Refused { .. }),
        };
        if refused {
            let mut strategy = state.limit_strategy();
            let tried: Vec<usize> = tried.into_iter().map(|(_, variant)| variant).collect();
            strategy.refused(limit, &tried, now);
            if limit.limit <= Watts::ZERO && strategy.refuses_zero() {
                last = Ok(refuses_zero(last.ok()));
            }
        }
        let after = state.limit_strategy().stored();
        if after != before {
            let save = move |conn: &mut Conn| stations::save_limit_variants(conn, station, &after);
            if let Err(error) = self.db.write(save).await {
                tracing::warn!(%error, %station, "could not store a station's limit capabilities");
            }
        }
        last
    }

    /// What a station calls the parts that a command is about; nothing where it numbers them as we do.
    async fn names(
        &self,
        station: StationId,
        version: Protocol,
        command: &StationCommand,
    ) -> Result<Option<Names>, LinkError> {
        if version == Protocol::V16 {
            return Ok(None);
        }
        let transaction = spoken(command).transaction();
        let read = self.db.read(move |conn| -> StoreResult<Names> {
            let layout = stations::layout(conn, station)?;
            let session = match transaction {
                Some(number) => sessions::find_by_transaction(conn, station, number)?,
                None => None,
            };
            Ok(Names { version, layout, transaction: session.and_then(|session| session.transaction_name) })
        });
        let names = read.await.map_err(|error| {
            tracing::error!(%error, %station, "a station's connectors could not be read");
            LinkError::QueueFull
        });
        names.map(Some)
    }
}

/// That a station takes limits and refuses 0: its own word, or what is remembered of it.
fn refuses_zero(said: Option<Outcome>) -> Outcome {
    let remembered = || {
        let data = json!({"remembered": "the station takes limits, and refuses 0"});
        Outcome::answered(false, Some("Rejected".to_owned()), data)
    };
    Outcome { refuses_zero: true, ..said.unwrap_or_else(remembered) }
}

/// Whether an answer says that no report will follow, because there is nothing to report.
fn reports_nothing(status: Option<&str>) -> bool {
    status != Some("Accepted")
}

fn link_error(failure: CallFailure) -> LinkError {
    match failure {
        CallFailure::Error(error) => LinkError::Refused {
            code: error.code_as_said().to_owned(),
            description: error.description,
            details: Some(error.details),
        },
        CallFailure::TimedOut | CallFailure::Expired => LinkError::Silent,
        CallFailure::Dropped => LinkError::Dropped,
        CallFailure::Superseded => LinkError::Superseded,
        CallFailure::QueueFull => LinkError::QueueFull,
    }
}

#[async_trait]
impl StationLink for Connections {
    fn is_online(&self, station: StationId) -> bool {
        self.lock().contains_key(&station)
    }

    async fn send(&self, station: StationId, command: StationCommand) -> Result<Outcome, LinkError> {
        let state = self.handle(station)?.state;
        refuse_by_registration(state.registration(), &command)?;
        let command = state.clock().in_its_time(command);
        let names = self.names(station, state.version, &command).await?;
        let names = names.as_ref();
        let report = spoken(&command).report();
        if let (Some(names), Some(report)) = (names, report) {
            return self.with_report(station, &state, names, (&command, report)).await;
        }
        if let StationCommand::SetLimit(limit) = &command {
            return self.send_limit(station, &state, limit, names).await;
        }
        let outcome = self.carry_out(station, &command, 0, names).await;
        if let (StationCommand::SendCost { .. }, Err(LinkError::Refused { .. })) = (&command, &outcome) {
            state.costs.refused();
        }
        outcome
    }

    fn disconnect(&self, station: StationId) -> bool {
        match self.lock().get(&station) {
            Some(handle) => handle.orders.try_send(Order::Close(CloseReason::Disconnected)).is_ok(),
            None => false,
        }
    }
}

/// A rejected station is not called at all, a pending one is not asked to start or stop (OCPP 1.6 §4.2).
fn refuse_by_registration(registration: Option<Registration>, command: &StationCommand) -> Result<(), LinkError> {
    let remote = matches!(command, StationCommand::StartCharging { .. } | StationCommand::StopCharging { .. });
    let why = match registration {
        Some(Registration::Rejected) => "the station's registration is Rejected",
        Some(Registration::Pending) if remote => "the station's registration is Pending",
        _ => return Ok(()),
    };
    Err(LinkError::Refused { code: "SecurityError".to_owned(), description: why.to_owned(), details: None })
}
