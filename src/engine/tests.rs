//! Stories of whole plans, told with whole kilowatts.

use super::check::violations;
use super::*;
use crate::kernel::{ConnectorId, GroupId, Milliamps, PhaseSet, RawId, WattHours};

const NOON: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn kw(kilowatts: i64) -> Watts {
    Watts(kilowatts * 1_000)
}
fn group(number: u8) -> GroupId {
    RawId::from_bytes([number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).into()
}
fn connector(number: u8) -> ConnectorId {
    RawId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number]).into()
}
fn minutes_later(minutes: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON.unix_seconds() + minutes * 60)
}
fn member(number: u8, minimum: Watts, maximum: Watts) -> Member {
    Member::new(connector(number), group(1), minimum, maximum)
}
fn charging(number: u8, minimum: Watts, maximum: Watts) -> Member {
    Member {
        state: MemberState::Active(Session::new(NOON)),
        ..member(number, minimum, maximum)
    }
}
fn session(member: &mut Member) -> &mut Session {
    match &mut member.state {
        MemberState::Active(session) | MemberState::Suspended { session, .. } => session,
        other => panic!("no session but {other:?}"),
    }
}
fn site(limit: Watts, members: Vec<Member>) -> Snapshot {
    Snapshot {
        nodes: vec![Node::new(group(1), limit)],
        members,
        settings: Settings::default(),
    }
}
/// Plans, checks, and returns the limits by connector.
fn limits(snapshot: &Snapshot, now: Timestamp) -> Vec<i64> {
    let plan = plan(snapshot, now);
    assert_eq!(violations(snapshot, &plan), []);
    plan.limits.iter().map(|limit| limit.limit.get()).collect()
}
/// What the shell does: remembers limits and turns for the next plan.
fn carry_on(snapshot: &mut Snapshot, now: Timestamp) -> Vec<i64> {
    let plan = plan(snapshot, now);
    assert_eq!(violations(snapshot, &plan), []);
    for member in &mut snapshot.members {
        let limit = plan
            .limit_of(member.connector)
            .expect("every member has a limit");
        member.current = limit.limit;
        if let Some(turn) = limit.turn {
            session(member).turn = turn;
        }
    }
    plan.limits.iter().map(|limit| limit.limit.get()).collect()
}

#[test]
fn eight_ports_of_seven_kilowatts_share_thirty() {
    let ports = |cars: u8| {
        let port = |number| match number <= cars {
            true => charging(number, kw(5), kw(7)),
            false => member(number, kw(5), kw(7)),
        };
        site(kw(30), (1..=8).map(port).collect())
    };
    for (cars, each) in [
        (1, 7),
        (2, 7),
        (3, 7),
        (4, 7),
        (5, 6),
        (6, 5),
        (7, 5),
        (8, 5),
    ] {
        let given = limits(&ports(cars), NOON);
        let served = cars.min(6) as usize;
        assert!(
            given[..served].iter().all(|limit| *limit == each * 1_000),
            "{cars} cars: {given:?}"
        );
        assert!(
            given[served..].iter().all(|limit| *limit == 0),
            "{cars} cars: {given:?}"
        );
    }
    let full = plan(&ports(8), NOON);
    let waiting = |index: usize| match full.limits[index].reason {
        Reason::WaitingForTurn {
            node,
            position,
            minimum,
            ..
        } => (node, position, minimum),
        ref other => panic!("not waiting but {other:?}"),
    };
    assert_eq!(waiting(6), (group(1), 1, kw(5)));
    assert_eq!(waiting(7), (group(1), 2, kw(5)));
    assert_eq!(full.nodes[0].granted, kw(30));
}

#[test]
fn the_buffer_is_never_handed_out() {
    let mut depot = site(
        kw(100),
        (1..=3)
            .map(|number| charging(number, kw(4), kw(50)))
            .collect(),
    );
    depot.nodes[0].buffer_ppm = 100_000;
    assert_eq!(limits(&depot, NOON), [30_000; 3]);
}

#[test]
fn a_car_that_waits_moves_up_when_another_leaves() {
    let mut full = site(
        kw(10),
        (1..=3)
            .map(|number| charging(number, kw(5), kw(7)))
            .collect(),
    );
    assert_eq!(carry_on(&mut full, NOON), [5_000, 5_000, 0]);
    full.members[0].state = MemberState::Idle { worst: Watts::ZERO };
    assert_eq!(carry_on(&mut full, minutes_later(1)), [0, 5_000, 5_000]);
}

