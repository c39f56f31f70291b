//! The rules of stale data, one test each; and that nothing frees power by being silent.

use proptest::prelude::*;

use super::*;
use crate::load::assets::model::asset::VoltageType;
use crate::load::assets::model::reading::Measured;
use crate::store::Json;
use kernel::id::CountingIds;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_000_000 + seconds)
}

/// An asset without any reading.
fn asset(kind: AssetType) -> Asset {
    let ids = CountingIds::default();
    Asset {
        id: AssetId::new(&ids, at(0)),
        organization_id: OrganizationId::new(&ids, at(0)),
        location_id: LocationId::new(&ids, at(0)),
        group_id: None,
        name: "A".to_owned(),
        description: None,
        code: None,
        kind,
        electric_current_type: CurrentType::AcThreePhase,
        electric_voltage_type: VoltageType::LineToNeutral,
        voltage: None,
        power_factor: 1_000_000,
        longitude: None,
        latitude: None,
        meter_scope: (kind == AssetType::SmartMeter).then_some(MeterScope::Site),
        static_power: None,
        fluctuation_margin: Watts::ZERO,
        fallback_power: None,
        switched_on: (kind == AssetType::Battery).then_some(true),
        active: true,
        measured: Measured::default(),
        custom_fields: Json::default(),
        meta_data: Json::default(),
        created_at: at(0),
        updated_at: at(0),
    }
}

/// The same with a reading at second 0, stale from second 60 on.
fn read(kind: AssetType, watts: i64) -> Asset {
    let mut asset = asset(kind);
    let reading = Reading {
        at: at(0),
        power: Watts(watts),
        phase_power: [None; 3],
        current: [None; 3],
        voltage: [None; 3],
        energy: None,
    };
    assert!(asset.measured.follow(&reading, at(0)));
    asset
}

fn scoped(scope: MeterScope, watts: i64) -> Asset {
    Asset { meter_scope: Some(scope), ..read(AssetType::SmartMeter, watts) }
}

fn load(asset: &Asset, second: i64) -> Option<i64> {
    contribution(asset, at(second)).load.map(Watts::get)
}

fn basis(asset: &Asset, second: i64) -> Basis {
    contribution(asset, at(second)).basis
}

#[test]
fn a_consumer_adds_what_it_draws_and_stale_its_static_value_but_at_least_its_last_reading() {
    let mut consumer = read(AssetType::Consumer, 7_000);
    consumer.static_power = Some(Watts(5_000));
    assert_eq!((load(&consumer, 59), basis(&consumer, 59)), (Some(7_000), Basis::Fresh));
    assert_eq!(contribution(&consumer, at(0)).changes_at, Some(at(60)));
    assert_eq!((load(&consumer, 60), basis(&consumer, 60)), (Some(7_000), Basis::LastReading));
    consumer.static_power = Some(Watts(9_000));
    assert_eq!(load(&consumer, 59), Some(7_000), "a fresh reading is not replaced");
    assert_eq!((load(&consumer, 60), basis(&consumer, 60)), (Some(9_000), Basis::Static));
    assert_eq!(contribution(&consumer, at(60)).changes_at, None);
}

#[test]
fn a_fresh_reading_is_never_capped_by_the_static_value() {
    let mut consumer = read(AssetType::Consumer, 50_000);
    consumer.static_power = Some(Watts(5_000));
    assert_eq!(load(&consumer, 1), Some(50_000));
}

#[test]
fn a_consumer_without_readings_counts_its_static_value_or_nobody_knows() {
    let mut consumer = asset(AssetType::Consumer);
    assert_eq!(load(&consumer, 0), None);
    consumer.static_power = Some(Watts(4_000));
    assert_eq!(load(&consumer, 0), Some(4_000));
    assert_eq!(load(&asset(AssetType::Other), 0), Some(0));
    assert_eq!(load(&read(AssetType::Other, 300), 900), Some(300));
}

#[test]
fn a_consumer_never_feeds_in() {
    assert_eq!(load(&read(AssetType::Consumer, -3_000), 1), Some(0));
}

