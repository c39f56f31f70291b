//! Notices about firmware, diagnostics, logs and security: told as events, answered with nothing.

use serde_json::value::RawValue;

use super::{Call, Handled};
use crate::db::StoreResult;
use crate::events::{self, Event, EventKind};
use crate::ocpp::v16::Incoming;

/// Records a notice as an event with the station's own words.
pub(super) async fn notice(
    call: Call<'_>,
    incoming: &Incoming,
    payload: &RawValue,
) -> Handled<String> {
    let kind = match incoming {
        Incoming::DiagnosticsStatusNotification(_) => EventKind::StationDiagnosticsStatusUpdated,
        Incoming::FirmwareStatusNotification(_) | Incoming::SignedFirmwareStatusNotification(_) => {
            EventKind::StationFirmwareStatusUpdated
        }
        Incoming::LogStatusNotification(_) => EventKind::StationLogStatusUpdated,
        _ => EventKind::StationSecurityEvent,
    };
    let (organization, station, moment) =
        (call.peer.organization, call.peer.station, call.moment());
    let said: serde_json::Value = serde_json::from_str(payload.get()).unwrap_or_default();
    let data = serde_json::json!({"chargestation": station, "message": incoming.action(), "payload": said});
    let stored = call
        .gateway
        .context
        .db
        .write(move |conn| -> StoreResult<()> {
            let event = Event::new(organization, kind).at(station);
            events::record(conn, &moment, event, &data)
        });
    stored.await?;
    Ok(("{}".to_owned(), Vec::new()))
}
