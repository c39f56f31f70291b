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

fn habits(only_level_zero: bool, amps: bool, watts: bool) -> LimitHabits {
    LimitHabits { only_level_zero, units: LimitUnits { amps, watts } }
}

fn unknown() -> Forms {
    Forms::new(habits(false, false, false), &json!({}))
}

/// Tries to set a limit at a station that takes some variants; how many tries it took, and whether one was taken.
fn set(forms: &mut Forms, limit: &SetLimit, now: Timestamp, takes: impl Fn(&SetLimit, Form) -> bool) -> (usize, bool) {
    let tries = forms.tries(limit, false, now);
    for (index, (told, form)) in tries.iter().enumerate() {
        if takes(told, LADDER[*form]) {
            forms.accepted(limit, (told, *form), now);
            return (index + 1, true);
        }
    }
    let tried: Vec<usize> = tries.iter().map(|(_, form)| *form).collect();
    if !tried.is_empty() {
        forms.refused(limit, &tried, now);
    }
    (tried.len(), false)
}

#[test]
fn a_station_that_is_known_is_told_in_its_own_form_first() {
    let first = |only_level_zero, amps, watts, in_amps| {
        let limit = SetLimit { in_amps, ..live(7_000, None) };
        let forms = Forms::new(habits(only_level_zero, amps, watts), &json!({}));
        forms.plan(&limit, false, NOW).first().copied()
    };
    assert_eq!(first(false, false, false, true), Some(0));
    assert_eq!(first(true, true, true, true), Some(1));
    assert_eq!(first(false, false, true, true), Some(2));
    assert_eq!(first(true, true, false, false), Some(3));
}

#[test]
fn what_was_taken_is_said_first_from_then_on_also_after_a_reconnect() {
    let mut forms = unknown();
    let whole = |_: &SetLimit, form: Form| form.whole_amps;
    assert_eq!(set(&mut forms, &live(7_000, None), NOW, whole), (2, true));
    assert_eq!(set(&mut forms, &live(8_000, None), NOW, whole), (1, true));
    let mut again = Forms::new(habits(false, false, false), &forms.stored());
    assert_eq!(set(&mut again, &live(9_000, None), NOW, whole), (1, true));
}

#[test]
fn a_form_that_says_the_same_as_another_is_not_tried() {
    // 11,040 W are 16 A: whole already.
    let plan = unknown().plan(&live(11_040, None), false, NOW);
    let whole = DEFAULT_IN_WHOLE_AMPS;
    assert!(!plan.contains(&whole), "{plan:?}");
    let said: Vec<_> = plan.iter().map(|form| ladder::say_limit(&live(11_040, None), *form, NOW)).collect();
    let distinct = said.iter().enumerate().all(|(index, one)| !said[..index].contains(one));
    assert!(distinct);
}

#[test]
fn whole_amps_are_rounded_down() {
    let place = LADDER.iter().position(|form| form.whole_amps).expect("one");
    let saying = ladder::say_limit(&live(11_500, None), place, NOW); // 16.67 A
    let current = match saying.steps[..] {
        [(0, Ceiling::Current(current))] => current.get(),
        _ => 0,
    };
    assert_eq!(current, 16_000);
}

#[test]
fn a_schedule_that_begins_with_the_transaction_never_runs_out() {
    let place = LADDER.iter().position(|form| form.relative).expect("one");
    let saying = ladder::say_limit(&live(7_000, None), place, NOW);
    assert_eq!((saying.start, saying.seconds), (None, None));
}

#[test]
fn a_station_that_refuses_everything_is_asked_less_and_less() {
    let mut forms = unknown();
    let nothing = |_: &SetLimit, _: Form| false;
    let mut asked = 0;
    for second in 0..50 {
        asked += set(&mut forms, &live(7_000, None), later(second), nothing).0;
    }
    assert_eq!(asked, MOST_TRIES + 49, "one variant a time in the first minute");
    assert_eq!(forms.plan(&live(7_000, None), false, later(61)).len(), MOST_TRIES);
}

