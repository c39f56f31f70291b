//! Stations that answer late, twice or never, refuse, vanish and return: their sum never exceeds what the cable bears.

use std::collections::VecDeque;

use engine::check::{Violation, violations};
use engine::transition::{Ledger, Message, SendPolicy, Stage, Ticket};
use engine::*;
use kernel::*;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::world::*;

/// A station with one connector, as it really is.
#[derive(Default)]
struct Station {
    enforced: Watts,
    inbox: VecDeque<(Ticket, Watts)>,
    /// Answers on their way, which may arrive in any order and more than once.
    answers: Vec<(Ticket, bool)>,
    offline: bool,
}

/// What happens next. Numbers pick a station, a node or an answer.
#[derive(Debug, Clone)]
enum Event {
    Dispatch,
    Station { station: usize, accepts: bool },
    LoseMessage(usize),
    Answer { station: usize, which: usize, twice: bool },
    LoseAnswer { station: usize, which: usize },
    TimeOut(usize),
    Disconnect(usize),
    Reconnect(usize),
    Crash,
    PlugOrUnplug(usize),
    Wait(i64),
    Capacity { node: usize, limit: i64 },
}

fn events(capacity_changes: bool) -> impl Strategy<Value = Vec<Event>> {
    let station = || 0..6_usize;
    let which = || 0..4_usize;
    let event = prop_oneof![
        8 => Just(Event::Dispatch),
        8 => (station(), prop::bool::weighted(0.8)).prop_map(|(station, accepts)| Event::Station { station, accepts }),
        1 => station().prop_map(Event::LoseMessage),
        8 => (station(), which(), prop::bool::weighted(0.2))
            .prop_map(|(station, which, twice)| Event::Answer { station, which, twice }),
        1 => (station(), which()).prop_map(|(station, which)| Event::LoseAnswer { station, which }),
        2 => station().prop_map(Event::TimeOut),
        1 => station().prop_map(Event::Disconnect),
        2 => station().prop_map(Event::Reconnect),
        1 => Just(Event::Crash),
        2 => station().prop_map(Event::PlugOrUnplug),
        4 => (1..40_i64).prop_map(Event::Wait),
        2 => (0..3_usize, 0..60_000_i64).prop_map(move |(node, limit)| match capacity_changes {
            true => Event::Capacity { node, limit },
            false => Event::Dispatch,
        }),
    ];
    vec(event, 1..160)
}

/// The server's view beside the truth.
struct Play {
    snapshot: Snapshot,
    ledger: Ledger,
    stations: Vec<Station>,
    /// Messages the server waits for, oldest first: station and ticket.
    awaited: Vec<(usize, Ticket)>,
    plugged: Vec<bool>,
    second: i64,
}

impl Play {
    /// Two floors below one connection, three stations each; the first floor watches its phases.
    fn new(settle_seconds: u32) -> Self {
        let floor = |number, limit| Node { parent: Some(group(0)), ..Node::new(group(number), Watts(limit)) };
        let mut nodes = vec![Node::new(group(0), Watts(30_000)), floor(1, 20_000), floor(2, 16_000)];
        nodes[1].phase_limits = Some([Milliamps(25_000), Milliamps(32_000), Milliamps(40_000)]);
        let members = (0..6).map(|number| Member {
            step: Watts(if number == 2 { 690 } else { 10 }),
            phases: if number == 1 { PhaseSet::L1 } else { PhaseSet::ALL },
            ..Member::new(connector(number), group(1 + number / 3), Watts(1_380), Watts(11_000))
        });
        let mut ledger = Ledger::new(SendPolicy { settle_seconds, refresh_seconds: Some(60), ..SendPolicy::default() });
        for number in 0..6 {
            ledger.open(connector(number), Watts::ZERO);
        }
        Self {
            snapshot: Snapshot { nodes, members: members.collect(), ..Snapshot::default() },
            ledger,
            stations: (0..6).map(|_| Station::default()).collect(),
            awaited: Vec::new(),
            plugged: vec![true; 6],
            second: 0,
        }
    }

    fn now(&self) -> Timestamp {
        later(self.second)
    }

    /// What the shell does on every change: gather, plan, send.
    fn dispatch(&mut self) -> (Plan, Vec<Message>) {
        for (member, plugged) in self.snapshot.members.iter_mut().zip(&self.plugged) {
            let session = member.session().cloned().unwrap_or_else(|| Session::new(NOON));
            member.state = match self.ledger.uncontrolled(member.connector) {
                Some((why, reserved)) => MemberState::Uncontrolled { reserved, why },
                None if *plugged => MemberState::Active(session),
                None => MemberState::Idle { exposure: Watts::ZERO },
            };
        }
        let plan = plan(&self.snapshot, self.now());
        let messages = self.ledger.next(&self.snapshot, &plan, self.now());
        for message in &messages {
            let place = (0..6).find(|number| connector(*number) == message.connector).expect("ours");
            self.stations[place].inbox.push_back((message.ticket, message.limit));
            self.awaited.push((place, message.ticket));
        }
        for member in &mut self.snapshot.members {
            let limit = plan.limit_of(member.connector).expect("in every plan");
            member.current = limit.limit;
            if let (MemberState::Active(session), Some(queue_state)) = (&mut member.state, limit.queue_state) {
                session.queue_state = queue_state;
            }
        }
        (plan, messages)
    }

    fn station_works(&mut self, place: usize, accepts: bool) {
        let station = &mut self.stations[place];
        if let Some((ticket, limit)) = station.inbox.pop_front().filter(|_| !station.offline) {
            if accepts {
                station.enforced = limit;
            }
            station.answers.push((ticket, accepts));
        }
    }

