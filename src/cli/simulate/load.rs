//! A load that is measured: the report of a window for a person, or a line of it for a script.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::drivers::{each, float, report};
use super::{SimulateArgs, Work, stations};
use clap::ValueEnum;
use clock::{SharedClock, SystemClock};
use simulator::load::process::Spent;
use simulator::load::{Conditions, LoadPlan, Measured, Workload, measure};

/// Makes the load, and prints what came of it.
pub(super) async fn run(workload: Workload, args: &SimulateArgs) -> Result<()> {
    let mut endpoints = stations::endpoints(args).await?;
    for endpoint in &mut endpoints {
        endpoint.version = workload.version();
    }
    let plan = LoadPlan {
        workload,
        endpoints,
        card: args.card().to_owned(),
        every: args.load.every.or_else(|| workload.every()),
        names_transaction: !args.load.omit_transaction_id,
        stagger: args.stagger(),
    };
    let conditions = Conditions {
        settle: Duration::from_secs(args.load.settle),
        warm_up: Duration::from_secs(args.load.warm_up),
        window: Duration::from_secs(args.seconds),
        messages: args.load.messages,
        server: args.pid,
        postgres: args.load.postgres_pid,
    };
    let clock: SharedClock = Arc::new(SystemClock);
    let measured = measure(&plan, &conditions, &clock, |what| eprintln!("{what}")).await?;
    let stations = plan.endpoints.len();
    if args.load.json {
        println!("{}", line(args.workload, stations, &measured));
    } else {
        print!("{}", text(stations, &measured));
    }
    if workload != Workload::Idle && measured.summary.calls() == 0 {
        let why = measured.summary.last_failure.unwrap_or_else(|| "none".to_owned());
        bail!("nothing was answered; the last failure of a connection: {why}");
    }
    Ok(())
}

fn text(stations: usize, measured: &Measured) -> String {
    let Measured { summary, took, server, postgres, grown_kilobytes } = measured;
    let messages = summary.calls();
    let mut text = report(summary, *took);
    // Writing to a text does not fail.
    let _ = writeln!(text, "measured: {messages} messages of {stations} stations in {:.1} s", took.as_secs_f64());
    for (name, spent) in [("server", server), ("PostgreSQL, all processes", postgres)] {
        let Some(spent) = spent else {
            continue;
        };
        let micros = each(spent.processor.as_secs_f64() * 1e6, messages);
        let _ = write!(text, "{name}: {micros:.1} µs of processor time a message");
        if let Some(io) = spent.io {
            let (stored, passed) = (each(float(io.stored), messages), each(float(io.passed), messages));
            let _ = write!(text, "; {stored:.0} bytes written a message, {passed:.0} passed to write()");
        }
        let _ = writeln!(text, "; {:.1} MB of memory", float(spent.own_kilobytes) * 1024.0 / 1e6);
    }
    if let Some((alone, grown)) = grown_kilobytes {
        let share = each(float(*grown), stations as u64);
        let alone = float(*alone) * 1024.0 / 1e6;
        let _ = writeln!(text, "memory: {share:.1} kB a station above {alone:.1} MB before they connected");
    }
    text
}

/// Times in milliseconds, memory as its name says, all else a message.
fn line(work: Work, stations: usize, measured: &Measured) -> Value {
    let Measured { summary, took, server, postgres, grown_kilobytes } = measured;
    let (messages, total) = (summary.calls(), summary.total());
    let latencies = |one: &simulator::statistics::ActionStatistics| {
        let millis = |span: Duration| span.as_secs_f64() * 1_000.0;
        let latency = &one.latency;
        json!({"count": latency.count(), "failed": one.failures, "p50_ms": millis(latency.percentile(50)),
            "p99_ms": millis(latency.percentile(99)), "max_ms": millis(latency.longest())})
    };
    let actions: Map<String, Value> =
        summary.actions.iter().map(|(name, one)| ((*name).to_owned(), latencies(one))).collect();
    let spent = |spent: &Spent| {
        json!({"micros_a_message": each(spent.processor.as_secs_f64() * 1e6, messages),
            "processor_seconds": spent.processor.as_secs_f64(),
            "bytes_written_a_message": spent.io.map(|io| each(float(io.stored), messages)),
            "bytes_passed_a_message": spent.io.map(|io| each(float(io.passed), messages)),
            "memory_mb": float(spent.own_kilobytes) * 1024.0 / 1e6})
    };
    let name = work.to_possible_value().map(|value| value.get_name().to_owned());
    json!({
        "workload": name, "stations": stations, "seconds": took.as_secs_f64(), "messages": messages,
        "a_second": float(messages) / took.as_secs_f64(), "all": latencies(&total), "actions": actions,
        "server": server.as_ref().map(spent), "postgres": postgres.as_ref().map(spent),
        "kilobytes_a_station": grown_kilobytes.map(|(_, grown)| each(float(grown), stations as u64)),
        "disconnects": summary.disconnects, "failed_connects": summary.failed_connects,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulator::statistics::Statistics;

    #[test]
    fn a_line_for_a_script_has_what_the_report_has() {
        let statistics = Statistics::default();
        for millis in 1..=100 {
            statistics.called("MeterValues", Duration::from_millis(millis), true);
        }
        statistics.called("MeterValues", Duration::from_millis(1), false);
        let spent = Spent { processor: Duration::from_millis(12), io: None, own_kilobytes: 1_000 };
        let measured = Measured {
            summary: statistics.take(),
            took: Duration::from_secs(10),
            server: Some(spent),
            postgres: None,
            grown_kilobytes: Some((1, 500)),
        };
        let line = line(Work::MeterValues, 50, &measured);
        assert_eq!(line["workload"], "meter-values");
        assert_eq!((&line["messages"], &line["a_second"]), (&json!(100), &json!(10.0)));
        assert_eq!(line["server"]["micros_a_message"], 120.0);
        assert_eq!(line["kilobytes_a_station"], 10.0);
        assert_eq!(line["actions"]["MeterValues"]["failed"], 1);
        assert_eq!(line["actions"]["MeterValues"]["max_ms"], 100.0);
        assert!(line["postgres"].is_null() && line["server"]["bytes_written_a_message"].is_null());
        let text = text(50, &measured);
        assert!(text.contains("server: 120.0 µs of processor time a message; 1.0 MB of memory"), "{text}");
        assert!(text.contains("memory: 10.0 kB a station"), "{text}");
        assert_eq!(statistics.calls(), 0, "counting began again");
    }
}
