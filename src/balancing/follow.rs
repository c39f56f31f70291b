//! Follows what changed since the last cycle: stations that came, went or booted, sessions that began, meters that show
//! more than was allowed, members that left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::again::follow_again;
use super::demand::{Demand, Observed};
use super::gather::{Role, Site, SiteConnector};
use super::replan::Notes;
use super::settings::Settings;
use super::state::{Leaving, Memory, Overdraw, ReadBack, Remark, State};
use crate::sites::stations::ConnectorStatus;
use crate::sites::stations::link::Shown;
use engine::Uncontrolled;
use engine::transition::Ledger;
use kernel::{ConnectorId, GroupId, Milliamps, Timestamp, Watts};

/// A draw above the limit counts when it lasts this long, …
const OVERDRAW_LASTS: Duration = Duration::from_secs(60);
/// … or this long where a meter further up shows that too much is drawn, or where nobody is known to charge, so that no car is just
/// about to follow its limit, …
const UNEXPECTED_LASTS: Duration = Duration::from_secs(20);
/// … is in so many readings, …
const OVERDRAW_SAMPLES: u32 = 2;
/// … and exceeds the limit by more than this and 5 %.
const OVERDRAW_MARGIN: Watts = Watts(300);
/// How long a car has to follow a limit that was lowered (IEC 61851-1 gives it 5 s), and its station to report it.
const REACTION: Duration = Duration::from_secs(15);

/// Brings the state up to date with the site; `fresh` when it was just loaded, so that everything must be doubted.
pub(super) fn follow(
    state: &mut State,
    site: &Site,
    notes: &Notes,
    fresh: bool,
    settings: &Settings,
    now: Timestamp,
) -> Vec<(ConnectorId, Remark)> {
    forget_those_that_left(state, site);
    let groups = site.groups.iter().map(|group| group.id);
    let above: Vec<GroupId> = groups.filter(|group| state.is_above(site, *group)).collect();
    let State { ledger, connectors, .. } = state;
    let mut remarks = Vec::new();
    for site_connector in &site.connectors {
        ledger.open(site_connector.connector, site_connector.rating);
        if site_connector.role != Role::Member {
            continue;
        }
        let memory = remembered(connectors, site_connector, now);
        memory.follow_end(site_connector, now);
        let doubted = fresh || notes.doubts(site_connector.station);
        follow_connection(ledger, memory, site_connector, doubted, settings, now);
        follow_departure(ledger, memory, site_connector);
        if site_connector.online {
            let wished = notes.wished.contains(&site_connector.connector);
            follow_session(ledger, memory, site_connector, wished, now);
            follow_failure(ledger, memory, site_connector, settings, now);
        }
        for shown in notes.shown.get(&site_connector.connector).into_iter().flatten() {
            let lasts = match site_connector.live_session() {
                Some(_) if !above.contains(&site_connector.group) => OVERDRAW_LASTS,
                _ => UNEXPECTED_LASTS,
            };
            if let Some(remark) = follow_meter(ledger, memory, site_connector, (shown, lasts), now) {
                remarks.push((site_connector.connector, remark));
            }
        }
    }
    remarks
}

/// Learns from new readings which phases cars use. Where all may be in use again, because another car may have come or
/// this one surprised, what was allowed is more power than it was: all that the connector can is assumed.
pub(super) fn follow_phases(state: &mut State, site: &Site, notes: &Notes) {
    for site_connector in site.connectors.iter().filter(|site_connector| site_connector.role == Role::Member) {
        let Some(memory) = state.connectors.get_mut(&site_connector.connector) else {
            continue;
        };
        let session = site_connector.live_session().filter(|_| site_connector.online);
        let goes_on = session.is_some() && session.map(|session| session.id) == memory.session;
        if !goes_on {
            let believed = std::mem::take(&mut memory.phases).sure;
            if believed.is_some() {
                state.ledger.reconnected(site_connector.connector, site_connector.rating);
            }
            continue;
        }
        for shown in notes.shown.get(&site_connector.connector).into_iter().flatten() {
            let surprises = shown.currents.is_some_and(|currents| {
                let phases = &mut memory.phases;
                phases.observe(shown.at, site_connector.on_grid(currents), site_connector.wired)
            });
            if surprises {
                state.ledger.reconnected(site_connector.connector, site_connector.rating);
            }
        }
    }
}

