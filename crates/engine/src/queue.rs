//! Who takes part: everybody's minimum or nothing, in the order of the queue.
//!
//! Minimums are handed out greedily, and one that does not fit is passed over, so that a large car does not keep a small
//! one waiting. Who was started has a minimum on-time, who was stopped an off-time, and who waited for several
//! minimum on-times comes to the front; behind it nobody new is started on the limit it waits for.

use std::time::Duration;

use super::grid::{Grid, GridEntry, take};
use super::laxity::Outlook;
use super::offer::{AdmissionState, NextChange, seconds};
use super::reason::Reason;
use super::snapshot::{Algorithm, Member, PriorityClass, QueueState, Session, Settings};
use kernel::{ConnectorId, Timestamp, Watts};

/// Decides for every grid entry that asks for power; those that are not next get nothing.
pub(super) fn admit(
    grid: &Grid<'_>,
    available: &[i128],
    settings: &Settings,
    outlook: &Outlook,
    timer: &mut NextChange,
    admissions: &mut [AdmissionState],
) {
    let mut order: Vec<(Rank, usize, i64)> = Vec::with_capacity(admissions.len());
    for (index, (entry, admission)) in grid.entries.iter().zip(admissions.iter()).enumerate() {
        if let (AdmissionState::In(offer), Some(session)) = (admission, entry.member.session())
            && !offer.left_over
        {
            let algorithm = grid.algorithm(entry);
            order.push((
                Rank::of(
                    entry.member,
                    session,
                    outlook.laxity(index).filter(|_| settings.trusted_departures),
                    algorithm,
                    settings,
                    timer.now,
                ),
                index,
                offer.minimum,
            ));
        }
    }
    order.sort_unstable();
    let mut admission = Admission {
        grid,
        available,
        room: available.to_vec(),
        claimed: vec![false; available.len()],
        waiting: vec![0; available.len()],
        settings,
        timer,
    };
    for (rank, index, minimum) in &order {
        if let (Some(entry), Some(state)) = (grid.entries.get(*index), admissions.get_mut(*index))
            && let Some(reason) = admission.refuse(entry, rank, *minimum)
        {
            *state = AdmissionState::Out(reason);
        }
    }
    admission.note_changes(admissions);
}

/// The queue position; the smallest is served first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: PriorityClass,
    not_within_minimum_on_time: bool,
    not_aged: bool,
    /// Energy for its weight, or the time it can lose; nothing where the first come is the first served, and for those that waited too long.
    service: i128,
    waiting_since: Timestamp,
    arrived_at: Timestamp,
    connector: ConnectorId,
}

impl Rank {
    fn of(
        member: &Member,
        session: &Session,
        laxity: Option<i64>,
        algorithm: Algorithm,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        let queue_state = session.queue_state;
        let kept = is_within_minimum_on_time(session, settings, now);
        let waiting_since = queue_state.waiting_since.unwrap_or(now);
        let rotates = algorithm != Algorithm::FirstCome;
        // The laxity of a waiting session falls until it is the least: it comes to the front by itself.
        let aged = rotates
            && laxity.is_none()
            && queue_state.waiting_since.is_some()
            && now >= waiting_since + patience(settings);
        let weight = if algorithm == Algorithm::Priority { member.weight.max(1) } else { 1 };
        let service = match laxity {
            Some(laxity) => i128::from(laxity),
            None => i128::from(session.attained.get()) * i128::from(u32::MAX) / i128::from(weight),
        };
        Self {
            class: member.effective_class(),
            not_within_minimum_on_time: !kept,
            not_aged: !aged,
            service: if rotates && !aged { service } else { 0 },
            waiting_since: if rotates { waiting_since } else { session.arrived_at },
            arrived_at: session.arrived_at,
            connector: member.connector,
        }
    }
}

/// Whether a session was started so recently that it is within its minimum on-time.
pub(super) fn is_within_minimum_on_time(session: &Session, settings: &Settings, now: Timestamp) -> bool {
    let since = session.queue_state.on_since;
    since.is_some_and(|since| now < since + seconds(settings.minimum_on_seconds))
}

/// Hands out minimums, one member after the other.
struct Admission<'a> {
    grid: &'a Grid<'a>,
    available: &'a [i128],
    room: Vec<i128>,
    /// Rows that somebody waited for too long: nobody new is started on them.
    claimed: Vec<bool>,
    /// How many wait for each row.
    waiting: Vec<u32>,
    settings: &'a Settings,
    timer: &'a mut NextChange,
}

