//! What the balancing of one tree must not forget: it is stored before anything is sent and after every answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::demand::Demand;
use super::draws::Draws;
use super::gather::{Role, Site, SiteConnector};
use super::load::Load;
use super::meter::{Allowed, Meter, says_something};
use super::phases::UsedPhases;
use super::restart::Restart;
use super::sent_limits::SentLimits;
use super::stray::Stray;
use crate::sites::stations::link::Enforced;
use engine::transition::{Ledger, Stage};
use engine::{Plan, QueueState, Uncontrolled};
use kernel::{
    AssetId, ConnectorId, GroupId, Milliamps, Millivolts, PhaseSet, PlanId, SessionId, StationId, Timestamp, Watts,
};

/// Everything remembered of one tree. What is kept of each connector is stored by itself ([`super::ledger_rows`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// The most that every connector may be drawing.
    #[serde(skip)]
    pub ledger: Ledger,
    /// What is remembered of every member.
    #[serde(skip)]
    pub connectors: BTreeMap<ConnectorId, Memory>,
    /// Connectors that left, whose stations still have limits of ours.
    pub leaving: BTreeMap<ConnectorId, Leaving>,
    /// Whether limits are sent: false where its root only plans.
    pub sends: bool,
    /// The plan that was recorded last.
    pub plan: Option<PlanId>,
    /// How far it has come.
    pub stage: Option<Stage>,
    /// The plan that was reported as settled.
    pub settled: Option<PlanId>,
    /// Since when more may be drawn somewhere than there is.
    pub exceeded_since: Option<Timestamp>,
    /// Whether that was reported.
    #[serde(rename = "exceeded_told")]
    pub exceeded_reported: bool,
    /// What else drew below each group when last looked at.
    pub loads: BTreeMap<GroupId, Load>,
    /// Assets whose data is too old to go by, which was reported.
    pub stale: BTreeSet<AssetId>,
    /// Groups of which a fresh meter shows that more is drawn than they may, and since when.
    pub above: BTreeMap<GroupId, Timestamp>,
    /// What happens at connectors of its stations that are not set up, or are no members and have no session.
    pub strays: BTreeMap<ConnectorId, Stray>,
}

/// What is remembered of one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Its station.
    pub station: StationId,
    /// Its number there.
    pub number: i32,
    /// Whether its station was connected when last looked at.
    pub online: bool,
    /// Since when its station is away.
    pub offline_since: Option<Timestamp>,
    /// Its live limit does not run out, because the station takes none that does.
    #[serde(default)]
    #[serde(rename = "outlives")]
    pub never_expires: bool,
    /// Its live limit has run out since, so that only the fallback applies.
    pub ran_out: bool,
    /// The limit it was planned last.
    pub limit: Watts,
    /// Since when it is that limit.
    pub since: Timestamp,
    /// The session that `queue` belongs to.
    pub session: Option<SessionId>,
    /// Its queue position.
    #[serde(rename = "turn")]
    pub queue_state: QueueState,
    /// Since when its car declines power.
    pub suspended_since: Option<Timestamp>,
    /// What applies when this server is not heard of.
    pub fallback: Fallback,
    /// When it was last sent a limit.
    pub sent_at: Option<Timestamp>,
    /// Since when it was sent limits without confirming one.
    #[serde(default)]
    pub unconfirmed_since: Option<Timestamp>,
    /// Live limits that may be in force, until they run out.
    #[serde(default)]
    #[serde(rename = "told")]
    pub sent_limits: SentLimits,
    /// When its station refused the limit 0, which some take for invalid.
    #[serde(default)]
    pub refuses_zero: Option<Timestamp>,
    /// What it was last sent while its power is reserved, and when.
    #[serde(default)]
    pub least: Option<(Timestamp, Watts)>,
    /// What its meter shows.
    #[serde(default)]
    pub meter: Meter,
    /// What it may have been drawing when.
    #[serde(default)]
    pub allowed: Allowed,
    /// Readings above the limit, one after the other.
    pub overdraw: Option<Overdraw>,
    /// When it became uncontrolled.
    pub lost_at: Option<Timestamp>,
    /// What its car has shown to use.
    #[serde(default)]
    pub demand: Demand,
    /// Its station takes limits of a transaction only, and forgets them with it.
    #[serde(default)]
    pub ends_with_transaction: bool,
    /// Its station takes watts, and makes of them what it thinks of the car's phases.
    #[serde(default)]
    pub in_watts: bool,
    /// What its station says that it enforces.
    #[serde(default)]
    pub read_back: ReadBack,
    /// Which phases its car uses.
    #[serde(default)]
    pub phases: UsedPhases,
    /// What it drew lately.
    #[serde(default)]
    pub draws: Draws,
    /// When its session was asked to stop, to shed load.
    #[serde(default)]
    pub stopped_at: Option<Timestamp>,
    /// Its car, where it is to be started again.
    #[serde(default)]
    pub again: Restart,
}