#[test]
fn a_producer_counts_only_while_it_is_fresh() {
    let producer = read(AssetType::Producer, 8_000);
    assert_eq!((load(&producer, 59), basis(&producer, 59)), (Some(-8_000), Basis::Fresh));
    assert_eq!((load(&producer, 60), basis(&producer, 60)), (Some(0), Basis::Stale));
    assert_eq!(load(&asset(AssetType::Producer), 0), Some(0));
    assert_eq!(load(&scoped(MeterScope::Production, 8_000), 59), Some(-8_000));
    assert_eq!(load(&scoped(MeterScope::Production, 8_000), 60), Some(0));
}

#[test]
fn what_gives_counts_up_to_its_rating_and_a_tenth() {
    for kind in [AssetType::Producer, AssetType::Battery] {
        for (sent, counts) in [(8_000, -8_000), (10_900, -10_900), (80_000, -11_000)] {
            let mut asset = read(kind, sent);
            asset.static_power = Some(Watts(10_000));
            let load = contribution(&asset, at(10)).load;
            assert_eq!(load, Some(Watts(counts)), "{kind:?} {sent}");
        }
        let unrated = contribution(&read(kind, 80_000), at(10));
        assert_eq!(unrated.load, Some(Watts(-80_000)));
    }
}

#[test]
fn what_a_producer_draws_stays_a_load_when_it_goes_silent() {
    let inverter = read(AssetType::Producer, -40);
    assert_eq!((load(&inverter, 59), load(&inverter, 600)), (Some(40), Some(40)));
}

#[test]
fn a_battery_gives_only_while_it_is_on_and_fresh() {
    let mut battery = read(AssetType::Battery, 10_000);
    assert_eq!((load(&battery, 0), load(&battery, 60)), (Some(-10_000), Some(0)));
    battery.switched_on = Some(false);
    assert_eq!((load(&battery, 0), basis(&battery, 0)), (Some(0), Basis::Off));
    let mut charging = read(AssetType::Battery, -6_000);
    assert_eq!((load(&charging, 0), load(&charging, 600)), (Some(6_000), Some(6_000)));
    charging.switched_on = Some(false);
    assert_eq!((load(&charging, 0), load(&charging, 600)), (Some(6_000), Some(0)));
}

#[test]
fn a_meter_is_kept_for_30_seconds_and_then_counts_its_fallback() {
    let mut meter = scoped(MeterScope::Building, 20_000);
    meter.fallback_power = Some(Watts(35_000));
    let seen = [0, 60, 89, 90].map(|second| (load(&meter, second), basis(&meter, second)));
    assert_eq!(
        seen,
        [
            (Some(20_000), Basis::Fresh),
            (Some(20_000), Basis::Held),
            (Some(20_000), Basis::Held),
            (Some(35_000), Basis::Fallback),
        ]
    );
    assert_eq!(contribution(&meter, at(0)).changes_at, Some(at(90)));
    assert_eq!(load(&Asset { fallback_power: Some(Watts(35_000)), ..asset(AssetType::SmartMeter) }, 0), Some(35_000));
}

#[test]
fn a_meter_without_a_fallback_keeps_its_load_but_not_what_it_fed_in() {
    assert_eq!(load(&scoped(MeterScope::Site, 20_000), 900), Some(20_000));
    let feeding = scoped(MeterScope::Site, -20_000);
    assert_eq!((load(&feeding, 89), load(&feeding, 90)), (Some(-20_000), Some(0)));
    assert_eq!(load(&asset(AssetType::SmartMeter), 0), None);
}

#[test]
fn only_a_reading_of_the_site_includes_the_chargers_and_says_of_when_it_is() {
    let mut meter = scoped(MeterScope::Site, 20_000);
    meter.fallback_power = Some(Watts(35_000));
    let (fresh, fallen_back) = (contribution(&meter, at(5)), contribution(&meter, at(90)));
    assert_eq!((fresh.includes_chargers, fresh.measured_at), (true, Some(at(0))));
    assert_eq!((fallen_back.includes_chargers, fallen_back.measured_at), (false, None));
    assert!(!contribution(&scoped(MeterScope::Building, 1), at(5)).includes_chargers);
}

