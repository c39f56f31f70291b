//! Who gets how much: the contract of a plain group, trees, phases, steps and what is reserved.

use super::*;

#[test]
fn eight_ports_of_seven_kilowatts_share_thirty() {
    let ports = |cars: u8| {
        let port = |number| match number <= cars {
            true => charging(number, kw(5), kw(7)),
            false => member(number, kw(5), kw(7)),
        };
        site(kw(30), (1..=8).map(port).collect())
    };
    for (cars, each) in [(1, 7), (2, 7), (3, 7), (4, 7), (5, 6), (6, 5), (7, 5), (8, 5)] {
        let given = limits(&ports(cars), NOON);
        let served = cars.min(6) as usize;
        assert!(given[..served].iter().all(|limit| *limit == each * 1_000), "{cars} cars: {given:?}");
        assert!(given[served..].iter().all(|limit| *limit == 0), "{cars} cars: {given:?}");
    }
    let full = plan(&ports(8), NOON);
    let waiting = |index: usize| match full.limits[index].reason {
        Reason::Queued { node, position, minimum, .. } => (node, position, minimum),
        ref other => panic!("not waiting but {other:?}"),
    };
    assert_eq!(waiting(6), (group(1), 1, kw(5)));
    assert_eq!(waiting(7), (group(1), 2, kw(5)));
    assert_eq!(full.nodes[0].granted, kw(30));
}

#[test]
fn the_buffer_is_never_handed_out() {
    let mut depot = site(kw(100), (1..=3).map(|number| charging(number, kw(4), kw(50))).collect());
    depot.nodes[0].buffer_ppm = 100_000;
    assert_eq!(limits(&depot, NOON), [30_000; 3]);
}

#[test]
fn weights_count_under_priority_only() {
    let mut depot = site(kw(30), vec![charging(1, kw(2), kw(50)), charging(2, kw(2), kw(50))]);
    depot.members[1].weight = 2;
    assert_eq!(limits(&depot, NOON), [15_000, 15_000]);
    depot.nodes[0].algorithm = Algorithm::Priority;
    assert_eq!(limits(&depot, NOON), [10_000, 20_000]);
}

#[test]
fn what_cannot_be_steered_is_reserved_on_the_whole_path() {
    let mut tree = site(kw(20), vec![charging(1, kw(4), kw(22)), charging(2, kw(4), kw(22))]);
    tree.nodes.push(Node { parent: Some(group(1)), ..Node::new(group(2), kw(16)) });
    tree.members[0].node = group(2);
    tree.members.push(Member {
        node: group(2),
        state: MemberState::Uncontrolled { reserved: kw(11), why: Uncontrolled::Offline },
        ..member(3, kw(4), kw(22))
    });
    let plan = plan(&tree, NOON);
    assert_eq!(violations(&tree, &plan), []);
    assert_eq!(plan.limits.iter().map(|limit| limit.limit.get()).collect::<Vec<_>>(), [4_500, 4_500, 0]);
    assert_eq!((plan.nodes[1].reserved, plan.nodes[1].available), (kw(11), kw(5)));
    let sentence = plan.limits[2].explain();
    assert_eq!(sentence, "0 kW: its station is offline, so 11 kW is reserved for it (rule reservation).");
}

#[test]
fn an_inner_limit_leaves_the_rest_to_the_neighbours() {
    let mut tree = site(kw(30), (1..=3).map(|number| charging(number, kw(2), kw(22))).collect());
    tree.nodes.push(Node { parent: Some(group(1)), ..Node::new(group(2), kw(8)) });
    tree.members[0].node = group(2);
    tree.members[1].node = group(2);
    assert_eq!(limits(&tree, NOON), [4_000, 4_000, 22_000]);
}

#[test]
fn what_a_car_does_not_use_is_lent() {
    let mut site = site(kw(20), (1..=2).map(|number| charging(number, kw(4), kw(22))).collect());
    session(&mut site.members[0]).learned_demand = Some(kw(6));
    assert_eq!(limits(&site, NOON), [6_000, 14_000]);
}

#[test]
fn amps_are_shared_phase_by_phase() {
    let mut home = site(kw(30), (1..=3).map(|number| charging(number, Watts(1_380), kw(22))).collect());
    home.nodes[0].phase_limits = Some([Milliamps(32_000); 3]);
    for (member, phases) in home.members.iter_mut().zip([PhaseSet::L1, PhaseSet::L1, PhaseSet::L2]) {
        member.phases = phases;
        member.step = Watts(23);
    }
    assert_eq!(limits(&home, NOON), [3_680, 3_680, 7_360], "16 + 16 A and 32 A");
    home.members[2] = Member { step: Watts(69), ..charging(3, Watts(4_140), kw(22)) };
    assert_eq!(limits(&home, NOON), [2_990, 2_990, 4_140], "13 + 13 + 6 A");
    let Reason::Shared { bound, sharing, .. } = plan(&home, NOON).limits[2].reason else { panic!("not shared") };
    assert_eq!((bound, sharing), (Bound::Current { phase: 1, available: Milliamps(32_000) }, 3));
    assert_eq!(plan(&home, NOON).nodes[0].currents.map(|phases| phases[0].granted), Some(Milliamps(32_000)));
}