    fn answer(&mut self, place: usize, which: usize, twice: bool) {
        let answers = &mut self.stations[place].answers;
        if answers.is_empty() {
            return;
        }
        let index = which % answers.len();
        let (ticket, accepted) = if twice { answers[index] } else { answers.remove(index) };
        self.awaited.retain(|(_, awaited)| *awaited != ticket);
        match accepted {
            true => self.ledger.acknowledged(connector(place), ticket, self.now()),
            false => self.ledger.refused(connector(place), ticket, self.now()),
        }
    }

    fn disconnect(&mut self, place: usize) {
        let exposure = self.ledger.exposure(connector(place));
        self.stations[place].offline = true;
        self.stations[place].inbox.clear();
        self.ledger.disconnected(connector(place), exposure);
    }

    fn reconnect(&mut self, place: usize) {
        // What is still under way on the old connection is lost; what arrived before is in force.
        let exposure = self.ledger.exposure(connector(place));
        self.stations[place].offline = false;
        self.stations[place].inbox.clear();
        self.awaited.retain(|(station, _)| *station != place);
        self.ledger.reconnected(connector(place), exposure);
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Dispatch => drop(self.dispatch()),
            Event::Station { station, accepts } => self.station_works(station, accepts),
            Event::LoseMessage(station) => drop(self.stations[station].inbox.pop_front()),
            Event::Answer { station, which, twice } => self.answer(station, which, twice),
            Event::LoseAnswer { station, which } => {
                let answers = &mut self.stations[station].answers;
                if !answers.is_empty() {
                    answers.remove(which % answers.len());
                }
            }
            Event::TimeOut(station) => {
                if let Some(index) = self.awaited.iter().position(|(place, _)| *place == station) {
                    let (_, ticket) = self.awaited.remove(index);
                    self.ledger.timed_out(connector(station), ticket, self.now());
                }
            }
            Event::Disconnect(station) => self.disconnect(station),
            Event::Reconnect(station) => self.reconnect(station),
            Event::Crash => {
                let stored = serde_json::to_string(&self.ledger).expect("serializes");
                self.ledger = serde_json::from_str(&stored).expect("reads");
                (0..6).for_each(|station| self.reconnect(station));
            }
            Event::PlugOrUnplug(station) => self.plugged[station] = !self.plugged[station],
            Event::Wait(seconds) => self.second += seconds,
            Event::Capacity { node, limit } => self.snapshot.nodes[node].limit = Watts(limit),
        }
    }

    fn worsts(&self) -> Vec<i64> {
        self.ledger.exposures(&self.snapshot).iter().map(|exposure| exposure.power.get()).collect()
    }

    fn capacities(&self) -> Vec<i64> {
        self.ledger.exposures(&self.snapshot).iter().map(|exposure| exposure.capacity.get()).collect()
    }

    /// No station enforces more than the ledger believes.
    fn assert_belief_covers_truth(&self) -> Result<(), TestCaseError> {
        for (place, station) in self.stations.iter().enumerate() {
            let exposure = self.ledger.exposure(connector(place));
            prop_assert!(station.enforced <= exposure, "{place} enforces {}, believed {exposure}", station.enforced);
        }
        Ok(())
    }

    /// Were the exposures a plan, it would overload nothing, no phase either.
    fn assert_nothing_is_overloaded(&self) -> Result<(), TestCaseError> {
        let mut snapshot = self.snapshot.clone();
        for member in &mut snapshot.members {
            member.state = MemberState::Active(Session::new(NOON));
        }
        let mut plan = plan(&snapshot, self.now());
        for limit in &mut plan.limits {
            limit.limit = self.ledger.exposure(limit.connector);
        }
        let overloads: Vec<_> = violations(&snapshot, &plan)
            .into_iter()
            .filter(|one| matches!(one, Violation::Power(..) | Violation::Current(..)))
            .collect();
        prop_assert_eq!(overloads, []);
        Ok(())
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn i10_the_sum_of_worsts_stays_within_constant_capacities(events in events(false), settle in 0..8_u32) {
        let mut play = Play::new(settle);
        for event in &events {
            play.happen(event);
            play.assert_belief_covers_truth()?;
            play.assert_nothing_is_overloaded()?;
        }
    }

    #[test]
    fn i10_above_a_capacity_that_fell_the_sum_only_falls(events in events(true), settle in 0..8_u32) {
        let mut play = Play::new(settle);
        let mut before = play.worsts();
        for event in &events {
            play.happen(event);
            play.assert_belief_covers_truth()?;
            let after = play.worsts();
            for ((after, before), capacity) in after.iter().zip(&before).zip(play.capacities()) {
                prop_assert!(*after <= *before.max(&capacity), "{before} became {after} above {capacity}");
            }
            before = after;
        }
    }

    #[test]
    fn i11_two_rounds_of_answers_reach_any_plan(events in events(true)) {
        let mut play = Play::new(0);
        for event in &events {
            play.happen(event);
        }
        // Good weather from here on: everybody is connected, answers at once and accepts.
        for place in 0..6 {
            play.stations[place].answers.clear();
            play.reconnect(place);
        }
        let mut rounds = 0;
        loop {
            let (plan, messages) = play.dispatch();
            if messages.is_empty() {
                prop_assert_eq!(play.ledger.stage(&plan), Stage::Settled, "silent");
                break;
            }
            rounds += 1;
            for message in messages {
                let place = (0..6).find(|number| connector(*number) == message.connector).expect("ours");
                play.station_works(place, true);
                play.answer(place, 0, false);
            }
        }
        prop_assert!(rounds <= 2, "{rounds} rounds");
        let (_, again) = play.dispatch();
        prop_assert_eq!(again, []);
    }
}