/// Takes it that cars use the phases that they were seen to use.
pub(super) fn note_phases(site: &mut Site, state: &State) {
    for site_connector in &mut site.connectors {
        let memory = state.connectors.get(&site_connector.connector);
        let memory = memory.filter(|memory| !memory.in_watts);
        if let Some(used) = memory.and_then(|memory| memory.phases.sure) {
            site_connector.use_phases(used);
        }
    }
}

fn remembered<'a>(
    connectors: &'a mut BTreeMap<ConnectorId, Memory>,
    site_connector: &SiteConnector,
    now: Timestamp,
) -> &'a mut Memory {
    connectors
        .entry(site_connector.connector)
        .or_insert_with(|| Memory::new(site_connector.station, site_connector.number, now))
}

/// Those that left are forgotten; what their stations still have is cleared by [`super::apply`].
fn forget_those_that_left(state: &mut State, site: &Site) {
    let steered: BTreeSet<ConnectorId> = site
        .connectors
        .iter()
        .filter(|site_connector| site_connector.role == Role::Member)
        .map(|site_connector| site_connector.connector)
        .collect();
    let gone: Vec<ConnectorId> = state.connectors.keys().filter(|id| !steered.contains(id)).copied().collect();
    for connector in gone {
        state.ledger.close(connector);
        let planned_only = site.connector_of(connector).is_some_and(|site_connector| site_connector.role == Role::Dry);
        if let Some(memory) = state.connectors.remove(&connector)
            && !planned_only
        {
            let leaving = Leaving { station: memory.station, number: memory.number, in_flight: false };
            state.leaving.insert(connector, leaving);
        }
    }
    state.leaving.retain(|id, _| !steered.contains(id));
}

/// A station that went may draw its live limit until that runs out, then its fallback; one that came is doubted.
fn follow_connection(
    ledger: &mut Ledger,
    memory: &mut Memory,
    site_connector: &SiteConnector,
    doubted: bool,
    settings: &Settings,
    now: Timestamp,
) {
    let connector = site_connector.connector;
    let alone = memory.alone(site_connector.rating);
    let exposure = ledger.exposure(connector).max(alone);
    // Who does not obey is not believed again because its link broke: only a meter shows that it obeys.
    let obeys = obeys(ledger, connector);
    if site_connector.online {
        if doubted || !memory.online {
            if obeys {
                ledger.reconnected(connector, exposure);
            }
            memory.fallback.due = true;
            memory.read_back = ReadBack::Due;
            memory.fallback.retry_at = None;
            (memory.lost_at, memory.unconfirmed_since) = (None, None);
        }
        (memory.online, memory.offline_since, memory.ran_out) = (true, None, false);
        return;
    }
    let since = *memory.offline_since.get_or_insert(now);
    if memory.online || doubted {
        if obeys {
            ledger.disconnected(connector, exposure);
        }
        (memory.online, memory.fallback.in_flight) = (false, false);
    }
    let expired = now >= since + Duration::from_secs(settings.limit_seconds.into());
    let ran_out = expired && !memory.never_expires;
    if ran_out && !memory.ran_out {
        memory.ran_out = true;
        if obeys {
            ledger.close(connector);
            ledger.disconnected(connector, alone);
        }
    }
}

fn obeys(ledger: &Ledger, connector: ConnectorId) -> bool {
    let why = ledger.uncontrolled(connector);
    !matches!(why, Some((Uncontrolled::NotObeying, _)))
}

/// A car that left draws nothing any more, and many stations do not report that.
fn follow_departure(ledger: &mut Ledger, memory: &mut Memory, site_connector: &SiteConnector) {
    let left = site_connector.session.is_none() && site_connector.status == ConnectorStatus::Available;
    let since = memory.overdraw.map(|overdraw| overdraw.since);
    let reported_since = site_connector.status_at > since;
    if left && reported_since && !obeys(ledger, site_connector.connector) {
        memory.overdraw = None;
        memory.meter.forget_power();
        ledger.reconnected(site_connector.connector, site_connector.rating);
    }
}

