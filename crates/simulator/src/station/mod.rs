//! A charge station as a state machine without I/O: what happens goes in, what it says comes out.
//!
//! The socket feeds it texts, drivers plug cars in and out, and `now` is always an argument; the same inputs give
//! the same outputs. It boots, reports, meters and obeys as OCPP 1.6 wants it. What is due is worked off by
//! [`Station::tick`], at the latest at [`Station::next_wake`].

mod commands;
mod connector;
mod dialect;
mod outbox;
mod talk;
mod transactions;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::Protocol;
use kernel::Timestamp;
use ocpp::session::{CALL_TIMEOUT, Session, SessionOptions};
use ocpp::text::{Label, TooLong};
use ocpp::v16::common::IdTag;
use ocpp::v16::{ChargePointErrorCode, ChargePointStatus, Reason, boot_notification, status_notification};

use super::car::{Car, Scale};
use super::limit::{Limit, Outlet};
use super::profiles::Profiles;
use super::settings::{HEARTBEAT_INTERVAL, Settings};
use connector::Connector;
use dialect::Dialect;
use outbox::{Message, Outbox};

pub use view::{ConnectorView, StationView};

/// How often cars are looked at while they charge.
const PHYSICS_INTERVAL: Duration = Duration::from_secs(1);

/// What a station is made of.
#[derive(Debug, Clone)]
pub struct StationSpec {
    /// Who it says it is.
    pub identity: boot_notification::Request,
    /// Its connectors, numbered from 1.
    pub outlets: Vec<Outlet>,
    /// How often a transaction is metered; may be less than a second in load tests.
    pub meter_interval: Duration,
    /// How fast batteries fill.
    pub scale: Scale,
    /// Whether everybody may charge: no card is asked about, and none that the server refuses ends a transaction
    /// (`StopTransactionOnInvalidId` false).
    pub free: bool,
    /// What it speaks.
    pub version: Protocol,
}

impl StationSpec {
    /// A station with this serial number.
    pub fn new(serial: &str, outlets: Vec<Outlet>) -> Result<Self, TooLong> {
        Ok(Self {
            identity: boot_notification::Request {
                charge_point_vendor: Label::new("Evenwatt")?.into(),
                charge_point_model: Label::new("Virtual")?.into(),
                charge_point_serial_number: Some(Label::new(serial)?),
                charge_box_serial_number: None,
                firmware_version: Some(Label::new(env!("CARGO_PKG_VERSION"))?),
                iccid: None,
                imsi: None,
                meter_type: None,
                meter_serial_number: None,
            },
            outlets,
            meter_interval: Duration::from_secs(10),
            scale: Scale::REAL,
            free: false,
            version: Protocol::V16,
        })
    }
}

/// Something to do, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Send this text.
    Send(String),
    /// Close the socket and come back: the station restarts.
    Disconnect,
    /// A call of the station was answered, or was not.
    Called {
        /// What it wanted.
        action: &'static str,
        /// How long the answer took.
        took: Duration,
        /// Whether it was answered with a result.
        fine: bool,
    },
    /// A call of the server was answered.
    Obeyed {
        /// What it wanted.
        action: String,
        /// Whether it was answered with a result.
        fine: bool,
    },
}

/// How far a station is with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No socket.
    Offline,
    /// Not accepted yet; asks at this instant.
    Booting(Timestamp),
    /// Accepted; the next heartbeat is due at this instant.
    Accepted(Timestamp),
}

/// A charge station.
#[derive(Debug)]
pub struct Station {
    spec: StationSpec,
    settings: Settings,
    meter_interval: Option<Duration>,
    profiles: Profiles,
    connectors: Vec<Connector>,
    session: Option<Session>,
    session_wake: Option<Timestamp>,
    phase: Phase,
    outbox: Outbox,
    dialect: Dialect,
    /// The server's numbers of transactions it has not heard everything about yet.
    numbers: BTreeMap<u64, i64>,
    transactions: u64,
    local_list_version: i64,
    advanced_at: Timestamp,
    effects: Vec<Effect>,
}

impl Station {
    /// A station that was just switched on.
    pub fn new(spec: StationSpec, now: Timestamp) -> Self {
        let connectors = (1..).zip(&spec.outlets);
        Self {
            settings: Settings::new(spec.outlets.len(), spec.meter_interval),
            meter_interval: Some(spec.meter_interval).filter(|every| !every.is_zero()),
            profiles: Profiles::default(),
            connectors: connectors.map(|(number, outlet)| Connector::new(number, *outlet)).collect(),
            session: None,
            session_wake: None,
            phase: Phase::Offline,
            outbox: Outbox::default(),
            dialect: Dialect::new(spec.version),
            numbers: BTreeMap::new(),
            transactions: 0,
            local_list_version: 0,
            advanced_at: now,
            effects: Vec::new(),
            spec,
        }
    }

    /// The socket is open.
    pub fn connected(&mut self, now: Timestamp) {
        self.session = Some(Session::new(SessionOptions {
            version: self.dialect.version(),
            id_prefix: "s".to_owned(),
            call_timeout: CALL_TIMEOUT,
        }));
        self.phase = Phase::Booting(now);
        self.tick(now);
    }

