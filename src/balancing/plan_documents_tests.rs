//! Whatever happens to a group from plan to plan: what is read is what was written, to the byte.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use engine::{Algorithm, Member, MemberState, Node, Session, plan};
use kernel::{ConnectorId, GroupId, RawId, Timestamp, WattHours, Watts};

const NOON: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// What happens between two plans.
#[derive(Debug, Clone)]
enum Step {
    /// A connector joins, before this one.
    Joins(usize),
    Leaves(usize),
    ChangePlaces(usize, usize),
    /// The number of one changes.
    Charges(usize, i64),
    /// The numbers of all change.
    AllCharge(i64),
    Capacity(i64),
    Renamed(String),
    /// Another group altogether.
    Other(usize),
    /// An older plan is deleted.
    Deleted(usize),
    /// The server starts again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..60_usize).prop_map(Step::Joins),
        3 => (0..60_usize).prop_map(Step::Leaves),
        2 => (0..60_usize, 0..60_usize).prop_map(|(left, right)| Step::ChangePlaces(left, right)),
        4 => (0..60_usize, 0..90_000_i64).prop_map(|(at, energy)| Step::Charges(at, energy)),
        3 => (0..90_000_i64).prop_map(Step::AllCharge),
        1 => (0..200_000_i64).prop_map(Step::Capacity),
        1 => "[ -~\\n\\tä–𝄞]{0,40}".prop_map(Step::Renamed),
        1 => (0..40_usize).prop_map(Step::Other),
        3 => (0..200_usize).prop_map(Step::Deleted),
        1 => Just(Step::Restart),
    ]
}

/// Ids as the server makes them differ in their first bytes by the second, and in the last ones by chance.
fn id(number: usize) -> RawId {
    let mut bytes = [0x65; 12];
    for (at, byte) in bytes.iter_mut().enumerate().skip(4) {
        *byte = u8::try_from((number + 1) * (at * 7_919 + 104_729) % 251).expect("a byte");
    }
    bytes[2..4].copy_from_slice(&u16::try_from(number % 60_000).expect("small").to_be_bytes());
    RawId::from_bytes(bytes)
}

fn charging(number: usize) -> Member {
    let group = GroupId::from(id(0));
    let mut session = Session::new(NOON);
    session.attained = WattHours(i64::try_from(number).expect("small") * 7_919 % 30_000);
    Member {
        state: MemberState::Active(session),
        ..Member::new(ConnectorId::from(id(number + 1)), group, Watts(1_380), Watts(11_040))
    }
}

fn group_of(members: usize) -> Snapshot {
    let node = Node {
        name: "Car park".to_owned(),
        algorithm: Algorithm::EqualShare,
        ..Node::new(id(0).into(), Watts(i64::try_from(members).expect("small") * 4_000))
    };
    Snapshot { nodes: vec![node], members: (0..members).map(charging).collect(), ..Snapshot::default() }
}

fn attained(member: &mut Member) -> Option<&mut WattHours> {
    match &mut member.state {
        MemberState::Active(session) => Some(&mut session.attained),
        _ => None,
    }
}

/// The plan for this second; limits are in force then.
fn planned(snapshot: &mut Snapshot, second: usize) -> Plan {
    let seconds = i64::try_from(second).expect("small");
    let plan = plan(snapshot, Timestamp::from_unix_seconds(NOON.unix_seconds() + seconds));
    for member in &mut snapshot.members {
        member.current = plan.limit_of(member.connector).map_or(Watts::ZERO, |limit| limit.limit);
    }
    plan
}

fn happens(snapshot: &mut Snapshot, step: &Step, new: &mut usize) {
    let members = &mut snapshot.members;
    let count = members.len();
    match step {
        Step::Joins(at) => {
            members.insert((*at).min(count), charging(*new));
            *new += 1;
        }
        Step::Leaves(at) if count > 0 => drop(members.remove(at % count)),
        Step::ChangePlaces(left, right) if count > 0 => members.swap(left % count, right % count),
        Step::Charges(at, energy) if count > 0 => {
            attained(&mut members[at % count]).expect("it charges").0 = *energy;
        }
        Step::AllCharge(energy) => {
            for (number, energy_of) in members.iter_mut().filter_map(attained).enumerate() {
                energy_of.0 += energy / (i64::try_from(number).expect("small") + 1);
            }
        }
        Step::Capacity(watts) => snapshot.nodes[0].limit = Watts(*watts),
        Step::Renamed(name) => snapshot.nodes[0].name.clone_from(name),
        Step::Other(members) => *snapshot = group_of(*members),
        _ => {}
    }
}

/// What a store keeps.
#[derive(Default)]
struct Shelf {
    bases: BTreeMap<PlanId, Arc<[u8]>>,
    plans: Vec<(Packed, Vec<u8>)>,
}

impl Shelf {
    fn put(&mut self, packed: Packed, document: Vec<u8>) {
        if let Some(base) = &packed.new_base {
            assert!(self.bases.insert(packed.base, Arc::clone(base)).is_none(), "a base has an id of its own");
        }
        self.plans.push((packed, document));
    }

