//! What should be put right before one relies on a group: the check that is made on paper when a site is commissioned.

use serde::Serialize;

use super::gather::{Role, Seat, Site};
use super::loads::Loads;
use super::state::{ReadBack, State};
use crate::engine::Uncontrolled;
use crate::groups::Group;
use crate::kernel::*;

/// Something that should be put right.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Warning {
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
        Self {
            code,
            message,
            group: group.id,
            chargestation: None,
            connector: None,
            asset: None,
        }
    }

    fn of_seat(code: &'static str, seat: &Seat, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
            group: seat.group,
            chargestation: Some(seat.station),
            connector: Some(seat.connector),
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
    let groups = site
        .groups
        .iter()
        .filter(|group| concerned.contains(&group.id));
    let seats = site
        .seats
        .iter()
        .filter(|seat| concerned.contains(&seat.group));
    let assets = site.assets.iter().filter_map(|asset| {
        let group = asset.group_id.filter(|group| concerned.contains(group))?;
        let unknown = loads.by_asset.get(&asset.id)?.load.is_none();
        unknown.then(|| Warning {
            code: "asset_without_data",
            message: "nothing is known of it, so nothing is handed out: send readings, or set static_power or fallback_power".to_owned(),
            group,
            chargestation: None,
            connector: None,
            asset: Some(asset.id),
        })
    });
    groups
        .flat_map(|group| of_group(site, state, group, now))
        .chain(seats.filter_map(|seat| of_seat(state, seat)))
        .chain(assets)
        .collect()
}

fn of_group(site: &Site, state: &State, group: &Group, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let below = || {
        let seats = site.seats.iter();
        seats.filter(|seat| site.is_below(seat.group, group.id))
    };
    let lowest = group.without_buffer(group.lowest_capacity(now));
    let fallbacks: Watts = below().map(|seat| state.alone(seat)).sum();
    if fallbacks > lowest {
        let message = format!(
            "without this server its connectors may draw {} kW of {} kW: lower fallback_capacity, or let every station confirm its own",
            fallbacks.kilowatts(),
            lowest.kilowatts()
        );
        warnings.push(Warning::of_group(
            "fallbacks_exceed_capacity",
            group,
            message,
        ));
    }
    let too_small = below().filter(|seat| seat.minimum > lowest);
    warnings.extend(too_small.map(|seat| {
        let message = "its minimum is more than its group ever has, so it is never started";
        Warning {
            group: group.id,
            ..Warning::of_seat("minimum_exceeds_capacity", seat, message)
        }
    }));
    warnings
}

fn of_seat(state: &State, seat: &Seat) -> Option<Warning> {
    let memory = state.connectors.get(&seat.connector);
    match seat.role {
        Role::Bystander => Some(Warning::of_seat(
            "not_a_member",
            seat,
            "its station is in the group and it charges, but it is no member: its rating is set aside",
        )),
        Role::Dry => None,
        Role::Member => match state.ledger.out_of_control(seat.connector) {
            Some((Uncontrolled::Rejected, _)) => Some(Warning::of_seat(
                "refuses_limits",
                seat,
                "its station refuses limits in every form: see its capabilities",
            )),
            Some((Uncontrolled::NotObeying, _)) => Some(Warning::of_seat(
                "not_obeying",
                seat,
                "it draws more than it confirmed: its rating is set aside",
            )),
            _ if memory.is_some_and(|memory| memory.read_back == ReadBack::More) => {
                Some(Warning::of_seat(
                    "composite_schedule_differs",
                    seat,
                    "its station confirmed a limit and says that it enforces a higher one: another profile may be in the way",
                ))
            }
            _ if !seat.unheard && memory.is_some_and(|memory| memory.fallback.proven.is_none()) => {
                Some(Warning::of_seat(
                    "fallback_unproven",
                    seat,
                    "its station confirmed no fallback, so it counts with its rating when it is not heard of",
                ))
            }
            _ => None,
        },
    }
}
