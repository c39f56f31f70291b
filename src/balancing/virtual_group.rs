//! A group in virtual time, for tests: whole balancing cycles, where a test says what stations and meters report and how they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::apply;
use super::command_batch::{About, CommandBatch};
use super::cycle::{Decided, decide};
use super::gather::{Role, Site, SiteConnector};
use super::loads::loads;
use super::replan::Notes;
use super::settings::Settings;
use super::site_readiness::warnings;
use super::state::State;
use crate::charging::sessions::{Session, SessionStatus};
use crate::http::Faults;
use crate::http::fields::{Field, Path};
use crate::load::assets::{Asset, NewAsset, Reading};
use crate::load::groups::{Group, NewGroup};
use crate::sites::stations::ConnectorStatus;
use crate::sites::stations::link::{LimitPurpose, LinkError, Outcome, SetLimit, Shown, StationCommand, Stray};
use engine::Plan;
use engine::transition::{Ledger, SendPolicy};
use kernel::id::{CountingIds, IdSource};
use kernel::*;

const VOLTAGE: Millivolts = Millivolts(230_000);
/// 6 A on three phases.
pub(super) const PILOT: Watts = Watts(4_140);
/// 32 A on three phases.
pub(super) const RATING: Watts = Watts(22_080);

/// A group of three-phase sockets for 22 kW that do as a test says.
pub(super) struct VirtualGroup {
    ids: Arc<dyn IdSource>,
    pub second: i64,
    pub site: Site,
    pub state: State,
    pub notes: Notes,
    plan: Option<Plan>,
    /// Answers on their way.
    answers: Vec<(About, Result<Outcome, LinkError>)>,
    /// Every live limit that was sent, by station.
    pub sent: BTreeMap<StationId, Vec<Watts>>,
    /// Which limits stations take.
    pub takes: fn(&SetLimit) -> bool,
    /// Stations that took any.
    took: BTreeSet<StationId>,
    fresh: bool,
}

pub(super) fn read<T: Field>(body: &serde_json::Value) -> T {
    T::read(body, Path::Root, &mut Faults::default()).expect("a valid body")
}

pub(super) fn settings() -> Settings {
    Settings { tick: Duration::from_secs(10), limit_seconds: 300, settle: Duration::ZERO, plans_kept: 1 }
}

pub(super) fn kilowatts(kilowatts: f64) -> Watts {
    Watts::from_kilowatts(kilowatts).expect("a power")
}

/// So many idle stations that just connected, in a group with this capacity in kW.
pub(super) fn site_of(stations: usize, capacity: i64, moment: &Moment) -> Site {
    let new: NewGroup = read(&json!({"name": "G", "maximum_capacity": capacity,
        "minimum_connector_capacity": 1.4, "location": "650000000000000000000001"}));
    let group = Group::new(new, moment.id(), moment);
    let site_connector = |_| SiteConnector {
        connector: moment.id(),
        role: Role::Member,
        minimum: PILOT,
        fallback: PILOT,
        online: true,
        status: ConnectorStatus::Available,
        ..SiteConnector::usual(moment.id(), group.id, VOLTAGE)
    };
    let connectors: Vec<SiteConnector> = (0..stations).map(site_connector).collect();
    Site {
        organization: group.organization_id,
        stations: connectors.iter().map(|site_connector| (site_connector.station, group.id)).collect(),
        groups: vec![group],
        connectors,
        dry_run: false,
        zone: TimeZone::default(),
        voltage: VOLTAGE,
        assets: Vec::new(),
        priorities: BTreeMap::new(),
        prices: BTreeMap::new(),
        external_limits: Vec::new(),
        without_group: Vec::new(),
    }
}

/// What balancing remembers at the start.
pub(super) fn state() -> State {
    State {
        ledger: Ledger::new(SendPolicy {
            refresh_seconds: Some(settings().limit_seconds / 2),
            ..SendPolicy::default()
        }),
        ..State::default()
    }
}

/// An asset of the only group of a site.
pub(super) fn asset_of(site: &Site, fields: &serde_json::Value, moment: &Moment) -> Asset {
    let mut body = json!({"name": "A", "location": "650000000000000000000001", "group": site.groups[0].id.to_string()});
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    Asset::new(read::<NewAsset>(&body), site.organization, moment).expect("an asset")
}

