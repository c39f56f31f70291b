//! What would be: the plan of this moment, or the plans of a stretch of the past, with something changed. Nothing is sent
//! and nothing is stored.

use std::collections::BTreeSet;

use serde::Serialize;

use super::explain::{BudgetView, MemberExplanationView, below, budgets};
use super::plan_rows::StoredPlan;
use super::snapshot::algorithm;
use crate::http::Faults;
use crate::http::quantities::{Kilowatts, Share, shown};
use crate::input;
use crate::load::groups;
use crate::sites::stations::PowerType;
use engine::{CurrentKind, Limit, Member, MemberState, Plan, Session, Snapshot, least_power, plan};
use kernel::*;

/// Cars that one proposal may add.
const MOST_CARS: i64 = 1_000;
/// The voltage of cars that are not there.
const MAINS: Millivolts = Millivolts(230_000);

input! {
    /// Cars that are not there.
    pub(crate) struct ExtraCars {
        /// How many; one when absent.
        #[schema(minimum = 1, maximum = 1000)]
        pub count: Option<i64>,
        /// What each may draw at most, in kW.
        #[schema(example = 11)]
        pub maximum_capacity: Kilowatts,
        /// The least power that keeps its session alive, in kW.
        pub minimum_capacity: Option<Kilowatts>,
        /// How it charges; AC Three Phase when absent.
        pub power_type: Option<PowerType>,
    }
}

input! {
    /// What is changed, and when: now, or in a stretch of the past.
    #[schema(example = json!({"maximum_capacity": 40, "cars": [{"count": 2, "maximum_capacity": 11}]}))]
    pub(crate) struct Proposal {
        /// What the grid would supply to the group, in kW.
        pub maximum_capacity: Option<Kilowatts>,
        /// The share that would be reserved.
        pub buffer: Option<Share>,
        /// How power would be shared.
        pub algorithm: Option<groups::Algorithm>,
        /// Cars that would charge as well.
        pub cars: Option<Vec<ExtraCars>>,
        /// Where the stretch of the past begins; with `to`.
        pub from: Option<Timestamp>,
        /// Where it ends; with `from`.
        pub to: Option<Timestamp>,
    }
}

/// What would be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProposalView {
    /// What is planned now.
    pub now: SituationView,
    /// What would be planned. Cars that are not there have connectors that begin with `ffff`.
    pub then: SituationView,
    /// The stretch of the past as it was planned, and as it would have been; each plan changed by itself.
    #[schema(inline)]
    pub past: Option<PastView>,
}

/// A plan without its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SituationView {
    /// Where the power of each group goes.
    pub groups: Vec<BudgetView>,
    /// What each connector may draw, and why.
    pub members: Vec<MemberExplanationView>,
    /// Sessions that are given nothing.
    pub waiting: usize,
}

/// A stretch of the past.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PastView {
    /// Plans that held in it.
    pub plans: usize,
    /// As it was planned.
    pub was: StretchView,
    /// As it would have been.
    pub would: StretchView,
}

/// Sums over a stretch of the past.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct StretchView {
    /// The energy that could have been drawn, in kWh.
    pub granted_kwh: f64,
    /// The most that was given at once, in kW.
    pub peak_kw: f64,
    /// Hours in which sessions were given nothing, added up.
    pub waiting_hours: f64,
}

/// A plan with the snapshot it was made from.
type Planned = (Snapshot, Plan);