/// The safe default on the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Fallback {
    /// The station confirmed this one.
    pub proven: Option<Watts>,
    /// This one was sent and may be there already.
    pub sent: Option<Watts>,
    /// An answer is awaited.
    pub in_flight: bool,
    /// It is to be installed (again): the station booted or connected.
    pub due: bool,
    /// Not before this, because the last try failed.
    pub retry_at: Option<Timestamp>,
}

/// What a station says that it enforces (a composite schedule), asked once after it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReadBack {
    /// It is to be asked.
    #[default]
    Due,
    /// An answer is awaited.
    Asked,
    /// It does not report it.
    #[serde(rename = "not_told")]
    NotReported,
    /// It reports no more than it confirmed.
    AsConfirmed,
    /// It reports more.
    More,
}

/// What a station confirmed when it was asked what it enforces, to compare its answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Confirmed {
    pub limit: Watts,
    pub voltage: Millivolts,
    pub phases: PhaseSet,
}

impl ReadBack {
    /// What an answer means: a difference of an ampere may be rounding.
    pub(super) fn of(enforced: Option<Enforced>, confirmed: Confirmed) -> Self {
        let Confirmed { limit, voltage, phases } = confirmed;
        let enforced = match enforced {
            Some(Enforced::Power(power)) => power,
            Some(Enforced::Current(current)) => current.to_power(voltage, phases),
            None => return Self::NotReported,
        };
        if enforced > limit + Milliamps(1_000).to_power(voltage, phases) { Self::More } else { Self::AsConfirmed }
    }
}

/// A draw above the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Overdraw {
    /// Since when.
    pub since: Timestamp,
    /// In how many readings.
    pub samples: u32,
    /// The limit it should have kept.
    pub limit: Watts,
    /// It was sent its limit again because of that.
    #[serde(default)]
    #[serde(rename = "told_again")]
    pub sent_again: bool,
}

/// A connector that left with limits of ours on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leaving {
    /// Its station.
    pub station: StationId,
    /// Its number there.
    pub number: i32,
    /// Its release is under way.
    pub in_flight: bool,
}

/// Something about a member that people should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remark {
    /// It draws more than it may.
    NotObeying { draw: Watts, limit: Watts },
    /// It keeps its limit again.
    Obeying { draw: Watts },
    /// Its session is stopped, because it may draw this much where there is too little.
    Stopped { session: SessionId, exposure: Watts },
}

impl Memory {
    /// A member that joins now.
    pub(super) fn new(station: StationId, number: i32, now: Timestamp) -> Self {
        Self {
            station,
            number,
            online: true,
            offline_since: None,
            never_expires: false,
            ran_out: false,
            limit: Watts::ZERO,
            since: now,
            session: None,
            queue_state: QueueState::default(),
            suspended_since: None,
            fallback: Fallback { due: true, ..Fallback::default() },
            sent_at: None,
            unconfirmed_since: None,
            sent_limits: SentLimits::default(),
            refuses_zero: None,
            least: None,
            meter: Meter::default(),
            allowed: Allowed::default(),
            overdraw: None,
            lost_at: None,
            demand: Demand::default(),
            ends_with_transaction: false,
            in_watts: false,
            read_back: ReadBack::default(),
            phases: UsedPhases::default(),
            draws: Draws::default(),
            stopped_at: None,
            again: Restart::default(),
        }
    }

    /// What was read until its session ended, or until it became free, says nothing of what is drawn since.
    pub(super) fn follow_end(&mut self, site_connector: &SiteConnector, now: Timestamp) {
        let session = site_connector.session.as_ref().map(|session| session.id);
        self.meter.follow(session, site_connector.free_since(), now);
    }

    /// The most it may be drawing now if it takes no more limits: a live one that has not run out, and its proven fallback.
    pub(super) fn alone_now(&self, site_connector: &SiteConnector, now: Timestamp) -> Watts {
        let sent = self.sent_limits.most(now, site_connector.phases.count());
        self.alone(site_connector.rating).max(sent.min(site_connector.rating))
    }

