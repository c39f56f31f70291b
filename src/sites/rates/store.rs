//! Rates and their schedules in the database.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::model::{Rate, RateFilter, RateView};
use super::schedule::{AnyRateView, RateSchedule, RateScheduleComputed, RateScheduleView, ScheduleEntryView};
use super::uses::Uses;
use crate::fetch_page;
use crate::http::fields::CustomFields;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult, Faults};
use crate::store::query::{contains, lower};
use crate::store::schema::{rate_schedules, rates};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::*;
use pricing::{Conditions, Selection, Tariff};

pub(super) fn insert(conn: &mut Conn, rate: &Rate) -> StoreResult<()> {
    diesel::insert_into(rates::table).values(rate).execute(conn)?;
    Ok(())
}

pub(super) fn insert_schedule(conn: &mut Conn, schedule: &RateSchedule) -> StoreResult<()> {
    diesel::insert_into(rate_schedules::table).values(schedule).execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut Conn, organization: OrganizationId, id: RateId) -> StoreResult<Rate> {
    Ok(rates::table
        .filter(rates::organization_id.eq(organization).and(rates::id.eq(id)))
        .select(Rate::as_select())
        .first(conn)?)
}

pub(super) fn find_schedule(
    conn: &mut Conn,
    organization: OrganizationId,
    id: RateScheduleId,
) -> StoreResult<RateSchedule> {
    Ok(rate_schedules::table
        .filter(rate_schedules::organization_id.eq(organization).and(rate_schedules::id.eq(id)))
        .select(RateSchedule::as_select())
        .first(conn)?)
}

/// A rate, or a schedule of rates: connectors are priced by either, under one field.
enum AnyRate {
    Rate(Rate),
    Schedule(RateSchedule),
}

fn find_any(conn: &mut Conn, organization: OrganizationId, id: RateId) -> StoreResult<AnyRate> {
    match find(conn, organization, id) {
        Err(StoreError::NotFound) => find_schedule(conn, organization, id.raw().into()).map(AnyRate::Schedule),
        other => other.map(AnyRate::Rate),
    }
}

