//! A seeded world in virtual time: the real engine, the real ledger, the real protocol sessions and the real wire
//! format, against stations that are slow, refuse, vanish and come back, cars that ignore limits, a building whose meter
//! goes silent, clocks that jump, a server that is killed, and nodes of a cluster that follow one another.
//!
//! After every event the one promise is checked as the stations themselves compute it: what they may draw together never
//! exceeds what the building leaves; when that falls, or a car is caught, it only falls until it fits again.
//! A failure prints its seed; `EVENWATT_SEED=n cargo test --test simulation` runs it alone, `EVENWATT_SEEDS=10000 cargo test
//! --release --test simulation` runs many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use engine::check::violations;
use engine::transition::{Ledger, Message, SendPolicy, Stage, Ticket};
use engine::{self, Member, MemberState, Node, Plan, QueueState, Session as Charging, Snapshot};
use evenwatt::gateway::commands::{self, Manner};
use evenwatt::sites::stations::link::{LimitPurpose, SetLimit, StationCommand};
use kernel::Protocol;
use kernel::{ConnectorId, GroupId, Millivolts, PhaseSet, RawId, Timestamp, Watts};
use ocpp::session::{Input, OutgoingCall, Output, Priority, Session, SessionOptions};
use ocpp::v16::{self, charging_profile::RateUnit};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const LIMIT: Watts = Watts(30_000);
const STATIONS: usize = 8;
const RATING: Watts = Watts(7_000);
const MINIMUM: Watts = Watts(5_000);
const VOLTAGE: Millivolts = Millivolts(230_000);
/// What the building draws at most, and counts with when its meter is silent.
const MOST_LOAD: Watts = Watts(12_000);
/// How long a reading of the building's meter is good for.
const FRESH: Duration = Duration::from_secs(60);
/// A car that draws more than it may is caught after so long.
const CAUGHT_AFTER: Duration = Duration::from_secs(90);
/// What a station may draw from its installation on, before this server ever reached it.
const INSTALLED: Watts = Watts(3_700);

fn id(index: usize) -> ConnectorId {
    let mut bytes = [0; 12];
    bytes[11] = u8::try_from(index).expect("few stations");
    RawId::from_bytes(bytes).into()
}

fn group() -> GroupId {
    RawId::from_bytes([9; 12]).into()
}

/// A station: its socket's session, the limits it keeps, its car, and its character.
struct Station {
    session: Session,
    limit: Watts,
    car: Option<Timestamp>,
    stubborn: bool,
    /// Since when its car draws all it can, whatever limit it is sent.
    greedy: Option<Timestamp>,
}

/// The server's end of one connection.
struct Link {
    session: Session,
    waiting: BTreeMap<u64, Ticket>,
}

/// A text on its way; a connection delivers in order, connections overtake each other.
struct Flight {
    arrives: Timestamp,
    station: usize,
    to_station: bool,
    connection: u64,
    text: String,
}

struct World {
    random: StdRng,
    now: Timestamp,
    stations: Vec<Station>,
    links: Vec<Option<Link>>,
    connections: Vec<u64>,
    flights: Vec<Flight>,
    ledger: Ledger,
    turns: BTreeMap<ConnectorId, (Option<QueueState>, Watts)>,
    correlation: u64,
    /// How often the leader changed.
    terms: u64,
    settled: u32,
    /// What the building draws.
    load: Watts,
    /// Its meter reports from now on; `None` while it is silent.
    meter: Option<Timestamp>,
    /// What it reported last.
    read: (Timestamp, Watts),
    /// What all stations might draw when last looked at.
    believed: Watts,
}

fn session(prefix: u64) -> Session {
    Session::new(SessionOptions {
        version: Protocol::V16,
        id_prefix: format!("{prefix:x}-"),
        call_timeout: Duration::from_secs(10),
    })
}

impl World {
    fn new(seed: u64) -> Self {
        let protocol = SendPolicy { settle_seconds: 3, refresh_seconds: Some(150), ..SendPolicy::default() };
        let mut ledger = Ledger::new(protocol);
        for index in 0..STATIONS {
            ledger.open(id(index), INSTALLED);
        }
        let station = |index: usize| Station {
            session: session(index as u64 + 1_000),
            limit: INSTALLED,
            car: None,
            stubborn: false,
            greedy: None,
        };
        let now = Timestamp::from_unix_seconds(1_777_000_000);
        Self {
            random: StdRng::seed_from_u64(seed),
            now,
            load: Watts::ZERO,
            meter: Some(now),
            read: (now, Watts::ZERO),
            believed: Watts(i64::MAX),
            stations: (0..STATIONS).map(station).collect(),
            links: (0..STATIONS)
                .map(|index| Some(Link { session: session(index as u64), waiting: BTreeMap::new() }))
                .collect(),
            connections: vec![0; STATIONS],
            flights: Vec::new(),
            ledger,
            turns: BTreeMap::new(),
            correlation: 0,
            terms: 0,
            settled: 0,
        }
    }

