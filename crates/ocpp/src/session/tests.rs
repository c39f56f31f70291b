//! The rules of a connection, one at a time.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A session under a clock that stands still until it is moved.
struct Bench {
    session: Session,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let options = SessionOptions { version: Protocol::V16, id_prefix: "k".into(), call_timeout: CALL_TIMEOUT };
        Self { session: Session::new(options), now: Timestamp::from_unix_seconds(1_700_000_000) }
    }

    /// What happens, one line an output, without the wakes.
    fn step(&mut self, input: Input<'_>) -> Vec<String> {
        let outputs = self.session.step(input, self.now).into_iter();
        outputs.filter_map(|one| sent(&one)).collect()
    }

    fn hear(&mut self, text: &str) -> Vec<String> {
        self.step(Input::Received(text))
    }

    fn send(&mut self, call: OutgoingCall) -> Vec<String> {
        self.step(Input::Send(call))
    }

    /// Answers the dispatched call with this id, as JSON.
    fn answer(&mut self, id: &str, answer: Result<&str, CallError>) -> Vec<String> {
        let text = format!("[2,{id},\"Heartbeat\",{{}}]");
        let Ok(Frame::Call { id, .. }) = parse(&text) else { panic!("an id") };
        self.step(Input::Answer { message_id: id, answer: answer.map(str::to_owned) })
    }

    fn wait(&mut self, span: Duration) -> Vec<String> {
        self.now = self.now + span;
        self.step(Input::Tick)
    }

    fn call(&self, correlation: u64, priority: Priority) -> OutgoingCall {
        OutgoingCall {
            correlation,
            action: "Reset".into(),
            payload: format!("{{\"n\":{correlation}}}"),
            priority,
            coalesce_key: None,
            expires_at: self.now + SECOND * 3_600,
        }
    }

    fn limit(&self, correlation: u64, priority: Priority, connector: u32) -> OutgoingCall {
        OutgoingCall {
            coalesce_key: Some(CoalesceKey { what: "limit", connector }),
            ..self.call(correlation, priority)
        }
    }
}

fn sent(output: &Output) -> Option<String> {
    match output {
        Output::Transmit(text) => Some(format!("> {text}")),
        Output::Dispatch(call) => {
            Some(format!("handle {} {} {}", call.message_id.as_json(), call.action, call.payload))
        }
        Output::CallDone { correlation, result: Ok(payload) } => Some(format!("{correlation} done {payload}")),
        Output::CallDone { correlation, result: Err(failure) } => Some(format!("{correlation} {failure:?}")),
        Output::NextWake(_) => None,
    }
}

