//! Guessing endpoints and passwords: failures are counted by address and by station, in memory, before the store is asked
//! anything.
//!
//! Only failures count, and who was right before with the very same proof is never kept waiting: a station behind the address
//! of a thief, or one that a thief means to be, still gets in. Everything here is bounded, and lost with a restart.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::access::{Owner, Shown};
use crate::http::neighbourhood;
use clock::chance;
use kernel::Timestamp;

/// Failures of an address that are free; a site has many stations that may all be wrong.
const FREE_OF_ADDRESS: u32 = 60;
/// How often an address may fail then.
const ADDRESS_EVERY: Duration = Duration::from_secs(1);
/// Failures at an endpoint that are free, from wherever they come.
const FREE_OF_STATION: u32 = 10;
/// How often somebody may fail there then.
const STATION_EVERY: Duration = Duration::from_secs(6);
/// Addresses and endpoints that are counted at a time; some 10 MB.
const MOST_COUNTED: usize = 50_000;
/// Proofs that are remembered as right; some 5 MB.
const MOST_KNOWN: usize = 100_000;

/// A try to come in.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// From where.
    pub address: IpAddr,
    /// As which station.
    pub endpoint: String,
    /// Stands for the endpoint and what was shown with it.
    proof: [u8; 16],
}

/// A try that is not even looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// How long to wait.
    pub wait: Duration,
    /// Whose station was meant, where that is known.
    pub owner: Option<Owner>,
}

/// Until when failures are paid for: each costs a while, and some may be owed.
#[derive(Debug, Clone, Copy)]
struct Debt {
    paid_at: Timestamp,
    owner: Option<Owner>,
}

/// What each of many owes.
#[derive(Debug)]
struct Debts<K> {
    of: HashMap<K, Debt>,
    free: u32,
    every: Duration,
}

impl<K: Hash + Eq> Debts<K> {
    fn new(free: u32, every: Duration) -> Self {
        Self { of: HashMap::new(), free, every }
    }

    fn wait(&self, key: &K, now: Timestamp) -> Option<TooOften> {
        let debt = self.of.get(key)?;
        let free = self.every * self.free.saturating_sub(1);
        let wait = debt.paid_at.since(now + free);
        let owner = debt.owner;
        (!wait.is_zero()).then_some(TooOften { wait, owner })
    }

    fn owe(&mut self, key: K, owner: Option<Owner>, now: Timestamp) {
        if self.of.len() >= MOST_COUNTED {
            self.forget(now);
        }
        let most = now + self.every * self.free * 2; // many at once, before the first was judged
        let debt = self.of.entry(key).or_insert(Debt { paid_at: now, owner });
        debt.paid_at = (debt.paid_at.max(now) + self.every).min(most);
        debt.owner = owner.or(debt.owner);
    }

    /// Forgets who owes nothing, and where that are too few, who owes least.
    fn forget(&mut self, now: Timestamp) {
        self.of.retain(|_, debt| debt.paid_at > now);
        let mut ends: Vec<_> = self.of.values().map(|debt| debt.paid_at).collect();
        if ends.len() < MOST_COUNTED / 2 {
            return;
        }
        let half = ends.len() / 2;
        let (_, middle, _) = ends.select_nth_unstable(half);
        let middle = *middle;
        self.of.retain(|_, debt| debt.paid_at > middle);
    }
}

#[derive(Debug)]
struct Counts {
    addresses: Debts<IpAddr>,
    stations: Debts<String>,
    known: HashSet<[u8; 16]>,
}

/// Who failed lately, and who was right.
#[derive(Debug)]
pub struct AttemptLimiter {
    /// Proofs are remembered under it, so that no password is kept.
    key: [u8; 32],
    counts: Mutex<Counts>,
}

impl Default for AttemptLimiter {
    fn default() -> Self {
        Self {
            key: chance::bytes(),
            counts: Mutex::new(Counts {
                addresses: Debts::new(FREE_OF_ADDRESS, ADDRESS_EVERY),
                stations: Debts::new(FREE_OF_STATION, STATION_EVERY),
                known: HashSet::new(),
            }),
        }
    }
}

impl AttemptLimiter {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A try from an address to be a station, with what it shows.
    pub fn attempt(&self, address: IpAddr, endpoint: &str, shown: &Shown) -> Attempt {
        Attempt { address, endpoint: endpoint.to_owned(), proof: shown.digest(&self.key, endpoint) }
    }

    /// Whether a try comes too often to be looked at.
    pub fn too_often(&self, attempt: &Attempt, now: Timestamp) -> Option<TooOften> {
        let counts = self.lock();
        if counts.known.contains(&attempt.proof) {
            return None;
        }
        let by_station = counts.stations.wait(&attempt.endpoint, now);
        let by_address = counts.addresses.wait(&neighbourhood(attempt.address), now);
        match (by_station, by_address) {
            (Some(station), Some(address)) => {
                Some(TooOften { wait: station.wait.max(address.wait), owner: station.owner })
            }
            (one, other) => one.or(other),
        }
    }

