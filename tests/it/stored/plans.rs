//! Plans that were stored: they explain as they did, and planning their snapshots again gives their bytes.

use engine::{Plan, Snapshot, plan};

use super::comparison::differences;
use super::{Stored, open, rows, stored_file};

#[actix_web::test]
async fn each_stored_plan_explains_as_it_did() {
    let stored = Stored::start().await;
    let explained = stored.answers["explain"].as_object().expect("answers");
    assert!(explained.len() >= 10);
    for (path, then) in explained {
        let now = stored.client.get(path).await.ok();
        assert_eq!(now["reproduced"], true, "{path}");
        assert_eq!(differences(&then["result"], &now), [""; 0], "{path}");
        for member in now["members"].as_array().expect("members") {
            assert!(member["because"]["code"].is_string(), "{path}: {member}");
        }
    }
    stored.running.stop().await.expect("it stops");
}

/// Through JSON and back, and through the planner, to the byte.
#[test]
fn planning_a_stored_snapshot_again_gives_the_stored_bytes() {
    let store = stored_file("438937b.db.gz");
    let mut conn = open(&store.url);
    let snapshots = rows(&mut conn, "SELECT snapshot AS text FROM plans ORDER BY id");
    let plans = rows(&mut conn, "SELECT plan AS text FROM plans ORDER BY id");
    assert!(plans.len() >= 30);
    let mut rules = std::collections::BTreeSet::new();
    for (snapshot, stored) in snapshots.iter().zip(&plans) {
        let snapshot: Snapshot = serde_json::from_str(snapshot).expect("a snapshot");
        let read: Plan = serde_json::from_str(stored).expect("a plan");
        assert_eq!(&serde_json::to_string(&read).expect("JSON"), stored);
        let again = plan(&snapshot, read.now);
        assert_eq!(&serde_json::to_string(&again).expect("JSON"), stored);
        rules.extend(again.limits.iter().map(|limit| limit.reason.rule()));
    }
    assert!(rules.len() >= 4, "too few rules are covered: {rules:?}");
}

/// The store of 0.1.0 has the plans of the one it was migrated from.
#[test]
fn migrating_changed_no_plan() {
    let plans = |name| {
        let store = stored_file(name);
        rows(&mut open(&store.url), "SELECT id || trigger || snapshot || plan AS text FROM plans ORDER BY id")
    };
    assert_eq!(plans("438937b.db.gz"), plans("0.1.0.db.gz"));
}
