//! Single plans: never too much, never in the dead band, fair, thrifty, and the same for the same input.

use std::collections::BTreeMap;

use engine::check::violations;
use engine::*;
use kernel::*;
use proptest::prelude::*;

use crate::rows::{Row, rows};
use crate::world::*;

/// What each member may take: bounds on steps, and its weight.
fn bounds(snapshot: &Snapshot, member: &Member) -> (i64, i64, i64) {
    let step = member.step.get();
    let minimum = (member.minimum.get() + step - 1) / step * step;
    let priority = snapshot.nodes.iter().any(|node| node.id == member.node && node.algorithm == Algorithm::Priority);
    (minimum, member.maximum.get() / step * step, if priority { i64::from(member.weight) } else { 1 })
}

fn by_connector(plan: &Plan) -> BTreeMap<ConnectorId, i64> {
    plan.limits.iter().map(|limit| (limit.connector, limit.limit.get())).collect()
}

fn admitted(plan: &Plan) -> Vec<ConnectorId> {
    plan.limits.iter().filter(|limit| limit.limit > Watts::ZERO).map(|limit| limit.connector).collect()
}

/// Within this tolerance in watts, everybody who was admitted has their maximum, or meets a full
/// row in which nobody has more for their weight, but for a minimum or for less than one step that
/// others could not use.
fn assert_max_min_fair(snapshot: &Snapshot, plan: &Plan, tolerance: i64) -> Result<(), TestCaseError> {
    let limits = by_connector(plan);
    let rows = rows(snapshot);
    let members: BTreeMap<_, _> = snapshot.members.iter().map(|member| (member.connector, member)).collect();
    let slack = i128::from(tolerance);
    for id in admitted(plan) {
        let (member, given) = (members[&id], limits[&id]);
        let (_, maximum, weight) = bounds(snapshot, member);
        if given + member.step.get() > maximum {
            continue;
        }
        let bottleneck = rows.iter().filter(|row| row.costs.contains_key(&id)).any(|row| {
            let full = row.room(&limits) < row.needs(id, tolerance) + 1_000;
            full && row.costs.keys().all(|other| {
                let (least, _, other_weight) = bounds(snapshot, members[other]);
                let more = limits[other];
                let level = i128::from(given) + slack;
                i128::from(more) <= i128::from(least) + slack
                    || i128::from(more) * i128::from(weight)
                        <= level * i128::from(other_weight) + slack * i128::from(weight)
            })
        });
        prop_assert!(bottleneck, "{id} has {given} W and could have more");
    }
    Ok(())
}

/// Nobody waits whose minimum would fit beside the minimums of those that were admitted.
fn assert_nobody_waits_in_vain(snapshot: &Snapshot, plan: &Plan) -> Result<(), TestCaseError> {
    let rows = rows(snapshot);
    let minimums: BTreeMap<_, _> = snapshot
        .members
        .iter()
        .filter(|member| plan.limit_of(member.connector).is_some_and(|limit| limit.limit > Watts::ZERO))
        .map(|member| (member.connector, bounds(snapshot, member).0))
        .collect();
    for member in &snapshot.members {
        let reason = plan.limit_of(member.connector).map(|limit| &limit.reason);
        if matches!(reason, Some(Reason::Queued { .. } | Reason::MinimumDoesNotFit { .. })) {
            let minimum = bounds(snapshot, member).0;
            let fits = |row: &Row| row.room(&minimums) >= row.needs(member.connector, minimum) + 2_000;
            prop_assert!(!rows.iter().all(fits), "{} waits although it fits", member.connector);
        }
    }
    Ok(())
}

/// One watt at a time to whoever has least for their weight and still can take it.
fn slow_filling(snapshot: &Snapshot, admitted: &[ConnectorId]) -> BTreeMap<ConnectorId, i64> {
    let rows = rows(snapshot);
    let members: Vec<_> = snapshot.members.iter().filter(|one| admitted.contains(&one.connector)).collect();
    let mut limits: BTreeMap<_, _> = members.iter().map(|one| (one.connector, bounds(snapshot, one).0)).collect();
    loop {
        let next = members
            .iter()
            .filter(|one| limits[&one.connector] < bounds(snapshot, one).1)
            .filter(|one| rows.iter().all(|row| row.room(&limits) >= row.needs(one.connector, 1)))
            .min_by_key(|one| (limits[&one.connector], one.connector));
        let Some(next) = next else {
            return limits;
        };
        *limits.entry(next.connector).or_default() += 1;
    }
}

