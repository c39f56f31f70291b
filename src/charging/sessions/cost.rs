//! What a session costs: the prices it began with are kept, and applied to what its readings say, while it runs and when
//! it ends.

use diesel::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::model::Session;
use super::{retention, shelf, store};
use crate::each;
use crate::http::money::{Amount, Percent};
use crate::store::schema::session_tariffs;
use crate::store::{Conn, Json, StoreResult};
use crate::{events, market::offers, sites::rates, sites::stations};
use kernel::*;
use pricing::{self, Cost, Kind, Line, Point, Tariff, Timeline, Unit};

/// From when to when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CostPeriod {
    /// From when.
    #[serde(rename = "startTime")]
    pub start_time: Timestamp,
    /// Until when.
    #[serde(rename = "endTime")]
    pub end_time: Timestamp,
}

/// A line of what a session costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostLine {
    /// FLAT, ENERGY, TIME, PARKING_TIME, BLOCKING_FEE, or MINIMUM: what was missing to the minimum amount.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Kind,
    /// From when to when.
    pub period: CostPeriod,
    /// Whose prices they are.
    pub rate_name: String,
    /// How many units are billed.
    pub quantity: Amount,
    /// session, kWh, h or min.
    #[schema(value_type = String)]
    pub unit: Unit,
    /// What one unit costs, before tax.
    pub unit_price: Amount,
    /// What they cost, before tax.
    pub before_tax: Amount,
    /// The tax in percent.
    pub tax: Percent,
    /// The tax.
    pub total_tax: Amount,
    /// Both.
    pub total_cost: Amount,
}

/// What a session costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SessionCost {
    /// What is to be paid, with tax, in the currency's major unit.
    pub amount: Amount,
    /// In what.
    pub currency: Currency,
    /// The same before tax.
    pub before_tax: Amount,
    /// The tax.
    pub total_tax: Amount,
    /// How it comes about; its lines add up to the amount.
    pub breakdown: Vec<CostLine>,
}

impl From<Line> for CostLine {
    fn from(line: Line) -> Self {
        Self {
            kind: line.kind,
            period: CostPeriod { start_time: line.from, end_time: line.to },
            rate_name: line.name,
            quantity: Amount(line.quantity),
            unit: line.unit,
            unit_price: Amount(line.unit_price),
            before_tax: Amount(line.before_tax),
            tax: Percent(line.tax),
            total_tax: Amount(line.total_tax),
            total_cost: Amount(line.total),
        }
    }
}

impl From<Cost> for SessionCost {
    fn from(cost: Cost) -> Self {
        Self {
            amount: Amount(cost.total),
            currency: cost.currency,
            before_tax: Amount(cost.before_tax),
            total_tax: Amount(cost.total_tax),
            breakdown: cost.lines.into_iter().map(CostLine::from).collect(),
        }
    }
}

impl SessionCost {
    /// The amount, to compare it with a target.
    pub(super) fn major_units(&self) -> f64 {
        self.amount.0.to_f64().unwrap_or_default()
    }
}

/// The prices that a session keeps.
#[derive(Insertable)]
#[diesel(table_name = session_tariffs)]
pub(super) struct Frozen {
    session_id: SessionId,
    tariff: Json<Tariff>,
    timezone: String,
}

/// Keeps the prices of the session's connector now, for the whole session: those of its rate, or where it has
/// none those of the offer for its EVSE.
pub(super) fn freeze(conn: &mut Conn, session: &mut Session) -> StoreResult<()> {
    price(conn, session)?.map_or(Ok(()), |frozen| frozen.store(conn))
}

/// The same for a session that is not stored yet: its prices are stored after it.
pub(super) fn price(conn: &mut Conn, session: &mut Session) -> StoreResult<Option<Frozen>> {
    let Some(connector) = session.connector_id else {
        return Ok(None);
    };
    let start = session.started_at.unwrap_or(session.created_at);
    let Prices { rate, offer, tariff, zone } = prices_of(conn, session.organization_id, connector, start)?;
    session.rate_id = rate;
    if rate.is_none() {
        session.service_offer_id = offer;
    }
    let Some((version, tariff)) = tariff else {
        return Ok(None);
    };
    session.rate_version = Some(version);
    session.cost = Some(Json(computed(&tariff, zone, session, start, Vec::new())));
    Ok(Some(Frozen { session_id: session.id, tariff: Json(tariff), timezone: zone.to_string() }))
}

