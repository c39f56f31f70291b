//! What a plan costs: nanoseconds a connector, beside reading the numbers once.
//!
//! `read` sums minimum, maximum and weight of every connector, which no planner can avoid; `plan` does everything, reasons
//! included. Divan shows connectors a second: their inverse is the time for one.

#![expect(clippy::indexing_slicing, reason = "a panic is how a benchmark fails")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use engine::{Algorithm, Deadline, Member, MemberState, Node, Session, Sharing, Snapshot, plan};
use kernel::{GroupId, Milliamps, PhaseSet, RawId, Timestamp, WattHours, Watts};

const NOON: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const SIZES: [usize; 4] = [8, 54, 500, 5_000];

fn main() {
    divan::main();
}

fn id(kind: u8, number: usize) -> RawId {
    let mut bytes = [0; 12];
    bytes[0] = kind;
    bytes[4..].copy_from_slice(&(number as u64).to_be_bytes());
    RawId::from_bytes(bytes)
}

fn group(number: usize) -> GroupId {
    id(1, number).into()
}

/// Cars with different needs below `node_of(number)`.
fn cars(count: usize, node_of: impl Fn(usize) -> usize) -> Vec<Member> {
    (0..count)
        .map(|number| {
            let mut session = Session::new(NOON);
            session.attained = WattHours((number as i64 * 7_919) % 30_000);
            let maximum = Watts([3_680, 7_360, 11_040, 22_080][number % 4]);
            Member {
                state: MemberState::Active(session),
                step: Watts(69),
                ..Member::new(id(2, number).into(), group(node_of(number)), Watts(1_380), maximum)
            }
        })
        .collect()
}

/// One group with 60 % of what its cars could take.
fn single(count: usize) -> Snapshot {
    let members = cars(count, |_| 0);
    let nodes = vec![Node::new(group(0), six_tenths(&members, |_| true))];
    Snapshot { nodes, members, ..Snapshot::default() }
}

fn six_tenths(members: &[Member], of: impl Fn(&Member) -> bool) -> Watts {
    let all: Watts = members.iter().filter(|member| of(member)).map(|member| member.maximum).sum();
    Watts(all.get() * 6 / 10)
}

/// Panels of ten, floors of a hundred, sites of a thousand, one grid; every one of them oversubscribed.
fn tree(count: usize) -> Snapshot {
    let sizes = [count, 1_000, 100, 10];
    let members = cars(count, |_| 0);
    let average = six_tenths(&members, |_| true).get() / count as i64;
    let mut nodes: Vec<Node> = Vec::new();
    let mut above = 0;
    for (level, size) in sizes.into_iter().enumerate() {
        let first = nodes.len();
        // The wider a place, the scarcer its power.
        let limit = average * size as i64 * (90 + 3 * level as i64) / 100;
        for number in 0..count.div_ceil(size) {
            nodes.push(Node {
                parent: (level > 0).then(|| group(above + number * size / sizes[level - 1])),
                ..Node::new(group(first + number), Watts(limit))
            });
        }
        above = first;
    }
    Snapshot { nodes, members: cars(count, |number| above + number / 10), ..Snapshot::default() }
}

/// The same tree with every panel's phases watched and cars on one or three of them.
fn phases(count: usize) -> Snapshot {
    let mut snapshot = tree(count);
    for node in &mut snapshot.nodes {
        let amps = node.limit.get() * 1_000 / 690;
        node.phase_limits = Some([Milliamps(amps); 3]);
    }
    let sets = [PhaseSet::ALL, PhaseSet::L1, PhaseSet::L2, PhaseSet::L3];
    for (member, phases) in snapshot.members.iter_mut().zip(sets.into_iter().cycle()) {
        member.phases = phases;
    }
    snapshot
}

/// The same group with cars that leave, half of them soon; pausing those that have time may be allowed.
fn deadline(count: usize, allow_pause: bool) -> Snapshot {
    let mut snapshot = single(count);
    for node in &mut snapshot.nodes {
        node.algorithm = Algorithm::Deadline;
        node.allow_pause = allow_pause;
    }
    for (number, member) in (0_i64..).zip(&mut snapshot.members) {
        if let MemberState::Active(session) = &mut member.state {
            let minutes = if number % 2 == 0 { 60 } else { 400 } + number * 31 % 300;
            session.deadline = Some(Deadline {
                departure: Timestamp::from_unix_seconds(NOON.unix_seconds() + minutes * 60),
                energy: WattHours(30_000 + number * 7_919 % 40_000),
            });
        }
    }
    snapshot.settings.trusted_departures = true;
    snapshot
}

fn planned(bencher: Bencher, snapshot: &Snapshot) {
    bencher.counter(ItemsCount::new(snapshot.members.len())).bench_local(|| plan(black_box(snapshot), NOON));
}

#[divan::bench(args = SIZES)]
fn read(bencher: Bencher, count: usize) {
    let members = cars(count, |_| 0);
    let minimums: Vec<i64> = members.iter().map(|member| member.minimum.get()).collect();
    let maximums: Vec<i64> = members.iter().map(|member| member.maximum.get()).collect();
    let weights: Vec<i64> = members.iter().map(|member| i64::from(member.weight)).collect();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        let rows = black_box(&minimums).iter().zip(black_box(&maximums)).zip(black_box(&weights));
        rows.map(|((minimum, maximum), weight)| minimum + maximum + weight).sum::<i64>()
    });
}

/// The sharing alone.
fn shared(bencher: Bencher, snapshot: &Snapshot) {
    let sharing = Sharing::new(snapshot);
    bencher.counter(ItemsCount::new(snapshot.members.len())).bench_local(|| black_box(&sharing).share());
}

#[divan::bench(args = [54, 500, 10_000])]
fn share_single(bencher: Bencher, count: usize) {
    shared(bencher, &single(count));
}

#[divan::bench(args = [54, 500, 10_000])]
fn share_tree(bencher: Bencher, count: usize) {
    shared(bencher, &tree(count));
}

#[divan::bench(args = SIZES)]
fn plan_single(bencher: Bencher, count: usize) {
    planned(bencher, &single(count));
}

#[divan::bench(args = SIZES)]
fn plan_tree(bencher: Bencher, count: usize) {
    planned(bencher, &tree(count));
}

#[divan::bench(args = [54, 500, 5_000])]
fn plan_deadline(bencher: Bencher, count: usize) {
    planned(bencher, &deadline(count, false));
}

#[divan::bench(args = [54, 500, 5_000])]
fn plan_deadline_with_pauses(bencher: Bencher, count: usize) {
    planned(bencher, &deadline(count, true));
}

#[divan::bench(args = [8, 54, 500, 1_000])]
fn plan_phases(bencher: Bencher, count: usize) {
    planned(bencher, &phases(count));
}
