//! The balancing engine: from a snapshot of groups and connectors to a limit for each connector, with its reason.
//!
//! It is pure. The same snapshot and the same instant give the same plan, byte for byte, on every machine: no clock, no
//! randomness, no floats, no hashing; only integers, and ties are broken by id. [`plan`] decides what the limits should
//! be, [`transition`] in which order limits may be sent, so that not even for a moment too much may be drawn, and
//! [`check`] verifies a plan without sharing a line with the code that made it.
//!
//! ```text
//! grid       the snapshot as rows of sums         offer      what one member could take
//! queue      who gets a minimum at all            level      one number that shares a capacity
//! sharing    max-min fairness on the tree         laxity     claims that know deadlines
//! pausing    who can wait, where that is allowed  rounding   down to steps, remainders handed on
//! economy    small changes left out               cheapest   hours that cost least, for one car
//! ```

pub mod cheapest;
pub mod check;
mod economy;
mod grid;
mod laxity;
mod level;
mod offer;
mod outcome;
mod pausing;
mod queue;
mod reason;
mod rounding;
mod sharing;
mod snapshot;
pub mod transition;

pub use grid::{DEEPEST_TREE, MOST_POWER};
pub use outcome::{CurrentBudget, Limit, NodeBudget, Plan};
pub use reason::{Bound, Reason};
pub use sharing::Sharing;
pub use snapshot::*;

use grid::{Branch, Grid, GridEntry, RowKind, take};
use kernel::{Timestamp, Watts};
use laxity::Outlook;
use level::Claim;
use offer::{AdmissionState, NextChange, Offer};
use queue::next_queue_state;

/// Decides what every connector may draw from `now` on.
pub fn plan(snapshot: &Snapshot, now: Timestamp) -> Plan {
    let grid = Grid::new(snapshot);
    let available = grid.available();
    let settings = &snapshot.settings;
    let mut timer = NextChange { now, next: None };
    let mut admissions: Vec<AdmissionState> =
        grid.entries.iter().map(|entry| offer::offer(entry, settings, &mut timer)).collect();
    let outlook = Outlook::new(&grid, &available, settings, &admissions, now);
    if !outlook.is_empty() {
        timer.note(now + offer::seconds(laxity::PERIOD_SECONDS));
    }
    let mut paused = pausing::pause(&grid, &available, settings, &outlook, &mut admissions, now);
    queue::admit(&grid, &available, settings, &outlook, &mut timer, &mut admissions);

    pausing::bring_back(&grid, &available, &outlook, &mut paused, &mut admissions);

    let (mut watts, scarce) = loop {
        let claims = claims(&grid, &outlook, &admissions, Offer::clone);
        let mut watts = rounding::share_in_steps(&grid, &available, &claims);
        offer_left_overs(&grid, &available, &admissions, &mut watts);
        let scarce = room_left(&grid, &available, &watts);
        if !pausing::fit_after_all(&grid, &scarce, &mut paused, &mut admissions) {
            break (watts, scarce);
        }
    };
    let wanted = economy::leave_out_small_changes(&grid, &available, settings, &admissions, &mut watts);

    let plan_ledger = PlanLedger::close(&grid, available, scarce, &admissions, watts);
    Plan {
        now,
        limits: plan_ledger.limits(&admissions, &wanted, now),
        nodes: plan_ledger.budgets(),
        next_change_at: timer.next,
    }
}

