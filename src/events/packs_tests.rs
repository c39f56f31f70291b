//! Wherever events are, the log reads as a plain list of all of them would.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{
    Change, EventKind, EventTypes, Selection, Wanted, cursors_of, forget, latest_cursor, payloads_at, store,
};
use super::*;
use crate::store::cause::{self, ActorKind, Cause, ServerPart};
use crate::store::connection::Synchronous;
use crate::store::{StoreUrl, migrate};
use kernel::Moment;
use kernel::id::CountingIds;

const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
/// Events of a pack, so that some events make many.
const FEW: usize = 4;

/// What happens to the log.
#[derive(Debug, Clone)]
enum Step {
    /// A station of an organization causes an event of its own.
    Station(u8, u8, EventKind),
    /// The server causes one about a station.
    Server(u8, u8, EventKind),
    /// Seconds pass, and what is no longer young is packed.
    Pack(u64),
}

fn kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        4 => Just(EventKind::SessionUpdated),
        1 => Just(EventKind::SessionStarted),
        1 => Just(EventKind::SessionEnded),
        1 => Just(EventKind::StationNotified),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..2_u8, 0..3_u8, kind()).prop_map(|(whose, station, kind)| Step::Station(whose, station, kind)),
        3 => (0..2_u8, 0..3_u8, kind()).prop_map(|(whose, station, kind)| Step::Server(whose, station, kind)),
        2 => (0..400_u64).prop_map(Step::Pack),
    ]
}

fn organization(number: u8) -> OrganizationId {
    RawId::from_bytes([number + 1; 12]).into()
}

fn station(number: u8) -> StationId {
    RawId::from_bytes([number + 101; 12]).into()
}

/// An event as this test knows it.
#[derive(Debug, Clone)]
struct Known {
    cursor: i64,
    whose: u8,
    station: u8,
    kind: EventKind,
    by_station: bool,
    at: Timestamp,
}

struct Log {
    conn: Conn,
    ids: Arc<CountingIds>,
    now: Timestamp,
    /// What passes before each event.
    step: Duration,
    known: Vec<Known>,
    _folder: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Sqlite(folder.path().join("log.db").display().to_string());
        let mut conn = Conn::open(&url, Synchronous::Normal).expect("it opens");
        migrate::run(&mut conn).expect("a schema");
        Self {
            conn,
            ids: Arc::default(),
            now: START,
            step: Duration::from_millis(700),
            known: Vec::new(),
            _folder: folder,
        }
    }

    fn record(&mut self, (whose, station_number): (u8, u8), kind: EventKind, by_station: bool) {
        self.now = self.now + self.step;
        let (moment, id) = (Moment::new(self.now, Arc::clone(&self.ids) as _), station(station_number));
        let cause = if by_station { Cause::Station(id) } else { Cause::Server(ServerPart::Timer) };
        let data = format!("{{\"n\":{}}}", self.known.len());
        let data: serde_json::Value = serde_json::from_str(&data).expect("JSON");
        let mut change = Change::new(&mut self.conn, organization(whose), &moment);
        cause::during(cause, || change.record_at(id, kind, &data)).expect("recorded");
        let cursor = i64::try_from(self.known.len() + 1).expect("small");
        self.known.push(Known { cursor, whose, station: station_number, kind, by_station, at: self.now });
    }

    fn pack(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        while let Some(packing) = Packing::prepared(&mut self.conn, self.now, FEW).expect("prepared") {
            self.conn.write(|conn| packing.store(conn)).expect("packed");
        }
    }

    fn wanted(&self, fit: impl Fn(&Known) -> bool) -> Vec<&Known> {
        self.known.iter().filter(|one| fit(one)).collect()
    }
}

fn cursors(rows: &[Row]) -> Vec<i64> {
    rows.iter().map(|row| row.cursor).collect()
}

fn known_cursors<'k>(known: impl IntoIterator<Item = &'k Known>) -> Vec<i64> {
    known.into_iter().map(|one| one.cursor).collect()
}

/// What somebody asks for, and whether an event is of it.
type Question = (Wanted, fn(&Known) -> bool);

