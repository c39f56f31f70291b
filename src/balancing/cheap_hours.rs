//! When home users' cars charge cheapest: prices, exclusion times and departures as the engine wants them, and what it says.

use std::time::Duration;

use serde::Serialize;

use super::again::wanting;
use super::gather::{Site, SiteConnector};
use super::prices::Prices;
use super::state::{Memory, State};
use crate::http::quantities::shown;
use engine::cheapest::{Charge, Hours, Timetable, cheapest};
use kernel::*;

/// Time is looked at in pieces of this many seconds: prices and windows begin with a quarter of an hour.
const PIECE: i64 = 900;
/// Nobody plans further ahead.
const FARTHEST: Duration = Duration::from_secs(7 * 24 * 3_600);
/// A car is to be ready so much before it leaves: it may start late, and no meter is exact.
const MARGIN: Duration = Duration::from_secs(300);

/// What a car still needs, and until when.
struct Wish {
    departure: Timestamp,
    energy: WattHours,
}

fn wish(state: &State, site_connector: &SiteConnector, now: Timestamp) -> Option<Wish> {
    let session = wanting(site_connector, state.connectors.get(&site_connector.connector), now)?;
    let (departure, need) = session.departure_at.zip(session.energy_need)?;
    let energy = WattHours((need.get() - session.energy.get()).max(0));
    (departure > now).then_some(Wish { departure, energy })
}

/// When a car charges; `None` where nobody set what energy costs, or what the car needs and when it leaves.
fn timetable(site: &Site, state: &State, site_connector: &SiteConnector, now: Timestamp) -> Option<Timetable> {
    let group = site.group(site_connector.group)?;
    let prices = site.prices.get(&group.id)?;
    let wish = wish(state, site_connector, now)?;
    let sharing = site
        .connectors
        .iter()
        .filter(|other| other.group == site_connector.group && self::wish(state, other, now).is_some())
        .count();
    let memory: Option<&Memory> = state.connectors.get(&site_connector.connector);
    let learned = memory.and_then(|memory| memory.demand.estimate);
    let own = learned.map_or(site_connector.maximum, |learned| learned.min(site_connector.maximum));
    let own = own.max(site_connector.minimum);
    let hours = |until: Timestamp| {
        let mut hours = Vec::new();
        let mut from = now;
        while from < until {
            let next = (from.unix_seconds().div_euclid(PIECE) + 1) * PIECE;
            let to = Timestamp::from_unix_seconds(next).min(until);
            let last = to - Duration::from_secs(1);
            let excluded = [from, last].into_iter().any(|at| group.excludes(at, site.zone));
            let capacity = group.without_buffer(group.capacity_at(from, site.zone).0);
            let fair = Watts(capacity.get() / i64::try_from(sharing).unwrap_or(1).max(1));
            hours.push(Hours {
                from,
                to,
                most: if excluded { Watts::ZERO } else { own.min(fair) },
                price: prices.at(from, site.zone),
            });
            from = to;
        }
        hours
    };
    let departure = wish.departure.min(now + FARTHEST);
    let early = (departure - MARGIN).max(now);
    let planned = cheapest(&hours(early), wish.energy, site_connector.minimum);
    if planned.missing == WattHours(0) {
        return Some(planned);
    }
    Some(cheapest(&hours(departure), wish.energy, site_connector.minimum))
}

/// When a car that is not to charge now is to go on. One that cannot be ready in time charges whenever it may.
pub(super) fn waits_until(
    site: &Site,
    state: &State,
    site_connector: &SiteConnector,
    now: Timestamp,
) -> Option<Timestamp> {
    timetable(site, state, site_connector, now)?.waits_until(now)
}

/// When the car at a connector is planned to charge, and what that costs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ChargingPlanView {
    /// The connector.
    pub connector: ConnectorId,
    /// The session.
    pub session: SessionId,
    /// When the car leaves.
    pub departure_time: Timestamp,
    /// What it still needs, in kWh.
    pub energy: f64,
    /// Whether it can be ready in time, in the hours in which it may charge.
    pub feasible: bool,
    /// What cannot be charged in time, in kWh.
    pub missing_energy: f64,
    /// Until when it waits for cheaper hours; null when it charges now or is ready.
    pub waits_until: Option<Timestamp>,
    /// When it charges.
    pub hours: Vec<PlannedHoursView>,
    /// The currency of prices and costs.
    pub currency: Option<Currency>,
    /// What the plan costs, as far as prices are known.
    pub cost: f64,
    /// What charging as soon as it is allowed would cost, as far as prices are known.
    pub cost_at_once: f64,
    /// The energy of the plan whose price is not known yet, in kWh.
    pub unpriced_energy: f64,
}

/// A stretch in which a car is planned to charge.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PlannedHoursView {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// With how much, in kW.
    pub power: f64,
    /// What a kilowatt-hour costs; null when nobody knows yet.
    pub price: Option<f64>,
}

/// Millionths as a number of whole ones.
fn amount(millionths: i64) -> f64 {
    shown(millionths) / 1_000.0
}

fn kilowatt_hours(energy: WattHours) -> f64 {
    shown(energy.get())
}

impl From<Charge> for PlannedHoursView {
    fn from(charge: Charge) -> Self {
        Self { from: charge.from, to: charge.to, power: charge.power.kilowatts(), price: charge.price.map(amount) }
    }
}

/// The plans of a group's cars.
pub(super) fn plans(site: &Site, state: &State, group: GroupId, now: Timestamp) -> Vec<ChargingPlanView> {
    let mine = site.connectors.iter().filter(|site_connector| site_connector.group == group);
    mine.filter_map(|site_connector| {
        let (session, wish) = (site_connector.live_session()?, wish(state, site_connector, now)?);
        let timetable = timetable(site, state, site_connector, now)?;
        Some(ChargingPlanView {
            connector: site_connector.connector,
            session: session.id,
            departure_time: wish.departure,
            energy: kilowatt_hours(wish.energy),
            feasible: timetable.missing == WattHours(0),
            missing_energy: kilowatt_hours(timetable.missing),
            waits_until: timetable.waits_until(now),
            currency: site.prices.get(&group).and_then(Prices::currency),
            cost: amount(timetable.cost.millionths),
            cost_at_once: amount(timetable.at_once.millionths),
            unpriced_energy: kilowatt_hours(timetable.cost.unpriced),
            hours: timetable.charges.into_iter().map(PlannedHoursView::from).collect(),
        })
    })
    .collect()
}
