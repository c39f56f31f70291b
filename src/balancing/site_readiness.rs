//! What should be put right before one relies on a group: the readiness check that is made on paper when a site is taken into use.

use std::time::Duration;

use serde::Serialize;

use super::gather::{Role, Site, SiteConnector};
use super::loads::{Loads, given_below};
use super::state::{ReadBack, State};
use crate::load::assets::{Asset, AssetType, RefusedReading, is_below_zero, sent_below_zero};
use crate::load::groups::Group;
use engine::Uncontrolled;
use kernel::*;

/// A meter's clock that is off by so much is worth a warning, as a station's is.
const CLOCK_OFF: Duration = Duration::from_secs(60);

/// Something that should be put right.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Warning {
    /// What kind of thing it is.
    #[schema(example = "fallbacks_exceed_capacity")]
    pub code: &'static str,
    /// What it is, and what helps.
    pub message: String,
    /// The group it is about.
    pub group: GroupId,
    /// The station it is about.
    pub chargestation: Option<StationId>,
    /// The connector it is about.
    pub connector: Option<ConnectorId>,
    /// The asset it is about.
    pub asset: Option<AssetId>,
}

impl Warning {
    fn of_group(code: &'static str, group: &Group, message: String) -> Self {
        Self { code, message, group: group.id, chargestation: None, connector: None, asset: None }
    }

    fn of_connector(code: &'static str, site_connector: &SiteConnector, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            group: site_connector.group,
            chargestation: Some(site_connector.station),
            connector: Some(site_connector.connector),
            asset: None,
        }
    }
}

/// Everything that should be put right in these groups of a site.
pub(super) fn warnings(
    site: &Site,
    state: &State,
    loads: &Loads,
    concerned: &[GroupId],
    now: Timestamp,
) -> Vec<Warning> {
    let groups = site.groups.iter().filter(|group| concerned.contains(&group.id));
    let connectors = site.connectors.iter().filter(|site_connector| concerned.contains(&site_connector.group));
    let assets = site.assets.iter().flat_map(|asset| {
        let group = asset.group_id.filter(|group| concerned.contains(group));
        group.map(|group| of_asset(site, asset, (group, loads), now))
    });
    let assets = assets.flatten();
    groups
        .flat_map(|group| of_group(site, state, loads, group, now))
        .chain(connectors.flat_map(|site_connector| of_connector(state, site_connector, now)))
        .chain(assets)
        .collect()
}

fn of_asset(site: &Site, asset: &Asset, (group, loads): (GroupId, &Loads), now: Timestamp) -> Vec<Warning> {
    let found = [of_silence(asset, loads, now), of_readings(site, asset, (group, loads), now), of_clock(asset)];
    let warning =
        |(code, message)| Warning { code, message, group, chargestation: None, connector: None, asset: Some(asset.id) };
    found.into_iter().flatten().map(warning).collect()
}

/// An asset's readings cannot be true, as far as anybody knows; until a better one comes.
fn of_readings(
    site: &Site,
    asset: &Asset,
    (group, loads): (GroupId, &Loads),
    now: Timestamp,
) -> Option<(&'static str, String)> {
    if let Some(refused) = &asset.measured.refused {
        let RefusedReading { field, message, .. } = &refused.0;
        let message = format!("its last reading was refused: `{field}` {message}");
        return Some(("implausible_reading", message));
    }
    let latest = asset.measured.latest.as_ref();
    let counts = asset.active && !asset.produces() && !asset.is_stale(now);
    let power = latest.filter(|_| counts)?.0.power;
    let produced = match asset.kind {
        AssetType::SmartMeter => given_below(site, loads, group),
        _ => Watts::ZERO, // a consumer feeds nothing in
    };
    let reported = || format!("it {}", sent_below_zero(power, produced));
    is_below_zero(power, produced).then(|| ("implausible_reading", reported()))
}

fn of_clock(asset: &Asset) -> Option<(&'static str, String)> {
    let seconds = asset.measured.clock_offset_seconds()?;
    let is_off = seconds.unsigned_abs() >= CLOCK_OFF.as_secs();
    let direction = if seconds > 0 { "ahead" } else { "behind" };
    let message = format!(
        "the clock of its meter is {} s {direction}: its readings count from when they came, but set it right",
        seconds.unsigned_abs()
    );
    is_off.then_some(("clock_off", message))
}

fn of_silence(asset: &Asset, loads: &Loads, now: Timestamp) -> Option<(&'static str, String)> {
    let contribution = loads.by_asset.get(&asset.id)?;
    let is_meter = asset.kind == AssetType::SmartMeter;
    let silent_for = asset.measured.latest_at.map(|at| now.seconds_since(at));
    let silent_for = silent_for.filter(|_| is_meter && asset.active && asset.is_stale(now));
    match (contribution.load, silent_for) {
        (None, _) => Some((
            "asset_without_data",
            "nothing is known of it, so nothing is handed out: send readings, or set static_power or fallback_power"
                .to_owned(),
        )),
        (Some(load), Some(seconds)) => Some((
            "meter_stale",
            format!(
                "it has reported nothing for {seconds} s: until it does, {} kW count ({})",
                load.kilowatts(),
                contribution.basis.description()
            ),
        )),
        (Some(_), None) => None,
    }
}