/// Refuses the id of a rate or schedule that the organization does not have.
pub fn require(conn: &mut Conn, organization: OrganizationId, id: RateId, field: &str) -> ApiResult<()> {
    match find_any(conn, organization, id) {
        Ok(_) => Ok(()),
        Err(StoreError::NotFound) => {
            Err(ApiError::field(field, "not_found", "there is no such rate or schedule of rates in your organization"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses a schedule whose rates are unknown or paid in something else.
pub(super) fn check_rates(conn: &mut Conn, schedule: &RateSchedule) -> ApiResult<()> {
    let known = rates_of(conn, schedule.organization_id, schedule)?;
    let mut faults = Faults::default();
    for (field, id) in schedule.named() {
        match known.get(&id) {
            None => faults.add(field, "not_found", "there is no such rate in your organization"),
            Some(rate) if rate.currency != schedule.currency => {
                let message = format!("is in {}, not in {}", rate.currency, schedule.currency);
                faults.add(field, "invalid", message);
            }
            Some(_) => {}
        }
    }
    faults.into_body_error()
}

/// The rates that a schedule names.
fn rates_of(
    conn: &mut Conn,
    organization: OrganizationId,
    schedule: &RateSchedule,
) -> StoreResult<BTreeMap<RateId, Rate>> {
    let ids: Vec<RateId> = schedule.named().map(|(_, id)| id).collect();
    let rows: Vec<Rate> = rates::table
        .filter(rates::organization_id.eq(organization))
        .filter(rates::id.eq_any(ids))
        .select(Rate::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|rate| (rate.id, rate)).collect())
}

pub(super) fn update(conn: &mut Conn, rate: &Rate) -> ApiResult<()> {
    for schedule in schedules_with(conn, rate)? {
        if schedule.currency != rate.currency {
            let message = format!("The schedule {} is in {}", schedule.name, schedule.currency);
            return Err(ApiError::conflict(message));
        }
    }
    diesel::update(rates::table.find(rate.id)).set(rate).execute(conn)?;
    Ok(())
}

pub(super) fn update_schedule(conn: &mut Conn, schedule: &RateSchedule) -> StoreResult<()> {
    diesel::update(rate_schedules::table.find(schedule.id)).set(schedule).execute(conn)?;
    Ok(())
}

fn schedules_with(conn: &mut Conn, rate: &Rate) -> StoreResult<Vec<RateSchedule>> {
    let all: Vec<RateSchedule> = rate_schedules::table
        .filter(rate_schedules::organization_id.eq(rate.organization_id))
        .select(RateSchedule::as_select())
        .load(conn)?;
    let names = |schedule: &RateSchedule| schedule.named().any(|(_, id)| id == rate.id);
    Ok(all.into_iter().filter(names).collect())
}

/// Refuses to delete what connectors are priced by.
fn check_connectors(conn: &mut Conn, uses: &Uses, id: RateId) -> ApiResult<()> {
    let used = (uses.connectors)(conn, id)?;
    if used > 0 {
        return Err(ApiError::in_use(format!("{used} connector(s) are priced by it")));
    }
    Ok(())
}

/// Deletes a rate, unless connectors or schedules use it.
pub(super) fn delete(conn: &mut Conn, uses: &Uses, rate: &Rate) -> ApiResult<()> {
    check_connectors(conn, uses, rate.id)?;
    if let Some(schedule) = schedules_with(conn, rate)?.first() {
        return Err(ApiError::in_use(format!("The schedule {} uses it", schedule.name)));
    }
    diesel::delete(rates::table.find(rate.id)).execute(conn)?;
    Ok(())
}

/// Deletes a schedule, unless connectors use it.
pub(super) fn delete_schedule(conn: &mut Conn, uses: &Uses, schedule: &RateSchedule) -> ApiResult<()> {
    check_connectors(conn, uses, schedule.id.raw().into())?;
    diesel::delete(rate_schedules::table.find(schedule.id)).execute(conn)?;
    Ok(())
}

pub(super) fn schedule_view(conn: &mut Conn, schedule: RateSchedule) -> StoreResult<RateScheduleView> {
    let known = rates_of(conn, schedule.organization_id, &schedule)?;
    let entry = |entry: super::schedule::ScheduleEntry| {
        let rate = known.get(&entry.rate).cloned();
        rate.map(|rate| ScheduleEntryView { target: entry.target, rate: rate.into() })
    };
    let layout = schedule.layout.0.clone().into_iter().filter_map(entry).collect();
    Ok(RateScheduleView::of(schedule, RateScheduleComputed { layout }))
}

/// The views of these rates and schedules.
pub fn views_of(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: impl IntoIterator<Item = RateId>,
) -> StoreResult<BTreeMap<RateId, AnyRateView>> {
    let mut views = BTreeMap::new();
    for id in ids {
        if views.contains_key(&id) {
            continue;
        }
        let view = match find_any(conn, organization, id) {
            Ok(AnyRate::Rate(rate)) => AnyRateView::Rate(rate.into()),
            Ok(AnyRate::Schedule(schedule)) => AnyRateView::Schedule(schedule_view(conn, schedule)?),
            Err(StoreError::NotFound) => continue,
            Err(error) => return Err(error),
        };
        views.insert(id, view);
    }
    Ok(views)
}

/// What a session is to cost, as it is now.
#[derive(Debug, Clone)]
pub struct Priced {
    /// Which version of the rate or schedule it is.
    pub version: i64,
    /// Its prices.
    pub tariff: Tariff,
}

/// The prices of a rate or schedule where the EVSE and the connector have these custom fields; none while it is not
/// active.
pub fn tariff_of(
    conn: &mut Conn,
    organization: OrganizationId,
    id: RateId,
    fields: &[CustomFields],
) -> StoreResult<Option<Priced>> {
    let (version, active, default, elements) = match find_any(conn, organization, id)? {
        AnyRate::Rate(rate) => (rate.version, rate.active, rate, Vec::new()),
        AnyRate::Schedule(schedule) => {
            let mut known = rates_of(conn, organization, &schedule)?;
            let meant = schedule.layout.0.iter().filter(|entry| entry.target.means(fields));
            let elements: Vec<_> = meant
                .filter_map(|entry| {
                    let rate = known.get(&entry.rate)?;
                    Some(rate.element(entry.target.conditions()))
                })
                .collect();
            let default = known.remove(&schedule.default_rate_id).ok_or(StoreError::NotFound)?;
            (schedule.version, schedule.active, default, elements)
        }
    };
    let mut elements = elements;
    elements.push(default.element(Conditions::default()));
    Ok(active.then(|| Priced {
        version,
        tariff: Tariff {
            currency: default.currency,
            elements,
            selection: Selection::WholeElement,
            decided_at_start: false,
            minimum: default.minimum_amount.map(|least| least.0),
        },
    }))
}

pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    uses: &Uses,
    query: &ListQuery<RateFilter>,
) -> ApiResult<Page<RateView>> {
    let there = query.filter.location.map(|location| (uses.at_location)(conn, organization, location)).transpose()?;
    let filtered = || {
        let mut rows = rates::table.filter(rates::organization_id.eq(organization)).into_boxed();
        if let Some(active) = query.filter.active {
            rows = rows.filter(rates::active.eq(active));
        }
        if let Some(currency) = &query.filter.currency {
            rows = rows.filter(rates::currency.eq(currency.to_uppercase()));
        }
        if let Some(there) = &there {
            rows = rows.filter(rates::id.eq_any(there));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(rates::name.nullable())
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(rates::description).like(pattern).escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, rates, filtered(), {
        "name" => rates::name,
        "currency" => rates::currency,
    });
    let rows: Vec<Rate> = rows.select(Rate::as_select()).load(conn)?;
    Ok(Page { rows: rows.into_iter().map(RateView::from).collect(), total, request: query.page })
}

pub(super) fn list_schedules(
    conn: &mut Conn,
    organization: OrganizationId,
    uses: &Uses,
    query: &ListQuery<RateFilter>,
) -> ApiResult<Page<RateScheduleView>> {
    let there = query.filter.location.map(|location| (uses.at_location)(conn, organization, location)).transpose()?;
    let there = there.map(|ids| ids.into_iter().map(|id| RateScheduleId::from(id.raw())).collect::<Vec<_>>());
    let filtered = || {
        let mut rows = rate_schedules::table.filter(rate_schedules::organization_id.eq(organization)).into_boxed();
        if let Some(active) = query.filter.active {
            rows = rows.filter(rate_schedules::active.eq(active));
        }
        if let Some(currency) = &query.filter.currency {
            rows = rows.filter(rate_schedules::currency.eq(currency.to_uppercase()));
        }
        if let Some(there) = &there {
            rows = rows.filter(rate_schedules::id.eq_any(there));
        }
        if let Some(text) = &query.search {
            let pattern = contains(text);
            rows = rows.filter(
                lower(rate_schedules::name.nullable()).like(pattern.clone()).escape('\\').or(lower(
                    rate_schedules::description,
                )
                .like(pattern)
                .escape('\\')),
            );
        }
        rows
    };
    let (rows, total) = fetch_page!(conn, query, rate_schedules, filtered(), {
        "name" => rate_schedules::name,
        "currency" => rate_schedules::currency,
    });
    let rows: Vec<RateSchedule> = rows.select(RateSchedule::as_select()).load(conn)?;
    let views: StoreResult<Vec<_>> = rows.into_iter().map(|schedule| schedule_view(conn, schedule)).collect();
    Ok(Page { rows: views?, total, request: query.page })
}
