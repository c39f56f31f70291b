//! Limits that somebody else than this server put on a station or one of its EVSEs: an energy manager on site, a grid
//! operator. The station keeps them by itself; whoever shares power out should know of them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::http::quantities::{LimitUnit, shown};
use crate::sites::stations::link::Enforced;
use crate::store::Json;
use crate::store::schema::external_limits;
use kernel::{EvseId, StationId, Timestamp};

/// An external limit, as the station reported it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = external_limits)]
pub struct ExternalLimit {
    /// The station.
    pub chargestation_id: StationId,
    /// The station's number of the EVSE; 0 is the whole station.
    pub evse_number: i32,
    /// Who set it, in OCPP's words: EMS, SO, CSO, Other.
    pub source: String,
    /// The EVSE; none is the whole station.
    pub evse_id: Option<EvseId>,
    /// Whether the grid depends on it, where that was reported.
    pub grid_critical: Option<bool>,
    /// Whether it is what a local generation gives besides, which limits nothing.
    pub local_generation: bool,
    /// What applies when; nothing where that was not reported.
    pub schedules: Json<Vec<LimitSchedule>>,
    /// When it was reported.
    #[diesel(column_name = told_at)]
    pub reported_at: Timestamp,
}

/// Limits that follow each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitSchedule {
    /// When the first one begins.
    pub start: Timestamp,
    /// When the last one is over; none means that it applies until the limit is cleared.
    pub end: Option<Timestamp>,
    /// The limits in their order.
    pub steps: Vec<LimitStep>,
}

/// A limit that applies until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LimitStep {
    /// From when.
    pub from: Timestamp,
    /// What may be drawn; none where this step limits nothing.
    pub limit: Option<Enforced>,
    /// On how many phases, where that was reported.
    pub phases: Option<i64>,
}

impl LimitSchedule {
    fn step_at(&self, now: Timestamp) -> Option<&LimitStep> {
        self.end.is_none_or(|end| now < end).then_some(())?;
        self.steps.iter().rev().find(|step| step.from <= now)
    }
}

impl ExternalLimit {
    /// The limits that apply at an instant; several where several schedules do.
    pub fn holding_at(&self, now: Timestamp) -> impl Iterator<Item = &LimitStep> {
        let schedules = self.schedules.0.iter().filter(|_| !self.local_generation);
        schedules.filter_map(move |schedule| schedule.step_at(now)).filter(|step| step.limit.is_some())
    }

    /// When other limits apply next.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let instants = self.schedules.0.iter().flat_map(|schedule| {
            let steps = schedule.steps.iter().map(|step| step.from);
            steps.chain(schedule.end)
        });
        instants.filter(|at| *at > now).min()
    }
}

/// A limit that somebody else put on a station or one of its EVSEs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExternalLimitView {
    /// The EVSE; null is the whole station.
    pub evse: Option<EvseId>,
    /// The station's number of the EVSE; 0 is the whole station.
    pub evse_number: i32,
    /// Who set it, as the station reported it: EMS (an energy manager), SO (a system operator), CSO, Other.
    #[schema(example = "EMS")]
    pub source: String,
    /// Whether the grid depends on it, where the station reported it.
    pub is_grid_critical: Option<bool>,
    /// Whether it is power of a local generation that comes on top; it limits nothing then.
    pub is_local_generation: bool,
    /// What may be drawn now; empty where nothing is limited or the station did not report how much.
    pub now: Vec<LimitView>,
    /// What may be drawn when, the steps of each schedule in their order.
    pub steps: Vec<LimitStepView>,
    /// When the station reported it.
    #[serde(rename = "told_at")]
    pub reported_at: Timestamp,
}

/// What may be drawn.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LimitView {
    /// power (W) or current (A on each phase).
    pub unit: LimitUnit,
    /// The limit in W or A.
    #[schema(example = 7000)]
    pub limit: f64,
    /// On how many phases, where the station reported it.
    pub phases: Option<i64>,
}

/// What may be drawn from an instant on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LimitStepView {
    /// From when.
    pub from: Timestamp,
    /// Until when; null until the limit is cleared.
    pub to: Option<Timestamp>,
    /// The limit; null where nothing is limited.
    #[schema(inline)]
    pub limit: Option<LimitView>,
}

impl LimitView {
    fn of(step: &LimitStep) -> Option<Self> {
        let (unit, limit) = match step.limit? {
            #[expect(clippy::cast_precision_loss, reason = "watts of a station are far below 2^53")]
            Enforced::Power(power) => (LimitUnit::Power, power.get() as f64),
            Enforced::Current(current) => (LimitUnit::Current, shown(current.get())),
        };
        let phases = step.phases;
        Some(Self { unit, limit, phases })
    }
}

impl ExternalLimitView {
    /// The view of a limit at this instant.
    pub(crate) fn new(limit: &ExternalLimit, now: Timestamp) -> Self {
        let steps = limit.schedules.0.iter().flat_map(|schedule| {
            let next = schedule.steps.iter().skip(1).map(|step| Some(step.from));
            let ends = next.chain([schedule.end]);
            schedule.steps.iter().zip(ends)
        });
        Self {
            evse: limit.evse_id,
            evse_number: limit.evse_number,
            source: limit.source.clone(),
            is_grid_critical: limit.grid_critical,
            is_local_generation: limit.local_generation,
            now: limit.holding_at(now).filter_map(LimitView::of).collect(),
            steps: steps.map(|(step, to)| LimitStepView { from: step.from, to, limit: LimitView::of(step) }).collect(),
            reported_at: limit.reported_at,
        }
    }
}
