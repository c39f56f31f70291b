//! Which transactions a station was asked to stop because they reached what they were to reach: once each, and again only
//! where that did not help.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::Timestamp;

/// How long a stop that was asked for is waited for: stations unlock and end a session in seconds, cars in a minute or two.
const AGAIN_AFTER: Duration = Duration::from_secs(300);
/// Transactions of one station that are remembered; the oldest is forgotten first.
const MOST_TRANSACTIONS: usize = 256;

/// What was asked for in this connection.
#[derive(Debug, Default)]
pub struct Stops(Mutex<BTreeMap<i64, Timestamp>>);

impl Stops {
    /// Whether a transaction is to be stopped now; notes that it is asked for.
    pub fn is_due(&self, transaction: i64, now: Timestamp) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = asked.get(&transaction).is_none_or(|at| now.since(*at) >= AGAIN_AFTER);
        if is_due {
            asked.insert(transaction, now);
            if asked.len() > MOST_TRANSACTIONS {
                asked.pop_first();
            }
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_asked_for_once_and_after_minutes_again() {
        let (stops, now) = (Stops::default(), Timestamp::from_unix_seconds(1_000));
        assert!(stops.is_due(1, now));
        assert!(!stops.is_due(1, now + Duration::from_secs(299)));
        assert!(stops.is_due(2, now));
        assert!(stops.is_due(1, now + AGAIN_AFTER));
    }
}