/// What each member claims of the power: nothing unless it takes part.
fn claims(
    grid: &Grid<'_>,
    outlook: &Outlook,
    admissions: &[AdmissionState],
    asked: impl Fn(&Offer) -> Offer,
) -> Vec<Claim> {
    let claim = |(index, (entry, admission)): (usize, (&GridEntry<'_>, &AdmissionState))| match admission {
        AdmissionState::In(offer) if !offer.left_over => {
            let offer = asked(offer);
            if let Some(claim) = outlook.claim(index, &offer) {
                return claim;
            }
            let weight = match grid.algorithm(entry) {
                Algorithm::Priority => i64::from(entry.member.weight),
                Algorithm::EqualShare | Algorithm::FirstCome | Algorithm::Deadline => 1,
            };
            Claim::new(weight, 0, offer.minimum, offer.maximum)
        }
        _ => Claim::NOTHING,
    };
    grid.entries.iter().zip(admissions).enumerate().map(claim).collect()
}

/// Gives those that only take what the others leave their minimum, where it fits, by class and connector.
fn offer_left_overs(grid: &Grid<'_>, available: &[i128], admissions: &[AdmissionState], watts: &mut [i64]) {
    let mut room = room_left(grid, available, watts);
    let mut takers: Vec<(&GridEntry<'_>, &Offer, &mut i64)> = grid
        .entries
        .iter()
        .zip(admissions)
        .zip(watts)
        .filter_map(|((entry, admission), given)| match admission {
            AdmissionState::In(offer) if offer.left_over => Some((entry, offer, given)),
            _ => None,
        })
        .collect();
    takers.sort_by_key(|(entry, ..)| (entry.member.effective_class(), entry.member.connector));
    for (entry, offer, given) in takers {
        if grid.bottleneck(entry, &room, offer.minimum).is_none() {
            take(&mut room, grid.uses(entry), offer.minimum);
            *given = offer.minimum;
        }
    }
}

fn room_left(grid: &Grid<'_>, available: &[i128], watts: &[i64]) -> Vec<i128> {
    let mut room = available.to_vec();
    for (entry, given) in grid.entries.iter().zip(watts) {
        take(&mut room, grid.uses(entry), *given);
    }
    room
}

/// The decided limits with the rows they were taken from.
struct PlanLedger<'a> {
    grid: &'a Grid<'a>,
    available: Vec<i128>,
    /// What was left of them before changes were left out: where nothing was, members had to share.
    scarce: Vec<i128>,
    room: Vec<i128>,
    /// How many members share each row.
    sharing: Vec<u32>,
    watts: Vec<i64>,
}

impl<'a> PlanLedger<'a> {
    fn close(
        grid: &'a Grid<'a>,
        available: Vec<i128>,
        scarce: Vec<i128>,
        admissions: &[AdmissionState],
        watts: Vec<i64>,
    ) -> Self {
        let mut sharing = vec![0; available.len()];
        for (entry, admission) in grid.entries.iter().zip(admissions) {
            if matches!(admission, AdmissionState::In(_)) {
                for one in grid.uses(entry) {
                    if let Some(count) = sharing.get_mut(one.row) {
                        *count += 1;
                    }
                }
            }
        }
        let room = room_left(grid, &available, &watts);
        Self { grid, available, scarce, room, sharing, watts }
    }

    /// The limit of every member, by connector.
    fn limits(&self, admissions: &[AdmissionState], wanted: &[Option<i64>], now: Timestamp) -> Vec<Limit> {
        let members = self.grid.entries.iter().zip(admissions).zip(self.watts.iter().zip(wanted));
        let entries = members.map(|((entry, admission), (given, wanted))| {
            let reason = match (admission, wanted) {
                (AdmissionState::Out(reason), _) => reason.clone(),
                (AdmissionState::In(_), Some(wanted)) => Reason::Unchanged { wanted: Watts(*wanted) },
                (AdmissionState::In(offer), None) => self.why_not_more(entry, offer, *given),
            };
            (entry.member, Watts(*given), reason)
        });
        let mut limits: Vec<Limit> = entries
            .map(|(member, limit, reason)| Limit {
                connector: member.connector,
                queue_state: next_queue_state(member, limit, &reason, now),
                limit,
                reason,
            })
            .collect();
        limits.sort_by_key(|limit| limit.connector);
        limits
    }

    /// The reason of a member that takes part: its own maximum, or the lowest row that could not bear one step more.
    fn why_not_more(&self, entry: &GridEntry<'_>, offer: &Offer, given: i64) -> Reason {
        let row = self.grid.bottleneck(entry, &self.scarce, rounding::step_of(entry));
        match row.filter(|_| given < offer.maximum && !offer.left_over) {
            Some(row) => match self.grid.group_of(row) {
                Some(node) => Reason::Shared {
                    node,
                    bound: self.grid.bound(row, &self.available),
                    sharing: self.sharing.get(row).copied().unwrap_or_default(),
                },
                None => Reason::NotInTree,
            },
            None => offer.at_maximum.clone(),
        }
    }

    /// The budget of every group, by id.
    fn budgets(&self) -> Vec<NodeBudget> {
        let mut budgets: Vec<NodeBudget> = self.grid.nodes.iter().map(|branch| self.budget(branch)).collect();
        budgets.sort_by_key(|budget| budget.node);
        budgets
    }

    fn budget(&self, branch: &Branch<'_>) -> NodeBudget {
        let row = branch.power_row;
        let of = |rows: &[i128]| watts(rows.get(row).copied().unwrap_or_default());
        let capacity = self.grid.rows.get(row).map_or(Watts::ZERO, |row| watts(row.capacity));
        let below = self.grid.entries.get(branch.members.clone()).unwrap_or_default();
        NodeBudget {
            node: branch.node.id,
            capacity,
            reserved: watts(below.iter().map(|entry| i128::from(entry.member.reserved().get())).sum()),
            available: of(&self.available),
            granted: of(&self.available) - of(&self.room),
            currents: branch.node.phase_limits.map(|_| self.currents(row)),
        }
    }

    /// The phases of the node whose rows begin here.
    fn currents(&self, power_row: usize) -> [CurrentBudget; 3] {
        let mut currents = [CurrentBudget::default(); 3];
        let rows = self.grid.rows.iter().zip(self.available.iter().zip(&self.room));
        let own = rows.skip(power_row + 1).take_while(|(row, _)| matches!(row.kind, RowKind::Current(_)));
        for (budget, (_, (available, room))) in currents.iter_mut().zip(own) {
            *budget = CurrentBudget {
                available: self.grid.milliamps_below(*available),
                granted: -self.grid.milliamps_below(*room - *available),
            };
        }
        currents
    }
}

/// A sum of powers; more than fits is the most that fits.
fn watts(sum: i128) -> Watts {
    Watts(i64::try_from(sum).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