#[test]
fn forms_that_were_not_tried_come_next() {
    let mut forms = unknown();
    let limit = live(7_000, Some(7));
    let mut seen: Vec<usize> = Vec::new();
    let mut now = NOW;
    for _ in 0..6 {
        let plan = forms.plan(&limit, false, now);
        seen.extend(&plan);
        forms.refused(&limit, &plan, now);
        now = now + LONGEST_PAUSE + Duration::from_secs(1);
    }
    let command = StationCommand::SetLimit(limit);
    for form in (0..LADDER.len()).filter(|form| ladder::is_possible(&command, *form)) {
        assert!(seen.contains(&form), "{:?}", LADDER[form]);
    }
}

#[test]
fn zero_is_not_asked_again_of_a_station_that_takes_limits_and_refuses_it() {
    let mut forms = unknown();
    let from_six_amps = |limit: &SetLimit, _: Form| limit.limit >= Watts(4_140);
    assert_eq!(set(&mut forms, &fallback(4_140), NOW, from_six_amps), (1, true));
    let (tries, taken) = set(&mut forms, &live(0, None), NOW, from_six_amps);
    assert_eq!((tries, taken), (MOST_TRIES_OF_ZERO_ALONE, false));
    assert!(forms.refuses_zero());
    assert_eq!(set(&mut forms, &live(0, None), later(59), from_six_amps), (0, false));
    assert_eq!(set(&mut forms, &live(4_140, None), later(59), from_six_amps), (1, true));
    let again = Forms::new(habits(false, false, false), &forms.stored());
    assert!(again.refuses_zero(), "it is remembered");
}

#[test]
fn zero_is_asked_few_times_of_a_station_that_took_nothing_yet() {
    let mut forms = unknown();
    let nothing = |_: &SetLimit, _: Form| false;
    assert_eq!(set(&mut forms, &live(0, None), NOW, nothing), (MOST_TRIES_OF_ZERO, false));
    assert_eq!(set(&mut forms, &live(0, None), later(1), nothing), (1, false));
}

#[test]
fn a_form_that_worked_for_the_fallback_is_tried_first_for_the_live_limit() {
    let mut forms = unknown();
    let bare = |_: &SetLimit, form: Form| form.without_phases;
    assert!(set(&mut forms, &fallback(4_140), NOW, bare).1);
    assert_eq!(set(&mut forms, &live(0, None), NOW, bare), (1, true));
    assert_eq!(set(&mut forms, &live(7_000, Some(7)), NOW, bare), (1, true));
}

#[test]
fn a_station_that_refuses_more_than_its_maximum_is_told_less() {
    let mut forms = unknown();
    // 16 A at 230 V on three phases.
    let up_to_sixteen_amps = |limit: &SetLimit, _: Form| limit.limit <= Watts(11_040);
    let mut tell = |watts, at| {
        let limit = live(watts, Some(7));
        let told = set(&mut forms, &limit, at, up_to_sixteen_amps);
        (told, forms.within(&limit, at).limit)
    };
    assert_eq!(tell(4_140, NOW), ((1, true), Watts(4_140)));
    // 32 A, then 25, 20 and 16.
    assert_eq!(tell(22_080, NOW), ((4, true), Watts(11_040)));
    assert_eq!(tell(22_080, later(60)), ((1, true), Watts(11_040)));
    assert_eq!(tell(6_900, later(120)), ((1, true), Watts(6_900)));
    // An hour after it refused more it is asked again: 25, 20 and 16 A.
    assert_eq!(tell(17_250, later(3_599)), ((1, true), Watts(11_040)));
    assert_eq!(tell(17_250, later(3_600)), ((3, true), Watts(11_040)));
}

#[test]
fn the_fraction_of_an_amp_is_left_out_before_less_is_told() {
    let mut forms = unknown();
    let whole = |limit: &SetLimit, form: Form| limit.limit.get() % 690 == 0 || form.whole_amps;
    assert!(set(&mut forms, &fallback(4_140), NOW, whole).1);
    assert_eq!(set(&mut forms, &live(7_000, None), NOW, whole), (2, true));
    assert_eq!(forms.within(&live(22_080, None), NOW).limit, Watts(22_080));
}