/// A session that begins now at a connector.
pub(super) fn begins_at(site_connector: &mut SiteConnector, organization: OrganizationId, moment: &Moment) {
    let mut session = Session::blank(organization, site_connector.station, Some(site_connector.connector), moment);
    (session.started_at, session.status) = (Some(moment.now), SessionStatus::Started);
    site_connector.session = Some(session);
}

/// What an asset reads.
pub(super) fn reading(at: Timestamp, power: Watts) -> Reading {
    Reading { at, power, phase_power: [None; 3], current: [None; 3], voltage: [None; 3], energy: None }
}

/// What the meter of a connector shows.
pub(super) fn shown(at: Timestamp, power: Option<Watts>, register: Option<WattHours>) -> Shown {
    Shown { at, reported_at: at, power, register, currents: None, current: None, is_last: false }
}

/// One cycle: what was planned, and what is to be said.
pub(super) fn cycle(
    state: &mut State,
    site: &Site,
    notes: &mut Notes,
    fresh: &mut bool,
    now: Timestamp,
) -> (Plan, Vec<CommandBatch>) {
    let (notes, fresh) = (std::mem::take(notes), std::mem::take(fresh));
    let mut site = site.clone();
    let decided = decide(state, &mut site, &notes, fresh, &settings(), now);
    assert_eq!(decided.faults, Vec::new(), "a plan breaks its promises");
    let Decided { snapshot, plan, .. } = decided;
    let batches = apply::batches(state, &site, &snapshot, &plan, &settings(), now);
    state.note_allowed(now);
    (plan, batches)
}

impl VirtualGroup {
    /// So many idle stations that just connected, in a group with this capacity.
    pub(super) fn new(stations: usize, capacity: i64) -> Self {
        let ids: Arc<dyn IdSource> = Arc::new(CountingIds::default());
        let moment = Moment::new(Timestamp::from_unix_seconds(1_777_000_000), Arc::clone(&ids));
        Self {
            ids,
            second: 0,
            site: site_of(stations, capacity, &moment),
            state: state(),
            notes: Notes::default(),
            plan: None,
            answers: Vec::new(),
            sent: BTreeMap::new(),
            takes: |_| true,
            took: BTreeSet::new(),
            fresh: true,
        }
    }

