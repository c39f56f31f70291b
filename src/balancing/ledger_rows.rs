//! Where the state of a tree is kept: one row for what concerns the whole tree and one for each connector, so that what
//! happens to one of thousands costs one row.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::upsert::excluded;
use serde::{Deserialize, Serialize};

use super::state::{Memory, State};
use crate::each;
use crate::load::groups::PlanStage;
use crate::store::schema::{balancing_members, balancing_states};
use crate::store::{Conn, Json, StoreResult};
use engine::transition::{Account, Ledger, SendPolicy, Stage};
use kernel::{ConnectorId, GroupId, StationId, Timestamp};

/// Rows written by one statement.
const AT_ONCE: usize = 1_000;

/// Trees whose stages are looked up in one query.
const TREES_AT_ONCE: usize = 500;

/// What is kept of one connector.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct LedgerRow<A, M> {
    account: Option<A>,
    memory: Option<M>,
}

#[derive(Insertable)]
#[diesel(table_name = balancing_members)]
struct Row<'a> {
    group_id: GroupId,
    connector_id: ConnectorId,
    state: Json<LedgerRow<&'a Account, &'a Memory>>,
    chargestation_id: Option<StationId>,
    obeying: Option<bool>,
}

/// The state of a tree.
pub(super) fn load(conn: &mut Conn, root: GroupId) -> StoreResult<Option<State>> {
    let whole: Option<Json<State>> =
        balancing_states::table.find(root).select(balancing_states::state).first(conn).optional()?;
    let Some(Json(mut state)) = whole else {
        return Ok(None);
    };
    let ledger_rows: Vec<(ConnectorId, Json<LedgerRow<Account, Memory>>)> = balancing_members::table
        .filter(balancing_members::group_id.eq(root))
        .select((balancing_members::connector_id, balancing_members::state))
        .load(conn)?;
    let mut accounts = BTreeMap::new();
    for (connector, Json(LedgerRow { account, memory })) in ledger_rows {
        accounts.extend(account.map(|account| (connector, account)));
        state.connectors.extend(memory.map(|memory| (connector, memory)));
    }
    state.ledger = Ledger::of(SendPolicy::default(), accounts);
    Ok(Some(state))
}

/// How far the plans of these trees have come; those that never had one are left out.
pub fn stages(conn: &mut Conn, roots: &[GroupId]) -> StoreResult<BTreeMap<GroupId, PlanStage>> {
    #[derive(Debug, Deserialize)]
    struct Staged {
        stage: Option<Stage>,
    }
    let mut stages = BTreeMap::new();
    for roots in roots.chunks(TREES_AT_ONCE) {
        let found: Vec<(GroupId, Json<Staged>)> = balancing_states::table
            .filter(balancing_states::group_id.eq_any(roots))
            .select((balancing_states::group_id, balancing_states::state))
            .load(conn)?;
        stages.extend(found.into_iter().map(|(root, Json(Staged { stage }))| (root, plan_stage(stage))));
    }
    Ok(stages)
}

/// The stage as clients see it.
pub(super) const fn plan_stage(stage: Option<Stage>) -> PlanStage {
    match stage {
        None | Some(Stage::Planned) => PlanStage::Planned,
        Some(Stage::Lowering) => PlanStage::Lowering,
        Some(Stage::Raising) => PlanStage::Raising,
        Some(Stage::Settled) => PlanStage::Settled,
        Some(Stage::Degraded) => PlanStage::Degraded,
    }
}

/// Keeps the state of a tree, of which the stores have `before`.
pub(super) fn save(
    conn: &mut Conn,
    root: GroupId,
    (before, state): (&State, &State),
    now: Timestamp,
) -> StoreResult<()> {
    each!(conn, |conn| diesel::insert_into(balancing_states::table)
        .values((
            balancing_states::group_id.eq(root),
            balancing_states::state.eq(Json(state)),
            balancing_states::updated_at.eq(now),
        ))
        .on_conflict(balancing_states::group_id)
        .do_update()
        .set((
            balancing_states::state.eq(excluded(balancing_states::state)),
            balancing_states::updated_at.eq(excluded(balancing_states::updated_at)),
        ))
        .execute(conn))?;
    let connectors = |state: &State| -> BTreeSet<ConnectorId> {
        let remembered = state.connectors.keys().copied();
        remembered.chain(state.ledger.connectors()).collect()
    };
    let mut changed = connectors(before);
    changed.extend(connectors(state));
    changed.retain(|connector| {
        page(before, *connector) != page(state, *connector) || before.obeys(*connector) != state.obeys(*connector)
    });
    let changed: Vec<ConnectorId> = changed.into_iter().collect();
    for changed in changed.chunks(AT_ONCE) {
        let old = balancing_members::connector_id.eq_any(changed);
        let old = old.and(balancing_members::group_id.eq(root));
        diesel::delete(balancing_members::table.filter(old)).execute(conn)?;
        let ledger_rows = changed.iter().map(|connector| Row {
            group_id: root,
            connector_id: *connector,
            state: Json(page(state, *connector)),
            chargestation_id: state.connectors.get(connector).map(|memory| memory.station),
            obeying: state.obeys(*connector),
        });
        let rows: Vec<Row<'_>> = ledger_rows.filter(|row| !row.state.0.is_empty()).collect();
        each!(conn, |conn| diesel::insert_into(balancing_members::table).values(&rows).execute(conn))?;
    }
    Ok(())
}

/// Makes the state of every tree doubtful, because it is from a backup: stations may have got higher limits since. Each connector
/// counts at what it can draw until it confirms a limit. Answers how many connectors there are.
pub fn doubt_all(conn: &mut Conn, now: Timestamp) -> StoreResult<usize> {
    let roots: Vec<GroupId> = balancing_states::table.select(balancing_states::group_id).load(conn)?;
    let mut doubted = 0;
    for root in roots {
        let Some(before) = load(conn, root)? else {
            continue;
        };
        let mut state = before.clone();
        doubted += state.doubt_all(now);
        save(conn, root, (&before, &state), now)?;
    }
    Ok(doubted)
}

/// Forgets the state of a group that is no root any more; its plans stay to be explained.
pub(super) fn forget(conn: &mut Conn, root: GroupId) -> StoreResult<()> {
    diesel::delete(balancing_states::table.find(root)).execute(conn)?;
    let theirs = balancing_members::group_id.eq(root);
    diesel::delete(balancing_members::table.filter(theirs)).execute(conn)?;
    Ok(())
}

impl<A, M> LedgerRow<A, M> {
    /// Whether nothing is known of it any more.
    const fn is_empty(&self) -> bool {
        self.account.is_none() && self.memory.is_none()
    }
}

fn page(state: &State, connector: ConnectorId) -> LedgerRow<&Account, &Memory> {
    LedgerRow { account: state.ledger.account(connector), memory: state.connectors.get(&connector) }
}