    /// What the server takes the building to draw.
    fn known_load(&self) -> Watts {
        let (at, load) = self.read;
        if self.now < at + FRESH { load } else { MOST_LOAD }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn snapshot(&self) -> Snapshot {
        let member = |(index, station): (usize, &Station)| {
            let connector = id(index);
            let (turn, current) = self.turns.get(&connector).cloned().unwrap_or_default();
            let mut member = Member::new(connector, group(), MINIMUM, RATING);
            member.voltage = VOLTAGE;
            member.phases = PhaseSet::L1;
            member.current = current;
            member.state = match (self.ledger.uncontrolled(connector), station.car) {
                (Some((why, reserved)), _) => MemberState::Uncontrolled { reserved, why },
                (None, Some(arrived)) => {
                    let mut session = Charging::new(arrived);
                    session.queue_state = turn.unwrap_or_default();
                    MemberState::Active(session)
                }
                (None, None) => MemberState::Idle { exposure: Watts::ZERO },
            };
            member
        };
        let mut node = Node::new(group(), LIMIT);
        node.uncontrolled_load = self.known_load();
        Snapshot {
            nodes: vec![node],
            members: self.stations.iter().enumerate().map(member).collect(),
            ..Snapshot::default()
        }
    }

    /// One cycle of the server: plan, then send what may be sent.
    fn plan(&mut self) {
        let snapshot = self.snapshot();
        let plan: Plan = engine::plan(&snapshot, self.now);
        assert_eq!(violations(&snapshot, &plan), vec![]);
        for limit in &plan.limits {
            let entry = self.turns.entry(limit.connector).or_default();
            entry.0 = limit.queue_state.or(entry.0.take());
            entry.1 = limit.limit;
        }
        for message in self.ledger.next(&snapshot, &plan, self.now) {
            self.send(message);
        }
        self.settled += u32::from(self.ledger.stage(&plan) == Stage::Settled);
    }

    fn send(&mut self, message: Message) {
        let index = (0..STATIONS).find(|index| id(*index) == message.connector).expect("a station");
        let command = StationCommand::SetLimit(SetLimit {
            connector: 1,
            limit: message.limit,
            purpose: LimitPurpose::Live,
            voltage: VOLTAGE,
            phases: PhaseSet::L1,
            offered: PhaseSet::L1,
            transaction: None,
            sole: false,
            in_amps: true,
            duration_seconds: None,
            lowers: true,
            escalate: false,
        });
        let wire = commands::build(&command, Manner { variant: 0, now: self.now }, None).expect("a limit");
        self.correlation += 1;
        let call = OutgoingCall {
            correlation: self.correlation,
            action: wire.action,
            payload: wire.payload,
            priority: Priority::Lowering,
            coalesce_key: None,
            expires_at: self.now + Duration::from_secs(20),
        };
        match self.links[index].as_mut() {
            Some(link) => {
                link.waiting.insert(self.correlation, message.ticket);
                self.server_step(index, Input::Send(call));
            }
            None => self.ledger.timed_out(message.connector, message.ticket, self.now),
        }
    }

    fn server_step(&mut self, index: usize, input: Input<'_>) {
        let Some(link) = self.links[index].as_mut() else {
            return;
        };
        for output in link.session.step(input, self.now) {
            let link = self.links[index].as_mut().expect("still there");
            match output {
                Output::Transmit(text) => self.fly(index, true, text),
                Output::CallDone { correlation, result } => {
                    let ticket = link.waiting.remove(&correlation).expect("a call of ours");
                    let accepted = result.as_ref().is_ok_and(|raw| raw.get().contains("Accepted"));
                    match (accepted, result) {
                        (true, _) => self.ledger.acknowledged(id(index), ticket, self.now),
                        (false, Ok(_)) => self.ledger.refused(id(index), ticket, self.now),
                        (false, Err(_)) => self.ledger.timed_out(id(index), ticket, self.now),
                    }
                }
                Output::Dispatch(_) | Output::NextWake(_) => {}
            }
        }
    }

    fn station_step(&mut self, index: usize, input: Input<'_>) {
        for output in self.stations[index].session.step(input, self.now) {
            match output {
                Output::Transmit(text) => self.fly(index, false, text),
                Output::Dispatch(call) => {
                    let decoded = v16::Command::decode(&call.action, &call.payload, self.now, Protocol::V16)
                        .expect("valid")
                        .value;
                    let v16::Command::SetChargingProfile(request) = decoded else { panic!("only limits are sent") };
                    let refuses = self.stations[index].stubborn;
                    if !refuses {
                        let schedule = &request.cs_charging_profiles.charging_schedule;
                        assert_eq!(schedule.charging_rate_unit, RateUnit::Amperes);
                        let tenths: f64 = serde_json::to_value(schedule.charging_schedule_period[0].limit)
                            .ok()
                            .and_then(|limit| limit.as_f64())
                            .expect("a number");
                        #[expect(clippy::cast_possible_truncation, reason = "a few thousand watts")]
                        let watts = Watts((tenths * 230.0).round() as i64);
                        self.stations[index].limit = watts;
                    }
                    let status = if refuses { "Rejected" } else { "Accepted" };
                    let answer = Ok(format!("{{\"status\":\"{status}\"}}"));
                    let message_id = call.message_id;
                    self.station_step(index, Input::Answer { message_id, answer });
                }
                Output::CallDone { .. } | Output::NextWake(_) => {}
            }
        }
    }

    fn fly(&mut self, station: usize, to_station: bool, text: String) {
        // Most answers come well within the 10 s a call may take, some just too late.
        let slowest = if self.chance(5) { 9_000 } else { 3_000 };
        let delay = Duration::from_millis(self.random.random_range(10..slowest));
        let same = |flight: &&Flight| flight.station == station && flight.to_station == to_station;
        let behind = self.flights.iter().filter(same).map(|flight| flight.arrives).max();
        let arrives = behind.map_or(self.now + delay, |last| last.max(self.now + delay));
        self.flights.push(Flight { arrives, station, to_station, connection: self.connections[station], text });
    }

    /// The connection of a station ends; everything on its way is gone.
    fn drop_link(&mut self, index: usize) {
        if self.links[index].is_none() {
            return;
        }
        self.server_step(index, Input::Closed);
        self.station_step(index, Input::Closed);
        self.links[index] = None;
        self.connections[index] += 1;
        self.flights.retain(|flight| flight.station != index);
        let assumed = self.ledger.exposure(id(index));
        self.ledger.disconnected(id(index), assumed);
    }

    fn open_link(&mut self, index: usize) {
        if self.links[index].is_some() {
            return;
        }
        let number = self.connections[index] * 100 + index as u64;
        self.links[index] = Some(Link { session: session(number), waiting: BTreeMap::new() });
        self.stations[index].session = session(number + 50_000);
        let assumed = self.ledger.exposure(id(index));
        self.ledger.reconnected(id(index), assumed);
    }

    /// `kill -9`: sockets and memory are gone, what was stored comes back.
    fn restart(&mut self) {
        let stored = serde_json::to_string(&self.ledger).expect("the ledger is plain data");
        for index in 0..STATIONS {
            self.drop_link(index);
        }
        self.ledger = serde_json::from_str(&stored).expect("and comes back");
        for index in 0..STATIONS {
            let assumed = self.ledger.exposure(id(index));
            self.ledger.disconnected(id(index), assumed);
        }
    }

    /// Another node leads: memory is gone and what was stored comes back, as after `kill -9`, but the edges hold the sockets. What the
    /// leader before sent still arrives, and what it was answered comes to one that did not ask.
    fn take_over(&mut self) {
        let stored = serde_json::to_string(&self.ledger).expect("the ledger is plain data");
        self.ledger = serde_json::from_str(&stored).expect("and comes back");
        self.terms += 1;
        for index in 0..STATIONS {
            let assumed = self.ledger.exposure(id(index));
            self.ledger.disconnected(id(index), assumed);
            if self.links[index].is_some() {
                let number = 1_000_000 * self.terms + index as u64;
                self.links[index] = Some(Link { session: session(number), waiting: BTreeMap::new() });
                self.ledger.reconnected(id(index), assumed);
            }
        }
    }

    /// Something happens to somebody.
    fn stir(&mut self) {
        let index = self.random.random_range(0..STATIONS);
        match self.random.random_range(0..100) {
            0..30 => {
                self.stations[index].car.get_or_insert(self.now);
                self.ledger.reassert(id(index));
            }
            30..50 => {
                self.stations[index].car = None;
                self.turns.remove(&id(index));
                self.calm(index);
            }
            50..58 => self.drop_link(index),
            58..80 => self.open_link(index),
            80..84 => self.stations[index].stubborn = self.chance(60),
            84..90 => self.stations[index].stubborn = false,
            90 => self.restart(),
            91..94 => self.load = Watts(self.random.random_range(0..=MOST_LOAD.get())),
            94..96 => self.meter = self.meter.is_none().then_some(self.now),
            96 => {
                let car = self.stations[index].car;
                self.stations[index].greedy = car.and(Some(self.now));
            }
            97 => self.now = self.now + Duration::from_secs(self.random.random_range(1..1_000)),
            98 => self.now = self.now - Duration::from_secs(self.random.random_range(1..30)),
            _ => self.take_over(),
        }
    }

    /// The building's meter reports, and greedy cars are caught by theirs.
    fn measure(&mut self) {
        if self.meter.is_some() {
            self.read = (self.now, self.load);
        }
        for index in 0..STATIONS {
            let since = self.stations[index].greedy;
            let caught = since.is_some_and(|since| self.now.since(since) >= CAUGHT_AFTER);
            if caught && self.links[index].is_some() {
                self.ledger.not_obeying(id(index), RATING);
                self.believed = Watts(i64::MAX);
            }
        }
    }

    /// A car that was greedy obeys, or is gone.
    fn calm(&mut self, index: usize) {
        if self.stations[index].greedy.take().is_some() && self.links[index].is_some() {
            self.ledger.reconnected(id(index), RATING);
            self.believed = Watts(i64::MAX);
        }
    }

    fn deliver(&mut self) {
        self.flights.sort_by_key(|flight| flight.arrives);
        while self.flights.first().is_some_and(|flight| flight.arrives <= self.now) {
            let flight = self.flights.remove(0);
            if flight.connection != self.connections[flight.station] {
                continue;
            }
            if flight.to_station {
                self.station_step(flight.station, Input::Received(&flight.text));
            } else {
                self.server_step(flight.station, Input::Received(&flight.text));
            }
            self.check();
        }
    }

    /// What the stations may draw together, as they compute it themselves.
    fn check(&mut self) {
        let drawn: Watts = self.stations.iter().map(|station| station.limit).sum();
        let believed: Watts = (0..STATIONS).map(|index| self.ledger.exposure(id(index))).sum();
        assert!(drawn <= believed, "stations may draw {drawn}, the ledger believes {believed}");
        let left = LIMIT - self.known_load();
        assert!(
            believed <= left.max(self.believed),
            "stations might draw {believed} of {left}, and less before: {}",
            self.believed
        );
        self.believed = believed;
    }

    fn run(&mut self, seconds: u32) {
        for second in 0..seconds {
            self.now = self.now + Duration::from_secs(1);
            if self.chance(20) {
                self.stir();
            }
            for index in 0..STATIONS {
                self.server_step(index, Input::Tick);
                self.station_step(index, Input::Tick);
            }
            self.deliver();
            if second % 5 == 0 {
                self.measure();
            }
            if second % 2 == 0 {
                self.plan();
            }
            self.check();
        }
    }

    /// Stations whose answers were all too late are tried again, as the server does when their limit ran out.
    fn try_again(&mut self) {
        for index in 0..STATIONS {
            if self.ledger.uncontrolled(id(index)).is_some() {
                let assumed = self.ledger.exposure(id(index));
                self.ledger.reconnected(id(index), assumed);
            }
        }
    }

    /// After everybody is well again, the plan is carried out to the letter.
    fn recover(&mut self) {
        for index in 0..STATIONS {
            self.open_link(index);
            self.stations[index].stubborn = false;
            self.stations[index].car = None;
            self.stations[index].greedy = None;
        }
        self.turns.clear();
        (self.load, self.read) = (Watts::ZERO, (self.now + FRESH * 100, Watts::ZERO));
        for index in 0..4 {
            self.stations[index].car = Some(self.now);
            let assumed = self.ledger.exposure(id(index));
            self.ledger.reconnected(id(index), assumed);
        }
        for index in 0..STATIONS {
            let assumed = self.ledger.exposure(id(index));
            self.ledger.reconnected(id(index), assumed);
        }
        for second in 0..400 {
            if second % 100 == 0 {
                self.try_again();
            }
            self.now = self.now + Duration::from_secs(1);
            for index in 0..STATIONS {
                self.server_step(index, Input::Tick);
            }
            self.deliver();
            self.plan();
            self.check();
        }
    }
}

#[test]
fn i10_no_seed_breaks_the_limit() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seeds = match number("EVENWATT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("EVENWATT_SEEDS").unwrap_or(200_u64),
    };
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            world.run(600);
            world.recover();
            let limits: Vec<Watts> = world.stations.iter().map(|station| station.limit).collect();
            // 7 kW are 30.4 A in tenths, which is 6992 W.
            assert!(limits[..4].iter().all(|limit| *limit >= Watts(6_980)), "after recovery: {limits:?}");
            assert!(world.settled > 0);
        });
        assert!(outcome.is_ok(), "seed={seed}");
    }
}