    /// The socket is gone.
    pub fn disconnected(&mut self, now: Timestamp) {
        self.session = None;
        self.session_wake = None;
        self.phase = Phase::Offline;
        if let Some(lost) = self.outbox.finish() {
            self.note(lost.message.action(), lost.sent_at, now, false);
            self.outbox.again(lost.message, lost.refusals);
        }
        self.outbox.forget_small_talk();
        self.tick(now);
    }

    /// A car arrives; its driver shows this card.
    pub fn plug_in(&mut self, connector: u32, car: Car, id_tag: IdTag, now: Timestamp) {
        self.advance(now);
        let unasked = self.spec.free || !matches!(self.phase, Phase::Accepted(_));
        let Some(place) = self.connector_mut(connector).filter(|one| one.car.is_none()) else {
            return;
        };
        place.car = Some(car);
        place.finished = false;
        let promise = place.promise.take();
        let usable = place.operative;
        self.report_changes(now);
        match promise {
            _ if !usable => {}
            Some(promise) => self.start(connector, promise, now),
            // LocalAuthorizeOffline and AllowOfflineTxForUnknownId.
            None if unasked => self.start_as(connector, id_tag, now),
            None => self.outbox.push(Message::Authorize { connector, id_tag }),
        }
        self.tick(now);
    }

    /// A car leaves.
    pub fn unplug(&mut self, connector: u32, now: Timestamp) {
        self.advance(now);
        self.stop(connector, Reason::EvDisconnected, now);
        if let Some(place) = self.connector_mut(connector) {
            place.car = None;
            place.finished = false;
        }
        self.tick(now);
    }

    /// Works off what is due.
    pub fn tick(&mut self, now: Timestamp) {
        self.advance(now);
        self.meter(now);
        self.report_changes(now);
        self.talk(now);
    }

    /// Whether the server accepted it and it waits for no answer: somebody else may say something on its connection.
    pub fn is_quiet(&self) -> bool {
        matches!(self.phase, Phase::Accepted(_)) && !self.outbox.is_busy()
    }

    /// What is to be done; empties the list.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// When [`tick`](Self::tick) has something to do at the latest.
    pub fn next_wake(&self) -> Timestamp {
        let idle = self.advanced_at + Duration::from_secs(60);
        let said = match self.phase {
            Phase::Offline => None,
            Phase::Booting(at) | Phase::Accepted(at) => Some(at).filter(|_| !self.outbox.is_busy()),
        };
        let charging = self.connectors.iter().flat_map(|one| &one.transaction);
        let physics =
            self.connectors.iter().any(|one| one.transaction.is_some()).then(|| self.advanced_at + PHYSICS_INTERVAL);
        charging
            .filter_map(|transaction| transaction.meter_at)
            .chain([said, self.session_wake, self.outbox.held_until, physics].into_iter().flatten())
            .fold(idle, Timestamp::min)
    }

    /// Lets time pass: energy flows under the old limits, then the limits of this instant apply.
    fn advance(&mut self, now: Timestamp) {
        let span = now.since(self.advanced_at);
        self.advanced_at = self.advanced_at.max(now);
        for connector in &mut self.connectors {
            connector.advance(span, self.spec.scale);
        }
        self.apply_limits(now);
    }

    /// Looks up what each connector may draw; cars of one station share the station's own limit equally.
    fn apply_limits(&mut self, now: Timestamp) {
        let busy = self.connectors.iter().filter(|one| one.transaction.is_some()).count();
        for one in &mut self.connectors {
            let running = one.transaction.as_ref().map(|running| running.running());
            let station = self.profiles.station_limit(&one.outlet, now);
            let own = self.profiles.connector_limit(one.number, &one.outlet, running, now);
            one.limit = [station.map(|limit| limit.shared_by(busy)), own]
                .into_iter()
                .flatten()
                .fold(one.outlet.unlimited(), Limit::and);
        }
    }

    /// Reports every status that changed to the server.
    fn report_changes(&mut self, now: Timestamp) {
        for connector in &mut self.connectors {
            let status = connector.true_status();
            if connector.status != status {
                connector.status = status.clone();
                if matches!(self.phase, Phase::Accepted(_)) {
                    let notice = notification(connector.number, status, now);
                    self.outbox.push(Message::Status(notice));
                }
            }
        }
    }

    fn connector(&self, number: u32) -> Option<&Connector> {
        self.connectors.iter().find(|one| one.number == number)
    }

    fn connector_mut(&mut self, number: u32) -> Option<&mut Connector> {
        self.connectors.iter_mut().find(|one| one.number == number)
    }

    fn heartbeat_after(&self, now: Timestamp) -> Timestamp {
        let never = Duration::from_secs(86_400);
        now + self.settings.seconds(HEARTBEAT_INTERVAL).unwrap_or(never)
    }
}

/// The notice that a connector has this status.
fn notification(connector_id: u32, status: ChargePointStatus, now: Timestamp) -> status_notification::Request {
    status_notification::Request {
        connector_id,
        error_code: ChargePointErrorCode::NoError.into(),
        info: None,
        status,
        timestamp: Some(now),
        vendor_id: None,
        vendor_error_code: None,
    }
}

#[cfg(test)]
mod tests;
