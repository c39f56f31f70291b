//! Who caused an event: what is kept of it with the event, and what is shown.
//!
//! Stations cause nearly all of them, and those are about the station itself: such an event keeps a small number and nothing else.
//! Names are kept of people and keys alone, as they were at that instant.

use serde::Serialize;

use super::store::Row;
use crate::http::Principal;
use crate::http::caller::{Permission, ReadAudit};
use crate::store::cause::{ActorKind, Cause, ServerPart, Who};
use crate::store::{Conn, StoreResult};
use kernel::StationId;
use kernel::spelled::Spelled;

/// The numbers of actors in the column `actor`; parts of the server have those from [`PARTS`] on.
const NUMBERS: [(i16, ActorKind); 7] = [
    (0, ActorKind::Server),
    (STATION, ActorKind::Station),
    (2, ActorKind::Balancing),
    (3, ActorKind::Driver),
    (4, ActorKind::ApiKey),
    (5, ActorKind::Operator),
    (6, ActorKind::HomeUser),
];
/// That of stations, which SQLite stores in no byte of its own.
pub(super) const STATION: i16 = 1;
/// The number of the first part of the server, and of nothing else from there on.
pub(super) const PARTS: i16 = 10;

/// The number of a kind of actor.
pub(super) fn number_of(kind: ActorKind) -> i16 {
    NUMBERS.iter().find(|(_, known)| *known == kind).map_or(0, |(number, _)| *number)
}

const fn number_of_part(part: ServerPart) -> i16 {
    PARTS
        + match part {
            ServerPart::Retention => 0,
            ServerPart::Timer => 1,
            ServerPart::Provisioning => 2,
            ServerPart::OpeningHours => 3,
            ServerPart::AcceptanceTests => 4,
            ServerPart::Webhooks => 5,
            ServerPart::AccessControl => 6,
            ServerPart::Startup => 7,
            ServerPart::CommandLine => 8,
        }
}

/// The kind of actor with a number.
pub(super) fn kind_of(number: i16) -> ActorKind {
    NUMBERS.iter().find(|(known, _)| *known == number).map_or(ActorKind::Server, |(_, kind)| *kind)
}

/// The name of the part of the server with a number.
fn part_of(number: i16) -> Option<&'static str> {
    ServerPart::ALL.iter().find(|part| number_of_part(**part) == number).map(|part| part.as_str())
}

/// What an event keeps of who caused it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Actor {
    /// What kind it is.
    pub number: i16,
    /// Its id, unless it is the station that the event is about.
    pub id: Option<String>,
    /// What it was called.
    pub name: Option<String>,
}

impl Actor {
    /// Who causes what is written here about this station, or about none.
    pub(super) fn here(conn: &mut Conn, cause: Option<&Cause>, about: Option<StationId>) -> StoreResult<Self> {
        let plain = |number| Self { number, ..Self::default() };
        Ok(match cause {
            None => Self::default(),
            Some(Cause::Station(id)) => Self { id: (about != Some(*id)).then(|| id.to_string()), ..plain(STATION) },
            Some(Cause::Balancing) => plain(number_of(ActorKind::Balancing)),
            Some(Cause::Server(part)) => plain(number_of_part(*part)),
            Some(Cause::Caller(noted)) => match noted.who() {
                None => Self::default(),
                Some(who) => Self::of(conn, who)?,
            },
            Some(Cause::Driver(noted)) => match noted.who() {
                None => plain(number_of(ActorKind::Driver)),
                Some(who) => Self::of(conn, who)?,
            },
        })
    }

    /// Somebody who made a request.
    fn of(conn: &mut Conn, who: &Who) -> StoreResult<Self> {
        Ok(Self { number: number_of(who.kind), id: Some(who.id.to_string()), name: Some(who.name(conn)?) })
    }
}

/// Who changed something.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct ActorView {
    /// What kind of actor it is.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// The id of the key, the operator, the home user, the charge station, or the user as whom a driver is logged in; it may be gone by
    /// now. Null for all others.
    #[serde(rename = "_id")]
    #[schema(example = "650000000000000000000001")]
    pub id: Option<String>,
    /// What the key, the operator, the home user or the driver was called then, for those who have the scope `read:audit`; which part of
    /// the server it was. Null for all others.
    #[schema(example = "Grace Hopper")]
    pub name: Option<String>,
}

impl ActorView {
    /// That of a number, an id and a name.
    pub(super) fn new(number: i16, id: Option<String>, name: Option<String>) -> Self {
        Self { kind: kind_of(number), id, name: name.or_else(|| part_of(number).map(str::to_owned)) }
    }
}

impl Row {
    /// The id of who caused it, where it has one.
    pub(super) fn actor_id(&self) -> Option<String> {
        let itself = (self.actor == Some(STATION)).then_some(self.chargestation_id).flatten();
        self.actor_id.clone().or_else(|| itself.map(|id| id.to_string()))
    }

    /// Who caused it; none where it is older than that is known.
    pub(super) fn actor(&self) -> Option<ActorView> {
        self.actor.map(|number| ActorView::new(number, self.actor_id(), self.actor_name.clone()))
    }
}

/// What somebody sees of events besides their objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Numbers of cards whole.
    pub cards: bool,
    /// The names of people and keys who caused them.
    pub names: bool,
}

impl Sight {
    /// Neither.
    pub const NEITHER: Self = Self { cards: false, names: false };

    /// The same for what has only some of it: what is not there is seen.
    pub(super) const fn within(self, has: Self) -> Self {
        Self { cards: self.cards || !has.cards, names: self.names || !has.names }
    }

    /// That of a caller, who sees numbers of cards or does not.
    pub fn of(caller: &Principal, cards: bool) -> Self {
        Self { cards, names: caller.may(ReadAudit::SCOPE) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_number_means_one_actor() {
        let kinds = ActorKind::ALL.iter().map(|kind| number_of(*kind));
        let parts = ServerPart::ALL.iter().map(|part| number_of_part(*part));
        let all: Vec<i16> = kinds.chain(parts).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), ActorKind::ALL.len() + ServerPart::ALL.len());
        assert!(ActorKind::ALL.iter().all(|kind| kind_of(number_of(*kind)) == *kind && number_of(*kind) < PARTS));
        for part in ServerPart::ALL {
            let shown = ActorView::new(number_of_part(*part), None, None);
            assert_eq!((shown.kind, shown.name.as_deref()), (ActorKind::Server, Some(part.as_str())));
        }
    }
}
