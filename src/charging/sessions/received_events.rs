//! Which events of a transaction were received before: what is a repetition, what is news, and what belongs to another
//! transaction of the same name, because its station counts anew.

use std::cmp::Ordering;
use std::time::Duration;

use diesel::prelude::*;
use serde_json::Value;

use super::model::{ChargingState, Session, SessionStatus};
use super::ocpp2_transactions::{Stage, TransactionEvent};
use super::open;
use super::repetition::{OF_ONE_TIME, is_repeated_start};
use crate::each;
use crate::store::schema::transaction_events as events;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// Two starts of a transaction this far apart are two transactions; closer ones may be one whose time was put right.
const SAME_START: Duration = Duration::from_secs(60);
/// How long after its start a transaction that runs may be reported to start once more, under the next number: for the card, and for
/// the cable.
const STARTS_IN_PARTS: Duration = Duration::from_secs(900);
/// How long after an end something is reported that came together with it, and is of another transaction where it shows a draw.
const LONG_AFTER: Duration = Duration::from_secs(600);
/// A draw that a plug without a car does not show.
const DRAWING: Watts = Watts(100);
/// Wh by which its register differs after its end where something is drawn.
const RISE: u64 = 100;
/// Events of one kind and one time that are compared with another: those of a clock that stands still.
const MOST_OF_ONE_TIME: i64 = 100;

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

/// Keeps an event; its time is that of the station. What a clock that stands still shows lies microseconds apart. `seen` is what was
/// received before.
pub(super) fn keep(
    conn: &mut Conn,
    moment: &Moment,
    event: &TransactionEvent,
    (session_id, seen): (SessionId, ReceivedEvents),
) -> StoreResult<()> {
    let like = match seen.latest {
        Some(latest) if event.station_time <= latest => like(conn, session_id, event)?,
        _ => Vec::new(),
    };
    let at = like
        .first()
        .map_or(event.station_time, |(latest, _)| Timestamp::from_micros(latest.micros().saturating_add(1)));
    let row = Row {
        session_id,
        seq_no: event.seq_no,
        stage: event.stage.name(),
        trigger_reason: &event.trigger,
        at,
        received_at: moment.now,
        offline: event.offline,
        raw: &event.raw,
    };
    each!(conn, |conn| diesel::insert_into(events::table).values(&row).on_conflict_do_nothing().execute(conn))?;
    if let Some(memory) = open::to_change()? {
        memory.remember_events(session_id, Some(seen.with(event, at)));
    }
    Ok(())
}

/// Times and words of the events of this number, stage, trigger and time, the latest first.
fn like(conn: &mut Conn, session: SessionId, event: &TransactionEvent) -> StoreResult<Vec<(Timestamp, String)>> {
    Ok(events::table
        .filter(events::session_id.eq(session))
        .filter(events::seq_no.eq(event.seq_no))
        .filter(events::stage.eq(event.stage.name()))
        .filter(events::trigger_reason.eq(&event.trigger))
        .filter(events::at.ge(event.station_time))
        .filter(events::at.lt(event.station_time + OF_ONE_TIME))
        .order(events::at.desc())
        .limit(MOST_OF_ONE_TIME)
        .select((events::at, events::raw))
        .load(conn)?)
}

/// Whether this very event was received before: the same number alone does not say so, as some stations repeat theirs. Where the
/// clock shows still what it showed at the start, its words must be the same, too.
pub(super) fn was_received(
    conn: &mut Conn,
    moment: &Moment,
    session: &Session,
    event: &TransactionEvent,
) -> StoreResult<bool> {
    use diesel::dsl::{max, min};
    if ReceivedEvents::of(conn, session.id)?.latest.is_none_or(|latest| event.station_time > latest) {
        return Ok(false);
    }
    let like = like(conn, session.id, event)?;
    if like.is_empty() {
        return Ok(false);
    }
    let own = || events::table.filter(events::session_id.eq(session.id));
    if event.stage == Stage::Started {
        let ended: Option<Timestamp> =
            own().filter(events::stage.eq(Stage::Ended.name())).select(max(events::at)).first(conn)?;
        return is_repeated_start(conn, moment.now, session, (event.station_time, ended));
    }
    let first: Option<Timestamp> = own().select(min(events::at)).first(conn)?;
    let stands_still = first.is_some_and(|first| event.station_time < first + OF_ONE_TIME);
    Ok(!stands_still || like.iter().any(|(_, raw)| says_the_same(raw, &event.raw)))
}