/// A session that begins, a car that charges again and one that reported its charging needs is sent its limit again, however sure one is
/// that it knows.
fn follow_session(
    ledger: &mut Ledger,
    memory: &mut Memory,
    site_connector: &SiteConnector,
    wished: bool,
    now: Timestamp,
) {
    let goes_on = follow_again(memory, site_connector);
    let session = site_connector.live_session().map(|session| session.id);
    let begins = session.is_some() && session != memory.session;
    let resumes = memory.suspended_since.is_some() && !site_connector.is_suspended();
    if (session.is_none() && memory.session.is_some())
        || (site_connector.is_suspended() && memory.suspended_since.is_none())
    {
        memory.draws.note(now, Watts::ZERO);
    }
    let is_another = session.is_some() && session != memory.session;
    if (is_another || site_connector.session.is_none()) && std::mem::take(&mut memory.ends_with_transaction) {
        follow_end_of_limit(ledger, memory, site_connector, now);
    }
    if begins && matches!(ledger.uncontrolled(site_connector.connector), Some((Uncontrolled::Rejected, _))) {
        // It may take a limit of a transaction, if nothing else.
        ledger.reconnected(site_connector.connector, ledger.exposure(site_connector.connector));
    }
    if session != memory.session {
        memory.session = session;
        if !goes_on {
            memory.queue_state = Default::default();
        }
        memory.demand = Demand::default();
        (memory.suspended_since, memory.stopped_at) = (None, None);
    }
    memory.suspended_since = match site_connector.is_suspended() && session.is_some() {
        true => Some(memory.suspended_since.unwrap_or(now)),
        false => None,
    };
    if session.is_none() && refuses_zero(memory, now) && ledger.uncontrolled(site_connector.connector).is_none() {
        let alone = memory.alone_now(site_connector, now);
        ledger.lose(site_connector.connector, Uncontrolled::Rejected, alone);
    }
    if (begins || resumes || wished) && ledger.uncontrolled(site_connector.connector).is_none() {
        ledger.reassert(site_connector.connector);
    }
}

/// The limit of a transaction is gone with it. A station that took a fallback takes limits without a transaction, too, and is sent one;
/// until it confirms that, it may draw what it might before. One that took none is not limited until the next transaction.
fn follow_end_of_limit(ledger: &mut Ledger, memory: &Memory, site_connector: &SiteConnector, now: Timestamp) {
    let connector = site_connector.connector;
    if memory.fallback.proven.is_none() {
        ledger.lose(connector, Uncontrolled::Rejected, site_connector.rating);
    } else if ledger.uncontrolled(connector).is_none() {
        let alone = memory.alone_now(site_connector, now);
        ledger.reconnected(connector, ledger.exposure(connector).max(alone));
    }
}

/// Whether its station was sent 0 lately and refused it. It is tried again after a day: its firmware may be another one.
fn refuses_zero(memory: &mut Memory, now: Timestamp) -> bool {
    const REMEMBERED: Duration = Duration::from_secs(24 * 3_600);
    memory.refuses_zero.take_if(|at| now.since(*at) >= REMEMBERED);
    memory.refuses_zero.is_some()
}

/// A station that refuses or is silent lets its live limit run out, so its fallback is reserved too, and nothing else once that has
/// happened; then it is tried again.
fn follow_failure(
    ledger: &mut Ledger,
    memory: &mut Memory,
    site_connector: &SiteConnector,
    settings: &Settings,
    now: Timestamp,
) {
    let connector = site_connector.connector;
    let Some((why, exposure)) = ledger.uncontrolled(connector) else {
        memory.lost_at = None;
        return;
    };
    if !matches!(why, Uncontrolled::Rejected | Uncontrolled::TimedOut) {
        return;
    }
    let assumed = memory.alone_now(site_connector, now);
    let lost_at = *memory.lost_at.get_or_insert(now);
    // Nothing but 0 would be sent where nobody charges.
    let would_refuse = memory.refuses_zero.is_some() && site_connector.live_session().is_none();
    let waited = now >= lost_at + Duration::from_secs(settings.limit_seconds.into());
    if waited && !would_refuse {
        (memory.lost_at, memory.least) = (None, None);
        ledger.reconnected(connector, assumed);
    } else if assumed != exposure {
        ledger.close(connector);
        ledger.lose(connector, why, assumed);
    }
}

