//! What is said to stations: limits in the ledger's order, safe defaults, and releases; and what their answers mean.

use std::collections::BTreeMap;
use std::time::Duration;

use super::again;
use super::command_batch::{About, CommandBatch};
use super::gather::{Role, Site, SiteConnector};
use super::settings::Settings;
use super::state::{Confirmed, Memory, ReadBack, State};
use crate::sites::stations::link::{
    FALLBACK_PROFILE, LIVE_LIMIT_PROFILE, LimitPurpose, LinkError, Outcome, SetLimit, StationCommand,
};
use engine::transition::{Exposure, MessageKind, Ticket};
use engine::{CurrentKind, Plan, Snapshot, Uncontrolled, least_power};
use kernel::{ConnectorId, StationId, Timestamp, Watts};

/// How much of a composite schedule is asked for: what applies now is enough.
const READ_BACK_SECONDS: i32 = 60;

/// Everything that may be said now; it counts as said.
pub(super) fn batches(
    state: &mut State,
    site: &Site,
    snapshot: &Snapshot,
    plan: &Plan,
    settings: &Settings,
    now: Timestamp,
) -> Vec<CommandBatch> {
    let mut batches: Vec<CommandBatch> = Vec::new();
    let connectors: BTreeMap<ConnectorId, &SiteConnector> =
        site.connectors.iter().map(|site_connector| (site_connector.connector, site_connector)).collect();
    for message in state.ledger.next(snapshot, plan, now) {
        let Some(site_connector) = connectors.get(&message.connector).copied() else {
            continue;
        };
        if let Some(memory) = state.connectors.get_mut(&message.connector) {
            memory.sent_at = Some(now);
            memory.unconfirmed_since.get_or_insert(now);
            let until = now + Duration::from_secs(settings.limit_seconds.into());
            let sent = (message.limit, site_connector.phases.count());
            memory.sent_limits.sent(message.ticket, sent, until);
        }
        let memory = state.connectors.get(&message.connector);
        let live = SetLimit {
            escalate: memory.is_some_and(|memory| memory.overdraw.is_some_and(|overdraw| overdraw.sent_again)),
            duration_seconds: Some(settings.limit_seconds),
            lowers: message.kind == MessageKind::Lower,
            ..limit(site_connector, message.limit, LimitPurpose::Live)
        };
        batches.push(CommandBatch {
            station: site_connector.station,
            commands: vec![StationCommand::SetLimit(live)],
            about: About::Live(message.connector, message.ticket),
        });
    }
    let members = site.connectors.iter().filter(|site_connector| site_connector.role == Role::Member);
    let exceeded = may_exceed(state, snapshot);
    for site_connector in members {
        batches.extend(safe_default(state, site_connector, now));
        let above = exceeded || state.is_above(site, site_connector.group);
        batches.extend(least(state, site_connector, above, settings, now));
        batches.extend(read_back(state, site_connector));
        batches.extend(again::start(state, site_connector, now));
    }
    batches
}

/// Asks a station what it enforces, once it confirmed a limit after it connected.
fn read_back(state: &mut State, site_connector: &SiteConnector) -> Option<CommandBatch> {
    let known = state.ledger.known(site_connector.connector);
    let memory = state.connectors.get_mut(&site_connector.connector)?;
    if !site_connector.online || memory.read_back != ReadBack::Due || known != Some(memory.limit) {
        return None;
    }
    memory.read_back = ReadBack::Asked;
    Some(CommandBatch {
        station: site_connector.station,
        commands: vec![StationCommand::GetCompositeSchedule {
            connector: site_connector.number,
            seconds: READ_BACK_SECONDS,
            in_amps: Some(site_connector.kind == CurrentKind::Ac),
        }],
        about: About::ReadBack(
            site_connector.connector,
            Confirmed { limit: memory.limit, voltage: site_connector.voltage, phases: site_connector.phases },
        ),
    })
}

/// Whether more may be drawn somewhere than there is, with somebody who does not obey.
fn may_exceed(state: &State, snapshot: &Snapshot) -> bool {
    let lost = |connector: &ConnectorId| {
        let why = state.ledger.uncontrolled(*connector);
        matches!(why, Some((Uncontrolled::NotObeying, _)))
    };
    let exceeds = |one: &Exposure| one.power > one.capacity;
    state.connectors.keys().any(lost) && state.ledger.exposures(snapshot).iter().any(exceeds)
}