#[test]
fn a_car_on_an_unknown_phase_counts_on_each() {
    let mut home = site(kw(22), (1..=2).map(|number| charging(number, Watts(1_380), kw(7))).collect());
    home.nodes[0].phase_limits = Some([Milliamps(20_000); 3]);
    home.members[0].phases = PhaseSet::L1;
    home.members[1].phases = PhaseSet::L2;
    assert_eq!(limits(&home, NOON), [4_600, 4_600], "each has a phase of its own");
    home.members[1].rotation_known = false;
    assert_eq!(limits(&home, NOON), [2_300, 2_300], "perhaps they share one");
}

#[test]
fn uneven_loads_stay_within_the_imbalance_limit() {
    let mut home = site(kw(40), vec![charging(1, Watts(1_380), kw(7)), charging(2, Watts(4_140), kw(22))]);
    home.nodes[0].imbalance_limit = Some(Milliamps(20_000));
    home.members[0].phases = PhaseSet::L3;
    assert_eq!(limits(&home, NOON), [4_600, 22_000]);
}

#[test]
fn limits_are_steps_and_the_remainder_is_handed_on() {
    let mut site = site(kw(10), (1..=3).map(|number| charging(number, Watts(1_380), kw(7))).collect());
    for member in &mut site.members {
        member.step = Watts(230);
    }
    assert_eq!(limits(&site, NOON), [3_450, 3_220, 3_220]);
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
    let mut site = site(kw(10), vec![charging(1, kw(4), kw(22)), charging(2, kw(4), kw(22))]);
    site.members[1].node = group(9);
    site.nodes.push(Node { parent: Some(group(9)), ..Node::new(group(9), kw(50)) });
    let plan = plan(&site, NOON);
    assert_eq!(plan.limits[1].reason, Reason::NotInTree);
    assert_eq!(plan.limits[0].limit, kw(10));
}

#[test]
fn what_rounding_frees_below_a_tight_limit_stays_there() {
    let car = |number, node| Member { node, step: Watts(10), ..charging(number, Watts(10), kw(9)) };
    let mut tree = site(
        Watts(5 * 1_004 + 3 * 2_006),
        (1..=8).map(|number| car(number, group(if number <= 5 { 2 } else { 1 }))).collect(),
    );
    tree.nodes.push(Node { parent: Some(group(1)), ..Node::new(group(2), Watts(5 * 1_004)) });
    // Five of 1,004 W free 20 W, three of 2,006 W free 18 W: two steps for the former, one for the latter.
    let given = limits(&tree, NOON);
    assert_eq!(given, [1_010, 1_010, 1_000, 1_000, 1_000, 2_010, 2_000, 2_000]);
}

fn leaving(number: u8, hours: i64, energy: i64) -> Member {
    let mut member = charging(number, kw(1), kw(10));
    session(&mut member).deadline = Some(Deadline { departure: minutes_later(hours * 60), energy: WattHours(energy) });
    member
}

#[test]
fn who_has_less_time_gets_more() {
    let mut depot = site(kw(12), vec![leaving(1, 2, 20_000), leaving(2, 8, 20_000)]);
    assert_eq!(limits(&depot, NOON), [6_000, 6_000], "equal shares know no deadlines");
    depot.nodes[0].algorithm = Algorithm::Deadline;
    assert_eq!(limits(&depot, NOON), [10_000, 2_000], "the first needs its maximum all the time");
    assert_eq!(plan(&depot, NOON).next_change_at, Some(minutes_later(5)));
}

#[test]
fn overload_cuts_all_demands_alike() {
    let mut depot = site(kw(6), vec![leaving(1, 2, 12_000), leaving(2, 2, 4_000)]);
    depot.nodes[0].algorithm = Algorithm::Deadline;
    for minute in 0..120 {
        for (member, given) in (0..).zip(limits(&depot, minutes_later(minute))) {
            session(&mut depot.members[member]).attained += WattHours(given / 60);
        }
    }
    for (member, three_quarters) in [(0, 9_000), (1, 3_000)] {
        let attained = session(&mut depot.members[member]).attained.get();
        assert!((attained - three_quarters).abs() < 100, "{attained} of {three_quarters} Wh");
    }
}

#[test]
fn without_any_departure_shares_are_equal() {
    let mut depot = site(kw(12), vec![leaving(1, 2, 20_000), leaving(2, -1, 20_000)]);
    depot.nodes[0].algorithm = Algorithm::Deadline;
    session(&mut depot.members[0]).deadline = None;
    assert_eq!(limits(&depot, NOON), [6_000, 6_000]);
}