impl Admission<'_> {
    /// Takes the minimum of a member, or says why not.
    fn refuse(&mut self, entry: &GridEntry<'_>, rank: &Rank, minimum: i64) -> Option<Reason> {
        let queue_state = entry.member.session()?.queue_state;
        let starts = queue_state.on_since.is_none();
        let uses = self.grid.uses(entry);
        let claimed = uses.iter().map(|one| one.row).find(|row| starts && self.claimed.get(*row) == Some(&true));
        if let Some(row) = self.grid.bottleneck(entry, &self.room, minimum).or(claimed) {
            let alone = self.grid.bottleneck(entry, self.available, minimum);
            if alone.is_none() && !rank.not_aged {
                self.claim(row);
            }
            return self.turn_away(row, alone, Watts(minimum));
        }
        take(&mut self.room, uses, minimum);
        let until = queue_state.fits_since.unwrap_or(self.timer.now) + seconds(self.settings.restart_after_seconds);
        if starts && queue_state.stopped_at.is_some() && until > self.timer.now {
            self.timer.note(until);
            return Some(Reason::WaitingForHeadroom { until });
        }
        None
    }

    fn claim(&mut self, row: usize) {
        if let Some(claimed) = self.claimed.get_mut(row) {
            *claimed = true;
        }
    }

    fn turn_away(&mut self, row: usize, alone: Option<usize>, minimum: Watts) -> Option<Reason> {
        let row = alone.unwrap_or(row);
        let (node, bound) = (self.grid.group_of(row)?, self.grid.bound(row, self.available));
        if alone.is_some() {
            return Some(Reason::MinimumDoesNotFit { node, bound, minimum });
        }
        let position = self.waiting.get_mut(row)?;
        *position += 1;
        Some(Reason::Queued { node, bound, position: *position, minimum })
    }

    /// While somebody waits, the order may change whenever a minimum on-time, an off-time or patience ends.
    fn note_changes(&mut self, admissions: &[AdmissionState]) {
        let somebody_waits = admissions.iter().any(|one| matches!(one, AdmissionState::Out(Reason::Queued { .. })));
        if !somebody_waits {
            return;
        }
        self.timer.note(self.timer.now + seconds(self.settings.off_seconds.max(1)));
        for (entry, admission) in self.grid.entries.iter().zip(admissions) {
            let Some(session) = entry.member.session() else {
                continue;
            };
            match admission {
                AdmissionState::In(_) => {
                    let since = session.queue_state.on_since.unwrap_or(self.timer.now);
                    self.timer.note(since + seconds(self.settings.minimum_on_seconds));
                }
                AdmissionState::Out(_) => {
                    let since = session.queue_state.waiting_since.unwrap_or(self.timer.now);
                    self.timer.note(since + patience(self.settings));
                }
            }
        }
    }
}

/// What a session must bring to the next plan, given that it now has this limit for this reason.
pub(super) fn next_queue_state(member: &Member, limit: Watts, reason: &Reason, now: Timestamp) -> Option<QueueState> {
    let queue_state = member.session()?.queue_state;
    let suspended = matches!(reason, Reason::SuspendedByVehicle { .. });
    let waits = matches!(
        reason,
        Reason::Queued { .. }
            | Reason::MinimumDoesNotFit { .. }
            | Reason::OffTime { .. }
            | Reason::WaitingForHeadroom { .. }
    );
    let runs = limit > Watts::ZERO;
    // Who stops by the clock did not have to make way, so has no off-time afterwards.
    let by_clock = matches!(reason, Reason::ExclusionWindow | Reason::CheaperLater { .. });
    let was_stopped = !runs && !suspended && !by_clock && queue_state.on_since.is_some();
    Some(QueueState {
        on_since: runs.then(|| queue_state.on_since.unwrap_or(now)),
        waiting_since: waits.then(|| queue_state.waiting_since.unwrap_or(now)),
        stopped_at: if runs { None } else { Some(now).filter(|_| was_stopped).or(queue_state.stopped_at) },
        fits_since: matches!(reason, Reason::WaitingForHeadroom { .. }).then(|| queue_state.fits_since.unwrap_or(now)),
        raised_at: if limit > member.current { Some(now) } else { queue_state.raised_at },
    })
}

/// How long a session waits before it comes to the front.
fn patience(settings: &Settings) -> Duration {
    seconds(settings.minimum_on_seconds.saturating_mul(settings.ageing_on_times))
}
