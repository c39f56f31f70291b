//! From the limits in force to the limits that should be: cuts first, raises only into room that is confirmed.
//!
//! The ledger knows the exposure of each station, the most it may be enforcing: the largest of what it last acknowledged, what it was sent
//! since, and what must be assumed. It keeps one promise: **as long as capacities stay the same, the sum of these exposures
//! stays within the capacity of every group and phase, whatever is lost, late, doubled or refused.** When a capacity falls
//! below the sum, nothing is raised there until the sum is back below it.
//!
//! It performs no I/O. The shell sends what [`Ledger::next`] returns, reports every answer, and asks again. The ledger is
//! plain data: stored before anything is sent, it survives a crash, after which the shell calls [`Ledger::reconnected`].

mod account;
mod policy;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::grid::{Grid, GridEntry, take};
use super::outcome::Plan;
use super::reason::Reason;
use super::snapshot::{Snapshot, Uncontrolled};
pub use account::Account;
use account::Wish;
use kernel::{ConnectorId, GroupId, Timestamp, Watts};
pub use policy::{SendPolicy, Ticket};

/// A limit that is to be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// To this connector.
    pub connector: ConnectorId,
    /// What it may draw.
    pub limit: Watts,
    /// Why it is sent, which is also how urgent it is.
    pub kind: MessageKind,
    /// What its answer must be reported with.
    pub ticket: Ticket,
}

/// Why a limit is sent; the first is the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// It may not draw more than it does now.
    Lower,
    /// It may draw more, and there is room for it.
    Raise,
    /// The same as before, so that it does not run out.
    Refresh,
}

/// How far a plan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing has been sent yet.
    Planned,
    /// Some station may still draw more than planned.
    Lowering,
    /// No station may draw more than planned, some not yet as much.
    Raising,
    /// Every station confirmed its limit.
    Settled,
    /// Some station is uncontrolled, and its power is reserved.
    Degraded,
}

/// What the stations below a group may be drawing together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// The group.
    pub node: GroupId,
    /// The sum of the most each may be enforcing.
    #[serde(rename = "worst")]
    pub power: Watts,
    /// What they may draw.
    pub capacity: Watts,
}