fn of_group(site: &Site, state: &State, loads: &Loads, group: &Group, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let (capacity, _) = group.capacity_at(now, site.zone);
    if let Some((shown, _)) = loads.shown.get(&group.id)
        && *shown > capacity
    {
        let message = format!(
            "its meter shows {} kW, of {} kW that it may draw: limits are cut by the difference until it fits",
            shown.kilowatts(),
            capacity.kilowatts()
        );
        warnings.push(Warning::of_group("meter_above_capacity", group, message));
    }
    let below = || {
        let connectors = site.connectors.iter();
        connectors.filter(|site_connector| site.is_below(site_connector.group, group.id))
    };
    let lowest = group.without_buffer(group.lowest_capacity(now));
    let fallbacks: Watts = below().map(|site_connector| state.alone(site_connector)).sum();
    if fallbacks > lowest {
        let message = format!(
            "without this server its connectors may draw {} kW of {} kW: lower fallback_capacity, or let every station confirm its own",
            fallbacks.kilowatts(),
            lowest.kilowatts()
        );
        warnings.push(Warning::of_group("fallbacks_exceed_capacity", group, message));
    }
    let too_small = below().filter(|site_connector| site_connector.minimum > lowest);
    warnings.extend(too_small.map(|site_connector| {
        let message = "its minimum is more than its group ever has, so it is never started";
        Warning { group: group.id, ..Warning::of_connector("minimum_exceeds_capacity", site_connector, message) }
    }));
    warnings
}

/// How long a reading that cannot be true is warned of.
const WARNED_FOR: Duration = Duration::from_secs(600);

fn of_connector(state: &State, site_connector: &SiteConnector, now: Timestamp) -> Vec<Warning> {
    let memory = state.connectors.get(&site_connector.connector);
    let mut warnings: Vec<Warning> = of_role(state, site_connector).into_iter().collect();
    if let Some((at, reported)) = memory.and_then(|memory| memory.meter.impossible)
        && now.since(at) < WARNED_FOR
    {
        let message = format!(
            "its meter reported {} kW, which a connector of {} kW cannot draw: see the unit of its readings",
            reported.kilowatts(),
            site_connector.rating.kilowatts()
        );
        warnings.push(Warning::of_connector("implausible_reading", site_connector, message));
    }
    if site_connector.role == Role::Member
        && site_connector.session.is_none()
        && memory.is_some_and(|memory| memory.meter.shows_a_car())
    {
        let message = "its meter shows that a car charges, but there is no session: its station may be in free mode, or its start was lost";
        warnings.push(Warning::of_connector("charges_without_session", site_connector, message));
    }
    if let Some(seconds) = site_connector.clock_off {
        let message = format!(
            "the clock of its station is {} s {}: limits are sent in its time, but set it right",
            seconds.unsigned_abs(),
            if seconds > 0 { "ahead" } else { "behind" }
        );
        warnings.push(Warning::of_connector("clock_off", site_connector, message));
    }
    if site_connector.unheard && !site_connector.online {
        let message =
            "its station never connected, so its whole rating is reserved: take it out of the group until it is there";
        warnings.push(Warning::of_connector("never_connected", site_connector, message));
    }
    warnings
}

fn of_role(state: &State, site_connector: &SiteConnector) -> Option<Warning> {
    let memory = state.connectors.get(&site_connector.connector);
    match site_connector.role {
        Role::Stray => {
            let message = format!(
                "connector {} of its station is not set up and charges: {} kW are reserved; add the connector, or correct its number",
                site_connector.number,
                site_connector.rating.kilowatts()
            );
            Some(Warning { connector: None, ..Warning::of_connector("unknown_connector", site_connector, message) })
        }
        Role::Bystander => Some(Warning::of_connector(
            "not_a_member",
            site_connector,
            "its station is in the group and it charges, but it is no member: its rating is reserved",
        )),
        Role::Dry => None,
        Role::Member => match state.ledger.uncontrolled(site_connector.connector) {
            Some((Uncontrolled::Rejected, _)) if memory.is_some_and(|memory| memory.refuses_zero.is_some()) => {
                Some(Warning::of_connector(
                    "refuses_zero",
                    site_connector,
                    "its station refuses the limit 0: its fallback is reserved while nobody charges there",
                ))
            }
            Some((Uncontrolled::Rejected, _)) => Some(Warning::of_connector(
                "refuses_limits",
                site_connector,
                "its station refuses limits in every variant: see its capabilities",
            )),
            Some((Uncontrolled::NotObeying, _)) => Some(Warning::of_connector(
                "not_obeying",
                site_connector,
                "it draws more than it confirmed: its rating is reserved",
            )),
            _ if memory.is_some_and(|memory| memory.read_back == ReadBack::More) => Some(Warning::of_connector(
                "composite_schedule_differs",
                site_connector,
                "its station confirmed a limit and says that it enforces a higher one: another profile may be in the way",
            )),
            _ if !site_connector.unheard && memory.is_some_and(|memory| memory.fallback.proven.is_none()) => {
                Some(Warning::of_connector(
                    "fallback_unproven",
                    site_connector,
                    "its station confirmed no fallback, so it counts with its rating when it is not heard of",
                ))
            }
            _ => None,
        },
    }
}
