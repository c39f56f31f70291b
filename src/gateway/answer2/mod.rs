//! What the messages of stations that speak OCPP 2.0.1 or 2.1 mean.

use super::answer::{Call, Handled, done, notices};
use ocpp::v2::*;

mod identity;
mod limits;
mod meter;
mod model;
mod refusals;
mod status;
mod transactions;

/// Handles one call. The work of each kind has a box of its own, or each call would need room for the largest.
pub async fn handle(call: Call<'_>, incoming: Incoming) -> Handled<String> {
    match incoming {
        Incoming::Heartbeat(_) => done(Ok((heartbeat::Response { current_time: call.now }, Vec::new()))),
        Incoming::BootNotification(request) => done(Box::pin(identity::boot_notification(call, request)).await),
        Incoming::Authorize(request) => done(Box::pin(identity::authorize(call, request)).await),
        Incoming::StatusNotification(request) => done(Box::pin(status::status_notification(call, request)).await),
        Incoming::MeterValues(request) => done(Box::pin(meter::meter_values(call, request)).await),
        Incoming::TransactionEvent(request) => done(Box::pin(transactions::transaction_event(call, request)).await),
        Incoming::SignCertificate(request) => done(Box::pin(identity::sign_certificate(call, request)).await),
        Incoming::NotifyEvent(request) => done(Box::pin(status::notify_event(call, request)).await),
        Incoming::NotifyReport(request) => done(Box::pin(model::notify_report(call, request)).await),
        Incoming::NotifyEVChargingNeeds(request) => {
            done(Box::pin(limits::notify_ev_charging_needs(call, request)).await)
        }
        Incoming::NotifyChargingLimit(request) => done(Box::pin(limits::notify_charging_limit(call, request)).await),
        Incoming::ClearedChargingLimit(request) => done(Box::pin(limits::cleared_charging_limit(call, request)).await),
        Incoming::PullDynamicScheduleUpdate(request) => {
            done(Box::pin(limits::pull_dynamic_schedule_update(call, request)).await)
        }
        Incoming::NotifyEVChargingSchedule(request) => {
            done(Box::pin(limits::notify_ev_charging_schedule(call, request)).await)
        }
        Incoming::OpenPeriodicEventStream(_) => {
            Box::pin(notices::record(call, incoming.action())).await?;
            let response = open_periodic_event_stream::Response { status: GenericStatus::Accepted, status_info: None };
            done(Ok((response, Vec::new())))
        }
        Incoming::NotifyCustomerInformation(_)
        | Incoming::NotifyDisplayMessages(_)
        | Incoming::NotifyMonitoringReport(_)
        | Incoming::ReportChargingProfiles(_)
        | Incoming::ReportDERControl(_) => Box::pin(model::other_report(call, incoming)).await,
        Incoming::BatterySwap(_)
        | Incoming::ClosePeriodicEventStream(_)
        | Incoming::FirmwareStatusNotification(_)
        | Incoming::LogStatusNotification(_)
        | Incoming::NotifyDERAlarm(_)
        | Incoming::NotifyDERStartStop(_)
        | Incoming::NotifyPeriodicEventStream(_)
        | Incoming::NotifyPriorityCharging(_)
        | Incoming::NotifySettlement(_)
        | Incoming::PublishFirmwareStatusNotification(_)
        | Incoming::ReservationStatusUpdate(_)
        | Incoming::SecurityEventNotification(_) => Box::pin(notices::notice(call, incoming.action())).await,
        Incoming::DataTransfer(_)
        | Incoming::Get15118EVCertificate(_)
        | Incoming::GetCertificateChainStatus(_)
        | Incoming::GetCertificateStatus(_)
        | Incoming::VatNumberValidation(_) => Ok((refusals::refusal(call, incoming), Vec::new())),
    }
}
