//! What the server may ask of a station, and what the station answers: first the answer, then what follows from it.

use std::time::Duration;

use serde_json::value::RawValue;

use kernel::Protocol;
use kernel::Timestamp;
use ocpp::tenths::Tenths;
use ocpp::v16::charging_profile::{ChargingSchedule, Purpose, RateUnit, SchedulePeriod};
use ocpp::v16::common::Acceptance;
use ocpp::v16::{
    AvailabilityStatus, AvailabilityType, ChargingProfileStatus, ClearChargingProfileStatus, Command,
    ConfigurationStatus, DataTransferStatus, GetCompositeScheduleStatus, MessageTrigger, Reason, ResetType,
    TriggerMessageStatus, UnlockStatus, UpdateStatus, UpdateType, change_availability, change_configuration,
    clear_cache, clear_charging_profile, data_transfer, get_composite_schedule, get_local_list_version,
    remote_start_transaction, remote_stop_transaction, reset, send_local_list, set_charging_profile, trigger_message,
    unlock_connector,
};
use ocpp::wire::Wire;
use ocpp::{CallError, ErrorCode};

use super::connector::Promise;
use super::dialect::reply;
use super::outbox::Message;
use super::{Effect, Station, notification};
use crate::limit::{Limit, Outlet};
use crate::settings::METER_INTERVAL;

/// The highest `stackLevel` (`ChargeProfileMaxStackLevel`).
const HIGHEST_LEVEL: u32 = 9;

/// What follows from an answer.
pub(super) enum FollowUp {
    Nothing,
    Start(u32, Promise),
    Stop(u32, Reason),
    Say(MessageTrigger, Option<u32>),
    Restart(Reason),
}

impl Station {
    /// Answers a call of the server.
    pub(super) fn obey(
        &mut self,
        action: &str,
        payload: &RawValue,
        now: Timestamp,
    ) -> (Result<String, CallError>, FollowUp) {
        if self.dialect.version() == Protocol::V16 {
            return self.obey_in_1_6(action, payload, now);
        }
        let Some((old, old_payload)) = self.dialect.asked(action, payload) else {
            let why = format!("a virtual station has no {action}");
            let error = CallError::new(ErrorCode::NotImplemented, why);
            return (Err(error), FollowUp::Nothing);
        };
        let (answer, next) = self.obey_in_1_6(&old, &old_payload, now);
        (answer.map(|said| reply(action, payload, &said)), next)
    }

    fn obey_in_1_6(
        &mut self,
        action: &str,
        payload: &RawValue,
        now: Timestamp,
    ) -> (Result<String, CallError>, FollowUp) {
        match Command::decode(action, payload, now, Protocol::V16) {
            Ok(decoded) => self.answer(decoded.value, now),
            Err(error) => (Err(error), FollowUp::Nothing),
        }
    }