/// Compares a reading with the limit (rule S24), whatever is said of sessions.
fn follow_meter(
    ledger: &mut Ledger,
    memory: &mut Memory,
    site_connector: &SiteConnector,
    (shown, lasts): (&Shown, Duration),
    now: Timestamp,
) -> Option<Remark> {
    let connector = site_connector.connector;
    let reported = memory.meter.take(shown, site_connector.hardware());
    if let Some(draw) = reported {
        memory.draws.note(shown.at, draw);
        if memory.sent_at.is_some_and(|sent| shown.at > sent) {
            ledger.measured(connector, draw);
        }
        learn_demand(ledger, memory, site_connector, (shown, draw));
    }
    // A reading may have shown just now that a cut is followed: what was read before was allowed.
    memory.allowed.note(now, ledger.exposure(connector));
    let lowered = memory.allowed.since().map(|since| since + REACTION);
    let proof = memory.meter.proves(lowered, site_connector.hardware());
    // A register may bound what is drawn without saying that it is little.
    let keeps = |limit: Watts| {
        let most = limit + OVERDRAW_MARGIN.max(Watts(limit.get() / 20));
        let by_power = reported.filter(|_| shown.power.is_some());
        let by_register = proof.map(|proof| proof.most);
        by_power.or(by_register).is_some_and(|draw| draw <= most)
    };
    let excess_of = |limit: Watts| {
        let most = limit + OVERDRAW_MARGIN.max(Watts(limit.get() / 20));
        let by_power = reported.filter(|draw| shown.power.is_some() && *draw > most);
        let by_power = by_power.map(|draw| (draw, shown.at, 1));
        let by_register = proof.filter(|proof| proof.least > most);
        let by_register = by_register.map(|proof| (proof.least, proof.since, OVERDRAW_SAMPLES));
        by_register.into_iter().chain(by_power).max()
    };
    if let Some((Uncontrolled::NotObeying, reserved)) = ledger.uncontrolled(connector) {
        let kept = memory.overdraw?.limit;
        return match excess_of(kept) {
            None if keeps(kept) => {
                memory.overdraw = None;
                ledger.reconnected(connector, site_connector.rating);
                let draw = reported.or(proof.map(|proof| proof.most))?;
                Some(Remark::Obeying { draw })
            }
            Some((draw, ..)) if draw > reserved => {
                ledger.not_obeying(connector, draw);
                None
            }
            _ => None,
        };
    }
    if ledger.uncontrolled(connector).is_some() {
        return None; // all that it may draw is reserved
    }
    let limit = ledger.exposure(connector);
    let Some((draw, since, samples)) = excess_of(limit) else {
        memory.overdraw.take_if(|_| keeps(limit));
        return None;
    };
    let overdraw = memory.overdraw.get_or_insert(Overdraw { since, samples: 0, limit, sent_again: false });
    overdraw.since = overdraw.since.min(since);
    overdraw.samples += samples;
    overdraw.limit = limit;
    if overdraw.samples >= OVERDRAW_SAMPLES && !overdraw.sent_again {
        // Some stations apply a default limit to new transactions only: it is sent again, as one of this transaction.
        overdraw.sent_again = true;
        ledger.reassert(connector);
    }
    if overdraw.samples < OVERDRAW_SAMPLES || shown.at.since(overdraw.since) < lasts {
        return None;
    }
    ledger.not_obeying(connector, draw.max(site_connector.rating));
    Some(Remark::NotObeying { draw, limit })
}

/// Learns what the car of a session uses of what it may.
fn learn_demand(ledger: &Ledger, memory: &mut Memory, site_connector: &SiteConnector, (shown, draw): (&Shown, Watts)) {
    let known = ledger.known(site_connector.connector);
    let limit = known.filter(|limit| *limit > Watts::ZERO);
    if let Some(limit) = limit.filter(|_| site_connector.live_session().is_some()) {
        memory.demand.observe(&Observed {
            at: shown.at,
            draw: draw.max(site_connector.as_if_on_all_phases(shown.current)),
            limit: (limit, memory.since),
            minimum: site_connector.minimum,
            ampere: Milliamps(1_000).to_power(site_connector.voltage, site_connector.phases),
        });
    }
}
