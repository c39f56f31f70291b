//! What a plug can give in the time that passed, other units, and intervals instead of a register.

use super::*;

#[actix_web::test]
async fn a_plug_of_22_kilowatts_is_never_billed_60() {
    let registers = [10_000, 20_000, 30_000, 40_000, 50_000];
    let session = Scene::new().await.hour(0, &registers, 60_000).await;
    // 24.2 kW for 62 minutes.
    assert!(energy(&session) <= 25_006, "{}", energy(&session));
    assert!(energy(&session) >= 24_200, "{}", energy(&session));
    assert_eq!(energy(&session) + unproven(&session), 60_000);
    assert_flag(&session, "energy_bounded");
}

#[actix_web::test]
async fn a_start_and_a_stop_alone_are_bounded_by_their_time() {
    let session = Scene::new().await.hour(1_000, &[], 41_000).await;
    assert_eq!((energy(&session), unproven(&session)), (25_006, 14_994));
}

#[actix_web::test]
async fn a_plug_of_7_kilowatts_has_a_lower_bound() {
    let mut scene = Scene::new().await;
    let path = format!("/connectors/{}", scene.station.connector);
    let smaller = json!({"power": 7, "power_type": "AC Single Phase"});
    scene.app.client.patch(&path, smaller).await.ok();
    // 7.7 kW for 62 minutes.
    let session = scene.hour(1_000, &[], 16_000).await;
    assert_eq!((energy(&session), unproven(&session)), (7_956, 7_044));
}

#[actix_web::test]
async fn what_is_a_tenth_above_the_rating_is_billed() {
    let registers = [4_000, 8_000, 12_000, 16_000, 20_000];
    let session = Scene::new().await.hour(0, &registers, 24_000).await;
    assert_eq!((energy(&session), unproven(&session)), (24_000, 0));
    assert_eq!(session["flags"], json!([]));
}

#[actix_web::test]
async fn kilowatt_hours_labelled_watt_hours_are_noted_and_billed_as_proven() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(361, 60).await;
    for (minutes, value) in [(50, "362.567"), (30, "365.7"), (10, "368.9")] {
        let values = [(value, REGISTER, "Wh", "Sample.Periodic"), ("9400", POWER, "W", "Sample.Periodic")];
        scene.report(Some(transaction), minutes, &values).await;
    }
    let session = scene.stop(transaction, 370, 0).await;
    assert_eq!(energy(&session), 9);
    // 9.4 kW from minute 50 to now.
    assert_eq!(session["metrics"]["energyByPower"], 7_833);
    assert_flag(&session, "register_below_power");
    assert_flag(&session, "fractional_watt_hours");
    let flags = scene.station_flags().await;
    assert!(flags.contains("register_below_power"), "{flags}");
}

#[actix_web::test]
async fn kilowatt_hours_that_say_so_are_read() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(361_000, 60).await;
    let values = [("368.9", REGISTER, "kWh", "Sample.Periodic")];
    scene.report(Some(transaction), 10, &values).await;
    assert_eq!(energy(&scene.session(transaction).await), 7_900);
}

#[actix_web::test]
async fn a_unit_that_is_not_of_the_measurand_reaches_session_and_station() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    let values = [("1500", REGISTER, "V", "Sample.Periodic")];
    scene.report(Some(transaction), 30, &values).await;
    assert_flag(&scene.session(transaction).await, "odd_unit");
    assert!(scene.station_flags().await.contains("odd_unit"));
}

// Intervals.

#[actix_web::test]
async fn intervals_count_where_no_register_is_reported() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    for minutes in [45, 30, 15] {
        let values = [("2500", INTERVAL, "Wh", "Sample.Periodic")];
        scene.report(Some(transaction), minutes, &values).await;
    }
    assert_eq!(energy(&scene.session(transaction).await), 7_500);
    assert_eq!(energy(&scene.stop(transaction, 0, 0).await), 7_500);
}

#[actix_web::test]
async fn an_interval_that_is_reported_twice_counts_once() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    for minutes in [45, 30, 45, 30] {
        let values = [("2.5", INTERVAL, "kWh", "Sample.Periodic")];
        scene.report(Some(transaction), minutes, &values).await;
    }
    assert_eq!(energy(&scene.session(transaction).await), 5_000);
}

#[actix_web::test]
async fn intervals_beside_a_register_are_not_added() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    for (minutes, register) in [(45, "2500"), (30, "5000")] {
        let values = [(register, REGISTER, "Wh", "Sample.Periodic"), ("2500", INTERVAL, "Wh", "Sample.Periodic")];
        scene.report(Some(transaction), minutes, &values).await;
    }
    assert_eq!(energy(&scene.session(transaction).await), 5_000);
}

#[actix_web::test]
async fn a_wild_interval_is_bounded() {
    let mut scene = Scene::new().await;
    let transaction = scene.start(0, 60).await;
    let values = [("9000000", INTERVAL, "Wh", "Sample.Periodic")];
    scene.report(Some(transaction), 30, &values).await;
    let session = scene.session(transaction).await;
    // 24.2 kW for 32 minutes.
    assert_eq!(energy(&session), 12_906);
}
