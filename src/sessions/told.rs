//! Which events of a transaction were told before: what is a repetition, what is news, and what belongs to another
//! transaction of the same name, because its station counts anew.

use std::time::Duration;

use diesel::prelude::*;

use super::model::{Session, SessionStatus};
use super::named::{Stage, TransactionEvent};
use crate::db::schema::transaction_events as events;
use crate::db::{Conn, StoreResult};
use crate::each;
use crate::kernel::*;

/// Two starts of a transaction this far apart are two transactions; closer ones may be one whose time was put right.
const SAME_START: Duration = Duration::from_secs(60);

#[derive(Insertable)]
#[diesel(table_name = events)]
struct Row<'a> {
    session_id: SessionId,
    seq_no: i64,
    stage: &'static str,
    trigger_reason: &'a str,
    at: Timestamp,
    received_at: Timestamp,
    offline: bool,
    raw: &'a str,
}

/// Keeps an event; its time is that of the station.
pub(super) fn keep(
    conn: &mut Conn,
    moment: &Moment,
    event: &TransactionEvent,
    session_id: SessionId,
) -> StoreResult<()> {
    let row = Row {
        session_id,
        seq_no: event.seq_no,
        stage: event.stage.name(),
        trigger_reason: &event.trigger,
        at: event.told_at,
        received_at: moment.now,
        offline: event.offline,
        raw: &event.raw,
    };
    each!(conn, |conn| diesel::insert_into(events::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(conn))?;
    Ok(())
}

/// Whether this very event was told before: the same number alone does not say so, as some stations repeat theirs.
pub(super) fn is_told(
    conn: &mut Conn,
    session: SessionId,
    event: &TransactionEvent,
) -> StoreResult<bool> {
    let same: i64 = events::table
        .filter(events::session_id.eq(session))
        .filter(events::seq_no.eq(event.seq_no))
        .filter(events::stage.eq(event.stage.name()))
        .filter(events::at.eq(event.told_at))
        .filter(events::trigger_reason.eq(&event.trigger))
        .count()
        .get_result(conn)?;
    Ok(same > 0)
}

/// Moves what was told of one session to another.
pub(super) fn hand_over(conn: &mut Conn, from: SessionId, to: SessionId) -> StoreResult<()> {
    diesel::update(events::table.filter(events::session_id.eq(from)))
        .set(events::session_id.eq(to))
        .execute(conn)?;
    Ok(())
}

/// What was told of a transaction so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    highest_number: Option<i64>,
    latest: Option<Timestamp>,
    start: Option<Timestamp>,
}

impl Told {
    /// What was told of the transaction of a session.
    pub(super) fn of(conn: &mut Conn, session: SessionId) -> StoreResult<Self> {
        use diesel::dsl::max;
        let own = || events::table.filter(events::session_id.eq(session));
        Ok(Self {
            highest_number: own().select(max(events::seq_no)).first(conn)?,
            latest: own().select(max(events::at)).first(conn)?,
            start: own()
                .filter(events::stage.eq(Stage::Started.name()))
                .select(max(events::at))
                .first(conn)?,
        })
    }

    /// Whether an event says how things are: nothing later was told, by number or by time.
    pub(super) fn is_news(&self, event: &TransactionEvent) -> bool {
        self.highest_number
            .is_none_or(|highest| event.seq_no > highest)
            || self.latest.is_none_or(|latest| event.told_at > latest)
    }

    /// Whether an event is about another transaction than that of this session, which has the same name.
    pub(super) fn is_of_another(&self, session: &Session, event: &TransactionEvent) -> bool {
        let is_over = session.status == SessionStatus::Ended;
        let after_end = |room: Duration| {
            let end = session.ended_at.filter(|_| is_over);
            end.is_some_and(|end| event.at > end + room)
        };
        match event.stage {
            Stage::Started => {
                let again = self
                    .start
                    .is_some_and(|start| event.told_at > start + SAME_START);
                again || after_end(Duration::ZERO)
            }
            Stage::Updated | Stage::Ended => {
                let counts_anew = self
                    .highest_number
                    .is_some_and(|highest| event.seq_no <= highest);
                !session.is_over_by_assumption() && counts_anew && after_end(SAME_START)
            }
        }
    }
}