#[test]
fn what_an_operator_asks_for_is_done_as_asked_or_refused() {
    let mut forms = unknown();
    let up_to_sixteen_amps = |limit: &SetLimit, _: Form| limit.limit <= Watts(11_040);
    assert!(set(&mut forms, &fallback(4_140), NOW, up_to_sixteen_amps).1);
    set(&mut forms, &live(22_080, None), NOW, up_to_sixteen_amps);
    let asked = SetLimit { purpose: LimitPurpose::Default, ..live(22_080, None) };
    assert!(!set(&mut forms, &asked, NOW, up_to_sixteen_amps).1);
    assert!(set(&mut forms, &live(22_080, None), NOW, up_to_sixteen_amps).1);
}

#[test]
fn zero_that_was_refused_first_is_understood_when_another_limit_is_taken() {
    let mut forms = unknown();
    let from_six_amps = |limit: &SetLimit, _: Form| limit.limit >= Watts(4_140);
    set(&mut forms, &live(0, None), NOW, from_six_amps);
    assert!(!forms.refuses_zero(), "it may refuse everything");
    set(&mut forms, &fallback(4_140), NOW, from_six_amps);
    assert!(forms.refuses_zero());
    assert_eq!(set(&mut forms, &live(0, None), later(30), from_six_amps).0, 0);
}

#[test]
fn zero_that_is_taken_after_all_is_asked_from_then_on() {
    let mut forms = unknown();
    let from_six_amps = |limit: &SetLimit, _: Form| limit.limit >= Watts(4_140);
    let anything = |_: &SetLimit, _: Form| true;
    set(&mut forms, &fallback(4_140), NOW, from_six_amps);
    set(&mut forms, &live(0, None), NOW, from_six_amps);
    assert_eq!(set(&mut forms, &live(0, None), later(61), anything), (1, true));
    assert!(!forms.refuses_zero());
}

#[test]
fn a_station_that_does_not_obey_its_default_is_told_a_limit_of_the_transaction() {
    let mut forms = unknown();
    let anything = |_: &SetLimit, _: Form| true;
    set(&mut forms, &live(7_000, Some(7)), NOW, anything);
    let escalated = SetLimit { escalate: true, ..live(7_000, Some(7)) };
    let rung = |forms: &Forms, limit: &SetLimit| LADDER[forms.plan(limit, false, NOW)[0]].rung;
    assert_eq!(rung(&forms, &escalated), Rung::Transaction);
    set(&mut forms, &escalated, NOW, anything);
    assert_eq!(rung(&forms, &live(8_000, Some(9))), Rung::Transaction, "remembered");
    assert_eq!(rung(&forms, &live(0, None)), Rung::Default, "there is none to limit");
}

#[test]
fn connectors_that_share_an_evse_are_limited_by_transaction() {
    let plan = unknown().plan(&live(7_000, Some(7)), true, NOW);
    assert_eq!(LADDER[plan[0]].rung, Rung::Transaction);
}

#[test]
fn what_was_stored_by_another_program_is_no_fault() {
    for stored in [json!(null), json!([]), json!({"worked": {"moon": 7}}), json!("x")] {
        let forms = Forms::new(habits(true, true, true), &stored);
        assert_eq!(forms.plan(&live(7_000, None), false, NOW)[0], 1);
    }
}

proptest! {
    #[test]
    fn a_station_that_takes_one_form_is_found_in_a_bounded_number_of_tries(
        wanted in 0..LADDER.len(),
        watts in 4_200_i64..22_000,
        in_transaction in any::<bool>(),
        sole in any::<bool>(),
    ) {
        let limit = SetLimit { sole, ..live(watts, in_transaction.then_some(7)) };
        let command = StationCommand::SetLimit(limit.clone());
        prop_assume!(ladder::is_possible(&command, wanted));
        let said = ladder::say_limit(&limit, wanted, NOW);
        let takes = |limit: &SetLimit, form: Form| {
            let place = LADDER.iter().position(|one| *one == form).expect("a variant of the strategy");
            ladder::say_limit(limit, place, NOW) == said
        };
        let (mut forms, mut asked, mut now) = (unknown(), 0, NOW);
        for _ in 0..6 {
            let (tries, taken) = set(&mut forms, &limit, now, takes);
            asked += tries;
            if taken {
                prop_assert!(asked <= 3 * LADDER.len());
                prop_assert_eq!(set(&mut forms, &limit, now, takes), (1, true));
                return Ok(());
            }
            now = now + LONGEST_PAUSE + Duration::from_secs(1);
        }
        prop_assert!(false, "never found");
    }
}
