//! Stories of two or three stations on one cable.

use super::*;
use crate::{Member, MemberState, Node, Session, plan};
use kernel::RawId;

const NOON: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn kw(kilowatts: i64) -> Watts {
    Watts(kilowatts * 1_000)
}
fn later(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON.unix_seconds() + seconds)
}
fn connector(number: u8) -> ConnectorId {
    RawId::from_bytes([number; 12]).into()
}

/// A cable of 22 kW with this many cars that take 4 to 22 kW, each known to enforce a limit.
struct Cable {
    snapshot: Snapshot,
    ledger: Ledger,
}

impl Cable {
    fn with(limits: &[i64]) -> Self {
        let group = GroupId::from(RawId::from_bytes([0; 12]));
        let mut ledger = Ledger::new(SendPolicy::default());
        let mut members = Vec::new();
        for (number, limit) in (1_u8..).zip(limits) {
            let state = MemberState::Active(Session::new(NOON));
            members.push(Member { state, ..Member::new(connector(number), group, kw(4), kw(22)) });
            ledger.open(connector(number), kw(*limit));
            ledger.read_back(connector(number), kw(*limit), NOON);
        }
        let snapshot = Snapshot { nodes: vec![Node::new(group, kw(22))], members, ..Snapshot::default() };
        Self { snapshot, ledger }
    }

    fn plan(&self) -> Plan {
        plan(&self.snapshot, NOON)
    }
    fn next(&mut self, now: Timestamp) -> Vec<Message> {
        let plan = self.plan();
        self.ledger.next(&self.snapshot, &plan, now)
    }
    /// The messages as (connector, kilowatts, kind).
    fn says(&mut self, now: Timestamp) -> Vec<(u8, i64, MessageKind)> {
        self.next(now).iter().map(short).collect()
    }
    fn stage(&self) -> Stage {
        self.ledger.stage(&self.plan())
    }
    fn exposure(&self) -> Watts {
        self.ledger.exposures(&self.snapshot)[0].power
    }
}

fn short(message: &Message) -> (u8, i64, MessageKind) {
    (message.connector.raw().as_bytes()[0], message.limit.get() / 1_000, message.kind)
}

use MessageKind::{Lower, Raise, Refresh};

#[test]
fn the_second_car_is_raised_when_the_cut_of_the_first_has_settled() {
    let mut cable = Cable::with(&[22, 0]);
    assert_eq!(cable.stage(), Stage::Planned);
    let cut = cable.next(NOON);
    assert_eq!(cut.iter().map(short).collect::<Vec<_>>(), [(1, 11, Lower)]);
    assert_eq!((cable.stage(), cable.exposure()), (Stage::Lowering, kw(22)));

    cable.ledger.acknowledged(connector(1), cut[0].ticket, later(1));
    assert_eq!(cable.says(later(5)), [], "acknowledged, but not yet visible");
    assert_eq!(cable.ledger.due_at(), Some(later(6)));
    let raise = cable.next(later(6));
    assert_eq!(raise.iter().map(short).collect::<Vec<_>>(), [(2, 11, Raise)]);
    assert_eq!((cable.stage(), cable.exposure()), (Stage::Raising, kw(22)));

    cable.ledger.acknowledged(connector(2), raise[0].ticket, later(7));
    assert_eq!(cable.stage(), Stage::Settled);
    assert_eq!(cable.says(later(60)), [], "nothing to say twice");
}

#[test]
fn the_meter_shows_that_a_cut_has_settled() {
    let mut cable = Cable::with(&[22, 0]);
    let cut = cable.next(NOON);
    cable.ledger.acknowledged(connector(1), cut[0].ticket, later(1));
    cable.ledger.measured(connector(1), kw(12));
    assert_eq!(cable.says(later(1)), []);
    cable.ledger.measured(connector(1), kw(11));
    assert_eq!(cable.says(later(1)), [(2, 11, Raise)]);
}