/// Whether two events say the same, but for whether the station was offline when they were sent.
fn says_the_same(one: &str, other: &str) -> bool {
    let read = |raw: &str| -> Option<Value> {
        let mut event: Value = serde_json::from_str(raw).ok()?;
        event.as_object_mut()?.remove("offline");
        Some(event)
    };
    one == other || read(one).is_some_and(|one| read(other) == Some(one))
}

/// Moves what was received of one session to another.
pub(super) fn hand_over(conn: &mut Conn, from: SessionId, to: SessionId) -> StoreResult<()> {
    diesel::update(events::table.filter(events::session_id.eq(from))).set(events::session_id.eq(to)).execute(conn)?;
    if let Some(memory) = open::to_change()? {
        memory.remember_events(to, None);
    }
    Ok(())
}

/// What was received of a transaction so far. Times are those of the station.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReceivedEvents {
    highest_number: Option<i64>,
    latest: Option<Timestamp>,
    start: Option<Timestamp>,
}

impl ReceivedEvents {
    /// What was received of the transaction of a session.
    pub(super) fn of(conn: &mut Conn, session: SessionId) -> StoreResult<Self> {
        use diesel::dsl::max;
        let memory = open::to_change()?;
        if let Some(known) = memory.as_ref().and_then(|memory| memory.get(session)?.events) {
            return Ok(known);
        }
        let own = || events::table.filter(events::session_id.eq(session));
        let found = Self {
            highest_number: own().select(max(events::seq_no)).first(conn)?,
            latest: own().select(max(events::at)).first(conn)?,
            start: own().filter(events::stage.eq(Stage::Started.name())).select(max(events::at)).first(conn)?,
        };
        if let Some(memory) = memory {
            memory.remember_events(session, Some(found));
        }
        Ok(found)
    }

    /// The same with one that is kept at this time.
    fn with(self, event: &TransactionEvent, at: Timestamp) -> Self {
        let start = (event.stage == Stage::Started).then_some(at);
        Self {
            highest_number: self.highest_number.max(Some(event.seq_no)),
            latest: self.latest.max(Some(at)),
            start: self.start.max(start),
        }
    }

    /// Whether its start was received.
    pub(super) const fn knows_start(&self) -> bool {
        self.start.is_some()
    }

    /// Whether an event says how things are: nothing later was received, by number or by time. Where both stand still, each is news.
    pub(super) fn is_news(&self, event: &TransactionEvent) -> bool {
        let by_number = self.highest_number.map_or(Ordering::Greater, |highest| event.seq_no.cmp(&highest));
        let is_later = self.latest.is_none_or(|latest| event.station_time > latest);
        let is_same_time = self.latest.is_some_and(|latest| latest < event.station_time + OF_ONE_TIME);
        by_number.is_gt() || is_later || (by_number.is_eq() && is_same_time)
    }

    /// Whether an event is about another transaction than that of this session, which has the same name.
    pub(super) fn is_of_another(&self, session: &Session, event: &TransactionEvent, now: Timestamp) -> bool {
        let is_over = session.status == SessionStatus::Ended;
        let has_ended = is_over && !session.is_over_by_assumption();
        let after_end = |room: Duration| {
            let end = session.ended_at.filter(|_| is_over);
            end.is_some_and(|end| event.at > end + room)
        };
        let highest = self.highest_number.unwrap_or(i64::MAX);
        if event.stage != Stage::Started {
            let counts_anew = event.seq_no <= highest && self.highest_number.is_some();
            let heard = session.heard_at();
            let is_live = heard.is_none_or(|end| now.since(end) > SAME_START);
            let goes_on = (is_live || after_end(LONG_AFTER)) && draws(session, event);
            return has_ended && after_end(SAME_START) && (counts_anew || goes_on);
        }
        let Some(start) = self.start else {
            return after_end(Duration::ZERO); // else it is reported late
        };
        let is_next = event.seq_no == highest.saturating_add(1);
        if is_next && !has_ended && event.station_time < start + STARTS_IN_PARTS {
            return false;
        }
        // A start whose time was put right is repeated before anything else comes.
        let went_back = event.station_time + SAME_START < start && event.seq_no < highest;
        let again = event.station_time > start + SAME_START || went_back;
        has_ended || again || after_end(Duration::ZERO)
    }
}

/// Whether an event shows that energy flows, or has flowed since the end of a session: some stations send values with the name of
/// a transaction that ended.
fn draws(session: &Session, event: &TransactionEvent) -> bool {
    let end = session.meter_stop.map(WattHours::get);
    let rose = |register: WattHours| end.is_none_or(|end| register.get().abs_diff(end) > RISE);
    event.state == Some(ChargingState::Charging)
        || event.samples.iter().any(|sample| {
            sample.reading.power.is_some_and(|power| power > DRAWING) || sample.reading.energy.is_some_and(rose)
        })
}
