//! What is known about one station's limit: what it acknowledged, what it was sent, and the most it may be enforcing.
//!
//! Messages to one station are answered in the order they were sent, so an answer to one settles all before it. A message
//! without an answer may have arrived or not; until a later one is answered, both must be assumed.

use serde::{Deserialize, Serialize};

use super::policy::{SendPolicy, Ticket};
use crate::offer::seconds;
use crate::snapshot::Uncontrolled;
use kernel::{Timestamp, Watts};

/// Messages to one station that may be without an answer; more wait, since a station handles one at a time anyway.
const MOST_UNANSWERED: usize = 8;

/// The ledger account of one connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The limit it last confirmed; `None` while nothing is known.
    acknowledged: Option<Watts>,
    acknowledged_at: Option<Timestamp>,
    /// It is to be sent again, however sure one is of what it enforces.
    #[serde(default)]
    reassert: bool,
    /// The newest message when that was wished: its answer does not fulfil the wish.
    #[serde(default)]
    reassert_after: Option<Ticket>,
    /// What must be assumed while nothing is acknowledged, and beside it while it is uncontrolled.
    assumed: Watts,
    /// Messages that may have taken effect, oldest first.
    unanswered: Vec<Sent>,
    /// A cut that was acknowledged but may not be visible on the cable yet.
    settling: Option<Settling>,
    #[serde(rename = "out_of_control")]
    uncontrolled: Option<Uncontrolled>,
    failures: u32,
    retry_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    ticket: Ticket,
    limit: Watts,
    /// The answer was a refusal or did not come in time.
    failed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settling {
    #[serde(rename = "worst")]
    exposure: Watts,
    until: Timestamp,
}

/// What should happen to a connector next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    /// Send it the same again, before its live limit runs out.
    Refresh,
    /// Send it now: it may be drawing that much already.
    Now,
    /// Send it when there is room: it may draw more than before.
    WhenRoom,
}

impl Account {
    /// A connector of which nothing is known but the most it could draw.
    pub(super) fn unproven(assumed: Watts) -> Self {
        Self {
            acknowledged: None,
            acknowledged_at: None,
            reassert: false,
            reassert_after: None,
            assumed: assumed.at_least_zero(),
            unanswered: Vec::new(),
            settling: None,
            uncontrolled: None,
            failures: 0,
            retry_at: None,
        }
    }

    /// The newest message without an answer.
    pub(super) fn newest_ticket(&self) -> Option<Ticket> {
        self.unanswered.last().map(|sent| sent.ticket)
    }

    /// The most it may be drawing under what it was sent.
    pub(super) fn exposure(&self) -> Watts {
        let known = match (self.acknowledged, self.uncontrolled) {
            (Some(limit), None) => limit,
            (Some(limit), Some(_)) => limit.max(self.assumed),
            (None, _) => self.assumed,
        };
        let sent = self.unanswered.iter().map(|sent| sent.limit);
        let settling = self.settling.iter().map(|settling| settling.exposure);
        sent.chain(settling).fold(known, Watts::max)
    }

    /// Whether it confirmed a limit, whatever it was sent since.
    pub(super) const fn has_confirmed(&self) -> bool {
        self.acknowledged.is_some()
    }

    /// The limit it enforces, when there is no doubt.
    pub(super) fn known(&self) -> Option<Watts> {
        self.enforced().filter(|_| !self.reassert)
    }

    /// The same, also where it is to be sent again.
    pub(super) fn enforced(&self) -> Option<Watts> {
        self.acknowledged.filter(|_| self.unanswered.is_empty())
    }

    /// What it may be sent at once: no more than it was last known to enforce, or than must be assumed anyway. A cut that
    /// still settles does not count: what it frees is not the connector's own any more.
    fn sendable_at_once(&self) -> Watts {
        let sent = self.unanswered.iter().map(|sent| sent.limit);
        sent.fold(self.acknowledged.unwrap_or(self.assumed), Watts::max)
    }

    pub(super) const fn uncontrolled(&self) -> Option<Uncontrolled> {
        self.uncontrolled
    }

    /// Whether an answer is awaited, a cut settles or a failed message is to be repeated.
    pub(super) fn is_busy(&self) -> bool {
        !self.unanswered.is_empty() || self.settling.is_some()
    }

    /// When something is due although nothing happens: a cut has settled, a repetition or a refresh is due.
    pub(super) fn due_at(&self, protocol: &SendPolicy) -> Option<Timestamp> {
        if self.uncontrolled.is_some() {
            return None;
        }
        let settled = self.settling.as_ref().map(|settling| settling.until);
        let refresh = self.refresh_at(protocol).filter(|_| self.unanswered.is_empty());
        settled.into_iter().chain(self.retry_at).chain(refresh).min()
    }

