//! Guessing passwords: every attempt is counted before it is judged, for addresses that are known and those that are not.

use std::time::Duration;

use diesel::prelude::*;

use crate::db::schema::login_attempts;
use crate::db::{Conn, StoreResult};
use crate::each;
use crate::kernel::Timestamp;

/// Attempts that are free.
const FREE: i64 = 5;
/// How long an address is locked after the last of them; each further one doubles it.
const FIRST_LOCK: Duration = Duration::from_secs(60);
/// Nobody is locked out for longer.
const LONGEST_LOCK: Duration = Duration::from_secs(3_600);
/// After so long without an attempt, counting begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Whether a password may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Allowed,
    Locked { until: Timestamp },
}

/// Counts an attempt, unless the address is locked.
pub(super) fn take(conn: &mut Conn, email: &str, now: Timestamp) -> StoreResult<Attempt> {
    // The row is changed before it is read: who comes at the same time waits, and is counted after us.
    let mine = login_attempts::table.find(email);
    let one_more = login_attempts::failures.eq(login_attempts::failures + 1);
    let known: Option<(i64, Option<Timestamp>, Timestamp)> = diesel::update(mine)
        .set(one_more)
        .returning((
            login_attempts::failures,
            login_attempts::locked_until,
            login_attempts::updated_at,
        ))
        .get_result(conn)
        .optional()?;
    let Some((counted, locked_until, last)) = known else {
        let first = (
            login_attempts::email.eq(email),
            login_attempts::failures.eq(1),
            login_attempts::updated_at.eq(now),
        );
        // Somebody else may just have come first; then that one is counted.
        each!(conn, |conn| diesel::insert_into(login_attempts::table)
            .values(first)
            .on_conflict_do_nothing()
            .execute(conn))?;
        return Ok(Attempt::Allowed);
    };
    if let Some(until) = locked_until.filter(|until| *until > now) {
        let as_before = login_attempts::failures.eq(counted - 1);
        diesel::update(mine).set(as_before).execute(conn)?;
        return Ok(Attempt::Locked { until });
    }
    let failures = match now.since(last) < FORGOTTEN_AFTER {
        true => counted,
        false => 1,
    };
    let judged = (
        login_attempts::failures.eq(failures),
        login_attempts::locked_until.eq(lock(failures).map(|span| now + span)),
        login_attempts::updated_at.eq(now),
    );
    diesel::update(mine).set(judged).execute(conn)?;
    Ok(Attempt::Allowed)
}

fn lock(failures: i64) -> Option<Duration> {
    let beyond = u32::try_from(failures - FREE).ok()?;
    let doubled = 2_u32.saturating_pow(beyond.min(16));
    Some(FIRST_LOCK.saturating_mul(doubled).min(LONGEST_LOCK))
}

/// Forgets the attempts of somebody who proved to be right.
pub(super) fn clear(conn: &mut Conn, email: &str) -> StoreResult<()> {
    diesel::delete(login_attempts::table.find(email)).execute(conn)?;
    Ok(())
}

/// Forgets those of long ago.
pub(super) fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    let old = login_attempts::updated_at.lt(now - FORGOTTEN_AFTER);
    diesel::delete(login_attempts::table.filter(old)).execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_doubles_up_to_an_hour() {
        let seconds = |failures| lock(failures).map(|span| span.as_secs());
        assert_eq!((seconds(1), seconds(4)), (None, None));
        assert_eq!(
            (seconds(5), seconds(6), seconds(8)),
            (Some(60), Some(120), Some(480))
        );
        assert_eq!(
            (seconds(11), seconds(1_000_000)),
            (Some(3_600), Some(3_600))
        );
    }
}
