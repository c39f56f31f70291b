//! What the messages of stations that speak OCPP 1.6 mean.

use super::answer::{Call, Handled, certificates, done, notices};
use ocpp::v16::{self, Incoming, sign_certificate};

mod identity;
mod plug_and_charge;
mod readings;
mod status;
mod transactions;

/// Handles one call. The work of each kind has a box of its own, or each call would need room for the largest.
pub async fn handle(call: Call<'_>, incoming: Incoming) -> Handled<String> {
    match incoming {
        Incoming::Heartbeat(_) => done(Ok((v16::heartbeat::Response { current_time: call.now }, Vec::new()))),
        Incoming::MeterValues(request) => done(Box::pin(readings::meter_values(call, request)).await),
        Incoming::BootNotification(request) => done(Box::pin(identity::boot_notification(call, request)).await),
        Incoming::Authorize(request) => done(Box::pin(identity::authorize(call, request)).await),
        Incoming::StatusNotification(request) => done(Box::pin(status::status_notification(call, request)).await),
        Incoming::StartTransaction(request) => done(Box::pin(transactions::start_transaction(call, request)).await),
        Incoming::StopTransaction(request) => done(Box::pin(transactions::stop_transaction(call, request)).await),
        Incoming::DataTransfer(request) => done(Box::pin(plug_and_charge::data_transfer(call, request)).await),
        Incoming::SignCertificate(request) => {
            let (signed, effects) = Box::pin(certificates::sign(call, request.csr.as_str(), None)).await?;
            let status = if signed { v16::common::Acceptance::Accepted } else { v16::common::Acceptance::Rejected };
            done(Ok((sign_certificate::Response { status }, effects)))
        }
        Incoming::DiagnosticsStatusNotification(_)
        | Incoming::FirmwareStatusNotification(_)
        | Incoming::SignedFirmwareStatusNotification(_)
        | Incoming::LogStatusNotification(_)
        | Incoming::SecurityEventNotification(_) => Box::pin(notices::notice(call, incoming.action())).await,
    }
}
