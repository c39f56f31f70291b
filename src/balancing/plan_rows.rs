//! The rows of plans: written as differences against a base ([`super::plan_documents`]), read as what they were.
//!
//! A base stays as long as a plan hangs on it, which the foreign key holds as well. So plans go one by one when they are old or too
//! many, as if each stood alone. Rows of programs up to 0.1.0 have both documents as plain JSON, and are read as they are.

use std::collections::BTreeMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::plan_documents::{self, Fault, Packed};
use crate::store::schema::{plan_bases, plans};
use crate::store::{Conn, Json, StoreResult};
use engine::{Plan, Snapshot};
use kernel::{GroupId, PlanId, Timestamp};

/// A plan that is to be stored.
#[derive(Debug, Clone)]
pub(super) struct NewPlan {
    pub id: PlanId,
    /// The root of its tree.
    pub root: GroupId,
    pub at: Timestamp,
    /// What led to it.
    pub trigger: &'static str,
    pub packed: Packed,
}

/// A plan as it was kept.
#[derive(Debug)]
pub(super) struct StoredPlan {
    pub id: PlanId,
    pub at: Timestamp,
    pub trigger: String,
    pub snapshot: Snapshot,
    pub plan: Plan,
}

/// A plan that is there and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the plan {id} cannot be read: {fault}")]
pub(super) struct Damaged {
    id: PlanId,
    fault: Fault,
}

/// A plan, as far as it can be read.
pub(super) type Found = Result<StoredPlan, Damaged>;

/// What is kept of a plan: a base with a difference, or, by an older program, a snapshot with a plan.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = plans)]
struct Row {
    id: PlanId,
    at: Timestamp,
    trigger: String,
    snapshot: Json<Option<Snapshot>>,
    plan: Json<Option<Plan>>,
    base_id: Option<PlanId>,
    difference: Option<Vec<u8>>,
}

/// Adds a plan, and forgets all of its tree but the `newest`.
pub(super) fn insert(conn: &mut Conn, new: &NewPlan, newest: u32) -> StoreResult<()> {
    let NewPlan { id, root, at, trigger, packed } = new;
    if let Some(base) = &packed.new_base {
        diesel::insert_into(plan_bases::table)
            .values((
                plan_bases::id.eq(packed.base),
                plan_bases::group_id.eq(root),
                plan_bases::document.eq(base.as_ref()),
            ))
            .execute(conn)?;
    }
    diesel::insert_into(plans::table)
        .values((
            plans::id.eq(id),
            plans::group_id.eq(root),
            plans::at.eq(at),
            plans::trigger.eq(trigger),
            plans::snapshot.eq(Json(None::<Snapshot>)),
            plans::plan.eq(Json(None::<Plan>)),
            plans::base_id.eq(packed.base),
            plans::difference.eq(packed.difference.as_slice()),
        ))
        .execute(conn)?;
    let too_old: Option<PlanId> = plans::table
        .filter(plans::group_id.eq(root))
        .order(plans::id.desc())
        .offset(i64::from(newest.max(1)))
        .limit(1)
        .select(plans::id)
        .first(conn)
        .optional()?;
    if let Some(last) = too_old {
        let old = plans::group_id.eq(root).and(plans::id.le(last));
        diesel::delete(plans::table.filter(old)).execute(conn)?;
        delete_unused_bases(conn, *root)?;
    }
    Ok(())
}

/// Deletes the bases of a tree that no plan hangs on any more.
pub(super) fn delete_unused_bases(conn: &mut Conn, root: GroupId) -> StoreResult<()> {
    let plan = plans::table.filter(plans::base_id.eq(plan_bases::id.nullable()));
    let unused = plan_bases::group_id.eq(root).and(not(exists(plan)));
    diesel::delete(plan_bases::table.filter(unused)).execute(conn)?;
    Ok(())
}

/// The plan that applied at this instant, or the newest.
pub(super) fn plan_at(conn: &mut Conn, root: GroupId, at: Option<Timestamp>) -> StoreResult<Option<Found>> {
    let mut rows = plans::table.filter(plans::group_id.eq(root)).into_boxed();
    if let Some(at) = at {
        rows = rows.filter(plans::at.le(at));
    }
    let row = rows.order((plans::at.desc(), plans::id.desc())).select(Row::as_select()).first(conn).optional()?;
    Ok(read(conn, row.into_iter().collect())?.pop())
}

/// The plans that applied between two instants, oldest first: the one that applied at the first, and those made since. What
/// cannot be read is left out.
pub(super) fn plans_between(
    conn: &mut Conn,
    root: GroupId,
    (from, to): (Timestamp, Timestamp),
) -> StoreResult<Vec<StoredPlan>> {
    let made = plans::table
        .filter(plans::group_id.eq(root))
        .filter(plans::at.gt(from).and(plans::at.lt(to)))
        .order((plans::at, plans::id))
        .select(Row::as_select())
        .load(conn)?;
    let held = plan_at(conn, root, Some(from))?;
    let made = read(conn, made)?;
    Ok(held.into_iter().chain(made).filter_map(readable).collect())
}

/// The newest plans, newest first, after leaving out the first `skipped`, and what cannot be read.
pub(super) fn list_plans(conn: &mut Conn, root: GroupId, skipped: i64, limit: i64) -> StoreResult<Vec<StoredPlan>> {
    let rows = plans::table
        .filter(plans::group_id.eq(root))
        .order(plans::id.desc())
        .offset(skipped)
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    Ok(read(conn, rows)?.into_iter().filter_map(readable).collect())
}

/// A plan that can be read; of another the log says why not.
pub(super) fn readable(found: Found) -> Option<StoredPlan> {
    found.inspect_err(|damaged| tracing::error!(error = %damaged, "a stored plan is left out")).ok()
}

/// Puts plans together again, in the same order.
fn read(conn: &mut Conn, rows: Vec<Row>) -> StoreResult<Vec<Found>> {
    let mut ids: Vec<PlanId> = rows.iter().filter_map(|row| row.base_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let packed: Vec<(PlanId, Vec<u8>)> = match ids.is_empty() {
        true => Vec::new(),
        false => plan_bases::table
            .filter(plan_bases::id.eq_any(&ids))
            .select((plan_bases::id, plan_bases::document))
            .load(conn)?,
    };
    let bases = packed.into_iter().map(|(id, packed)| (id, plan_documents::read_base(id, &packed)));
    let bases: BTreeMap<PlanId, Result<Vec<u8>, Fault>> = bases.collect();
    Ok(rows.into_iter().map(|row| row.read(&bases)).collect())
}

impl Row {
    fn read(self, bases: &BTreeMap<PlanId, Result<Vec<u8>, Fault>>) -> Found {
        let Self { id, at, trigger, snapshot: Json(snapshot), plan: Json(plan), base_id, difference } = self;
        let read = match (snapshot, plan, base_id, difference) {
            (Some(snapshot), Some(plan), ..) => Ok((snapshot, plan)),
            (.., Some(base), Some(difference)) => match bases.get(&base) {
                Some(Ok(document)) => plan_documents::read(base, document, &difference),
                Some(Err(fault)) => Err(fault.clone()),
                None => Err(Fault::NoBase(base)),
            },
            _ => Err(Fault::Document("it is empty".to_owned())),
        };
        match read {
            Ok((snapshot, plan)) => Ok(StoredPlan { id, at, trigger, snapshot, plan }),
            Err(fault) => Err(Damaged { id, fault }),
        }
    }
}
