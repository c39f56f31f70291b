//! A real day replayed: energies that are known, a bound that nothing may exceed, and what each plan promises.

use std::collections::VecDeque;

use super::world::{Outcome, replay_watched};
use super::*;
use engine::check::violations;
use engine::{Plan, Reason, Snapshot};

fn day() -> Vec<Recorded> {
    let file = include_bytes!("../../../tests/data/jpl_2019_05_06.csv");
    sessions::read(file.as_slice()).expect("a good file")
}

fn rules(kilowatts: i64, algorithm: Algorithm) -> Rules {
    Rules::new(Watts(kilowatts * 1_000), algorithm)
}

fn pausing(kilowatts: i64) -> Rules {
    Rules { allow_pause: true, ..rules(kilowatts, Algorithm::Deadline) }
}

/// All ways to share so many kilowatts.
fn all_rules(kilowatts: i64) -> Vec<Rules> {
    let truth = [
        rules(kilowatts, Algorithm::EqualShare),
        rules(kilowatts, Algorithm::FirstCome),
        rules(kilowatts, Algorithm::Deadline),
        pausing(kilowatts),
    ];
    let said = truth.iter().map(|rules| Rules { as_claimed: true, step: Watts(208), ..rules.clone() });
    truth.iter().cloned().chain(said).collect()
}

fn joules(outcome: &Outcome) -> i64 {
    outcome.fates.iter().map(|fate| fate.delivered).sum()
}

#[test]
fn i17_the_day_gives_these_energies() {
    let day = day();
    let kilowatt_hours = |rules: &Rules| joules(&world::replay(&day, rules)) as f64 / 3.6e6;
    for (kilowatts, pinned) in PINNED {
        let given = [
            kilowatt_hours(&rules(kilowatts, Algorithm::EqualShare)),
            kilowatt_hours(&rules(kilowatts, Algorithm::FirstCome)),
            kilowatt_hours(&rules(kilowatts, Algorithm::Deadline)),
            kilowatt_hours(&pausing(kilowatts)),
        ];
        for (given, pinned) in given.iter().zip(pinned) {
            assert!((given - pinned).abs() <= 0.1, "{kilowatts} kW: {given:?}");
        }
    }
}

/// Capacity, then equal shares, first come, deadlines without and with pauses.
const PINNED: [(i64, [f64; 4]); 3] =
    [(15, [247.1, 247.0, 247.0, 247.3]), (30, [435.9, 435.9, 441.7, 447.6]), (45, [584.4, 584.4, 614.6, 622.1])];

#[test]
fn i17_nothing_delivers_more_than_a_maximum_flow() {
    let day = day();
    for kilowatts in [15, 30, 45] {
        let most = maximum_flow(&day, kilowatts * 1_000);
        for rules in all_rules(kilowatts) {
            let given = joules(&world::replay(&day, &rules));
            assert!(given <= most, "{rules:?} gives {given} of {most} J");
        }
        let near = joules(&world::replay(&day, &pausing(kilowatts)));
        assert!(near * 1_000 >= most * 995, "{near} of {most} J with {kilowatts} kW");
    }
}

/// The joules that a planner who knows the whole day could deliver, by shortest augmenting paths (Edmonds and Karp 1972)
/// from sessions over the periods in which they may draw.
fn maximum_flow(day: &[Recorded], watts: i64) -> i64 {
    let last = day.iter().map(|one| one.departure).max().unwrap_or(0);
    let mut room = vec![watts * sessions::PERIOD_SECONDS; last as usize];
    let mut flow = vec![vec![0_i64; room.len()]; day.len()];
    let mut left: Vec<i64> = day.iter().map(|one| one.energy).collect();
    loop {
        let mut reached: Vec<Option<(usize, usize)>> = vec![None; day.len()];
        let mut seen = vec![false; room.len()];
        let mut queue: VecDeque<usize> = (0..day.len()).filter(|one| left[*one] > 0).collect();
        let sources: Vec<bool> = left.iter().map(|left| *left > 0).collect();
        let mut end = None;
        'search: while let Some(session) = queue.pop_front() {
            let most = day[session].maximum.get() * sessions::PERIOD_SECONDS;
            for period in day[session].arrival as usize..day[session].departure as usize {
                if seen[period] || flow[session][period] >= most {
                    continue;
                }
                seen[period] = true;
                if room[period] > 0 {
                    end = Some((session, period));
                    break 'search;
                }
                for other in 0..day.len() {
                    if flow[other][period] > 0 && reached[other].is_none() && !sources[other] {
                        reached[other] = Some((session, period));
                        queue.push_back(other);
                    }
                }
            }
        }
        let Some((session, period)) = end else {
            return day.iter().zip(&left).map(|(one, left)| one.energy - left).sum();
        };
        // Back along the path: who puts into which period, and takes out of which other one instead.
        let mut path = vec![(session, period)];
        while let Some(before) = reached[path[path.len() - 1].0] {
            path.push(before);
        }
        let head = path[path.len() - 1].0;
        let mut most = left[head].min(room[period]);
        for (index, (session, period)) in path.iter().enumerate() {
            let cap = day[*session].maximum.get() * sessions::PERIOD_SECONDS;
            most = most.min(cap - flow[*session][*period]);
            if index > 0 {
                most = most.min(flow[path[index - 1].0][*period]);
            }
        }
        left[head] -= most;
        room[period] -= most;
        for (index, (session, period)) in path.iter().enumerate() {
            flow[*session][*period] += most;
            if index > 0 {
                flow[path[index - 1].0][*period] -= most;
            }
        }
    }
}

