//! Stations that take some variants of a limit, and how many tries it takes to find out.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use kernel::{Millivolts, PhaseSet};
use ocpp::tenths::Ceiling;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_777_000_000);

/// The index of the variant that differs from the first in that only.
const DEFAULT_IN_WHOLE_AMPS: usize = 8;

fn later(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn live(watts: i64, transaction: Option<i64>) -> SetLimit {
    SetLimit {
        connector: 1,
        limit: Watts(watts),
        purpose: LimitPurpose::Live,
        voltage: Millivolts(230_000),
        phases: PhaseSet::ALL,
        offered: PhaseSet::ALL,
        transaction,
        sole: false,
        in_amps: true,
        duration_seconds: Some(300),
        lowers: true,
        escalate: false,
    }
}

fn fallback(watts: i64) -> SetLimit {
    SetLimit { purpose: LimitPurpose::Fallback, ..live(watts, None) }
}

fn capabilities(only_level_zero: bool, amps: bool, watts: bool) -> LimitCapabilities {
    LimitCapabilities { only_level_zero, units: LimitUnits { amps, watts } }
}

fn unknown() -> LimitStrategy {
    LimitStrategy::new(capabilities(false, false, false), &json!({}))
}

/// Tries to set a limit at a station that takes some variants; how many tries it took, and whether one was taken.
fn set(
    strategy: &mut LimitStrategy,
    limit: &SetLimit,
    now: Timestamp,
    takes: impl Fn(&SetLimit, Variant) -> bool,
) -> (usize, bool) {
    let tries = strategy.tries(limit, false, now);
    for (index, (sent, variant)) in tries.iter().enumerate() {
        if takes(sent, VARIANTS[*variant]) {
            strategy.accepted(limit, (sent, *variant), now);
            return (index + 1, true);
        }
    }
    let tried: Vec<usize> = tries.iter().map(|(_, variant)| *variant).collect();
    if !tried.is_empty() {
        strategy.refused(limit, &tried, now);
    }
    (tried.len(), false)
}

#[test]
fn a_station_that_is_known_is_sent_its_own_variant_first() {
    let first = |only_level_zero, amps, watts, in_amps| {
        let limit = SetLimit { in_amps, ..live(7_000, None) };
        let strategy = LimitStrategy::new(capabilities(only_level_zero, amps, watts), &json!({}));
        strategy.plan(&limit, false, NOW).first().copied()
    };
    assert_eq!(first(false, false, false, true), Some(0));
    assert_eq!(first(true, true, true, true), Some(1));
    assert_eq!(first(false, false, true, true), Some(2));
    assert_eq!(first(true, true, false, false), Some(3));
}

#[test]
fn what_was_taken_is_said_first_from_then_on_also_after_a_reconnect() {
    let mut strategy = unknown();
    let whole = |_: &SetLimit, variant: Variant| variant.whole_amps;
    assert_eq!(set(&mut strategy, &live(7_000, None), NOW, whole), (2, true));
    assert_eq!(set(&mut strategy, &live(8_000, None), NOW, whole), (1, true));
    let mut again = LimitStrategy::new(capabilities(false, false, false), &strategy.stored());
    assert_eq!(set(&mut again, &live(9_000, None), NOW, whole), (1, true));
}

#[test]
fn a_variant_that_says_the_same_as_another_is_not_tried() {
    // 11,040 W are 16 A: whole already.
    let plan = unknown().plan(&live(11_040, None), false, NOW);
    let whole = DEFAULT_IN_WHOLE_AMPS;
    assert!(!plan.contains(&whole), "{plan:?}");
    let said: Vec<_> =
        plan.iter().map(|variant| profile_variants::say_limit(&live(11_040, None), *variant, NOW)).collect();
    let distinct = said.iter().enumerate().all(|(index, one)| !said[..index].contains(one));
    assert!(distinct);
}

#[test]
fn whole_amps_are_rounded_down() {
    let place = VARIANTS.iter().position(|variant| variant.whole_amps).expect("one");
    let saying = profile_variants::say_limit(&live(11_500, None), place, NOW); // 16.67 A
    let current = match saying.steps[..] {
        [(0, Ceiling::Current(current))] => current.get(),
        _ => 0,
    };
    assert_eq!(current, 16_000);
}

#[test]
fn a_schedule_that_begins_with_the_transaction_never_runs_out() {
    let place = VARIANTS.iter().position(|variant| variant.relative).expect("one");
    let saying = profile_variants::say_limit(&live(7_000, None), place, NOW);
    assert_eq!((saying.start, saying.seconds), (None, None));
}

#[test]
fn a_station_that_refuses_everything_is_asked_less_and_less() {
    let mut strategy = unknown();
    let nothing = |_: &SetLimit, _: Variant| false;
    let mut asked = 0;
    for second in 0..50 {
        asked += set(&mut strategy, &live(7_000, None), later(second), nothing).0;
    }
    assert_eq!(asked, MOST_TRIES + 49, "one variant a time in the first minute");
    assert_eq!(strategy.plan(&live(7_000, None), false, later(61)).len(), MOST_TRIES);
}

#[test]
fn variants_that_were_not_tried_come_next() {
    let mut strategy = unknown();
    let limit = live(7_000, Some(7));
    let mut seen: Vec<usize> = Vec::new();
    let mut now = NOW;
    for _ in 0..6 {
        let plan = strategy.plan(&limit, false, now);
        seen.extend(&plan);
        strategy.refused(&limit, &plan, now);
        now = now + LONGEST_PAUSE + Duration::from_secs(1);
    }
    let command = StationCommand::SetLimit(limit);
    for variant in (0..VARIANTS.len()).filter(|variant| profile_variants::is_possible(&command, *variant)) {
        assert!(seen.contains(&variant), "{:?}", VARIANTS[variant]);
    }
}

#[test]
fn zero_is_not_asked_again_of_a_station_that_takes_limits_and_refuses_it() {
    let mut strategy = unknown();
    let from_six_amps = |limit: &SetLimit, _: Variant| limit.limit >= Watts(4_140);
    assert_eq!(set(&mut strategy, &fallback(4_140), NOW, from_six_amps), (1, true));
    let (tries, taken) = set(&mut strategy, &live(0, None), NOW, from_six_amps);
    assert_eq!((tries, taken), (MOST_TRIES_OF_ZERO_ALONE, false));
    assert!(strategy.refuses_zero());
    assert_eq!(set(&mut strategy, &live(0, None), later(59), from_six_amps), (0, false));
    assert_eq!(set(&mut strategy, &live(4_140, None), later(59), from_six_amps), (1, true));
    let again = LimitStrategy::new(capabilities(false, false, false), &strategy.stored());
    assert!(again.refuses_zero(), "it is remembered");
}

#[test]
fn zero_is_asked_few_times_of_a_station_that_took_nothing_yet() {
    let mut strategy = unknown();
    let nothing = |_: &SetLimit, _: Variant| false;
    assert_eq!(set(&mut strategy, &live(0, None), NOW, nothing), (MOST_TRIES_OF_ZERO, false));
    assert_eq!(set(&mut strategy, &live(0, None), later(1), nothing), (1, false));
}

#[test]
fn a_variant_that_worked_for_the_fallback_is_tried_first_for_the_live_limit() {
    let mut strategy = unknown();
    let bare = |_: &SetLimit, variant: Variant| variant.without_phases;
    assert!(set(&mut strategy, &fallback(4_140), NOW, bare).1);
    assert_eq!(set(&mut strategy, &live(0, None), NOW, bare), (1, true));
    assert_eq!(set(&mut strategy, &live(7_000, Some(7)), NOW, bare), (1, true));
}

#[test]
fn a_station_that_refuses_more_than_its_maximum_is_sent_less() {
    let mut strategy = unknown();
    // 16 A at 230 V on three phases.
    let up_to_sixteen_amps = |limit: &SetLimit, _: Variant| limit.limit <= Watts(11_040);
    let mut send = |watts, at| {
        let limit = live(watts, Some(7));
        let sent = set(&mut strategy, &limit, at, up_to_sixteen_amps);
        (sent, strategy.within(&limit, at).limit)
    };
    assert_eq!(send(4_140, NOW), ((1, true), Watts(4_140)));
    // 32 A, then 25, 20 and 16.
    assert_eq!(send(22_080, NOW), ((4, true), Watts(11_040)));
    assert_eq!(send(22_080, later(60)), ((1, true), Watts(11_040)));
    assert_eq!(send(6_900, later(120)), ((1, true), Watts(6_900)));
    // An hour after it refused more it is asked again: 25, 20 and 16 A.
    assert_eq!(send(17_250, later(3_599)), ((1, true), Watts(11_040)));
    assert_eq!(send(17_250, later(3_600)), ((3, true), Watts(11_040)));
}

#[test]
fn the_fraction_of_an_amp_is_left_out_before_less_is_sent() {
    let mut strategy = unknown();
    let whole = |limit: &SetLimit, variant: Variant| limit.limit.get() % 690 == 0 || variant.whole_amps;
    assert!(set(&mut strategy, &fallback(4_140), NOW, whole).1);
    assert_eq!(set(&mut strategy, &live(7_000, None), NOW, whole), (2, true));
    assert_eq!(strategy.within(&live(22_080, None), NOW).limit, Watts(22_080));
}

#[test]
fn what_an_operator_asks_for_is_done_as_asked_or_refused() {
    let mut strategy = unknown();
    let up_to_sixteen_amps = |limit: &SetLimit, _: Variant| limit.limit <= Watts(11_040);
    assert!(set(&mut strategy, &fallback(4_140), NOW, up_to_sixteen_amps).1);
    set(&mut strategy, &live(22_080, None), NOW, up_to_sixteen_amps);
    let asked = SetLimit { purpose: LimitPurpose::Default, ..live(22_080, None) };
    assert!(!set(&mut strategy, &asked, NOW, up_to_sixteen_amps).1);
    assert!(set(&mut strategy, &live(22_080, None), NOW, up_to_sixteen_amps).1);
}

#[test]
fn zero_that_was_refused_first_is_understood_when_another_limit_is_taken() {
    let mut strategy = unknown();
    let from_six_amps = |limit: &SetLimit, _: Variant| limit.limit >= Watts(4_140);
    set(&mut strategy, &live(0, None), NOW, from_six_amps);
    assert!(!strategy.refuses_zero(), "it may refuse everything");
    set(&mut strategy, &fallback(4_140), NOW, from_six_amps);
    assert!(strategy.refuses_zero());
    assert_eq!(set(&mut strategy, &live(0, None), later(30), from_six_amps).0, 0);
}

#[test]
fn zero_that_is_taken_after_all_is_asked_from_then_on() {
    let mut strategy = unknown();
    let from_six_amps = |limit: &SetLimit, _: Variant| limit.limit >= Watts(4_140);
    let anything = |_: &SetLimit, _: Variant| true;
    set(&mut strategy, &fallback(4_140), NOW, from_six_amps);
    set(&mut strategy, &live(0, None), NOW, from_six_amps);
    assert_eq!(set(&mut strategy, &live(0, None), later(61), anything), (1, true));
    assert!(!strategy.refuses_zero());
}

#[test]
fn a_station_that_does_not_obey_its_default_is_sent_a_limit_of_the_transaction() {
    let mut strategy = unknown();
    let anything = |_: &SetLimit, _: Variant| true;
    set(&mut strategy, &live(7_000, Some(7)), NOW, anything);
    let escalated = SetLimit { escalate: true, ..live(7_000, Some(7)) };
    let purpose = |strategy: &LimitStrategy, limit: &SetLimit| VARIANTS[strategy.plan(limit, false, NOW)[0]].purpose;
    assert_eq!(purpose(&strategy, &escalated), ProfilePurpose::Transaction);
    set(&mut strategy, &escalated, NOW, anything);
    assert_eq!(purpose(&strategy, &live(8_000, Some(9))), ProfilePurpose::Transaction, "remembered");
    assert_eq!(purpose(&strategy, &live(0, None)), ProfilePurpose::Default, "there is none to limit");
}

#[test]
fn connectors_that_share_an_evse_are_limited_by_transaction() {
    let plan = unknown().plan(&live(7_000, Some(7)), true, NOW);
    assert_eq!(VARIANTS[plan[0]].purpose, ProfilePurpose::Transaction);
}

#[test]
fn what_was_stored_by_another_program_is_no_fault() {
    for stored in [json!(null), json!([]), json!({"worked": {"moon": 7}}), json!("x")] {
        let strategy = LimitStrategy::new(capabilities(true, true, true), &stored);
        assert_eq!(strategy.plan(&live(7_000, None), false, NOW)[0], 1);
    }
}

proptest! {
    #[test]
    fn a_station_that_takes_one_variant_is_found_in_a_bounded_number_of_tries(
        wanted in 0..VARIANTS.len(),
        watts in 4_200_i64..22_000,
        in_transaction in any::<bool>(),
        sole in any::<bool>(),
    ) {
        let limit = SetLimit { sole, ..live(watts, in_transaction.then_some(7)) };
        let command = StationCommand::SetLimit(limit.clone());
        prop_assume!(profile_variants::is_possible(&command, wanted));
        let said = profile_variants::say_limit(&limit, wanted, NOW);
        let takes = |limit: &SetLimit, variant: Variant| {
            let place = VARIANTS.iter().position(|one| *one == variant).expect("a variant of the strategy");
            profile_variants::say_limit(limit, place, NOW) == said
        };
        let (mut strategy, mut asked, mut now) = (unknown(), 0, NOW);
        for _ in 0..6 {
            let (tries, taken) = set(&mut strategy, &limit, now, takes);
            asked += tries;
            if taken {
                prop_assert!(asked <= 3 * VARIANTS.len());
                prop_assert_eq!(set(&mut strategy, &limit, now, takes), (1, true));
                return Ok(());
            }
            now = now + LONGEST_PAUSE + Duration::from_secs(1);
        }
        prop_assert!(false, "never found");
    }
}
