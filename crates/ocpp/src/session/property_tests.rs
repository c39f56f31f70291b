//! What holds for every interleaving: calls end once, one at a time, and answers keep their order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;

/// One thing that may happen next.
#[derive(Debug, Clone)]
enum Event {
    Send { priority: Priority, connector: Option<u32>, lives_seconds: u64 },
    Call(u8),
    Handled,
    StationAnswers,
    StationRefuses,
    StrayAnswer,
    Garbage(String),
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let priority =
        prop_oneof![Just(Priority::Lowering), Just(Priority::Command), Just(Priority::Raising), Just(Priority::Probe)];
    prop_oneof![
        6 => (priority, prop::option::of(0_u32..3), 0_u64..90)
            .prop_map(|(priority, connector, lives_seconds)| Event::Send { priority, connector, lives_seconds }),
        4 => (0_u8..12).prop_map(Event::Call),
        3 => Just(Event::Handled),
        3 => Just(Event::StationAnswers),
        1 => Just(Event::StationRefuses),
        1 => Just(Event::StrayAnswer),
        1 => ".{0,20}".prop_map(Event::Garbage),
        2 => (0_u64..40).prop_map(Event::Wait),
    ]
}

/// Both ends of the connection, watching the session keep its promises.
struct Watch {
    session: Session,
    now: Timestamp,
    started: u64,
    /// The id of the call the station has to answer.
    outstanding: Option<String>,
    /// How often each call ended.
    ended: BTreeMap<u64, u32>,
    /// The calls that are to be handled, in the order they came; the first was dispatched.
    expected: VecDeque<String>,
    dispatched: Option<MessageId>,
    used_ids: BTreeSet<String>,
}

impl Watch {
    fn new() -> Self {
        let options = SessionOptions { version: Protocol::V16, id_prefix: "p".into(), call_timeout: CALL_TIMEOUT };
        Self {
            session: Session::new(options),
            now: Timestamp::from_unix_seconds(1_700_000_000),
            started: 0,
            outstanding: None,
            ended: BTreeMap::new(),
            expected: VecDeque::new(),
            dispatched: None,
            used_ids: BTreeSet::new(),
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Send { priority, connector, lives_seconds } => {
                let correlation = self.started;
                self.started += 1;
                self.step(Input::Send(OutgoingCall {
                    correlation,
                    action: "Reset".into(),
                    payload: "{}".into(),
                    priority,
                    coalesce_key: connector.map(|connector| CoalesceKey { what: "limit", connector }),
                    expires_at: self.now + Duration::from_secs(lives_seconds),
                }));
            }
            Event::Call(id) => {
                let id = format!("\"c{id}\"");
                if !self.expected.contains(&id) && self.expected.len() <= MOST_WAITING {
                    self.expected.push_back(id.clone());
                }
                self.step(Input::Received(&format!("[2,{id},\"Heartbeat\",{{}}]")));
            }
            Event::Handled => {
                if let Some(message_id) = self.dispatched.take() {
                    self.expected.pop_front();
                    self.step(Input::Answer { message_id, answer: Ok("{}".into()) });
                }
            }
            Event::StationAnswers => {
                if let Some(id) = self.outstanding.clone() {
                    self.step(Input::Received(&format!("[3,\"{id}\",{{}}]")));
                }
            }
            Event::StationRefuses => {
                if let Some(id) = self.outstanding.clone() {
                    self.step(Input::Received(&format!("[4,\"{id}\",\"GenericError\",\"\",{{}}]")));
                }
            }
            Event::StrayAnswer => self.step(Input::Received("[3,\"p0\",{}]")),
            Event::Garbage(text) => self.step(Input::Received(&text)),
            Event::Wait(seconds) => {
                self.now = self.now + Duration::from_secs(seconds);
                self.step(Input::Tick);
            }
        }
    }

    fn step(&mut self, input: Input<'_>) {
        for output in self.session.step(input, self.now) {
            match output {
                Output::Transmit(text) => self.see(&text),
                Output::Dispatch(call) => {
                    assert!(self.dispatched.is_none(), "two calls are handled at once");
                    let id = call.message_id.as_json().to_owned();
                    assert_eq!(Some(&id), self.expected.front(), "out of order");
                    self.dispatched = Some(call.message_id);
                }
                Output::CallDone { correlation, result } => {
                    *self.ended.entry(correlation).or_default() += 1;
                    if matches!(result, Ok(_) | Err(CallFailure::Error(_) | CallFailure::TimedOut)) {
                        assert!(self.outstanding.take().is_some(), "ended without being sent");
                    }
                }
                Output::NextWake(at) => assert!(at > self.now, "a wake that is due already"),
            }
        }
    }

    fn see(&mut self, text: &str) {
        if let Ok(Frame::Call { id, .. }) = parse(text) {
            assert!(self.outstanding.is_none(), "two calls are outstanding");
            assert!(id.text().chars().count() <= 36, "the longest id that OCPP-J allows");
            assert!(self.used_ids.insert(id.text().into_owned()), "an id is used twice");
            self.outstanding = Some(id.text().into_owned());
        }
    }
}

proptest! {
    #[test]
    fn every_call_ends_exactly_once_and_nothing_happens_twice(
        events in prop::collection::vec(event(), 0..250)
    ) {
        let mut watch = Watch::new();
        for event in events {
            watch.happen(event);
        }
        watch.step(Input::Closed);
        let all: Vec<u64> = (0..watch.started).collect();
        prop_assert_eq!(watch.ended.keys().copied().collect::<Vec<_>>(), all);
        prop_assert!(watch.ended.values().all(|times| *times == 1));
    }

    #[test]
    fn two_sessions_that_talk_to_each_other_answer_everything(
        order in prop::collection::vec((0_usize..2, any::<bool>()), 1..60)
    ) {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let side = |prefix: &str| Session::new(SessionOptions {
            version: Protocol::V16,
            id_prefix: prefix.into(),
            call_timeout: CALL_TIMEOUT,
        });
        let mut sides = [side("l"), side("r")];
        let mut wire: [VecDeque<String>; 2] = Default::default();
        let mut work: [VecDeque<MessageId>; 2] = Default::default();
        let (mut sent, mut done) = (0, 0);
        let settle = std::iter::repeat_n([(0, false), (1, false)], 300).flatten();
        for (who, wants_to_call) in order.into_iter().chain(settle) {
            let outputs = if wants_to_call {
                sent += 1;
                sides[who].step(Input::Send(OutgoingCall {
                    correlation: sent,
                    action: "DataTransfer".into(),
                    payload: "{}".into(),
                    priority: Priority::Command,
                    coalesce_key: None,
                    expires_at: now + CALL_TIMEOUT,
                }), now)
            } else if let Some(text) = wire[who].pop_front() {
                sides[who].step(Input::Received(&text), now)
            } else if let Some(message_id) = work[who].pop_front() {
                sides[who].step(Input::Answer { message_id, answer: Ok("{}".into()) }, now)
            } else {
                Vec::new()
            };
            for output in outputs {
                match output {
                    Output::Transmit(text) => wire[1 - who].push_back(text),
                    Output::Dispatch(call) => work[who].push_back(call.message_id),
                    Output::CallDone { result, .. } => {
                        prop_assert!(result.is_ok());
                        done += 1;
                    }
                    Output::NextWake(_) => {}
                }
            }
        }
        prop_assert_eq!(done, sent);
    }
}
