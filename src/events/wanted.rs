//! Which events somebody asks for: by type, by who caused them, by station.

use super::EventTypes;
use super::actor::kind_of;
use super::feed::Line;
use crate::store::cause::ActorKind;
use kernel::{RawId, StationId};

/// What events have to fit, each where it is given.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Their types.
    pub types: Option<EventTypes>,
    /// What kind of actor caused them.
    pub actor_type: Option<ActorKind>,
    /// Who caused them.
    pub actor: Option<RawId>,
    /// The station that they are about.
    pub station: Option<StationId>,
}

impl From<Option<EventTypes>> for Wanted {
    fn from(types: Option<EventTypes>) -> Self {
        Self { types, ..Self::default() }
    }
}

impl Wanted {
    /// Whether an event fits.
    pub(super) fn fit(&self, line: &Line) -> bool {
        let Self { types, actor_type, actor, station } = self;
        types.as_ref().is_none_or(|types| types.fit(&line.kind))
            && actor_type.is_none_or(|kind| line.actor.as_ref().is_some_and(|(number, _)| kind_of(*number) == kind))
            && actor.is_none_or(|id| line.actor.as_ref().is_some_and(|(_, known)| *known == Some(id)))
            && station.is_none_or(|id| line.station == Some(id))
    }
}