    /// What it may draw when nobody speaks to it: its proven fallback, else all it can.
    pub(super) fn alone(&self, rating: Watts) -> Watts {
        match self.fallback.proven {
            Some(proven) => proven.max(self.fallback.sent.unwrap_or(proven)),
            None => rating,
        }
    }
}

impl State {
    /// The most that a connector may be drawing.
    pub(super) fn exposure(&self, site_connector: &SiteConnector) -> Watts {
        match site_connector.role {
            Role::Member if self.connectors.contains_key(&site_connector.connector) => {
                self.ledger.exposure(site_connector.connector)
            }
            _ => site_connector.rating,
        }
    }

    /// Whether a member keeps its limits: not where it draws more than it confirmed, or refuses limits; none where nothing is asked
    /// of it, or where it has not answered.
    pub(super) fn obeys(&self, connector: ConnectorId) -> Option<bool> {
        if !self.sends || !self.connectors.contains_key(&connector) {
            return None;
        }
        match self.ledger.uncontrolled(connector) {
            Some((Uncontrolled::NotObeying | Uncontrolled::Rejected, _)) => Some(false),
            Some((Uncontrolled::Offline | Uncontrolled::TimedOut | Uncontrolled::Unproven, _)) => None,
            None => self.ledger.has_confirmed(connector).then_some(true),
        }
    }

    /// What a connector draws by its meter: as balancing heard it, else as its session has it.
    pub(super) fn drawn(&self, site_connector: &SiteConnector, now: Timestamp) -> Option<Watts> {
        let member = self.connectors.get(&site_connector.connector);
        let stray = self.strays.get(&site_connector.connector);
        let meter = member.map(|memory| &memory.meter);
        let meter = meter.or(stray.map(|stray| &stray.meter));
        let session = site_connector.session.as_ref();
        let lately = session.filter(|session| session.latest_at.is_some_and(|at| says_something(at, now)));
        let reported = lately.and_then(|session| session.power);
        meter.and_then(|meter| meter.draw_at(now)).or(reported)
    }

    /// The most that it draws when this server is not heard of.
    pub(super) fn alone(&self, site_connector: &SiteConnector) -> Watts {
        match self.connectors.get(&site_connector.connector) {
            Some(memory) if memory.never_expires => self.ledger.exposure(site_connector.connector),
            Some(memory) => memory.alone(site_connector.rating),
            None => site_connector.rating,
        }
    }

    /// Forgets what was known of limits, as of connectors that were never heard of, and answers how many they were. Only that one does
    /// not obey is kept: it counts at what it can draw, and a confirmation alone is not believed.
    pub(super) fn doubt_all(&mut self, now: Timestamp) -> usize {
        let connectors: BTreeSet<ConnectorId> =
            self.connectors.keys().copied().chain(self.ledger.connectors()).collect();
        for connector in &connectors {
            let why = self.ledger.uncontrolled(*connector);
            let memory = self.connectors.remove(connector);
            match memory.filter(|_| matches!(why, Some((Uncontrolled::NotObeying, _)))) {
                Some(Memory { station, number, overdraw, .. }) => {
                    let memory = Memory { overdraw, ..Memory::new(station, number, now) };
                    self.connectors.insert(*connector, memory);
                }
                None => self.ledger.close(*connector),
            }
        }
        for stray in self.strays.values_mut() {
            (stray.occupied, stray.meter) = (true, Meter::default());
        }
        // What lasts, lasts from now on.
        self.above.clear();
        self.exceeded_since = None;
        (self.stage, self.settled) = (None, None);
        connectors.len()
    }

    /// Follows which sessions ended since the last cycle.
    pub(super) fn follow_ends(&mut self, site: &Site, now: Timestamp) {
        for site_connector in &site.connectors {
            if let Some(memory) = self.connectors.get_mut(&site_connector.connector) {
                memory.follow_end(site_connector, now);
            }
        }
    }

    /// Keeps what every member may be drawing from now on.
    pub(super) fn note_allowed(&mut self, now: Timestamp) {
        for (connector, memory) in &mut self.connectors {
            memory.allowed.note(now, self.ledger.exposure(*connector));
        }
    }

    /// Keeps what a plan hands on to the next one.
    pub(super) fn remember(&mut self, plan: &Plan, now: Timestamp) {
        for limit in &plan.limits {
            if let Some(memory) = self.connectors.get_mut(&limit.connector) {
                if memory.limit != limit.limit {
                    (memory.limit, memory.since) = (limit.limit, now);
                }
                memory.queue_state = limit.queue_state.unwrap_or_default();
            }
        }
    }
}
