//! Targets, and the time of drawing, of stations that report the register only.

use super::*;

async fn with_target(scene: &mut Scene, target: Value, minutes_ago: u64) -> i64 {
    let new = json!({"connector": scene.station.connector, "target": target});
    scene.app.client.post("/sessions", new).await.created();
    let call = scene.socket.next_call().await;
    assert_eq!(call[2], "RemoteStartTransaction");
    scene.socket.answer(&call, json!({"status": "Accepted"})).await;
    let tag = call[3]["idTag"].as_str().expect("a tag").to_owned();
    let at = scene.ago(minutes_ago);
    scene.socket.start(1, &tag, 0, &at).await
}

/// How many stops the station was asked for so far.
async fn stops(scene: &mut Scene) -> usize {
    scene.socket.call("Heartbeat", json!({})).await;
    let calls = scene.socket.calls.iter();
    calls.filter(|call| call[2] == "RemoteStopTransaction").count()
}

#[actix_web::test]
async fn a_target_by_time_is_reached_by_the_register_alone() {
    let mut scene = Scene::new().await;
    let transaction = with_target(&mut scene, json!({"time": 30}), 60).await;
    scene.reads(transaction, 40, 2_000).await;
    assert_eq!(stops(&mut scene).await, 0, "twenty minutes");
    scene.reads(transaction, 20, 4_000).await;
    let stop = scene.socket.next_call().await;
    assert_eq!(stop[2], "RemoteStopTransaction");
}

#[actix_web::test]
async fn a_reached_target_stops_once_and_not_with_every_reading() {
    let mut scene = Scene::new().await;
    let transaction = with_target(&mut scene, json!({"energy": 1}), 60).await;
    scene.reads(transaction, 50, 1_500).await;
    let stop = scene.socket.next_call().await;
    assert_eq!(stop[2], "RemoteStopTransaction");
    scene.socket.answer(&stop, json!({"status": "Accepted"})).await;
    for (minutes, register) in [(40, 2_000), (30, 2_500), (20, 3_000)] {
        scene.reads(transaction, minutes, register).await;
    }
    assert_eq!(stops(&mut scene).await, 0);
}

#[actix_web::test]
async fn a_stop_that_did_not_help_is_asked_for_again_after_minutes() {
    let mut scene = Scene::new().await;
    let transaction = with_target(&mut scene, json!({"energy": 1}), 60).await;
    scene.reads(transaction, 50, 1_500).await;
    let stop = scene.socket.next_call().await;
    scene.socket.answer(&stop, json!({"status": "Rejected"})).await;
    scene.app.pass(Duration::from_secs(301)).await;
    scene.reads(transaction, 0, 2_500).await;
    assert_eq!(scene.socket.next_call().await[2], "RemoteStopTransaction");
}

#[actix_web::test]
async fn the_time_of_drawing_follows_the_register() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    // Twenty minutes of drawing, twenty of none, ten of drawing.
    for (minutes, register) in [(50, 2_000), (40, 4_000), (30, 4_000), (20, 4_000), (10, 6_000)] {
        scene.reads(transaction, minutes, register).await;
    }
    let session = scene.session(transaction).await;
    assert_eq!(session["metrics"]["energyPeriod"], 1_800);
}

#[actix_web::test]
async fn the_time_of_drawing_follows_the_power_where_it_is_reported() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    for (minutes, power) in [(50, "7000"), (40, "7000"), (30, "0"), (20, "0"), (10, "7000")] {
        let values = [(power, POWER, "W", "Sample.Periodic")];
        scene.report(Some(transaction), minutes, &values).await;
    }
    let session = scene.session(transaction).await;
    assert_eq!(session["metrics"]["energyPeriod"], 1_200);
}