#[test]
fn the_margin_is_added_to_what_is_drawn_and_taken_off_what_is_given() {
    let with_margin = |asset: Asset| Asset { fluctuation_margin: Watts(500), ..asset };
    assert_eq!(load(&with_margin(read(AssetType::Consumer, 2_000)), 0), Some(2_500));
    assert_eq!(load(&with_margin(scoped(MeterScope::Site, 2_000)), 0), Some(2_500));
    assert_eq!(load(&with_margin(read(AssetType::Producer, 2_000)), 0), Some(-1_500));
    assert_eq!(load(&with_margin(read(AssetType::Producer, 300)), 0), Some(0));
}

#[test]
fn what_does_not_count_adds_nothing() {
    let idle = Asset { active: false, ..read(AssetType::Consumer, 7_000) };
    assert_eq!((load(&idle, 0), basis(&idle, 0)), (Some(0), Basis::Inactive));
}

#[test]
fn currents_are_those_of_the_phases_with_the_margin_and_turned_for_what_is_given() {
    let with_currents = |mut asset: Asset, amps: [i64; 3]| {
        if let Some(Json(reading)) = &mut asset.measured.latest {
            reading.current = amps.map(|amps| Some(Milliamps(amps * 1_000)));
            reading.voltage = [Some(Millivolts(230_000)); 3];
        }
        asset.fluctuation_margin = Watts(690);
        contribution(&asset, at(0)).currents.map(|one| one.map(Milliamps::get))
    };
    assert_eq!(with_currents(read(AssetType::Consumer, 2_300), [10, 0, 0]), [Some(11_000), Some(1_000), Some(1_000)]);
    assert_eq!(with_currents(read(AssetType::Producer, 6_900), [10, 10, 10]), [Some(-9_000); 3]);
    let single = |asset| Asset { electric_current_type: CurrentType::AcSinglePhase, ..asset };
    assert_eq!(with_currents(single(read(AssetType::Consumer, 2_300)), [10, 0, 0]), [Some(13_000); 3]);
    assert_eq!(with_currents(single(read(AssetType::Producer, 2_300)), [10, 0, 0]), [Some(0); 3]);
}

prop_compose! {
    fn any_asset()(
        kind in prop::sample::select(vec![
            AssetType::SmartMeter, AssetType::Producer, AssetType::Consumer, AssetType::Battery, AssetType::Other,
        ]),
        scope in prop::sample::select(vec![MeterScope::Site, MeterScope::Building, MeterScope::Production]),
        watts in -100_000_i64..100_000,
        fixed in prop::option::of(0_i64..100_000),
        fallback in prop::option::of(0_i64..100_000),
        margin in 0_i64..2_000,
        on in any::<bool>(),
    ) -> Asset {
        let mut asset = read(kind, watts);
        asset.meter_scope = (kind == AssetType::SmartMeter).then_some(scope);
        asset.static_power = fixed.map(Watts);
        asset.fallback_power = fallback.map(Watts);
        asset.fluctuation_margin = Watts(margin);
        asset.switched_on = (kind == AssetType::Battery).then_some(on);
        asset
    }
}

proptest! {
    /// In the end silence never takes anything off the load.
    #[test]
    fn i14_nothing_frees_power_by_being_silent(asset in any_asset()) {
        let silent = contribution(&asset, at(10_000));
        prop_assert!(silent.load.is_none_or(|load| load >= Watts::ZERO), "{silent:?}");
        prop_assert_eq!(silent.changes_at, None);
    }

    /// Between now and `changes_at` the answer stays, so that nobody has to ask in between.
    #[test]
    fn the_answer_stays_until_it_says_so(asset in any_asset(), second in 0_i64..200, later in 0_i64..200) {
        let now = contribution(&asset, at(second));
        if now.changes_at.is_none_or(|change| at(second + later) < change) {
            prop_assert_eq!(contribution(&asset, at(second + later)).load, now.load);
        } else {
            prop_assert!(now.changes_at.is_some_and(|change| change > at(second)));
        }
    }
}