#[test]
fn the_lowest_is_raised_first_and_only_part_of_the_way_if_that_is_all_there_is() {
    let mut cable = Cable::with(&[14, 0, 1]);
    assert_eq!(cable.says(NOON), [(1, 7, Lower), (2, 7, Raise)]);
    let mut cable = Cable::with(&[10, 8, 0]);
    assert_eq!(cable.says(NOON), [(1, 7, Lower), (2, 7, Lower), (3, 4, Raise)]);
    let mut cable = Cable::with(&[11, 8, 0]);
    assert_eq!(cable.says(NOON), [(1, 7, Lower), (2, 7, Lower)], "3 kW are below the minimum");
}

#[test]
fn after_three_failures_a_station_is_uncontrolled_and_reserved() {
    let mut cable = Cable::with(&[22, 0]);
    for (sent, retry) in [(0, 5), (5, 15)] {
        let cut = cable.next(later(sent));
        assert_eq!(cut.len(), 1);
        cable.ledger.timed_out(connector(1), cut[0].ticket, later(sent));
        assert_eq!(cable.says(later(retry - 1)), [], "backs off");
        assert_eq!(cable.ledger.due_at(), Some(later(retry)));
    }
    let last = cable.next(later(15));
    cable.ledger.refused(connector(1), last[0].ticket, later(15));
    assert_eq!(cable.stage(), Stage::Degraded);
    assert_eq!(cable.ledger.uncontrolled(connector(1)), Some((Uncontrolled::Rejected, kw(22))));
    assert_eq!(cable.says(later(900)), []);

    cable.ledger.acknowledged(connector(1), last[0].ticket, later(901));
    assert_eq!(cable.ledger.uncontrolled(connector(1)), None, "a late answer is an answer");
}

#[test]
fn a_doubled_answer_to_an_old_message_proves_nothing() {
    let mut cable = Cable::with(&[0, 0]);
    let raise = cable.next(NOON);
    cable.ledger.acknowledged(connector(1), raise[0].ticket, NOON);
    cable.snapshot.nodes[0].limit = kw(10);
    let cut = cable.next(NOON);
    cable.ledger.acknowledged(connector(1), raise[0].ticket, NOON);
    assert_eq!(cable.ledger.known(connector(1)), None);
    cable.ledger.acknowledged(connector(1), cut[0].ticket, NOON);
    assert_eq!(cable.ledger.known(connector(1)), Some(kw(5)));
}

#[test]
fn an_unanswered_raise_stays_assumed_until_a_later_message_is_answered() {
    let mut cable = Cable::with(&[0]);
    let raise = cable.next(NOON);
    cable.ledger.timed_out(connector(1), raise[0].ticket, later(10));
    cable.snapshot.nodes[0].limit = kw(6);
    assert_eq!(cable.exposure(), kw(22), "it may have arrived");
    let cut = cable.next(later(10));
    assert_eq!(cut.iter().map(short).collect::<Vec<_>>(), [(1, 6, Lower)], "a cut does not wait for the back-off");
    cable.ledger.acknowledged(connector(1), cut[0].ticket, later(11));
    assert_eq!(cable.says(later(20)), []);
    assert_eq!(cable.exposure(), kw(6));
}

#[test]
fn a_late_answer_does_not_settle_what_was_sent_after_it() {
    let mut cable = Cable::with(&[5]);
    cable.snapshot.nodes[0].limit = kw(4);
    let cut = cable.next(NOON);
    cable.ledger.timed_out(connector(1), cut[0].ticket, later(10));
    cable.snapshot.nodes[0].limit = kw(9);
    let raise = cable.next(later(20));
    assert_eq!(raise[0].limit, kw(9));
    cable.ledger.acknowledged(connector(1), cut[0].ticket, later(21));
    assert_eq!(cable.ledger.known(connector(1)), None);
    assert_eq!(cable.exposure(), kw(9));
}

