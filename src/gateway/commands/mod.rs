//! What stations are asked to do, one file a command: how OCPP 1.6 says it, how OCPP 2 says it, what its answer means in
//! each, and how urgent it is.
//!
//! A new command is a variant of [`StationCommand`], a file here with its `mod` line, and its line in [`spoken`]. Where its
//! answers are no plain `status`, the file has an `AnswerRule`, which `answers` lists.

mod answer_rule;
mod answers;
mod cancel_reservation;
mod certificate_signed;
mod certificates;
mod change_availability;
mod change_configuration;
mod clear_cache;
mod clear_charging_profile;
mod data_transfer;
mod device;
mod get_composite_schedule;
mod get_configuration;
mod get_diagnostics;
mod get_local_list_version;
mod get_log;
mod names;
mod profile;
mod raw;
mod reserve;
mod reset;
mod send_cost;
mod send_local_list;
mod set_charging_profile;
mod set_limit;
mod set_schedule;
mod signed_update_firmware;
mod start_charging;
mod stop_charging;
#[cfg(test)]
mod testing;
mod tokens;
mod trigger_message;
mod unlock_connector;
mod update_firmware;
pub mod variables;
mod wire;

use serde_json::Value;

use super::reports::ReportKind;
use crate::sites::stations::link::{LinkError, StationCommand};
use kernel::Timestamp;
use ocpp::session::{CoalesceKey, Priority};

pub use answer_rule::Answer;
pub use answers::outcome;
pub use names::Names;
pub use tokens::id_token;
pub use wire::WireCall;

/// How a command is said this time.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// The variant of a limit, by its number in the strategy; everything else has one.
    pub variant: usize,
    /// Now, as the station's clock shows it.
    pub now: Timestamp,
}

/// What one command is to stations. Arguments that a version cannot say are a [`LinkError::Invalid`].
pub trait Spoken {
    /// The call of OCPP 1.6.
    fn v16(&self, manner: Manner) -> Result<WireCall, LinkError>;

    /// The call of OCPP 2, with what this station calls its parts and transactions.
    fn v2(&self, manner: Manner, names: &Names) -> Result<WireCall, LinkError>;

    /// What is reported of a station's answer; all of it as it came, for most.
    fn data(&self, answer: Answer<'_>) -> Value {
        answer.data
    }

    /// How urgent it is, and which waiting command it replaces.
    fn urgency(&self) -> (Priority, Option<CoalesceKey>) {
        (Priority::Command, None)
    }

    /// Our number of the transaction that it is about.
    fn transaction(&self) -> Option<i64> {
        None
    }

    /// How stations of OCPP 2 report what was asked for, where their answer says only that a report follows.
    fn report(&self) -> Option<Report> {
        None
    }
}

/// A report that follows the answer to a command.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// What it is put together to.
    pub kind: ReportKind,
    /// The command that asks for it under this number.
    pub numbered: fn(&StationCommand, i64) -> StationCommand,
    /// What is reported of the answer and the whole report together.
    pub combined: fn(Value, Value) -> Value,
}

/// The command as stations know it.
pub fn spoken(command: &StationCommand) -> Box<dyn Spoken + '_> {
    use StationCommand as C;
    match command {
        C::Reset { hard, evse } => Box::new(reset::Reset { hard: *hard, evse: *evse }),
        C::UnlockConnector { connector } => Box::new(unlock_connector::UnlockConnector(*connector)),
        C::ChangeAvailability { connector, operative } => {
            Box::new(change_availability::ChangeAvailability { connector: *connector, operative: *operative })
        }
        C::TriggerMessage { message, connector } => Box::new(trigger_message::TriggerMessage(message, *connector)),
        C::ExtendedTrigger { message, connector } => Box::new(trigger_message::ExtendedTrigger(message, *connector)),
        C::GetConfiguration { keys } => Box::new(get_configuration::GetConfiguration(keys)),
        C::ChangeConfiguration { key, value } => Box::new(change_configuration::ChangeConfiguration { key, value }),
        C::ClearCache => Box::new(clear_cache::ClearCache),
        C::StartCharging { connector, id_tag, token_type, request } => Box::new(start_charging::StartCharging {
            connector: *connector,
            id_tag,
            token_type: *token_type,
            request: *request,
        }),
        C::StopCharging { transaction } => Box::new(stop_charging::StopCharging(*transaction)),
        C::SendCost { transaction, amount } => Box::new(send_cost::SendCost(*transaction, *amount)),
        C::Reserve(reserve) => Box::new(reserve),
        C::CancelReservation { reservation } => Box::new(cancel_reservation::CancelReservation(*reservation)),
        C::SetLimit(limit) => Box::new(limit),
        C::SetSchedule(schedule) => Box::new(schedule),
        C::SetChargingProfile { connector, profile } => {
            Box::new(set_charging_profile::SetChargingProfile { connector: *connector, profile })
        }
        C::ClearChargingProfile { id, connector, purpose, stack_level } => {
            Box::new(clear_charging_profile::ClearChargingProfile {
                id: *id,
                connector: *connector,
                purpose: purpose.as_deref(),
                stack_level: *stack_level,
            })
        }
        C::GetCompositeSchedule { connector, seconds, in_amps } => {
            Box::new(get_composite_schedule::GetCompositeSchedule {
                connector: *connector,
                seconds: *seconds,
                in_amps: *in_amps,
            })
        }
        C::SendLocalList { version, full, entries } => {
            Box::new(send_local_list::SendLocalList { version: *version, full: *full, entries })
        }
        C::GetLocalListVersion => Box::new(get_local_list_version::GetLocalListVersion),
        C::UpdateFirmware(update) => Box::new(update),
        C::SignedUpdateFirmware(update) => Box::new(update),
        C::GetDiagnostics(diagnostics) => Box::new(diagnostics),
        C::GetLog(log) => Box::new(log),
        C::InstallCertificate { kind, certificate } => Box::new(certificates::Install { kind, certificate }),
        C::DeleteCertificate { certificate } => Box::new(certificates::Delete(certificate)),
        C::GetInstalledCertificates { kind } => Box::new(certificates::GetInstalled(kind)),
        C::CertificateSigned { chain, request } => {
            Box::new(certificate_signed::CertificateSigned { chain, request: *request })
        }
        C::DataTransfer { vendor_id, message_id, data } => Box::new(data_transfer::DataTransfer {
            vendor_id,
            message_id: message_id.as_deref(),
            data: data.as_deref(),
        }),
        C::Device { request, payload } => Box::new(device::Device { request: *request, payload }),
        C::Raw { action, payload } => Box::new(raw::Raw { action, payload }),
    }
}

/// The call that says a command, to a station of OCPP 2 by its names, else in the words of OCPP 1.6.
pub fn build(command: &StationCommand, manner: Manner, names: Option<&Names>) -> Result<WireCall, LinkError> {
    let command = spoken(command);
    match names {
        None => command.v16(manner),
        Some(names) => {
            let call = command.v2(manner, names)?;
            call.check_v2(names.version)?;
            Ok(call)
        }
    }
}
