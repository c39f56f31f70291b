//! How plans follow each other: slow raises, left-out changes, and the same bytes again.

use super::*;

#[test]
fn limits_rise_step_by_step_but_fall_at_once() {
    let mut site = site(kw(30), (1..=2).map(|number| charging(number, kw(4), kw(22))).collect());
    site.settings.raise_step = Some(kw(2));
    site.settings.raise_interval_seconds = 60;
    site.members[1].state = MemberState::Idle { exposure: Watts::ZERO };
    assert_eq!(carry_on(&mut site, NOON), [4_000, 0]);
    assert_eq!(plan(&site, NOON).next_change_at, Some(minutes_later(1)));
    assert_eq!(carry_on(&mut site, NOON), [4_000, 0]);
    assert_eq!(carry_on(&mut site, minutes_later(1)), [6_000, 0]);
    site.nodes[0].limit = kw(4);
    assert_eq!(carry_on(&mut site, minutes_later(1)), [4_000, 0]);
}

#[test]
fn raises_in_the_dead_band_are_not_made() {
    let mut site = site(Watts(10_300), vec![charging(1, kw(4), kw(22))]);
    site.settings.dead_band = Watts(500);
    site.members[0].current = kw(10);
    assert_eq!(limits(&site, NOON), [10_000]);
    assert_eq!(plan(&site, NOON).limits[0].reason, Reason::Unchanged { wanted: Watts(10_300) });
    site.members[0].current = Watts(10_400);
    assert_eq!(limits(&site, NOON), [10_300], "a cut is never left out without slack");
}

#[test]
fn small_changes_are_left_out_within_the_slack() {
    let mut site = site(kw(20), (1..=2).map(|number| charging(number, kw(4), kw(22))).collect());
    site.settings.suppression_ppm = 10_000;
    site.members[0].current = Watts(9_900);
    site.members[1].current = Watts(10_050);
    assert_eq!(limits(&site, NOON), [9_900, 10_050]);
    site.members[1].current = kw(4);
    assert_eq!(limits(&site, NOON), [9_900, 10_000]);
    let reason = &plan(&site, NOON).limits[1].reason;
    assert_eq!(reason.rule(), "max-min-share", "although some was left unused");
}

#[test]
fn snapshots_and_plans_survive_json_and_replay_to_the_same_bytes() {
    let full = site(kw(12), (1..=4).map(|number| charging(number, kw(4), kw(7))).collect());
    let text = serde_json::to_string(&full).expect("serializes");
    let again: Snapshot = serde_json::from_str(&text).expect("reads");
    assert_eq!(again, full);
    let first = serde_json::to_string(&plan(&full, NOON)).expect("serializes");
    let second: Plan = serde_json::from_str(&first).expect("reads");
    assert_eq!(serde_json::to_string(&plan(&again, second.now)).expect("serializes"), first);
}
