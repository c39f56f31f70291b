//! What the load says is what a real station could have said: read strictly, in time, with registers that a plug can give.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use clock::{SharedClock, SystemClock};
use kernel::{Protocol, Timestamp};
use ocpp::decode::check;
use ocpp::v2::transactions::transaction_event;
use ocpp::v16;
use ocpp::wire::Wire;

use super::connection::accepted_profile;
use super::process::{Bytes, Stat, own_memory, parse_io};
use super::script::Script;
use super::workload::Step;
use super::*;
use crate::Endpoint;

const ALL: [Workload; 8] = [
    Workload::Heartbeat,
    Workload::MeterValues,
    Workload::Mixed,
    Workload::Transactions16,
    Workload::Transactions201,
    Workload::Rhythm,
    Workload::Arrival,
    Workload::Idle,
];

fn start() -> Timestamp {
    "2026-11-28T10:00:00Z".parse().expect("a time")
}

/// What a server would answer.
fn answer(frame: &Value) -> String {
    let payload = match frame[2].as_str().expect("an action") {
        "StartTransaction" => r#"{"transactionId":77,"idTagInfo":{"status":"Accepted"}}"#,
        "BootNotification" => r#"{"status":"Accepted","currentTime":"2026-11-28T10:00:00Z","interval":300}"#,
        "TransactionEvent" => r#"{"idTokenInfo":{"status":"Accepted"}}"#,
        _ => "{}",
    };
    format!("[3,{},{payload}]", frame[1])
}

/// So many calls of one station, each so long after the last and answered at once.
fn talk(workload: Workload, station: u64, calls: usize, apart: Duration) -> Vec<(String, Value)> {
    let mut script = Script::new(workload, station, "CARD", true, start());
    let (mut now, mut text, mut said) = (start(), String::new(), Vec::new());
    while said.len() < calls
        && let Some(step) = script.say(&mut text, now)
    {
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(script.hear(step, &answer(&frame)), Some(true), "{text}");
        said.push((text.clone(), frame));
        now = now + apart;
    }
    said
}

fn strictly<T: Wire>(payload: &Value, version: Protocol) {
    let raw = RawValue::from_string(payload.to_string()).expect("JSON");
    check::<T>(&raw, version).expect("as the specification wants it");
}

