//! Our calls: one is outstanding, the others wait by urgency, and each of them ends exactly once.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use crate::frame::write_call;
use kernel::Timestamp;

use super::output::{CallFailure, Output};

/// Calls that may wait; more than a station can work off before they are stale.
pub const MOST_QUEUED: usize = 64;
/// Characters of a prefix, so that with a counter behind it an id stays below 36.
const LONGEST_PREFIX: usize = 16;

/// How urgent a call is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Lowers a limit: somebody else's safety waits for it.
    Lowering,
    /// A person or an integrator waits for it.
    Command,
    /// Raises or repeats a limit.
    Raising,
    /// Finds out about the station.
    Probe,
}

/// What makes two waiting calls the same wish, so that the newer one replaces the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CoalesceKey {
    /// The kind of wish, such as `limit`.
    pub what: &'static str,
    /// The connector or EVSE it is about; 0 for the station.
    pub connector: u32,
}

/// A call to the station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingCall {
    /// A number of the caller, given back when the call is over.
    pub correlation: u64,
    /// The action.
    pub action: String,
    /// The arguments as JSON.
    pub payload: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Which waiting call it replaces.
    pub coalesce_key: Option<CoalesceKey>,
    /// When it is no longer worth sending.
    pub expires_at: Timestamp,
}

impl OutgoingCall {
    /// The end of a call that was never answered.
    pub(super) const fn over(&self, failure: CallFailure) -> Output {
        done(self.correlation, failure)
    }
}

const fn done(correlation: u64, failure: CallFailure) -> Output {
    Output::CallDone { correlation, result: Err(failure) }
}

/// The call the station has not answered yet.
#[derive(Debug)]
struct Outstanding {
    message_id: String,
    correlation: u64,
    deadline: Timestamp,
}

/// The outstanding call and those behind it.
#[derive(Debug)]
pub(super) struct Outgoing {
    outstanding: Option<Outstanding>,
    /// Ascending by priority, and by arrival within one.
    queue: VecDeque<OutgoingCall>,
    id_prefix: String,
    sent: u64,
    timeout: Duration,
}

impl Outgoing {
    /// Nothing outstanding, nothing waiting.
    pub(super) fn new(id_prefix: &str, timeout: Duration) -> Self {
        Self {
            outstanding: None,
            queue: VecDeque::new(),
            id_prefix: id_prefix.chars().take(LONGEST_PREFIX).collect(),
            sent: 0,
            timeout,
        }
    }

    /// Lines a call up, instead of an older one with the same key when that is as urgent.
    pub(super) fn enqueue(&mut self, call: OutgoingCall, outputs: &mut Vec<Output>) {
        let key = call.coalesce_key;
        let older = key.and_then(|key| self.queue.iter().position(|one| one.coalesce_key == Some(key)));
        if let Some(place) = older
            && let Some(older) = self.queue.get_mut(place)
        {
            outputs.push(older.over(CallFailure::Superseded));
            if older.priority == call.priority {
                *older = call;
                return;
            }
            self.queue.remove(place);
        }
        if self.queue.len() >= MOST_QUEUED {
            match self.queue.back() {
                Some(last) if last.priority > call.priority => {
                    outputs.push(last.over(CallFailure::QueueFull));
                    self.queue.pop_back();
                }
                _ => return outputs.push(call.over(CallFailure::QueueFull)),
            }
        }
        let place = self.queue.partition_point(|one| one.priority <= call.priority);
        self.queue.insert(place, call);
    }

    /// Ends the outstanding call when this is its id; gives its correlation.
    pub(super) fn finish(&mut self, message_id: &str) -> Option<u64> {
        let ours = self.outstanding.take_if(|call| call.message_id == message_id)?;
        Some(ours.correlation)
    }

    /// Ends what ran out of time, and sends the next call when it may be sent.
    pub(super) fn advance(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        if let Some(late) = self.outstanding.take_if(|call| call.deadline <= now) {
            outputs.push(done(late.correlation, CallFailure::TimedOut));
        }
        self.queue.retain(|call| {
            let alive = call.expires_at > now;
            if !alive {
                outputs.push(call.over(CallFailure::Expired));
            }
            alive
        });
        if self.outstanding.is_none()
            && let Some(call) = self.queue.pop_front()
        {
            self.sent += 1;
            let message_id = format!("{}{}", self.id_prefix, self.sent);
            outputs.push(Output::Transmit(write_call(&message_id, &call.action, &call.payload)));
            self.outstanding =
                Some(Outstanding { message_id, correlation: call.correlation, deadline: now + self.timeout });
        }
    }

    /// When [`advance`](Self::advance) will have something to do.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let deadline = self.outstanding.as_ref().map(|call| call.deadline);
        let expiry = self.queue.iter().map(|call| call.expires_at).min();
        [deadline, expiry].into_iter().flatten().min()
    }

    /// Ends everything at once.
    pub(super) fn drop_all(&mut self, outputs: &mut Vec<Output>) {
        let outstanding = self.outstanding.take();
        outputs.extend(outstanding.map(|call| done(call.correlation, CallFailure::Dropped)));
        let queue = mem::take(&mut self.queue);
        outputs.extend(queue.iter().map(|call| call.over(CallFailure::Dropped)));
    }
}
