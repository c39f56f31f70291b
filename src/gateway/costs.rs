//! What a station was sent as the cost of its transactions so far: each amount once, and not too often (I03).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::Timestamp;

/// How long an amount stands before another is sent.
const REPORTED_EVERY: Duration = Duration::from_secs(60);
/// Transactions of one station that are remembered; the oldest is forgotten first.
const MOST_TRANSACTIONS: usize = 256;

/// What was sent over this connection.
#[derive(Debug, Default)]
pub struct Costs(Mutex<SentCosts>);

#[derive(Debug, Default)]
struct SentCosts {
    by_transaction: BTreeMap<i64, (f64, Timestamp)>,
    /// The station does not want to hear of costs.
    refused: bool,
}

impl Costs {
    fn with<T>(&self, act: impl FnOnce(&mut SentCosts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that this cost was sent for a transaction.
    pub fn sent(&self, transaction: i64, amount: f64, now: Timestamp) {
        self.with(|sent| {
            sent.by_transaction.insert(transaction, (amount, now));
            if sent.by_transaction.len() > MOST_TRANSACTIONS {
                sent.by_transaction.pop_first();
            }
        });
    }

    /// Whether an amount is worth sending now.
    pub fn is_due(&self, transaction: i64, amount: f64, now: Timestamp) -> bool {
        self.with(|sent| {
            let last = sent.by_transaction.get(&transaction);
            let is_news = last
                .is_none_or(|(before, at)| before.to_bits() != amount.to_bits() && now.since(*at) >= REPORTED_EVERY);
            is_news && !sent.refused
        })
    }

    /// Notes that the station does not know the message.
    pub fn refused(&self) {
        self.with(|sent| sent.refused = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_sent_once_and_not_too_often() {
        let (costs, now) = (Costs::default(), Timestamp::from_unix_seconds(1_000));
        let later = now + REPORTED_EVERY;
        assert!(costs.is_due(1, 2.5, now));
        costs.sent(1, 2.5, now);
        assert!(!costs.is_due(1, 3.0, now), "a minute must pass");
        assert!(!costs.is_due(1, 2.5, later), "nothing changed");
        assert!(costs.is_due(1, 3.0, later) && costs.is_due(2, 2.5, now));
        costs.refused();
        assert!(!costs.is_due(1, 3.0, later));
    }
}