    /// Counts a try that was not let in, at a station of this owner where there is one. One that proves nothing either way, as
    /// that of a station which is switched off, counts for the station alone.
    pub fn failed(&self, attempt: &Attempt, owner: Option<Owner>, is_guess: bool, now: Timestamp) {
        let mut counts = self.lock();
        counts.known.remove(&attempt.proof);
        counts.stations.owe(attempt.endpoint.clone(), owner, now);
        if is_guess {
            counts.addresses.owe(neighbourhood(attempt.address), None, now);
        }
    }

    /// Remembers a proof that was right.
    pub fn succeeded(&self, attempt: &Attempt) {
        let mut counts = self.lock();
        if counts.known.len() >= MOST_KNOWN {
            counts.known.clear(); // whoever is right is learnt again
        }
        counts.known.insert(attempt.proof);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_777_000_000 + seconds)
    }

    fn attempt(attempts: &AttemptLimiter, address: &str, endpoint: &str, password: &str) -> Attempt {
        let shown = Shown::password(password);
        attempts.attempt(address.parse().expect("an address"), endpoint, &shown)
    }

    /// Fails, or returns how many seconds to wait.
    fn fails(attempts: &AttemptLimiter, attempt: &Attempt, now: Timestamp) -> Option<u64> {
        let waits = attempts.too_often(attempt, now);
        if waits.is_none() {
            attempts.failed(attempt, None, true, now);
        }
        waits.map(|often| often.wait.as_secs())
    }

    #[test]
    fn a_station_takes_ten_guesses_and_then_one_every_six_seconds() {
        let attempts = AttemptLimiter::default();
        let tries = |number: u32, seconds| {
            // Each from an address of its own.
            let address = format!("192.0.2.{number}");
            let one = attempt(&attempts, &address, "cp-1", &number.to_string());
            fails(&attempts, &one, at(seconds))
        };
        for number in 0..10 {
            assert_eq!(tries(number, 0), None);
        }
        assert_eq!(tries(10, 0), Some(6));
        assert_eq!(tries(11, 4), Some(2));
        assert_eq!(tries(12, 6), None);
        assert_eq!(tries(13, 6), Some(6));
        assert_eq!(tries(14, 3_600), None);
        let other = attempt(&attempts, "192.0.2.1", "cp-2", "x");
        assert_eq!(attempts.too_often(&other, at(0)), None);
    }

    #[test]
    fn an_address_takes_sixty_guesses_and_then_one_a_second() {
        let attempts = AttemptLimiter::default();
        let tries = |address: &str, number: u32, seconds| {
            let one = attempt(&attempts, address, &format!("cp-{number}"), "x");
            fails(&attempts, &one, at(seconds))
        };
        for number in 0..60 {
            assert_eq!(tries("2001:db8::1", number, 0), None);
        }
        assert_eq!(tries("2001:db8::1", 60, 0), Some(1));
        assert_eq!(tries("2001:db8::ffff", 61, 0), Some(1), "the same network");
        assert_eq!(tries("2001:db8:0:1::1", 62, 0), None);
        assert_eq!(tries("2001:db8::1", 63, 1), None);
    }

    #[test]
    fn who_was_right_is_never_kept_waiting_until_it_is_wrong() {
        let attempts = AttemptLimiter::default();
        let right = attempt(&attempts, "192.0.2.1", "cp-1", "right");
        attempts.succeeded(&right);
        for number in 0..100 {
            let wrong = attempt(&attempts, "192.0.2.1", "cp-1", &number.to_string());
            attempts.failed(&wrong, None, true, at(0));
        }
        assert_eq!(attempts.too_often(&right, at(0)), None);
        let moved = attempt(&attempts, "198.51.100.7", "cp-1", "right");
        assert_eq!(attempts.too_often(&moved, at(0)), None, "from wherever");
        let elsewhere = attempt(&attempts, "192.0.2.1", "cp-2", "right");
        assert!(attempts.too_often(&elsewhere, at(0)).is_some());
        attempts.failed(&right, None, true, at(0)); // its password was changed
        assert!(attempts.too_often(&right, at(0)).is_some());
    }

    #[test]
    fn what_is_counted_is_bounded_and_those_who_owe_most_stay() {
        let mut debts = Debts::new(10, Duration::from_secs(6));
        let worst = u32::MAX;
        for _ in 0..10 {
            debts.owe(worst, None, at(0));
        }
        for key in 0..2 * u32::try_from(MOST_COUNTED).expect("small") {
            debts.owe(key, None, at(0));
        }
        assert!(debts.of.len() <= MOST_COUNTED);
        assert!(debts.wait(&worst, at(0)).is_some());
    }
}
