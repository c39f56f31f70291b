//! The conversation with the server: one message at a time goes out, answers change the state, calls are obeyed.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::value::RawValue;

use kernel::Protocol;
use kernel::Timestamp;
use ocpp::decode;
use ocpp::session::{CallFailure, Input, OutgoingCall, Output, Priority};
use ocpp::v16::common::Authorization;
use ocpp::v16::{ChargePointStatus, Reason, RegistrationStatus, authorize, boot_notification, start_transaction};
use ocpp::wire::Wire;

use super::outbox::{InFlight, Message};
use super::{Effect, Phase, Station, notification};
use crate::settings::HEARTBEAT_INTERVAL;

/// How often a refused transaction message is sent (`TransactionMessageAttempts`).
const ATTEMPTS: u32 = 3;
/// How long to wait after a refusal (`TransactionMessageRetryInterval`).
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How long to wait with another boot when the server does not say (OCPP 1.6 §4.2).
const BOOT_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// The number of a transaction that the server gave none (OCPP 1.6 errata §3.18).
const NO_NUMBER: i64 = -1;

impl Station {
    /// A text message arrived.
    pub fn receive(&mut self, text: &str, now: Timestamp) {
        self.advance(now);
        self.step(Input::Received(text), now);
        self.tick(now);
    }

    /// Says what is due, as far as the server may be spoken to.
    pub(super) fn talk(&mut self, now: Timestamp) {
        if self.session_wake.is_some_and(|at| at <= now) {
            self.session_wake = None;
            self.step(Input::Tick, now);
        }
        if self.session.is_none() || self.outbox.is_busy() {
            return;
        }
        match self.phase {
            Phase::Offline => return,
            Phase::Booting(at) if at <= now => {
                let boot = Message::Boot(self.spec.identity.clone());
                self.outbox.begin(boot, 0, now);
            }
            Phase::Booting(_) => return,
            Phase::Accepted(at) => {
                if at <= now {
                    self.outbox.push(Message::Heartbeat);
                    self.phase = Phase::Accepted(self.heartbeat_after(now));
                }
                if !self.outbox.begin_next(now) {
                    return;
                }
            }
        }
        self.send(now);
    }

    /// Sends the message that was chosen.
    fn send(&mut self, now: Timestamp) {
        let numbers = &self.numbers;
        let Some(chosen) = self.outbox.current() else {
            return;
        };
        let number = |local| numbers.get(&local).copied().unwrap_or(NO_NUMBER);
        let (action, payload) = self.dialect.say(&chosen.message, number);
        let call = OutgoingCall {
            correlation: 0,
            action,
            payload,
            priority: Priority::Command,
            coalesce_key: None,
            expires_at: now + Duration::from_secs(3_600),
        };
        self.step(Input::Send(call), now);
    }