    fn refresh_at(&self, protocol: &SendPolicy) -> Option<Timestamp> {
        Some(self.acknowledged_at? + seconds(protocol.refresh_seconds?))
    }

    /// How to get it to this limit.
    pub(super) fn wish(&self, target: Watts, protocol: &SendPolicy, now: Timestamp) -> Wish {
        if self.uncontrolled.is_some() || self.unanswered.len() >= MOST_UNANSWERED {
            return Wish::Nothing;
        }
        if let Some(pending) = self.unanswered.last().filter(|sent| !sent.failed) {
            return if target < pending.limit { Wish::Now } else { Wish::Nothing };
        }
        if self.known() == Some(target) {
            let due = self.refresh_at(protocol).is_some_and(|at| at <= now);
            return if due { Wish::Refresh } else { Wish::Nothing };
        }
        let repeats = self.unanswered.last().is_some_and(|sent| target >= sent.limit);
        if repeats && self.retry_at.is_some_and(|at| at > now) {
            return Wish::Nothing;
        }
        if target <= self.sendable_at_once() { Wish::Now } else { Wish::WhenRoom }
    }

    pub(super) fn sent(&mut self, ticket: Ticket, limit: Watts) {
        self.retry_at = None;
        self.unanswered.push(Sent { ticket, limit, failed: false });
    }

    /// The station confirmed a message. Unknown tickets, late doubles among them, change nothing.
    pub(super) fn acknowledged(&mut self, ticket: Ticket, protocol: &SendPolicy, now: Timestamp) {
        let Some(limit) = self.unanswered.iter().find(|sent| sent.ticket == ticket).map(|sent| sent.limit) else {
            return;
        };
        let before = self.exposure();
        self.acknowledged = Some(limit);
        self.acknowledged_at = Some(now);
        if self.reassert_after.is_none_or(|newest| ticket > newest) {
            (self.reassert, self.reassert_after) = (false, None);
        }
        self.unanswered.retain(|sent| sent.ticket > ticket);
        self.failures = 0;
        self.retry_at = None;
        if matches!(self.uncontrolled, Some(Uncontrolled::Rejected | Uncontrolled::TimedOut)) {
            self.uncontrolled = None;
        }
        if before > limit && protocol.settle_seconds > 0 {
            let until = now + seconds(protocol.settle_seconds);
            self.settling = Some(Settling { exposure: before, until });
        }
    }

    /// The station refused a message or did not answer it. After the last try it is uncontrolled.
    pub(super) fn failed(&mut self, ticket: Ticket, why: Uncontrolled, protocol: &SendPolicy, now: Timestamp) {
        let Some(sent) = self.unanswered.iter_mut().find(|sent| sent.ticket == ticket && !sent.failed) else {
            return;
        };
        sent.failed = true;
        self.failures += 1;
        let back_off = protocol.back_off_seconds.saturating_mul(1 << (self.failures - 1).min(10));
        self.retry_at = Some(now + seconds(back_off));
        if self.failures >= protocol.tries.max(1) && self.uncontrolled.is_none() {
            self.assumed = self.exposure();
            self.uncontrolled = Some(why);
        }
    }

    /// It cannot be steered any more and may draw this much, or what it was sent before if that is more.
    pub(super) fn lose(&mut self, why: Uncontrolled, assumed: Watts) {
        self.assumed = assumed.at_least_zero();
        self.uncontrolled = Some(why);
    }

    /// It can be steered again; until it confirms something, this much or what it was sent must be assumed.
    pub(super) fn regain(&mut self, assumed: Watts) {
        let sent = self.unanswered.iter().map(|sent| sent.limit);
        let settling = self.settling.iter().map(|settling| settling.exposure);
        *self = Self::unproven(sent.chain(settling).fold(assumed, Watts::max));
    }

    /// It is sent its limit again at the next opportunity, without being doubted.
    pub(super) fn reassert(&mut self) {
        self.reassert = true;
        self.reassert_after = self.newest_ticket();
    }

    /// It reported which limit it enforces.
    pub(super) fn read_back(&mut self, limit: Watts, now: Timestamp) {
        self.acknowledged = Some(limit.at_least_zero());
        self.acknowledged_at = Some(now);
    }

    /// Its meter shows what it draws: a cut that is visible has settled.
    pub(super) fn measured(&mut self, draw: Watts) {
        if self.acknowledged.is_some_and(|limit| draw <= limit) {
            self.settling = None;
        }
    }

    /// Lets a cut settle whose time has come.
    pub(super) fn settle(&mut self, now: Timestamp) {
        self.settling.take_if(|settling| settling.until <= now);
    }
}
