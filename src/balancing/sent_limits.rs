//! Which live limits a connector may have in force, and until when: what is left of them once its station takes no more.

use serde::{Deserialize, Serialize};

use engine::transition::Ticket;
use kernel::{Timestamp, Watts};

/// Limits that are kept; beyond it the largest are.
const KEPT: usize = 16;

/// Limits that were sent and not refused, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct SentLimits(Vec<One>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct One {
    ticket: Ticket,
    limit: Watts,
    /// The phases that it was computed for: the same current on more of them is more power.
    phases: i64,
    /// None where its station takes no limit that runs out.
    until: Option<Timestamp>,
}

impl SentLimits {
    /// Whether none is known that may be in force.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A limit is sent, which runs out at `until`.
    pub(super) fn sent(&mut self, ticket: Ticket, (limit, phases): (Watts, i64), until: Timestamp) {
        if self.0.len() >= KEPT {
            let least = self.0.iter().enumerate().min_by_key(|(_, one)| one.limit);
            if let Some((index, _)) = least {
                self.0.remove(index);
            }
        }
        self.0.push(One { ticket, limit, phases, until: Some(until) });
    }

    /// It was confirmed, which replaces all that were sent before; `never_expires` where it does not run out.
    pub(super) fn confirmed(&mut self, ticket: Ticket, never_expires: bool) {
        self.0.retain(|one| one.ticket >= ticket);
        if let Some(one) = self.0.iter_mut().find(|one| one.ticket == ticket)
            && never_expires
        {
            one.until = None;
        }
    }

    /// It was refused: it is not in force. Answers what it was.
    pub(super) fn refused(&mut self, ticket: Ticket) -> Option<Watts> {
        let index = self.0.iter().position(|one| one.ticket == ticket)?;
        Some(self.0.remove(index).limit)
    }

    /// The largest that may be in force, for a car on so many phases.
    pub(super) fn most(&self, now: Timestamp, phases: i64) -> Watts {
        let applies = |one: &&One| one.until.is_none_or(|until| until > now);
        let power = |one: &One| {
            let (limit, on) = (one.limit.get(), one.phases.max(1));
            Watts(limit.saturating_mul(phases.max(on)) / on)
        };
        let in_force = self.0.iter().filter(applies).map(power);
        in_force.max().unwrap_or(Watts::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn limits_apply_until_they_run_out_are_replaced_or_refused() {
        let mut limits = SentLimits::default();
        limits.sent(Ticket(1), (Watts(11_000), 3), second(300));
        limits.sent(Ticket(2), (Watts(6_000), 3), second(310));
        assert_eq!(limits.most(second(299), 3), Watts(11_000));
        assert_eq!(limits.most(second(300), 3), Watts(6_000));
        assert_eq!(limits.most(second(310), 3), Watts::ZERO);

        assert_eq!(limits.refused(Ticket(2)), Some(Watts(6_000)));
        assert_eq!(limits.refused(Ticket(2)), None, "sent twice");
        limits.sent(Ticket(3), (Watts(4_000), 3), second(320));
        limits.confirmed(Ticket(3), false);
        assert_eq!(limits.most(second(200), 3), Watts(4_000));
        limits.confirmed(Ticket(3), true);
        assert_eq!(limits.most(second(9_999), 3), Watts(4_000), "it does not run out");
    }
    #[test]
    fn a_current_on_more_phases_is_more_power() {
        let mut limits = SentLimits::default();
        limits.sent(Ticket(1), (Watts(3_680), 1), second(300));
        assert_eq!(limits.most(second(0), 1), Watts(3_680));
        assert_eq!(limits.most(second(0), 3), Watts(11_040), "16 A on three");
    }
}
