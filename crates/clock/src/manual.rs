//! A clock that stands still until a test moves it, and that knows who waits for it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use kernel::Timestamp;
use tokio::sync::Notify;

use super::{Clock, Timer};

/// A clock that stands still until a test moves it; cheap to clone.
///
/// It shows a test when those whom it woke have done their work: a task that owns a [`Timer`] is at rest while it awaits it, and
/// at work otherwise.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Nobody is at work any more.
    rest: Notify,
}

#[derive(Debug)]
struct State {
    shows: Timestamp,
    /// The time that has passed since it was made, whatever it was set to.
    passed: Duration,
    waiters: BTreeMap<u64, Doing>,
    /// How many of them work.
    working: usize,
    next_waiter: u64,
}

/// What the owner of a timer does.
#[derive(Debug)]
enum Doing {
    Works,
    /// It waits until so much time has passed, or for something else where there is nothing to wait for here.
    Rests(Option<Duration>, Waker),
}

impl State {
    /// Changes what the owner of a timer does; `None`: there is no such timer, or not any more.
    fn note(&mut self, waiter: u64, doing: Option<Doing>) -> Option<Doing> {
        self.working += usize::from(matches!(doing, Some(Doing::Works)));
        let before = match doing {
            Some(doing) => self.waiters.insert(waiter, doing),
            None => self.waiters.remove(&waiter),
        };
        self.working -= usize::from(matches!(before, Some(Doing::Works)));
        before
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the owner of a timer does, and wakes who waits for nobody to work.
    fn note(&self, mut state: MutexGuard<'_, State>, waiter: u64, doing: Option<Doing>) {
        let before = state.note(waiter, doing);
        if state.working == 0 {
            self.rest.notify_waiters();
        }
        drop(state); // before the waker: with it a task may end that has a timer, too
        drop(before);
    }
}

impl ManualClock {
    /// A clock that shows this instant.
    pub fn at(start: Timestamp) -> Self {
        let state =
            State { shows: start, passed: Duration::ZERO, waiters: BTreeMap::new(), working: 0, next_waiter: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), rest: Notify::new() }))
    }

    /// Lets time pass. Who waited for an instant that came is woken, in the order of these instants, and is at work from now on.
    pub fn advance(&self, span: Duration) {
        let mut state = self.0.state();
        state.shows = state.shows + span;
        state.passed = state.passed.saturating_add(span);
        let passed = state.passed;
        let mut due = Vec::new();
        for (waiter, doing) in &mut state.waiters {
            if let Doing::Rests(Some(until), _) = doing
                && *until <= passed
            {
                let until = *until;
                if let Doing::Rests(_, waker) = std::mem::replace(doing, Doing::Works) {
                    due.push((until, *waiter, waker));
                }
            }
        }
        state.working += due.len();
        drop(state);
        due.sort_by_key(|(until, waiter, _)| (*until, *waiter));
        due.into_iter().for_each(|(_, _, waker)| waker.wake());
    }

    /// Sets it, also backwards, as an operator would set the machine's clock. No time passes, so nobody is woken.
    pub fn set(&self, to: Timestamp) {
        self.0.state().shows = to;
    }

    /// Whether all who have a timer await it.
    pub fn is_at_rest(&self) -> bool {
        self.0.state().working == 0
    }

    /// Waits until all who have a timer await it.
    pub async fn at_rest(&self) {
        loop {
            let mut rest = pin!(self.0.rest.notified());
            rest.as_mut().enable();
            if self.is_at_rest() {
                return;
            }
            rest.await;
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.state().shows
    }

    fn timer(&self) -> Timer {
        let mut state = self.0.state();
        let id = state.next_waiter;
        state.next_waiter += 1;
        state.note(id, Some(Doing::Works));
        drop(state);
        Timer::of_a_test(Waiter { clock: Arc::clone(&self.0), id, until: None })
    }
}

/// A timer of a [`ManualClock`].
#[derive(Debug)]
pub(super) struct Waiter {
    clock: Arc<Shared>,
    id: u64,
    /// It is due when so much time has passed since the clock was made.
    until: Option<Duration>,
}

impl Waiter {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.state().shows
    }

    pub(crate) fn set(&mut self, span: Option<Duration>) {
        let passed = self.clock.state().passed;
        self.until = span.map(|span| passed.saturating_add(span));
    }

    pub(crate) async fn due(&self) {
        let _at_work_after_all = AtWork(self);
        poll_fn(|context| self.poll(context)).await;
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let state = self.clock.state();
        let is_due = self.until.is_some_and(|until| until <= state.passed);
        let doing = if is_due { Doing::Works } else { Doing::Rests(self.until, context.waker().clone()) };
        self.clock.note(state, self.id, Some(doing));
        if is_due { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.clock.note(self.clock.state(), self.id, None);
    }
}

/// Ends a wait that was given up: its owner works on something else.
struct AtWork<'a>(&'a Waiter);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let Waiter { clock, id, .. } = self.0;
        clock.note(clock.state(), *id, Some(Doing::Works));
    }
}
