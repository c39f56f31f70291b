//! What one member asks for, before anybody compares it with others: its bounds on steps, or why it takes no part.

use std::time::Duration;

use super::grid::{GridEntry, sane};
use super::reason::Reason;
use super::snapshot::{Member, MemberState, Session, Settings};
use kernel::{Timestamp, Watts};

/// What a member that can take part asks for, in watts that are multiples of its step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub minimum: i64,
    pub maximum: i64,
    /// The reason when it is given its maximum.
    pub at_maximum: Reason,
    /// It only gets its minimum, out of what the others leave.
    pub left_over: bool,
}

impl Offer {
    /// The same, as if any power above zero were worth sending.
    pub(crate) fn without_minimum(&self) -> Self {
        Self { minimum: 0, ..self.clone() }
    }
}

/// Whether a member takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AdmissionState {
    /// With this offer.
    In(Offer),
    /// Not, for this reason.
    Out(Reason),
}

/// The first of the instants that were noted and are still to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextChange {
    pub now: Timestamp,
    pub next: Option<Timestamp>,
}

impl NextChange {
    /// Remembers an instant, if it is still to come.
    pub(crate) fn note(&mut self, at: Timestamp) {
        if at > self.now {
            self.next = Some(self.next.map_or(at, |next| next.min(at)));
        }
    }
}

/// What a member could take by itself, or why it does not take part.
pub(super) fn offer(entry: &GridEntry<'_>, settings: &Settings, timer: &mut NextChange) -> AdmissionState {
    let member = entry.member;
    if entry.node.is_none() {
        return AdmissionState::Out(Reason::NotInTree);
    }
    let (session, suspended) = match &member.state {
        MemberState::Idle { .. } => return AdmissionState::Out(Reason::NoSession),
        MemberState::Uncontrolled { reserved, why } => {
            return AdmissionState::Out(Reason::Reserved { why: *why, reserved: *reserved });
        }
        MemberState::Active(session) => (session, None),
        MemberState::Suspended { since, session } => (session, Some(*since)),
    };
    if session.excluded && !session.priority_charge {
        return AdmissionState::Out(Reason::ExclusionWindow);
    }
    if let Some(until) = session.waits_until.filter(|until| *until > timer.now && !session.priority_charge) {
        timer.note(until);
        return AdmissionState::Out(Reason::CheaperLater { until });
    }
    let (minimum, maximum) = on_steps(member);
    if maximum < minimum.max(1) {
        return AdmissionState::Out(Reason::Unsatisfiable { minimum: member.minimum, maximum: member.maximum });
    }
    let off_until = session.queue_state.stopped_at.map(|at| at + seconds(settings.off_seconds));
    if let Some(until) = off_until.filter(|until| session.queue_state.on_since.is_none() && *until > timer.now) {
        timer.note(until);
        return AdmissionState::Out(Reason::OffTime { until });
    }
    if let Some(since) = suspended {
        let until = since + seconds(settings.suspended_grace_seconds);
        let kept_until = (until > timer.now).then_some(until);
        timer.note(until);
        return AdmissionState::In(Offer {
            minimum,
            maximum: minimum,
            at_maximum: Reason::SuspendedByVehicle { kept_until },
            left_over: kept_until.is_none(),
        });
    }
    AdmissionState::In(damped(entry, session, settings, timer, minimum, maximum))
}

/// The offer of a session that draws: no more than its car has shown to use, and no faster than limits may rise.
fn damped(
    entry: &GridEntry<'_>,
    session: &Session,
    settings: &Settings,
    timer: &mut NextChange,
    minimum: i64,
    maximum: i64,
) -> Offer {
    let member = entry.member;
    let down_to_step = |watts: i64| Watts(watts).floor_to(member.step).get().max(minimum);
    let mut offer = Offer { minimum, maximum, at_maximum: Reason::AtMaximum, left_over: false };
    if let Some(demand) = session.learned_demand.filter(|demand| sane(*demand) < maximum) {
        offer.maximum = down_to_step(sane(demand));
        offer.at_maximum = Reason::LearnedDemand { demand };
    }
    if let Some(raise) = settings.raise_step {
        let interval = seconds(settings.raise_interval_seconds);
        let ripe = session.queue_state.raised_at.is_none_or(|at| at + interval <= timer.now);
        let raise = if ripe { sane(raise).max(member.step.get()).max(1) } else { 0 };
        let ramp = down_to_step(sane(member.current) + raise);
        if ramp < offer.maximum {
            let next_at = session.queue_state.raised_at.filter(|_| !ripe).unwrap_or(timer.now) + interval;
            timer.note(next_at);
            offer.maximum = ramp;
            offer.at_maximum = Reason::Rising { next_at };
        }
    }
    offer
}

/// The minimum rounded up and the maximum rounded down to the member's step.
fn on_steps(member: &Member) -> (i64, i64) {
    let step = sane(member.step).max(1);
    let minimum = (sane(member.minimum) + step - 1) / step * step;
    (minimum, sane(member.maximum) / step * step)
}

/// A span of whole seconds.
pub(super) fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}