    /// Feeds the session and does what it says.
    fn step(&mut self, input: Input<'_>, now: Timestamp) {
        let Some(session) = &mut self.session else {
            return;
        };
        let mut outputs: VecDeque<Output> = session.step(input, now).into();
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Transmit(text) => self.effects.push(Effect::Send(text)),
                Output::NextWake(at) => self.session_wake = Some(at),
                Output::CallDone { result, .. } => self.finish(result, now),
                Output::Dispatch(call) => {
                    let (answer, afterwards) = self.obey(&call.action, &call.payload, now);
                    self.effects.push(Effect::Obeyed { action: call.action, fine: answer.is_ok() });
                    if let Some(session) = &mut self.session {
                        let message_id = call.message_id;
                        outputs.extend(session.step(Input::Answer { message_id, answer }, now));
                    }
                    // The answer goes first, what follows from it afterwards.
                    while let Some(reply) = outputs.pop_front() {
                        match reply {
                            Output::Transmit(text) => self.effects.push(Effect::Send(text)),
                            other => {
                                outputs.push_front(other);
                                break;
                            }
                        }
                    }
                    self.follow_up(afterwards, now);
                }
            }
        }
    }

    /// A call of ours is over.
    fn finish(&mut self, result: Result<Box<RawValue>, CallFailure>, now: Timestamp) {
        let Some(over) = self.outbox.finish() else {
            return;
        };
        self.note(over.message.action(), over.sent_at, now, result.is_ok());
        match result {
            Ok(payload) => {
                let payload = self.dialect.heard(&over.message, payload);
                self.answered(over.message, &payload, now);
            }
            Err(failure) => self.failed(over, &failure, now),
        }
    }

    pub(super) fn note(&mut self, action: &'static str, sent_at: Timestamp, now: Timestamp, fine: bool) {
        self.effects.push(Effect::Called { action, took: now.since(sent_at), fine });
    }

    fn answered(&mut self, message: Message, payload: &RawValue, now: Timestamp) {
        match message {
            Message::Boot(_) => match read::<boot_notification::Response>(payload, now) {
                Some(answer) => self.booted(&answer, now),
                None => self.phase = Phase::Booting(now + BOOT_AGAIN_AFTER),
            },
            Message::Authorize { connector, id_tag } => {
                let answer = read::<authorize::Response>(payload, now);
                if answer.is_some_and(|one| one.id_tag_info.status == Authorization::Accepted) {
                    self.start_as(connector, id_tag, now);
                }
            }
            Message::Start { local, .. } => {
                if let Some(answer) = read::<start_transaction::Response>(payload, now) {
                    self.started(local, &answer, now);
                }
            }
            Message::Stop { local, .. } => drop(self.numbers.remove(&local)),
            Message::Heartbeat | Message::Status(_) | Message::Meter { .. } => {}
        }
    }

    /// A transaction message that the server refused is repeated a few times, one that was lost for ever.
    fn failed(&mut self, over: InFlight, failure: &CallFailure, now: Timestamp) {
        let InFlight { message, refusals, .. } = over;
        let refused = matches!(failure, CallFailure::Error(_));
        if matches!(message, Message::Boot(_)) {
            self.phase = Phase::Booting(now + BOOT_AGAIN_AFTER);
        } else if message.is_transactional() && refusals + 1 < ATTEMPTS {
            self.outbox.held_until = refused.then(|| now + RETRY_AFTER);
            self.outbox.again(message, refusals + u32::from(refused));
        }
    }

    fn booted(&mut self, answer: &boot_notification::Response, now: Timestamp) {
        let interval = Duration::from_secs(u64::from(answer.interval));
        if answer.status != RegistrationStatus::Accepted {
            let wait = Some(interval).filter(|span| !span.is_zero());
            self.phase = Phase::Booting(now + wait.unwrap_or(BOOT_AGAIN_AFTER));
            return;
        }
        if !interval.is_zero() {
            let seconds = answer.interval.to_string();
            self.settings.change(HEARTBEAT_INTERVAL, &seconds);
        }
        self.phase = Phase::Accepted(self.heartbeat_after(now));
        self.report_all(now);
    }

    /// Reports the status of the station and of every connector.
    fn report_all(&mut self, now: Timestamp) {
        let station = notification(0, ChargePointStatus::Available, now);
        self.outbox.push(Message::Status(station));
        for connector in &mut self.connectors {
            connector.status = connector.true_status();
            let notice = notification(connector.number, connector.status.clone(), now);
            self.outbox.push(Message::Status(notice));
        }
    }

    fn started(&mut self, local: u64, answer: &start_transaction::Response, now: Timestamp) {
        self.numbers.insert(local, answer.transaction_id);
        let number = self.connectors.iter_mut().find_map(|connector| {
            let running = connector.transaction.as_mut()?;
            (running.local == local).then(|| {
                running.id = Some(answer.transaction_id);
                connector.number
            })
        });
        if answer.id_tag_info.status != Authorization::Accepted
            && !self.spec.free
            && let Some(connector) = number
        {
            self.stop(connector, Reason::DeAuthorized, now);
        }
    }
}

fn read<T: Wire>(payload: &RawValue, now: Timestamp) -> Option<T> {
    decode(payload, now, Protocol::V16).ok().map(|decoded| decoded.value)
}
