//! Stories of whole plans, in whole kilowatts.

mod changing;
mod pausing;
mod queueing;
mod sharing;

use super::check::violations;
use super::*;
use kernel::{ConnectorId, GroupId, Milliamps, PhaseSet, RawId, WattHours};

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
    Member { state: MemberState::Active(Session::new(NOON)), ..member(number, minimum, maximum) }
}
fn session(member: &mut Member) -> &mut Session {
    match &mut member.state {
        MemberState::Active(session) | MemberState::Suspended { session, .. } => session,
        other => panic!("no session but {other:?}"),
    }
}
fn site(limit: Watts, members: Vec<Member>) -> Snapshot {
    Snapshot { nodes: vec![Node::new(group(1), limit)], members, settings: Settings::default() }
}
/// Plans, checks, and returns the limits by connector.
fn limits(snapshot: &Snapshot, now: Timestamp) -> Vec<i64> {
    let plan = plan(snapshot, now);
    assert_eq!(violations(snapshot, &plan), []);
    plan.limits.iter().map(|limit| limit.limit.get()).collect()
}
/// What the shell does: remembers limits and queue positions for the next plan.
fn carry_on(snapshot: &mut Snapshot, now: Timestamp) -> Vec<i64> {
    let plan = plan(snapshot, now);
    assert_eq!(violations(snapshot, &plan), []);
    for member in &mut snapshot.members {
        let limit = plan.limit_of(member.connector).expect("every member has a limit");
        member.current = limit.limit;
        if let Some(queue_state) = limit.queue_state {
            session(member).queue_state = queue_state;
        }
    }
    plan.limits.iter().map(|limit| limit.limit.get()).collect()
}