    /// Deletes a plan, but for the newest, and the bases that nothing hangs on, as [`super::plan_rows`] does.
    fn delete(&mut self, at: usize) {
        if self.plans.len() > 1 {
            let older = self.plans.len() - 1;
            self.plans.remove(at % older);
        }
        let used: Vec<PlanId> = self.plans.iter().map(|(packed, _)| packed.base).collect();
        self.bases.retain(|id, _| used.contains(id));
    }

    fn check(&self) {
        for (Packed { base, difference, .. }, written) in &self.plans {
            let document = read_base(*base, &self.bases[base]).expect("a base");
            let (snapshot, plan) = read(*base, &document, difference).expect("a plan");
            let read = super::document(&snapshot, &plan).expect("JSON");
            assert_eq!(&read, written);
            assert_eq!(engine::plan(&snapshot, plan.now), plan, "it is planned again to the same");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_what_was_written(members in 0..40_usize, steps in prop::collection::vec(step(), 1..150)) {
        let (mut snapshot, mut packer, mut shelf, mut new) = (group_of(members), Packer::default(), Shelf::default(), 100);
        for (second, step) in steps.iter().enumerate() {
            match step {
                Step::Deleted(at) => shelf.delete(*at),
                Step::Restart => packer.forget(),
                other => happens(&mut snapshot, other, &mut new),
            }
            let before = snapshot.clone();
            let plan = planned(&mut snapshot, second);
            let packed = packer.pack(id(1_000 + second).into(), &before, &plan).expect("packed");
            shelf.put(packed, super::document(&before, &plan).expect("JSON"));
        }
        shelf.check();
        while shelf.plans.len() > 1 {
            shelf.delete(0);
        }
        shelf.check();
        prop_assert_eq!(shelf.bases.len(), 1);
    }

    /// A byte that changed on the disk is found, and harms nothing else.
    #[test]
    fn what_is_damaged_is_never_read_as_something_else(at in any::<prop::sample::Index>(), bits in 1..=255_u8, base in any::<bool>()) {
        let mut packer = Packer::default();
        let mut snapshot = group_of(20);
        let plan = planned(&mut snapshot, 0);
        let first = packer.pack(id(1).into(), &snapshot, &plan).expect("packed");
        let again = planned(&mut snapshot, 1);
        let second = packer.pack(id(2).into(), &snapshot, &again).expect("packed");
        let (mut whole, mut difference) = (first.new_base.expect("a base").to_vec(), second.difference);
        let damaged = if base { &mut whole } else { &mut difference };
        let at = at.index(damaged.len());
        damaged[at] ^= bits;
        let read = read_base(first.base, &whole).and_then(|document| read(first.base, &document, &difference));
        if let Ok(read) = read {
            prop_assert_eq!(read, (snapshot, again)); // a bit that means nothing
        }
    }
}

#[test]
fn what_is_damaged_is_named() {
    let base = PlanId::from(id(1));
    let whole = pack(b"{}", &[]).expect("packed");
    assert_eq!(read_base(base, b"no frame"), Err(Fault::Base(base, "it is no frame".to_owned())));
    let document = read_base(base, &whole).expect("a base");
    let fault = read(base, &document, &whole[..whole.len() - 1]).expect_err("a frame that ends early");
    assert!(fault.to_string().starts_with(&format!("its difference against the base {base} is damaged: ")), "{fault}");
    let fault = read(base, &document, &whole).expect_err("no plan in it");
    assert_eq!(fault, Fault::Document("it has one part only".to_owned()));
}

#[test]
fn a_base_serves_at_most_so_many_plans() {
    let (mut snapshot, mut packer) = (group_of(3), Packer::default());
    let new = (0..=AT_MOST).filter(|second| {
        let plan = planned(&mut snapshot, *second);
        packer.pack(id(*second).into(), &snapshot, &plan).expect("packed").new_base.is_some()
    });
    assert_eq!(new.collect::<Vec<_>>(), [0, AT_MOST]);
}

#[test]
fn a_plan_of_500_connectors_takes_ten_kilobytes_at_most() {
    for step in [Step::AllCharge(977), Step::Joins(250)] {
        let (mut snapshot, mut packer, mut new) = (group_of(500), Packer::default(), 1_000);
        let (mut stored, mut plain) = (0, 0);
        for second in 0..AT_MOST {
            happens(&mut snapshot, &step, &mut new);
            if !matches!(step, Step::AllCharge(_)) {
                happens(&mut snapshot, &Step::AllCharge(353), &mut new);
            }
            let before = snapshot.clone();
            let plan = planned(&mut snapshot, second * 30);
            plain += super::document(&before, &plan).expect("JSON").len();
            let packed = packer.pack(id(5_000 + second).into(), &before, &plan).expect("packed");
            stored += packed.difference.len() + packed.new_base.map_or(0, |base| base.len());
        }
        assert!(stored / AT_MOST <= 10_000, "{step:?}: {} bytes", stored / AT_MOST);
        assert!(plain / AT_MOST >= 300_000, "{step:?}: the JSON is smaller than what this is about");
    }
}
