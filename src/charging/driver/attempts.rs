//! Guessing the numbers of cards: every try is counted before it is judged, by the address it comes from and by the EVSE. So is who
//! asks for e-mails to log in by.
//!
//! Kept in memory, bounded, and lost with a restart. What a card is worth at a reader, where nobody tries fifty an hour, is not
//! touched.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::neighbourhood;
use kernel::{EvseId, Timestamp};

/// Wrong cards of an address that are free.
const FREE: u32 = 5;
/// How long the address is locked after the last of them; each further one doubles it.
const FIRST_LOCK: Duration = Duration::from_secs(60);
/// No address is locked for longer.
const LONGEST_LOCK: Duration = Duration::from_secs(3_600);
/// After so long without a try, an address begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// Wrong cards at an EVSE from all addresses in `ALTOGETHER`.
const FREE_AT_EVSE: u32 = 50;
const ALTOGETHER: Duration = Duration::from_secs(3_600);
/// E-mails that an address asks for in `ALTOGETHER`: a company's drivers may share one.
const FREE_LOGINS: u32 = 30;
/// Addresses and EVSEs that are counted at a time; some 5 MB.
const MOST_COUNTED: usize = 50_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Address(IpAddr),
    Evse(EvseId),
    Login(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    failures: u32,
    /// When the count began.
    since: Timestamp,
    last: Timestamp,
    locked_until: Option<Timestamp>,
}

/// Who tried cards that were not accepted, or asked for e-mails.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Counted, Tries>>);

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, HashMap<Counted, Tries>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a try, unless there were too many: then it says until when none is looked at.
    pub(super) fn take(&self, address: IpAddr, evse: EvseId, now: Timestamp) -> Result<(), Timestamp> {
        self.count(&[Counted::Address(neighbourhood(address)), Counted::Evse(evse)], now)
    }

    /// Counts an e-mail that somebody asks for, unless there were too many: then it says until when none is sent.
    pub(super) fn take_login(&self, address: IpAddr, now: Timestamp) -> Result<(), Timestamp> {
        self.count(&[Counted::Login(neighbourhood(address))], now)
    }

    fn count(&self, keys: &[Counted], now: Timestamp) -> Result<(), Timestamp> {
        let mut counted = self.lock();
        let locks = keys.iter().filter_map(|key| counted.get(key)?.locked_until);
        if let Some(until) = locks.filter(|until| *until > now).max() {
            return Err(until);
        }
        if counted.len() + keys.len() > MOST_COUNTED {
            forget(&mut counted, now);
        }
        for key in keys.iter().copied() {
            let fresh = Tries { failures: 0, since: now, last: now, locked_until: None };
            let tries = counted.entry(key).or_insert(fresh);
            let is_over = match key {
                Counted::Address(_) => now.since(tries.last) >= FORGOTTEN_AFTER,
                Counted::Evse(_) | Counted::Login(_) => now.since(tries.since) >= ALTOGETHER,
            };
            if is_over {
                *tries = fresh;
            }
            tries.failures = tries.failures.saturating_add(1);
            tries.last = now;
            tries.locked_until = match key {
                Counted::Address(_) => locked_for(tries.failures).map(|span| now + span),
                Counted::Evse(_) => (tries.failures >= FREE_AT_EVSE).then(|| tries.since + ALTOGETHER),
                Counted::Login(_) => (tries.failures >= FREE_LOGINS).then(|| tries.since + ALTOGETHER),
            };
        }
        Ok(())
    }

    /// Takes a try back whose card was accepted. Wrong cards stay counted: who has one card is not free to guess others.
    pub(super) fn accepted(&self, address: IpAddr, evse: EvseId) {
        let mut counted = self.lock();
        for key in [Counted::Address(neighbourhood(address)), Counted::Evse(evse)] {
            if let Some(tries) = counted.get_mut(&key) {
                tries.failures = tries.failures.saturating_sub(1);
                tries.locked_until = None;
            }
        }
    }
}

fn locked_for(failures: u32) -> Option<Duration> {
    let beyond = failures.checked_sub(FREE)?;
    let doubled = 2_u32.saturating_pow(beyond.min(16));
    Some(FIRST_LOCK.saturating_mul(doubled).min(LONGEST_LOCK))
}

/// Forgets who is not locked, and where that are too few, all.
fn forget(counted: &mut HashMap<Counted, Tries>, now: Timestamp) {
    counted.retain(|_, tries| tries.locked_until.is_some_and(|until| until > now));
    if counted.len() > MOST_COUNTED / 2 {
        counted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::RawId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_777_000_000 + seconds)
    }

    fn evse(number: u8) -> EvseId {
        EvseId::from(RawId::from_bytes([number; 12]))
    }

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0xc000_0200 + number).into()
    }

    #[test]
    fn an_address_is_locked_after_five_wrong_cards_and_longer_each_time() {
        let attempts = Attempts::default();
        for _ in 0..5 {
            assert_eq!(attempts.take(address(1), evse(1), at(0)), Ok(()));
        }
        assert_eq!(attempts.take(address(1), evse(2), at(59)), Err(at(60)), "at whichever EVSE");
        assert_eq!(attempts.take(address(2), evse(1), at(59)), Ok(()));
        assert_eq!(attempts.take(address(1), evse(1), at(60)), Ok(()));
        assert_eq!(attempts.take(address(1), evse(1), at(179)), Err(at(180)));
        assert_eq!(attempts.take(address(1), evse(1), at(60 + 24 * 3_600)), Ok(()));
        assert_eq!(attempts.take(address(1), evse(1), at(60 + 24 * 3_600)), Ok(()), "begun anew");
    }

    #[test]
    fn a_right_card_is_not_counted_and_forgives_no_wrong_one() {
        let attempts = Attempts::default();
        for _ in 0..20 {
            assert_eq!(attempts.take(address(1), evse(1), at(0)), Ok(()), "right cards never lock");
            attempts.accepted(address(1), evse(1));
        }
        for _ in 0..4 {
            assert_eq!(attempts.take(address(1), evse(1), at(0)), Ok(()), "a wrong one");
            assert_eq!(attempts.take(address(1), evse(1), at(0)), Ok(()));
            attempts.accepted(address(1), evse(1));
        }
        assert_eq!(attempts.take(address(1), evse(1), at(0)), Ok(()), "the fifth wrong one");
        assert_eq!(attempts.take(address(1), evse(1), at(59)), Err(at(60)));
    }

    #[test]
    fn an_address_asks_for_thirty_emails_an_hour() {
        let attempts = Attempts::default();
        for second in 0..30 {
            assert_eq!(attempts.take_login(address(1), at(second)), Ok(()));
        }
        assert_eq!(attempts.take_login(address(1), at(30)), Err(at(3_600)));
        assert_eq!(attempts.take_login(address(2), at(30)), Ok(()));
        assert_eq!(attempts.take(address(1), evse(1), at(30)), Ok(()), "cards are another matter");
        assert_eq!(attempts.take_login(address(1), at(3_600)), Ok(()));
    }

    #[test]
    fn an_evse_takes_fifty_wrong_cards_an_hour_from_all_addresses() {
        let attempts = Attempts::default();
        for number in 0..50 {
            assert_eq!(attempts.take(address(number), evse(1), at(0)), Ok(()));
        }
        assert_eq!(attempts.take(address(50), evse(1), at(3_599)), Err(at(3_600)));
        assert_eq!(attempts.take(address(50), evse(2), at(3_599)), Ok(()));
        assert_eq!(attempts.take(address(51), evse(1), at(3_600)), Ok(()));
    }
}
