//! What the API answered of the store before it was migrated, and what it answers now: lists, sessions and their costs, groups.

use std::time::Duration;

use evenwatt::charging::sessions::move_some;
use kernel::Timestamp;
use serde_json::{Value, json};

use super::Stored;
use super::comparison::differences;
use crate::support::after_commits;

/// Flags and warnings that came with 0.1.0: the old program did not look for what they say.
const SINCE: [&str; 2] = ["no_security", "meter_stale"];

/// Takes away what 0.1.0 says besides, wherever it is.
fn without_additions(now: &mut Value) {
    let text = |item: &Value| item.as_str().or(item["code"].as_str()).unwrap_or_default().to_owned();
    match now {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Array(items) if name == "flags" || name == "warnings" => {
                        items.retain(|item| !SINCE.iter().any(|code| text(item).starts_with(code)));
                    }
                    value => without_additions(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_additions),
        _ => {}
    }
}

/// Rows of one instant in one order; the old program had none for them.
fn sort_by_instant(list: &mut Value) {
    let key = |row: &Value| (row["at"].to_string(), row["status"].to_string());
    list.as_array_mut().expect("a list").sort_by_key(key);
}

/// What differs of an answer besides what is meant to.
fn unexpected(path: &str, then: &Value, now: &Value) -> Vec<String> {
    let (mut then, mut now) = (then.clone(), now.clone());
    without_additions(&mut now);
    if path.contains("/statuses") {
        sort_by_instant(&mut then);
        sort_by_instant(&mut now);
    }
    if path.starts_with("/events") {
        // What the start of this server recorded comes after.
        let recorded = then.as_array().map_or(0, Vec::len);
        now.as_array_mut().expect("a list").truncate(recorded);
    }
    let mut found = differences(&then, &now);
    // Asking uses the key. Each server makes a plan of its own when it starts, where that says something new.
    let own = if path.starts_with("/api_keys") { ".last_used_at " } else { ".plan " };
    let is_own = |line: &String| line.contains(own) && (path.starts_with("/api_keys") || path.ends_with("/status"));
    found.retain(|line| !is_own(line));
    found.into_iter().map(|line| format!("{path}: {line}")).collect()
}

/// Moves all meter values into chunks; how many.
async fn move_readings(stored: &Stored) -> usize {
    let (mut moved, mut after) = (0, None);
    loop {
        let db = &stored.running.context.db;
        let step = db.write_to_memory(move |conn| move_some(conn, after.clone(), 5)).await.expect("moved");
        moved += step.readings;
        after = step.next;
        if after.is_none() {
            return moved;
        }
    }
}

/// What the group drew in each ten seconds, in kW, and of how many members. The old program took the average of the readings in a span; these
/// were computed from the rows of the store by a program of another language: the draw of each connector as a function of time.
fn drawn() -> Value {
    const DRAWN: [(f64, u32); 12] = [
        (3.706, 3),
        (7.679, 3),
        (8.164, 3),
        (5.002, 3),
        (3.561, 3),
        (4.215, 4),
        (5.251, 4),
        (7.651, 4),
        (12.218, 4),
        (13.252, 4),
        (12.826, 4),
        (14.721, 5),
    ];
    let begin: Timestamp = "2026-11-27T15:53:31Z".parse().expect("a time");
    let spans = (0..).zip(DRAWN).map(|(number, (power, members))| {
        json!({"at": begin + Duration::from_secs(number * 10), "power": power, "members": members})
    });
    spans.collect()
}

#[actix_web::test]
async fn everything_that_was_stored_reads_as_it_did() {
    let stored = Stored::start().await;
    let answered = stored.answers["answers"].as_object().expect("answers");
    assert!(answered.len() >= 60);
    let drawn = drawn();
    for is_moved in [false, true] {
        if is_moved {
            assert!(move_readings(&stored).await >= 40);
        }
        let mut found = Vec::new();
        for (path, then) in answered.iter().filter(|(path, _)| !path.ends_with("/status")) {
            let now = stored.client.get(path).await;
            assert_eq!(now.status, 200, "{path}: {}", now.text);
            let then = if path.contains("/power?") { &drawn } else { &then["result"] };
            found.extend(unexpected(path, then, &now.json()["result"]));
        }
        assert!(found.is_empty(), "moved: {is_moved}: {}", found.join("\n"));
    }
    stored.running.stop().await.expect("it stops");
}

#[actix_web::test]
async fn the_groups_are_doing_as_they_did() {
    let stored = Stored::start().await;
    let answered = stored.answers["answers"].as_object().expect("answers");
    let groups = answered.iter().filter(|(path, _)| path.ends_with("/status"));
    // Of a station that never connected 0.1.0 reserves the whole rating, here 11 kW; the old program reserved nothing.
    let (connected, never): (Vec<_>, Vec<_>) = groups.partition(|(_, then)| then["result"]["reserved"] != 0.0);
    assert_eq!((connected.len(), never.len()), (2, 1));
    for (path, _) in never {
        after_commits(&stored.running, async || stored.client.get(path).await.ok()["reserved"] == 11.0).await;
    }
    for (path, then) in connected {
        assert_eq!(unexpected(path, &then["result"], &stored.client.get(path).await.ok()), [""; 0]);
    }
    stored.running.stop().await.expect("it stops");
}