#[test]
fn turns_rotate_when_holds_end_and_stopped_cars_rest() {
    let mut full = site(
        kw(5),
        (1..=2)
            .map(|number| charging(number, kw(5), kw(7)))
            .collect(),
    );
    assert_eq!(carry_on(&mut full, NOON), [5_000, 0]);
    session(&mut full.members[0]).attained = WattHours(2_400);
    assert_eq!(carry_on(&mut full, minutes_later(29)), [5_000, 0], "held");
    assert_eq!(
        carry_on(&mut full, minutes_later(30)),
        [0, 5_000],
        "its turn"
    );
    full.members[1].state = MemberState::Idle { worst: Watts::ZERO };
    let resting = plan(&full, minutes_later(35));
    assert_eq!(
        resting.limits[0].reason,
        Reason::Resting {
            until: minutes_later(40)
        }
    );
    assert_eq!(resting.next_turn_at, Some(minutes_later(40)));
    assert_eq!(carry_on(&mut full, minutes_later(40)), [5_000, 0]);
}

#[test]
fn a_plan_says_when_the_next_turn_is() {
    let mut full = site(
        kw(5),
        (1..=2)
            .map(|number| charging(number, kw(5), kw(7)))
            .collect(),
    );
    full.settings.off_seconds = 7_200;
    assert_eq!(plan(&full, NOON).next_turn_at, Some(minutes_later(30)));
    full.nodes[0].limit = kw(14);
    assert_eq!(plan(&full, NOON).next_turn_at, None);
}

#[test]
fn first_come_first_served_does_not_rotate() {
    let mut full = site(
        kw(5),
        (1..=2)
            .map(|number| charging(number, kw(5), kw(7)))
            .collect(),
    );
    full.nodes[0].algorithm = Algorithm::FirstCome;
    session(&mut full.members[0]).arrived_at = minutes_later(1);
    for minute in [2, 40, 300, 1_000] {
        session(&mut full.members[1]).attained = WattHours(minute * 100);
        assert_eq!(carry_on(&mut full, minutes_later(minute)), [0, 5_000]);
    }
}

#[test]
fn a_small_car_passes_a_large_one_until_that_waited_three_holds() {
    let mut full = site(
        kw(10),
        [(1, 4), (2, 4), (3, 10)]
            .map(|(number, least)| charging(number, kw(least), kw(22)))
            .to_vec(),
    );
    session(&mut full.members[1]).arrived_at = minutes_later(-1);
    session(&mut full.members[2]).attained = WattHours(50_000);
    assert_eq!(carry_on(&mut full, NOON), [5_000, 5_000, 0]);
    assert_eq!(carry_on(&mut full, minutes_later(89)), [5_000, 5_000, 0]);
    assert_eq!(carry_on(&mut full, minutes_later(90)), [0, 0, 10_000]);
}

#[test]
fn a_minimum_above_the_limit_is_said_so() {
    let tiny = site(
        kw(3),
        vec![
            charging(1, kw(5), kw(7)),
            charging(2, kw(2), kw(7)),
            charging(3, kw(8), kw(7)),
        ],
    );
    let plan = plan(&tiny, NOON);
    assert!(matches!(
        plan.limits[0].reason,
        Reason::MinimumDoesNotFit {
            minimum: Watts(5_000),
            ..
        }
    ));
    assert_eq!(plan.limits[1].limit, kw(3));
    assert!(matches!(
        plan.limits[2].reason,
        Reason::Unsatisfiable { .. }
    ));
}

#[test]
fn weights_count_under_priority_only() {
    let mut depot = site(
        kw(30),
        vec![charging(1, kw(2), kw(50)), charging(2, kw(2), kw(50))],
    );
    depot.members[1].weight = 2;
    assert_eq!(limits(&depot, NOON), [15_000, 15_000]);
    depot.nodes[0].algorithm = Algorithm::Priority;
    assert_eq!(limits(&depot, NOON), [10_000, 20_000]);
}

#[test]
fn a_priority_charge_is_first_in_the_queue_and_overrides_a_window_but_no_limit() {
    let mut full = site(
        kw(7),
        (1..=2)
            .map(|number| charging(number, kw(5), kw(11)))
            .collect(),
    );
    for member in &mut full.members {
        session(member).excluded = true;
    }
    session(&mut full.members[1]).priority_charge = true;
    let plan = plan(&full, NOON);
    assert_eq!(plan.limits[0].reason, Reason::ExclusionWindow);
    assert_eq!(plan.limits[1].limit, kw(7));
}