#[test]
fn every_message_is_as_the_specification_wants_it() {
    for workload in ALL {
        for (_, frame) in talk(workload, 3, 20, Duration::from_millis(5)) {
            let (payload, version) = (&frame[3], workload.version());
            assert_eq!(frame[0], 2);
            match frame[2].as_str().expect("an action") {
                "Heartbeat" => strictly::<v16::heartbeat::Request>(payload, version),
                "StartTransaction" => strictly::<v16::start_transaction::Request>(payload, version),
                "StatusNotification" => strictly::<v16::status_notification::Request>(payload, version),
                "MeterValues" => strictly::<v16::meter_values::Request>(payload, version),
                "StopTransaction" => strictly::<v16::stop_transaction::Request>(payload, version),
                "TransactionEvent" => strictly::<transaction_event::Request>(payload, version),
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn a_workload_says_its_steps_in_order() {
    let actions = |workload, calls| -> Vec<String> {
        let said = talk(workload, 1, calls, Duration::from_millis(5)).into_iter();
        said.map(|(_, frame)| frame[3]["eventType"].as_str().or(frame[2].as_str()).expect("a name").to_owned())
            .collect()
    };
    let prepared = ["StartTransaction", "StatusNotification"];
    assert_eq!(actions(Workload::Mixed, 5), [&prepared[..], &["Heartbeat", "MeterValues", "Heartbeat"]].concat());
    assert_eq!(actions(Workload::Rhythm, 4), [&prepared[..], &["MeterValues", "MeterValues"]].concat());
    assert_eq!(
        actions(Workload::Transactions16, 4),
        ["StartTransaction", "MeterValues", "StopTransaction", "StartTransaction"]
    );
    assert_eq!(actions(Workload::Transactions201, 4), ["Started", "Updated", "Ended", "Started"]);
    assert_eq!(actions(Workload::Arrival, 4), ["StartTransaction"], "a car arrives once");
    assert!(actions(Workload::Idle, 4).is_empty());
}

#[test]
fn times_only_rise_and_registers_rise_by_less_than_the_plug_gives() {
    let said = talk(Workload::MeterValues, 5, 3_000, Duration::from_micros(1_700));
    let (mut last_time, mut last_register, mut values) = (start(), 0_i64, 0_i64);
    let mut first_register = None;
    for (text, frame) in &said {
        let Some(value) = frame[3].pointer("/meterValue/0") else {
            continue;
        };
        assert!((400..700).contains(&text.len()), "as long as a real one: {}", text.len());
        assert_eq!(frame[3]["transactionId"], 77);
        let at: Timestamp = value["timestamp"].as_str().expect("a time").parse().expect("a time");
        assert!(at > last_time && at.micros() % 1_000 == 0, "{at:?}");
        let number = |place: usize| value["sampledValue"][place]["value"].as_str().expect("a number");
        let register: i64 = number(0).parse().expect("Wh");
        let power: f64 = number(1).parse().expect("W");
        let product = number(2).parse::<f64>().expect("A") * number(3).parse::<f64>().expect("V");
        assert!(register >= last_register && (6_000.0..=7_000.0).contains(&power));
        assert!((product - power).abs() < 2.0, "{product} is not {power}");
        first_register.get_or_insert(register);
        (last_time, last_register, values) = (at, register, values + 1);
    }
    assert_eq!(values, 2_998, "all but the start and the status");
    let seconds = last_time.seconds_since(start());
    let energy = last_register - first_register.expect("a first");
    assert!(seconds == 5 && (8..=10).contains(&energy), "7 kW give 9.7 Wh in 5 s: {energy}");
}

#[test]
fn no_time_is_said_twice_even_when_none_passes() {
    let said = talk(Workload::Transactions16, 5, 30, Duration::ZERO);
    let times: Vec<String> = said
        .iter()
        .map(|(_, frame)| {
            let payload = &frame[3];
            let time = payload.get("timestamp").or_else(|| payload.pointer("/meterValue/0/timestamp"));
            time.and_then(Value::as_str).expect("a time").to_owned()
        })
        .collect();
    assert!(times.is_sorted_by(|left, right| left < right), "{times:?}");
}

#[test]
fn transactions_have_names_of_their_own_and_events_in_order() {
    let mut names = std::collections::BTreeSet::new();
    for station in 1..=20 {
        let said = talk(Workload::Transactions201, station, 30, Duration::from_millis(9));
        for events in said.chunks(3) {
            let name = &events[0].1[3]["transactionInfo"]["transactionId"];
            assert_eq!(name.as_str().map(str::len), Some(36));
            for (number, (_, frame)) in events.iter().enumerate() {
                assert_eq!(frame[3]["seqNo"], number);
                assert_eq!(&frame[3]["transactionInfo"]["transactionId"], name);
            }
            assert!(events[0].1[3].get("idToken").is_some());
            assert!(names.insert(name.to_string()), "{name} was there before");
        }
    }
    assert_eq!(names.len(), 200);
    let other_run = Script::new(Workload::Transactions201, 1, "CARD", true, start() + Duration::from_secs(1));
    let mut text = String::new();
    let mut other_run = other_run;
    other_run.say(&mut text, start());
    assert!(names.iter().all(|name| !text.contains(name.as_str())), "a later run has other names");
}

#[test]
fn values_may_leave_their_transaction_out() {
    let mut script = Script::new(Workload::MeterValues, 1, "CARD", false, start());
    let mut text = String::new();
    for _ in 0..3 {
        let step = script.say(&mut text, start()).expect("a step");
        script.hear(step, &answer(&serde_json::from_str(&text).expect("JSON")));
    }
    assert!(text.contains("MeterValues") && !text.contains("transactionId"), "{text}");
}

#[test]
fn only_the_answer_to_the_last_call_is_one_and_a_refused_start_is_tried_again() {
    let mut script = Script::new(Workload::Transactions16, 1, "CARD", true, start());
    let mut text = String::new();
    assert_eq!(script.say(&mut text, start()), Some(Step::Start));
    for other in [r#"[3,"s1",{}]"#, r#"[3,"L2",{}]"#, r#"[2,"L1","GetConfiguration",{}]"#, "", "[3"] {
        assert_eq!(script.hear(Step::Start, other), None, "{other}");
    }
    for refused in [
        r#"[4,"L1","InternalError","",{}]"#,
        r#"[3,"L1",{"transactionId":5,"idTagInfo":{"status":"Invalid"}}]"#,
        r#"[3,"L1",{"idTagInfo":{"status":"Accepted"}}]"#,
    ] {
        assert_eq!(script.hear(Step::Start, refused), Some(false), "{refused}");
    }
    assert_eq!(script.say(&mut text, start()), Some(Step::Start), "again");
    assert_eq!(script.hear(Step::Start, &answer(&serde_json::from_str(&text).expect("JSON"))), Some(true));
    assert_eq!(script.say(&mut text, start()), Some(Step::Values));
    assert!(text.contains(r#""transactionId":77"#), "{text}");
}

#[test]
fn a_limit_of_a_transaction_is_accepted() {
    let limit = r#"[2,"a-1","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfilePurpose":"TxProfile"}}]"#;
    assert_eq!(accepted_profile(limit).as_deref(), Some(r#"[3,"a-1",{"status":"Accepted"}]"#));
    assert_eq!(accepted_profile(&limit.replace("TxProfile", "TxDefaultProfile")), None, "its station keeps that");
    assert_eq!(accepted_profile(r#"[3,"a-1",{}]"#), None);
}

#[test]
fn proc_is_read_also_when_the_name_has_brackets() {
    let stat = "7 (a) b) S 3 7 7 0 -1 4194560 1 0 0 0 12 30 5 6 20 0 4 0 1 1 1 1";
    assert_eq!(Stat::parse(stat), Some(Stat { parent: 3, own: 42, ended_children: 11 }));
    assert_eq!(Stat::parse("7 (a) S 3"), None);
    assert_eq!(own_memory("Name:\ta\nVmRSS:\t  4096 kB\nRssAnon:\t  2048 kB\n"), Some(2_048));
    let io = "rchar: 1\nwchar: 30\nsyscr: 4\nsyscw: 5\nread_bytes: 6\nwrite_bytes: 8192\ncancelled_write_bytes: 7\n";
    assert_eq!(parse_io(io), Some(Bytes { stored: 8_192, passed: 30 }));
    assert_eq!(parse_io("wchar: 30\n"), None);
}

#[test]
#[cfg(target_os = "linux")]
fn this_process_can_be_looked_at() {
    let look = || process::Usage::of_process(std::process::id()).expect("its own");
    let before = look();
    let spent = look().since(&before);
    assert!(spent.own_kilobytes > 0 && spent.io.is_some() && spent.processor < Duration::from_secs(5));
    assert!(process::Usage::of_process(u32::MAX).is_err());
}

/// Accepts everything, asks each station once what it can, and refuses every tenth call of a load.
async fn serve(stream: TcpStream) {
    #[expect(clippy::result_large_err, reason = "tungstenite wants it so")]
    let accept = |request: &Request, mut response: Response| {
        let protocol = request.headers().get("sec-websocket-protocol").cloned().expect("a protocol");
        response.headers_mut().insert("sec-websocket-protocol", protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, accept).await.expect("a handshake");
    socket.send(Message::text(r#"[2,"q","GetConfiguration",{}]"#)).await.expect("sent");
    let mut calls = 0;
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        if frame[0] != 2 {
            continue;
        }
        calls += i32::from(frame[2] == "MeterValues");
        let refused = format!("[4,{},\"InternalError\",\"\",{{}}]", frame[1]);
        let reply = if frame[2] == "MeterValues" && calls % 10 == 0 { refused } else { answer(&frame) };
        if socket.send(Message::text(reply)).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_window_counts_what_was_answered_in_it_and_what_was_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}/ocpp/abc", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let endpoint = Endpoint { url, password: None, version: Protocol::V16 };
    let plan = |workload, every| LoadPlan {
        workload,
        endpoints: vec![endpoint.clone(); 3],
        card: "CARD".to_owned(),
        every,
        names_transaction: true,
        stagger: Duration::from_millis(1),
    };
    let conditions = Conditions {
        settle: Duration::from_millis(100),
        warm_up: Duration::from_millis(50),
        window: Duration::from_millis(300),
        messages: 20,
        server: Some(std::process::id()).filter(|_| cfg!(target_os = "linux")),
        postgres: None,
    };
    let clock: SharedClock = Arc::new(SystemClock);
    let run = async |plan: LoadPlan| {
        let mut said = Vec::new();
        let measured = measure(&plan, &conditions, &clock, |what| said.push(what.to_owned())).await.expect("a load");
        assert_eq!(said, ["3 stations connect", "measuring", "measured"]);
        measured
    };

    let values = run(plan(Workload::MeterValues, None)).await;
    assert_eq!(values.summary.actions.keys().collect::<Vec<_>>(), [&"MeterValues"], "what went before is not counted");
    assert!(values.summary.calls() >= 18 && values.summary.total().failures > 0, "{:?}", values.summary);
    assert!(values.took >= conditions.window && values.server.is_some() == cfg!(target_os = "linux"));

    let beats = run(plan(Workload::Heartbeat, Some(Duration::from_millis(40)))).await;
    let beats_a_second = beats.summary.calls() as f64 / beats.took.as_secs_f64();
    assert!(
        (40.0..=110.0).contains(&beats_a_second),
        "3 stations, 25 a second each, not as fast as they can: {beats_a_second}"
    );

    let cars = run(plan(Workload::Arrival, None)).await;
    assert_eq!(cars.summary.calls(), 3, "each arrives once");
    assert_eq!(run(plan(Workload::Idle, None)).await.summary.calls(), 0);
}