impl Proposal {
    /// What is wrong with it.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let mut cars = 0_i64;
        for (index, car) in self.cars.iter().flatten().enumerate() {
            let count = car.count.unwrap_or(1);
            if !(1..=MOST_CARS).contains(&count) {
                let must = format!("must be between 1 and {MOST_CARS}");
                faults.add(format!("cars[{index}].count"), "out_of_range", must);
            }
            cars = cars.saturating_add(count);
        }
        if cars > MOST_CARS {
            faults.add("cars", "out_of_range", format!("must be at most {MOST_CARS} in all"));
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => {
                faults.add("from", "out_of_range", "must be before `to`");
            }
            (Some(_), None) => faults.add("to", "required", "is required with `from`"),
            (None, Some(_)) => faults.add("from", "required", "is required with `to`"),
            _ => {}
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The stretch of the past.
    pub(super) fn stretch(&self) -> Option<(Timestamp, Timestamp)> {
        self.from.zip(self.to)
    }

    /// What would be for everything below `group`; `past` are the plans that held, oldest first.
    pub(super) fn answer(&self, group: GroupId, now: StoredPlan, past: Vec<StoredPlan>) -> ProposalView {
        let now = (now.snapshot, now.plan);
        let then = self.changed(group, &now);
        ProposalView {
            then: situation(&then, group),
            now: situation(&now, group),
            past: self.stretch().map(|stretch| self.past(group, past, stretch)),
        }
    }

    /// The same moment with what is proposed.
    fn changed(&self, group: GroupId, (snapshot, before): &Planned) -> Planned {
        let mut snapshot = snapshot.clone();
        for node in snapshot.nodes.iter_mut().filter(|node| node.id == group) {
            if let Some(capacity) = self.maximum_capacity {
                node.limit = capacity.0;
            }
            if let Some(buffer) = self.buffer {
                node.buffer_ppm = u32::try_from(buffer.0).unwrap_or(node.buffer_ppm);
            }
            if let Some(wanted) = self.algorithm {
                node.algorithm = algorithm(wanted);
            }
        }
        let cars = self.cars.iter().flatten();
        let cars = cars.flat_map(|car| (0..car.count.unwrap_or(1)).map(move |_| car));
        let members = (1..).zip(cars).map(|(number, car)| car.member(number, group, before.now));
        snapshot.members.extend(members);
        let plan = plan(&snapshot, before.now);
        (snapshot, plan)
    }

    fn past(&self, group: GroupId, plans: Vec<StoredPlan>, (from, to): (Timestamp, Timestamp)) -> PastView {
        let ends: Vec<Timestamp> = plans.iter().skip(1).map(|next| next.at).chain([to]).collect();
        let count = plans.len();
        let (mut was, mut would) = (Sums::default(), Sums::default());
        for (stored, end) in plans.into_iter().zip(ends) {
            let seconds = end.min(to).seconds_since(stored.at.max(from)).max(0);
            let before = (stored.snapshot, stored.plan);
            was.add(&before, group, seconds);
            would.add(&self.changed(group, &before), group, seconds);
        }
        PastView { plans: count, was: was.into(), would: would.into() }
    }
}

impl ExtraCars {
    fn member(&self, number: u16, group: GroupId, now: Timestamp) -> Member {
        let (kind, phases) = match self.power_type.unwrap_or(PowerType::AcThreePhase) {
            PowerType::AcSinglePhase => (CurrentKind::Ac, PhaseSet::L1),
            PowerType::AcThreePhase => (CurrentKind::Ac, PhaseSet::ALL),
            PowerType::Dc => (CurrentKind::Dc, PhaseSet::ALL),
        };
        let asked = self.minimum_capacity.map_or(Watts::ZERO, |least| least.0);
        let minimum = least_power(kind, MAINS, phases, &[asked]);
        let [high, low] = number.to_be_bytes();
        let id = [0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, high, low];
        Member {
            phases,
            rotation_known: phases == PhaseSet::ALL,
            state: MemberState::Active(Session::new(now)),
            ..Member::new(RawId::from_bytes(id).into(), group, minimum, self.maximum_capacity.0)
        }
    }
}

/// A stretch of the past, added up.
#[derive(Default)]
struct Sums {
    watt_seconds: i64,
    peak: Watts,
    waiting_seconds: i64,
}

impl Sums {
    fn add(&mut self, (snapshot, plan): &Planned, group: GroupId, seconds: i64) {
        let below = below(snapshot, group);
        let granted = sessions(snapshot, plan, &below).map(|(_, limit)| limit.limit);
        let granted: Watts = granted.sum();
        let waiting = waiting(snapshot, plan, &below);
        self.watt_seconds += granted.get() * seconds;
        self.peak = self.peak.max(granted);
        self.waiting_seconds += i64::try_from(waiting).unwrap_or(i64::MAX) * seconds;
    }
}

impl From<Sums> for StretchView {
    fn from(sums: Sums) -> Self {
        Self {
            granted_kwh: shown(sums.watt_seconds / 3_600),
            peak_kw: sums.peak.kilowatts(),
            waiting_hours: shown(sums.waiting_seconds * 1_000 / 3_600),
        }
    }
}

/// The sessions that can be steered below these groups, with their limits.
fn sessions<'a>(
    snapshot: &'a Snapshot,
    plan: &'a Plan,
    below: &'a BTreeSet<GroupId>,
) -> impl Iterator<Item = (&'a Member, &'a Limit)> {
    let members = snapshot.members.iter();
    members
        .filter(|member| below.contains(&member.node) && member.session().is_some())
        .filter_map(|member| Some((member, plan.limit_of(member.connector)?)))
}

fn waiting(snapshot: &Snapshot, plan: &Plan, below: &BTreeSet<GroupId>) -> usize {
    let sessions = sessions(snapshot, plan, below);
    sessions.filter(|(_, limit)| limit.limit == Watts::ZERO).count()
}

fn situation((snapshot, plan): &Planned, group: GroupId) -> SituationView {
    let below = below(snapshot, group);
    let members = snapshot.members.iter().filter(|one| below.contains(&one.node));
    SituationView {
        groups: budgets(snapshot, plan, &below),
        members: members
            .filter_map(|member| plan.limit_of(member.connector))
            .map(MemberExplanationView::from)
            .collect(),
        waiting: waiting(snapshot, plan, &below),
    }
}