/// What each connector may be enforcing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// How patient to be.
    pub protocol: SendPolicy,
    next_ticket: Ticket,
    accounts: BTreeMap<ConnectorId, Account>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(protocol: SendPolicy) -> Self {
        Self { protocol, ..Self::default() }
    }

    /// A ledger of accounts that were stored by themselves.
    pub fn of(protocol: SendPolicy, accounts: BTreeMap<ConnectorId, Account>) -> Self {
        let newest = accounts.values().filter_map(Account::newest_ticket).max();
        Self { protocol, next_ticket: newest.unwrap_or_default(), accounts }
    }

    /// The connectors that it knows.
    pub fn connectors(&self) -> impl Iterator<Item = ConnectorId> {
        self.accounts.keys().copied()
    }

    /// The account of one connector, to be stored by itself.
    pub fn account(&self, connector: ConnectorId) -> Option<&Account> {
        self.accounts.get(&connector)
    }

    /// The messages that lead towards the plan and may be sent at once: cuts, then raises, then refreshes.
    ///
    /// The snapshot is the one the plan was made from. Raises go to those that have least, and may lead only part of the
    /// way when the room is not there yet, but never below a member's minimum. A connector the ledger has never heard of
    /// is assumed to draw its maximum.
    pub fn next(&mut self, snapshot: &Snapshot, plan: &Plan, now: Timestamp) -> Vec<Message> {
        let grid = Grid::new(snapshot);
        for entry in &grid.entries {
            let assumed = entry.member.maximum.max(entry.member.current);
            self.open(entry.member.connector, assumed);
        }
        self.accounts.values_mut().for_each(|account| account.settle(now));

        let mut room = grid.room(grid.entries.iter().map(|entry| self.exposure(entry.member.connector)));
        let mut messages = Vec::new();
        let mut raises = Vec::new();
        for entry in &grid.entries {
            let connector = entry.member.connector;
            let limit = plan.limit_of(connector);
            let is_reserved = limit.is_some_and(|limit| matches!(limit.reason, Reason::Reserved { .. }));
            let Some(account) = self.accounts.get(&connector).filter(|_| !is_reserved) else {
                continue;
            };
            let target = limit.map_or(Watts::ZERO, |limit| limit.limit);
            match account.wish(target, &self.protocol, now) {
                Wish::Nothing => {}
                Wish::Refresh => messages.push((MessageKind::Refresh, connector, target)),
                Wish::Now => {
                    let raises = account.known().is_some_and(|known| known < target);
                    let kind = if raises { MessageKind::Raise } else { MessageKind::Lower };
                    messages.push((kind, connector, target));
                }
                Wish::WhenRoom => raises.push((account.exposure(), connector, entry, target)),
            }
        }
        raises.sort_by_key(|(exposure, connector, ..)| (*exposure, *connector));
        for (exposure, connector, entry, target) in raises {
            let limit = reachable(&grid, entry, &room, exposure, target);
            let account = self.accounts.get(&connector);
            let rises = limit > account.and_then(Account::enforced).unwrap_or(exposure);
            if rises && limit >= entry.member.minimum {
                take(&mut room, grid.uses(entry), (limit - exposure).at_least_zero().get());
                messages.push((MessageKind::Raise, connector, limit));
            }
        }
        messages.sort_unstable();
        messages.into_iter().map(|(kind, connector, limit)| self.issue(kind, connector, limit)).collect()
    }

    /// A ticket for a message beside the plan, so that it has its order among those of the plan.
    pub fn ticket(&mut self) -> Ticket {
        self.next_ticket = Ticket(self.next_ticket.0 + 1);
        self.next_ticket
    }

    fn issue(&mut self, kind: MessageKind, connector: ConnectorId, limit: Watts) -> Message {
        let ticket = self.ticket();
        if let Some(account) = self.accounts.get_mut(&connector) {
            account.sent(ticket, limit);
        }
        Message { connector, limit, kind, ticket }
    }

    /// Makes a connector known, assumed to draw this much until it confirms something; a known one stays as it is.
    pub fn open(&mut self, connector: ConnectorId, assumed: Watts) {
        self.accounts.entry(connector).or_insert_with(|| Account::unproven(assumed));
    }

    /// Forgets a connector that no group has any more.
    pub fn close(&mut self, connector: ConnectorId) {
        self.accounts.remove(&connector);
    }

    /// The station confirmed a message. Late and doubled answers do no harm.
    pub fn acknowledged(&mut self, connector: ConnectorId, ticket: Ticket, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&connector) {
            account.acknowledged(ticket, &self.protocol, now);
        }
    }

    /// The station refused a message; it is tried again, and after the last try the station is uncontrolled.
    pub fn refused(&mut self, connector: ConnectorId, ticket: Ticket, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&connector) {
            account.failed(ticket, Uncontrolled::Rejected, &self.protocol, now);
        }
    }

    /// The station did not answer a message in time, which may have arrived all the same; otherwise as when refused.
    pub fn timed_out(&mut self, connector: ConnectorId, ticket: Ticket, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&connector) {
            account.failed(ticket, Uncontrolled::TimedOut, &self.protocol, now);
        }
    }

    /// The connection is gone. `assumed` is what the station may draw alone: the limit of a profile that is proven to hold,
    /// else its rating.
    pub fn disconnected(&mut self, connector: ConnectorId, assumed: Watts) {
        self.lose(connector, Uncontrolled::Offline, assumed);
    }

    /// The station draws more than it may; from now on this much is reserved for it.
    pub fn not_obeying(&mut self, connector: ConnectorId, assumed: Watts) {
        self.lose(connector, Uncontrolled::NotObeying, assumed);
    }

    /// The connector cannot be steered for this reason; what it may draw, or was sent before if that is more, is reserved.
    pub fn lose(&mut self, connector: ConnectorId, why: Uncontrolled, assumed: Watts) {
        let account = self.accounts.entry(connector).or_insert_with(|| Account::unproven(assumed));
        account.lose(why, assumed);
    }

    /// The station can be steered (again): it connected, this server was started, or it obeys once more. Until it confirms
    /// a limit, `assumed` or what it was sent before, whichever is more, may be drawn.
    pub fn reconnected(&mut self, connector: ConnectorId, assumed: Watts) {
        let account = self.accounts.entry(connector).or_insert_with(|| Account::unproven(assumed));
        account.regain(assumed);
    }

    /// A session begins or goes on: some stations drop limits then, so it is sent its limit again. What it is known to
    /// enforce stays known, so nothing is given away and nothing is raised without room.
    pub fn reassert(&mut self, connector: ConnectorId) {
        if let Some(account) = self.accounts.get_mut(&connector) {
            account.reassert();
        }
    }

    /// The station reported which limit it enforces (composite schedule, or its installed profiles).
    pub fn read_back(&mut self, connector: ConnectorId, limit: Watts, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&connector) {
            account.read_back(limit, now);
        }
    }

    /// The meter of a connector shows what it draws, which may prove that a cut has settled.
    pub fn measured(&mut self, connector: ConnectorId, draw: Watts) {
        if let Some(account) = self.accounts.get_mut(&connector) {
            account.measured(draw);
        }
    }

    /// The most a connector may be drawing; zero for one that was never heard of.
    pub fn exposure(&self, connector: ConnectorId) -> Watts {
        self.accounts.get(&connector).map_or(Watts::ZERO, Account::exposure)
    }

    /// The limit a connector is known to enforce; `None` while there is doubt.
    pub fn known(&self, connector: ConnectorId) -> Option<Watts> {
        self.accounts.get(&connector)?.known()
    }

    /// Whether a connector confirmed a limit since nothing was known of it, also where another one is on its way.
    pub fn has_confirmed(&self, connector: ConnectorId) -> bool {
        self.accounts.get(&connector).is_some_and(Account::has_confirmed)
    }

    /// Why a connector cannot be steered and what to reserve for it: the state for the next snapshot.
    pub fn uncontrolled(&self, connector: ConnectorId) -> Option<(Uncontrolled, Watts)> {
        let account = self.accounts.get(&connector)?;
        Some((account.uncontrolled()?, account.exposure()))
    }

    /// When to call [`Ledger::next`] again although nothing happened.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.accounts.values().filter_map(|account| account.due_at(&self.protocol)).min()
    }

    /// How far the plan has come.
    pub fn stage(&self, plan: &Plan) -> Stage {
        let known: Vec<_> =
            plan.limits.iter().filter_map(|limit| Some((self.accounts.get(&limit.connector)?, limit.limit))).collect();
        let open = |(account, target): &(&Account, Watts)| account.known() != Some(*target) || account.is_busy();
        if known.iter().any(|(account, _)| account.uncontrolled().is_some()) {
            Stage::Degraded
        } else if known.len() == plan.limits.len() && !known.iter().any(open) {
            Stage::Settled
        } else if !known.iter().any(|(account, _)| account.is_busy()) {
            Stage::Planned
        } else if known.iter().any(|(account, target)| account.exposure() > *target) {
            Stage::Lowering
        } else {
            Stage::Raising
        }
    }

    /// What may be drawn below every group, sorted by group. External limits are kept by the stations themselves.
    pub fn exposures(&self, snapshot: &Snapshot) -> Vec<Exposure> {
        let grid = Grid::new(snapshot);
        let room = grid.room(grid.entries.iter().map(|entry| self.exposure(entry.member.connector)));
        let mut exposures: Vec<Exposure> = grid
            .nodes
            .iter()
            .filter(|branch| !branch.node.is_external)
            .filter_map(|branch| {
                let capacity = grid.rows.get(branch.power_row)?.capacity;
                let left = *room.get(branch.power_row)?;
                Some(Exposure {
                    node: branch.node.id,
                    power: Watts(i64::try_from(capacity - left).unwrap_or(i64::MAX)),
                    capacity: Watts(i64::try_from(capacity).unwrap_or(i64::MAX)),
                })
            })
            .collect();
        exposures.sort_by_key(|exposure| exposure.node);
        exposures
    }
}

/// The highest limit up to `target` for which every row above has room, on the member's steps.
fn reachable(grid: &Grid<'_>, entry: &GridEntry<'_>, room: &[i128], exposure: Watts, target: Watts) -> Watts {
    let more = i128::from((target - exposure).get());
    let more = grid.uses(entry).iter().fold(more, |more, one| {
        let left = room.get(one.row).copied().unwrap_or_default();
        more.min(left.div_euclid(i128::from(one.cost)))
    });
    let more = Watts(i64::try_from(more).unwrap_or_default());
    if more < Watts::ZERO {
        return Watts::ZERO;
    }
    (exposure + more).floor_to(entry.member.step)
}

#[cfg(test)]
mod tests;
