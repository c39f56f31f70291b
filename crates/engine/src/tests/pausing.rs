//! Cars that have time, cars that have none, and a site that may pause the first for the second.

use super::*;

/// A car of at most 10 kW that leaves after so many hours and wants this much.
fn leaving(number: u8, hours: i64, energy: i64) -> Member {
    let mut member = charging(number, kw(4), kw(10));
    session(&mut member).deadline = Some(Deadline { departure: minutes_later(hours * 60), energy: WattHours(energy) });
    member
}

/// One that must hurry and one that need not.
fn depot(limit: Watts) -> Snapshot {
    let mut depot = site(limit, vec![leaving(1, 2, 20_000), leaving(2, 20, 10_000)]);
    depot.nodes[0].algorithm = Algorithm::Deadline;
    depot
}

#[test]
fn a_car_with_time_is_paused_only_where_that_is_allowed() {
    let mut depot = depot(kw(10));
    assert_eq!(limits(&depot, NOON), [6_000, 4_000]);
    depot.nodes[0].allow_pause = true;
    assert_eq!(limits(&depot, NOON), [10_000, 0]);
    let plan = plan(&depot, NOON);
    assert_eq!(plan.limits[1].reason, Reason::CanWait);
    assert_eq!(
        plan.limits[1].explain(),
        "0 kW: it has time, and pauses for those that have less (rule deadline-pause)."
    );
    assert_eq!(plan.next_change_at, Some(minutes_later(5)));
    depot.nodes[0].algorithm = Algorithm::EqualShare;
    assert_eq!(limits(&depot, NOON), [5_000, 5_000]);
}

#[test]
fn a_paused_car_takes_what_would_be_lost() {
    for (limit, given) in [(10, [10_000, 0]), (15, [10_000, 5_000]), (30, [10_000, 10_000])] {
        let mut depot = depot(kw(limit));
        depot.nodes[0].allow_pause = true;
        assert_eq!(limits(&depot, NOON), given, "{limit} kW");
    }
}

#[test]
fn a_car_that_was_just_started_or_charges_with_priority_is_not_paused() {
    let mut depot = depot(kw(10));
    depot.nodes[0].allow_pause = true;
    session(&mut depot.members[1]).queue_state.on_since = Some(minutes_later(-29));
    assert_eq!(limits(&depot, NOON), [6_000, 4_000]);
    session(&mut depot.members[1]).queue_state.on_since = Some(minutes_later(-30));
    assert_eq!(limits(&depot, NOON), [10_000, 0]);
    session(&mut depot.members[1]).priority_charge = true;
    assert_eq!(limits(&depot, NOON), [6_000, 4_000]);
}

#[test]
fn a_paused_car_is_back_before_its_time_runs_out() {
    let mut depot = depot(kw(10));
    depot.nodes[0].allow_pause = true;
    session(&mut depot.members[1]).deadline =
        Some(Deadline { departure: minutes_later(180), energy: WattHours(9_900) });
    for minute in 0..180 {
        if minute == 120 {
            depot.members[0].state = MemberState::Idle { exposure: Watts::ZERO };
        }
        let given = carry_on_with_sessions(&mut depot, minutes_later(minute));
        assert!(minute >= 110 || given[0] >= 9_000, "{given:?} in minute {minute}");
    }
    let attained = session(&mut depot.members[1]).attained.get();
    assert!(attained >= 9_800, "only {attained} Wh");
}

/// Lets a minute pass under the plan of its beginning.
fn carry_on_with_sessions(depot: &mut Snapshot, now: Timestamp) -> Vec<i64> {
    let plan = plan(depot, now);
    for (member, limit) in depot.members.iter_mut().zip(&plan.limits) {
        member.current = limit.limit;
        if let (MemberState::Active(session), Some(queue_state)) = (&mut member.state, limit.queue_state) {
            session.queue_state = queue_state;
            session.attained += WattHours(limit.limit.get() / 60);
        }
    }
    plan.limits.iter().map(|limit| limit.limit.get()).collect()
}

#[test]
fn a_snapshot_that_was_stored_before_pauses_existed_is_read() {
    let mut stored = serde_json::to_value(depot(kw(10))).expect("serializes");
    stored["nodes"][0].as_object_mut().expect("a node").remove("allow_pause");
    let read: Snapshot = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, depot(kw(10)));
}