    /// The same once every station confirmed what it was sent.
    pub(super) fn settled(stations: usize, capacity: i64) -> Self {
        let mut group = Self::new(stations, capacity);
        group.pass(20);
        group
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_777_000_000 + self.second)
    }

    /// An asset of the group.
    pub(super) fn asset(&mut self, fields: serde_json::Value) -> usize {
        let moment = Moment::new(self.now(), Arc::clone(&self.ids));
        let asset = asset_of(&self.site, &fields, &moment);
        self.site.assets.push(asset);
        self.site.assets.len() - 1
    }

    pub(super) fn site_meter(&mut self) -> usize {
        self.asset(json!({"type": "smart_meter", "meter_scope": "site"}))
    }

    /// An asset reads this power now.
    pub(super) fn reads(&mut self, asset: usize, power: f64) {
        let now = self.now();
        let reading = reading(now, kilowatts(power));
        self.site.assets[asset].measured.follow(&reading, now);
    }

    /// Time passes, while an asset reads every second.
    pub(super) fn pass_reading(&mut self, asset: usize, seconds: i64, power: impl Fn(&Self) -> f64) {
        for _ in 0..seconds {
            let power = power(self);
            self.reads(asset, power);
            self.pass(1);
        }
    }

    /// A car comes, and its session begins.
    pub(super) fn plug(&mut self, port: usize) {
        let now = self.now();
        let moment = Moment::new(now, Arc::clone(&self.ids));
        let site_connector = &mut self.site.connectors[port];
        begins_at(site_connector, self.site.organization, &moment);
        (site_connector.status, site_connector.status_at) = (ConnectorStatus::Charging, Some(now));
    }

    pub(super) fn says(&mut self, port: usize, status: ConnectorStatus) {
        let now = self.now();
        let site_connector = &mut self.site.connectors[port];
        (site_connector.status, site_connector.status_at) = (status, Some(now));
    }

    pub(super) fn shows(&mut self, port: usize, power: Option<f64>, register: Option<i64>) {
        let shown = shown(self.now(), power.map(kilowatts), register.map(WattHours));
        self.hear(port, shown);
    }

    pub(super) fn hear(&mut self, port: usize, shown: Shown) {
        let connector = self.site.connectors[port].connector;
        self.notes.shown.entry(connector).or_default().push(shown);
    }

    /// Time passes, while a port shows this power every so many seconds.
    pub(super) fn pass_showing(&mut self, port: usize, (seconds, every): (i64, i64), power: f64) {
        for second in 0..seconds {
            if second % every == 0 {
                self.shows(port, Some(power), None);
            }
            self.pass(1);
        }
    }

    pub(super) fn stray(&mut self, port: usize, number: u32, stray: Stray) {
        let key = (self.site.connectors[port].station, number);
        self.notes.strays.entry(key).or_default().push(stray);
    }

    pub(super) fn drawing(&self, power: f64) -> Stray {
        Stray::Metered(shown(self.now(), Some(kilowatts(power)), None))
    }

    /// The server is started anew: what was stored comes back, and everything is doubted.
    pub(super) fn restart(&mut self) {
        self.fresh = true;
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.second += 1;
            let now = self.now();
            for (about, answer) in std::mem::take(&mut self.answers) {
                apply::answered(&mut self.state, about, &answer, &settings(), now);
            }
            let (state, notes) = (&mut self.state, &mut self.notes);
            let (plan, batches) = cycle(state, &self.site, notes, &mut self.fresh, now);
            self.state.stage = Some(self.state.ledger.stage(&plan));
            self.plan = Some(plan);
            for batch in batches {
                self.carry_out(batch);
            }
        }
    }

    pub(super) fn carry_out(&mut self, batch: CommandBatch) {
        let (mut accepted, mut refuses_zero) = (true, false);
        for command in batch.commands {
            if let StationCommand::SetLimit(limit) = command {
                accepted = (self.takes)(&limit);
                match accepted {
                    true => _ = self.took.insert(batch.station),
                    false => refuses_zero = limit.limit == Watts::ZERO && self.took.contains(&batch.station),
                }
                if limit.purpose == LimitPurpose::Live {
                    self.sent.entry(batch.station).or_default().push(limit.limit);
                }
            }
        }
        let mut outcome = Outcome::answered(accepted, None, json!({}));
        outcome.refuses_zero = refuses_zero;
        self.answers.push((batch.about, Ok(outcome)));
    }

    /// What the plan gives a port.
    pub(super) fn limit(&self, port: usize) -> Watts {
        let plan = self.plan.as_ref().expect("a plan");
        plan.limit_of(self.site.connectors[port].connector).map_or(Watts::ZERO, |limit| limit.limit)
    }

    /// The last limit that a port was sent, in kW.
    pub(super) fn last_sent(&self, port: usize) -> f64 {
        let sent = self.sent.get(&self.site.connectors[port].station);
        sent.and_then(|sent| sent.last()).map_or(0.0, |limit| limit.kilowatts())
    }

    pub(super) fn exposure(&self, port: usize) -> Watts {
        self.state.exposure(&self.site.connectors[port])
    }

    pub(super) fn reserved(&self) -> Watts {
        self.plan.as_ref().expect("a plan").nodes[0].reserved
    }

    pub(super) fn load(&self) -> Watts {
        let group = self.site.groups[0].id;
        self.state.loads.get(&group).and_then(|load| load.power).unwrap_or_default()
    }

    pub(super) fn warned(&self) -> Vec<&'static str> {
        let (now, groups) = (self.now(), [self.site.groups[0].id]);
        let mut site = self.site.clone();
        site.add_strays(&self.state);
        let loads = loads(&site, &self.state, now);
        let all = warnings(&site, &self.state, &loads, &groups, now);
        all.into_iter().map(|warning| warning.code).collect()
    }

    pub(super) fn sent_to(&self, port: usize) -> usize {
        self.sent.get(&self.site.connectors[port].station).map_or(0, Vec::len)
    }
}