    fn answer(&mut self, command: Command, now: Timestamp) -> (Result<String, CallError>, FollowUp) {
        let mut next = FollowUp::Nothing;
        let answer = match command {
            Command::SetChargingProfile(request) => self.set_profile(request, now).to_json(),
            Command::ClearChargingProfile(request) => self.clear_profiles(&request).to_json(),
            Command::GetCompositeSchedule(request) => self.composite(&request, now).to_json(),
            Command::GetConfiguration(request) => self.settings.list(request.key.as_deref()).to_json(),
            Command::ChangeConfiguration(request) => {
                let key = request.key.as_str();
                let status = self.settings.change(key, request.value.as_str());
                if key == METER_INTERVAL && status == ConfigurationStatus::Accepted {
                    self.meter_interval = self.settings.seconds(METER_INTERVAL);
                    self.meter_from(now);
                }
                change_configuration::Response { status }.to_json()
            }
            Command::TriggerMessage(request) => {
                let (status, follow) = self.trigger(&request);
                next = follow;
                trigger_message::Response { status }.to_json()
            }
            Command::Reset(request) => {
                next = FollowUp::Restart(match request.r#type {
                    ResetType::Hard => Reason::HardReset,
                    ResetType::Soft => Reason::SoftReset,
                });
                let status = Acceptance::Accepted;
                reset::Response { status }.to_json()
            }
            Command::UnlockConnector(request) => {
                let known = self.connector(request.connector_id).is_some();
                if known {
                    next = FollowUp::Stop(request.connector_id, Reason::UnlockCommand);
                }
                let status = if known { UnlockStatus::Unlocked } else { UnlockStatus::NotSupported };
                unlock_connector::Response { status }.to_json()
            }
            Command::ChangeAvailability(request) => self.change_availability(&request).to_json(),
            Command::RemoteStartTransaction(request) => {
                let (status, follow) = self.remote_start(request);
                next = follow;
                remote_start_transaction::Response { status }.to_json()
            }
            Command::RemoteStopTransaction(request) => {
                let number = self.connectors.iter().find_map(|one| {
                    let running = one.transaction.as_ref()?;
                    (running.id == Some(request.transaction_id)).then_some(one.number)
                });
                if let Some(number) = number {
                    next = FollowUp::Stop(number, Reason::Remote);
                }
                let status = acceptance(number.is_some());
                remote_stop_transaction::Response { status }.to_json()
            }
            Command::ClearCache(_) => {
                let status = Acceptance::Accepted;
                clear_cache::Response { status }.to_json()
            }
            Command::SendLocalList(request) => self.send_local_list(&request).to_json(),
            Command::GetLocalListVersion(_) => {
                get_local_list_version::Response { list_version: self.local_list_version }.to_json()
            }
            Command::DataTransfer(_) => {
                data_transfer::Response { status: DataTransferStatus::UnknownVendorId, data: None }.to_json()
            }
            other => {
                let why = format!("a virtual station has no {}", other.action());
                return (Err(CallError::new(ErrorCode::NotImplemented, why)), next);
            }
        };
        (Ok(answer), next)
    }

    /// Does what follows from an answer.
    pub(super) fn follow_up(&mut self, next: FollowUp, now: Timestamp) {
        match next {
            FollowUp::Nothing => self.apply_limits(now),
            FollowUp::Start(connector, promise) => self.start(connector, promise, now),
            FollowUp::Stop(connector, reason) => self.stop(connector, reason, now),
            FollowUp::Say(trigger, connector) => self.say(trigger, connector, now),
            FollowUp::Restart(reason) => {
                let all: Vec<u32> = self.connectors.iter().map(|one| one.number).collect();
                for connector in all {
                    self.stop(connector, reason.clone(), now);
                }
                self.effects.push(Effect::Disconnect);
            }
        }
    }

    fn set_profile(
        &mut self,
        request: set_charging_profile::Request,
        now: Timestamp,
    ) -> set_charging_profile::Response {
        let (number, profile) = (request.connector_id, request.cs_charging_profiles);
        let place = self.connector(number);
        let fits = match profile.charging_profile_purpose {
            Purpose::ChargePointMaxProfile => number == 0,
            Purpose::TxDefaultProfile => number == 0 || place.is_some(),
            // §5.16.2: only while a transaction runs there.
            Purpose::TxProfile => place.is_some_and(|one| one.transaction.is_some()),
        };
        let first = profile.charging_schedule.charging_schedule_period.first();
        let sound = first.is_some_and(|period| period.start_period == 0);
        let status = if fits && sound && profile.stack_level <= HIGHEST_LEVEL {
            if self.profiles.install(number, profile, now) {
                ChargingProfileStatus::Accepted
            } else {
                ChargingProfileStatus::Rejected
            }
        } else {
            ChargingProfileStatus::Rejected
        };
        set_charging_profile::Response { status }
    }

    fn clear_profiles(&mut self, request: &clear_charging_profile::Request) -> clear_charging_profile::Response {
        let status = if self.profiles.clear(request) {
            ClearChargingProfileStatus::Accepted
        } else {
            ClearChargingProfileStatus::NoneFound
        };
        clear_charging_profile::Response { status }
    }

    fn composite(&self, request: &get_composite_schedule::Request, now: Timestamp) -> get_composite_schedule::Response {
        use get_composite_schedule::Response;
        let number = request.connector_id;
        let outlet = match number {
            0 => self.supply(),
            _ => self.connector(number).map(|one| one.outlet),
        };
        let Some(outlet) = outlet else {
            return Response {
                status: GetCompositeScheduleStatus::Rejected,
                connector_id: None,
                schedule_start: None,
                charging_schedule: None,
            };
        };
        let running = self.connector(number).and_then(|one| Some(one.transaction.as_ref()?.running()));
        let unit = request.charging_rate_unit.unwrap_or(RateUnit::Amperes);
        let limits = self.profiles.schedule(number, &outlet, running, now, request.duration);
        Response {
            status: GetCompositeScheduleStatus::Accepted,
            connector_id: Some(number),
            schedule_start: Some(now),
            charging_schedule: Some(ChargingSchedule {
                duration: Some(request.duration),
                start_schedule: Some(now),
                charging_rate_unit: unit,
                charging_schedule_period: limits
                    .into_iter()
                    .map(|(at, limit)| period(at, limit, &outlet, unit))
                    .collect(),
                min_charging_rate: None,
            }),
        }
    }

    /// The supply of the whole station: what its outlets can give together.
    fn supply(&self) -> Option<Outlet> {
        let widest = self.connectors.iter().map(|one| one.outlet).max_by_key(|outlet| outlet.phases)?;
        let maximum = self.connectors.iter().map(|one| one.outlet.maximum).sum();
        Some(Outlet { maximum, ..widest })
    }

    fn trigger(&self, request: &trigger_message::Request) -> (TriggerMessageStatus, FollowUp) {
        let wanted = request.connector_id;
        let known = wanted.is_none_or(|number| number == 0 || self.connector(number).is_some());
        match request.requested_message {
            _ if !known => (TriggerMessageStatus::Rejected, FollowUp::Nothing),
            MessageTrigger::DiagnosticsStatusNotification | MessageTrigger::FirmwareStatusNotification => {
                (TriggerMessageStatus::NotImplemented, FollowUp::Nothing)
            }
            trigger => (TriggerMessageStatus::Accepted, FollowUp::Say(trigger, wanted)),
        }
    }

    fn say(&mut self, trigger: MessageTrigger, connector: Option<u32>, now: Timestamp) {
        let wanted = connector.filter(|number| *number > 0);
        match trigger {
            MessageTrigger::BootNotification => {
                self.outbox.push(Message::Boot(self.spec.identity.clone()));
            }
            MessageTrigger::Heartbeat => self.outbox.push(Message::Heartbeat),
            MessageTrigger::MeterValues => self.meter_now(wanted, now),
            MessageTrigger::StatusNotification => {
                for one in &self.connectors {
                    if wanted.is_none_or(|number| number == one.number) {
                        let notice = notification(one.number, one.status.clone(), now);
                        self.outbox.push(Message::Status(notice));
                    }
                }
            }
            MessageTrigger::DiagnosticsStatusNotification | MessageTrigger::FirmwareStatusNotification => {}
        }
    }

    fn change_availability(&mut self, request: &change_availability::Request) -> change_availability::Response {
        use change_availability::Response;
        let wanted = request.connector_id;
        let operative = request.r#type == AvailabilityType::Operative;
        let mut status = AvailabilityStatus::Rejected;
        for one in &mut self.connectors {
            if wanted == 0 || wanted == one.number {
                one.operative = operative;
                status = match (&status, &one.transaction) {
                    // It shows once the transaction ended.
                    (AvailabilityStatus::Scheduled, _) | (_, Some(_)) if !operative => AvailabilityStatus::Scheduled,
                    _ => AvailabilityStatus::Accepted,
                };
            }
        }
        Response { status }
    }

    fn remote_start(&mut self, request: remote_start_transaction::Request) -> (Acceptance, FollowUp) {
        let promise = Promise { id_tag: request.id_tag, profile: request.charging_profile };
        let usable = self.connectors.iter_mut().filter(|one| {
            one.operative
                && one.transaction.is_none()
                && !one.finished
                && request.connector_id.is_none_or(|number| number == one.number)
        });
        // A connector with a car goes before an empty one.
        match usable.max_by_key(|one| one.car.is_some()) {
            None => (Acceptance::Rejected, FollowUp::Nothing),
            Some(one) if one.car.is_some() => (Acceptance::Accepted, FollowUp::Start(one.number, promise)),
            Some(one) => {
                one.promise = Some(promise);
                (Acceptance::Accepted, FollowUp::Nothing)
            }
        }
    }

    fn send_local_list(&mut self, request: &send_local_list::Request) -> send_local_list::Response {
        use send_local_list::Response;
        let newer = request.list_version > self.local_list_version;
        if request.update_type == UpdateType::Differential && !newer {
            return Response { status: UpdateStatus::VersionMismatch };
        }
        self.local_list_version = request.list_version;
        Response { status: UpdateStatus::Accepted }
    }

    /// Meters every transaction in the new rhythm.
    fn meter_from(&mut self, now: Timestamp) {
        for one in &mut self.connectors {
            if let Some(transaction) = &mut one.transaction {
                transaction.meter_at = self.meter_interval.map(|every: Duration| now + every);
            }
        }
    }
}

fn acceptance(yes: bool) -> Acceptance {
    if yes { Acceptance::Accepted } else { Acceptance::Rejected }
}

fn period(start_period: u32, limit: Limit, outlet: &Outlet, unit: RateUnit) -> SchedulePeriod {
    SchedulePeriod {
        start_period,
        limit: match unit {
            RateUnit::Amperes => Tenths::from(limit.current),
            RateUnit::Watts => Tenths::from(outlet.power(limit)),
        },
        number_phases: u32::try_from(limit.phases.count()).ok(),
    }
}