#[test]
fn nothing_is_raised_below_a_capacity_that_fell() {
    let mut cable = Cable::with(&[15, 5]);
    cable.snapshot.nodes[0].limit = kw(12);
    assert_eq!(cable.says(NOON), [(1, 6, Lower)]);
    assert_eq!(cable.exposure(), kw(20));
    assert_eq!(cable.says(NOON), []);
}

#[test]
fn a_station_that_returns_is_assumed_at_its_exposure_and_sent_its_limit_again() {
    let mut cable = Cable::with(&[11, 11]);
    cable.ledger.disconnected(connector(1), kw(4));
    assert_eq!(cable.ledger.uncontrolled(connector(1)), Some((Uncontrolled::Offline, kw(11))));
    cable.ledger.reconnected(connector(1), kw(22));
    assert_eq!((cable.ledger.known(connector(1)), cable.ledger.exposure(connector(1))), (None, kw(22)));
    assert_eq!(cable.says(NOON), [(1, 11, Lower)]);
}

#[test]
fn who_is_to_be_sent_its_limit_again_is_so_by_a_message_of_after_that() {
    let mut cable = Cable::with(&[11, 11]);
    assert_eq!(cable.says(NOON), []);
    cable.ledger.reassert(connector(1));
    let sent = cable.next(NOON);
    assert_eq!(sent.iter().map(short).collect::<Vec<_>>(), [(1, 11, Lower)]);
    // Again, while that is without an answer.
    cable.ledger.reassert(connector(1));
    assert_eq!(cable.says(NOON), [], "one message at a time");
    let first = sent[0].ticket;
    cable.ledger.acknowledged(connector(1), first, later(1));
    let sent = cable.next(later(1));
    assert_eq!(sent.iter().map(short).collect::<Vec<_>>(), [(1, 11, Lower)]);
    cable.ledger.acknowledged(connector(1), sent[0].ticket, later(2));
    assert_eq!(cable.says(later(2)), []);
}

#[test]
fn who_is_to_be_sent_its_limit_again_is_raised_within_what_is_reserved_for_it() {
    let mut cable = Cable::with(&[22]);
    cable.snapshot.members[0].state = MemberState::Idle { exposure: kw(22) };
    let pause = cable.next(NOON);
    assert_eq!(pause.iter().map(short).collect::<Vec<_>>(), [(1, 0, Lower)]);
    cable.ledger.acknowledged(connector(1), pause[0].ticket, NOON);
    // A car comes while the cut settles: the 22 kW are its own still.
    cable.snapshot.members[0].state = MemberState::Active(Session::new(NOON));
    cable.ledger.reassert(connector(1));
    assert_eq!(cable.says(later(1)), [(1, 22, Raise)]);
}

#[test]
fn live_limits_are_refreshed_before_they_run_out() {
    let mut cable = Cable::with(&[22]);
    cable.ledger.protocol.refresh_seconds = Some(300);
    assert_eq!(cable.says(later(299)), []);
    assert_eq!(cable.ledger.due_at(), Some(later(300)));
    assert_eq!(cable.says(later(300)), [(1, 22, Refresh)]);
    assert_eq!(cable.says(later(301)), [], "in flight");
}

#[test]
fn the_ledger_survives_a_crash() {
    let mut cable = Cable::with(&[22, 0]);
    let cut = cable.next(NOON);
    let text = serde_json::to_string(&cable.ledger).expect("serializes");
    let mut restored: Ledger = serde_json::from_str(&text).expect("reads");
    assert_eq!(restored, cable.ledger);
    restored.reconnected(connector(1), kw(0));
    assert_eq!(restored.exposure(connector(1)), kw(11), "the cut may have arrived, nothing else can be there");
    restored.acknowledged(connector(1), cut[0].ticket, NOON);
    assert_eq!(restored.known(connector(1)), None, "answers of the old connection are void");
}

#[test]
fn the_unknown_are_assumed_to_draw_their_maximum() {
    let mut cable = Cable::with(&[0, 0]);
    cable.ledger.close(connector(1));
    assert_eq!(cable.says(NOON), [(1, 11, Lower)]);
    assert_eq!(cable.exposure(), kw(22));
}
