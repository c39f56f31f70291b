//! What somebody hears who works at some locations only: events about what is there now, or was when it was deleted.
//!
//! The log does not say where something happened. The object of an event does, or its station, or its group.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::store::Row;
use crate::http::{Reach, Whereabouts};
use crate::store::{Conn, StoreResult};
use kernel::{LocationId, RawId, StationId};

/// Events that are looked at in one query, …
const LOOKED_AT_ONCE: i64 = 1_000;
/// … and in one request: a client goes on where it ended.
const MOST_LOOKED_AT: i64 = 20_000;

/// By what the place of an event is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clue {
    /// It says so.
    At(LocationId),
    /// It is where this station or group is.
    With(RawId),
}

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "_id")]
    id: Option<Value>,
    location: Option<Value>,
    group: Option<Value>,
}

impl Clue {
    /// That of an event about an object of this kind.
    pub(super) fn of(object: &str, station: Option<StationId>, data: &str) -> Option<Self> {
        let said: Option<Said> = serde_json::from_str(data).ok();
        let id = |value: Option<Value>| value.as_ref().and_then(Value::as_str).and_then(|id| id.parse::<RawId>().ok());
        let (own, location, group) =
            said.map(|said| (id(said.id), id(said.location), id(said.group))).unwrap_or_default();
        let place = if object == "location" { own } else { location };
        let at = place.map(|id| Self::At(id.into()));
        at.or(station.map(|id| Self::With(id.raw()))).or(group.map(Self::With))
    }

    const fn needed(self) -> Option<RawId> {
        match self {
            Self::With(id) => Some(id),
            Self::At(_) => None,
        }
    }

    fn place(self, known: &BTreeMap<RawId, Option<LocationId>>) -> Option<LocationId> {
        match self {
            Self::At(location) => Some(location),
            Self::With(id) => known.get(&id).copied().flatten(),
        }
    }
}

/// Which of some events happened within reach.
pub(super) fn are_near(
    conn: &mut Conn,
    (whereabouts, reach): (Whereabouts, &Reach),
    clues: &[Option<Clue>],
) -> StoreResult<Vec<bool>> {
    let mut needed: Vec<RawId> = clues.iter().flatten().copied().filter_map(Clue::needed).collect();
    needed.sort_unstable();
    needed.dedup();
    let mut known = BTreeMap::new();
    for some in needed.chunks(Reach::AT_ONCE) {
        known.extend(whereabouts(conn, some)?);
    }
    let is_near = |clue: &Option<Clue>| clue.and_then(|clue| clue.place(&known)).is_some_and(|at| reach.includes(at));
    Ok(clues.iter().map(is_near).collect())
}

/// Those of some events that happened within reach.
pub(super) fn keep_near(conn: &mut Conn, place: (Whereabouts, &Reach), rows: Vec<Row>) -> StoreResult<Vec<Row>> {
    if place.1.locations().is_none() {
        return Ok(rows);
    }
    let clues: Vec<_> = rows.iter().map(|row| Clue::of(&row.object, row.chargestation_id, &row.data)).collect();
    let near = are_near(conn, place, &clues)?;
    Ok(rows.into_iter().zip(near).filter(|(_, near)| *near).map(|(row, _)| row).collect())
}

/// A piece of the log.
pub(super) struct Piece {
    pub rows: Vec<Row>,
    /// The cursor of the last event that was looked at.
    pub looked_at: Option<i64>,
    /// Whether more may follow.
    pub goes_on: bool,
}

/// Reads on by `read`, which answers so many events beyond a cursor, until there are `limit` within reach or the log ends.
pub(super) fn read_near(
    conn: &mut Conn,
    place: (Whereabouts, &Reach),
    limit: i64,
    mut read: impl FnMut(&mut Conn, Option<i64>, i64) -> StoreResult<Vec<Row>>,
) -> StoreResult<Piece> {
    let is_bounded = place.1.locations().is_some();
    let at_once = if is_bounded { LOOKED_AT_ONCE.max(limit + 1) } else { limit + 1 };
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut rows, mut looked_at, mut looked) = (Vec::new(), None, 0);
    loop {
        let some = read(conn, looked_at, at_once)?;
        let count = i64::try_from(some.len()).unwrap_or(i64::MAX);
        let last = some.last().map(|row| row.cursor);
        rows.extend(keep_near(conn, place, some)?);
        looked += count;
        looked_at = last.or(looked_at);
        if rows.len() > wanted {
            rows.truncate(wanted);
            looked_at = rows.last().map(|row| row.cursor);
            return Ok(Piece { rows, looked_at, goes_on: true });
        }
        if count < at_once || looked >= MOST_LOOKED_AT {
            return Ok(Piece { rows, looked_at, goes_on: count == at_once });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "650000000000000000000001";
    const THING: &str = "650000000000000000000002";

    fn id(text: &str) -> RawId {
        text.parse().expect("an id")
    }

    #[test]
    fn an_event_is_where_its_object_is_or_its_station_or_its_group() {
        let station = Some(StationId::from(id(THING)));
        let at = Some(Clue::At(id(HERE).into()));
        let placed = format!(r#"{{"_id":"{THING}","location":"{HERE}"}}"#);
        assert_eq!(Clue::of("location", None, &format!(r#"{{"_id":"{HERE}"}}"#)), at);
        assert_eq!(Clue::of("chargestation", station, &placed), at, "also where the station is gone");
        assert_eq!(Clue::of("connector", station, r#"{"location":null}"#), Some(Clue::With(id(THING))));
        let grouped = format!(r#"{{"group":"{THING}"}}"#);
        assert_eq!(Clue::of("load_management.priority_charge", None, &grouped), Some(Clue::With(id(THING))));
        assert_eq!(Clue::of("organization", None, r#"{"location":"Berlin"}"#), None, "that is no id");
        assert_eq!(Clue::of("organization", None, "nothing"), None);
    }
}