#[test]
fn what_cannot_be_steered_is_set_aside_on_the_whole_path() {
    let mut tree = site(
        kw(20),
        vec![charging(1, kw(4), kw(22)), charging(2, kw(4), kw(22))],
    );
    tree.nodes.push(Node {
        parent: Some(group(1)),
        ..Node::new(group(2), kw(16))
    });
    tree.members[0].node = group(2);
    tree.members.push(Member {
        node: group(2),
        state: MemberState::Uncontrolled {
            reserved: kw(11),
            why: Uncontrolled::Offline,
        },
        ..member(3, kw(4), kw(22))
    });
    let plan = plan(&tree, NOON);
    assert_eq!(violations(&tree, &plan), []);
    assert_eq!(
        plan.limits
            .iter()
            .map(|limit| limit.limit.get())
            .collect::<Vec<_>>(),
        [4_500, 4_500, 0]
    );
    assert_eq!(
        (plan.nodes[1].reserved, plan.nodes[1].available),
        (kw(11), kw(5))
    );
    let sentence = plan.limits[2].explain();
    assert_eq!(
        sentence,
        "0 kW: its station is offline, so 11 kW is set aside for it (rule reservation)."
    );
}

#[test]
fn an_inner_limit_leaves_the_rest_to_the_neighbours() {
    let mut tree = site(
        kw(30),
        (1..=3)
            .map(|number| charging(number, kw(2), kw(22)))
            .collect(),
    );
    tree.nodes.push(Node {
        parent: Some(group(1)),
        ..Node::new(group(2), kw(8))
    });
    tree.members[0].node = group(2);
    tree.members[1].node = group(2);
    assert_eq!(limits(&tree, NOON), [4_000, 4_000, 22_000]);
}

#[test]
fn a_pausing_car_keeps_its_minimum_for_a_while_then_takes_what_is_left() {
    let mut site = site(
        kw(20),
        (1..=2)
            .map(|number| charging(number, kw(5), kw(22)))
            .collect(),
    );
    site.members[0].state = MemberState::Suspended {
        since: NOON,
        session: Session::new(NOON),
    };
    assert_eq!(limits(&site, minutes_later(4)), [5_000, 15_000]);
    assert_eq!(
        plan(&site, minutes_later(4)).next_turn_at,
        Some(minutes_later(5))
    );
    assert_eq!(limits(&site, minutes_later(5)), [0, 20_000]);
    site.members[1].maximum = kw(11);
    assert_eq!(limits(&site, minutes_later(5)), [5_000, 11_000]);
}

#[test]
fn what_a_car_does_not_use_is_lent() {
    let mut site = site(
        kw(20),
        (1..=2)
            .map(|number| charging(number, kw(4), kw(22)))
            .collect(),
    );
    session(&mut site.members[0]).learned_demand = Some(kw(6));
    assert_eq!(limits(&site, NOON), [6_000, 14_000]);
}

#[test]
fn amps_are_shared_phase_by_phase() {
    let mut home = site(
        kw(30),
        (1..=3)
            .map(|number| charging(number, Watts(1_380), kw(22)))
            .collect(),
    );
    home.nodes[0].phase_limits = Some([Milliamps(32_000); 3]);
    for (member, phases) in home
        .members
        .iter_mut()
        .zip([PhaseSet::L1, PhaseSet::L1, PhaseSet::L2])
    {
        member.phases = phases;
        member.step = Watts(23);
    }
    assert_eq!(
        limits(&home, NOON),
        [3_680, 3_680, 7_360],
        "16 + 16 A and 32 A"
    );
    home.members[2] = Member {
        step: Watts(69),
        ..charging(3, Watts(4_140), kw(22))
    };
    assert_eq!(limits(&home, NOON), [2_990, 2_990, 4_140], "13 + 13 + 6 A");
    let Reason::Shared { bound, sharing, .. } = plan(&home, NOON).limits[2].reason else {
        panic!("not shared")
    };
    assert_eq!(
        (bound, sharing),
        (
            Bound::Current {
                phase: 1,
                available: Milliamps(32_000)
            },
            3
        )
    );
    assert_eq!(
        plan(&home, NOON).nodes[0]
            .currents
            .map(|phases| phases[0].granted),
        Some(Milliamps(32_000))
    );
}

#[test]
fn a_car_on_an_unknown_phase_counts_on_each() {
    let mut home = site(
        kw(22),
        (1..=2)
            .map(|number| charging(number, Watts(1_380), kw(7)))
            .collect(),
    );
    home.nodes[0].phase_limits = Some([Milliamps(20_000); 3]);
    home.members[0].phases = PhaseSet::L1;
    home.members[1].phases = PhaseSet::L2;
    assert_eq!(
        limits(&home, NOON),
        [4_600, 4_600],
        "each has a phase of its own"
    );
    home.members[1].rotation_known = false;
    assert_eq!(
        limits(&home, NOON),
        [2_300, 2_300],
        "perhaps they share one"
    );
}

