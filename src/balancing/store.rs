//! What balancing writes down: the state of each tree, its newest plans with the snapshots they came from, and the events
//! people should hear of, each once a change and not once a tick.

use serde_json::{Value, json};

use super::escalation;
use super::history::{self, Means, SpanKey};
use super::ledger_rows;
use super::loads::Freshness;
use super::plan_documents::Packed;
use super::plan_rows::{self, NewPlan};
use super::state::{Remark, State};
use crate::events::{Change, EventKind};
use crate::load::assets::{self, Peaks};
use crate::store::{Conn, StoreResult};
use engine::transition::Stage;
use engine::{Plan, Snapshot};
use kernel::*;

/// What one step of balancing wants to have written down.
#[derive(Debug, Clone)]
pub(super) struct Record {
    root: GroupId,
    organization: OrganizationId,
    /// What led to it.
    pub trigger: &'static str,
    /// What members did.
    pub remarks: Vec<(ConnectorId, Remark)>,
    /// Assets whose data went stale, or is fresh again.
    pub freshness: Vec<Freshness>,
    /// Meters that showed a higher load than ever on this day.
    pub peaks: Vec<(AssetId, Peaks)>,
    /// Spans of its history that are over.
    pub history: Vec<(SpanKey, Means)>,
    /// The plan breaks a promise.
    pub faulty: bool,
    /// Groups in which more may be drawn than they have.
    pub over_limit: usize,
    /// The plan, and how many of its tree are kept.
    plan: Option<(NewPlan, u32)>,
    events: Vec<(EventKind, Value)>,
}

/// Whether two plans give the same limits for the same reasons.
pub(super) fn says_the_same(left: &Plan, right: &Plan) -> bool {
    let said = |plan: &Plan| -> Vec<_> {
        plan.limits.iter().map(|limit| (limit.connector, limit.limit, limit.reason.clone())).collect()
    };
    left.nodes == right.nodes && said(left) == said(right)
}

impl Record {
    pub(super) fn new(root: GroupId, organization: OrganizationId) -> Self {
        Self {
            root,
            organization,
            trigger: "tick",
            remarks: Vec::new(),
            freshness: Vec::new(),
            peaks: Vec::new(),
            history: Vec::new(),
            faulty: false,
            over_limit: 0,
            plan: None,
            events: Vec::new(),
        }
    }

    /// Whether there is nothing to write but the state.
    pub(super) fn is_empty(&self) -> bool {
        self.plan.is_none()
            && self.events.is_empty()
            && self.remarks.is_empty()
            && self.freshness.is_empty()
            && self.peaks.is_empty()
            && self.history.is_empty()
    }

    /// Keeps a plan of this instant, as one of the `newest`.
    pub(super) fn keep(&mut self, (id, at): (PlanId, Timestamp), packed: Packed, newest: u32) {
        let new = NewPlan { id, root: self.root, at, trigger: self.trigger, packed };
        self.plan = Some((new, newest));
    }

    /// Notes what changed for the better or the worse.
    pub(super) fn judge(&mut self, state: &mut State, snapshot: &Snapshot, plan: &Plan, now: Timestamp) {
        let stage = state.ledger.stage(plan);
        if stage == Stage::Settled && state.settled != state.plan {
            state.settled = state.plan;
            let limits: Vec<Value> = plan
                .limits
                .iter()
                .map(|limit| json!({"connector": limit.connector, "limit": limit.limit.kilowatts(), "reason": limit.explain()}))
                .collect();
            let data = json!({"group": self.root, "plan": state.plan, "limits": limits});
            self.events.push((EventKind::GroupPlanSettled, data));
        }
        if stage == Stage::Degraded && state.stage != Some(Stage::Degraded) {
            let out = plan.limits.iter().filter_map(|limit| {
                let (why, reserved) = state.ledger.uncontrolled(limit.connector)?;
                Some(json!({"connector": limit.connector, "because": why, "reserved": reserved.kilowatts()}))
            });
            let data = json!({"group": self.root, "out_of_control": out.collect::<Vec<_>>()});
            self.events.push((EventKind::GroupDegraded, data));
        }
        state.stage = Some(stage);
        let exposures = state.ledger.exposures(snapshot);
        self.over_limit = exposures.iter().filter(|one| one.power > one.capacity).count();
        let exceeded = self.faulty || lasts(state, self.over_limit > 0, now);
        if exceeded && !state.exceeded_reported {
            let groups = exposures.iter().map(|one| {
                json!({"group": one.node, "worst_case_kw": one.power.kilowatts(), "capacity": one.capacity.kilowatts()})
            });
            let data = json!({"group": self.root, "groups": groups.collect::<Vec<_>>()});
            self.events.push((EventKind::GroupLimitExceeded, data));
        }
        state.exceeded_reported = exceeded;
    }

    /// Writes it all, with what changed of the state.
    pub(super) fn write(&self, conn: &mut Conn, moment: &Moment, (before, state): (&State, &State)) -> StoreResult<()> {
        ledger_rows::save(conn, self.root, (before, state), moment.now)?;
        if let Some((new, newest)) = &self.plan {
            plan_rows::insert(conn, new, *newest)?;
        }
        for (kind, data) in &self.events {
            self.report(conn, moment, *kind, None, data)?;
        }
        for (connector, remark) in &self.remarks {
            let station = state.connectors.get(connector).map(|memory| memory.station);
            let (kind, data) = match remark {
                Remark::NotObeying { draw, limit } => (
                    EventKind::GroupMemberNotObeying,
                    json!({"group": self.root, "chargestation": station, "connector": connector,
                        "power": draw.kilowatts(), "limit": limit.kilowatts()}),
                ),
                Remark::Stopped { session, exposure } => (
                    EventKind::GroupSessionStopped,
                    json!({"group": self.root, "chargestation": station, "connector": connector,
                        "session": session, "worst_case_kw": exposure.kilowatts()}),
                ),
                Remark::Obeying { draw } => (
                    EventKind::GroupMemberObeying,
                    json!({"group": self.root, "chargestation": station, "connector": connector,
                        "power": draw.kilowatts()}),
                ),
            };
            self.report(conn, moment, kind, station, &data)?;
        }
        history::write(conn, self.root, &self.history, moment.now)?;
        for (asset, peaks) in &self.peaks {
            assets::save_peaks(conn, *asset, peaks)?;
        }
        for freshness in &self.freshness {
            let kind = match freshness.stale {
                true => EventKind::GroupMeterStale,
                false => EventKind::GroupMeterFresh,
            };
            let data = json!({"group": freshness.group, "asset": freshness.asset, "latest_at": freshness.latest_at});
            self.report(conn, moment, kind, None, &data)?;
        }
        Ok(())
    }

    fn report(
        &self,
        conn: &mut Conn,
        moment: &Moment,
        kind: EventKind,
        station: Option<StationId>,
        data: &Value,
    ) -> StoreResult<()> {
        Change::new(conn, self.organization, moment).record_at(station, kind, data)
    }
}

/// Whether more may be drawn somewhere than there is, for long enough to be reported: whenever a capacity falls it is so for a
/// moment.
fn lasts(state: &mut State, is_over_limit: bool, now: Timestamp) -> bool {
    let above = !state.above.is_empty() || is_over_limit;
    state.exceeded_since = above.then(|| state.exceeded_since.unwrap_or(now));
    escalation::lasts(state, escalation::PATIENCE, now)
}
