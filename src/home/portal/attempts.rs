//! Guessing passwords: every attempt is counted before it is judged, for accounts that are known and those that are not.
//!
//! Attempts are counted for an account and the address they come from, so that nobody is locked out by strangers. Those of all
//! addresses together have a limit for an hour, too; it does not bind addresses from which the account was opened before. An
//! account is the words of the login, organization and e-mail address, whether there is such a user or not: another operator
//! counts, and clears, others.

use std::net::IpAddr;
use std::time::Duration;

use diesel::prelude::*;

use crate::each;
use crate::http::neighbourhood;
use crate::store::schema::login_attempts;
use crate::store::{Conn, StoreResult};
use kernel::{OrganizationId, Timestamp};

/// Attempts from an address that are free.
const FREE: i64 = 5;
/// How long the address is locked after the last of them; each further one doubles it.
const FIRST_LOCK: Duration = Duration::from_secs(60);
/// No address is locked for longer.
const LONGEST_LOCK: Duration = Duration::from_secs(3_600);
/// After so long without an attempt, counting begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// Attempts from all addresses in `ALTOGETHER`.
const FREE_ALTOGETHER: i64 = 50;
const ALTOGETHER: Duration = Duration::from_secs(3_600);
/// How long an address is known from which the account was opened.
const KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 3_600);
/// Stands for all addresses.
const EVERYWHERE: &str = "";

/// Whether a password may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may, and is counted.
    Allowed,
    /// It may not before this instant.
    Locked {
        /// When the lock ends.
        until: Timestamp,
    },
}

/// Who tries to open which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guesser {
    account: String,
    address: String,
}

/// What was counted before, and from when on it counts.
type Counted = (i64, Option<Timestamp>, Option<Timestamp>, Timestamp);

impl Guesser {
    /// Somebody at this address, and what was said at the login.
    pub fn new(organization: Option<OrganizationId>, email: &str, address: IpAddr) -> Self {
        let organization = organization.map(|id| id.to_string()).unwrap_or_default();
        Self { account: format!("{organization}/{email}"), address: neighbourhood(address).to_string() }
    }

    /// The same of an operator's account.
    pub fn of_operator(email: &str, address: IpAddr) -> Self {
        Self { account: format!("operator/{email}"), address: neighbourhood(address).to_string() }
    }

    /// Counts an attempt, unless it is locked.
    pub fn take(&self, conn: &mut Conn, now: Timestamp) -> StoreResult<Attempt> {
        let here = self.count(conn, &self.address, now)?;
        if let Some(until) = here.1.filter(|until| *until > now) {
            self.uncount(conn, &self.address)?;
            return Ok(Attempt::Locked { until });
        }
        let (all, _, _, since) = self.count(conn, EVERYWHERE, now)?;
        let (all, since) = match now.since(since) < ALTOGETHER {
            true => (all, since),
            false => (1, now),
        };
        if all > FREE_ALTOGETHER && here.2.is_none() {
            self.uncount(conn, &self.address)?;
            self.uncount(conn, EVERYWHERE)?;
            let until = since + ALTOGETHER;
            return Ok(Attempt::Locked { until });
        }
        let failures = match now.since(here.3) < FORGOTTEN_AFTER {
            true => here.0,
            false => 1,
        };
        self.keep(conn, &self.address, (failures, lock(failures, now), now))?;
        self.keep(conn, EVERYWHERE, (all, None, since))?;
        Ok(Attempt::Allowed)
    }

    /// One more. The row is changed before it is read: who comes at the same time waits, and is counted after us.
    fn count(&self, conn: &mut Conn, address: &str, now: Timestamp) -> StoreResult<Counted> {
        let mine = login_attempts::table.find((&self.account, address));
        let counted = diesel::update(mine)
            .set(login_attempts::failures.eq(login_attempts::failures + 1))
            .returning((
                login_attempts::failures,
                login_attempts::locked_until,
                login_attempts::proven_at,
                login_attempts::updated_at,
            ))
            .get_result(conn)
            .optional()?;
        if let Some(counted) = counted {
            return Ok(counted);
        }
        let first = (
            login_attempts::account.eq(&self.account),
            login_attempts::address.eq(address),
            login_attempts::failures.eq(1),
            login_attempts::updated_at.eq(now),
        );
        // Somebody else may just have come first; then that one is counted.
        each!(conn, |conn| diesel::insert_into(login_attempts::table)
            .values(first)
            .on_conflict_do_nothing()
            .execute(conn))?;
        Ok((1, None, None, now))
    }

    fn uncount(&self, conn: &mut Conn, address: &str) -> StoreResult<()> {
        diesel::update(login_attempts::table.find((&self.account, address)))
            .set(login_attempts::failures.eq(login_attempts::failures - 1))
            .execute(conn)?;
        Ok(())
    }

    fn keep(
        &self,
        conn: &mut Conn,
        address: &str,
        (failures, locked_until, updated_at): (i64, Option<Timestamp>, Timestamp),
    ) -> StoreResult<()> {
        diesel::update(login_attempts::table.find((&self.account, address)))
            .set((
                login_attempts::failures.eq(failures),
                login_attempts::locked_until.eq(locked_until),
                login_attempts::updated_at.eq(updated_at),
            ))
            .execute(conn)?;
        Ok(())
    }

    /// Notes that this one proved to be right: its attempts are forgotten, and its address is known.
    pub fn prove(&self, conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
        self.count(conn, &self.address, now)?;
        self.keep(conn, &self.address, (0, None, now))?;
        diesel::update(login_attempts::table.find((&self.account, &self.address)))
            .set(login_attempts::proven_at.eq(now))
            .execute(conn)?;
        Ok(())
    }
}

fn lock(failures: i64, now: Timestamp) -> Option<Timestamp> {
    locked_for(failures).map(|span| now + span)
}

fn locked_for(failures: i64) -> Option<Duration> {
    let beyond = u32::try_from(failures - FREE).ok()?;
    let doubled = 2_u32.saturating_pow(beyond.min(16));
    Some(FIRST_LOCK.saturating_mul(doubled).min(LONGEST_LOCK))
}

/// Forgets those of long ago.
pub(super) fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    let old = login_attempts::updated_at.lt(now - FORGOTTEN_AFTER);
    let unknown = login_attempts::proven_at.is_null().or(login_attempts::proven_at.lt(now - KNOWN_FOR));
    diesel::delete(login_attempts::table.filter(old.and(unknown))).execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_doubles_up_to_an_hour() {
        let seconds = |failures| locked_for(failures).map(|span| span.as_secs());
        assert_eq!((seconds(1), seconds(4)), (None, None));
        assert_eq!((seconds(5), seconds(6), seconds(8)), (Some(60), Some(120), Some(480)));
        assert_eq!((seconds(11), seconds(1_000_000)), (Some(3_600), Some(3_600)));
    }
}