/// What a connector is sent whose power is reserved because it refuses 0 or draws too much, while a higher limit is in force there. It may
/// keep it, and nothing is given away: 6 A, which every station takes, or 0 where a meter shows that too much is drawn, or it may be.
fn least(
    state: &mut State,
    site_connector: &SiteConnector,
    above: bool,
    settings: &Settings,
    now: Timestamp,
) -> Option<CommandBatch> {
    let memory = state.connectors.get_mut(&site_connector.connector)?;
    let Some((why, _)) = state.ledger.uncontrolled(site_connector.connector) else {
        memory.least = None;
        return None;
    };
    let refuses = memory.refuses_zero.is_some();
    let concerned = match why {
        Uncontrolled::NotObeying => true,
        Uncontrolled::Rejected => refuses,
        _ => false,
    };
    let least = match above && !refuses {
        true => Watts::ZERO,
        false => {
            least_power(site_connector.kind, site_connector.voltage, site_connector.phases, &[site_connector.fallback])
        }
    };
    let phases = site_connector.phases.count();
    let pause = Duration::from_secs(settings.limit_seconds.into());
    let recent = memory.least.filter(|(at, _)| now.since(*at) < pause);
    let tried = recent.is_some_and(|(_, sent)| sent <= least);
    if !concerned || !site_connector.online || tried || memory.alone_now(site_connector, now) <= least {
        return None;
    }
    memory.least = Some((now, least));
    let ticket = state.ledger.ticket();
    memory.sent_limits.sent(ticket, (least, phases), now + pause);
    let live = SetLimit {
        escalate: why == Uncontrolled::NotObeying,
        duration_seconds: Some(settings.limit_seconds),
        lowers: true,
        ..limit(site_connector, least, LimitPurpose::Live)
    };
    Some(CommandBatch {
        station: site_connector.station,
        commands: vec![StationCommand::SetLimit(live)],
        about: About::Least(site_connector.connector, ticket),
    })
}

/// The safe default of a connector, when it is due or is not what it should be.
fn safe_default(state: &mut State, site_connector: &SiteConnector, now: Timestamp) -> Option<CommandBatch> {
    let memory = state.connectors.get_mut(&site_connector.connector)?;
    let clears = memory.fallback.proven.is_none() && !memory.ends_with_transaction;
    let fallback = &mut memory.fallback;
    let wanted = fallback.due || fallback.proven != Some(site_connector.fallback);
    let waits = fallback.in_flight || fallback.retry_at.is_some_and(|at| at > now);
    if !site_connector.online || !wanted || waits {
        return None;
    }
    (fallback.sent, fallback.in_flight) = (Some(site_connector.fallback), true);
    let install = StationCommand::SetLimit(limit(site_connector, site_connector.fallback, LimitPurpose::Fallback));
    Some(CommandBatch {
        station: site_connector.station,
        commands: match clears {
            true => vec![clear_transaction_limits(site_connector), install],
            false => vec![install],
        },
        about: About::Fallback(site_connector.connector, site_connector.fallback),
    })
}

/// A connector that joins may hold a limit of its running transaction, which would override all of ours.
fn clear_transaction_limits(site_connector: &SiteConnector) -> StationCommand {
    StationCommand::ClearChargingProfile {
        id: None,
        connector: Some(site_connector.number),
        purpose: Some("TxProfile".to_owned()),
        stack_level: None,
    }
}

fn limit(site_connector: &SiteConnector, limit: Watts, purpose: LimitPurpose) -> SetLimit {
    SetLimit {
        connector: site_connector.number,
        limit,
        purpose,
        voltage: site_connector.voltage,
        phases: match purpose {
            LimitPurpose::Live => site_connector.phases,
            _ => site_connector.wired, // whichever car it will be
        },
        offered: site_connector.wired,
        transaction: site_connector.session.as_ref().and_then(|session| session.transaction_id),
        sole: site_connector.sole,
        in_amps: site_connector.kind == CurrentKind::Ac,
        duration_seconds: None,
        lowers: false,
        escalate: false,
    }
}

