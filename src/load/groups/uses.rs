//! Who may still need a group, and how its plan is doing. Assets and balancing import this slice, so the server hands their
//! functions in.

use std::collections::BTreeMap;

use super::model::PlanStage;
use crate::store::{Conn, StoreResult};
use kernel::GroupId;

/// Says how far the plans of trees have come, by their roots.
type Stages = fn(&mut Conn, &[GroupId]) -> StoreResult<BTreeMap<GroupId, PlanStage>>;

/// What is asked of those above.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// How many assets there are whose power concerns it: before it is deleted, or moved to another location.
    pub assets: fn(&mut Conn, GroupId) -> StoreResult<i64>,
    /// How far the plans of these trees have come; those without any are left out.
    pub stages: Stages,
}
