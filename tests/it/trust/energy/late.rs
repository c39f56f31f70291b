//! Values that are reported twice, late, out of order, or of a session that is over.

use super::*;

#[actix_web::test]
async fn a_message_that_is_repeated_changes_nothing() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    for _ in 0..3 {
        scene.reads(transaction, 30, 4_000).await;
        scene.reads(transaction, 20, 6_000).await;
    }
    let session = scene.session(transaction).await;
    assert_eq!(energy(&session), 6_000);
    let reports = scene.part(&session, "/energy_reports").await.ok();
    assert_eq!(reports.as_array().map(Vec::len), Some(2));
}

#[actix_web::test]
async fn queued_values_may_come_in_any_order() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    for (minutes, register) in [(30, 4_000), (50, 1_000), (20, 6_000), (40, 2_000), (10, 8_000)] {
        scene.reads(transaction, minutes, register).await;
    }
    let session = scene.stop(transaction, 9_000, 0).await;
    assert_eq!(energy(&session), 9_000);
    let reports = scene.part(&session, "/energy_reports").await.ok();
    assert_eq!(reports.as_array().map(Vec::len), Some(5));
}

#[actix_web::test]
async fn values_of_an_ended_transaction_belong_to_the_next_session() {
    let mut scene = Scene::new().await;
    let first = scene.start(1_000, 120).await;
    let ended = scene.stop(first, 6_000, 90).await;
    let second = scene.start(6_000, 60).await;
    scene.reads(first, 40, 9_000).await;
    scene.reads(first, 20, 14_000).await;
    assert_eq!(energy(&scene.session(second).await), 8_000);
    assert_eq!(energy(&scene.stop(second, 16_000, 0).await), 10_000);
    let old = scene.session(first).await;
    assert_eq!((energy(&old), &old["cost"]), (5_000, &ended["cost"]));
    assert_eq!(old["updatedAt"], ended["updatedAt"]);
}

#[actix_web::test]
async fn values_after_the_end_without_another_session_change_nothing() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(1_000, 120).await;
    let ended = scene.stop(transaction, 6_000, 90).await;
    scene.reads(transaction, 40, 9_000).await;
    assert_eq!(scene.session(transaction).await, ended);
    let reports = scene.part(&ended, "/energy_reports").await.ok();
    assert_eq!(reports, json!([]), "they are not of this session");
}

#[actix_web::test]
async fn values_from_before_the_end_are_kept_and_change_nothing() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(1_000, 120).await;
    let ended = scene.stop(transaction, 6_000, 90).await;
    scene.reads(transaction, 100, 5_500).await;
    scene.reads(transaction, 95, 9_500).await;
    assert_eq!(scene.session(transaction).await, ended);
    let reports = scene.part(&ended, "/energy_reports").await.ok();
    assert_eq!(reports.as_array().map(Vec::len), Some(2));
}

#[actix_web::test]
async fn a_stop_that_is_repeated_with_another_register_changes_nothing() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(1_000, 60).await;
    let ended = scene.stop(transaction, 6_000, 10).await;
    assert_eq!(scene.stop(transaction, 9_000, 0).await, ended);
}

#[actix_web::test]
async fn a_session_that_ended_by_assumption_keeps_what_readings_proved() {
    let mut scene = Scene::new().await;
    let lost = scene.start(1_000, 60).await;
    scene.reads(lost, 40, 5_000).await;
    scene.start(6_000, 10).await;
    assert_eq!(energy(&scene.session(lost).await), 4_000);
}

#[actix_web::test]
async fn a_real_stop_after_an_assumed_end_is_bounded_too() {
    let mut scene = Scene::new().await;
    let lost = scene.start(1_000, 60).await;
    scene.reads(lost, 40, 5_000).await;
    scene.start(6_000, 10).await;
    let session = scene.stop(lost, 80_000_000, 30).await;
    assert_eq!(energy(&session), 4_000);
    assert_flag(&session, "energy_bounded");
}

#[actix_web::test]
async fn two_connectors_of_a_station_count_apart() {
    let mut scene = Scene::new().await;
    let more = json!({"type": "Type2", "power_type": "AC Three Phase", "power": 22});
    let path = format!("{}/connectors", scene.station.path);
    scene.app.client.post(&path, more).await.created();
    let left = scene.start(1_000, 60).await;
    let at = scene.ago(60);
    let right = scene.socket.start(2, "OTHER", 70_000, &at).await;
    scene.reads(left, 30, 3_000).await;
    let values = json!({"connectorId": 2, "transactionId": right, "meterValue": [
        {"timestamp": scene.ago(30), "sampledValue": [{"value": "75000"}]}]});
    scene.socket.call("MeterValues", values).await;
    assert_eq!(energy(&scene.session(left).await), 2_000);
    assert_eq!(energy(&scene.session(right).await), 5_000);
}
