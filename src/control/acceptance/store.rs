//! Acceptance tests in the database.

use diesel::prelude::*;

use super::model::{AcceptanceTest, AcceptanceTestView, TestStatus};
use crate::events::{Change, EventKind};
use crate::http::{ApiError, ApiResult};
use crate::store::schema::acceptance_tests;
use crate::store::{Conn, StoreResult};
use kernel::{AcceptanceTestId, Moment, OrganizationId, StationId};

/// Tests that are kept of a station; the oldest go first.
pub(super) const MOST_KEPT: i64 = 50;

/// Stores a new test, unless one goes on at the station.
pub(super) fn insert(conn: &mut Conn, test: &AcceptanceTest) -> ApiResult<()> {
    let station = test.chargestation_id;
    let running: i64 = acceptance_tests::table
        .filter(acceptance_tests::chargestation_id.eq(station))
        .filter(acceptance_tests::status.eq(TestStatus::Running))
        .count()
        .get_result(conn)?;
    if running > 0 {
        return Err(ApiError::conflict("An acceptance test of this station is going on"));
    }
    diesel::insert_into(acceptance_tests::table).values(test).execute(conn)?;
    let old: Vec<AcceptanceTestId> = acceptance_tests::table
        .filter(acceptance_tests::chargestation_id.eq(station))
        .filter(acceptance_tests::left_profile.is_null())
        .order(acceptance_tests::id.desc())
        .offset(MOST_KEPT)
        .select(acceptance_tests::id)
        .load(conn)?;
    diesel::delete(acceptance_tests::table.filter(acceptance_tests::id.eq_any(old))).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut Conn, test: &AcceptanceTest) -> StoreResult<()> {
    diesel::update(acceptance_tests::table.find(test.id)).set(test).execute(conn)?;
    Ok(())
}

/// Records an event with the whole test, in the order of its station.
pub(super) fn record(conn: &mut Conn, moment: &Moment, test: &AcceptanceTest, kind: EventKind) -> StoreResult<()> {
    let view = AcceptanceTestView::from(test.clone());
    Change::new(conn, test.organization_id, moment).record_at(test.chargestation_id, kind, &view)
}

/// The tests of a station, the newest first.
pub(super) fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    station: StationId,
) -> StoreResult<Vec<AcceptanceTest>> {
    Ok(acceptance_tests::table
        .filter(acceptance_tests::organization_id.eq(organization))
        .filter(acceptance_tests::chargestation_id.eq(station))
        .order(acceptance_tests::id.desc())
        .limit(MOST_KEPT)
        .select(AcceptanceTest::as_select())
        .load(conn)?)
}

/// The tests that go on, as far as the store knows.
pub(super) fn running(conn: &mut Conn) -> StoreResult<Vec<AcceptanceTest>> {
    Ok(acceptance_tests::table
        .filter(acceptance_tests::status.eq(TestStatus::Running))
        .select(AcceptanceTest::as_select())
        .load(conn)?)
}

/// The tests that are over and may have left a limit on a station.
pub(super) fn with_remains(conn: &mut Conn, station: StationId) -> StoreResult<Vec<AcceptanceTest>> {
    Ok(acceptance_tests::table
        .filter(acceptance_tests::chargestation_id.eq(station))
        .filter(acceptance_tests::status.ne(TestStatus::Running))
        .filter(acceptance_tests::left_profile.is_not_null())
        .select(AcceptanceTest::as_select())
        .load(conn)?)
}