fn without_steps(mut snapshot: Snapshot) -> Snapshot {
    snapshot.members.iter_mut().for_each(|member| member.step = Watts(1));
    snapshot
}

/// A site small enough to be filled watt by watt: powers in hundreds of watts, equal weights, no steps.
fn small(mut snapshot: Snapshot) -> Snapshot {
    snapshot.members.truncate(8);
    for node in &mut snapshot.nodes {
        node.limit = Watts(node.limit.get() / 100);
        node.uncontrolled_load = Watts(node.uncontrolled_load.get() / 100);
        node.rating = node.rating.map(|rating| Watts(rating.get() / 100));
        node.phase_limits = node.phase_limits.map(|limits| limits.map(|limit| Milliamps(limit.get() / 60)));
        node.phase_load = [Milliamps::ZERO; 3];
        node.imbalance_limit = None;
        node.algorithm = Algorithm::EqualShare;
    }
    for member in &mut snapshot.members {
        member.minimum = Watts(member.minimum.get() / 200);
        member.maximum = Watts(member.maximum.get() / 100);
        member.step = Watts(1);
    }
    snapshot
}

proptest! {
    #![proptest_config(config(250))]

    #[test]
    fn i1_i2_no_plan_breaks_a_promise(snapshot in snapshots(ALL)) {
        let plan = plan(&snapshot, NOON);
        prop_assert_eq!(violations(&snapshot, &plan), []);
        for limit in &plan.limits {
            prop_assert!(limit.explain().ends_with(")."));
        }
        prop_assert!(plan.next_change_at.is_none_or(|at| at > NOON));
    }

    #[test]
    fn i13_nobody_charges_while_excluded_but_for_a_priority_charge(snapshot in snapshots(ALL)) {
        let mut snapshot = snapshot;
        for member in &mut snapshot.members {
            if let MemberState::Active(session) | MemberState::Suspended { session, .. } = &mut member.state {
                session.excluded = true;
            }
        }
        let plan = plan(&snapshot, NOON);
        for member in &snapshot.members {
            let priority = member.session().is_some_and(|session| session.priority_charge);
            let limit = plan.limit_of(member.connector).map(|limit| limit.limit);
            prop_assert!(priority || limit == Some(Watts::ZERO), "{} has {limit:?}", member.connector);
        }
    }

    #[test]
    fn i6_the_order_of_the_input_does_not_matter(snapshot in snapshots(ALL), shift in 0..20_usize, flip: bool) {
        let first = serde_json::to_string(&plan(&snapshot, NOON)).expect("serializes");
        let mut shuffled = snapshot;
        let (nodes, members) = (shuffled.nodes.len(), shuffled.members.len());
        shuffled.nodes.rotate_left(shift % nodes.max(1));
        shuffled.members.rotate_left(shift % members.max(1));
        if flip {
            shuffled.nodes.reverse();
            shuffled.members.reverse();
        }
        prop_assert_eq!(serde_json::to_string(&plan(&shuffled, NOON)).expect("serializes"), first);
    }

    #[test]
    fn i6_a_stored_snapshot_gives_the_same_bytes(snapshot in snapshots(ALL)) {
        let stored = serde_json::to_string(&snapshot).expect("serializes");
        let read: Snapshot = serde_json::from_str(&stored).expect("reads");
        let again = serde_json::to_string(&plan(&read, NOON)).expect("serializes");
        prop_assert_eq!(again, serde_json::to_string(&plan(&snapshot, NOON)).expect("serializes"));
    }

    #[test]
    fn i3_i4_i5_shares_on_a_tree_are_max_min_fair_to_the_watt(snapshot in snapshots(PLAIN)) {
        let snapshot = without_steps(snapshot);
        let plan = plan(&snapshot, NOON);
        assert_max_min_fair(&snapshot, &plan, 1)?;
        assert_nobody_waits_in_vain(&snapshot, &plan)?;
    }

    #[test]
    fn i3_i4_i5_shares_in_mixed_steps_are_max_min_fair_to_the_coarsest(snapshot in snapshots(PLAIN)) {
        let plan = plan(&snapshot, NOON);
        let coarsest = snapshot.members.iter().map(|member| member.step.get()).max().unwrap_or(1);
        assert_max_min_fair(&snapshot, &plan, coarsest)?;
        assert_nobody_waits_in_vain(&snapshot, &plan)?;
    }

    #[test]
    fn i3_i4_i5_shares_of_three_phases_are_max_min_fair_to_three_watts(snapshot in snapshots(PHASES)) {
        let snapshot = without_steps(snapshot);
        let plan = plan(&snapshot, NOON);
        assert_max_min_fair(&snapshot, &plan, 3)?;
        assert_nobody_waits_in_vain(&snapshot, &plan)?;
    }

    #[test]
    fn i5_nobody_is_paused_whose_minimum_would_be_lost(snapshot in snapshots(Features { damping: false, ..ALL })) {
        let mut snapshot = snapshot;
        for node in &mut snapshot.nodes {
            node.algorithm = Algorithm::Deadline;
            node.allow_pause = true;
        }
        let plan = plan(&snapshot, NOON);
        prop_assert_eq!(violations(&snapshot, &plan), []);
        let (limits, rows) = (by_connector(&plan), rows(&snapshot));
        for member in &snapshot.members {
            let limit = plan.limit_of(member.connector);
            if limit.is_some_and(|limit| limit.reason == Reason::CanWait) {
                let minimum = bounds(&snapshot, member).0;
                let fits = |row: &Row| row.room(&limits) >= row.needs(member.connector, minimum) + 2_000;
                prop_assert!(!rows.iter().all(fits), "{} is paused although there is room", member.connector);
            }
        }
    }

    #[test]
    fn i9_an_only_priority_charge_has_its_minimum_whenever_that_fits_alone(snapshot in snapshots(PLAIN)) {
        let mut snapshot = snapshot;
        let Some(first) = snapshot.members.first_mut() else { return Ok(()) };
        first.class = PriorityClass::Urgent;
        let id = first.connector;
        let alone = Snapshot { members: vec![snapshot.members[0].clone()], ..snapshot.clone() };
        let limit = |snapshot: &Snapshot| plan(snapshot, NOON).limit_of(id).map(|limit| limit.limit > Watts::ZERO);
        prop_assert_eq!(limit(&snapshot), limit(&alone));
    }

    #[test]
    fn i7_more_at_the_root_lowers_nobody_and_one_more_car_raises_nobody(snapshot in snapshots(PLAIN), more in 1..9_000_i64) {
        let mut snapshot = snapshot;
        for (number, node) in snapshot.nodes.iter_mut().enumerate() {
            node.parent = node.parent.or((number > 0).then(|| group(0)));
        }
        for member in &mut snapshot.members {
            member.step = Watts(1);
            member.minimum = Watts::ZERO;
        }
        let before = by_connector(&plan(&snapshot, NOON));
        let mut fewer = snapshot.clone();
        fewer.members.pop();
        for (id, given) in by_connector(&plan(&fewer, NOON)) {
            prop_assert!(before[&id] <= given + 2, "{} is raised by a newcomer", id);
        }
        snapshot.nodes[0].limit += Watts(more);
        for (id, given) in by_connector(&plan(&snapshot, NOON)) {
            prop_assert!(before[&id] <= given + 2, "{} is lowered by more power", id);
        }
    }

    #[test]
    fn i8_plans_equal_filling_watt_by_watt(snapshot in snapshots(PLAIN)) {
        let snapshot = small(snapshot);
        let plan = plan(&snapshot, NOON);
        let (fast, slow) = (by_connector(&plan), slow_filling(&snapshot, &admitted(&plan)));
        for (id, watts) in &slow {
            prop_assert!((fast[id] - watts).abs() <= 1, "{id}: {} W, slowly {watts} W", fast[id]);
        }
        prop_assert_eq!(fast.values().sum::<i64>(), slow.values().sum::<i64>());
    }

    #[test]
    fn i8_plans_of_phases_equal_filling_watt_by_watt(snapshot in snapshots(PHASES)) {
        let snapshot = small(snapshot);
        let plan = plan(&snapshot, NOON);
        let (fast, slow) = (by_connector(&plan), slow_filling(&snapshot, &admitted(&plan)));
        for (id, watts) in &slow {
            prop_assert!((fast[id] - watts).abs() <= 8, "{id}: {} W, slowly {watts} W", fast[id]);
        }
    }
}