/// What is said to stations whose connectors left, and are in no other group.
pub(super) fn releases(state: &mut State, is_online: impl Fn(StationId) -> bool) -> Vec<CommandBatch> {
    let waiting = state.leaving.iter_mut().filter(|(_, leaving)| !leaving.in_flight && is_online(leaving.station));
    let release = |(connector, leaving): (&ConnectorId, &mut super::state::Leaving)| {
        leaving.in_flight = true;
        let clear = |profile: i32| StationCommand::ClearChargingProfile {
            id: Some(profile + leaving.number),
            connector: None,
            purpose: None,
            stack_level: None,
        };
        CommandBatch {
            station: leaving.station,
            commands: vec![clear(LIVE_LIMIT_PROFILE), clear(FALLBACK_PROFILE)],
            about: About::Release(*connector),
        }
    };
    waiting.map(release).collect()
}

/// Takes in that a limit was refused; answers whether it was 0, which its station takes for invalid.
fn refuses_zero(memory: &mut Memory, ticket: Ticket, answer: &Result<Outcome, LinkError>, now: Timestamp) -> bool {
    let was_zero = memory.sent_limits.refused(ticket) == Some(Watts::ZERO);
    let refuses = was_zero && matches!(answer, Ok(outcome) if outcome.refuses_zero);
    if refuses {
        memory.refuses_zero = Some(now);
    }
    refuses
}

/// What an answer proves.
pub(super) fn answered(
    state: &mut State,
    about: About,
    answer: &Result<Outcome, LinkError>,
    settings: &Settings,
    now: Timestamp,
) {
    let accepted = matches!(answer, Ok(outcome) if outcome.accepted);
    match about {
        About::Live(connector, ticket) => {
            if let (Ok(outcome), Some(memory)) = (answer, state.connectors.get_mut(&connector))
                && accepted
            {
                memory.never_expires = outcome.never_expires;
                memory.ends_with_transaction = outcome.ends_with_transaction;
                memory.in_watts = outcome.in_watts;
                memory.unconfirmed_since = None;
                memory.sent_limits.confirmed(ticket, outcome.never_expires);
            }
            let ledger = &mut state.ledger;
            match answer {
                Ok(_) if accepted => ledger.acknowledged(connector, ticket, now),
                Ok(_) | Err(LinkError::Refused { .. } | LinkError::Invalid(_)) => {
                    ledger.refused(connector, ticket, now);
                    let memory = state.connectors.get_mut(&connector);
                    if memory.is_some_and(|memory| refuses_zero(memory, ticket, answer, now)) {
                        // It would refuse it as often as it is sent.
                        ledger.lose(connector, Uncontrolled::Rejected, ledger.exposure(connector));
                    }
                }
                Err(LinkError::Superseded) => {} // the answer to the newer one settles this one too
                Err(LinkError::Silent | LinkError::Dropped | LinkError::Offline | LinkError::QueueFull) => {
                    ledger.timed_out(connector, ticket, now)
                }
            }
        }
        About::Least(connector, ticket) => {
            if let Some(memory) = state.connectors.get_mut(&connector) {
                match answer {
                    Ok(outcome) if accepted => memory.sent_limits.confirmed(ticket, outcome.never_expires),
                    Ok(_) | Err(LinkError::Refused { .. } | LinkError::Invalid(_)) => {
                        if refuses_zero(memory, ticket, answer, now) {
                            memory.least = None; // it takes 6 A, which is sent next
                        }
                    }
                    Err(_) => {} // it may be in force
                }
            }
        }
        About::Fallback(connector, installed) => {
            let Some(memory) = state.connectors.get_mut(&connector) else {
                return;
            };
            let fallback = &mut memory.fallback;
            fallback.in_flight = false;
            if accepted {
                (fallback.proven, fallback.sent) = (Some(installed), None);
                (fallback.due, fallback.retry_at) = (false, None);
            } else {
                let pause = Duration::from_secs(settings.limit_seconds.into());
                fallback.retry_at = Some(now + pause);
            }
        }
        About::ReadBack(connector, confirmed) => {
            if let Some(memory) = state.connectors.get_mut(&connector) {
                let enforced = answer.as_ref().ok().and_then(|outcome| outcome.enforced);
                memory.read_back = ReadBack::of(enforced, confirmed);
            }
        }
        About::Stop | About::Again(..) => {}
        About::Release(connector) => match answer {
            Err(LinkError::Offline | LinkError::Dropped) => {
                if let Some(leaving) = state.leaving.get_mut(&connector) {
                    leaving.in_flight = false;
                }
            }
            // Refusing means that there was nothing to clear; what is silent forgets a live limit by itself.
            _ => {
                state.leaving.remove(&connector);
            }
        },
    }
}