#[test]
fn uneven_loads_stay_within_the_imbalance_limit() {
    let mut home = site(
        kw(40),
        vec![
            charging(1, Watts(1_380), kw(7)),
            charging(2, Watts(4_140), kw(22)),
        ],
    );
    home.nodes[0].imbalance_limit = Some(Milliamps(20_000));
    home.members[0].phases = PhaseSet::L3;
    assert_eq!(limits(&home, NOON), [4_600, 22_000]);
}

#[test]
fn limits_are_steps_and_the_rest_is_handed_on() {
    let mut site = site(
        kw(10),
        (1..=3)
            .map(|number| charging(number, Watts(1_380), kw(7)))
            .collect(),
    );
    for member in &mut site.members {
        member.step = Watts(230);
    }
    assert_eq!(limits(&site, NOON), [3_450, 3_220, 3_220]);
}

#[test]
fn limits_rise_step_by_step_but_fall_at_once() {
    let mut site = site(
        kw(30),
        (1..=2)
            .map(|number| charging(number, kw(4), kw(22)))
            .collect(),
    );
    site.settings.raise_step = Some(kw(2));
    site.settings.raise_interval_seconds = 60;
    site.members[1].state = MemberState::Idle { worst: Watts::ZERO };
    assert_eq!(carry_on(&mut site, NOON), [4_000, 0]);
    assert_eq!(plan(&site, NOON).next_turn_at, Some(minutes_later(1)));
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
    assert_eq!(
        plan(&site, NOON).limits[0].reason,
        Reason::Unchanged {
            wanted: Watts(10_300)
        }
    );
    site.members[0].current = Watts(10_400);
    assert_eq!(
        limits(&site, NOON),
        [10_300],
        "a cut is never left out without slack"
    );
}

#[test]
fn small_changes_are_left_out_within_the_slack() {
    let mut site = site(
        kw(20),
        (1..=2)
            .map(|number| charging(number, kw(4), kw(22)))
            .collect(),
    );
    site.settings.suppression_ppm = 10_000;
    site.members[0].current = Watts(9_900);
    site.members[1].current = Watts(10_050);
    assert_eq!(limits(&site, NOON), [9_900, 10_050]);
}

#[test]
fn a_stopped_car_starts_again_when_there_was_room_long_enough() {
    let mut site = site(kw(10), vec![charging(1, kw(4), kw(7))]);
    site.settings.restart_after_seconds = 120;
    session(&mut site.members[0]).turn.stopped_at = Some(minutes_later(-60));
    assert_eq!(carry_on(&mut site, NOON), [0]);
    assert_eq!(carry_on(&mut site, minutes_later(1)), [0]);
    assert_eq!(carry_on(&mut site, minutes_later(2)), [7_000]);
}

#[test]
fn production_lifts_the_limit_up_to_the_rating_of_the_feeder() {
    let mut site = site(kw(10), vec![charging(1, kw(4), kw(22))]);
    site.nodes[0].uncontrolled_load = Watts(-8_000);
    assert_eq!(limits(&site, NOON), [10_000]);
    site.nodes[0].rating = Some(kw(16));
    assert_eq!(limits(&site, NOON), [16_000]);
}

#[test]
fn members_outside_every_tree_get_nothing() {
    let mut site = site(
        kw(10),
        vec![charging(1, kw(4), kw(22)), charging(2, kw(4), kw(22))],
    );
    site.members[1].node = group(9);
    site.nodes.push(Node {
        parent: Some(group(9)),
        ..Node::new(group(9), kw(50))
    });
    let plan = plan(&site, NOON);
    assert_eq!(plan.limits[1].reason, Reason::NotInTree);
    assert_eq!(plan.limits[0].limit, kw(10));
}

#[test]
fn snapshots_and_plans_survive_json_and_replay_to_the_same_bytes() {
    let full = site(
        kw(12),
        (1..=4)
            .map(|number| charging(number, kw(4), kw(7)))
            .collect(),
    );
    let text = serde_json::to_string(&full).expect("serializes");
    let again: Snapshot = serde_json::from_str(&text).expect("reads");
    assert_eq!(again, full);
    let first = serde_json::to_string(&plan(&full, NOON)).expect("serializes");
    let second: Plan = serde_json::from_str(&first).expect("reads");
    assert_eq!(
        serde_json::to_string(&plan(&again, second.now)).expect("serializes"),
        first
    );
}