/// Where the prices of a connector come from, and what they are.
struct Prices {
    rate: Option<RateId>,
    offer: Option<ServiceOfferId>,
    /// With the version of the rate or offer.
    tariff: Option<(i64, Tariff)>,
    zone: TimeZone,
}

/// The prices of a connector: those of its rate, or where it has none those of the offer for its EVSE.
fn prices_of(
    conn: &mut Conn,
    organization: OrganizationId,
    connector: ConnectorId,
    at: Timestamp,
) -> StoreResult<Prices> {
    let site = stations::price_terms(conn, connector)?;
    let (rate, zone) = (site.rate, site.zone);
    let Some(id) = rate else {
        let priced = offers::tariff_of(conn, site.evse, at)?;
        let offer = priced.as_ref().map(|priced| priced.offer);
        let tariff = priced.map(|priced| (priced.version, priced.tariff));
        return Ok(Prices { rate, offer, tariff, zone });
    };
    let priced = rates::tariff_of(conn, organization, id, &site.custom_fields)?;
    let tariff = priced.map(|priced| (priced.version, priced.tariff));
    Ok(Prices { rate, offer: None, tariff, zone })
}

/// What a session that begins now at a connector would keep as its prices, and the time zone of their hours; none where nothing
/// prices it.
pub fn tariff_of(
    conn: &mut Conn,
    organization: OrganizationId,
    connector: ConnectorId,
    at: Timestamp,
) -> StoreResult<Option<(Tariff, TimeZone)>> {
    let Prices { tariff, zone, .. } = prices_of(conn, organization, connector, at)?;
    Ok(tariff.map(|(_, tariff)| (tariff, zone)))
}

impl Frozen {
    /// Stores the prices of a session that is stored.
    pub(super) fn store(&self, conn: &mut Conn) -> StoreResult<()> {
        each!(conn, |conn| diesel::insert_into(session_tariffs::table)
            .values(self)
            .on_conflict_do_nothing()
            .execute(conn))?;
        Ok(())
    }
}

/// Computes again what a priced session costs until this instant. One whose readings have been forgotten costs what it did; so does
/// one of which they were thinned, as long as its energy and its times are the same.
pub(super) fn compute(conn: &mut Conn, session: &mut Session, until: Timestamp) -> StoreResult<()> {
    let Some(connector) = session.connector_id.filter(|_| session.cost.is_some()) else {
        return Ok(());
    };
    let mut ended_before = |kind| {
        let before = events::forgotten_before(conn, kind)?;
        StoreResult::Ok(session.ended_at.zip(before).is_some_and(|(ended, before)| ended < before))
    };
    if ended_before(retention::READINGS)? {
        return Ok(());
    }
    if ended_before(retention::FULL_READINGS)? && store::is_billed_alike(conn, session)? {
        return Ok(());
    }
    let points = shelf::points(conn, session, connector)?;
    compute_by(conn, session, until, points)
}

/// The same by what is known of it.
pub(super) fn compute_by(
    conn: &mut Conn,
    session: &mut Session,
    until: Timestamp,
    points: Vec<Point>,
) -> StoreResult<()> {
    let (tariff, timezone): (Json<Tariff>, String) = each!(conn, |conn| session_tariffs::table
        .find(session.id)
        .select((session_tariffs::tariff, session_tariffs::timezone))
        .first(conn))?;
    let zone = timezone.parse().unwrap_or_default();
    session.cost = Some(Json(computed(&tariff.0, zone, session, until, points)));
    Ok(())
}

fn computed(tariff: &Tariff, zone: TimeZone, session: &Session, until: Timestamp, points: Vec<Point>) -> SessionCost {
    let start = session.started_at.unwrap_or(session.created_at);
    let timeline = Timeline::from_points((start, until), session.energy, points);
    pricing::cost(tariff, &timeline, zone).into()
}