fn questions() -> Vec<Question> {
    let types = |text: &str| -> Option<EventTypes> { Some(text.parse().expect("types")) };
    vec![
        (Wanted::default(), |_| true),
        (Wanted::from(types("session.updated")), |one| one.kind == EventKind::SessionUpdated),
        (Wanted::from(types("session.started,chargestation.notified")), |one| {
            matches!(one.kind, EventKind::SessionStarted | EventKind::StationNotified)
        }),
        (Wanted::from(types("chargestation.notified")), |one| one.kind == EventKind::StationNotified),
        (Wanted { station: Some(station(1)), ..Wanted::default() }, |one| one.station == 1),
        (Wanted { actor_type: Some(ActorKind::Station), ..Wanted::default() }, |one| one.by_station),
        (Wanted { actor_type: Some(ActorKind::Server), ..Wanted::default() }, |one| !one.by_station),
        (Wanted { actor: Some(station(2).raw()), ..Wanted::default() }, |one| one.by_station && one.station == 2),
        (Wanted { actor: Some(station(2).raw()), station: Some(station(1)), types: None, actor_type: None }, |_| false),
        (Wanted { types: types("session.*"), station: Some(station(0)), ..Wanted::default() }, |one| {
            one.station == 0 && one.kind != EventKind::StationNotified
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_reads_as_a_plain_list_wherever_its_events_are(
        steps in proptest::collection::vec(step(), 1..160),
        (after, limit) in (0..160_i64, 1..40_i64),
    ) {
        let mut log = Log::new();
        for step in steps {
            match step {
                Step::Station(whose, station, kind) => log.record((whose, station), kind, true),
                Step::Server(whose, station, kind) => log.record((whose, station), kind, false),
                Step::Pack(seconds) => log.pack(seconds),
            }
        }
        let most = usize::try_from(limit).expect("small");
        let newest = i64::try_from(log.known.len()).expect("small");
        prop_assert_eq!(settled_cursor(&mut log.conn).expect("a cursor"), newest);

        for whose in 0..2 {
            let own = |one: &Known| one.whose == whose;
            for (wanted, fit) in questions() {
                let fit = |one: &Known| own(one) && fit(one);
                let there = store::list_after(&mut log.conn, organization(whose), after, &wanted, limit).expect("a list");
                let expected = log.wanted(|one| fit(one) && one.cursor > after);
                prop_assert_eq!(cursors(&there), known_cursors(expected.into_iter().take(most)), "{:?}", wanted);
                for row in &there {
                    let one = &log.known[usize::try_from(row.cursor).expect("small") - 1];
                    prop_assert_eq!(&row.type_, &one.kind.name());
                    prop_assert_eq!(&row.object, one.kind.object());
                    prop_assert_eq!(&row.data, &format!("{{\"n\":{}}}", one.cursor - 1));
                    prop_assert_eq!((row.created_at, row.chargestation_id), (one.at, Some(station(one.station))));
                    prop_assert_eq!(row.actor == Some(STATION), one.by_station);
                }
                let back = store::list_before(&mut log.conn, organization(whose), after, &wanted, limit).expect("a list");
                let expected = log.wanted(|one| fit(one) && (after == 0 || one.cursor < after));
                prop_assert_eq!(cursors(&back), known_cursors(expected.into_iter().rev().take(most)), "back {:?}", wanted);
            }
            let last = log.wanted(own).last().map_or(0, |one| one.cursor);
            prop_assert_eq!(latest_cursor(&mut log.conn, organization(whose)).expect("a cursor"), last);

            let (from, to) = (START + Duration::from_secs(20), START + Duration::from_secs(200));
            let mut found = cursors_of(&mut log.conn, organization(whose), (&Selection::Times(from, to), None), 1_000).expect("found");
            found.sort_unstable();
            let expected = log.wanted(|one| own(one) && (from..=to).contains(&one.at));
            prop_assert_eq!(&found, &known_cursors(expected));
            let payloads = payloads_at(&mut log.conn, organization(whose), &found, false).expect("payloads");
            prop_assert_eq!(payloads.iter().map(|one| one.cursor).collect::<Vec<_>>(), found);
            let ids: Vec<EventId> = payloads.iter().map(|one| one.id).step_by(3).collect();
            let again: Vec<i64> = payloads.iter().map(|one| one.cursor).step_by(3).collect();
            let by_id = cursors_of(&mut log.conn, organization(whose), (&Selection::Ids(ids), None), 1_000).expect("found");
            prop_assert_eq!(by_id, again);
        }
        let all = store::list_all_between(&mut log.conn, (after, newest), limit).expect("a list");
        prop_assert_eq!(cursors(&all), (after + 1..=newest).take(most).collect::<Vec<_>>());

        // What is old goes: of a pack all events or none.
        let before = START + Duration::from_secs(90);
        let mut next = None;
        loop {
            next = log.conn.write(|conn| forget(conn, before, &BTreeMap::new(), next.take())).expect("deleted").next;
            if next.is_none() { break }
        }
        let oldest: Option<Timestamp> = event_packs::table.select(diesel::dsl::min(event_packs::until)).first(&mut log.conn).expect("a time");
        prop_assert!(oldest.is_none_or(|oldest| oldest >= before));
        for whose in 0..2 {
            let kept = store::list_after(&mut log.conn, organization(whose), 0, &Wanted::default(), 1_000).expect("a list");
            let young = log.wanted(|one| one.whose == whose && one.at >= before);
            prop_assert!(known_cursors(young).iter().all(|cursor| cursors(&kept).contains(cursor)));
        }
        log.record((0, 0), EventKind::SessionUpdated, true);
        let last = store::list_after(&mut log.conn, organization(0), newest, &Wanted::default(), 10).expect("a list");
        prop_assert_eq!(cursors(&last), [newest + 1], "no cursor is taken twice");
    }
}

#[test]
fn a_pack_that_cannot_be_read_is_left_and_the_others_are_served() {
    let mut log = Log::new();
    for _ in 0..3 * FEW {
        log.record((0, 0), EventKind::SessionUpdated, true);
    }
    log.pack(1_000);
    let second = event_packs::table.filter(event_packs::first.eq(5));
    diesel::update(second).set(event_packs::body.eq(vec![1, 2, 3])).execute(&mut log.conn).expect("damaged");
    let there = store::list_after(&mut log.conn, organization(0), 0, &Wanted::default(), 100).expect("a list");
    assert_eq!(cursors(&there), [1, 2, 3, 4, 9, 10, 11, 12]);
    let packs: i64 = event_packs::table.count().get_result(&mut log.conn).expect("a count");
    assert_eq!(packs, 3);
}

#[test]
fn what_is_packed_while_it_is_read_is_found_once() {
    let mut log = Log::new();
    for _ in 0..FEW {
        log.record((0, 0), EventKind::SessionUpdated, true);
    }
    // As for a reader who had the rows before they became a pack, and has the pack after.
    let copied = "CREATE TABLE copied AS SELECT * FROM frequent_events";
    diesel::sql_query(copied).execute(&mut log.conn).expect("copied");
    log.pack(1_000);
    let back = "INSERT INTO frequent_events SELECT * FROM copied";
    diesel::sql_query(back).execute(&mut log.conn).expect("put back");
    let there = store::list_after(&mut log.conn, organization(0), 0, &Wanted::default(), 100).expect("a list");
    assert_eq!(cursors(&there), [1, 2, 3, 4]);
    let payloads = payloads_at(&mut log.conn, organization(0), &[2, 3], false).expect("payloads");
    assert_eq!(payloads.iter().map(|one| one.cursor).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn what_a_webhook_has_not_taken_over_stays() {
    let mut log = Log::new();
    for whose in [0, 0, 0, 0, 1, 0, 0, 0, 0] {
        log.record((whose, 0), EventKind::SessionUpdated, true);
    }
    log.pack(1_000);
    let (now, needed) = (log.now, BTreeMap::from([(organization(0), 4)]));
    forget(&mut log.conn, now, &needed, None).expect("deleted");
    let left = |log: &mut Log, whose| {
        let all = store::list_after(&mut log.conn, organization(whose), 0, &Wanted::default(), 100);
        cursors(&all.expect("a list"))
    };
    assert_eq!((left(&mut log, 0), left(&mut log, 1)), (vec![6, 7, 8, 9], vec![]), "taken over up to 4");
}

#[test]
fn what_is_young_or_little_waits() {
    let mut log = Log::new();
    let packed = |log: &mut Log| -> i64 { event_packs::table.count().get_result(&mut log.conn).expect("a count") };
    log.record((0, 0), EventKind::SessionUpdated, true);
    log.pack(599);
    assert_eq!(packed(&mut log), 0, "it is ten minutes old in a second");
    log.pack(1);
    assert_eq!(packed(&mut log), 1);
    log.step = Duration::ZERO;
    for _ in 1..MANY {
        log.record((0, 0), EventKind::SessionUpdated, true);
    }
    log.pack(120);
    assert_eq!(packed(&mut log), 1, "one is missing");
    log.record((0, 0), EventKind::SessionUpdated, true);
    log.pack(119);
    assert_eq!(packed(&mut log), 1, "the newest is young");
    log.pack(1);
    assert_eq!(packed(&mut log), 251, "four in each, with the first");
}