#[test]
fn i3_equal_shares_carry_a_max_min_certificate_all_day() {
    let day = day();
    let mut cut = 0;
    for kilowatts in [15, 30, 45] {
        let rules = rules(kilowatts, Algorithm::EqualShare);
        replay_watched(&day, &rules, |snapshot, plan| {
            let given: i64 = plan.limits.iter().map(|limit| limit.limit.get()).sum();
            let full = given == rules.capacity.get();
            for one in plan.limits.iter().filter(|one| one.limit > Watts::ZERO) {
                let has_all = matches!(one.reason, Reason::AtMaximum | Reason::LearnedDemand { .. });
                // Who could take more meets a full site, where nobody above the minimum has a watt more.
                let fair =
                    |other: &engine::Limit| other.limit <= one.limit + Watts(1) || other.limit <= minimum(snapshot);
                assert!(has_all || (full && plan.limits.iter().all(fair)), "{plan:?}");
                cut += u32::from(!has_all);
            }
        });
    }
    assert!(cut > 1_000, "only {cut} limits were shares");
}

fn minimum(snapshot: &Snapshot) -> Watts {
    let minimums = snapshot.members.iter().map(|member| member.minimum);
    minimums.max().unwrap_or_default()
}

#[test]
fn no_limit_lies_in_the_dead_band_and_no_plan_breaks_a_promise() {
    let day = day();
    for kilowatts in [1, 2, 8, 30] {
        for rules in all_rules(kilowatts) {
            let check = |snapshot: &Snapshot, plan: &Plan| assert_eq!(violations(snapshot, plan), []);
            let outcome = replay_watched(&day, &rules, check);
            let metrics = Metrics::of(&day, &outcome);
            assert_eq!((metrics.in_dead_band, metrics.over_capacity), (0, 0), "{rules:?}");
        }
    }
}

#[test]
fn the_dead_band_and_the_capacity_are_really_looked_at() {
    let day = day();
    let honest = rules(30, Algorithm::EqualShare);
    let mut outcome = Outcome::default();
    replay_watched(&day, &honest, |snapshot, plan| {
        let mut snapshot = snapshot.clone();
        snapshot.members.iter_mut().for_each(|member| member.minimum = Watts(6_601));
        outcome.judge(&snapshot, plan, &rules(1, Algorithm::EqualShare));
    });
    assert!(outcome.in_dead_band > 0 && outcome.over_capacity > 0);
}

#[test]
fn departures_help_and_wrong_ones_do_not_hurt_much() {
    let day = day();
    let of = |rules: &Rules| replay(&day, rules);
    let equal = of(&rules(30, Algorithm::EqualShare));
    let deadline = of(&rules(30, Algorithm::Deadline));
    let said = of(&Rules { as_claimed: true, ..rules(30, Algorithm::Deadline) });
    assert!(deadline.demand_met_pct > equal.demand_met_pct, "{deadline:?}");
    assert!(said.demand_met_pct > equal.demand_met_pct - 1.0, "{said:?}");
    assert!(deadline.jain > equal.jain && deadline.worst > equal.worst, "{deadline:?}");
}

#[test]
fn a_record_without_power_ends() {
    let nothing = replay(&day(), &rules(0, Algorithm::Deadline));
    assert_eq!((nothing.demand_met_pct, nothing.starts_per_session), (0.0, 0.0));
}