#[test]
fn section_4_1_1_one_call_is_outstanding_at_a_time() {
    let mut bench = Bench::new();
    let (first, second) = (bench.call(1, Priority::Command), bench.call(2, Priority::Command));
    assert_eq!(bench.send(first), [r#"> [2,"k1","Reset",{"n":1}]"#]);
    assert_eq!(bench.send(second), [""; 0]);
    assert_eq!(
        bench.hear(r#"[3,"k1",{"status":"Accepted"}]"#),
        [r#"1 done {"status":"Accepted"}"#, r#"> [2,"k2","Reset",{"n":2}]"#]
    );
}

#[test]
fn a_refusal_ends_a_call() {
    let mut bench = Bench::new();
    bench.send(bench.call(1, Priority::Command));
    let sent = bench.hear(r#"[4,"k1","NotSupported","no",{}]"#);
    assert!(sent[0].starts_with("1 Error(CallError { code: NotSupported"), "{sent:?}");
}

#[test]
fn an_answer_that_cannot_be_read_ends_its_call_at_once() {
    let mut bench = Bench::new();
    bench.send(bench.call(1, Priority::Command));
    let sent = bench.hear(r#"[3,"k1",{"configurationKey":[{]}]"#);
    assert!(sent[0].starts_with("1 Error(CallError { code: FormationViolation"), "{sent:?}");
}

#[test]
fn an_answer_with_a_numeric_id_ends_the_call_with_that_text() {
    let mut bench = Bench::new();
    bench.session =
        Session::new(SessionOptions { version: Protocol::V16, id_prefix: String::new(), call_timeout: CALL_TIMEOUT });
    bench.send(bench.call(1, Priority::Command));
    assert_eq!(bench.hear("[3,1,{}]"), ["1 done {}"]);
}

#[test]
fn the_most_urgent_call_goes_first_and_equals_in_their_order() {
    let mut bench = Bench::new();
    for (correlation, priority) in [
        (1, Priority::Command),
        (2, Priority::Probe),
        (3, Priority::Raising),
        (4, Priority::Command),
        (5, Priority::Lowering),
        (6, Priority::Command),
        (7, Priority::Lowering),
    ] {
        bench.send(bench.call(correlation, priority));
    }
    let mut order = Vec::new();
    for id in 1..=7 {
        let sent = bench.hear(&format!("[3,\"k{id}\",{{}}]"));
        order.push(sent[0].replace(" done {}", ""));
    }
    assert_eq!(order, ["1", "5", "7", "4", "6", "3", "2"]);
}

#[test]
fn a_newer_limit_of_the_same_connector_replaces_the_waiting_one() {
    let mut bench = Bench::new();
    bench.send(bench.limit(1, Priority::Raising, 1));
    bench.send(bench.limit(2, Priority::Raising, 1));
    bench.send(bench.limit(3, Priority::Raising, 2));
    assert_eq!(bench.send(bench.limit(4, Priority::Raising, 1)), ["2 Superseded"]);
    assert_eq!(bench.send(bench.limit(5, Priority::Lowering, 2)), ["3 Superseded"]);
    assert_eq!(bench.hear(r#"[3,"k1",{}]"#), ["1 done {}", r#"> [2,"k2","Reset",{"n":5}]"#]);
    assert_eq!(bench.hear(r#"[3,"k2",{}]"#), ["5 done {}", r#"> [2,"k3","Reset",{"n":4}]"#]);
}

#[test]
fn a_late_answer_is_ignored_and_counted() {
    let mut bench = Bench::new();
    bench.send(bench.call(1, Priority::Command));
    assert_eq!(bench.wait(CALL_TIMEOUT - SECOND), [""; 0]);
    assert_eq!(bench.wait(SECOND), ["1 TimedOut"]);
    assert_eq!(bench.hear(r#"[3,"k1",{}]"#), [""; 0]);
    assert_eq!(bench.hear(r#"[3,"never",{}]"#), [""; 0]);
}

#[test]
fn a_call_expires_while_it_waits() {
    let mut bench = Bench::new();
    bench.send(bench.call(1, Priority::Command));
    let brief = OutgoingCall { expires_at: bench.now + SECOND * 5, ..bench.call(2, Priority::Lowering) };
    bench.send(brief);
    assert_eq!(bench.wait(SECOND * 5), ["2 Expired"]);

    let stale = OutgoingCall { expires_at: bench.now, ..bench.call(3, Priority::Lowering) };
    assert_eq!(bench.send(stale), ["3 Expired"]);
}

#[test]
fn the_session_asks_to_be_woken_for_the_next_deadline() {
    let mut bench = Bench::new();
    let wakes = |outputs: Vec<Output>| -> Vec<Timestamp> {
        let wake = |one| match one {
            Output::NextWake(at) => Some(at),
            _ => None,
        };
        outputs.into_iter().filter_map(wake).collect()
    };
    let (call, now) = (bench.call(1, Priority::Command), bench.now);
    assert_eq!(wakes(bench.session.step(Input::Send(call), now)), [now + CALL_TIMEOUT]);
    let brief = OutgoingCall { expires_at: now + SECOND, ..bench.call(2, Priority::Command) };
    assert_eq!(wakes(bench.session.step(Input::Send(brief), now)), [now + SECOND]);
    assert_eq!(wakes(bench.session.step(Input::Tick, now)), []);
}

#[test]
fn a_full_queue_gives_way_to_what_is_more_urgent() {
    let mut bench = Bench::new();
    bench.send(bench.call(0, Priority::Command));
    for correlation in 1..=64 {
        assert_eq!(bench.send(bench.call(correlation, Priority::Raising)), [""; 0]);
    }
    assert_eq!(bench.send(bench.call(65, Priority::Raising)), ["65 QueueFull"]);
    assert_eq!(bench.send(bench.call(66, Priority::Probe)), ["66 QueueFull"]);
    assert_eq!(bench.send(bench.call(67, Priority::Lowering)), ["64 QueueFull"]);
}

#[test]
fn everything_ends_when_the_connection_does() {
    let mut bench = Bench::new();
    bench.send(bench.call(1, Priority::Command));
    bench.send(bench.call(2, Priority::Command));
    bench.hear(r#"[2,"a","Heartbeat",{}]"#);
    assert_eq!(bench.step(Input::Closed), ["1 Dropped", "2 Dropped"]);
    assert_eq!(bench.send(bench.call(3, Priority::Command)), ["3 Dropped"]);
    assert_eq!(bench.answer("\"a\"", Ok("{}")), [""; 0]);
    assert_eq!(bench.hear(r#"[2,"b","Heartbeat",{}]"#), [""; 0]);
}

#[test]
fn calls_of_the_station_are_handled_one_after_the_other() {
    let mut bench = Bench::new();
    assert_eq!(bench.hear(r#"[2,"a","Heartbeat",{}]"#), [r#"handle "a" Heartbeat {}"#]);
    assert_eq!(bench.hear(r#"[2,7,"Authorize",{"idTag":"x"}]"#), [""; 0]);
    assert_eq!(bench.answer("\"a\"", Ok("{}")), [r#"> [3,"a",{}]"#, r#"handle 7 Authorize {"idTag":"x"}"#]);
    let error = CallError::new(ErrorCode::FormationViolation, "no");
    assert_eq!(bench.answer("7", Err(error)), [r#"> [4,7,"FormationViolation","no",{}]"#]);
}

#[test]
fn a_repeated_call_is_not_handled_twice() {
    let mut bench = Bench::new();
    bench.hear(r#"[2,"a","StopTransaction",{}]"#);
    bench.hear(r#"[2,"b","Heartbeat",{}]"#);
    assert_eq!(bench.hear(r#"[2,"a","StopTransaction",{}]"#), [""; 0]);
    assert_eq!(bench.hear(r#"[2,"b","Heartbeat",{}]"#), [""; 0]);
    assert_eq!(bench.answer("\"a\"", Ok("{}")).len(), 2);
    assert_eq!(bench.answer("\"b\"", Ok("{}")), [r#"> [3,"b",{}]"#]);
}

#[test]
fn an_answer_nobody_waits_for_is_not_sent() {
    let mut bench = Bench::new();
    bench.hear(r#"[2,"a","Heartbeat",{}]"#);
    assert_eq!(bench.answer("\"b\"", Ok("{}")), [""; 0]);
    assert_eq!(bench.answer("\"a\"", Ok("{}")), [r#"> [3,"a",{}]"#]);
    assert_eq!(bench.answer("\"a\"", Ok("{}")), [""; 0]);
}

#[test]
fn our_answers_are_heard_while_a_call_of_the_station_is_handled() {
    let mut bench = Bench::new();
    bench.send(bench.call(1, Priority::Command));
    bench.hear(r#"[2,"a","Heartbeat",{}]"#);
    assert_eq!(bench.hear(r#"[3,"k1",{}]"#), ["1 done {}"]);
}

#[test]
fn another_call_under_an_id_in_use_is_handled_too() {
    let mut bench = Bench::new();
    bench.hear(r#"[2,"a","Heartbeat",{}]"#);
    bench.hear(r#"[2,"a","MeterValues",{"connectorId":1}]"#);
    bench.hear(r#"[2,"a","MeterValues",{"connectorId":2}]"#);
    assert_eq!(bench.answer("\"a\"", Ok("{}")).len(), 2, "and the next one");
    assert_eq!(bench.answer("\"a\"", Ok("{}")).len(), 2);
    assert_eq!(bench.answer("\"a\"", Ok("{}")), [r#"> [3,"a",{}]"#]);
}

#[test]
fn there_is_room_until_enough_calls_wait() {
    let mut bench = Bench::new();
    for number in 0..=MOST_WAITING {
        assert!(bench.session.has_room(), "{number}");
        bench.hear(&format!("[2,{number},\"Heartbeat\",{{}}]"));
    }
    assert!(!bench.session.has_room());
    bench.answer("0", Ok("{}"));
    assert!(bench.session.has_room());
}

#[test]
fn a_flood_of_calls_is_refused_beyond_the_limit() {
    let mut bench = Bench::new();
    for number in 0..=MOST_WAITING {
        bench.hear(&format!("[2,{number},\"Heartbeat\",{{}}]"));
    }
    assert_eq!(
        bench.hear("[2,\"over\",\"Heartbeat\",{}]"),
        [r#"> [4,"over","GenericError","too many calls are waiting",{}]"#]
    );
}

#[test]
fn broken_json_is_answered_and_the_connection_goes_on() {
    let mut bench = Bench::new();
    let sent = bench.hear("{broken");
    assert!(sent[0].starts_with(r#"> [4,"-1","FormationViolation","#), "{sent:?}");
    assert_eq!(bench.hear("[9,\"x\",{}]"), [""; 0]);
    assert_eq!(bench.hear(r#"[2,"a","Heartbeat",{}]"#).len(), 1);
}

#[test]
fn what_is_sent_in_2_1_is_handled_in_order_and_not_answered() {
    let mut bench = Bench::new();
    let sent = r#"[6,"s1","NotifyPeriodicEventStream",{"id":1}]"#;
    assert_eq!(bench.hear(sent), [""; 0], "1.6 knows no such message");
    bench.session =
        Session::new(SessionOptions { version: Protocol::V21, id_prefix: "k".into(), call_timeout: CALL_TIMEOUT });
    assert_eq!(bench.hear(sent), [r#"handle "s1" NotifyPeriodicEventStream {"id":1}"#]);
    assert_eq!(bench.hear(r#"[2,"c1","Heartbeat",{}]"#), [""; 0]);
    assert_eq!(bench.answer("\"s1\"", Ok("{}")), [r#"handle "c1" Heartbeat {}"#]);
    assert_eq!(bench.answer("\"c1\"", Ok("{}")), [r#"> [3,"c1",{}]"#]);
}

#[test]
fn an_answer_that_cannot_be_read_is_complained_about_in_2_1() {
    let mut bench = Bench::new();
    bench.session =
        Session::new(SessionOptions { version: Protocol::V21, id_prefix: "k".into(), call_timeout: CALL_TIMEOUT });
    bench.send(bench.call(1, Priority::Command));
    let sent = bench.hear(r#"[3,"k1",{"status":[{]}]"#);
    assert!(sent[0].starts_with(r#"> [5,"k1","FormatViolation""#), "{sent:?}");
    assert!(sent[1].starts_with("1 Error("), "{sent:?}");
    assert_eq!(bench.hear(r#"[5,"x","GenericError","",{}]"#), [""; 0]);
}
