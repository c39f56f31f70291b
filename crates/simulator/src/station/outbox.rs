//! What a station wants to say: one thing at a time, and what belongs to a transaction survives an outage.

use std::collections::VecDeque;

use kernel::Timestamp;
use ocpp::action::Request;
use ocpp::v16::common::IdTag;
use ocpp::v16::{
    authorize, boot_notification, heartbeat, meter_values, start_transaction, status_notification, stop_transaction,
};
use ocpp::wire::Wire;

/// Messages that are kept while the server is away; then readings are given up, the oldest first.
pub(super) const MOST_KEPT: usize = 1_000;

/// Something to say.
#[derive(Debug, Clone)]
pub(super) enum Message {
    /// Who the station is.
    Boot(boot_notification::Request),
    /// That it lives.
    Heartbeat,
    /// What a connector does.
    Status(status_notification::Request),
    /// May this card charge at this connector?
    Authorize {
        /// Where it was shown.
        connector: u32,
        /// The card.
        id_tag: IdTag,
    },
    /// Charging began.
    Start {
        /// Our number of the transaction.
        local: u64,
        /// What to say.
        request: start_transaction::Request,
    },
    /// What a meter shows.
    Meter {
        /// Our number of the transaction.
        local: Option<u64>,
        /// What to say; the server's number is filled in when it is sent.
        request: meter_values::Request,
    },
    /// Charging ended.
    Stop {
        /// Our number of the transaction.
        local: u64,
        /// What to say; the server's number is filled in when it is sent.
        request: stop_transaction::Request,
    },
}

impl Message {
    /// The name in the envelope.
    pub(super) const fn action(&self) -> &'static str {
        match self {
            Self::Boot(_) => boot_notification::Request::ACTION,
            Self::Heartbeat => heartbeat::Request::ACTION,
            Self::Status(_) => status_notification::Request::ACTION,
            Self::Authorize { .. } => authorize::Request::ACTION,
            Self::Start { .. } => start_transaction::Request::ACTION,
            Self::Meter { .. } => meter_values::Request::ACTION,
            Self::Stop { .. } => stop_transaction::Request::ACTION,
        }
    }

    /// Whether it must reach the server however long that takes (OCPP 1.6 §3.7.1).
    pub(super) const fn is_transactional(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::Stop { .. } | Self::Meter { local: Some(_), .. })
    }

    /// Its arguments; `number` knows the server's numbers of our transactions.
    pub(super) fn payload(&self, number: impl Fn(u64) -> i64) -> String {
        match self {
            Self::Boot(request) => request.to_json(),
            Self::Heartbeat => heartbeat::Request {}.to_json(),
            Self::Status(request) => request.to_json(),
            Self::Authorize { id_tag, .. } => authorize::Request { id_tag: id_tag.clone() }.to_json(),
            Self::Start { request, .. } => request.to_json(),
            Self::Meter { local, request } => {
                meter_values::Request { transaction_id: local.map(number), ..request.clone() }.to_json()
            }
            Self::Stop { local, request } => {
                stop_transaction::Request { transaction_id: number(*local).into(), ..request.clone() }.to_json()
            }
        }
    }
}

/// A message under way.
#[derive(Debug)]
pub(super) struct InFlight {
    /// What was said.
    pub message: Message,
    /// How often it was refused before.
    pub refusals: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// What is to be said, in order.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<(Message, u32)>,
    in_flight: Option<InFlight>,
    /// Nothing is said before this instant, because the server refused something.
    pub held_until: Option<Timestamp>,
}

impl Outbox {
    /// Lines a message up.
    pub(super) fn push(&mut self, message: Message) {
        if self.waiting.len() >= MOST_KEPT {
            let oldest = self.waiting.iter().position(|(one, _)| matches!(one, Message::Meter { .. }));
            oldest.and_then(|place| self.waiting.remove(place));
        }
        self.waiting.push_back((message, 0));
    }

    /// Begins with the next message, when nothing keeps it back; `false` when there is none.
    pub(super) fn begin_next(&mut self, now: Timestamp) -> bool {
        self.held_until.take_if(|until| *until <= now);
        if self.in_flight.is_some() || self.held_until.is_some() {
            return false;
        }
        let next = self.waiting.pop_front();
        let found = next.is_some();
        if let Some((message, refusals)) = next {
            self.begin(message, refusals, now);
        }
        found
    }

    /// Begins with this message, before everything that waits; only when nothing is under way.
    pub(super) fn begin(&mut self, message: Message, refusals: u32, now: Timestamp) {
        self.in_flight = Some(InFlight { message, refusals, sent_at: now });
    }

    /// What is under way.
    pub(super) const fn current(&self) -> Option<&InFlight> {
        self.in_flight.as_ref()
    }

    /// Whether something is under way.
    pub(super) const fn is_busy(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Ends what is under way.
    pub(super) const fn finish(&mut self) -> Option<InFlight> {
        self.in_flight.take()
    }

    /// Puts a message back, to be the next one.
    pub(super) fn again(&mut self, message: Message, refusals: u32) {
        self.waiting.push_front((message, refusals));
    }

    /// Forgets what nobody needs to hear any more once the connection is gone.
    pub(super) fn forget_small_talk(&mut self) {
        self.waiting.retain(|(message, _)| message.is_transactional() || matches!(message, Message::Authorize { .. }));
        self.held_until = None;
    }
}
